//! What would disturb the other tests, at a daemon of its own that is a swarm's manager: prunes, secrets, configs, tokens.

use serde_json::{Value, json};

use super::bodies::written;
use super::effect::{self, Effect};
use super::judged::{self, Sent};
use super::targets::{BOOLEANS, filters, made_up};
use super::{tables, tried};
use crate::support::address::Address;
use crate::support::http;
use crate::support::random::Random;
use crate::support::second_daemon::SecondDaemon;

const POLICY: &str = "description = 'a swarm of its own'\n[[permit]]\noperations = ['*']\n\
    [swarm]\ntokens = true\nautolock-off = true\n[secret]\ntemplating = true\n[config]\ntemplating = true\n";

#[test]
fn a_daemon_of_its_own_understands_what_the_gate_read() {
    let second = SecondDaemon::start();
    let daemon = second.address();
    let init = json!({ "ListenAddr": "127.0.0.1:2377", "AdvertiseAddr": "127.0.0.1" }).to_string();
    let made = http::request(&daemon, "POST", "/swarm/init", &init);
    assert_eq!(made.status, 200, "{}", made.text());
    volumes_are_pruned(&daemon);
    containers_are_pruned(&daemon);
    networks_are_pruned(&daemon);
    images_are_pruned(&daemon);
    for kind in ["secrets", "configs"] {
        data_is_kept(&daemon, kind);
    }
    tokens_are_made_anew(&daemon);
}

/// Pairs of names and labels that a prune is tried on.
const LABELLED: &[(&str, &[(&str, &str)])] = &[
    ("pr-x", &[("df", "pr")]),
    ("pr-y", &[("df", "other")]),
    ("pr-z", &[]),
];

fn label(pairs: &[(&str, &str)]) -> Value {
    let pairs = pairs
        .iter()
        .map(|(key, value)| ((*key).to_owned(), json!(value)));
    Value::Object(pairs.collect())
}

fn prune(kind: &str, random: &mut Random) -> Sent {
    let filters = match random.below(8) {
        0 => "%7B%22until%22%3A%5B%221h%22%5D%7D".to_owned(),
        1 => "%7B%22label%21%22%3A%5B%22df%3Dpr%22%5D%7D".to_owned(),
        2 => "%7B%22label%21%22%3A%7B%22df%22%3Atrue%7D%7D".to_owned(),
        3 => "%7B%22all%22%3A%5B%22true%22%5D%7D".to_owned(),
        _ => filters("pr", random),
    };
    let query = if random.one_in(12) {
        String::new()
    } else {
        format!("filters={filters}")
    };
    Sent::new("POST", &format!("/v1.41/{kind}/prune?{query}"), b"")
}

/// Makes what is labelled, prunes, and tells what is left.
fn pruned(daemon: &Address, sent: &Sent, create: &dyn Fn(&str, Value), list: &str) -> Effect {
    for (name, labels) in LABELLED {
        create(name, label(labels));
    }
    let answer = sent.ask(daemon);
    let found = effect::inspect(daemon, list).to_string();
    let left: Vec<&str> = LABELLED
        .iter()
        .map(|(name, _)| *name)
        .filter(|name| found.contains(name))
        .collect();
    Effect::of(&answer, json!(left))
}

fn volumes_are_pruned(daemon: &Address) {
    let create = |name: &str, labels: Value| {
        let body = json!({ "Name": name, "Labels": labels }).to_string();
        http::request(daemon, "POST", "/volumes/create", &body);
    };
    let policies = [judged::compiled(POLICY)];
    let tally = tried(
        (51, 2000, 200),
        &policies,
        |random| prune("volumes", random),
        |sent, _| pruned(daemon, sent, &create, "/volumes"),
    );
    tally.check("filters of VolumePrune", 150, 80);
}

fn containers_are_pruned(daemon: &Address) {
    let create = |name: &str, labels: Value| {
        let body = json!({ "Image": "busybox", "Labels": labels }).to_string();
        http::request(
            daemon,
            "POST",
            &format!("/containers/create?name={name}"),
            &body,
        );
    };
    let policies = [judged::compiled(POLICY)];
    let tally = tried(
        (52, 400, 40),
        &policies,
        |random| prune("containers", random),
        |sent, _| pruned(daemon, sent, &create, "/containers/json?all=1"),
    );
    tally.check("filters of ContainerPrune", 30, 15);
}

fn networks_are_pruned(daemon: &Address) {
    let create = |name: &str, labels: Value| {
        let body = json!({ "Name": name, "Labels": labels, "CheckDuplicate": true }).to_string();
        http::request(daemon, "POST", "/networks/create", &body);
    };
    let policies = [judged::compiled(POLICY)];
    let tally = tried(
        (53, 200, 16),
        &policies,
        |random| prune("networks", random),
        |sent, _| pruned(daemon, sent, &create, "/networks"),
    );
    tally.check("filters of NetworkPrune", 12, 6);
}

