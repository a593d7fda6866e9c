//! What is under way when its client is no longer permitted it.

use std::io::{BufReader, Read as _, Write as _};
use std::os::unix::net::UnixStream;

use crate::support::address::Connection;
use crate::support::fake_daemon::{FakeDaemon, Seen, answer_empty};
use crate::support::gate::{Gate, Setup};
use crate::support::http;
use crate::support::wait;

use super::{PINGS, RELOADED};

const ALL: &str = "description = 'x'\n[[permit]]\noperations = ['System:*', 'Container:*']\n[container]\nimages = ['*']\nnetworks = ['*']\n";

/// Attaches and echoes; events begin and do not end.
fn daemon() -> FakeDaemon {
    FakeDaemon::answering(|request: &Seen, stream: &mut UnixStream| {
        if request.target.contains("/attach") {
            let _ = stream
                .write_all(b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n");
            let mut echo = stream.try_clone().unwrap();
            let mut byte = [0];
            while matches!(echo.read(&mut byte), Ok(1)) && stream.write_all(&byte).is_ok() {}
        } else if request.target.contains("/events") {
            let _ = stream
                .write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n{}\n\r\n");
        } else if TRANSFERS.iter().any(|(line, _)| is_asked(request, line)) {
            let _ = stream
                .write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nbegun\r\n");
        } else {
            answer_empty(request, stream);
        }
    })
}

/// What takes as long as the daemon likes, with the operation that it is.
const TRANSFERS: [(&str, &str); 8] = [
    ("POST /v1.41/build?networkmode=none", "ImageBuild"),
    ("POST /v1.41/images/create?fromImage=a&tag=b", "ImageCreate"),
    ("POST /v1.41/images/a/push", "ImagePush"),
    ("POST /v1.41/images/load", "ImageLoad"),
    ("GET /v1.41/images/a/get", "ImageGet"),
    ("GET /v1.41/containers/a/export", "ContainerExport"),
    (
        "GET /v1.41/containers/a/archive?path=/tmp",
        "ContainerArchive",
    ),
    (
        "PUT /v1.41/containers/a/archive?path=/tmp",
        "PutContainerArchive",
    ),
];

/// By its last word: names go on as ids.
fn is_asked(request: &Seen, line: &str) -> bool {
    let (method, target) = line.split_once(' ').unwrap();
    let last = |target: &str| {
        let path = target.split('?').next().unwrap();
        path.rsplit('/').next().unwrap().to_owned()
    };
    request.method == method && last(&request.target) == last(target)
}

fn gate(daemon: &FakeDaemon, more: &str) -> Gate {
    Setup::before(&daemon.address())
        .file("policy.toml", ALL)
        .listen("policy.toml")
        .listen("open")
        .plus(more)
        .start()
}

fn begin(gate: &Gate, listener: usize, line: &str) -> BufReader<Connection> {
    let mut connection = gate.listener(listener).connect().unwrap();
    let head = format!("{line} HTTP/1.1\r\nHost: d\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n");
    connection.write_all(head.as_bytes()).unwrap();
    let mut reader = BufReader::new(connection);
    let (status, _) = http::read_head(&mut reader).unwrap();
    assert!(matches!(status, 101 | 200), "{status}");
    reader
}

fn attach(gate: &Gate, listener: usize) -> BufReader<Connection> {
    begin(gate, listener, "POST /v1.41/containers/a/attach?stream=1")
}

fn is_alive(tunnel: &mut BufReader<Connection>) -> bool {
    let mut byte = [0];
    tunnel.get_mut().write_all(b"x").is_ok() && matches!(tunnel.read(&mut byte), Ok(1))
}

#[test]
fn a_tunnel_and_a_stream_end_with_the_permission_and_those_of_others_go_on() {
    let daemon = daemon();
    let gate = gate(&daemon, "");
    let (mut own, mut other) = (attach(&gate, 0), attach(&gate, 1));
    let mut events = begin(&gate, 0, "GET /v1.41/events");
    assert!(is_alive(&mut own) && is_alive(&mut other));

    // A change that leaves them permitted leaves them alone.
    gate.replace("policy.toml", &format!("{ALL}# again\n"));
    gate.says(RELOADED, 0);
    assert!(is_alive(&mut own) && is_alive(&mut other));

    gate.replace("policy.toml", PINGS);
    gate.says(RELOADED, 1);
    let mut rest = Vec::new();
    let _ = events.read_to_end(&mut rest);
    assert!(
        !rest.ends_with(b"0\r\n\r\n"),
        "a stream that is cut looks cut"
    );
    wait::until("the tunnel ends", || (!is_alive(&mut own)).then_some(()));
    assert!(is_alive(&mut other));
    let ended = |operation: &str| {
        gate.audit()
            .into_iter()
            .find(|one| one["event"] == "end" && one["operation"] == operation)
    };
    for operation in ["ContainerAttach", "SystemEvents"] {
        let end = wait::until("the end is recorded", || ended(operation));
        assert_eq!(end["outcome"], "withdrawn");
    }
}

#[test]
fn transfers_of_a_client_that_may_not_any_more_end_and_those_of_others_go_on() {
    let daemon = daemon();
    let images = "[image]\nreferences = ['*']\n";
    let all = ALL.replace("'Container:*'", "'Container:*', 'Image:*'") + images;
    let gate = Setup::before(&daemon.address())
        .file("policy.toml", &all)
        .listen("policy.toml")
        .listen("open")
        .start();
    let begun = |listener: usize| {
        let all = TRANSFERS.map(|(line, _)| {
            let mut connection = gate.listener(listener).connect().unwrap();
            let head = format!("{line} HTTP/1.1\r\nHost: d\r\nContent-Type: application/x-tar\r\nContent-Length: 0\r\n\r\n");
            connection.write_all(head.as_bytes()).unwrap();
            let mut reader = BufReader::new(connection);
            let (status, _) = http::read_head(&mut reader).unwrap();
            let mut first = [0; 10];
            assert_eq!(status, 200, "{line}");
            reader.read_exact(&mut first).unwrap();
            reader
        });
        all.into_iter().collect::<Vec<_>>()
    };
    let (own, others) = (begun(0), begun(1));
    gate.replace("policy.toml", PINGS);
    gate.says(RELOADED, 0);
    for mut transfer in own {
        let mut rest = Vec::new();
        let _ = transfer.read_to_end(&mut rest);
        assert!(!rest.ends_with(b"0\r\n\r\n"), "what is cut looks cut");
    }
    for (_, operation) in TRANSFERS {
        let end = wait::until("the end is recorded", || {
            gate.audit()
                .into_iter()
                .find(|one| one["event"] == "end" && one["operation"] == operation)
        });
        assert_eq!(end["outcome"], "withdrawn", "{operation}");
    }
    for other in others {
        let connection = other.into_inner();
        connection
            .read_deadline(std::time::Duration::from_millis(20))
            .unwrap();
        let kind = { connection }.read(&mut [0]).unwrap_err().kind();
        assert_eq!(kind, std::io::ErrorKind::WouldBlock);
    }
}

#[test]
fn a_tunnel_goes_on_where_the_configuration_says_so() {
    let daemon = daemon();
    let gate = gate(&daemon, "[reload]\nend-tunnels = false");
    let mut tunnel = attach(&gate, 0);
    gate.replace("policy.toml", PINGS);
    gate.says(RELOADED, 0);
    assert!(is_alive(&mut tunnel));
    assert!(is_alive(&mut tunnel));
}
