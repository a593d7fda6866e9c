//! No client starves the others: what one owner takes is bounded, by the gate's own count and by the daemon's.

mod floods;
mod quotas;
mod races;
mod resources;

use std::io::{BufReader, Read as _, Write as _};
use std::thread;
use std::time::{Duration, Instant};

use super::admin;
use super::reload::Kept;
use super::support::address::{Address, Connection};
use super::support::certificates::Authority;
use super::support::docker::Docker;
use super::support::fake_daemon::{FakeDaemon, answer_empty};
use super::support::gate::{Gate, Setup};
use super::support::http::{self, Answer};
use super::support::wait::{self, pause};

const IMAGES: &str = "/v1.41/images/json";
const ADMIN: &str = "[admin]\naddress = 'tcp://127.0.0.2:0'";

/// Two listeners: who comes by the first is bounded, who comes by the second is not.
fn gate(daemon: &FakeDaemon, limits: &str) -> Gate {
    Setup::before(&daemon.address())
        .listen("guarded")
        .plus(&format!("limits = {{ {limits} }}"))
        .listen("guarded")
        .plus(ADMIN)
        .start()
}

fn list(address: &Address) -> Answer {
    http::request(address, "GET", IMAGES, "")
}

/// It says what the limit is and when to come back.
fn is_over(answer: &Answer, part: &str) {
    assert_eq!(answer.status, 429, "{}", answer.text());
    assert!(answer.message().contains(part), "{}", answer.text());
    let seconds: u64 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=60).contains(&seconds), "{seconds}");
}

/// The reason is in the log, with a refusal and the owner, and among the counters.
fn is_recorded(gate: &Gate, code: &str) {
    let audit = gate.audit();
    let record = audit
        .iter()
        .find(|record| record["reasons"][0]["code"] == code);
    let record = record.unwrap_or_else(|| panic!("no `{code}` in {audit:?}"));
    assert_eq!(record["decision"], "refuse", "{record}");
    assert_eq!(record["client"]["owner"], "guarded", "{record}");
    let (reason, metrics) = (format!("reason=\"{code}\"}} "), admin::metrics(gate));
    let is_counted =
        |line: &str| line.starts_with("dockgate_reasons_total{") && line.contains(&reason);
    assert!(
        metrics.lines().any(is_counted),
        "{reason} is not in\n{metrics}"
    );
}

#[test]
fn who_asks_too_often_is_told_when_to_come_back_and_others_are_served() {
    let daemon = FakeDaemon::start();
    let gate = gate(&daemon, "requests-per-second = 1, burst = 3");
    let (greedy, modest) = (gate.listener(0), gate.listener(1));
    // Whatever it asks, a ping and what is no request of the API too.
    wait::until("it asks too often", || {
        while list(greedy).status == 200 {}
        let asked = [IMAGES, "/_ping", "/v1.41//"].map(|target| {
            let greedy = greedy.clone();
            thread::spawn(move || http::request(&greedy, "GET", target, ""))
        });
        let answers = asked.map(|one| one.join().unwrap());
        let over = answers.iter().filter(|answer| answer.status == 429);
        over.clone()
            .for_each(|answer| is_over(answer, "more than 1 times a second"));
        // A token comes back each second.
        (over.count() >= 2).then_some(())
    });
    for _ in 0..20 {
        assert_eq!(list(modest).status, 200);
    }
    is_recorded(&gate, "too-many-requests");
    wait::until("a token is back", || {
        (list(greedy).status == 200).then_some(())
    });
}

#[test]
fn a_connection_that_is_over_the_rate_lives_on_and_waits() {
    let daemon = FakeDaemon::start();
    let gate = gate(&daemon, "requests-per-second = 1000, burst = 1");
    let mut open = Kept::to(gate.listener(0));
    let mut begun = Instant::now();
    while open.get(IMAGES) == 200 {
        begun = Instant::now();
    }
    let late = begun.elapsed();
    assert!(late > Duration::from_millis(900), "{late:?}");
    assert_eq!(open.get(IMAGES), 200);
}

#[test]
fn a_flood_on_many_connections_is_one_flood() {
    let daemon = FakeDaemon::start();
    let gate = gate(&daemon, "requests-per-second = 5, burst = 10");
    let begun = Instant::now();
    let clients: Vec<_> = (0..40)
        .map(|_| {
            let address = gate.listener(0).clone();
            thread::spawn(move || (0..3).filter(|_| list(&address).status == 200).count())
        })
        .collect();
    let served: usize = clients.into_iter().map(|one| one.join().unwrap()).sum();
    let most = 10 + 5 * (usize::try_from(begun.elapsed().as_secs()).unwrap() + 1);
    assert!((10..=most).contains(&served), "{served} of {most}");
    assert_eq!(list(gate.listener(1)).status, 200);
}

