//! Whether a client is let in, by the configuration in force now: when it connects, and again after each reload.

use std::net::IpAddr;
use std::sync::{Arc, OnceLock};

use rustls::ServerConfig;
use rustls::server::danger::ClientCertVerifier;
use rustls_pki_types::{CertificateDer, UnixTime};
use tokio::sync::watch;

use crate::config::Allowance;
use crate::decision::{Permit, hiding_keys};
use crate::engine_api::operation::Effect;
use crate::engine_api::{BodyKind, EngineRequest, Hijack, Operation};
use crate::metrics::ClientCounters;
use crate::policy::Policy;
use crate::policy::client::{Caller, Identity, NoOwner, OwnerTemplate};

use super::allowance::Allowed;
use super::connection::Connection;
use super::large::Lane;
use super::{Client, Gate, unserved};

/// What holds for those who come by one listener.
#[derive(Debug)]
pub struct Door {
    /// The policy of whoever comes; else the first of the gate's clients that matches decides.
    pub policy: Option<Arc<Policy>>,
    pub tls: Option<DoorTls>,
    /// Whom clients own things as where their table does not say it.
    pub owner: Option<OwnerTemplate>,
    /// What owners may take where their table does not say it.
    pub allowance: Option<Allowance>,
    /// Who calls over plain TCP is the container that has its address, or is refused.
    pub identifies_containers: bool,
}

/// How a listener speaks TLS.
#[derive(Debug, Clone)]
pub struct DoorTls {
    pub config: Arc<ServerConfig>,
    /// The one of `config`, for certificates that were verified under an earlier one.
    pub verifier: Arc<dyn ClientCertVerifier>,
}

/// Where a connection stands: what it came with, and the configuration that it was last held against.
#[derive(Debug, Clone)]
pub(super) struct Standing {
    gates: watch::Receiver<Arc<Gate>>,
    /// The listener's address in the configuration.
    door: Arc<str>,
    /// What the client proved to have in the handshake, its own certificate first; empty without TLS.
    chain: Arc<[CertificateDer<'static>]>,
    /// Where it called from, on TCP.
    source: Option<IpAddr>,
    turned_away: Option<TurnedAway>,
}

/// Why a client is not let in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum TurnedAway {
    #[error("no policy is for this client")]
    Unknown,
    #[error("the client's certificate has expired since it connected")]
    Expired,
    #[error("the client's certificate is not accepted any more: {0}")]
    Certificate(String),
    #[error("{0}")]
    NoOwner(#[from] NoOwner),
    #[error("the container that connected is not known any more: {0}")]
    Changed(String),
}

impl TurnedAway {
    pub(super) fn code(&self) -> &'static str {
        match self {
            Self::Unknown => "unknown-client",
            Self::Expired => "certificate-expired",
            Self::Certificate(_) => "certificate-refused",
            Self::NoOwner(_) => "no-owner",
            Self::Changed(_) => "container-changed",
        }
    }
}

/// What a client that is let in has.
pub(super) struct LetIn {
    /// Of the `[[client]]` table that matched.
    pub(super) name: Option<Arc<str>>,
    /// The name under which it owns what it makes, never empty.
    pub(super) owner: Arc<str>,
    keeps_apart: bool,
    pub(super) policy: Arc<Policy>,
    pub(super) observed: Option<Arc<Policy>>,
    pub(super) counters: Arc<ClientCounters>,
    pub(super) allowed: Option<Allowed>,
}

impl LetIn {
    fn by(
        name: Option<Arc<str>>,
        owner: Option<String>,
        policy: &Arc<Policy>,
        counters: Arc<ClientCounters>,
    ) -> Self {
        let (policy, observed) = Policy::in_force(policy);
        let default = || name.as_deref().unwrap_or(&policy.name).to_owned();
        Self {
            keeps_apart: owner.is_some(),
            owner: Arc::from(owner.unwrap_or_else(default)),
            name,
            policy,
            observed,
            counters,
            allowed: None,
        }
    }

