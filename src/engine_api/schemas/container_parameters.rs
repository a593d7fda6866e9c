//! The query parameters of operations on containers and execs.

use super::super::operation::Operation;
use super::super::schema::ParameterKind::{Bool, Filters, Integer, Text};
use super::super::schema::{Limit, Parameter, Refused};
use super::{barred, judged, read};

#[rustfmt::skip]
/// moby: daemon/server/router/container, daemon/server/router/checkpoint.
pub(super) const ROWS: &[(Operation, &[Parameter])] = &[
    (Operation::ContainerList, &[
        read("all", Bool),
        read("before", Text),
        read("filters", Filters),
        read("limit", Integer),
        read("since", Text),
        read("size", Bool),
    ]),
    (Operation::ContainerCreate, &[
        read("name", Text),
        read("platform", Text),
    ]),
    (Operation::ContainerInspect, &[read("size", Bool)]),
    (Operation::ContainerTop, &[judged("ps_args", Text, Limit::PsArguments)]),
    (Operation::ContainerLogs, &[
        read("details", Bool),
        read("follow", Bool),
        read("format", Text),
        read("since", Text),
        read("stderr", Bool),
        read("stdout", Bool),
        read("tail", Text),
        read("timestamps", Bool),
        read("until", Text),
    ]),
    (Operation::ContainerStats, &[
        read("one-shot", Bool),
        read("stream", Bool),
    ]),
    (Operation::ContainerResize, SIZE),
    (Operation::ContainerStart, &[
        // Below the container's own directory up to 28, wherever `..` leads from there.
        judged("checkpoint", Text, Limit::Checkpoint),
        // The state of a process from a directory of the host.
        barred("checkpoint-dir", Text, Refused::Host),
    ]),
    (Operation::ContainerStop, STOP),
    (Operation::ContainerRestart, STOP),
    (Operation::ContainerKill, &[read("signal", Text)]),
    (Operation::ContainerRename, &[read("name", Text)]),
    (Operation::ContainerAttach, ATTACH),
    (Operation::ContainerAttachWebsocket, ATTACH),
    (Operation::ContainerWait, &[read("condition", Text)]),
    (Operation::ContainerDelete, &[
        read("force", Bool),
        read("link", Bool),
        read("v", Bool),
    ]),
    (Operation::ContainerArchiveInfo, &[read("path", Text)]),
    (Operation::ContainerArchive, &[read("path", Text)]),
    (Operation::PutContainerArchive, &[
        read("copyUIDGID", Bool),
        read("noOverwriteDirNonDir", Bool),
        read("path", Text),
    ]),
    (Operation::ContainerPrune, &[read("filters", Filters)]),
    (Operation::ContainerCheckpointList, &[barred("dir", Text, Refused::Host)]),
    (Operation::ContainerCheckpointDelete, &[barred("dir", Text, Refused::Host)]),
    (Operation::ExecResize, SIZE),
];

const SIZE: &[Parameter] = &[read("h", Integer), read("w", Integer)];

const STOP: &[Parameter] = &[read("signal", Text), read("t", Integer)];

const ATTACH: &[Parameter] = &[
    read("detachKeys", Text),
    read("logs", Bool),
    read("stderr", Bool),
    read("stdin", Bool),
    read("stdout", Bool),
    read("stream", Bool),
];
