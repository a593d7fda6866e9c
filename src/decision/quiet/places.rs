//! Where answers hold what a policy can hide: containers, images, volumes, networks and plugins.

use super::{info, swarm};
use crate::engine_api::Operation::{self as O};
use crate::policy::Quiet;

/// One place of an answer.
#[derive(Debug)]
pub(super) struct Place {
    /// As [`super::hide::visit`] reads it.
    pub(super) path: &'static str,
    /// It is hidden where any of these is.
    pub(super) kinds: &'static [Kind],
    pub(super) form: Form,
}

/// A key of `[quiet]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Environment,
    HostPaths,
    Labels,
    CommandLines,
    Secrets,
    HostDetails,
}

/// What stands at a place, and so how it is hidden.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Texts, at any depth.
    Whole,
    Environment,
    Labels,
    /// Placement constraints, which name labels of nodes.
    Constraints,
    Binds,
    /// An object with `Type` and `Source`.
    MountSource,
    Pairs,
    /// Base64.
    Bytes,
    /// What clients read into a type that no text fits.
    Empty,
    /// The answer to `ContainerTop`.
    Processes,
    /// The answer to `ContainerInspect`, where the container has the host's name.
    HostName,
    Event,
}

/// Operations, the path to what they have in common, and the places beneath it.
pub(super) type Table = (&'static [O], &'static str, &'static [Place]);

impl Kind {
    pub(super) const ALL: [Self; 6] = [
        Self::Environment,
        Self::HostPaths,
        Self::Labels,
        Self::CommandLines,
        Self::Secrets,
        Self::HostDetails,
    ];

    /// The key.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Environment => "environment",
            Self::HostPaths => "host-paths",
            Self::Labels => "labels",
            Self::CommandLines => "command-lines",
            Self::Secrets => "secrets",
            Self::HostDetails => "host-details",
        }
    }

    pub(super) fn is_hidden(self, quiet: &Quiet) -> bool {
        match self {
            Self::Environment => quiet.environment.value,
            Self::HostPaths => quiet.host_paths.value,
            Self::Labels => !quiet.labels.value.is_empty(),
            Self::CommandLines => quiet.command_lines.value,
            Self::Secrets => quiet.secrets.value,
            Self::HostDetails => quiet.host_details.value,
        }
    }
}

pub(super) const fn place(path: &'static str, kinds: &'static [Kind], form: Form) -> Place {
    Place { path, kinds, form }
}

/// The tables of one operation.
pub(super) fn tables(operation: O) -> impl Iterator<Item = &'static Table> {
    let all = [TABLES, swarm::TABLES, info::TABLES].into_iter().flatten();
    all.filter(move |(operations, ..)| operations.contains(&operation))
}

pub(super) const ENVIRONMENT: &[Kind] = &[Kind::Environment];
pub(super) const HOST_PATHS: &[Kind] = &[Kind::HostPaths];
pub(super) const LABELS: &[Kind] = &[Kind::Labels];
pub(super) const COMMANDS: &[Kind] = &[Kind::CommandLines];
pub(super) const SECRETS: &[Kind] = &[Kind::Secrets];
pub(super) const HOST_DETAILS: &[Kind] = &[Kind::HostDetails];
/// Instructions of a Dockerfile, and what build steps and health checks print.
const STEPS: &[Kind] = &[Kind::CommandLines, Kind::Environment];
const LABELLED_STEPS: &[Kind] = &[Kind::CommandLines, Kind::Environment, Kind::Labels];
/// What the daemon could not do, in its own words.
pub(super) const FAILURES: &[Kind] = &[Kind::CommandLines, Kind::HostPaths, Kind::Environment];
const SECRET_PATHS: &[Kind] = &[Kind::Secrets, Kind::HostPaths];

