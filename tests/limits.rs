//! Slow, silent, greedy and many clients cost what they may cost, and nobody else anything.

use std::io::{BufReader, Read as _, Write as _};
use std::time::{Duration, Instant};

use super::support::address::{Address, Connection};
use super::support::certificates::Authority;
use super::support::fake_daemon::FakeDaemon;
use super::support::gate::{Gate, Setup};
use super::support::http;
use super::support::wait::{self, DEADLINE, pause};

const LIST: &str = "GET /v1.41/images/json HTTP/1.1\r\nHost: docker\r\n\r\n";

fn gate(daemon: &FakeDaemon, limits: &str) -> Gate {
    Setup::before(&daemon.address())
        .listen("guarded")
        .plus(&format!("[limits]\n{limits}"))
        .start()
}

fn is_served(gate: &Gate) {
    assert_eq!(
        http::request(gate.address(), "GET", "/v1.41/images/json", "").status,
        200
    );
}

/// Waits until the peer has closed, and gives what it sent before.
fn rest(mut connection: Connection) -> String {
    connection.read_deadline(Duration::from_secs(20)).unwrap();
    let mut bytes = Vec::new();
    match connection.read_to_end(&mut bytes) {
        Err(problem) if problem.kind() == std::io::ErrorKind::WouldBlock => {
            panic!("the connection stays open")
        }
        Ok(_) | Err(_) => String::from_utf8_lossy(&bytes).into_owned(),
    }
}

#[test]
fn a_silent_client_is_cut_off() {
    let daemon = FakeDaemon::start();
    let gate = gate(&daemon, "head-seconds = 1");
    let silent = gate.address().connect().unwrap();
    let mut begun = gate.address().connect().unwrap();
    begun.write_all(b"GET /v1.41/im").unwrap();
    is_served(&gate);
    for connection in [silent, begun] {
        let answer = rest(connection);
        assert!(
            answer.is_empty() || answer.starts_with("HTTP/1.1 4"),
            "{answer}"
        );
    }
    is_served(&gate);
}

#[test]
fn a_connection_without_a_next_request_is_closed() {
    let daemon = FakeDaemon::start();
    let gate = gate(&daemon, "idle-seconds = 1");
    let begun = Instant::now();
    assert_eq!(rest(kept_open(gate.address())), "");
    assert!(
        begun.elapsed() >= Duration::from_millis(900),
        "after {:?}",
        begun.elapsed()
    );
    is_served(&gate);
}

#[test]
fn a_daemon_that_takes_no_connection_is_not_waited_for() {
    // It listens and accepts nobody: one connection waits, the next would wait for ever.
    let socket = socket2::Socket::new(socket2::Domain::UNIX, socket2::Type::STREAM, None).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("docker.sock");
    socket
        .bind(&socket2::SockAddr::unix(&path).unwrap())
        .unwrap();
    socket.listen(0).unwrap();
    let _waits = std::os::unix::net::UnixStream::connect(&path).unwrap();
    let setup = Setup::before(&Address::Unix(path)).listen("guarded");
    let gate = setup.plus("[limits]\nconnect-seconds = 1").start();
    let begun = Instant::now();
    let answer = http::request(gate.address(), "GET", "/v1.41/images/json", "");
    assert_eq!(answer.status, 503, "{}", answer.text());
    assert!(
        begun.elapsed() < Duration::from_secs(8),
        "after {:?}",
        begun.elapsed()
    );
}

#[test]
fn a_head_that_comes_byte_by_byte_is_cut_off() {
    let daemon = FakeDaemon::start();
    let gate = gate(&daemon, "head-seconds = 1");
    let mut slow = gate.address().connect().unwrap();
    let begun = Instant::now();
    let cut = LIST.bytes().cycle().find(|byte| {
        pause(Duration::from_millis(100));
        // A whole head would be a request; this one never ends.
        let byte = if *byte == b'\r' || *byte == b'\n' {
            b'x'
        } else {
            *byte
        };
        slow.write_all(&[byte]).is_err() || begun.elapsed() > Duration::from_secs(15)
    });
    assert!(
        cut.is_some() && begun.elapsed() < Duration::from_secs(15),
        "after {:?}",
        begun.elapsed()
    );
    assert_eq!(daemon.take().len(), 0);
    is_served(&gate);
}

#[test]
fn a_judged_body_that_comes_byte_by_byte_is_cut_off() {
    let daemon = FakeDaemon::start();
    let gate = gate(&daemon, "body-seconds = 1");
    let mut slow = gate.address().connect().unwrap();
    slow.write_all(
        b"POST /v1.41/volumes/create HTTP/1.1\r\nHost: d\r\nContent-Length: 1000\r\n\r\n{",
    )
    .unwrap();
    let begun = Instant::now();
    while slow.write_all(b" ").is_ok() {
        assert!(
            begun.elapsed() < Duration::from_secs(15),
            "it may take as long as it likes"
        );
        pause(Duration::from_millis(100));
    }
    assert_eq!(daemon.take().len(), 0);
    is_served(&gate);
}

#[test]
fn a_handshake_that_does_not_come_is_cut_off() {
    let daemon = FakeDaemon::start();
    let authority = Authority::shared();
    let setup = Setup::before(&daemon.address())
        .listen("open")
        .listen_tls(Some("open"), authority);
    let gate = setup.plus("[limits]\nhandshake-seconds = 1").start();
    let plain = Address::Tcp(gate.listener(1).to_string().replace("tcp://", ""));
    let mut silent = plain.connect().unwrap();
    silent.write_all(b"\x16\x03").unwrap();
    rest(silent);
    let client = gate
        .listener(1)
        .clone()
        .with_client_certificate(&authority.client("developer"));
    assert_eq!(
        http::request(&client, "GET", "/v1.41/images/json", "").status,
        200
    );
}

