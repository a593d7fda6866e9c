//! What the gate would forward unread is refused to an owner, and long answers are read in little memory.

use std::fs;
use std::io::{BufReader, Write as _};

use super::super::support::fake_daemon::{FakeDaemon, Seen, answer_empty};
use super::*;

const BY_PATH: &str = r#"
description = "Reads and makes what Podman has."
[[permit]]
operations = ["*:read"]
[[permit]]
methods = ["GET", "POST"]
path = "/v[0-9.]+/libpod/.*"
"#;

#[test]
fn a_request_by_path_is_refused_to_an_owner() {
    let daemon = FakeDaemon::start();
    let setup = Setup::before(&daemon.address()).file("policy.toml", BY_PATH);
    let setup = setup.listen("policy.toml").plus("owner = 'alice'");
    let gate = setup.listen("policy.toml").start();
    for (method, target) in [
        ("GET", "/v4.0/libpod/info"),
        ("GET", "/v4.0/libpod/containers/json?all=true"),
        ("POST", "/v4.0/libpod/containers/create"),
    ] {
        let refused = http::request(gate.listener(0), method, target, "");
        assert_eq!(refused.status, 403, "{target}: {}", refused.text());
        assert!(
            refused.text().contains("no-owner-there"),
            "{}",
            refused.text()
        );
        assert!(daemon.take().is_empty(), "{target}");
        let permitted = http::request(gate.listener(1), method, target, "");
        assert_eq!(permitted.status, 200, "{target}: {}", permitted.text());
        let seen = daemon.take();
        assert_eq!(seen[0].line(), format!("{method} {target}"));
    }
}

/// A daemon with an answer for one path.
fn answering(
    path: &'static str,
    answer: impl Fn(&mut dyn std::io::Write) + Send + Sync + 'static,
) -> FakeDaemon {
    FakeDaemon::answering(move |request: &Seen, stream| {
        if !request.target.contains(path) {
            return answer_empty(request, stream);
        }
        let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n";
        let _ = stream.write_all(head.as_bytes());
        answer(stream);
        let _ = stream.shutdown(std::net::Shutdown::Both);
    })
}

fn before(daemon: &FakeDaemon) -> Gate {
    let setup = Setup::before(&daemon.address()).file("policy.toml", OPEN);
    setup.listen("policy.toml").plus("owner = 'alice'").start()
}

/// The most memory that the process has had, in bytes.
fn most_memory(gate: &Gate) -> usize {
    let status = fs::read_to_string(format!("/proc/{}/status", gate.id())).unwrap();
    let mut lines = status.lines();
    let line = lines.find(|line| line.starts_with("VmHWM:")).unwrap();
    let kibibytes: usize = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kibibytes * 1024
}

const VOLUMES: usize = 20_000;

#[test]
fn a_list_of_volumes_of_20_megabytes_is_read_in_bounded_memory() {
    let daemon = answering("/volumes", |stream| {
        let filling = "x".repeat(900);
        let _ = stream.write_all(b"{\"Warnings\":null,\"Volumes\":[");
        for number in 0..VOLUMES {
            let comma = if number == 0 { "" } else { "," };
            let owner = if number % 2 == 0 { "alice" } else { "bob" };
            let volume = format!(
                r#"{comma}{{"Name":"{number}","Labels":{{"dockgate.owner":"{owner}","a":"{filling}"}}}}"#
            );
            if stream.write_all(volume.as_bytes()).is_err() {
                return;
            }
        }
        let _ = stream.write_all(b"],\"More\":1.50}\n");
    });
    let gate = before(&daemon);
    let memory = most_memory(&gate);
    let mut connection = gate.address().connect().unwrap();
    let request = b"GET /v1.41/volumes HTTP/1.1\r\nHost: d\r\nConnection: close\r\n\r\n";
    connection.write_all(request).unwrap();
    let answer = http::read_answer(&mut BufReader::new(connection), false).unwrap();
    assert!(answer.text().trim_end().ends_with("],\"More\":1.50}"));
    let told = support::json(&answer.body);
    let names = told["Volumes"].as_array().unwrap().iter();
    let names: Vec<usize> = names
        .map(|volume| volume["Name"].as_str().unwrap().parse().unwrap())
        .collect();
    assert!(names.iter().copied().eq((0..VOLUMES).step_by(2)));
    let grown = most_memory(&gate) - memory;
    assert!(grown < 8 << 20, "{grown} bytes more");
}

#[test]
fn sums_alone_are_made_of_lists_that_the_client_does_not_see() {
    let daemon = answering("/system/df", |stream| {
        let answer = r#"{"ContainerUsage":{"ActiveCount":9,"TotalCount":9,"TotalSize":9,"Reclaimable":9,"Items":[
            {"Id":"1","Labels":{"dockgate.owner":"alice"},"State":"exited","SizeRw":4},
            {"Id":"2","Labels":{"dockgate.owner":"bob"},"State":"running","SizeRw":5}]}}"#;
        let _ = stream.write_all(answer.as_bytes());
    });
    let gate = before(&daemon);
    let told = past(
        gate.address(),
        "GET",
        "/v1.41/system/df?verbose=0",
        &Value::Null,
    );
    let sums = json!({ "ActiveCount": 0, "TotalCount": 1, "TotalSize": 4, "Reclaimable": 4 });
    assert_eq!(support::json(&told.body), json!({ "ContainerUsage": sums }));
    let seen = daemon.seen();
    let asked = seen.iter().find(|one| one.target.contains("/system/df"));
    assert_eq!(asked.unwrap().line(), "GET /v1.41/system/df?verbose=1");
}
