//! Where a daemon or a listener is: a Unix socket or a TCP port.

use std::fmt;
use std::path::PathBuf;

/// The longest path of a Unix socket, in bytes (unix(7)).
const MAX_SOCKET_PATH: usize = 107;

/// `unix:///run/docker.sock` or `tcp://host:2376`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    Unix(PathBuf),
    /// IPv6 addresses without their brackets.
    Tcp {
        host: String,
        port: u16,
    },
}

/// Why a text is no address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    #[error("`{0}` begins with neither `unix://` nor `tcp://`")]
    Scheme(String),
    #[error("`{0}` is no absolute path of at most {MAX_SOCKET_PATH} bytes")]
    SocketPath(String),
    #[error("`{0}` has no host and port")]
    HostAndPort(String),
}

impl Address {
    /// Reads an address in the form of `DOCKER_HOST`.
    ///
    /// # Errors
    /// [`AddressError`] for any other form; a port must be given.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        if let Some(path) = text.strip_prefix("unix://") {
            return if path.starts_with('/') && path.len() <= MAX_SOCKET_PATH {
                Ok(Self::Unix(PathBuf::from(path)))
            } else {
                Err(AddressError::SocketPath(path.to_owned()))
            };
        }
        let rest = text
            .strip_prefix("tcp://")
            .ok_or_else(|| AddressError::Scheme(text.to_owned()))?;
        let fault = || AddressError::HostAndPort(text.to_owned());
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (host, port) = rest.rsplit_once(':').ok_or_else(fault)?;
        let bare = host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'));
        let is_host = match bare {
            Some(bare) => bare.parse::<std::net::Ipv6Addr>().is_ok(),
            None => !host.is_empty() && !host.contains(['/', ':', '[', ']', '@']),
        };
        let port = port.parse().map_err(|_| fault())?;
        if !is_host {
            return Err(fault());
        }
        Ok(Self::Tcp {
            host: bare.unwrap_or(host).to_owned(),
            port,
        })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix://{}", path.display()),
            Self::Tcp { host, port } if host.contains(':') => write!(f, "tcp://[{host}]:{port}"),
            Self::Tcp { host, port } => write!(f, "tcp://{host}:{port}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes() {
        for text in [
            "unix:///var/run/docker.sock",
            "tcp://127.0.0.1:2376",
            "tcp://[::1]:2376",
            "tcp://docker.example:2375",
        ] {
            assert_eq!(Address::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn refuses_other_forms() {
        for text in [
            "",
            "/var/run/docker.sock",
            "unix://docker.sock",
            "ssh://host",
            "tcp://host",
            "tcp://:2375",
            "tcp://::1:2375",
            "tcp://[::1]",
            "tcp://host:port",
            "tcp://host:2375/path",
        ] {
            assert!(Address::parse(text).is_err(), "{text}");
        }
    }
}
