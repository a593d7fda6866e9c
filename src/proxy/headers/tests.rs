//! Which headers pass, and how much of each.

use super::*;
use crate::engine_api::RequestHead;

fn passed_names(line: &str, headers: &str) -> Vec<String> {
    let head = format!("{line} HTTP/1.1\r\n{headers}\r\n\r\n");
    let request = Request::parse(head.as_bytes(), 100).unwrap();
    let permitted = RequestHead::parse(&request.method, &request.target)
        .unwrap()
        .unjudged();
    let passed = passed(&request, &permitted, Framing::Empty);
    let lines = passed.headers.iter();
    lines
        .map(|(name, value)| format!("{name}: {}", String::from_utf8_lossy(value)))
        .chain(
            passed
                .upgrade
                .map(|upgrade| format!("Upgrade: {}", upgrade.token())),
        )
        .collect()
}

#[test]
fn nothing_that_the_operation_does_not_read_passes() {
    let headers = "Host: evil\r\nuser-agent: docker/1\r\nCookie: a\r\nAuthorization: b\r\n\
         X-Forwarded-For: c\r\nX-Registry-Auth: d\r\nContent-Type: e\r\nTraceparent: f\r\n\
         Upgrade: tcp\r\nConnection: Upgrade\r\nTE: trailers\r\nExpect: 100-continue";
    assert_eq!(
        passed_names("GET /info", headers),
        ["User-Agent: docker/1", "Traceparent: f"]
    );
}

#[test]
fn what_others_say_of_a_client_never_passes() {
    let lines: Vec<String> = IDENTITY
        .iter()
        .map(|name| format!("{name}: root"))
        .collect();
    let lines = lines.join("\r\n");
    for operation in Operation::all() {
        let spec = operation.spec();
        let line = format!("{} {}", spec.method, spec.path.replace(['{', '}'], ""));
        let passed = passed_names(&line, &lines);
        let strange: Vec<_> = passed.iter().filter(|line| line.contains("root")).collect();
        assert!(strange.is_empty(), "{line}: {strange:?}");
    }
    assert!(passed_names("GET /libpod/info", &lines).is_empty());
}

const IDENTITY: &[&str] = &[
    "Authorization",
    "Client-Cert",
    "Cookie",
    "Forwarded",
    "Proxy-Authorization",
    "True-Client-IP",
    "Via",
    "X-Client-Cert",
    "X-Forwarded-Client-Cert",
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X-Forwarded-Proto",
    "X-Forwarded-User",
    "X-Original-URL",
    "X-Real-IP",
    "X-Remote-Group",
    "X-Remote-User",
    "X-SSL-Client-DN",
];

#[test]
fn credentials_pass_once_to_operations_that_read_them() {
    let headers = "X-Registry-Auth: first\r\nX-Registry-Auth: second\r\nX-Registry-Config: all";
    for line in [
        "POST /images/a/push",
        "POST /services/create",
        "POST /services/a/update",
    ] {
        assert_eq!(passed_names(line, headers), ["X-Registry-Auth: first"]);
    }
    assert_eq!(
        passed_names("POST /build", headers),
        ["X-Registry-Config: all"]
    );
    assert!(passed_names("DELETE /services/a", headers).is_empty());
}

/// A line of a request that reads the header, for each rule.
fn read_by(rule: &Rule) -> &'static str {
    match rule.name {
        "X-Registry-Auth" => "POST /images/create?fromImage=a",
        "X-Registry-Config" => "POST /build",
        name if name.starts_with("X-Docker-") => "POST /session",
        name if name.starts_with("Sec-") || name == "Origin" => "GET /containers/a/attach/ws",
        _ => "GET /info",
    }
}

fn parsed(line: &str, headers: &str) -> (Headers, EngineRequest) {
    let head = format!("{line} HTTP/1.1\r\n{headers}\r\n\r\n");
    let request = Request::parse(head.as_bytes(), 100).unwrap();
    let engine_request = RequestHead::parse(&request.method, &request.target).unwrap();
    (request.headers, engine_request.unjudged())
}

#[test]
fn each_header_has_a_bound_and_what_is_over_it_is_named() {
    let rules = [ALWAYS, CREDENTIALS, WEB_SOCKET, SESSION].concat();
    assert_eq!(rules.len(), 15);
    for rule in &rules {
        let (name, line) = (rule.name, read_by(rule));
        for (value, goes_on) in [
            ("x".repeat(rule.most_bytes), true),
            ("x".repeat(rule.most_bytes + 1), false),
            ("a\tb".to_owned(), false),
            ("\u{e9}".to_owned(), false),
        ] {
            let lines = format!("{name}: {value}");
            let passed = passed_names(line, &lines);
            let has_it = passed.iter().any(|line| line.starts_with(name));
            assert_eq!(has_it, goes_on, "{name} of {} bytes", value.len());
            let (headers, request) = parsed(line, &lines);
            let named = dropped(&headers, &request);
            let expected = format!("header {name}");
            let expected = if goes_on { &[][..] } else { &[expected][..] };
            assert_eq!(named, expected, "{name}");
            let is_refused = !goes_on && name.starts_with("X-Registry-");
            let checked = check(&headers, request.operation());
            assert_eq!(checked.is_err(), is_refused, "{name}");
        }
        let many = vec![format!("{name}: x"); rule.most_lines + 1].join("\r\n");
        let passed = passed_names(line, &many);
        let passed = passed.iter().filter(|line| line.starts_with(name));
        assert_eq!(passed.count(), rule.most_lines, "{name}");
    }
}

#[test]
fn the_daemon_is_asked_for_a_raw_stream_always_and_for_others_when_the_client_asks() {
    assert_eq!(
        passed_names("POST /containers/a/attach", ""),
        ["Upgrade: tcp"]
    );
    assert!(passed_names("GET /containers/a/attach/ws", "").is_empty());
    assert_eq!(
        passed_names(
            "GET /containers/a/attach/ws",
            "Upgrade: WebSocket\r\nSec-WebSocket-Key: k"
        ),
        ["Sec-WebSocket-Key: k", "Upgrade: websocket"]
    );
    let methods = "X-Docker-Expose-Session-Grpc-Method: /a/b\r\nx-docker-expose-session-grpc-method: /c/d\r\n\
         Upgrade: h2c";
    assert_eq!(passed_names("POST /session", methods).len(), 3);
}
