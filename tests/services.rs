//! Services of a swarm before a daemon that is in one: what works, and that nothing comes of what is refused.

mod cases;

use serde_json::{Value, json};

use super::support::docker::Docker;
use super::support::gate::{Gate, Setup};
use super::support::http::{self, Answer};
use super::support::second_daemon::SecondDaemon;
use super::support::{json, wait};

/// What a team has that deploys a shop.
const SHOP: &str = r#"
description = "Deploys the shop."
[[permit]]
operations = ["System:read", "Service:*", "Task:*", "Network:read", "Node:read", "SecretList", "ConfigList"]
[container]
images = ["docker.io/library/busybox"]
networks = ["shop", "bridge"]
published = ["*:8080-8089"]
[service]
secrets = ["shop-*"]
configs = ["shop-*"]
volumes = ["shop-*"]
[network]
icc = "any"
drivers = ["overlay"]
"#;

/// Every image and network is open, and nothing of the nodes.
const WIDE: &str = r#"
description = "Any service that has nothing of its nodes."
[[permit]]
operations = ["System:read", "Service:*", "Task:*", "Network:read", "Node:read", "SecretList", "ConfigList"]
[container]
images = ["*"]
networks = ["*"]
[network]
icc = "any"
drivers = ["overlay"]
"#;

/// A daemon in a swarm of its own, and a gate before it.
struct Swarm {
    gate: Gate,
    /// Past the gate.
    past: Docker,
    through: Docker,
    daemon: SecondDaemon,
}

impl Swarm {
    fn behind(policy: &str) -> Self {
        let daemon = SecondDaemon::start();
        let past = Docker::at(&daemon.address());
        past.ok("swarm init --advertise-addr 127.0.0.1");
        let setup = Setup::before(&daemon.address()).file("policy.toml", policy);
        let gate = setup.listen("policy.toml").start();
        let through = Docker::at(gate.address());
        Self {
            gate,
            past,
            through,
            daemon,
        }
    }

    fn ask_past(&self, method: &str, target: &str, body: &str) -> Answer {
        http::request(&self.daemon.address(), method, target, body)
    }

    fn ask_through(&self, method: &str, target: &str, body: &str) -> Answer {
        http::request(self.gate.address(), method, target, body)
    }

    /// The service as the daemon has it, `null` where there is none.
    fn service(&self, name: &str) -> Value {
        let answer = self.ask_past("GET", &format!("/v1.41/services/{name}"), "");
        if answer.status == 404 {
            return Value::Null;
        }
        json(&answer.body)
    }

    fn names(&self) -> Vec<String> {
        let names = self.past.ok("service ls --format {{.Name}}");
        names.lines().map(str::to_owned).collect()
    }

    fn runs(&self, name: &str) {
        wait::until(&format!("`{name}` runs"), || {
            let states = format!("service ps --format {{{{.CurrentState}}}} {name}");
            self.past.ok(states).contains("Running").then_some(())
        });
    }
}

/// Runs a change that the swarm may refuse because it has just written to the service itself; then it is tried again.
fn changes(docker: &Docker, command: &str) {
    wait::until(command, || {
        let ended = docker.run(command);
        if ended.stderr.contains("out of sequence") {
            return None;
        }
        ended.ok(command);
        Some(())
    });
}

