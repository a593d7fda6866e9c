//! What a request refers to is held against the limits of a create, and pinned.

use std::collections::BTreeMap;

use super::*;
use crate::engine_api::{DaemonDefaults, ExistingContainer, ExistingVolume};

const ID: &str = "0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a";

/// The operations that enter, start or change a container that exists.
const ENTERING: &[&str] = &[
    "POST /containers/a/start",
    "POST /containers/a/restart",
    "POST /containers/a/unpause",
    "POST /containers/a/exec",
    "POST /containers/a/attach",
    "GET /containers/a/attach/ws",
    "HEAD /containers/a/archive?path=/",
    "GET /containers/a/archive?path=/",
    "PUT /containers/a/archive?path=/",
    "GET /containers/a/export",
    "POST /containers/a/update",
    "POST /containers/a/rename?name=b",
    "GET /containers/a/checkpoints",
    "POST /containers/a/checkpoints",
    "DELETE /containers/a/checkpoints/c",
    "POST /commit?container=a",
    "POST /exec/a/start",
    "POST /exec/a/resize",
];

fn container(host_config: &str, more: &str) -> ExistingContainer {
    let image = r#""Config":{"Image":"busybox"}"#;
    let text = format!(r#"{{"Id":"{ID}",{image},"HostConfig":{host_config}{more}}}"#);
    ExistingContainer::read(text.as_bytes()).unwrap()
}

fn of(container: ExistingContainer) -> Facts {
    Facts {
        container: Some(Found::Is(container)),
        ..Facts::default()
    }
}

fn volume(driver: &str, options: &[(&str, &str)]) -> Found<ExistingVolume> {
    let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
    Found::Is(ExistingVolume {
        owner: None,
        driver: driver.to_owned(),
        options: options.iter().map(owned).collect(),
    })
}

fn open(more: &str) -> Policy {
    policy(&format!("[container]\n{OPEN}{more}\n{BRIDGE}"))
}

#[test]
fn what_a_create_is_refused_cannot_be_entered_and_the_same_key_opens_it() {
    for (body, code, key) in KEYS {
        let facts = of(container(body, ""));
        for line in ENTERING {
            assert_eq!(codes(&open(""), line, "", &facts), [*code], "{line} {body}");
            let opened = codes(&open(key), line, "", &facts);
            assert!(opened.is_empty(), "{line} {body} with {key}: {opened:?}");
        }
    }
}

#[test]
fn only_what_enters_is_looked_up_and_only_where_the_operation_is_permitted() {
    for operation in Operation::all() {
        let spec = operation.spec();
        let path = spec.path.replace("{id}", "a").replace("{name}", "a");
        let path = path.replace("{volume}", "a").replace("{path}", "a");
        let path = path.replace("{checkpoint}", "a");
        let line = format!("{} {path}?container=a", spec.method);
        let request = request(&line, "");
        let is_entering = ENTERING.iter().any(|entering| {
            let (method, target) = entering.split_once(' ').unwrap();
            RequestHead::parse(method, target)
                .unwrap()
                .target
                .operation()
                == Some(operation)
        });
        let found = references(&open(""), &request);
        let enters = found
            .iter()
            .any(|found| matches!(found, Reference::Container(_) | Reference::Exec(_)));
        assert_eq!(enters, is_entering, "{line}");
        assert!(
            references(&Policy::default(), &request).is_empty(),
            "{line}"
        );
    }
}

#[test]
fn a_request_goes_on_under_the_id_that_was_judged() {
    for line in ENTERING {
        let facts = of(container(r#"{"NetworkMode":"none"}"#, ""));
        let Decision::Permit(permit) = decide(&open(""), request(line, ""), &facts) else {
            panic!("{line}");
        };
        let target = permit.request().target();
        if line.contains("/exec/") {
            assert!(target.starts_with("/exec/a/"), "{target}");
        } else {
            assert!(
                target.contains(&format!("/{ID}")) || target.contains(&format!("={ID}")),
                "{target}"
            );
            assert!(
                !target.contains("/a/") && !target.contains("container=a"),
                "{target}"
            );
        }
    }
}

#[test]
fn what_cannot_be_found_out_is_refused_and_what_is_absent_is_answered() {
    let line = "POST /containers/a/start";
    let of = |container: Option<Found<ExistingContainer>>| Facts {
        container,
        ..Facts::default()
    };
    let refusal = |facts: &Facts| match decide(&open(""), request(line, ""), facts) {
        Decision::Refuse(refusal) => refusal,
        Decision::Permit(_) => panic!("{facts:?}"),
    };
    for facts in [of(None), of(Some(Found::Unknown("why".to_owned())))] {
        let refusal = refusal(&facts);
        assert_eq!(refusal.reasons[0].code, "container-unknown");
        assert_eq!(refusal.answered, None);
    }
    let gone = of(Some(Found::Answered {
        status: 404,
        message: "No such container: a".to_owned(),
    }));
    let refusal = refusal(&gone);
    assert_eq!(refusal.reasons[0].code, "not-found");
    assert_eq!(
        refusal.answered,
        Some((404, "No such container: a".to_owned()))
    );
    // What is refused anyway is refused with its own reasons.
    let exec = request("POST /containers/a/exec", r#"{"Privileged":true}"#);
    let Decision::Refuse(refusal) = decide(&open(""), exec, &gone) else {
        panic!("a privileged exec");
    };
    assert_eq!(
        (refusal.reasons[0].code, refusal.answered),
        ("privileged", None)
    );
}

#[test]
fn what_the_daemon_fills_in_is_no_reason() {
    let filled = r#"{"NetworkMode":"default","Runtime":"runc","CgroupnsMode":"host","IpcMode":"shareable",
        "LogConfig":{"Type":"journald","Config":{"x":"y"}},"ConsoleSize":[0,0],"Isolation":"","Cgroup":"",
        "MemorySwappiness":null,"SomethingNew":{"a":1},
        "MaskedPaths":["/proc/asound","/proc/acpi","/proc/kcore","/proc/keys","/proc/latency_stats","/proc/timer_list",
        "/proc/timer_stats","/proc/sched_debug","/proc/scsi","/sys/firmware"],
        "ReadonlyPaths":["/proc/bus","/proc/fs","/proc/irq","/proc/sys","/proc/sysrq-trigger"]}"#;
    let mut found = container(filled, "");
    assert!(found.may_have_defaults());
    let line = "POST /containers/a/start";
    let codes_of = |found: &ExistingContainer| {
        let mut codes = codes(&open(""), line, "", &of(found.clone()));
        codes.sort_unstable();
        codes
    };
    assert_eq!(codes_of(&found), ["host-cgroup", "log-driver", "runtime"]);
    found.remove_defaults(&DaemonDefaults {
        runtime: "runc".to_owned(),
        log_driver: "journald".to_owned(),
        ..DaemonDefaults::default()
    });
    assert_eq!(codes_of(&found), Vec::<&str>::new());
    for weaker in [
        r#"{"NetworkMode":"none","MaskedPaths":[]}"#,
        r#"{"NetworkMode":"none","MaskedPaths":["/proc/kcore"]}"#,
        r#"{"NetworkMode":"none","ReadonlyPaths":["/proc/bus"]}"#,
    ] {
        assert_eq!(
            codes_of(&container(weaker, "")),
            ["unmasked-paths"],
            "{weaker}"
        );
    }
}

#[test]
fn a_volume_that_exists_is_what_its_maker_made_it() {
    let bind = [("type", "none"), ("o", "bind"), ("device", "/")];
    for (found, expected) in [
        (volume("local", &[]), None),
        (
            volume("local", &[("type", "tmpfs"), ("device", "tmpfs")]),
            None,
        ),
        (volume("local", &bind), Some("volume-host-path")),
        (
            volume("local", &[("type", "nfs"), ("device", ":/x")]),
            Some("volume-type"),
        ),
        (volume("rexray", &[("a", "b")]), Some("volume-driver")),
        (Found::Unknown("why".to_owned()), Some("volume-unknown")),
    ] {
        let volumes = BTreeMap::from([("v".to_owned(), found.clone())]);
        for mounts in [
            r#"{"Binds":["v:/v"]}"#,
            r#"{"Mounts":[{"Type":"volume","Source":"v","Target":"/v"}]}"#,
        ] {
            let facts = Facts {
                volumes: volumes.clone(),
                ..Facts::default()
            };
            let codes = host_config("", mounts, &facts);
            assert_eq!(codes.first().copied(), expected, "{found:?} {mounts}");
        }
        let mounted = r#","Mounts":[{"Type":"volume","Name":"v","Driver":"local"}]"#;
        let facts = Facts {
            volumes,
            ..of(container(r#"{"NetworkMode":"none"}"#, mounted))
        };
        let codes = codes(&open(""), "POST /containers/a/start", "", &facts);
        assert_eq!(codes.first().copied(), expected, "{found:?}");
    }
}

#[test]
fn a_volume_that_nobody_looked_up_is_refused() {
    let body = r#"{"Image":"busybox","HostConfig":{"Binds":["v:/v"]}}"#;
    let request = request(CREATE, body);
    assert_eq!(
        references(&open(""), &request),
        [Reference::Volume("v".to_owned())]
    );
    let Decision::Refuse(refusal) = decide(&open(""), request, &Facts::default()) else {
        panic!("permitted");
    };
    assert_eq!(refusal.reasons[0].code, "volume-unknown");
    // A container's own volume that is gone could come back as anything.
    let mounted = r#","Mounts":[{"Type":"volume","Name":"v","Driver":"local"}]"#;
    let gone = Found::Answered {
        status: 404,
        message: String::new(),
    };
    let facts = Facts {
        volumes: BTreeMap::from([("v".to_owned(), gone)]),
        ..of(container(r#"{"NetworkMode":"none"}"#, mounted))
    };
    let codes = codes(&open(""), "POST /containers/a/start", "", &facts);
    assert_eq!(codes, ["volume-unknown"]);
}

#[test]
fn an_exec_instance_that_is_privileged_is_started_by_nobody_who_could_not_make_it() {
    let facts = Facts {
        exec_is_privileged: true,
        ..of(container(r#"{"NetworkMode":"none"}"#, ""))
    };
    let (start, resize) = ("POST /exec/a/start", "POST /exec/a/resize?h=1&w=1");
    assert_eq!(codes(&open(""), start, "{}", &facts), ["privileged"]);
    assert!(codes(&open(""), resize, "", &facts).is_empty());
    assert!(codes(&open("privileged = true"), start, "{}", &facts).is_empty());
}
