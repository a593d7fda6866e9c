//! Each rule both ways: refused by an empty limit, permitted by the key that names it.

mod existing;
mod host_paths;
mod networks;
mod opened_paths;
mod others;
mod owner_sums;
mod owners;
mod plugins;
mod quiet;
mod service;
mod service_networks;
mod subnets;
mod told;

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::engine_api::{Operation, RequestHead};
use crate::policy::{self, Policy};

const CREATE: &str = "POST /v1.41/containers/create";

/// A policy that permits every operation that is modelled and runs any image on any network, with more tables.
fn policy(more: &str) -> Policy {
    let operations: Vec<String> = Operation::all()
        .filter(|operation| operation.spec().is_modelled)
        .map(|operation| format!("{:?}", operation.name()))
        .collect();
    let text = format!(
        "description = \"a test\"\n[[permit]]\noperations = [{}]\n{more}",
        operations.join(", ")
    );
    let policy = policy::compile("test.toml", &text, &BTreeMap::new());
    policy.unwrap_or_else(|problems| panic!("{problems}"))
}

const OPEN: &str = "images = [\"*\"]\nnetworks = [\"*\"]\n";

const BRIDGE: &str = "[network]\ndefault-bridge = \"any\"\n";

fn request(line: &str, body: &str) -> EngineRequest {
    let (method, target) = line.split_once(' ').unwrap();
    let head = RequestHead::parse(method, target).unwrap();
    head.with_body(body.as_bytes())
        .unwrap_or_else(|fault| panic!("{body}: {fault}"))
}

fn codes(policy: &Policy, line: &str, body: &str, facts: &Facts) -> Vec<&'static str> {
    let request = request(line, body);
    let facts = over_ordinary(policy, &request, facts);
    match decide(policy, request, &facts) {
        Decision::Permit(_) => Vec::new(),
        Decision::Refuse(refusal) => refusal.reasons.iter().map(|reason| reason.code).collect(),
    }
}

/// What is known, and else the ordinary.
fn over_ordinary(policy: &Policy, request: &EngineRequest, known: &Facts) -> Facts {
    let mut facts = known.clone();
    "client".clone_into(&mut facts.owner);
    facts.fill(policy, references(policy, request));
    facts
}

fn host_config(more: &str, body: &str, facts: &Facts) -> Vec<&'static str> {
    let body = format!(r#"{{"Image":"busybox","HostConfig":{body}}}"#);
    codes(
        &policy(&format!("[container]\n{OPEN}{more}\n{BRIDGE}")),
        CREATE,
        &body,
        facts,
    )
}

