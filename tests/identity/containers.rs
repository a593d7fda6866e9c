//! Containers that call the gate and are known by their address, on the real daemon and on one that says odd things.

use std::io::{BufRead as _, BufReader, Write as _};
use std::time::Duration;

use serde_json::json;

use super::{Address, Gate, asks, client, gate, rest};
use crate::support::docker::Docker;
use crate::support::fake_daemon::{FakeDaemon, Seen, answer_empty, plain};
use crate::support::{self, engine, http, process};

const LISTENER: &str = "[[listener]]\naddress = 'tcp://0.0.0.0:0'\nidentify-containers = true\n\
                        dangerously-allow-plain-tcp = true\n";

/// A network with a gate at its host's end, and the daemon without a gate.
struct Place {
    docker: Docker,
    prefix: String,
    gate: Gate,
    /// Where containers reach the gate.
    door: String,
    subnet: String,
}

impl Place {
    fn new(subnet: &str, rules: &str) -> Self {
        let prefix = process::unique("caller");
        let docker = Docker::at(&engine::address());
        docker.ok(format!(
            "network create --subnet {subnet}.0/24 --gateway {subnet}.1 {prefix}-net"
        ));
        let rules = rules.replace("PREFIX", &prefix);
        let gate = gate(&engine::address(), &format!("{LISTENER}{rules}"));
        let port = gate.address().to_string();
        let port = port.rsplit(':').next().unwrap();
        Self {
            docker,
            door: format!("{subnet}.1:{port}"),
            subnet: subnet.to_owned(),
            prefix,
            gate,
        }
    }

    fn name(&self, name: &str) -> String {
        format!("{}-{name}", self.prefix)
    }

    /// Starts a container that waits, with the last number of its address.
    fn starts(&self, name: &str, number: u8, more: &str) {
        let (name, prefix, subnet) = (self.name(name), &self.prefix, &self.subnet);
        self.docker.ok(format!(
            "run -d --network {prefix}-net --ip {subnet}.{number} --name {name} {more} busybox sleep 600"
        ));
    }

    /// What `wget` in the container says of a list of images.
    fn asks(&self, name: &str) -> String {
        let (name, door) = (self.name(name), &self.door);
        let url = format!("http://{door}/v1.41/images/json");
        let ended = self.docker.run(format!("exec {name} wget -S -O - {url}"));
        format!("{}{}", ended.text(), ended.stderr)
    }

    fn is_heard(&self, name: &str) {
        let told = self.asks(name);
        assert!(told.contains("HTTP/1.1 200"), "{name}: {told}");
    }

    fn is_refused(&self, name: &str, code: &str) {
        let told = self.asks(name);
        assert!(told.contains("403"), "{name}: {told}");
        let audit = self.gate.audit();
        let last = audit.last().unwrap();
        assert_eq!(last["event"], "connection-refused", "{last}");
        assert_eq!(last["reason"]["code"], code, "{last}");
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        engine::clean(&self.prefix);
    }
}

#[test]
fn a_container_is_known_by_name_and_label_and_no_other_is_taken_for_it() {
    if support::site::direct() {
        return;
    }
    let rules = client(
        "named",
        "container-name = 'PREFIX-ci*'",
        "owner = 'c/{container-name}'",
    ) + &client("labelled", "container-label = ['role=read*']", "");
    let place = Place::new("172.31.77", &rules);
    place.starts("ci", 10, "");
    place.starts("reader", 11, "--label role=reader");
    place.starts("stranger", 12, "--label role=other");
    place.is_heard("ci");
    place.is_heard("reader");
    place.is_refused("stranger", "unknown-client");

    // The same name elsewhere in the text is another one.
    place.starts("not-ci", 13, "");
    place.is_refused("not-ci", "unknown-client");

    let audit = place.gate.audit();
    let permitted = |name: &str| {
        let name = place.name(name);
        let mut records = audit.iter();
        let record =
            records.find(|it| it["decision"] == "permit" && it["client"]["container"] == *name);
        record
            .unwrap_or_else(|| panic!("{name} is not in {audit:?}"))
            .clone()
    };
    let ci = permitted("ci");
    assert_eq!(ci["client"]["name"], "named");
    assert_eq!(ci["client"]["owner"], format!("c/{}", place.name("ci")));
    assert_eq!(ci["client"]["source"], "172.31.77.10");
    let id = place
        .docker
        .ok(format!("inspect --format {{{{.Id}}}} {}", place.name("ci")));
    assert_eq!(ci["client"]["container_id"], id);
    assert_eq!(permitted("reader")["client"]["owner"], "labelled");

    // Who is no container is nobody here, and neither is one on the host's network.
    let port = place.door.rsplit(':').next().unwrap();
    assert_eq!(asks(&Address::Tcp(format!("127.0.0.1:{port}"))), 403);
    assert_eq!(asks(&Address::Tcp(place.door.clone())), 403);
    let name = place.name("ci-host");
    place.docker.ok(format!(
        "run -d --network host --name {name} busybox sleep 600"
    ));
    place.is_refused("ci-host", "no-identity");
}

