//! Which container calls, known by nothing but its address; asked of the daemon and never remembered for another call.

use std::net::IpAddr;
use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::time;

use crate::audit::text::Timestamp;
use crate::daemon::Question;
use crate::decision::Found;
use crate::engine_api::{CallingContainer, containers_at};
use crate::policy::client::Identity;

use super::Gate;
use super::connection::Connection;
use super::lookups::{self, Asker};

/// The one running container that has the address on a network, and had begun when the connection was taken.
///
/// # Errors
/// The cause, for a person: there is none, or more than one, or the daemon does not say in time.
pub(super) async fn at(
    gate: &Arc<Gate>,
    source: Option<IpAddr>,
    taken: Timestamp,
) -> Result<CallingContainer, String> {
    let source = source.ok_or("the client has gone")?;
    let asked = time::timeout(gate.limits.handshake_deadline, look_up(gate, source));
    let container = asked
        .await
        .map_err(|_| format!("the daemon did not say in time which container {source} is"))??;
    // Else who called may be gone already, and this one have got its address.
    if container.started.as_str() >= taken.to_string().trim_end_matches('Z') {
        let name = &container.name;
        return Err(format!(
            "the container `{name}` at {source} began after the call"
        ));
    }
    Ok(container)
}

/// Whether the container of this connection, where it is one, is still what and where it was.
///
/// # Errors
/// The cause, for a person; the connection must end.
pub(super) async fn unchanged(connection: &mut Connection) -> Result<(), String> {
    let Identity::Container(known) = &connection.client.identity else {
        return Ok(());
    };
    let known = known.clone();
    let source = connection.client.source.ok_or("it has no address")?;
    let read = |bytes: &[u8]| CallingContainer::read(bytes, &known.id, source);
    let found = Box::pin(lookups::ask(
        connection,
        Question::Container(&known.id),
        read,
    ))
    .await;
    match told(found)? {
        same if same == known => Ok(()),
        _ => Err("its name or labels are others, or it was started anew".to_owned()),
    }
}

async fn look_up(gate: &Arc<Gate>, source: IpAddr) -> Result<CallingContainer, String> {
    // A list of containers is large; who waits here waits no longer than for a handshake.
    let _place = LISTS
        .acquire()
        .await
        .map_err(|_| "the gate is ending".to_owned())?;
    let mut asker = Asker {
        gate: Arc::clone(gate),
        idle: None,
    };
    let at_source = |bytes: &[u8]| containers_at(bytes, source);
    let ids = told(asker.ask(Question::Containers, at_source).await)?;
    let id = match ids.as_slice() {
        [] => return Err(format!("no running container has the address {source}")),
        [id] => id,
        [_, _, ..] => {
            let count = ids.len();
            return Err(format!("{count} containers have the address {source}"));
        }
    };
    let read = |bytes: &[u8]| CallingContainer::read(bytes, id, source);
    told(asker.ask(Question::Container(id), read).await)
}

fn told<T>(found: Found<T>) -> Result<T, String> {
    match found {
        Found::Is(found) => Ok(found),
        Found::Answered { message, .. } | Found::Unknown(message) => Err(message),
    }
}

/// Lists of containers that are read at once.
static LISTS: Semaphore = Semaphore::const_new(4);
