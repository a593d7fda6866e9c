//! A swarm at a daemon of its own: what the docker CLI does with it through the gate, and what comes of a closed policy.

mod addresses;

use std::fs;

use serde_json::Value;

use super::support::address::Address;
use super::support::docker::Docker;
use super::support::gate::{Gate, Setup};
use super::support::http;
use super::support::second_daemon::SecondDaemon;

const OPEN: &str = r#"
description = "Works on a swarm of this machine."
[[permit]]
operations = ["System:read", "Swarm:*", "Node:*", "Secret:*", "Config:*"]
[swarm]
addresses = ["127.0.0.1:2377", "127.0.0.1:4789"]
tokens = true
autolock-off = true
promote = true
"#;

/// The same without a table of limits.
fn closed() -> String {
    OPEN.split("[swarm]").next().unwrap().to_owned()
}

fn gate(daemon: &SecondDaemon, policy: &str) -> Gate {
    let setup = Setup::before(&daemon.address());
    if policy.contains('\n') {
        setup
            .file("policy.toml", policy)
            .listen("policy.toml")
            .start()
    } else {
        setup.listen(policy).start()
    }
}

fn json(daemon: &Address, target: &str) -> Value {
    super::support::json(http::request(daemon, "GET", target, "").body)
}

fn state(daemon: &Address) -> String {
    json(daemon, "/info")["Swarm"]["LocalNodeState"]
        .as_str()
        .unwrap()
        .to_owned()
}

const INIT: &str = "swarm init --advertise-addr 127.0.0.1 --listen-addr 127.0.0.1:2377";

#[test]
fn a_swarm_lives_through_the_gate() {
    let second = SecondDaemon::start();
    let daemon = second.address();
    let gate = gate(&second, OPEN);
    let docker = Docker::at(gate.address());
    assert!(
        docker
            .ok(INIT)
            .contains("docker swarm join --token SWMTKN-1-")
    );
    assert_eq!(state(&daemon), "active");

    let made = docker.run_with("secret create --label a=b pass -", b"hush".to_vec());
    let secret = made.ok("secret create").trim().to_owned();
    assert!(docker.ok("secret ls").contains("pass"));
    assert_eq!(docker.ok("secret inspect -f {{.Spec.Labels.a}} pass"), "b");
    let made = docker.run_with("config create settings -", b"plain".to_vec());
    let config = made.ok("config create").trim().to_owned();
    assert!(docker.ok("config ls").contains("settings"));

    let node = docker.ok("node ls -q");
    docker.ok(format!("node update --label-add zone=a {node}"));
    let nodes = json(&daemon, "/nodes");
    assert_eq!(nodes[0]["Spec"]["Labels"]["zone"], "a");
    docker.ok("swarm update --task-history-limit 3 --autolock=true");
    let spec = &json(&daemon, "/swarm")["Spec"];
    assert_eq!(spec["Orchestration"]["TaskHistoryRetentionLimit"], 3);
    assert_eq!(spec["EncryptionConfig"]["AutoLockManagers"], true);
    let key = docker.ok("swarm unlock-key -q");
    assert!(key.starts_with("SWMKEY-1-"));
    let token = docker.ok("swarm join-token -q worker");
    assert_ne!(docker.ok("swarm join-token --rotate -q worker"), token);

    // By an id, by the beginning of one, and by a name.
    docker.ok(format!("secret rm {secret}"));
    docker.ok(format!("config inspect {}", config.get(..6).unwrap()));
    docker.ok("config rm settings");
    assert_eq!(json(&daemon, "/secrets"), Value::Array(Vec::new()));
    assert_eq!(json(&daemon, "/configs"), Value::Array(Vec::new()));
    docker.ok("swarm leave --force");
    assert_eq!(state(&daemon), "inactive");

    let told = format!(
        "{}{}",
        fs::read_to_string(gate.audit_file()).unwrap(),
        gate.output()
    );
    for hushed in ["hush", "aHVzaA", "SWMTKN", "SWMKEY", "cGxhaW4"] {
        assert!(!told.contains(hushed), "`{hushed}` is told");
    }
}

#[test]
fn nothing_of_a_swarm_is_there_under_policies_that_open_none() {
    let second = SecondDaemon::start();
    let daemon = second.address();
    for policy in ["guarded", "portainer", "read-only", &closed()] {
        let gate = gate(&second, policy);
        let docker = Docker::at(gate.address());
        docker.fails(INIT);
        docker.fails("swarm join --token SWMTKN-1-hush 127.0.0.1:2399");
        assert_eq!(state(&daemon), "inactive", "{policy}");
    }
    Docker::at(&daemon).ok(INIT);
    let before = everything(&daemon);
    let node = before[2][0]["ID"].as_str().unwrap().to_owned();
    for policy in ["guarded", "portainer", "read-only"] {
        let gate = gate(&second, policy);
        let docker = Docker::at(gate.address());
        for input in ["secret create pass -", "config create settings -"] {
            docker.run_with(input, b"hush".to_vec()).failed(input);
        }
        for command in [
            "swarm update --task-history-limit 3",
            "swarm join-token -q worker",
            "swarm join-token --rotate -q worker",
            "swarm unlock-key",
            "swarm leave --force",
            &format!("node update --label-add zone=a {node}"),
            &format!("node rm --force {node}"),
        ] {
            docker.fails(command);
        }
        assert_eq!(everything(&daemon), before, "{policy}");
    }
}

#[test]
fn reading_a_swarm_needs_no_token() {
    let second = SecondDaemon::start();
    Docker::at(&second.address()).ok(INIT);
    let gate = gate(&second, "read-only");
    let docker = Docker::at(gate.address());
    assert_eq!(docker.ok("info -f {{.Swarm.LocalNodeState}}"), "active");
    assert!(docker.ok("node ls").contains("Leader"));
    for target in [
        "/swarm",
        "/swarm/unlockkey",
        "/v1.24/swarm",
        "/v1.41/swarm?x=1",
    ] {
        let answer = http::request(gate.address(), "GET", target, "");
        assert_eq!(answer.status, 403, "{target}");
        assert!(!answer.text().contains("SWM"), "{target}");
    }
}

/// Swarm, secrets, nodes, configs: all that a client could change.
fn everything(daemon: &Address) -> Vec<Value> {
    let mut all: Vec<Value> = ["/swarm", "/secrets", "/nodes", "/configs"]
        .map(|target| json(daemon, target))
        .into();
    // The manager itself counts up when a node says that it is there.
    for node in all[2].as_array_mut().unwrap() {
        *node = serde_json::json!({ "ID": node["ID"], "Spec": node["Spec"] });
    }
    for moving in ["Version", "UpdatedAt"] {
        all[0].as_object_mut().unwrap().remove(moving);
    }
    all
}
