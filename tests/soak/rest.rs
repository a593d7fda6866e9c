//! What the gate's process holds while nothing is under way, and what it has told of its work.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;

use crate::admin::metrics;
use crate::support::gate::Gate;
use crate::support::{json, wait};
use std::time::Duration;

/// By how much the allocator alone makes a long run's memory grow or shrink, in KiB.
const ALLOCATOR: f64 = 1024.0;
/// Rounds of which the median is as far off again: it takes many to tell a slope from the allocator's moods.
const FEW: f64 = 8.0;
/// Bytes that an exchange may leave behind. One buffer of a connection is 8 KiB: not one in five hundred may keep its own.
const LEFT: f64 = 16.0;

#[derive(Debug)]
pub(super) struct Rest {
    descriptors: usize,
    threads: usize,
    /// Resident memory, in KiB.
    pub(super) resident: usize,
}

impl Rest {
    /// Once no connection and no tunnel is open, and nothing has been closed for a while.
    pub(super) fn settled(gate: &Gate) -> Self {
        is_idle(gate);
        let mut same = 0;
        let mut last = Self::now(gate);
        wait::until("the gate closes no more descriptors", || {
            let now = Self::now(gate);
            same = if now.descriptors == last.descriptors {
                same + 1
            } else {
                0
            };
            last = now;
            wait::pause(Duration::from_millis(30));
            (same == 5).then_some(())
        });
        last
    }

    /// Waits until no more descriptors and threads are there than before.
    pub(super) fn back_to(gate: &Gate, before: &Self) -> Self {
        is_idle(gate);
        let mut now = Self::now(gate);
        let is_back = wait::within(wait::DEADLINE, || {
            now = Self::now(gate);
            (now.descriptors <= before.descriptors && now.threads <= before.threads).then_some(())
        });
        assert!(
            is_back.is_some(),
            "{now}, and before {before}: {:#?}",
            descriptors(gate)
        );
        now
    }

    fn now(gate: &Gate) -> Self {
        let status = fs::read_to_string(format!("/proc/{}/status", gate.id())).unwrap();
        let number = |key: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(key));
            let word = line.and_then(|line| line.split_whitespace().next());
            word.unwrap_or_else(|| panic!("no {key} in {status}"))
                .parse()
                .unwrap()
        };
        Self {
            descriptors: descriptors(gate).len(),
            threads: number("Threads:"),
            resident: number("VmRSS:"),
        }
    }
}

impl fmt::Display for Rest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            descriptors,
            threads,
            resident,
        } = self;
        write!(
            formatter,
            "{descriptors} descriptors and {threads} threads ({resident} KiB)"
        )
    }
}

fn descriptors(gate: &Gate) -> Vec<String> {
    let entries = fs::read_dir(format!("/proc/{}/fd", gate.id())).unwrap();
    // One may be closed between the two looks.
    let links = entries.filter_map(|entry| fs::read_link(entry.ok()?.path()).ok());
    links.map(|link| link.display().to_string()).collect()
}

fn is_idle(gate: &Gate) {
    wait::until("no connection and no tunnel is open", || {
        let text = metrics(gate);
        let is_none = |gauge: &str| text.lines().any(|line| line == format!("{gauge} 0"));
        (is_none("dockgate_connections") && is_none("dockgate_tunnels")).then_some(())
    });
}

/// Waits until every decision in the audit log has its one end, none of which failed; begins the log anew, since it grows.
pub(super) fn records(gate: &Gate) -> usize {
    is_idle(gate);
    let count = wait::until("every decision has its end", || {
        let text = fs::read_to_string(gate.audit_file()).unwrap();
        let mut open = BTreeMap::<String, i32>::new();
        for line in text.lines() {
            let record = if line.ends_with('}') {
                json(line)
            } else {
                return None;
            };
            let change = match record["event"].as_str() {
                Some("decision") => 1,
                Some("end") => -1,
                _ => continue,
            };
            assert_ne!(record["outcome"], "failed", "{record}");
            *open
                .entry(record["id"].as_str().unwrap().to_owned())
                .or_default() += change;
        }
        open.values().all(|open| *open == 0).then_some(open.len())
    });
    // The gate appends.
    fs::File::options()
        .write(true)
        .open(gate.audit_file())
        .unwrap()
        .set_len(0)
        .unwrap();
    count
}

/// What twelve people ask of a gate in half an hour: ten commands a minute each, of four exchanges; a tunnel a minute; and a
/// change of the configuration each half minute.
pub(super) const HALF_HOUR: Told = Told {
    exchanges: 14_400,
    tunnels: 360,
    reloads: 60,
};

/// What the gate has counted.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) exchanges: usize,
    pub(super) tunnels: usize,
    pub(super) reloads: usize,
}

