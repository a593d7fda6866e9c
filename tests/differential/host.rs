//! Containers that reach the host, join one another and are on networks, as they are made.

use serde_json::Value;

use super::bodies::{VERSIONS, written};
use super::effect::{self, Effect};
use super::host_tables::{self, Named};
use super::judged::{self, Sent};
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
        networks: [0, 1].map(|at| (networks[at].0.as_str(), networks[at].1.as_str())),
    };
    let make = |random: &mut Random| {
        let body = written(host_tables::container(random, &named), random);
        let target = format!("{}/containers/create?name={own}", random.pick(VERSIONS));
        Sent::new("POST", &target, &body)
    };
    let policies = [judged::compiled(POLICY)];
    let tally = tried((6, 6000, 300), &policies, make, |sent, _| {
        let answer = sent.ask(&daemon);
        if answer.status != 201 {
            return Effect::of(&answer, Value::Null);
        }
        let target = format!("/containers/{own}");
        let found = effect::inspect(&daemon, &format!("{target}/json"));
        http::request(&daemon, "DELETE", &format!("{target}?force=1&v=1"), "");
        Effect::of(&answer, named.put_alike(&kept(&found)))
    });
    engine::clean(&own);
    tally.check("bodies of ContainerCreate that reach the host", 250, 150);
}

/// What the daemon tells of the container, without what differs from one making to the next.
fn kept(found: &Value) -> Value {
    let mut joined = found["NetworkSettings"]["Networks"].clone();
    for endpoint in joined.as_object_mut().unwrap().values_mut() {
        // The gate puts it where none was.
        effect::without(endpoint, &["NetworkID"]);
    }
    let mut config = found["Config"].clone();
    // The daemon names a container after its own id.
    effect::without(&mut config, &["Hostname"]);
    let has_made_a_volume = found["Mounts"].to_string().contains("\"Name\"");
    let mounts = if has_made_a_volume {
        Value::Null
    } else {
        found["Mounts"].clone()
    };
    serde_json::json!({
        "Config": config, "HostConfig": found["HostConfig"], "Networks": joined, "Mounts": mounts,
    })
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
