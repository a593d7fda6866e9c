//! Which measurements are made, in which order, and what they come to.

use std::path::Path;
use std::time::Duration;

use serde::Serialize;

use crate::contenders::{self, Contender, Kind, Memory};
use crate::load::{self, Direction, Moved, Place, Round, Tunnels};
use crate::workloads::{self, Workload};

pub(crate) const USAGE: &str =
    "usage: make bench [ARGUMENTS='[--quick] [--rounds N] [--only TEXT] | --flood']
  --quick     10 connections only, short rounds, no bulk
  --rounds N  how often each pair takes its turn
  --only T    only the measurements whose name has T in it
  --flood     nothing but what a flood of one client does to another";

/// How much is measured.
pub(crate) struct Plan {
    is_quick: bool,
    rounds: usize,
    only: String,
}

/// One line of the results.
#[derive(Debug, Serialize)]
pub(crate) struct Line {
    /// What is done, over what, on how many connections.
    pub(crate) what: String,
    pub(crate) transport: &'static str,
    pub(crate) connections: usize,
    pub(crate) contender: String,
    pub(crate) kind: &'static str,
    /// Requests, round trips or connections per second; MiB per second of bulk.
    pub(crate) rate: Spread,
    /// Of the contender alone, in microseconds per request, of bulk in milliseconds per GiB.
    pub(crate) cpu: Spread,
    /// In microseconds; not for bulk.
    pub(crate) p50: Option<f64>,
    pub(crate) p99: Option<f64>,
    pub(crate) p999: Option<f64>,
    pub(crate) system_calls: Option<f64>,
}

/// The median of all rounds, and the least and the most.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) least: f64,
    pub(crate) most: f64,
}

/// All that was measured.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Results {
    pub(crate) is_pinned: bool,
    pub(crate) rounds: usize,
    pub(crate) lines: Vec<Line>,
    pub(crate) memory: Vec<MemoryLine>,
}

#[derive(Debug, Serialize)]
pub(crate) struct MemoryLine {
    pub(crate) contender: String,
    pub(crate) at_rest: Memory,
    pub(crate) tunnels: usize,
    pub(crate) with_tunnels: Memory,
}

impl Plan {
    pub(crate) fn of(words: &[&str]) -> Result<Self, String> {
        let mut plan = Self {
            is_quick: false,
            rounds: 5,
            only: String::new(),
        };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or(format!("`{word}` needs a value"));
            match *word {
                "--quick" => (plan.is_quick, plan.rounds) = (true, 3),
                "--rounds" => {
                    plan.rounds = value()?
                        .parse()
                        .map_err(|_| "`--rounds` needs a number".to_owned())?;
                }
                "--only" => plan.only = (*value()?).to_owned(),
                other => return Err(format!("`{other}` is no option")),
            }
        }
        Ok(plan)
    }

    fn lasting(&self) -> Duration {
        Duration::from_millis(if self.is_quick { 250 } else { 400 })
    }

    fn connections(&self) -> &'static [usize] {
        if self.is_quick {
            &[10]
        } else {
            &[1, 10, 50, 200]
        }
    }

    fn wants(&self, what: &str) -> bool {
        what.contains(&self.only)
    }
}

/// Everything, in turns.
pub(crate) fn all(plan: &Plan, contenders: &[Contender], folder: &Path) -> Results {
    let mut results = Results {
        is_pinned: contenders::is_pinned(),
        rounds: plan.rounds,
        ..Results::default()
    };
    // First, while nobody has been asked anything.
    if plan.wants("memory") {
        memory(plan, contenders, &mut results);
    }
    let certificates = folder.join("certs");
    for workload in workloads::all() {
        for connections in plan.connections() {
            let unix = |contender: &Contender| Some(contender.place.clone());
            requests(
                plan,
                contenders,
                (&workload, *connections, "unix", &unix),
                &mut results,
            );
        }
        let is_of_tls =
            ["ping", "list 2 KiB", "list 200 KiB", "create 3 KiB"].contains(&workload.name);
        if is_of_tls && !plan.is_quick {
            let tls =
                |contender: &Contender| Some(Place::tls(contender.port?, &certificates, true));
            requests(plan, contenders, (&workload, 10, "tls", &tls), &mut results);
        }
    }
    connects(plan, contenders, &certificates, &mut results);
    if !plan.is_quick {
        bulk(plan, contenders, &mut results);
    }
    hijack_round_trips(plan, contenders, &mut results);
    results
}

