//! Lists of any length, shown in little memory, while the client reads as slowly as it likes.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::time::Duration;

use super::super::support::fake_daemon::{FakeDaemon, Seen, answer_empty};
use super::super::support::gate::{Gate, Setup};
use super::super::support::{http, wait};

const HIDES: &str = "description = \"Sees no labels.\"\n[[permit]]\noperations = [\"*:read\", \"*:stream\"]\n\
                     [quiet]\nlabels = [\"*\"]\n";

fn before(daemon: &FakeDaemon) -> Gate {
    let setup = Setup::before(&daemon.address()).file("policy.toml", HIDES);
    setup.listen("policy.toml").start()
}

/// The most memory that the process has had, in bytes.
fn most_memory(gate: &Gate) -> usize {
    let status = fs::read_to_string(format!("/proc/{}/status", gate.id())).unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM:"))
        .unwrap();
    let kibibytes: usize = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kibibytes * 1024
}

const ELEMENTS: usize = 50_000;

#[test]
fn a_list_of_50_megabytes_is_shown_in_bounded_memory() {
    let daemon = FakeDaemon::answering(|request: &Seen, stream| {
        if !request.target.contains("containers/json") {
            return answer_empty(request, stream);
        }
        let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n[\r\n";
        let _ = stream.write_all(head.as_bytes());
        let filling = "x".repeat(900);
        for number in 0..ELEMENTS {
            let comma = if number == 0 { "" } else { "," };
            let element = format!(
                r#"{comma}{{"Id":"{number}","Labels":{{"a":"MARK{filling}"}},"n":{number}}}"#
            );
            let chunk = format!("{:x}\r\n{element}\r\n", element.len());
            if stream.write_all(chunk.as_bytes()).is_err() {
                return;
            }
        }
        let _ = stream.write_all(b"1\r\n]\r\n0\r\n\r\n");
    });
    let gate = before(&daemon);
    let before = most_memory(&gate);
    let mut connection = gate.address().connect().unwrap();
    connection
        .write_all(b"GET /v1.41/containers/json HTTP/1.1\r\nHost: d\r\nConnection: close\r\n\r\n")
        .unwrap();
    // All that the daemon has could gather in the gate by now.
    wait::pause(Duration::from_millis(500));
    let answer = http::read_answer(&mut BufReader::new(connection), false).unwrap();
    assert!(!answer.text().contains("MARK"));
    let list = super::super::support::json(&answer.body);
    let list = list.as_array().unwrap();
    assert_eq!(list.len(), ELEMENTS);
    assert!(
        list.iter()
            .enumerate()
            .all(|(number, item)| item["n"] == number)
    );
    let grown = most_memory(&gate) - before;
    assert!(grown < 8 << 20, "{grown} bytes more");
}

#[test]
fn a_client_that_leaves_a_slow_answer_is_noticed() {
    for target in ["containers/json", "containers/odd/json", "events"] {
        let (sent, ended) = std::sync::mpsc::channel();
        let sent = std::sync::Mutex::new(sent);
        let daemon = FakeDaemon::answering(move |request: &Seen, stream| {
            if !["containers/json", "odd", "events"]
                .iter()
                .any(|part| request.target.contains(part))
            {
                return answer_empty(request, stream);
            }
            let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n";
            let first = if request.target.contains("containers/json") {
                "["
            } else {
                "{"
            };
            let _ = stream.write_all(format!("{head}{first}\r\n").as_bytes());
            let _ = stream.set_read_timeout(Some(wait::DEADLINE));
            let mut byte = [0];
            let read = std::io::Read::read(stream, &mut byte);
            let is_closed = matches!(read, Ok(0))
                || read.is_err_and(|fault| fault.kind() == std::io::ErrorKind::ConnectionReset);
            sent.lock().unwrap().send(is_closed).unwrap();
        });
        let gate = before(&daemon);
        let mut connection = gate.address().connect().unwrap();
        write!(
            connection,
            "GET /v1.41/{target} HTTP/1.1\r\nHost: d\r\n\r\n"
        )
        .unwrap();
        wait::until("the daemon was asked", || {
            daemon
                .seen()
                .iter()
                .any(|seen| seen.target.contains(target))
                .then_some(())
        });
        drop(connection);
        assert!(ended.recv_timeout(wait::DEADLINE).unwrap(), "{target}");
    }
}

#[test]
fn the_connection_is_used_again_after_an_answer_that_was_shown() {
    let daemon = FakeDaemon::start();
    let gate = before(&daemon);
    let mut connection = gate.address().connect().unwrap();
    let mut reader = BufReader::new(gate.address().connect().unwrap());
    for target in [
        "containers/json",
        "containers/a/json",
        "containers/json",
        "version",
    ] {
        write!(
            reader.get_mut(),
            "GET /v1.41/{target} HTTP/1.1\r\nHost: d\r\n\r\n"
        )
        .unwrap();
        let answer = http::read_answer(&mut reader, false).unwrap();
        assert_eq!(answer.status, 200, "{target}");
    }
    // An old client knows no chunks, and reads to the end.
    connection
        .write_all(b"GET /v1.41/containers/json HTTP/1.0\r\nHost: d\r\n\r\n")
        .unwrap();
    let answer = http::read_answer(&mut BufReader::new(connection), false).unwrap();
    assert_eq!((answer.status, answer.text().as_str()), (200, "[]\n"));
}

#[test]
fn events_end_once_a_reload_hides_something_else() {
    let daemon = FakeDaemon::answering(|request: &Seen, stream| {
        if !request.target.contains("/events") {
            return answer_empty(request, stream);
        }
        let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n{}\n\r\n";
        let _ = stream.write_all(head.as_bytes());
    });
    let gate = before(&daemon);
    let begin = || {
        let mut connection = gate.address().connect().unwrap();
        write!(connection, "GET /v1.41/events HTTP/1.1\r\nHost: d\r\n\r\n").unwrap();
        let mut reader = BufReader::new(connection);
        assert_eq!(http::read_head(&mut reader).unwrap().0, 200);
        let mut line = String::new();
        while line.trim_end() != "{}" {
            line.clear();
            reader.read_line(&mut line).unwrap();
        }
        reader
    };
    let ends = || {
        gate.audit()
            .into_iter()
            .filter(|one| one["event"] == "end" && one["operation"] == "SystemEvents")
    };
    let mut events = begin();
    gate.replace("policy.toml", &format!("# Above.\n{HIDES}"));
    gate.says("INFO reloaded", 0);
    // It goes on, since the same is hidden.
    let mut later = begin();
    assert_eq!(ends().count(), 0);
    gate.replace("policy.toml", &HIDES.replace("[\"*\"]", "[\"a\"]"));
    gate.says("INFO reloaded", 1);
    for events in [&mut events, &mut later] {
        let mut rest = Vec::new();
        let _ = events.read_to_end(&mut rest);
    }
    wait::until("both ends are recorded", || {
        (ends().count() == 2).then_some(())
    });
    assert!(ends().all(|end| end["outcome"] == "withdrawn"));
}
