//! Where answers about a swarm hold what a policy can hide: services, tasks, nodes, secrets, configs, the swarm itself.

use super::places::{
    COMMANDS, ENVIRONMENT, FAILURES, Form, HOST_DETAILS, HOST_PATHS, Kind, LABELS, MOUNT, NETWORK,
    Place, SECRETS, Table, place,
};
use crate::engine_api::Operation as O;

pub(super) const TABLES: &[Table] = &[
    (SERVICE, "Spec", SERVICE_SPEC),
    (SERVICE, "PreviousSpec", SERVICE_SPEC),
    (SERVICE, "Spec.TaskTemplate", TASK_SPEC),
    (SERVICE, "PreviousSpec.TaskTemplate", TASK_SPEC),
    (SERVICE, "Spec.TaskTemplate.ContainerSpec.Mounts.[]", MOUNT),
    (
        SERVICE,
        "PreviousSpec.TaskTemplate.ContainerSpec.Mounts.[]",
        MOUNT,
    ),
    (TASKS, "", TASK),
    (TASKS, "Spec", TASK_SPEC),
    (TASKS, "Spec.ContainerSpec.Mounts.[]", MOUNT),
    (TASKS, "NetworksAttachments.[].Network", NETWORK),
    (&[O::NodeList, O::NodeInspect], "", NODE),
    (
        &[
            O::SecretList,
            O::SecretInspect,
            O::ConfigList,
            O::ConfigInspect,
        ],
        "Spec",
        SECRET,
    ),
    (&[O::SwarmInspect], "Spec", CLUSTER_SPEC),
    (&[O::SystemInfo], "Swarm.Cluster.Spec", CLUSTER_SPEC),
    (&[O::SwarmInspect, O::SwarmUnlockkey], "", TOKENS),
];

const SERVICE: &[O] = &[O::ServiceList, O::ServiceInspect];
const TASKS: &[O] = &[O::TaskList, O::TaskInspect];

const OF_NODES: &[Kind] = &[Kind::Labels, Kind::HostDetails];

const SERVICE_SPEC: &[Place] = &[
    place("Labels", LABELS, Form::Labels),
    place("Networks.[].DriverOpts", SECRETS, Form::Whole),
];

/// Docker's description calls the health check of a service `HealthCheck`, the daemon `Healthcheck`; and its settings of
/// a plugin are in small letters.
const TASK_SPEC: &[Place] = &[
    place("ContainerSpec.Env", ENVIRONMENT, Form::Environment),
    place("ContainerSpec.Command", COMMANDS, Form::Whole),
    place("ContainerSpec.Args", COMMANDS, Form::Whole),
    place("ContainerSpec.Labels", LABELS, Form::Labels),
    place("ContainerSpec.HealthCheck.Test", COMMANDS, Form::Whole),
    place("ContainerSpec.Healthcheck.Test", COMMANDS, Form::Whole),
    place(
        "ContainerSpec.Privileges.CredentialSpec.File",
        HOST_PATHS,
        Form::Whole,
    ),
    place("PluginSpec.Env", ENVIRONMENT, Form::Environment),
    place("PluginSpec.env", ENVIRONMENT, Form::Environment),
    place(
        "PluginSpec.PluginPrivilege.[].Value",
        HOST_PATHS,
        Form::Whole,
    ),
    place("PluginSpec.privileges.[].value", HOST_PATHS, Form::Whole),
    place("LogDriver.Options", SECRETS, Form::Whole),
    place("Networks.[].DriverOpts", SECRETS, Form::Whole),
    place("Placement.Constraints", OF_NODES, Form::Constraints),
];

const TASK: &[Place] = &[
    place("Labels", LABELS, Form::Labels),
    place("Status.Err", FAILURES, Form::Whole),
    // moby: api/types/swarm/network.go, `Network`, which is no `NetworkInspect`.
    place(
        "NetworksAttachments.[].Network.Spec.Labels",
        LABELS,
        Form::Labels,
    ),
    place(
        "NetworksAttachments.[].Network.Spec.DriverConfiguration.Options",
        SECRETS,
        Form::Whole,
    ),
    place(
        "NetworksAttachments.[].Network.DriverState.Options",
        SECRETS,
        Form::Whole,
    ),
];

const NODE: &[Place] = &[
    place("Spec.Labels", LABELS, Form::Labels),
    place("Description.Engine.Labels", LABELS, Form::Labels),
    place("Description.Hostname", HOST_DETAILS, Form::Whole),
    place("Status.Addr", HOST_DETAILS, Form::Whole),
    place("ManagerStatus.Addr", HOST_DETAILS, Form::Whole),
];

/// Of a secret or config; the daemon never tells the data of a secret.
const SECRET: &[Place] = &[
    place("Labels", LABELS, Form::Labels),
    place("Data", SECRETS, Form::Bytes),
    place("Driver.Options", SECRETS, Form::Whole),
    place("Templating.Options", SECRETS, Form::Whole),
];

const CLUSTER_SPEC: &[Place] = &[
    place("Labels", LABELS, Form::Labels),
    place("CAConfig.SigningCAKey", SECRETS, Form::Whole),
    place("CAConfig.ExternalCAs.[].URL", HOST_DETAILS, Form::Whole),
    place("CAConfig.ExternalCAs.[].Options", SECRETS, Form::Whole),
    place("TaskDefaults.LogDriver.Options", SECRETS, Form::Whole),
];

const TOKENS: &[Place] = &[
    place("JoinTokens", SECRETS, Form::Whole),
    place("UnlockKey", SECRETS, Form::Whole),
];
