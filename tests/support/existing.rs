//! What requests refer to, where no daemon is asked: containers that have nothing of the host, and no volumes.

use dockgate::decision::{Facts, Found, Reference, references};
use dockgate::engine_api::{EngineRequest, ExistingContainer};
use dockgate::policy::Policy;

/// The facts of a daemon whose containers are all ordinary and which has no volumes.
pub(crate) fn facts(policy: &Policy, request: &EngineRequest) -> Facts {
    let mut facts = Facts::default();
    for reference in references(policy, request) {
        match reference {
            Reference::Container(_) | Reference::Exec(_) => {
                let id = "0a".repeat(32);
                let text = format!(r#"{{"Id":"{id}","HostConfig":{{"NetworkMode":"default"}}}}"#);
                let container = ExistingContainer::read(text.as_bytes()).unwrap();
                facts.container = Some(Found::Is(container));
            }
            Reference::Volume(name) => {
                let message = format!("get {name}: no such volume");
                let answer = Found::Answered {
                    status: 404,
                    message,
                };
                facts.volumes.insert(name, answer);
            }
        }
    }
    facts
}
