//! What a request refers to, so far as the policy needs to know what it is before the request is judged.

use super::swarm_reference;
use crate::engine_api::json::Value;
use crate::engine_api::mount::{self, Mount, Source};
use crate::engine_api::schema::Limit;
use crate::engine_api::{Body, EngineRequest, ExistingContainer, Kind, Operation, reference};
use crate::policy::{DefaultBridge, Icc, Namespace, Pattern, Policy};

/// Something whose nature the daemon must tell before [`super::decide`] can judge a request.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reference {
    /// The container that is entered, started or changed: by its name, its id, or the beginning of that.
    Container(String),
    /// An exec instance, and by it the container it belongs to.
    Exec(String),
    /// A container whose namespaces, volumes or network are joined, or that is linked or connected.
    Other(String),
    Volume(String),
    /// By its name, its id, or the beginning of that.
    Network(String),
    /// A network of the swarm that a service joins: by its name, its id, or the beginning of that.
    SwarmNetwork(String),
    /// An image by its id, or the beginning of that.
    Image(String),
    /// What is only looked up for whose it is.
    Thing(Kind, String),
}

/// What must be looked up before this request is judged; nothing where the policy refuses the operation anyway.
#[must_use]
pub fn references(policy: &Policy, request: &EngineRequest) -> Vec<Reference> {
    let Some(operation) = looked_up_for(policy, request) else {
        return Vec::new();
    };
    let mut found: Vec<Reference> = container_of(request).into_iter().collect();
    let host_config = body(request).and_then(|body| body.get("HostConfig"));
    let mode = host_config.map_or("", |host_config| host_config.text("NetworkMode"));
    request.limited_values(|limit, value| {
        if limit != Limit::Links || links_open(mode) {
            of_limit(policy, limit, value, &mut found);
        }
    });
    if operation == Operation::ImageBuild {
        let mode = request.head.query.get("networkmode");
        found.extend(mode.and_then(|mode| network(policy, mode)));
    }
    if joins_by_default(request).is_some() {
        found.extend(network(policy, ""));
    }
    let name = request.head.target.name().unwrap_or_default();
    if operation != Operation::ContainerCreate {
        found.retain(|reference| !matches!(reference, Reference::Image(_)));
    }
    if operation == Operation::NetworkConnect {
        found.extend(network(policy, name));
        found.extend(connected(request).map(|name| Reference::Other(name.to_owned())));
    }
    if matches!(operation, Operation::ImageTag | Operation::ImageDelete) {
        found.extend(image(&policy.image.references.value, name));
    }
    without_repeats(found)
}

/// Whether the container that the request enters is among them.
pub(super) fn looks_up_container(policy: &Policy, request: &EngineRequest) -> bool {
    looked_up_for(policy, request).is_some() && container_of(request).is_some()
}

/// The operation of a request for which anything is looked up.
fn looked_up_for(policy: &Policy, request: &EngineRequest) -> Option<Operation> {
    let operation = request.operation().filter(|operation| refers(*operation))?;
    let is_permitted = policy.operations.contains_key(&operation);
    (is_permitted && !policy.permits_everything).then_some(operation)
}

/// Whether a request of the operation can refer to anything that is looked up.
fn refers(operation: Operation) -> bool {
    enters_container(operation)
        || matches!(
            operation,
            Operation::ContainerCreate
                | Operation::ImageBuild
                | Operation::ImageTag
                | Operation::ImageDelete
                | Operation::ServiceCreate
                | Operation::ServiceUpdate
        )
}

/// Likewise for what a container has that the request refers to.
#[must_use]
pub fn references_of(policy: &Policy, container: &ExistingContainer) -> Vec<Reference> {
    let volumes = container.volumes.iter().cloned();
    let mut found: Vec<Reference> = volumes.map(Reference::Volume).collect();
    container.limited_values(|limit, value| {
        // What these lead to stands among the container's mounts and links by now.
        let is_told = matches!(
            limit,
            Limit::Links | Limit::VolumesFrom | Limit::Binds | Limit::Mounts
        ) || (limit == Limit::NetworkMode && container.endpoint_of_mode().is_some());
        if !is_told {
            of_limit(policy, limit, value, &mut found);
        }
    });
    let mode = container.host_config.text("NetworkMode");
    if mode.is_empty() && container.endpoint_of_mode().is_none() {
        found.extend(network(policy, mode));
    }
    for endpoint in &container.networks {
        let is_predefined = matches!(endpoint.name.as_str(), "bridge" | "host" | "none");
        let reference = if is_predefined {
            &endpoint.name
        } else {
            endpoint.reference()
        };
        found.extend(network(policy, reference));
    }
    let images = &policy.container.images.value;
    found.extend(image(images, &container.image));
    found.extend(image(images, &container.image_id));
    without_repeats(found)
}

