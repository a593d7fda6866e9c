//! Where the daemon is, and where clients come: Unix sockets, TCP ports, inherited sockets.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;

/// Where a daemon is, in the form of `DOCKER_HOST`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    Unix(PathBuf),
    /// IPv6 addresses without their brackets.
    Tcp {
        host: String,
        port: u16,
    },
}

/// Where clients come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListenerAddress {
    Unix(PathBuf),
    Tcp(SocketAddr),
    /// Sockets that systemd hands over: those of that `FileDescriptorName`, or all (`sd_listen_fds(3)`).
    Systemd(Option<String>),
}

/// Why a text is no address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    #[error("`{0}` is no form of an address that is known here")]
    Form(String),
    #[error("`{0}` is not an absolute path of at most {MAX_SOCKET_PATH} bytes")]
    SocketPath(String),
    #[error("`{0}` has no host and port")]
    HostAndPort(String),
    #[error("`{0}` has no IP address and port; a listener does not look up names")]
    IpAndPort(String),
    #[error("`{0}` is not the name of an inherited socket")]
    SocketName(String),
}

impl Address {
    /// The daemon's own socket.
    pub const DEFAULT: &str = "unix:///var/run/docker.sock";

    /// Reads `unix:///PATH` or `tcp://HOST:PORT`.
    ///
    /// # Errors
    /// [`AddressError`] for any other form; a port must be given.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        if let Some(path) = text.strip_prefix(UNIX) {
            return socket_path(path).map(Self::Unix);
        }
        let Some(rest) = text.strip_prefix(TCP) else {
            return Err(AddressError::Form(text.to_owned()));
        };
        let fault = || AddressError::HostAndPort(text.to_owned());
        let (host, port) = rest.rsplit_once(':').ok_or_else(fault)?;
        let bare = host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'));
        let is_host = match bare {
            Some(bare) => bare.parse::<Ipv6Addr>().is_ok(),
            None => is_host_name(host),
        };
        match port.parse() {
            Ok(number) if is_host && number > 0 && !port.starts_with('+') => Ok(Self::Tcp {
                host: bare.unwrap_or(host).to_owned(),
                port: number,
            }),
            Ok(_) | Err(_) => Err(fault()),
        }
    }

    /// Whether bytes to this address never leave the machine.
    #[must_use]
    pub fn is_local(&self) -> bool {
        match self {
            Self::Unix(_) => true,
            Self::Tcp { host, .. } if host == "localhost" => true,
            Self::Tcp { host, .. } => host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback()),
        }
    }
}

impl ListenerAddress {
    /// Reads `unix:///PATH`, `tcp://IP:PORT`, `systemd` or `systemd:NAME`.
    ///
    /// # Errors
    /// [`AddressError`] for any other form.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        if let Some(path) = text.strip_prefix(UNIX) {
            return socket_path(path).map(Self::Unix);
        }
        if let Some(rest) = text.strip_prefix(TCP) {
            let address = rest.parse().map(Self::Tcp);
            return address.map_err(|_| AddressError::IpAndPort(text.to_owned()));
        }
        match text.split_once(':') {
            None if text == SYSTEMD => Ok(Self::Systemd(None)),
            Some((SYSTEMD, name)) if is_socket_name(name) => {
                Ok(Self::Systemd(Some(name.to_owned())))
            }
            Some((SYSTEMD, name)) => Err(AddressError::SocketName(name.to_owned())),
            Some(_) | None => Err(AddressError::Form(text.to_owned())),
        }
    }

    /// Whether two listeners would take the same socket.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Systemd(one), Self::Systemd(other)) => {
                one.is_none() || other.is_none() || one == other
            }
            (Self::Unix(_) | Self::Tcp(_), _) | (Self::Systemd(_), _) => self == other,
        }
    }

    /// Whether the gate would talk to itself if the daemon were there.
    #[must_use]
    pub fn is_where(&self, daemon: &Address) -> bool {
        match (self, daemon) {
            (Self::Unix(listener), Address::Unix(daemon)) => listener == daemon,
            (Self::Tcp(listener), Address::Tcp { host, port }) => {
                let is_same_port = listener.port() == *port;
                let is_every_address = listener.ip().is_unspecified() && daemon.is_local();
                is_same_port
                    && (is_every_address
                        || host.parse() == Ok(listener.ip())
                        || (host == "localhost" && listener.ip().is_loopback()))
            }
            (Self::Unix(_) | Self::Systemd(_), _) | (Self::Tcp(_), Address::Unix(_)) => false,
        }
    }
}

