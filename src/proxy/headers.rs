//! Which header lines pass: of a request only those that its operation reads, of an answer all but those of one hop.

use crate::daemon::{Passed, Upgrade};
use crate::engine_api::{BodyKind, EngineRequest, Hijack, Malformed, Operation};
use crate::http1::{Framing, Headers, Request};

/// What of the client's head goes on with a permitted request.
///
/// `framing` is that of the body which is still to be read from the client.
pub(super) fn passed<'a>(
    request: &'a Request,
    permitted: &EngineRequest,
    framing: Framing,
) -> Passed<'a> {
    let (operation, hijack) = (permitted.operation(), permitted.hijack());
    let mut passed = Passed {
        headers: Vec::with_capacity(8),
        framing,
        is_json: is_json(&request.headers, operation),
        upgrade: upgrade(&request.headers, hijack),
    };
    for rule in rules(operation, hijack) {
        let values = request.headers.all(rule.name);
        let values = values.filter(|value| rule.takes(value));
        for value in values.take(rule.most_lines) {
            passed.headers.push((rule.name, value));
        }
    }
    passed
}

/// The headers that the operation reads and that are too long or strange to go on, as the record names them.
pub(super) fn dropped(headers: &Headers, request: &EngineRequest) -> Vec<String> {
    let rules = rules(request.operation(), request.hijack());
    let is_dropped = |rule: &&Rule| !headers.all(rule.name).all(|value| rule.takes(value));
    let dropped = rules.filter(is_dropped);
    dropped
        .map(|rule| format!("header {}", rule.name))
        .collect()
}

/// Refuses credentials that could not go on: without them the daemon would ask the registry as nobody.
///
/// # Errors
/// [`Malformed::Header`].
pub(super) fn check(headers: &Headers, operation: Option<Operation>) -> Result<(), Malformed> {
    for rule in credentials(operation) {
        if let Some(value) = headers.all(rule.name).find(|value| !rule.takes(value)) {
            let cause = if value.len() > rule.most_bytes {
                format!("is longer than {} bytes", rule.most_bytes)
            } else {
                "has a byte that no base64 has".to_owned()
            };
            return Err(Malformed::Header(format!("`{}` {cause}", rule.name)));
        }
    }
    Ok(())
}

fn rules(operation: Option<Operation>, hijack: Hijack) -> impl Iterator<Item = &'static Rule> {
    let of_hijack = match hijack {
        Hijack::WebSocket => WEB_SOCKET,
        Hijack::H2c => SESSION,
        Hijack::No | Hijack::Raw => &[],
    };
    ALWAYS.iter().chain(credentials(operation)).chain(of_hijack)
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
#[derive(Debug, Clone, Copy)]
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
/// Base64 of JSON: one registry's credentials, and those of all.
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

impl Rule {
    fn takes(&self, value: &[u8]) -> bool {
        let is_plain = |byte: &u8| byte.is_ascii_graphic() || *byte == b' ';
        value.len() <= self.most_bytes && value.iter().all(is_plain)
    }
}

/// moby: daemon/server/router/{image,plugin,swarm,distribution} read `X-Registry-Auth`, build reads `X-Registry-Config`.
fn credentials(operation: Option<Operation>) -> &'static [Rule] {
    let (auth, config) = CREDENTIALS.split_at(1);
    match operation {
        None => CREDENTIALS,
        Some(Operation::ImageBuild) => config,
        Some(
            Operation::ImageCreate
            | Operation::ImagePush
            | Operation::ImageSearch
            | Operation::DistributionInspect
            | Operation::GetPluginPrivileges
            | Operation::PluginPull
            | Operation::PluginPush
            | Operation::PluginUpgrade
            | Operation::ServiceCreate
            | Operation::ServiceUpdate,
        ) => auth,
        Some(_) => &[],
    }
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
}
