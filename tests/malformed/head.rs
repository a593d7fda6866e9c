//! Heads that can be read in two ways, and what follows a head on its connection.

use super::super::support::fake_daemon::FakeDaemon;
use super::super::support::gate::Setup;
use super::super::support::http;
use super::Expect::{Forwarded, Refused, Safe};
use super::{HIDDEN, LIST, check};

#[test]
fn refuses_heads_that_have_two_readings() {
    let get =
        |lines: &str| format!("{LIST} HTTP/1.1\r\nHost: docker\r\n{lines}\r\n\r\n").into_bytes();
    let folded = "X: y\r\n z";
    let mut cases = vec![
        (
            "a line end of LF alone",
            format!("{LIST} HTTP/1.1\nHost: docker\n\n").into_bytes(),
            Refused,
        ),
        ("one line end of LF alone", get("X: y\nZ: z"), Refused),
        (
            "an end of LF alone",
            format!("{LIST} HTTP/1.1\r\nHost: docker\r\n\n").into_bytes(),
            Refused,
        ),
        (
            "line ends of CR alone",
            format!("{LIST} HTTP/1.1\rHost: docker\r\r").into_bytes(),
            Refused,
        ),
        ("a CR alone", get("X: y\rZ: z"), Refused),
        ("a folded line", get(folded), Refused),
        ("a line folded by a tab", get("X: y\r\n\tz"), Refused),
        ("a first line that is folded", get(" X: y"), Refused),
        ("a NUL in a value", get("X: y\0z"), Refused),
        ("a NUL in a name", get("X\0: y"), Refused),
        ("a line without a colon", get("nothing"), Refused),
        ("a line without a name", get(": y"), Refused),
        ("a name with a space", get("X Y: z"), Refused),
        ("a name with a bracket", get("X(Y): z"), Refused),
        ("two hosts", get("Host: other"), Safe(LIST, "")),
        (
            "no host",
            format!("{LIST} HTTP/1.1\r\n\r\n").into_bytes(),
            Safe(LIST, ""),
        ),
        (
            "an empty host",
            format!("{LIST} HTTP/1.1\r\nHost: \r\n\r\n").into_bytes(),
            Forwarded(LIST, ""),
        ),
        (
            "an unknown expectation",
            get("Expect: a miracle"),
            Safe(LIST, ""),
        ),
        (
            "an empty line before",
            format!("\r\n{LIST} HTTP/1.1\r\nHost: d\r\n\r\n").into_bytes(),
            Safe(LIST, ""),
        ),
        ("right", get("X: y"), Forwarded(LIST, "")),
    ];
    let long = format!("X: {}", "y".repeat(3 * 1024 * 1024 / 2));
    cases.push(("a head of 1.5 MiB", get(&long), Refused));
    let many = "X: y\r\n".repeat(20_000);
    cases.push(("20,000 headers", get(many.trim_end()), Refused));
    check("open", &cases);
}

#[test]
fn forwards_no_header_that_belongs_to_one_connection() {
    let daemon = FakeDaemon::start();
    let gate = Setup::before(&daemon.address()).listen("open").start();
    let lines = "Connection: close, X-Secret\r\nX-Secret: 1\r\nKeep-Alive: timeout=5\r\nTE: trailers\r\n\
                 Proxy-Connection: keep-alive\r\nProxy-Authorization: Basic eA==\r\nUpgrade: tcp\r\nTrailer: X\r\n\
                 X-Forwarded-For: 1.2.3.4\r\nForwarded: for=1.2.3.4\r\nX-Real-IP: 1.2.3.4\r\n\
                 X-Remote-User: root\r\nX-Forwarded-Client-Cert: a\r\nAuthorization: Basic eA==\r\nX-Unknown: 1";
    let request = format!("{LIST} HTTP/1.1\r\nHost: docker\r\n{lines}\r\n\r\n");
    assert_eq!(
        http::send(gate.address(), request.as_bytes())
            .unwrap()
            .status,
        200
    );
    let [seen] = daemon.take().try_into().unwrap();
    for name in [
        "x-secret",
        "keep-alive",
        "te",
        "proxy-connection",
        "proxy-authorization",
        "upgrade",
        "trailer",
        "x-forwarded-for",
        "forwarded",
        "x-real-ip",
        "x-remote-user",
        "x-forwarded-client-cert",
        "authorization",
        "x-unknown",
    ] {
        assert_eq!(seen.header(name), None, "{seen:?}");
    }
}

#[test]
fn credentials_that_cannot_go_on_are_refused_and_nothing_is_asked_for_without_them() {
    let daemon = FakeDaemon::start();
    for policy in ["guarded", "open"] {
        let gate = Setup::before(&daemon.address()).listen(policy).start();
        daemon.take();
        for (line, name, value) in [
            (
                "POST /v1.41/images/create?fromImage=a",
                "X-Registry-Auth",
                "x".repeat(64 * 1024 + 1),
            ),
            (
                "POST /v1.41/images/create?fromImage=a",
                "X-Registry-Auth",
                "a\tb".to_owned(),
            ),
            (
                "POST /v1.41/build",
                "X-Registry-Config",
                "x".repeat(64 * 1024 + 1),
            ),
        ] {
            let request = format!("{line} HTTP/1.1\r\nHost: docker\r\n{name}: {value}\r\n\r\n");
            let answer = http::send(gate.address(), request.as_bytes()).unwrap();
            assert_eq!(answer.status, 400, "{policy} {line}");
            let message = answer.message();
            assert!(
                message.contains(&format!("the header `{name}`")),
                "{message}"
            );
            let asked = daemon.take();
            let asked = asked.iter().filter(|seen| seen.method == "POST");
            assert_eq!(asked.count(), 0, "{policy} {line}");
        }
    }
}

#[test]
fn judges_each_request_on_a_connection_by_itself() {
    let length = HIDDEN.len();
    let upgrade = "Connection: Upgrade\r\nUpgrade: tcp";
    let get = |lines: &str| {
        format!("{LIST} HTTP/1.1\r\nHost: docker\r\n{lines}\r\n\r\n{HIDDEN}").into_bytes()
    };
    let attach = |lines: &str| {
        let head =
            "POST /v1.41/containers/kept/attach?stream=1&stdin=1 HTTP/1.1\r\nHost: docker\r\n";
        format!("{head}{lines}\r\n\r\n{HIDDEN}").into_bytes()
    };
    let cases = vec![
        ("behind a read", get("X: y"), Forwarded(LIST, "")),
        (
            "as the body of a read",
            get(&format!("Content-Length: {length}")),
            Safe(LIST, ""),
        ),
        (
            "behind a read that asks for an upgrade",
            get(upgrade),
            Safe(LIST, ""),
        ),
        (
            "behind a read that asks for HTTP/2",
            get(
                "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA",
            ),
            Safe(LIST, ""),
        ),
        (
            "behind a read that asks for a websocket",
            get(
                "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
            ),
            Safe(LIST, ""),
        ),
        (
            "behind a refused attach",
            attach(&format!("{upgrade}\r\nContent-Length: 0")),
            Refused,
        ),
        (
            "behind a refused attach without a length",
            attach(upgrade),
            Refused,
        ),
        (
            "behind a refused attach without an upgrade",
            attach("Content-Length: 0"),
            Refused,
        ),
        (
            "as the body of a refused attach",
            attach(&format!("{upgrade}\r\nContent-Length: {length}")),
            Refused,
        ),
    ];
    check("read-only", &cases);
}
