//! `[[client]]`: which clients have which policy.

use std::collections::BTreeMap;
use std::path::Path;

use super::allowance::{self, Allowance};
use super::policy_reference::{self, PolicyReference};
use crate::policy::Line;
use crate::policy::client::{ClientMatch, ClientMatchDocument, OwnerTemplate};
use crate::policy::document::Table;
use crate::policy::problem::Fault;
use crate::policy::value::{Place, Value};

/// One `[[client]]` table.
#[derive(Debug, Clone)]
pub struct ClientRule {
    /// For records and messages.
    pub name: String,
    pub matches: ClientMatch,
    pub policy: PolicyReference,
    /// The name under which they own what they make; `None` leaves it to the listener, or is the client's name.
    pub owner: Option<OwnerTemplate>,
    /// What each owner may take; `None` leaves it to the listener.
    pub allowance: Option<Allowance>,
    pub line: Line,
}

/// What was read of one table.
#[derive(Debug)]
pub(super) struct Read<'d> {
    name: Option<(String, Place<'d>)>,
    pub(super) rule: Option<ClientRule>,
}

pub(super) fn read<'d>(table: &mut Table<'d>, directory: &Path) -> Read<'d> {
    let name = table.require("name", "what records call these clients: name = \"ci\"");
    let name = name.and_then(|value| {
        let place = value.place();
        Some((value.parsed(rule_name)?, place))
    });
    let help = "which clients it is for: match = { common-name = \"ci-*\" }";
    let matches = table.require("match", help);
    let matches = matches.and_then(client_match);
    let policy = table.require("policy", "what they may do: policy = \"guarded\"");
    let policy = policy.and_then(|value| policy_reference::read(value, directory));
    let owner = table.take("owner");
    let allowance = allowance::read(table, owner.is_some());
    let owner = owner.and_then(|value| value.parsed(OwnerTemplate::parse));
    let parts = name.clone().zip(matches).zip(policy);
    let rule = parts.map(|(((name, _), matches), policy)| ClientRule {
        name,
        matches,
        policy,
        owner,
        allowance,
        line: table.line(),
    });
    Read { name, rule }
}

/// Each name once.
pub(super) fn check_names(rules: &[Read<'_>]) {
    let mut names = BTreeMap::new();
    for (name, place) in rules.iter().filter_map(|rule| rule.name.as_ref()) {
        if let Some(line) = names.insert(name, place.line()) {
            let message = format!("the client at line {line} is named `{name}` already");
            place.report(Fault::new("duplicate", message));
        }
    }
}

fn rule_name(text: &str) -> Result<String, Fault> {
    let is_name = matches!(text.len(), 1..=64) && !text.chars().any(char::is_control);
    is_name.then(|| text.to_owned()).ok_or_else(|| {
        let message = format!("`{text}` is not a name");
        Fault::new("not-a-name", message).help("1 to 64 bytes, no control characters")
    })
}

fn client_match(value: Value<'_>) -> Option<ClientMatch> {
    let whole = value.place();
    let read = value.table("match", |table| {
        let mut keys = Keys {
            table,
            places: BTreeMap::new(),
        };
        let document = ClientMatchDocument {
            common_name: keys.text("common-name"),
            organization: keys.text("organization"),
            organizational_unit: keys.text("organizational-unit"),
            dns: keys.text("dns"),
            email: keys.text("email"),
            uri: keys.text("uri"),
            spiffe_id: keys.text("spiffe-id"),
            serial: keys.text("serial"),
            fingerprint: keys.text("fingerprint"),
            public_key: keys.text("public-key"),
            uid: keys.number("uid"),
            gid: keys.number("gid"),
            source: keys.texts("source"),
            container_name: keys.text("container-name"),
            container_label: keys.texts("container-label"),
            listener: keys.text("listener"),
        };
        (document, keys.places)
    });
    let (document, places) = read?;
    match document.compile() {
        Ok(matches) => Some(matches),
        Err(faults) => {
            for (key, message) in faults {
                let place = places.get(key.as_str()).unwrap_or(&whole);
                place.report(Fault::new("not-a-match", message));
            }
            None
        }
    }
}

/// The keys of a `match` table, with their places.
struct Keys<'t, 'd> {
    table: &'t mut Table<'d>,
    places: BTreeMap<&'static str, Place<'d>>,
}

impl<'d> Keys<'_, 'd> {
    fn text(&mut self, key: &'static str) -> Option<String> {
        self.value(key).and_then(Value::text)
    }

    fn texts(&mut self, key: &'static str) -> Option<Vec<String>> {
        let value = self.value(key)?;
        value.list(|text| Ok(text.to_owned()))
    }

    fn number(&mut self, key: &'static str) -> Option<u32> {
        let number = self.value(key)?.number(0..=u32::MAX.into())?;
        u32::try_from(number).ok()
    }

    fn value(&mut self, key: &'static str) -> Option<Value<'d>> {
        let value = self.table.take(key)?;
        self.places.insert(key, value.place());
        Some(value)
    }
}
