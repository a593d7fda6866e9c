//! Whether the path and the query that go on say what the client's did.

use dockgate::engine_api::schema::ParameterKind;
use dockgate::engine_api::{EngineRequest, parameters_of};
use serde_json::Value;

use crate::support;

/// Decoded: the path without its version, and the parameters in the order of their names.
type Read = (String, Vec<(String, Value)>);

/// Compares the target of a request line with that of the request which goes on.
pub(super) fn same(line: &str, request: &EngineRequest) -> Result<(), String> {
    let (_, target) = line.split_once(' ').unwrap();
    let dropped = request.head.query.dropped();
    let (path, mut query) = read(target, request);
    query.retain(|(name, _)| !dropped.contains(name));
    let (written_path, written_query) = read(&request.target(), request);
    if !is_same_path(&path, &written_path) {
        return Err(format!("the path {path} goes as {written_path}"));
    }
    let agree = |((name, value), (other, written)): (&(String, Value), &(String, Value))| {
        name == other && (value == written || is_pinned(value, written))
    };
    if query.len() == written_query.len() && query.iter().zip(&written_query).all(agree) {
        return Ok(());
    }
    Err(format!("the query {query:?} goes as {written_query:?}"))
}

fn read(target: &str, request: &EngineRequest) -> Read {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let path = decoded(path, false);
    let is_version = |text: &str| {
        text.strip_prefix('v')
            .is_some_and(|rest| rest.contains('.'))
    };
    let path = match path[1..].split_once('/') {
        Some((first, rest)) if is_version(first) => format!("/{rest}"),
        Some(_) | None => path,
    };
    let operation = request.operation().expect("an operation of the model");
    let kind = |name: &str| {
        let known = parameters_of(operation)
            .iter()
            .find(|known| known.name == name);
        known.map_or(ParameterKind::Text, |known| known.kind)
    };
    let pairs = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (name, value) = (decoded(name, true), decoded(value, true));
            let value = meant(&value, kind(&name));
            (name, value)
        });
    // An empty value is none.
    let mut pairs: Vec<_> = pairs.filter(|(_, value)| value != "").collect();
    pairs.sort_by(|(a, _), (b, _)| a.cmp(b));
    (path, pairs)
}

/// What the daemon takes the value for.
fn meant(text: &str, kind: ParameterKind) -> Value {
    match kind {
        _ if text.is_empty() => Value::from(""),
        ParameterKind::Text | ParameterKind::Texts => Value::from(text),
        ParameterKind::Bool => {
            let small = text.trim().to_ascii_lowercase();
            Value::from(!matches!(
                small.as_str(),
                "" | "0" | "no" | "false" | "none"
            ))
        }
        ParameterKind::StrictBool => {
            Value::from(matches!(text, "1" | "t" | "T" | "true" | "TRUE" | "True"))
        }
        ParameterKind::Integer => Value::from(text.trim_start_matches('+').parse::<i64>().unwrap()),
        ParameterKind::Json => support::json(text),
        ParameterKind::Filters => filters(support::json(text)),
    }
}

/// Names with the list of their values, in both forms that filters have.
fn filters(value: Value) -> Value {
    let Value::Object(names) = value else {
        return value;
    };
    let names = names.into_iter().map(|(name, mut of_name)| {
        if let Value::Object(flags) = of_name {
            of_name = flags.keys().map(String::as_str).collect();
        }
        if let Some(items) = of_name.as_array_mut() {
            items.sort_by_key(Value::to_string);
        }
        (name, of_name)
    });
    Value::Object(names.collect())
}

/// The same, but for the ids that the gate puts in the place of names.
fn is_same_path(path: &str, written: &str) -> bool {
    let (path, written) = (path.split('/'), written.split('/'));
    path.clone().count() == written.clone().count()
        && path
            .zip(written)
            .all(|(part, written)| part == written || is_id(written))
}

fn is_pinned(value: &Value, written: &Value) -> bool {
    let (Some(value), Some(written)) = (value.as_str(), written.as_str()) else {
        return false;
    };
    !value.is_empty() && is_id(written.trim_start_matches("container:"))
}

/// One of those that stand in for what a daemon would be asked for.
fn is_id(text: &str) -> bool {
    text == "0a".repeat(32) || text == "0b".repeat(32)
}

fn decoded(text: &str, is_query: bool) -> String {
    let (mut bytes, mut rest) = (Vec::new(), text.as_bytes());
    while let [first, after @ ..] = rest {
        rest = after;
        match first {
            b'+' if is_query => bytes.push(b' '),
            b'%' => {
                let digits = std::str::from_utf8(&after[..2]).unwrap();
                bytes.push(u8::from_str_radix(digits, 16).unwrap());
                rest = &after[2..];
            }
            other => bytes.push(*other),
        }
    }
    String::from_utf8(bytes).unwrap()
}
