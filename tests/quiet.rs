//! What a policy with `[quiet]` lets its clients see of the real daemon, and what one without it does.

mod odd;
mod oracles;
mod places;
mod streamed;
mod swarm;

use std::io::{BufRead as _, BufReader, Write as _};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::support::docker::Docker;
use super::support::gate::Gate;
use super::support::http::Answer;
use super::support::site::Site;
use super::support::{engine, http, process, wait};

const LOUD: &str = r#"
description = "Sees and makes what it likes."
[[permit]]
operations = ["System:*", "Image:*", "Container:*", "Exec:*", "Volume:*", "Network:*"]
[container]
images = ["*"]
networks = ["*"]
host-paths = [{ path = "/tmp", access = "read-write", subpaths = true, set-user-id = true }]
[network]
default-bridge = "any"
"#;

const HIDES: &str = r#"
[quiet]
environment = true
host-paths = true
labels = ["secret.*"]
command-lines = true
secrets = true
host-details = true
"#;

/// A container and a volume whose every secret holds one mark.
struct Marked {
    site: Site,
    daemon: Docker,
    name: String,
    mark: String,
    _folder: TempDir,
}

impl Marked {
    fn new() -> Self {
        let site = Site::guarded();
        let daemon = Docker::at(&engine::address());
        let (name, mark) = (site.name("c"), process::unique("mark"));
        let folder = tempfile::Builder::new().prefix(&mark).tempdir().unwrap();
        let path = folder.path().display();
        daemon.ok(format!(
            "volume create --label secret.a={mark} --opt type=tmpfs --opt device=tmpfs --opt o=size=1m {}",
            site.name("v")
        ));
        daemon.ok(format!(
            "run -d --name {name} -e TOKEN={mark} --label secret.a={mark} --label open.a=plain -v {path}:/m \
             --mount type=bind,source={path},target=/n -v {}:/v --log-opt tag={mark} --health-interval 1s \
             --health-cmd 'echo {mark}' busybox sh -c 'sleep 600 || echo {mark}'",
            site.name("v")
        ));
        Self {
            site,
            daemon,
            name,
            mark,
            _folder: folder,
        }
    }

    fn exec(&self) -> String {
        let created = http::request(
            self.daemon.address(),
            "POST",
            &format!("/v1.41/containers/{}/exec", self.name),
            &json!({ "Cmd": ["echo", self.mark] }).to_string(),
        );
        super::support::json(created.body)["Id"]
            .as_str()
            .unwrap()
            .to_owned()
    }
}

#[test]
fn nothing_that_is_hidden_is_told_by_any_answer() {
    let marked = Marked::new();
    let gate = Gate::with_policy(&format!("{LOUD}{HIDES}"));
    let (name, mark) = (&marked.name, &marked.mark);
    let exec = marked.exec();
    let targets = [
        "/containers/json?all=1".to_owned(),
        format!("/containers/{name}/json"),
        format!("/containers/{name}/json?size=1"),
        format!("/containers/{name}/top"),
        format!("/containers/{name}/top?ps_args=aux"),
        format!("/exec/{exec}/json"),
        "/volumes".to_owned(),
        format!("/volumes/{}", marked.site.name("v")),
        "/system/df".to_owned(),
    ];
    for target in targets {
        for version in ["", "/v1.24", "/v1.40", "/v1.41"] {
            let target = format!("{version}{target}");
            let [told, shown] = [marked.daemon.address(), gate.address()]
                .map(|address| http::request(address, "GET", &target, ""));
            assert_eq!(
                (told.status, shown.status),
                (200, 200),
                "{target}: {}",
                shown.text()
            );
            hides(&target, &told, &shown, mark);
        }
    }
}

/// The daemon keeps the last 256 events of all, so this container's may be gone before both have told them.
#[test]
fn nothing_that_is_hidden_is_told_by_past_events() {
    let marked = Marked::new();
    let gate = Gate::with_policy(&format!("{LOUD}{HIDES}"));
    let (name, mark) = (&marked.name, &marked.mark);
    for version in ["", "/v1.24", "/v1.40", "/v1.41"] {
        let [told, shown] = wait::until("both tell of the exec", || {
            marked.daemon.ok(format!("exec {name} echo {mark}"));
            let target = format!(
                "{version}/events?since=1&until={}&filters={{%22container%22:[%22{name}%22]}}",
                now()
            );
            let answers = [marked.daemon.address(), gate.address()]
                .map(|address| http::request(address, "GET", &target, ""));
            let tell = |answer: &Answer| answer.text().contains("exec_create");
            answers.iter().all(tell).then_some(answers)
        });
        hides("/events", &told, &shown, mark);
    }
}