#[test]
fn a_permitted_service_is_made_changed_scaled_and_removed() {
    let swarm = Swarm::behind(SHOP);
    let (past, through) = (&swarm.past, &swarm.through);
    past.ok("network create --driver overlay shop");
    let network = past.ok("network inspect --format {{.Id}} shop");
    for kind in ["secret", "config"] {
        let made = past.run_with(format!("{kind} create shop-{kind} -"), b"x".to_vec());
        made.ok(kind);
    }
    through.ok(
        "service create --detach --name web --network shop --secret shop-secret --config shop-config \
         --publish 8080:80 --mount type=volume,source=shop-data,target=/data --mount type=tmpfs,target=/tmp \
         --env NODE={{.Node.Hostname}} --constraint node.role==manager --limit-memory 64M --health-cmd true \
         --label team=shop --update-order start-first --cap-drop ALL busybox sleep 600",
    );
    let task = &swarm.service("web")["Spec"]["TaskTemplate"];
    assert_eq!(task["Networks"], json!([{ "Target": network }]));
    let container = &task["ContainerSpec"];
    assert_eq!(container["Secrets"][0]["SecretName"], "shop-secret");
    assert_eq!(container["Configs"][0]["ConfigName"], "shop-config");
    assert_eq!(
        container["Healthcheck"]["Test"],
        json!(["CMD-SHELL", "true"])
    );
    assert_eq!(container["Mounts"].as_array().unwrap().len(), 2);

    let update = "--env-add MORE=1 --publish-add published=8081,target=81,mode=host";
    changes(through, &format!("service update --detach {update} web"));
    changes(through, "service scale --detach web=2");
    let spec = &swarm.service("web")["Spec"];
    assert_eq!(spec["Mode"]["Replicated"]["Replicas"], 2);
    // The client writes them in no order.
    let variables = spec["TaskTemplate"]["ContainerSpec"]["Env"].as_array();
    assert!(variables.unwrap().contains(&json!("MORE=1")), "{spec}");
    assert_eq!(spec["EndpointSpec"]["Ports"].as_array().unwrap().len(), 2);
    assert!(through.ok("service ls").contains("web"));

    through.ok("service create --detach --name plain busybox sleep 600");
    swarm.runs("plain");
    through.ok("service rm web plain");
    assert!(swarm.names().is_empty());
}

#[test]
fn a_dangerous_service_is_refused_and_is_not_there() {
    let swarm = Swarm::behind(SHOP);
    let (past, through) = (&swarm.past, &swarm.through);
    past.run_with("secret create vault -", b"x".to_vec())
        .ok("secret");
    past.run_with("config create other -", b"x".to_vec())
        .ok("config");
    past.ok("network create --driver overlay private");
    past.ok("volume create --opt type=none --opt o=bind --opt device=/ shop-root");
    let socket = swarm.daemon.socket();
    let socket = format!("--mount type=bind,source={},target=/s", socket.display());
    for (options, code) in [
        ("--mount type=bind,source=/,target=/h", "service-host-path"),
        (socket.as_str(), "service-host-path"),
        (
            "--mount type=volume,target=/h,volume-opt=type=none,volume-opt=o=bind,volume-opt=device=/",
            "volume-host-path",
        ),
        (
            "--mount type=volume,source=other,target=/h",
            "service-volume",
        ),
        // The name is open; what the volume of that name is, is not.
        (
            "--mount type=volume,source=shop-root,target=/h",
            "volume-host-path",
        ),
        (
            "--mount type=volume,source={{.Node.ID}},target=/h",
            "mount-template",
        ),
        ("--network host", "host-network"),
        ("--network private", "network"),
        ("--cap-add SYS_ADMIN", "capability"),
        ("--sysctl net.ipv4.ip_forward=1", "sysctl"),
        ("--publish 9090:80", "published-port"),
        (
            "--publish published=9090,target=80,mode=host",
            "published-port",
        ),
        ("--publish 80", "published-port"),
        ("--secret vault", "service-secret"),
        ("--config other", "service-config"),
        ("--log-driver syslog", "log-driver"),
        ("--generic-resource gpu=1", "generic-resource"),
    ] {
        let command = format!("service create --detach --name bad {options} busybox sleep 600");
        let said = through.fails(&command);
        assert!(said.contains(&format!(". {code}:")), "{options}: {said}");
        assert!(swarm.names().is_empty(), "{options}");
        past.ok(&command);
        past.ok("service rm bad");
    }
    let said = through.fails("service create --detach --name bad alpine sleep 600");
    assert!(said.contains(". image:"), "{said}");
    let refusals = swarm.gate.audit();
    let refused = |record: &&Value| record.to_string().contains("ServiceCreate");
    assert!(refusals.iter().filter(refused).count() >= 18);
}

