//! What an owner is told of what is not there for it: the same words whether it is another's or nobody made it.

use super::super::references::Reference;
use super::named::{Named, Purpose};
use crate::engine_api::{EngineRequest, Kind, Operation, reference};
use crate::policy::Shared;

impl Named {
    pub(super) fn is_volume(&self) -> bool {
        matches!(self.reference, Reference::Volume(_))
    }

    /// Whether a request that names what is not there goes on, since the daemon makes it, or says itself that it is not
    /// there; never where another's would be told otherwise.
    pub(super) fn may_be_absent(&self, shared: &Shared) -> bool {
        match self.purpose {
            Purpose::Make | Purpose::Pull | Purpose::Mount => true,
            // The daemon's answer to a create without its image is what clients pull for.
            Purpose::Use => {
                shared.images && matches!(self.reference, Reference::Thing(Kind::Image, _))
            }
            Purpose::Change | Purpose::Tag => false,
        }
    }

    /// The daemon's own words for what is not there.
    pub(super) fn absent(&self, request: &EngineRequest) -> (u16, String) {
        let name = &self.name;
        let is_forced = request.head.query.get("force") == Some("1");
        let message = match &self.reference {
            Reference::Volume(_)
                if is_forced && request.operation() == Some(Operation::VolumeDelete) =>
            {
                return (204, String::new());
            }
            Reference::Container(_)
            | Reference::Other(_)
            | Reference::Thing(Kind::Container, _) => {
                format!("No such container: {name}")
            }
            Reference::Exec(_) | Reference::Thing(Kind::Exec, _) => {
                format!("No such exec instance: {name}")
            }
            Reference::Volume(_) => format!("get {name}: no such volume"),
            Reference::Network(_) | Reference::SwarmNetwork(_) => {
                format!("network {name} not found")
            }
            Reference::Image(_) | Reference::Thing(Kind::Image, _) => {
                format!("No such image: {}", reference::familiar(name))
            }
            Reference::Thing(Kind::Service, _) => format!("service {name} not found"),
            Reference::Thing(Kind::Task, _) => format!("task {name} not found"),
            Reference::Thing(Kind::Secret, _) => format!("secret {name} not found"),
            Reference::Thing(Kind::Config, _) => format!("config {name} not found"),
        };
        (404, message)
    }
}
