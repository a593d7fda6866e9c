//! Other containers and images that a request leads to, as they stand at the real daemon.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::Instant;

use serde_json::{Value, json};

use super::networks::{create, exists, through};
use super::races::RACE;
use super::{Names, make, past, starts};
use crate::support::gate::Gate;
use crate::support::{self, process};

const JOINING: &str = "description = \"a test\"\n[[permit]]\noperations = [\"Container:*\"]\n[container]\nimages = [\"*\"]\n\
    networks = [\"*\"]\nnamespaces = [\"container-network\", \"container-pid\", \"container-ipc\"]\nvolumes-from = true\n\
    links = [\"*\"]\n[network]\ndefault-bridge = \"any\"\n";

/// Every way to join another container, and where the daemon shows it.
fn joins(other: &str) -> [(&'static str, Value, &'static str); 4] {
    let mode = format!("container:{other}");
    [
        (
            "network",
            json!({ "NetworkMode": mode }),
            "/HostConfig/NetworkMode",
        ),
        ("pid", json!({ "PidMode": mode }), "/HostConfig/PidMode"),
        ("ipc", json!({ "IpcMode": mode }), "/HostConfig/IpcMode"),
        (
            "volumes",
            json!({ "VolumesFrom": [other] }),
            "/HostConfig/VolumesFrom/0",
        ),
    ]
}

fn container(name: &str) -> Value {
    support::json(past("GET", &format!("/v1.41/containers/{name}/json"), "").body)
}

