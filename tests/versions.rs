//! Clients are told the versions that gate and daemon both speak, and what names none is read as it was judged.

use std::io::Write as _;
use std::os::unix::net::UnixStream;

use serde_json::{Value, json};

use super::support::docker::Docker;
use super::support::fake_daemon::{FakeDaemon, Seen};
use super::support::gate::{Gate, Setup};
use super::support::http::{self, Answer};
use super::support::{engine, json, process};

/// A daemon that speaks these versions.
fn speaking(newest: &'static str, oldest: &'static str) -> FakeDaemon {
    FakeDaemon::answering(move |request: &Seen, stream: &mut UnixStream| {
        let body = if request.target.ends_with("/version") {
            version(newest, oldest).to_string()
        } else {
            "{}".to_owned()
        };
        let length = if request.method == "HEAD" {
            0
        } else {
            body.len()
        };
        let body = if length == 0 { "" } else { &body };
        let head = format!(
            "HTTP/1.1 200 OK\r\nServer: x\r\nApi-Version: {newest}\r\nContent-Length: {length}\r\n\r\n"
        );
        let _ = stream.write_all(format!("{head}{body}").as_bytes());
    })
}

fn version(newest: &str, oldest: &str) -> Value {
    let details = json!({ "ApiVersion": newest, "MinAPIVersion": oldest, "Arch": "amd64" });
    json!({ "ApiVersion": newest, "MinAPIVersion": oldest, "Number": u64::MAX, "Last": null,
        "Components": [{ "Name": "Engine", "Details": details }, { "Name": "runc", "Details": { "ApiVersion": "9.9" } }] })
}

fn gate(daemon: &FakeDaemon, api: &str) -> Gate {
    let setup = Setup::before(&daemon.address()).listen("guarded");
    setup.plus(&format!("[api]\n{api}")).start()
}

fn ask(gate: &Gate, method: &str, target: &str) -> Answer {
    http::request(gate.address(), method, target, "")
}

#[test]
fn of_a_newer_daemon_the_gates_newest_version_is_told() {
    let daemon = speaking("1.99", "1.44");
    let gate = gate(&daemon, "");
    for (method, target) in [
        ("GET", "/version"),
        ("GET", "/v1.50/version"),
        ("GET", "/_ping"),
        ("HEAD", "/_ping"),
        ("HEAD", "/version"),
        ("GET", "/v1.44/containers/json"),
        ("GET", "/containers/json"),
        ("GET", "/v1.56/info"),
    ] {
        let answer = ask(&gate, method, target);
        assert_eq!(
            (answer.status, answer.header("api-version")),
            (200, Some("1.56")),
            "{target}"
        );
        assert_eq!(answer.header("server"), Some("x"));
        if target.ends_with("/version") && method == "GET" {
            assert_eq!(json(&answer.body), version("1.56", "1.44"));
        }
    }
    let sent: Vec<String> = daemon.take().iter().map(Seen::line).collect();
    // What names no version would be read as 1.99.
    assert!(
        sent.contains(&"GET /v1.56/containers/json".to_owned()),
        "{sent:?}"
    );
    assert!(
        sent.contains(&"GET /v1.44/containers/json".to_owned()),
        "{sent:?}"
    );
    let answer = ask(&gate, "GET", "/v1.57/info");
    let expected = "client version 1.57 is too new. Maximum supported API version is 1.56";
    assert_eq!((answer.status, &*answer.message()), (400, expected));
}

#[test]
fn the_floor_is_told_where_the_daemon_goes_lower() {
    let daemon = speaking("1.41", "1.12");
    let gate = gate(&daemon, "lowest = '1.30'\nhighest = '1.41'");
    let answer = ask(&gate, "GET", "/version");
    assert_eq!(answer.header("api-version"), Some("1.41"));
    assert_eq!(json(&answer.body), version("1.41", "1.30"));
    ask(&gate, "GET", "/info");
    assert_eq!(daemon.take().last().unwrap().line(), "GET /v1.41/info");
}

