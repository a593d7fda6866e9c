//! What the names in a request refer to, asked of the daemon over the connection that the request will take.

use std::sync::Arc;

use tokio::task::JoinSet;

use crate::daemon::{IdleConnection, Question, Reply};
use crate::decision::{self, Facts, Found, Reference};
use crate::engine_api::{
    DaemonDefaults, EngineRequest, ExistingContainer, ExistingExec, ExistingImage, ExistingNetwork,
    ExistingVolume, Malformed, Owned, error_message, existing_exec,
};
use crate::metrics::LookedUp;
use crate::policy::Policy;

use super::Gate;
use super::connection::Connection;
use super::forward::daemon_connection;

/// What the decision on this request must know.
pub(super) fn wanted(policy: &Policy, request: &EngineRequest, facts: &Facts) -> Vec<Reference> {
    let mut wanted = decision::references(policy, request);
    if let Some(shared) = &facts.shared {
        wanted.append(&mut decision::references_of_owner(request, shared));
        wanted.sort_unstable();
        wanted.dedup();
    }
    wanted
}

/// Asks for that, and for what it refers to.
pub(super) async fn answer(
    connection: &mut Connection,
    policy: &Policy,
    mut wanted: Vec<Reference>,
    facts: &mut Facts,
) {
    let mut asked = 0;
    // What a container refers to is known once that is.
    for _ in 0..MOST_ROUNDS {
        wanted.retain(|reference| !facts.has(reference));
        asked += wanted.len();
        if wanted.is_empty() || asked > MOST_REFERENCES {
            break;
        }
        let mut next = Vec::new();
        for (reference, answer) in ask_all(connection, wanted).await {
            if let Answer::Container(Found::Is(container)) | Answer::Exec(Found::Is(container), _) =
                &answer
            {
                next.append(&mut decision::references_of(policy, container));
            }
            keep(facts, reference, answer);
        }
        wanted = next;
    }
}

/// What is known of one reference.
#[derive(Debug)]
enum Answer {
    Container(Found<ExistingContainer>),
    /// The container of an exec instance, and whether that one is privileged.
    Exec(Found<ExistingContainer>, bool),
    Volume(Found<ExistingVolume>),
    Network(Found<ExistingNetwork>),
    Image(Found<ExistingImage>),
    Thing(Found<Owned>),
}

fn keep(facts: &mut Facts, reference: Reference, answer: Answer) {
    match (reference, answer) {
        (Reference::Container(_), Answer::Container(found)) => {
            facts.container = Some(found);
        }
        (Reference::Exec(_), Answer::Exec(found, is_privileged)) => {
            facts.container = Some(found);
            facts.exec_is_privileged = is_privileged;
        }
        (Reference::Other(name), Answer::Container(found)) => {
            facts.others.insert(name, found);
        }
        (Reference::Volume(name), Answer::Volume(found)) => {
            facts.volumes.insert(name, found);
        }
        (Reference::Network(name), Answer::Network(found)) => {
            facts.networks.insert(name, found);
        }
        (Reference::SwarmNetwork(name), Answer::Network(found)) => {
            facts.swarm_networks.insert(name, found);
        }
        (Reference::Image(id), Answer::Image(found)) => {
            facts.images.insert(id, found);
        }
        (Reference::Thing(kind, name), Answer::Thing(found)) => {
            facts.things.insert((kind, name), found);
        }
        // An answer of another kind than what was asked: nothing is known, and so the request is refused.
        (
            _,
            Answer::Container(_)
            | Answer::Exec(..)
            | Answer::Volume(_)
            | Answer::Network(_)
            | Answer::Image(_)
            | Answer::Thing(_),
        ) => {}
    }
}

/// Asks for all at once where there are several: the first over the client's own connection to the daemon.
async fn ask_all(
    connection: &mut Connection,
    mut wanted: Vec<Reference>,
) -> Vec<(Reference, Answer)> {
    let mut own = Asker::of(connection);
    let share = wanted.len().div_ceil(MOST_AT_ONCE);
    let mut others = JoinSet::new();
    while wanted.len() > share {
        let part = wanted.split_off(wanted.len() - share);
        let mut asker = Asker {
            gate: Arc::clone(&connection.gate),
            idle: None,
        };
        others.spawn(async move { asker.answers(part).await });
    }
    let mut found = own.answers(wanted).await;
    connection.idle = own.idle;
    // One that panicked has left nothing, and what is not known is refused.
    while let Some(joined) = others.join_next().await {
        found.extend(joined.unwrap_or_default());
    }
    found
}

/// What the daemon takes where a create says nothing.
pub(super) async fn defaults(connection: &mut Connection) -> Found<DaemonDefaults> {
    let mut asker = Asker::of(connection);
    let found = asker.defaults().await;
    connection.idle = asker.idle;
    found
}

/// Asks one thing over the client's own connection to the daemon.
pub(super) async fn ask<T>(
    connection: &mut Connection,
    question: Question<'_>,
    read: impl FnOnce(&[u8]) -> Result<T, Malformed>,
) -> Found<T> {
    let mut asker = Asker::of(connection);
    let found = asker.ask(question, read).await;
    connection.idle = asker.idle;
    found
}

/// One connection to the daemon, over which one thing is asked after the other.
#[derive(Debug)]
pub(super) struct Asker {
    pub(super) gate: Arc<Gate>,
    pub(super) idle: Option<IdleConnection>,
}

