//! What is removed: containers, volumes and networks by path and query, and what happened by events.

use serde_json::{Value, json};

use super::effect::{self, Effect};
use super::judged::{self, Sent};
use super::targets::{BOOLEANS, PATH_PIECES, changed, filters, made_up};
use super::{Container, tried};
use crate::support::address::Address;
use crate::support::random::Random;
use crate::support::{engine, http, process};

/// A path of which some places are changed, and a query.
fn target(kind: &str, name: &str, parameters: &[(&str, &[&str])], random: &mut Random) -> String {
    let path = format!("/v1.41/{kind}/{name}").into_bytes();
    let path = if random.one_in(2) {
        changed(path, random, PATH_PIECES)
    } else {
        path
    };
    let query = made_up(parameters, random);
    format!("{}?{query}", String::from_utf8_lossy(&path))
}

/// The names in a list that contain this one.
fn left(daemon: &Address, list: &str, name: &str) -> Vec<String> {
    let found = effect::inspect(daemon, list);
    let items = if found["Volumes"].is_array() {
        &found["Volumes"]
    } else {
        &found
    };
    let names = items.as_array().into_iter().flatten();
    let names = names.flat_map(|item| {
        let of_container = item["Names"].as_array().into_iter().flatten();
        of_container
            .chain(std::iter::once(&item["Name"]))
            .filter_map(Value::as_str)
    });
    let mut names: Vec<String> = names
        .filter(|it| it.contains(name))
        .map(str::to_owned)
        .collect();
    names.sort();
    names
}

/// Makes what is not there; that it is there already is no fault.
fn ensure(daemon: &Address, target: &str, body: &Value) {
    let made = http::request(daemon, "POST", target, &body.to_string());
    assert!(matches!(made.status, 201 | 409), "{}", made.text());
}

#[test]
fn volumes_are_removed_as_the_gate_read_it() {
    let (name, daemon) = (process::unique("df"), engine::address());
    let make = |random: &mut Random| {
        let volume = if random.one_in(3) {
            format!("{name}-missing")
        } else {
            name.clone()
        };
        let target = target("volumes", &volume, &[("force", BOOLEANS)], random);
        Sent::new("DELETE", &target, b"")
    };
    let tally = tried((41, 3000, 600), &judged::policies(), make, |sent, _| {
        for volume in [&name, &format!("{name}-other")] {
            ensure(&daemon, "/volumes/create", &json!({ "Name": volume }));
        }
        let answer = sent.ask(&daemon);
        Effect::of(&answer, json!(left(&daemon, "/volumes", &name)))
    });
    engine::clean(&name);
    tally.check("targets of VolumeDelete", 400, 200);
}

#[test]
fn networks_are_removed_as_the_gate_read_it() {
    let (name, daemon) = (process::unique("df"), engine::address());
    let make =
        |random: &mut Random| Sent::new("DELETE", &target("networks", &name, &[], random), b"");
    let tally = tried((42, 400, 40), &judged::policies(), make, |sent, _| {
        ensure(
            &daemon,
            "/networks/create",
            &json!({ "Name": name, "CheckDuplicate": true }),
        );
        let answer = sent.ask(&daemon);
        Effect::of(&answer, json!(left(&daemon, "/networks", &name)))
    });
    engine::clean(&name);
    tally.check("targets of NetworkDelete", 30, 15);
}

#[test]
fn containers_are_removed_as_the_gate_read_it() {
    let (name, daemon) = (process::unique("df"), engine::address());
    let make = |random: &mut Random| {
        let parameters: &[(&str, &[&str])] = &[
            ("v", BOOLEANS),
            ("force", BOOLEANS),
            ("link", &["0", "", "1", "no", "true"]),
        ];
        Sent::new(
            "DELETE",
            &target("containers", &name, parameters, random),
            b"",
        )
    };
    let tally = tried((43, 1500, 120), &judged::policies(), make, |sent, _| {
        let body = json!({ "Image": "busybox", "Volumes": { "/v": {} } });
        ensure(&daemon, &format!("/containers/create?name={name}"), &body);
        let made = effect::inspect(&daemon, &format!("/containers/{name}/json"));
        let volume = made["Mounts"][0]["Name"].as_str().unwrap().to_owned();
        let answer = sent.ask(&daemon);
        let found = json!([
            left(&daemon, "/containers/json?all=1", &name),
            left(&daemon, "/volumes", &volume).len(),
        ]);
        http::request(&daemon, "DELETE", &format!("/containers/{name}?v=1"), "");
        http::request(&daemon, "DELETE", &format!("/volumes/{volume}"), "");
        Effect::of(&answer, found)
    });
    tally.check("targets of ContainerDelete", 90, 40);
}

/// A running container goes only by force.
#[test]
fn force_is_read_as_the_daemon_reads_it() {
    let (name, daemon) = (process::unique("df"), engine::address());
    let make = |random: &mut Random| {
        let query = made_up(&[("force", BOOLEANS)], random);
        Sent::new("DELETE", &format!("/v1.41/containers/{name}?{query}"), b"")
    };
    let tally = tried((44, 400, 30), &judged::policies(), make, |sent, _| {
        let body = json!({ "Image": "busybox", "Cmd": ["sleep", "600"], "HostConfig": { "NetworkMode": "none" } });
        ensure(&daemon, &format!("/containers/create?name={name}"), &body);
        http::request(&daemon, "POST", &format!("/containers/{name}/start"), "");
        let answer = sent.ask(&daemon);
        Effect::of(&answer, json!(left(&daemon, "/containers/json", &name)))
    });
    engine::clean(&name);
    tally.check("force of ContainerDelete", 25, 8);
}

#[test]
fn events_are_filtered_as_the_gate_read_it() {
    let container = Container::ended();
    let (name, daemon) = (&container.name, &container.daemon);
    let id = effect::inspect(daemon, &format!("/containers/{name}/json"))["Id"].clone();
    let make = |random: &mut Random| {
        let times = random.pick(&[
            "until=4000&since=0",
            "since=0&until=4",
            "until=1h&since=1000h",
            "since=x&until=1",
        ]);
        let times = if random.one_in(2) {
            "until=0s&since=1h".to_owned()
        } else {
            times.to_owned()
        };
        let filters = match random.below(8) {
            0 => r#"{"type":["container"],"event":["create"]}"#.replace(['{', '}', '"'], "%22"),
            1 => format!("%7B%22container%22%3A%5B%22{name}%22%5D%7D"),
            2 => format!(
                "%7B%22container%22%3A%7B%22{name}%22%3Atrue%7D%2C%22event%22%3A%5B%22die%22%2C%22start%22%5D%7D"
            ),
            _ => filters(name, random),
        };
        Sent::new(
            "GET",
            &format!("/v1.41/events?{times}&filters={filters}"),
            b"",
        )
    };
    let tally = tried(
        (45, 3000, 500),
        &judged::policies(),
        make,
        |sent, judged| {
            // One without an end would be waited for.
            if judged
                .request
                .head
                .query
                .get("until")
                .is_none_or(str::is_empty)
            {
                return Effect::nothing();
            }
            let answer = sent.ask(daemon);
            let text = answer.text();
            let ours = text
                .lines()
                .filter(|line| line.contains(id.as_str().unwrap()));
            Effect::of(&answer, json!(ours.collect::<Vec<_>>()))
        },
    );
    tally.check("filters of SystemEvents", 300, 100);
}