/// The daemon tells the mark, and the gate a placeholder for it.
fn hides(target: &str, told: &Answer, shown: &Answer, mark: &str) {
    assert!(
        told.text().contains(mark),
        "{target} tells nothing: {}",
        told.text()
    );
    assert!(!shown.text().contains(mark), "{target}: {}", shown.text());
    assert!(
        shown.text().contains("<hidden by dockgate>"),
        "{target}: {}",
        shown.text()
    );
}

/// In seconds since 1970, by the daemon's clock.
fn now() -> String {
    let info = http::request(&engine::address(), "GET", "/info", "");
    let time = super::support::json(info.body)["SystemTime"].clone();
    let mut date = std::process::Command::new("date");
    date.args(["-d", time.as_str().unwrap(), "+%s"]);
    let seconds = process::run(&mut date, Vec::new(), wait::DEADLINE);
    seconds.ok("date").trim().to_owned()
}

#[test]
fn the_docker_cli_reads_what_is_left() {
    let marked = Marked::new();
    let gate = Gate::with_policy(&format!("{LOUD}{HIDES}"));
    let (docker, name) = (Docker::at(gate.address()), &marked.name);
    let volume = marked.site.name("v");
    marked
        .daemon
        .ok(format!("exec {name} echo {}", marked.mark));
    let told: Vec<String> = [
        "ps -a --no-trunc".to_owned(),
        "ps -a --no-trunc --format '{{json .}}'".to_owned(),
        format!("inspect {name}"),
        format!("top {name}"),
        past_events(&marked),
        "info".to_owned(),
        "info --format '{{json .}}'".to_owned(),
        "version".to_owned(),
        "system df -v".to_owned(),
        "images".to_owned(),
        "history busybox".to_owned(),
        "volume ls".to_owned(),
        format!("volume inspect {volume}"),
        "network ls".to_owned(),
        "network inspect bridge".to_owned(),
    ]
    .iter()
    .map(|command| docker.ok(command))
    .collect();
    for told in &told {
        assert!(!told.contains(&marked.mark), "{told}");
    }
    let shown = &super::support::json(&told[2])[0];
    assert_eq!(shown["Config"]["Labels"]["open.a"], "plain");
    assert_eq!(
        shown["Config"]["Labels"]["secret.a"],
        "<hidden by dockgate>"
    );
    let binds = shown["HostConfig"]["Binds"].as_array().unwrap();
    let expected = [
        json!("<hidden by dockgate>:/m"),
        json!(format!("{volume}:/v")),
    ];
    assert!(
        expected.iter().all(|bind| binds.contains(bind)),
        "{binds:?}"
    );
    assert_eq!(shown["Mounts"].as_array().unwrap().len(), 3);
    assert!(told[0].contains(name.as_str()), "{}", told[0]);
    assert!(
        told[4].contains("exec_start: <hidden by dockgate>"),
        "{}",
        told[4]
    );
    no_detail_is_in(&told[5..8]);
}

/// Of the machine that the daemon runs on.
fn no_detail_is_in(told: &[String]) {
    let info = http::request(&engine::address(), "GET", "/info", "");
    let info = super::support::json(info.body);
    for detail in ["KernelVersion", "DockerRootDir"] {
        let detail = info[detail].as_str().unwrap();
        assert!(told.iter().all(|told| !told.contains(detail)), "{detail}");
    }
}

/// The command that shows what has happened to the container, its exec included.
fn past_events(marked: &Marked) -> String {
    wait::until("the exec is past", || {
        let (name, now) = (&marked.name, now());
        let events = format!("events --since 1 --until {now} --filter container={name}");
        let told = marked.daemon.ok(&events);
        told.contains("exec_start: echo").then_some(events)
    })
}

#[test]
fn without_quiet_every_byte_is_the_daemons() {
    let marked = Marked::new();
    let site = &marked.site;
    marked.daemon.ok(format!(
        "create --name {} -e TOKEN={} busybox",
        site.name("still"),
        marked.mark
    ));
    // One key hides nothing of the others' answers.
    let partly = format!("{LOUD}\n[quiet]\nsecrets = true\n");
    for policy in [LOUD, &partly] {
        let gate = Gate::with_policy(policy);
        for target in [
            "/v1.41/images/busybox/json".to_owned(),
            "/v1.41/images/busybox/history".to_owned(),
            format!("/v1.41/containers/{}/top", marked.name),
            format!(
                "/v1.41/containers/json?all=1&filters={{%22name%22:[%22{}%22]}}",
                site.name("still")
            ),
        ] {
            let [told, shown] = [marked.daemon.address(), gate.address()]
                .map(|address| http::request(address, "GET", &target, ""));
            if target.contains("/top") {
                // Times go on.
                assert!(shown.text().contains(&marked.mark), "{target}");
            } else if target.contains("containers/json") && policy != LOUD {
                // Written anew, and nothing of it was hidden.
                let [told, shown] = [told.body, shown.body].map(super::support::json);
                assert_eq!(shown, told, "{target}");
            } else {
                let framing = ["content-length", "transfer-encoding", "content-type"].map(|name| {
                    (
                        told.header(name).map(str::to_owned),
                        shown.header(name).map(str::to_owned),
                    )
                });
                assert!(
                    framing.iter().all(|(told, shown)| told == shown),
                    "{target}: {framing:?}"
                );
                assert_eq!(shown.text(), told.text(), "{target}");
            }
        }
    }
}

