//! What holds for any bytes at all: each function reads its input and panics where a property fails.
//!
//! The fuzz targets run them over what a fuzzer makes up, the tests over seeds and their mutations.

pub(crate) mod forwarded;
mod owned;
pub(crate) mod policies;
mod shown;

use std::collections::BTreeMap;

use dockgate::decision::{self, Decision, Facts, HostFile, ordinary_facts};
use dockgate::engine_api::{BodyKind, EngineRequest, Operation, RequestHead, body_of, json};
use dockgate::http1::{Body, Extras, HeadSearch, Piece, Request};
use dockgate::policy::{self, Policy};

/// Panics where it does not hold for the input.
type Property = fn(&[u8]);

/// Every property with its name, as the folders of seeds have it.
pub(crate) const ALL: &[(&str, Property)] = &[
    ("head", head),
    ("target", target),
    ("json", json),
    ("body", body),
    ("policy", policy),
    ("decide", decide),
    ("owned", owned::check),
    ("shown", shown::check),
];

/// Asserts the property of this name.
pub(crate) fn check(name: &str, input: &[u8]) {
    let found = ALL.iter().find(|(other, _)| *other == name);
    let (_, property) = found.expect("a property of this name");
    property(input);
}

/// A request's head and the framing of its body: what is taken lies within the input, and is taken alike again.
fn head(input: &[u8]) {
    let Ok(Some(end)) = HeadSearch::default().end(input) else {
        return;
    };
    assert!(end == 2 || input[..end].ends_with(b"\r\n\r\n"));
    let Ok(request) = Request::parse(&input[..end], 64) else {
        return;
    };
    assert!(
        request.target.starts_with('/')
            && request.target.bytes().all(|byte| byte.is_ascii_graphic())
    );
    let whole = framed(
        &mut Body::new(request.framing, Extras::Refused),
        &input[end..],
    );
    let mut bytewise = Body::new(request.framing, Extras::Refused);
    let mut data = Vec::new();
    let mut taken = 0;
    for byte in &input[end..] {
        let Some((piece, used)) = framed(&mut bytewise, &[*byte]) else {
            assert_eq!(whole, None, "a body that is a fault only in small pieces");
            return;
        };
        data.extend(piece);
        taken += used;
    }
    assert_eq!(
        whole,
        Some((data, taken)),
        "a body that depends on the pieces it comes in"
    );
}

/// The data of a body and how many bytes of the input it has taken; `None` where it is a fault.
fn framed(body: &mut Body, input: &[u8]) -> Option<(Vec<u8>, usize)> {
    let (mut data, mut at) = (Vec::new(), 0);
    loop {
        match body.next(&input[at..]).ok()? {
            Piece::Data(length) => {
                data.extend_from_slice(&input[at..at + length]);
                at += length;
            }
            Piece::Framing(length) => at += length,
            Piece::More | Piece::Done => return Some((data, at)),
        }
    }
}

/// `METHOD TARGET`: what the gate writes is read as the same, and written the same.
fn target(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    let Some((method, target)) = text.split_once(' ') else {
        return;
    };
    let Ok(head) = RequestHead::parse(method, target) else {
        return;
    };
    let request = head.unjudged();
    let written = request.target();
    let again = RequestHead::parse(method, &written)
        .unwrap_or_else(|fault| panic!("{written}: {fault}"))
        .unjudged();
    assert_eq!(again.head.target, request.head.target);
    assert_eq!(again.target(), written);
    if request.operation().is_some() {
        assert!(
            again.dropped.is_empty(),
            "{written} has what the daemon does not read"
        );
        let quoted = |byte: u8| byte.is_ascii_graphic() && !b"#;\"<>\\^`{|}".contains(&byte);
        assert!(
            written.bytes().all(quoted),
            "{written} has what must be encoded"
        );
    }
}

/// Parse, write, parse is the identity.
fn json(input: &[u8]) {
    let Ok(value) = json::parse(input) else {
        return;
    };
    let written = value.to_string();
    let again =
        json::parse(written.as_bytes()).unwrap_or_else(|fault| panic!("{written}: {fault}"));
    assert_eq!(again, value);
    assert_eq!(again.to_string(), written);
}

