//! What the gate tells of itself, and to whom.

use std::collections::BTreeSet;
use std::io::{BufReader, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::reload::Kept;
use super::support::address::{Address, Connection};
use super::support::certificates::Authority;
use super::support::fake_daemon::{FakeDaemon, answer_empty, plain};
use super::support::gate::{Gate, Setup};
use super::support::http::{self, Answer};
use super::support::wait;

const TELLS: &str = "telling of health and metrics address=";

fn setup(daemon: &FakeDaemon) -> Setup {
    Setup::before(&daemon.address())
        .listen("guarded")
        .plus("[admin]\naddress = 'tcp://127.0.0.2:0'")
}

fn admin(gate: &Gate) -> Address {
    let output = gate.output();
    let (_, rest) = output.split_once(TELLS).unwrap();
    Address::parse(rest.split_whitespace().next().unwrap())
}

fn get(address: &Address, path: &str) -> Answer {
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
    http::send(address, request.as_bytes()).unwrap()
}

pub(super) fn metrics(gate: &Gate) -> String {
    let answer = get(&admin(gate), "/metrics");
    assert_eq!(answer.status, 200);
    let text = answer.text();
    let mut families = BTreeSet::new();
    for line in text.lines() {
        if let Some(family) = line.strip_prefix("# TYPE ") {
            assert!(families.insert(family.split(' ').next().unwrap().to_owned()));
        } else if !line.starts_with('#') {
            let name = line.split(['{', ' ']).next().unwrap();
            let family = ["_total", "_bucket", "_count", "_sum", "_info"]
                .iter()
                .find_map(|end| name.strip_suffix(end))
                .unwrap_or(name);
            assert!(families.contains(family), "{line}");
        }
    }
    assert!(text.ends_with("\n# EOF\n"), "{text}");
    text
}

fn has(text: &str, line: &str) {
    assert!(
        text.lines().any(|one| one == line),
        "{line} is not in\n{text}"
    );
}

#[test]
fn counts_what_was_decided_for_whom_and_why() {
    let daemon = FakeDaemon::start();
    let authority = Authority::shared();
    let gate = setup(&daemon)
        .listen_tls(None, authority)
        .plus("[[client]]\nname = 'people'\nmatch = { common-name = 'dev*' }\npolicy = 'guarded'")
        .start();
    let developer = gate.listener(1).clone();
    let developer = developer.with_client_certificate(&authority.client("developer"));
    for _ in 0..3 {
        assert_eq!(
            http::request(&developer, "GET", "/v1.41/images/json", "").status,
            200
        );
    }
    let privileged = r#"{"Image":"a","HostConfig":{"Privileged":true}}"#;
    let create = |address| http::request(address, "POST", "/v1.41/containers/create", privileged);
    assert_eq!(create(&developer).status, 403);
    assert_eq!(create(gate.address()).status, 403);
    assert_eq!(http::request(gate.address(), "GET", "//", "").status, 400);
    http::request(gate.address(), "POST", "/v1.41/containers/a/start", "");

    let text = wait::until("the exchanges have ended", || {
        let text = metrics(&gate);
        let ended = ["{kind=\"answered\"} 4\n", "{kind=\"refused\"} 3\n"];
        let are_counted =
            ended.map(|end| text.contains(&format!("dockgate_exchange_seconds_count{end}")));
        (are_counted == [true, true]).then_some(text)
    });
    for line in [
        "dockgate_decisions_total{client=\"people\",operation=\"ImageList\",decision=\"permit\"} 3",
        "dockgate_decisions_total{client=\"people\",operation=\"ContainerCreate\",decision=\"refuse\"} 1",
        "dockgate_decisions_total{operation=\"ContainerCreate\",decision=\"refuse\"} 1",
        "dockgate_decisions_total{decision=\"malformed\"} 1",
        "dockgate_reasons_total{client=\"people\",operation=\"ContainerCreate\",reason=\"privileged\"} 1",
        "dockgate_reasons_total{operation=\"ContainerCreate\",reason=\"privileged\"} 1",
        "dockgate_reasons_total{reason=\"malformed-path\"} 1",
        "dockgate_daemon_lookups_total{lookup=\"container\",outcome=\"found\"} 1",
        "dockgate_tunnels 0",
    ] {
        has(&text, line);
    }
    assert!(text.contains(
        "dockgate_certificate_expiry_days{what=\"certificate\",of=\"tcp://127.0.0.1:0\"} 36"
    ));
    let digest = gate.audit()[0]["configuration"]
        .as_str()
        .unwrap()
        .to_owned();
    has(
        &text,
        &format!("dockgate_configuration_info{{digest=\"{digest}\"}} 1"),
    );
}

#[test]
fn counts_bytes_durations_caches_and_who_was_turned_away() {
    let daemon = FakeDaemon::answering(|request, stream| {
        if request.target.contains("/images/json") {
            wait::pause(std::time::Duration::from_millis(60));
            let _ = stream.write_all(&plain(200, "[{\"Id\":1}]"));
        } else {
            answer_empty(request, stream);
        }
    });
    let gate = setup(&daemon)
        .plus("[limits]\nconnections-per-client = 1")
        .start();
    let mut kept = Kept::to(gate.address());
    assert_eq!(kept.get("/v1.41/images/json"), 200);
    let refused = http::send(gate.address(), b"GET /_ping HTTP/1.1\r\nHost: d\r\n\r\n");
    assert_eq!(refused.unwrap().status, 503);
    drop(kept);
    let ask = |method: &str, target: &str, body: &str| {
        wait::until("a place is free", || {
            let answer = http::request(gate.address(), method, target, body);
            (answer.status != 503).then_some(answer.status)
        })
    };
    let body = r#"{"Name":"abc"}"#;
    assert_eq!(ask("POST", "/v1.41/volumes/create", body), 200);
    for _ in 0..3 {
        ask("POST", "/v1.41/exec/a/resize?h=1&w=1", "");
    }
    let text = wait::until("the exchanges have ended", || {
        let text = metrics(&gate);
        text.contains("dockgate_exchange_seconds_count{kind=\"answered\"} 5\n")
            .then_some(text)
    });
    let up = format!(
        "dockgate_bytes_total{{direction=\"from-client\"}} {}",
        body.len()
    );
    for line in [
        up.as_str(),
        "dockgate_exchange_seconds_bucket{kind=\"answered\",le=\"+Inf\"} 5",
        "dockgate_exchange_seconds_bucket{kind=\"answered\",le=\"3600.0\"} 5",
        "dockgate_exec_containers_total{cache=\"miss\"} 1",
        "dockgate_exec_containers_total{cache=\"hit\"} 2",
    ] {
        has(&text, line);
    }
    are_within(&text);
}

/// What depends on time, or on how much the gate asks for itself.
fn are_within(text: &str) {
    let value = |name: &str| {
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("{name} is not in\n{text}"))
            .parse::<f64>()
            .unwrap()
    };
    // `[{"Id":1}]`, and `{}` or more for the others.
    assert!(value("dockgate_bytes_total{direction=\"to-client\"}") >= 12.0);
    assert!(
        value("dockgate_connections_refused_total{reason=\"too-many-connections-of-client\"}")
            >= 1.0
    );
    assert!(value("dockgate_exchange_seconds_bucket{kind=\"answered\",le=\"0.05\"}") < 5.0);
    let sum = value("dockgate_exchange_seconds_sum{kind=\"answered\"}");
    assert!((0.06..60.0).contains(&sum), "{sum}");
    let defaults = ["hit", "miss"];
    let defaults = defaults.map(|cache| {
        value(&format!(
            "dockgate_daemon_defaults_total{{cache=\"{cache}\"}}"
        ))
    });
    let lookups = "dockgate_daemon_lookups_total{lookup=\"container\",outcome=\"found\"}";
    assert!(value(lookups) >= 3.0 && defaults.iter().all(|count| *count >= 0.0));
}

