//! What the operator permits: the compiled policy, which is all that a decision reads.

pub mod client;
mod client_covers;
mod client_match;
mod client_reach;
mod compile;
pub(crate) mod document;
mod expression;
mod limits;
mod observe;
mod owner;
mod path_rule;
pub(crate) mod paths;
pub mod pattern;
pub(crate) mod permit;
pub(crate) mod problem;
mod published;
mod quiet;
pub mod ready;
mod shared;
pub mod spiffe;
mod subnet;
pub(crate) mod value;
pub(crate) mod words;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::engine_api::Operation;
pub use compile::{compile, describe};
pub use observe::Observing;
pub use pattern::{Pattern, PatternError};
pub use problem::{Problem, Problems};
pub use quiet::Quiet;
pub use shared::Shared;
pub use subnet::Subnet;

/// A compiled policy; an empty one permits nothing.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    /// The name of the ready policy, or the file's name without ending.
    pub name: String,
    pub description: String,
    /// Permits every request unread (`dangerously-permit-everything`).
    pub permits_everything: bool,
    /// Refuses nothing that another policy permits (`mode = "observe"`).
    pub observes: Option<Observing>,
    /// The permitted operations with the line of the first rule that names each.
    pub operations: BTreeMap<Operation, Line>,
    /// Rules for paths that no operation has.
    pub paths: Vec<PathRule>,
    pub container: ContainerLimits,
    pub network: NetworkLimits,
    pub volume: VolumeLimits,
    pub image: ImageLimits,
    pub build: BuildLimits,
    pub swarm: SwarmLimits,
    pub secret: SecretLimits,
    pub config: ConfigLimits,
    pub plugin: PluginLimits,
    pub service: ServiceLimits,
    /// Shared with the answers that are under way.
    pub quiet: Arc<Quiet>,
}

/// A line of the policy's text, from 1; 0 where the policy says nothing of the matter.
pub type Line = usize;

/// The value of a key, and the line where it stands (or its table's, or 0).
#[derive(Debug, Clone, Default)]
pub struct Limit<T> {
    pub value: T,
    pub line: Line,
}

/// `[[permit]] path = "…"`: an anchored expression over the raw path.
#[derive(Debug, Clone)]
pub struct PathRule {
    pub methods: Vec<String>,
    pub path: regex::Regex,
    pub line: Line,
}

/// `[container]`: limits on any container that is made, changed or entered.
#[derive(Debug, Clone, Default)]
pub struct ContainerLimits {
    pub privileged: Limit<bool>,
    /// Beyond Docker's default set, without `CAP_`; `ALL` means all.
    pub capabilities: Limit<Vec<String>>,
    pub host_paths: Limit<Vec<HostPath>>,
    /// Whether the gate can follow them.
    pub host_file_system: Limit<HostFileSystem>,
    /// Host namespaces and joins: `host-network`, `host-pid`, `host-ipc`, `host-uts`, `host-user`, `host-cgroup`,
    /// `container-network`, `container-pid`, `container-ipc`.
    pub namespaces: Limit<Vec<Namespace>>,
    /// Device paths on the host.
    pub devices: Limit<Vec<String>>,
    pub device_requests: Limit<bool>,
    /// `DeviceCgroupRules`, each as written.
    pub device_cgroup_rules: Limit<Vec<String>>,
    /// Exact options beyond the harmless ones, like `seccomp=unconfined`.
    pub security_options: Limit<Vec<String>>,
    pub sysctls: Limit<Vec<Pattern>>,
    /// Beyond the harmless ones, in small letters.
    pub ulimits: Limit<Vec<String>>,
    pub runtimes: Limit<Vec<Pattern>>,
    pub cgroup_parents: Limit<Vec<Pattern>>,
    pub negative_oom_score: Limit<bool>,
    pub oom_kill_disable: Limit<bool>,
    pub annotations: Limit<Vec<Pattern>>,
    /// Beyond `json-file`, `local` and `none`.
    pub log_drivers: Limit<Vec<Pattern>>,
    pub unmasked_paths: Limit<bool>,
    pub published: Limit<Vec<Published>>,
    pub images: Limit<Vec<Pattern>>,
    /// Names of networks that may be joined; `bridge` is the default one.
    pub networks: Limit<Vec<Pattern>>,
    pub volume_drivers: Limit<Vec<Pattern>>,
    /// Containers that may be linked (`HostConfig.Links`).
    pub links: Limit<Vec<Pattern>>,
    /// Whether the volumes of another container may be shared (`VolumesFrom`), if that one is permitted itself.
    pub volumes_from: Limit<bool>,
}

