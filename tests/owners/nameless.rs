//! Operations that name nothing in their path: each is tried on the things of another, or belongs to no owner.

use std::collections::BTreeSet;

use dockgate::engine_api::Operation;

use super::*;

/// What one owner's request comes to where another has things.
#[derive(Debug)]
enum Comes {
    /// The answer is of success, and tells nothing of the other's.
    Hides,
    /// With this status.
    To(u16),
    /// What it is about has no owner: the policy decides.
    Nobodys,
}

use Comes::{Hides, Nobodys, To};

#[test]
fn every_operation_without_a_name_keeps_to_ones_own() {
    let house = House::new("[shared]\nimages = false");
    let alices = Things::of(&house, house.alice(), "a");
    Things::of(&house, house.bob(), "b");
    settle(&house);
    let before = state(&house);
    let mut tried = BTreeSet::new();
    for (name, query, body, comes) in attempts() {
        tried.insert(name);
        let operation = Operation::all().find(|one| one.name() == name).unwrap();
        let spec = operation.spec();
        let target = format!("/v1.41{}{query}", spec.path);
        let status = match comes {
            Nobodys => continue,
            Hides => 200,
            To(status) => status,
        };
        let told = past(house.bob(), spec.method, &target, &body);
        assert_eq!(told.status, status, "{target}: {}", told.text());
        for tells in [
            "alice",
            &alices.container[..12],
            &alices.network[..12],
            &alices.image[7..19],
            &alices.service,
            &alices.task,
            &alices.secret,
            &alices.config,
        ] {
            assert!(!told.text().contains(tells), "{target}: {}", told.text());
        }
    }
    assert_eq!(state(&house), before);
    let nameless = Operation::all().filter(|one| !one.spec().path.contains('{'));
    let all = nameless.filter(|one| one.spec().is_modelled);
    let all: BTreeSet<&str> = all.map(Operation::name).collect();
    assert_eq!(tried, all, "an operation that no owner has tried");
}

/// Operation, query, body, and what comes of it.
type Attempt = (&'static str, &'static str, Value, Comes);

/// Nothing that is the client's own is changed, so the daemon has afterwards what it had.
fn attempts() -> Vec<Attempt> {
    let nobodys = NOBODYS.iter().map(|name| (*name, "", Value::Null, Nobodys));
    let lists = LISTS
        .iter()
        .map(|(name, query)| (*name, *query, Value::Null, Hides));
    let to = REFUSED
        .iter()
        .map(|(name, query, status)| (*name, *query, Value::Null, To(*status)));
    nobodys.chain(lists).chain(to).chain(with_body()).collect()
}

const NOBODYS: &[&str] = &[
    "SystemAuth",
    "SystemInfo",
    "SystemVersion",
    "SystemPing",
    "SystemPingHead",
    "ImageSearch",
    "PluginList",
    "GetPluginPrivileges",
    "PluginPull",
    "PluginCreate",
    "NodeList",
    "SwarmInspect",
    "SwarmInit",
    "SwarmJoin",
    "SwarmLeave",
    "SwarmUpdate",
    "SwarmUnlockkey",
    "SwarmUnlock",
];

/// Nothing of bob's is fit to be pruned.
const LISTS: &[(&str, &str)] = &[
    ("ContainerList", "?all=1"),
    ("ImageList", "?all=1"),
    ("VolumeList", ""),
    ("NetworkList", ""),
    ("ServiceList", ""),
    ("TaskList", ""),
    ("SecretList", ""),
    ("ConfigList", ""),
    ("SystemDataUsage", ""),
    ("SystemEvents", "?since=1&until=2"),
    ("ContainerPrune", "?filters={\"until\":[\"9999h\"]}"),
    ("NetworkPrune", ""),
    ("VolumePrune", ""),
    ("ImagePrune", ""),
];

const REFUSED: &[(&str, &str, u16)] = &[
    ("ImageGetAll", "?names=a-image:latest", 404),
    ("ImageCreate", "?fromImage=a-image&tag=latest", 403),
    ("ImageLoad", "", 403),
    ("ImageBuild", "?t=a-image", 403),
    ("BuildPrune", "", 403),
    ("BuildCancel", "?id=a", 403),
];

fn with_body() -> [Attempt; 9] {
    let data = |name: &str| json!({ "Name": name, "Data": "eA==" });
    let service = |image: &str| {
        let container = json!({ "Image": image });
        json!({ "Name": "s", "TaskTemplate": { "ContainerSpec": container } })
    };
    [
        (
            "ContainerCreate",
            "?name=a-container",
            json!({ "Image": "busybox" }),
            To(409),
        ),
        (
            "ContainerCreate",
            "",
            json!({ "Image": "a-image" }),
            To(404),
        ),
        ("ImageCommit", "?container=a-container", json!({}), To(404)),
        ("NetworkCreate", "", json!({ "Name": "a-network" }), To(409)),
        ("VolumeCreate", "", json!({ "Name": "a-volume" }), To(409)),
        ("SecretCreate", "", data("a-secret"), To(409)),
        ("ConfigCreate", "", data("a-config"), To(409)),
        ("ServiceCreate", "", service("a-image"), To(404)),
        // Where images are not shared, whether another has this one is not told either.
        ("ServiceCreate", "", service("no-image"), To(404)),
    ]
}