/// Whether a request of the operation is held against what the daemon says of a container.
#[must_use]
pub fn enters_container(operation: Operation) -> bool {
    ENTERING.contains(&operation)
        || matches!(
            operation,
            Operation::ImageCommit
                | Operation::ExecStart
                | Operation::ExecResize
                | Operation::NetworkConnect
        )
}

/// The container that the request enters, starts, copies from or changes.
pub(super) fn container_of(request: &EngineRequest) -> Option<Reference> {
    let operation = request.operation()?;
    if operation == Operation::ImageCommit {
        let container = request.head.query.get("container")?;
        return Some(Reference::Container(container.to_owned()));
    }
    let name = request.head.target.name()?.to_owned();
    if matches!(operation, Operation::ExecStart | Operation::ExecResize) {
        return Some(Reference::Exec(name));
    }
    ENTERING
        .contains(&operation)
        .then_some(Reference::Container(name))
}

/// The operations that name in their path a container to enter, start, copy from or change.
const ENTERING: &[Operation] = &[
    Operation::ContainerStart,
    Operation::ContainerRestart,
    Operation::ContainerUnpause,
    Operation::ContainerExec,
    Operation::ContainerAttach,
    Operation::ContainerAttachWebsocket,
    Operation::ContainerArchiveInfo,
    Operation::ContainerArchive,
    Operation::PutContainerArchive,
    Operation::ContainerExport,
    Operation::ContainerUpdate,
    Operation::ContainerRename,
    Operation::ContainerCheckpointList,
    Operation::ContainerCheckpointCreate,
    Operation::ContainerCheckpointDelete,
];

/// The container that `NetworkConnect` puts on a network.
pub(super) fn connected(request: &EngineRequest) -> Option<&str> {
    let is_connect = request.operation() == Some(Operation::NetworkConnect);
    let name = body(request).filter(|_| is_connect)?.text("Container");
    Some(name).filter(|name| !name.is_empty())
}

/// Whether links open the way to other containers under this network mode; on a network that was made by a client they
/// are names within it, and the daemon looks for no container.
///
/// moby: daemon/daemon_unix.go, `registerLinks`.
pub(super) fn links_open(mode: &str) -> bool {
    matches!(mode, "" | "default" | "bridge" | "none" | "host") || mode.contains(':')
}

/// The field that a request joins the default bridge by, in that it says nothing there.
pub(super) fn joins_by_default(request: &EngineRequest) -> Option<&'static str> {
    let operation = request.operation()?;
    if operation == Operation::ImageBuild {
        let mode = request.head.query.get("networkmode");
        return mode.is_none_or(str::is_empty).then_some("?networkmode");
    }
    if matches!(
        operation,
        Operation::ServiceCreate | Operation::ServiceUpdate
    ) {
        return swarm_reference::joins_by_default(request).then_some("TaskTemplate.Networks");
    }
    let body = body(request);
    let host_config = body.and_then(|body| body.get("HostConfig"));
    let mode = host_config.and_then(|host| host.get("NetworkMode"));
    let is_disabled =
        || body.is_some_and(|body| body.get("NetworkDisabled") == Some(&Value::Bool(true)));
    let is_create = operation == Operation::ContainerCreate;
    (is_create && mode.is_none() && !is_disabled()).then_some("HostConfig.NetworkMode")
}

pub(super) fn body(request: &EngineRequest) -> Option<&Value> {
    match &request.body {
        Body::Json(body) => Some(body),
        Body::None | Body::Stream => None,
    }
}

fn of_limit(policy: &Policy, limit: Limit, value: &Value, found: &mut Vec<Reference>) {
    let (mode, container) = (value.as_text(), &policy.container);
    if limit == Limit::Binds {
        let mounts = value.items().iter();
        found.extend(mounts.filter_map(|bind| volume(Mount::from_bind(bind.as_text()))));
    } else if matches!(limit, Limit::Mounts | Limit::ServiceMounts) {
        let mounts = value.items().iter();
        found.extend(mounts.filter_map(|mount| volume(Mount::from_mount(mount))));
    } else if matches!(
        limit,
        Limit::NetworkMode | Limit::Network | Limit::BuildNetworkMode
    ) {
        found.extend(network(policy, mode));
    } else if limit == Limit::EndpointsConfig {
        let names = value.members();
        found.extend(names.filter_map(|(name, _)| network(policy, name)));
    } else if limit == Limit::PidMode {
        found.extend(joined(policy, mode, Namespace::ContainerPid));
    } else if limit == Limit::IpcMode {
        found.extend(joined(policy, mode, Namespace::ContainerIpc));
    } else if (limit == Limit::VolumesFrom && container.volumes_from.value)
        || (limit == Limit::Links && !container.links.value.is_empty())
    {
        found.extend(value.texts().map(|text| Reference::Other(first(text))));
    } else if limit == Limit::ServiceNetworks {
        let targets = value.items().iter().map(|item| item.text("Target"));
        let named = targets.filter(|target| !target.is_empty());
        found.extend(named.map(|target| Reference::SwarmNetwork(target.to_owned())));
    } else if limit == Limit::Image {
        found.extend(image(&container.images.value, mode));
    }
}

