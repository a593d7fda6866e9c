//! What is made and changed in a swarm, at a daemon of its own: services, secrets, configs, the node, the swarm itself.
//!
//! The node takes no tasks, so that nothing runs and each specification stays as it was sent.

use serde_json::{Value, json};

use super::bodies::written;
use super::effect::{self, Effect};
use super::judged::{self, Judged, Sent};
use super::swarm_tables::{self, Ids};
use super::{tables, tried_at};
use crate::support::address::Address;
use crate::support::http;
use crate::support::random::Random;
use crate::support::second_daemon::SecondDaemon;

const POLICY: &str = r#"
description = "All that a swarm can be told, judged."
[[permit]]
operations = ["*"]
[container]
images = ["*"]
networks = ["*"]
capabilities = ["ALL"]
sysctls = ["*"]
security-options = ["label=disable", "label=level:s0:c1"]
published = ["*:*", "*:1-1023"]
log-drivers = ["*"]
[network]
icc = "any"
drivers = ["*"]
options = ["*"]
[swarm]
tokens = true
autolock-off = true
promote = true
[secret]
templating = true
[config]
templating = true
[service]
secrets = ["*"]
configs = ["*"]
volumes = ["*"]
generic-resources = ["*"]
"#;

/// The version of a specification that an update must name.
const VERSION: &str = "version=777";

#[test]
fn a_swarm_understands_what_the_gate_read() {
    let second = SecondDaemon::start();
    let swarm = Swarm::of(second.address());
    services_are_made(&swarm);
    services_are_changed(&swarm);
    for kind in ["secrets", "configs"] {
        labels_are_changed(&swarm, kind);
    }
    nodes_are_changed(&swarm);
    swarm.is_changed();
}

struct Swarm {
    daemon: Address,
    network: String,
    node: String,
    secret: String,
    config: String,
}

impl Swarm {
    fn of(daemon: Address) -> Self {
        let init = json!({ "ListenAddr": "127.0.0.1:2377", "AdvertiseAddr": "127.0.0.1", "Availability": "drain" });
        let made = http::request(&daemon, "POST", "/swarm/init", &init.to_string());
        assert_eq!(made.status, 200, "{}", made.text());
        let node = crate::support::json(&made.body)
            .as_str()
            .unwrap()
            .to_owned();
        let network = json!({ "Name": "df-overlay", "Driver": "overlay", "CheckDuplicate": true });
        let network = made_in(&daemon, "/networks/create", &network);
        let data = |name: &str| json!({ "Name": name, "Data": "aHVzaA==" });
        let secret = made_in(&daemon, "/secrets/create", &data("df-secret"));
        let config = made_in(&daemon, "/configs/create", &data("df-config"));
        Self {
            daemon,
            network,
            node,
            secret,
            config,
        }
    }

