//! Every decision and every end of an exchange is in the audit log, and the decision is there before it has an effect.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::support::certificates::Authority;
use super::support::fake_daemon::{FakeDaemon, Seen, answer_empty};
use super::support::gate::{Gate, Setup};
use super::support::site::{Site, direct};
use super::support::wait::DEADLINE;
use super::support::{http, json, process, wait};

#[test]
fn a_trace_is_passed_on_and_recorded() {
    let daemon = FakeDaemon::start();
    let gate = Setup::before(&daemon.address()).listen("guarded").start();
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    for value in [trace, "mine"] {
        let head = format!(
            "GET /v1.41/images/json HTTP/1.1\r\nHost: d\r\nTraceparent: {value}\r\nConnection: close\r\n\r\n"
        );
        http::send(gate.address(), head.as_bytes()).unwrap();
    }
    assert_eq!(daemon.take()[0].header("traceparent"), Some(trace));
    let records = gate.audit();
    let decisions: Vec<_> = records
        .iter()
        .filter(|one| one["event"] == "decision")
        .collect();
    assert_eq!(decisions[0]["traceparent"], trace);
    assert!(decisions[1].get("traceparent").is_none());
}

#[test]
fn a_header_that_is_too_long_to_go_on_is_named() {
    let daemon = FakeDaemon::start();
    let gate = Setup::before(&daemon.address()).listen("guarded").start();
    let agent = "x".repeat(257);
    let head = format!("GET /v1.41/info?x=1 HTTP/1.1\r\nHost: d\r\nUser-Agent: {agent}\r\n\r\n");
    assert_eq!(
        http::send(gate.address(), head.as_bytes()).unwrap().status,
        200
    );
    let records = gate.audit();
    let mut dropped = records.iter().map(|record| &record["dropped"]);
    let expected = serde_json::json!(["x", "header User-Agent"]);
    assert!(dropped.any(|dropped| *dropped == expected), "{records:?}");
    let seen = daemon.take();
    let asked = seen
        .iter()
        .find(|seen| seen.target == "/v1.41/info")
        .unwrap();
    assert_eq!(asked.header("user-agent"), None);
}

#[test]
fn a_decision_is_recorded_before_anything_is_forwarded() {
    let file = Arc::new(Mutex::new(PathBuf::new()));
    let found = Arc::new(Mutex::new(Vec::new()));
    let (read_from, finds) = (Arc::clone(&file), Arc::clone(&found));
    let daemon = FakeDaemon::answering(move |request: &Seen, stream| {
        if request.method == "POST" {
            let audit = fs::read_to_string(&*read_from.lock().unwrap()).unwrap_or_default();
            finds.lock().unwrap().push(audit.contains(&request.target));
        }
        answer_empty(request, stream);
    });
    let gate = Setup::before(&daemon.address()).listen("open").start();
    *file.lock().unwrap() = gate.audit_file();
    for number in 0..50 {
        let target = format!("/v1.41/images/image{number}/tag?repo=name{number}");
        assert_eq!(
            http::request(gate.address(), "POST", &target, "").status,
            200
        );
    }
    assert_eq!(*found.lock().unwrap(), [true; 50]);
}

#[test]
fn a_record_tells_who_asked_what_and_what_came_of_it() {
    if direct() {
        return;
    }
    let site = Site::guarded();
    let name = site.name("told");
    site.docker
        .run_with(
            format!("run -i --rm --name {name} busybox cat"),
            b"12345".to_vec(),
        )
        .ok("run");
    let gate = site.gate.as_ref().unwrap();

    let create = record(gate, "decision", "ContainerCreate");
    assert_eq!(create["decision"], "permit");
    assert_eq!(create["policy"], "guarded");
    assert_eq!(create["method"], "POST");
    assert!(
        create["target"].as_str().unwrap().contains(&name),
        "{create}"
    );
    assert_eq!(create["client"]["uid"], 0, "{create}");
    assert!(
        create["client"]["pid"].as_u64().is_some_and(|pid| pid > 1),
        "{create}"
    );
    assert!(
        create["listener"].as_str().unwrap().starts_with("unix://"),
        "{create}"
    );

    let attach = record(gate, "end", "ContainerAttach");
    assert_eq!(attach["tunnel"], true, "{attach}");
    assert_eq!(attach["bytes_from_client"], 5, "{attach}");
    // A frame's head of eight bytes, and what was written.
    assert_eq!(attach["bytes_to_client"], 13, "{attach}");
    let decided = record(gate, "decision", "ContainerAttach");
    assert_eq!(attach["id"], decided["id"]);
}

#[test]
fn a_record_of_a_refusal_has_every_reason() {
    let daemon = FakeDaemon::start();
    let gate = Setup::before(&daemon.address()).listen("guarded").start();
    let body =
        r#"{"Image":"busybox","HostConfig":{"Privileged":true,"PidMode":"host","Binds":["/:/h"]}}"#;
    let answer = http::request(gate.address(), "POST", "/v1.41/containers/create", body);
    assert_eq!(answer.status, 403, "{}", answer.text());
    let refusal = record(&gate, "decision", "ContainerCreate");
    assert_eq!(refusal["decision"], "refuse");
    assert_eq!(refusal["status"], 403);
    assert_eq!(
        refusal["reasons"].as_array().map(Vec::len),
        Some(3),
        "{refusal}"
    );
    for reason in refusal["reasons"].as_array().unwrap() {
        assert!(
            reason["code"].is_string() && reason["message"].is_string(),
            "{reason}"
        );
        assert!(
            answer
                .message()
                .contains(reason["message"].as_str().unwrap()),
            "{}",
            answer.message()
        );
    }
    let end = record(&gate, "end", "ContainerCreate");
    assert_eq!(end["outcome"], "refused");
    assert_eq!(daemon.take().len(), 0);
}

