//! Whether the header lines of real clients that a daemon reads reach it as they were written.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::os::unix::net::UnixStream;

use super::{Sent, requests};
use crate::support::fake_daemon::{FakeDaemon, Seen, answer_empty, plain};
use crate::support::gate::{Gate, Setup};
use crate::support::http;

#[test]
fn header_lines_that_the_daemon_reads_reach_it_unchanged() {
    let daemon = FakeDaemon::answering(answer);
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
    assert!(tried >= 330, "{tried} requests with header lines");
}

/// A daemon that has every network, volume and exec instance that it is asked for.
fn answer(request: &Seen, stream: &mut UnixStream) {
    let path = request.target.split('?').next().unwrap();
    let parts = path.trim_start_matches('/').split('/');
    let parts: Vec<&str> = parts.filter(|part| !part.starts_with("v1.")).collect();
    let body = match *parts.as_slice() {
        ["networks", name] => format!(
            r#"{{"Id":"{}","Name":"{name}","Driver":"bridge","Scope":"local","Options":{{"com.docker.network.bridge.enable_icc":"false"}}}}"#,
            "0b".repeat(32)
        ),
        ["volumes", name] => format!(r#"{{"Name":"{name}","Driver":"local","Options":null}}"#),
        ["exec", id, "json"] => format!(r#"{{"ID":"{id}","ContainerID":"{}"}}"#, "0a".repeat(32)),
        _ => return answer_empty(request, stream),
    };
    let _ = stream.write_all(&plain(200, &body));
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