/// The body of every operation that has one: what the gate writes has only fields of the model, and is read as the same.
fn body(input: &[u8]) {
    for operation in Operation::all().filter(|operation| body_of(*operation).is_some()) {
        let head = any_head(operation);
        if let Ok(request) = head.with_body(input) {
            forwarded::check(&request);
        }
    }
}

/// A policy's text is compiled or refused; what is refused has a problem with a line within the text.
fn policy(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    match policy::compile("fuzzed", text, &BTreeMap::new()) {
        Ok(policy) => {
            let again =
                policy::compile("fuzzed", text, &BTreeMap::new()).expect("it was compiled before");
            assert_eq!(format!("{policy:?}"), format!("{again:?}"));
        }
        Err(problems) => assert!(!problems.to_string().is_empty()),
    }
}

/// A request line, a line feed and a body, through reading and deciding: nothing goes under an empty policy, under the
/// ready ones only what is of the model, and what goes under a narrow policy goes under each that opens more.
fn decide(input: &[u8]) {
    let Some((line, request)) = asked(input) else {
        return;
    };
    assert!(
        permitted(&Policy::default(), &request).is_none(),
        "an empty policy permits {line}"
    );
    let mut before: Option<&Policy> = None;
    for policy in policies::READY.iter().chain(policies::GROWING.iter()) {
        let permitted = permitted(policy, &request);
        if let Some(permitted) = &permitted {
            assert!(
                request.unknown.is_empty(),
                "{} permits an unknown field: {line}",
                policy.name
            );
            forwarded::check(permitted);
        }
        if policy.name.starts_with("step") {
            assert!(
                permitted.is_some() || before.is_none(),
                "{} refuses what an earlier one permits: {line} {:?}",
                policy.name,
                request.body
            );
            before = permitted.is_some().then_some(policy);
        }
    }
}

/// The request that a request line, a line feed and a body make, with its line.
fn asked(input: &[u8]) -> Option<(&str, EngineRequest)> {
    let at = input.iter().position(|byte| *byte == b'\n');
    let (line, body) = input.split_at(at.unwrap_or(input.len()));
    let line = std::str::from_utf8(line).ok()?;
    let (method, target) = line.split_once(' ')?;
    let head = RequestHead::parse(method, target).ok()?;
    let body = if head.body_kind() == BodyKind::Stream {
        &[]
    } else {
        body.get(1..).unwrap_or_default()
    };
    let request = head.with_body(body).ok()?;
    Some((line, request))
}

/// What would go on, where what the request refers to is the client's own and host paths are as they are written.
fn permitted(policy: &Policy, request: &EngineRequest) -> Option<EngineRequest> {
    match decided(policy, request, ordinary_facts(policy, request)) {
        Decision::Permit(permit) => Some(permit.request().clone()),
        Decision::Refuse(_) => None,
    }
}

/// What is decided by these facts, with host paths as they are written.
fn decided(policy: &Policy, request: &EngineRequest, mut facts: Facts) -> Decision {
    for path in decision::host_paths(policy, request) {
        let file = HostFile::ordinary(path.clone());
        facts.host_paths.insert(path, Ok(file));
    }
    let decision = decision::decide(policy, request.clone(), &facts);
    if let Decision::Refuse(refusal) = &decision {
        assert!(!refusal.reasons.is_empty() && !refusal.to_string().is_empty());
    }
    decision
}

/// A request line of the operation.
fn any_head(operation: Operation) -> RequestHead {
    let spec = operation.spec();
    let parts = spec
        .path
        .split('/')
        .map(|part| if part.starts_with('{') { "x" } else { part });
    let path = parts.collect::<Vec<_>>().join("/");
    RequestHead::parse(spec.method, &path).unwrap_or_else(|fault| panic!("{path}: {fault}"))
}

/// The request as it reads when it has been written.
fn read_again(request: &EngineRequest, body: &[u8]) -> EngineRequest {
    let target = request.target();
    let head = RequestHead::parse(request.head.method.as_str(), &target);
    let again = head.and_then(|head| head.with_body(body));
    again.unwrap_or_else(|fault| panic!("{target} {}: {fault}", body.escape_ascii()))
}
