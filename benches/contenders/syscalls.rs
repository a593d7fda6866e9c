//! System calls per request, counted by `strace` in a round of its own.

use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use super::Contender;
use crate::load::{self, Place};
use crate::workloads::Workload;

/// Whether they can be counted here.
pub(crate) fn is_there() -> bool {
    let strace = Command::new("strace")
        .arg("-V")
        .stdout(Stdio::null())
        .status();
    strace.is_ok_and(|status| status.success())
}

/// How many calls one request takes, over so many connections.
pub(crate) fn per_request(
    contender: &Contender,
    place: &Place,
    workload: &Workload,
    connections: usize,
) -> Option<f64> {
    let count = |lasting: Duration| {
        let strace = attach(contender.id())?;
        let round = load::ask(
            place,
            workload,
            (connections, lasting),
            &contender.processor(),
        );
        let calls = detach(strace)?;
        Some((calls as f64, (round.requests + connections as u64) as f64))
    };
    // What opening and closing the connections takes is in both rounds, and falls out.
    let (short, long) = (count(LASTING / 8)?, count(LASTING)?);
    (long.1 > short.1).then(|| (long.0 - short.0) / (long.1 - short.1))
}

fn attach(id: u32) -> Option<Child> {
    let mut command = Command::new("strace");
    command.args(["-c", "-f", "-p", &id.to_string()]);
    let strace = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
    thread::sleep(Duration::from_millis(300));
    strace.ok()
}

fn detach(strace: Child) -> Option<u64> {
    let pid = strace.id().to_string();
    Command::new("kill").args(["-INT", &pid]).status().ok()?;
    let output = strace.wait_with_output().ok()?;
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    let total = text.lines().find(|line| line.ends_with(" total"))?;
    total.split_whitespace().nth(3)?.parse().ok()
}

const LASTING: Duration = Duration::from_millis(800);
