//! Names that are given to images, and images that are made of containers.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::bodies::written;
use super::effect::{self, Effect};
use super::judged::{self, Sent};
use super::targets::{BOOLEANS, made_up};
use super::{Container, tables, tried};
use crate::support::address::Address;
use crate::support::random::Random;
use crate::support::{engine, http, process};

const CHANGES: &[&str] = &[
    "ENV%20A%3Db",
    "LABEL+x%3Dy",
    "USER%20root",
    "CMD+%5B%22a%22%5D",
    "WORKDIR+/x",
    "EXPOSE%2080",
    "RUN+x",
    "ENV+a%3Db%0AUSER+c",
    "VOLUME+/v",
    "ONBUILD+USER+x",
    "",
    "env+b%20c",
    "ENTRYPOINT+x+y",
    "STOPSIGNAL+9",
    "LABEL+%22a+b%22%3D%22c%22",
    "%23+x",
];

#[test]
fn images_are_committed_as_the_gate_read_it() {
    let container = Container::running();
    let (name, daemon) = (&container.name, &container.daemon);
    let make = |random: &mut Random| {
        let texts: &[&str] = &[
            "x", "a%20b", "%C3%A9", "a+b", "%22", "", "<&>", "%00", "%ff",
        ];
        let mut query = format!("container={name}&repo={name}-made&");
        query.push_str(&made_up(
            &[
                ("comment", texts),
                ("author", texts),
                ("pause", BOOLEANS),
                ("tag", &["a", "", "A.b", "-x", "latest", "%61"]),
                ("changes", CHANGES),
                ("changes", CHANGES),
            ],
            random,
        ));
        let body = if random.one_in(3) {
            Vec::new()
        } else {
            written(tables::commit(random), random)
        };
        Sent::new("POST", &format!("/v1.41/commit?{query}"), &body)
    };
    let tally = tried((31, 2000, 60), &judged::policies(), make, |sent, _| {
        let before = now();
        let answer = sent.ask(daemon);
        let pauses = pauses(daemon, name, before);
        if answer.status != 201 {
            return Effect::of(&answer, json!(pauses));
        }
        let made = crate::support::json(&answer.body);
        let id = made["Id"].as_str().unwrap();
        let image = effect::inspect(daemon, &format!("/images/{id}/json"));
        let removed = http::request(daemon, "DELETE", &format!("/images/{id}?force=1"), "");
        assert_eq!(removed.status, 200, "{}", removed.text());
        let kept = json!([
            pauses,
            image["RepoTags"],
            image["Comment"],
            image["Author"],
            image["Config"]
        ]);
        Effect::of(&answer, kept)
    });
    tally.check("queries and bodies of ImageCommit", 50, 25);
}

/// How often the container has been paused since then.
fn pauses(daemon: &Address, name: &str, since: Duration) -> usize {
    let filters =
        format!("%7B%22container%22%3A%5B%22{name}%22%5D%2C%22event%22%3A%5B%22pause%22%5D%7D");
    let (since, until) = (at(since), at(now()));
    let target = format!("/events?since={since}&until={until}&filters={filters}");
    let answer = http::request(daemon, "GET", &target, "");
    answer
        .text()
        .lines()
        // The daemon's filter lets names through that begin so.
        .filter(|line| line.contains("\"pause\"") && line.contains(&format!("\"name\":\"{name}\"")))
        .count()
}

fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap()
}

fn at(time: Duration) -> String {
    format!("{}.{:09}", time.as_secs(), time.subsec_nanos())
}

#[test]
fn images_are_named_as_the_gate_read_it() {
    let (name, daemon) = (process::unique("df"), engine::address());
    let (lower, port) = (format!("{name}/a"), format!("localhost:5000/{name}"));
    let encoded = format!("%64{}", name.strip_prefix('d').unwrap());
    let repos: Vec<&str> = vec![&name, &lower, &port, &encoded];
    let make = |random: &mut Random| {
        let query = made_up(
            &[
                ("repo", &repos),
                (
                    "tag",
                    &[
                        "a", "", "A.b", "-x", "latest", "%61", "a:b", "sha256:0", "a%20",
                    ],
                ),
            ],
            random,
        );
        let image = random.pick(&[
            "busybox",
            "busybox:latest",
            "docker.io/library/busybox",
            "library/busybox",
            "%62usybox",
        ]);
        Sent::new("POST", &format!("/v1.41/images/{image}/tag?{query}"), b"")
    };
    let tally = tried((32, 3000, 400), &judged::policies(), make, |sent, _| {
        let answer = sent.ask(&daemon);
        let image = effect::inspect(&daemon, "/images/busybox/json");
        let tags = image["RepoTags"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(Value::as_str);
        let ours: Vec<&str> = tags.filter(|tag| tag.contains(&name[2..])).collect();
        for tag in &ours {
            let removed = http::request(&daemon, "DELETE", &format!("/images/{tag}"), "");
            assert_eq!(removed.status, 200, "{}", removed.text());
        }
        Effect::of(&answer, json!(ours))
    });
    tally.check("targets of ImageTag", 200, 60);
}
