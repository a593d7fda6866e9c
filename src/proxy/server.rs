//! Clients taken in: a task for each connection, its identity, its place; and the end of all of them.

mod arrival;

use std::net::Ipv6Addr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::{self, JoinError, JoinSet};
use tokio::time;
use tokio_rustls::TlsAcceptor;

use crate::audit::text::Timestamp;
use crate::config::Allowance;
use crate::metrics::ClientCounters;
use crate::peer::Peer;
use crate::policy::Policy;
use crate::policy::client::{ClientMatch, Identity, OwnerTemplate};

use super::Gate;
use super::arrivals::Arrivals;
use super::connection::Connection;
use super::expiring::Warned;
use super::judge;
use super::limits::{NoSeat, Seat, Seats};
use super::listener::{Accepted, Listener};
use super::refusal::OwnAnswer;
use super::standing::{LetIn, Standing, TurnedAway};
use arrival::Arrival;

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
    /// Its address in the configuration, which for inherited sockets is not the listener's own name.
    pub door: Arc<str>,
}

/// A `[[client]]` table.
#[derive(Debug)]
pub struct KnownClient {
    pub name: Arc<str>,
    pub matches: ClientMatch,
    pub policy: Arc<Policy>,
    pub owner: Option<OwnerTemplate>,
    pub allowance: Option<Allowance>,
    pub counters: Arc<ClientCounters>,
}

/// What serves all listeners.
#[derive(Debug)]
pub struct Server {
    gate: watch::Sender<Arc<Gate>>,
    seats: Seats,
    arrivals: Arrivals,
    warned: Warned,
}

impl Server {
    #[must_use]
    pub fn new(gate: Gate) -> Arc<Self> {
        Arc::new(Self {
            seats: Seats::new(&gate.limits),
            arrivals: Arrivals::new(gate.limits.handshakes_per_second),
            warned: Warned::default(),
            gate: watch::Sender::new(Arc::new(gate)),
        })
    }

    /// Puts a new configuration in force, at once and for all connections, from their next request on.
    pub fn replace(&self, gate: Gate) {
        self.gate.send_replace(Arc::new(gate));
    }

    /// The configuration in force.
    #[must_use]
    pub fn gate(&self) -> Arc<Gate> {
        Arc::clone(&self.gate.borrow())
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
        let Served { listener, door } = served;
        let name = Arc::clone(&listener.name);
        let listener = match listener.open() {
            Ok(listener) => listener,
            Err(error) => {
                tracing::error!(%error, listener = %name, "cannot wait for clients");
                return;
            }
        };
        let mut connections = JoinSet::new();
        let mut ending = phase.clone();
        loop {
            tokio::select! {
                accepted = listener.accept() => match accepted {
                    Ok(accepted) => {
                        let gate = self.gate();
                        let tls = gate.doors.get(&door).map(|door| door.tls.as_ref());
                        let tls = tls.map(|tls| tls.filter(|_| listener.is_tls));
                        let arrival = Arrival {
                            listener: Arc::clone(&listener.name),
                            is_open: tls.is_some_and(|tls| tls.is_some() == listener.is_tls),
                            tls: tls.flatten().map(|tls| TlsAcceptor::from(Arc::clone(&tls.config))),
                            door: Arc::clone(&door),
                            source: accepted.source(),
                            time: Timestamp::now(),
                            gate,
                        };
                        connections.spawn(Arc::clone(&self).serve(accepted, arrival, phase.clone()));
                        // Who is served already has a turn between two that arrive, however many wait.
                        task::yield_now().await;
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
        let _connected = arrival.gate.metrics.connected();
        if !arrival.is_open {
            let cause = "the configuration in force has no such listener";
            self.record_refused(&arrival, None, "no-listener", cause)
                .await;
            return;
        }
        let seat = self.seat(&arrival);
        let is_costly = arrival.tls.is_some() || arrival.identifies_containers();
        if let Err(limit) = seat.as_ref()
            && is_costly
        {
            // Who has no place gets no handshake and no lookup either.
            self.record_refused(&arrival, None, limit.code(), &limit.to_string())
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
            let lane = seat.identify(&identity, &arrival.listener)?;
            Ok((seat, lane))
        });
        let (_seat, lane) = match seated {
            Ok(seat) => seat,
            Err(limit) => {
                let answer = (limit.code(), OwnAnswer::from(limit));
                self.turn_away(&mut peer, &arrival, &identity, answer).await;
                return;
            }
        };
        let (gate, standing, let_in) = match self.let_in(&peer, &identity, &arrival) {
            Ok(let_in) => let_in,
            Err(cause) => {
                let answer = (cause.code(), OwnAnswer::from(&cause));
                self.turn_away(&mut peer, &arrival, &identity, answer).await;
                return;
            }
        };
        // A connection lives on, and the configuration that it came under need not.
        let Arrival {
            listener,
            gate: begun_under,
            source,
            tls,
            ..
        } = arrival;
        drop((begun_under, tls));
        let client = let_in.client(identity, source, (listener, lane));
        self.warned.look_at(&client, judge::now());
        let connection = Connection::new((gate, standing), client, peer, phase);
        // Its requests take more room than its beginning, and this task would have both.
        Box::pin(connection.run()).await;
    }

    /// A place for a connection, under TLS only where its address has not begun too many handshakes.
    fn seat(&self, arrival: &Arrival) -> Result<Seat, NoSeat> {
        let source = arrival.source.filter(|_| arrival.tls.is_some());
        source.map_or(Ok(()), |source| self.arrivals.begin(source))?;
        let takes_time = arrival.tls.is_some() || arrival.identifies_containers();
        // Of one that has gone already there is no address; such share one.
        let from = || arrival.source.unwrap_or(Ipv6Addr::UNSPECIFIED.into());
        self.seats.take(takes_time.then(from))
    }

    /// Holds a client against the configuration in force.
    fn let_in(
        &self,
        peer: &Peer,
        identity: &Identity,
        arrival: &Arrival,
    ) -> Result<(Arc<Gate>, Standing, LetIn), TurnedAway> {
        let chain = peer.certificates().unwrap_or_default();
        let door = Arc::clone(&arrival.door);
        let mut standing = Standing::new(
            self.gate.subscribe(),
            door,
            Arc::from(chain),
            arrival.source,
        );
        let gate = standing.gate();
        // A handshake may outlive the configuration that it was begun under.
        let is_verified = Arc::ptr_eq(&gate, &arrival.gate);
        let let_in = standing.let_in(&gate, identity, &arrival.listener, is_verified)?;
        Ok((gate, standing, let_in))
    }
}

/// Returns once a phase has passed.
pub(super) async fn is_over(phases: &mut watch::Receiver<Phase>, phase: Phase) {
    // Who set the phase is gone only when the gate itself is.
    let _ = phases.wait_for(|now| *now > phase).await;
}

/// A task that panicked took its own connection with it and nothing else.
fn report(ended: Result<(), JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        tracing::error!(%error, "a task of the gate failed");
    }
}

/// After an error of accepting.
const PAUSE: Duration = Duration::from_millis(200);