impl ContainerLimits {
    /// Whether it opens host paths on the word that gate and daemon see the same files.
    #[must_use]
    pub fn opens_paths_unseen(&self) -> bool {
        self.host_file_system.value == HostFileSystem::Shared && !self.host_paths.value.is_empty()
    }
}

/// A host path that containers may mount, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostPath {
    /// Absolute and clean; what lies beneath it is meant too.
    pub path: String,
    pub is_writable: bool,
    /// Whether it, and what lies beneath, may be mounted although others could put a link in its place.
    pub has_subpaths: bool,
    /// Whether containers may write where the host honours set-user-id programs and device nodes.
    pub has_set_user_id: bool,
}

/// Whether gate and daemon see the same files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum HostFileSystem {
    /// They do, so a path is judged by where it leads.
    #[default]
    Shared,
    /// They do not, so only the very paths that a policy names can be mounted.
    Foreign,
}

/// A namespace that is not the container's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Namespace {
    HostNetwork,
    HostPid,
    HostIpc,
    HostUts,
    HostUser,
    HostCgroup,
    ContainerNetwork,
    ContainerPid,
    ContainerIpc,
}

impl Namespace {
    /// Every namespace, as the key `namespaces` names them.
    pub const ALL: [Self; 9] = [
        Self::HostNetwork,
        Self::HostPid,
        Self::HostIpc,
        Self::HostUts,
        Self::HostUser,
        Self::HostCgroup,
        Self::ContainerNetwork,
        Self::ContainerPid,
        Self::ContainerIpc,
    ];

    /// The name in policies and in reason codes.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::HostNetwork => "host-network",
            Self::HostPid => "host-pid",
            Self::HostIpc => "host-ipc",
            Self::HostUts => "host-uts",
            Self::HostUser => "host-user",
            Self::HostCgroup => "host-cgroup",
            Self::ContainerNetwork => "container-network",
            Self::ContainerPid => "container-pid",
            Self::ContainerIpc => "container-ipc",
        }
    }
}

/// `ADDRESS:FIRST-LAST` where ports may be published; `*` stands for every address or port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// `None`: every address, the unspecified ones included.
    pub address: Option<std::net::IpAddr>,
    pub first: u16,
    pub last: u16,
}

/// `[network]`: limits on networks that are made.
#[derive(Debug, Clone, Default)]
pub struct NetworkLimits {
    pub icc: Limit<Icc>,
    /// Beyond `bridge`, which needs no naming.
    pub drivers: Limit<Vec<Pattern>>,
    /// Driver options beyond the harmless ones.
    pub options: Limit<Vec<Pattern>>,
    /// Whether the default bridge may be joined where its containers may talk to each other.
    pub default_bridge: Limit<DefaultBridge>,
    /// Interfaces of the host that a `macvlan` or `ipvlan` network may lie on.
    pub parents: Limit<Vec<Pattern>>,
    /// Where the subnets of new networks may lie, if the client names them itself.
    pub subnets: Limit<Vec<Subnet>>,
}

/// Whether containers on one network may talk to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Icc {
    /// Every new network is stamped with `enable_icc=false`, and only such are joined.
    #[default]
    Never,
    /// On networks that the client made itself the daemon's default stands; switching it on by option is refused.
    Own,
    /// On every network, and by any value of the option.
    Any,
}

