//! What exists already, as the daemon describes it: containers, exec instances, volumes, networks, and the daemon's defaults.

mod caller;
mod counted;
mod image;
mod network;
mod owned;

pub use caller::{CallingContainer, containers_at};
pub use counted::{
    OwnedContainer, Resources, owned_containers, owned_ids, owned_networks, owned_volumes,
};
pub use image::ExistingImage;
pub use network::{ENABLE_ICC, ExistingNetwork, OWNER_LABEL, is_false};
pub use owned::{Kind, Owned, service_of_task};

use super::Malformed;
use super::fields::{self, Field};
use super::json::{self, Raw, Value, reader};
use super::mount::{Beneath, Mount, Source, text_map};
use super::read::Reading;
use super::schema::{Limit, Shape};
use super::schemas::HOST_CONFIG;

/// What a container has, held against the same limits as a create.
#[derive(Debug, Clone, PartialEq)]
pub struct ExistingContainer {
    /// The full id, 64 hexadecimal digits: what it names never changes.
    pub id: String,
    /// Without the slash.
    pub name: String,
    /// The reference to its image, as it was created with.
    pub image: String,
    /// The id of the image that this reference stood for.
    pub image_id: String,
    /// Without what the daemon filled in itself.
    pub host_config: Value,
    /// The names of its volumes, anonymous ones too.
    pub volumes: Vec<String>,
    /// The host paths that it may have of other containers (`VolumesFrom`).
    pub inherited: Vec<Mount>,
    /// The networks it is on, that of its `NetworkMode` among them.
    pub networks: Vec<Endpoint>,
    /// The value of [`OWNER_LABEL`].
    pub owner: Option<String>,
}

/// A network that a container is on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    pub name: String,
    /// The network's full id, empty where the container has never been started.
    pub id: String,
}

impl Endpoint {
    /// What the daemon finds the network by.
    ///
    /// moby: daemon/container_operations.go, `getNetworkID` prefers the id.
    #[must_use]
    pub fn reference(&self) -> &str {
        if self.id.is_empty() {
            &self.name
        } else {
            &self.id
        }
    }
}

/// What a volume stands for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExistingVolume {
    pub driver: String,
    pub options: Vec<(String, String)>,
    /// The value of [`OWNER_LABEL`].
    pub owner: Option<String>,
}

/// What the daemon takes where a create says nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DaemonDefaults {
    pub runtime: String,
    pub log_driver: String,
    /// Whether a container gets a control group namespace of its own.
    pub has_own_cgroups: bool,
    /// Where the daemon keeps images, containers and volumes; empty where it does not say.
    pub data_root: String,
}

impl ExistingContainer {
    /// Reads the answer to `ContainerInspect`.
    ///
    /// # Errors
    /// [`Malformed`] where it is none, or a field of the model has another type than in a create.
    pub fn read(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut host_config = Value::Null;
        let answer = json::read_members(bytes, |key, tokens| match key {
            "HostConfig" => {
                // What the model does not know there is the daemon's, not a client's.
                host_config = Reading::default().part(tokens, Shape::Object(HOST_CONFIG))?;
                Ok(Raw::Null)
            }
            "Id" | "Name" | "Image" | "Config" | "Mounts" | "NetworkSettings" => {
                reader::value(tokens)
            }
            _ => reader::skip(tokens).map(|()| Raw::Null),
        })?;
        let id = answer.text("Id").to_owned();
        if !is_full_id(&id) {
            return Err(Malformed::Body("`Id` is no full id".to_owned()));
        }
        if host_config == Value::Null {
            return Err(Malformed::Body("it has no `HostConfig`".to_owned()));
        }
        let networks = networks(&answer);
        let is_disabled = answer
            .get("Config")
            .is_some_and(|config| config.get("NetworkDisabled") == Some(&Raw::Bool(true)));
        if is_disabled && is_default_network(host_config.text("NetworkMode")) {
            host_config.set("NetworkMode", Value::Text("none".into()));
        }
        for (key, hidden) in [("MaskedPaths", MASKED), ("ReadonlyPaths", READ_ONLY)] {
            let list = host_config.get(key).map_or(&[][..], Value::items);
            let holds = |path: &&str| list.iter().any(|item| item.as_text() == *path);
            if hidden.iter().all(holds) {
                host_config.set(key, Value::Null);
            }
        }
        let volumes = answer.get("Mounts").map(volumes).unwrap_or_default();
        let inherits = host_config
            .get("VolumesFrom")
            .is_some_and(|from| !from.is_zero());
        let mounts = answer.get("Mounts").filter(|_| inherits);
        let image = answer
            .get("Config")
            .map_or("", |config| config.text("Image"));
        Ok(Self {
            id,
            name: answer.text("Name").trim_start_matches('/').to_owned(),
            image: image.to_owned(),
            image_id: answer.text("Image").to_owned(),
            inherited: mounts.map(host_paths).unwrap_or_default(),
            host_config,
            volumes,
            networks,
            owner: answer.get("Config").and_then(owned::owner_in),
        })
    }

