//! Which body and which query parameters each operation has: the closed world of what a request may say.

mod checkpoint;
mod container;
mod container_parameters;
mod exec;
mod host_config;
mod image_parameters;
mod legacy;
mod mount;
mod network;
mod other_parameters;
mod plugin;
mod secret;
mod service;
mod swarm;
mod system;
mod task;
mod volume;

pub(super) use host_config::HOST_CONFIG;

use super::operation::Operation;
use super::schema::{Class, Field, Limit, Parameter, ParameterKind, Refused, Schema, Shape};

/// The shape of the body that an operation's requests carry; `None` where it is not read, or not judged because the
/// operation is not modelled.
#[must_use]
pub fn body_of(operation: Operation) -> Option<Shape> {
    BODIES
        .iter()
        .find(|(of, _)| *of == operation)
        .map(|(_, shape)| *shape)
}

/// The query parameters that some version of the daemon reads for an operation; every other is dropped.
///
/// moby: daemon/server/router and api/server/router, all that a handler takes from `r.Form`, `r.FormValue` or
/// `r.URL.Query()` from 1.13 to 29.
#[must_use]
pub fn parameters_of(operation: Operation) -> &'static [Parameter] {
    PARAMETERS
        .iter()
        .flat_map(|table| *table)
        .find(|(of, _)| *of == operation)
        .map_or(&[], |(_, parameters)| *parameters)
}

const BODIES: &[(Operation, Shape)] = &[
    (Operation::ContainerCreate, object(container::CREATE)),
    (Operation::ContainerUpdate, object(host_config::UPDATE)),
    (
        Operation::ContainerCheckpointCreate,
        object(checkpoint::CREATE),
    ),
    (Operation::ContainerExec, object(exec::CREATE)),
    (Operation::ExecStart, object(exec::START)),
    (Operation::ImageCommit, object(container::COMMIT)),
    (Operation::VolumeCreate, object(volume::CREATE)),
    (Operation::VolumeUpdate, object(volume::UPDATE)),
    (Operation::NetworkCreate, object(network::CREATE)),
    (Operation::NetworkConnect, object(network::CONNECT)),
    (Operation::NetworkDisconnect, object(network::DISCONNECT)),
    (Operation::PluginPull, plugin::PRIVILEGES),
    (Operation::PluginUpgrade, plugin::PRIVILEGES),
    (Operation::PluginSet, plugin::SETTINGS),
    (Operation::SystemAuth, object(system::AUTH)),
    (Operation::NodeUpdate, object(swarm::NODE)),
    (Operation::SwarmInit, object(swarm::INIT)),
    (Operation::SwarmJoin, object(swarm::JOIN)),
    (Operation::SwarmUpdate, object(swarm::SPEC)),
    (Operation::SwarmUnlock, object(swarm::UNLOCK)),
    (Operation::SecretCreate, object(secret::SECRET)),
    (Operation::SecretUpdate, object(secret::SECRET)),
    (Operation::ConfigCreate, object(secret::CONFIG)),
    (Operation::ConfigUpdate, object(secret::CONFIG)),
    (Operation::ServiceCreate, object(service::CREATE)),
    (Operation::ServiceUpdate, object(service::UPDATE)),
];

const PARAMETERS: &[&[(Operation, &[Parameter])]] = &[
    container_parameters::ROWS,
    image_parameters::ROWS,
    other_parameters::ROWS,
];

const fn object(schema: &'static Schema) -> Shape {
    Shape::Object(schema)
}

const fn harmless(name: &'static str, shape: Shape) -> Field {
    Field {
        name,
        spelling: None,
        shape,
        class: Class::Harmless,
    }
}

const fn limited(name: &'static str, shape: Shape, limit: Limit) -> Field {
    Field {
        name,
        spelling: None,
        shape,
        class: Class::Limited(limit),
    }
}

const fn refused(name: &'static str, shape: Shape, reason: Refused) -> Field {
    Field {
        name,
        spelling: None,
        shape,
        class: Class::Refused(reason),
    }
}

/// A name that clients in use send and no daemon reads.
const fn unread(name: &'static str) -> Field {
    harmless(name, Shape::Unread)
}

/// The field, written otherwise by a client in use.
const fn also(field: Field, spelling: &'static str) -> Field {
    Field {
        spelling: Some(spelling),
        ..field
    }
}

const fn parameter(name: &'static str, kind: ParameterKind, class: Class) -> Parameter {
    Parameter {
        name,
        kind,
        class,
        shape: Shape::Any,
    }
}

const fn read(name: &'static str, kind: ParameterKind) -> Parameter {
    parameter(name, kind, Class::Harmless)
}

const fn judged(name: &'static str, kind: ParameterKind, limit: Limit) -> Parameter {
    parameter(name, kind, Class::Limited(limit))
}

const fn barred(name: &'static str, kind: ParameterKind, reason: Refused) -> Parameter {
    parameter(name, kind, Class::Refused(reason))
}

/// The parameter, a JSON value of this shape.
const fn json(name: &'static str, shape: Shape, class: Class) -> Parameter {
    Parameter {
        shape,
        ..parameter(name, ParameterKind::Json, class)
    }
}
