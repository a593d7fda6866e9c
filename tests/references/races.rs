//! Two clients at once: names and volumes that change between the check and the use.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use super::{Names, make, past, refused, starts, state};
use crate::support::gate::Gate;
use crate::support::wait::{self, DEADLINE};
use crate::support::{self, http};

/// How long each race is tried.
pub(super) const RACE: Duration = Duration::from_secs(4);

/// How long the volume and how long the create waits, so that each comes first now and then on any machine.
const JITTER: &[(Duration, Duration)] = &[
    (Duration::ZERO, Duration::ZERO),
    (Duration::from_micros(500), Duration::ZERO),
    (Duration::from_millis(1), Duration::ZERO),
    (Duration::from_millis(2), Duration::ZERO),
    (Duration::from_millis(4), Duration::ZERO),
    (Duration::from_millis(8), Duration::ZERO),
    (Duration::from_millis(40), Duration::ZERO),
    (Duration::ZERO, Duration::from_millis(1)),
];

#[test]
fn a_name_that_moves_while_it_is_judged_leads_nowhere_else() {
    let (gate, names) = (Gate::guarded(), Names::new());
    let (name, aside) = (names.name("name"), names.name("aside"));
    let harmless = make(&names.name("harmless"), &json!({}));
    let bound = make(&names.name("bound"), &json!({ "Binds": ["/etc:/h:ro"] }));
    assert!(starts(&harmless) && starts(&bound));
    let (over, made) = (AtomicBool::new(false), AtomicU32::new(0));
    let began = Instant::now();
    thread::scope(|scope| {
        scope.spawn(|| {
            // The name stands for one and for the other in turn.
            let rename = |id: &str, to: &str| {
                past(
                    "POST",
                    &format!("/v1.41/containers/{id}/rename?name={to}"),
                    "",
                );
            };
            while !over.load(Ordering::SeqCst) {
                rename(&harmless, &name);
                rename(&harmless, &aside);
                rename(&bound, &name);
                rename(&bound, &names.name("other"));
            }
        });
        for _ in 0..2 {
            scope.spawn(|| {
                let target = format!("/v1.41/containers/{name}/exec");
                while began.elapsed() < RACE {
                    let answer =
                        http::request(gate.address(), "POST", &target, r#"{"Cmd":["true"]}"#);
                    match answer.status {
                        201 => made.fetch_add(1, Ordering::SeqCst),
                        403 | 404 => 0,
                        other => panic!("{other}: {}", answer.text()),
                    };
                }
                over.store(true, Ordering::SeqCst);
            });
        }
    });
    let execs = |id: &str| state(id)["execs"].as_array().map_or(0, Vec::len);
    assert_eq!(execs(&bound), 0);
    let made = made.load(Ordering::SeqCst);
    assert!(made > 0, "nothing was won at all");
    assert_eq!(execs(&harmless), usize::try_from(made).unwrap());
}

#[test]
fn a_volume_that_comes_up_while_it_is_judged_is_not_started_with() {
    let (gate, names) = (Gate::guarded(), Names::new());
    let (volume, name) = (names.name("volume"), names.name("container"));
    let bind =
        json!({ "Name": volume, "DriverOpts": { "type": "none", "o": "bind", "device": "/etc" } });
    let bind = bind.to_string();
    let body = json!({ "Image": "busybox", "Cmd": ["cat", "/v/hostname"],
        "HostConfig": { "Binds": [format!("{volume}:/v")] } })
    .to_string();
    let began = Instant::now();
    let (mut lost, mut kept, mut tried) = (0, 0, 0);
    let has_seen_both = |lost: u32, kept: u32| lost > 0 && kept > 0;
    while began.elapsed() < RACE || (!has_seen_both(lost, kept) && began.elapsed() < DEADLINE) {
        let create = format!("/v1.41/containers/create?name={name}");
        // From well before the create to well after the gate has looked.
        let (head_start, tail) = JITTER[tried % JITTER.len()];
        tried += 1;
        let created = thread::scope(|scope| {
            scope.spawn(|| {
                wait::pause(head_start);
                past("POST", "/v1.41/volumes/create", &bind)
            });
            wait::pause(tail);
            http::request(gate.address(), "POST", &create, &body)
        });
        let target = format!("/v1.41/containers/{name}/start");
        let started = http::request(gate.address(), "POST", &target, "");
        let made = support::json(past("GET", &format!("/v1.41/volumes/{volume}"), "").body);
        let is_bind = made["Options"]["o"] == "bind";
        match (created.status, is_bind) {
            (403, true) => assert_eq!(started.status, 404),
            (201, true) => {
                refused(&started, "volume-host-path", &target);
                lost += 1;
            }
            (201, false) => {
                assert_eq!(started.status, 204, "{}", started.text());
                kept += 1;
            }
            other => panic!("{other:?}: {}", created.text()),
        }
        past("DELETE", &format!("/v1.41/containers/{name}?force=1"), "");
        past("DELETE", &format!("/v1.41/volumes/{volume}?force=1"), "");
    }
    println!("{tried} tries: {lost} containers got the other volume, {kept} came first");
    assert!(
        has_seen_both(lost, kept),
        "{tried} tries: {lost} lost, {kept} kept"
    );
}
