//! What a request asks by, where a policy hides: the placeholder itself, and guesses at what it stands for.

use std::fmt;

use super::super::reason::MOST_REASONS;
use super::super::{Judge, Reason};
use super::{HIDDEN, HIDDEN_BYTES, events};
use crate::engine_api::Operation;
use crate::engine_api::json::{self, Value};
use crate::policy::{Limit, Line, Quiet};

impl Judge<'_> {
    /// Whoever sends the placeholder has copied an answer in which something was hidden, maybe by another policy, and
    /// would lose what it stood for.
    pub(in super::super) fn placeholder(&mut self) {
        let parameters = self.request.head.query.known();
        let mut found: Vec<String> = parameters
            .filter(|(_, value)| is_placeholder(value))
            .map(|(name, _)| format!("?{name}"))
            .collect();
        let may_hold = self.request.may_hold_placeholder;
        if let Some(body) = self.body().filter(|_| may_hold) {
            placeholders(body, Place::Body, &mut found);
        }
        for path in found {
            let message = "it stands for a value that a `[quiet]` policy has hidden, and the daemon would take it for \
                           the value itself; put in what was hidden";
            self.refuse(Reason::new("hidden-value", &path, HIDDEN, message));
        }
    }

    /// An answer that is short or long by a guess at what is hidden tells whether the guess is right.
    pub(in super::super) fn guesses(&mut self) {
        let quiet = &self.policy.quiet;
        let operation = self.request.operation();
        let mut found: Vec<(String, String, Line)> = Vec::new();
        for (name, value) in self.request.head.query.known() {
            let guessed = match (name, operation) {
                ("filters", _) => filters(quiet, operation, value),
                ("ps_args", Some(Operation::ContainerTop)) => process_columns(quiet, value),
                _ => Vec::new(),
            };
            let of_parameter = |(text, line)| (format!("?{name}"), text, line);
            found.extend(guessed.into_iter().map(of_parameter));
        }
        found.extend(self.node_by_name());
        for (path, text, line) in found {
            let message = "the answer would tell what `[quiet]` of the policy hides";
            let reason = Reason::new("hidden-query", &path, &text, message);
            self.refuse(reason.opened_by(line, ""));
        }
    }

    /// A node is found by its host's name, and the answer says whether it is.
    fn node_by_name(&self) -> Option<(String, String, Line)> {
        let setting = &self.policy.quiet.host_details;
        if !setting.value {
            return None;
        }
        let is_of_node = self
            .request
            .operation()
            .is_some_and(|operation| operation.spec().path.starts_with("/nodes/"));
        let name = self.request.head.target.name()?;
        let tells = is_of_node && !is_node_id(name);
        tells.then(|| ("node".to_owned(), name.to_owned(), setting.line))
    }
}

/// moby: github.com/moby/swarmkit/v2/identity, `NewID`.
fn is_node_id(text: &str) -> bool {
    let is_digit = |byte: u8| byte.is_ascii_digit() || byte.is_ascii_lowercase();
    text.len() == 25 && text.bytes().all(is_digit)
}

fn is_placeholder(text: &str) -> bool {
    text.len() >= HIDDEN.len() && (text.contains(HIDDEN) || text == HIDDEN_BYTES)
}

/// Where something stands in a body, put into words only where it must be named.
#[derive(Clone, Copy)]
enum Place<'a> {
    Body,
    Member(&'a Self, &'a str),
    Item(&'a Self, usize),
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Body => Ok(()),
            Self::Member(Self::Body, key) => f.write_str(key),
            Self::Member(place, key) => write!(f, "{place}.{key}"),
            Self::Item(place, index) => write!(f, "{place}[{index}]"),
        }
    }
}

/// Where in a body it stands, in keys too; no more places than a refusal names.
fn placeholders(value: &Value, place: Place<'_>, found: &mut Vec<String>) {
    if found.len() > MOST_REASONS {
        return;
    }
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
        Value::Text(text) => {
            if is_placeholder(text) {
                found.push(place.to_string());
            }
        }
        Value::List(items) => {
            for (index, item) in items.iter().enumerate() {
                placeholders(item, Place::Item(&place, index), found);
            }
        }
        Value::Object(members) => {
            for (key, member) in members {
                let place = Place::Member(&place, key);
                if is_placeholder(key) {
                    found.push(place.to_string());
                }
                placeholders(member, place, found);
            }
        }
    }
}

