//! Whether the header lines of real clients that a daemon reads reach it as they were written.

use std::collections::BTreeMap;

use super::{Sent, requests};
use crate::support::fake_daemon::FakeDaemon;
use crate::support::gate::{Gate, Setup};
use crate::support::http;

#[test]
fn header_lines_that_the_daemon_reads_reach_it_unchanged() {
    let daemon = FakeDaemon::start();
    let (mut gates, mut wrong, mut tried) = (BTreeMap::new(), Vec::new(), 0);
    for sent in requests().iter().filter(|sent| !sent.headers.is_empty()) {
        let policy = sent.policy.clone().unwrap_or_else(|| "guarded".to_owned());
        let text = policy.clone();
        let gate = gates.entry(policy).or_insert_with(|| gate(&daemon, &text));
        daemon.take();
        http::send(gate.address(), &wire(sent)).unwrap();
        let seen = daemon.take();
        tried += 1;
        for line in &sent.headers {
            let (name, value) = line.split_once(": ").unwrap();
            let has_come = seen.iter().any(|seen| seen.header(name) == Some(value));
            if !has_come {
                wrong.push(format!("{}: {}: {line}", sent.client, sent.line));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} are lost:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(tried >= 100, "{tried} requests with header lines");
}

fn gate(daemon: &FakeDaemon, policy: &str) -> Gate {
    let setup = Setup::before(&daemon.address());
    if policy.contains('\n') {
        let setup = setup.file("policy.toml", policy);
        setup.listen("policy.toml").start()
    } else {
        setup.listen(policy).start()
    }
}

fn wire(sent: &Sent) -> Vec<u8> {
    let mut head = format!(
        "{} HTTP/1.1\r\nHost: docker\r\nConnection: close\r\n",
        sent.line
    );
    for line in &sent.headers {
        head.push_str(line);
        head.push_str("\r\n");
    }
    let length = sent.body.len();
    format!(
        "{head}Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{}",
        sent.body
    )
    .into_bytes()
}
