//! The cases of swarms before a daemon that has one: nothing changes through the gate, and no secret is told.

use std::collections::BTreeMap;
use std::fs;

use serde_json::Value;

use super::case::{self, Case};
use crate::support::address::Address;
use crate::support::docker::Docker;
use crate::support::gate::{Gate, Setup};
use crate::support::second_daemon::SecondDaemon;
use crate::support::{http, json};

const INIT: &str = "swarm init --advertise-addr 127.0.0.1 --listen-addr 127.0.0.1:2377 --autolock";

#[test]
fn nothing_comes_of_a_case_before_a_daemon_that_could_be_a_swarm() {
    let second = SecondDaemon::start();
    let daemon = second.address();
    let cases = cases();
    let gates = gates(&daemon, &cases);
    for case in cases.iter().filter(|case| begins(case)) {
        refused(case, &gates, &case.wire("rf-x"));
        let state = &get(&daemon, "/info")["Swarm"]["LocalNodeState"];
        assert_eq!(state, "inactive", "{}", case.name);
    }
    Docker::at(&daemon).ok(INIT);
    let before = everything(&daemon);
    for case in cases.iter().filter(|case| !begins(case)) {
        refused(case, &gates, &true_to(&daemon, case, "rf-x"));
        assert_eq!(everything(&daemon), before, "{}", case.name);
    }
    for gate in gates.values() {
        let audit = fs::read_to_string(gate.audit_file()).unwrap();
        assert_hushed(
            "the audit log and the output",
            &format!("{audit}{}", gate.output()),
        );
    }
}

#[test]
fn the_cases_that_say_so_show_at_a_swarm_past_the_gate() {
    let second = SecondDaemon::start();
    let daemon = second.address();
    let mut shown = Vec::new();
    let (begin, change): (Vec<Case>, Vec<Case>) = cases().into_iter().partition(begins);
    for case in &begin {
        http::send(&daemon, &case.wire("rf-x")).unwrap();
        if get(&daemon, "/info")["Swarm"]["LocalNodeState"] == "active" {
            shown.push(case.name.as_str());
            http::request(&daemon, "POST", "/swarm/leave?force=1", "");
        }
    }
    Docker::at(&daemon).ok(INIT);
    for (index, case) in change
        .iter()
        .enumerate()
        .filter(|(_, case)| !case.request.contains("/leave"))
    {
        lock(&daemon);
        let before = everything(&daemon);
        let wire = true_to(&daemon, case, &format!("rf-{index}"));
        let answer = http::send(&daemon, &wire).unwrap();
        if answer.status < 400 && everything(&daemon) != before {
            shown.push(case.name.as_str());
        }
    }
    let all = begin.iter().chain(&change);
    let said: Vec<&str> = all
        .filter(|case| case.in_swarm)
        .map(|case| case.name.as_str())
        .collect();
    assert_eq!(shown, said);
}

/// Locks the managers, whatever a case has made of them.
fn lock(daemon: &Address) {
    let swarm = get(daemon, "/swarm");
    let mut spec = swarm["Spec"].clone();
    spec["EncryptionConfig"]["AutoLockManagers"] = true.into();
    let target = format!("/swarm/update?version={}", swarm["Version"]["Index"]);
    let answer = http::request(daemon, "POST", &target, &spec.to_string());
    assert_eq!(answer.status, 200, "{}", answer.text());
}

fn cases() -> Vec<Case> {
    let of_swarm = |case: &Case| {
        ["/swarm", "/nodes/", "/secrets/", "/configs/"]
            .iter()
            .any(|path| case.request.contains(path))
    };
    let cases: Vec<Case> = case::all().into_iter().filter(of_swarm).collect();
    assert!(cases.len() >= 60, "{} cases", cases.len());
    cases
}

fn gates(daemon: &Address, cases: &[Case]) -> BTreeMap<Option<String>, Gate> {
    let mut gates = BTreeMap::new();
    for policy in cases.iter().map(|case| case.policy.clone()) {
        let setup = || Setup::before(daemon);
        gates.entry(policy.clone()).or_insert_with(|| match policy {
            Some(text) => setup()
                .file("policy.toml", &text)
                .listen("policy.toml")
                .start(),
            None => setup().listen("guarded").start(),
        });
    }
    gates
}

fn refused(case: &Case, gates: &BTreeMap<Option<String>, Gate>, wire: &[u8]) {
    let name = &case.name;
    let answer = http::send(gates[&case.policy].address(), wire).unwrap();
    let expected = if case.malformed.is_some() { 400 } else { 403 };
    assert_eq!(answer.status, expected, "{name}: {}", answer.text());
    assert_hushed(name, &answer.text());
}

fn begins(case: &Case) -> bool {
    case.request.contains("/swarm/init") || case.request.contains("/swarm/join")
}

/// The request with the version of the swarm and the name of the node as they are, so that a daemon would obey it.
fn true_to(daemon: &Address, case: &Case, name: &str) -> Vec<u8> {
    let wire = String::from_utf8(case.wire(name)).unwrap();
    let node = &get(daemon, "/nodes")[0];
    let changed = if case.request.contains("/nodes/") {
        node
    } else {
        &get(daemon, "/swarm")
    };
    let version = format!("version={}", changed["Version"]["Index"]);
    let wire = wire
        .replace("version=1 ", &format!("{version} "))
        .replace("version=1&", &format!("{version}&"));
    wire.replace(
        "/nodes/x",
        &format!("/nodes/{}", node["ID"].as_str().unwrap()),
    )
    .into_bytes()
}

fn everything(daemon: &Address) -> Vec<Value> {
    let mut all = vec![
        get(daemon, "/swarm"),
        get(daemon, "/swarm/unlockkey"),
        get(daemon, "/secrets"),
        get(daemon, "/configs"),
    ];
    let nodes = get(daemon, "/nodes");
    all.extend(
        nodes
            .as_array()
            .unwrap()
            .iter()
            .map(|node| node["Spec"].clone()),
    );
    // The daemon counts up when it makes its own certificates anew.
    for moving in ["Version", "UpdatedAt"] {
        all[0].as_object_mut().unwrap().remove(moving);
    }
    all
}

fn get(daemon: &Address, target: &str) -> Value {
    json(http::request(daemon, "GET", target, "").body)
}

fn assert_hushed(what: &str, told: &str) {
    for hushed in ["hush", "aHVzaA", "e3t9fQ", "SWMTKN", "SWMKEY"] {
        assert!(!told.contains(hushed), "{what} tells `{hushed}`: {told}");
    }
}