    /// A specification as the daemon shows it. The gate names networks by their ids, also those that the daemon will not
    /// look up because the tasks have networks of their own.
    fn spec(&self, found: &Value) -> Value {
        let named = r#""Target":"df-overlay""#;
        let text = found["Spec"].to_string();
        crate::support::json(text.replace(named, &format!(r#""Target":"{}""#, self.network)))
    }

    fn ids(&self) -> [(&'static str, &str); 2] {
        [("SECRET-ID", &self.secret), ("CONFIG-ID", &self.config)]
    }

    /// Asks for a change of what `place` shows under the version that it has, and tells what it is then.
    fn changed(&self, sent: &Sent, place: &str) -> Effect {
        for _ in 0..50 {
            let before = effect::inspect(&self.daemon, place);
            let version = format!("version={}", before["Version"]["Index"]);
            let answer = sent.with(VERSION, &version).ask(&self.daemon);
            // The manager writes to what is its own meanwhile.
            if !answer.text().contains("out of sequence") {
                let found = effect::inspect(&self.daemon, place);
                return Effect::of(&answer, self.spec(&found));
            }
        }
        panic!("no version of `{place}` lasts: {}", sent.shown());
    }

    fn tried(
        &self,
        bounds: (u64, usize, usize),
        make: impl Fn(&mut Random) -> Sent,
        effect: impl Fn(&Sent, &Judged) -> Effect,
    ) -> super::Tally {
        let policies = [judged::compiled(POLICY)];
        tried_at(Some(&self.daemon), bounds, &policies, make, effect)
    }

    fn is_changed(&self) {
        let make = |random: &mut Random| {
            let body = written(swarm_tables::swarm(random), random);
            Sent::new("POST", &format!("/v1.41/swarm/update?{VERSION}"), &body)
        };
        let tally = self.tried((66, 2000, 60), make, |sent, _| self.changed(sent, "/swarm"));
        tally.check("bodies of SwarmUpdate", 40, 20);
    }
}

fn made_in(daemon: &Address, target: &str, body: &Value) -> String {
    let made = http::request(daemon, "POST", target, &body.to_string());
    assert_eq!(made.status, 201, "{target}: {}", made.text());
    let made = crate::support::json(&made.body);
    let id = made["ID"].as_str().or(made["Id"].as_str());
    id.unwrap().to_owned()
}

/// What differs from one service to the next: a name of the daemon's own making.
fn without_made_up_name(mut effect: Effect, judged: &Judged) -> Effect {
    let is_named = match &judged.request.body {
        dockgate::engine_api::Body::Json(body) => !body.text("Name").is_empty(),
        dockgate::engine_api::Body::None | dockgate::engine_api::Body::Stream => false,
    };
    if !is_named {
        effect.forget("Name");
    }
    effect
}

fn services_are_made(swarm: &Swarm) {
    let (daemon, ids) = (&swarm.daemon, swarm.ids());
    let ids: Ids<'_> = &ids;
    let make = |random: &mut Random| {
        let body = written(swarm_tables::service(random, "df-made", false, ids), random);
        Sent::new("POST", "/v1.41/services/create", &body)
    };
    let tally = swarm.tried((61, 6000, 250), make, |sent, judged| {
        let answer = sent.ask(daemon);
        if answer.status != 201 {
            return Effect::of(&answer, Value::Null);
        }
        let made = crate::support::json(&answer.body);
        let place = format!("/services/{}", made["ID"].as_str().unwrap());
        let found = effect::inspect(daemon, &place);
        let removed = http::request(daemon, "DELETE", &place, "");
        assert_eq!(removed.status, 200, "{}", removed.text());
        without_made_up_name(Effect::of(&answer, swarm.spec(&found)), judged)
    });
    tally.check("bodies of ServiceCreate", 200, 100);
}

fn services_are_changed(swarm: &Swarm) {
    let ids = swarm.ids();
    let ids: Ids<'_> = &ids;
    let first = json!({ "Name": "df-changed", "TaskTemplate": { "ContainerSpec": { "Image": "busybox" } } });
    let id = made_in(&swarm.daemon, "/services/create", &first);
    let make = |random: &mut Random| {
        let body = written(
            swarm_tables::service(random, "df-changed", true, ids),
            random,
        );
        let more = random.pick(&[
            "",
            "",
            "&registryAuthFrom=spec",
            "&registryAuthFrom=previous-spec",
            "&rollback=none",
        ]);
        Sent::new(
            "POST",
            &format!("/v1.41/services/{id}/update?{VERSION}{more}"),
            &body,
        )
    };
    let place = format!("/services/{id}");
    let tally = swarm.tried((62, 6000, 250), make, |sent, _| swarm.changed(sent, &place));
    tally.check("bodies of ServiceUpdate", 200, 100);
}

/// All that an update of a secret or config can change.
fn labels_are_changed(swarm: &Swarm, kind: &str) {
    let (name, id) = match kind {
        "secrets" => ("df-secret", &swarm.secret),
        _ => ("df-config", &swarm.config),
    };
    let make = |random: &mut Random| {
        let body = tables::labels(random, name);
        let target = format!("/v1.41/{kind}/{id}/update?{VERSION}");
        Sent::new("POST", &target, &written(body, random))
    };
    let place = format!("/{kind}/{id}");
    let tally = swarm.tried((63, 3000, 80), make, |sent, _| swarm.changed(sent, &place));
    tally.check(&format!("bodies of updates of {kind}"), 60, 20);
}

fn nodes_are_changed(swarm: &Swarm) {
    let place = format!("/nodes/{}", swarm.node);
    let make = |random: &mut Random| {
        let body = written(swarm_tables::node(random), random);
        Sent::new("POST", &format!("/v1.41{place}/update?{VERSION}"), &body)
    };
    let tally = swarm.tried((65, 3000, 80), make, |sent, _| swarm.changed(sent, &place));
    tally.check("bodies of NodeUpdate", 60, 20);
}
