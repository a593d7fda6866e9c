//! `TaskTemplate` of a service: the containers that its nodes make.

use super::super::schema::{Limit, Refused, Schema, Shape};
use super::container::HEALTHCHECK;
use super::host_config::ULIMIT;
use super::mount::MOUNT;
use super::service::{ATTACHMENT, NOTHING};
use super::{also, harmless, limited, refused};

#[rustfmt::skip]
/// moby: api/types/swarm/task.go; daemon/cluster/executor/container/container.go makes a container of it on a node.
///
/// `Placement` picks nodes and nothing on them. Only `container` is a runtime whose tasks are containers; a spec for
/// another one is ignored beside it and refused all the same.
pub(super) const TASK: &Schema = &Schema {
    parts: &[&[
        refused("PluginSpec", Shape::Map(&Shape::Any), Refused::TaskRuntime),
        harmless("ContainerSpec", Shape::Object(CONTAINER)),
        refused("NetworkAttachmentSpec", Shape::Map(&Shape::Any), Refused::TaskRuntime),
        harmless("Resources", Shape::Object(RESOURCES)),
        harmless("RestartPolicy", Shape::Object(RESTART_POLICY)),
        harmless("Placement", Shape::Object(PLACEMENT)),
        harmless("ForceUpdate", Shape::Integer),
        limited("Runtime", Shape::Text, Limit::TaskRuntime),
        limited("Networks", Shape::List(&Shape::Object(ATTACHMENT)), Limit::ServiceNetworks),
        limited("LogDriver", Shape::Object(LOG_DRIVER), Limit::LogDriver),
    ]],
};

#[rustfmt::skip]
/// moby: api/types/swarm/container.go; daemon/cluster/convert/container.go, `containerToGRPC`.
///
/// `Env`, `Hostname` and parts of `Mounts` are templates that the node fills in with names of the service, the node and
/// the task (github.com/moby/swarmkit, template/expand.go). `Hosts` and `DNSConfig` hold inside the container.
const CONTAINER: &Schema = &Schema {
    parts: &[&[
        limited("Image", Shape::Text, Limit::Image),
        limited("Labels", Shape::TextMap, Limit::Labels),
        harmless("Command", Shape::TextList),
        harmless("Args", Shape::TextList),
        harmless("Hostname", Shape::Text),
        harmless("Env", Shape::TextList),
        harmless("Dir", Shape::Text),
        harmless("User", Shape::Text),
        harmless("Groups", Shape::TextList),
        harmless("Privileges", Shape::Object(PRIVILEGES)),
        harmless("Init", Shape::Bool),
        harmless("StopSignal", Shape::Text),
        harmless("TTY", Shape::Bool),
        harmless("OpenStdin", Shape::Bool),
        harmless("ReadOnly", Shape::Bool),
        limited("Mounts", Shape::List(&Shape::Object(MOUNT)), Limit::ServiceMounts),
        harmless("StopGracePeriod", Shape::Integer),
        // Described so; Go clients write it otherwise.
        also(limited("HealthCheck", Shape::Object(HEALTHCHECK), Limit::Healthcheck), "Healthcheck"),
        harmless("Hosts", Shape::TextList),
        harmless("DNSConfig", Shape::Object(DNS_CONFIG)),
        limited("Secrets", Shape::List(&Shape::Object(SECRET)), Limit::ServiceSecrets),
        limited("Configs", Shape::List(&Shape::Object(CONFIG)), Limit::ServiceConfigs),
        limited("Isolation", Shape::Text, Limit::Isolation),
        limited("Sysctls", Shape::TextMap, Limit::Sysctls),
        limited("CapabilityAdd", Shape::TextList, Limit::Capabilities),
        harmless("CapabilityDrop", Shape::TextList),
        limited("Ulimits", Shape::List(&Shape::Object(ULIMIT)), Limit::Ulimits),
        limited("OomScoreAdj", Shape::Integer, Limit::OomScore),
    ]],
};

#[rustfmt::skip]
/// Each becomes a security option of the container (`applyPrivileges` of the executor).
const PRIVILEGES: &Schema = &Schema {
    parts: &[&[
        harmless("CredentialSpec", Shape::Object(CREDENTIAL_SPEC)),
        limited("SELinuxContext", Shape::Object(SELINUX_CONTEXT), Limit::SelinuxContext),
        harmless("Seccomp", Shape::Object(SECCOMP)),
        harmless("AppArmor", Shape::Object(APPARMOR)),
        harmless("NoNewPrivileges", Shape::Bool),
    ]],
};

/// Credentials of the host's own, by a file or a key of its registry; Windows only.
const CREDENTIAL_SPEC: &Schema = &Schema {
    parts: &[&[
        refused("Config", Shape::Text, Refused::Host),
        refused("File", Shape::Text, Refused::Host),
        refused("Registry", Shape::Text, Refused::Host),
    ]],
};

