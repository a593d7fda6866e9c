//! Limits on the networks of a swarm that a service joins, judged by the name that the daemon gives for each.

use super::{Facts, Found, Judge, references};
use crate::engine_api::json::Value;
use crate::engine_api::{ApiVersion, EngineRequest};

/// Networks that every node has; a service may name them as they are called on a node.
const PREDEFINED: &[&str] = &["bridge", "host", "none"];

/// Clients from this version on have the networks of a service with its tasks only.
const WITH_TASKS_ONLY: ApiVersion = ApiVersion {
    major: 1,
    minor: 44,
};

/// Puts the id of each network that was judged in the place of what the request calls it.
pub(super) fn pin(body: &mut Value, facts: &Facts) {
    if let Some(task) = body.get_mut("TaskTemplate") {
        pin_list(task, facts);
    }
    pin_list(body, facts);
}

fn pin_list(within: &mut Value, facts: &Facts) {
    if let Some(Value::List(list)) = within.get_mut("Networks") {
        for network in list {
            if let Some(Found::Is(found)) = facts.swarm_networks.get(network.text("Target")) {
                network.set("Target", Value::Text(found.id.as_str().into()));
            }
        }
    }
}

impl Judge<'_> {
    pub(super) fn service_networks(&mut self, path: &str, value: &Value) {
        for (index, network) in value.items().iter().enumerate() {
            self.swarm_network(&format!("{path}[{index}].Target"), network.text("Target"));
        }
    }

    /// moby: daemon/cluster/networks.go, `populateNetworkID` takes an id, a name or the beginning of an id, and what
    /// only the node has where it is predefined there.
    fn swarm_network(&mut self, path: &str, target: &str) {
        match self.facts.swarm_networks.get(target) {
            Some(Found::Is(network)) => self.known_network(path, network),
            Some(Found::Answered { status: 404, .. }) if PREDEFINED.contains(&target) => {
                self.network_mode(path, target);
            }
            // Nothing is looked up for what is refused whatever it is.
            None if !self.is_permitted() => self.network_mode(path, target),
            found => self.unknown_network(path, target, found),
        }
    }
}

/// Whether the tasks of a service that names no network are on the default bridge of their nodes.
pub(super) fn joins_by_default(request: &EngineRequest) -> bool {
    let has_some = |within: Option<&Value>| {
        let list = within.and_then(|within| within.get("Networks"));
        list.is_some_and(|list| !list.items().is_empty())
    };
    let body = references::body(request);
    let task = body.and_then(|body| body.get("TaskTemplate"));
    let version = request.head.target.version();
    let counts_for_service = version.is_some_and(|version| version < WITH_TASKS_ONLY);
    !(has_some(task) || (counts_for_service && has_some(body)))
}
