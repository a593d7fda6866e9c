//! The query parameters of operations on the system, volumes, networks, plugins and swarm.

use super::super::operation::Operation;
use super::super::schema::ParameterKind::{Bool, Filters, Integer, StrictBool, Text, Texts};
use super::super::schema::{Limit, Parameter};
use super::{judged, read};

#[rustfmt::skip]
/// moby: daemon/server/router/system, volume, network, plugin and swarm. Those of operations that are not modelled
/// stand here so that a policy that permits everything forwards them.
pub(super) const ROWS: &[(Operation, &[Parameter])] = &[
    (Operation::SystemEvents, &[
        read("filters", Filters),
        read("since", Text),
        read("until", Text),
    ]),
    (Operation::SystemDataUsage, &[
        read("type", Texts),
        read("verbose", Bool),
    ]),
    (Operation::VolumeList, FILTERS),
    (Operation::VolumeUpdate, VERSION),
    (Operation::VolumeDelete, FORCE),
    (Operation::VolumePrune, FILTERS),
    (Operation::NetworkList, FILTERS),
    (Operation::NetworkInspect, &[
        read("scope", Text),
        read("verbose", Bool),
    ]),
    (Operation::NetworkPrune, FILTERS),
    (Operation::PluginList, FILTERS),
    (Operation::GetPluginPrivileges, &[judged("remote", Text, Limit::Plugin)]),
    (Operation::PluginPull, &[
        judged("name", Text, Limit::Plugin),
        judged("remote", Text, Limit::Plugin),
    ]),
    (Operation::PluginDelete, FORCE),
    (Operation::PluginEnable, &[read("timeout", Integer)]),
    (Operation::PluginDisable, FORCE),
    (Operation::PluginUpgrade, &[judged("remote", Text, Limit::Plugin)]),
    (Operation::PluginCreate, &[judged("name", Text, Limit::Plugin)]),
    (Operation::NodeList, FILTERS),
    (Operation::NodeDelete, FORCE),
    (Operation::NodeUpdate, VERSION),
    (Operation::SwarmLeave, FORCE),
    (Operation::SwarmUpdate, &[
        judged("rotateManagerToken", StrictBool, Limit::SwarmTokens),
        judged("rotateManagerUnlockKey", StrictBool, Limit::SwarmTokens),
        judged("rotateWorkerToken", StrictBool, Limit::SwarmTokens),
        read("version", Integer),
    ]),
    (Operation::ServiceList, &[
        read("filters", Filters),
        read("status", Bool),
    ]),
    (Operation::ServiceInspect, &[read("insertDefaults", Bool)]),
    (Operation::ServiceUpdate, &[
        // The credentials that pulled the image so far, or before that, pull the one that is judged.
        read("registryAuthFrom", Text),
        judged("rollback", Text, Limit::ServiceRollback),
        read("version", Integer),
    ]),
    (Operation::ServiceLogs, LOGS),
    (Operation::TaskList, FILTERS),
    (Operation::TaskLogs, LOGS),
    (Operation::SecretList, FILTERS),
    (Operation::SecretUpdate, VERSION),
    (Operation::ConfigList, FILTERS),
    (Operation::ConfigUpdate, VERSION),
];

const FILTERS: &[Parameter] = &[read("filters", Filters)];

const FORCE: &[Parameter] = &[read("force", Bool)];

const VERSION: &[Parameter] = &[read("version", Integer)];

const LOGS: &[Parameter] = &[
    read("details", Bool),
    read("follow", Bool),
    read("since", Text),
    read("stderr", Bool),
    read("stdout", Bool),
    read("tail", Text),
    read("timestamps", Bool),
];
