//! Containers that reach the host, join one another and are on networks, as they are made.

use dockgate::engine_api::{Body, json};
use serde_json::Value;

use super::bodies::{VERSIONS, written};
use super::effect::{self, Effect};
use super::host_tables::{self, Named};
use super::judged::{self, Judged, Sent};
use super::{Container, tried};
use crate::support::address::Address;
use crate::support::random::Random;
use crate::support::{engine, http, process};

/// Opens what reaches the host: each field is judged by a key of its own.
const POLICY: &str = r#"
description = "The host, judged."
[[permit]]
operations = ["Container:*"]
[container]
host-paths = [{ path = "/srv", access = "read-write", subpaths = true }, { path = "/opt", access = "read-write" }]
devices = ["/dev/null", "/dev/zero"]
device-requests = true
device-cgroup-rules = ["c 1:3 rwm", "c 1:5 r"]
namespaces = [
    "host-network", "host-pid", "host-ipc", "host-uts", "host-user", "host-cgroup",
    "container-network", "container-pid", "container-ipc",
]
runtimes = ["*"]
annotations = ["*"]
cgroup-parents = ["*"]
volumes-from = true
links = ["*"]
oom-kill-disable = true
published = ["*:*"]
images = ["*"]
networks = ["*"]
[network]
icc = "any"
"#;

#[test]
fn containers_reach_the_host_as_the_gate_read_it() {
    let peer = Container::ended();
    let (own, daemon) = (process::unique("dh"), engine::address());
    let networks = [network(&own, "one", 79), network(&own, "two", 80)];
    let inspected = effect::inspect(&daemon, &format!("/containers/{}/json", peer.name));
    let id = inspected["Id"].as_str().unwrap();
    let named = Named {
        peer: [&peer.name, id, &id[..12]],
        networks: [&networks[0].0, &networks[1].0],
    };
    let make = |random: &mut Random| {
        let body = written(host_tables::container(random, &named), random);
        let target = format!("{}/containers/create?name={own}", random.pick(VERSIONS));
        Sent::new("POST", &target, &body)
    };
    // The gate puts the ids of what names stand for; those of networks it also puts where none was.
    let known = |found: &Value| {
        let mut text = found
            .to_string()
            .replace(id, "PEER")
            .replace(&id[..12], "PEER");
        text = text.replace(&peer.name, "PEER");
        // A name may be written with a slash.
        let volumes = r#""VolumesFrom":["#;
        text = text.replace(&format!("{volumes}\"/PEER"), &format!("{volumes}\"PEER"));
        text = text.replace("PEER", id);
        for (name, id) in &networks {
            text = text.replace(id.as_str(), name);
        }
        crate::support::json(text)
    };
    let policies = [judged::compiled(POLICY)];
    let tally = tried((6, 6000, 400), &policies, make, |sent, judged| {
        if has_absent_endpoint(judged) {
            return Effect::nothing();
        }
        let answer = sent.ask(&daemon);
        if answer.status != 201 {
            return Effect::of(&answer, Value::Null);
        }
        let found = effect::inspect(&daemon, &format!("/containers/{own}/json"));
        http::request(
            &daemon,
            "DELETE",
            &format!("/containers/{own}?force=1&v=1"),
            "",
        );
        let mut joined = found["NetworkSettings"]["Networks"].clone();
        for endpoint in joined
            .as_object_mut()
            .into_iter()
            .flat_map(|all| all.values_mut())
        {
            effect::without(endpoint, &["NetworkID"]);
        }
        let mut config = found["Config"].clone();
        // The daemon names a container after its own id.
        effect::without(&mut config, &["Hostname"]);
        let mounts = if found["Mounts"].to_string().contains("\"Name\"") {
            Value::Null
        } else {
            found["Mounts"].clone()
        };
        let kept = serde_json::json!({
            "Config": config, "HostConfig": found["HostConfig"], "Networks": joined, "Mounts": mounts,
        });
        Effect::of(&answer, known(&kept))
    });
    engine::clean(&own);
    tally.check("bodies of ContainerCreate that reach the host", 300, 200);
}

/// Whether a network is joined with `null`: the daemon refuses that, and the gate puts the network's id there.
fn has_absent_endpoint(judged: &Judged) -> bool {
    let Body::Json(body) = &judged.read.body else {
        return false;
    };
    let config = body.get("NetworkingConfig");
    let endpoints = config.and_then(|config| config.get("EndpointsConfig"));
    let mut endpoints = endpoints.map_or(&[][..], |all| all.members()).iter();
    endpoints.any(|(_, endpoint)| *endpoint == json::Value::Null)
}

/// A network of the daemon, by name and id.
fn network(own: &str, name: &str, third: u8) -> (String, String) {
    let daemon: Address = engine::address();
    let name = format!("{own}-{name}");
    let subnet = serde_json::json!({ "Config": [{ "Subnet": format!("10.213.{third}.0/24") }] });
    let body = serde_json::json!({ "Name": name, "IPAM": subnet }).to_string();
    let made = http::request(&daemon, "POST", "/networks/create", &body);
    assert_eq!(made.status, 201, "{}", made.text());
    let id = crate::support::json(&made.body)["Id"]
        .as_str()
        .unwrap()
        .to_owned();
    (name, id)
}