    fn within(mut self, gate: &Gate, allowance: Option<Allowance>) -> Self {
        self.allowed = allowance.map(|allowance| gate.allowances.of(&self.owner, allowance));
        self
    }

    pub(super) fn client(
        self,
        identity: Identity,
        source: Option<IpAddr>,
        (listener, lane): (Arc<str>, Lane),
    ) -> Client {
        Client {
            name: self.name,
            owner: self.owner,
            keeps_apart: self.keeps_apart,
            identity,
            source,
            listener,
            policy: self.policy,
            observed: self.observed,
            counters: self.counters,
            allowed: self.allowed,
            lane,
            recorded: OnceLock::new(),
        }
    }
}

impl Gate {
    /// The policy of a client that is who it says.
    fn policy_of(&self, caller: &Caller<'_>, door: &Door) -> Result<LetIn, TurnedAway> {
        let owner = |template: Option<&OwnerTemplate>, table: Option<&str>| {
            let template = template.or(door.owner.as_ref());
            template
                .map(|template| unserved::owner(template, caller, table))
                .transpose()
        };
        if let Some(policy) = &door.policy {
            let owner = owner(None, None)?;
            let let_in = LetIn::by(None, owner, policy, self.metrics.unnamed());
            return Ok(let_in.within(self, door.allowance));
        }
        let mut clients = self.clients.iter();
        let known = clients.find(|known| known.matches.matches(caller));
        let known = known.ok_or(TurnedAway::Unknown)?;
        let owner = owner(known.owner.as_ref(), Some(&known.name))?;
        let name = Some(Arc::clone(&known.name));
        let counters = Arc::clone(&known.counters);
        let allowance = known.allowance.or(door.allowance);
        Ok(LetIn::by(name, owner, &known.policy, counters).within(self, allowance))
    }
}

