//! The decision on a request that was read: by the policy that holds, and beside it by one that is only tried.

use std::sync::Arc;

use crate::decision::{self, Decision, Reason};
use crate::engine_api::EngineRequest;
use crate::policy::Policy;

use super::connection::Connection;
use super::facts;

/// Decides; beside a permit also why a policy that observes would have refused.
pub(super) async fn weigh(
    connection: &mut Connection,
    request: EngineRequest,
) -> (Decision, Vec<Reason>) {
    let policy = Arc::clone(&connection.client.policy);
    let observed = connection.client.observed.clone();
    let observed = observed.map(|policy| (policy, request.clone()));
    let facts = facts::gather(connection, &policy, &request).await;
    let decision = decision::decide(&policy, request, &facts);
    let reasons = match (&decision, observed) {
        (Decision::Permit(_), Some((policy, request))) => {
            would_refuse(connection, &policy, request).await
        }
        (Decision::Refuse(_), _) | (Decision::Permit(_), None) => Vec::new(),
    };
    (decision, reasons)
}

/// What is permitted here goes nowhere: its permit is dropped.
async fn would_refuse(
    connection: &mut Connection,
    policy: &Policy,
    request: EngineRequest,
) -> Vec<Reason> {
    let facts = facts::gather(connection, policy, &request).await;
    match decision::decide(policy, request, &facts) {
        Decision::Permit(_) => Vec::new(),
        // The daemon says that what is asked for is not there, under this policy as under any other.
        Decision::Refuse(refusal) if refusal.answered.is_some() => Vec::new(),
        Decision::Refuse(refusal) => refusal.reasons,
    }
}
