//! Two owners at one daemon, each to its own: what one makes is not there for the other, whatever it asks.

mod attacks;
mod attempts;
mod events;
mod honest;
mod lists;
mod made;
mod nameless;
mod references;
mod reload;
mod taken;
mod unread;
mod written;

use serde_json::{Value, json};

use super::support::address::Address;
use super::support::gate::{Gate, Setup};
use super::support::http::{self, Answer};
use super::support::second_daemon::SecondDaemon;
use super::support::{self, wait};

const OPEN: &str = r#"
description = "Opens what could lead to the things of others."
[[permit]]
operations = ["*"]
[container]
images = ["*"]
networks = ["*"]
links = ["*"]
volumes-from = true
namespaces = ["container-network", "container-pid", "container-ipc"]
[network]
icc = "any"
drivers = ["overlay"]
[image]
references = ["*"]
import-urls = true
[swarm]
addresses = ["127.0.0.1:2377", "127.0.0.1:4789"]
tokens = true
[service]
secrets = ["*"]
configs = ["*"]
volumes = ["*"]
"#;

/// A manager of a swarm, with the image `busybox`, and a gate before it for two owners.
struct House {
    gate: Gate,
    daemon: SecondDaemon,
}

impl House {
    fn new(shared: &str) -> Self {
        let daemon = SecondDaemon::start();
        let swarm = json!({ "ListenAddr": "127.0.0.1:2377", "AdvertiseAddr": "127.0.0.1" });
        let begun = past(&daemon.address(), "POST", "/v1.41/swarm/init", &swarm);
        assert_eq!(begun.status, 200, "{}", begun.text());
        let setup = Setup::before(&daemon.address()).file("policy.toml", OPEN);
        let setup = setup.listen("policy.toml").plus("owner = 'alice'");
        let setup = setup.listen("policy.toml").plus("owner = 'bob \"$x\\'");
        // Whoever has no owner.
        let setup = setup.listen("policy.toml");
        let gate = setup.plus(shared).start();
        Self { gate, daemon }
    }

    fn alice(&self) -> &Address {
        self.gate.listener(0)
    }

    fn bob(&self) -> &Address {
        self.gate.listener(1)
    }

    fn anyone(&self) -> &Address {
        self.gate.listener(2)
    }

    fn past(&self, method: &str, target: &str, body: &Value) -> Answer {
        past(&self.daemon.address(), method, target, body)
    }

    fn read(&self, target: &str) -> Value {
        support::json(self.past("GET", target, &Value::Null).body)
    }
}

const BOB: &str = "bob \"$x\\";

fn past(address: &Address, method: &str, target: &str, body: &Value) -> Answer {
    let body = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    http::request(address, method, target, &body)
}

/// Asks, and expects the thing to be made; gives its id.
fn makes(address: &Address, target: &str, body: &Value) -> String {
    let answer = past(address, "POST", target, body);
    assert!(
        matches!(answer.status, 200 | 201),
        "{target}: {}",
        answer.text()
    );
    let told = support::json(&answer.body);
    let id = told["Id"]
        .as_str()
        .or(told["ID"].as_str())
        .or(told["Name"].as_str());
    id.unwrap_or_default().to_owned()
}

/// A thing of each kind, made through the gate, named `NAME-KIND`.
#[derive(Debug)]
struct Things {
    name: String,
    container: String,
    exec: String,
    network: String,
    image: String,
    service: String,
    task: String,
    secret: String,
    config: String,
}

impl Things {
    fn of(house: &House, address: &Address, name: &str) -> Self {
        let make = |target: &str, body: &Value| makes(address, &format!("/v1.41{target}"), body);
        let network = make(
            "/networks/create",
            &json!({ "Name": format!("{name}-network") }),
        );
        make(
            "/volumes/create",
            &json!({ "Name": format!("{name}-volume") }),
        );
        let body = json!({ "Image": "busybox", "Cmd": ["sleep", "600"],
            "HostConfig": { "NetworkMode": format!("{name}-network"), "Binds": [format!("{name}-volume:/data")] } });
        let container = make(&format!("/containers/create?name={name}-container"), &body);
        let started = past(
            address,
            "POST",
            &format!("/v1.41/containers/{container}/start"),
            &Value::Null,
        );
        assert_eq!(started.status, 204, "{}", started.text());
        let exec = make(
            &format!("/containers/{container}/exec"),
            &json!({ "Cmd": ["true"] }),
        );
        let image = make(
            &format!("/commit?container={name}-container&repo={name}-image"),
            &json!({}),
        );
        let data = json!({ "Name": format!("{name}-secret"), "Data": "c2VjcmV0" });
        let secret = make("/secrets/create", &data);
        let data = json!({ "Name": format!("{name}-config"), "Data": "c2VjcmV0" });
        let config = make("/configs/create", &data);
        let service = json!({ "Name": format!("{name}-service"), "TaskTemplate": {
            "ContainerSpec": { "Image": "busybox", "Command": ["sleep", "600"] } } });
        let service = make("/services/create", &service);
        let tasks = format!("/v1.41/tasks?filters={{\"service\":[\"{service}\"]}}");
        let task = wait::until("a task of the service", || {
            house.read(&tasks)[0]["ID"].as_str().map(str::to_owned)
        });
        Self {
            name: name.to_owned(),
            container,
            exec,
            network,
            image,
            service,
            task,
            secret,
            config,
        }
    }

