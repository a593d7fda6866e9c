//! What a `[[permit]]` table permits: operations by name or group, or paths that no operation has.

use std::fmt;

use super::document::{self, Table};
use super::path_rule::path_rule;
use super::problem::{Fault, nearest, quoted};
use super::value::Value;
use super::{Line, PathRule, Policy};
use crate::engine_api::Operation;
use crate::engine_api::operation::{Effect, Tag};

/// One `[[permit]]` table.
#[derive(Debug, Default)]
pub(super) struct Rule {
    /// Of its header.
    line: Line,
    operations: Vec<(Operation, Line)>,
    path: Option<PathRule>,
}

impl Rule {
    pub(super) fn add_to(self, policy: &mut Policy) {
        for (operation, line) in self.operations {
            policy.operations.entry(operation).or_insert(line);
        }
        policy.paths.extend(self.path);
    }
}

/// The operations of each `[[permit]]` table that names some, with the line of its header; none where the text is no
/// policy.
pub(crate) fn rules(text: &str) -> Vec<(Line, Vec<Operation>)> {
    let read = document::read("", text, |root| {
        let rules = root.take("permit").map(|rules| rules.tables(rule));
        root.take_rest();
        rules.unwrap_or_default()
    });
    let named = |rule: Rule| {
        let operations = rule.operations.into_iter().map(|(operation, _)| operation);
        rule.path
            .is_none()
            .then(|| (rule.line, operations.collect()))
    };
    read.unwrap_or_default()
        .into_iter()
        .filter_map(named)
        .collect()
}

/// Reads one `[[permit]]` table.
pub(super) fn rule(table: &mut Table<'_>) -> Rule {
    let operations = table.take("operations");
    let methods = table.take("methods");
    let path = table.take("path");
    match (&operations, &methods, &path) {
        (None, None, None) => {
            let help = "write operations = [\"…\"], or methods = [\"…\"] and path = \"…\"";
            table.report(Fault::new("empty", "[[permit]] permits nothing").help(help));
        }
        (Some(_), Some(value), _) | (Some(_), None, Some(value)) => {
            let message = "a [[permit]] names operations or a path, not both";
            let help = "write two [[permit]] tables";
            value.report_key(Fault::new("two-rules", message).help(help));
        }
        (None, Some(value), None) => {
            let help = "write the paths beside it: path = \"/v[0-9.]+/libpod/info\"";
            value.report_key(Fault::new("missing-key", "methods of what path?").help(help));
        }
        (None, None, Some(value)) => {
            let help = "write the methods beside it: methods = [\"GET\"]";
            value.report_key(Fault::new("missing-key", "a path by which methods?").help(help));
        }
        (Some(_), None, None) | (None, Some(_), Some(_)) => {}
    }
    Rule {
        line: table.line(),
        operations: operations.map(named).unwrap_or_default(),
        path: path_rule(methods, path),
    }
}

fn named(value: Value<'_>) -> Vec<(Operation, Line)> {
    let mut operations = Vec::new();
    for item in value.items() {
        let line = item.own_line();
        let selected = item.parsed(selection).unwrap_or_default();
        operations.extend(selected.into_iter().map(|operation| (operation, line)));
    }
    operations
}

/// The operations that `ContainerList`, `Container:read`, `Container:*`, `*:read` or `*` stand for.
fn selection(text: &str) -> Result<Vec<Operation>, Fault> {
    let group = match text.split_once(':') {
        _ if text == "*" => Some(("*", "*")),
        group => group,
    };
    let Some((tag, effect)) = group else {
        return single(text).map(|operation| vec![operation]);
    };
    let tag = choice(tag, TAGS, "tag")?;
    let effect = choice(effect, EFFECTS, "effect")?;
    let in_group = |operation: &Operation| {
        let spec = operation.spec();
        tag.is_none_or(|tag| tag == spec.tag) && effect.is_none_or(|effect| effect == spec.effect)
    };
    let group: Vec<_> = Operation::all().filter(in_group).collect();
    if group.is_empty() {
        return Err(Fault::new("empty", format!("no operation is in `{text}`")));
    }
    let modelled: Vec<_> = group.into_iter().filter(is_modelled).collect();
    if modelled.is_empty() {
        return Err(not_modelled(text));
    }
    Ok(modelled)
}

