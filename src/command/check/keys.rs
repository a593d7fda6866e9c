//! The keys of a policy's limits: where each stands, whether it opens something, and which operations it is for.

use std::net::IpAddr;

use crate::engine_api::Operation;
use crate::engine_api::schema::Limit;
use crate::policy::{
    DefaultBridge, HostPath, Icc, Line, Namespace, Pattern, Policy, Published, Subnet,
};

/// One key of `[container]` or another table of limits.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) section: &'static str,
    pub(super) name: &'static str,
    pub(super) line: Line,
    /// Whether its value opens anything.
    pub(super) is_open: bool,
    /// What its value opens, as a policy writes it.
    pub(super) shown: String,
    /// The limits that read it.
    pub(super) limits: &'static [Limit],
    /// The operations that read it for themselves, whatever their limits.
    pub(super) operations: &'static [Operation],
}

/// A value that can open something.
trait Opens {
    fn opens(&self) -> bool;

    /// What it opens, as a policy writes it.
    fn shown(&self) -> String;
}

impl Opens for bool {
    fn opens(&self) -> bool {
        *self
    }

    fn shown(&self) -> String {
        self.to_string()
    }
}

impl Opens for Icc {
    fn opens(&self) -> bool {
        *self != Self::Never
    }

    fn shown(&self) -> String {
        match self {
            Self::Never => "never",
            Self::Own => "own",
            Self::Any => "any",
        }
        .to_owned()
    }
}

impl Opens for DefaultBridge {
    fn opens(&self) -> bool {
        *self != Self::IccOff
    }

    fn shown(&self) -> String {
        match self {
            Self::IccOff => "icc-off",
            Self::Any => "any",
        }
        .to_owned()
    }
}

impl<T: Entry> Opens for Vec<T> {
    fn opens(&self) -> bool {
        !self.is_empty()
    }

    fn shown(&self) -> String {
        let entries: Vec<String> = self
            .iter()
            .map(|entry| format!("`{}`", entry.written()))
            .collect();
        entries.join(", ")
    }
}

/// One entry of a list.
pub(super) trait Entry {
    /// Near to how the policy has it.
    fn written(&self) -> String;
}

impl Entry for String {
    fn written(&self) -> String {
        self.clone()
    }
}

impl Entry for Pattern {
    fn written(&self) -> String {
        self.to_string()
    }
}

impl Entry for HostPath {
    fn written(&self) -> String {
        let access = if self.is_writable {
            "read-write"
        } else {
            "read-only"
        };
        let subpaths = if self.has_subpaths { " subpaths" } else { "" };
        let set_user_id = if self.has_set_user_id {
            " set-user-id"
        } else {
            ""
        };
        format!("{} {access}{subpaths}{set_user_id}", self.path)
    }
}

impl Entry for Namespace {
    fn written(&self) -> String {
        self.name().to_owned()
    }
}

impl Entry for Subnet {
    fn written(&self) -> String {
        self.to_string()
    }
}

impl Entry for Published {
    fn written(&self) -> String {
        let address = match self.address {
            None => "*".to_owned(),
            Some(IpAddr::V6(address)) => format!("[{address}]"),
            Some(IpAddr::V4(address)) => address.to_string(),
        };
        match (self.first, self.last) {
            (1024, u16::MAX) => format!("{address}:*"),
            (first, last) if first == last => format!("{address}:{first}"),
            (first, last) => format!("{address}:{first}-{last}"),
        }
    }
}

