//! The forms of HTTP that real clients speak, whole in their bytes, get the answers that the daemon gives.

use std::io::{BufReader, Read as _, Write as _};
use std::time::Duration;

use super::support::address::Connection;
use super::support::http::{self, Answer};
use super::support::process::noise;
use super::support::site::{Site, direct};

/// A connection with its reader, to say and read one thing after another.
struct Talk {
    reader: BufReader<Connection>,
}

impl Talk {
    fn with(site: &Site) -> Self {
        let connection = site.docker.address().connect().unwrap();
        Self {
            reader: BufReader::new(connection),
        }
    }

    fn say(&mut self, bytes: impl AsRef<[u8]>) {
        self.reader.get_mut().write_all(bytes.as_ref()).unwrap();
    }

    fn answer(&mut self) -> Answer {
        http::read_answer(&mut self.reader, false).unwrap()
    }

    fn head(&mut self) -> (u16, Vec<(String, String)>) {
        http::read_head(&mut self.reader).unwrap()
    }

    fn bytes(&mut self, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        self.reader.read_exact(&mut bytes).unwrap();
        bytes
    }

    fn rest(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.reader.read_to_end(&mut bytes).unwrap();
        bytes
    }

    fn half_close(&mut self) {
        self.reader.get_mut().half_close().unwrap();
    }
}

/// What a program in a container has written, as one frame of its standard output.
fn frame(text: &str) -> Vec<u8> {
    let length = u32::try_from(text.len()).unwrap().to_be_bytes();
    [&[1, 0, 0, 0], &length[..], text.as_bytes()].concat()
}

fn value<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers
        .iter()
        .find(|(key, _)| key.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.as_str())
}

#[test]
fn a_ping_tells_what_clients_negotiate_from() {
    let site = Site::guarded();
    for method in ["GET", "HEAD"] {
        let request = format!("{method} /_ping HTTP/1.1\r\nHost: d\r\nConnection: close\r\n\r\n");
        let answer = http::send(site.docker.address(), request.as_bytes()).unwrap();
        assert_eq!(answer.status, 200);
        for name in ["Api-Version", "Ostype", "Docker-Experimental"] {
            let told = answer.header(name);
            assert!(told.is_some(), "{method} without {name}: {answer:?}");
        }
        assert_eq!(answer.text(), if method == "GET" { "OK" } else { "" });
    }
}

#[test]
fn a_version_that_the_daemon_does_not_speak_is_refused_in_its_own_words() {
    let site = Site::guarded();
    let answer = http::request(site.docker.address(), "GET", "/v1.50/containers/json", "");
    assert_eq!(answer.status, 400);
    assert!(answer.message().contains("too new"), "{}", answer.text());
}

#[test]
fn a_request_without_a_body_needs_no_length() {
    let site = Site::guarded();
    let name = site.name("started");
    site.docker
        .ok(format!("create --name {name} busybox sleep 600"));
    let mut talk = Talk::with(&site);
    // In lower case, with a JSON type on everything and the socket's path as the host.
    talk.say(format!("POST /containers/{name}/start HTTP/1.1\r\nhost: 2f746d70\r\ncontent-type: application/json\r\n\r\n"));
    assert_eq!(talk.answer().status, 204);
    talk.say(format!("POST /containers/{name}/kill HTTP/1.1\r\nHost: \r\nContent-Type: text/plain\r\nContent-Length: 0\r\n\r\n"));
    assert_eq!(talk.answer().status, 204);
    talk.say(format!("DELETE /containers/{name}?force=True&v=1&link=False HTTP/1.1\r\nHost: d\r\nContent-Length: 0\r\n\r\n"));
    assert_eq!(talk.answer().status, 204);
}

#[test]
fn an_upload_waits_for_the_daemons_go_ahead_where_it_asks_for_one() {
    let site = Site::guarded();
    let name = site.name("expects");
    site.docker.ok(format!("create --name {name} busybox"));
    let archive = site.docker.run(format!("cp {name}:/bin -")).stdout;
    let mut talk = Talk::with(&site);
    talk.say(format!(
        "PUT /v1.41/containers/{name}/archive?path=/tmp HTTP/1.1\r\nHost: d\r\nExpect: 100-continue\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        archive.len()
    ));
    talk.reader
        .get_ref()
        .read_deadline(Duration::from_secs(20))
        .unwrap();
    assert_eq!(talk.bytes(25), b"HTTP/1.1 100 Continue\r\n\r\n");
    talk.say(&archive);
    assert_eq!(talk.answer().status, 200);
    let told = site
        .docker
        .run(format!("cp {name}:/tmp/bin/busybox -"))
        .stdout;
    assert!(told.len() > 1_000_000);
}