const TABLES: &[Table] = &[
    (&[O::ContainerList], "", CONTAINER_SUMMARY),
    (&[O::SystemDataUsage], "Containers.[]", CONTAINER_SUMMARY),
    (
        &[O::SystemDataUsage],
        "ContainerUsage.Items.[]",
        CONTAINER_SUMMARY,
    ),
    (&[O::ContainerInspect], "", CONTAINER),
    (&[O::ContainerInspect], "HostConfig", HOST_CONFIG),
    (&[O::ContainerInspect], "HostConfig.Mounts.[]", MOUNT),
    (&[O::ContainerInspect, O::ImageInspect], "Config", CONFIG),
    (&[O::ImageInspect], "ContainerConfig", CONFIG),
    (&[O::ImageInspect], "ContainerConfig", COMMITTED),
    (&[O::ImageInspect], "Config", COMMITTED),
    (&[O::ImageInspect], "", IMAGE),
    (&[O::ImageList], "", IMAGE_SUMMARY),
    (&[O::SystemDataUsage], "Images.[]", IMAGE_SUMMARY),
    (&[O::SystemDataUsage], "ImageUsage.Items.[]", IMAGE_SUMMARY),
    (&[O::ImageHistory], "", HISTORY),
    (&[O::ImageAttestations], "", ATTESTATION),
    (&[O::DistributionInspect], "", DISTRIBUTION),
    (&[O::SystemDataUsage], "BuildCache.[]", BUILD_CACHE),
    (
        &[O::SystemDataUsage],
        "BuildCacheUsage.Items.[]",
        BUILD_CACHE,
    ),
    (&[O::VolumeInspect, O::VolumeCreate], "", VOLUME),
    (&[O::VolumeList, O::SystemDataUsage], "Volumes.[]", VOLUME),
    (&[O::SystemDataUsage], "VolumeUsage.Items.[]", VOLUME),
    (&[O::NetworkList, O::NetworkInspect], "", NETWORK),
    (&[O::ExecInspect], "ProcessConfig", PROCESS),
    (&[O::ContainerTop], "", TOP),
    (
        &[O::PluginList, O::PluginInspect, O::PluginDelete],
        "",
        PLUGIN,
    ),
    (&[O::SystemEvents], "", EVENT),
];

const CONTAINER_SUMMARY: &[Place] = &[
    place("Command", COMMANDS, Form::Whole),
    place("Labels", LABELS, Form::Labels),
    place("Mounts.[].Source", HOST_PATHS, Form::Whole),
    place("HostConfig.Annotations", LABELS, Form::Labels),
    place("ImageManifestDescriptor.annotations", LABELS, Form::Labels),
    place(
        "NetworkSettings.Networks.*.DriverOpts",
        SECRETS,
        Form::Whole,
    ),
];

const CONTAINER: &[Place] = &[
    place("", HOST_DETAILS, Form::HostName),
    place("Path", COMMANDS, Form::Whole),
    place("Args", COMMANDS, Form::Whole),
    place("State.Error", FAILURES, Form::Whole),
    place("State.Health.Log.[].Output", STEPS, Form::Whole),
    place("ResolvConfPath", HOST_PATHS, Form::Whole),
    place("HostnamePath", HOST_PATHS, Form::Whole),
    place("HostsPath", HOST_PATHS, Form::Whole),
    place("LogPath", HOST_PATHS, Form::Whole),
    // moby: versions below 1.20 tell the host paths of mounts here, by their targets.
    place("Volumes", HOST_PATHS, Form::Whole),
    place("GraphDriver.Data", HOST_PATHS, Form::Whole),
    place("Mounts.[].Source", HOST_PATHS, Form::Whole),
    place("NetworkSettings.SandboxKey", HOST_PATHS, Form::Whole),
    place(
        "NetworkSettings.Networks.*.DriverOpts",
        SECRETS,
        Form::Whole,
    ),
    place("ImageManifestDescriptor.annotations", LABELS, Form::Labels),
];

/// Of the container that an image was made of.
const COMMITTED: &[Place] = &[place("Hostname", HOST_DETAILS, Form::Whole)];

/// Of a container or an image.
const CONFIG: &[Place] = &[
    place("Env", ENVIRONMENT, Form::Environment),
    place("Cmd", COMMANDS, Form::Whole),
    place("Entrypoint", COMMANDS, Form::Whole),
    place("Shell", COMMANDS, Form::Whole),
    place("OnBuild", LABELLED_STEPS, Form::Whole),
    place("Healthcheck.Test", COMMANDS, Form::Whole),
    place("Labels", LABELS, Form::Labels),
];

const HOST_CONFIG: &[Place] = &[
    place("Binds", HOST_PATHS, Form::Binds),
    place("ContainerIDFile", HOST_PATHS, Form::Whole),
    place("LogConfig.Config", SECRETS, Form::Whole),
    place("Annotations", LABELS, Form::Labels),
    place("Devices.[].PathOnHost", HOST_PATHS, Form::Whole),
    place("DeviceRequests.[].Options", SECRETS, Form::Whole),
    place("BlkioWeightDevice.[].Path", HOST_PATHS, Form::Whole),
    place("BlkioDeviceReadBps.[].Path", HOST_PATHS, Form::Whole),
    place("BlkioDeviceWriteBps.[].Path", HOST_PATHS, Form::Whole),
    place("BlkioDeviceReadIOps.[].Path", HOST_PATHS, Form::Whole),
    place("BlkioDeviceWriteIOps.[].Path", HOST_PATHS, Form::Whole),
];

