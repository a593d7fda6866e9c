//! Clients that keep to their own: what they may ask, what is made of it, and what they see of the answer.

use std::sync::Arc;

use super::super::view::View;
use super::*;
use crate::engine_api::json::{self, Value};
use crate::engine_api::{ExistingNetwork, Kind, Owned};
use crate::policy::{Pattern, Shared};

const EVERYTHING: &str = "[[permit]]\nmethods = [\"GET\", \"POST\"]\npath = \"/libpod/.*\"";

pub(super) fn alice() -> Facts {
    let shared = Shared {
        volumes: vec![Pattern::parse("common").unwrap()],
        ..Shared::default()
    };
    Facts {
        owner: "alice".to_owned(),
        shared: Some(Arc::new(shared)),
        ..Facts::default()
    }
}

fn thing(id: &str, owner: &str) -> Found<Owned> {
    Found::Is(Owned {
        id: id.to_owned(),
        owner: Some(owner.to_owned()),
        ..Owned::default()
    })
}

#[test]
fn a_request_by_path_is_refused_whatever_it_asks() {
    let policy = policy(EVERYTHING);
    for line in ["GET /libpod/info", "POST /libpod/containers/create"] {
        let (method, target) = line.split_once(' ').unwrap();
        let read = RequestHead::parse(method, target).unwrap().unjudged();
        assert!(matches!(
            decide(&policy, read.clone(), &Facts::default()),
            Decision::Permit(_)
        ));
        let Decision::Refuse(refusal) = decide(&policy, read, &alice()) else {
            panic!("{line} is permitted");
        };
        assert_eq!(refusal.reasons[0].code, "no-owner-there", "{line}");
        let text = refusal.to_string();
        assert!(
            text.contains("without an `owner`") && text.contains(line),
            "{text}"
        );
    }
}

fn refused(line: &str, body: &str, facts: &Facts) -> Vec<&'static str> {
    match decide(&policy(EVERYTHING), request(line, body), facts) {
        Decision::Permit(_) => Vec::new(),
        Decision::Refuse(refusal) => refusal.reasons.iter().map(|reason| reason.code).collect(),
    }
}

#[test]
fn builds_are_nobodys_to_cancel() {
    let line = "POST /v1.41/build/cancel?id=x";
    assert_eq!(refused(line, "", &alice()), ["no-owner-there"]);
}

pub(super) fn pinned(line: &str, body: &str, facts: &Facts) -> String {
    match decide(&policy(EVERYTHING), request(line, body), facts) {
        Decision::Permit(permit) => permit.request().target(),
        Decision::Refuse(refusal) => panic!("{line}: {refusal}"),
    }
}

#[test]
fn what_was_found_is_what_the_daemon_takes() {
    let mut facts = alice();
    for (kind, id) in [
        (Kind::Task, "task"),
        (Kind::Service, "service"),
        (Kind::Secret, "secret"),
        (Kind::Container, "container"),
    ] {
        facts
            .things
            .insert((kind, "x".to_owned()), thing(id, "alice"));
    }
    for (target, expected) in [
        ("/tasks/x", "/tasks/task"),
        ("/tasks/x/logs?stdout=1", "/tasks/task/logs?stdout=1"),
        ("/services/x", "/services/service"),
        ("/secrets/x", "/secrets/secret"),
        ("/containers/x/json", "/containers/container/json"),
    ] {
        let told = pinned(&format!("GET /v1.41{target}"), "", &facts);
        assert_eq!(told, format!("/v1.41{expected}"));
    }
}

#[test]
fn what_is_not_there_is_told_as_what_is_anothers() {
    let hex = "c0ffee00".repeat(8);
    let images = Shared {
        images: false,
        ..Shared::default()
    };
    for (line, kind, name) in [
        ("GET /v1.41/containers/x/json", Kind::Container, "x"),
        ("POST /v1.41/containers/x/kill", Kind::Container, "x"),
        ("GET /v1.41/exec/x/json", Kind::Exec, "x"),
        ("GET /v1.41/tasks/x", Kind::Task, "x"),
        ("DELETE /v1.41/secrets/x", Kind::Secret, "x"),
        ("GET /v1.41/images/x/json", Kind::Image, "x"),
        ("GET /v1.41/images/x/get", Kind::Image, "x"),
        ("POST /v1.41/images/x/push", Kind::Image, "x:latest"),
        (
            "DELETE /v1.41/images/docker.io/library/x",
            Kind::Image,
            "docker.io/library/x",
        ),
        (
            &format!("GET /v1.41/images/{hex}/history"),
            Kind::Image,
            &hex,
        ),
    ] {
        let told = |found: Found<Owned>| {
            let mut facts = alice();
            facts.shared = Some(Arc::new(images.clone()));
            let image = name.strip_suffix(":latest").unwrap_or(name).to_owned();
            facts.things.insert((kind, image), found.clone());
            facts.things.insert((kind, name.to_owned()), found);
            match decide(&policy(EVERYTHING), request(line, ""), &facts) {
                Decision::Refuse(refusal) => refusal.answered.expect(line),
                Decision::Permit(_) => panic!("{line} is permitted"),
            }
        };
        let absent = Found::Answered {
            status: 404,
            message: "the daemon says it in other words".to_owned(),
        };
        assert_eq!(told(absent.clone()), told(thing("id", "bob")), "{line}");
        assert_eq!(told(absent).0, 404, "{line}");
    }
}

