//! Other containers and images that a request refers to: joined, linked, connected, run by their id.

use super::*;
use crate::engine_api::{ExistingContainer, ExistingImage};

const ID: &str = "0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d";

fn other(host_config: &str) -> Facts {
    let text = format!(
        r#"{{"Id":"{ID}","Name":"/db","Config":{{"Image":"busybox"}},"HostConfig":{host_config}}}"#
    );
    let found = ExistingContainer::read(text.as_bytes()).unwrap();
    Facts {
        others: [("other".to_owned(), Found::Is(found))].into(),
        ..Facts::default()
    }
}

fn open(more: &str) -> Policy {
    policy(&format!("[container]\n{OPEN}{more}\n{BRIDGE}"))
}

/// A way to refer to another container, the keys that open it, and how it goes on.
const JOINS: &[(&str, &str, &str)] = &[
    (
        r#"{"NetworkMode":"container:other"}"#,
        r#"namespaces = ["container-network"]"#,
        r#"{"NetworkMode":"container:ID"}"#,
    ),
    (
        r#"{"NetworkMode":"none","PidMode":"container:other"}"#,
        r#"namespaces = ["container-pid"]"#,
        r#"{"NetworkMode":"none","PidMode":"container:ID"}"#,
    ),
    (
        r#"{"NetworkMode":"none","IpcMode":"container:other"}"#,
        r#"namespaces = ["container-ipc"]"#,
        r#"{"NetworkMode":"none","IpcMode":"container:ID"}"#,
    ),
    (
        r#"{"NetworkMode":"none","VolumesFrom":["other:ro"]}"#,
        "volumes-from = true",
        r#"{"NetworkMode":"none","VolumesFrom":["ID:ro"]}"#,
    ),
];

