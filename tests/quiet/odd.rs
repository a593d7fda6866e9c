//! Answers that cannot be shown: nothing of them gets through, and what has begun ends cut.

use std::io::{BufReader, Read as _, Write as _};

use super::super::support::fake_daemon::{FakeDaemon, Seen, answer_empty, plain};
use super::super::support::gate::{Gate, Setup};
use super::super::support::http;

const HIDES: &str = "description = \"Sees little.\"\n[[permit]]\noperations = [\"*:read\", \"*:stream\"]\n\
                     [quiet]\nenvironment = true\nlabels = [\"*\"]\n";

/// A gate before a daemon that answers these bytes and closes.
fn before(bytes: Vec<u8>) -> (FakeDaemon, Gate) {
    let daemon = FakeDaemon::answering(move |request: &Seen, stream| {
        if request.target.contains("odd") || request.target.contains("containers/json") {
            stream.write_all(&bytes).unwrap();
            stream.shutdown(std::net::Shutdown::Both).unwrap();
        } else {
            answer_empty(request, stream);
        }
    });
    let setup = Setup::before(&daemon.address()).file("policy.toml", HIDES);
    let gate = setup.listen("policy.toml").start();
    (daemon, gate)
}

fn head(more: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\n{more}\r\n")
}

#[test]
fn an_object_that_cannot_be_read_whole_is_not_shown() {
    let json = "Content-Type: application/json\r\n";
    let long = format!(r#"{{"a":"{}","Env":["A=MARK"]}}"#, "x".repeat(33 << 20));
    for answer in [
        // Of another kind, packed, or said to be.
        format!(
            "{}{}",
            head("Content-Type: text/plain\r\nContent-Length: 6\r\n"),
            "\"MARK\""
        ),
        format!("{}{}", head("Content-Length: 6\r\n"), "\"MARK\""),
        format!(
            "{}{}",
            head(&format!(
                "{json}Content-Encoding: gzip\r\nContent-Length: 6\r\n"
            )),
            "\"MARK\""
        ),
        // Broken, cut, or with two readings.
        format!(
            "{}{}",
            head(&format!("{json}Content-Length: 5\r\n")),
            "{MARK"
        ),
        format!(
            "{}{}",
            head(&format!("{json}Content-Length: 90\r\n")),
            r#"{"Config":{"Env":["A=MARK"]}}"#
        ),
        format!("{}{}", head(json), r#"{"Config":{"Env":["A=MARK"#),
        format!(
            "{}{}",
            head(json),
            r#"{"Config":{"Env":["A=MARK"],"Env":["A=MARK"]}}"#
        ),
        format!("{}{}MARK", head(json), "[".repeat(100)),
        // Too long.
        format!(
            "{}{long}",
            head(&format!("{json}Content-Length: {}\r\n", long.len()))
        ),
    ] {
        let shortened: String = answer.chars().take(200).collect();
        let (_daemon, gate) = before(answer.into_bytes());
        let shown = http::request(gate.address(), "GET", "/v1.41/containers/odd/json", "");
        assert_eq!(shown.status, 502, "{shortened}");
        assert!(
            !shown.text().contains("MARK"),
            "{shortened}: {}",
            shown.text()
        );
        assert!(!gate.output().contains("MARK"), "{}", gate.output());
    }
}

#[test]
fn an_object_is_shown_however_it_is_framed() {
    let body = r#"{"Config":{"Env":["A=MARK"]}}"#;
    let chunked = format!(
        "5\r\n{}\r\n{:x};e=f\r\n{}\r\n0\r\nETag: MARK\r\n\r\n",
        &body[..5],
        body.len() - 5,
        &body[5..]
    );
    let json = "Content-Type: application/json; charset=utf-8\r\nETag: \"MARK\"\r\n";
    for answer in [
        format!(
            "{}{body}",
            head(&format!("{json}Content-Length: {}\r\n", body.len()))
        ),
        format!(
            "{}{chunked}",
            head(&format!("{json}Transfer-Encoding: chunked\r\n"))
        ),
        format!("{}{body}", head(json)),
    ] {
        let (_daemon, gate) = before(answer.clone().into_bytes());
        let shown = http::request(gate.address(), "GET", "/v1.41/containers/odd/json", "");
        assert_eq!(shown.status, 200, "{answer}");
        assert_eq!(
            shown.text().trim_end(),
            body.replace("MARK", "<hidden by dockgate>")
        );
        assert!(
            !format!("{:?}", shown.headers).contains("MARK"),
            "{:?}",
            shown.headers
        );
    }
}

#[test]
fn numbers_of_every_length_pass_an_object_and_a_list() {
    let item = r#"{"SizeRw":18446744073709551616,"New":[0.1000000000000000055,1.50,-0,1E+2,1e-400],"Labels":{"a":"MARK"},"Config":{"Env":["A=MARK"]}}"#;
    let list = format!("[{item},{item}]");
    for (path, body) in [("odd/json", item), ("json", &list)] {
        let length = format!(
            "Content-Type: application/json\r\nContent-Length: {}\r\n",
            body.len()
        );
        let (_daemon, gate) = before(format!("{}{body}", head(&length)).into_bytes());
        let shown = http::request(
            gate.address(),
            "GET",
            &format!("/v1.41/containers/{path}"),
            "",
        );
        assert_eq!(shown.status, 200, "{path}");
        let text = shown.text();
        let text = text.trim_end().replace("<hidden by dockgate>", "MARK");
        assert_eq!(text, *body, "{path}");
        assert_ne!(shown.text().trim_end(), body, "{path}");
    }
}

#[test]
fn a_refusal_of_the_daemon_passes_as_it_is() {
    let answer = plain(404, r#"{"message":"No such container: odd"}"#);
    let (_daemon, gate) = before(answer);
    let shown = http::request(gate.address(), "GET", "/v1.41/containers/odd/json", "");
    assert_eq!(
        (shown.status, shown.text().as_str()),
        (404, r#"{"message":"No such container: odd"}"#)
    );
}

/// The body as far as it came, and whether it ended properly.
fn list(gate: &Gate) -> (u16, String, bool) {
    let mut connection = gate.address().connect().unwrap();
    connection
        .write_all(b"GET /v1.41/containers/json HTTP/1.1\r\nHost: d\r\nConnection: close\r\n\r\n")
        .unwrap();
    let mut reader = BufReader::new(connection);
    let (status, _) = http::read_head(&mut reader).unwrap();
    let mut rest = Vec::new();
    // A connection that is dropped may be reset.
    let _ = reader.read_to_end(&mut rest);
    let rest = String::from_utf8_lossy(&rest).into_owned();
    let is_whole = rest.ends_with("\r\n0\r\n\r\n");
    (status, rest, is_whole)
}

#[test]
fn a_list_that_breaks_on_the_way_ends_cut_and_nothing_of_it_leaks() {
    let json = head("Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n");
    let first = r#"[{"Id":"1","Labels":{"a":"MARK"}}"#;
    let long = format!("{first},{{\"Labels\":\"{}MARK\"}}]", "x".repeat(33 << 20));
    for body in [
        format!(r#"{first},{{"Id":"2","Labels":{{"a":"MARK"#),
        format!(r#"{first},{{"Id":"2","Labels":MARK}}]"#),
        format!(r#"{first},{{"a":1,"a":"MARK"}}]"#),
        format!(r#"{first} {{"a":"MARK"}}]"#),
        format!(r#"{first}]"MARK""#),
        first.to_owned(),
        r#"{"Id":"1","Labels":{"a":"MARK"}}"#.to_owned(),
        "MARK".to_owned(),
        long,
    ] {
        let answer = format!("{json}{:x}\r\n{body}\r\n0\r\n\r\n", body.len());
        let shortened: String = body.chars().take(100).collect();
        let (_daemon, gate) = before(answer.into_bytes());
        let (status, shown, is_whole) = list(&gate);
        assert_eq!(status, 200);
        assert!(!is_whole, "{shortened}: {shown}");
        assert!(!shown.contains("MARK"), "{shortened}: {shown}");
        gate.says("an answer of the daemon cannot be shown", 0);
        assert!(!gate.output().contains("MARK"), "{}", gate.output());
    }
    // The daemon ends before the body does.
    let (_daemon, gate) = before(format!("{json}{:x}\r\n{first}", first.len() + 9).into_bytes());
    let (_, shown, is_whole) = list(&gate);
    assert!(!is_whole && !shown.contains("MARK"), "{shown}");
}

#[test]
fn an_empty_list_and_none_at_all_are_shown() {
    for (body, shown) in [("[]\n", "[]\n"), ("null\n", "null\n"), (" [ ] ", "[]\n")] {
        let (_daemon, gate) = before(plain(200, body));
        let answer = http::request(gate.address(), "GET", "/v1.41/containers/json", "");
        assert_eq!(answer.text(), shown);
    }
}