#[test]
fn a_name_is_taken_from_no_id_of_the_swarm() {
    let created = |line: &str, name: &str, found: Found<Owned>| {
        let kind = if line.contains("secrets") {
            Kind::Secret
        } else {
            Kind::Config
        };
        let mut facts = alice();
        facts.things.insert((kind, name.to_owned()), found);
        let body = format!(r#"{{"Name":"{name}","Data":"eA=="}}"#);
        refused(line, &body, &facts)
    };
    let id = "4792w4xdsgvz3nrg8jdr35oq1";
    let absent = Found::Answered {
        status: 404,
        message: String::new(),
    };
    for line in ["POST /v1.41/secrets/create", "POST /v1.41/configs/create"] {
        for name in [id, "4792w4xdsgvz", "4792"] {
            assert_eq!(
                created(line, name, thing(id, "bob")),
                ["name-taken"],
                "{name}"
            );
            assert!(created(line, name, thing(id, "alice")).is_empty(), "{name}");
            assert!(created(line, name, absent.clone()).is_empty(), "{name}");
        }
        // Another's has that very name: the daemon says so.
        assert!(created(line, "taken", thing(id, "bob")).is_empty());
    }
}

fn view(line: &str) -> View {
    let view = View::of(&policy(EVERYTHING), &request(line, ""), &alice());
    *Box::new(view.expect(line)).for_status(200).expect(line)
}

pub(super) fn shown(line: &str, answer: &str) -> Value {
    let mut value = json::parse(answer.as_bytes()).unwrap();
    assert!(view(line).show(&mut value), "{line}");
    value
}

#[test]
fn who_uses_an_image_is_not_told() {
    let image = r#"{"Id":"i","Containers":3,"Manifests":[{"ID":"m","ImageData":{"Containers":["abc"],"Size":1}}]}"#;
    for line in [
        "GET /v1.51/images/json",
        "GET /v1.51/images/i/json?manifests=1",
    ] {
        let told = shown(line, image).to_string();
        assert!(
            told.contains(r#""ImageData":{"Containers":[],"Size":1}"#),
            "{told}"
        );
        assert!(
            line.contains("/i/") || told.contains(r#""Containers":-1"#),
            "{told}"
        );
    }
    let plain = View::of(
        &policy(EVERYTHING),
        &request("GET /v1.51/images/i/json", ""),
        &alice(),
    );
    assert!(plain.is_none());
}

#[test]
fn errors_are_reworded_where_anothers_thing_can_stand_in_the_way() {
    let reads = |line: &str, body: &str, facts: &Facts| {
        let view = View::of(&policy(EVERYTHING), &request(line, body), facts).map(Box::new);
        let is_success_read = view.as_ref().is_some_and(|view| view.takes_apart());
        (
            is_success_read,
            view.is_some_and(|view| view.for_status(409).is_some()),
        )
    };
    let create = (
        "POST /v1.41/containers/create?name=x",
        r#"{"Image":"busybox"}"#,
    );
    assert_eq!(reads(create.0, create.1, &alice()), (false, true));
    assert_eq!(reads(create.0, create.1, &Facts::default()), (false, false));
    for (line, expected) in [
        ("POST /v1.41/containers/x/rename?name=y", true),
        ("DELETE /v1.41/images/x", true),
        ("DELETE /v1.41/volumes/common", true),
        ("DELETE /v1.41/volumes/own", false),
        ("DELETE /v1.41/containers/x", false),
    ] {
        assert_eq!(reads(line, "", &alice()), (false, expected), "{line}");
    }
    let mut facts = alice();
    let network = ExistingNetwork {
        id: "0b".repeat(32),
        name: "own".to_owned(),
        driver: "bridge".to_owned(),
        scope: "local".to_owned(),
        has_icc: false,
        owner: Some("alice".to_owned()),
    };
    facts.networks.insert("own".to_owned(), Found::Is(network));
    assert_eq!(
        reads("DELETE /v1.41/networks/own", "", &facts),
        (false, false)
    );
}

#[test]
fn events_are_narrowed_by_the_daemon_or_by_the_gate() {
    let of = |line: &str| View::of(&policy(EVERYTHING), &request(line, ""), &alice());
    let by_gate = "GET /v1.41/events";
    assert_eq!(of(by_gate).unwrap().owner_of_events(), Some("alice"));
    assert_eq!(pinned(by_gate, "", &alice()), "/v1.41/events");
    let by_daemon = "GET /v1.41/events?filters={%22type%22:[%22container%22]}";
    assert!(of(by_daemon).is_none());
    let asked = pinned(by_daemon, "", &alice());
    assert!(asked.contains("dockgate.owner%3Dalice"), "{asked}");
    let anyones = View::of(
        &policy(EVERYTHING),
        &request(by_gate, ""),
        &Facts::default(),
    );
    assert!(anyones.is_none());
}
