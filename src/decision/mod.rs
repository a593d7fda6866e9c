//! May this client do this? One pure function from policy, request and facts to a permit or a refusal.

mod container;
mod existing;
mod facts;
mod host_paths;
mod image;
mod limited;
mod log_options;
mod logs;
mod mounts;
mod namespaces;
mod network;
mod opened_path;
mod outward;
mod own;
mod pin;
mod plugin;
mod privileges;
mod published;
mod quiet;
mod reason;
mod references;
mod rewrite;
mod secret;
mod service;
mod subnet;
mod swarm;
mod swarm_reference;
mod ulimits;
mod view;
mod volume;

use crate::engine_api::json::Value;
use crate::engine_api::schema::{Class, Refused};
use crate::engine_api::{Body, EngineRequest, ExistingContainer, Field, Operation};
use crate::policy::Policy;

pub use facts::{Facts, Found, facts_of_container, ordinary_facts};
pub use host_paths::HostFile;
pub(crate) use host_paths::{PROTECTED, cleaned, lies_in};
pub use own::references_of_owner;
pub use quiet::{HIDDEN, hidden_places, hiding_keys};
pub use reason::{Reason, Refusal};
pub use references::{Reference, enters_container, references, references_of};
pub use subnet::names_subnets;
pub use view::{AnswerShape, View};

/// The outcome of a decision.
#[derive(Debug)]
pub enum Decision {
    Permit(Permit),
    Refuse(Refusal),
}

/// The right to forward one request; made here only, and the only thing that the daemon's side forwards.
#[derive(Debug)]
pub struct Permit {
    // It is handed on from place to place until it has been forwarded.
    request: Box<EngineRequest>,
    rewritten: Vec<String>,
    view: Option<Box<View>>,
}

impl Permit {
    /// The request to forward, rewritten where the policy says so.
    #[must_use]
    pub fn request(&self) -> &EngineRequest {
        &self.request
    }

    /// What the request has in another way than it came: fields, each with what was made of it.
    #[must_use]
    pub fn rewritten(&self) -> &[String] {
        &self.rewritten
    }

    /// Likewise, once the request is on its way.
    #[must_use]
    pub fn into_view(self) -> Option<Box<View>> {
        self.view
    }

    /// What must be done to the answer; `None` where it passes as it is.
    #[must_use]
    pub fn view(&self) -> Option<&View> {
        self.view.as_deref()
    }
}

/// The host paths that must be resolved before [`decide`] can judge this request; none where the policy opens none.
#[must_use]
pub fn host_paths(policy: &Policy, request: &EngineRequest) -> Vec<String> {
    let mut paths = Vec::new();
    if !policy.container.host_paths.value.is_empty() {
        request.each_field(|field| paths.append(&mut mounts::host_paths_of(field)));
    }
    paths
}

/// Likewise those of a container that is entered.
#[must_use]
pub fn host_paths_of_container(policy: &Policy, container: &ExistingContainer) -> Vec<String> {
    let mut paths = Vec::new();
    if !policy.container.host_paths.value.is_empty() {
        container.each_field("", |field| paths.append(&mut mounts::host_paths_of(field)));
        let inherited = container.inherited.iter();
        paths.extend(inherited.filter_map(|mount| mount.source.host_path().map(str::to_owned)));
    }
    paths
}

/// Decides whether the policy permits the request; an error while deciding is a refusal.
#[must_use]
pub fn decide(policy: &Policy, request: impl Into<Box<EngineRequest>>, facts: &Facts) -> Decision {
    decide_on(policy, request.into(), facts)
}

