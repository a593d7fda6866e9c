//! `HostConfig` and the resources in it, for `ContainerCreate` and `ContainerUpdate`.

use super::super::schema::{Field, Limit, Refused, Schema, Shape};
use super::mount::MOUNT;
use super::{also, harmless, limited, refused};

pub(in crate::engine_api) const HOST_CONFIG: &Schema = &Schema {
    parts: &[HOST_FIELDS, RESOURCES, GONE],
};

/// moby: daemon/container/container_unix.go, `UpdateContainer` takes over resources and the restart policy only; what
/// else it is sent is limited as in a create.
pub(super) const UPDATE: &Schema = &Schema {
    parts: &[RESOURCES, GONE_RESOURCES, UPDATE_ONLY],
};

#[rustfmt::skip]
/// moby: api/types/container/hostconfig.go. `CapAdd` and `CapDrop` are `strslice.StrSlice` up to 28.
const HOST_FIELDS: &[Field] = &[
    limited("Binds", Shape::TextList, Limit::Binds),
    // The CLI writes this file for itself; no daemon reads the field.
    harmless("ContainerIDFile", Shape::Text),
    limited("LogConfig", Shape::Object(LOG_CONFIG), Limit::LogConfig),
    limited("NetworkMode", Shape::Text, Limit::NetworkMode),
    limited("PortBindings", Shape::Map(&Shape::List(&Shape::Object(PORT_BINDING))), Limit::PortBindings),
    harmless("RestartPolicy", Shape::Object(RESTART_POLICY)),
    harmless("AutoRemove", Shape::Bool),
    limited("VolumeDriver", Shape::Text, Limit::VolumeDriver),
    limited("VolumesFrom", Shape::TextList, Limit::VolumesFrom),
    harmless("ConsoleSize", Shape::List(&Shape::Integer)),
    limited("Annotations", Shape::TextMap, Limit::Annotations),
    limited("CapAdd", Shape::TextOrList, Limit::Capabilities),
    harmless("CapDrop", Shape::TextOrList),
    limited("CgroupnsMode", Shape::Text, Limit::CgroupnsMode),
    harmless("Dns", Shape::TextList),
    harmless("DnsOptions", Shape::TextList),
    harmless("DnsSearch", Shape::TextList),
    harmless("ExtraHosts", Shape::TextList),
    harmless("GroupAdd", Shape::TextList),
    limited("IpcMode", Shape::Text, Limit::IpcMode),
    // moby: daemon/container_operations_unix.go, a link on the default bridge opens the way to the other container
    // where ICC is off, and up to 28 hands its environment over.
    limited("Links", Shape::TextList, Limit::Links),
    limited("OomScoreAdj", Shape::Integer, Limit::OomScore),
    limited("PidMode", Shape::Text, Limit::PidMode),
    limited("Privileged", Shape::Bool, Limit::Privileged),
    limited("PublishAllPorts", Shape::Bool, Limit::PublishAllPorts),
    harmless("ReadonlyRootfs", Shape::Bool),
    limited("SecurityOpt", Shape::TextList, Limit::SecurityOptions),
    limited("StorageOpt", Shape::TextMap, Limit::StorageOptions),
    // moby: daemon/oci_linux.go, `mount.MergeTmpfsOptions` takes every mount flag, `remount` among them.
    limited("Tmpfs", Shape::TextMap, Limit::Tmpfs),
    limited("UTSMode", Shape::Text, Limit::UtsMode),
    limited("UsernsMode", Shape::Text, Limit::UsernsMode),
    harmless("ShmSize", Shape::Integer),
    limited("Sysctls", Shape::TextMap, Limit::Sysctls),
    limited("Runtime", Shape::Text, Limit::Runtime),
    limited("Isolation", Shape::Text, Limit::Isolation),
    limited("Mounts", Shape::List(&Shape::Object(MOUNT)), Limit::Mounts),
    limited("MaskedPaths", Shape::TextList, Limit::MaskedPaths),
    limited("ReadonlyPaths", Shape::TextList, Limit::MaskedPaths),
    harmless("Init", Shape::Bool),
    // The cgroup of another container (`container:ID`).
    refused("Cgroup", Shape::Text, Refused::Legacy),
];