impl Told {
    pub(super) fn by(gate: &Gate) -> Self {
        let text = metrics(gate);
        let count = |name: &str| {
            let found = text.lines().find_map(|line| line.strip_prefix(name));
            found
                .unwrap_or_else(|| panic!("no {name} in {text}"))
                .trim()
                .parse()
                .unwrap()
        };
        let kind = |kind: &str| {
            count(&format!(
                "dockgate_exchange_seconds_count{{kind=\"{kind}\"}}"
            ))
        };
        let tunnels: usize = kind("tunnel");
        let ended: [usize; 2] = [kind("answered"), kind("refused")];
        Self {
            exchanges: ended.iter().sum::<usize>() + tunnels,
            tunnels,
            reloads: count("dockgate_reloads_total{result=\"ok\"}"),
        }
    }
}

impl Told {
    /// Whether it is as much as another, in everything.
    pub(super) fn reaches(&self, other: &Self) -> bool {
        self.exchanges >= other.exchanges
            && self.tunnels >= other.tunnels
            && self.reloads >= other.reloads
    }
}

impl fmt::Display for Told {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            exchanges,
            tunnels,
            reloads,
        } = self;
        write!(
            formatter,
            "{exchanges} exchanges, {tunnels} of them tunnels, {reloads} reloads"
        )
    }
}

/// The medians of the three thirds, for who reads the figures.
fn medians(rounds: &[usize]) -> [usize; 3] {
    let third = rounds.len() / 3;
    [0, 1, 2].map(|number| {
        let mut part = rounds[number * third..(number + 1) * third].to_vec();
        part.sort_unstable();
        part[part.len() / 2]
    })
}

pub(super) fn thirds(rounds: &[usize]) -> String {
    let ([first, second, third], slope) = (medians(rounds), slope(rounds));
    format!(
        "{first}, {second}, {third} KiB resident in the thirds, {slope:.1} KiB more with each round"
    )
}

/// By how much memory grows from one round to the next, in KiB: the median of the slopes between all pairs of rounds
/// (Theil and Sen), which a few rounds that are out of line do not move.
fn slope(rounds: &[usize]) -> f64 {
    let at = |number: usize| rounds[number] as f64;
    let pairs =
        (0..rounds.len()).flat_map(|one| (one + 1..rounds.len()).map(move |other| (one, other)));
    let mut slopes: Vec<f64> = pairs
        .map(|(one, other)| (at(other) - at(one)) / (other - one) as f64)
        .collect();
    slopes.sort_by(f64::total_cmp);
    slopes[slopes.len() / 2]
}

/// # Panics
/// Where memory has grown by more than the allocator's own moods and a few bytes for each exchange.
pub(super) fn is_flat(rounds: &[usize], told: &Told) {
    let (grown, most) = growth(rounds, told.exchanges);
    assert!(
        grown <= most,
        "{grown:.0} KiB more over {told}, at most {most:.0}; after each round, in KiB: {rounds:?}"
    );
}

/// By how much memory grew, and by how much it may, in KiB. The first third of the rounds is left out where there are
/// enough: meanwhile the allocator still takes room of every size on every thread.
fn growth(rounds: &[usize], exchanges: usize) -> (f64, f64) {
    let warm = if rounds.len() < 6 {
        0
    } else {
        rounds.len() / 3
    };
    let settled = &rounds[warm..];
    let count = settled.len() as f64;
    let exchanges = exchanges as f64 * count / rounds.len() as f64;
    let most = ALLOCATOR * (1.0 + FEW / count) + LEFT * exchanges / 1024.0;
    (slope(settled) * (count - 1.0), most)
}

#[test]
fn growth_is_told_from_what_the_allocator_takes_at_first() {
    let warms_up = |round: usize| 24_000 + 3_000 * round / (round + 4) + round % 4 * 150;
    let leaks = |round: usize| warms_up(round) + 128 * round;
    for count in [3, 9, 40, 200] {
        let rounds: Vec<usize> = (0..count).map(warms_up).collect();
        let (grown, most) = growth(&rounds, 600 * count);
        assert!(grown <= most, "{count} rounds: {grown} of {most}");
    }
    // 200 bytes for each exchange.
    let rounds: Vec<usize> = (0..40).map(leaks).collect();
    let (grown, most) = growth(&rounds, 600 * 40);
    assert!(grown > most, "{grown} of {most}");
}

#[test]
fn a_slope_is_that_of_most_rounds() {
    let flat = [100, 104, 98, 700, 101, 99, 103, 97, 102];
    assert!(slope(&flat).abs() < 1.0);
    let leaks: Vec<usize> = (0..20)
        .map(|round| 20_000 + 64 * round + round % 3 * 30)
        .collect();
    assert!((60.0..68.0).contains(&slope(&leaks)));
}
