//! Queries of what is done to containers.

use std::time::Duration;

use serde_json::{Value, json};

use super::effect::{self, Effect};
use super::judged::{self, Sent};
use super::targets::{BOOLEANS, made_up};
use super::{Container, tried};
use crate::support::random::Random;
use crate::support::{engine, http, process, wait};

const NUMBERS: &[&str] = &[
    "1",
    "0",
    "-1",
    "%2B1",
    "+1",
    "01",
    "1_0",
    "0x1",
    "1.0",
    "",
    "9223372036854775807",
    "9223372036854775808",
    "a",
    "24",
    "4294967296",
];
const SIGNALS: &[&str] = &[
    "HUP",
    "SIGHUP",
    "sighup",
    "1",
    "01",
    "%2B1",
    "0",
    "",
    "-1",
    "KILLL",
    "64",
    "65",
    "RTMIN%2B3",
    "rtmin%2B3",
    "hup%00",
    "H%55P",
    "INT",
];
const KEYS: &[&str] = &[
    "ctrl-a", "", "a,b", "ctrl-%5B", "ctrl-a,", "ctrl-aa", "x", "%00",
];

/// Parameters with what each may hold.
type Parameters = &'static [(&'static str, &'static [&'static str])];

/// What is asked of a container that has ended, `@`, or of one that runs, `#`, so that it is only read and never done.
const ASKED: &[(&str, Parameters)] = &[
    ("/containers/@/stop", &[("t", NUMBERS), ("signal", SIGNALS)]),
    ("/containers/@/kill", &[("signal", SIGNALS)]),
    ("/containers/@/resize", &[("h", NUMBERS), ("w", NUMBERS)]),
    (
        "/containers/#/start",
        &[
            ("checkpoint", &["", "x", "%2e", "x%20"]),
            ("detachKeys", KEYS),
        ],
    ),
    ("/containers/@/attach", ATTACH),
    ("/containers/@/attach", ATTACH),
];

const ATTACH: Parameters = &[
    ("logs", BOOLEANS),
    ("stdout", BOOLEANS),
    ("stderr", BOOLEANS),
    ("stream", &["", "0", "no"]),
    ("detachKeys", KEYS),
];

#[test]
fn queries_of_what_is_done_are_read_as_the_daemon_reads_them() {
    let (ended, running) = (Container::ended(), Container::running());
    let make = |random: &mut Random| {
        let (path, parameters) = ASKED[random.below(ASKED.len())];
        let path = path.replace('@', &ended.name).replace('#', &running.name);
        let version = random.pick(&["/v1.41", "/v1.41", "/v1.40", "/v1.30", "/v1.24", ""]);
        let query = made_up(parameters, random);
        Sent::new("POST", &format!("{version}{path}?{query}"), b"")
    };
    let tally = tried(
        (14, 3000, 500),
        &judged::policies(),
        make,
        |sent, judged| {
            // The daemon waits for a container that has ended to start again.
            if judged.request.head.query.get("stream") == Some("1") {
                return Effect::nothing();
            }
            let answer = sent.ask(&ended.daemon);
            let text = answer.text();
            Effect::of(&answer, json!(text))
        },
    );
    tally.check("queries of what is done", 300, 60);
}

/// Ends with a code that tells the signal.
const TELLING: &str =
    "for s in 1 2 10 12 15; do trap \"exit $s\" $s; done; while :; do sleep 1 & wait $!; done";

#[test]
fn signals_are_sent_as_the_gate_read_them() {
    let (name, daemon) = (process::unique("df"), engine::address());
    let signals: &[&str] = &[
        "HUP",
        "SIGINT",
        "sigusr1",
        "10",
        "012",
        "%2B1",
        "USR2",
        "TERM",
        "",
        "kill",
        "9",
        "WINCH",
        "0x1",
        "%31",
        "1&signal=2",
    ];
    let body = json!({ "Image": "busybox", "Cmd": ["sh", "-c", TELLING], "HostConfig": { "NetworkMode": "none" } });
    let target = format!("/containers/create?name={name}");
    let made = http::request(&daemon, "POST", &target, &body.to_string());
    assert_eq!(made.status, 201, "{}", made.text());
    let of = |what: &str| format!("/containers/{name}/{what}");
    let make = |random: &mut Random| {
        let target = format!(
            "/v1.41{}?{}",
            of("kill"),
            made_up(&[("signal", signals)], random)
        );
        Sent::new("POST", &target, b"")
    };
    let tally = tried((15, 200, 14), &judged::policies(), make, |sent, _| {
        http::request(&daemon, "POST", &of("start"), "");
        let state = || effect::inspect(&daemon, &of("json"))["State"].clone();
        let answer = sent.ask(&daemon);
        // What is not heard of leaves the container running.
        let has_ended = || Some(state()).filter(|state| state["Running"] == false);
        let ended = wait::within(Duration::from_millis(700), has_ended);
        let code = ended.map_or(Value::Null, |state| state["ExitCode"].clone());
        Effect::of(&answer, code)
    });
    engine::clean(&name);
    tally.check("signals of ContainerKill", 12, 8);
}