/// Every key, in the order of the documentation.
#[rustfmt::skip]
#[expect(clippy::too_many_lines, reason = "a table: one line for each key")]
pub(super) fn keys(policy: &Policy) -> Vec<Key> {
    use Limit as L;
    use Operation as O;
    macro_rules! keys {
        ($($section:ident $field:ident $name:literal $limits:tt $operations:tt,)*) => {
            vec![$(Key {
                section: stringify!($section),
                name: $name,
                line: policy.$section.$field.line,
                is_open: policy.$section.$field.value.opens(),
                shown: policy.$section.$field.value.shown(),
                limits: &$limits,
                operations: &$operations,
            }),*]
        };
    }
    keys![
        container images "images" [L::Mounts, L::Registry] [O::ContainerCreate, O::ServiceCreate, O::ServiceUpdate],
        container networks "networks" [L::NetworkMode, L::Network, L::EndpointsConfig, L::BuildNetworkMode, L::ServiceNetworks]
            [O::NetworkConnect],
        container published "published" [L::PortBindings, L::PublishAllPorts, L::ServicePorts] [],
        container host_paths "host-paths" [L::Binds, L::Mounts] [],
        container capabilities "capabilities" [L::Capabilities] [],
        container namespaces "namespaces"
            [L::PidMode, L::IpcMode, L::UtsMode, L::UsernsMode, L::CgroupnsMode, L::NetworkMode, L::Network,
             L::EndpointsConfig, L::BuildNetworkMode, L::ServiceNetworks] [O::NetworkConnect],
        container devices "devices" [L::Devices] [],
        container device_requests "device-requests" [L::DeviceRequests] [],
        container device_cgroup_rules "device-cgroup-rules" [L::DeviceCgroupRules] [],
        container security_options "security-options" 
            [L::SecurityOptions, L::SelinuxContext, L::SeccompMode, L::AppArmorMode] [],
        container sysctls "sysctls" [L::Sysctls] [],
        container ulimits "ulimits" [L::Ulimits, L::BuildUlimits, L::CpuRealtime] [],
        container runtimes "runtimes" [L::Runtime] [],
        container cgroup_parents "cgroup-parents" [L::CgroupParent] [],
        container log_drivers "log-drivers" [L::LogConfig, L::LogDriver] [],
        container annotations "annotations" [L::Annotations] [],
        container volume_drivers "volume-drivers" [L::VolumeDriver, L::Binds, L::Mounts, L::ServiceMounts] [],
        container links "links" [L::Links] [],
        container volumes_from "volumes-from" [L::VolumesFrom] [],
        container privileged "privileged" [L::Privileged] [],
        container unmasked_paths "unmasked-paths" [L::MaskedPaths] [],
        container negative_oom_score "negative-oom-score" [L::OomScore] [],
        container oom_kill_disable "oom-kill-disable" [L::OomKillDisable] [],
        network icc "icc" [L::NetworkOptions, L::NetworkMode, L::Network, L::EndpointsConfig] [O::NetworkConnect],
        network default_bridge "default-bridge" [L::NetworkMode, L::BuildNetworkMode] [O::NetworkConnect],
        network parents "parents" [L::NetworkOptions] [],
        network drivers "drivers" [L::NetworkDriver, L::NetworkMode, L::Network, L::EndpointsConfig] [O::NetworkConnect],
        network options "options" [L::NetworkOptions, L::EndpointOptions] [],
        network subnets "subnets" [L::Subnet, L::AddressPool] [],
        volume drivers "drivers" [L::VolumeDriver, L::Binds, L::Mounts, L::ServiceMounts] [],
        volume types "types" [L::VolumeOptions, L::Mounts, L::ServiceMounts] [],
        volume cluster "cluster" [L::ClusterVolume] [O::VolumeUpdate],
        image references "references" [L::Registry, L::CacheSources]
            [O::ImageCreate, O::ImagePush, O::ImageTag, O::ImageDelete, O::ImageCommit, O::ImageBuild,
             O::DistributionInspect],
        image import_urls "import-urls" [L::ImportSource] [],
        build remote_contexts "remote-contexts" [L::BuildRemote] [],
        swarm addresses "addresses" [L::SwarmAddress] [],
        swarm remotes "remotes" [L::SwarmRemotes] [],
        swarm tokens "tokens" [L::SwarmTokens] [O::SwarmInspect, O::SwarmUnlockkey],
        swarm certificate_authority "certificate-authority" [L::CertificateAuthority] [],
        swarm force_new_cluster "force-new-cluster" [L::ForceNewCluster] [],
        swarm autolock_off "autolock-off" [] [O::SwarmUpdate],
        swarm promote "promote" [L::NodeRole] [],
        secret drivers "drivers" [L::SecretDriver] [],
        secret templating "templating" [L::SecretTemplating] [],
        config templating "templating" [L::ConfigTemplating] [],
        plugin references "references" [L::Plugin]
            [O::PluginEnable, O::PluginDisable, O::PluginDelete, O::PluginPush, O::PluginSet],
        plugin privileges "privileges" [] [O::PluginPull, O::PluginUpgrade],
        plugin settings "settings" [] [O::PluginSet],
        plugin creates_unread "dangerously-create-unread" [] [O::PluginCreate],
        service secrets "secrets" [L::ServiceSecrets] [],
        service configs "configs" [L::ServiceConfigs] [],
        service volumes "volumes" [L::ServiceMounts] [],
        service generic_resources "generic-resources" [L::GenericResources] [],
    ]
}