/// The container that `NAME[:…]` begins with; the daemon writes the names of links with a slash.
pub(super) fn first(text: &str) -> String {
    let name = text.split(':').next().unwrap_or_default();
    name.trim_start_matches('/').to_owned()
}

fn joined(policy: &Policy, mode: &str, namespace: Namespace) -> Option<Reference> {
    let name = mode.strip_prefix("container:")?;
    let is_open = policy.container.namespaces.value.contains(&namespace);
    is_open.then(|| Reference::Other(name.to_owned()))
}

fn network(policy: &Policy, mode: &str) -> Option<Reference> {
    match mode {
        "none" | "host" => None,
        "" | "default" | "bridge" => {
            needs_default_bridge(policy).then(|| Reference::Network("bridge".to_owned()))
        }
        _ if mode.starts_with("container:") => joined(policy, mode, Namespace::ContainerNetwork),
        name => needs_network(policy, name).then(|| Reference::Network(name.to_owned())),
    }
}

/// Whether it matters what the default bridge lets containers do.
pub(super) fn needs_default_bridge(policy: &Policy) -> bool {
    let limits = &policy.network;
    limits.icc.value != Icc::Any
        && limits.default_bridge.value == DefaultBridge::IccOff
        && fits(&policy.container.networks.value, "bridge")
}

/// Whether it matters what the network of this name or id is.
pub(super) fn needs_network(policy: &Policy, name: &str) -> bool {
    let (limits, open) = (&policy.network, &policy.container.networks.value);
    let may_be_id = name.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let is_any = |patterns: &[Pattern]| patterns.iter().any(|pattern| pattern.as_str() == "*");
    let is_open = limits.icc.value == Icc::Any && is_any(&limits.drivers.value) && is_any(open);
    mount::is_name(name) && !is_open && !open.is_empty() && (fits(open, name) || may_be_id)
}

fn image(patterns: &[Pattern], text: &str) -> Option<Reference> {
    let is_permitted = |forms: &Vec<String>| forms.iter().any(|form| fits(patterns, form));
    let is_needed = !patterns.is_empty()
        && is_image_id(text)
        && !reference::forms(text).iter().all(is_permitted);
    is_needed.then(|| Reference::Image(text.to_owned()))
}

/// Whether the daemon could take the text for an image's id or the beginning of one.
pub(super) fn is_image_id(text: &str) -> bool {
    let bare = text.strip_prefix("sha256:").unwrap_or(text);
    let is_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    !bare.is_empty() && bare.len() <= 64 && bare.bytes().all(is_hex)
}

/// Whether a name of something new could be the beginning of an id that somebody writes, and would then come before it.
pub(super) fn may_be_short_id(name: &str) -> bool {
    name.len() >= SHORTEST_ID && is_image_id(name)
}

/// Likewise of an id of the swarm.
///
/// moby: vendor swarmkit/identity/randomid.go, 25 digits of base 36.
pub(super) fn may_be_short_swarm_id(name: &str) -> bool {
    let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'z');
    (SHORTEST_ID..=25).contains(&name.len()) && name.bytes().all(is_digit)
}

/// Likewise what clients write for this long name of an image.
pub(super) fn image_id_like(name: &str) -> Option<&str> {
    let path = name.strip_prefix("docker.io/library/")?;
    path.strip_suffix(":latest")
        .filter(|short| may_be_short_id(short))
}

/// Shorter ones are names more often than ids.
const SHORTEST_ID: usize = 4;

fn fits(patterns: &[Pattern], text: &str) -> bool {
    patterns.iter().any(|pattern| pattern.matches(text))
}

fn volume(mount: Mount) -> Option<Reference> {
    match mount.source {
        Source::Volume { name, .. } if !name.is_empty() => Some(Reference::Volume(name)),
        Source::Volume { .. }
        | Source::HostPath(_)
        | Source::Tmpfs
        | Source::Image(_)
        | Source::Unknown(_) => None,
    }
}

/// In an order that does not depend on the client's.
fn without_repeats(mut found: Vec<Reference>) -> Vec<Reference> {
    found.sort_unstable();
    found.dedup();
    found
}
