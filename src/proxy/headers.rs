//! Which header lines pass: of a request only those that its operation reads, of an answer all but those of one hop.

use crate::daemon::{Passed, Upgrade};
use crate::engine_api::{BodyKind, EngineRequest, Hijack, Operation};
use crate::http1::{Framing, Headers, Request};

/// What of the client's head goes on with a permitted request.
///
/// `framing` is that of the body which is still to be read from the client.
pub(super) fn passed<'a>(
    request: &'a Request,
    permitted: &EngineRequest,
    framing: Framing,
) -> Passed<'a> {
    let mut passed = Passed {
        headers: Vec::with_capacity(8),
        framing,
        is_json: is_json(&request.headers, permitted.operation()),
        upgrade: upgrade(&request.headers, permitted.hijack()),
    };
    pass(&mut passed, &request.headers, ALWAYS);
    let operation = permitted.operation();
    if operation.is_none_or(reads_credentials) {
        pass(&mut passed, &request.headers, CREDENTIALS);
    }
    match permitted.hijack() {
        Hijack::WebSocket => pass(&mut passed, &request.headers, WEB_SOCKET),
        Hijack::H2c => pass(&mut passed, &request.headers, SESSION),
        Hijack::No | Hijack::Raw => {}
    }
    passed
}

/// What the operation's body is, whatever the client calls it; only where the model has no operation, the client tells.
fn is_json(headers: &Headers, operation: Option<Operation>) -> bool {
    match operation {
        Some(operation) => operation.spec().body == BodyKind::Json,
        None => headers.lists("content-type", "application/json"),
    }
}

/// What the daemon is asked for: a raw stream always, so that it answers with its 101; the others where the client asks.
fn upgrade(headers: &Headers, hijack: Hijack) -> Option<Upgrade> {
    let asks = |upgrade: Upgrade| headers.lists("upgrade", upgrade.token()).then_some(upgrade);
    match hijack {
        Hijack::No => None,
        Hijack::Raw => Some(Upgrade::Tcp),
        Hijack::WebSocket => asks(Upgrade::WebSocket),
        Hijack::H2c => asks(Upgrade::H2c),
    }
}

/// A header that may pass.
struct Rule {
    name: &'static str,
    /// Longest value in bytes; a longer one is dropped.
    most_bytes: usize,
    most_lines: usize,
}

const fn rule(name: &'static str, most_bytes: usize, most_lines: usize) -> Rule {
    Rule {
        name,
        most_bytes,
        most_lines,
    }
}

static ALWAYS: &[Rule] = &[
    rule("User-Agent", 256, 1),
    rule("Accept", 1024, 1),
    rule("Traceparent", 128, 1),
    rule("Tracestate", 1024, 1),
];
/// Base64 of JSON: one registry's credentials, or those of all.
static CREDENTIALS: &[Rule] = &[
    rule("X-Registry-Auth", 64 * 1024, 1),
    rule("X-Registry-Config", 64 * 1024, 1),
];
static WEB_SOCKET: &[Rule] = &[
    rule("Origin", 1024, 1),
    rule("Sec-WebSocket-Key", 64, 1),
    rule("Sec-WebSocket-Version", 16, 1),
    rule("Sec-WebSocket-Protocol", 256, 4),
    rule("Sec-WebSocket-Extensions", 256, 4),
];
static SESSION: &[Rule] = &[
    rule("X-Docker-Expose-Session-Uuid", 256, 1),
    rule("X-Docker-Expose-Session-Name", 1024, 1),
    rule("X-Docker-Expose-Session-Sharedkey", 256, 1),
    rule("X-Docker-Expose-Session-Grpc-Method", 256, 64),
];

fn pass<'a>(passed: &mut Passed<'a>, headers: &'a Headers, rules: &'static [Rule]) {
    let is_plain = |byte: &u8| byte.is_ascii_graphic() || *byte == b' ';
    for rule in rules {
        let values = headers
            .all(rule.name)
            .filter(|value| value.len() <= rule.most_bytes && value.iter().all(is_plain));
        for value in values.take(rule.most_lines) {
            passed.headers.push((rule.name, value));
        }
    }
}

/// moby: daemon/server/router/{image,build,plugin,swarm,distribution}, where `X-Registry-…` is read.
fn reads_credentials(operation: Operation) -> bool {
    matches!(
        operation,
        Operation::ImageCreate
            | Operation::ImagePush
            | Operation::ImageSearch
            | Operation::ImageBuild
            | Operation::DistributionInspect
            | Operation::GetPluginPrivileges
            | Operation::PluginPull
            | Operation::PluginPush
            | Operation::PluginUpgrade
            | Operation::ServiceCreate
            | Operation::ServiceUpdate
    )
}

/// Whether a line of an answer is meant for the next hop only (RFC 9110, section 7.6.1), or is the gate's to write.
pub(super) fn is_of_one_hop(name: &[u8]) -> bool {
    // By length first, which tells most names apart.
    let names: &[&str] = match name.len() {
        2 => &["te"],
        7 => &["trailer", "upgrade"],
        10 => &["connection", "keep-alive"],
        14 => &["content-length"],
        16 => &["proxy-connection"],
        17 => &["transfer-encoding"],
        18 => &["proxy-authenticate"],
        19 => &["proxy-authorization"],
        _ => &[],
    };
    names
        .iter()
        .any(|one| name.eq_ignore_ascii_case(one.as_bytes()))
}

#[cfg(test)]
mod tests {
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
    fn credentials_pass_once_to_operations_that_read_them() {
        let headers = "X-Registry-Auth: first\r\nX-Registry-Auth: second";
        for line in [
            "POST /images/a/push",
            "POST /services/create",
            "POST /services/a/update",
        ] {
            assert_eq!(passed_names(line, headers), ["X-Registry-Auth: first"]);
        }
        assert!(passed_names("DELETE /services/a", headers).is_empty());
    }

    #[test]
    fn values_that_are_long_or_strange_are_dropped() {
        let long = format!("User-Agent: {}\r\nAccept: a\tb", "x".repeat(257));
        assert!(passed_names("GET /info", &long).is_empty());
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
}
