//! Queries of builds: what the images and the containers of the build's steps are made of.

use serde_json::{Value, json};

use super::effect::{self, Effect};
use super::judged::{self, Sent};
use super::targets::{BOOLEANS, made_up};
use super::tried;
use crate::support::address::Address;
use crate::support::random::Random;
use crate::support::{archive, engine, http, process};

const POLICY: &str = r#"
description = "Builds, judged."
[[permit]]
operations = ["ImageBuild"]
[container]
namespaces = ["host-network"]
cgroup-parents = ["*"]
networks = ["*"]
images = ["*"]
[image]
references = ["*"]
[network]
icc = "any"
"#;

/// JSON in a parameter, as clients write it and as nobody should.
#[rustfmt::skip]
const LABELS: &[&str] = &[
    "{\"a\":\"b\"}", "{\"a\":\"b\",\"A\":\"c\"}", "{\"a\":\"b\",\"a\":\"c\"}", "{\"a\":null}", "{}", "null", "", "{\"a\":1}", "[]",
    "{\"\\u0061\":\"\\u00e9\"}", "{\"a\":\"b\"}x", "{\"a\":\"b\"} ", "{\"b\":\"\\ud800\"}", "{\"\":\"x\"}",
];
#[rustfmt::skip]
const ARGUMENTS: &[&str] = &[
    "{\"who\":\"me\"}", "{\"who\":null}", "{\"Who\":\"me\"}", "{\"who\":\"a\",\"who\":\"b\"}", "{}", "null", "{\"who\":\"\"}", "x",
];
#[rustfmt::skip]
const ULIMITS: &[&str] = &[
    "[{\"Name\":\"nofile\",\"Soft\":64,\"Hard\":128}]", "[{\"Name\":\"core\",\"Hard\":0,\"Soft\":0}]", "[]", "null", "[{}]", "{}",
    "[{\"Name\":\"nofile\",\"Soft\":64,\"Hard\":128},{\"Name\":\"nproc\",\"Soft\":9,\"Hard\":9}]",
];
const NUMBERS: &[&str] = &[
    "0",
    "1024",
    "2",
    "",
    "-1",
    "+3",
    "%2B3",
    "1.0",
    "x",
    "67108864",
    "9223372036854775808",
];

/// Parameters whose values need no name and no JSON.
#[rustfmt::skip]
const PLAIN: &[(&str, &[&str])] = &[
    ("memory", NUMBERS),
    ("cpushares", NUMBERS),
    ("shmsize", NUMBERS),
    ("cgroupparent", &["/own", "", "/o%77n", "own"]),
    ("networkmode", &["none", "bridge", "", "default", "host"]),
    ("extrahosts", &["a:1.2.3.4", "", "a"]),
    ("dockerfile", &["", "Dockerfile", "other", "%6Fther", "missing"]),
    ("target", &["", "one", "two", "tw%6F", "three"]),
    ("q", BOOLEANS),
    ("squash", &["", "0"]),
    ("platform", &["", "linux/amd64"]),
];