#[test]
fn http_1_0_is_answered_and_closed() {
    let site = Site::guarded();
    let mut talk = Talk::with(&site);
    talk.say("GET /v1.41/images/json HTTP/1.0\r\n\r\n");
    let answer = talk.answer();
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.header("transfer-encoding"),
        None,
        "HTTP/1.0 knows no chunks"
    );
    assert!(answer.text().contains("busybox"));
    assert_eq!(talk.rest(), b"");
}

#[test]
fn the_head_of_an_archive_tells_about_its_file() {
    let site = Site::guarded();
    let name = site.name("stat");
    site.docker.ok(format!("create --name {name} busybox"));
    let request = format!(
        "HEAD /v1.41/containers/{name}/archive?path=/bin/busybox HTTP/1.1\r\nHost: d\r\nConnection: close\r\n\r\n"
    );
    let answer = http::send(site.docker.address(), request.as_bytes()).unwrap();
    assert_eq!(answer.status, 200);
    assert!(
        answer.header("X-Docker-Container-Path-Stat").is_some(),
        "{answer:?}"
    );
    let request = request.replace("/bin/busybox", "/nowhere");
    assert_eq!(
        http::send(site.docker.address(), request.as_bytes())
            .unwrap()
            .status,
        404
    );
}

#[test]
fn an_attach_with_an_upgrade_is_joined_after_the_daemons_101() {
    let site = Site::guarded();
    let name = site.name("upgraded");
    // It ends with its first client's input. Without `StdinOnce` the daemon drops the output then.
    let body =
        r#"{"Image":"busybox","Cmd":["cat"],"OpenStdin":true,"StdinOnce":true,"AttachStdin":true}"#;
    let create = format!("/v1.41/containers/create?name={name}");
    assert_eq!(
        http::request(site.docker.address(), "POST", &create, body).status,
        201
    );
    let mut talk = Talk::with(&site);
    // What the client says early comes with the head. The daemon itself loses that.
    let (early, late) = if direct() {
        ("", "early\n")
    } else {
        ("early\n", "")
    };
    talk.say(format!(
        "POST /v1.41/containers/{name}/attach?stream=1&stdin=1&stdout=1&stderr=1 HTTP/1.1\r\nHost: \r\n\
         Connection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: 0\r\n\r\n{early}"
    ));
    let (status, headers) = talk.head();
    talk.say(late);
    talk.half_close();
    assert_eq!((status, value(&headers, "upgrade")), (101, Some("tcp")));
    site.docker.ok(format!("start {name}"));
    assert_eq!(talk.rest(), frame("early\n"));
}

#[test]
fn an_attach_without_an_upgrade_gets_a_raw_stream() {
    let site = Site::guarded();
    let name = site.name("raw");
    site.docker
        .ok(format!("create -i --name {name} busybox cat"));
    let body = r#"{"stream":true,"stdin":true,"stdout":true}"#;
    let mut talk = Talk::with(&site);
    talk.say(format!(
        "POST /containers/{name}/attach?stream=true&stdin=true&stdout=true HTTP/1.1\r\nHost: localhost\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\nConnection: keep-alive\r\n\r\n{body}",
        body.len()
    ));
    let (status, headers) = talk.head();
    assert_eq!(
        (status, value(&headers, "content-type")),
        (200, Some("application/vnd.docker.raw-stream"))
    );
    assert_eq!(value(&headers, "content-length"), None);
    assert_eq!(value(&headers, "transfer-encoding"), None);
    site.docker.ok(format!("start {name}"));
    talk.say("stdin on the same connection\n");
    let expected = frame("stdin on the same connection\n");
    assert_eq!(talk.bytes(expected.len()), expected);
    talk.half_close();
    assert_eq!(talk.rest(), b"");
}