    /// The network of its `NetworkMode`, where it is on that one.
    #[must_use]
    pub fn endpoint_of_mode(&self) -> Option<&Endpoint> {
        let mode = self.host_config.text("NetworkMode");
        self.networks.iter().find(|network| {
            network.name == mode
                || (network.name == "bridge" && is_default_network(mode))
                || (!mode.is_empty() && network.id.starts_with(mode))
        })
    }

    /// Whether something stands there that may be a default of the daemon's, or not.
    #[must_use]
    pub fn may_have_defaults(&self) -> bool {
        let log_driver = self.log_driver();
        !self.host_config.text("Runtime").is_empty()
            || self.host_config.text("CgroupnsMode") == "host"
            || !matches!(log_driver, "" | "json-file" | "local" | "none")
    }

    /// Forgets what the daemon would have given any container.
    pub fn remove_defaults(&mut self, defaults: &DaemonDefaults) {
        if self.host_config.text("Runtime") == defaults.runtime {
            self.host_config.set("Runtime", Value::Null);
        }
        if self.host_config.text("CgroupnsMode") == "host" && !defaults.has_own_cgroups {
            self.host_config.set("CgroupnsMode", Value::Null);
        }
        if self.log_driver() == defaults.log_driver {
            self.host_config.set("LogConfig", Value::Null);
        }
    }

    /// Shows the fields of its `HostConfig` that are judged, each with how, and named beneath `place`.
    pub fn each_field(&self, place: &str, mut show: impl FnMut(&Field<'_>)) {
        let mut path = [place, ".HostConfig"].concat();
        let shape = Shape::Object(HOST_CONFIG);
        fields::each(&self.host_config, shape, &mut path, &mut show);
    }

    /// Shows every value of its `HostConfig` that is held against a limit; cheaper than [`Self::each_field`].
    pub fn limited_values<'a>(&'a self, mut show: impl FnMut(Limit, &'a Value)) {
        fields::limited(&self.host_config, Shape::Object(HOST_CONFIG), &mut show);
    }

    fn log_driver(&self) -> &str {
        self.host_config
            .get("LogConfig")
            .map_or("", |config| config.text("Type"))
    }
}

impl ExistingVolume {
    /// Reads the answer to `VolumeInspect`.
    ///
    /// # Errors
    /// [`Malformed`] where it is none.
    pub fn read(bytes: &[u8]) -> Result<Self, Malformed> {
        let answer = json::read(bytes)?;
        let driver = answer.text("Driver").to_owned();
        if driver.is_empty() {
            return Err(Malformed::Body("it has no `Driver`".to_owned()));
        }
        let options = answer.get("Options").map(text_map).unwrap_or_default();
        Ok(Self {
            driver,
            options,
            owner: owned::owner_in(&answer),
        })
    }
}

impl DaemonDefaults {
    /// Reads the answer to `SystemInfo`.
    ///
    /// moby: daemon/info.go, `fillSecurityOptions` names `cgroupns` where containers get a namespace of their own.
    ///
    /// # Errors
    /// [`Malformed`] where it is none.
    pub fn read(bytes: &[u8]) -> Result<Self, Malformed> {
        let answer = json::read(bytes)?;
        let options = answer.get("SecurityOptions");
        Ok(Self {
            runtime: answer.text("DefaultRuntime").to_owned(),
            log_driver: answer.text("LoggingDriver").to_owned(),
            has_own_cgroups: options
                .is_some_and(|options| options.texts().any(|option| option == "name=cgroupns")),
            data_root: answer.text("DockerRootDir").to_owned(),
        })
    }
}

/// An exec instance: what never changes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExistingExec {
    /// The full id of the container that it belongs to.
    pub container: String,
    /// Whether what it runs has every right of root on the host.
    pub is_privileged: bool,
}

