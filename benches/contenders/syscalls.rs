//! System calls per request, counted in a round of their own: by `perf`, which slows nobody down, or else by `strace`.

use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use super::Contender;
use crate::load::{self, Place};
use crate::workloads::Workload;

/// Who counts.
#[derive(Clone, Copy)]
enum Counter {
    Perf,
    /// It stops the contender at each call, so that fewer of its clients are ready at once.
    Strace,
}

impl Counter {
    fn found() -> Option<Self> {
        let runs = |program: &str, words: &[&str]| {
            let mut command = Command::new(program);
            command
                .args(words)
                .stdout(Stdio::null())
                .stderr(Stdio::null());
            command.status().is_ok_and(|status| status.success())
        };
        let perf = runs("perf", &["stat", "-e", CALLS, "true"]).then_some(Self::Perf);
        perf.or_else(|| runs("strace", &["-V"]).then_some(Self::Strace))
    }
}

/// Whether they can be counted here.
pub(crate) fn is_there() -> bool {
    Counter::found().is_some()
}

/// How many calls one request takes, over so many connections.
pub(crate) fn per_request(
    contender: &Contender,
    place: &Place,
    workload: &Workload,
    connections: usize,
) -> Option<f64> {
    let counter = Counter::found()?;
    let count = |lasting: Duration| {
        let counting = attach(counter, contender.id())?;
        let round = load::ask(
            place,
            workload,
            (connections, lasting),
            &contender.processor(),
        );
        let calls = detach(counter, counting)?;
        Some((calls as f64, (round.requests + connections as u64) as f64))
    };
    // What opening and closing the connections takes is in both rounds, and falls out.
    let (short, long) = (count(LASTING / 8)?, count(LASTING)?);
    (long.1 > short.1).then(|| (long.0 - short.0) / (long.1 - short.1))
}

fn attach(counter: Counter, id: u32) -> Option<Child> {
    let id = id.to_string();
    let (program, words): (_, &[&str]) = match counter {
        Counter::Perf => ("perf", &["stat", "-x,", "-e", CALLS, "-p", &id]),
        Counter::Strace => ("strace", &["-c", "-f", "-p", &id]),
    };
    let mut command = Command::new(program);
    command
        .args(words)
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    let counting = command.spawn();
    thread::sleep(Duration::from_millis(300));
    counting.ok()
}

fn detach(counter: Counter, counting: Child) -> Option<u64> {
    let pid = counting.id().to_string();
    Command::new("kill").args(["-INT", &pid]).status().ok()?;
    let output = counting.wait_with_output().ok()?;
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    let mut lines = text.lines();
    match counter {
        Counter::Perf => {
            let line = lines.find(|line| line.contains(CALLS))?;
            line.split(',').next()?.parse().ok()
        }
        Counter::Strace => {
            let total = lines.find(|line| line.ends_with(" total"))?;
            total.split_whitespace().nth(3)?.parse().ok()
        }
    }
}

/// The event of every call's beginning.
const CALLS: &str = "raw_syscalls:sys_enter";

const LASTING: Duration = Duration::from_millis(800);
