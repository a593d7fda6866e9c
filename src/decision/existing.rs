//! Limits on what a request refers to: containers that are entered, started or joined, and volumes that exist.

use super::facts::{Facts, Found};
use super::references::{Reference, container_of, is_image_id, looks_up_container};
use super::{Judge, Reason};
use crate::engine_api::json::Value;
use crate::engine_api::schema::{Class, Limit};
use crate::engine_api::{EngineRequest, ExistingContainer, ExistingImage, Operation};

impl<'a> Judge<'a> {
    /// Holds the container that the request refers to against the limits of a create.
    pub(super) fn entered_container(&mut self) {
        match &self.facts.container {
            Some(Found::Is(container)) => self.container("container", container),
            // Nothing happens to what is not there; the client gets the daemon's answer.
            Some(Found::Answered { .. }) => {}
            Some(Found::Unknown(cause)) => self.unknown_container("container", "", cause),
            None if looks_up_container(self.policy, self.request) => {
                self.unknown_container("container", "", NOT_LOOKED_UP);
            }
            None => {}
        }
        // Whoever starts it gets its input and output; its size is nothing.
        if self.facts.exec_is_privileged && self.request.operation() == Some(Operation::ExecStart) {
            let message = "whoever made this exec instance gave it every right of root on the host";
            let at = ("exec.ProcessConfig.privileged", &Value::Bool(true));
            self.switch("privileged", at, &self.policy.container.privileged, message);
        }
        if let Some(name) = super::references::connected(self.request) {
            self.other_container("Container", name);
        }
    }

    /// Holds a container that is joined, or whose volumes are, against the same limits.
    pub(super) fn other_container(&mut self, path: &str, name: &str) {
        match self.facts.others.get(name) {
            Some(Found::Is(container)) => {
                let place = format!("{path}.container");
                self.container(&place, container);
            }
            Some(Found::Answered { .. }) => {}
            Some(Found::Unknown(cause)) => self.unknown_container(path, name, cause),
            // Nothing is looked up for what is refused whatever it is.
            None if !self.is_permitted() => {}
            None => self.unknown_container(path, name, NOT_LOOKED_UP),
        }
    }

    /// What the container has, each field named beneath `place`.
    fn container(&mut self, place: &str, container: &'a ExistingContainer) {
        // What a chain of joined containers ends in has been looked up only so far.
        if self.depth > DEEPEST {
            return self.unknown_container(place, &container.name, "it joins too many others");
        }
        let outer = self.existing.replace(container);
        self.depth += 1;
        let mode = container.endpoint_of_mode();
        container.each_field(place, |field| match field.class {
            // It is judged among the networks, by the id that the daemon joins.
            Class::Limited(Limit::NetworkMode) if mode.is_some() => {}
            // What these led to stands among the container's mounts.
            Class::Limited(Limit::VolumesFrom) if self.policy.container.volumes_from.value => {}
            Class::Limited(_) | Class::Harmless | Class::Refused(_) => self.field(field),
        });
        if container.host_config.text("NetworkMode").is_empty() && mode.is_none() {
            self.network_mode(&format!("{place}.HostConfig.NetworkMode"), "");
        }
        for network in &container.networks {
            let path = format!("{place}.NetworkSettings.Networks.{}", network.name);
            self.endpoint(&path, network);
        }
        for mount in &container.inherited {
            if let Some(source) = mount.source.host_path() {
                self.host_path(&format!("{place}.Mounts"), source, mount);
            }
        }
        for volume in &container.volumes {
            self.volume_of_container(&format!("{place}.Mounts.{volume}"), volume);
        }
        self.image_of_container(place, container);
        self.depth -= 1;
        self.existing = outer;
    }

    /// The image that a container is made of, by the name it had and by what it is: the name can have moved since.
    fn image_of_container(&mut self, place: &str, container: &ExistingContainer) {
        let found = self.reasons.len();
        self.image(&format!("{place}.Config.Image"), &container.image);
        let images = &self.policy.container.images.value;
        let is_any = images.iter().any(|pattern| pattern.as_str() == "*");
        // It is the same container under another name, and those that replace one rename it first.
        let is_renamed = self.request.operation() == Some(Operation::ContainerRename);
        if self.reasons.len() == found && !is_any && !is_renamed {
            self.image(&format!("{place}.Image"), &container.image_id);
        }
    }

    fn unknown_container(&mut self, path: &str, name: &str, cause: &str) {
        let named = match container_of(self.request) {
            Some(Reference::Container(of_path) | Reference::Exec(of_path)) if name.is_empty() => {
                of_path
            }
            Some(_) | None => name.to_owned(),
        };
        let message = format!("the gate cannot tell what it is: {cause}");
        self.refuse(Reason::new("container-unknown", path, &named, &message));
    }

    /// A volume that a container has is there, or the gate cannot tell what the daemon would make of it.
    fn volume_of_container(&mut self, path: &str, name: &str) {
        if let Some(Found::Answered { message, .. }) = self.facts.volumes.get(name) {
            self.unknown_volume(path, name, message);
        } else {
            self.named_volume(path, name);
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
            None => self.unknown_volume(path, name, NOT_LOOKED_UP),
        }
    }

    fn unknown_volume(&mut self, path: &str, name: &str, cause: &str) {
        let message = format!("the gate cannot tell what this volume is: {cause}");
        self.refuse(Reason::new("volume-unknown", path, name, &message));
    }

    /// The image that an id stands for, where it was looked up.
    pub(super) fn image_behind(&self, text: &str) -> Option<&'a ExistingImage> {
        match self.facts.images.get(text) {
            Some(Found::Is(image)) if is_image_id(text) => Some(image),
            Some(_) | None => None,
        }
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
pub(super) fn answered(request: &EngineRequest, facts: &Facts) -> Option<(u16, String)> {
    // A container has its name whether or not the one that it joined is still there; compose renames those it replaces.
    let is_renamed = request.operation() == Some(Operation::ContainerRename);
    let is_gone = |found: &&Found<_>| matches!(found, Found::Answered { status: 404, .. });
    let others = facts.others.values();
    let others = others.filter(|found| !(is_renamed && is_gone(found)));
    let containers = facts.container.iter().chain(others);
    let connected = request.operation() == Some(Operation::NetworkConnect);
    let network = request.head.target.name().filter(|_| connected);
    let network = network.and_then(|name| facts.networks.get(name));
    let answers = containers
        .filter_map(answer)
        .chain(network.and_then(answer));
    answers.min()
}

fn answer<T>(found: &Found<T>) -> Option<(u16, String)> {
    match found {
        Found::Answered { status, message } => Some((*status, message.clone())),
        Found::Is(_) | Found::Unknown(_) => None,
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

/// Why nothing is known of a reference: facts that were gathered for another request, or not at all.
pub(super) const NOT_LOOKED_UP: &str = "it was not looked up";

/// Containers that join one another which are looked into.
const DEEPEST: usize = 4;