#[test]
fn a_joined_container_is_judged_and_pinned() {
    let (gate, names) = (Gate::with_policy(JOINING), Names::new());
    let (harmless, bound) = (names.name("harmless"), names.name("bound"));
    let id = make(&harmless, &json!({ "IpcMode": "shareable" }));
    make(
        &bound,
        &json!({ "IpcMode": "shareable", "Binds": ["/etc:/h:ro"] }),
    );
    assert!(starts(&harmless) && starts(&bound));
    for (way, host_config, _) in joins(&bound) {
        let name = names.name(&format!("{way}-bound"));
        let answer = create(&gate, &name, json!({ "HostConfig": host_config }));
        assert_eq!(answer.status, 403, "{way}: {}", answer.text());
        let message = answer.message();
        assert!(message.contains("host-path: `HostConfig."), "{message}");
        assert!(!exists(&name), "{way}");
    }
    for (way, host_config, pointer) in joins(&harmless) {
        let name = names.name(&format!("{way}-harmless"));
        let answer = create(&gate, &name, json!({ "HostConfig": host_config }));
        assert_eq!(answer.status, 201, "{way}: {}", answer.text());
        let found = container(&name);
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
    let (linked, link) = (names.name("linked"), format!("{}:db", &id[..12]));
    let answer = create(&gate, &linked, json!({ "HostConfig": { "Links": [link] } }));
    assert_eq!(answer.status, 201, "{}", answer.text());
    assert!(starts(&linked));
}

/// Two images: one that the policy names, and one that it does not.
struct Images {
    good: String,
    evil: String,
    good_id: String,
    evil_id: String,
}

impl Images {
    fn make(names: &Names) -> Self {
        let (good, evil) = (names.name("good"), names.name("evil"));
        Self::tag(&good);
        let base = make(&names.name("base"), &json!({}));
        let target = format!("/v1.41/commit?container={base}&repo={evil}&changes=LABEL+a%3Db");
        assert_eq!(past("POST", &target, "").status, 201);
        let (good_id, evil_id) = (Self::id(&good), Self::id(&evil));
        assert_ne!(good_id, evil_id);
        Self {
            good,
            evil,
            good_id,
            evil_id,
        }
    }

    fn tag(name: &str) {
        past(
            "POST",
            &format!("/v1.41/images/busybox/tag?repo={name}"),
            "",
        );
    }

    fn id(name: &str) -> String {
        let image = past("GET", &format!("/v1.41/images/{name}/json"), "");
        support::json(image.body)["Id"].as_str().unwrap().to_owned()
    }

    /// Creates a container by this name or id; whether the daemon made one, of the image that the policy names.
    fn runs(&self, gate: &Gate, names: &Names, asked: &str) -> bool {
        let name = names.name(&process::unique("c"));
        let target = format!("/v1.41/containers/create?name={name}");
        let body = json!({ "Image": asked, "Cmd": ["true"] });
        let answer = through(gate, "POST", &target, &body);
        if answer.status == 201 {
            assert_eq!(container(&name)["Image"], self.good_id.as_str(), "{asked}");
        } else {
            assert!(matches!(answer.status, 403 | 404), "{}", answer.text());
        }
        answer.status == 201
    }
}

fn short(id: &str) -> String {
    id.trim_start_matches("sha256:").chars().take(12).collect()
}

#[test]
fn a_container_of_a_name_that_has_moved_is_not_entered() {
    let names = Names::new();
    let images = Images::make(&names);
    let (moved, good) = (names.name("moved"), &images.good);
    let gate = Gate::with_policy(&format!(
        "description = \"a test\"\n[[permit]]\noperations = [\"Container:*\", \"Exec:*\"]\n\
         [container]\nimages = [\"docker.io/library/{good}\"]\nnetworks = [\"*\"]\n[network]\ndefault-bridge = \"any\"\n"
    ));
    let past_the_gate = |name: &str| {
        let body = json!({ "Image": good, "Cmd": ["sleep", "600"] });
        let target = format!("/v1.41/containers/create?name={name}");
        assert_eq!(past("POST", &target, &body.to_string()).status, 201);
    };
    let tagged = |image: &str| {
        let target = format!("/v1.41/images/{image}/tag?repo={good}");
        assert_eq!(past("POST", &target, "").status, 201);
    };
    // For a while the permitted name stands for what it should not.
    tagged(&images.evil_id);
    past_the_gate(&moved);
    tagged(&images.good_id);
    let honest = names.name("honest");
    past_the_gate(&honest);
    let start = |name: &str| {
        let target = format!("/v1.41/containers/{name}/start");
        through(&gate, "POST", &target, &Value::Null)
    };
    let answer = start(&moved);
    assert_eq!(answer.status, 403, "{}", answer.text());
    let message = answer.message();
    assert!(
        message.contains("image: `Image`") || message.contains("image: `container.Image`"),
        "{message}"
    );
    assert_eq!(container(&moved)["State"]["Status"], "created");
    assert_eq!(start(&honest).status, 204);
    assert!(starts(&moved));
    let exec = json!({ "Cmd": ["true"] });
    for (name, status) in [(&moved, 403), (&honest, 201)] {
        let target = format!("/v1.41/containers/{name}/exec");
        assert_eq!(
            through(&gate, "POST", &target, &exec).status,
            status,
            "{name}"
        );
    }
    assert_eq!(container(&moved)["ExecIDs"], Value::Null);
}

#[test]
fn a_tag_that_moves_while_it_is_judged_runs_nothing_else() {
    let names = Names::new();
    let images = Images::make(&names);
    let Images {
        good,
        evil,
        good_id,
        evil_id,
    } = &images;
    let gate = Gate::with_policy(&format!(
        "description = \"a test\"\n[[permit]]\noperations = [\"Container:*\", \"ImageTag\", \"ImageCommit\"]\n\
         [container]\nimages = [\"docker.io/library/{good}\"]\nnetworks = [\"*\"]\n\
         [image]\nreferences = [\"docker.io/library/{good}\"]\n[network]\ndefault-bridge = \"any\"\n"
    ));
    let (over, ran, began) = (AtomicBool::new(false), AtomicU32::new(0), Instant::now());
    thread::scope(|scope| {
        // One client would have the name stand for the other image, by every spelling.
        scope.spawn(|| {
            while !over.load(Ordering::SeqCst) {
                for source in [evil, evil_id, &short(evil_id)] {
                    let target = format!("/v1.41/images/{source}/tag?repo={good}&tag=latest");
                    through(&gate, "POST", &target, &Value::Null);
                }
            }
        });
        // Someone past the gate takes the name away and gives it back.
        scope.spawn(|| {
            while !over.load(Ordering::SeqCst) {
                past("DELETE", &format!("/v1.41/images/{good}:latest"), "");
                Images::tag(good);
            }
        });
        scope.spawn(|| {
            while began.elapsed() < RACE {
                for asked in [good, good_id, &short(good_id), evil_id, &short(evil_id)] {
                    ran.fetch_add(
                        u32::from(images.runs(&gate, &names, asked)),
                        Ordering::SeqCst,
                    );
                }
            }
            over.store(true, Ordering::SeqCst);
        });
    });
    assert!(ran.load(Ordering::SeqCst) > 0, "nothing was won at all");
    Images::tag(good);
    assert_eq!(Images::id(good), *good_id);
}
