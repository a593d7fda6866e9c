//! What the names in a request refer to, asked of the daemon over the connection that the request will take.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::daemon::{Question, Reply};
use crate::decision::{self, Facts, Found, Reference};
use crate::engine_api::{
    DaemonDefaults, EngineRequest, ExistingContainer, ExistingVolume, Malformed, container_of_exec,
    error_message,
};
use crate::metrics::LookedUp;
use crate::policy::Policy;

use super::connection::Connection;
use super::forward::daemon_connection;

/// The daemon's defaults, shared by all connections and asked for anew when they are old.
#[derive(Debug, Default)]
pub struct DefaultsCache(Mutex<Option<(Instant, DaemonDefaults)>>);

impl DefaultsCache {
    fn fresh(&self) -> Option<DaemonDefaults> {
        let cached = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (asked, defaults) = cached.as_ref()?;
        (asked.elapsed() < DEFAULTS_LAST).then(|| defaults.clone())
    }

    fn keep(&self, defaults: &DaemonDefaults) {
        let mut cached = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *cached = Some((Instant::now(), defaults.clone()));
    }
}

/// Asks for what the decision on this request must know, and for nothing where it needs nothing.
pub(super) async fn answered(
    connection: &mut Connection,
    policy: &Policy,
    request: &EngineRequest,
) -> Facts {
    let mut facts = Facts::default();
    let mut volumes = Vec::new();
    for reference in decision::references(policy, request) {
        match reference {
            Reference::Volume(name) => volumes.push(name),
            Reference::Container(name) => {
                facts.container = Some(container(connection, &name).await);
            }
            Reference::Exec(id) => {
                facts.container = Some(container_behind(connection, &id).await);
            }
        }
    }
    if let Some(Found::Is(container)) = &facts.container {
        volumes.extend_from_slice(&container.volumes);
    }
    facts.volumes = described(connection, volumes).await;
    facts
}

async fn described(
    connection: &mut Connection,
    names: Vec<String>,
) -> HashMap<String, Found<ExistingVolume>> {
    let mut volumes = HashMap::with_capacity(names.len());
    let is_over = names.len() > MOST_VOLUMES;
    for name in names {
        let volume = if is_over {
            Found::Unknown(format!("there are more than {MOST_VOLUMES} volumes"))
        } else {
            ask(connection, Question::Volume(&name), ExistingVolume::read).await
        };
        volumes.insert(name, volume);
    }
    volumes
}

async fn container_behind(connection: &mut Connection, exec: &str) -> Found<ExistingContainer> {
    let read = |bytes: &[u8]| container_of_exec(bytes, exec);
    match ask(connection, Question::Exec(exec), read).await {
        Found::Is(id) => container(connection, &id).await,
        Found::Answered { status, message } => Found::Answered { status, message },
        Found::Unknown(cause) => Found::Unknown(cause),
    }
}

async fn container(connection: &mut Connection, name: &str) -> Found<ExistingContainer> {
    let question = Question::Container(name);
    let mut found = ask(connection, question, ExistingContainer::read).await;
    if let Found::Is(container) = &mut found
        && container.may_have_defaults()
    {
        match defaults(connection).await {
            Found::Is(defaults) => container.remove_defaults(&defaults),
            Found::Answered { message, .. } => return Found::Unknown(message),
            Found::Unknown(cause) => return Found::Unknown(cause),
        }
    }
    found
}

async fn defaults(connection: &mut Connection) -> Found<DaemonDefaults> {
    let known = connection.gate.defaults.fresh();
    connection.gate.metrics.defaults_needed(known.is_some());
    if let Some(defaults) = known {
        return Found::Is(defaults);
    }
    let found = ask(connection, Question::Info, DaemonDefaults::read).await;
    if let Found::Is(defaults) = &found {
        connection.gate.defaults.keep(defaults);
    }
    found
}

/// Asks one thing, and counts it.
async fn ask<T>(
    connection: &mut Connection,
    question: Question<'_>,
    read: impl FnOnce(&[u8]) -> Result<T, Malformed>,
) -> Found<T> {
    let found = answer(connection, question, read).await;
    let came_of_it = match &found {
        Found::Is(_) => LookedUp::Found,
        Found::Answered { status: 404, .. } => LookedUp::Absent,
        Found::Answered { .. } | Found::Unknown(_) => LookedUp::Failed,
    };
    let metrics = &connection.gate.metrics;
    metrics.looked_up(question.name(), came_of_it);
    found
}

/// Only an error that says nothing but that the client asked for what is not there is passed on.
async fn answer<T>(
    connection: &mut Connection,
    question: Question<'_>,
    read: impl FnOnce(&[u8]) -> Result<T, Malformed>,
) -> Found<T> {
    let idle = match daemon_connection(connection).await {
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
            connection.idle = idle;
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

/// How long the daemon's defaults are taken for what they were; they change with its settings.
const DEFAULTS_LAST: Duration = Duration::from_secs(60);
/// Volumes of one request that are looked up.
const MOST_VOLUMES: usize = 128;
