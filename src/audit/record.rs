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
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;
    use crate::audit::line;
    use crate::audit::text::ExchangeIds;
    use crate::policy::client::{Certificate, PeerCredentials};

    fn decision<'a>(identity: &'a Identity, reasons: &'a [Reason<'a>]) -> Decision<'a> {
        Decision {
            time: UNIX_EPOCH.into(),
            id: ExchangeIds::start().unwrap().next(),
            client: Client {
                name: Some("ci"),
                owner: Some("team/ci"),
                source: Some(std::net::Ipv4Addr::LOCALHOST.into()),
                identity: Some(identity),
            },
            listener: "tcp://0.0.0.0:2376",
            operation: Some("ContainerCreate"),
            api_version: Some(Text("1.51")),
            method: Text("POST"),
            target: Text("/v1.51/containers/create?name=\r\n"),
            traceparent: None,
            policy: Some("guarded"),
            configuration: "00ff",
            decision: Verdict::Refuse,
            reasons,
            dropped: &[],
            observed: None,
            rewritten: &[],
            left_out: 0,
            status: Some(403),
        }
    }

    fn reason(value: &str) -> Reason<'_> {
        Reason {
            code: "privileged",
            field: Some(Text("HostConfig.Privileged")),
            value: Some(Text(value)),
            message: Text("`Privileged` is not permitted"),
            line: Some(4),
        }
    }

    /// The line that is written, which is what serde makes of the record.
    fn json(record: &Record<'_>) -> serde_json::Value {
        let line = String::from_utf8(line::of(record).unwrap()).unwrap();
        assert_eq!(line, serde_json::to_string(record).unwrap() + "\n");
        serde_json::to_value(record).unwrap()
    }

    #[test]
    fn a_decision_says_who_asked_for_what_and_why_it_was_refused() {
        let identity = Identity::Certificate(Certificate {
            common_name: Some("ci-7".to_owned()),
            organizations: vec!["acme".to_owned()],
            organizational_units: vec![],
            dns: vec![],
            emails: vec![],
            uris: vec!["spiffe://acme/ci".to_owned()],
            spiffe_id: Some("spiffe://acme/ci".to_owned()),
            serial: "0a".to_owned(),
            fingerprint: "ff".to_owned(),
            public_key: "ee".to_owned(),
            not_after: 0,
        });
        let reasons = [reason("true")];
        let record = json(&Record::Decision(decision(&identity, &reasons)));

        assert_eq!(record["event"], "decision");
        assert_eq!(record["time"], "1970-01-01T00:00:00.000000Z");
        assert_eq!(record["client"]["name"], "ci");
        assert_eq!(record["client"]["common_name"], "ci-7");
        assert_eq!(record["client"]["uris"][0], "spiffe://acme/ci");
        assert_eq!(record["client"]["serial"], "0a");
        assert_eq!(record["client"]["spiffe_id"], "spiffe://acme/ci");
        assert_eq!(record["client"]["public_key"], "ee");
        assert_eq!(record["client"]["owner"], "team/ci");
        assert_eq!(record["client"]["source"], "127.0.0.1");
        assert!(record["client"].get("dns").is_none());
        assert_eq!(record["decision"], "refuse");
        assert_eq!(record["reasons"][0]["code"], "privileged");
        assert_eq!(record["reasons"][0]["line"], 4);
        assert_eq!(record["target"], "/v1.51/containers/create?name=\r\n");
        assert_eq!(record["status"], 403);
    }

    #[test]
    fn a_record_is_one_line_whatever_the_client_sent() {
        let identity = Identity::Listener;
        let reasons = [reason("a\nb\u{2028}\0")];
        let line = serde_json::to_string(&Record::Decision(decision(&identity, &reasons)));
        assert!(!line.unwrap().contains('\n'));
    }

    #[test]
    fn a_permit_says_what_an_observing_policy_would_have_refused_and_which_trace_it_is_of() {
        let identity = Identity::Listener;
        let reasons = [reason("true")];
        let record = json(&Record::Decision(Decision {
            reasons: &[],
            traceparent: Some("00-4b-0f-01"),
            observed: Some(Observed {
                policy: "tight",
                reasons: &reasons,
            }),
            ..decision(&identity, &[])
        }));
        assert_eq!(record["traceparent"], "00-4b-0f-01");
        assert_eq!(record["configuration"], "00ff");
        assert_eq!(record["observed"]["policy"], "tight");
        assert_eq!(record["observed"]["reasons"][0]["code"], "privileged");
    }

    #[test]
    fn a_record_is_bounded_whatever_the_client_sent() {
        let identity = Identity::Peer(PeerCredentials {
            uid: 1,
            gid: 2,
            groups: (0..200).collect(),
            pid: Some(3),
        });
        let long = "x".repeat(1 << 20);
        let reasons = [reason(&long); 200];
        let dropped = [Text(long.as_str()); 100];
        let mut decision = decision(&identity, &reasons);
        decision.target = Text(&long);
        decision.dropped = &dropped;
        let record = Record::Decision(decision.counted());

        assert!(serde_json::to_string(&record).unwrap().len() < 128 * 1024);
        let record = json(&record);
        assert_eq!(record["left_out"], 136 + 36);
        assert_eq!(record["client"]["uid"], 1);
        assert_eq!(record["client"]["pid"], 3);
        assert_eq!(record["client"]["groups"].as_array().unwrap().len(), 64);
    }

    #[test]
    fn an_end_says_how_it_ended() {
        let record = json(&Record::End(End {
            time: UNIX_EPOCH.into(),
            id: ExchangeIds::start().unwrap().next(),
            operation: Some("ContainerAttach"),
            status: Some(101),
            bytes_from_client: 5,
            bytes_to_client: 7,
            duration: Duration::from_millis(2),
            outcome: Outcome::ClientGone,
            tunnel: true,
        }));
        assert_eq!(record["event"], "end");
        assert_eq!(record["duration_us"], 2000);
        assert_eq!(record["outcome"], "client-gone");
        assert_eq!(record["tunnel"], true);
    }

    #[test]
    fn outcomes_are_named_as_serde_names_them() {
        for outcome in [
            Outcome::Complete,
            Outcome::Refused,
            Outcome::ClientGone,
            Outcome::DaemonGone,
            Outcome::DaemonUnavailable,
            Outcome::TimedOut,
            Outcome::Cut,
            Outcome::Withdrawn,
            Outcome::Failed,
        ] {
            assert_eq!(serde_json::to_value(outcome).unwrap(), outcome.name());
        }
    }
}