#[rustfmt::skip]
/// moby: api/types/container/hostconfig.go, `Resources`.
///
/// The paths of the block-IO throttles are read for their device numbers and nothing else (daemon/daemon_unix.go,
/// `getBlkioWeightDevices`); the throttle holds for the container alone. A path that is absent fails the start with
/// its name, so a client learns whether it exists.
const RESOURCES: &[Field] = &[
    harmless("CpuShares", Shape::Integer),
    harmless("Memory", Shape::Integer),
    // docker-java
    also(harmless("NanoCpus", Shape::Integer), "NanoCPUs"),
    limited("CgroupParent", Shape::Text, Limit::CgroupParent),
    harmless("BlkioWeight", Shape::Integer),
    harmless("BlkioWeightDevice", Shape::List(&Shape::Object(WEIGHT_DEVICE))),
    harmless("BlkioDeviceReadBps", Shape::List(&Shape::Object(THROTTLE_DEVICE))),
    harmless("BlkioDeviceWriteBps", Shape::List(&Shape::Object(THROTTLE_DEVICE))),
    harmless("BlkioDeviceReadIOps", Shape::List(&Shape::Object(THROTTLE_DEVICE))),
    harmless("BlkioDeviceWriteIOps", Shape::List(&Shape::Object(THROTTLE_DEVICE))),
    harmless("CpuPeriod", Shape::Integer),
    harmless("CpuQuota", Shape::Integer),
    // docker-py
    also(limited("CpuRealtimePeriod", Shape::Integer, Limit::CpuRealtime), "CPURealtimePeriod"),
    also(limited("CpuRealtimeRuntime", Shape::Integer, Limit::CpuRealtime), "CPURealtimeRuntime"),
    harmless("CpusetCpus", Shape::Text),
    harmless("CpusetMems", Shape::Text),
    limited("Devices", Shape::List(&Shape::Object(DEVICE)), Limit::Devices),
    limited("DeviceCgroupRules", Shape::TextList, Limit::DeviceCgroupRules),
    limited("DeviceRequests", Shape::List(&Shape::Object(DEVICE_REQUEST)), Limit::DeviceRequests),
    harmless("MemoryReservation", Shape::Integer),
    harmless("MemorySwap", Shape::Integer),
    harmless("MemorySwappiness", Shape::Integer),
    limited("OomKillDisable", Shape::Bool, Limit::OomKillDisable),
    harmless("PidsLimit", Shape::Integer),
    limited("Ulimits", Shape::List(&Shape::Object(ULIMIT)), Limit::Ulimits),
    // Windows only; a daemon on Linux refuses or ignores them.
    harmless("CpuCount", Shape::Integer),
    harmless("CpuPercent", Shape::Integer),
    harmless("IOMaximumIOps", Shape::Integer),
    harmless("IOMaximumBandwidth", Shape::Integer),
    // Gone since 29.
    harmless("KernelMemory", Shape::Integer),
    harmless("KernelMemoryTCP", Shape::Integer),
];

#[rustfmt::skip]
/// Fields of `Resources` that no supported daemon has any more.
const GONE_RESOURCES: &[Field] = &[
    // moby: api/types/container/host_config.go in 17.05; Windows only.
    refused("DiskQuota", Shape::Integer, Refused::Legacy),
];

#[rustfmt::skip]
/// Fields that gave power to the container in one or a few engines.
const GONE: &[Field] = &[
    // moby: api/types/container/host_config.go in 17.05; Windows only.
    refused("DiskQuota", Shape::Integer, Refused::Legacy),
    // moby: api/types/container/host_config.go in 19.03; the whole set of capabilities, in place of the default.
    refused("Capabilities", Shape::TextList, Refused::Legacy),
    // moby: api/types/container/host_config.go in 1.13; a file of the host that is mounted and run as init.
    refused("InitPath", Shape::Text, Refused::Legacy),
    // moby: runconfig/hostconfig.go in 1.9; options of the LXC driver, mounts included.
    refused("LxcConf", Shape::Any, Refused::Legacy),
];

const UPDATE_ONLY: &[Field] = &[
    harmless("RestartPolicy", Shape::Object(RESTART_POLICY)),
    // Described among the resources; no daemon takes it in an update.
    harmless("Init", Shape::Bool),
];

/// The options mean what the driver makes of them: files, sockets and hosts among them.
const LOG_CONFIG: &Schema = &Schema {
    parts: &[&[
        harmless("Type", Shape::Text),
        harmless("Config", Shape::TextMap),
    ]],
};

/// A port without bindings (`null` or `[]`) is published on every address all the same.
///
/// moby: daemon/server/router/container/container_routes.go, `handlePortBindingsBC`.
const PORT_BINDING: &Schema = &Schema {
    parts: &[&[
        harmless("HostIp", Shape::Text),
        harmless("HostPort", Shape::Text),
    ]],
};

const RESTART_POLICY: &Schema = &Schema {
    parts: &[&[
        harmless("Name", Shape::Text),
        harmless("MaximumRetryCount", Shape::Integer),
    ]],
};

const WEIGHT_DEVICE: &Schema = &Schema {
    parts: &[&[
        harmless("Path", Shape::Text),
        harmless("Weight", Shape::Integer),
    ]],
};

const THROTTLE_DEVICE: &Schema = &Schema {
    parts: &[&[
        harmless("Path", Shape::Text),
        harmless("Rate", Shape::Integer),
    ]],
};

const DEVICE: &Schema = &Schema {
    parts: &[&[
        harmless("PathOnHost", Shape::Text),
        harmless("PathInContainer", Shape::Text),
        harmless("CgroupPermissions", Shape::Text),
    ]],
};

const DEVICE_REQUEST: &Schema = &Schema {
    parts: &[&[
        harmless("Driver", Shape::Text),
        harmless("Count", Shape::Integer),
        harmless("DeviceIDs", Shape::TextList),
        harmless("Capabilities", Shape::List(&Shape::TextList)),
        harmless("Options", Shape::TextMap),
    ]],
};

pub(super) const ULIMIT: &Schema = &Schema {
    parts: &[&[
        harmless("Name", Shape::Text),
        harmless("Hard", Shape::Integer),
        harmless("Soft", Shape::Integer),
    ]],
};
