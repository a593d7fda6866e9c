//! `filters` of lists, events and prunes, narrowed to an owner by the daemon's own filter for labels.

use crate::engine_api::json::{self, Value};
use crate::engine_api::{EngineRequest, OWNER_LABEL, Operation, Query};

/// Operations whose answers, or effects, the daemon's filter for labels narrows to what has the label.
///
/// moby: daemon/list.go, daemon/events/filter.go, daemon/prune.go, daemon/cluster/filters.go.
const BY_LABEL: &[Operation] = &[
    Operation::ContainerList,
    Operation::ContainerPrune,
    Operation::ImagePrune,
    Operation::NetworkPrune,
    Operation::VolumePrune,
    Operation::SystemEvents,
    Operation::ServiceList,
    Operation::TaskList,
    Operation::SecretList,
    Operation::ConfigList,
];

/// Names of filters for labels; with the mark, for what lacks one.
const FILTERS: &[&str] = &["label", "label!"];

/// Whether the request asks by the owner's label for anything but its own.
///
/// # Errors
/// The parameter and what it asks for. Swarm takes one value for each label, and which one is chance
/// (moby: runconfig/opts/parse.go, `ConvertKVStringsToMap`), so nothing may stand beside the gate's.
pub(super) fn check(request: &EngineRequest, owner: &str) -> Result<(), (&'static str, String)> {
    let query = &request.head.query;
    let filters = query.get("filters").unwrap_or_default();
    let Some(Value::Object(members)) = json::parse(filters.as_bytes()).ok() else {
        return Ok(());
    };
    for (name, value) in &members {
        let values = value
            .texts()
            .chain(value.members().map(|(text, _)| text.as_str()));
        for text in values.filter(|text| is_owners(text)) {
            let value = text.split_once('=').map(|(_, value)| value);
            let is_own = value.is_none_or(|value| value == owner);
            if FILTERS.contains(&name.as_str()) && !(name == "label" && is_own) {
                return Err(("?filters", format!("{name}={text}")));
            }
        }
    }
    Ok(())
}

fn is_owners(text: &str) -> bool {
    text.split('=')
        .next()
        .is_some_and(|key| key.trim() == OWNER_LABEL)
}

/// Narrows the request to what has the owner's label.
pub(super) fn stamp(operation: Operation, query: &mut Query, owner: &str) {
    if !BY_LABEL.contains(&operation) {
        return;
    }
    let filters = query.get("filters").unwrap_or_default();
    let filters = json::parse(filters.as_bytes()).ok();
    let mut members = match filters {
        Some(Value::Object(members)) => members,
        Some(_) | None => Vec::new(),
    };
    let wanted = format!("{OWNER_LABEL}={owner}");
    // All are written in the older form, or none; see `Query`.
    let is_older = members
        .iter()
        .any(|(_, value)| matches!(value, Value::Object(_)));
    let labels = members.iter_mut().find(|(name, _)| name == "label");
    match labels {
        Some((_, Value::List(texts))) => {
            texts.retain(|text| !is_owners(text.as_text()));
            texts.push(Value::Text(wanted.into()));
        }
        Some((_, Value::Object(set))) => {
            set.retain(|(text, _)| !is_owners(text));
            set.push((wanted.into(), Value::Bool(true)));
        }
        Some((_, other)) => *other = Value::List(vec![Value::Text(wanted.into())]),
        None if is_older => {
            let set = Value::Object(vec![(wanted.into(), Value::Bool(true))]);
            members.push(("label".into(), set));
        }
        None => members.push((
            "label".into(),
            Value::List(vec![Value::Text(wanted.into())]),
        )),
    }
    query.put(operation, "filters", &Value::Object(members).to_string());
}
