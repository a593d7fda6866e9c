//! What the gate knows about a request beside the request itself, before it decides.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::host_paths::HostFile;
use super::references::{Reference, references, references_of};
use crate::engine_api::json::Value;
use crate::engine_api::{
    EngineRequest, ExistingContainer, ExistingImage, ExistingNetwork, ExistingVolume, Kind,
    Malformed, Owned,
};
use crate::policy::{Icc, Policy, Shared, Subnet};

/// What the gate found out about what a request refers to, before it decides.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// The name under which the client owns what it makes.
    pub owner: String,
    /// Where the client keeps to its own: what it may use beside that.
    pub shared: Option<Arc<Shared>>,
    /// For each host path that the request names: where it leads on the host, or why that cannot be told.
    pub host_paths: BTreeMap<String, Result<HostFile, String>>,
    /// For paths that the policy opens: where each leads, or why it opens nothing; as it is written where nothing is said.
    pub opened: BTreeMap<String, Result<String, String>>,
    /// Opened paths in whose place somebody could put another, or has: how.
    pub movable: BTreeMap<String, String>,
    /// Host paths that no container may reach, whatever a policy opens: the daemon's socket and the gate's own files.
    pub protected: Vec<String>,
    /// Addresses that the host has, and those that it reaches otherwise than by Docker's networks or by default.
    pub routed: Vec<Subnet>,
    /// Why these could not be read.
    pub routes_unread: Option<String>,
    /// The container that the request enters, starts or changes.
    pub container: Option<Found<ExistingContainer>>,
    /// Whether the exec instance that the request starts has every right of root on the host, whoever made it.
    pub exec_is_privileged: bool,
    /// By the text that names it: each other container that the request, or one of these, joins or links.
    pub others: BTreeMap<String, Found<ExistingContainer>>,
    /// By its name: each volume that the request mounts, or that the container has.
    pub volumes: BTreeMap<String, Found<ExistingVolume>>,
    /// By the text that names it: each network that is joined.
    pub networks: BTreeMap<String, Found<ExistingNetwork>>,
    /// By the text that names it: each network of the swarm that a service joins.
    pub swarm_networks: BTreeMap<String, Found<ExistingNetwork>>,
    /// By its id, or the beginning of that.
    pub images: BTreeMap<String, Found<ExistingImage>>,
    /// By kind and the text that names it: whose it is.
    pub things: BTreeMap<(Kind, String), Found<Owned>>,
}

/// What the daemon says of a reference.
#[derive(Debug, Clone, PartialEq)]
pub enum Found<T> {
    Is(T),
    /// It answers with an error that its client may as well have: there is no such thing, or no daemon.
    Answered {
        status: u16,
        message: String,
    },
    /// It cannot be found out, and why.
    Unknown(String),
}

impl<T> Found<T> {
    /// The same of what it tells.
    pub fn map<U>(&self, told: impl FnOnce(&T) -> U) -> Found<U> {
        match self {
            Self::Is(thing) => Found::Is(told(thing)),
            Self::Answered { status, message } => Found::Answered {
                status: *status,
                message: message.clone(),
            },
            Self::Unknown(cause) => Found::Unknown(cause.clone()),
        }
    }
}

impl Facts {
    /// Whether the reference has been looked up, whatever came of it.
    #[must_use]
    pub fn has(&self, reference: &Reference) -> bool {
        match reference {
            Reference::Container(_) | Reference::Exec(_) => self.container.is_some(),
            Reference::Other(name) => self.others.contains_key(name),
            Reference::Volume(name) => self.volumes.contains_key(name),
            Reference::Network(name) => self.networks.contains_key(name),
            Reference::SwarmNetwork(name) => self.swarm_networks.contains_key(name),
            Reference::Image(name) => self.images.contains_key(name),
            Reference::Thing(kind, name) => self.things.contains_key(&(*kind, name.clone())),
        }
    }

