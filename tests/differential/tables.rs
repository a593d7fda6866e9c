//! Bodies that are right, to be changed: for each field what it may hold.

use super::loose::{self, Loose};
use crate::support::random::Random;

/// A field's name and the texts of its values; `TEXT`, `TEXTS` and `LABELS` are made up.
type Table = &'static [(&'static str, &'static [&'static str])];

#[rustfmt::skip]
const VOLUME: Table = &[
    ("Labels", &["LABELS"]),
    ("Driver", &["\"local\""]),
    ("DriverOpts", &["{}", "null", r#"{"type":"tmpfs","device":"tmpfs","o":"size=1m"}"#]),
];

#[rustfmt::skip]
const CONFIG: Table = &[
    ("Labels", &["LABELS"]),
    ("Env", &["TEXTS"]),
    ("Hostname", &["TEXT"]),
    ("Domainname", &["TEXT"]),
    ("User", &["\"root\"", "\"0:0\"", "\"\""]),
    ("Tty", &["true", "false", "null"]),
    ("OpenStdin", &["true", "false", "null"]),
    ("WorkingDir", &["\"/tmp\"", "\"\""]),
    ("Cmd", &["[\"true\"]", "\"true\"", "null", r#"["\u0061"]"#]),
    ("Entrypoint", &["[\"sh\"]", "\"sh\"", "[]", "null", "[\"\"]"]),
    ("StopTimeout", &["1", "0", "-1", "null"]),
    ("Healthcheck", &[r#"{"Test":["NONE"]}"#, r#"{"Interval":1000000000}"#, "null"]),
    ("ExposedPorts", &[r#"{"80/tcp":{}}"#, r#"{"53/udp":null}"#, "{}"]),
];

#[rustfmt::skip]
const HOST_CONFIG: Table = &[
    ("Memory", &["0", "67108864", "8388608", "134217728"]),
    ("Privileged", &["true", "false", "null"]),
    ("PidMode", &["\"host\"", "\"\"", "null"]),
    ("UTSMode", &["\"host\"", "\"\""]),
    ("CapAdd", &["[\"NET_ADMIN\"]", "\"SYS_ADMIN\"", "[]", "null", "[\"ALL\"]"]),
    ("CapDrop", &["[\"CHOWN\"]", "\"ALL\"", "null"]),
    ("SecurityOpt", &["[\"seccomp=unconfined\"]", "[\"no-new-privileges\"]", "null"]),
    ("Sysctls", &[r#"{"net.core.somaxconn":"1"}"#, "{}", "null"]),
    ("CpuShares", &["2", "1024", "0"]),
    ("OomScoreAdj", &["0", "-500", "500"]),
    ("ReadonlyRootfs", &["true", "false"]),
    ("ExtraHosts", &["[\"a:1.2.3.4\"]", "null", "[]"]),
    ("PortBindings", &[r#"{"80/tcp":[{"HostPort":"8080"}]}"#, r#"{"80/tcp":null}"#, "{}"]),
    ("RestartPolicy", &[r#"{"Name":"always"}"#, r#"{"Name":"no","MaximumRetryCount":0}"#]),
    ("LogConfig", &[r#"{"Type":"json-file","Config":{"max-size":"1m"}}"#, "{}"]),
    ("Mounts", &[r#"[{"Type":"tmpfs","Target":"/t"}]"#, "[]", "null"]),
    ("NetworkMode", &["\"none\"", "\"bridge\"", "\"\"", "\"default\""]),
    ("MaskedPaths", &["null", "[]", r#"["/proc/kcore"]"#]),
    ("AutoRemove", &["true", "false"]),
];

#[rustfmt::skip]
const EXEC: Table = &[
    ("Cmd", &["TEXTS"]),
    ("Cmd", &["TEXTS"]),
    ("User", &["TEXT"]),
    ("Privileged", &["true", "false", "null"]),
    ("Tty", &["true", "false"]),
    ("AttachStdin", &["true", "false"]),
    ("AttachStdout", &["true", "false"]),
    ("AttachStderr", &["true", "false"]),
    ("Env", &["TEXTS"]),
    ("WorkingDir", &["TEXT"]),
    ("DetachKeys", &["\"ctrl-a\"", "\"\"", "\"a,b\""]),
    ("detachKeys", &["\"ctrl-b\"", "\"\""]),
];

#[rustfmt::skip]
const UPDATE: Table = &[
    ("Memory", &["0", "33554432", "67108864", "134217728"]),
    ("CpuShares", &["0", "2", "1024"]),
    ("NanoCPUs", &["0", "500000000"]),
    ("NanoCpus", &["0", "600000000"]),
    ("CpusetCpus", &["\"\"", "\"0\""]),
    ("PidsLimit", &["null", "0", "-1", "100"]),
    ("RestartPolicy", &[r#"{"Name":"always"}"#, r#"{"Name":"on-failure","MaximumRetryCount":3}"#]),
    ("BlkioWeight", &["0", "null"]),
];

#[rustfmt::skip]
const NETWORK: Table = &[
    ("Driver", &["\"bridge\"", "\"\"", "null"]),
    ("Internal", &["true", "false"]),
    ("Labels", &["LABELS"]),
    ("Options", &["{}", "null", r#"{"com.docker.network.bridge.enable_icc":"false"}"#]),
    ("CheckDuplicate", &["true", "false"]),
    ("Attachable", &["true", "false"]),
];

pub(super) fn volume(random: &mut Random, name: &str) -> Loose {
    with(
        some(VOLUME, random),
        "Name",
        Loose::raw(&format!("\"{name}\"")),
    )
}

pub(super) fn container(random: &mut Random, _: &str) -> Loose {
    let config = with(some(CONFIG, random), "Image", Loose::raw("\"busybox\""));
    with(config, "HostConfig", some(HOST_CONFIG, random))
}

pub(super) fn exec(random: &mut Random, _: &str) -> Loose {
    some(EXEC, random)
}

pub(super) fn update(random: &mut Random, _: &str) -> Loose {
    some(UPDATE, random)
}

pub(super) fn network(random: &mut Random, name: &str) -> Loose {
    with(
        some(NETWORK, random),
        "Name",
        Loose::raw(&format!("\"{name}\"")),
    )
}

/// About one in three of the fields, each once.
fn some(table: Table, random: &mut Random) -> Loose {
    let mut members: Vec<(Vec<u8>, Loose)> = Vec::new();
    for (key, values) in table {
        let stands = members.iter().any(|(other, _)| other == key.as_bytes());
        if !stands && random.one_in(3) {
            members.push((key.as_bytes().to_vec(), value(random.pick(values), random)));
        }
    }
    Loose::Object(members)
}

fn value(text: &str, random: &mut Random) -> Loose {
    match text {
        "TEXT" => loose::text(random),
        "TEXTS" => Loose::List((0..=random.below(3)).map(|_| loose::text(random)).collect()),
        "LABELS" => {
            let mut members = Vec::new();
            for key in ["a", "A", "k.b", ""] {
                if random.one_in(2) {
                    members.push((key.as_bytes().to_vec(), loose::text(random)));
                }
            }
            Loose::Object(members)
        }
        text if text.starts_with(['[', '{']) => Loose::read(text),
        text => Loose::raw(text),
    }
}

fn with(body: Loose, key: &str, value: Loose) -> Loose {
    let Loose::Object(mut members) = body else {
        return body;
    };
    members.push((key.as_bytes().to_vec(), value));
    Loose::Object(members)
}