impl Asker {
    /// Takes the connection that the client's last exchange left.
    fn of(connection: &mut Connection) -> Self {
        Self {
            gate: Arc::clone(&connection.gate),
            idle: connection.idle.take(),
        }
    }

    async fn answers(&mut self, wanted: Vec<Reference>) -> Vec<(Reference, Answer)> {
        let mut found = Vec::with_capacity(wanted.len());
        for reference in wanted {
            let answer = self.answer(&reference).await;
            found.push((reference, answer));
        }
        found
    }

    async fn answer(&mut self, reference: &Reference) -> Answer {
        match reference {
            Reference::Container(name) | Reference::Other(name) => {
                Answer::Container(self.container(name).await)
            }
            Reference::Exec(id) => {
                let (container, is_privileged) = self.container_behind(id).await;
                Answer::Exec(container, is_privileged)
            }
            Reference::Volume(name) => {
                Answer::Volume(self.ask(Question::Volume(name), ExistingVolume::read).await)
            }
            Reference::Network(name) => {
                let read = |bytes: &[u8]| ExistingNetwork::read(bytes, name);
                Answer::Network(self.ask(Question::Network(name), read).await)
            }
            Reference::SwarmNetwork(name) => {
                let read = |bytes: &[u8]| ExistingNetwork::read_of_swarm(bytes, name);
                Answer::Network(self.ask(Question::SwarmNetwork(name), read).await)
            }
            Reference::Image(id) => {
                Answer::Image(self.ask(Question::Image(id), ExistingImage::read).await)
            }
            Reference::Thing(kind, name) => Answer::Thing(self.thing(*kind, name).await),
        }
    }

    /// The container of an exec instance, and whether that one is privileged.
    async fn container_behind(&mut self, id: &str) -> (Found<ExistingContainer>, bool) {
        let known = self.gate.known.exec(id);
        self.gate.metrics.exec_needed(known.is_some());
        if let Some(ExistingExec {
            container,
            is_privileged,
        }) = known
            && let Found::Is(container) = self.container(&container).await
        {
            return (Found::Is(container), is_privileged);
        }
        let read = |bytes: &[u8]| existing_exec(bytes, id);
        match self.ask(Question::Exec(id), read).await {
            Found::Is(exec) => {
                self.gate.known.keep_exec(id, &exec);
                (self.container(&exec.container).await, exec.is_privileged)
            }
            Found::Answered { status, message } => (Found::Answered { status, message }, false),
            Found::Unknown(cause) => (Found::Unknown(cause), false),
        }
    }

    async fn container(&mut self, name: &str) -> Found<ExistingContainer> {
        let question = Question::Container(name);
        let mut found = self.ask(question, ExistingContainer::read).await;
        if let Found::Is(container) = &mut found
            && container.may_have_defaults()
        {
            match self.defaults().await {
                Found::Is(defaults) => container.remove_defaults(&defaults),
                Found::Answered { message, .. } => return Found::Unknown(message),
                Found::Unknown(cause) => return Found::Unknown(cause),
            }
        }
        found
    }

    async fn defaults(&mut self) -> Found<DaemonDefaults> {
        let known = self.gate.known.defaults();
        self.gate.metrics.defaults_needed(known.is_some());
        if let Some(defaults) = known {
            return Found::Is(defaults);
        }
        let found = self.ask(Question::Info, DaemonDefaults::read).await;
        if let Found::Is(defaults) = &found {
            self.gate.known.keep_defaults(defaults);
        }
        found
    }

    /// Asks one thing, and counts it.
    pub(super) async fn ask<T>(
        &mut self,
        question: Question<'_>,
        read: impl FnOnce(&[u8]) -> Result<T, Malformed>,
    ) -> Found<T> {
        let found = self.told(question, read).await;
        let came_of_it = match &found {
            Found::Is(_) => LookedUp::Found,
            Found::Answered { status: 404, .. } => LookedUp::Absent,
            Found::Answered { .. } | Found::Unknown(_) => LookedUp::Failed,
        };
        self.gate.metrics.looked_up(question.name(), came_of_it);
        found
    }

    /// Only an error that says nothing but that the client asked for what is not there is passed on.
    async fn told<T>(
        &mut self,
        question: Question<'_>,
        read: impl FnOnce(&[u8]) -> Result<T, Malformed>,
    ) -> Found<T> {
        if let Err(fault) = question.check() {
            return Found::Unknown(fault.to_string());
        }
        let idle = match daemon_connection(&mut self.idle, &self.gate.daemon).await {
            Ok(idle) => idle,
            Err(unavailable) => {
                return Found::Answered {
                    status: 503,
                    message: unavailable.to_string(),
                };
            }
        };
        let Reply { status, body } = match idle.ask(question).await {
            Ok((reply, idle)) => {
                self.idle = idle;
                reply
            }
            Err(fault) => return Found::Unknown(fault.to_string()),
        };
        match status {
            200 => match read(&body) {
                Ok(found) => Found::Is(found),
                Err(fault) => Found::Unknown(fault.to_string()),
            },
            404 => Found::Answered {
                status,
                message: error_message(&body),
            },
            _ => Found::Unknown(format!(
                "the daemon answers {status}: {}",
                error_message(&body)
            )),
        }
    }
}

/// Things of one request that are looked up; what is beyond is not known, and so refused.
const MOST_REFERENCES: usize = 128;
/// Connections over which one request's lookups are made.
const MOST_AT_ONCE: usize = 8;
/// How far containers that join one another are followed.
const MOST_ROUNDS: usize = 6;