/// As a request had it.
pub(super) const MOUNT: &[Place] = &[
    place("", HOST_PATHS, Form::MountSource),
    place("VolumeOptions.Labels", LABELS, Form::Labels),
    place("VolumeOptions.DriverConfig.Options", SECRETS, Form::Whole),
    place(
        "VolumeOptions.DriverConfig.Options.device",
        HOST_PATHS,
        Form::Whole,
    ),
    place(
        "VolumeOptions.DriverConfig.Options.o",
        HOST_PATHS,
        Form::Whole,
    ),
];

const IMAGE: &[Place] = &[
    place("GraphDriver.Data", HOST_PATHS, Form::Whole),
    place("Descriptor.annotations", LABELS, Form::Labels),
    place("Manifests.[].Descriptor.annotations", LABELS, Form::Labels),
];

const IMAGE_SUMMARY: &[Place] = &[
    place("Labels", LABELS, Form::Labels),
    place("Descriptor.annotations", LABELS, Form::Labels),
    place("Manifests.[].Descriptor.annotations", LABELS, Form::Labels),
];

const HISTORY: &[Place] = &[place("CreatedBy", LABELLED_STEPS, Form::Whole)];

/// A statement of how an image was built tells the arguments of the build.
const ATTESTATION: &[Place] = &[
    place("Statement", STEPS, Form::Whole),
    place("Descriptor.annotations", LABELS, Form::Labels),
];

const DISTRIBUTION: &[Place] = &[place("Descriptor.annotations", LABELS, Form::Labels)];

const BUILD_CACHE: &[Place] = &[place("Description", STEPS, Form::Whole)];

const VOLUME: &[Place] = &[
    place("Mountpoint", HOST_PATHS, Form::Whole),
    place("Labels", LABELS, Form::Labels),
    place("Options", SECRETS, Form::Whole),
    place("Options.device", HOST_PATHS, Form::Whole),
    place("Options.o", HOST_PATHS, Form::Whole),
    // Whatever its driver tells.
    place("Status", SECRET_PATHS, Form::Whole),
    place(
        "ClusterVolume.Spec.AccessMode.MountVolume",
        SECRETS,
        Form::Whole,
    ),
    place("ClusterVolume.Info.VolumeContext", SECRETS, Form::Whole),
    place(
        "ClusterVolume.PublishStatus.[].PublishContext",
        SECRETS,
        Form::Whole,
    ),
];

pub(super) const NETWORK: &[Place] = &[
    place("Labels", LABELS, Form::Labels),
    place("Options", SECRETS, Form::Whole),
    place("Options.parent", HOST_DETAILS, Form::Whole),
    place("IPAM.Options", SECRETS, Form::Whole),
    place("Peers", HOST_DETAILS, Form::Empty),
    // moby: daemon/libnetwork/agent.go, where a verbose answer tells of the node that runs a task.
    place("Services.*.Tasks.[].Info", HOST_DETAILS, Form::Whole),
];

const PROCESS: &[Place] = &[
    place("entrypoint", COMMANDS, Form::Whole),
    place("arguments", COMMANDS, Form::Whole),
];

const TOP: &[Place] = &[place("", COMMANDS, Form::Processes)];

const PLUGIN: &[Place] = &[
    place("Settings.Env", ENVIRONMENT, Form::Environment),
    place("Settings.Args", COMMANDS, Form::Whole),
    place("Settings.Mounts.[].Source", HOST_PATHS, Form::Whole),
    place("Settings.Mounts.[].Options", SECRETS, Form::Whole),
    place("Settings.Devices.[].Path", HOST_PATHS, Form::Whole),
    place("Config.Env.[].Value", ENVIRONMENT, Form::Whole),
    place("Config.Args.Value", COMMANDS, Form::Whole),
    place("Config.Entrypoint", COMMANDS, Form::Whole),
    place("Config.Mounts.[].Source", HOST_PATHS, Form::Whole),
    place("Config.Mounts.[].Options", SECRETS, Form::Whole),
    place("Config.Linux.Devices.[].Path", HOST_PATHS, Form::Whole),
];

const EVENT: &[Place] = &[place("", &Kind::ALL, Form::Event)];