#[test]
fn a_container_that_is_joined_is_held_against_the_limits_of_a_create_and_pinned() {
    let harmless = r#"{"NetworkMode":"none"}"#;
    for (host_config, key, pinned) in JOINS {
        let body = format!(r#"{{"Image":"a","HostConfig":{host_config}}}"#);
        assert_eq!(
            codes(&open(""), CREATE, &body, &other(harmless)).len(),
            1,
            "{body}"
        );
        let policy = open(key);
        for (theirs, code) in [
            (r#"{"NetworkMode":"none","Privileged":true}"#, "privileged"),
            (r#"{"NetworkMode":"none","Binds":["/:/h"]}"#, "host-path"),
            (r#"{"NetworkMode":"host"}"#, "host-network"),
        ] {
            assert_eq!(
                codes(&policy, CREATE, &body, &other(theirs)),
                [code],
                "{body} {theirs}"
            );
        }
        let facts = over_ordinary(&policy, &request(CREATE, &body), &other(harmless));
        let Decision::Permit(permit) = decide(&policy, request(CREATE, &body), &facts) else {
            panic!("{body}");
        };
        let Body::Json(forwarded) = &permit.request().body else {
            panic!("no body");
        };
        let expected = pinned.replace("ID", ID);
        assert_eq!(forwarded.get("HostConfig").unwrap().to_string(), expected);
    }
}

#[test]
fn a_build_joins_the_container_that_was_judged() {
    let (policy, line) = (
        open(r#"namespaces = ["container-network"]"#),
        "POST /build?networkmode=container:other",
    );
    let privileged = other(r#"{"NetworkMode":"none","Privileged":true}"#);
    assert_eq!(codes(&policy, line, "", &privileged), ["privileged"]);
    let facts = other(r#"{"NetworkMode":"none"}"#);
    let facts = over_ordinary(&policy, &request(line, ""), &facts);
    let Decision::Permit(permit) = decide(&policy, request(line, ""), &facts) else {
        panic!("refused");
    };
    let target = permit.request().target();
    assert!(target.contains(ID) && !target.contains("other"), "{target}");
}

#[test]
fn a_container_that_nobody_looked_up_is_not_joined() {
    for (host_config, key, _) in JOINS {
        let body = format!(r#"{{"Image":"a","HostConfig":{host_config}}}"#);
        let policy = open(key);
        let mut facts = over_ordinary(&policy, &request(CREATE, &body), &Facts::default());
        facts.others.clear();
        let Decision::Refuse(refusal) = decide(&policy, request(CREATE, &body), &facts) else {
            panic!("{body}");
        };
        assert_eq!(refusal.reasons[0].code, "container-unknown", "{body}");
        let message = "No such container: other".to_owned();
        let gone = Found::Answered {
            status: 404,
            message: message.clone(),
        };
        facts.others.insert("other".to_owned(), gone);
        let Decision::Refuse(refusal) = decide(&policy, request(CREATE, &body), &facts) else {
            panic!("{body}");
        };
        assert_eq!(refusal.answered, Some((404, message)), "{body}");
    }
}

#[test]
fn the_mounts_that_another_container_has_of_a_third_count_too() {
    let text = format!(
        r#"{{"Id":"{ID}","Name":"/db","Config":{{"Image":"busybox"}},"HostConfig":{{"NetworkMode":"none","VolumesFrom":["c"]}},"Mounts":[{{"Type":"bind","Source":"/etc","RW":true}}]}}"#
    );
    let found = Found::Is(ExistingContainer::read(text.as_bytes()).unwrap());
    let policy = open("volumes-from = true");
    let body = r#"{"Image":"a","HostConfig":{"NetworkMode":"none","VolumesFrom":["other"]}}"#;
    let facts = Facts {
        others: [("other".to_owned(), found.clone())].into(),
        ..Facts::default()
    };
    assert_eq!(codes(&policy, CREATE, body, &facts), ["host-path"]);
    let facts = Facts {
        container: Some(found),
        ..Facts::default()
    };
    assert_eq!(
        codes(&policy, "POST /containers/a/start", "", &facts),
        ["host-path"]
    );
}

#[test]
fn a_chain_of_joined_containers_is_followed_and_ends() {
    let policy = open(r#"namespaces = ["container-pid"]"#);
    let body = r#"{"Image":"a","HostConfig":{"NetworkMode":"none","PidMode":"container:other"}}"#;
    let facts = other(r#"{"NetworkMode":"none","PidMode":"container:third"}"#);
    let mut known = over_ordinary(&policy, &request(CREATE, body), &facts);
    assert_eq!(codes(&policy, CREATE, body, &known), Vec::<&str>::new());
    let privileged = other(r#"{"NetworkMode":"none","Privileged":true}"#);
    known
        .others
        .insert("third".to_owned(), privileged.others["other"].clone());
    assert_eq!(codes(&policy, CREATE, body, &known), ["privileged"]);
    let ring = other(r#"{"NetworkMode":"none","PidMode":"container:other"}"#);
    assert_eq!(codes(&policy, CREATE, body, &ring), ["container-unknown"]);
}

#[test]
fn a_link_is_judged_by_the_name_that_it_leads_to() {
    let body = r#"{"Image":"a","HostConfig":{"Links":["other:db"]}}"#;
    let facts = other(r#"{"NetworkMode":"none"}"#);
    assert_eq!(
        codes(&open(r#"links = ["other"]"#), CREATE, body, &facts),
        ["link"]
    );
    let policy = open(r#"links = ["db"]"#);
    let facts = over_ordinary(&policy, &request(CREATE, body), &facts);
    let Decision::Permit(permit) = decide(&policy, request(CREATE, body), &facts) else {
        panic!("refused");
    };
    let Body::Json(forwarded) = &permit.request().body else {
        panic!("no body");
    };
    assert!(
        forwarded.to_string().contains(&format!(r#"["{ID}:db"]"#)),
        "{forwarded}"
    );
}

#[test]
fn a_container_that_is_connected_is_held_against_the_same_limits() {
    let line = "POST /networks/bridge/connect";
    let body = r#"{"Container":"other"}"#;
    assert_eq!(
        codes(&open(""), line, body, &other(r#"{"NetworkMode":"none"}"#)),
        Vec::<&str>::new()
    );
    assert_eq!(
        codes(
            &open(""),
            line,
            body,
            &other(r#"{"NetworkMode":"none","PidMode":"host"}"#)
        ),
        ["host-pid"]
    );
}

fn image(tags: &[&str], digests: &[&str]) -> Facts {
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let found = ExistingImage {
        id: format!("sha256:{ID}"),
        tags: owned(tags),
        digests: owned(digests),
    };
    Facts {
        images: [("sha256:0d0d".to_owned(), Found::Is(found))].into(),
        ..Facts::default()
    }
}

#[test]
fn an_image_that_is_named_by_its_id_is_judged_by_its_names() {
    let limited = "[container]\nnetworks = [\"*\"]\nimages = [\"docker.io/library/good\"]\n[image]\nreferences = [\"docker.io/library/good\"]\n[network]\ndefault-bridge = \"any\"";
    let policy = policy(limited);
    let digest = format!("good@sha256:{ID}");
    for (facts, runs, is_tagged, is_removed) in [
        (image(&["good:1"], &[]), true, true, true),
        (image(&[], &[&digest]), true, true, true),
        (image(&["evil:1", "good:1"], &[]), true, true, false),
        (image(&["evil:good"], &[]), false, false, false),
        (image(&[], &[]), false, false, false),
    ] {
        for (line, body, expected) in [
            (CREATE, r#"{"Image":"sha256:0d0d"}"#, runs),
            ("POST /images/sha256:0d0d/tag?repo=good", "", is_tagged),
            ("DELETE /images/sha256:0d0d", "", is_removed),
        ] {
            let refused = codes(&policy, line, body, &facts);
            assert_eq!(
                refused.is_empty(),
                expected,
                "{line} {:?}: {refused:?}",
                facts.images
            );
        }
    }
    let facts = over_ordinary(
        &policy,
        &request(CREATE, r#"{"Image":"sha256:0d0d"}"#),
        &image(&["good:1"], &[]),
    );
    let Decision::Permit(permit) = decide(
        &policy,
        request(CREATE, r#"{"Image":"sha256:0d0d"}"#),
        &facts,
    ) else {
        panic!("refused");
    };
    let Body::Json(forwarded) = &permit.request().body else {
        panic!("no body");
    };
    assert_eq!(forwarded.text("Image"), format!("sha256:{ID}"));
}

#[test]
fn what_a_registry_has_is_asked_for_where_its_images_are_open() {
    let policy = policy("[image]\nreferences = [\"docker.io/library/*\"]");
    for (name, expected) in [
        ("busybox", vec![]),
        ("docker.io/library/busybox:1", vec![]),
        ("r.example/busybox", vec!["image"]),
        ("10.0.0.1:5000/x", vec!["image"]),
    ] {
        let line = format!("GET /distribution/{name}/json");
        assert_eq!(
            codes(&policy, &line, "", &Facts::default()),
            expected,
            "{name}"
        );
    }
}

#[test]
fn a_container_is_judged_by_the_image_it_has_as_well_as_by_its_name() {
    let limited = "[container]\nnetworks = [\"*\"]\nimages = [\"docker.io/library/good\"]\n[network]\ndefault-bridge = \"any\"";
    let text = format!(
        r#"{{"Id":"{ID}","Name":"/c","Image":"sha256:0d0d","Config":{{"Image":"good"}},"HostConfig":{{"NetworkMode":"none"}}}}"#
    );
    let container = ExistingContainer::read(text.as_bytes()).unwrap();
    let (start, rename) = (
        "POST /containers/a/start",
        "POST /containers/a/rename?name=b",
    );
    let narrow = policy(limited);
    let id = Reference::Image("sha256:0d0d".to_owned());
    assert_eq!(references_of(&narrow, &container), [id]);
    for (tags, expected) in [
        (&["good:1", "evil:1"][..], &[][..]),
        (&["evil:1"], &["image"]),
        (&[], &["image"]),
    ] {
        let facts = Facts {
            container: Some(Found::Is(container.clone())),
            ..image(tags, &[])
        };
        assert_eq!(codes(&narrow, start, "", &facts), expected, "{tags:?}");
        // It stays what it is, and whoever replaces it renames it first.
        assert_eq!(codes(&narrow, rename, "", &facts), [""; 0], "{tags:?}");
    }
    let facts = Facts {
        container: Some(Found::Is(container.clone())),
        images: [(
            "sha256:0d0d".to_owned(),
            Found::Unknown("it does not say".to_owned()),
        )]
        .into(),
        ..Facts::default()
    };
    assert_eq!(codes(&narrow, start, "", &facts), ["image"]);
    let any = policy(&limited.replace("docker.io/library/good", "*"));
    assert_eq!(references_of(&any, &container), []);
    assert_eq!(codes(&any, start, "", &facts), [""; 0]);
    let nameless = text.replace(r#""Image":"sha256:0d0d","#, "");
    let facts = Facts {
        container: Some(Found::Is(
            ExistingContainer::read(nameless.as_bytes()).unwrap(),
        )),
        ..Facts::default()
    };
    assert_eq!(codes(&narrow, start, "", &facts), ["image"]);
}

#[test]
fn a_build_takes_layers_of_images_that_may_come() {
    let policy = policy(
        "[container]\nnetworks = [\"*\"]\n[image]\nreferences = [\"docker.io/library/good\"]\n[network]\ndefault-bridge = \"any\"",
    );
    for (sources, expected) in [
        (r#"["good:1","good"]"#, &[][..]),
        ("[]", &[]),
        ("null", &[]),
        (r#"["good","evil"]"#, &["image"]),
        (r#"["registry.example/good"]"#, &["image"]),
    ] {
        let line = format!("POST /build?cachefrom={sources}");
        assert_eq!(
            codes(&policy, &line, "", &Facts::default()),
            expected,
            "{sources}"
        );
    }
}
