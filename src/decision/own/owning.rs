//! What an owner gets to see of answers that the daemon cannot narrow by a label itself.

use std::sync::Arc;

use super::super::facts::{Facts, Found};
use super::{Whose, seen, seen_network, usage};
use crate::engine_api::json::Value;
use crate::engine_api::{EngineRequest, ExistingNetwork, OWNER_LABEL, Operation};
use crate::policy::Shared;

/// Leaves of an answer what is the owner's or shared.
#[derive(Debug, Clone)]
pub(in crate::decision) struct Owning {
    answer: Answer,
    owner: String,
    shared: Arc<Shared>,
    /// Whether the client asked for the sums of a `DataUsage` alone.
    is_brief: bool,
}

/// Which answer it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    Networks,
    Network,
    Images,
    Image,
    Volumes,
    DataUsage,
}

impl Owning {
    /// `None` where the answer holds nothing of others, or the daemon leaves it out itself.
    pub(in crate::decision) fn of(request: &EngineRequest, facts: &Facts) -> Option<Self> {
        let shared = facts.shared.as_ref()?;
        let (operation, query) = (request.operation()?, &request.head.query);
        let is_own = |found: &Found<ExistingNetwork>| match found {
            Found::Is(network) => network.owner.as_ref() == Some(&facts.owner),
            Found::Answered { .. } | Found::Unknown(_) => false,
        };
        let answers = [
            (Operation::NetworkList, Answer::Networks),
            (Operation::NetworkInspect, Answer::Network),
            (Operation::ImageList, Answer::Images),
            (Operation::ImageInspect, Answer::Image),
            (Operation::VolumeList, Answer::Volumes),
            (Operation::SystemDataUsage, Answer::DataUsage),
        ];
        let (_, answer) = answers.into_iter().find(|(of, _)| *of == operation)?;
        let holds_others = match answer {
            Answer::Network => !facts.networks.values().all(is_own),
            Answer::Image => query.get("manifests") == Some("1"),
            Answer::Networks | Answer::Images | Answer::Volumes | Answer::DataUsage => true,
        };
        holds_others.then(|| Self {
            answer,
            owner: facts.owner.clone(),
            shared: Arc::clone(shared),
            is_brief: query.get("verbose") == Some("0"),
        })
    }

    /// Whether the answer, or this element of it, is shown; what of it is another's is gone.
    pub(in crate::decision) fn show(&self, item: &mut Value) -> bool {
        match self.answer {
            Answer::Networks => self.network(item),
            Answer::Network => {
                self.network(item);
                true
            }
            Answer::Images => {
                usage::replace(item, "Containers", -1);
                without_users(item);
                self.image(item)
            }
            Answer::Image => {
                without_users(item);
                true
            }
            Answer::Volumes => {
                self.retain(item, "Volumes", Self::volume);
                true
            }
            Answer::DataUsage => {
                self.usage(item, self.is_brief);
                true
            }
        }
    }

    pub(super) fn shows_all_images(&self) -> bool {
        self.shared.images
    }

    fn retain(&self, item: &mut Value, list: &str, is_shown: impl Fn(&Self, &mut Value) -> bool) {
        if let Some(Value::List(items)) = item.get_mut(list) {
            items.retain_mut(|item| is_shown(self, item));
        }
    }

    fn owner_of(item: &Value) -> Option<&str> {
        let label = item.get("Labels")?.get(OWNER_LABEL)?;
        Some(label.as_text())
    }

    pub(super) fn is_own(&self, item: &mut Value) -> bool {
        Self::owner_of(item) == Some(&self.owner)
    }

    pub(super) fn volume(&self, item: &mut Value) -> bool {
        let is_shared = seen(&self.shared.volumes, item.text("Name")) == Whose::Shared;
        if let Some(usage) = item.get_mut("UsageData").filter(|_| is_shared) {
            // It counts the containers of all.
            usage::replace(usage, "RefCount", -1);
        }
        is_shared || self.is_own(item)
    }

    pub(super) fn image(&self, item: &mut Value) -> bool {
        self.shared.images || self.is_own(item) || Self::owner_of(item).is_none()
    }

    /// On a network that is shared are the containers of all.
    fn network(&self, item: &mut Value) -> bool {
        if self.is_own(item) {
            return true;
        }
        for others in ["Containers", "Services", "Peers"] {
            match item.get_mut(others) {
                Some(Value::List(within)) => within.clear(),
                Some(Value::Object(within)) => within.clear(),
                Some(_) | None => {}
            }
        }
        let is_nobodys = Self::owner_of(item).is_none();
        seen_network(&self.shared, item.text("Name"), is_nobodys) == Whose::Shared
    }
}

/// Since API 1.47 the ids of the containers, whoever's, that use a platform of an image.
fn without_users(image: &mut Value) {
    let Some(Value::List(manifests)) = image.get_mut("Manifests") else {
        return;
    };
    let data = manifests
        .iter_mut()
        .filter_map(|manifest| manifest.get_mut("ImageData"));
    for data in data {
        if let Some(Value::List(users)) = data.get_mut("Containers") {
            users.clear();
        }
    }
}
