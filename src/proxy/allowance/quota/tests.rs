//! What requests are counted for, and what is over.

use super::*;
use crate::engine_api::{RequestHead, json};

fn everything() -> Quota {
    Quota {
        containers: Some(2),
        running_containers: Some(2),
        memory: Some(4 << 30),
        nano_cpus: Some(2_500_000_000),
        volumes: Some(2),
        networks: Some(2),
    }
}

fn request(method: &str, target: &str, body: &str) -> EngineRequest {
    let head = RequestHead::parse(method, target).unwrap();
    head.with_body(body.as_bytes()).unwrap()
}

fn turns(quota: &Quota, method: &str, target: &str, body: &str) -> Option<Vec<Kind>> {
    let request = request(method, target, body);
    ask(quota, &request).map(|ask| ask.turns(quota))
}

fn bound(quota: &Quota) -> Bound<'_> {
    Bound {
        owner: "team/alice",
        quota,
    }
}

#[test]
fn what_makes_or_grows_something_is_counted_and_nothing_else() {
    let quota = everything();
    for (method, target, body, expected) in [
        (
            "POST",
            "/containers/create",
            "{}",
            Some(vec![Kind::Containers, Kind::Volumes]),
        ),
        (
            "POST",
            "/v1.41/containers/a/update",
            r#"{"Memory":9}"#,
            Some(vec![Kind::Containers]),
        ),
        (
            "POST",
            "/containers/a/update",
            r#"{"CpuQuota":-1}"#,
            Some(vec![Kind::Containers]),
        ),
        ("POST", "/containers/a/update", r#"{"CpuShares":9}"#, None),
        ("POST", "/containers/a/start", "", Some(vec![Kind::Running])),
        (
            "POST",
            "/containers/a/start?checkpoint=b",
            "",
            Some(vec![Kind::Running]),
        ),
        (
            "POST",
            "/containers/a/restart",
            "",
            Some(vec![Kind::Running]),
        ),
        ("POST", "/containers/a/unpause", "", None),
        ("POST", "/containers/a/stop", "", None),
        ("POST", "/containers/a/exec", "{}", None),
        ("DELETE", "/containers/a", "", None),
        ("GET", "/containers/json", "", None),
        ("POST", "/volumes/create", "{}", Some(vec![Kind::Volumes])),
        (
            "POST",
            "/networks/create",
            r#"{"Name":"a"}"#,
            Some(vec![Kind::Networks]),
        ),
        ("POST", "/services/create", "{}", Some(vec![])),
        ("POST", "/services/a/update?version=1", "{}", Some(vec![])),
    ] {
        assert_eq!(
            turns(&quota, method, target, body),
            expected,
            "{method} {target} {body}"
        );
        assert_eq!(
            turns(&Quota::default(), method, target, body),
            None,
            "{target}"
        );
    }
}

#[test]
fn each_quota_counts_what_it_is_for() {
    let create = |quota: &Quota| turns(quota, "POST", "/containers/create", "{}");
    let start = |quota: &Quota| turns(quota, "POST", "/containers/a/start", "");
    let none = Quota::default();
    let of = |containers, running_containers, memory| Quota {
        containers,
        running_containers,
        memory,
        ..none
    };
    assert_eq!(
        create(&of(Some(1), None, None)),
        Some(vec![Kind::Containers])
    );
    assert_eq!(
        create(&of(None, None, Some(1))),
        Some(vec![Kind::Containers])
    );
    assert_eq!(create(&of(None, Some(1), None)), None);
    assert_eq!(start(&of(None, Some(1), None)), Some(vec![Kind::Running]));
    assert_eq!(start(&of(Some(1), None, Some(1))), None);
}

#[test]
fn what_was_not_read_is_not_let_through() {
    let head = RequestHead::parse("POST", "/containers/create").unwrap();
    assert_eq!(ask(&everything(), &head.unjudged()), Some(Ask::Unread));
    for (method, asked) in [
        ("POST", Some(Ask::Unread)),
        ("PUT", Some(Ask::Unread)),
        ("DELETE", Some(Ask::Unread)),
        ("GET", None),
        ("HEAD", None),
    ] {
        let head = RequestHead::parse(method, "/v4.0/libpod/containers/create").unwrap();
        let request = head.unjudged();
        assert_eq!(ask(&everything(), &request), asked, "{method}");
        assert_eq!(ask(&Quota::default(), &request), None, "{method}");
    }
}

#[test]
fn what_would_not_be_counted_is_known_by_its_label() {
    let quota = everything();
    for target in ["/containers/create", "/volumes/create", "/networks/create"] {
        for (labels, expected) in [
            ("{}", false),
            (r#"{"dockgate.owner":"other"}"#, false),
            (r#"{"dockgate.owner":"o"}"#, true),
        ] {
            let request = request("POST", target, &format!(r#"{{"Labels":{labels}}}"#));
            let ask = ask(&quota, &request).unwrap();
            assert_eq!(ask.is_labelled("o"), expected, "{target} {labels}");
        }
        let unlabelled = request("POST", target, "");
        assert!(!ask(&quota, &unlabelled).unwrap().is_labelled("o"));
    }
}

#[test]
fn counts_end_at_the_quota() {
    let quota = everything();
    let bound = bound(&quota);
    assert!(bound.one_more_container(1).is_ok());
    let over = bound.one_more_container(2).unwrap_err();
    assert_eq!(over, "client `team/alice` has 2 containers of 2 permitted");
    assert!(bound.one_more_network(1).is_ok() && bound.one_more_network(2).is_err());
    let there = BTreeSet::from(["v".to_owned()]);
    assert!(bound.volumes(&there, 1).is_ok());
    let over = bound.volumes(&there, 2).unwrap_err();
    assert_eq!(
        over,
        "client `team/alice` has 1 volumes of 2 permitted and asks for 2 more"
    );
    let full = BTreeSet::from(["v".to_owned(), "w".to_owned(), "x".to_owned()]);
    assert!(bound.volumes(&full, 0).is_ok());
}

#[test]
fn what_runs_already_is_not_counted_twice() {
    let quota = everything();
    let container = |id: &str, is_running| OwnedContainer {
        id: id.to_owned(),
        is_running,
        volumes: Vec::new(),
    };
    let there = [
        container("a", true),
        container("b", true),
        container("c", false),
    ];
    assert!(bound(&quota).running(&there, "a").is_ok());
    assert!(bound(&quota).running(&there, "c").is_err());
    assert!(bound(&quota).running(&there, "name-of-a").is_err());
    assert!(bound(&quota).running(&there[1..], "c").is_ok());
}

#[test]
fn memory_and_processors_are_summed() {
    let quota = everything();
    let bound = bound(&quota);
    let gigabytes = |memory: u64, nano_cpus: u64| Resources {
        memory: Some(memory << 30),
        nano_cpus: Some(nano_cpus),
    };
    let others = [gigabytes(1, BILLION), gigabytes(2, BILLION / 2)];
    assert_eq!(bound.resources(&others, gigabytes(1, BILLION)), Ok(()));
    let over = bound.resources(&others, gigabytes(2, BILLION)).unwrap_err();
    let expected =
        "client `team/alice` has memory 3072 MiB of 4096 MiB permitted and asks for 2048 MiB";
    assert_eq!(over, expected);
    let over = bound
        .resources(&others, gigabytes(1, BILLION + 1))
        .unwrap_err();
    let expected =
        "client `team/alice` has processors 1.5 of 2.5 permitted and asks for 1.000000001";
    assert_eq!(over, expected);
    let huge = [
        gigabytes(1, 0),
        Resources {
            memory: Some(u64::MAX),
            nano_cpus: Some(1),
        },
    ];
    assert!(bound.resources(&huge, gigabytes(1, 1)).is_err());
}

#[test]
fn nothing_without_a_bound_is_within_a_sum() {
    let quota = everything();
    let bound = bound(&quota);
    let whole = Resources {
        memory: Some(1),
        nano_cpus: Some(1),
    };
    for lacking in [
        Resources {
            memory: None,
            ..whole
        },
        Resources {
            nano_cpus: None,
            ..whole
        },
    ] {
        assert!(bound.resources(&[], lacking).is_err());
        assert!(bound.resources(&[lacking], whole).is_err());
    }
    let unbounded = Resources {
        memory: None,
        nano_cpus: None,
    };
    let none = Quota::default();
    assert!(
        Bound {
            owner: "o",
            quota: &none
        }
        .resources(&[unbounded], unbounded)
        .is_ok()
    );
}

#[test]
fn volumes_are_made_by_every_spelling_of_a_mount() {
    let body = r#"{"Volumes":{"/a":{},"/b/":{},"/c":{}},"HostConfig":{
        "Binds":["named:/b","/anonymous","/host:/c:ro"],
        "Mounts":[{"Type":"volume","Target":"/d"},{"Type":"volume","Source":"plain","Target":"/e"},
            {"Type":"volume","Source":"mine","Target":"/f","VolumeOptions":{"Labels":{"dockgate.owner":"o"}}},
            {"Type":"volume","Source":"other","Target":"/g","VolumeOptions":{"Labels":{"dockgate.owner":"p"}}},
            {"Type":"tmpfs","Target":"/h"}]}}"#;
    let found = mounted(&json::parse(body.as_bytes()).unwrap(), "o");
    let named: Vec<_> = found
        .named
        .iter()
        .map(|(name, mine)| (name.as_str(), *mine))
        .collect();
    assert_eq!(
        named,
        [
            ("named", false),
            ("plain", false),
            ("mine", true),
            ("other", false)
        ]
    );
    assert_eq!(found.anonymous, 3);
}
