//! Connections to the daemon, one request after the other on each.

use std::io;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpStream;
use tokio::time;
use tokio_rustls::{TlsConnector, TlsStream};

use crate::config::Address;
use crate::decision::Permit;
use crate::peer::{Peer, Stream, UnixSocket};

use super::request::{self, Passed};

/// How to reach the daemon.
#[derive(Debug, Clone)]
pub struct Daemon {
    pub address: Address,
    /// Where the daemon speaks TLS: how, and the name that its certificate must carry.
    pub tls: Option<(Arc<ClientConfig>, ServerName<'static>)>,
    /// For connecting and the handshake together.
    pub connect_deadline: Duration,
}

/// A connection to the daemon over which nothing is under way.
#[derive(Debug)]
pub struct IdleConnection(Peer);

/// The daemon takes no connection.
#[derive(Debug, thiserror::Error)]
#[error("cannot connect to the Docker daemon at {address}: {cause}")]
pub struct Unavailable {
    address: Address,
    cause: String,
}

impl Daemon {
    /// Connects, and shakes hands where the daemon speaks TLS.
    ///
    /// # Errors
    /// [`Unavailable`] with the cause, also once `connect_deadline` has passed.
    pub async fn connect(&self) -> Result<IdleConnection, Unavailable> {
        let cause = match time::timeout(self.connect_deadline, self.open()).await {
            Ok(Ok(stream)) => return Ok(IdleConnection(Peer::new(stream))),
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("no answer within {} s", self.connect_deadline.as_secs()),
        };
        Err(Unavailable {
            address: self.address.clone(),
            cause,
        })
    }

    async fn open(&self) -> io::Result<Stream> {
        let (host, port) = match &self.address {
            Address::Unix(path) => return UnixSocket::connect(path).map(Stream::Unix),
            Address::Tcp { host, port } => (host.as_str(), *port),
        };
        let stream = TcpStream::connect((host, port)).await?;
        stream.set_nodelay(true)?;
        // An answer may be silent for days, and a daemon whose machine is gone never ends it.
        let keepalive = TcpKeepalive::new()
            .with_time(KEEPALIVE)
            .with_interval(KEEPALIVE / 4);
        SockRef::from(&stream).set_tcp_keepalive(&keepalive)?;
        let Some((config, name)) = &self.tls else {
            return Ok(Stream::Tcp(stream));
        };
        let connector = TlsConnector::from(Arc::clone(config));
        let stream = connector.connect(name.clone(), stream).await?;
        Ok(Stream::Tls(Box::new(TlsStream::Client(stream))))
    }
}

impl IdleConnection {
    /// Takes back a connection whose last exchange has ended as HTTP says, with nothing left over.
    #[must_use]
    pub fn after(peer: Peer) -> Option<Self> {
        let is_clean = peer.input.is_empty() && peer.output.is_empty() && !peer.has_ended();
        is_clean.then_some(Self(peer))
    }

    /// Whether the daemon has kept it open and quiet; costs no system call where nothing has happened.
    pub fn poll_is_fresh(&mut self, cx: &mut Context<'_>) -> bool {
        matches!(self.0.poll_fill(cx), Poll::Pending)
    }

    pub(super) fn into_peer(self) -> Peer {
        self.0
    }

    /// Queues the request that was permitted; a streamed body is to follow.
    #[must_use]
    pub fn send(self, permit: &Permit, passed: &Passed<'_>) -> Peer {
        let Self(mut peer) = self;
        request::queue(&mut peer, permit, passed);
        peer
    }
}

const KEEPALIVE: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn a_daemon_on_another_machine_is_asked_whether_it_is_there() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let daemon = Daemon {
            address: Address::Tcp {
                host: "127.0.0.1".to_owned(),
                port: listener.local_addr().unwrap().port(),
            },
            tls: None,
            connect_deadline: KEEPALIVE,
        };
        let Stream::Tcp(stream) = daemon.open().await.unwrap() else {
            panic!("TCP without TLS")
        };
        assert!(SockRef::from(&stream).keepalive().unwrap());
    }
}