/// Whether the default bridge may be joined, by a policy whose `icc` is not `any`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DefaultBridge {
    /// Where the daemon has ICC off there (`dockerd --icc=false`).
    #[default]
    IccOff,
    Any,
}

/// `[volume]`: limits on volumes that are made, by name or inside a container's mounts.
#[derive(Debug, Clone, Default)]
pub struct VolumeLimits {
    /// Beyond `local`, which needs no naming.
    pub drivers: Limit<Vec<Pattern>>,
    /// File system types beyond `tmpfs` that the `local` driver may mount (`nfs`, `cifs`).
    pub types: Limit<Vec<String>>,
    /// Volumes of the swarm (`ClusterVolumeSpec`).
    pub cluster: Limit<bool>,
}

/// `[image]`: limits on images that come and go.
#[derive(Debug, Clone, Default)]
pub struct ImageLimits {
    /// References that may be pulled, pushed, tagged, removed.
    pub references: Limit<Vec<Pattern>>,
    /// Import from a URL that the daemon fetches.
    pub import_urls: Limit<bool>,
}

/// `[service]`: limits on services that have no counterpart for containers.
#[derive(Debug, Clone, Default)]
pub struct ServiceLimits {
    /// Names of secrets that services may read.
    pub secrets: Limit<Vec<Pattern>>,
    /// Names of configs that services may read.
    pub configs: Limit<Vec<Pattern>>,
    /// Names of volumes that services may mount, whatever they stand for on each node.
    pub volumes: Limit<Vec<Pattern>>,
    /// Kinds of generic resources that services may reserve.
    pub generic_resources: Limit<Vec<Pattern>>,
}

/// `[build]`: limits on classic builds.
#[derive(Debug, Clone, Default)]
pub struct BuildLimits {
    /// Contexts that the daemon fetches (`remote`).
    pub remote_contexts: Limit<bool>,
}

/// `[swarm]`: limits on swarms that are made, joined and changed, and on their nodes.
#[derive(Debug, Clone, Default)]
pub struct SwarmLimits {
    /// `HOST:PORT` where a swarm may listen, what it may advertise and where its data may go; `0.0.0.0` stands for
    /// every address and for what the daemon finds out by itself.
    pub addresses: Limit<Vec<Pattern>>,
    /// `HOST:PORT` of managers whose swarm may be joined, in small letters.
    pub remotes: Limit<Vec<Pattern>>,
    /// Join tokens and the unlock key, read and changed.
    pub tokens: Limit<bool>,
    /// External authorities, signing material and a new root.
    pub certificate_authority: Limit<bool>,
    /// A swarm of one manager in place of one that has lost the others.
    pub force_new_cluster: Limit<bool>,
    /// Updates that leave the keys of managers readable on their disks.
    pub autolock_off: Limit<bool>,
    /// The role of a manager for a node.
    pub promote: Limit<bool>,
}

/// `[secret]`: limits on secrets of a swarm.
#[derive(Debug, Clone, Default)]
pub struct SecretLimits {
    /// Plugins that may be asked for the data.
    pub drivers: Limit<Vec<Pattern>>,
    /// Data that the daemon runs as a template.
    pub templating: Limit<bool>,
}

/// `[config]`: limits on configs of a swarm.
#[derive(Debug, Clone, Default)]
pub struct ConfigLimits {
    /// Data that the daemon runs as a template.
    pub templating: Limit<bool>,
}

/// `[plugin]`: limits on managed plugins, which can have whatever the host has.
#[derive(Debug, Clone, Default)]
pub struct PluginLimits {
    /// References in registries and names here: what may be pulled, pushed, enabled, set, upgraded, removed.
    pub references: Limit<Vec<Pattern>>,
    /// What plugins may be given, `NAME:VALUE` each as the daemon lists it.
    pub privileges: Limit<Vec<Pattern>>,
    /// `NAME[.FIELD]=VALUE` each, as `PluginSet` takes it.
    pub settings: Limit<Vec<Pattern>>,
    /// Plugins made from an archive that the gate does not read (`dangerously-create-unread`).
    pub creates_unread: Limit<bool>,
}
