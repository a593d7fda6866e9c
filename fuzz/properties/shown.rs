//! What a client gets to see of an answer under a policy that hides all that can be hidden.

use std::sync::LazyLock;

use dockgate::decision::{AnswerShape, Decision, HIDDEN, View, hidden_places, ordinary_facts};
use dockgate::engine_api::json::{self, Value};
use dockgate::engine_api::{Operation as O, RequestHead, body_of};
use dockgate::proxy::shown_in_pieces;

use super::policies::QUIET;

/// [`HIDDEN`] where bytes stand.
const HIDDEN_BYTES: &str = "PGhpZGRlbiBieSBkb2NrZ2F0ZT4=";

/// What each operation's answers are shown by, those that have anything to hide.
static VIEWS: LazyLock<Vec<(O, View)>> = LazyLock::new(|| {
    let all = O::all().filter(|operation| !hidden_places(*operation).is_empty());
    let views: Vec<_> = all.map(|operation| (operation, view(operation))).collect();
    assert!(views.len() > 20);
    views
});

fn view(operation: O) -> View {
    let spec = operation.spec();
    // The id of a node has so many letters.
    let parts = spec.path.split('/').map(|part| match part {
        part if part.starts_with('{') => "0a0b0c0d0e0f0g0h0i0j0k0l0",
        part => part,
    });
    let path = parts.collect::<Vec<_>>().join("/");
    let head = RequestHead::parse(spec.method, &path).unwrap_or_else(|fault| panic!("{fault}"));
    let body: &[u8] = body_of(operation).map_or(b"", |_| b"{}");
    let request = head
        .with_body(body)
        .unwrap_or_else(|fault| panic!("{path}: {fault}"));
    match super::decided(&QUIET, &request, ordinary_facts(&QUIET, &request)) {
        Decision::Permit(permit) => *permit.into_view().expect("something to hide"),
        Decision::Refuse(refusal) => panic!("{refusal}"),
    }
}

/// A byte for where the answer is cut, an operation's name, a line feed, and the answer.
pub(crate) fn check(input: &[u8]) {
    let Some((place, rest)) = input.split_first() else {
        return;
    };
    let at = rest.iter().position(|byte| *byte == b'\n').unwrap_or(0);
    let (name, rest) = rest.split_at(at);
    let answer = rest.get(1..).unwrap_or_default();
    let found = VIEWS
        .iter()
        .find(|(known, _)| known.name().as_bytes() == name);
    let Some((operation, view)) = found else {
        return;
    };
    let whole = shown_in_pieces(Box::new(view.clone()), &[answer]);
    let (first, second) = answer.split_at(answer.len() * usize::from(*place) / 255);
    let in_pieces = shown_in_pieces(Box::new(view.clone()), &[first, second]);
    assert_eq!(whole, in_pieces, "it depends on the pieces it comes in");
    match whole {
        Ok(text) => all_shown(*operation, view.shape(), (answer, text.as_bytes())),
        Err((text, cause)) => {
            assert!(!cause.is_empty());
            // What came before the fault was shown by itself.
            for element in row(text.as_bytes()) {
                nothing_left(*operation, &element);
            }
            let is_json = match view.shape() {
                AnswerShape::Object => json::parse(answer).is_ok(),
                AnswerShape::List => {
                    matches!(json::parse(answer), Ok(Value::List(_) | Value::Null))
                }
                AnswerShape::Within(_) => {
                    let object = json::parse(answer);
                    object.is_ok_and(
                        |object| matches!(object, Value::Object(ref all) if all.len() <= 64),
                    )
                }
                AnswerShape::Stream => false,
            };
            assert!(!is_json, "JSON that is refused: {cause}");
        }
    }
}

