//! Limits on what a request refers to: a container that is entered or started, a volume that is mounted by its name.

use super::{Facts, Judge, Reason, swarm_reference};
use crate::engine_api::json::Value;
use crate::engine_api::mount::{Mount, Source};
use crate::engine_api::schema::{Class, Limit};
use crate::engine_api::{EngineRequest, ExistingContainer, ExistingNetwork, Field, Operation};
use crate::policy::Policy;

/// Something whose nature the daemon must tell before [`super::decide`] can judge a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reference {
    /// By its name, its id, or the beginning of that.
    Container(String),
    /// An exec instance, and by it the container it belongs to.
    Exec(String),
    Volume(String),
    /// A network of the swarm by its name, its id, or the beginning of that.
    SwarmNetwork(String),
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

/// What must be looked up before this request is judged; nothing where the policy refuses the operation anyway.
#[must_use]
pub fn references(policy: &Policy, request: &EngineRequest) -> Vec<Reference> {
    let is_permitted = request
        .operation()
        .is_some_and(|operation| policy.operations.contains_key(&operation));
    if policy.permits_everything || !is_permitted {
        return Vec::new();
    }
    let mut found: Vec<Reference> = container_of(request).into_iter().collect();
    if request.operation().is_some_and(mounts_volumes) {
        let mut names: Vec<String> = request.fields().iter().flat_map(volume_names).collect();
        names.sort();
        names.dedup();
        found.extend(names.into_iter().map(Reference::Volume));
    }
    found.extend(swarm_reference::networks(request));
    found
}

fn mounts_volumes(operation: Operation) -> bool {
    matches!(
        operation,
        Operation::ContainerCreate | Operation::ServiceCreate | Operation::ServiceUpdate
    )
}

/// Whether a request of the operation is held against what the daemon says of a container.
#[must_use]
pub fn enters_container(operation: Operation) -> bool {
    ENTERING.contains(&operation)
        || matches!(
            operation,
            Operation::ImageCommit | Operation::ExecStart | Operation::ExecResize
        )
}

