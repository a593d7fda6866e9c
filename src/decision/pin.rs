//! Full ids in the place of names, so that what was judged is what the daemon takes, whatever is renamed meanwhile.

use std::collections::BTreeMap;

use super::facts::{Facts, Found};
use super::references::{Reference, container_of, first};
use super::swarm_reference;
use crate::engine_api::json::Value;
use crate::engine_api::{Body, EngineRequest, ExistingNetwork, Operation};

pub(super) fn apply(request: &mut EngineRequest, facts: &Facts) {
    let name = request.head.target.name().unwrap_or_default();
    let of_path = user_defined(facts, name);
    path_and_query(request, facts);
    let operation = request.operation();
    let Body::Json(body) = &mut request.body else {
        return;
    };
    if has_no_ids(facts) {
        return;
    }
    if operation == Some(Operation::NetworkConnect) {
        pin_text(body, "Container", |name| container_id(facts, name));
        // A container that does not run keeps the network's name, and joins at its start what has the name by then.
        if let Some(network) = of_path
            && let Some(endpoint) = child(body, "EndpointConfig")
        {
            endpoint.set("NetworkID", Value::Text(network.id.as_str().into()));
        }
    }
    pin_text(body, "Image", |image| image_id(facts, image));
    if let Some(host_config) = body.get_mut("HostConfig") {
        containers(host_config, facts);
    }
    if operation == Some(Operation::ContainerCreate) {
        networks(body, facts);
    }
    if matches!(
        operation,
        Some(Operation::ServiceCreate | Operation::ServiceUpdate)
    ) {
        swarm_reference::pin(body, facts);
    }
}

/// Whether nothing was looked up that a body could name.
fn has_no_ids(facts: &Facts) -> bool {
    facts.others.is_empty()
        && facts.images.is_empty()
        && facts.networks.is_empty()
        && facts.swarm_networks.is_empty()
}

fn path_and_query(request: &mut EngineRequest, facts: &Facts) {
    let operation = request.operation();
    if let Some(Found::Is(container)) = &facts.container {
        match container_of(request) {
            Some(Reference::Container(_)) if operation == Some(Operation::ImageCommit) => {
                request.head.query.set("container", &container.id);
            }
            Some(Reference::Container(_)) => request.head.target.set_name(&container.id),
            // The id of an exec instance is whole, and belongs to one container for good.
            Some(_) | None => {}
        }
    }
    let name = request.head.target.name().unwrap_or_default();
    let id = match operation {
        Some(Operation::NetworkConnect) => network(facts, name).map(|network| network.id.clone()),
        Some(Operation::ImageTag | Operation::ImageDelete) => image_id(facts, name),
        Some(_) | None => None,
    };
    if let Some(id) = id {
        request.head.target.set_name(&id);
    }
    let mode = request.head.query.get("networkmode").unwrap_or_default();
    let network = network(facts, mode).map(|network| network.id.clone());
    if let Some(pinned) = joined(facts, mode).or(network) {
        request.head.query.set("networkmode", &pinned);
    }
}

/// `container:` and the full id.
fn joined(facts: &Facts, mode: &str) -> Option<String> {
    let id = container_id(facts, mode.strip_prefix("container:")?)?;
    Some(format!("container:{id}"))
}

fn containers(host_config: &mut Value, facts: &Facts) {
    for mode in ["NetworkMode", "PidMode", "IpcMode"] {
        pin_text(host_config, mode, |text| joined(facts, text));
    }
    // A link without an alias has the other container's name.
    pin_list(host_config, "Links", |text| {
        let alias = text.rsplit([':', '/']).next().unwrap_or_default();
        Some(format!("{}:{alias}", container_id(facts, &first(text))?))
    });
    pin_list(host_config, "VolumesFrom", |text| {
        let mode = text.find(':').and_then(|at| text.get(at..));
        let id = container_id(facts, &first(text))?;
        Some(format!("{id}{}", mode.unwrap_or_default()))
    });
}

