//! One entry of `HostConfig.Mounts`, judged as a whole by `Limit::Mounts`.

use super::super::schema::{Schema, Shape};
use super::harmless;

#[rustfmt::skip]
/// moby: api/types/mount/mount.go. `Type` is `bind`, `volume`, `tmpfs`, `image`, `cluster` or `npipe`.
pub(super) const MOUNT: &Schema = &Schema {
    parts: &[&[
        harmless("Type", Shape::Text),
        harmless("Source", Shape::Text),
        harmless("Target", Shape::Text),
        harmless("ReadOnly", Shape::Bool),
        harmless("Consistency", Shape::Text),
        harmless("BindOptions", Shape::Object(BIND_OPTIONS)),
        harmless("VolumeOptions", Shape::Object(VOLUME_OPTIONS)),
        harmless("ImageOptions", Shape::Object(IMAGE_OPTIONS)),
        harmless("TmpfsOptions", Shape::Object(TMPFS_OPTIONS)),
        harmless("ClusterOptions", Shape::Object(CLUSTER_OPTIONS)),
    ]],
};

const BIND_OPTIONS: &Schema = &Schema {
    parts: &[&[
        harmless("Propagation", Shape::Text),
        harmless("NonRecursive", Shape::Bool),
        harmless("CreateMountpoint", Shape::Bool),
        harmless("ReadOnlyNonRecursive", Shape::Bool),
        harmless("ReadOnlyForceRecursive", Shape::Bool),
    ]],
};

const VOLUME_OPTIONS: &Schema = &Schema {
    parts: &[&[
        harmless("NoCopy", Shape::Bool),
        harmless("Labels", Shape::TextMap),
        harmless("Subpath", Shape::Text),
        harmless("DriverConfig", Shape::Object(DRIVER)),
    ]],
};

const DRIVER: &Schema = &Schema {
    parts: &[&[
        harmless("Name", Shape::Text),
        harmless("Options", Shape::TextMap),
    ]],
};

const IMAGE_OPTIONS: &Schema = &Schema {
    parts: &[&[harmless("Subpath", Shape::Text)]],
};

/// `Mode` is a file mode as a number; `Options` is a list of `[name]` and `[name, value]`.
const TMPFS_OPTIONS: &Schema = &Schema {
    parts: &[&[
        harmless("SizeBytes", Shape::Integer),
        harmless("Mode", Shape::Integer),
        harmless("Options", Shape::List(&Shape::TextList)),
    ]],
};

const CLUSTER_OPTIONS: &Schema = &Schema { parts: &[] };
