//! May this client do this? One pure function from policy, request and facts to a permit or a refusal.

mod container;
mod existing;
mod image;
mod limited;
mod logs;
mod mounts;
mod namespaces;
mod network;
mod outward;
mod privileges;
mod published;
mod reason;
mod rewrite;
mod service;
mod swarm_reference;
mod volume;

use std::collections::HashMap;

use crate::engine_api::json::Value;
use crate::engine_api::schema::{Class, Refused};
use crate::engine_api::{
    Body, EngineRequest, ExistingContainer, ExistingNetwork, ExistingVolume, Field, Operation,
};
use crate::policy::Policy;

pub use existing::{Found, Reference, enters_container, ordinary_facts, references};
pub(crate) use mounts::{PROTECTED, cleaned, lies_in};
pub use reason::{Reason, Refusal};

/// What the gate found out about what a request refers to, before it decides.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// For each host path that the request names: where it leads on the host, or why that cannot be told.
    pub host_paths: HashMap<String, Result<String, String>>,
    /// Host paths that no container may reach, whatever a policy opens: the daemon's socket and the gate's own files.
    pub protected: Vec<String>,
    /// The container that the request enters, starts or changes.
    pub container: Option<Found<ExistingContainer>>,
    /// By its name: each volume that the request mounts, or that the container has.
    pub volumes: HashMap<String, Found<ExistingVolume>>,
    /// By what the request calls it: each network that a service joins, as the swarm knows it.
    pub networks: HashMap<String, Found<ExistingNetwork>>,
}

/// The outcome of a decision.
#[derive(Debug)]
pub enum Decision {
    Permit(Permit),
    Refuse(Refusal),
}

/// The right to forward one request; made here only, and the only thing that the daemon's side forwards.
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

/// The host paths that must be resolved before [`decide`] can judge this request; none where the policy opens none.
#[must_use]
pub fn host_paths(policy: &Policy, request: &EngineRequest) -> Vec<String> {
    host_paths_in(policy, &request.fields())
}

/// Likewise those of a container that is entered.
#[must_use]
pub fn host_paths_of_container(policy: &Policy, container: &ExistingContainer) -> Vec<String> {
    host_paths_in(policy, &container.fields())
}

fn host_paths_in(policy: &Policy, fields: &[Field<'_>]) -> Vec<String> {
    if policy.container.host_paths.value.is_empty() {
        return Vec::new();
    }
    fields.iter().flat_map(mounts::host_paths_of).collect()
}

/// Decides whether the policy permits the request; an error while deciding is a refusal.
#[must_use]
pub fn decide(policy: &Policy, mut request: EngineRequest, facts: &Facts) -> Decision {
    if policy.permits_everything {
        return Decision::Permit(Permit { request });
    }
    let mut judge = Judge {
        policy,
        facts,
        request: &request,
        existing: None,
        reasons: Vec::new(),
        has_more: false,
    };
    judge.operation();
    judge.unknown_fields();
    for field in request.fields() {
        judge.field(&field);
    }
    judge.names();
    judge.absent_image();
    judge.absent_network_mode();
    judge.absent_service_network();
    judge.entered_container();
    let (mut reasons, has_more) = (judge.reasons, judge.has_more);
    let answered = existing::answered(facts).filter(|_| reasons.is_empty());
    if let Some((status, message)) = &answered {
        reasons.push(existing::absent(*status, message));
    }
    if reasons.is_empty() {
        rewrite::apply(policy, &mut request, facts);
        return Decision::Permit(Permit { request });
    }
    let subject = request.operation().map_or_else(
        || format!("{} {}", request.head.method, request.head.target),
        |operation| operation.name().to_owned(),
    );
    Decision::Refuse(Refusal {
        subject,
        policy: policy.name.clone(),
        reasons,
        has_more,
        answered,
    })
}

/// One decision under way: what is judged, against what, and the reasons found so far.
struct Judge<'a> {
    policy: &'a Policy,
    facts: &'a Facts,
    request: &'a EngineRequest,
    /// The container that is judged in place of what the request itself would make.
    existing: Option<&'a ExistingContainer>,
    reasons: Vec<Reason>,
    has_more: bool,
}

impl Judge<'_> {
    fn operation(&mut self) {
        let Some(operation) = self.request.operation() else {
            let (method, path) = (
                self.request.head.method.as_str(),
                self.request.head.target.to_string(),
            );
            let permits = |rule: &crate::policy::PathRule| {
                rule.methods.iter().any(|permitted| permitted == method)
                    && rule.path.is_match(&path)
            };
            if !self.policy.paths.iter().any(permits) {
                let remedy = "a `[[permit]]` rule with `methods` and `path`, if the Engine API has no operation there";
                self.refuse(
                    Reason::new(
                        "unknown-operation",
                        "",
                        &format!("{method} {path}"),
                        "no operation of the Engine API",
                    )
                    .opened_by(0, remedy),
                );
            }
            return;
        };
        let name = operation.name();
        if !operation.spec().is_modelled {
            self.refuse(Reason::new(
                "not-modelled",
                "",
                "",
                "the gate cannot judge this operation",
            ));
        } else if !self.policy.operations.contains_key(&operation) {
            let remedy = format!(
                "`{}` in the `operations` of a `[[permit]]` rule",
                Reason::quoted(name)
            );
            self.refuse(
                Reason::new("operation", "", "", "no rule permits this operation")
                    .opened_by(0, &remedy),
            );
        }
    }

    fn unknown_fields(&mut self) {
        for unknown in &self.request.unknown {
            let message = "the gate does not know this field, so it cannot tell what the daemon would do with it";
            // A field of a login may hold a password under another name.
            let is_secret = self.request.operation() == Some(Operation::SystemAuth);
            let value = if is_secret { "" } else { &unknown.value };
            self.refuse(Reason::new("unknown-field", &unknown.path, value, message));
        }
    }

    fn field(&mut self, field: &Field<'_>) {
        match field.class {
            Class::Harmless => {}
            Class::Refused(refused) => self.refused_field(field, refused),
            Class::Limited(limit) => self.limited_field(field, limit),
        }
    }

    fn refused_field(&mut self, field: &Field<'_>, refused: Refused) {
        if field.value.is_zero() {
            return;
        }
        let (code, message) = match refused {
            Refused::VolumesFrom => ("volumes-from", "it mounts whatever another container has"),
            Refused::Legacy => ("legacy-field", "older engines take power from it"),
            Refused::Swarm => ("swarm", "swarm is not modelled"),
            Refused::Host => ("host-field", "it reaches the host or the daemon"),
            Refused::TaskRuntime => ("task-runtime", "its tasks would be no containers"),
        };
        self.refuse(Reason::new(
            code,
            &field.path,
            &Reason::text(&field.value),
            message,
        ));
    }

    /// The body of a judged request.
    fn body(&self) -> Option<&Value> {
        match &self.request.body {
            Body::Json(value) => Some(value),
            Body::None | Body::Stream => None,
        }
    }

    fn refuse(&mut self, reason: Reason) {
        if self.has_enough() {
            self.has_more = true;
        } else {
            self.reasons.push(reason);
        }
    }

    /// Whether the request is refused whatever else is wrong with it, and no further reason is kept.
    fn has_enough(&self) -> bool {
        self.reasons.len() >= reason::MOST_REASONS
    }
}

#[cfg(test)]
mod tests;