#[test]
fn a_change_is_refused_and_changes_nothing() {
    let swarm = Swarm::behind(WIDE);
    let (past, through) = (&swarm.past, &swarm.through);
    past.ok("service create --detach --name mine busybox sleep 600");
    for (options, code) in [
        (
            "--mount-add type=bind,source=/,target=/h",
            "service-host-path",
        ),
        ("--network-add host", "host-network"),
        ("--cap-add SYS_ADMIN", "capability"),
    ] {
        let before = swarm.service("mine")["Spec"].clone();
        let said = through.fails(format!("service update --detach {options} mine"));
        assert!(said.contains(&format!(". {code}:")), "{options}: {said}");
        assert_eq!(swarm.service("mine")["Spec"], before, "{options}");
    }
    // A change sends all that the service has, so that of another's is judged too.
    past.ok("service create --detach --name theirs --mount type=bind,source=/,target=/h busybox sleep 600");
    let said = through.fails("service scale --detach theirs=2");
    assert!(said.contains("service-host-path"), "{said}");

    changes(past, "service update --detach --mount-rm /h theirs");
    let service = swarm.service("theirs");
    let mounts = "/Spec/TaskTemplate/ContainerSpec/Mounts";
    assert_eq!(service.pointer(mounts), None);
    let version = &service["Version"]["Index"];
    let target = format!("/v1.41/services/theirs/update?version={version}&rollback=previous");
    let body = service["Spec"].to_string();
    let answer = swarm.ask_through("POST", &target, &body);
    assert_eq!(answer.status, 403);
    assert!(answer.message().contains("service-rollback"));
    let said = through.fails("service rollback --detach theirs");
    assert!(said.contains("service-rollback"), "{said}");
    assert_eq!(swarm.service("theirs").pointer(mounts), None);
    changes(past, "service rollback --detach theirs");
    assert!(swarm.service("theirs").pointer(mounts).is_some());
}

#[test]
fn a_network_is_judged_by_its_name_and_joined_by_its_id() {
    let swarm = Swarm::behind(WIDE);
    let inspected = swarm.ask_past("GET", "/v1.41/networks/host?scope=swarm", "");
    let of_swarm = json(&inspected.body)["Id"].as_str().unwrap().to_owned();
    let of_node = swarm.past.ok("network inspect --format {{.Id}} host");
    swarm.past.ok("network create --driver overlay shop");
    let shop = swarm.past.ok("network inspect --format {{.Id}} shop");
    for (target, code) in [
        ("host", "host-network"),
        (of_swarm.as_str(), "host-network"),
        (&of_swarm[..8], "host-network"),
        (of_node.as_str(), "network-unknown"),
        (&of_node[..12], "network-unknown"),
        ("nowhere", "network-unknown"),
    ] {
        for version in ["v1.41", "v1.24"] {
            let network = json!([{ "Target": target }]);
            let create = format!("/{version}/services/create");
            let body = json!({ "Name": "net", "TaskTemplate": { "ContainerSpec": { "Image": "busybox" },
                "Networks": network } });
            let answer = swarm.ask_through("POST", &create, &body.to_string());
            assert_eq!(answer.status, 403, "{target}");
            assert!(
                answer.message().contains(code),
                "{target}: {}",
                answer.message()
            );
            let old = json!({ "Name": "net", "TaskTemplate": { "ContainerSpec": { "Image": "busybox" } },
                "Networks": network });
            let answer = swarm.ask_through("POST", &create, &old.to_string());
            assert!(
                answer.message().contains(code),
                "{target}: {}",
                answer.message()
            );
        }
        assert!(swarm.names().is_empty(), "{target}");
    }
    for target in ["shop", shop.as_str(), &shop[..8]] {
        let body = json!({ "Name": "net", "TaskTemplate": { "ContainerSpec": { "Image": "busybox" },
            "Networks": [{ "Target": target }] } });
        let answer = swarm.ask_through("POST", "/v1.41/services/create", &body.to_string());
        assert_eq!(answer.status, 201, "{}", answer.text());
        let joined = &swarm.service("net")["Spec"]["TaskTemplate"]["Networks"][0]["Target"];
        assert_eq!(*joined, shop.as_str());
        swarm.through.ok("service rm net");
    }
}
