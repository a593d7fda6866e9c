//! Whether the daemon's address leads back to a listener of the gate: it would ask itself for ever.

use std::fs;
use std::net::{IpAddr, SocketAddr, TcpListener, ToSocketAddrs as _};
use std::path::{Path, PathBuf};

use crate::config::{Address, ListenerAddress};

/// Whether who connects to the daemon's address reaches the listener, by whatever spelling.
pub(super) fn leads_to(daemon: &Address, listener: &ListenerAddress) -> bool {
    match (daemon, listener) {
        (Address::Unix(daemon), ListenerAddress::Unix(listener)) => {
            daemon == listener || socket_file(daemon) == socket_file(listener)
        }
        (Address::Tcp { host, port }, ListenerAddress::Tcp(listener)) => {
            listener.port() == *port
                && addresses(host, *port)
                    .iter()
                    .any(|address| reaches(address.ip(), listener.ip()))
        }
        (Address::Unix(_) | Address::Tcp { .. }, _) => false,
    }
}

/// Either path may be a symlink, lie beneath one, or not be there yet.
fn socket_file(path: &Path) -> PathBuf {
    let beneath = || {
        let directory = fs::canonicalize(path.parent()?).ok()?;
        Some(directory.join(path.file_name()?))
    };
    let found = fs::canonicalize(path).ok();
    found.or_else(beneath).unwrap_or_else(|| path.to_owned())
}

/// None where the name has no address now; the daemon cannot be reached by it either.
fn addresses(host: &str, port: u16) -> Vec<SocketAddr> {
    (host, port)
        .to_socket_addrs()
        .map(Iterator::collect)
        .unwrap_or_default()
}

fn reaches(daemon: IpAddr, listener: IpAddr) -> bool {
    let (daemon, listener) = (daemon.to_canonical(), listener.to_canonical());
    daemon == listener
        // Linux takes the unspecified address for this machine.
        || (daemon.is_unspecified() && (listener.is_loopback() || listener.is_unspecified()))
        || (listener.is_unspecified() && (daemon.is_loopback() || is_own(daemon)))
}

/// Only an address of this machine can be listened on.
fn is_own(ip: IpAddr) -> bool {
    TcpListener::bind((ip, 0)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_loop(daemon: &str, listener: &str) -> bool {
        leads_to(
            &Address::parse(daemon).unwrap(),
            &ListenerAddress::parse(listener).unwrap(),
        )
    }

    #[test]
    fn a_port_is_known_by_every_spelling() {
        for (daemon, listener) in [
            ("tcp://127.0.0.1:1", "tcp://127.0.0.1:1"),
            ("tcp://localhost:1", "tcp://127.0.0.1:1"),
            ("tcp://LOCALHOST:1", "tcp://127.0.0.1:1"),
            ("tcp://127.1:1", "tcp://127.0.0.1:1"),
            ("tcp://0.0.0.0:1", "tcp://127.0.0.1:1"),
            ("tcp://[::ffff:127.0.0.1]:1", "tcp://127.0.0.1:1"),
            ("tcp://127.0.0.2:1", "tcp://0.0.0.0:1"),
            ("tcp://[::1]:1", "tcp://[::]:1"),
        ] {
            assert!(is_loop(daemon, listener), "{daemon} {listener}");
        }
        for (daemon, listener) in [
            ("tcp://127.0.0.1:1", "tcp://127.0.0.1:2"),
            ("tcp://127.0.0.2:1", "tcp://127.0.0.1:1"),
            // Kept for documentation (RFC 5737), so of no machine.
            ("tcp://192.0.2.1:1", "tcp://0.0.0.0:1"),
            ("tcp://127.0.0.1:1", "systemd"),
            ("unix:///run/a", "tcp://127.0.0.1:1"),
        ] {
            assert!(!is_loop(daemon, listener), "{daemon} {listener}");
        }
    }

    #[test]
    fn a_socket_is_known_through_links() {
        let folder = tempfile::tempdir().unwrap();
        let real = folder.path().join("real");
        fs::create_dir(&real).unwrap();
        std::os::unix::fs::symlink(&real, folder.path().join("link")).unwrap();
        let unix = |path: &str| format!("unix://{}/{path}", folder.path().display());
        // It is not there yet.
        assert!(is_loop(&unix("link/a.sock"), &unix("real/a.sock")));
        assert!(is_loop(&unix("real/a.sock"), &unix("link/a.sock")));
        assert!(!is_loop(&unix("real/a.sock"), &unix("real/b.sock")));
        fs::write(real.join("a.sock"), "").unwrap();
        std::os::unix::fs::symlink("a.sock", real.join("b.sock")).unwrap();
        assert!(is_loop(&unix("real/b.sock"), &unix("link/a.sock")));
    }
}