#[test]
fn a_container_that_gets_anothers_address_is_not_taken_for_it() {
    if support::site::direct() {
        return;
    }
    let place = Place::new(
        "172.31.78",
        &client("named", "container-name = 'PREFIX-ci'", ""),
    );
    place.starts("ci", 10, "");
    place.is_heard("ci");
    place.docker.ok(format!("rm -f {}", place.name("ci")));
    place.starts("heir", 10, "");
    place.is_refused("heir", "unknown-client");
    place.docker.ok(format!("rm -f {}", place.name("heir")));
    // And the name counts again where it comes back, whatever its address.
    place.starts("ci", 11, "");
    place.is_heard("ci");
    // One that has stopped is not at its address any more.
    place.docker.ok(format!("stop -t 0 {}", place.name("ci")));
    place.starts("heir", 11, "");
    place.is_refused("heir", "unknown-client");
}

#[test]
fn a_connection_ends_once_its_container_is_another() {
    if support::site::direct() {
        return;
    }
    let place = Place::new(
        "172.31.79",
        &client("named", "container-name = 'PREFIX-ci'", ""),
    );
    place.starts("ci", 10, "");
    let (name, door) = (place.name("ci"), place.door.replace(':', " "));
    let mut running = place.docker.start(format!("exec -i {name} nc {door}"));
    let mut input = running.child().stdin.take().unwrap();
    let mut output = BufReader::new(running.child().stdout.take().unwrap());
    let request = "GET /v1.41/images/json HTTP/1.1\r\nHost: d\r\n\r\n";
    for _ in 0..2 {
        input.write_all(request.as_bytes()).unwrap();
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        assert!(line.starts_with("HTTP/1.1 200"), "{line}");
        skip_answer(&mut output);
    }
    place
        .docker
        .ok(format!("rename {name} {}", place.name("other")));
    input.write_all(request.as_bytes()).unwrap();
    input.write_all(request.as_bytes()).unwrap();
    let told = rest(output);
    assert_eq!(told.matches("HTTP/1.1 403").count(), 1, "{told}");
    assert!(!told.contains("HTTP/1.1 200"), "{told}");
    let audit = place.gate.audit();
    let is_told = |record: &&serde_json::Value| record["reasons"][0]["code"] == "container-changed";
    assert_eq!(audit.iter().filter(is_told).count(), 1, "{audit:?}");
    drop(input);
    running.finish(Duration::from_secs(30));
}

/// Reads the rest of an answer with a length or chunks.
fn skip_answer(output: &mut impl std::io::BufRead) {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert!(output.read_line(&mut head).unwrap() > 0, "{head}");
    }
    let head = head.to_ascii_lowercase();
    let length = head.split("content-length: ").nth(1);
    match length.and_then(|rest| rest.lines().next()) {
        Some(length) => {
            let mut body = vec![0; length.trim().parse().unwrap()];
            output.read_exact(&mut body).unwrap();
        }
        None => {
            let mut body = String::new();
            while !body.ends_with("\r\n0\r\n\r\n") {
                assert!(output.read_line(&mut body).unwrap() > 0, "{body}");
            }
        }
    }
}

#[test]
fn a_daemon_that_does_not_name_one_running_container_identifies_nobody() {
    let container = |id: &str, started: &str, runs: bool| {
        json!({
            "Id": id.repeat(32), "Name": "/ci",
            "State": { "Running": runs, "StartedAt": started },
            "NetworkSettings": { "Networks": { "n": { "IPAddress": "127.0.0.1" } } },
        })
    };
    const PAST: &str = "2020-01-01T00:00:00Z";
    let one = container("ab", PAST, true);
    let other = container("cd", PAST, true);
    for (list, inspected, status) in [
        (json!([one]), json!(one), 200),
        (json!([]), json!(one), 403),
        (json!({}), json!(one), 403),
        // Two have the address; which of them calls is not known.
        (json!([one, other]), json!(one), 403),
        (json!([one]), json!(other), 403),
        (json!([one]), container("ab", PAST, false), 403),
        // It began after the call, so it has not called.
        (
            json!([one]),
            container("ab", "2999-01-01T00:00:00Z", true),
            403,
        ),
        (json!([one]), container("ab", "", true), 403),
        (json!([one]), json!({}), 403),
    ] {
        let (list, inspected) = (list.to_string(), inspected.to_string());
        let shown = format!("{list} {inspected}");
        let daemon = telling(list, inspected);
        let gate = gate(
            &daemon.address(),
            &(LISTENER.to_owned() + &client("ci", "container-name = 'ci'", "")),
        );
        let port = gate.address().to_string();
        let address = Address::Tcp(format!("127.0.0.1:{}", port.rsplit(':').next().unwrap()));
        assert_eq!(asks(&address), status, "{shown}");
        if status == 403 {
            let audit = gate.audit();
            assert_eq!(
                audit.last().unwrap()["reason"]["code"],
                "no-identity",
                "{audit:?}"
            );
        }
        let one_more = http::send(
            &address,
            b"GET /_ping HTTP/1.1\r\nHost: d\r\nConnection: close\r\n\r\n",
        );
        assert_eq!(one_more.unwrap().status, status);
        // Each call asks for itself.
        let lists = daemon
            .seen()
            .into_iter()
            .filter(|seen| seen.target == "/containers/json");
        assert_eq!(lists.count(), 2);
    }
}

/// A daemon that answers so to a list of containers and to the question for one.
fn telling(list: String, inspected: String) -> FakeDaemon {
    FakeDaemon::answering(
        move |request: &Seen, stream| match request.target.as_str() {
            "/containers/json" => drop(stream.write_all(&plain(200, &list))),
            target if target.starts_with("/containers/") => {
                drop(stream.write_all(&plain(200, &inspected)));
            }
            _ => answer_empty(request, stream),
        },
    )
}
