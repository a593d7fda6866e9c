//! How many connections a process holds to the daemon's Unix socket.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use super::process;
use super::wait::DEADLINE;

/// Counts the daemon's connections whose other end is one of the process's open sockets.
///
/// The daemon itself keeps the descriptor of a hijacked connection for a while after its client is gone, so its own
/// descriptors tell nothing.
pub(crate) fn to_daemon(socket: &Path, process: u32) -> usize {
    let folder = format!("/proc/{process}/fd");
    let Ok(entries) = fs::read_dir(folder) else {
        return 0;
    };
    let links = entries.filter_map(|entry| fs::read_link(entry.ok()?.path()).ok());
    let own: BTreeSet<String> = links
        .filter_map(|link| inode(&link.to_string_lossy()))
        .collect();
    let listed = process::run(Command::new("ss").args(["-xnaH"]), Vec::new(), DEADLINE).ok("ss");
    let daemon = socket.to_string_lossy();
    // Netid State Recv-Q Send-Q Local-Address Local-Inode Peer-Address Peer-Inode
    let rows = listed
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>());
    rows.filter(|row| {
        row.get(4) == Some(&&*daemon) && row.get(7).is_some_and(|peer| own.contains(*peer))
    })
    .count()
}

fn inode(link: &str) -> Option<String> {
    Some(link.strip_prefix("socket:[")?.strip_suffix(']')?.to_owned())
}
