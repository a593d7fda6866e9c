//! What a policy hides from those who may read: which places of an answer, and what stands there in place of a value.

mod asked;
mod events;
mod hide;
mod info;
mod places;
mod swarm;

use std::sync::Arc;

pub use crate::engine_api::HIDDEN;
use crate::engine_api::HIDDEN_BYTES;
use crate::engine_api::Operation;
use crate::engine_api::json::Value;
use crate::policy::Quiet;

use places::{Form, Kind, Place, tables};

/// The places of one operation's answer that a policy hides.
#[derive(Debug, Clone)]
pub(super) struct Hiding {
    quiet: Arc<Quiet>,
    /// Each beneath what leads to its table.
    places: Vec<(&'static str, &'static Place)>,
}

impl Hiding {
    /// `None` where the policy hides nothing in the answers to this operation.
    pub(super) fn of(quiet: &Arc<Quiet>, operation: Operation) -> Option<Self> {
        if !quiet.hides_anything() {
            return None;
        }
        let is_hidden = |place: &&Place| place.kinds.iter().any(|kind| kind.is_hidden(quiet));
        let places: Vec<_> = tables(operation)
            .flat_map(|(_, beneath, places)| {
                let hidden = places.iter().filter(is_hidden);
                hidden.map(|place| (*beneath, place))
            })
            .collect();
        (!places.is_empty()).then(|| Self {
            quiet: Arc::clone(quiet),
            places,
        })
    }

    /// Puts the placeholder in the place of every hidden value.
    pub(super) fn hide(&self, item: &mut Value) {
        for (beneath, place) in &self.places {
            hide::visit(item, beneath, &mut |table| {
                hide::visit(table, place.path, &mut |value| {
                    hide::hide(value, place.form, &self.quiet);
                });
            });
        }
    }
}

/// The keys of `[quiet]` that hide something in the answers to an operation.
#[must_use]
pub fn hiding_keys(operation: Operation) -> Vec<&'static str> {
    let is_of = |kind: &Kind| {
        tables(operation).any(|(.., places)| places.iter().any(|place| place.kinds.contains(kind)))
    };
    let kinds = Kind::ALL.into_iter().filter(is_of);
    kinds.map(Kind::name).collect()
}

/// Every place that can be hidden in the answers to an operation, as `Config.Env` with `[]` for each item of a list and
/// `*` for each value of an object.
#[must_use]
pub fn hidden_places(operation: Operation) -> Vec<String> {
    let joined = |beneath: &str, path: &str| match (beneath, path) {
        ("", only) | (only, "") => only.to_owned(),
        (beneath, path) => format!("{beneath}.{path}"),
    };
    tables(operation)
        .flat_map(|(_, beneath, places)| {
            places.iter().map(move |place| match place.path {
                // What is hidden there depends on another part of the answer.
                _ if place.form == Form::HostName => "Config.Hostname".to_owned(),
                path => joined(beneath, path),
            })
        })
        .collect()
}
