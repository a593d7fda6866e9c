//! The decision on a request that was read: by the policy that holds, and beside it by one that is only tried.

use std::sync::Arc;

use crate::decision::{self, Decision, Permit, Reason, Refusal};
use crate::engine_api::EngineRequest;
use crate::policy::Policy;

use super::allowance;
use super::connection::Connection;
use super::facts;
use super::record::ExchangeRecord;
use super::refusal::OwnAnswer;

/// Decides; beside a permit also why a policy that observes would have refused.
pub(super) async fn weigh(
    connection: &mut Connection,
    record: &mut ExchangeRecord,
    request: Box<EngineRequest>,
) -> (Decision, Vec<Reason>) {
    let policy = Arc::clone(&connection.client.policy);
    let observed = connection.client.observed.clone();
    let observed = observed.map(|policy| (policy, request.clone()));
    let mut facts = facts::of(connection);
    facts::gather(connection, &policy, &request, &mut facts).await;
    let decision = match &record.held.large {
        None => decision::decide(&policy, request, &facts),
        Some(turn) => {
            turn.aside(|| decision::decide(&policy, request, &facts))
                .await
        }
    };
    let reasons = match (&decision, observed) {
        (Decision::Permit(_), Some((policy, request))) => {
            Box::pin(would_refuse(connection, &policy, request)).await
        }
        (Decision::Refuse(_), _) | (Decision::Permit(_), None) => Vec::new(),
    };
    let decision = match decision {
        // Whatever the policy, also one that only observes.
        Decision::Permit(permit) if connection.client.allowed.is_some() => {
            Box::pin(allow(connection, record, permit)).await
        }
        Decision::Permit(_) | Decision::Refuse(_) => decision,
    };
    (decision, reasons)
}

/// Holds what is permitted against what the client's owner may have.
async fn allow(
    connection: &mut Connection,
    record: &mut ExchangeRecord,
    permit: Permit,
) -> Decision {
    let over = match allowance::admit(connection, &mut record.held, permit.request()).await {
        Ok(()) => return Decision::Permit(permit),
        Err(over) => over,
    };
    let OwnAnswer {
        status, message, ..
    } = OwnAnswer::from(&over);
    Decision::Refuse(Refusal {
        subject: String::new(),
        policy: connection.client.policy.name.clone(),
        reasons: vec![Reason {
            code: over.code(),
            field: String::new(),
            value: String::new(),
            message: message.clone(),
            line: 0,
            remedy: String::new(),
            is_of_existing: false,
        }],
        has_more: false,
        hides_existing: false,
        answered: Some((status, message)),
    })
}

/// What is permitted here goes nowhere: its permit is dropped.
async fn would_refuse(
    connection: &mut Connection,
    policy: &Policy,
    request: Box<EngineRequest>,
) -> Vec<Reason> {
    let mut facts = facts::of(connection);
    facts::gather(connection, policy, &request, &mut facts).await;
    match decision::decide(policy, request, &facts) {
        Decision::Permit(_) => Vec::new(),
        // The daemon says that what is asked for is not there, under this policy as under any other.
        Decision::Refuse(refusal) if refusal.answered.is_some() => Vec::new(),
        Decision::Refuse(refusal) => refusal.reasons,
    }
}
