//! What the daemon's errors tell of others: it names by their ids who has a name, or uses a thing.

use super::super::facts::{Facts, Found};
use super::super::quiet::HIDDEN;
use super::{SHORT_ID, Whose, seen, seen_network};
use crate::engine_api::json::Value;
use crate::engine_api::{EngineRequest, ExistingNetwork, Operation};

/// Leaves of an error's message the ids that the request named itself.
#[derive(Debug, Clone)]
pub(in crate::decision) struct Conflict {
    /// What the request names, and its full ids.
    named: Vec<String>,
}

impl Conflict {
    /// `None` where another's thing cannot stand in the way.
    pub(in crate::decision) fn of(request: &EngineRequest, facts: &Facts) -> Option<Self> {
        let shared = facts.shared.as_ref()?;
        let operation = request.operation()?;
        let name = request.head.target.name().unwrap_or_default();
        let networks = || facts.networks.values().filter_map(told);
        let is_shared =
            |network: &ExistingNetwork| seen_network(shared, &network.name, false) == Whose::Shared;
        let concerns_others = [
            (Operation::ContainerCreate, true),
            (Operation::ContainerRename, true),
            (Operation::ImageDelete, shared.images),
            (
                Operation::VolumeDelete,
                seen(&shared.volumes, name) == Whose::Shared,
            ),
            (Operation::NetworkDelete, networks().any(is_shared)),
        ];
        let concerns_others = concerns_others.contains(&(operation, true));
        if !concerns_others {
            return None;
        }
        let asked = request.head.query.get("name").unwrap_or_default();
        let things = facts.things.values().filter_map(told);
        let images = facts.images.values().filter_map(told);
        let ids = things.map(|thing| &thing.id);
        let ids = ids.chain(images.map(|image| &image.id));
        let ids = ids.chain(networks().map(|network| &network.id)).cloned();
        let named = [name.to_owned(), asked.to_owned()];
        Some(Self {
            named: named.into_iter().chain(ids).collect(),
        })
    }

    /// Rewords the body of an error.
    pub(in crate::decision) fn reword(&self, answer: &mut Value) {
        let message = self.without_ids(answer.text("message"));
        if let Some(place) = answer.get_mut("message") {
            *place = Value::Text(message.into());
        }
    }

    fn without_ids(&self, message: &str) -> String {
        // moby: libnetwork/error.go, since 28 `has active endpoints (name:"…" id:"…")`.
        let message = message.split(" (name:").next().unwrap_or_default();
        let mut reworded = String::with_capacity(message.len());
        let mut rest = message;
        while let Some(start) = rest.find(|c: char| c.is_ascii_alphanumeric()) {
            let (before, word) = rest.split_at(start);
            let end = word.find(|c: char| !c.is_ascii_alphanumeric());
            let (word, after) = word.split_at(end.unwrap_or(word.len()));
            reworded.push_str(before);
            reworded.push_str(if self.is_told(word) { word } else { HIDDEN });
            rest = after;
        }
        reworded + rest
    }

    fn is_told(&self, word: &str) -> bool {
        let is_hex = word.bytes().all(|byte| byte.is_ascii_hexdigit());
        let is_of_swarm = word.len() == 25 && word.bytes().any(|byte| byte.is_ascii_digit());
        let is_id = is_of_swarm || (is_hex && word.len() >= SHORT_ID);
        !is_id || self.named.iter().any(|named| named.contains(word))
    }
}

fn told<T>(found: &Found<T>) -> Option<&T> {
    match found {
        Found::Is(thing) => Some(thing),
        Found::Answered { .. } | Found::Unknown(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_id_is_told_but_those_that_the_request_named() {
        let (others, own) = ("e0".repeat(32), "1234567890ab".to_owned());
        let conflict = Conflict {
            named: vec!["web".to_owned(), own.clone()],
        };
        let reworded = |message: &str| conflict.without_ids(message);
        assert_eq!(
            reworded(&format!(
                "Conflict. The container name \"/web\" is already in use by container \"{others}\". You have to remove"
            )),
            format!(
                "Conflict. The container name \"/web\" is already in use by container \"{HIDDEN}\". You have to remove"
            )
        );
        assert_eq!(
            reworded(&format!(
                "conflict: unable to delete {own} (must be forced) - image is being used by stopped container 307bb2e10ae6"
            )),
            format!(
                "conflict: unable to delete {own} (must be forced) - image is being used by stopped container {HIDDEN}"
            )
        );
        assert_eq!(
            reworded("network x has active endpoints (name:\"theirs\" id:\"307bb2e10ae6\")"),
            "network x has active endpoints"
        );
        assert_eq!(
            reworded("in use by service 4792w4xdsgvz3nrg8jdr35oq1"),
            format!("in use by service {HIDDEN}")
        );
        for message in [
            "",
            "nothing of anyone's",
            "a name: façade-ü 123",
            "x-1234567890ab",
        ] {
            assert_eq!(reworded(message), message);
        }
    }
}