#[test]
fn counts_reloads_and_tells_what_is_in_force() {
    let daemon = FakeDaemon::start();
    let policy = "description = 'x'\n";
    let gate = Setup::before(&daemon.address())
        .file("policy.toml", policy)
        .listen("policy.toml")
        .plus("[admin]\naddress = 'tcp://127.0.0.2:0'")
        .start();
    let digest = |text: &str| {
        let (_, rest) = text.split_once("digest=\"").unwrap();
        rest.get(..64).unwrap().to_owned()
    };
    let before = digest(&metrics(&gate));
    gate.replace("policy.toml", "broken");
    gate.says("not reloaded", 0);
    let broken = metrics(&gate);
    has(&broken, "dockgate_reloads_total{result=\"failed\"} 1");
    assert_eq!(digest(&broken), before);
    gate.replace("policy.toml", "description = 'y'\n");
    gate.says("INFO reloaded", 0);
    let after = metrics(&gate);
    has(&after, "dockgate_reloads_total{result=\"ok\"} 1");
    assert_ne!(digest(&after), before);
}

fn attaching() -> FakeDaemon {
    FakeDaemon::answering(|request, stream| {
        if request.target.contains("/attach") {
            let _ = stream
                .write_all(b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n");
        } else {
            answer_empty(request, stream);
        }
    })
}

fn attach(gate: &Gate) -> BufReader<Connection> {
    let mut tunnel = gate.address().connect().unwrap();
    let attach = b"POST /v1.41/containers/a/attach?stream=1 HTTP/1.1\r\nHost: d\r\n\r\n";
    tunnel.write_all(attach).unwrap();
    let mut tunnel = BufReader::new(tunnel);
    http::read_head(&mut tunnel).unwrap();
    tunnel
}

#[test]
fn a_tunnel_is_counted_while_it_is_open() {
    let daemon = attaching();
    let gate = setup(&daemon).start();
    let tunnel = attach(&gate);
    has(&metrics(&gate), "dockgate_tunnels 1");
    has(&metrics(&gate), "dockgate_connections 1");
    assert_eq!(get(&admin(&gate), "/readyz").status, 200);
    gate.signal("TERM");
    wait::until("a gate that drains is not ready", || {
        let answer = get(&admin(&gate), "/readyz");
        answer.text().contains("the gate is ending").then_some(())
    });
    drop(tunnel);
}

#[test]
fn a_tunnel_that_has_ended_is_counted_as_one() {
    let daemon = attaching();
    let gate = setup(&daemon).start();
    drop(attach(&gate));
    wait::until("the tunnel ends", || {
        metrics(&gate)
            .contains("dockgate_tunnels 0\n")
            .then_some(())
    });
    has(
        &metrics(&gate),
        "dockgate_exchange_seconds_count{kind=\"tunnel\"} 1",
    );
}

#[test]
fn readiness_is_a_round_trip_that_nobody_can_multiply() {
    let asked = Arc::<AtomicUsize>::default();
    let counted = Arc::clone(&asked);
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("docker.sock");
    let daemon = FakeDaemon::at(&socket, move |request, stream| {
        counted.fetch_add(1, Ordering::SeqCst);
        assert_eq!(request.line(), "GET /_ping");
        let _ = stream.write_all(&plain(200, "OK"));
    });
    let gate = setup(&daemon).start();
    let address = admin(&gate);
    let callers: Vec<_> = (0..8)
        .map(|_| {
            let address = address.clone();
            thread::spawn(move || {
                for _ in 0..5 {
                    assert_eq!(get(&address, "/readyz").status, 200);
                }
            })
        })
        .collect();
    for caller in callers {
        caller.join().unwrap();
    }
    let count = asked.load(Ordering::SeqCst);
    assert!((1..=5).contains(&count), "{count}");

    drop(daemon);
    let answer = wait::until("the gate is not ready", || {
        let answer = get(&address, "/readyz");
        (answer.status == 503).then_some(answer)
    });
    assert!(
        answer.text().contains("cannot connect"),
        "{}",
        answer.text()
    );
    assert_eq!(get(&address, "/healthz").status, 200);

    // A daemon that takes connections and answers nothing is not ready either.
    let silent = FakeDaemon::at(&socket, |_, _| {});
    let answer = wait::until("the silence is noticed", || {
        let answer = get(&address, "/readyz");
        answer.text().contains("no answer").then_some(answer)
    });
    assert_eq!(answer.status, 503);
    drop(silent);
}

#[test]
fn nothing_but_a_get_without_a_body_is_answered() {
    let daemon = FakeDaemon::start();
    let gate = setup(&daemon).start();
    let address = admin(&gate);
    let status = |bytes: &str| http::send(&address, bytes.as_bytes()).unwrap().status;
    assert_eq!(
        status("POST /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"),
        405
    );
    assert_eq!(
        status("GET /metrics HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}"),
        400
    );
    assert_eq!(
        status("GET /metrics HTTP/1.1\r\nHost: evil.example\r\n\r\n"),
        403
    );
    assert_eq!(
        status("GET /v1.41/info HTTP/1.1\r\nHost: localhost\r\n\r\n"),
        404
    );
    assert_eq!(status("GET /metrics\r\n\r\n"), 400);
    let long = format!("GET / HTTP/1.1\r\nA: {}", "x".repeat(10_000));
    assert_eq!(status(&long), 431);
    assert!(daemon.take().is_empty());
}

#[test]
fn those_who_say_nothing_keep_nobody_out_for_long() {
    let daemon = FakeDaemon::start();
    let gate = setup(&daemon).start();
    let address = admin(&gate);
    let silent: Vec<_> = (0..40).map(|_| address.connect().unwrap()).collect();
    wait::until("the silent have had their time", || {
        let request = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
        let answer = http::send(&address, request).ok()?;
        (answer.status == 200).then_some(())
    });
    drop(silent);
}

#[test]
fn a_unix_socket_is_its_owners_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let daemon = FakeDaemon::start();
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("admin.sock");
    let gate = Setup::before(&daemon.address())
        .listen("guarded")
        .plus(&format!("[admin]\naddress = 'unix://{}'", socket.display()))
        .start();
    let mode = std::fs::metadata(&socket).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o600);
    metrics(&gate);
}