fn single(text: &str) -> Result<Operation, Fault> {
    let found = Operation::all().find(|operation| operation.name() == text);
    match found {
        Some(operation) if is_modelled(&operation) => Ok(operation),
        Some(operation) => Err(match operation.unmodelled_because() {
            Some(because) => not_modelled(operation.name()).help(because),
            None => not_modelled(operation.name()),
        }),
        None => {
            let help = match nearest(text, Operation::all().map(Operation::name)) {
                Some(name) => format!("did you mean `{name}`?"),
                None => "name it as Docker's API description does, or as `Tag:effect`".to_owned(),
            };
            Err(Fault::new(
                "unknown-operation",
                format!("no operation is named `{text}`"),
            )
            .help(help))
        }
    }
}

fn is_modelled(operation: &Operation) -> bool {
    operation.spec().is_modelled
}

fn not_modelled(text: &str) -> Fault {
    let message = format!("`{text}` is not modelled; refused by every policy but `open`");
    Fault::new("not-modelled", message).help("leave it out")
}

/// One of the named values; `None` for `*`.
fn choice<T: Copy + fmt::Debug>(
    text: &str,
    known: &[(&str, T)],
    kind: &str,
) -> Result<Option<T>, Fault> {
    if text == "*" {
        return Ok(None);
    }
    if let Some((_, value)) = known.iter().find(|(name, _)| *name == text) {
        return Ok(Some(*value));
    }
    let names: Vec<_> = known.iter().map(|(name, _)| *name).collect();
    let help = match nearest(text, names.iter().copied()) {
        Some(name) => format!("did you mean `{name}`?"),
        None => format!("one of {}, or `*`", quoted(&names)),
    };
    Err(Fault::new("unknown-operation", format!("no {kind} is named `{text}`")).help(help))
}

const TAGS: &[(&str, Tag)] = &[
    ("Container", Tag::Container),
    ("Image", Tag::Image),
    ("System", Tag::System),
    ("Exec", Tag::Exec),
    ("Volume", Tag::Volume),
    ("Network", Tag::Network),
    ("Plugin", Tag::Plugin),
    ("Node", Tag::Node),
    ("Swarm", Tag::Swarm),
    ("Service", Tag::Service),
    ("Task", Tag::Task),
    ("Secret", Tag::Secret),
    ("Config", Tag::Config),
    ("Distribution", Tag::Distribution),
    ("Session", Tag::Session),
];

const EFFECTS: &[(&str, Effect)] = &[
    ("read", Effect::Read),
    ("stream", Effect::Stream),
    ("export", Effect::Export),
    ("create", Effect::Create),
    ("change", Effect::Change),
    ("remove", Effect::Remove),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_leaves_out_what_is_not_modelled() {
        let everything = selection("*").unwrap();
        assert!(everything.contains(&Operation::ContainerCreate));
        assert!(!everything.contains(&Operation::Debug));
        assert!(everything.iter().all(is_modelled));
        let reads = selection("*:read").unwrap();
        assert!(reads.iter().all(|read| read.spec().effect == Effect::Read));
        assert_eq!(selection("Session:*").unwrap_err().code(), "not-modelled");
        assert_eq!(selection("Session").unwrap_err().code(), "not-modelled");
        assert_eq!(selection("Network:export").unwrap_err().code(), "empty");
    }

    #[test]
    fn every_tag_and_effect_has_a_name() {
        for operation in Operation::all() {
            let spec = operation.spec();
            assert!(
                TAGS.iter().any(|(_, tag)| *tag == spec.tag),
                "{}",
                spec.name
            );
            let has_effect = EFFECTS.iter().any(|(_, effect)| *effect == spec.effect);
            assert!(has_effect, "{}", spec.name);
        }
    }
}
