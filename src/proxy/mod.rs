//! The gate between clients and the daemon: one exchange is a request judged, recorded, and refused or forwarded.

mod calling_container;
pub mod client_identity;
mod connection;
mod deadline;
mod facts;
mod forward;
mod group;
mod headers;
mod host_files;
mod judge;
mod known;
mod limits;
pub mod listener;
mod lookups;
mod mount_table;
mod pump;
mod record;
mod refusal;
mod relay;
mod request_body;
mod response;
mod server;
mod shown;
pub mod tls;
mod tunnel;
mod unix_socket;
mod unserved;
mod versions;

use std::net::IpAddr;
use std::sync::Arc;

use crate::audit::Audit;
use crate::audit::record::{Client as RecordedClient, Outcome};
use crate::audit::text::ExchangeIds;
use crate::config::Limits;
use crate::daemon::Daemon;
use crate::engine_api::ApiVersion;
use crate::http1::Request;
use crate::policy::Policy;
use crate::policy::client::Identity;

use connection::{After, Connection};
use judge::Judged;
pub use known::Known;
use record::ExchangeRecord;
pub use server::{KnownClient, Phase, Served, Server};
pub use versions::DaemonVersions;

/// What all connections share.
#[derive(Debug)]
pub struct Gate {
    pub daemon: Daemon,
    pub audit: Audit,
    pub ids: ExchangeIds,
    pub limits: Limits,
    /// API versions that clients may speak.
    pub lowest_version: ApiVersion,
    pub highest_version: ApiVersion,
    pub versions: DaemonVersions,
    /// Host paths that no container may reach.
    pub protected: Vec<String>,
    /// Host paths that some policy opens for writing.
    pub writable: Vec<String>,
    pub known: Known,
}

/// Who a connection belongs to, and what is permitted to it.
#[derive(Debug, Clone)]
pub struct Client {
    /// The `[[client]]` table that matched.
    pub name: Option<Arc<str>>,
    /// The name under which it owns what it makes, never empty.
    pub owner: Arc<str>,
    pub identity: Identity,
    /// Where it called from, on TCP.
    pub source: Option<IpAddr>,
    /// The listener's address, as configured.
    pub listener: Arc<str>,
    pub policy: Arc<Policy>,
}

impl Client {
    fn named(&self) -> RecordedClient<'_> {
        RecordedClient {
            name: self.name.as_deref(),
            owner: Some(&self.owner),
            source: self.source,
            identity: Some(&self.identity),
        }
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
            forward::forward(connection, &mut record, (request, framing), permit).await
        }
        Judged::Refused {
            answer,
            outcome,
            unread,
        } => {
            record.status = Some(answer.status);
            record.outcome = outcome;
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
