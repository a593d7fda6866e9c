//! The bodies of `ContainerExec` and `ExecStart`.

use super::super::schema::{Limit, Schema, Shape};
use super::{also, harmless, limited, unread};

#[rustfmt::skip]
/// moby: api/types/container/exec_create_request.go; `Detach` up to 28 only, where nothing reads it.
pub(super) const CREATE: &Schema = &Schema {
    parts: &[&[
        harmless("User", Shape::Text),
        limited("Privileged", Shape::Bool, Limit::Privileged),
        harmless("Tty", Shape::Bool),
        harmless("ConsoleSize", Shape::List(&Shape::Integer)),
        harmless("AttachStdin", Shape::Bool),
        harmless("AttachStderr", Shape::Bool),
        harmless("AttachStdout", Shape::Bool),
        harmless("Detach", Shape::Bool),
        // docker-py, aiodocker
        also(harmless("DetachKeys", Shape::Text), "detachKeys"),
        harmless("Env", Shape::TextList),
        harmless("WorkingDir", Shape::Text),
        harmless("Cmd", Shape::TextList),
        // docker-py repeats the name in the path.
        unread("Container"),
        // Portainer likewise.
        unread("id"),
    ]],
};

#[rustfmt::skip]
/// moby: api/types/container/exec_start_request.go.
pub(super) const START: &Schema = &Schema {
    parts: &[&[
        harmless("Detach", Shape::Bool),
        harmless("Tty", Shape::Bool),
        harmless("ConsoleSize", Shape::List(&Shape::Integer)),
        // Options of dockerode and bollard for themselves.
        unread("hijack"),
        unread("stdin"),
        unread("OutputCapacity"),
    ]],
};