#[test]
fn the_docker_cli_shows_why() {
    let daemon = FakeDaemon::start();
    let gate = gate(&daemon, "requests-per-second = 1, burst = 1");
    let docker = Docker::at(gate.listener(0));
    let told = wait::until("it asks too often", || {
        let ended = docker.run("images");
        (!ended.status.success()).then(|| ended.failed("docker images"))
    });
    assert!(told.contains("more than 1 times a second"), "{told}");
}

#[test]
fn each_name_of_one_table_has_a_bucket_of_its_own() {
    let daemon = FakeDaemon::start();
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new(&folder.path().join("certs"));
    authority.certs(&["server", "gate", "--san", "IP:127.0.0.1"]);
    for name in ["ann", "bob"] {
        authority.certs(&["client", name]);
    }
    let gate = Setup::before(&daemon.address())
        .listen_tls(None, &authority)
        .plus("[[client]]\nname = 'people'\nmatch = { common-name = '*' }\npolicy = 'guarded'")
        .plus("owner = 'user/{common-name}'\nlimits = { requests-per-second = 1, burst = 1 }")
        .start();
    let at = |name: &str| {
        let address = gate.address().clone();
        address.with_client_certificate(&authority.client(name))
    };
    let (ann, bob) = (at("ann"), at("bob"));
    wait::until("one asks too often", || {
        (list(&ann).status == 429).then_some(())
    });
    assert_eq!(list(&bob).status, 200);
}

#[test]
fn a_reload_changes_the_limit_and_gives_no_new_tokens() {
    let daemon = FakeDaemon::start();
    let gate = gate(&daemon, "requests-per-second = 1, burst = 1000");
    let text = std::fs::read_to_string(gate.file("dockgate.toml")).unwrap();
    let mut open = Kept::to(gate.listener(0));
    for _ in 0..500 {
        assert_eq!(open.get(IMAGES), 200);
    }
    gate.replace(
        "dockgate.toml",
        &text.replace("burst = 1000", "burst = 400"),
    );
    gate.says("INFO reloaded", 0);
    assert_eq!(open.get(IMAGES), 429);
    gate.replace(
        "dockgate.toml",
        &text.replace("requests-per-second = 1, burst = 1000", ""),
    );
    gate.says("INFO reloaded", 1);
    assert_eq!(open.get(IMAGES), 200);
    assert_eq!(list(gate.listener(0)).status, 200);
}

/// A daemon whose events never end.
fn busy_daemon() -> FakeDaemon {
    FakeDaemon::answering(|request, stream| {
        if request.target.contains("/events") {
            let head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
            stream.write_all(head).unwrap();
            let _ = stream.read(&mut [0]);
        } else if request.target.contains("/attach") {
            let head =
                b"HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\n\
                Connection: Upgrade\r\nUpgrade: tcp\r\n\r\n";
            stream.write_all(head).unwrap();
            let _ = stream.read(&mut [0]);
        } else {
            answer_empty(request, stream);
        }
    })
}

/// Asks for what does not end, and gives the connection once its head has come.
fn held_open(address: &Address, request: &str) -> (u16, BufReader<Connection>) {
    let mut connection = BufReader::new(address.connect().unwrap());
    connection.get_mut().write_all(request.as_bytes()).unwrap();
    let (status, _) = http::read_head(&mut connection).unwrap();
    (status, connection)
}

const EVENTS: &str = "GET /v1.41/events HTTP/1.1\r\nHost: d\r\n\r\n";
const ATTACH: &str = "POST /v1.41/containers/a/attach?stream=1&stdin=1 HTTP/1.1\r\nHost: d\r\nConnection: Upgrade\r\n\
    Upgrade: tcp\r\nContent-Length: 0\r\n\r\n";

#[test]
fn exchanges_at_once_are_bounded_and_streams_are_among_them() {
    let daemon = busy_daemon();
    let gate = gate(&daemon, "exchanges = 3");
    let (greedy, modest) = (gate.listener(0), gate.listener(1));
    let held: Vec<_> = (0..3).map(|_| held_open(greedy, EVENTS)).collect();
    assert!(held.iter().all(|(status, _)| *status == 200));
    is_over(&list(greedy), "3 requests under way");
    assert_eq!(list(modest).status, 200);
    is_recorded(&gate, "too-many-exchanges");
    drop(held);
    wait::until("the places are free", || {
        (list(greedy).status == 200).then_some(())
    });
}

