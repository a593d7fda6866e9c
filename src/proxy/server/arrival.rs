//! A connection that has arrived: who it is, and what becomes of it where it is not served.

use std::net::IpAddr;
use std::sync::Arc;

use tokio::net::TcpStream;
use tokio::time;
use tokio_rustls::{TlsAcceptor, TlsStream};

use crate::audit::record::{Client as RecordedClient, ConnectionRefused, Record};
use crate::audit::text::Timestamp;
use crate::peer::{Peer, Stream};
use crate::policy::client::Identity;

use super::super::listener::Accepted;
use super::super::refusal::OwnAnswer;
use super::super::unserved::{self, Stranger};
use super::super::{Gate, calling_container, client_identity, record};
use super::Server;

/// What is known of a connection from where it arrived.
pub(super) struct Arrival {
    pub(super) listener: Arc<str>,
    /// Whether the configuration in force has the listener as it is.
    pub(super) is_open: bool,
    pub(super) tls: Option<TlsAcceptor>,
    pub(super) door: Arc<str>,
    pub(super) source: Option<IpAddr>,
    /// When the connection was taken.
    pub(super) time: Timestamp,
    /// The configuration that it arrived under.
    pub(super) gate: Arc<Gate>,
}

impl Arrival {
    pub(super) fn identifies_containers(&self) -> bool {
        let door = self.gate.doors.get(&self.door);
        door.is_some_and(|door| door.identifies_containers)
    }
}

impl Server {
    /// Who connected; under TLS after the handshake.
    pub(super) async fn identify(
        &self,
        accepted: Accepted,
        arrival: &Arrival,
    ) -> Result<(Stream, Identity), Stranger> {
        let stream = match (accepted, &arrival.tls) {
            (Accepted::Unix(stream), _) => {
                let peer = client_identity::peer_credentials(&stream);
                let peer = peer.map_err(|error| error.to_string())?;
                let stream = Stream::unix(stream).map_err(|error| error.to_string())?;
                return Ok((stream, Identity::Peer(peer)));
            }
            (Accepted::Tcp(stream), None) if arrival.identifies_containers() => {
                let (source, at) = (arrival.source, arrival.time);
                return match calling_container::at(&arrival.gate, source, at).await {
                    Ok(container) => Ok((Stream::Tcp(stream), Identity::Container(container))),
                    Err(cause) => Err(Stranger::over_plain_tcp(cause, stream)),
                };
            }
            (Accepted::Tcp(stream), None) => {
                return Ok((Stream::Tcp(stream), Identity::Listener));
            }
            (Accepted::Tcp(stream), Some(acceptor)) => self.shake_hands(stream, acceptor).await?,
        };
        let certificate = stream
            .get_ref()
            .1
            .peer_certificates()
            .and_then(|chain| chain.first())
            .ok_or("the client gave no certificate")?;
        let certificate =
            client_identity::certificate(certificate).map_err(|error| error.to_string())?;
        Ok((
            Stream::Tls(Box::new(stream)),
            Identity::Certificate(certificate),
        ))
    }

    async fn shake_hands(
        &self,
        stream: TcpStream,
        acceptor: &TlsAcceptor,
    ) -> Result<TlsStream<TcpStream>, String> {
        let deadline = self.gate().limits.handshake_deadline;
        match time::timeout(deadline, acceptor.accept(stream)).await {
            Ok(Ok(stream)) => Ok(TlsStream::Server(stream)),
            Ok(Err(error)) => Err(format!("TLS handshake: {error}")),
            Err(_) => Err("the TLS handshake took too long".to_owned()),
        }
    }

    /// Answers before any request is read, and ends the connection.
    pub(super) async fn turn_away(
        &self,
        peer: &mut Peer,
        arrival: &Arrival,
        identity: &Identity,
        (code, answer): (&'static str, OwnAnswer),
    ) {
        self.record_refused(arrival, Some(identity), code, &answer.message)
            .await;
        answer.queue(peer, false, true);
        unserved::end(peer).await;
    }

    pub(super) async fn record_refused(
        &self,
        arrival: &Arrival,
        identity: Option<&Identity>,
        code: &'static str,
        message: &str,
    ) {
        tracing::debug!(listener = %arrival.listener, code, message, "a connection was refused");
        let gate = self.gate();
        gate.metrics.connection_refused(code);
        let [reason] = record::reason(code, message);
        let refused = ConnectionRefused {
            time: Timestamp::now(),
            id: gate.ids.next(),
            client: RecordedClient {
                name: None,
                owner: None,
                source: arrival.source,
                identity,
                written: None,
            },
            listener: &arrival.listener,
            configuration: &gate.digest,
            reason,
        };
        let record = Record::ConnectionRefused(refused);
        if let Err(error) = gate.audit.record(&record).await {
            tracing::error!(%error, "a refused connection is missing from the audit log");
        }
    }
}
