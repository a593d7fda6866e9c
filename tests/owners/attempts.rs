//! Each owner's attempts on the things of the other: every operation that names something, by every text that finds it.

use std::collections::BTreeSet;

use dockgate::engine_api::Operation;

use super::*;

#[test]
fn what_is_anothers_is_not_there() {
    let house = House::new("[shared]\nimages = false");
    let alices = Things::of(&house, house.alice(), "a");
    let bobs = Things::of(&house, house.bob(), "b");
    let before = state(&house);
    let mut attempts = Attempts::default();
    for (address, own, others) in [
        (house.bob(), &bobs, &alices),
        (house.alice(), &alices, &bobs),
    ] {
        for operation in Operation::all() {
            let spec = operation.spec();
            if spec.is_modelled && spec.path.contains('{') {
                for names in others.named(spec.path) {
                    attempts.attempt((&house, address), operation, own, &names);
                }
            }
        }
    }
    eprintln!("{} attempts", attempts.count);
    assert!(attempts.count > 350, "{}", attempts.count);
    // What is left out is left out for a reason, and nothing else is.
    let unlike: Vec<&str> = attempts.unlike.into_iter().collect();
    assert_eq!(unlike, UNLIKE);
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
        for (name, _) in alices.named(path) {
            let target = target(path, &name);
            let answer = past(house.alice(), "GET", &target, &Value::Null);
            assert_eq!(answer.status, 200, "{target}: {}", answer.text());
        }
    }
}

#[test]
fn an_image_that_is_shared_is_changed_by_its_owner_alone() {
    let house = House::new("");
    let body = json!({ "Image": "busybox" });
    makes(house.alice(), "/v1.41/containers/create?name=one", &body);
    let target = "/v1.41/commit?container=one&repo=a-image";
    let id = makes(house.alice(), target, &json!({}));
    for name in [
        "a-image",
        "docker.io/library/a-image:latest",
        &id,
        &id[7..19],
    ] {
        for (method, target) in [
            ("DELETE", format!("/v1.41/images/{name}")),
            ("DELETE", format!("/v1.41/images/{name}?force=1")),
            ("POST", format!("/v1.41/images/{name}/tag?repo=taken")),
        ] {
            let answer = past(house.bob(), method, &target, &Value::Null);
            assert_eq!(answer.status, 403, "{target}: {}", answer.text());
        }
    }
    assert_eq!(house.read("/v1.41/images/a-image/json")["Id"], id.as_str());
    let removed = past(
        house.alice(),
        "DELETE",
        "/v1.41/images/a-image",
        &Value::Null,
    );
    assert_eq!(removed.status, 200, "{}", removed.text());
}

/// Operations which this daemon answers with other words, or not at all, where what they name is not there: it has no
/// checkpoints, attestations and changes of volumes; asks a swarm for the network first, and a push for credentials; and
/// reads an archive's names by itself.
const UNLIKE: &[&str] = &[
    "ContainerCheckpointCreate",
    "ContainerCheckpointDelete",
    "ContainerCheckpointList",
    "ImageAttestations",
    "ImageGet",
    "ImagePush",
    "NetworkConnect",
    "VolumeUpdate",
];

#[derive(Debug, Default)]
struct Attempts {
    count: usize,
    unlike: BTreeSet<&'static str>,
}

impl Attempts {
    /// One operation on what another has: answered as for what is not there, by the gate and by the daemon itself.
    fn attempt(
        &mut self,
        (house, address): (&House, &Address),
        operation: Operation,
        own: &Things,
        (name, missing): &(String, String),
    ) {
        let spec = operation.spec();
        let (query, body) = valid(operation, own);
        let target = |name: &str| target(spec.path, name) + query;
        let told = past(address, spec.method, &target(name), &body);
        let absent = past(address, spec.method, &target(missing), &body);
        let case = format!("{operation:?} {name}: {}", told.text());
        assert!(matches!(told.status, 404 | 204), "{} {case}", told.status);
        assert_eq!(told.status, absent.status, "{case}");
        // Of a name of an image the daemon says the familiar form, which is the bare name in both.
        let bare = |text: &str, name: &str| {
            let name = name.rsplit('/').next().unwrap_or_default();
            let name = name.trim_start_matches("sha256:");
            text.replace(name.trim_end_matches(":latest"), "NAME")
        };
        let expected = bare(&absent.text(), missing);
        assert_eq!(bare(&told.text(), name), expected, "{case}");
        self.count += 1;
        let daemons = house.past(spec.method, &target(missing), &body);
        let words = bare(&message(&daemons), missing);
        let said = bare(&message(&absent), missing);
        // Some say before it what they could not do.
        let is_like = daemons.status == told.status
            && (words == said || words.ends_with(&format!(": {said}")));
        if !is_like {
            self.unlike.insert(spec.name);
        }
    }
}

fn message(answer: &Answer) -> String {
    let text = answer.text();
    let told = dockgate::engine_api::json::parse(text.as_bytes());
    let told = told.map_or(text, |told| told.text("message").to_owned());
    told.trim().to_owned()
}

fn target(path: &str, name: &str) -> String {
    let path = path.replace("{checkpoint}", "c");
    let place = path.find('{').unwrap()..path.find('}').unwrap() + 1;
    format!("/v1.41{}", path.replace(&path[place], name))
}

/// What an operation needs beside the name, so that nothing else is wrong with it.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "most operations need nothing"
)]
fn valid(operation: Operation, own: &Things) -> (&'static str, Value) {
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
        Operation::ContainerExec => ("", json!({ "Cmd": ["true"] })),
        Operation::ExecStart => ("", json!({ "Detach": true })),
        Operation::ContainerUpdate => ("", json!({ "Memory": 67_108_864 })),
        Operation::ContainerDelete | Operation::VolumeDelete => ("?force=1", none),
        Operation::NetworkConnect | Operation::NetworkDisconnect => {
            ("", json!({ "Container": own.container }))
        }
        Operation::ServiceUpdate => (
            "?version=1",
            json!({ "Name": "x", "TaskTemplate": { "ContainerSpec": { "Image": "busybox" } } }),
        ),
        Operation::SecretUpdate | Operation::ConfigUpdate => ("?version=1", json!({ "Name": "x" })),
        Operation::ContainerCheckpointCreate => ("", json!({ "CheckpointID": "c" })),
        Operation::ImagePush => ("?tag=latest", none),
        Operation::ImageTag => ("?repo=taken", none),
        _ => ("", none),
    }
}