/// A `HostConfig`, the code that refuses it, and the key that opens it.
const KEYS: &[(&str, &str, &str)] = &[
    (r#"{"Privileged":true}"#, "privileged", "privileged = true"),
    (
        r#"{"CapAdd":["cap_net_admin"]}"#,
        "capability",
        r#"capabilities = ["NET_ADMIN"]"#,
    ),
    (
        r#"{"CapAdd":["SYS_TIME"]}"#,
        "capability",
        r#"capabilities = ["ALL"]"#,
    ),
    (
        r#"{"Devices":[{"PathOnHost":"/dev/fuse"}]}"#,
        "device",
        r#"devices = ["/dev/fuse"]"#,
    ),
    (
        r#"{"DeviceRequests":[{"Count":1}]}"#,
        "device-requests",
        "device-requests = true",
    ),
    (
        r#"{"DeviceCgroupRules":["c 1:3 r"]}"#,
        "device-cgroup-rule",
        r#"device-cgroup-rules = ["c 1:3 r"]"#,
    ),
    (
        r#"{"SecurityOpt":["seccomp:unconfined"]}"#,
        "security-option",
        r#"security-options = ["seccomp=unconfined"]"#,
    ),
    (
        r#"{"Ulimits":[{"Name":"nofile","Hard":9},{"Name":"RtPrio","Hard":9}]}"#,
        "ulimit",
        r#"ulimits = ["rtprio"]"#,
    ),
    (
        r#"{"Ulimits":[{"Name":"memlock","Hard":-1,"Soft":-1}]}"#,
        "ulimit",
        r#"ulimits = ["memlock"]"#,
    ),
    (
        r#"{"CpuRealtimeRuntime":1000}"#,
        "ulimit",
        r#"ulimits = ["rtprio"]"#,
    ),
    (
        r#"{"Sysctls":{"net.core.somaxconn":"1"}}"#,
        "sysctl",
        r#"sysctls = ["net.core.*"]"#,
    ),
    (
        r#"{"Runtime":"runsc"}"#,
        "runtime",
        r#"runtimes = ["runsc"]"#,
    ),
    (
        r#"{"CgroupParent":"/ci"}"#,
        "cgroup-parent",
        r#"cgroup-parents = ["/ci"]"#,
    ),
    (
        r#"{"OomScoreAdj":-1}"#,
        "oom-score",
        "negative-oom-score = true",
    ),
    (
        r#"{"OomKillDisable":true}"#,
        "oom-kill-disable",
        "oom-kill-disable = true",
    ),
    (
        r#"{"Annotations":{"a.b":"c"}}"#,
        "annotation",
        r#"annotations = ["a.*"]"#,
    ),
    (
        r#"{"LogConfig":{"Type":"syslog","Config":{"syslog-address":"x"}}}"#,
        "log-driver",
        r#"log-drivers = ["syslog"]"#,
    ),
    (
        r#"{"MaskedPaths":[]}"#,
        "unmasked-paths",
        "unmasked-paths = true",
    ),
    (
        r#"{"NetworkMode":"host"}"#,
        "host-network",
        r#"namespaces = ["host-network"]"#,
    ),
    (
        r#"{"PidMode":"container:a"}"#,
        "container-pid",
        r#"namespaces = ["container-pid"]"#,
    ),
    (
        r#"{"UsernsMode":"host"}"#,
        "host-user",
        r#"namespaces = ["host-user"]"#,
    ),
    (
        r#"{"PortBindings":{"1/tcp":[{"HostPort":"80"}]}}"#,
        "published-port",
        r#"published = ["*:80"]"#,
    ),
    (
        r#"{"PublishAllPorts":true}"#,
        "published-port",
        r#"published = ["*:*"]"#,
    ),
    (r#"{"Links":["a:b"]}"#, "link", r#"links = ["a"]"#),
];

#[test]
fn each_key_of_a_container_opens_what_it_names_and_nothing_without_it() {
    for (body, code, key) in KEYS {
        let facts = Facts::default();
        assert_eq!(host_config("", body, &facts), [*code], "{body}");
        assert_eq!(
            host_config(key, body, &facts),
            Vec::<&str>::new(),
            "{body} with {key}"
        );
    }
}

#[test]
fn what_is_harmless_needs_no_key() {
    for body in [
        "{}",
        "null",
        r#"{"CapAdd":["CHOWN","cap_kill"],"CapDrop":["ALL"]}"#,
        r#"{"SecurityOpt":["no-new-privileges"]}"#,
        r#"{"SecurityOpt":["no-new-privileges=true","no-new-privileges:1"]}"#,
        r#"{"IpcMode":"shareable"}"#,
        r#"{"CgroupnsMode":"private"}"#,
        r#"{"OomScoreAdj":500}"#,
        r#"{"MaskedPaths":null,"ReadonlyPaths":null}"#,
        r#"{"LogConfig":{"Type":"local","Config":{"max-size":"1m"}}}"#,
        r#"{"Binds":["data:/data:z","/anonymous"]}"#,
        r#"{"Tmpfs":{"/t":"size=1m,noexec"}}"#,
        r#"{"Mounts":[{"Type":"tmpfs","Target":"/t"}]}"#,
        r#"{"StorageOpt":{"size":"1G"}}"#,
        r#"{"Isolation":"default"}"#,
        r#"{"Privileged":false,"PublishAllPorts":false}"#,
    ] {
        assert_eq!(
            host_config("", body, &Facts::default()),
            Vec::<&str>::new(),
            "{body}"
        );
    }
}

#[test]
fn a_network_is_stamped_or_left_as_the_policy_says() {
    let create = |icc: &str, options: &str| {
        let policy = policy(&format!("[network]\nicc = \"{icc}\""));
        let body = format!(r#"{{"Name":"n","Options":{options}}}"#);
        match decide(
            &policy,
            request("POST /networks/create", &body),
            &Facts::default(),
        ) {
            Decision::Permit(permit) => match &permit.request().body {
                Body::Json(body) => body
                    .get("Options")
                    .map(Value::to_string)
                    .unwrap_or_default(),
                Body::None | Body::Stream => panic!("no body"),
            },
            Decision::Refuse(refusal) => refusal.reasons.iter().map(|reason| reason.code).collect(),
        }
    };
    let (on, off) = (
        r#"{"com.docker.network.bridge.enable_icc":"true"}"#,
        r#"{"com.docker.network.bridge.enable_icc":"false"}"#,
    );
    for options in ["null", "{}", off] {
        assert_eq!(create("never", options), off, "{options}");
    }
    assert_eq!(create("own", "{}"), "{}");
    assert_eq!(create("own", off), off);
    for icc in ["never", "own"] {
        assert_eq!(create(icc, on), "icc");
    }
    assert_eq!(create("any", on), on);
}

#[test]
fn an_image_is_judged_by_its_long_name_and_the_tag_beside_it() {
    let pulls = policy("[image]\nreferences = [\"docker.io/library/busybox:1\", \"r.example/*\"]");
    for (query, permitted) in [
        ("fromImage=busybox&tag=1", true),
        ("fromImage=busybox:1", true),
        ("fromImage=docker.io/busybox:1", true),
        ("fromImage=r.example/a", true),
        ("fromImage=busybox", false),
        ("fromImage=busybox:1&tag=2", false),
        ("fromImage=busybox&tag=latest", false),
        ("fromImage=busybox:1&tag=sha256:00", false),
        ("fromImage=R.EXAMPLE/a", false),
        ("fromImage=r.example", false),
    ] {
        let refused = codes(
            &pulls,
            &format!("POST /images/create?{query}"),
            "",
            &Facts::default(),
        );
        assert_eq!(refused.is_empty(), permitted, "{query}: {refused:?}");
    }
}

#[test]
fn every_reason_is_named_at_once_and_where_it_stands() {
    let policy =
        policy::compile("test.toml", "description = \"nothing\"", &BTreeMap::new()).unwrap();
    let body = r#"{"Image":"a","New":1,"HostConfig":{"Privileged":true,"PidMode":"host"}}"#;
    let Decision::Refuse(refusal) = decide(&policy, request(CREATE, body), &Facts::default())
    else {
        panic!("permitted")
    };
    let fields: Vec<(&str, &str)> = refusal
        .reasons
        .iter()
        .map(|reason| (reason.code, reason.field.as_str()))
        .collect();
    for expected in [
        ("operation", ""),
        ("unknown-field", "New"),
        ("privileged", "HostConfig.Privileged"),
        ("host-pid", "HostConfig.PidMode"),
        ("image", "Image"),
        ("network", "HostConfig.NetworkMode"),
    ] {
        assert!(fields.contains(&expected), "{expected:?} in {fields:?}");
    }
    let text = refusal.to_string();
    assert!(
        text.contains("for 6 reasons:") && text.lines().count() == 7,
        "{text}"
    );
}

#[test]
fn a_remedy_says_nothing_but_what_was_asked() {
    let text = "a\"], privileged = true, x = [\"b\n\u{1b}[2J\\";
    assert_eq!(
        Reason::quoted(text),
        r#""a\"], privileged = true, x = [\"b\u000A\u001B[2J\\""#
    );
}

#[test]
fn the_policy_for_everything_permits_what_nobody_can_read() {
    let text = "description = \"open\"\ndangerously-permit-everything = true";
    let open = policy::compile("open.toml", text, &BTreeMap::new()).unwrap();
    let head = RequestHead::parse("POST", "/v1.41/nothing/known").unwrap();
    assert!(matches!(
        decide(&open, head.unjudged(), &Facts::default()),
        Decision::Permit(_)
    ));
}

proptest! {
    #[test]
    fn an_empty_policy_refuses_everything(
        index in 0..Operation::all().count(),
        body in prop_oneof![Just(String::new()), Just("{}".to_owned()), any::<String>()],
        query in "[a-z=&%0-9]{0,20}",
    ) {
        let spec = Operation::all().nth(index).unwrap().spec();
        let path: String = spec.path.split('/').skip(1).map(|part| if part.starts_with('{') { "/x" } else { part }).fold(String::new(), |path, part| format!("{path}/{}", part.trim_start_matches('/')));
        let head = RequestHead::parse(spec.method, &format!("{path}?{query}"));
        if let Ok(request) = head.and_then(|head| head.with_body(body.as_bytes())) {
            let is_refused = matches!(decide(&Policy::default(), request, &Facts::default()), Decision::Refuse(_));
            prop_assert!(is_refused);
        }
    }

    #[test]
    fn no_capability_beyond_the_default_is_harmless_in_any_spelling(name in "(CAP_|cap_|Cap_)?[A-Za-z_\u{17f}\u{212a}]{1,16}") {
        let body = format!(r#"{{"CapAdd":["{name}"]}}"#);
        let upper: String = name.chars().map(|c| match c {
            '\u{17f}' => 'S',
            '\u{212a}' => '\u{212a}',
            c => c.to_ascii_uppercase(),
        }).collect();
        let bare = upper.strip_prefix("CAP_").unwrap_or(&upper);
        let default = [
            "AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE", "NET_RAW", "SETFCAP",
            "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT",
        ];
        let refused = host_config("", &body, &Facts::default());
        prop_assert_eq!(refused.is_empty(), default.contains(&bare), "{}", name);
    }
}