/// Filters that hold something hidden against a value.
fn filters(quiet: &Quiet, operation: Option<Operation>, text: &str) -> Vec<(String, Line)> {
    let Ok(filters) = json::parse(text.as_bytes()) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    let is_of_events = operation == Some(Operation::SystemEvents);
    let of_hosts = is_of_events && !leaves_out_hosts(&filters);
    for (name, set) in filters.members() {
        for value in values(set) {
            let of_label = name.contains("label").then(|| value.split_once('='));
            let key = of_label.flatten().map(|(key, _)| key);
            let key = key.filter(|_| is_of_events);
            let of_attribute = key.and_then(|key| attribute(quiet, key, of_hosts));
            if let Some(line) = guess(quiet, operation, (name, value)).or(of_attribute) {
                found.push((format!("{name}={value}"), line));
            }
        }
    }
    found
}

fn values(set: &Value) -> impl Iterator<Item = &str> {
    let keys = set.members().map(|(key, _)| key.as_str());
    keys.chain(set.items().iter().map(Value::as_text))
}

/// Whether the events are those of kinds only whose attributes tell nothing of a machine.
fn leaves_out_hosts(filters: &Value) -> bool {
    let Some(kinds) = filters.get("type") else {
        return false;
    };
    values(kinds).count() > 0 && values(kinds).all(|kind| TELL_NO_HOST.contains(&kind))
}

const TELL_NO_HOST: &[&str] = &["container", "image", "volume", "network", "plugin"];

/// The line that hides an attribute of events, which the filter for labels finds as it finds labels.
///
/// moby: daemon/events/filter.go, `matchLabels`; attributes of daemons and nodes have no dots.
fn attribute(quiet: &Quiet, key: &str, of_hosts: bool) -> Option<Line> {
    let is_command = events::COMMAND_ATTRIBUTES.contains(&key) || key.contains('*');
    if is_command && quiet.command_lines.value {
        return Some(quiet.command_lines.line);
    }
    let hides = [&quiet.host_details, &quiet.host_paths, &quiet.secrets];
    let setting = hides.into_iter().find(|setting| setting.value)?;
    let may_be_of_host = of_hosts && (!key.contains('.') || key.contains('*'));
    may_be_of_host.then_some(setting.line)
}

/// The line that hides what the filter asks by.
fn guess(quiet: &Quiet, operation: Option<Operation>, (name, value): (&str, &str)) -> Option<Line> {
    let on = |setting: &Limit<bool>| setting.value.then_some(setting.line);
    match name {
        // moby: daemon/internal/filters/parse.go, `MatchKVList`. Podman takes `*` in a key.
        name if name.contains("label") => {
            let (key, _) = value.split_once('=')?;
            let setting = &quiet.labels;
            let is_hidden =
                quiet.hides_label(key) || (key.contains('*') && !setting.value.is_empty());
            is_hidden.then_some(setting.line)
        }
        // moby: daemon/list.go, a volume is found by the path of the host too.
        "volume" if value.starts_with('/') => on(&quiet.host_paths),
        // moby: daemon/events/filter.go, `matchEvent` takes the beginning of a command line for the whole.
        "event" if value.starts_with("exec_") && value.contains(':') => on(&quiet.command_lines),
        // moby: daemon/events/filter.go, `fuzzyMatchName`.
        "daemon" | "node" if operation == Some(Operation::SystemEvents) => on(&quiet.host_details),
        "name" if operation == Some(Operation::NodeList) => on(&quiet.host_details),
        // moby: daemon/cluster/helpers.go, `getNode`.
        "node" if operation == Some(Operation::TaskList) && !is_node_id(value) => {
            on(&quiet.host_details)
        }
        _ => None,
    }
}

/// `ps` can show environment and command in any column under any title, and look for processes by both.
fn process_columns(quiet: &Quiet, arguments: &str) -> Vec<(String, Line)> {
    let is_plain = matches!(arguments, "" | "-ef" | "aux" | "-aux");
    let hides = [&quiet.command_lines, &quiet.environment];
    let hides = hides.into_iter().find(|setting| setting.value);
    match hides {
        Some(setting) if !is_plain => vec![(arguments.to_owned(), setting.line)],
        Some(_) | None => Vec::new(),
    }
}
