//! Names that are given to images, and images that are made of containers.

use std::io::{BufRead as _, BufReader, Write as _};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::bodies::written;
use super::effect::{self, Effect};
use super::judged::{self, Sent};
use super::targets::{BOOLEANS, made_up};
use super::{Container, tables, tried};
use crate::support::address::{Address, Connection};
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
        let happenings = Happenings::of(daemon, name);
        let answer = sent.ask(daemon);
        let pauses = happenings.pauses(daemon, name);
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

/// What the daemon says happens to one container, from now on.
///
/// It is listened to while it happens: of what is over, the daemon keeps the last 256 events of all its containers.
struct Happenings {
    stream: BufReader<Connection>,
}

impl Happenings {
    fn of(daemon: &Address, name: &str) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let filters = format!("%7B%22container%22%3A%5B%22{name}%22%5D%7D");
        let since = format!("{}.{:09}", now.as_secs(), now.subsec_nanos());
        let mut stream = BufReader::new(daemon.connect().unwrap());
        let head =
            format!("GET /events?since={since}&filters={filters} HTTP/1.1\r\nHost: docker\r\n\r\n");
        stream.get_mut().write_all(head.as_bytes()).unwrap();
        assert_eq!(http::read_head(&mut stream).unwrap().0, 200);
        Self { stream }
    }

    /// How often the container was paused until now; asking for its processes is an event too, and ends the count.
    fn pauses(self, daemon: &Address, name: &str) -> usize {
        let asked = http::request(daemon, "GET", &format!("/containers/{name}/top"), "");
        assert_eq!(asked.status, 200, "{}", asked.text());
        // The daemon's filter lets names through that begin so.
        let own = format!("\"name\":\"{name}\"");
        let lines = self.stream.lines().map(Result::unwrap);
        lines
            .filter(|line| line.contains(&own))
            .take_while(|line| !line.contains("\"Action\":\"top\""))
            .filter(|line| line.contains("\"Action\":\"pause\""))
            .count()
    }
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