#[test]
fn a_hijack_that_fails_gets_an_ordinary_answer() {
    let site = Site::guarded();
    let missing = site.name("missing");
    for target in [
        format!("/containers/{missing}/attach?stream=1"),
        format!("/exec/{missing}/start"),
    ] {
        for upgrade in ["Connection: Upgrade\r\nUpgrade: tcp\r\n", ""] {
            let head = format!("POST {target} HTTP/1.1\r\nHost: d\r\n{upgrade}");
            let json = "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";
            let mut talk = Talk::with(&site);
            talk.say(format!("{head}{json}"));
            let answer = talk.answer();
            assert_eq!(answer.status, 404, "{}", answer.text());
            assert!(answer.text().contains("No such "), "{}", answer.text());
        }
    }
}

#[test]
fn a_detached_exec_is_an_ordinary_exchange() {
    let site = Site::guarded();
    let name = site.name("detached");
    site.docker
        .ok(format!("run -d --name {name} busybox sleep 600"));
    let create = http::request(
        site.docker.address(),
        "POST",
        &format!("/containers/{name}/exec"),
        r#"{"Cmd":["true"]}"#,
    );
    let id = super::support::json(&create.body)["Id"]
        .as_str()
        .unwrap()
        .to_owned();
    let mut talk = Talk::with(&site);
    let body = r#"{"Detach":true}"#;
    talk.say(format!("POST /exec/{id}/start HTTP/1.1\r\nHost: d\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}", body.len()));
    let answer = talk.answer();
    assert_eq!((answer.status, answer.text().as_str()), (200, ""));
    talk.say(format!("GET /exec/{id}/json HTTP/1.1\r\nHost: d\r\n\r\n"));
    assert_eq!(talk.answer().status, 200);
}

#[test]
fn an_attach_by_websocket_is_joined() {
    let site = Site::guarded();
    let name = site.name("websocket");
    site.docker.ok(format!(
        "run -d --name {name} busybox sh -c 'echo through a websocket; sleep 600'"
    ));
    let mut talk = Talk::with(&site);
    talk.say(format!(
        "GET /v1.41/containers/{name}/attach/ws?stream=1&logs=1&stdout=1 HTTP/1.1\r\nHost: d\r\nOrigin: http://d\r\n\
         Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: chat\r\n\r\n"
    ));
    let (status, headers) = talk.head();
    assert_eq!(status, 101);
    // RFC 6455, section 1.3, has this very answer for this key.
    assert_eq!(
        value(&headers, "sec-websocket-accept"),
        Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
    );
    let mut got = Vec::new();
    while !String::from_utf8_lossy(&got).contains("through a websocket") {
        got.extend(talk.bytes(1));
    }
}

#[test]
fn a_head_may_be_as_long_as_the_daemon_takes() {
    let site = Site::guarded();
    let unknown = "x".repeat(900 * 1024);
    let answer = http::request(
        site.docker.address(),
        "GET",
        &format!("/v1.41/images/json?unknown={unknown}"),
        "",
    );
    assert_eq!(answer.status, 200);
}

#[test]
fn an_answer_comes_through_while_the_client_still_sends() {
    let site = Site::guarded();
    let garbage = noise(16 * 1024 * 1024);
    let head = format!(
        "POST /v1.41/images/load HTTP/1.1\r\nHost: d\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
        garbage.len()
    );
    let answer = http::send(site.docker.address(), &[head.as_bytes(), &garbage].concat()).unwrap();
    assert!(
        answer.text().contains("Error processing tar file") || answer.status == 500,
        "{} {}",
        answer.status,
        answer.text()
    );
}

#[test]
fn a_large_create_comes_through_whole() {
    let site = Site::guarded();
    let name = site.name("large");
    let value = "x".repeat(1024 * 1024);
    let body = format!(r#"{{"Image":"busybox","Env":["LONG={value}"]}}"#);
    let answer = http::request(
        site.docker.address(),
        "POST",
        &format!("/v1.41/containers/create?name={name}"),
        &body,
    );
    assert_eq!(answer.status, 201, "{}", answer.text());
    let told = site.docker.ok(format!(
        "inspect --format '{{{{len (index .Config.Env 0)}}}}' {name}"
    ));
    assert_eq!(told, (value.len() + 5).to_string());
}
