//! May this client do this? One pure function from policy, request and facts to a permit or a refusal.

use std::collections::HashMap;

use crate::engine_api::EngineRequest;
use crate::policy::Policy;

/// What the gate found out about what a request refers to, before it decides.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// For each host path that the request names: where it leads on the host, or why that cannot be told.
    pub host_paths: HashMap<String, Result<String, String>>,
}

/// The outcome of a decision.
#[derive(Debug)]
pub enum Decision {
    Permit(Permit),
    Refuse(Refusal),
}

/// The right to forward one request; made here only, and the only thing that `daemon` forwards.
#[derive(Debug)]
pub struct Permit {
    request: EngineRequest,
}

impl Permit {
    /// The request to forward, rewritten where the policy says so.
    #[must_use]
    pub fn request(&self) -> &EngineRequest {
        &self.request
    }
}

/// Every reason why a request is refused.
#[derive(Debug, Clone)]
pub struct Refusal {
    /// The operation's name, or method and path where there is none.
    pub subject: String,
    pub policy: String,
    pub reasons: Vec<Reason>,
}

/// One reason of a refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// Stable, in kebab-case, like `privileged`.
    pub code: &'static str,
    /// Where in the request, like `HostConfig.Privileged`; empty for the operation as a whole.
    pub field: String,
    /// What stands there, shortened.
    pub value: String,
    /// Why that is refused.
    pub message: String,
    /// The line of the policy that limits it, 0 where it says nothing.
    pub line: usize,
    /// The smallest change of the policy that would permit it.
    pub remedy: String,
}

/// The host paths that must be resolved before [`decide`] can judge this request; none where the policy opens none.
#[must_use]
pub fn host_paths(_policy: &Policy, _request: &EngineRequest) -> Vec<String> {
    Vec::new()
}

/// Decides whether the policy permits the request; an error while deciding is a refusal.
#[must_use]
pub fn decide(policy: &Policy, request: EngineRequest, _facts: &Facts) -> Decision {
    let permitted = request
        .operation()
        .is_some_and(|operation| policy.operations.contains_key(&operation));
    if permitted || policy.permits_everything {
        return Decision::Permit(Permit { request });
    }
    Decision::Refuse(Refusal {
        subject: String::new(),
        policy: policy.name.clone(),
        reasons: Vec::new(),
    })
}