/// Reads the answer to `ExecInspect`.
///
/// # Errors
/// [`Malformed`] where it is none, or describes another exec instance than `id`.
pub fn existing_exec(bytes: &[u8], id: &str) -> Result<ExistingExec, Malformed> {
    let answer = json::read(bytes)?;
    let container = answer.text("ContainerID");
    if answer.text("ID") != id || !is_full_id(container) {
        return Err(Malformed::Body("it describes another one".to_owned()));
    }
    let process = answer.get("ProcessConfig");
    let privileged = process.and_then(|process| process.get("privileged"));
    Ok(ExistingExec {
        container: container.to_owned(),
        is_privileged: privileged.is_some_and(|privileged| *privileged != Raw::Bool(false)),
    })
}

/// The text of an error, empty where the daemon gave none.
#[must_use]
pub fn error_message(bytes: &[u8]) -> String {
    json::read(bytes).map_or_else(
        |_| String::new(),
        |answer| answer.text("message").to_owned(),
    )
}

fn is_full_id(text: &str) -> bool {
    text.len() == 64
        && text
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn volumes(mounts: &Raw<'_>) -> Vec<String> {
    let is_volume =
        |mount: &&Raw<'_>| !matches!(mount.text("Type"), "bind" | "tmpfs" | "image" | "npipe");
    let volumes = mounts.items().iter().filter(is_volume);
    let mut names: Vec<String> = volumes.map(|mount| mount.text("Name").to_owned()).collect();
    names.sort();
    names.dedup();
    names
}

fn host_paths(mounts: &Raw<'_>) -> Vec<Mount> {
    let binds = mounts.items().iter();
    binds
        .filter(|mount| mount.text("Type") == "bind")
        .map(|mount| Mount {
            source: Source::HostPath(mount.text("Source").to_owned()),
            is_read_only: mount.get("RW") == Some(&Raw::Bool(false)),
            options: Vec::new(),
            beneath: Beneath::ComesAlong,
        })
        .collect()
}

fn networks(answer: &Raw<'_>) -> Vec<Endpoint> {
    let settings = answer.get("NetworkSettings");
    let networks = settings.and_then(|settings| settings.get("Networks"));
    let networks = networks.into_iter().flat_map(Raw::members);
    networks
        .map(|(name, network)| Endpoint {
            name: name.as_ref().to_owned(),
            id: network.text("NetworkID").to_owned(),
        })
        .collect()
}

fn is_default_network(mode: &str) -> bool {
    matches!(mode, "" | "default" | "bridge")
}

/// The kernel paths that every daemon hides from containers; newer ones hide more.
///
/// moby: daemon/pkg/oci/defaults.go.
const MASKED: &[&str] = &[
    "/proc/kcore",
    "/proc/latency_stats",
    "/proc/timer_list",
    "/proc/sched_debug",
    "/proc/scsi",
    "/proc/acpi",
    "/proc/keys",
    "/sys/firmware",
];

/// The kernel paths that every daemon keeps containers from writing.
const READ_ONLY: &[&str] = &[
    "/proc/bus",
    "/proc/fs",
    "/proc/irq",
    "/proc/sys",
    "/proc/sysrq-trigger",
];

#[cfg(test)]
mod tests;
