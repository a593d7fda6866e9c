//! What a quiet policy shows of a swarm and its services.

use super::super::support::docker::Docker;
use super::super::support::gate::{Gate, Setup};
use super::super::support::http;
use super::super::support::second_daemon::SecondDaemon;
use super::super::support::{json, process};

const QUIET: &str = r#"
description = "Reads a swarm, and no secret of it."
[[permit]]
operations = ["*:read", "*:stream"]
[swarm]
tokens = true
[quiet]
environment = true
host-paths = true
labels = ["secret.*"]
command-lines = true
secrets = true
host-details = true
"#;

struct Swarm {
    second: SecondDaemon,
    gate: Gate,
    mark: String,
}

impl Swarm {
    /// A swarm with a service, a config and a secret whose every secret holds one mark.
    fn new() -> Self {
        let second = SecondDaemon::start();
        let (direct, mark) = (Docker::at(&second.address()), process::unique("mark"));
        direct.ok("swarm init --advertise-addr 127.0.0.1 --listen-addr 127.0.0.1:2377 --autolock");
        let config = format!("config create --label secret.a={mark} c -");
        direct
            .run_with(config, mark.clone().into_bytes())
            .ok("config");
        let secret = format!("secret create --label secret.a={mark} s -");
        direct.run_with(secret, b"x".to_vec()).ok("secret");
        let node = direct.ok("info --format '{{.Swarm.NodeID}}'");
        direct.ok(format!("node update --label-add secret.a={mark} {node}"));
        direct.ok(format!(
            "service create -d --name web --env A={mark} --label secret.a={mark} --container-label secret.a={mark} \
             --mount type=bind,source=/tmp/{mark},target=/m --log-opt tag={mark} \
             --constraint node.labels.secret.a=={mark} --health-cmd {mark} --restart-condition none busybox echo {mark}"
        ));
        direct.ok(format!(
            "service update -d --env-add A={mark}2 --label-add secret.a={mark}2 --args 'echo {mark}2' web"
        ));
        let gate = Setup::before(&second.address()).file("policy.toml", QUIET);
        let gate = gate.listen("policy.toml").start();
        Self { second, gate, mark }
    }

    /// What the daemon tells, and what the gate shows.
    fn ask(&self, target: &str) -> (String, String) {
        let [told, shown] = [&self.second.address(), self.gate.address()]
            .map(|address| http::request(address, "GET", target, ""));
        let statuses = (told.status, shown.status);
        assert_eq!(statuses, (200, 200), "{target}: {}", shown.text());
        (told.text(), shown.text())
    }
}

#[test]
fn nothing_that_is_hidden_of_a_swarm_is_told() {
    let swarm = Swarm::new();
    let (mark, direct) = (&swarm.mark, Docker::at(&swarm.second.address()));
    let token = direct.ok("swarm join-token -q worker");
    let key = direct.ok("swarm unlock-key -q");
    // With its quotes, since a short one may stand in any key or id by chance.
    let host = format!("\"{}\"", direct.ok("info --format '{{.Name}}'").trim());
    let encoded = base64(mark);
    for (target, hidden) in [
        ("/v1.41/services", mark),
        ("/v1.41/services/web", mark),
        ("/v1.41/tasks", mark),
        ("/v1.41/configs", mark),
        ("/v1.41/configs", &encoded),
        ("/v1.41/configs/c", &encoded),
        ("/v1.41/secrets", mark),
        ("/v1.41/nodes", mark),
        ("/v1.41/nodes", &host),
        ("/v1.41/swarm", &token),
        ("/v1.41/swarm/unlockkey", &key),
    ] {
        let (told, shown) = swarm.ask(target);
        assert!(told.contains(hidden), "{target} tells nothing: {told}");
        assert!(!shown.contains(hidden), "{target}: {shown}");
        assert_eq!(json(&shown).is_array(), json(&told).is_array(), "{target}");
    }
    let config = json(swarm.ask("/v1.41/configs/c").1);
    assert_eq!(config["Spec"]["Data"], base64("<hidden by dockgate>"));
    let service = json(swarm.ask("/v1.41/services/web").1);
    let previous = &service["PreviousSpec"]["TaskTemplate"]["ContainerSpec"];
    assert_eq!(previous["Env"][0], "A=<hidden by dockgate>");
    let docker = Docker::at(swarm.gate.address());
    for command in [
        "service ls",
        "service inspect web",
        "service inspect --pretty web",
        "service ps --no-trunc web",
        "config inspect c",
        "config inspect --pretty c",
        "secret inspect s",
        "node ls",
        "node inspect self",
        "node inspect --pretty self",
        "info",
        "swarm join-token -q worker",
        "swarm unlock-key -q",
    ] {
        let told = docker.ok(command);
        for hidden in [mark, &token, &key] {
            assert!(!told.contains(hidden), "{command}: {told}");
        }
    }
    let shown = docker.ok("swarm join-token -q worker");
    assert_eq!(shown, "<hidden by dockgate>");
}

fn base64(text: &str) -> String {
    let mut encode = std::process::Command::new("base64");
    encode.arg("-w0");
    let ended = process::run(&mut encode, text.as_bytes().to_vec(), super::wait::DEADLINE);
    ended.ok("base64")
}
