//! The body of `ContainerCheckpointCreate`.

use super::super::schema::{Limit, Refused, Schema, Shape};
use super::{harmless, limited, refused};

/// moby: api/types/checkpoint/create_request.go. The directory is one of the host, in place of the container's own.
pub(super) const CREATE: &Schema = &Schema {
    parts: &[&[
        limited("CheckpointID", Shape::Text, Limit::Checkpoint),
        refused("CheckpointDir", Shape::Text, Refused::Host),
        harmless("Exit", Shape::Bool),
    ]],
};
