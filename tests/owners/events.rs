//! The events that an owner hears: those of its own things, with labels in them or without, past ones and as they come.

use std::io::{BufRead, BufReader, Write as _};
use std::time::{SystemTime, UNIX_EPOCH};

use super::super::support::docker::Docker;
use super::*;

/// Events as the gate gives them for a time.
fn events(address: &Address, (since, until): (u64, u64), more: &str) -> String {
    let target = format!("/v1.41/events?since={since}&until={until}{more}");
    let answer = past(address, "GET", &target, &Value::Null);
    assert_eq!(answer.status, 200, "{target}");
    answer.text()
}

fn now() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.unwrap().as_secs()
}

#[test]
fn events_are_of_ones_own() {
    let house = House::new("");
    let [alice, bob] = [house.alice(), house.bob()].map(Docker::at);
    let since = now() - 1;
    alice.ok("run --rm --name a-one busybox true");
    bob.ok("run --rm --name b-one busybox true");
    bob.ok("create --name b-two busybox");
    let alices = Things::of(&house, house.alice(), "a");
    let bobs = Things::of(&house, house.bob(), "b");
    let time = (since, now() + 1);
    let seen = events(house.bob(), time, "");
    for name in ["b-one", "b-two", "b-container", "b-volume"] {
        assert!(seen.contains(name), "{name} in {seen}");
    }
    for id in [&bobs.network, &bobs.service, &bobs.secret, &bobs.config] {
        assert!(seen.contains(id.as_str()), "{id} in {seen}");
    }
    let others = [
        &alices.network,
        &alices.service,
        &alices.secret,
        &alices.config,
        &alices.container,
    ];
    for tells in others
        .into_iter()
        .map(String::as_str)
        .chain(["alice", "a-one", "a-volume"])
    {
        assert!(!seen.contains(tells), "{tells} in {seen}");
    }
    // What has labels in its events is narrowed by the daemon.
    for (more, holds) in [
        ("&filters={\"type\":[\"container\"]}", false),
        ("&filters={\"type\":[\"volume\"]}", true),
        (
            "&filters={\"type\":{\"volume\":true,\"network\":true}}",
            true,
        ),
        ("&filters={\"label\":[\"dockgate.owner\"]}", false),
    ] {
        let seen = events(house.bob(), time, more);
        assert_eq!(seen.contains("b-volume"), holds, "{more}: {seen}");
        assert!(
            !seen.contains("alice") && !seen.contains("a-volume"),
            "{more}: {seen}"
        );
    }
}

/// Type, action and name of each event as it comes, up to one of a secret.
fn up_to_a_secret(events: &mut impl BufRead) -> Vec<String> {
    let mut told: Vec<String> = Vec::new();
    while told.last().is_none_or(|last| !last.starts_with("secret")) {
        let mut line = String::new();
        assert!(events.read_line(&mut line).unwrap() > 0, "{told:?}");
        if !line.starts_with('{') {
            continue;
        }
        let event = support::json(line.as_bytes());
        let (actor, attributes) = (&event["Actor"], &event["Actor"]["Attributes"]);
        let name = attributes["name"].as_str().or(actor["ID"].as_str());
        let text = format!("{} {} {}", event["Type"], event["Action"], name.unwrap());
        told.push(text.replace('"', ""));
    }
    told
}

#[test]
fn events_of_ones_own_come_as_they_happen() {
    let house = House::new("");
    let (alice, bob) = (house.alice(), house.bob());
    makes(bob, "/v1.41/volumes/create", &json!({ "Name": "b-before" }));
    let mut events = bob.connect().unwrap();
    events
        .write_all(b"GET /v1.41/events HTTP/1.1\r\nHost: d\r\n\r\n")
        .unwrap();
    let mut events = BufReader::new(events);
    http::read_head(&mut events).unwrap();
    let remove = |address: &Address, name: &str| {
        let removed = past(
            address,
            "DELETE",
            &format!("/v1.41/volumes/{name}"),
            &Value::Null,
        );
        assert_eq!(removed.status, 204, "{}", removed.text());
    };
    makes(
        alice,
        "/v1.41/volumes/create",
        &json!({ "Name": "a-volume" }),
    );
    makes(
        alice,
        "/v1.41/networks/create",
        &json!({ "Name": "a-network" }),
    );
    // It was there before the client listened.
    remove(bob, "b-before");
    makes(bob, "/v1.41/volumes/create", &json!({ "Name": "b-volume" }));
    makes(
        bob,
        "/v1.41/networks/create",
        &json!({ "Name": "b-network" }),
    );
    // A name that was another's, and then one's own.
    remove(alice, "a-volume");
    makes(bob, "/v1.41/volumes/create", &json!({ "Name": "a-volume" }));
    makes(
        bob,
        "/v1.41/secrets/create",
        &json!({ "Name": "b-last", "Data": "eA==" }),
    );
    let told = up_to_a_secret(&mut events);
    let expected = [
        "volume destroy b-before",
        "volume create b-volume",
        "network create b-network",
        "volume create a-volume",
        "secret create b-last",
    ];
    assert_eq!(told, expected);
}
