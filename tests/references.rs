//! What a request refers to is judged as it stands at the daemon, however it came to be, and pinned.

mod icc;
mod networks;
mod others;
mod races;

use serde_json::{Value, json};

use super::support::gate::Gate;
use super::support::http::{self, Answer};
use super::support::{self, engine, process, wait};

/// Names at the daemon that are removed at the end.
struct Names(String);

impl Names {
    fn new() -> Self {
        Self(process::unique("ref") + "-")
    }

    fn name(&self, name: &str) -> String {
        format!("{}{name}", self.0)
    }
}

impl Drop for Names {
    fn drop(&mut self) {
        engine::clean(&self.0);
    }
}

fn past(method: &str, target: &str, body: &str) -> Answer {
    http::request(&engine::address(), method, target, body)
}

/// Makes a container past the gate, with a process that stays, and gives its id.
fn make(name: &str, host_config: &Value) -> String {
    let body = json!({ "Image": "busybox", "Cmd": ["sleep", "600"], "HostConfig": host_config });
    let target = format!("/v1.41/containers/create?name={name}");
    let answer = past("POST", &target, &body.to_string());
    assert_eq!(answer.status, 201, "{}", answer.text());
    id_in(&answer)
}

fn id_in(answer: &Answer) -> String {
    let id = support::json(&answer.body)["Id"]
        .as_str()
        .map(str::to_owned);
    id.unwrap_or_else(|| panic!("no id in {}", answer.text()))
}

fn starts(name: &str) -> bool {
    past("POST", &format!("/v1.41/containers/{name}/start"), "").status == 204
}

fn state(name: &str) -> Value {
    let answer = past("GET", &format!("/v1.41/containers/{name}/json"), "");
    let mut container = support::json(&answer.body);
    json!({ "running": container["State"]["Running"], "paused": container["State"]["Paused"],
        "started": container["State"]["StartedAt"], "execs": container["ExecIDs"],
        "memory": container["HostConfig"]["Memory"], "name": container["Name"].take() })
}

