//! The gate between clients and the daemon: one exchange is a request judged, recorded, and refused or forwarded.

mod allowance;
mod arrivals;
mod calling_container;
pub mod client_identity;
mod connection;
mod deadline;
mod ending;
mod expiring;
mod facts;
mod forward;
mod group;
mod headers;
mod host_files;
mod host_routes;
mod judge;
mod known;
mod large;
mod limits;
pub mod listener;
mod lookups;
mod mount_table;
mod owners;
mod pump;
mod record;
mod refusal;
mod relay;
mod request_body;
mod response;
mod server;
mod shown;
mod standing;
pub mod tls;
mod tunnel;
mod unix_socket;
mod unserved;
mod versions;
mod viewed;
mod weigh;

use std::collections::HashMap;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::{Arc, OnceLock};

use crate::audit::Audit;
use crate::audit::record::{Client as RecordedClient, Outcome};
use crate::audit::text::ExchangeIds;
use crate::config::Limits;
use crate::daemon::Daemon;
use crate::engine_api::ApiVersion;
use crate::http1::Request;
use crate::metrics::{ClientCounters, Metrics};
use crate::policy::client::Identity;
use crate::policy::{Policy, Shared};
use crate::reload::Expiry;

pub use allowance::Allowances;
use allowance::{Allowed, Held};
use connection::{After, Connection};
pub use host_files::{SeenFiles, seen};
pub use host_routes::nameservers;
use judge::Judged;
pub use known::Known;
use large::Lane;
use record::ExchangeRecord;
pub use server::{KnownClient, Phase, Served, Server};
pub use standing::{Door, DoorTls};
pub use versions::DaemonVersions;
pub use viewed::shown_in_pieces;

/// What all connections share: the configuration in force, which a reload replaces as a whole.
#[derive(Debug)]
pub struct Gate {
    pub daemon: Daemon,
    pub audit: Audit,
    pub ids: Arc<ExchangeIds>,
    pub limits: Limits,
    /// API versions that clients may speak.
    pub lowest_version: ApiVersion,
    pub highest_version: ApiVersion,
    pub versions: DaemonVersions,
    /// What clients with an owner may use beside their own.
    pub shared: Arc<Shared>,
    /// Host paths that no container may reach.
    pub protected: Vec<String>,
    /// Host paths that some policy opens for writing.
    pub writable: Vec<String>,
    /// What the host paths that policies open were when these were loaded.
    pub seen: Arc<SeenFiles>,
    /// What the host asks for names; `None` where the daemon is behind a network, and so on another host.
    pub nameservers: Option<Vec<IpAddr>>,
    pub known: Known,
    /// In the order of the configuration: the first that matches holds.
    pub clients: Vec<KnownClient>,
    /// By the address of the listener in the configuration.
    pub doors: HashMap<Arc<str>, Door>,
    /// SHA-256 of what this was compiled from, in hexadecimal.
    pub digest: Arc<str>,
    pub metrics: Arc<Metrics>,
    /// What owners have taken, whatever configuration they took it under.
    pub allowances: Arc<Allowances>,
    /// What of it will expire.
    pub expiries: Vec<Expiry>,
    /// Whether a tunnel or stream ends once its client would no longer be let in.
    pub ends_tunnels: bool,
}

/// Who a connection belongs to, and what is permitted to it.
#[derive(Debug, Clone)]
pub struct Client {
    /// The `[[client]]` table that matched.
    pub name: Option<Arc<str>>,
    /// The name under which it owns what it makes, never empty.
    pub owner: Arc<str>,
    /// Whether it keeps to what is its own, because the configuration names its owner.
    pub keeps_apart: bool,
    pub identity: Identity,
    /// Where it called from, on TCP.
    pub source: Option<IpAddr>,
    /// The listener's address, as configured.
    pub listener: Arc<str>,
    pub policy: Arc<Policy>,
    /// A policy that is tried beside it and refuses nothing.
    pub observed: Option<Arc<Policy>>,
    pub counters: Arc<ClientCounters>,
    /// `None` where nothing bounds it.
    allowed: Option<Allowed>,
    /// What of its is large waits for each other here.
    lane: Lane,
    /// What its records say of it, from the first on.
    recorded: OnceLock<Option<Box<str>>>,
}

impl Client {
    fn named(&self) -> RecordedClient<'_> {
        let mut client = RecordedClient {
            name: self.name.as_deref(),
            owner: Some(&self.owner),
            source: self.source,
            identity: Some(&self.identity),
            written: None,
        };
        let written = self.recorded.get_or_init(|| client.written());
        client.written = written.as_deref();
        client
    }
}

/// One request, from its head to its answer.
async fn exchange(connection: &mut Connection, request: Request) -> After {
    let mut record = match ExchangeRecord::open(&connection.gate).await {
        Ok(record) => record,
        Err(error) => {
            let unread = request.framing;
            return connection.refuse(&request, &error.into(), unread).await;
        }
    };
    match judge::judge(connection, &mut record, &request).await {
        Judged::Permitted { permit, framing } => {
            let watched = connection.standing.watched(&connection.client, &permit);
            let after = {
                // One place for both ways: what is awaited by itself is moved first, and has room twice.
                let mut forwarded = pin!(forward::forward(
                    connection,
                    &mut record,
                    (request, framing),
                    permit
                ));
                match watched {
                    None => Some(forwarded.await),
                    Some(watched) => {
                        let withdrawn = Box::pin(watched.withdrawn());
                        tokio::select! {
                            biased;
                            after = &mut forwarded => Some(after),
                            () = withdrawn => None,
                        }
                    }
                }
            };
            after.unwrap_or_else(|| {
                record.outcome = Outcome::Withdrawn;
                After::Drop
            })
        }
        Judged::Refused {
            answer,
            outcome,
            unread,
        } => {
            record.status = Some(answer.status);
            record.outcome = outcome;
            if answer.retry_after.is_some() {
                record.held = Held::default();
                connection.pause().await;
            }
            connection.refuse(&request, &answer, unread).await
        }
        Judged::ClientGone => {
            record.outcome = Outcome::ClientGone;
            After::Drop
        }
    }
}

#[cfg(test)]
mod tests;
