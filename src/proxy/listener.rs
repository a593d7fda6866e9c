//! Where clients connect: a Unix socket of the right mode from its first moment, TCP, or sockets that systemd made.

use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::os::unix::net::UnixListener;
use std::sync::Arc;
use std::time::Duration;

use socket2::{Domain, SockRef, TcpKeepalive, Type};
use tokio::net::{TcpStream, UnixStream};

use crate::config::ListenerAddress;

use super::group;
use super::unix_socket::{self, SocketFile};

/// A socket that takes clients.
#[derive(Debug)]
pub struct Listener {
    /// As configured; audit records name it.
    pub name: Arc<str>,
    socket: Socket,
    /// Whether it speaks TLS; how is said by its door.
    pub is_tls: bool,
}

#[derive(Debug)]
enum Socket {
    Unix {
        listener: UnixListener,
        /// The file to remove in the end; systemd removes its own.
        file: Option<SocketFile>,
    },
    Tcp(TcpListener),
}

/// A listener that the runtime waits for.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) name: Arc<str>,
    pub(crate) is_tls: bool,
    socket: OpenedSocket,
}

#[derive(Debug)]
enum OpenedSocket {
    Unix {
        listener: tokio::net::UnixListener,
        /// Removed when the listener is dropped.
        _file: Option<SocketFile>,
    },
    Tcp(tokio::net::TcpListener),
}

/// A connection that a client has just made.
#[derive(Debug)]
pub(crate) enum Accepted {
    Unix(UnixStream),
    Tcp(TcpStream),
}

impl Accepted {
    /// Where it comes from, on TCP; an IPv4 address as itself.
    pub(super) fn source(&self) -> Option<IpAddr> {
        match self {
            Self::Unix(_) => None,
            // One that has gone already has none, and then none matches.
            Self::Tcp(stream) => stream.peer_addr().ok().map(|peer| peer.ip().to_canonical()),
        }
    }
}

/// Where to listen and who may reach it.
#[derive(Debug)]
pub struct Place<'a> {
    pub address: &'a ListenerAddress,
    /// Of the socket's file.
    pub mode: u32,
    /// The group's name or number that the file is given to.
    pub group: Option<&'a str>,
    pub is_tls: bool,
    /// Lets TCP without TLS listen beyond loopback.
    pub dangerously_allow_plain_tcp: bool,
}

/// Why the gate cannot listen somewhere.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    #[error("cannot listen on {address}: {cause}")]
    Cannot { address: String, cause: String },
    #[error("cannot listen on {address}: another process answers there already")]
    Taken { address: String },
    #[error(
        "cannot listen on {address}: TCP without TLS lets anybody who reaches it in; only loopback is taken, unless \
         `dangerously-allow-plain-tcp` is set"
    )]
    PlainTcp { address: String },
    #[error("cannot listen on {address}: there is no group `{group}`")]
    Group { address: String, group: String },
}

impl Listener {
    /// Listens on a place; on a Unix socket with its mode and group set before anybody can reach it.
    ///
    /// # Errors
    /// [`ListenError`]; a socket on which another process listens is never taken from it.
    pub fn bind(place: &Place<'_>) -> Result<Self, ListenError> {
        let name = place.address.to_string();
        let fault = |cause: io::Error| ListenError::Cannot {
            address: name.clone(),
            cause: cause.to_string(),
        };
        let socket = match place.address {
            ListenerAddress::Unix(path) => {
                let group = match place.group {
                    Some(group) => {
                        Some(group::number(group).ok_or_else(|| ListenError::Group {
                            address: name.clone(),
                            group: group.to_owned(),
                        })?)
                    }
                    None => None,
                };
                if unix_socket::is_alive(path).map_err(fault)? {
                    return Err(ListenError::Taken { address: name });
                }
                let (listener, file) = unix_socket::bind(path, place.mode, group).map_err(fault)?;
                Socket::Unix {
                    listener,
                    file: Some(file),
                }
            }
            ListenerAddress::Tcp(address) => {
                let is_open = !address.ip().is_loopback() && !place.is_tls;
                if is_open && !place.dangerously_allow_plain_tcp {
                    return Err(ListenError::PlainTcp { address: name });
                }
                Socket::Tcp(bind_tcp(*address).map_err(fault)?)
            }
            ListenerAddress::Systemd(_) => {
                return Err(fault(io::Error::other("it is systemd that listens there")));
            }
        };
        Ok(Self {
            name: Arc::from(name),
            socket,
            is_tls: place.is_tls,
        })
    }