#[test]
fn without_a_version_in_common_the_client_is_told_so() {
    for (newest, oldest, api) in [
        ("1.40", "1.12", "lowest = '1.41'"),
        ("1.99", "1.60", ""),
        ("1.50", "1.44", "highest = '1.43'"),
    ] {
        let daemon = speaking(newest, oldest);
        let gate = gate(&daemon, api);
        for target in ["/info", "/v1.30/info"] {
            // An older one than the floor is too old, whatever the daemon speaks.
            if target.starts_with("/v") && api != "lowest = '1.41'" {
                continue;
            }
            let answer = ask(&gate, "GET", target);
            let message = answer.message();
            assert_eq!(answer.status, 400, "{message}");
            assert!(message.contains("share no API version"), "{message}");
            assert!(
                message.ends_with(&format!("the daemon {oldest} to {newest}")),
                "{message}"
            );
        }
        // Who asks is told what there is.
        assert_eq!(ask(&gate, "GET", "/_ping").status, 200);
        let told = json(ask(&gate, "GET", "/version").body);
        assert!(
            told["ApiVersion"] != *newest || told["MinAPIVersion"] != *oldest,
            "{told}"
        );
        assert!(
            daemon
                .take()
                .iter()
                .all(|seen| !seen.target.ends_with("/info"))
        );
    }
}

#[test]
fn an_answer_that_is_no_version_comes_as_it_is_and_one_without_end_does_not() {
    for (body, status) in [
        ("no JSON".to_owned(), 200),
        (String::new(), 200),
        (" ".repeat(2 << 20), 502),
    ] {
        let daemon = FakeDaemon::answering({
            let body = body.clone();
            move |_: &Seen, stream: &mut UnixStream| {
                let head =
                    "HTTP/1.1 200 OK\r\nApi-Version: odd\r\nTransfer-Encoding: chunked\r\n\r\n";
                let chunk = format!("{:x}\r\n{body}\r\n", body.len());
                let chunk = if body.is_empty() { "" } else { &chunk };
                let _ = stream.write_all(format!("{head}{chunk}0\r\n\r\n").as_bytes());
            }
        });
        let gate = gate(&daemon, "");
        let answer = ask(&gate, "GET", "/v1.41/version");
        assert_eq!(answer.status, status, "{}", answer.text());
        if status == 200 {
            assert_eq!(
                (answer.text(), answer.header("api-version")),
                (body, Some("1.56"))
            );
            assert_eq!(ask(&gate, "GET", "/v1.41/version").status, 200);
        }
    }
}

#[test]
fn a_policy_that_judges_nothing_changes_nothing() {
    let daemon = speaking("1.99", "1.12");
    let gate = Setup::before(&daemon.address()).listen("open").start();
    let answer = ask(&gate, "GET", "/version");
    assert_eq!(answer.header("api-version"), Some("1.99"));
    assert_eq!(json(&answer.body), version("1.99", "1.12"));
    ask(&gate, "GET", "/info");
    assert_eq!(daemon.take().last().unwrap().line(), "GET /info");
}

#[test]
fn of_the_real_daemon_nothing_else_changes() {
    let gate = Gate::guarded();
    let through = ask(&gate, "GET", "/version");
    let past = http::request(&engine::address(), "GET", "/version", "");
    assert_eq!(through.header("api-version"), past.header("api-version"));
    let expected = past
        .text()
        .replace("\"MinAPIVersion\":\"1.12\"", "\"MinAPIVersion\":\"1.24\"");
    assert_ne!(expected, past.text());
    assert_eq!(through.text(), expected);
    for target in ["/info", "/_ping"] {
        let through = ask(&gate, "GET", target);
        assert_eq!(through.header("api-version"), Some("1.41"), "{target}");
    }
}

#[test]
fn a_client_agrees_on_the_ceiling_and_works() {
    let setup = Setup::before(&engine::address()).listen("guarded");
    let gate = setup.plus("[api]\nhighest = '1.38'").start();
    let docker = Docker::at(gate.address());
    assert_eq!(
        docker.ok("version --format '{{.Client.APIVersion}} {{.Server.APIVersion}}'"),
        "1.38 1.38"
    );
    assert_eq!(docker.ok("run --rm busybox echo it works"), "it works");
    let answer = ask(&gate, "GET", "/v1.40/info");
    let expected = "client version 1.40 is too new. Maximum supported API version is 1.38";
    assert_eq!((answer.status, &*answer.message()), (400, expected));
    // What the daemon makes of no `IpcMode` tells by which version it reads: before 1.40 it is shareable.
    let prefix = process::unique("versions") + "-";
    for (address, expected) in [
        (gate.address(), "shareable"),
        (&engine::address(), "private"),
    ] {
        let name = process::unique(&prefix);
        let body = r#"{"Image":"busybox","HostConfig":{"Memory":67108864}}"#;
        let made = http::request(
            address,
            "POST",
            &format!("/containers/create?name={name}"),
            body,
        );
        assert_eq!(made.status, 201, "{}", made.text());
        let target = format!("/containers/{name}/json");
        let found = json(http::request(&engine::address(), "GET", &target, "").body);
        assert_eq!(found["HostConfig"]["IpcMode"], expected);
    }
    engine::clean(&prefix);
}
