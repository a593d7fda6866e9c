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
        let values = values.filter(|value| rule.takes(&request.headers, value));
        for value in values.take(rule.most_lines) {
            passed.headers.push((rule.name, value));
        }
    }
    passed
}

/// The headers that the operation reads and that are too long or strange to go on, as the record names them.
pub(super) fn dropped(headers: &Headers, request: &EngineRequest) -> Vec<String> {
    let rules = rules(request.operation(), request.hijack());
    let is_taken = |rule: &Rule, value: &[u8]| rule.takes(headers, value);
    let is_dropped = |rule: &&Rule| !headers.all(rule.name).all(|value| is_taken(rule, value));
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
        if let Some(value) = headers
            .all(rule.name)
            .find(|value| !rule.takes(headers, value))
        {
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
    fn takes(&self, headers: &Headers, value: &[u8]) -> bool {
        value.len() <= self.most_bytes && headers.is_plain(value)
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
mod tests;
