//! What was permitted, sent to the daemon; its answer, brought back.

use std::future::poll_fn;
use std::io;
use std::mem::take;
use std::task::Poll;

use crate::audit::record::Outcome;
use crate::daemon::{Daemon, IdleConnection, Unavailable, Upgrade};
use crate::decision::Permit;
use crate::engine_api::{Hijack, Operation};
use crate::http1::{Body, Extras, Framing, Request, Response};
use crate::peer::Peer;

use super::connection::{After, Connection};
use super::pump::{Coding, Pump};
use super::record::ExchangeRecord;
use super::refusal::OwnAnswer;
use super::relay::{ClientEnd, Relay, RelayFault, Sending};
use super::viewed::{self, Viewing};
use super::{allowance, response, tunnel};

/// Sends what was permitted to the daemon and its answer to the client.
///
/// `framing` is that of the body that the client has yet to send.
pub(super) async fn forward(
    connection: &mut Connection,
    record: &mut ExchangeRecord,
    (mut request, framing): (Request, Framing),
    permit: Permit,
) -> After {
    let idle = match daemon_connection(&mut connection.idle, &connection.gate.daemon).await {
        Ok(idle) => idle,
        Err(unavailable) => {
            let answer = OwnAnswer::from(unavailable);
            record.status = Some(answer.status);
            record.outcome = Outcome::DaemonUnavailable;
            return connection.refuse(&request, &answer, framing).await;
        }
    };
    let waits = framing != Framing::Empty && request.expects_continue();
    if waits && lets_go_on(&mut connection.peer).await.is_err() {
        record.outcome = Outcome::ClientGone;
        return After::Drop;
    }
    let (operation, hijack) = (permit.request().operation(), permit.request().hijack());
    let passed = viewed::passed(&request, &permit, framing);
    let upgrade = passed.upgrade;
    let mut daemon = match record.held.large.take() {
        None => idle.send(&permit, &passed),
        Some(turn) => turn.aside(|| idle.send(&permit, &passed)).await,
    };
    // An answer may take for ever, and head and body have megabytes.
    let shown = (permit.into_view(), request.version, &connection.client.lane);
    request.keep_only(&["connection", "upgrade"]);
    let (request, is_draining) = (&request, connection.is_draining());
    let mut relay = Relay {
        client: &mut connection.peer,
        daemon: &mut daemon,
        request: Pump::new(Body::new(framing, Extras::Refused), Coding::Kept),
        sending: Sending::UnderWay,
        passes_end: operation.is_none_or(Operation::ends_with_client),
        end: ClientEnd::default(),
        is_head: request.method == "HEAD",
        traffic: &mut record.traffic,
    };
    let is_judged = !connection.client.policy.permits_everything;
    let judged = (operation, &connection.gate, is_judged);
    let (answer, viewing) = match viewed::answer(&mut relay, judged, shown).await {
        Ok(answered) => answered,
        Err(fault) => return unfinished(connection, record, daemon, (request, &fault)).await,
    };
    record.held.is_answered();
    match becomes(&answer, hijack, upgrade) {
        Becomes::Answer => {
            record.status = Some(answer.status);
            let (outcome, after, is_clean) =
                bring_back(relay, request, (&answer, viewing), is_draining).await;
            record.outcome = outcome;
            if is_clean && answer.keeps_alive() {
                connection.idle = IdleConnection::after(daemon);
            }
            after
        }
        Becomes::Tunnel => match relay.rest_of_request().await {
            Ok(()) => join(connection, record, &mut daemon, (request, &answer, upgrade)).await,
            Err(fault) => without_answer(connection, record, request, &fault).await,
        },
        Becomes::Nonsense => without_answer(connection, record, request, &unasked()).await,
    }
}

/// Tells a client that waits for it to send its body.
async fn lets_go_on(client: &mut Peer) -> io::Result<()> {
    client.queue(CONTINUE);
    client.flush().await
}

/// The connection that this client's last exchange left, or a new one; a request is never sent twice.
pub(super) async fn daemon_connection(
    idle: &mut Option<IdleConnection>,
    daemon: &Daemon,
) -> Result<IdleConnection, Unavailable> {
    if let Some(mut idle) = idle.take()
        && poll_fn(|cx| Poll::Ready(idle.poll_is_fresh(cx))).await
    {
        return Ok(idle);
    }
    Box::pin(daemon.connect()).await
}

/// Moves an ordinary answer; tells how that ended, what follows, and whether the daemon's connection is at rest again.
async fn bring_back(
    mut relay: Relay<'_>,
    request: &Request,
    (answer, viewing): (&Response, Option<Box<Viewing>>),
    is_draining: bool,
) -> (Outcome, After, bool) {
    let is_unfinished = relay.sending != Sending::Done;
    let closes = is_draining
        || !request.keeps_alive()
        || answer.framing == Framing::UntilEnd
        || (is_unfinished && !answer.keeps_alive());
    let body = response::queue_head(relay.client, request, answer, closes);
    let moved = match viewing {
        Some(viewing) => Box::pin(relay.viewed(viewing)).await,
        None => relay.body(body).await,
    };
    if let Err(fault) = moved {
        // The client must see that its answer was cut, so nothing ends it properly.
        return (fault.outcome(), After::Drop, false);
    }
    let is_clean = relay.sending == Sending::Done && !relay.end.is_passed;
    let after = if closes || !is_clean {
        After::Linger
    } else {
        After::KeepAlive
    };
    (Outcome::Complete, after, is_clean)
}

