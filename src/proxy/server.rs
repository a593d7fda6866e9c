//! Clients taken in: a task for each connection, its identity, its place; and the end of all of them.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};
use tokio::time;
use tokio_rustls::{TlsAcceptor, TlsStream};

use crate::audit::record::{Client as RecordedClient, ConnectionRefused, Record};
use crate::audit::text::Timestamp;
use crate::peer::{Peer, Stream};
use crate::policy::Policy;
use crate::policy::client::{Caller, ClientMatch, Identity, OwnerTemplate};

use super::connection::Connection;
use super::limits::{Seat, Seats};
use super::listener::{Accepted, Listener};
use super::refusal::OwnAnswer;
use super::unserved::{Stranger, Unserved};
use super::{Client, Gate, calling_container, client_identity, record, unserved};

/// How far the gate is on its way to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    Running,
    /// Nothing new is taken; what runs goes on.
    Draining,
    /// What still runs is ended.
    Cut,
}

/// A listener with the clients that it serves.
#[derive(Debug)]
pub struct Served {
    pub listener: Listener,
    /// The policy of whoever reaches it; else the first of `clients` that matches decides.
    pub policy: Option<Arc<Policy>>,
    /// Whom clients own things as where their table does not say it.
    pub owner: Option<Arc<OwnerTemplate>>,
    /// Who calls over plain TCP is the container that has its address, or is refused.
    pub identifies_containers: bool,
}

/// A `[[client]]` table.
#[derive(Debug)]
pub struct KnownClient {
    pub name: Arc<str>,
    pub matches: ClientMatch,
    pub policy: Arc<Policy>,
    pub owner: Option<OwnerTemplate>,
}

/// What serves all listeners.
#[derive(Debug)]
pub struct Server {
    gate: Arc<Gate>,
    clients: Vec<KnownClient>,
    seats: Seats,
}

impl Server {
    #[must_use]
    pub fn new(gate: Gate, clients: Vec<KnownClient>) -> Arc<Self> {
        Arc::new(Self {
            seats: Seats::new(&gate.limits),
            gate: Arc::new(gate),
            clients,
        })
    }

    /// Serves until the phase is no longer running and the last connection has ended, or been cut.
    pub async fn run(self: Arc<Self>, served: Vec<Served>, phase: watch::Receiver<Phase>) {
        let mut listeners = JoinSet::new();
        for served in served {
            listeners.spawn(Arc::clone(&self).listen(served, phase.clone()));
        }
        while let Some(ended) = listeners.join_next().await {
            report(ended);
        }
    }

    async fn listen(self: Arc<Self>, served: Served, mut phase: watch::Receiver<Phase>) {
        let Served {
            listener,
            policy,
            owner,
            identifies_containers,
        } = served;
        let mut connections = JoinSet::new();
        let mut ending = phase.clone();
        loop {
            tokio::select! {
                accepted = listener.accept() => match accepted {
                    Ok(accepted) => {
                        let arrival = Arrival {
                            listener: Arc::clone(&listener.name),
                            tls: listener.tls.clone().map(TlsAcceptor::from),
                            policy: policy.clone(),
                            owner: owner.clone(),
                            identifies_containers,
                            source: accepted.source(),
                            time: Timestamp::now(),
                        };
                        connections.spawn(Arc::clone(&self).serve(accepted, arrival, phase.clone()));
                    }
                    Err(error) => {
                        tracing::warn!(%error, listener = %listener.name, "cannot take a connection");
                        time::sleep(PAUSE).await;
                    }
                },
                Some(ended) = connections.join_next(), if !connections.is_empty() => report(ended),
                () = is_over(&mut ending, Phase::Running) => break,
            }
        }
        drop(listener);
        loop {
            tokio::select! {
                ended = connections.join_next() => match ended {
                    Some(ended) => report(ended),
                    None => return,
                },
                () = is_over(&mut phase, Phase::Draining) => {
                    tracing::info!(connections = connections.len(), "ending what still runs");
                    connections.shutdown().await;
                    return;
                }
            }
        }
    }

    async fn serve(
        self: Arc<Self>,
        accepted: Accepted,
        arrival: Arrival,
        phase: watch::Receiver<Phase>,
    ) {
        let seat = self.seats.take();
        let is_costly = arrival.tls.is_some() || arrival.identifies_containers;
        if let Err(limit) = seat.as_ref()
            && is_costly
        {
            // Who has no place gets no handshake and no lookup either.
            self.record_refused(&arrival, None, TOO_MANY, &limit.to_string())
                .await;
            return;
        }
        let (stream, identity) = match self.identify(accepted, &arrival).await {
            Ok(known) => known,
            Err(stranger) => {
                self.record_refused(&arrival, None, "no-identity", &stranger.cause)
                    .await;
                stranger.told().await;
                return;
            }
        };
        let mut peer = Peer::new(stream);
        let seated = seat.and_then(|mut seat: Seat| {
            seat.identify(&identity, &arrival.listener)?;
            Ok(seat)
        });
        let _seat = match seated {
            Ok(seat) => seat,
            Err(limit) => {
                let answer = OwnAnswer::from(limit);
                self.turn_away(&mut peer, &arrival, &identity, (TOO_MANY, answer))
                    .await;
                return;
            }
        };
        let terms = match self.policy_of(&identity, &arrival) {
            Ok(found) => found,
            Err(unserved) => {
                let answer = OwnAnswer::new(403, unserved.to_string());
                self.turn_away(&mut peer, &arrival, &identity, (unserved.code(), answer))
                    .await;
                return;
            }
        };
        let client = Client {
            name: terms.name,
            owner: terms.owner,
            identity,
            source: arrival.source,
            listener: arrival.listener,
            policy: terms.policy,
        };
        Connection::new(Arc::clone(&self.gate), client, peer, phase)
            .run()
            .await;
    }