    /// Takes what was not looked up, and what containers refer to in their turn, for the ordinary.
    pub(super) fn fill(&mut self, policy: &Policy, mut wanted: Vec<Reference>) {
        for container in self.containers() {
            wanted.append(&mut references_of(policy, container));
        }
        while let Some(reference) = wanted.pop() {
            if self.has(&reference) {
                continue;
            }
            match reference {
                Reference::Container(_) | Reference::Exec(_) => {
                    let container = ordinary_container();
                    wanted.append(&mut references_of(policy, &container));
                    self.container = Some(Found::Is(container));
                }
                Reference::Other(name) => {
                    let container = ExistingContainer {
                        name: name.clone(),
                        ..ordinary_container()
                    };
                    wanted.append(&mut references_of(policy, &container));
                    self.others.insert(name, Found::Is(container));
                }
                Reference::Volume(name) => {
                    let message = format!("get {name}: no such volume");
                    self.volumes.insert(name, absent(message));
                }
                Reference::Network(name) => {
                    let network = ordinary_network(policy, &name, &self.owner);
                    self.networks.insert(name, Found::Is(network));
                }
                Reference::SwarmNetwork(name) => {
                    let network = ExistingNetwork {
                        id: name.clone(),
                        scope: "swarm".to_owned(),
                        ..ordinary_network(policy, &name, &self.owner)
                    };
                    self.swarm_networks.insert(name, Found::Is(network));
                }
                Reference::Image(id) if id == ordinary_image().id => {
                    self.images.insert(id, Found::Is(ordinary_image()));
                }
                Reference::Image(id) => {
                    let message = format!("No such image: {id}");
                    self.images.insert(id, absent(message));
                }
                Reference::Thing(kind, name) => {
                    let thing = Owned {
                        id: name.clone(),
                        owner: Some(self.owner.clone()),
                        ..Owned::default()
                    };
                    self.things.insert((kind, name), Found::Is(thing));
                }
            }
        }
    }

    /// The containers that the request refers to, so far as they are known.
    pub fn containers(&self) -> impl Iterator<Item = &ExistingContainer> {
        let all = self.container.iter().chain(self.others.values());
        all.filter_map(|found| match found {
            Found::Is(container) => Some(container),
            Found::Answered { .. } | Found::Unknown(_) => None,
        })
    }
}

/// The facts where no daemon is asked: every container has nothing of the host, every network is the client's own, no
/// image has a name, and there are no volumes.
#[must_use]
pub fn ordinary_facts(policy: &Policy, request: &EngineRequest) -> Facts {
    facts_beside(policy, request, None)
}

/// Likewise, where the container that the request enters, starts or changes has this `HostConfig`.
///
/// # Errors
/// [`Malformed`] where that is none.
pub fn facts_of_container(
    policy: &Policy,
    request: &EngineRequest,
    host_config: &str,
) -> Result<Facts, Malformed> {
    let id = "0a".repeat(32);
    let described = format!(
        r#"{{"Id":"{id}","Name":"/ordinary","Config":{{"Image":"busybox"}},"HostConfig":{host_config}}}"#
    );
    let container = ExistingContainer::read(described.as_bytes())?;
    Ok(facts_beside(policy, request, Some(container)))
}

fn facts_beside(
    policy: &Policy,
    request: &EngineRequest,
    container: Option<ExistingContainer>,
) -> Facts {
    let mut facts = Facts {
        owner: "client".to_owned(),
        container: container.map(Found::Is),
        ..Facts::default()
    };
    facts.fill(policy, references(policy, request));
    facts
}

fn absent<T>(message: String) -> Found<T> {
    Found::Answered {
        status: 404,
        message,
    }
}

fn ordinary_container() -> ExistingContainer {
    let text = |text: &str| Value::Text(text.into());
    ExistingContainer {
        id: "0a".repeat(32),
        name: "ordinary".to_owned(),
        image: "busybox".to_owned(),
        image_id: ordinary_image().id,
        host_config: Value::Object(vec![("NetworkMode".into(), text("default"))]),
        volumes: Vec::new(),
        inherited: Vec::new(),
        networks: Vec::new(),
        owner: None,
    }
}

/// That of every container; nobody else names it.
fn ordinary_image() -> ExistingImage {
    ExistingImage {
        id: format!("sha256:{}", "0c".repeat(32)),
        tags: vec!["busybox:latest".to_owned()],
        digests: Vec::new(),
    }
}

fn ordinary_network(policy: &Policy, name: &str, owner: &str) -> ExistingNetwork {
    ExistingNetwork {
        id: "0b".repeat(32),
        name: name.to_owned(),
        driver: "bridge".to_owned(),
        scope: "local".to_owned(),
        has_icc: policy.network.icc.value != Icc::Never && name != "bridge",
        owner: Some(owner.to_owned()),
    }
}