/// The answer was JSON, and what is shown of it is all but what is hidden.
fn all_shown(operation: O, shape: AnswerShape, (answer, text): (&[u8], &[u8])) {
    let (mut before, mut after) = match shape {
        AnswerShape::Object if answer.trim_ascii().is_empty() => {
            assert!(text.is_empty());
            return;
        }
        AnswerShape::Object | AnswerShape::Within(_) => (vec![parsed(answer)], vec![parsed(text)]),
        AnswerShape::List => {
            // An element may be as deep as a whole answer.
            let depth = answer.iter().filter(|byte| matches!(byte, b'[' | b'{'));
            if depth.count() >= json::MAX_DEPTH {
                return;
            }
            match (parsed(answer), parsed(text)) {
                (Value::List(before), Value::List(after)) => (before, after),
                (before, after) => {
                    assert_eq!((before, after), (Value::Null, Value::Null));
                    return;
                }
            }
        }
        AnswerShape::Stream => (row(answer), row(text)),
    };
    assert_eq!(before.len(), after.len(), "elements are gone or new");
    for (before, after) in before.iter_mut().zip(&mut after) {
        nothing_left(operation, after);
        for place in places(operation) {
            blank(before, &place);
            blank(after, &place);
        }
        assert_eq!(before, after, "something else is changed");
    }
}

fn parsed(bytes: &[u8]) -> Value {
    let read = json::parse(bytes);
    read.unwrap_or_else(|fault| panic!("{}: {fault}", bytes.escape_ascii()))
}

/// Objects in a row, taken apart by trying where each ends; up to what is none.
fn row(mut bytes: &[u8]) -> Vec<Value> {
    let mut found = Vec::new();
    loop {
        let mut ends = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'}');
        let next = ends.find_map(|(at, _)| {
            let (element, rest) = bytes.split_at(at + 1);
            Some((json::parse(element).ok()?, rest))
        });
        let Some((element, rest)) = next else {
            return found;
        };
        found.push(element);
        bytes = rest;
    }
}

/// What is hidden, in the places that depend on another part of the answer too.
fn places(operation: O) -> Vec<String> {
    let of_all = hidden_places(operation).into_iter();
    of_all
        .flat_map(|place| match (operation, place.as_str()) {
            (O::SystemEvents, "") => vec![
                "Actor.Attributes".to_owned(),
                "Action".to_owned(),
                "status".to_owned(),
            ],
            (O::ContainerTop, "") => vec!["Processes".to_owned()],
            (_, mounts) if mounts.ends_with("Mounts.[]") => vec![format!("{mounts}.Source")],
            (_, "") => panic!("a place of no known form in {}", operation.name()),
            _ => vec![place],
        })
        .collect()
}

/// Every text that stands at a hidden place says nothing.
fn nothing_left(operation: O, item: &Value) {
    for place in hidden_places(operation) {
        let last = place.rsplit('.').next().unwrap_or_default();
        let is_event = operation == O::SystemEvents;
        let check: &dyn Fn(&Value) = match last {
            "" if is_event => &event,
            "" => &processes,
            "[]" => &mount,
            "Env" | "env" | "Labels" | "annotations" | "Annotations" => &assignments,
            "Binds" => &binds,
            "Constraints" => &constraints,
            "DriverStatus" | "SystemStatus" | "Info" => &pairs,
            "Hostname" if operation == O::ContainerInspect => {
                if is_named_as_host(item) {
                    &hidden
                } else {
                    &any
                }
            }
            _ => &hidden,
        };
        at(item, &place, check);
    }
}

/// Shows what stands at a path; what is of another type than the path says is hidden as a whole.
fn at(value: &Value, path: &str, check: &dyn Fn(&Value)) {
    if path.is_empty() {
        return check(value);
    }
    let (first, rest) = path.split_once('.').unwrap_or((path, ""));
    match (first, value) {
        ("[]", Value::List(items)) => items.iter().for_each(|item| at(item, rest, check)),
        ("*", Value::Object(members)) => {
            members
                .iter()
                .for_each(|(_, member)| at(member, rest, check));
        }
        ("[]" | "*", other) => hidden(other),
        (key, Value::Object(_)) => {
            if let Some(member) = value.get(key) {
                at(member, rest, check);
            }
        }
        (_, other) => hidden(other),
    }
}

