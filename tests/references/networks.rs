//! Networks that a request leads to, as they stand at the real daemon.

use std::process::Command;

use serde_json::{Value, json};

use super::{Names, id_in, make, past};
use crate::support::gate::Gate;
use crate::support::http::{self, Answer};
use crate::support::wait::DEADLINE;
use crate::support::{self, process};

fn network(name: &str, more: &Value) -> String {
    let mut body = json!({ "Name": name });
    for (key, value) in more.as_object().unwrap() {
        body[key] = value.clone();
    }
    let made = past("POST", "/v1.41/networks/create", &body.to_string());
    assert_eq!(made.status, 201, "{}", made.text());
    id_in(&made)
}

pub(super) fn through(gate: &Gate, method: &str, target: &str, body: &Value) -> Answer {
    let body = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    http::request(gate.address(), method, target, &body)
}

pub(super) fn create(gate: &Gate, name: &str, mut body: Value) -> Answer {
    body["Image"] = json!("busybox");
    body["Cmd"] = json!(["sleep", "600"]);
    through(
        gate,
        "POST",
        &format!("/v1.41/containers/create?name={name}"),
        &body,
    )
}

pub(super) fn exists(name: &str) -> bool {
    past("GET", &format!("/v1.41/containers/{name}/json"), "").status == 200
}

/// The names of the networks that a container is on.
fn networks_of(name: &str) -> Vec<String> {
    let container = past("GET", &format!("/v1.41/containers/{name}/json"), "");
    let container = support::json(&container.body);
    let networks = container["NetworkSettings"]["Networks"]
        .as_object()
        .unwrap();
    networks.keys().cloned().collect()
}

/// Asks for it by every name in turn: as the mode, as a key beside it, and by connecting a container.
fn joined(gate: &Gate, names: &Names, asked: &str, is_permitted: bool) {
    for (way, body) in [
        ("mode", json!({ "HostConfig": { "NetworkMode": asked } })),
        (
            "key",
            json!({ "HostConfig": { "NetworkMode": asked },
                "NetworkingConfig": { "EndpointsConfig": { asked: {} } } }),
        ),
    ] {
        let name = names.name(&process::unique(way));
        let answer = create(gate, &name, body);
        let expected = if is_permitted { 201 } else { 403 };
        assert_eq!(answer.status, expected, "{way} {asked}: {}", answer.text());
        assert_eq!(exists(&name), is_permitted, "{way} {asked}");
        if is_permitted {
            let start = format!("/v1.41/containers/{name}/start");
            let started = through(gate, "POST", &start, &Value::Null);
            assert_eq!(started.status, 204, "{way} {asked}: {}", started.text());
            assert_eq!(networks_of(&name).len(), 1, "{way} {asked}");
        }
    }
    let name = names.name(&process::unique("connected"));
    make(&name, &json!({ "NetworkMode": "bridge" }));
    let target = format!("/v1.41/networks/{asked}/connect");
    let answer = through(gate, "POST", &target, &json!({ "Container": name }));
    let (expected, count) = if is_permitted { (200, 2) } else { (403, 1) };
    assert_eq!(answer.status, expected, "{asked}: {}", answer.text());
    assert_eq!(networks_of(&name).len(), count, "{asked}");
}

#[test]
fn a_network_of_others_is_joined_by_no_route_and_one_of_ones_own_by_all() {
    let (gate, names) = (Gate::guarded(), Names::new());
    let (theirs, quiet, own) = (names.name("theirs"), names.name("quiet"), names.name("own"));
    let theirs_id = network(&theirs, &json!({}));
    let off = json!({ "com.docker.network.bridge.enable_icc": "false" });
    network(&quiet, &json!({ "Options": off }));
    let body = json!({ "Name": own });
    let made = through(&gate, "POST", "/v1.41/networks/create", &body);
    assert_eq!(made.status, 201, "{}", made.text());
    let own_id = id_in(&made);
    let prefix = |id: &str| id.chars().take(12).collect::<String>();
    for asked in [&theirs, &theirs_id, &prefix(&theirs_id)] {
        joined(&gate, &names, asked, false);
    }
    for asked in [&quiet, &own, &own_id, &prefix(&own_id)] {
        joined(&gate, &names, asked, true);
    }
    // A container that was put there past the gate is not started, nor entered.
    let name = names.name("past");
    make(&name, &json!({ "NetworkMode": theirs }));
    for (rest, body) in [("start", Value::Null), ("exec", json!({ "Cmd": ["true"] }))] {
        let target = format!("/v1.41/containers/{name}/{rest}");
        let answer = through(&gate, "POST", &target, &body);
        assert_eq!(answer.status, 403, "{rest}: {}", answer.text());
        let message = answer.message();
        assert!(message.contains("1. icc: "), "{message}");
    }
}

#[test]
fn the_default_bridge_is_joined_as_the_daemon_has_it() {
    let names = Names::new();
    let policy = |more: &str| {
        format!(
            "description = \"a test\"\n[[permit]]\noperations = [\"Container:*\"]\n[container]\nimages = [\"*\"]\nnetworks = [\"*\"]\n[network]\n{more}\n"
        )
    };
    let bridge = support::json(&past("GET", "/v1.41/networks/bridge", "").body);
    let has_icc = bridge["Options"]["com.docker.network.bridge.enable_icc"] != "false";
    assert!(has_icc, "the daemon of the tests has ICC on");
    for (more, status) in [
        ("", 403),
        ("icc = \"own\"", 403),
        ("default-bridge = \"any\"", 201),
        ("icc = \"any\"", 201),
    ] {
        let gate = Gate::with_policy(&policy(more));
        for body in [
            json!({}),
            json!({ "HostConfig": { "NetworkMode": "default" } }),
        ] {
            let name = names.name(&process::unique("c"));
            let answer = create(&gate, &name, body);
            assert_eq!(answer.status, status, "{more}: {}", answer.text());
            assert_eq!(exists(&name), status == 201, "{more}");
        }
    }
}

/// An address of the host's own, where daemon and gate are; Docker picks none of these by itself.
#[test]
fn a_subnet_that_meets_an_address_of_the_host_is_not_given_away() {
    let (gate, names) = (Gate::guarded(), Names::new());
    let address = "172.16.205.1/32";
    let change = |what: &str| {
        let mut command = Command::new("ip");
        command.args(["address", what, address, "dev", "lo"]);
        process::run(&mut command, Vec::new(), DEADLINE)
    };
    let create = |name: &str, subnet: &str| {
        let body =
            json!({ "Name": names.name(name), "IPAM": { "Config": [{ "Subnet": subnet }] } });
        through(&gate, "POST", "/v1.41/networks/create", &body)
    };
    change("add").ok("ip address add");
    let answers = ["172.16.205.0/24", "172.16.192.0/18"].map(|subnet| create("met", subnet));
    change("delete").ok("ip address delete");
    for answer in answers {
        assert_eq!(answer.status, 403, "{}", answer.text());
        let message = answer.message();
        assert!(message.contains(". subnet-routed: "), "{message}");
        assert!(message.contains("172.16.205.1/32"), "{message}");
    }
    let target = format!("/v1.41/networks/{}", names.name("met"));
    assert_eq!(past("GET", &target, "").status, 404);
    let answer = create("free", "172.16.205.0/24");
    assert_eq!(answer.status, 201, "{}", answer.text());
}
