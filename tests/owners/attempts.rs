//! One owner's attempts on the things of another: every operation that names something, every reference in a body.

use dockgate::engine_api::{Operation, json};

use super::*;

/// A name that nothing has.
const MISSING: &str = "c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00";

#[test]
fn what_is_anothers_is_not_there() {
    let house = House::new("");
    let things = Things::of(&house, house.alice(), "a");
    let own = serde_json::json!({ "Image": "busybox" });
    makes(house.bob(), "/v1.41/containers/create?name=bobs", &own);
    let before = state(&house);
    let mut attempts = 0;
    for operation in Operation::all() {
        let spec = operation.spec();
        if spec.is_modelled && spec.path.contains('{') {
            for name in things.named(spec.path) {
                attempts += attempt(&house, operation, &name);
            }
        }
    }
    eprintln!("{attempts} attempts");
    assert!(attempts > 90, "{attempts}");
    assert_eq!(state(&house), before);
    // To its owner it is all there.
    for path in [
        "/containers/{id}/json",
        "/networks/{id}",
        "/volumes/{volume}",
        "/services/{id}",
        "/tasks/{id}",
        "/secrets/{id}",
        "/configs/{id}",
        "/exec/{id}/json",
        "/images/{name}/json",
    ] {
        for name in things.named(path) {
            let place = path.find('{').unwrap()..path.find('}').unwrap() + 1;
            let target = format!("/v1.41{}", path.replace(&path[place], &name));
            let answer = past(house.alice(), "GET", &target, &Value::Null);
            assert_eq!(answer.status, 200, "{target}: {}", answer.text());
        }
    }
}

/// One operation on what another has; how many were tried.
fn attempt(house: &House, operation: Operation, name: &str) -> u32 {
    let spec = operation.spec();
    let (query, body) = valid(operation);
    let target = |name: &str| {
        let path = spec.path.replace("{checkpoint}", "c");
        let place = path.find('{').unwrap()..path.find('}').unwrap() + 1;
        format!("/v1.41{}{query}", path.replace(&path[place], name))
    };
    let changes_image = matches!(operation, Operation::ImageDelete | Operation::ImageTag);
    if operation.name().starts_with("Image") && !changes_image {
        return 0;
    }
    let answer = past(house.bob(), spec.method, &target(name), &body);
    if changes_image {
        assert_eq!(
            answer.status,
            403,
            "{operation:?} {name}: {}",
            answer.text()
        );
        return 1;
    }
    // This daemon has no checkpoints; and a container that does not run takes any network's name.
    let is_not_looked_for = matches!(
        operation,
        Operation::NetworkConnect
            | Operation::NetworkDisconnect
            | Operation::ContainerCheckpointList
            | Operation::ContainerCheckpointCreate
            | Operation::ContainerCheckpointDelete
    );
    if is_not_looked_for {
        assert_eq!(answer.status, 404, "{operation:?} {name}");
        return 1;
    }
    let missing = house.past(spec.method, &target(MISSING), &body);
    let expected = missing.text().replace(MISSING, name);
    assert_eq!(
        answer.status,
        missing.status,
        "{operation:?} {name}: {}",
        answer.text()
    );
    if !answer.body.is_empty() {
        // Some daemons say before it what they could not do.
        let told = answer.message();
        let words = json::parse(expected.as_bytes());
        let words = words.map_or(expected, |words| words.text("message").to_owned());
        assert!(
            words.trim().ends_with(&told) || words.contains("page not found"),
            "{operation:?} {name}: {told}, not {words}"
        );
    }
    1
}

/// What an operation needs beside the name, so that nothing else is wrong with it.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "most operations need nothing"
)]
fn valid(operation: Operation) -> (&'static str, Value) {
    let none = Value::Null;
    match operation {
        Operation::ContainerArchive
        | Operation::ContainerArchiveInfo
        | Operation::PutContainerArchive => ("?path=/", none),
        Operation::ContainerRename => ("?name=taken", none),
        Operation::ContainerResize | Operation::ExecResize => ("?h=10&w=10", none),
        Operation::ContainerLogs | Operation::ServiceLogs | Operation::TaskLogs => {
            ("?stdout=1", none)
        }
        Operation::ContainerStats => ("?stream=0", none),
        Operation::ContainerExec => ("", serde_json::json!({ "Cmd": ["true"] })),
        Operation::ExecStart => ("", serde_json::json!({ "Detach": true })),
        Operation::ContainerUpdate => ("", serde_json::json!({ "Memory": 67_108_864 })),
        Operation::ContainerDelete | Operation::VolumeDelete => ("?force=1", none),
        Operation::NetworkConnect | Operation::NetworkDisconnect => {
            ("", serde_json::json!({ "Container": "bobs" }))
        }
        Operation::ServiceUpdate => (
            "?version=1",
            serde_json::json!({ "Name": "x", "TaskTemplate": { "ContainerSpec": { "Image": "busybox" } } }),
        ),
        Operation::SecretUpdate | Operation::ConfigUpdate => {
            ("?version=1", serde_json::json!({ "Name": "x" }))
        }
        Operation::ContainerCheckpointCreate => ("", serde_json::json!({ "CheckpointID": "c" })),
        Operation::ImageTag => ("?repo=taken", none),
        _ => ("", none),
    }
}
