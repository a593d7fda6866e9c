//! The bodies of `ContainerCreate` and `ImageCommit`.

use super::super::schema::{Field, Limit, Schema, Shape};
use super::host_config::HOST_CONFIG;
use super::legacy::TOP_LEVEL;
use super::network::ENDPOINT;
use super::{harmless, limited, unread};

/// moby: api/types/container/create_request.go; runconfig/config_unix.go up to 26.
pub(super) const CREATE: &Schema = &Schema {
    parts: &[CONFIG, CREATE_ONLY, TOP_LEVEL],
};

/// moby: daemon/server/router/container/container_routes.go, `postCommit` takes a bare `Config` for the new image.
pub(super) const COMMIT: &Schema = &Schema {
    parts: &[CONFIG, COMMIT_ONLY],
};

#[rustfmt::skip]
/// moby: api/types/container/config.go.
///
/// `Volumes` makes anonymous volumes with the driver of `HostConfig.VolumeDriver` and takes its keys for paths in the
/// container (daemon/create_unix.go); `Hostname` and `Domainname` are refused
/// by the daemon where the container shares the host's UTS namespace. `Cmd`, `Entrypoint` and `Shell` are
/// `strslice.StrSlice` up to 28 and `[]string` since.
const CONFIG: &[Field] = &[
    harmless("Hostname", Shape::Text),
    harmless("Domainname", Shape::Text),
    harmless("User", Shape::Text),
    harmless("AttachStdin", Shape::Bool),
    harmless("AttachStdout", Shape::Bool),
    harmless("AttachStderr", Shape::Bool),
    harmless("ExposedPorts", Shape::Set),
    harmless("Tty", Shape::Bool),
    harmless("OpenStdin", Shape::Bool),
    harmless("StdinOnce", Shape::Bool),
    harmless("Env", Shape::TextList),
    harmless("Cmd", Shape::TextOrList),
    limited("Healthcheck", Shape::Object(HEALTHCHECK), Limit::Healthcheck),
    harmless("ArgsEscaped", Shape::Bool),
    harmless("Volumes", Shape::Set),
    harmless("WorkingDir", Shape::Text),
    harmless("Entrypoint", Shape::TextOrList),
    harmless("NetworkDisabled", Shape::Bool),
    harmless("MacAddress", Shape::Text),
    harmless("OnBuild", Shape::TextList),
    limited("Labels", Shape::TextMap, Limit::Labels),
    harmless("StopSignal", Shape::Text),
    harmless("StopTimeout", Shape::Integer),
    harmless("Shell", Shape::TextOrList),
];

#[rustfmt::skip]
const CREATE_ONLY: &[Field] = &[
    limited("Image", Shape::Text, Limit::Image),
    harmless("HostConfig", Shape::Object(HOST_CONFIG)),
    harmless("NetworkingConfig", Shape::Object(NETWORKING_CONFIG)),
    // dockerode repeats the query in the body.
    unread("name"),
    unread("platform"),
];

/// The new image's record of the image before it, which the daemon does not look up.
const COMMIT_ONLY: &[Field] = &[
    harmless("Image", Shape::Text),
    // dockerode repeats the query in the body.
    unread("author"),
    unread("changes"),
    unread("comment"),
    unread("container"),
    // Portainer repeats the container's name.
    unread("id"),
    unread("pause"),
    unread("repo"),
    unread("tag"),
];

#[rustfmt::skip]
/// Durations are nanoseconds. moby: vendor/github.com/moby/docker-image-spec/specs-go/v1/image.go.
pub(super) const HEALTHCHECK: &Schema = &Schema {
    parts: &[&[
        harmless("Test", Shape::TextList),
        harmless("Interval", Shape::Integer),
        harmless("Timeout", Shape::Integer),
        harmless("StartPeriod", Shape::Integer),
        harmless("StartInterval", Shape::Integer),
        harmless("Retries", Shape::Integer),
    ]],
};

const NETWORKING_CONFIG: &Schema = &Schema {
    parts: &[&[limited(
        "EndpointsConfig",
        Shape::Map(&Shape::Object(ENDPOINT)),
        Limit::EndpointsConfig,
    )]],
};
