//! An owner's events. The daemon tells the labels of containers and images with theirs, and filters by them; of networks,
//! volumes, services, secrets and configs it must be known whose they are.

use std::collections::BTreeMap;

use super::super::facts::Facts;
use super::super::references::Reference;
use crate::engine_api::json::{self, Value};
use crate::engine_api::{EngineRequest, Kind, OWNER_LABEL, Operation, Query};

/// Whether the events that this request asks for can be of things without labels in them, so that the daemon cannot
/// narrow them to an owner's.
///
/// moby: daemon/events/filter.go, `matchLabels`: a filter for labels leaves out what has none.
pub(super) fn is_taken_apart(operation: Operation, query: &Query) -> bool {
    if operation != Operation::SystemEvents {
        return false;
    }
    let filters = json::parse(query.get("filters").unwrap_or_default().as_bytes());
    let filters = filters.unwrap_or(Value::Null);
    let values = |name: &str| {
        let filter = filters.get(name).unwrap_or(&Value::Null);
        let keys = filter.members().map(|(key, _)| key.to_string());
        let values: Vec<String> = filter.texts().map(str::to_owned).chain(keys).collect();
        values
    };
    let (labels, types) = (values("label"), values("type"));
    let is_labelled = |kind: &String| LABELLED.contains(&kind.as_str());
    labels.is_empty() && (types.is_empty() || !types.iter().all(is_labelled))
}

/// Types of events in which the daemon tells labels.
const LABELLED: &[&str] = &["container", "image"];

/// Leaves of events those of one's own.
#[derive(Debug, Clone)]
pub(in crate::decision) struct OwnEvents {
    owner: String,
    /// Whether each of these is the owner's.
    known: BTreeMap<Reference, bool>,
}

impl OwnEvents {
    pub(in crate::decision) fn of(request: &EngineRequest, facts: &Facts) -> Option<Self> {
        facts.shared.as_ref()?;
        let operation = request.operation()?;
        is_taken_apart(operation, &request.head.query).then(|| Self {
            owner: facts.owner.clone(),
            known: BTreeMap::new(),
        })
    }

    pub(in crate::decision) fn owner(&self) -> &str {
        &self.owner
    }

    /// Of what it must be known whose it is, before this event can be shown.
    pub(in crate::decision) fn unknown(&self, event: &Value) -> Option<Reference> {
        thing(event).filter(|thing| !self.known.contains_key(thing))
    }

    pub(in crate::decision) fn learn(&mut self, thing: Reference, is_own: bool) {
        if self.known.len() >= MOST_KNOWN {
            // It is asked about again.
            self.known.pop_first();
        }
        self.known.insert(thing, is_own);
    }

    pub(in crate::decision) fn show(&mut self, event: &Value) -> bool {
        let Some(thing) = thing(event) else {
            let attributes = event.get("Actor").and_then(|actor| actor.get("Attributes"));
            let owner = attributes.map_or("", |attributes| attributes.text(OWNER_LABEL));
            return LABELLED.contains(&event.text("Type")) && owner == self.owner;
        };
        let is_own = self.known.get(&thing) == Some(&true);
        // Another's can have its name from now on.
        if matches!(event.text("Action"), "destroy" | "remove") {
            self.known.remove(&thing);
        }
        is_own
    }
}

/// What an event is about, if its labels are not told.
fn thing(event: &Value) -> Option<Reference> {
    let id = event.get("Actor")?.text("ID").to_owned();
    match event.text("Type") {
        "network" => Some(Reference::Network(id)),
        "volume" => Some(Reference::Volume(id)),
        "service" => Some(Reference::Thing(Kind::Service, id)),
        "secret" => Some(Reference::Thing(Kind::Secret, id)),
        "config" => Some(Reference::Thing(Kind::Config, id)),
        _ => None,
    }
}

/// Things that are remembered for one stream of events.
const MOST_KNOWN: usize = 16 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn asks(target: &str) -> bool {
        let head = crate::engine_api::RequestHead::parse("GET", target).unwrap();
        is_taken_apart(Operation::SystemEvents, &head.query)
    }

    #[test]
    fn the_daemon_narrows_what_it_can() {
        for (filters, expected) in [
            ("", true),
            ("?filters={}", true),
            ("?filters={\"type\":[\"container\"]}", false),
            (
                "?filters={\"type\":{\"image\":true,\"container\":true}}",
                false,
            ),
            ("?filters={\"type\":[\"container\",\"network\"]}", true),
            ("?filters={\"label\":[\"a\"]}", false),
            ("?filters={\"label\":{\"a\":false}}", false),
            ("?filters={\"label\":[]}", true),
            ("?filters={\"event\":[\"create\"]}", true),
        ] {
            assert_eq!(asks(&format!("/events{filters}")), expected, "{filters}");
        }
    }

    fn event(kind: &str, action: &str, id: &str, attributes: &str) -> Value {
        let text = format!(
            r#"{{"Type":"{kind}","Action":"{action}","Actor":{{"ID":"{id}","Attributes":{{{attributes}}}}}}}"#
        );
        json::parse(text.as_bytes()).unwrap()
    }

    fn events() -> OwnEvents {
        OwnEvents {
            owner: "alice".to_owned(),
            known: BTreeMap::new(),
        }
    }

    #[test]
    fn events_with_labels_are_known_by_them() {
        let mut events = events();
        for (kind, attributes, expected) in [
            ("container", r#""dockgate.owner":"alice""#, true),
            ("image", r#""dockgate.owner":"alice""#, true),
            ("container", r#""dockgate.owner":"bob""#, false),
            ("container", "", false),
            ("node", r#""dockgate.owner":"alice""#, false),
            ("daemon", r#""dockgate.owner":"alice""#, false),
            ("of the future", r#""dockgate.owner":"alice""#, false),
        ] {
            let event = event(kind, "create", "x", attributes);
            assert_eq!(events.unknown(&event), None, "{kind}");
            assert_eq!(events.show(&event), expected, "{kind} {attributes}");
        }
    }

    #[test]
    fn other_events_are_shown_once_it_is_known_whose_they_are() {
        let mut events = events();
        for kind in ["network", "volume", "service", "secret", "config"] {
            for (id, is_own) in [("a", true), ("b", false)] {
                let created = event(kind, "create", id, r#""dockgate.owner":"alice""#);
                let thing = events.unknown(&created).unwrap();
                assert!(!events.show(&created), "{kind} {id}");
                events.learn(thing, is_own);
                assert_eq!(events.unknown(&created), None, "{kind} {id}");
                assert_eq!(events.show(&created), is_own, "{kind} {id}");
                let removed = event(kind, "remove", id, "");
                assert_eq!(events.show(&removed), is_own, "{kind} {id}");
                // What has the name now can be anyone's.
                assert!(events.unknown(&created).is_some(), "{kind} {id}");
            }
        }
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut events = events();
        for number in 0..MOST_KNOWN + 9 {
            events.learn(Reference::Volume(number.to_string()), true);
        }
        assert_eq!(events.known.len(), MOST_KNOWN);
    }
}
