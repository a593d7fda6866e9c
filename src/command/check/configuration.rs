//! What works in a configuration otherwise than it looks.

use crate::config::{Address, Config, PolicyReference};
use crate::policy::Policy;

use super::clients;
use super::finding::Finding;

/// Every warning of a configuration without problems.
pub(super) fn warnings(config: &Config) -> Vec<Finding> {
    let mut found = clients::that_never_match(config);
    found.extend(clients::without_owner(config));
    found.extend(clients::with_the_name_of_another(config));
    if config.is_unconfined {
        let message = "`dangerously-unconfined`: a fault in the gate has every right of its user";
        found.push(Finding::warning(0, "dangerous", message));
    }
    for listener in config.listeners.iter().filter(|at| at.allows_plain_tcp) {
        let message = if listener.identifies_containers {
            "whoever can take the address of a container on its networks is taken for that container"
        } else {
            "whoever reaches this port is a client, and nothing tells who it is"
        };
        found.push(Finding::warning(listener.line, "dangerous", message));
    }
    found
}

/// Host paths that the gate would have to follow on another machine; `serve` does not start with them.
pub(super) fn unseen_paths(config: &Config, policy: &Policy) -> Option<Finding> {
    let is_unseen = policy.container.opens_paths_unseen()
        && matches!(config.daemon.address, Address::Tcp { .. });
    is_unseen.then(|| {
        let message = format!(
            "the gate does not see the files of the daemon {}, so `serve` wants `host-file-system = \"foreign\"`",
            config.daemon.address
        );
        Finding::warning(policy.container.host_paths.line, "foreign-host", &message)
    })
}

/// A client with an owner whose policy forwards everything unread; `serve` does not start with one.
pub(super) fn unjudged(config: &Config, policy: &PolicyReference) -> Option<Finding> {
    let has_owners = config.listeners.iter().any(|one| one.owner.is_some());
    let mut clients = config.clients.iter();
    let client = clients
        .find(|client| client.policy == *policy && (has_owners || client.owner.is_some()))
        .map(|client| client.line);
    let mut listeners = config.listeners.iter();
    let listener = listeners.find(|listener| {
        let own = listener.policy.as_ref().or(config.policy.as_ref());
        listener.owner.is_some() && own == Some(policy)
    });
    let line = client.or(listener.map(|listener| listener.line))?;
    let message = format!(
        "an `owner` at line {line} of the configuration stands beside this policy, which keeps nobody apart: `serve` \
         does not start"
    );
    Some(Finding::warning(0, "unjudged-owner", &message))
}

/// The policies that a configuration names, each once.
pub(super) fn policies(config: &Config) -> Vec<PolicyReference> {
    let of_clients = config.clients.iter().map(|client| &client.policy);
    let of_listeners = config.listeners.iter();
    let of_listeners = of_listeners.filter_map(|listener| listener.policy.as_ref());
    let mut found: Vec<PolicyReference> = Vec::new();
    for policy in of_clients.chain(of_listeners).chain(&config.policy) {
        if !found.contains(policy) {
            found.push(policy.clone());
        }
    }
    found
}
