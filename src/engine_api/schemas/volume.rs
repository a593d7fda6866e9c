//! The bodies of `VolumeCreate` and `VolumeUpdate`.

use super::super::schema::{Field, Limit, Schema, Shape};
use super::{harmless, limited};

/// moby: api/types/volume/create_request.go.
pub(super) const CREATE: &Schema = &Schema {
    parts: &[&[
        harmless("Name", Shape::Text),
        limited("Driver", Shape::Text, Limit::VolumeDriver),
        limited("DriverOpts", Shape::TextMap, Limit::VolumeOptions),
        limited("Labels", Shape::TextMap, Limit::Labels),
        limited(
            "ClusterVolumeSpec",
            Shape::Object(CLUSTER),
            Limit::ClusterVolume,
        ),
    ]],
};

/// moby: daemon/server/volumebackend/volume.go; `UpdateVolume` in daemon/cluster/volumes.go takes the availability alone.
pub(super) const UPDATE: &Schema = &Schema {
    parts: &[&[limited(
        "Spec",
        Shape::Object(CLUSTER),
        Limit::ClusterVolume,
    )]],
};

/// moby: api/types/volume/cluster_volume.go; `Secrets` names secrets of the swarm.
const CLUSTER: &Schema = &Schema {
    parts: &[
        &[
            harmless("Group", Shape::Text),
            harmless("AccessMode", Shape::Object(ACCESS_MODE)),
        ],
        PLACEMENT,
    ],
};

/// Docker's description has here what the daemon reads one level further up.
const ACCESS_MODE: &Schema = &Schema {
    parts: &[
        &[
            harmless("Scope", Shape::Text),
            harmless("Sharing", Shape::Text),
            harmless("MountVolume", Shape::Object(MOUNT)),
            harmless("BlockVolume", Shape::Object(BLOCK)),
        ],
        PLACEMENT,
    ],
};

const PLACEMENT: &[Field] = &[
    harmless("AccessibilityRequirements", Shape::Object(TOPOLOGIES)),
    harmless("CapacityRange", Shape::Object(CAPACITY)),
    harmless("Secrets", Shape::List(&Shape::Object(SECRET))),
    harmless("Availability", Shape::Text),
];

const MOUNT: &Schema = &Schema {
    parts: &[&[
        harmless("FsType", Shape::Text),
        harmless("MountFlags", Shape::TextList),
    ]],
};

const BLOCK: &Schema = &Schema { parts: &[] };

const TOPOLOGIES: &Schema = &Schema {
    parts: &[&[
        harmless("Requisite", Shape::List(&Shape::Object(TOPOLOGY))),
        harmless("Preferred", Shape::List(&Shape::Object(TOPOLOGY))),
    ]],
};

const TOPOLOGY: &Schema = &Schema {
    parts: &[&[harmless("Segments", Shape::TextMap)]],
};

/// In bytes.
const CAPACITY: &Schema = &Schema {
    parts: &[&[
        harmless("RequiredBytes", Shape::Integer),
        harmless("LimitBytes", Shape::Integer),
    ]],
};

const SECRET: &Schema = &Schema {
    parts: &[&[
        harmless("Key", Shape::Text),
        harmless("Secret", Shape::Text),
    ]],
};
