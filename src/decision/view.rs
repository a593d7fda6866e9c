//! What the client gets to see of the answer to a permitted request.

use super::facts::Facts;
use super::own::{Conflict, OwnEvents, Owning};
use super::quiet::Hiding;
use super::references::Reference;
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
    /// Likewise of events.
    events: Option<OwnEvents>,
    /// What an error tells of others.
    conflict: Option<Conflict>,
}

/// How the JSON of an answer is taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnswerShape {
    /// One value, shown as a whole.
    Object,
    /// An array, shown element by element.
    List,
    /// An object, of which the list of this key is shown element by element.
    Within(&'static str),
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
        let owning = Owning::of(request, facts);
        let events = OwnEvents::of(request, facts);
        let conflict = Conflict::of(request, facts);
        let view = Self {
            shape: shape(operation),
            hiding,
            owning,
            events,
            conflict,
        };
        (view.takes_apart() || view.conflict.is_some()).then_some(view)
    }

    /// Whether an answer of success is read.
    #[must_use]
    pub fn takes_apart(&self) -> bool {
        self.hiding.is_some() || self.owning.is_some() || self.events.is_some()
    }

    /// What of it holds for an answer with this status; `None` where that passes as it is.
    #[must_use]
    pub fn for_status(self: Box<Self>, status: u16) -> Option<Box<Self>> {
        let mut view = self;
        match status {
            200..300 if view.takes_apart() => {
                view.conflict = None;
                Some(view)
            }
            400.. => Some(Box::new(Self {
                shape: AnswerShape::Object,
                hiding: None,
                owning: None,
                events: None,
                conflict: Some(view.conflict.take()?),
            })),
            _ => None,
        }
    }

    /// How the answer is to be taken apart.
    #[must_use]
    pub fn shape(&self) -> AnswerShape {
        self.shape
    }

    /// The owner whose events are shown, where it must be known of things whose they are.
    #[must_use]
    pub fn owner_of_events(&self) -> Option<&str> {
        self.events.as_ref().map(OwnEvents::owner)
    }

    /// Of what it must be known whose it is, before this event can be shown.
    #[must_use]
    pub fn unknown(&self, event: &Value) -> Option<Reference> {
        self.events.as_ref()?.unknown(event)
    }

    /// Takes in whose a thing is.
    pub fn learn(&mut self, thing: Reference, is_own: bool) {
        if let Some(events) = &mut self.events {
            events.learn(thing, is_own);
        }
    }

    /// Makes of the answer, or of one element of it, what the client may see; `false` where it may not see it at all.
    #[must_use]
    pub fn show(&mut self, item: &mut Value) -> bool {
        if let Some(conflict) = &self.conflict {
            conflict.reword(item);
        }
        let is_own = self.events.as_mut().is_none_or(|events| events.show(item));
        let is_shown = is_own && self.owning.as_ref().is_none_or(|owning| owning.show(item));
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
    if operation == O::VolumeList {
        return AnswerShape::Within("Volumes");
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