impl Standing {
    pub(super) fn new(
        gates: watch::Receiver<Arc<Gate>>,
        door: Arc<str>,
        chain: Arc<[CertificateDer<'static>]>,
        source: Option<IpAddr>,
    ) -> Self {
        Self {
            gates,
            door,
            chain,
            source,
            turned_away: None,
        }
    }

    /// The configuration in force; what comes after it is seen as a change.
    pub(super) fn gate(&mut self) -> Arc<Gate> {
        Arc::clone(&self.gates.borrow_and_update())
    }

    /// Whether `gate` lets the client in; `is_verified` where the handshake was under this very configuration.
    pub(super) fn let_in(
        &self,
        gate: &Gate,
        identity: &Identity,
        listener: &str,
        is_verified: bool,
    ) -> Result<LetIn, TurnedAway> {
        // A listener that the configuration has no more lets nobody in.
        let door = gate.doors.get(&self.door).ok_or(TurnedAway::Unknown)?;
        if !is_verified {
            self.verify(door, identity)?;
        }
        let caller = Caller {
            identity,
            source: self.source,
            listener,
        };
        gate.policy_of(&caller, door)
    }

    /// What the handshake did, with the authority and the revocation list of now.
    fn verify(&self, door: &Door, identity: &Identity) -> Result<(), TurnedAway> {
        match identity {
            Identity::Peer(_) => Ok(()),
            Identity::Container(_) | Identity::Listener if door.tls.is_some() => {
                Err(TurnedAway::Unknown)
            }
            Identity::Container(_) if door.identifies_containers => Ok(()),
            Identity::Listener if !door.identifies_containers => Ok(()),
            Identity::Container(_) | Identity::Listener => Err(TurnedAway::Unknown),
            Identity::Certificate(_) => {
                let parts = door.tls.as_ref().zip(self.chain.split_first());
                let (tls, (own, others)) = parts.ok_or(TurnedAway::Unknown)?;
                tls.verifier
                    .verify_client_cert(own, others, UnixTime::now())
                    .map(|_| ())
                    .map_err(|error| TurnedAway::Certificate(error.to_string()))
            }
        }
    }

    /// What to wait for while a permitted request is under way, where it may last for ever.
    pub(super) fn watched(&self, client: &Client, permit: &Permit) -> Option<Watched> {
        let request = permit.request();
        let operation = request.operation();
        if request.hijack() == Hijack::No && !operation.is_none_or(lasts) {
            return None;
        }
        Some(Watched {
            standing: self.clone(),
            client: client.clone(),
            asked: operation.ok_or_else(|| asked(request)),
        })
    }
}

impl Connection {
    /// Holds the client against the configuration in force; costs one look at a counter where none is new.
    pub(super) fn renew(&mut self) -> Result<(), TurnedAway> {
        if self.standing.gates.has_changed().unwrap_or_default() {
            let gate = self.standing.gate();
            let client = &mut self.client;
            let let_in = self
                .standing
                .let_in(&gate, &client.identity, &client.listener, false);
            if gate.daemon.tls.is_some() {
                // The daemon was verified under an earlier authority.
                self.idle = None;
            }
            self.gate = gate;
            self.standing.turned_away = match let_in {
                Ok(let_in) => {
                    client.name = let_in.name;
                    client.owner = let_in.owner;
                    client.keeps_apart = let_in.keeps_apart;
                    client.policy = let_in.policy;
                    client.observed = let_in.observed;
                    client.counters = let_in.counters;
                    client.allowed = let_in.allowed;
                    client.recorded = OnceLock::new();
                    None
                }
                Err(cause) => Some(cause),
            };
        }
        self.standing.turned_away.clone().map_or(Ok(()), Err)
    }
}

/// Whether the daemon may be at it for as long as it likes, or the client: a stream, an archive either way, a pull or push.
fn lasts(operation: Operation) -> bool {
    let spec = operation.spec();
    let is_stream = matches!(spec.effect, Effect::Stream | Effect::Export);
    let is_transfer = matches!(
        operation,
        Operation::ImageCreate
            | Operation::ImagePush
            | Operation::PluginPull
            | Operation::PluginPush
            | Operation::PluginUpgrade
    );
    is_stream || spec.body == BodyKind::Stream || is_transfer
}

/// A tunnel, a stream or a transfer, and whose it is.
pub(super) struct Watched {
    standing: Standing,
    client: Client,
    /// The operation; method and path where there is none.
    asked: Result<Operation, (String, String)>,
}

fn asked(request: &EngineRequest) -> (String, String) {
    let head = &request.head;
    (head.method.as_str().to_owned(), head.target.to_string())
}

impl Watched {
    /// Returns once a new configuration would not let it begin: not this client, or not this operation.
    pub(super) async fn withdrawn(mut self) {
        while self.standing.gates.changed().await.is_ok() {
            let gate = self.standing.gate();
            let (identity, listener) = (&self.client.identity, &self.client.listener);
            let let_in = self.standing.let_in(&gate, identity, listener, false);
            if gate.ends_tunnels && !let_in.is_ok_and(|let_in| self.may_begin(&let_in)) {
                return;
            }
        }
        // Nothing changes any more; the gate is about to end.
        std::future::pending::<()>().await;
    }

    /// By name only: what it refers to was judged when it began.
    fn may_begin(&self, let_in: &LetIn) -> bool {
        let policy = &let_in.policy;
        // What another owner began is not this one's.
        let is_same = self.client.keeps_apart && self.client.owner == let_in.owner;
        if let_in.keeps_apart && !is_same {
            return false;
        }
        let is_permitted = match &self.asked {
            Ok(operation) => policy.operations.contains_key(operation),
            Err((method, path)) => policy
                .paths
                .iter()
                .any(|rule| rule.methods.contains(method) && rule.path.is_match(path)),
        };
        policy.permits_everything || (is_permitted && self.shows_alike(policy))
    }

    /// Whether what has begun to be shown is to be shown as before.
    fn shows_alike(&self, policy: &Policy) -> bool {
        let has_hidden = |operation: &Operation| !hiding_keys(*operation).is_empty();
        let began_under = &self.client.policy.quiet;
        !self.asked.as_ref().is_ok_and(has_hidden) || policy.quiet.hides_like(began_under)
    }
}
