//! Queries of what is done to containers, of imports and of pulls.

use std::cell::Cell;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use super::effect::{self, Effect};
use super::judged::{self, Sent};
use super::targets::{BOOLEANS, made_up};
use super::{Container, tried};
use crate::support::random::Random;
use crate::support::{archive, engine, http, process, wait};

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

/// What is asked of a container that has ended, `@`, or of one that runs, `#`, so that it is only read and never done.
const ASKED: &[(&str, &[(&str, &[&str])])] = &[
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

const ATTACH: &[(&str, &[&str])] = &[
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

#[test]
fn images_are_imported_as_the_gate_read_it() {
    let (name, daemon) = (process::unique("df"), engine::address());
    let tar = archive::of(&[("x".to_owned(), name.clone())].into());
    let repos: &[&str] = &[&name, &format!("{name}/a"), &format!("{name}:b"), ""];
    let texts: &[&str] = &["x", "a%20b", "%C3%A9", "", "%22", "a+b"];
    let changes: &[&str] = &[
        "ENV+a%3Db",
        "LABEL+x%3Dy",
        "USER+c",
        "RUN+x",
        "",
        "ENV+a%3Db%0AUSER+c",
        "cmd+x",
    ];
    let make = |random: &mut Random| {
        let parameters: &[(&str, &[&str])] = &[
            ("repo", repos),
            ("tag", &["a", "", "latest", "-x", "a%2Fb", "%61"]),
            ("message", texts),
            ("changes", changes),
            ("changes", changes),
            (
                "platform",
                &["", "linux", "linux/amd64", "windows", "LINUX", "a/b/c/d"],
            ),
        ];
        let query = made_up(parameters, random);
        let version = random.pick(&["/v1.41", "/v1.40", "/v1.31", "/v1.24"]);
        Sent::new(
            "POST",
            &format!("{version}/images/create?fromSrc=-&{query}"),
            &tar,
        )
    };
    let tally = tried((16, 1500, 80), &judged::policies(), make, |sent, _| {
        let answer = sent.ask(&daemon);
        let text = answer.text();
        let Some(at) = text.find("sha256:") else {
            return Effect::of(&answer, json!(text));
        };
        let id: String = text[at..].chars().take("sha256:".len() + 64).collect();
        let image = effect::inspect(&daemon, &format!("/images/{id}/json"));
        let gone = http::request(&daemon, "DELETE", &format!("/images/{id}?force=1"), "");
        assert_eq!(gone.status, 200, "{}", gone.text());
        let kept = json!([
            image["RepoTags"],
            image["Comment"],
            image["Config"],
            image["Os"],
            image["Architecture"]
        ]);
        Effect::of(&answer, kept)
    });
    tally.check("queries of an import", 60, 30);
}

/// A registry that has nothing, and tells what it was asked for.
struct Empty {
    address: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Empty {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let told = Arc::clone(&asked);
        thread::spawn(move || {
            for connection in listener.incoming().map_while(Result::ok) {
                answer(connection, &told);
            }
        });
        Self { address, asked }
    }
}

/// One request on the connection; what is not HTTP has no line that can be read, and the connection ends.
fn answer(mut connection: TcpStream, told: &Mutex<Vec<String>>) {
    let lines = BufReader::new(connection.try_clone().unwrap()).lines();
    let lines = lines.map_while(Result::ok);
    let head: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
    let Some(line) = head.first().filter(|line| line.ends_with("HTTP/1.1")) else {
        return;
    };
    let status = if line.contains("/v2/ ") {
        "200 OK"
    } else {
        "404 Not Found"
    };
    told.lock().unwrap().push(line.clone());
    let _ = write!(
        connection,
        "HTTP/1.1 {status}\r\nDocker-Distribution-Api-Version: registry/2.0\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    );
}

#[test]
fn images_are_pulled_as_the_gate_read_it() {
    let (registry, daemon, told) = (Empty::start(), engine::address(), Cell::new(0));
    let address = &registry.address;
    let digest = format!("{address}/a@sha256:{}", "0".repeat(64));
    let images: &[&str] = &[
        &format!("{address}/a"),
        &format!("{address}/a:one"),
        &format!("{address}/a/b"),
        &digest,
        &format!("{address}%2Fa"),
        &format!("{address}/A"),
    ];
    let make = |random: &mut Random| {
        let image = random.pick(images);
        let parameters: &[(&str, &[&str])] = &[
            (
                "tag",
                &["two", "", "latest", "tw%6F", "-x", "sha256:0", "a%20b"],
            ),
            (
                "platform",
                &["", "linux", "linux/amd64", "linux/arm64", "a/b/c/d"],
            ),
            ("repo", &["", "x"]),
        ];
        let query = made_up(parameters, random);
        let version = random.pick(&["/v1.41", "/v1.32", "/v1.24", ""]);
        Sent::new(
            "POST",
            &format!("{version}/images/create?fromImage={image}&{query}"),
            b"",
        )
    };
    let policy = judged::compiled(&format!(
        "description = 'pulls'\n[[permit]]\noperations = ['ImageCreate']\n[image]\nreferences = ['{address}/*']\n"
    ));
    let tally = tried((17, 2000, 80), &[policy], make, |sent, _| {
        registry.asked.lock().unwrap().clear();
        let answer = sent.ask(&daemon);
        let asked = std::mem::take(&mut *registry.asked.lock().unwrap());
        told.set(told.get() + asked.len());
        Effect::of(&answer, json!(asked))
    });
    // Nothing is there to be taken; what the registry was asked for tells.
    tally.check("queries of a pull", 60, 0);
    assert!(
        told.get() > 100,
        "the registry was asked for {}",
        told.get()
    );
}

#[test]
fn images_are_saved_as_the_gate_read_it() {
    let daemon = engine::address();
    let names: &[&str] = &[
        "busybox",
        "busybox:latest",
        "docker.io/library/busybox",
        "%62usybox",
        "unheard-of",
        "",
    ];
    let make = |random: &mut Random| {
        let query = made_up(&[("names", names), ("names", names)], random);
        Sent::new("GET", &format!("/v1.41/images/get?{query}"), b"")
    };
    let tally = tried((18, 200, 24), &judged::policies(), make, |sent, _| {
        let answer = sent.ask(&daemon);
        let text = answer.text();
        let manifest = text
            .find("\"RepoTags\":")
            .map(|at| text[at..].chars().take(80).collect::<String>());
        Effect::of(&answer, json!([answer.body.len(), manifest]))
    });
    tally.check("queries of ImageGetAll", 18, 6);
}