#[test]
fn a_record_names_the_certificate_of_its_client() {
    let daemon = FakeDaemon::start();
    let authority = Authority::shared();
    let gate = Setup::before(&daemon.address())
        .listen_tls(Some("open"), authority)
        .start();
    let client = gate
        .address()
        .clone()
        .with_client_certificate(&authority.client("developer"));
    assert_eq!(
        http::request(&client, "GET", "/v1.41/images/json", "").status,
        200
    );
    let list = record(&gate, "decision", "ImageList");
    let client = list["client"].to_string();
    assert!(client.contains("developer"), "{list}");
    for key in ["serial", "fingerprint"] {
        assert!(client.contains(key), "no {key} in {list}");
    }
}

#[test]
fn what_cannot_be_read_is_recorded_as_such() {
    let daemon = FakeDaemon::start();
    let gate = Setup::before(&daemon.address()).listen("guarded").start();
    let body = r#"{"Image":"a","Image":"b"}"#;
    let answer = http::request(gate.address(), "POST", "/v1.41/containers/create", body);
    assert_eq!(answer.status, 400, "{}", answer.text());
    assert_eq!(
        record(&gate, "decision", "ContainerCreate")["decision"],
        "malformed"
    );
    assert_eq!(daemon.take().len(), 0);
}

#[test]
fn no_secret_is_recorded() {
    if direct() {
        return;
    }
    let site = Site::guarded();
    let gate = site.gate.as_ref().unwrap();
    site.docker.ok("run --rm -e TOKEN=hunter2 busybox true");
    site.docker.run_with(
        "login -u someone --password-stdin 127.0.0.1:1",
        b"hunter3".to_vec(),
    );
    let push = "POST /v1.41/images/none/push HTTP/1.1\r\nHost: d\r\nX-Registry-Auth: aHVudGVyNA==\r\nConnection: close\r\n\r\n";
    http::send(site.docker.address(), push.as_bytes()).unwrap();
    assert_eq!(record(gate, "decision", "SystemAuth")["decision"], "permit");
    let told = fs::read_to_string(gate.audit_file()).unwrap() + &gate.output();
    for secret in ["hunter2", "hunter3", "aHVudGVyNA"] {
        assert!(!told.contains(secret), "{told}");
    }
}

#[test]
fn the_log_goes_to_the_standard_output_where_it_is_asked_to() {
    let daemon = FakeDaemon::start();
    let setup = Setup::before(&daemon.address()).listen("open");
    let gate = setup.audit_to("-").start();
    assert_eq!(
        http::request(gate.address(), "GET", "/v1.41/images/json", "").status,
        200
    );
    wait::until("the record is printed", || {
        let output = gate.output();
        let mut lines = output
            .lines()
            .filter(|line| line.starts_with('{'))
            .map(json);
        lines.find(|record| record["operation"] == "ImageList")
    });
}

#[test]
fn a_log_that_nobody_reads_makes_requests_wait_then_refuses_them_and_loses_nothing() {
    let daemon = FakeDaemon::start();
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("audit.pipe");
    let mut make = Command::new("mkfifo");
    process::run(make.arg(&pipe), Vec::new(), DEADLINE).ok("mkfifo");
    // Open for reading too, so that it can be opened for writing, and nobody reads yet.
    let reader = fs::OpenOptions::new()
        .read(true)
        .write(true)
        .open(&pipe)
        .unwrap();
    let gate = Setup::before(&daemon.address())
        .listen("open")
        .audit_to(pipe.to_str().unwrap())
        .plus("[limits]\naudit-wait-seconds = 1")
        .start();
    let asks = || http::request(gate.address(), "GET", "/v1.41/images/json", "");
    let mut permitted = 0;
    let (refusal, waited) = wait::until("the pipe is full", || {
        let begun = Instant::now();
        let answer = asks();
        permitted += usize::from(answer.status == 200);
        (answer.status != 200).then(|| (answer, begun.elapsed()))
    });
    assert_eq!(refusal.status, 503);
    assert!(
        refusal.message().contains("audit log"),
        "{}",
        refusal.text()
    );
    assert!(
        waited >= Duration::from_millis(900),
        "it did not wait: {waited:?}"
    );
    assert_eq!(daemon.take().len(), permitted);

    let (sees, seen) = mpsc::channel();
    std::thread::spawn(move || {
        let lines = BufReader::new(reader).lines().map_while(Result::ok);
        for line in lines {
            if line.contains(r#""event":"decision""#) && sees.send(line).is_err() {
                break;
            }
        }
    });
    wait::until("it is served again", || {
        (asks().status == 200).then_some(())
    });
    let mut decided = 0;
    wait::until("every decision is in the log", || {
        decided += seen.try_iter().count();
        (decided > permitted).then_some(())
    });
}

/// Waits for a record of that event about that operation.
fn record(gate: &Gate, event: &str, operation: &str) -> Value {
    wait::until(&format!("the {event} of {operation} is recorded"), || {
        gate.audit()
            .into_iter()
            .find(|record| record["event"] == event && record["operation"] == operation)
    })
}