/// Images with and without a name; one whose label is read from the image's own configuration.
const IMAGES: &[(&str, &str)] = &[
    ("repo=pr-named&", "LABEL+df%3Dpr"),
    ("repo=pr-other&", "LABEL+df%3Dother"),
    ("", "LABEL+df%3Dpr"),
    ("", "LABEL+of%3Dnobody"),
];

fn images_are_pruned(daemon: &Address) {
    // A prune leaves what a container is of.
    let body = json!({ "Image": "busybox" }).to_string();
    let kept = http::request(daemon, "POST", "/containers/create?name=keeps", &body);
    assert_eq!(kept.status, 201, "{}", kept.text());
    let archive = crate::support::archive::of(&[("x".to_owned(), "x".to_owned())].into());
    let make = |random: &mut Random| {
        let sent = prune("images", random);
        let Some((target, filters)) = sent.target.split_once("filters=%7B") else {
            return sent;
        };
        let dangling = random.pick(&[
            "%5B%22false%22%5D",
            "%5B%22true%22%5D",
            "%5B%220%22%5D",
            "%5B%22x%22%5D",
            "%7B%22true%22%3Atrue%7D",
        ]);
        let dangling = format!("%22dangling%22%3A{dangling}%2C");
        let dangling = if random.one_in(3) { "" } else { &dangling };
        Sent::new(
            "POST",
            &format!("{target}filters=%7B{dangling}{filters}"),
            b"",
        )
    };
    let all = || {
        let found = effect::inspect(daemon, "/images/json?all=1");
        let shown = |image: &Value| json!([image["RepoTags"], image["Labels"]]).to_string();
        let mut shown: Vec<String> = found.as_array().unwrap().iter().map(shown).collect();
        shown.sort();
        shown
    };
    let whole = |was: usize| {
        if all().len() == was + IMAGES.len() {
            return;
        }
        let filters = "%7B%22dangling%22%3A%5B%22false%22%5D%7D";
        let target = format!("/images/prune?filters={filters}");
        let emptied = http::request(daemon, "POST", &target, "");
        assert_eq!(emptied.status, 200, "{}", emptied.text());
        for (name, label) in IMAGES {
            let target = format!("/images/create?fromSrc=-&{name}changes={label}");
            let made = Sent::new("POST", &target, &archive).ask(daemon);
            assert_eq!(made.status, 200, "{}", made.text());
        }
    };
    let before = all().len();
    let policies = [judged::compiled(POLICY)];
    let tally = tried((56, 600, 60), &policies, make, |sent, _| {
        whole(before);
        let answer = sent.ask(daemon);
        let left = all();
        Effect::of(&answer, json!(left))
    });
    tally.check("filters of ImagePrune", 40, 20);
}

fn data_is_kept(daemon: &Address, kind: &str) {
    let make = |random: &mut Random| {
        let body = tables::secret(random, "kept");
        Sent::new(
            "POST",
            &format!("/v1.41/{kind}/create"),
            &written(body, random),
        )
    };
    let policies = [judged::compiled(POLICY)];
    let tally = tried((54, 3000, 250), &policies, make, |sent, _| {
        let answer = sent.ask(daemon);
        if answer.status != 201 {
            return Effect::of(&answer, Value::Null);
        }
        let made = crate::support::json(&answer.body);
        let target = format!("/{kind}/{}", made["ID"].as_str().unwrap());
        let found = effect::inspect(daemon, &target);
        http::request(daemon, "DELETE", &target, "");
        Effect::of(&answer, found["Spec"].clone())
    });
    tally.check(&format!("bodies of {kind}"), 150, 60);
}

/// The version of the specification that an update must name.
const VERSION: &str = "version=777";

fn tokens_are_made_anew(daemon: &Address) {
    let make = |random: &mut Random| {
        let forms: Vec<&str> = BOOLEANS
            .iter()
            .copied()
            .chain(["t", "T", "TRUE", "tRUE", "F", "+1"])
            .collect();
        let query = made_up(
            &[
                ("rotateWorkerToken", &forms),
                ("rotateManagerToken", &forms),
            ],
            random,
        );
        Sent::new(
            "POST",
            &format!("/v1.41/swarm/update?{VERSION}&{query}"),
            b"{\"Name\":\"default\"}",
        )
    };
    let policies = [judged::compiled(POLICY)];
    let tally = tried((55, 2000, 80), &policies, make, |sent, _| {
        let before = effect::inspect(daemon, "/swarm");
        let version = format!("version={}", before["Version"]["Index"]);
        let answer = sent.with(VERSION, &version).ask(daemon);
        let after = effect::inspect(daemon, "/swarm");
        let anew = ["Worker", "Manager"]
            .map(|role| before["JoinTokens"][role] != after["JoinTokens"][role]);
        Effect::of(&answer, json!(anew))
    });
    tally.check("booleans of SwarmUpdate", 60, 30);
}