const SELINUX_CONTEXT: &Schema = &Schema {
    parts: &[&[
        harmless("Disable", Shape::Bool),
        harmless("User", Shape::Text),
        harmless("Role", Shape::Text),
        harmless("Type", Shape::Text),
        harmless("Level", Shape::Text),
    ]],
};

/// `Profile` is base64 and counts where the mode is `custom`.
const SECCOMP: &Schema = &Schema {
    parts: &[&[
        limited("Mode", Shape::Text, Limit::SeccompMode),
        harmless("Profile", Shape::Text),
    ]],
};

const APPARMOR: &Schema = &Schema {
    parts: &[&[limited("Mode", Shape::Text, Limit::AppArmorMode)]],
};

const DNS_CONFIG: &Schema = &Schema {
    parts: &[&[
        harmless("Nameservers", Shape::TextList),
        harmless("Search", Shape::TextList),
        harmless("Options", Shape::TextList),
    ]],
};

/// The name must be that of the id, or the daemon refuses the service.
///
/// github.com/moby/swarmkit, manager/controlapi/service.go, `checkSecretExistence`, `checkConfigExistence`.
const SECRET: &Schema = &Schema {
    parts: &[&[
        harmless("File", Shape::Object(FILE)),
        harmless("SecretID", Shape::Text),
        harmless("SecretName", Shape::Text),
    ]],
};

/// `Runtime` hands it to the runtime as a credential spec, in place of a file.
const CONFIG: &Schema = &Schema {
    parts: &[&[
        harmless("File", Shape::Object(FILE)),
        harmless("Runtime", Shape::Object(NOTHING)),
        harmless("ConfigID", Shape::Text),
        harmless("ConfigName", Shape::Text),
    ]],
};

/// A path in the container; `Mode` is a file mode as a number.
const FILE: &Schema = &Schema {
    parts: &[&[
        harmless("Name", Shape::Text),
        harmless("UID", Shape::Text),
        harmless("GID", Shape::Text),
        harmless("Mode", Shape::Integer),
    ]],
};

const RESOURCES: &Schema = &Schema {
    parts: &[&[
        harmless("Limits", Shape::Object(LIMITS)),
        harmless("Reservations", Shape::Object(RESERVATIONS)),
        harmless("SwapBytes", Shape::Integer),
        harmless("MemorySwappiness", Shape::Integer),
    ]],
};

const LIMITS: &Schema = &Schema {
    parts: &[&[
        harmless("NanoCPUs", Shape::Integer),
        harmless("MemoryBytes", Shape::Integer),
        harmless("Pids", Shape::Integer),
    ]],
};

#[rustfmt::skip]
const RESERVATIONS: &Schema = &Schema {
    parts: &[&[
        harmless("NanoCPUs", Shape::Integer),
        harmless("MemoryBytes", Shape::Integer),
        limited("GenericResources", Shape::List(&Shape::Object(GENERIC_RESOURCE)), Limit::GenericResources),
    ]],
};

const GENERIC_RESOURCE: &Schema = &Schema {
    parts: &[&[
        harmless("NamedResourceSpec", Shape::Object(NAMED_RESOURCE)),
        harmless("DiscreteResourceSpec", Shape::Object(DISCRETE_RESOURCE)),
    ]],
};

const NAMED_RESOURCE: &Schema = &Schema {
    parts: &[&[
        harmless("Kind", Shape::Text),
        harmless("Value", Shape::Text),
    ]],
};

const DISCRETE_RESOURCE: &Schema = &Schema {
    parts: &[&[
        harmless("Kind", Shape::Text),
        harmless("Value", Shape::Integer),
    ]],
};

/// Durations are nanoseconds.
const RESTART_POLICY: &Schema = &Schema {
    parts: &[&[
        harmless("Condition", Shape::Text),
        harmless("Delay", Shape::Integer),
        harmless("MaxAttempts", Shape::Integer),
        harmless("Window", Shape::Integer),
    ]],
};

const PLACEMENT: &Schema = &Schema {
    parts: &[&[
        harmless("Constraints", Shape::TextList),
        harmless("Preferences", Shape::List(&Shape::Object(PREFERENCE))),
        harmless("MaxReplicas", Shape::Integer),
        harmless("Platforms", Shape::List(&Shape::Object(PLATFORM))),
    ]],
};

const PREFERENCE: &Schema = &Schema {
    parts: &[&[harmless("Spread", Shape::Object(SPREAD))]],
};

const SPREAD: &Schema = &Schema {
    parts: &[&[harmless("SpreadDescriptor", Shape::Text)]],
};

const PLATFORM: &Schema = &Schema {
    parts: &[&[
        harmless("Architecture", Shape::Text),
        harmless("OS", Shape::Text),
    ]],
};

const LOG_DRIVER: &Schema = &Schema {
    parts: &[&[
        harmless("Name", Shape::Text),
        harmless("Options", Shape::TextMap),
    ]],
};
