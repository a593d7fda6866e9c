//! Where the answers to `SystemInfo` and `SystemVersion` tell of the machine.

use super::places::{Form, HOST_DETAILS, Kind, LABELS, Place, Table, place};
use crate::engine_api::Operation as O;

pub(super) const TABLES: &[Table] = &[
    (&[O::SystemInfo], "", INFO),
    (&[O::SystemVersion], "", VERSION),
];

/// A URL may hold a password.
const PROXIES: &[Kind] = &[Kind::HostDetails, Kind::Secrets];
const PATHS: &[Kind] = &[Kind::HostDetails, Kind::HostPaths];

/// Versions of software, counts and sizes are shown: clients choose by them what to do.
const INFO: &[Place] = &[
    place("Name", HOST_DETAILS, Form::Whole),
    place("KernelVersion", HOST_DETAILS, Form::Whole),
    place("OperatingSystem", HOST_DETAILS, Form::Whole),
    place("OSVersion", HOST_DETAILS, Form::Whole),
    place("DockerRootDir", PATHS, Form::Whole),
    place("HttpProxy", PROXIES, Form::Whole),
    place("HttpsProxy", PROXIES, Form::Whole),
    place("NoProxy", HOST_DETAILS, Form::Whole),
    place("Labels", HOST_DETAILS, Form::Whole),
    place("Labels", LABELS, Form::Labels),
    place("DriverStatus", PATHS, Form::Pairs),
    place("SystemStatus", PATHS, Form::Pairs),
    place("ClusterStore", PROXIES, Form::Whole),
    place("ClusterAdvertise", HOST_DETAILS, Form::Whole),
    place("RegistryConfig.Mirrors", PROXIES, Form::Whole),
    place("RegistryConfig.IndexConfigs", PROXIES, Form::Empty),
    place(
        "RegistryConfig.InsecureRegistryCIDRs",
        HOST_DETAILS,
        Form::Empty,
    ),
    place(
        "RegistryConfig.AllowNondistributableArtifactsCIDRs",
        HOST_DETAILS,
        Form::Empty,
    ),
    place(
        "RegistryConfig.AllowNondistributableArtifactsHostnames",
        HOST_DETAILS,
        Form::Whole,
    ),
    place("DefaultAddressPools", HOST_DETAILS, Form::Empty),
    place("Runtimes.*.path", PATHS, Form::Whole),
    place("Runtimes.*.runtimeArgs", PATHS, Form::Whole),
    place("Containerd.Address", PATHS, Form::Whole),
    place("CDISpecDirs", PATHS, Form::Whole),
    place("DiscoveredDevices.[].ID", HOST_DETAILS, Form::Whole),
    place("FirewallBackend.Info", HOST_DETAILS, Form::Pairs),
    place("NRI.Info", PATHS, Form::Pairs),
    place("Warnings", HOST_DETAILS, Form::Whole),
    place("Swarm.NodeAddr", HOST_DETAILS, Form::Whole),
    place("Swarm.RemoteManagers.[].Addr", HOST_DETAILS, Form::Whole),
    place("Swarm.Error", HOST_DETAILS, Form::Whole),
    place("Swarm.Cluster.DefaultAddrPool", HOST_DETAILS, Form::Empty),
];

const VERSION: &[Place] = &[
    place("KernelVersion", HOST_DETAILS, Form::Whole),
    place(
        "Components.[].Details.KernelVersion",
        HOST_DETAILS,
        Form::Whole,
    ),
];
