//! The body of `VolumeCreate`.

use super::super::schema::{Limit, Refused, Schema, Shape};
use super::{harmless, limited, refused};

/// moby: api/types/volume/create_request.go.
pub(super) const CREATE: &Schema = &Schema {
    parts: &[&[
        harmless("Name", Shape::Text),
        limited("Driver", Shape::Text, Limit::VolumeDriver),
        limited("DriverOpts", Shape::TextMap, Limit::VolumeOptions),
        harmless("Labels", Shape::TextMap),
        refused("ClusterVolumeSpec", Shape::Any, Refused::Swarm),
    ]],
};
