//! Bodies of operations on a swarm that are right, to be changed: for each field what it may hold.

use super::loose::Loose;
use super::tables::{Table, some, with};
use crate::support::random::Random;

#[rustfmt::skip]
const SERVICE: Table = &[
    ("Labels", &["LABELS"]),
    ("Mode", &[r#"{"Replicated":{"Replicas":3}}"#, r#"{"replicated":{"Replicas":0}}"#, r#"{"Replicated":{}}"#, "{}", "null"]),
    ("UpdateConfig", &[
        r#"{"Parallelism":2,"Delay":1000000000,"FailureAction":"pause","MaxFailureRatio":0.25,"Order":"stop-first"}"#,
        r#"{"Parallelism":0,"Monitor":5000000000,"MaxFailureRatio":0.1234567890123456789,"Order":"start-first"}"#, "{}"]),
    ("RollbackConfig", &[r#"{"Parallelism":1,"FailureAction":"continue","MaxFailureRatio":1e-1}"#, "null"]),
    ("Networks", &[r#"[{"Target":"df-overlay","Aliases":["a"]}]"#, "[]", "null"]),
    ("EndpointSpec", &[
        r#"{"Mode":"vip","Ports":[{"Protocol":"tcp","TargetPort":80,"PublishedPort":8080,"PublishMode":"host"}]}"#,
        r#"{"Mode":"dnsrr","Ports":[]}"#, r#"{"Ports":[{"Name":"web","TargetPort":53,"Protocol":"udp"}]}"#, "{}"]),
];

/// Others than in [`SERVICE`], which an update cannot go over to.
#[rustfmt::skip]
const OTHER_MODES: &[&str] = &[
    r#"{"Global":{}}"#, r#"{"global":{}}"#, r#"{"GlobalJob":{}}"#, r#"{"ReplicatedJob":{"MaxConcurrent":1,"TotalCompletions":2}}"#,
    r#"{"Global":null,"Replicated":{"Replicas":1}}"#, r#"{"Global":{},"Replicated":{"Replicas":1}}"#,
];

#[rustfmt::skip]
const TASK: Table = &[
    ("Resources", &[
        r#"{"Limits":{"NanoCPUs":500000000,"MemoryBytes":67108864,"Pids":10}}"#, r#"{"Limits":{},"Reservations":{"MemoryBytes":1048576}}"#,
        r#"{"Reservations":{"GenericResources":[{"DiscreteResourceSpec":{"Kind":"gpu","Value":1}},{"NamedResourceSpec":{"Kind":"a","Value":"b"}}]}}"#]),
    ("RestartPolicy", &[r#"{"Condition":"any","Delay":1000000000,"MaxAttempts":3,"Window":0}"#, r#"{"Condition":"none"}"#, "{}"]),
    ("Placement", &[
        r#"{"Constraints":["node.role==worker"],"Preferences":[{"Spread":{"SpreadDescriptor":"node.labels.zone"}}]}"#,
        r#"{"MaxReplicas":2,"Platforms":[{"Architecture":"amd64","OS":"linux"}]}"#, "{}"]),
    ("ForceUpdate", &["0", "1", "9223372036854775807", "-1"]),
    ("Runtime", &["\"container\"", "\"\"", "null"]),
    ("Networks", &[r#"[{"Target":"df-overlay","Aliases":["db"],"DriverOpts":{}}]"#, "[]"]),
    ("LogDriver", &[r#"{"Name":"json-file","Options":{"max-size":"1m"}}"#, r#"{"Name":"none"}"#]),
    ("PluginSpec", &["null", "{}"]),
    ("NetworkAttachmentSpec", &["null"]),
];

#[rustfmt::skip]
const CONTAINER: Table = &[
    ("Labels", &["LABELS"]),
    ("Command", &["TEXTS", "[]", "null"]),
    ("Args", &["TEXTS"]),
    ("Hostname", &["TEXT"]),
    ("Env", &["TEXTS"]),
    ("Dir", &["TEXT"]),
    ("User", &["TEXT"]),
    ("Groups", &["TEXTS"]),
    ("Privileges", &[
        r#"{"SELinuxContext":{"Disable":true}}"#, r#"{"SELinuxContext":{"Level":"s0:c1"},"CredentialSpec":null}"#, "{}",
        r#"{"CredentialSpec":{"Config":"","File":"","Registry":""}}"#]),
    ("Init", &["true", "false", "null"]),
    ("StopSignal", &["\"SIGINT\"", "\"\""]),
    ("TTY", &["true", "false"]),
    ("OpenStdin", &["true", "false"]),
    ("ReadOnly", &["true", "false", "null"]),
    ("Mounts", &[
        r#"[{"Type":"volume","Source":"shop","Target":"/v","VolumeOptions":{"NoCopy":true,"Labels":{"a":"b"}}}]"#,
        r#"[{"Type":"tmpfs","Target":"/t","TmpfsOptions":{"SizeBytes":1048576,"Mode":511}}]"#,
        r#"[{"Type":"volume","Target":"/w","ReadOnly":true,"VolumeOptions":{"DriverConfig":{"Name":"local","Options":{}}}}]"#, "[]"]),
    ("StopGracePeriod", &["0", "10000000000", "null"]),
    ("HealthCheck", &[r#"{"Test":["NONE"]}"#, r#"{"Test":["CMD","true"],"Interval":1000000000,"Retries":3}"#, "{}"]),
    ("Healthcheck", &[r#"{"Test":["CMD-SHELL","x"],"StartPeriod":1000000000}"#]),
    ("Hosts", &["[\"1.2.3.4 a\"]", "null"]),
    ("DNSConfig", &[r#"{"Nameservers":["8.8.8.8"],"Search":["a"],"Options":["ndots:1"]}"#, "{}"]),
    ("Secrets", &[
        r#"[{"SecretID":"SECRET-ID","SecretName":"df-secret","File":{"Name":"a","UID":"0","GID":"0","Mode":292}}]"#, "[]", "null"]),
    ("Configs", &[
        r#"[{"ConfigID":"CONFIG-ID","ConfigName":"df-config","File":{"Name":"/a","UID":"0","GID":"0","Mode":438}}]"#,
        r#"[{"ConfigID":"CONFIG-ID","ConfigName":"df-config","Runtime":{}}]"#, "[]"]),
    ("Isolation", &["\"\"", "\"default\"", "null"]),
    ("Sysctls", &[r#"{"net.core.somaxconn":"1"}"#, "{}"]),
    ("CapabilityAdd", &["[\"NET_ADMIN\"]", "[\"CAP_SYS_TIME\",\"ALL\"]", "[]"]),
    ("CapabilityDrop", &["[\"CHOWN\"]", "null"]),
    ("Ulimits", &[r#"[{"Name":"nofile","Soft":1,"Hard":2}]"#, "[]"]),
];

#[rustfmt::skip]
const NODE: Table = &[
    ("Labels", &["LABELS"]),
    ("Name", &["\"\"", "\"df-node\"", "null"]),
    ("Availability", &["\"drain\"", "\"pause\"", "\"drain\""]),
    ("Availability", &["\"active\"", "\"Drain\""]),
];

#[rustfmt::skip]
const SWARM: Table = &[
    ("Labels", &["LABELS"]),
    ("Orchestration", &[r#"{"TaskHistoryRetentionLimit":3}"#, r#"{"TaskHistoryRetentionLimit":0}"#, "{}"]),
    ("Raft", &[r#"{"SnapshotInterval":10000,"KeepOldSnapshots":0,"LogEntriesForSlowFollowers":500}"#, "null"]),
    ("Dispatcher", &[r#"{"HeartbeatPeriod":5000000000}"#, "{}"]),
    ("CAConfig", &[r#"{"NodeCertExpiry":7776000000000000}"#, r#"{"ForceRotate":0,"ExternalCAs":null}"#]),
    ("TaskDefaults", &[r#"{"LogDriver":{"Name":"json-file","Options":{"max-size":"1m"}}}"#, "{}"]),
    ("EncryptionConfig", &[r#"{"AutoLockManagers":false}"#, "{}", "null"]),
];

/// Words in the texts above that stand for ids of the swarm under test.
pub(super) type Ids<'a> = &'a [(&'static str, &'a str)];

/// The body of a service's create, or of an update, that keeps to one mode.
pub(super) fn service(random: &mut Random, name: &str, is_update: bool, ids: Ids<'_>) -> Loose {
    let mut container = some(CONTAINER, random);
    with_ids(&mut container, ids);
    let container = with(container, "Image", Loose::raw("\"busybox\""));
    let task = with(some(TASK, random), "ContainerSpec", container);
    let mut service = with(some(SERVICE, random), "TaskTemplate", task);
    if !is_update && random.one_in(5) {
        if let Loose::Object(members) = &mut service {
            members.retain(|(key, _)| key != b"Mode");
        }
        service = with(service, "Mode", Loose::read(random.pick(OTHER_MODES)));
    }
    with(service, "Name", Loose::raw(&format!("\"{name}\"")))
}

fn with_ids(value: &mut Loose, ids: Ids<'_>) {
    match value {
        Loose::Raw(raw) => {
            for (word, id) in ids {
                if raw == format!("\"{word}\"").as_bytes() {
                    *raw = format!("\"{id}\"").into_bytes();
                }
            }
        }
        Loose::List(items) => items.iter_mut().for_each(|item| with_ids(item, ids)),
        Loose::Object(members) => members.iter_mut().for_each(|(_, it)| with_ids(it, ids)),
    }
}

pub(super) fn node(random: &mut Random) -> Loose {
    let role = Loose::raw(random.pick(&[
        "\"manager\"",
        "\"manager\"",
        "\"manager\"",
        "\"worker\"",
        "\"Manager\"",
    ]));
    with(some(NODE, random), "Role", role)
}

pub(super) fn swarm(random: &mut Random) -> Loose {
    with(some(SWARM, random), "Name", Loose::raw("\"default\""))
}
