//! How each form of a value is hidden, so that who reads the answer finds the types that it expects.

use super::places::Form;
use super::{HIDDEN, HIDDEN_BYTES, events};
use crate::engine_api::json::Value;
use crate::policy::Quiet;

/// Shows all that stands at a path: a key, `[]` for each item of a list, `*` for each value of an object.
///
/// What is of another type than the path says is hidden as a whole.
pub(super) fn visit(value: &mut Value, path: &str, change: &mut dyn FnMut(&mut Value)) {
    if path.is_empty() {
        return change(value);
    }
    let (first, rest) = path.split_once('.').unwrap_or((path, ""));
    match (first, value) {
        ("[]", Value::List(items)) => {
            for item in items {
                visit(item, rest, change);
            }
        }
        ("*", Value::Object(members)) => {
            for (_, member) in members {
                visit(member, rest, change);
            }
        }
        (key, Value::Object(members)) if key != "[]" => {
            if let Some((_, member)) = members.iter_mut().find(|(name, _)| name == key) {
                visit(member, rest, change);
            }
        }
        (_, other) => whole(other),
    }
}

/// Hides a value in the form that stands at its place.
pub(super) fn hide(value: &mut Value, form: Form, quiet: &Quiet) {
    match form {
        Form::Whole => whole(value),
        Form::Environment => environment(value),
        Form::Labels => labels(value, quiet),
        Form::Constraints => constraints(value, quiet),
        Form::Binds => each_text(value, &|text| bind(text)),
        Form::MountSource => mount_source(value),
        Form::Pairs => pairs(value),
        Form::Bytes => bytes(value),
        Form::Empty => empty(value),
        Form::Processes => processes(value),
        Form::HostName => host_name(value),
        Form::Event => events::hide(value, quiet),
    }
}

/// Every text in it; a list of texts becomes a list of one, since their number tells too. An empty text says nothing.
pub(super) fn whole(value: &mut Value) {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
        Value::Text(text) => {
            if !text.is_empty() {
                *text = HIDDEN.into();
            }
        }
        Value::List(items) => {
            if items.iter().all(|item| matches!(item, Value::Text(_))) {
                items.truncate(1);
                items.iter_mut().for_each(hidden);
            }
            items.iter_mut().for_each(whole);
        }
        Value::Object(members) => members.iter_mut().for_each(|(_, member)| whole(member)),
    }
}

fn hidden(value: &mut Value) {
    *value = Value::Text(HIDDEN.into());
}

/// Texts by `change`, all else as a whole.
fn each_text(value: &mut Value, change: &dyn Fn(&str) -> Option<String>) {
    let Value::List(items) = value else {
        return whole(value);
    };
    for item in items {
        match item {
            Value::Text(text) => {
                if let Some(changed) = change(text) {
                    *text = changed.into();
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::List(_) | Value::Object(_) => {
                whole(item);
            }
        }
    }
}

/// `NAME=VALUE`; a name alone has no value.
fn environment(value: &mut Value) {
    each_text(value, &|text| {
        let (name, _) = text.split_once('=')?;
        Some(format!("{name}={HIDDEN}"))
    });
}

/// An object, or a list of `KEY=VALUE`.
fn labels(value: &mut Value, quiet: &Quiet) {
    let Value::Object(members) = value else {
        return each_text(value, &|text| {
            let (key, _) = text.split_once('=')?;
            quiet.hides_label(key).then(|| format!("{key}={HIDDEN}"))
        });
    };
    for (key, member) in members {
        if quiet.hides_label(key) {
            whole(member);
        }
    }
}

/// `node.labels.KEY==VALUE` or `node.hostname==VALUE`, with any white space around the operator.
fn constraints(value: &mut Value, quiet: &Quiet) {
    each_text(value, &|text| {
        let at = text.find("==").or_else(|| text.find("!="))?;
        let (key, rest) = text.split_at(at);
        let operator = rest.get(..2)?;
        let named = key.trim();
        // moby: swarmkit's manager/constraint/constraint.go reads all but the label itself in any case.
        let is_host = ["node.hostname", "node.ip"]
            .iter()
            .any(|known| named.eq_ignore_ascii_case(known));
        let label = ["node.labels.", "engine.labels."].iter().find_map(|known| {
            let (first, label) = named.split_at_checked(known.len())?;
            first.eq_ignore_ascii_case(known).then_some(label)
        });
        let is_hidden = (is_host && quiet.host_details.value)
            || label.is_some_and(|label| quiet.hides_label(label));
        is_hidden.then(|| format!("{key}{operator}{HIDDEN}"))
    });
}

/// `SOURCE:TARGET[:MODE]`; a source that is no path is the name of a volume.
fn bind(text: &str) -> Option<String> {
    if !text.starts_with(['/', '.', '~', '\\']) {
        return None;
    }
    let rest = text.split_once(':').map(|(_, rest)| rest);
    Some(rest.map_or_else(|| HIDDEN.to_owned(), |rest| format!("{HIDDEN}:{rest}")))
}

/// The source of a mount as a request had it: the name of a volume or image, or a path of the host.
fn mount_source(value: &mut Value) {
    let has_name = matches!(value.text("Type"), "volume" | "image" | "cluster");
    if !has_name && let Some(source) = value.get_mut("Source") {
        whole(source);
    }
}

/// A container in the host's network, or that shares its names, is called as the host is.
///
/// moby: daemon/container_operations.go, `initializeNetworking`.
fn host_name(value: &mut Value) {
    let is_hosts = value.get("HostConfig").is_none_or(|host_config| {
        let network = host_config.text("NetworkMode");
        // One that joins another's network has the other's name.
        network == "host" || network.contains(':') || host_config.text("UTSMode") == "host"
    });
    let config = value.get_mut("Config").filter(|_| is_hosts);
    if let Some(name) = config.and_then(|config| config.get_mut("Hostname")) {
        whole(name);
    }
}

/// Lists of a name and its values.
fn pairs(value: &mut Value) {
    let Value::List(items) = value else {
        return whole(value);
    };
    for item in items {
        match item {
            Value::List(pair) => pair.iter_mut().skip(1).for_each(whole),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::Object(_) => {
                whole(item);
            }
        }
    }
}

fn bytes(value: &mut Value) {
    match value {
        Value::Text(text) if !text.is_empty() => *text = HIDDEN_BYTES.into(),
        Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::Text(_)
        | Value::List(_)
        | Value::Object(_) => whole(value),
    }
}

/// For what no text can stand in for, such as ranges of addresses.
fn empty(value: &mut Value) {
    match value {
        Value::List(items) => items.clear(),
        Value::Object(members) => members.clear(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) => whole(value),
    }
}

/// The last column of `ps` is the command, by every argument that is let through; see `asked.rs`.
fn processes(value: &mut Value) {
    let titles = value.get("Titles").map_or(0, |titles| titles.items().len());
    let Some(Value::List(rows)) = value.get_mut("Processes") else {
        return;
    };
    for row in rows {
        match row {
            Value::List(columns) => {
                let before = titles.saturating_sub(1);
                columns.iter_mut().skip(before).for_each(whole);
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::Object(_) => {
                whole(row);
            }
        }
    }
}