#[test]
fn tunnels_at_once_are_bounded_and_leave_the_places_of_exchanges() {
    let daemon = busy_daemon();
    let gate = gate(&daemon, "exchanges = 2, tunnels = 3");
    let greedy = gate.listener(0);
    let held: Vec<_> = (0..3).map(|_| held_open(greedy, ATTACH)).collect();
    assert!(held.iter().all(|(status, _)| *status == 101));
    assert_eq!(held_open(greedy, ATTACH).0, 429);
    assert_eq!(list(greedy).status, 200);
    assert_eq!(held_open(gate.listener(1), ATTACH).0, 101);
    is_recorded(&gate, "too-many-tunnels");
    drop(held);
    wait::until("the places are free", || {
        let (status, _connection) = held_open(greedy, ATTACH);
        (status == 101).then_some(())
    });
}

#[test]
fn without_a_bound_of_their_own_tunnels_are_exchanges() {
    let daemon = busy_daemon();
    let gate = gate(&daemon, "exchanges = 2");
    let greedy = gate.listener(0);
    let held = [held_open(greedy, ATTACH), held_open(greedy, ATTACH)];
    assert!(held.iter().all(|(status, _)| *status == 101));
    is_over(&list(greedy), "2 requests under way");
}

#[test]
fn no_tunnel_is_opened_where_none_is_permitted() {
    let daemon = busy_daemon();
    let gate = gate(&daemon, "tunnels = 0");
    assert_eq!(held_open(gate.listener(0), ATTACH).0, 429);
    assert_eq!(list(gate.listener(0)).status, 200);
    assert!(
        !daemon
            .seen()
            .iter()
            .any(|one| one.target.contains("attach"))
    );
}

#[test]
fn bytes_of_bodies_are_bounded_over_all_connections() {
    let daemon = FakeDaemon::start();
    let gate = gate(&daemon, "judged-bytes = 100000");
    let (greedy, modest) = (gate.listener(0), gate.listener(1));
    let begin = |head: &str| {
        let mut connection = greedy.connect().unwrap();
        let text = format!("POST /v1.41/volumes/create HTTP/1.1\r\nHost: d\r\n{head}\r\n\r\n");
        connection.write_all(text.as_bytes()).unwrap();
        connection
    };
    let chunk = format!("{:x}\r\n{}\r\n", 30_000, " ".repeat(30_000));
    let body = format!("{{\"Name\":\"{}\"}}", "x".repeat(20_000));
    let (known, mut grows) = wait::until("the bodies have no more room", || {
        // One says how long it will be, another grows.
        let known = begin("Content-Length: 60000");
        let mut grows = begin("Transfer-Encoding: chunked");
        grows.write_all(chunk.as_bytes()).unwrap();
        pause(Duration::from_millis(200));
        let answer = http::request(greedy, "POST", "/v1.41/volumes/create", &body);
        (answer.status == 429).then(|| {
            is_over(&answer, "100000 bytes");
            (known, grows)
        })
    });
    grows.write_all(chunk.as_bytes()).unwrap();
    let answer = http::read_answer(&mut BufReader::new(grows), false).unwrap();
    is_over(&answer, "100000 bytes");
    assert_eq!(list(greedy).status, 200);
    let small = format!("{{\"Name\":\"{}\"}}", "x".repeat(200));
    let other = http::request(modest, "POST", "/v1.41/volumes/create", &small);
    assert_eq!(other.status, 200);
    is_recorded(&gate, "too-many-judged-bytes");
    drop(known);
    wait::until("there is room again", || {
        let answer = http::request(greedy, "POST", "/v1.41/volumes/create", &body);
        (answer.status != 429).then_some(())
    });
}

#[test]
fn a_body_that_never_fits_is_too_large() {
    let daemon = FakeDaemon::start();
    let gate = gate(&daemon, "judged-bytes = 65536");
    let body = format!("{{\"Name\":\"{}\"}}", "x".repeat(70_000));
    let answer = http::request(gate.listener(0), "POST", "/v1.41/volumes/create", &body);
    assert_eq!(answer.status, 413, "{}", answer.text());
    assert!(
        answer.message().contains("65536 bytes"),
        "{}",
        answer.text()
    );
}
