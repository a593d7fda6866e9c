//! Which measurements are made, in which order, and what they come to.

use std::path::Path;
use std::time::Duration;

use crate::contenders::{self, Contender, Kind};
use crate::load::{self, Direction, Moved, Place, Round, Tunnels};
use crate::results::{Line, MemoryLine, Results, Spread};
use crate::workloads::{self, Workload};

pub(crate) const USAGE: &str =
    "usage: make bench [ARGUMENTS='[--quick] [--runs N] [--rounds N] [--only TEXT] | --flood']
  --quick     10 connections only, short rounds, no bulk
  --runs N    how often all processes are started anew
  --rounds N  how often each of them takes its turn in a run
  --only T    only the measurements whose name has T in it
  --flood     nothing but what a flood of one client does to another";

/// How much is measured.
pub(crate) struct Plan {
    is_quick: bool,
    runs: usize,
    rounds: usize,
    only: String,
}

impl Plan {
    pub(crate) fn of(words: &[&str]) -> Result<Self, String> {
        let mut plan = Self {
            is_quick: false,
            runs: 3,
            rounds: 2,
            only: String::new(),
        };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or(format!("`{word}` needs a value"));
            let mut number = || {
                let number = value()?.parse().ok().filter(|number| *number > 0);
                number.ok_or_else(|| format!("`{word}` needs a number"))
            };
            match *word {
                "--quick" => (plan.is_quick, plan.runs) = (true, 2),
                "--runs" => plan.runs = number()?,
                "--rounds" => plan.rounds = number()?,
                "--only" => plan.only = (*value()?).to_owned(),
                other => return Err(format!("`{other}` is no option")),
            }
        }
        Ok(plan)
    }

    pub(crate) fn runs(&self) -> usize {
        self.runs
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

/// Everything, in turns; what no run changes is measured in the first.
pub(crate) fn all(plan: &Plan, contenders: &[Contender], (folder, run): (&Path, usize)) -> Results {
    println!("run {run} of {}", plan.runs);
    let mut results = Results {
        is_pinned: contenders::is_pinned(),
        runs: plan.runs,
        rounds: plan.rounds,
        counts_calls: run == 1 && contenders::can_count_calls(),
        ..Results::default()
    };
    // First, while nobody has been asked anything.
    if run == 1 && plan.wants("memory") {
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
    let counts_calls = results.counts_calls && transport == "unix";
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
