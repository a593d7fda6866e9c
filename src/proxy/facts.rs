//! What the gate finds out on its own host before it decides.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time;

use crate::decision::{self, Facts};
use crate::engine_api::EngineRequest;
use crate::policy::Policy;

/// The facts that this policy's decision on this request reads.
pub(super) async fn gather(
    policy: &Policy,
    request: &EngineRequest,
    protected: &[String],
) -> Facts {
    let paths = decision::host_paths(policy, request);
    if paths.is_empty() {
        return Facts::default();
    }
    // A file system may hang for as long as it likes, so no worker waits for it.
    let asked = paths.clone();
    let resolved = tokio::task::spawn_blocking(move || resolve(paths));
    let host_paths = match time::timeout(DEADLINE, resolved).await {
        Ok(Ok(resolved)) => resolved,
        Ok(Err(_)) | Err(_) => {
            let unknown = |path| (path, Err("the file system does not answer".to_owned()));
            asked.into_iter().map(unknown).collect()
        }
    };
    Facts {
        host_paths,
        protected: protected.to_vec(),
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
