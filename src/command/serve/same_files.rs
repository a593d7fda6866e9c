//! Whether the gate seems to see the daemon's files; what it cannot tell, it leaves to the operator's word.

use std::fs;

use tokio::net::UnixStream;
use tokio::runtime;
use tokio::time::{self, Duration};

use crate::config::Address;

/// Warns where the daemon's process has other files than the gate; says nothing where that cannot be told.
pub(super) fn warn(daemon: &Address) {
    // Before the gate confines itself, and so before it has a runtime: afterwards no other process is to be seen.
    let runtime = runtime::Builder::new_current_thread().enable_all().build();
    let difference = runtime
        .ok()
        .and_then(|one| one.block_on(difference(daemon)));
    let Some(cause) = difference else {
        return;
    };
    tracing::warn!(
        "{cause}, so the two may have different files; then policies with `host-paths` must say \
         `host-file-system = \"foreign\"`"
    );
}

async fn difference(daemon: &Address) -> Option<&'static str> {
    let Address::Unix(path) = daemon else {
        return None;
    };
    let connected = time::timeout(DEADLINE, UnixStream::connect(path)).await;
    let peer = connected.ok()?.ok()?.peer_cred().ok()?;
    // unix(7): the process that listened; 0 is one that has no number here.
    let Some(process) = peer.pid().filter(|process| *process > 0) else {
        return Some("the daemon's process is not to be seen from the gate");
    };
    let mounts = |process: &str| fs::read_link(format!("/proc/{process}/ns/mnt")).ok();
    let (own, other) = (mounts("self")?, mounts(&process.to_string())?);
    (own != other).then_some("gate and daemon have different mounts")
}

/// For connecting; a daemon that is not there yet is not waited for.
const DEADLINE: Duration = Duration::from_secs(1);
