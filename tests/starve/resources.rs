//! Memory and processors are summed by what the daemon says that it keeps, whatever the kernel below has controllers for.

use std::io::Write as _;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::support::fake_daemon::{FakeDaemon, Seen, answer_empty, plain};
use crate::support::gate::{Gate, Setup};
use crate::support::{self, http};

const OWNER: &str = "team/a";

/// A daemon that keeps the `HostConfig` of every container that is made.
fn daemon() -> (FakeDaemon, Arc<Mutex<Vec<Value>>>) {
    let made = Arc::<Mutex<Vec<Value>>>::default();
    let kept = Arc::clone(&made);
    let daemon = FakeDaemon::answering(move |request, stream| {
        let mut kept = kept.lock().unwrap();
        match answer(request, &mut kept) {
            Some((status, body)) => {
                let _ = stream.write_all(&plain(status, &body.to_string()));
            }
            None => answer_empty(request, stream),
        }
    });
    (daemon, made)
}

fn answer(request: &Seen, kept: &mut Vec<Value>) -> Option<(u16, Value)> {
    let path = request.target.split('?').next().unwrap();
    let number = |path: &str| {
        let id = path.split("/containers/").nth(1)?.split('/').next()?;
        usize::from_str_radix(id, 16)
            .ok()
            .filter(|number| *number < kept.len())
    };
    if path.ends_with("/containers/create") {
        kept.push(support::json(&request.body)["HostConfig"].clone());
        return Some((201, json!({ "Id": id(kept.len() - 1), "Warnings": [] })));
    }
    if path.ends_with("/containers/json") {
        let all = (0..kept.len()).map(|number| {
            json!({ "Id": id(number), "State": "created", "Mounts": [], "Labels": { "dockgate.owner": OWNER } })
        });
        return Some((200, all.collect()));
    }
    if path.contains("/images/") {
        return Some((200, json!({ "Id": format!("sha256:{}", id(1)) })));
    }
    let number = number(path)?;
    if path.ends_with("/update") {
        for (key, value) in support::json(&request.body).as_object().unwrap() {
            kept[number][key.as_str()] = value.clone();
        }
        return Some((200, json!({ "Warnings": [] })));
    }
    let labels = json!({ "Labels": { "dockgate.owner": OWNER } });
    Some((
        200,
        json!({ "Id": id(number), "HostConfig": kept[number], "Config": labels, "Mounts": [] }),
    ))
}

fn id(number: usize) -> String {
    format!("{number:064x}")
}

fn gate(daemon: &FakeDaemon, quota: &str) -> Gate {
    Setup::before(&daemon.address())
        .listen("guarded")
        .plus(&format!("owner = '{OWNER}'\nquota = {{ {quota} }}"))
        .start()
}

/// The message of a refusal, empty where it went on.
fn post(gate: &Gate, target: &str, body: &Value) -> String {
    let answer = http::request(gate.address(), "POST", target, &body.to_string());
    match answer.status {
        200 | 201 => String::new(),
        403 => answer.message(),
        status => panic!("{status}: {}", answer.text()),
    }
}

fn create(gate: &Gate, key: &str, amount: i64) -> String {
    let body = json!({ "Image": "a", "HostConfig": { "NetworkMode": "none", key: amount } });
    post(gate, "/v1.41/containers/create", &body)
}

const MIB: i64 = 1 << 20;

#[test]
fn memory_is_summed_over_creates_and_updates() {
    let (daemon, made) = daemon();
    let gate = gate(&daemon, "memory = '100m'");
    assert!(create(&gate, "Memory", 0).contains("--memory"));
    assert_eq!(create(&gate, "Memory", 60 * MIB), "");
    let over = create(&gate, "Memory", 41 * MIB);
    assert!(
        over.contains("has memory 60 MiB of 100 MiB permitted"),
        "{over}"
    );
    assert_eq!(create(&gate, "Memory", 40 * MIB), "");
    let update = format!("/v1.41/containers/{}/update", id(0));
    let over = post(
        &gate,
        &update,
        &json!({ "Memory": 61 * MIB, "MemorySwap": -1 }),
    );
    assert!(over.contains("has memory 40 MiB of 100 MiB"), "{over}");
    assert_eq!(
        post(
            &gate,
            &update,
            &json!({ "Memory": 50 * MIB, "MemorySwap": -1 })
        ),
        ""
    );
    assert_eq!(create(&gate, "Memory", 10 * MIB), "");
    let kept: Vec<_> = made
        .lock()
        .unwrap()
        .iter()
        .map(|one| one["Memory"].as_i64().unwrap())
        .collect();
    assert_eq!(kept, [50 * MIB, 40 * MIB, 10 * MIB]);
}

#[test]
fn processors_are_summed_over_creates() {
    let (daemon, made) = daemon();
    let gate = gate(&daemon, "cpus = 1.5");
    assert!(create(&gate, "NanoCpus", 0).contains("--cpus"));
    assert_eq!(create(&gate, "CpuQuota", 50_000), "");
    let over = create(&gate, "NanoCpus", 1_010_000_000);
    assert!(over.contains("has processors 0.5 of 1.5"), "{over}");
    assert_eq!(create(&gate, "NanoCpus", 1_000_000_000), "");
    assert!(create(&gate, "NanoCpus", 1_000_000).contains("has processors 1.5 of 1.5"));
    assert_eq!(made.lock().unwrap().len(), 2);
}
