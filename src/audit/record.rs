//! What an audit record says.

use std::net::IpAddr;
use std::time::Duration;

use serde::ser::Serializer;

use crate::audit::text::{ExchangeId, LIST_LIMIT, Text, Timestamp, first};
use crate::policy::client::Identity;

mod client;

/// One line of the audit log.
#[derive(Clone, Copy, Debug, serde::Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Record<'a> {
    Decision(Decision<'a>),
    End(End<'a>),
    ConnectionRefused(ConnectionRefused<'a>),
}

/// What was asked, by whom, and what was decided; written before anything is forwarded.
#[derive(Clone, Copy, Debug, serde::Serialize)]
pub struct Decision<'a> {
    pub time: Timestamp,
    pub id: ExchangeId,
    pub client: Client<'a>,
    /// The address of the listener, as configured.
    pub listener: &'a str,
    /// The `operationId`; none where the request names no operation.
    pub operation: Option<&'a str>,
    pub api_version: Option<Text<'a, 32>>,
    pub method: Text<'a, 64>,
    /// As the client sent it, but for values that may be secrets.
    pub target: Text<'a, 4096>,
    /// The trace that the client names, where it names one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<&'a str>,
    pub policy: Option<&'a str>,
    /// SHA-256 of the configuration in force, with its policies and certificates.
    pub configuration: &'a str,
    pub decision: Verdict,
    #[serde(serialize_with = "first")]
    pub reasons: &'a [Reason<'a>],
    #[serde(serialize_with = "first")]
    pub dropped: &'a [Text<'a, 256>],
    /// What goes on otherwise than it came, such as a mount for reading only.
    #[serde(serialize_with = "first", skip_serializing_if = "<[_]>::is_empty")]
    pub rewritten: &'a [Text<'a, 256>],
    /// What a policy that only observes would have refused; none where it would not have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed: Option<Observed<'a>>,
    /// How many entries of the lists above are left out, beyond the limit of a list.
    #[serde(skip_serializing_if = "is_zero")]
    pub left_out: usize,
    /// The status that the gate answers itself; none where the daemon will answer.
    pub status: Option<u16>,
}

impl Decision<'_> {
    /// With `left_out` counted from the lists.
    #[must_use]
    pub fn counted(mut self) -> Self {
        self.left_out = self.reasons.len().saturating_sub(LIST_LIMIT)
            + self.dropped.len().saturating_sub(LIST_LIMIT)
            + self.rewritten.len().saturating_sub(LIST_LIMIT)
            + self.observed.map_or(0, |observed| {
                observed.reasons.len().saturating_sub(LIST_LIMIT)
            });
        self
    }
}

/// A refusal that was none.
#[derive(Clone, Copy, Debug, serde::Serialize)]
pub struct Observed<'a> {
    /// The policy that observes.
    pub policy: &'a str,
    #[serde(serialize_with = "first")]
    pub reasons: &'a [Reason<'a>],
}

/// How an exchange ended; every decision is followed by one.
#[derive(Clone, Copy, Debug, serde::Serialize)]
pub struct End<'a> {
    pub time: Timestamp,
    pub id: ExchangeId,
    pub operation: Option<&'a str>,
    /// The status that the client was answered; none where it was answered nothing.
    pub status: Option<u16>,
    /// Bytes of body and tunnel, without heads.
    pub bytes_from_client: u64,
    pub bytes_to_client: u64,
    #[serde(rename = "duration_us", serialize_with = "microseconds")]
    pub duration: Duration,
    pub outcome: Outcome,
    /// Whether the connection became a tunnel.
    pub tunnel: bool,
}

/// A connection that was ended before any request was read.
#[derive(Clone, Copy, Debug, serde::Serialize)]
pub struct ConnectionRefused<'a> {
    pub time: Timestamp,
    pub id: ExchangeId,
    pub client: Client<'a>,
    pub listener: &'a str,
    /// See [`Decision`].
    pub configuration: &'a str,
    pub reason: Reason<'a>,
}

/// Who asked.
#[derive(Clone, Copy, Debug)]
pub struct Client<'a> {
    /// The `[[client]]` table that matched.
    pub name: Option<&'a str>,
    /// The name under which it owns what it makes; none where that was not settled.
    pub owner: Option<&'a str>,
    /// Where it called from, on TCP.
    pub source: Option<IpAddr>,
    /// None where the client could not be identified.
    pub identity: Option<&'a Identity>,
    /// The same in JSON, where it was put into that before: a connection asks more than once.
    pub written: Option<&'a str>,
}

/// What was decided about a request.
#[derive(Clone, Copy, Debug, Eq, PartialEq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    Permit,
    Refuse,
    /// The request cannot be read, or not in one way only.
    Malformed,
}

impl Verdict {
    /// As records have it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Permit => "permit",
            Self::Refuse => "refuse",
            Self::Malformed => "malformed",
        }
    }
}

/// Why a request was refused or is malformed.
#[derive(Clone, Copy, Debug, serde::Serialize)]
pub struct Reason<'a> {
    /// Stable, for example `privileged`.
    pub code: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<Text<'a, 256>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<Text<'a, 1024>>,
    pub message: Text<'a, 2048>,
    /// Of the policy file, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
}

/// How an exchange ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    Complete,
    /// The gate answered a refusal itself.
    Refused,
    ClientGone,
    DaemonGone,
    /// The daemon could not be reached.
    DaemonUnavailable,
    /// A deadline passed.
    TimedOut,
    /// The gate ended it, to shut down.
    Cut,
    /// A new configuration no longer permits it to the client.
    Withdrawn,
    /// A fault of the gate itself.
    Failed,
}

impl Outcome {
    /// As records have it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Refused => "refused",
            Self::ClientGone => "client-gone",
            Self::DaemonGone => "daemon-gone",
            Self::DaemonUnavailable => "daemon-unavailable",
            Self::TimedOut => "timed-out",
            Self::Cut => "cut",
            Self::Withdrawn => "withdrawn",
            Self::Failed => "failed",
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_zero(count: &usize) -> bool {
    *count == 0
}

fn microseconds<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(u64::try_from(duration.as_micros()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests;
