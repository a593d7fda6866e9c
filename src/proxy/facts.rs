//! What the gate finds out before it decides: of the daemon what names refer to, of its own host where paths lead.

use std::sync::Arc;

use tokio::time::{self, Duration};

use crate::decision::{self, Facts, Found};
use crate::engine_api::EngineRequest;
use crate::policy::{HostFileSystem, Policy, Subnet};

use super::connection::Connection;
use super::host_files::{self, HostFiles, Wanted};
use super::host_routes;
use super::lookups;

/// What is known of whoever asks.
pub(super) fn of(connection: &Connection) -> Facts {
    let client = &connection.client;
    let shared = client
        .keeps_apart
        .then(|| Arc::clone(&connection.gate.shared));
    Facts {
        owner: client.owner.as_ref().to_owned(),
        shared,
        ..Facts::default()
    }
}

/// The facts that the decision on this request reads, put where those that need no asking are already.
pub(super) async fn gather(
    connection: &mut Connection,
    policy: &Policy,
    request: &EngineRequest,
    facts: &mut Facts,
) {
    let wanted = lookups::wanted(policy, request, facts);
    if !wanted.is_empty() {
        Box::pin(lookups::answer(connection, policy, wanted, facts)).await;
    }
    if connection.gate.nameservers.is_some() && decision::names_subnets(request) {
        Box::pin(routes(connection, facts)).await;
    }
    let mut paths = decision::host_paths(policy, request);
    for container in facts.containers() {
        paths.append(&mut decision::host_paths_of_container(policy, container));
    }
    if !paths.is_empty() {
        Box::pin(follow(connection, policy, paths, facts)).await;
    }
}

/// Where paths of the host lead.
async fn follow(
    connection: &mut Connection,
    policy: &Policy,
    mut paths: Vec<String>,
    facts: &mut Facts,
) {
    paths.sort();
    paths.dedup();
    let found = match data_root(connection).await {
        _ if paths.len() > MOST_PATHS => {
            let cause = format!("there are more than {MOST_PATHS} paths of the host");
            HostFiles::none(&paths, &cause)
        }
        Ok(data_root) => host_files(connection, policy, (paths, data_root)).await,
        Err(cause) => HostFiles::none(&paths, &cause),
    };
    facts.host_paths = found.host_paths;
    facts.opened = found.opened;
    facts.movable = found.movable;
    facts.protected = found.protected;
    facts
        .protected
        .extend_from_slice(&connection.gate.protected);
}

/// What the host has and reaches by itself.
async fn routes(connection: &Connection, facts: &mut Facts) {
    let found = tokio::task::spawn_blocking(host_routes::find);
    match time::timeout(DEADLINE, found).await {
        Ok(Ok(Ok(found))) => facts.routed = found,
        Ok(Ok(Err(cause))) => facts.routes_unread = Some(cause),
        Ok(Err(_)) | Err(_) => facts.routes_unread = Some("the kernel does not answer".to_owned()),
    }
    let servers = connection.gate.nameservers.iter().flatten();
    facts
        .routed
        .extend(servers.map(|server| Subnet::only(*server)));
}

/// Where the daemon keeps its data, on its own host.
async fn data_root(connection: &mut Connection) -> Result<String, String> {
    match lookups::defaults(connection).await {
        Found::Is(defaults) if defaults.data_root.starts_with('/') => Ok(defaults.data_root),
        Found::Is(_) => Err("the daemon does not say where it keeps its data".to_owned()),
        Found::Answered { message, .. } | Found::Unknown(message) => Err(message),
    }
}

async fn host_files(
    connection: &Connection,
    policy: &Policy,
    (paths, data_root): (Vec<String>, String),
) -> HostFiles {
    let container = &policy.container;
    match container.host_file_system.value {
        HostFileSystem::Foreign => {
            return HostFiles {
                protected: vec![data_root],
                ..HostFiles::default()
            };
        }
        HostFileSystem::Shared => {}
    }
    let wanted = Wanted {
        paths: paths.clone(),
        opened: container.host_paths.value.clone(),
        seen: Arc::clone(&connection.gate.seen),
        writable: connection.gate.writable.clone(),
        protected: connection.gate.protected.clone(),
        data_root,
    };
    // A file system may hang for as long as it likes, so no worker waits for it.
    let found = tokio::task::spawn_blocking(move || host_files::find(&wanted));
    match time::timeout(DEADLINE, found).await {
        Ok(Ok(found)) => found,
        Ok(Err(_)) | Err(_) => HostFiles::none(&paths, "the file system does not answer"),
    }
}

/// For all host paths of a request together.
const DEADLINE: Duration = Duration::from_secs(5);
/// Host paths of one request that are followed.
const MOST_PATHS: usize = 256;
