//! Openings by which containers reach one another, or a network of the host, past the keys that bound that.

use crate::engine_api::Operation;
use crate::policy::{DefaultBridge, Icc, Namespace, Policy};

use super::{Finding, Named, Openings, at, is_any};

const NAMESPACES: Named = ("container", "namespaces");

const PUBLISHED: Named = ("container", "published");

pub(super) fn undone(openings: &Openings<'_>) -> Vec<Finding> {
    let mut found: Vec<Finding> = around_icc(openings);
    found.extend(host_network(openings));
    found.extend(on_an_interface(openings));
    found
}

/// Ways from one container to another where `icc` says that there is none.
fn around_icc(openings: &Openings<'_>) -> Vec<Finding> {
    let Openings { policy, .. } = openings;
    if policy.network.icc.value != Icc::Never {
        return Vec::new();
    }
    let rows: [(Named, bool, &str); 4] = [
        (
            ("network", "default-bridge"),
            on_the_default_bridge(policy),
            "containers on the default bridge may talk to each other where the daemon lets them",
        ),
        (
            NAMESPACES,
            joins(policy, Namespace::ContainerNetwork),
            "a container in the network namespace of another one reaches it as itself",
        ),
        (
            NAMESPACES,
            joins(policy, Namespace::HostNetwork),
            "a container on the host's network reaches every container of the host",
        ),
        (
            ("container", "links"),
            is_any(&policy.container.links),
            "a link opens the way to any container",
        ),
    ];
    let icc = at("icc", policy.network.icc.line);
    let rows = rows.into_iter().filter(|(_, has, _)| *has);
    let found = rows.filter_map(|(key, _, what)| {
        let message = format!("{what}, whatever {icc} says");
        Some(Finding::warning(openings.opened(key)?, "undone", message))
    });
    found.collect()
}

fn on_the_default_bridge(policy: &Policy) -> bool {
    let mut networks = policy.container.networks.value.iter();
    policy.network.default_bridge.value == DefaultBridge::Any
        && networks.any(|pattern| pattern.matches("bridge"))
}

fn joins(policy: &Policy, namespace: Namespace) -> bool {
    policy.container.namespaces.value.contains(&namespace)
}

fn host_network(openings: &Openings<'_>) -> Option<Finding> {
    let line = openings.opened(NAMESPACES)?;
    let is_joined = joins(openings.policy, Namespace::HostNetwork);
    let opening = "a container with `host-network` listens on any port, and reaches every network of the host";
    let bounds = [PUBLISHED, ("container", "networks")];
    openings
        .finding(line, opening, &bounds)
        .filter(|_| is_joined)
}

/// Networks whose containers are hosts of their own on an interface: nothing is published there, all is reached.
fn on_an_interface(openings: &Openings<'_>) -> Option<Finding> {
    let line = openings.opened(("network", "parents"))?;
    openings.permitted(&[Operation::NetworkCreate])?;
    let mut drivers = openings.policy.network.drivers.value.iter();
    let driver = ["macvlan", "ipvlan"]
        .into_iter()
        .find(|driver| drivers.any(|pattern| pattern.matches(driver)))?;
    let opening =
        format!("a container on a `{driver}` network is reached on every port of its own address");
    openings.finding(line, &opening, &[PUBLISHED])
}
