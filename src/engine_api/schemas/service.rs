//! The bodies of `ServiceCreate` and `ServiceUpdate`: what surrounds the tasks.

use super::super::schema::{Field, Limit, Schema, Shape};
use super::task::TASK;
use super::{also, harmless, limited, unread};

pub(super) const CREATE: &Schema = &Schema { parts: &[SPEC] };

pub(super) const UPDATE: &Schema = &Schema {
    parts: &[SPEC, UPDATE_ONLY],
};

#[rustfmt::skip]
/// moby: api/types/swarm/service.go; daemon/cluster/convert/service.go, `ServiceSpecToGRPC`.
///
/// `Networks` stands in for those of the task where that has none: always up to 24, and since then for clients before
/// 1.44 (daemon/server/router/swarm/helpers.go, `adjustForAPIVersion`, which drops what other old clients could not
/// mean; it is judged all the same). A rollback on failure goes back to the spec that the request takes the place of.
const SPEC: &[Field] = &[
    harmless("Name", Shape::Text),
    limited("Labels", Shape::TextMap, Limit::Labels),
    harmless("TaskTemplate", Shape::Object(TASK)),
    harmless("Mode", Shape::Object(MODE)),
    harmless("UpdateConfig", Shape::Object(UPDATE_CONFIG)),
    harmless("RollbackConfig", Shape::Object(UPDATE_CONFIG)),
    limited("Networks", Shape::List(&Shape::Object(ATTACHMENT)), Limit::ServiceNetworks),
    harmless("EndpointSpec", Shape::Object(ENDPOINT_SPEC)),
];

/// dockerode repeats the query in the body.
const UPDATE_ONLY: &[Field] = &[
    unread("registryAuthFrom"),
    unread("rollback"),
    unread("version"),
];

/// Numbers are `uint64`; the daemon refuses negative ones.
const MODE: &Schema = &Schema {
    parts: &[&[
        // docker-py
        also(
            harmless("Replicated", Shape::Object(REPLICATED)),
            "replicated",
        ),
        also(harmless("Global", Shape::Object(NOTHING)), "global"),
        harmless("ReplicatedJob", Shape::Object(REPLICATED_JOB)),
        harmless("GlobalJob", Shape::Object(NOTHING)),
    ]],
};

const REPLICATED: &Schema = &Schema {
    parts: &[&[harmless("Replicas", Shape::Integer)]],
};

const REPLICATED_JOB: &Schema = &Schema {
    parts: &[&[
        harmless("MaxConcurrent", Shape::Integer),
        harmless("TotalCompletions", Shape::Integer),
    ]],
};

pub(super) const NOTHING: &Schema = &Schema { parts: &[] };

/// Durations are nanoseconds.
const UPDATE_CONFIG: &Schema = &Schema {
    parts: &[&[
        harmless("Parallelism", Shape::Integer),
        harmless("Delay", Shape::Integer),
        harmless("FailureAction", Shape::Text),
        harmless("Monitor", Shape::Integer),
        harmless("MaxFailureRatio", Shape::Float),
        harmless("Order", Shape::Text),
    ]],
};

#[rustfmt::skip]
/// moby: api/types/swarm/network.go. `Aliases` are names within the network.
pub(super) const ATTACHMENT: &Schema = &Schema {
    parts: &[&[
        harmless("Target", Shape::Text),
        harmless("Aliases", Shape::TextList),
        limited("DriverOpts", Shape::TextMap, Limit::EndpointOptions),
    ]],
};

#[rustfmt::skip]
const ENDPOINT_SPEC: &Schema = &Schema {
    parts: &[&[
        harmless("Mode", Shape::Text),
        limited("Ports", Shape::List(&Shape::Object(PORT)), Limit::ServicePorts),
    ]],
};

/// Published on every address: of every node (`ingress`, the default), or of each node that runs a task (`host`).
const PORT: &Schema = &Schema {
    parts: &[&[
        harmless("Name", Shape::Text),
        harmless("Protocol", Shape::Text),
        harmless("TargetPort", Shape::Integer),
        harmless("PublishedPort", Shape::Integer),
        harmless("PublishMode", Shape::Text),
    ]],
};