    /// The texts by which the daemon finds the thing that stands in a path like this, each with one of the same form that
    /// nothing has.
    fn named(&self, path: &str) -> Vec<(String, String)> {
        let short = |id: &str, length: usize| id.chars().take(length).collect::<String>();
        let by = |kind: &str, id: &str| {
            let missing = if id.len() == 64 {
                MISSING
            } else {
                MISSING_IN_SWARM
            };
            vec![
                (format!("{}-{kind}", self.name), format!("no-{kind}")),
                (id.to_owned(), missing.to_owned()),
                (short(id, 12), short(missing, 12)),
            ]
        };
        match path.split('/').nth(1).unwrap_or_default() {
            "containers" => by("container", &self.container),
            "exec" => vec![(self.exec.clone(), MISSING.to_owned())],
            "networks" => by("network", &self.network),
            "volumes" => vec![(format!("{}-volume", self.name), "no-volume".to_owned())],
            "services" => by("service", &self.service),
            "tasks" => {
                let mut all = by("service.1", &self.task);
                all[0].0 += &format!(".{}", self.task);
                all
            }
            "secrets" => by("secret", &self.secret),
            "configs" => by("config", &self.config),
            "images" => {
                let id = self.image.trim_start_matches("sha256:");
                let mut all = by("image", id);
                let (name, missing) = all[0].clone();
                for (before, after) in [
                    ("", ":latest"),
                    ("docker.io/library/", ""),
                    ("docker.io/library/", ":latest"),
                    ("index.docker.io/library/", ""),
                ] {
                    let spelled = |name: &str| format!("{before}{name}{after}");
                    all.push((spelled(&name), spelled(&missing)));
                }
                all.push((self.image.clone(), format!("sha256:{MISSING}")));
                all
            }
            _ => Vec::new(),
        }
    }
}

/// An id that nothing has.
const MISSING: &str = "c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00";
const MISSING_IN_SWARM: &str = "c0ffee00c0ffee00c0ffee00c";

/// Waits until the swarm has made the networks that come with it.
fn settle(house: &House) {
    wait::until("the networks of the swarm", || {
        let networks = house.read("/v1.41/networks").to_string();
        let all = ["docker_gwbridge", "ingress"];
        all.iter().all(|name| networks.contains(name)).then_some(())
    });
}

/// What the daemon has, without what changes by itself.
fn state(house: &House) -> Value {
    let containers = house.read("/v1.41/containers/json?all=1");
    let containers = containers.as_array().unwrap().iter();
    // Tasks come by themselves.
    let containers =
        containers.filter(|one| !one["Names"][0].as_str().unwrap().contains("-service."));
    let containers: Vec<Value> = containers
        .map(|one| {
            json!([
                one["Id"],
                one["Names"],
                one["State"],
                one["NetworkSettings"]["Networks"]
            ])
        })
        .collect();
    let ids = |target: &str| {
        let list = house.read(target);
        let mut ids: Vec<String> = list
            .as_array()
            .unwrap()
            .iter()
            .map(|one| format!("{} {} {}", one["Id"], one["ID"], one["Version"]["Index"]))
            .collect();
        ids.sort();
        ids
    };
    let images = house.read("/v1.41/images/json");
    let images = images.as_array().unwrap().iter();
    let mut images: Vec<String> = images.map(|one| one["RepoTags"].to_string()).collect();
    images.sort();
    let volumes = house.read("/v1.41/volumes");
    let mut volumes: Vec<String> = volumes["Volumes"]
        .as_array()
        .unwrap()
        .iter()
        .map(Value::to_string)
        .collect();
    volumes.sort();
    json!([
        containers,
        ids("/v1.41/networks"),
        volumes,
        images,
        ids("/v1.41/secrets"),
        ids("/v1.41/configs"),
        house.read("/v1.41/services/a-service")["Spec"]
    ])
}
