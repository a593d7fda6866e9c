//! What the gate finds out before it decides: of the daemon what names refer to, of its own host where paths lead.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time;

use crate::decision::{self, Facts, Found};
use crate::engine_api::EngineRequest;
use crate::policy::Policy;

use super::connection::Connection;
use super::lookups;

/// The facts that the decision on this request reads.
pub(super) async fn gather(
    connection: &mut Connection,
    policy: &Policy,
    request: &EngineRequest,
) -> Facts {
    let mut facts = lookups::answered(connection, policy, request).await;
    let mut paths = decision::host_paths(policy, request);
    if let Some(Found::Is(container)) = &facts.container {
        paths.append(&mut decision::host_paths_of_container(policy, container));
    }
    if !paths.is_empty() {
        facts.host_paths = resolved(paths).await;
        facts.protected.clone_from(&connection.gate.protected);
    }
    facts
}

async fn resolved(paths: Vec<String>) -> HashMap<String, Result<String, String>> {
    // A file system may hang for as long as it likes, so no worker waits for it.
    let asked = paths.clone();
    let resolved = tokio::task::spawn_blocking(move || resolve(paths));
    match time::timeout(DEADLINE, resolved).await {
        Ok(Ok(resolved)) => resolved,
        Ok(Err(_)) | Err(_) => {
            let unknown = |path| (path, Err("the file system does not answer".to_owned()));
            asked.into_iter().map(unknown).collect()
        }
    }
}

fn resolve(paths: Vec<String>) -> HashMap<String, Result<String, String>> {
    let resolve = |path: String| {
        let leads_to = std::fs::canonicalize(&path)
            .map_err(|error| error.to_string())
            .and_then(|found| {
                found
                    .into_os_string()
                    .into_string()
                    .map_err(|_| "it leads to a path that is no text".to_owned())
            });
        (path, leads_to)
    };
    paths.into_iter().map(resolve).collect()
}

/// For all host paths of a request together.
const DEADLINE: Duration = Duration::from_secs(5);