/// What could be asked of a container: method, what follows its name, body.
const ENTERING: &[(&str, &str, &str)] = &[
    ("POST", "/start", ""),
    ("POST", "/restart?t=0", ""),
    ("POST", "/unpause", ""),
    ("POST", "/exec", r#"{"Cmd":["true"],"AttachStdout":true}"#),
    ("POST", "/attach?stream=1&stdin=1", ""),
    ("GET", "/attach/ws?stream=1", ""),
    ("GET", "/archive?path=/etc/passwd", ""),
    ("PUT", "/archive?path=/tmp", ""),
    ("GET", "/export", ""),
    ("POST", "/update", r#"{"Memory":67108864}"#),
    ("POST", "/rename?name=NEW", ""),
];

/// What a container may have of the host, and the code that refuses it.
fn of_the_host(volume: &str) -> Vec<(&'static str, Value, &'static str)> {
    vec![
        ("privileged", json!({ "Privileged": true }), "privileged"),
        ("bind", json!({ "Binds": ["/:/h"] }), "host-path"),
        (
            "mount",
            json!({ "Mounts": [{ "Type": "bind", "Source": "/", "Target": "/h" }] }),
            "host-path",
        ),
        ("pid", json!({ "PidMode": "host" }), "host-pid"),
        ("ipc", json!({ "IpcMode": "host" }), "host-ipc"),
        ("network", json!({ "NetworkMode": "host" }), "host-network"),
        (
            "capability",
            json!({ "CapAdd": ["SYS_ADMIN"] }),
            "capability",
        ),
        (
            "profile",
            json!({ "SecurityOpt": ["seccomp=unconfined"] }),
            "security-option",
        ),
        ("paths", json!({ "MaskedPaths": [] }), "unmasked-paths"),
        (
            "device",
            json!({ "Devices": [{ "PathOnHost": "/dev/null", "PathInContainer": "/dev/x",
            "CgroupPermissions": "rwm" }] }),
            "device",
        ),
        (
            "volume",
            json!({ "Binds": [format!("{volume}:/h")] }),
            "volume-host-path",
        ),
    ]
}

#[test]
fn a_container_that_was_made_past_the_gate_with_something_of_the_host_is_not_entered() {
    let (gate, names) = (Gate::guarded(), Names::new());
    let volume = names.name("bind-volume");
    let options =
        json!({ "Name": volume, "DriverOpts": { "type": "none", "o": "bind", "device": "/" } });
    let made = past("POST", "/v1.41/volumes/create", &options.to_string());
    assert_eq!(made.status, 201, "{}", made.text());
    let mut ran = 0;
    for (kind, host_config, code) in of_the_host(&volume) {
        let name = names.name(kind);
        let id = make(&name, &host_config);
        for running in [false, true] {
            // Not every one can run where the tests do, and the host's root is left unmounted.
            let is_of_root = matches!(kind, "bind" | "mount" | "volume");
            if running && (is_of_root || !starts(&name)) {
                continue;
            }
            ran += usize::from(running);
            let before = state(&name);
            for named in [&name, &id, &id.chars().take(12).collect()] {
                for (method, rest, body) in ENTERING {
                    let rest = rest.replace("NEW", &names.name("renamed"));
                    let target = format!("/v1.41/containers/{named}{rest}");
                    refused(
                        &http::request(gate.address(), method, &target, body),
                        code,
                        &target,
                    );
                }
                let target = format!("/v1.41/commit?container={named}&repo={name}");
                refused(
                    &http::request(gate.address(), "POST", &target, ""),
                    code,
                    &target,
                );
            }
            assert_eq!(state(&name), before, "{kind}");
        }
        let image = past("GET", &format!("/v1.41/images/{name}/json"), "");
        assert_eq!(image.status, 404, "{kind}");
    }
    assert!(ran >= 3, "{ran} of them ran");
}

fn refused(answer: &Answer, code: &str, what: &str) {
    assert_eq!(answer.status, 403, "{what}: {}", answer.text());
    let message = answer.message();
    assert!(
        message.contains(&format!(". {code}: `container.")),
        "{what}: {message}"
    );
}

#[test]
fn an_exec_instance_in_such_a_container_is_not_started() {
    let (gate, names) = (Gate::guarded(), Names::new());
    let name = names.name("bind");
    make(&name, &json!({ "Binds": ["/etc:/h:ro"] }));
    assert!(starts(&name));
    let body = r#"{"Cmd":["touch","/done"]}"#;
    let exec = id_in(&past(
        "POST",
        &format!("/v1.41/containers/{name}/exec"),
        body,
    ));
    for (target, body) in [
        (format!("/v1.41/exec/{exec}/start"), r#"{"Detach":true}"#),
        (format!("/v1.41/exec/{exec}/resize?h=1&w=1"), ""),
    ] {
        let answer = http::request(gate.address(), "POST", &target, body);
        refused(&answer, "host-path", &target);
    }
    let there = format!("/v1.41/containers/{name}/archive?path=/done");
    assert_eq!(past("HEAD", &there, "").status, 404);
}

#[test]
fn a_privileged_exec_instance_that_others_made_is_not_started() {
    let (gate, names) = (Gate::guarded(), Names::new());
    let name = names.name("plain");
    make(&name, &json!({}));
    assert!(starts(&name));
    let execs = format!("/v1.41/containers/{name}/exec");
    let there = format!("/v1.41/containers/{name}/archive?path=/done");
    for (rights, status) in [(r#","Privileged":true"#, 403), ("", 200)] {
        let body = format!(r#"{{"Cmd":["touch","/done"]{rights}}}"#);
        let exec = id_in(&past("POST", &execs, &body));
        let resize = format!("/v1.41/exec/{exec}/resize?h=1&w=1");
        let start = format!("/v1.41/exec/{exec}/start");
        // The second time, what the exec instance is is known already.
        for _ in 0..2 {
            let answer = http::request(gate.address(), "POST", &resize, "");
            assert_ne!(answer.status, 403, "{}", answer.text());
            let answer = http::request(gate.address(), "POST", &start, r#"{"Detach":true}"#);
            if status == 403 {
                assert_eq!(answer.status, 403, "{}", answer.text());
                assert!(answer.message().contains(". privileged: `exec."));
                assert_eq!(past("HEAD", &there, "").status, 404);
            } else {
                assert!(matches!(answer.status, 200 | 409), "{}", answer.text());
            }
        }
    }
    wait::until("the other one has run", || {
        (past("HEAD", &there, "").status == 200).then_some(())
    });
}

#[test]
fn what_is_not_there_gets_the_daemons_answer() {
    let (gate, names) = (Gate::guarded(), Names::new());
    let name = names.name("nothing");
    for target in [
        format!("/v1.41/containers/{name}/start"),
        format!("/v1.41/commit?container={name}"),
        format!("/v1.41/exec/{name}/start"),
    ] {
        let (through, past) = (
            http::request(gate.address(), "POST", &target, "{}"),
            past("POST", &target, "{}"),
        );
        assert_eq!(
            (through.status, through.message()),
            (404, past.message()),
            "{target}"
        );
    }
}

#[test]
fn a_volume_that_stands_for_the_host_is_not_mounted_by_its_name() {
    let (gate, names) = (Gate::guarded(), Names::new());
    let (plain, bind) = (names.name("plain"), names.name("bind"));
    for (name, options) in [
        (&plain, json!({})),
        (&bind, json!({ "type": "none", "o": "bind", "device": "/" })),
    ] {
        let body = json!({ "Name": name, "DriverOpts": options }).to_string();
        assert_eq!(past("POST", "/v1.41/volumes/create", &body).status, 201);
    }
    for (volume, status) in [(&plain, 201), (&bind, 403), (&names.name("new"), 201)] {
        for host_config in [
            json!({ "Binds": [format!("{volume}:/v")] }),
            json!({ "Mounts": [{ "Type": "volume", "Source": volume, "Target": "/v" }] }),
        ] {
            let body = json!({ "Image": "busybox", "HostConfig": host_config }).to_string();
            let target = format!(
                "/v1.41/containers/create?name={}",
                names.name(&process::unique("c"))
            );
            let answer = http::request(gate.address(), "POST", &target, &body);
            assert_eq!(answer.status, status, "{volume}: {}", answer.text());
            if status == 403 {
                assert!(
                    answer.message().contains("1. volume-host-path: "),
                    "{}",
                    answer.message()
                );
            }
        }
    }
}

#[test]
fn whatever_the_gate_lets_a_client_make_can_be_entered() {
    let (gate, names) = (Gate::guarded(), Names::new());
    let network = names.name("network");
    let body = json!({ "Name": network }).to_string();
    let made = http::request(gate.address(), "POST", "/v1.41/networks/create", &body);
    assert_eq!(made.status, 201, "{}", made.text());
    let id = id_in(&made);
    for (index, host_config) in [
        json!({}),
        json!({ "NetworkMode": network }),
        json!({ "NetworkMode": id }),
        json!({ "NetworkMode": "none" }),
        json!({ "IpcMode": "shareable", "ShmSize": 1_048_576 }),
        json!({ "CapAdd": ["cap_chown"], "CapDrop": ["ALL"], "SecurityOpt": ["no-new-privileges"] }),
        json!({ "Binds": [format!("{}:/v", names.name("volume")), "/anonymous"], "Tmpfs": { "/t": "size=1m" } }),
        json!({ "Mounts": [{ "Type": "volume", "Target": "/v" }, { "Type": "tmpfs", "Target": "/t" }] }),
        json!({ "PublishAllPorts": true, "PortBindings": { "80/tcp": null } }),
        json!({ "LogConfig": { "Type": "local", "Config": { "max-size": "1m" } } }),
        json!({ "OomScoreAdj": 500, "Memory": 67_108_864, "PidsLimit": 10, "Init": true, "ReadonlyRootfs": true }),
    ]
    .iter()
    .enumerate()
    {
        let name = names.name(&index.to_string());
        let body = json!({ "Image": "busybox", "Cmd": ["sleep", "600"], "HostConfig": host_config });
        let ask = |method: &str, target: &str, body: &str, expected: u16| {
            let answer = http::request(gate.address(), method, target, body);
            assert_eq!(answer.status, expected, "{target} {host_config}: {}", answer.text());
            answer
        };
        let at = |rest: &str| format!("/v1.41/containers/{name}{rest}");
        let create = format!("/v1.41/containers/create?name={name}");
        ask("POST", &create, &body.to_string(), 201);
        ask("POST", &at("/start"), "", 204);
        let exec = ask("POST", &at("/exec"), r#"{"Cmd":["true"]}"#, 201);
        let exec = format!("/v1.41/exec/{}/start", id_in(&exec));
        ask("POST", &exec, r#"{"Detach":true}"#, 200);
        ask("GET", &at("/archive?path=/etc/passwd"), "", 200);
        ask("POST", &at("/pause"), "", 204);
        ask("POST", &at("/unpause"), "", 204);
        ask("POST", &at("/update"), r#"{"CpuShares":512}"#, 200);
        ask("POST", &at("/restart?t=0"), "", 204);
        ask("POST", &at(&format!("/rename?name={name}-b")), "", 204);
    }
}

#[test]
fn what_needs_no_lookup_costs_none() {
    let daemon = support::fake_daemon::FakeDaemon::start();
    let gate = support::gate::Setup::before(&daemon.address())
        .listen("guarded")
        .start();
    http::request(gate.address(), "GET", "/v1.41/containers/json", "");
    http::request(gate.address(), "POST", "/v1.41/containers/a/stop", "");
    http::request(
        gate.address(),
        "POST",
        "/v1.41/containers/create",
        r#"{"Image":"a"}"#,
    );
    let lines: Vec<String> = daemon.take().iter().map(|seen| seen.line()).collect();
    assert_eq!(
        lines,
        [
            "GET /v1.41/containers/json",
            "POST /v1.41/containers/a/stop",
            "POST /v1.41/containers/create",
        ]
    );
    http::request(gate.address(), "POST", "/v1.41/containers/a/start", "");
    let lines: Vec<String> = daemon.take().iter().map(|seen| seen.line()).collect();
    let id = "0a".repeat(32);
    assert_eq!(
        lines,
        [
            "GET /containers/a/json".to_owned(),
            format!("POST /v1.41/containers/{id}/start")
        ]
    );
}
