//! What the audit log says of one exchange: the decision, and its end, once each.

use std::sync::Arc;
use std::time::Instant;

use crate::audit::record::{self, Decision, End, Outcome, Record, Verdict};
use crate::audit::text::{ExchangeId, Text, Timestamp};
use crate::audit::{AuditError, EndPlace};
use crate::engine_api::{ApiVersion, Operation, RequestHead};
use crate::http1::Request;
use crate::metrics::{Exchange, Metrics, Open};

use super::allowance::Held;
use super::{Client, Gate, shown};

/// An exchange under way; its end is recorded when it is dropped, whatever dropped it.
#[derive(Debug)]
pub(super) struct ExchangeRecord {
    place: Option<EndPlace>,
    id: ExchangeId,
    started: Instant,
    operation: Option<Operation>,
    version: Option<ApiVersion>,
    is_decided: bool,
    pub(super) status: Option<u16>,
    pub(super) outcome: Outcome,
    tunnel: Option<Open>,
    /// Given back with the exchange at the latest.
    pub(super) held: Held,
    metrics: Arc<Metrics>,
    pub(super) traffic: Traffic,
}

/// Bytes of body and tunnel, without heads.
#[derive(Debug, Default)]
pub(super) struct Traffic {
    pub(super) from_client: u64,
    pub(super) to_client: u64,
}

/// What was decided, as the log has it.
pub(super) struct Verdicts<'a> {
    pub(super) verdict: Verdict,
    pub(super) reasons: &'a [record::Reason<'a>],
    pub(super) dropped: &'a [String],
    pub(super) rewritten: &'a [String],
    /// The reasons of the client's observed policy, where it would have refused.
    pub(super) observed: &'a [record::Reason<'a>],
    /// The status that the gate answers itself.
    pub(super) status: Option<u16>,
}

impl<'a> Verdicts<'a> {
    /// Of what was not read, or is not forwarded.
    pub(super) fn unread(verdict: Verdict, reasons: &'a [record::Reason<'a>], status: u16) -> Self {
        Self {
            verdict,
            reasons,
            dropped: &[],
            rewritten: &[],
            observed: &[],
            status: Some(status),
        }
    }
}

impl ExchangeRecord {
    /// Keeps a place for the end.
    ///
    /// # Errors
    /// [`AuditError`] where the log has none; then nothing may happen.
    pub(super) async fn open(gate: &Gate) -> Result<Self, AuditError> {
        Ok(Self {
            place: Some(gate.audit.reserve().await?),
            id: gate.ids.next(),
            started: Instant::now(),
            operation: None,
            version: None,
            is_decided: false,
            status: None,
            outcome: Outcome::Cut,
            tunnel: None,
            held: Held::default(),
            metrics: Arc::clone(&gate.metrics),
            traffic: Traffic::default(),
        })
    }

    /// Notes what the request is, as soon as it is known.
    pub(super) fn names(&mut self, head: &RequestHead) {
        self.operation = head.target.operation();
        self.version = head.target.version();
    }

    /// Notes that the connection becomes a tunnel.
    pub(super) fn becomes_tunnel(&mut self) {
        self.tunnel = Some(self.metrics.tunnel());
    }

    /// Writes the decision; returns once it is written.
    ///
    /// # Errors
    /// [`AuditError`] where it is not known to be written; then the request must not be forwarded.
    pub(super) async fn decided(
        &mut self,
        gate: &Gate,
        client: &Client,
        request: Option<&Request>,
        verdicts: Verdicts<'_>,
    ) -> Result<(), AuditError> {
        self.is_decided = true;
        let codes = verdicts.reasons.iter().map(|reason| reason.code);
        client
            .counters
            .decided(self.operation, verdicts.verdict, codes);
        let codes = verdicts.observed.iter().map(|reason| reason.code);
        client.counters.observed(self.operation, codes);
        let version = self.version.map(|version| version.written());
        let target = request.map(|request| shown::target(self.operation, &request.target));
        let target = target.unwrap_or_default();
        let dropped: Vec<_> = verdicts.dropped.iter().map(|name| Text(name)).collect();
        let rewritten: Vec<_> = verdicts.rewritten.iter().map(|what| Text(what)).collect();
        let observed = client.observed.as_ref().map(|policy| record::Observed {
            policy: &policy.name,
            reasons: verdicts.observed,
        });
        let observed = observed.filter(|observed| !observed.reasons.is_empty());
        let decision = Decision {
            time: Timestamp::now(),
            id: self.id,
            client: client.named(),
            listener: &client.listener,
            operation: self.operation.map(Operation::name),
            api_version: version.as_deref().map(Text),
            method: Text(request.map_or("", |request| &request.method)),
            target: Text(&target),
            traceparent: request.and_then(|request| shown::trace(&request.headers)),
            policy: Some(&client.policy.name),
            configuration: &gate.digest,
            decision: verdicts.verdict,
            reasons: verdicts.reasons,
            dropped: &dropped,
            rewritten: &rewritten,
            observed,
            left_out: 0,
            status: verdicts.status,
        };
        gate.audit
            .record(&Record::Decision(decision.counted()))
            .await
    }
}

impl Drop for ExchangeRecord {
    fn drop(&mut self) {
        let Some(place) = self.place.take().filter(|_| self.is_decided) else {
            return;
        };
        if std::thread::panicking() {
            tracing::error!(id = %self.id, "an exchange failed inside the gate");
            self.outcome = Outcome::Failed;
        }
        let duration = self.started.elapsed();
        let kind = match (&self.tunnel, self.outcome) {
            (Some(_), _) => Exchange::Tunnel,
            (None, Outcome::Refused) => Exchange::Refused,
            (None, _) => Exchange::Answered,
        };
        let traffic = &self.traffic;
        self.metrics
            .ended(kind, traffic.from_client, traffic.to_client, duration);
        place.record(&Record::End(End {
            time: Timestamp::now(),
            id: self.id,
            operation: self.operation.map(Operation::name),
            status: self.status,
            bytes_from_client: self.traffic.from_client,
            bytes_to_client: self.traffic.to_client,
            duration,
            outcome: self.outcome,
            tunnel: self.tunnel.is_some(),
        }));
    }
}

/// The reason why a request is malformed.
pub(super) fn reason<'a>(code: &'static str, message: &'a str) -> [record::Reason<'a>; 1] {
    [record::Reason {
        code,
        field: None,
        value: None,
        message: Text(message),
        line: None,
    }]
}