    /// Takes over a Unix socket that systemd listens on; its file is systemd's.
    ///
    /// # Errors
    /// Those of making it non-blocking.
    pub fn adopt_unix(name: &str, listener: UnixListener) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        Ok(Self {
            name: Arc::from(name),
            socket: Socket::Unix {
                listener,
                file: None,
            },
            is_tls: false,
        })
    }

    /// Takes over a TCP port that systemd listens on.
    ///
    /// # Errors
    /// [`ListenError`] where it is reachable from elsewhere without TLS, see [`Self::bind`].
    pub fn adopt_tcp(
        name: &str,
        listener: TcpListener,
        is_tls: bool,
        dangerously_allow_plain_tcp: bool,
    ) -> Result<Self, ListenError> {
        let fault = |cause: io::Error| ListenError::Cannot {
            address: name.to_owned(),
            cause: cause.to_string(),
        };
        listener.set_nonblocking(true).map_err(fault)?;
        let ip = listener.local_addr().map_err(fault)?.ip();
        if !is_tls && !ip.is_loopback() && !dangerously_allow_plain_tcp {
            return Err(ListenError::PlainTcp {
                address: name.to_owned(),
            });
        }
        Ok(Self {
            name: Arc::from(name),
            socket: Socket::Tcp(listener),
            is_tls,
        })
    }

    /// The address that clients connect to, with the port that the system chose where none was asked for.
    #[must_use]
    pub fn docker_host(&self) -> String {
        match &self.socket {
            Socket::Unix { file: Some(_), .. } => self.name.to_string(),
            // What systemd has made knows its own path.
            Socket::Unix { listener, .. } => listener
                .local_addr()
                .ok()
                .and_then(|address| Some(format!("unix://{}", address.as_pathname()?.display())))
                .unwrap_or_else(|| self.name.to_string()),
            Socket::Tcp(listener) => listener.local_addr().map_or_else(
                |_| self.name.to_string(),
                |address| format!("tcp://{address}"),
            ),
        }
    }

    /// Hands it to the runtime that this is called in; until then clients wait in its queue.
    ///
    /// # Errors
    /// Those of the runtime.
    pub(crate) fn open(self) -> io::Result<Opened> {
        let socket = match self.socket {
            Socket::Unix { listener, file } => OpenedSocket::Unix {
                listener: tokio::net::UnixListener::from_std(listener)?,
                _file: file,
            },
            Socket::Tcp(listener) => {
                OpenedSocket::Tcp(tokio::net::TcpListener::from_std(listener)?)
            }
        };
        Ok(Opened {
            name: self.name,
            is_tls: self.is_tls,
            socket,
        })
    }
}

impl Opened {
    /// Waits for the next client.
    pub(crate) async fn accept(&self) -> io::Result<Accepted> {
        match &self.socket {
            OpenedSocket::Unix { listener, .. } => Ok(Accepted::Unix(listener.accept().await?.0)),
            OpenedSocket::Tcp(listener) => {
                let (stream, _) = listener.accept().await?;
                // A client whose machine is gone must not keep its place for ever.
                let keepalive = TcpKeepalive::new()
                    .with_time(KEEPALIVE)
                    .with_interval(KEEPALIVE / 4);
                let set = stream
                    .set_nodelay(true)
                    .and_then(|()| SockRef::from(&stream).set_tcp_keepalive(&keepalive));
                if let Err(error) = set {
                    // A client that has gone already; the next read tells.
                    tracing::debug!(%error, "the options of a connection cannot be set");
                }
                Ok(Accepted::Tcp(stream))
            }
        }
    }
}

fn bind_tcp(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = socket2::Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// Connections that wait to be accepted.
pub(super) const BACKLOG: i32 = 1024;
const KEEPALIVE: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_client_on_another_machine_is_asked_whether_it_is_there() {
        let address = ListenerAddress::parse("tcp://127.0.0.1:0").unwrap();
        let place = Place {
            address: &address,
            mode: 0,
            group: None,
            is_tls: true,
            dangerously_allow_plain_tcp: false,
        };
        let listener = Listener::bind(&place).unwrap();
        let host = listener.docker_host().replace("tcp://", "");
        let listener = listener.open().unwrap();
        let (accepted, client) = tokio::join!(listener.accept(), TcpStream::connect(host));
        let Accepted::Tcp(stream) = accepted.unwrap() else {
            panic!("no TCP")
        };
        let socket = SockRef::from(&stream);
        assert!(socket.keepalive().unwrap());
        assert_eq!(socket.tcp_keepalive_time().unwrap(), KEEPALIVE);
        drop(client);
    }
}