/// The engine, and all that lead to it.
fn ways(contenders: &[Contender]) -> impl Iterator<Item = &Contender> {
    contenders.iter().filter(|one| one.kind != Kind::Answerer)
}

type PlaceOf<'a> = &'a dyn Fn(&Contender) -> Option<Place>;

fn requests(
    plan: &Plan,
    contenders: &[Contender],
    (workload, connections, transport, place): (&Workload, usize, &'static str, PlaceOf<'_>),
    results: &mut Results,
) {
    if !plan.wants(workload.name) {
        return;
    }
    let takes_part = |contender: &&Contender| match contender.kind {
        Kind::Gate | Kind::Other => true,
        Kind::Proxy => !workload.only_gate,
        // These refuse nothing.
        Kind::Direct | Kind::Floor => workload.status < 400,
        Kind::Answerer => workload.status == 403 && !workload.only_gate,
    };
    let taking_part = contenders.iter().filter(takes_part);
    let placed: Vec<_> = taking_part
        .filter_map(|one| Some((one, place(one)?)))
        .collect();
    let mut rounds: Vec<Vec<Round>> = placed.iter().map(|_| Vec::new()).collect();
    for _ in 0..plan.rounds {
        for ((contender, place), rounds) in placed.iter().zip(&mut rounds) {
            let often = (connections, plan.lasting());
            rounds.push(load::ask(place, workload, often, &contender.processor()));
        }
    }
    let counts_calls = transport == "unix" && contenders::can_count_calls();
    for ((contender, place), rounds) in placed.iter().zip(&rounds) {
        let what = (workload.name, transport, connections);
        let mut line = line(contender, what, rounds);
        if counts_calls && contender.kind != Kind::Direct {
            line.system_calls = contenders::per_request(contender, place, workload, connections);
        }
        results.add(line);
    }
}