fn decide_on(policy: &Policy, mut request: Box<EngineRequest>, facts: &Facts) -> Decision {
    if policy.permits_everything {
        return Decision::Permit(Permit {
            request,
            rewritten: Vec::new(),
            view: None,
        });
    }
    let mut judge = Judge {
        policy,
        facts,
        request: &request,
        existing: None,
        depth: 0,
        reasons: Vec::new(),
        has_more: false,
    };
    judge.operation();
    if let Some(shared) = facts.shared.as_deref().filter(|_| judge.reasons.is_empty())
        && let Some((status, message)) = judge.own_things(shared)
    {
        // Nothing else is said of what is not there for this client.
        return Decision::Refuse(Refusal::absent(policy, &request, status, message));
    }
    judge.unknown_fields();
    request.each_field(|field| judge.field(field));
    judge.names();
    judge.plugin();
    judge.cluster_volume_update();
    judge.absent_image();
    judge.absent_network_mode();
    judge.swarm_addresses();
    judge.absent_auto_lock();
    judge.swarm_tokens_read();
    judge.entered_container();
    judge.placeholder();
    judge.guesses();
    let (mut reasons, has_more) = (judge.reasons, judge.has_more);
    let answered = existing::answered(&request, facts).filter(|_| reasons.is_empty());
    if let Some((status, message)) = &answered {
        reasons.push(existing::absent(*status, message));
    }
    if reasons.is_empty() {
        let view = View::of(policy, &request, facts).map(Box::new);
        let rewritten = rewrite::apply(policy, &mut request, facts);
        return Decision::Permit(Permit {
            request,
            rewritten,
            view,
        });
    }
    Decision::Refuse(Refusal {
        subject: subject(&request),
        policy: policy.name.clone(),
        reasons,
        has_more,
        answered,
        hides_existing: policy.quiet.hides_anything(),
    })
}

impl Refusal {
    /// The daemon's answer, as to a request for what is not there.
    fn absent(policy: &Policy, request: &EngineRequest, status: u16, message: String) -> Self {
        Self {
            subject: subject(request),
            policy: policy.name.clone(),
            reasons: vec![existing::absent(status, &message)],
            has_more: false,
            hides_existing: false,
            answered: Some((status, message)),
        }
    }
}

fn subject(request: &EngineRequest) -> String {
    request.operation().map_or_else(
        || format!("{} {}", request.head.method, request.head.target),
        |operation| operation.name().to_owned(),
    )
}

/// One decision under way: what is judged, against what, and the reasons found so far.
struct Judge<'a> {
    policy: &'a Policy,
    facts: &'a Facts,
    request: &'a EngineRequest,
    /// The container that is judged in place of what the request itself would make.
    existing: Option<&'a ExistingContainer>,
    /// How many containers that join one another are under judgement.
    depth: usize,
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
            let message = match operation.unmodelled_because() {
                Some(because) => format!("the gate cannot judge this operation: {because}"),
                None => "the gate cannot judge this operation".to_owned(),
            };
            self.refuse(Reason::new("not-modelled", "", "", &message));
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
            self.refuse(Reason::new(
                "unknown-field",
                &unknown.path,
                &unknown.value,
                message,
            ));
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
        let is_outside = self.request.operation() == Some(Operation::ContainerCreate)
            && self.existing.is_none()
            && !field.path.contains('.');
        let (code, message) = match refused {
            Refused::Legacy if is_outside => (
                "legacy-field",
                "engines up to 26 take it for the field of `HostConfig`, where it belongs",
            ),
            Refused::Legacy => ("legacy-field", "older engines take power from it"),
            Refused::Swarm => ("swarm", "it acts on a swarm beyond this host"),
            Refused::Host => ("host-field", "it reaches the host or the daemon"),
            Refused::TaskRuntime => ("task-runtime", "its tasks would be no containers"),
            Refused::BuildKit => (
                "buildkit",
                "it belongs to a build whose requests go through a tunnel that the gate cannot read",
            ),
        };
        self.refuse(Reason::new(
            code,
            field.path,
            &Reason::text(field.value),
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

    fn refuse(&mut self, mut reason: Reason) {
        reason.is_of_existing |= self.existing.is_some();
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