/// The facts where no daemon is asked: every container has nothing of the host, there are no
/// volumes, and networks of a swarm are what they are called.
#[must_use]
pub fn ordinary_facts(policy: &Policy, request: &EngineRequest) -> Facts {
    let mut facts = Facts::default();
    for reference in references(policy, request) {
        match reference {
            Reference::Container(_) | Reference::Exec(_) => {
                let id = "0a".repeat(32);
                let text = format!(r#"{{"Id":"{id}","HostConfig":{{"NetworkMode":"default"}}}}"#);
                let read = ExistingContainer::read(text.as_bytes());
                facts.container =
                    Some(read.map_or_else(|fault| Found::Unknown(fault.to_string()), Found::Is));
            }
            Reference::Volume(name) => {
                let message = format!("get {name}: no such volume");
                let answer = Found::Answered {
                    status: 404,
                    message,
                };
                facts.volumes.insert(name, answer);
            }
            Reference::SwarmNetwork(name) => {
                let network = ExistingNetwork {
                    id: name.clone(),
                    name: name.clone(),
                    driver: String::new(),
                };
                facts.networks.insert(name, Found::Is(network));
            }
        }
    }
    facts
}

/// The container that the request enters, starts, copies from or changes.
fn container_of(request: &EngineRequest) -> Option<Reference> {
    let operation = request.operation()?;
    if operation == Operation::ImageCommit {
        let container = request.head.query.get("container")?;
        return Some(Reference::Container(container.to_owned()));
    }
    let name = request.head.target.name()?.to_owned();
    if matches!(operation, Operation::ExecStart | Operation::ExecResize) {
        return Some(Reference::Exec(name));
    }
    ENTERING
        .contains(&operation)
        .then_some(Reference::Container(name))
}

/// The operations that name in their path a container to enter, start, copy from or change.
const ENTERING: &[Operation] = &[
    Operation::ContainerStart,
    Operation::ContainerRestart,
    Operation::ContainerUnpause,
    Operation::ContainerExec,
    Operation::ContainerAttach,
    Operation::ContainerAttachWebsocket,
    Operation::ContainerArchiveInfo,
    Operation::ContainerArchive,
    Operation::PutContainerArchive,
    Operation::ContainerExport,
    Operation::ContainerUpdate,
    Operation::ContainerRename,
];

fn volume_names(field: &Field<'_>) -> Vec<String> {
    let items = field.value.items().iter();
    let mounts: Vec<Mount> = match field.class {
        Class::Limited(Limit::Binds) => {
            items.map(|bind| Mount::from_bind(bind.as_text())).collect()
        }
        Class::Limited(Limit::Mounts | Limit::ServiceMounts) => {
            items.map(Mount::from_mount).collect()
        }
        Class::Harmless | Class::Limited(_) | Class::Refused(_) => Vec::new(),
    };
    let name = |mount: Mount| match mount.source {
        Source::Volume { name, .. } if !name.is_empty() => Some(name),
        Source::Volume { .. }
        | Source::HostPath(_)
        | Source::Tmpfs
        | Source::Image(_)
        | Source::Unknown(_) => None,
    };
    mounts.into_iter().filter_map(name).collect()
}

impl Judge<'_> {
    /// Holds the container that the request refers to against the limits of a create.
    pub(super) fn entered_container(&mut self) {
        let container = match &self.facts.container {
            Some(Found::Is(container)) => container,
            // Nothing happens to what is not there; the client gets the daemon's answer.
            Some(Found::Answered { .. }) => return,
            Some(Found::Unknown(cause)) => return self.unknown_container(cause),
            None if references(self.policy, self.request).iter().any(is_entered) => {
                return self.unknown_container("it was not looked up");
            }
            None => return,
        };
        self.existing = Some(container);
        for field in container.fields() {
            self.field(&field);
        }
        if container.host_config.text("NetworkMode").is_empty() {
            self.network_mode("container.HostConfig.NetworkMode", "");
        }
        for network in &container.networks {
            let path = format!("container.NetworkSettings.Networks.{network}");
            self.network_mode(&path, network);
        }
        for volume in &container.volumes {
            self.volume_of_container(volume);
        }
        self.existing = None;
    }

    fn unknown_container(&mut self, cause: &str) {
        let named = match container_of(self.request) {
            Some(
                Reference::Container(name)
                | Reference::Exec(name)
                | Reference::Volume(name)
                | Reference::SwarmNetwork(name),
            ) => name,
            None => String::new(),
        };
        let message = format!("the gate cannot tell what it is: {cause}");
        self.refuse(Reason::new(
            "container-unknown",
            "container",
            &named,
            &message,
        ));
    }

    /// A volume that a container has is there, or the gate cannot tell what the daemon would make of it.
    fn volume_of_container(&mut self, name: &str) {
        let path = format!("container.Mounts.{name}");
        if let Some(Found::Answered { message, .. }) = self.facts.volumes.get(name) {
            self.unknown_volume(&path, name, message);
        } else {
            self.named_volume(&path, name);
        }
    }

    /// A volume that is mounted by its name: one that exists is what its maker made it, whoever mounts it.
    pub(super) fn named_volume(&mut self, path: &str, name: &str) {
        match self.facts.volumes.get(name) {
            Some(Found::Is(volume)) => {
                self.volume_driver(path, &volume.driver);
                self.driver_options(path, &volume.driver, &volume.options);
            }
            Some(Found::Answered { status: 404, .. }) => {}
            Some(Found::Answered { message, .. }) => self.unknown_volume(path, name, message),
            Some(Found::Unknown(cause)) => self.unknown_volume(path, name, cause),
            // Nothing is looked up for what is refused whatever it is.
            None if !self.is_permitted() => {}
            None => self.unknown_volume(path, name, "it was not looked up"),
        }
    }

    fn unknown_volume(&mut self, path: &str, name: &str, cause: &str) {
        let message = format!("the gate cannot tell what this volume is: {cause}");
        self.refuse(Reason::new("volume-unknown", path, name, &message));
    }

    /// Whether a rule permits the operation, so that what it refers to has been looked up.
    pub(super) fn is_permitted(&self) -> bool {
        let operation = self.request.operation();
        operation.is_some_and(|operation| self.policy.operations.contains_key(&operation))
    }

    /// The `HostConfig` under judgement: that of the container that is entered, or that in the request.
    pub(super) fn host_config(&self) -> Option<&Value> {
        match self.existing {
            Some(container) => Some(&container.host_config),
            None => self.body().and_then(|body| body.get("HostConfig")),
        }
    }
}

/// What the daemon answers in place of what was asked for.
pub(super) fn answered(facts: &Facts) -> Option<(u16, String)> {
    match &facts.container {
        Some(Found::Answered { status, message }) => Some((*status, message.clone())),
        Some(Found::Is(_) | Found::Unknown(_)) | None => None,
    }
}

/// The reason to record where the daemon's answer takes the place of a refusal.
pub(super) fn absent(status: u16, message: &str) -> Reason {
    if status == 404 {
        Reason::new("not-found", "container", "", message)
    } else {
        Reason::new("container-unknown", "container", "", message)
    }
}

/// Lets the request go on under the full id of the container that was judged, so that no other can take its name.
pub(super) fn pin(request: &mut EngineRequest, container: &ExistingContainer) {
    match container_of(request) {
        Some(Reference::Container(_)) if request.operation() == Some(Operation::ImageCommit) => {
            request.head.query.set("container", &container.id);
        }
        Some(Reference::Container(_)) => request.head.target.set_name(&container.id),
        // The id of an exec instance is whole, and belongs to one container for good.
        Some(Reference::Exec(_) | Reference::Volume(_) | Reference::SwarmNetwork(_)) | None => {}
    }
}

fn is_entered(reference: &Reference) -> bool {
    matches!(reference, Reference::Container(_) | Reference::Exec(_))
}