#[test]
fn a_judged_body_over_the_limit_is_refused_and_not_forwarded() {
    let daemon = FakeDaemon::start();
    for (limits, size) in [
        ("", 4 * 1024 * 1024 + 1),
        ("judged-body-bytes = 65536", 65537),
    ] {
        let gate = gate(&daemon, limits);
        let body = format!("{{\"Name\":\"{}\"}}", "x".repeat(size - 11));
        assert_eq!(body.len(), size);
        let answer = http::request(gate.address(), "POST", "/v1.41/volumes/create", &body);
        assert!(
            matches!(answer.status, 400 | 413),
            "{} {}",
            answer.status,
            answer.text()
        );
        assert!(!answer.message().is_empty());
        let chunked = format!(
            "POST /v1.41/volumes/create HTTP/1.1\r\nHost: d\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n\
             {size:x}\r\n{body}\r\n0\r\n\r\n"
        );
        let answer = http::send(gate.address(), chunked.as_bytes()).unwrap();
        assert!(
            matches!(answer.status, 400 | 413),
            "{} {}",
            answer.status,
            answer.text()
        );
        assert_eq!(daemon.take().len(), 0);
        let body = format!("{{\"Name\":\"{}\"}}", "x".repeat(200));
        assert_eq!(
            http::request(gate.address(), "POST", "/v1.41/volumes/create", &body).status,
            200
        );
        assert_eq!(daemon.take().len(), 1);
    }
}

#[test]
fn a_streamed_body_has_no_limit_of_size() {
    let daemon = FakeDaemon::start();
    let gate = gate(&daemon, "judged-body-bytes = 65536");
    let body = "x".repeat(8 * 1024 * 1024);
    let answer = http::request(gate.address(), "POST", "/v1.41/images/load", &body);
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(daemon.take()[0].body.len(), body.len());
}

#[test]
fn a_head_over_the_limit_is_refused() {
    let daemon = FakeDaemon::start();
    let gate = gate(&daemon, "head-bytes = 16384\nheaders = 32");
    let long = format!(
        "GET /v1.41/images/json?x={} HTTP/1.1\r\nHost: d\r\n\r\n",
        "y".repeat(20_000)
    );
    let many = format!(
        "GET /v1.41/images/json HTTP/1.1\r\n{}\r\n",
        "X: y\r\n".repeat(33)
    );
    for head in [long, many] {
        let answer = http::send(gate.address(), head.as_bytes());
        assert!(
            answer
                .as_ref()
                .map_or(true, |answer| (400..500).contains(&answer.status)),
            "{answer:?}"
        );
    }
    assert_eq!(daemon.take().len(), 0);
    is_served(&gate);
}

#[test]
fn more_connections_than_the_limit_are_not_served_until_one_ends() {
    let daemon = FakeDaemon::start();
    let gate = gate(&daemon, "connections = 3");
    let held: Vec<Connection> = (0..3).map(|_| kept_open(gate.address())).collect();
    // Refused, cut, or not yet accepted: in no case is it served now.
    assert!(!served_within(gate.address(), Duration::from_secs(1)));
    drop(held);
    wait::until("a place is free again", || {
        served_within(gate.address(), Duration::from_secs(1)).then_some(())
    });
}

#[test]
fn one_client_does_not_take_every_connection() {
    let daemon = FakeDaemon::start();
    let folder = tempfile::tempdir().unwrap();
    let other = Authority::new(&folder.path().join("certs"));
    for arguments in [
        &["server", "gate", "--san", "IP:127.0.0.1"][..],
        &["client", "greedy"],
        &["client", "modest"],
    ] {
        other.certs(arguments);
    }
    let setup = Setup::before(&daemon.address()).listen_tls(Some("open"), &other);
    let gate = setup
        .plus("[limits]\nconnections = 100\nconnections-per-client = 2")
        .start();
    let at = |client: &str| {
        gate.address()
            .clone()
            .with_client_certificate(&other.client(client))
    };
    let held = [kept_open(&at("greedy")), kept_open(&at("greedy"))];
    assert!(!served_within(&at("greedy"), Duration::from_secs(1)));
    assert!(served_within(&at("modest"), DEADLINE));
    drop(held);
    wait::until("a place is free again", || {
        served_within(&at("greedy"), Duration::from_secs(1)).then_some(())
    });
}

/// A connection that has been served once and stays open.
fn kept_open(address: &Address) -> Connection {
    let mut connection = address.connect().unwrap();
    connection.write_all(LIST.as_bytes()).unwrap();
    let mut got = Vec::new();
    while !got.ends_with(b"[]") {
        let mut byte = [0];
        connection.read_exact(&mut byte).unwrap();
        got.push(byte[0]);
    }
    connection
}

fn served_within(address: &Address, deadline: Duration) -> bool {
    let Ok(mut connection) = address.connect() else {
        return false;
    };
    connection.read_deadline(deadline).unwrap();
    let _ = connection.write_all(LIST.as_bytes());
    http::read_answer(&mut BufReader::new(connection), false)
        .is_ok_and(|answer| answer.status == 200)
}
