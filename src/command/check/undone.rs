//! Openings that undo one another: a key that bounds something, beside one by which a client comes around it.

mod host;
mod images;
mod network;
mod shown;

use std::collections::BTreeMap;

use crate::engine_api::Operation;
use crate::policy::{Limit, Line, Pattern, Policy};

use super::effect::has_effect;
use super::finding::Finding;
use super::keys::{Key, keys};

/// Every bound of the policy that bounds nothing.
pub(super) fn undone(policy: &Policy) -> Vec<Finding> {
    let keys = keys(policy);
    let openings = Openings {
        policy,
        keys: &keys,
    };
    let mut found = host::undone(&openings);
    found.extend(network::undone(&openings));
    found.extend(images::undone(&openings));
    found.extend(shown::undone(policy));
    found.extend(capabilities(policy));
    found
}

/// A key by the table it stands in and its name.
type Named = (&'static str, &'static str);

/// A policy and its keys.
struct Openings<'a> {
    policy: &'a Policy,
    keys: &'a [Key],
}

impl Openings<'_> {
    fn key(&self, (section, name): Named) -> Option<&Key> {
        let mut keys = self.keys.iter();
        keys.find(|key| (key.section, key.name) == (section, name))
    }

    /// The line of a key that opens something for an operation that a rule permits.
    fn opened(&self, name: Named) -> Option<Line> {
        let key = self.key(name).filter(|key| key.is_open)?;
        has_effect(key, self.policy).then_some(key.line)
    }

    /// Those of the keys that open something, and not everything; `None` where there is none.
    fn bounds(&self, names: &[Named]) -> Option<String> {
        let keys = names.iter().filter_map(|name| self.key(*name));
        let keys = keys.filter(|key| key.is_open && is_narrow(key));
        let shown: Vec<String> = keys.map(|key| at(key.name, key.line)).collect();
        (!shown.is_empty()).then(|| shown.join(", "))
    }

    /// That the opening undoes those of the keys which bound something.
    fn finding(&self, line: Line, opening: &str, names: &[Named]) -> Option<Finding> {
        let bounds = self.bounds(names)?;
        let verb = if bounds.contains(", ") {
            "bound"
        } else {
            "bounds"
        };
        let message = format!("{opening}, so {bounds} {verb} nothing");
        Some(Finding::warning(line, "undone", message))
    }

    /// The permitted ones of the operations with the lines of their rules; `None` where no rule permits any.
    fn permitted(&self, operations: &[Operation]) -> Option<String> {
        permitted(self.policy, operations)
    }
}

fn permitted(policy: &Policy, operations: &[Operation]) -> Option<String> {
    let mut by_line: BTreeMap<Line, Vec<String>> = BTreeMap::new();
    for operation in operations {
        if let Some(line) = policy.operations.get(operation) {
            let name = format!("`{}`", operation.name());
            by_line.entry(*line).or_default().push(name);
        }
    }
    let shown = by_line
        .iter()
        .map(|(line, names)| format!("{} (line {line})", names.join(", ")));
    let shown: Vec<String> = shown.collect();
    (!shown.is_empty()).then(|| shown.join(", "))
}

/// A key, and where it stands if it does.
fn at(name: &str, line: Line) -> String {
    match line {
        0 => format!("`{name}`"),
        line => format!("`{name}` (line {line})"),
    }
}

fn is_narrow(key: &Key) -> bool {
    let mut entries = key.shown.split(", ");
    !entries.any(|entry| matches!(entry, "`*`" | "`ALL`"))
}

/// Whether a list opens something, and one of its patterns everything.
fn is_any(list: &Limit<Vec<Pattern>>) -> bool {
    list.value.iter().any(|pattern| pattern.as_str() == "*")
}

fn capabilities(policy: &Policy) -> Option<Finding> {
    let setting = &policy.container.capabilities;
    let has_all = setting.value.iter().any(|name| name == "ALL");
    (has_all && setting.value.len() > 1).then(|| {
        let message = "`ALL` holds the other capabilities of the list too";
        Finding::warning(setting.line, "undone", message)
    })
}