async fn join(
    connection: &mut Connection,
    record: &mut ExchangeRecord,
    daemon: &mut Peer,
    (request, answer, upgrade): (&Request, &Response, Option<Upgrade>),
) -> After {
    let client = &mut connection.peer;
    record.status = Some(response::queue_hijack(client, request, answer, upgrade));
    record.becomes_tunnel();
    record.outcome = tunnel::join(client, daemon, &mut record.traffic).await;
    match record.outcome {
        // A tunnel has no end but that of the connection; what the daemon wrote before is still on its way.
        Outcome::Complete | Outcome::DaemonGone => After::Linger,
        Outcome::Refused
        | Outcome::ClientGone
        | Outcome::DaemonUnavailable
        | Outcome::TimedOut
        | Outcome::Cut
        | Outcome::Withdrawn
        | Outcome::Failed => After::Drop,
    }
}

/// What an answer makes of the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Becomes {
    Answer,
    Tunnel,
    /// It hands over a connection that it was not asked for.
    Nonsense,
}

/// Only an operation that hijacks becomes a tunnel, and only once the daemon says so.
fn becomes(answer: &Response, hijack: Hijack, upgrade: Option<Upgrade>) -> Becomes {
    match (answer.status, hijack) {
        (101, Hijack::No) => Becomes::Nonsense,
        (101, Hijack::Raw | Hijack::WebSocket | Hijack::H2c) if upgrade.is_none() => {
            Becomes::Nonsense
        }
        (101, Hijack::Raw | Hijack::WebSocket | Hijack::H2c) => Becomes::Tunnel,
        (_, Hijack::Raw) if response::is_old_hijack(answer) => Becomes::Tunnel,
        (_, Hijack::No | Hijack::Raw | Hijack::WebSocket | Hijack::H2c) => Becomes::Answer,
    }
}

fn unasked() -> RelayFault {
    RelayFault::DaemonMalformed("an upgrade that nobody asked for".to_owned())
}

/// Ends an exchange with which the daemon may go on for whoever is gone, still making what a quota counts.
async fn unfinished(
    connection: &mut Connection,
    record: &mut ExchangeRecord,
    daemon: Peer,
    (request, fault): (&Request, &RelayFault),
) -> After {
    allowance::until_answered(daemon, take(&mut record.held.turns));
    without_answer(connection, record, request, fault).await
}

/// Ends an exchange in which the daemon gave no answer that can be passed on.
async fn without_answer(
    connection: &mut Connection,
    record: &mut ExchangeRecord,
    request: &Request,
    fault: &RelayFault,
) -> After {
    record.outcome = fault.outcome();
    let daemon = &connection.gate.daemon.address;
    let answer = match fault {
        RelayFault::ClientGone => return After::Drop,
        RelayFault::ClientMalformed(fault) => OwnAnswer::from(*fault),
        RelayFault::DaemonGone(cause) => {
            let cause = cause.as_ref().map(|cause| format!(": {cause}"));
            let cause = cause.unwrap_or_default();
            OwnAnswer::new(
                502,
                format!(
                    "the Docker daemon at {daemon} closed the connection without an answer{cause}"
                ),
            )
        }
        RelayFault::DaemonMalformed(cause) => OwnAnswer::new(
            502,
            format!("the Docker daemon at {daemon} gave an answer that cannot be read: {cause}"),
        ),
    };
    record.status = Some(answer.status);
    // What is left of the body is not known any more.
    connection.refuse(request, &answer, Framing::UntilEnd).await
}

/// What a client waits for before it sends a body (RFC 9110, section 10.1.1).
pub(super) const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(text: &str) -> Response {
        Response::parse(format!("{text}\r\n\r\n").as_bytes(), 10).unwrap()
    }

    #[test]
    fn only_what_hijacks_becomes_a_tunnel() {
        let switched = answer("HTTP/1.1 101 UPGRADED");
        let tcp = Some(Upgrade::Tcp);
        assert_eq!(becomes(&switched, Hijack::Raw, tcp), Becomes::Tunnel);
        assert_eq!(becomes(&switched, Hijack::No, tcp), Becomes::Nonsense);
        assert_eq!(
            becomes(&switched, Hijack::WebSocket, None),
            Becomes::Nonsense
        );
    }

    #[test]
    fn the_older_form_is_a_raw_stream_without_a_length() {
        let tcp = Some(Upgrade::Tcp);
        let raw = "HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.raw-stream";
        assert_eq!(becomes(&answer(raw), Hijack::Raw, tcp), Becomes::Tunnel);
        assert_eq!(becomes(&answer(raw), Hijack::No, tcp), Becomes::Answer);
        for text in [
            "HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.raw-stream\r\nContent-Length: 0",
            "HTTP/1.1 200 OK\r\nContent-Type: application/json",
            "HTTP/1.1 409 Conflict\r\nContent-Type: application/vnd.docker.raw-stream",
        ] {
            assert_eq!(
                becomes(&answer(text), Hijack::Raw, tcp),
                Becomes::Answer,
                "{text}"
            );
        }
    }
}
