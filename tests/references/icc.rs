//! Two clients and someone past the gate, while networks come and go under one name.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::races::RACE;
use super::{Names, id_in, past};
use crate::support::gate::Gate;
use crate::support::http::{self, Answer};
use crate::support::random::Random;
use crate::support::wait::DEADLINE;
use crate::support::{self, process, wait};

/// Networks that the name stands for one after the other; each takes long where others have much to do.
const ENOUGH: usize = 8;

/// What the name stands for, in turn; only the last two may be joined under `guarded`.
fn kinds(owner: &str) -> [Value; 4] {
    const ICC: &str = "com.docker.network.bridge.enable_icc";
    [
        json!({}),
        json!({ "Labels": { "dockgate.owner": format!("{owner}x") }, "Options": { ICC: "true" } }),
        json!({ "Options": { ICC: "false" } }),
        json!({ "Labels": { "dockgate.owner": owner } }),
    ]
}

fn may_be_joined(network: &Value, owner: &str) -> bool {
    network["Labels"]["dockgate.owner"] == owner
        || network["Options"]["com.docker.network.bridge.enable_icc"] == "false"
}

/// Whose networks the clients of this gate own.
fn owner(gate: &Gate, names: &Names) -> String {
    let name = names.name("own");
    let made = http::request(
        gate.address(),
        "POST",
        "/v1.41/networks/create",
        &json!({ "Name": name }).to_string(),
    );
    assert_eq!(made.status, 201, "{}", made.text());
    let network = inspected("networks", &id_in(&made));
    network["Labels"]["dockgate.owner"]
        .as_str()
        .unwrap()
        .to_owned()
}

fn inspected(kind: &str, id: &str) -> Value {
    let rest = if kind == "containers" { "/json" } else { "" };
    support::json(past("GET", &format!("/v1.41/{kind}/{id}{rest}"), "").body)
}

/// The networks that there have been under the name, by id, each as the daemon had it.
type Seen = Mutex<Vec<(String, Value)>>;

/// Makes the name stand for one kind after the other, until it is over.
fn replace(name: &str, kinds: &[Value], seen: &Seen, over: &AtomicBool) {
    let mut random = Random::new(71);
    for kind in kinds.iter().cycle() {
        if over.load(Ordering::SeqCst) {
            return;
        }
        let mut body = kind.clone();
        body["Name"] = json!(name);
        let made = past("POST", "/v1.41/networks/create", &body.to_string());
        if made.status != 201 {
            continue;
        }
        let id = id_in(&made);
        seen.lock()
            .unwrap()
            .push((id.clone(), inspected("networks", &id)));
        wait::pause(Duration::from_millis(random.next() % 60));
        // Whoever is on it has been looked at when it is taken away.
        let members = inspected("networks", &id)["Containers"].clone();
        for container in members
            .as_object()
            .into_iter()
            .flatten()
            .map(|(container, _)| container)
        {
            let body = json!({ "Container": container, "Force": true }).to_string();
            past("POST", &format!("/v1.41/networks/{id}/disconnect"), &body);
        }
        past("DELETE", &format!("/v1.41/networks/{id}"), "");
    }
}

/// The ids of the networks that a container has been put on.
fn joined(container: &str) -> Vec<String> {
    let found = inspected("containers", container);
    let networks = found["NetworkSettings"]["Networks"]
        .as_object()
        .cloned()
        .unwrap_or_default();
    let ids = networks
        .values()
        .filter_map(|network| network["NetworkID"].as_str());
    ids.filter(|id| !id.is_empty()).map(str::to_owned).collect()
}