fn connects(plan: &Plan, contenders: &[Contender], certificates: &Path, results: &mut Results) {
    let ping = &workloads::all()[0];
    let unix = |contender: &Contender| Some(contender.place.clone());
    let full = |contender: &Contender| Some(Place::tls(contender.port?, certificates, false));
    let resumed = |contender: &Contender| Some(Place::tls(contender.port?, certificates, true));
    let kinds: [(&'static str, &'static str, PlaceOf<'_>); 3] = [
        ("connect", "unix", &unix),
        ("connect, full handshake", "tls", &full),
        ("connect, resumed", "tls", &resumed),
    ];
    for (what, transport, place) in kinds {
        if !plan.wants(what) {
            continue;
        }
        let placed: Vec<_> = ways(contenders)
            .filter_map(|one| Some((one, place(one)?)))
            .collect();
        let mut rounds: Vec<Vec<Round>> = placed.iter().map(|_| Vec::new()).collect();
        for _ in 0..plan.rounds {
            for ((contender, place), rounds) in placed.iter().zip(&mut rounds) {
                rounds.push(load::connect(
                    place,
                    ping,
                    plan.lasting(),
                    &contender.processor(),
                ));
            }
        }
        for ((contender, _), rounds) in placed.iter().zip(&rounds) {
            results.add(line(contender, (what, transport, 1), rounds));
        }
    }
}

fn bulk(plan: &Plan, contenders: &[Contender], results: &mut Results) {
    type Move = fn(&Contender) -> Moved;
    let kinds: [(&str, Move); 3] = [
        ("1 GiB down", |one| {
            load::transfer(&one.place, Direction::Down, &one.processor())
        }),
        ("1 GiB up", |one| {
            load::transfer(&one.place, Direction::Up, &one.processor())
        }),
        ("hijack, 512 MiB both ways", |one| {
            load::hijack(&one.place, 512 << 20, &one.processor())
        }),
    ];
    for (what, moving) in kinds.iter().filter(|(what, _)| plan.wants(what)) {
        let mut moved: Vec<Vec<Moved>> = ways(contenders).map(|_| Vec::new()).collect();
        for _ in 0..plan.rounds.min(3) {
            for (contender, moved) in ways(contenders).zip(&mut moved) {
                moved.push(moving(contender));
            }
        }
        for (contender, moved) in ways(contenders).zip(&moved) {
            let gib = |moved: &Moved| moved.bytes as f64 / f64::from(1 << 30);
            let rate = moved
                .iter()
                .map(|one| gib(one) * 1024.0 / one.took.as_secs_f64());
            let cpu = moved
                .iter()
                .map(|one| one.processor.as_secs_f64() * 1e3 / gib(one));
            results.add(Line {
                rate: Spread::of(rate),
                cpu: Spread::of(cpu),
                ..line(contender, (what, "unix", 1), &[])
            });
        }
    }
}

fn hijack_round_trips(plan: &Plan, contenders: &[Contender], results: &mut Results) {
    let what = "hijack round trip";
    if !plan.wants(what) {
        return;
    }
    let mut rounds: Vec<Vec<Round>> = ways(contenders).map(|_| Vec::new()).collect();
    for _ in 0..plan.rounds {
        for (contender, rounds) in ways(contenders).zip(&mut rounds) {
            let processor = contender.processor();
            rounds.push(load::hijack_round_trips(
                &contender.place,
                plan.lasting(),
                &processor,
            ));
        }
    }
    for (contender, rounds) in ways(contenders).zip(&rounds) {
        results.add(line(contender, (what, "unix", 1), rounds));
    }
}

fn memory(plan: &Plan, contenders: &[Contender], results: &mut Results) {
    let count = if plan.is_quick { 100 } else { 1000 };
    for contender in ways(contenders).filter(|one| one.kind != Kind::Direct) {
        let at_rest = contender.memory();
        let tunnels = Tunnels::open(&contender.place, count);
        // The buffers of the last one are given back once it has been found quiet.
        std::thread::sleep(Duration::from_millis(200));
        results.memory.push(MemoryLine {
            contender: contender.name.clone(),
            at_rest,
            tunnels: count,
            with_tunnels: contender.memory(),
        });
        drop(tunnels);
    }
}

impl Results {
    fn add(&mut self, line: Line) {
        let place = |line: &Line| (line.what.clone(), line.transport, line.connections);
        let is_first = self.lines.last().map(place) != Some(place(&line));
        crate::report::progress(&line, is_first);
        self.lines.push(line);
    }
}

impl Spread {
    fn of(values: impl Iterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = values.collect();
        values.sort_by(f64::total_cmp);
        let at = |index: usize| values.get(index).copied().unwrap_or_default();
        Self {
            median: at(values.len() / 2),
            least: at(0),
            most: at(values.len().saturating_sub(1)),
        }
    }
}

fn line(
    contender: &Contender,
    (what, transport, connections): (&str, &'static str, usize),
    rounds: &[Round],
) -> Line {
    let quantile = |part| {
        let of = rounds.iter().map(|round| round.latency.per_mille(part));
        (!rounds.is_empty()).then(|| Spread::of(of).median)
    };
    let rate = rounds
        .iter()
        .map(|round| round.requests as f64 / round.took.as_secs_f64());
    let cpu = |round: &Round| round.processor.as_secs_f64() * 1e6 / round.requests as f64;
    Line {
        what: what.to_owned(),
        transport,
        connections,
        contender: contender.name.clone(),
        kind: match contender.kind {
            Kind::Direct => "direct",
            Kind::Gate => "gate",
            Kind::Proxy => "proxy",
            Kind::Floor | Kind::Answerer => "floor",
            Kind::Other => "other",
        },
        rate: Spread::of(rate),
        cpu: Spread::of(rounds.iter().map(cpu)),
        p50: quantile(500),
        p99: quantile(990),
        p999: quantile(999),
        system_calls: None,
    }
}
