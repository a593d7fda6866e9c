//! Questions whose answers would be short or long by a guess at the host's name, and spellings of where it stands.

use super::super::support::docker::Docker;
use super::super::support::gate::{Gate, Setup};
use super::super::support::http;
use super::super::support::json;
use super::super::support::second_daemon::SecondDaemon;

const QUIET: &str = r#"
description = "Reads, and learns nothing of the host."
[[permit]]
operations = ["*:read", "*:stream"]
[quiet]
host-details = true
labels = ["secret.*"]
"#;

fn asked(gate: &Gate, target: &str) -> (u16, String) {
    let answer = http::request(gate.address(), "GET", &format!("/v1.41{target}"), "");
    (answer.status, answer.text())
}

#[test]
fn no_question_tells_the_name_of_the_host() {
    let second = SecondDaemon::start();
    let direct = Docker::at(&second.address());
    direct.ok("swarm init --advertise-addr 127.0.0.1 --listen-addr 127.0.0.1:2377");
    let host = direct.ok("info --format '{{.Name}}'");
    let node = direct.ok("info --format '{{.Swarm.NodeID}}'");
    direct.ok(format!("node update --label-add secret.a=MARK {node}"));
    direct.ok(format!(
        "service create -d --name s --constraint NODE.Labels.secret.a==MARK --constraint Node.HostName!=x{host} \
         --constraint node.role==manager busybox sleep 600"
    ));
    direct.ok("create --name by-network --network host busybox");
    direct.ok("create --name by-names --uts host busybox");
    direct.ok("run -d --name runs --network host busybox sleep 600");
    direct.ok("run -d --name joins --network container:runs busybox sleep 600");
    direct.ok("create --name own --hostname its-own busybox");
    direct.ok("commit runs committed");
    let gate = Setup::before(&second.address()).file("policy.toml", QUIET);
    let gate = gate.listen("policy.toml").start();
    answers(&gate, &second, (&host, &node));
    guesses(&gate, (&host, &node));
}

fn answers(gate: &Gate, second: &SecondDaemon, (host, node): (&str, &str)) {
    let mut told_of = 0;
    // As the whole of a text, or as the constraint has it: an id may end like a short name by chance.
    let tells =
        |text: &str| text.contains(&format!("\"{host}\"")) || text.contains(&format!("=x{host}\""));
    for target in [
        "/containers/by-network/json",
        "/containers/by-names/json",
        "/containers/runs/json",
        "/containers/joins/json",
        "/images/committed/json",
        "/services",
        "/services/s",
        "/tasks",
        &format!("/nodes/{node}"),
        "/nodes",
        "/info",
    ] {
        let told = http::request(&second.address(), "GET", &format!("/v1.41{target}"), "").text();
        told_of += u32::from(tells(&told));
        let (status, shown) = asked(gate, target);
        assert_eq!(status, 200, "{target}: {shown}");
        assert!(!tells(&shown), "{target}: {shown}");
        assert!(!shown.contains("MARK"), "{target}: {shown}");
    }
    assert!(told_of > 5, "{told_of}");
    let (_, own) = asked(gate, "/containers/own/json");
    assert_eq!(json(&own)["Config"]["Hostname"], "its-own");
    let (_, service) = asked(gate, "/services/s");
    assert!(service.contains("node.role==manager"), "{service}");
}

fn guesses(gate: &Gate, (host, node): (&str, &str)) {
    let events = "/events?since=1&until=2&filters=";
    for guess in [host, "elsewhere"] {
        for target in [
            format!("/nodes/{guess}"),
            format!("/tasks?filters={{\"node\":[\"{guess}\"]}}"),
            format!("/tasks?filters={{\"node\":{{\"{guess}\":false}}}}"),
            format!("/nodes?filters={{\"name\":[\"{guess}\"]}}"),
            format!("{events}{{\"label\":[\"name={guess}\"]}}"),
            format!("{events}{{\"label\":[\"name={guess}\"],\"type\":[\"node\"]}}"),
            format!("{events}{{\"label\":{{\"name={guess}\":false}},\"type\":{{}}}}"),
            format!("{events}{{\"label\":[\"name={guess}\"],\"type\":[\"container\",\"daemon\"]}}"),
            format!("{events}{{\"daemon\":[\"{guess}\"]}}"),
        ] {
            let (status, shown) = asked(gate, &target);
            assert_eq!(status, 403, "{target}: {shown}");
            assert!(
                shown.contains("hidden-query") || shown.contains("hides"),
                "{shown}"
            );
        }
    }
    for target in [
        format!("/nodes/{node}"),
        format!("/tasks?filters={{\"node\":[\"{node}\"]}}"),
        format!("{events}{{\"label\":[\"com.docker.compose.project=x\"]}}"),
        format!("{events}{{\"label\":[\"env=x\"],\"type\":[\"container\"]}}"),
        format!("{events}{{\"label\":[\"env\"]}}"),
    ] {
        let (status, shown) = asked(gate, &target);
        assert_eq!(status, 200, "{target}: {shown}");
    }
}
