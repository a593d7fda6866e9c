//! The bodies of operations on a swarm and its nodes.

use super::super::schema::{Limit, Schema, Shape};
use super::{harmless, limited};

#[rustfmt::skip]
/// moby: api/types/swarm/swarm.go, `InitRequest`.
///
/// Where the swarm listens, what it advertises and where its data goes are judged together, with what the daemon takes
/// for those that are absent. `AutoLockManagers` and `Availability` are the new swarm's own affair.
pub(super) const INIT: &Schema = &Schema {
    parts: &[&[
        limited("ListenAddr", Shape::Text, Limit::SwarmAddress),
        limited("AdvertiseAddr", Shape::Text, Limit::SwarmAddress),
        limited("DataPathAddr", Shape::Text, Limit::SwarmAddress),
        limited("DataPathPort", Shape::Integer, Limit::SwarmAddress),
        limited("ForceNewCluster", Shape::Bool, Limit::ForceNewCluster),
        harmless("Spec", Shape::Object(SPEC)),
        harmless("AutoLockManagers", Shape::Bool),
        harmless("Availability", Shape::Text),
        limited("DefaultAddrPool", Shape::TextList, Limit::AddressPool),
        harmless("SubnetSize", Shape::Integer),
    ]],
};

#[rustfmt::skip]
/// moby: api/types/swarm/swarm.go, `JoinRequest`. The port of the data path is the swarm's.
pub(super) const JOIN: &Schema = &Schema {
    parts: &[&[
        limited("ListenAddr", Shape::Text, Limit::SwarmAddress),
        limited("AdvertiseAddr", Shape::Text, Limit::SwarmAddress),
        limited("DataPathAddr", Shape::Text, Limit::SwarmAddress),
        limited("RemoteAddrs", Shape::TextList, Limit::SwarmRemotes),
        harmless("JoinToken", Shape::Text),
        harmless("Availability", Shape::Text),
    ]],
};

#[rustfmt::skip]
/// moby: api/types/swarm/swarm.go, `Spec`, the body of `SwarmUpdate` too.
///
/// The numbers of `Raft` and `Dispatcher` can make a swarm slow or unsteady, and reach nothing outside it.
pub(super) const SPEC: &Schema = &Schema {
    parts: &[&[
        harmless("Name", Shape::Text),
        limited("Labels", Shape::TextMap, Limit::Labels),
        harmless("Orchestration", Shape::Object(ORCHESTRATION)),
        harmless("Raft", Shape::Object(RAFT)),
        harmless("Dispatcher", Shape::Object(DISPATCHER)),
        harmless("CAConfig", Shape::Object(CA_CONFIG)),
        harmless("TaskDefaults", Shape::Object(TASK_DEFAULTS)),
        harmless("EncryptionConfig", Shape::Object(ENCRYPTION)),
    ]],
};

const ORCHESTRATION: &Schema = &Schema {
    parts: &[&[harmless("TaskHistoryRetentionLimit", Shape::Integer)]],
};

const RAFT: &Schema = &Schema {
    parts: &[&[
        harmless("SnapshotInterval", Shape::Integer),
        harmless("KeepOldSnapshots", Shape::Integer),
        harmless("LogEntriesForSlowFollowers", Shape::Integer),
        harmless("ElectionTick", Shape::Integer),
        harmless("HeartbeatTick", Shape::Integer),
    ]],
};

const DISPATCHER: &Schema = &Schema {
    parts: &[&[harmless("HeartbeatPeriod", Shape::Integer)]],
};

#[rustfmt::skip]
/// Whoever signs the certificates decides who is a manager, and managers run what they like on every node.
///
/// swarmkit: manager/controlapi/ca_rotation.go, `validateCAConfig`.
const CA_CONFIG: &Schema = &Schema {
    parts: &[&[
        harmless("NodeCertExpiry", Shape::Integer),
        limited("ExternalCAs", Shape::List(&Shape::Object(EXTERNAL_CA)), Limit::CertificateAuthority),
        limited("SigningCACert", Shape::Text, Limit::CertificateAuthority),
        limited("SigningCAKey", Shape::Text, Limit::CertificateAuthority),
        limited("ForceRotate", Shape::Integer, Limit::CertificateAuthority),
    ]],
};

/// Judged with the list that it stands in.
const EXTERNAL_CA: &Schema = &Schema {
    parts: &[&[
        harmless("Protocol", Shape::Text),
        harmless("URL", Shape::Text),
        harmless("Options", Shape::TextMap),
        harmless("CACert", Shape::Text),
    ]],
};

#[rustfmt::skip]
const TASK_DEFAULTS: &Schema = &Schema {
    parts: &[&[limited("LogDriver", Shape::Object(DRIVER), Limit::LogDriver)]],
};

/// moby: api/types/swarm/common.go, `Driver`.
pub(super) const DRIVER: &Schema = &Schema {
    parts: &[&[
        harmless("Name", Shape::Text),
        harmless("Options", Shape::TextMap),
    ]],
};

/// What `SwarmUpdate` leaves out is judged too, since an update replaces the whole specification.
const ENCRYPTION: &Schema = &Schema {
    parts: &[&[limited("AutoLockManagers", Shape::Bool, Limit::AutoLock)]],
};

/// moby: api/types/swarm/swarm.go, `UnlockRequest`.
pub(super) const UNLOCK: &Schema = &Schema {
    parts: &[&[harmless("UnlockKey", Shape::Text)]],
};

/// moby: api/types/swarm/node.go, `NodeSpec`. Labels and availability decide which node runs what.
pub(super) const NODE: &Schema = &Schema {
    parts: &[&[
        harmless("Name", Shape::Text),
        limited("Labels", Shape::TextMap, Limit::Labels),
        limited("Role", Shape::Text, Limit::NodeRole),
        harmless("Availability", Shape::Text),
    ]],
};
