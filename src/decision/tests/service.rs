//! Services: each limit both ways, and volumes as the daemon knows them.

use super::*;
use crate::engine_api::ExistingVolume;

pub(super) const CREATE: &str = "POST /v1.47/services/create";

/// Whatever the networks of a swarm let containers do.
pub(super) const OVERLAY: &str = "[network]\nicc = \"any\"\ndrivers = [\"overlay\"]\n";

/// The codes for a spec whose task and container are given by what is beside the image, with what the daemon says.
pub(super) fn judged(
    policy: &Policy,
    line: &str,
    spec: &str,
    change: impl FnOnce(&mut Facts),
) -> Vec<&'static str> {
    let request = request(line, spec);
    let mut facts = ordinary_facts(policy, &request);
    change(&mut facts);
    match decide(policy, request, &facts) {
        Decision::Permit(_) => Vec::new(),
        Decision::Refuse(refusal) => refusal.reasons.iter().map(|reason| reason.code).collect(),
    }
}

pub(super) fn of_container(more: &str) -> String {
    format!(r#"{{"TaskTemplate":{{"ContainerSpec":{{"Image":"busybox",{more}}}}}}}"#)
}

pub(super) fn of_task(more: &str) -> String {
    format!(r#"{{"TaskTemplate":{{"ContainerSpec":{{"Image":"busybox"}},{more}}}}}"#)
}

pub(super) fn of_service(more: &str) -> String {
    format!(r#"{{"TaskTemplate":{{"ContainerSpec":{{"Image":"busybox"}}}},{more}}}"#)
}

/// Holds a spec against a policy without the key, and with it; an empty key stands for none that opens it.
#[track_caller]
pub(super) fn opened_by(spec: &str, code: &str, key: &str) {
    let closed = policy(&format!("[container]\n{OPEN}"));
    for line in [CREATE, "POST /services/a/update?version=1"] {
        let codes = judged(&closed, line, spec, |_| {});
        assert!(
            !codes.is_empty() && codes.iter().all(|found| *found == code),
            "{spec}: {codes:?}"
        );
        if !key.is_empty() {
            let open = policy(&format!("[container]\n{OPEN}{key}"));
            assert!(judged(&open, line, spec, |_| {}).is_empty(), "{spec}");
        }
    }
}

#[test]
fn what_a_task_has_is_judged_as_of_a_container() {
    for (more, code, key) in [
        (
            r#""CapabilityAdd":["SYS_ADMIN"]"#,
            "capability",
            "capabilities = [\"SYS_ADMIN\"]",
        ),
        (
            r#""Sysctls":{"kernel.msgmax":"1"}"#,
            "sysctl",
            "sysctls = [\"kernel.*\"]",
        ),
        (
            r#""OomScoreAdj":-1"#,
            "oom-score",
            "negative-oom-score = true",
        ),
        (r#""Isolation":"hyperv""#, "isolation", ""),
    ] {
        opened_by(&of_container(more), code, key);
    }
    let log = r#""LogDriver":{"Name":"syslog","Options":{"syslog-address":"udp://h"}}"#;
    opened_by(&of_task(log), "log-driver", "log-drivers = [\"syslog\"]");
    let local = r#""LogDriver":{"Name":"json-file","Options":{"fluentd-address":"h"}}"#;
    opened_by(&of_task(local), "log-option", "");
}

#[test]
fn privileges_are_the_security_options_of_a_container() {
    for (more, code, key) in [
        (
            r#""Privileges":{"Seccomp":{"Mode":"unconfined"}}"#,
            "security-option",
            "security-options = [\"seccomp=unconfined\"]",
        ),
        (
            r#""Privileges":{"Seccomp":{"Mode":"custom","Profile":"e30="}}"#,
            "security-option",
            "",
        ),
        (
            r#""Privileges":{"Seccomp":{"Mode":"Unconfined"}}"#,
            "security-option",
            "",
        ),
        (
            r#""Privileges":{"AppArmor":{"Mode":"disabled"}}"#,
            "security-option",
            "security-options = [\"apparmor=unconfined\"]",
        ),
        (
            r#""Privileges":{"AppArmor":{"Mode":"custom"}}"#,
            "security-option",
            "",
        ),
        (
            r#""Privileges":{"SELinuxContext":{"Disable":true}}"#,
            "security-option",
            "security-options = [\"label:disable\"]",
        ),
        (
            r#""Privileges":{"SELinuxContext":{"Type":"spc_t","Level":"s0"}}"#,
            "security-option",
            "security-options = [\"label=type:spc_t\", \"label=level:s0\"]",
        ),
        (
            r#""Privileges":{"CredentialSpec":{"Config":"x"}}"#,
            "host-field",
            "",
        ),
    ] {
        opened_by(&of_container(more), code, key);
    }
}

#[test]
fn an_image_of_a_service_is_one_that_is_run() {
    let policy = policy("[container]\nimages = [\"docker.io/me/*\"]\nnetworks = [\"bridge\"]\n");
    for (image, expected) in [("me/a", vec![]), ("busybox", vec!["image"])] {
        let spec = format!(r#"{{"TaskTemplate":{{"ContainerSpec":{{"Image":"{image}"}}}}}}"#);
        assert_eq!(judged(&policy, CREATE, &spec, |_| {}), expected);
    }
}

#[test]
fn mounts_of_a_service_reach_no_host_path() {
    let mounts = |mount: &str| of_container(&format!(r#""Mounts":[{mount}]"#));
    let host_paths = "host-paths = [{ path = \"/\", access = \"read-write\" }]\n[service]\nvolumes = [\"*\"]\n[volume]\ntypes = [\"nfs\"]";
    let open = policy(&format!("[container]\n{OPEN}{host_paths}"));
    let options = |options: &str| {
        mounts(&format!(
            r#"{{"Type":"volume","Source":"v","Target":"/a","VolumeOptions":{{"DriverConfig":{{"Options":{{{options}}}}}}}}}"#
        ))
    };
    for (spec, expected) in [
        (
            mounts(r#"{"Type":"bind","Source":"/","Target":"/a"}"#),
            vec!["service-host-path"],
        ),
        // The daemon takes no type for `bind`, and reads it without regard to case.
        (mounts(r#"{"Source":"/","Target":"/a"}"#), vec!["mount"]),
        (
            mounts(r#"{"Type":"BIND","Source":"/","Target":"/a"}"#),
            vec!["mount"],
        ),
        (
            mounts(r#"{"Type":"cluster","Source":"group:a","Target":"/a"}"#),
            vec!["mount"],
        ),
        (
            mounts(r#"{"Type":"volume","Source":"v{{.Task.Slot}}","Target":"/a"}"#),
            vec!["mount-template"],
        ),
        (
            options(r#""type":"tmpfs","device":"/","o":"size={{printf \"1m%cbind\" 44}}""#),
            vec!["mount-template"],
        ),
        (
            options(r#""type":"nfs","device":":/","o":"{{\"bind\"}}""#),
            vec!["mount-template"],
        ),
        (
            options(r#""type":"none","device":"/","o":"bind""#),
            vec!["volume-host-path"],
        ),
        (options(r#""type":"tmpfs","device":"tmpfs""#), vec![]),
        (
            mounts(
                r#"{"Type":"bind","Source":"/a","Target":"/a","BindOptions":{"Propagation":"rshared"}}"#,
            ),
            vec!["mount-propagation", "service-host-path"],
        ),
        (mounts(r#"{"Type":"tmpfs","Target":"/a"}"#), vec![]),
        (mounts(r#"{"Type":"volume","Target":"/a"}"#), vec![]),
    ] {
        assert_eq!(judged(&open, CREATE, &spec, |_| {}), expected, "{spec}");
        assert!(host_paths_of(&open, &spec).is_empty());
    }
    let named = mounts(r#"{"Type":"volume","Source":"v","Target":"/a"}"#);
    opened_by(&named, "service-volume", "[service]\nvolumes = [\"v\"]");
}

fn host_paths_of(policy: &Policy, spec: &str) -> Vec<String> {
    host_paths(policy, &request(CREATE, spec))
}

#[test]
fn a_volume_of_a_service_is_what_it_is_at_the_daemon() {
    let open = policy(&format!(
        "[container]\n{OPEN}[service]\nvolumes = [\"*\"]\n"
    ));
    let spec = of_container(r#""Mounts":[{"Type":"volume","Source":"v","Target":"/a"}]"#);
    let bind = ["type=none", "o=bind", "device=/"].map(|option| option.split_once('=').unwrap());
    let volume = ExistingVolume {
        owner: None,
        driver: "local".to_owned(),
        options: bind
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .to_vec(),
    };
    let codes = judged(&open, CREATE, &spec, |facts| {
        facts.volumes.insert("v".to_owned(), Found::Is(volume));
    });
    assert_eq!(codes, ["volume-host-path"]);
    let codes = judged(&open, CREATE, &spec, |facts| facts.volumes.clear());
    assert_eq!(codes, ["volume-unknown"]);
}

#[test]
fn secrets_configs_and_resources_are_opened_by_name() {
    let file = r#""File":{"Name":"a"}"#;
    opened_by(
        &of_container(&format!(
            r#""Secrets":[{{"SecretID":"i","SecretName":"db",{file}}}]"#
        )),
        "service-secret",
        "[service]\nsecrets = [\"db\"]",
    );
    opened_by(
        &of_container(&format!(
            r#""Configs":[{{"ConfigID":"i","ConfigName":"web",{file}}}]"#
        )),
        "service-config",
        "[service]\nconfigs = [\"web\"]",
    );
    opened_by(
        &of_container(r#""Configs":[{"ConfigID":"i","ConfigName":"web","Runtime":{}}]"#),
        "service-config",
        "[service]\nconfigs = [\"web\"]",
    );
    opened_by(
        &of_container(r#""Secrets":[{"SecretID":"i"}]"#),
        "service-secret",
        "[service]\nsecrets = [\"*\"]",
    );
    for resource in [
        r#"{"DiscreteResourceSpec":{"Kind":"gpu","Value":1}}"#,
        r#"{"NamedResourceSpec":{"Kind":"gpu","Value":"GPU-1"}}"#,
    ] {
        let reserved =
            format!(r#""Resources":{{"Reservations":{{"GenericResources":[{resource}]}}}}"#);
        opened_by(
            &of_task(&reserved),
            "generic-resource",
            "[service]\ngeneric-resources = [\"gpu\"]",
        );
    }
}

#[test]
fn only_containers_are_tasks() {
    for (more, code) in [
        (r#""Runtime":"plugin""#, "task-runtime"),
        (r#""Runtime":"attachment""#, "task-runtime"),
        (r#""PluginSpec":{"Remote":"evil"}"#, "task-runtime"),
        (
            r#""NetworkAttachmentSpec":{"ContainerID":"a"}"#,
            "task-runtime",
        ),
    ] {
        opened_by(&of_task(more), code, "");
    }
    let open = policy(&format!("[container]\n{OPEN}"));
    let plain = of_task(r#""Runtime":"container","PluginSpec":null"#);
    assert!(judged(&open, CREATE, &plain, |_| {}).is_empty());
}

#[test]
fn a_service_becomes_what_the_body_says() {
    let open = policy(&format!("[container]\n{OPEN}"));
    for (rollback, expected) in [
        ("", vec![]),
        ("none", vec![]),
        ("previous", vec!["service-rollback"]),
        ("Previous", vec!["service-rollback"]),
    ] {
        let line = format!("POST /services/a/update?version=1&rollback={rollback}");
        let codes = judged(&open, &line, &of_service(r#""Name":"a""#), |_| {});
        assert_eq!(codes, expected, "{rollback}");
    }
}
