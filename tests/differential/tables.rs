//! Bodies that are right, to be changed: for each field what it may hold.

use super::loose::{self, Loose};
use crate::support::random::Random;

/// A field's name and the texts of its values; `TEXT`, `TEXTS` and `LABELS` are made up.
pub(super) type Table = &'static [(&'static str, &'static [&'static str])];

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
    ("CpuPeriod", &["0", "100000", "null"]),
    ("CpuQuota", &["0", "50000", "-1"]),
    ("MemorySwap", &["0", "-1", "268435456"]),
    ("MemoryReservation", &["0", "16777216"]),
];

#[rustfmt::skip]
const NETWORK: Table = &[
    ("Driver", &["\"bridge\"", "\"\"", "null"]),
    ("Internal", &["true", "false"]),
    ("Labels", &["LABELS"]),
    ("Options", &["{}", "null", r#"{"com.docker.network.bridge.enable_icc":"false"}"#]),
    ("CheckDuplicate", &["true", "false"]),
    ("Attachable", &["true", "false"]),
    ("Scope", &["\"local\"", "\"\"", "null"]),
    ("EnableIPv6", &["false", "null"]),
    ("Ingress", &["false", "null"]),
    ("ConfigOnly", &["false", "null"]),
    ("ConfigFrom", &["null", "{}", r#"{"Network":""}"#]),
    ("IPAM", IPAM),
    ("IPAM", IPAM),
];

#[rustfmt::skip]
const IPAM: &[&str] = &[
    "{}", "null",
    r#"{"Config":[{"Subnet":"10.217.1.0/24"}]}"#,
    r#"{"Driver":"default","Config":[{"Subnet":"10.217.2.0/24","Gateway":"10.217.2.9"}]}"#,
    r#"{"Driver":"","Options":{},"Config":[{"Subnet":"10.217.4.0/22","IPRange":"10.217.5.0/24","AuxiliaryAddresses":{"a":"10.217.4.7"}}]}"#,
    r#"{"Driver":"default","Options":null,"Config":[]}"#,
    r#"{"Config":[{"Gateway":"10.217.3.1","Subnet":"10.217.3.0/24"},{"Subnet":""}]}"#,
    r#"{"Config":[{"Subnet":"10.217.6.5/24"}]}"#,
];

#[rustfmt::skip]
const ENDPOINT: Table = &[
    ("IPAMConfig", &[r#"{"IPv4Address":"10.213.77.9"}"#, "{}", "null", r#"{"IPv4Address":""}"#]),
    ("Aliases", &["TEXTS", "null", r#"["db"]"#]),
    ("Links", &["[]", "null"]),
    ("DriverOpts", &["{}", "null", r#"{"com.docker.network.endpoint.ifname":"eth7"}"#]),
    ("MacAddress", &["\"02:42:0a:d5:4d:09\"", "\"\""]),
    ("NetworkID", &["\"\"", "null"]),
    ("Gateway", &["\"10.213.77.1\""]),
];

#[rustfmt::skip]
const EXEC_START: Table = &[
    ("Detach", &["true", "false", "null"]),
    ("Tty", &["true", "false", "null"]),
    ("hijack", &["true"]),
    ("ConsoleSize", &["[24,80]", "null"]),
];

#[rustfmt::skip]
const CREDENTIALS: Table = &[
    ("username", &["\"someone\"", "TEXT"]),
    ("username", &["\"someone\"", "TEXT"]),
    ("password", &["\"secret\"", "TEXT"]),
    ("password", &["\"secret\"", "TEXT"]),
    ("email", &["\"a@b.example\"", "null"]),
    ("auth", &["\"c29tZW9uZTpzZWNyZXQ=\"", "\"\""]),
    ("identitytoken", &["\"\"", "null"]),
];

#[rustfmt::skip]
const SECRET: Table = &[
    ("Labels", &["LABELS"]),
    ("Labels", &["LABELS"]),
    ("Driver", &["null", "{}"]),
    ("Templating", &["null", "{}", r#"{"Name":""}"#]),
];

#[rustfmt::skip]
const DATA: &[&str] = &["\"aHVzaA==\"", "\"aHVz\\naA==\"", "\"\"", "null", "\"aHVzaA\"", "\"a+/=\"", "\"a-_=\"", "\"YQ==\""];

/// The body of a connect; one on every third container has no settings.
pub(super) fn connect(random: &mut Random, container: &str) -> Loose {
    let container = Loose::raw(&format!("\"{container}\""));
    let body = with(Loose::Object(Vec::new()), "Container", container);
    if random.one_in(3) {
        body
    } else {
        with(body, "EndpointConfig", some(ENDPOINT, random))
    }
}

pub(super) fn disconnect(random: &mut Random, container: &str) -> Loose {
    let container = Loose::raw(&format!("\"{container}\""));
    let body = with(Loose::Object(Vec::new()), "Container", container);
    let force = random.pick(&["true", "false", "null"]);
    if random.one_in(3) {
        body
    } else {
        with(body, "Force", Loose::raw(force))
    }
}

pub(super) fn exec_start(random: &mut Random) -> Loose {
    some(EXEC_START, random)
}

pub(super) fn credentials(random: &mut Random, registry: &str) -> Loose {
    let forms = [
        registry.to_owned(),
        format!("http://{registry}"),
        format!("https://{registry}/v1/"),
        format!("{registry}/"),
    ];
    let address = Loose::raw(&format!("\"{}\"", forms[random.below(forms.len())]));
    with(some(CREDENTIALS, random), "serveraddress", address)
}

/// The body of a secret, or of a config: they differ in the driver.
pub(super) fn secret(random: &mut Random, name: &str) -> Loose {
    let body = with(some(SECRET, random), "Data", Loose::raw(random.pick(DATA)));
    with(body, "Name", Loose::raw(&format!("\"{name}\"")))
}

/// The body of an update of a secret or config, which can change its labels only.
pub(super) fn labels(random: &mut Random, name: &str) -> Loose {
    let body = some(SECRET, random);
    let body = if random.one_in(3) {
        with(
            body,
            "Data",
            Loose::raw(random.pick(&["\"\"", "null", "\"aHVzaA==\"", "\"eA==\""])),
        )
    } else {
        body
    };
    with(body, "Name", Loose::raw(&format!("\"{name}\"")))
}

/// The configuration that a commit gives an image.
pub(super) fn commit(random: &mut Random) -> Loose {
    some(CONFIG, random)
}

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
pub(super) fn some(table: Table, random: &mut Random) -> Loose {
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
        text => Loose::read_or_raw(text),
    }
}

/// The body with this field, where it does not have it already.
pub(super) fn with_one(body: Loose, key: &str, value: Loose) -> Loose {
    match &body {
        Loose::Object(members) if members.iter().any(|(other, _)| other == key.as_bytes()) => body,
        Loose::Object(_) | Loose::List(_) | Loose::Raw(_) => with(body, key, value),
    }
}

pub(super) fn with(body: Loose, key: &str, value: Loose) -> Loose {
    let Loose::Object(mut members) = body else {
        return body;
    };
    members.push((key.as_bytes().to_vec(), value));
    Loose::Object(members)
}
