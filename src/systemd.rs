//! What systemd hands over and wants to hear: sockets that it listens on, and when the gate is ready.

use std::env;
use std::fmt;
use std::io;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};

use listenfd::ListenFd;

use crate::proxy::listener::Listener;

/// The sockets that systemd listens on for this process (`sd_listen_fds(3)`).
pub struct Inherited {
    sockets: ListenFd,
    names: Vec<String>,
}

impl fmt::Debug for Inherited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inherited")
            .field("names", &self.names)
            .finish_non_exhaustive()
    }
}

impl Inherited {
    /// Takes over what `LISTEN_FDS` says, if it is meant for this process.
    #[must_use]
    pub fn take() -> Self {
        let names = env::var("LISTEN_FDNAMES").unwrap_or_default();
        Self {
            sockets: ListenFd::from_env(),
            names: names.split(':').map(ToOwned::to_owned).collect(),
        }
    }

    /// The sockets of one `FileDescriptorName`, or all.
    ///
    /// # Errors
    /// The cause, for a person, where there is none of that name, or one that cannot be used.
    pub fn listeners(
        &mut self,
        name: Option<&str>,
        is_tls: bool,
        allows_plain_tcp: bool,
    ) -> Result<Vec<Listener>, String> {
        let mut listeners = Vec::new();
        for index in 0..self.sockets.len() {
            let own = self.names.get(index).map_or("unknown", String::as_str);
            if name.is_some_and(|name| name != own) {
                continue;
            }
            let address = format!("systemd:{own}");
            let fault = |error: io::Error| format!("cannot use the socket `{own}`: {error}");
            if let Ok(Some(socket)) = self.sockets.take_unix_listener(index) {
                listeners.push(Listener::adopt_unix(&address, socket).map_err(fault)?);
            } else if let Some(socket) = self.sockets.take_tcp_listener(index).map_err(fault)? {
                let adopted = Listener::adopt_tcp(&address, socket, is_tls, allows_plain_tcp);
                listeners.push(adopted.map_err(|error| error.to_string())?);
            }
        }
        if listeners.is_empty() {
            let wanted = name.map_or_else(String::new, |name| format!(" named `{name}`"));
            return Err(format!("systemd hands over no listening socket{wanted}"));
        }
        Ok(listeners)
    }
}

/// Tells the service manager, where there is one, what `sd_notify(3)` words so.
pub fn notify(state: &str) {
    let Some(path) = env::var_os("NOTIFY_SOCKET").and_then(|path| path.into_string().ok()) else {
        return;
    };
    if let Err(error) = send(&path, state) {
        tracing::warn!(%error, "the service manager cannot be told of `{state}`");
    }
}

/// Tells it that the configuration is read anew, until it is told `READY=1` (systemd.service(5), `notify-reload`).
pub fn notify_reloading() {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    let microseconds = now.tv_sec * 1_000_000 + now.tv_nsec / 1000;
    notify(&format!("RELOADING=1\nMONOTONIC_USEC={microseconds}"));
}

fn send(path: &str, state: &str) -> io::Result<()> {
    let address = match path.strip_prefix('@') {
        Some(name) => SocketAddr::from_abstract_name(name)?,
        None => SocketAddr::from_pathname(path)?,
    };
    UnixDatagram::unbound()?.send_to_addr(state.as_bytes(), &address)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notifies_by_path_and_by_abstract_name() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("notify");
        let name = format!("dockgate-test-{}", std::process::id());
        let by_path = UnixDatagram::bind(&path).unwrap();
        let by_name =
            UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();

        send(path.to_str().unwrap(), "READY=1").unwrap();
        send(&format!("@{name}"), "STOPPING=1").unwrap();

        let mut buffer = [0; 32];
        let length = by_path.recv(&mut buffer).unwrap();
        assert_eq!(&buffer[..length], b"READY=1");
        let length = by_name.recv(&mut buffer).unwrap();
        assert_eq!(&buffer[..length], b"STOPPING=1");
    }
}
