//! A gate before itself would ask itself for ever.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, ToSocketAddrs as _};
use std::path::Path;

use crate::config::{Address, ListenerAddress};

use super::settings::ServeError;

/// Refuses listeners one of which is where the daemon should be.
///
/// # Errors
/// [`ServeError::Configuration`] with the listener that is.
pub(super) fn refuse<'a>(
    listeners: impl IntoIterator<Item = &'a ListenerAddress>,
    daemon: &Address,
) -> Result<(), ServeError> {
    match listeners
        .into_iter()
        .find(|listener| is_loop(listener, daemon))
    {
        None => Ok(()),
        Some(listener) => Err(ServeError::Configuration(format!(
            "the daemon {daemon} is the listener {listener} itself, so the gate would talk to itself; name the real daemon \
             with --daemon"
        ))),
    }
}

fn is_loop(listener: &ListenerAddress, daemon: &Address) -> bool {
    match (listener, daemon) {
        (ListenerAddress::Unix(listener), Address::Unix(daemon)) => {
            let real = |path: &Path| {
                let directory = path
                    .parent()
                    .and_then(|parent| fs::canonicalize(parent).ok());
                directory.zip(path.file_name().map(ToOwned::to_owned))
            };
            // The daemon's path may be a symlink to the listener's, the listener's may not exist yet.
            let daemon = fs::canonicalize(daemon).unwrap_or_else(|_| daemon.clone());
            daemon == *listener || (real(&daemon).is_some() && real(&daemon) == real(listener))
        }
        (ListenerAddress::Tcp(address), Address::Tcp { host, port }) if address.port() == *port => {
            let bare = host.as_str();
            let found = (bare, *port).to_socket_addrs().into_iter().flatten();
            listener.is_where(daemon)
                || found
                    .map(|found| found.ip())
                    .any(|found| leads_to(found, address))
        }
        (ListenerAddress::Unix(_) | ListenerAddress::Tcp(_) | ListenerAddress::Systemd(_), _) => {
            listener.is_where(daemon)
        }
    }
}

/// Whether who connects to `daemon` reaches a listener with the same port.
fn leads_to(daemon: IpAddr, listener: &SocketAddr) -> bool {
    // ip(7): who connects to no address reaches this machine.
    let daemon = match daemon.to_canonical() {
        IpAddr::V4(address) if address.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(address) if address.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        address @ (IpAddr::V4(_) | IpAddr::V6(_)) => address,
    };
    if listener.ip().is_unspecified() {
        // Only an address of this machine can be bound.
        return TcpListener::bind((daemon, 0)).is_ok();
    }
    listener.ip().to_canonical() == daemon
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_loop_of(listener: &str, daemon: &str) -> bool {
        is_loop(
            &ListenerAddress::parse(listener).unwrap(),
            &Address::parse(daemon).unwrap(),
        )
    }

    #[test]
    fn an_address_is_known_in_any_spelling() {
        for (listener, daemon) in [
            ("tcp://127.0.0.1:1", "tcp://0.0.0.0:1"),
            ("tcp://127.0.0.1:1", "tcp://localhost:1"),
            ("tcp://127.0.0.1:1", "tcp://127.1:1"),
            ("tcp://127.0.0.1:1", "tcp://[::ffff:127.0.0.1]:1"),
            ("tcp://[::ffff:127.0.0.1]:1", "tcp://127.0.0.1:1"),
            ("tcp://0.0.0.0:1", "tcp://127.0.0.9:1"),
            ("tcp://[::]:1", "tcp://127.0.0.1:1"),
        ] {
            assert!(is_loop_of(listener, daemon), "{listener} {daemon}");
        }
        for (listener, daemon) in [
            ("tcp://127.0.0.1:1", "tcp://127.0.0.2:1"),
            ("tcp://127.0.0.1:1", "tcp://0.0.0.0:2"),
            ("tcp://0.0.0.0:1", "tcp://192.0.2.1:1"),
            ("tcp://0.0.0.0:1", "unix:///run/a"),
        ] {
            assert!(!is_loop_of(listener, daemon), "{listener} {daemon}");
        }
    }

    #[test]
    fn a_socket_is_known_behind_symlinks() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::create_dir(path("real")).unwrap();
        std::os::unix::fs::symlink(path("real"), path("link")).unwrap();
        let unix = |name: &str| format!("unix://{}", path(name).display());
        assert!(is_loop_of(&unix("real/a"), &unix("link/a")));
        assert!(is_loop_of(&unix("link/a"), &unix("real/a")));
        assert!(!is_loop_of(&unix("real/a"), &unix("link/b")));
    }
}
