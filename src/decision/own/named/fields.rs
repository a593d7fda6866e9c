//! What the fields of a body name that belongs to someone.

use super::super::super::references::{Reference, first};
use super::{All, Purpose};
use crate::engine_api::json::Value;
use crate::engine_api::mount::{self, Mount, Source};
use crate::engine_api::schema::Limit;
use crate::engine_api::{Kind, Operation};

impl All<'_> {
    pub(super) fn of_limit(&mut self, limit: Limit, value: &Value) {
        if matches!(limit, Limit::NetworkMode | Limit::Network) {
            self.network("HostConfig.NetworkMode", value.as_text());
        } else if limit == Limit::EndpointsConfig {
            for (name, _) in value.members() {
                self.network("NetworkingConfig.EndpointsConfig", name);
            }
        } else if matches!(limit, Limit::PidMode | Limit::IpcMode) {
            self.joined("HostConfig", value.as_text());
        } else if matches!(limit, Limit::Links | Limit::VolumesFrom) {
            for text in value.texts() {
                let name = first(text);
                self.add(
                    "HostConfig",
                    &name,
                    Purpose::Change,
                    Reference::Other(name.clone()),
                );
            }
        } else if limit == Limit::Binds {
            let binds = value.items().iter();
            for bind in binds {
                self.mount("HostConfig.Binds", Mount::from_bind(bind.as_text()));
            }
        } else if matches!(limit, Limit::Mounts | Limit::ServiceMounts) {
            for mount in value.items() {
                self.mount("Mounts", Mount::from_mount(mount));
            }
        } else if limit == Limit::Image {
            self.run_image(value.as_text());
        } else if limit == Limit::ServiceNetworks {
            for network in value.items() {
                let name = network.text("Target");
                let reference = Reference::SwarmNetwork(name.to_owned());
                self.add("Networks", name, Purpose::Use, reference);
            }
        } else if limit == Limit::ServiceSecrets {
            for secret in value.items() {
                self.thing("Secrets", secret.text("SecretID"), Kind::Secret);
            }
        } else if limit == Limit::ServiceConfigs {
            for config in value.items() {
                self.thing("Configs", config.text("ConfigID"), Kind::Config);
            }
        }
    }

    /// The image of a container is asked for anyway: its volumes are made with the container.
    fn run_image(&mut self, name: &str) {
        if self.request.operation() == Some(Operation::ContainerCreate) && !name.is_empty() {
            let reference = Reference::Thing(Kind::Image, name.to_owned());
            self.add("Image", name, Purpose::Use, reference);
        } else {
            self.read_image("Image", name);
        }
    }

    pub(super) fn network(&mut self, place: &str, mode: &str) {
        match mode {
            "" | "default" | "bridge" | "none" | "host" => {}
            _ if mode.starts_with("container:") => self.joined(place, mode),
            name if mount::is_name(name) => {
                self.add(
                    place,
                    name,
                    Purpose::Use,
                    Reference::Network(name.to_owned()),
                );
            }
            _ => {}
        }
    }

    fn joined(&mut self, place: &str, mode: &str) {
        if let Some(name) = mode.strip_prefix("container:") {
            self.add(
                place,
                name,
                Purpose::Change,
                Reference::Other(name.to_owned()),
            );
        }
    }

    fn mount(&mut self, place: &str, mount: Mount) {
        match mount.source {
            Source::Volume { name, .. } if !name.is_empty() => {
                self.add(
                    place,
                    &name,
                    Purpose::Mount,
                    Reference::Volume(name.clone()),
                );
            }
            Source::Image(image) => self.read_image(place, &image),
            Source::Volume { .. } | Source::HostPath(_) | Source::Tmpfs | Source::Unknown(_) => {}
        }
    }
}
