//! A tighter policy is tried on live requests: none fails for it, and what it would refuse is known.

use std::process::Command;

use super::support::certificates::DOCKGATE;
use super::support::fake_daemon::FakeDaemon;
use super::support::gate::{Gate, Setup};
use super::support::http;
use super::support::process::{self, Ended};
use super::support::wait::DEADLINE;

const TIGHT: &str = "description = 'x'\nmode = 'observe'\nfallback = './wide.toml'\n\
    [[permit]]\noperations = ['System:read', 'ContainerCreate', 'NetworkCreate']\n[container]\nimages = ['*']\n\
    [network]\nicc = 'any'\n";
const WIDE: &str = "description = 'x'\n[[permit]]\noperations = ['System:read', 'Image:read', 'Container:*', 'Network:*']\n\
    [container]\nimages = ['*']\nnetworks = ['*']\nprivileged = true\n";

fn gate(daemon: &FakeDaemon) -> Gate {
    Setup::before(&daemon.address())
        .file("tight.toml", TIGHT)
        .file("wide.toml", WIDE)
        .listen("./tight.toml")
        .plus("[admin]\naddress = 'tcp://127.0.0.2:0'")
        .start()
}

fn post(gate: &Gate, target: &str, body: &str) -> u16 {
    http::request(gate.address(), "POST", &format!("/v1.41{target}"), body).status
}

#[test]
fn refuses_only_what_the_fallback_refuses_and_records_the_rest() {
    let daemon = FakeDaemon::start();
    let gate = gate(&daemon);
    assert!(gate.output().contains("this policy observes"));
    let privileged = r#"{"Image":"a","HostConfig":{"Privileged":true,"NetworkMode":"none"}}"#;
    assert_eq!(post(&gate, "/containers/create", privileged), 200);
    assert_eq!(post(&gate, "/containers/a/start", ""), 200);
    let get = |target| http::request(gate.address(), "GET", target, "").status;
    assert_eq!(get("/v1.41/images/json"), 200);
    assert_eq!(get("/v1.41/version"), 200);
    let bind = r#"{"Image":"a","HostConfig":{"Binds":["/:/h"],"Privileged":true}}"#;
    assert_eq!(post(&gate, "/containers/create", bind), 403);

    let records = gate.audit();
    let decisions: Vec<_> = records
        .iter()
        .filter(|one| one["event"] == "decision")
        .collect();
    let codes = |index: usize| -> Vec<&str> {
        let reasons = decisions[index]["observed"]["reasons"].as_array();
        let reasons = reasons.into_iter().flatten();
        reasons
            .map(|reason| reason["code"].as_str().unwrap())
            .collect()
    };
    assert_eq!(codes(0), ["privileged"]);
    assert_eq!(decisions[0]["decision"], "permit");
    assert_eq!(decisions[0]["policy"], "wide");
    assert_eq!(decisions[0]["observed"]["policy"], "tight");
    assert_eq!(codes(1), ["operation"]);
    assert_eq!(codes(2), ["operation"]);
    for without in [3, 4] {
        assert!(decisions[without].get("observed").is_none());
    }
    assert_eq!(decisions[4]["decision"], "refuse");

    let metrics = super::admin::metrics(&gate);
    let observed = |reason: &str| {
        let end = format!("reason=\"{reason}\"}} ");
        let lines = metrics
            .lines()
            .filter(|line| line.starts_with("dockgate_observed_reasons_total{operation="));
        lines
            .filter_map(|line| line.split_once(&end)?.1.parse::<u64>().ok())
            .sum::<u64>()
    };
    assert_eq!(
        (observed("operation"), observed("privileged")),
        (2, 1),
        "{metrics}"
    );
}

#[test]
fn the_request_is_the_one_that_the_fallback_permits() {
    let daemon = FakeDaemon::start();
    let gate = gate(&daemon);
    assert_eq!(post(&gate, "/networks/create", r#"{"Name":"n"}"#), 200);
    let seen = daemon.take();
    let body = String::from_utf8(seen[0].body.clone()).unwrap();
    assert!(
        body.contains(r#""com.docker.network.bridge.enable_icc":"false""#),
        "{body}"
    );
}

#[test]
fn it_holds_itself_once_it_no_longer_observes() {
    let daemon = FakeDaemon::start();
    let gate = gate(&daemon);
    assert_eq!(post(&gate, "/containers/a/stop", ""), 200);
    let enforced = TIGHT
        .replace("observe", "enforce")
        .replace("fallback = './wide.toml'\n", "");
    gate.replace("tight.toml", &enforced);
    gate.says("INFO reloaded", 0);
    assert_eq!(post(&gate, "/containers/a/stop", ""), 403);
    // The fallback is a file in use as long as it holds.
    gate.replace("tight.toml", TIGHT);
    gate.says("INFO reloaded", 1);
    assert_eq!(post(&gate, "/containers/a/stop", ""), 200);
    gate.replace("wide.toml", "description = 'nothing'\n");
    gate.says("INFO reloaded", 2);
    assert_eq!(post(&gate, "/containers/a/stop", ""), 403);
}

fn dockgate(arguments: &[&str]) -> Ended {
    process::run(Command::new(DOCKGATE).args(arguments), Vec::new(), DEADLINE)
}

#[test]
fn a_fallback_that_would_not_hold_is_a_problem_to_serve_and_to_check() {
    let folder = tempfile::tempdir().unwrap();
    let tight = folder.path().join("tight.toml");
    let tight = tight.to_str().unwrap();
    let listener = format!("unix://{}/gate.sock", folder.path().display());
    for (fallback, cause) in [
        ("./tight.toml", "observes itself"),
        ("./other.toml", "observes itself"),
        ("open", "forwards requests unread"),
        ("./absent.toml", "cannot read"),
    ] {
        let text = TIGHT.replace("./wide.toml", fallback);
        std::fs::write(tight, &text).unwrap();
        std::fs::write(
            folder.path().join("other.toml"),
            TIGHT.replace("./wide.toml", "guarded"),
        )
        .unwrap();
        for arguments in [
            &["check", tight][..],
            &["serve", "--policy", tight, "--listen", &listener],
        ] {
            let ended = dockgate(arguments);
            assert_eq!(
                ended.status.code(),
                Some(78),
                "{fallback}: {}",
                ended.stderr
            );
            assert!(ended.stderr.contains(cause), "{}", ended.stderr);
        }
    }
}

#[test]
fn a_check_tells_that_nothing_is_refused_yet_and_what_holds() {
    let folder = tempfile::tempdir().unwrap();
    let tight = folder.path().join("tight.toml");
    std::fs::write(&tight, TIGHT).unwrap();
    std::fs::write(folder.path().join("wide.toml"), WIDE).unwrap();
    let ended = dockgate(&["check", tight.to_str().unwrap()]);
    assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
    let text = ended.text();
    assert!(
        text.contains("tight.toml:3: observes: refuses nothing that `./wide.toml` permits"),
        "{text}"
    );
    assert!(text.contains("wide.toml:7: opens privileged"), "{text}");
}