    /// Who connected; under TLS after the handshake.
    async fn identify(
        &self,
        accepted: Accepted,
        arrival: &Arrival,
    ) -> Result<(Stream, Identity), Stranger> {
        let stream = match (accepted, &arrival.tls) {
            (Accepted::Unix(stream), _) => {
                let peer = client_identity::peer_credentials(&stream);
                let peer = peer.map_err(|error| error.to_string())?;
                return Ok((Stream::Unix(stream), Identity::Peer(peer)));
            }
            (Accepted::Tcp(stream), None) if arrival.identifies_containers => {
                let (source, at) = (arrival.source, arrival.time);
                return match calling_container::at(&self.gate, source, at).await {
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
        let deadline = self.gate.limits.handshake_deadline;
        match time::timeout(deadline, acceptor.accept(stream)).await {
            Ok(Ok(stream)) => Ok(TlsStream::Server(stream)),
            Ok(Err(error)) => Err(format!("TLS handshake: {error}")),
            Err(_) => Err("the TLS handshake took too long".to_owned()),
        }
    }

    fn policy_of(&self, identity: &Identity, arrival: &Arrival) -> Result<Terms, Unserved> {
        let caller = Caller {
            identity,
            source: arrival.source,
            listener: &arrival.listener,
        };
        let mut clients = self.clients.iter();
        let (known, policy) = match &arrival.policy {
            Some(policy) => (None, policy),
            None => {
                let known = clients.find(|known| known.matches.matches(&caller));
                let known = known.ok_or(Unserved::Unknown)?;
                (Some(known), &known.policy)
            }
        };
        let name = known.map(|known| Arc::clone(&known.name));
        let template = known.and_then(|known| known.owner.as_ref());
        let owner = match template.or(arrival.owner.as_deref()) {
            Some(template) => unserved::owner(template, &caller, name.as_deref())?,
            None => name.as_deref().unwrap_or(&policy.name).to_owned(),
        };
        Ok(Terms {
            name,
            policy: Arc::clone(policy),
            owner: Arc::from(owner),
        })
    }

    /// Answers before any request is read, and ends the connection.
    async fn turn_away(
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

    async fn record_refused(
        &self,
        arrival: &Arrival,
        identity: Option<&Identity>,
        code: &'static str,
        message: &str,
    ) {
        tracing::debug!(listener = %arrival.listener, code, message, "a connection was refused");
        let [reason] = record::reason(code, message);
        let refused = ConnectionRefused {
            time: Timestamp::now(),
            id: self.gate.ids.next(),
            client: RecordedClient {
                name: None,
                owner: None,
                source: arrival.source,
                identity,
            },
            listener: &arrival.listener,
            reason,
        };
        let record = Record::ConnectionRefused(refused);
        if let Err(error) = self.gate.audit.record(&record).await {
            tracing::error!(%error, "a refused connection is missing from the audit log");
        }
    }
}

/// Returns once a phase has passed.
pub(super) async fn is_over(phases: &mut watch::Receiver<Phase>, phase: Phase) {
    // Who set the phase is gone only when the gate itself is.
    let _ = phases.wait_for(|now| *now > phase).await;
}

/// On what a client is served.
struct Terms {
    /// The `[[client]]` table that matched.
    name: Option<Arc<str>>,
    policy: Arc<Policy>,
    /// The name under which it owns what it makes.
    owner: Arc<str>,
}

/// What is known of a connection from where it arrived.
struct Arrival {
    listener: Arc<str>,
    tls: Option<TlsAcceptor>,
    policy: Option<Arc<Policy>>,
    owner: Option<Arc<OwnerTemplate>>,
    identifies_containers: bool,
    source: Option<IpAddr>,
    /// When the connection was taken.
    time: Timestamp,
}

/// A task that panicked took its own connection with it and nothing else.
fn report(ended: Result<(), JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        tracing::error!(%error, "a task of the gate failed");
    }
}

const TOO_MANY: &str = "too-many-connections";
/// After an error of accepting.
const PAUSE: Duration = Duration::from_millis(200);
