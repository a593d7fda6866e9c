//! Networks and other containers that a request leads to, as they stand at the real daemon.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::Instant;

use serde_json::{Value, json};

use super::races::RACE;
use super::{Names, id_in, make, past, starts};
use crate::support::gate::Gate;
use crate::support::http::{self, Answer};
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

fn through(gate: &Gate, method: &str, target: &str, body: &Value) -> Answer {
    let body = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    http::request(gate.address(), method, target, &body)
}

fn create(gate: &Gate, name: &str, mut body: Value) -> Answer {
    body["Image"] = json!("busybox");
    body["Cmd"] = json!(["sleep", "600"]);
    through(
        gate,
        "POST",
        &format!("/v1.41/containers/create?name={name}"),
        &body,
    )
}

fn exists(name: &str) -> bool {
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

#[test]
fn a_network_of_others_is_joined_by_no_route_and_one_of_ones_own_by_all() {
    let (gate, names) = (Gate::guarded(), Names::new());
    let theirs = names.name("theirs");
    let theirs_id = network(&theirs, &json!({}));
    let quiet = names.name("quiet");
    network(
        &quiet,
        &json!({ "Options": { "com.docker.network.bridge.enable_icc": "false" } }),
    );
    let own = names.name("own");
    let made = through(
        &gate,
        "POST",
        "/v1.41/networks/create",
        &json!({ "Name": own }),
    );
    assert_eq!(made.status, 201, "{}", made.text());
    let own_id = id_in(&made);
    let prefix = |id: &str| id.chars().take(12).collect::<String>();
    let tried = [
        (theirs.clone(), 403),
        (theirs_id.clone(), 403),
        (prefix(&theirs_id), 403),
        (quiet, 201),
        (own.clone(), 201),
        (own_id.clone(), 201),
        (prefix(&own_id), 201),
    ];
    for (index, (asked, status)) in tried.iter().enumerate() {
        for (way, host_config) in [
            ("mode", json!({ "HostConfig": { "NetworkMode": asked } })),
            (
                "key",
                json!({ "HostConfig": { "NetworkMode": asked },
                "NetworkingConfig": { "EndpointsConfig": { asked: {} } } }),
            ),
        ] {
            let name = names.name(&format!("{way}{index}"));
            let answer = create(&gate, &name, host_config);
            assert_eq!(answer.status, *status, "{way} {asked}: {}", answer.text());
            assert_eq!(exists(&name), *status == 201, "{way} {asked}");
            if *status == 201 {
                let start = format!("/v1.41/containers/{name}/start");
                let started = through(&gate, "POST", &start, &Value::Null);
                assert_eq!(started.status, 204, "{way} {asked}: {}", started.text());
                assert_eq!(networks_of(&name).len(), 1, "{way} {asked}");
            }
        }
        let name = names.name(&format!("connected{index}"));
        make(&name, &json!({ "NetworkMode": "bridge" }));
        let target = format!("/v1.41/networks/{asked}/connect");
        let answer = through(&gate, "POST", &target, &json!({ "Container": name }));
        let expected = if *status == 201 { 200 } else { *status };
        assert_eq!(
            answer.status,
            expected,
            "connect {asked}: {}",
            answer.text()
        );
        assert_eq!(
            networks_of(&name).len(),
            if expected == 200 { 2 } else { 1 },
            "connect {asked}"
        );
    }
    // A container that was put there past the gate is not started, nor entered.
    let name = names.name("past");
    make(&name, &json!({ "NetworkMode": theirs }));
    for (rest, body) in [("start", Value::Null), ("exec", json!({ "Cmd": ["true"] }))] {
        let target = format!("/v1.41/containers/{name}/{rest}");
        let answer = through(&gate, "POST", &target, &body);
        assert_eq!(answer.status, 403, "{rest}: {}", answer.text());
        assert!(
            answer.message().contains("1. icc: "),
            "{}",
            answer.message()
        );
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

#[test]
fn a_joined_container_is_judged_and_pinned() {
    let names = Names::new();
    let text = "description = \"a test\"\n[[permit]]\noperations = [\"Container:*\"]\n[container]\nimages = [\"*\"]\nnetworks = [\"*\"]\nnamespaces = [\"container-network\", \"container-pid\", \"container-ipc\"]\nvolumes-from = true\nlinks = [\"*\"]\n[network]\ndefault-bridge = \"any\"\n";
    let gate = Gate::with_policy(text);
    let (harmless, bound) = (names.name("harmless"), names.name("bound"));
    let id = make(&harmless, &json!({ "IpcMode": "shareable" }));
    make(
        &bound,
        &json!({ "IpcMode": "shareable", "Binds": ["/etc:/h:ro"] }),
    );
    assert!(starts(&harmless) && starts(&bound));
    let joins = |other: &str| {
        [
            (
                "network",
                json!({ "NetworkMode": format!("container:{other}") }),
                "/HostConfig/NetworkMode",
            ),
            (
                "pid",
                json!({ "PidMode": format!("container:{other}") }),
                "/HostConfig/PidMode",
            ),
            (
                "ipc",
                json!({ "IpcMode": format!("container:{other}") }),
                "/HostConfig/IpcMode",
            ),
            (
                "volumes",
                json!({ "VolumesFrom": [other] }),
                "/HostConfig/VolumesFrom/0",
            ),
        ]
    };
    for (way, host_config, _) in joins(&bound) {
        let name = names.name(&format!("{way}-bound"));
        let answer = create(&gate, &name, json!({ "HostConfig": host_config }));
        assert_eq!(answer.status, 403, "{way}: {}", answer.text());
        assert!(
            answer.message().contains("host-path: `HostConfig."),
            "{}",
            answer.message()
        );
        assert!(!exists(&name), "{way}");
    }
    for (way, host_config, pointer) in joins(&harmless) {
        let name = names.name(&format!("{way}-harmless"));
        let answer = create(&gate, &name, json!({ "HostConfig": host_config }));
        assert_eq!(answer.status, 201, "{way}: {}", answer.text());
        let found = support::json(&past("GET", &format!("/v1.41/containers/{name}/json"), "").body);
        let written = found.pointer(pointer).unwrap().as_str().unwrap();
        assert!(written.ends_with(&id), "{way}: {written}");
        assert!(starts(&name), "{way}");
    }
    for (way, host_config, _) in joins(&names.name("nothing")) {
        let answer = create(
            &gate,
            &names.name("none"),
            json!({ "HostConfig": host_config }),
        );
        assert_eq!(answer.status, 404, "{way}: {}", answer.text());
    }
    let linked = names.name("linked");
    let answer = create(
        &gate,
        &linked,
        json!({ "HostConfig": { "Links": [format!("{}:db", &id[..12])] } }),
    );
    assert_eq!(answer.status, 201, "{}", answer.text());
    assert!(starts(&linked));
}

#[test]
fn a_tag_that_moves_while_it_is_judged_runs_nothing_else() {
    let names = Names::new();
    let (good, evil) = (names.name("good"), names.name("evil"));
    let image = |name: &str| {
        support::json(&past("GET", &format!("/v1.41/images/{name}/json"), "").body)["Id"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let tagged = past(
        "POST",
        &format!("/v1.41/images/busybox/tag?repo={good}"),
        "",
    );
    assert_eq!(tagged.status, 201, "{}", tagged.text());
    let base = make(&names.name("base"), &json!({}));
    let made = past(
        "POST",
        &format!("/v1.41/commit?container={base}&repo={evil}&changes=LABEL+a%3Db"),
        "",
    );
    assert_eq!(made.status, 201, "{}", made.text());
    let (good_id, evil_id) = (image(&good), image(&evil));
    assert_ne!(good_id, evil_id);
    let text = format!(
        "description = \"a test\"\n[[permit]]\noperations = [\"Container:*\", \"ImageTag\", \"ImageCommit\"]\n[container]\nimages = [\"docker.io/library/{good}\"]\nnetworks = [\"*\"]\n[image]\nreferences = [\"docker.io/library/{good}\"]\n[network]\ndefault-bridge = \"any\"\n"
    );
    let gate = Gate::with_policy(&text);
    let (over, ran, began) = (AtomicBool::new(false), AtomicU32::new(0), Instant::now());
    let short = |id: &str| {
        id.trim_start_matches("sha256:")
            .chars()
            .take(12)
            .collect::<String>()
    };
    thread::scope(|scope| {
        // One client would have the name stand for the other image, by every spelling.
        scope.spawn(|| {
            while !over.load(Ordering::SeqCst) {
                for source in [&evil, &evil_id, &short(&evil_id)] {
                    through(
                        &gate,
                        "POST",
                        &format!("/v1.41/images/{source}/tag?repo={good}&tag=latest"),
                        &Value::Null,
                    );
                }
            }
        });
        // Someone past the gate takes the name away and gives it back.
        scope.spawn(|| {
            while !over.load(Ordering::SeqCst) {
                past("DELETE", &format!("/v1.41/images/{good}:latest"), "");
                past(
                    "POST",
                    &format!("/v1.41/images/busybox/tag?repo={good}"),
                    "",
                );
            }
        });
        scope.spawn(|| {
            while began.elapsed() < RACE {
                for asked in [
                    &good,
                    &good_id,
                    &short(&good_id),
                    &evil_id,
                    &short(&evil_id),
                ] {
                    let name = names.name(&process::unique("c"));
                    let target = format!("/v1.41/containers/create?name={name}");
                    let answer = through(
                        &gate,
                        "POST",
                        &target,
                        &json!({ "Image": asked, "Cmd": ["true"] }),
                    );
                    match answer.status {
                        201 => {
                            let found = support::json(
                                &past("GET", &format!("/v1.41/containers/{name}/json"), "").body,
                            );
                            assert_eq!(found["Image"], good_id.as_str(), "{asked}");
                            ran.fetch_add(1, Ordering::SeqCst);
                        }
                        403 | 404 => {}
                        other => panic!("{other}: {}", answer.text()),
                    }
                }
            }
            over.store(true, Ordering::SeqCst);
        });
    });
    assert!(ran.load(Ordering::SeqCst) > 0, "nothing was won at all");
    past(
        "POST",
        &format!("/v1.41/images/busybox/tag?repo={good}"),
        "",
    );
    assert_eq!(image(&good), good_id);
}