/// One client: a container that names the network at its create, then starts; or that is connected to it.
fn client(gate: &Gate, names: &Names, network: &str, connects: bool) -> Option<Vec<String>> {
    let ask = |target: &str, body: &Value| -> Answer {
        http::request(gate.address(), "POST", target, &body.to_string())
    };
    let name = names.name(&process::unique("c"));
    let mode = if connects { "none" } else { network };
    let body = json!({ "Image": "busybox", "Cmd": ["sleep", "600"], "HostConfig": { "NetworkMode": mode } });
    let created = ask(&format!("/v1.41/containers/create?name={name}"), &body);
    let done = match (created.status, connects) {
        (201, true) => {
            past(
                "POST",
                "/v1.41/networks/none/disconnect",
                &json!({ "Container": name }).to_string(),
            );
            ask(
                &format!("/v1.41/networks/{network}/connect"),
                &json!({ "Container": name }),
            )
        }
        (201, false) => ask(&format!("/v1.41/containers/{name}/start"), &Value::Null),
        (403 | 404, _) => return None,
        (other, _) => panic!("{other}: {}", created.text()),
    };
    let found = (done.status < 300).then(|| joined(&name));
    past("DELETE", &format!("/v1.41/containers/{name}?force=1"), "");
    found
}

#[test]
fn a_network_that_is_made_anew_under_its_name_is_joined_only_where_it_may_be() {
    let (gate, names) = (Gate::guarded(), Names::new());
    let (network, owner) = (names.name("net"), owner(&gate, &names));
    let (seen, over) = (Seen::default(), AtomicBool::new(false));
    let (began, all) = (Instant::now(), Mutex::new(Vec::new()));
    let tried = AtomicU32::new(0);
    thread::scope(|scope| {
        scope.spawn(|| replace(&network, &kinds(&owner), &seen, &over));
        for connects in [true, false] {
            let (gate, names, network, all, tried, over) =
                (&gate, &names, &network, &all, &tried, &over);
            let seen = &seen;
            scope.spawn(move || {
                let has_enough = || seen.lock().unwrap().len() > ENOUGH;
                while began.elapsed() < RACE * 2 || (!has_enough() && began.elapsed() < DEADLINE) {
                    tried.fetch_add(1, Ordering::SeqCst);
                    let ids = client(gate, names, network, connects);
                    all.lock().unwrap().extend(ids.into_iter().flatten());
                }
                over.store(true, Ordering::SeqCst);
            });
        }
    });
    let (seen, all) = (seen.into_inner().unwrap(), all.into_inner().unwrap());
    let of_ours = |id: &String| seen.iter().find(|(known, _)| known == id);
    let won: Vec<&Value> = all
        .iter()
        .filter_map(of_ours)
        .map(|(_, network)| network)
        .collect();
    let tried = tried.into_inner();
    println!(
        "{tried} tries, {} networks, {} joined",
        seen.len(),
        won.len()
    );
    for network in &won {
        assert!(may_be_joined(network, &owner), "{network}");
    }
    assert!(
        seen.len() > ENOUGH && !won.is_empty(),
        "{tried} tries, {} networks, {} joined",
        seen.len(),
        won.len()
    );
}

/// The daemon keeps of a connect what it is told, and looks for the network when the container starts.
#[test]
fn a_container_that_is_connected_before_it_starts_joins_no_other_network_of_that_name() {
    let (gate, names) = (Gate::guarded(), Names::new());
    let (network, container) = (names.name("net"), names.name("container"));
    let quiet =
        json!({ "Name": network, "Options": { "com.docker.network.bridge.enable_icc": "false" } });
    let made = past("POST", "/v1.41/networks/create", &quiet.to_string());
    let first = id_in(&made);
    let body = json!({ "Image": "busybox", "HostConfig": { "NetworkMode": "none" } });
    let target = format!("/v1.41/containers/create?name={container}");
    let created = http::request(gate.address(), "POST", &target, &body.to_string());
    assert_eq!(created.status, 201, "{}", created.text());
    let body = json!({ "Container": container }).to_string();
    past("POST", "/v1.41/networks/none/disconnect", &body);
    let target = format!("/v1.41/networks/{network}/connect");
    let connected = http::request(gate.address(), "POST", &target, &body);
    assert_eq!(connected.status, 200, "{}", connected.text());
    assert_eq!(joined(&container), std::slice::from_ref(&first));

    past("DELETE", &format!("/v1.41/networks/{first}"), "");
    let talking = json!({ "Name": network }).to_string();
    let second = id_in(&past("POST", "/v1.41/networks/create", &talking));
    past("POST", &format!("/v1.41/containers/{container}/start"), "");
    assert!(!joined(&container).contains(&second));
}
