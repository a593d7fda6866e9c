//! Queries of imports, of pulls from a registry that has nothing, and of what is saved.

use std::cell::Cell;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::json;

use super::effect::{self, Effect};
use super::judged::{self, Sent};
use super::targets::made_up;
use super::tried;
use crate::support::random::Random;
use crate::support::{archive, engine, http, process};

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