const UNIX: &str = "unix://";
const TCP: &str = "tcp://";
const SYSTEMD: &str = "systemd";

/// The longest path of a Unix socket, in bytes (unix(7)).
const MAX_SOCKET_PATH: usize = 107;

fn socket_path(path: &str) -> Result<PathBuf, AddressError> {
    let is_clean = crate::policy::paths::absolute_path(path).is_ok_and(|clean| clean == path);
    if is_clean && path != "/" && path.len() <= MAX_SOCKET_PATH {
        return Ok(PathBuf::from(path));
    }
    Err(AddressError::SocketPath(path.to_owned()))
}

fn is_host_name(host: &str) -> bool {
    let is_letter =
        |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-' | '_');
    !host.is_empty() && host.chars().all(is_letter)
}

/// sd_listen_fds(3): a name has no colon and no control characters, and at most 255 characters.
fn is_socket_name(name: &str) -> bool {
    matches!(name.len(), 1..=255)
        && name
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b':')
}

impl Default for Address {
    fn default() -> Self {
        Self::Unix(PathBuf::from("/var/run/docker.sock"))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "{UNIX}{}", path.display()),
            Self::Tcp { host, port } if host.contains(':') => write!(f, "{TCP}[{host}]:{port}"),
            Self::Tcp { host, port } => write!(f, "{TCP}{host}:{port}"),
        }
    }
}

impl fmt::Display for ListenerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "{UNIX}{}", path.display()),
            Self::Tcp(address) => write!(f, "{TCP}{address}"),
            Self::Systemd(None) => f.write_str(SYSTEMD),
            Self::Systemd(Some(name)) => write!(f, "{SYSTEMD}:{name}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes() {
        for text in [
            Address::DEFAULT,
            "tcp://127.0.0.1:2376",
            "tcp://[::1]:2376",
            "tcp://docker.example:2375",
        ] {
            assert_eq!(Address::parse(text).unwrap().to_string(), text);
        }
        for text in [
            "unix:///run/a.sock",
            "tcp://0.0.0.0:2376",
            "tcp://[::1]:0",
            "systemd",
            "systemd:ui.socket",
        ] {
            assert_eq!(ListenerAddress::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(
            Address::parse(Address::DEFAULT).unwrap(),
            Address::default()
        );
    }

    #[test]
    fn refuses_other_forms() {
        for text in [
            "",
            "/var/run/docker.sock",
            "unix://docker.sock",
            "unix:///",
            "unix:///run//a",
            "unix:///run/a/",
            "ssh://host",
            "tcp://host",
            "tcp://:2375",
            "tcp://::1:2375",
            "tcp://[::1]",
            "tcp://host:port",
            "tcp://host:+1",
            "tcp://host:2375/path",
            "tcp://host:2375/",
            "tcp://user@host:1",
            "systemd",
        ] {
            assert!(Address::parse(text).is_err(), "{text}");
        }
        for text in [
            "",
            "tcp://localhost:1",
            "tcp://:1",
            "tcp://0.0.0.0",
            "systemd:",
            "systemd:a:b",
            "fd://",
        ] {
            assert!(ListenerAddress::parse(text).is_err(), "{text}");
        }
        assert!(Address::parse(&format!("unix:///{}", "a".repeat(107))).is_err());
    }

    #[test]
    fn knows_its_own_address() {
        let is_where = |listener, daemon| {
            ListenerAddress::parse(listener)
                .unwrap()
                .is_where(&Address::parse(daemon).unwrap())
        };
        assert!(is_where("unix:///run/a", "unix:///run/a"));
        assert!(!is_where("unix:///run/a", "unix:///run/b"));
        assert!(is_where("tcp://0.0.0.0:1", "tcp://127.0.0.1:1"));
        assert!(is_where("tcp://127.0.0.1:1", "tcp://localhost:1"));
        assert!(!is_where("tcp://127.0.0.1:1", "tcp://127.0.0.1:2"));
        assert!(!is_where("tcp://127.0.0.1:1", "tcp://docker.example:1"));
    }
}