#[test]
fn a_copy_of_what_was_shown_is_refused() {
    let marked = Marked::new();
    let gate = Gate::with_policy(&format!("{LOUD}{HIDES}"));
    let target = format!("/v1.41/containers/{}/json", marked.name);
    let shown = super::support::json(http::request(gate.address(), "GET", &target, "").body);
    let (mut copy, copied) = (shown["Config"].clone(), marked.site.name("copy"));
    copy["HostConfig"] = json!({ "Binds": shown["HostConfig"]["Binds"] });
    let create = format!("/v1.41/containers/create?name={copied}");
    let loud = Gate::with_policy(LOUD);
    for gate in [&gate, &loud] {
        let refused = http::request(gate.address(), "POST", &create, &copy.to_string());
        assert_eq!(refused.status, 403, "{}", refused.text());
        let message = refused.message();
        assert!(message.contains("hidden-value: `Env[0]`"), "{message}");
        assert!(message.contains("put in what was hidden"), "{message}");
    }
    let absent = http::request(
        marked.daemon.address(),
        "GET",
        &format!("/containers/{copied}/json"),
        "",
    );
    assert_eq!(absent.status, 404);
    // What was not hidden is made again.
    let mut plain = Value::Null;
    plain["Image"] = shown["Config"]["Image"].clone();
    let made = http::request(gate.address(), "POST", &create, &plain.to_string());
    assert_eq!(made.status, 201, "{}", made.text());
}

#[test]
fn an_event_is_shown_before_the_next_one_comes() {
    let marked = Marked::new();
    let gate = Gate::with_policy(&format!("{LOUD}{HIDES}"));
    let still = marked.site.name("still");
    marked.daemon.ok(format!(
        "create --name {still} --label secret.a={} busybox",
        marked.mark
    ));
    for version in ["1.1", "1.0"] {
        let mut events = gate.address().connect().unwrap();
        let target = format!("/v1.41/events?filters={{%22container%22:[%22{still}%22]}}");
        write!(
            events,
            "GET {target} HTTP/{version}\r\nHost: d\r\nAccept: application/json-seq\r\n\r\n"
        )
        .unwrap();
        let mut events = BufReader::new(events);
        let (status, headers) = http::read_head(&mut events).unwrap();
        assert_eq!(status, 200);
        let is_chunked = headers
            .iter()
            .any(|(name, _)| name.eq_ignore_ascii_case("transfer-encoding"));
        assert_eq!(is_chunked, version == "1.1");
        marked.daemon.ok(format!("rename {still} {still}x"));
        let mut line = String::new();
        while !line.starts_with('{') {
            line.clear();
            assert!(events.read_line(&mut line).unwrap() > 0, "the stream ended");
        }
        let event = super::support::json(line.trim_end());
        assert_eq!(event["Action"], "rename");
        assert_eq!(
            event["Actor"]["Attributes"]["secret.a"],
            "<hidden by dockgate>"
        );
        assert!(!line.contains(&marked.mark), "{line}");
        marked.daemon.ok(format!("rename {still}x {still}"));
    }
}

#[test]
fn a_guess_by_a_filter_is_refused_and_an_ordinary_one_is_not() {
    let marked = Marked::new();
    let gate = Gate::with_policy(&format!("{LOUD}{HIDES}"));
    let docker = Docker::at(gate.address());
    let guess = format!("ps -aq --filter label=secret.a={}", marked.mark);
    assert!(docker.fails(&guess).contains("hidden-query"));
    assert!(!marked.daemon.ok(&guess).is_empty());
    let ordinary =
        "ps -a --filter label=open.a=plain --filter label=secret.a --format '{{.Names}}'";
    assert!(docker.ok(ordinary).contains(&marked.name));
    assert!(
        docker
            .fails(format!("top {} -o pid,args", marked.name))
            .contains("hidden-query")
    );
}
