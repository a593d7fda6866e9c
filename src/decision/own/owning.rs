//! What an owner gets to see of answers that the daemon cannot narrow by a label itself.

use std::sync::Arc;

use super::super::facts::{Facts, Found};
use super::{Whose, seen, seen_network};
use crate::engine_api::json::Value;
use crate::engine_api::{ExistingNetwork, OWNER_LABEL, Operation};
use crate::policy::Shared;

/// Leaves of an answer what is the owner's or shared.
#[derive(Debug, Clone)]
pub(in crate::decision) struct Owning {
    answer: Answer,
    owner: String,
    shared: Arc<Shared>,
}

/// Which answer it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    Networks,
    Network,
    Images,
    Volumes,
    DataUsage,
}

impl Owning {
    /// `None` where the answer holds nothing of others, or the daemon leaves it out itself.
    pub(in crate::decision) fn of(operation: Operation, facts: &Facts) -> Option<Self> {
        let shared = facts.shared.as_ref()?;
        let is_own = |found: &Found<ExistingNetwork>| match found {
            Found::Is(network) => network.owner.as_ref() == Some(&facts.owner),
            Found::Answered { .. } | Found::Unknown(_) => false,
        };
        let answers = [
            (Operation::NetworkList, Answer::Networks),
            (Operation::NetworkInspect, Answer::Network),
            (Operation::ImageList, Answer::Images),
            (Operation::VolumeList, Answer::Volumes),
            (Operation::SystemDataUsage, Answer::DataUsage),
        ];
        let (_, answer) = answers.into_iter().find(|(of, _)| *of == operation)?;
        let holds_others = match answer {
            Answer::Network => !facts.networks.values().all(is_own),
            Answer::Images => !shared.images,
            Answer::Networks | Answer::Volumes | Answer::DataUsage => true,
        };
        holds_others.then(|| Self {
            answer,
            owner: facts.owner.clone(),
            shared: Arc::clone(shared),
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
            Answer::Images => self.image(item),
            Answer::Volumes => {
                self.retain(item, "Volumes", Self::volume);
                true
            }
            Answer::DataUsage => {
                self.retain(item, "Volumes", Self::volume);
                self.retain(item, "Containers", Self::is_own);
                self.retain(item, "BuildCache", |_, _| false);
                if !self.shared.images {
                    self.retain(item, "Images", Self::image);
                }
                self.newer_data_usage(item);
                true
            }
        }
    }

    /// From API 1.52 on each kind has its items beside its sums.
    fn newer_data_usage(&self, item: &mut Value) {
        if let Some(usage) = item.get_mut("VolumeUsage") {
            self.retain(usage, "Items", Self::volume);
        }
        if let Some(usage) = item.get_mut("ContainerUsage") {
            self.retain(usage, "Items", Self::is_own);
        }
        if let Some(usage) = item.get_mut("BuildCacheUsage") {
            self.retain(usage, "Items", |_, _| false);
        }
        if let Some(usage) = item.get_mut("ImageUsage").filter(|_| !self.shared.images) {
            self.retain(usage, "Items", Self::image);
        }
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

    fn is_own(&self, item: &mut Value) -> bool {
        Self::owner_of(item) == Some(&self.owner)
    }

    fn volume(&self, item: &mut Value) -> bool {
        self.is_own(item) || seen(&self.shared.volumes, item.text("Name")) == Whose::Shared
    }

    fn image(&self, item: &mut Value) -> bool {
        self.is_own(item) || Self::owner_of(item).is_none()
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
