//! Which body and which query parameters each operation has: the closed world of what a request may say.

mod container;
mod container_parameters;
mod exec;
mod host_config;
mod image_parameters;
mod legacy;
mod mount;
mod network;
mod other_parameters;
mod service;
mod system;
mod task;
mod volume;

pub(super) use host_config::HOST_CONFIG;

use super::operation::Operation;
use super::schema::{Class, Field, Limit, Parameter, ParameterKind, Refused, Schema, Shape};

/// The body that an operation's requests carry; `None` where it is not read, or not judged because the operation is
/// not modelled.
#[must_use]
pub fn body_of(operation: Operation) -> Option<&'static Schema> {
    BODIES
        .iter()
        .find(|(of, _)| *of == operation)
        .map(|(_, schema)| *schema)
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

const BODIES: &[(Operation, &Schema)] = &[
    (Operation::ContainerCreate, container::CREATE),
    (Operation::ContainerUpdate, host_config::UPDATE),
    (Operation::ContainerExec, exec::CREATE),
    (Operation::ExecStart, exec::START),
    (Operation::ImageCommit, container::COMMIT),
    (Operation::VolumeCreate, volume::CREATE),
    (Operation::NetworkCreate, network::CREATE),
    (Operation::NetworkConnect, network::CONNECT),
    (Operation::NetworkDisconnect, network::DISCONNECT),
    (Operation::SystemAuth, system::AUTH),
    (Operation::ServiceCreate, service::CREATE),
    (Operation::ServiceUpdate, service::UPDATE),
];

const PARAMETERS: &[&[(Operation, &[Parameter])]] = &[
    container_parameters::ROWS,
    image_parameters::ROWS,
    other_parameters::ROWS,
];

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

const fn read(name: &'static str, kind: ParameterKind) -> Parameter {
    Parameter {
        name,
        kind,
        class: Class::Harmless,
    }
}

const fn judged(name: &'static str, kind: ParameterKind, limit: Limit) -> Parameter {
    Parameter {
        name,
        kind,
        class: Class::Limited(limit),
    }
}

const fn barred(name: &'static str, kind: ParameterKind, reason: Refused) -> Parameter {
    Parameter {
        name,
        kind,
        class: Class::Refused(reason),
    }
}