/// Names the id of each network that is joined beside its name, which is what clients show.
///
/// moby: daemon/container_operations.go, `getNetworkID` prefers the id, at the create and at every start.
fn networks(body: &mut Value, facts: &Facts) {
    let config = body.get("NetworkingConfig");
    let endpoints = config.and_then(|config| config.get("EndpointsConfig"));
    let members = endpoints.into_iter().flat_map(Value::members);
    let mut names: Vec<String> = members.map(|(name, _)| name.to_string()).collect();
    let host_config = body.get("HostConfig");
    let mode = host_config.map_or("", |host_config| host_config.text("NetworkMode"));
    let of_mode = user_defined(facts, mode);
    if let Some(of_mode) = of_mode {
        let is_same = |name: &String| of_mode.name == *name || of_mode.id == *name;
        let is_written = mode == of_mode.name && (names.is_empty() || names.iter().any(is_same));
        if names.is_empty() {
            names.push(of_mode.name.clone());
        }
        if !is_written && let Some(host_config) = body.get_mut("HostConfig") {
            host_config.set("NetworkMode", Value::Text(of_mode.id.as_str().into()));
        }
    }
    for name in names {
        let of_mode = of_mode.filter(|network| network.name == name);
        let Some(network) = user_defined(facts, &name).or(of_mode) else {
            continue;
        };
        let endpoints =
            child(body, "NetworkingConfig").and_then(|config| child(config, "EndpointsConfig"));
        if let Some(endpoints) = endpoints {
            pin_endpoint(endpoints, &name, network);
        }
    }
}

/// The daemon keeps a container's networks under their names.
fn pin_endpoint(endpoints: &mut Value, written: &str, network: &ExistingNetwork) {
    if endpoints.get(&network.name).is_none()
        && let Value::Object(members) = endpoints
    {
        for (name, _) in members.iter_mut().filter(|(name, _)| name == written) {
            *name = network.name.as_str().into();
        }
    }
    if let Some(endpoint) = child(endpoints, &network.name) {
        endpoint.set("NetworkID", Value::Text(network.id.as_str().into()));
    }
}

/// The object under `key`, made where there is none.
fn child<'v>(object: &'v mut Value, key: &str) -> Option<&'v mut Value> {
    if object.get(key).is_none_or(Value::is_zero) {
        object.set(key, Value::Object(Vec::new()));
    }
    object.get_mut(key)
}

fn pin_text(object: &mut Value, key: &str, pinned: impl Fn(&str) -> Option<String>) {
    if let Some(Value::Text(text)) = object.get_mut(key)
        && let Some(id) = pinned(text)
    {
        *text = id.into();
    }
}

fn pin_list(object: &mut Value, key: &str, pinned: impl Fn(&str) -> Option<String>) {
    if let Some(Value::List(items)) = object.get_mut(key) {
        for item in items {
            if let Some(id) = pinned(item.as_text()) {
                *item = Value::Text(id.into());
            }
        }
    }
}

fn container_id(facts: &Facts, name: &str) -> Option<String> {
    found(&facts.others, name).map(|container| container.id.clone())
}

fn image_id(facts: &Facts, name: &str) -> Option<String> {
    found(&facts.images, name).map(|image| image.id.clone())
}

fn network<'f>(facts: &'f Facts, name: &str) -> Option<&'f ExistingNetwork> {
    found(&facts.networks, name)
}

/// A network that was made, so that its id lasts as long as it does.
fn user_defined<'f>(facts: &'f Facts, name: &str) -> Option<&'f ExistingNetwork> {
    let is_predefined =
        |network: &&ExistingNetwork| matches!(network.name.as_str(), "bridge" | "host" | "none");
    network(facts, name).filter(|network| !is_predefined(network))
}

fn found<'f, T>(all: &'f BTreeMap<String, Found<T>>, name: &str) -> Option<&'f T> {
    match all.get(name)? {
        Found::Is(thing) => Some(thing),
        Found::Answered { .. } | Found::Unknown(_) => None,
    }
}