/// Leaves nothing at a path, nor of what is of another type than the path says.
fn blank(value: &mut Value, path: &str) {
    let (first, rest) = path.split_once('.').unwrap_or((path, ""));
    match (first, value) {
        ("[]", Value::List(items)) if !rest.is_empty() => {
            items.iter_mut().for_each(|item| blank(item, rest));
        }
        ("*", Value::Object(members)) if !rest.is_empty() => {
            members
                .iter_mut()
                .for_each(|(_, member)| blank(member, rest));
        }
        (key, value @ Value::Object(_)) if key != "[]" && key != "*" && !key.is_empty() => {
            if let Some(member) = value.get_mut(key) {
                blank(member, rest);
            }
        }
        (_, other) => *other = Value::Null,
    }
}

fn any(_: &Value) {}

fn hidden(value: &Value) {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
        Value::Text(text) => {
            let is_hidden = ["", HIDDEN, HIDDEN_BYTES].contains(&text.as_str());
            assert!(is_hidden, "{text} is not hidden");
        }
        Value::List(items) => items.iter().for_each(hidden),
        Value::Object(members) => members.iter().for_each(|(_, member)| hidden(member)),
    }
}

/// All but texts as a whole.
fn texts(value: &Value, check: &dyn Fn(&str)) {
    let Value::List(items) = value else {
        return hidden(value);
    };
    for item in items {
        if let Value::Text(text) = item {
            check(text);
        } else {
            hidden(item);
        }
    }
}

/// `NAME=VALUE`.
fn assignments(value: &Value) {
    texts(value, &|text| {
        if let Some((_, value)) = text.split_once('=') {
            assert_eq!(value, HIDDEN);
        }
    });
}

fn binds(value: &Value) {
    texts(value, &|text| {
        assert!(!text.starts_with(['/', '.', '~', '\\']), "{text}");
    });
}

fn constraints(value: &Value) {
    texts(value, &|text| {
        let parts = text.split_once("==").or_else(|| text.split_once("!="));
        if let Some((_, rest)) = parts.filter(|(key, _)| is_key(key)) {
            assert_eq!(rest, HIDDEN);
        }
    });
}

/// Whether the daemon takes it for one of the keys that are hidden.
fn is_key(key: &str) -> bool {
    let key = key.trim().to_ascii_lowercase();
    let label = ["node.labels.", "engine.labels."]
        .iter()
        .any(|known| key.starts_with(known));
    label || key == "node.hostname" || key == "node.ip"
}

fn pairs(value: &Value) {
    let Value::List(items) = value else {
        return hidden(value);
    };
    for item in items {
        if let Value::List(pair) = item {
            pair.iter().skip(1).for_each(hidden);
        } else {
            hidden(item);
        }
    }
}

fn mount(value: &Value) {
    let has_name = matches!(value.text("Type"), "volume" | "image" | "cluster");
    if let Some(source) = value.get("Source").filter(|_| !has_name) {
        hidden(source);
    }
}

fn processes(value: &Value) {
    let titles = value.get("Titles").map_or(0, |titles| titles.items().len());
    for row in value.get("Processes").map_or(&[][..], Value::items) {
        if let Value::List(columns) = row {
            let before = titles.saturating_sub(1);
            columns.iter().skip(before).for_each(hidden);
        } else {
            hidden(row);
        }
    }
}

fn event(value: &Value) {
    for key in ["Action", "status"] {
        let action = value.text(key);
        if let Some((_, command)) = action
            .split_once(':')
            .filter(|_| action.starts_with("exec_"))
        {
            assert_eq!(command.trim(), HIDDEN);
        }
    }
    let attributes = value.get("Actor").and_then(|actor| actor.get("Attributes"));
    let Some(Value::Object(attributes)) = attributes else {
        return attributes.map_or((), hidden);
    };
    for (key, value) in attributes {
        // All else may be a label.
        if !matches!(&**key, "name" | "image") {
            hidden(value);
        }
    }
}

fn is_named_as_host(container: &Value) -> bool {
    let host_config = container.get("HostConfig");
    let text = |key: &str| host_config.map_or("host", |host_config| host_config.text(key));
    text("NetworkMode") == "host" || text("UTSMode") == "host"
}