#[test]
fn images_are_built_as_the_gate_read_it() {
    let (name, daemon) = (process::unique("df"), engine::address());
    let context = context(&name);
    let forms = [":x", "/a", "%3Ay", ":-", ""].map(|rest| format!("{name}{rest}"));
    let mut tags: Vec<&str> = forms.iter().map(String::as_str).collect();
    tags.push("");
    let [labels, arguments, ulimits] = [LABELS, ARGUMENTS, ULIMITS].map(encoded);
    let [labels, arguments, ulimits] = [&labels, &arguments, &ulimits]
        .map(|all| all.iter().map(String::as_str).collect::<Vec<_>>());
    let make = |random: &mut Random| {
        let mut parameters: Vec<(&str, &[&str])> = vec![
            ("t", &tags),
            ("labels", &labels),
            ("buildargs", &arguments),
            ("ulimits", &ulimits),
        ];
        parameters.extend(PLAIN);
        // The whole of them at once is refused by someone.
        parameters.retain(|_| random.one_in(4));
        let mut query = made_up(&parameters, random);
        if random.one_in(4) {
            let twice = made_up(&[("t", &tags), ("labels", &labels)], random);
            query = format!("{query}&{twice}");
        }
        let version = random.pick(&["/v1.41", "/v1.41", "/v1.38", "/v1.24"]);
        Sent::new("POST", &format!("{version}/build?rm=0&{query}"), &context)
    };
    let policies = [judged::compiled(POLICY)];
    let tally = tried((71, 1500, 16), &policies, make, |sent, _| {
        let before = made(&daemon, &name);
        assert_eq!(before, json!([[], []]), "the last build left something");
        let answer = sent.ask(&daemon);
        let has_failed = answer.text().contains("\"errorDetail\"");
        let found = json!([has_failed, made(&daemon, &name)]);
        removed(&daemon, &name);
        Effect::of(&answer, found)
    });
    tally.check("queries of ImageBuild", 12, 6);
}

/// Two files to build from, each of whose steps bears the name in a label.
fn context(name: &str) -> Vec<u8> {
    let stages = format!(
        "FROM busybox AS one\nLABEL df={name}\nARG who=none\nLABEL by=$who\nFROM one AS two\nUSER two\n"
    );
    let other = format!("FROM busybox\nLABEL df={name}\nENV other=1\n");
    let files = [("Dockerfile", stages), ("other", other)];
    archive::of(&files.map(|(path, text)| (path.to_owned(), text)).into())
}

/// What is labelled or called by the name: the steps' containers, and images.
fn made(daemon: &Address, name: &str) -> Value {
    let containers = listed(daemon, "/containers/json?all=1", name)
        .into_iter()
        .map(|id| {
            let found = effect::inspect(daemon, &format!("/containers/{id}/json"));
            let host = &found["HostConfig"];
            let limits = [
                "Memory",
                "CpuShares",
                "ShmSize",
                "CgroupParent",
                "NetworkMode",
                "ExtraHosts",
                "Ulimits",
            ];
            let limits = limits.map(|key| (key.to_owned(), host[key].clone()));
            json!([
                found["Config"]["Cmd"],
                found["Config"]["Labels"],
                serde_json::Map::from_iter(limits)
            ])
        });
    let images = listed(daemon, "/images/json?all=1", name)
        .into_iter()
        .map(|id| {
            let found = effect::inspect(daemon, &format!("/images/{id}/json"));
            json!([
                found["RepoTags"],
                found["Config"]["Labels"],
                found["Config"]["User"],
                found["Config"]["Env"]
            ])
        });
    let mut both = [containers.collect::<Vec<_>>(), images.collect()];
    both.iter_mut()
        .for_each(|all| all.sort_by_key(Value::to_string));
    json!(both)
}

/// Ids of what bears the name in a label, a command or a tag.
fn listed(daemon: &Address, list: &str, name: &str) -> Vec<String> {
    let found = effect::inspect(daemon, list);
    let items = found.as_array().unwrap().iter();
    let ours = items.filter(|item| item.to_string().contains(name));
    ours.map(|item| item["Id"].as_str().unwrap().to_owned())
        .collect()
}

/// Removes what a build has made; a child goes before its parent.
fn removed(daemon: &Address, name: &str) {
    for id in listed(daemon, "/containers/json?all=1", name) {
        http::request(
            daemon,
            "DELETE",
            &format!("/containers/{id}?force=1&v=1"),
            "",
        );
    }
    for _ in 0..8 {
        let images = listed(daemon, "/images/json?all=1", name);
        for id in &images {
            http::request(daemon, "DELETE", &format!("/images/{id}?force=1"), "");
        }
        if images.is_empty() {
            break;
        }
    }
}

fn encoded(texts: &[&str]) -> Vec<String> {
    let encode = |text: &&str| text.bytes().map(|byte| format!("%{byte:02X}")).collect();
    texts.iter().map(encode).collect()
}
