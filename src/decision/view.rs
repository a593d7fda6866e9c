//! What the client gets to see of the answer to a permitted request.

use super::facts::Facts;
use super::own::Owning;
use super::quiet::Hiding;
use crate::engine_api::json::Value;
use crate::engine_api::{EngineRequest, Operation};
use crate::policy::Policy;

/// What must be done to the answer before the client gets it; without one the answer is not even read.
#[derive(Debug, Clone)]
pub struct View {
    shape: AnswerShape,
    /// What the policy hides.
    hiding: Option<Hiding>,
    /// What is the client's own.
    owning: Option<Owning>,
}

/// How the JSON of an answer is taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnswerShape {
    /// One value, shown as a whole.
    Object,
    /// An array, shown element by element.
    List,
    /// One object after the other, each shown as soon as it is there.
    Stream,
}

impl View {
    /// `None` where the policy hides nothing that the answer can have, and nothing in it is another owner's.
    pub(super) fn of(policy: &Policy, request: &EngineRequest, facts: &Facts) -> Option<Self> {
        if policy.permits_everything {
            return None;
        }
        let operation = request.operation()?;
        let hiding = Hiding::of(&policy.quiet, operation);
        let owning = Owning::of(operation, facts);
        let is_needed = hiding.is_some() || owning.is_some();
        is_needed.then(|| Self {
            shape: shape(operation),
            hiding,
            owning,
        })
    }

    /// How the answer is to be taken apart.
    #[must_use]
    pub fn shape(&self) -> AnswerShape {
        self.shape
    }

    /// Makes of the answer, or of one element of it, what the client may see; `false` where it may not see it at all.
    #[must_use]
    pub fn show(&self, item: &mut Value) -> bool {
        let is_shown = self.owning.as_ref().is_none_or(|owning| owning.show(item));
        if let Some(hiding) = self.hiding.as_ref().filter(|_| is_shown) {
            hiding.hide(item);
        }
        is_shown
    }
}

fn shape(operation: Operation) -> AnswerShape {
    use Operation as O;
    if operation == O::SystemEvents {
        return AnswerShape::Stream;
    }
    let is_list = matches!(
        operation,
        O::ContainerList
            | O::ImageList
            | O::ImageHistory
            | O::ImageAttestations
            | O::NetworkList
            | O::PluginList
            | O::NodeList
            | O::ServiceList
            | O::TaskList
            | O::SecretList
            | O::ConfigList
    );
    if is_list {
        AnswerShape::List
    } else {
        AnswerShape::Object
    }
}
