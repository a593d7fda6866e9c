//! A request read, decided and recorded; nothing has been forwarded yet.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::audit::record::{self, Outcome, Verdict};
use crate::audit::text::Text;
use crate::decision::{self, Decision, Permit};
use crate::engine_api::{Body, BodyKind, EngineRequest, Malformed, RequestHead};
use crate::http1::{Framing, Request};

use super::allowance::Over;
use super::calling_container;
use super::connection::Connection;
use super::forward::CONTINUE;
use super::headers;
use super::large::LARGE;
use super::record::{ExchangeRecord, Verdicts};
use super::refusal::OwnAnswer;
use super::request_body::{self, ReadFault};
use super::standing::TurnedAway;
use super::versions;
use super::weigh;

/// What becomes of a request.
pub(super) enum Judged {
    /// It may be forwarded, with a body of this framing still to be read.
    Permitted {
        permit: Permit,
        framing: Framing,
    },
    Refused {
        answer: OwnAnswer,
        outcome: Outcome,
        /// The framing of what was not read of the body.
        unread: Framing,
    },
    ClientGone,
}

/// Why a request was not understood.
enum NotRead {
    /// The client was let in, and is not any more.
    TurnedAway(TurnedAway),
    Malformed(Malformed),
    Body(ReadFault),
    /// The client is over a limit of its owner's.
    Over(Over),
}

/// Reads the request, decides, and records the decision.
pub(super) async fn judge(
    connection: &mut Connection,
    record: &mut ExchangeRecord,
    request: &Request,
) -> Judged {
    let engine_request = match read(connection, record, request).await {
        Ok(engine_request) => engine_request,
        Err(NotRead::Body(ReadFault::ClientGone)) => return Judged::ClientGone,
        Err(not_read) => return without_decision(connection, record, request, not_read).await,
    };
    let is_read = !matches!(engine_request.body, Body::Stream);
    let unread = if is_read {
        Framing::Empty
    } else {
        request.framing
    };
    let dropped = dropped(request, &engine_request);
    let (decision, observed) = weigh::weigh(connection, record, engine_request).await;
    let (reasons, permit, answer) = match decision {
        Decision::Permit(permit) => (Vec::new(), Some(permit), None),
        Decision::Refuse(refusal) => {
            let answer = OwnAnswer::from(&refusal);
            (refusal.reasons, None, Some(answer))
        }
    };
    let reasons: Vec<_> = reasons.iter().map(recorded).collect();
    let observed: Vec<_> = observed.iter().map(recorded).collect();
    let verdicts = Verdicts {
        verdict: if permit.is_some() {
            Verdict::Permit
        } else {
            Verdict::Refuse
        },
        reasons: &reasons,
        dropped: &dropped,
        rewritten: permit.as_ref().map_or(&[], Permit::rewritten),
        observed: &observed,
        status: answer.as_ref().map(|answer| answer.status),
    };
    let written = record
        .decided(
            &connection.gate,
            &connection.client,
            Some(request),
            verdicts,
        )
        .await;
    let answer = match (written, permit, answer) {
        (Ok(()), Some(permit), None) => {
            return Judged::Permitted {
                permit,
                framing: unread,
            };
        }
        (Ok(()), _, Some(answer)) => answer,
        (Err(error), ..) => error.into(),
        (Ok(()), None, None) => OwnAnswer::new(500, "the gate came to no decision"),
    };
    Judged::Refused {
        answer,
        outcome: Outcome::Refused,
        unread,
    }
}

/// The names of what does not go on, of the query, the body and the head.
fn dropped(request: &Request, engine_request: &EngineRequest) -> Vec<String> {
    let mut dropped = engine_request.dropped.clone();
    dropped.append(&mut headers::dropped(&request.headers, engine_request));
    dropped
}

/// Head and, where it is judged, body, as the Engine API means them.
async fn read(
    connection: &mut Connection,
    record: &mut ExchangeRecord,
    request: &Request,
) -> Result<Box<EngineRequest>, NotRead> {
    let standing = connection.renew();
    let head = RequestHead::parse(&request.method, &request.target);
    if let Ok(head) = &head {
        record.names(head);
    }
    // A flood costs no more than its heads, whatever is in them.
    if let (Ok(()), Some(allowed)) = (&standing, &mut connection.client.allowed) {
        record.held.exchange = allowed.begin().map_err(NotRead::Over)?;
    }
    let mut head = head.map_err(NotRead::Malformed)?;
    standing.map_err(NotRead::TurnedAway)?;
    if connection.client.identity.has_expired(now) {
        return Err(NotRead::TurnedAway(TurnedAway::Expired));
    }
    let unchanged = calling_container::unchanged(connection).await;
    unchanged.map_err(|cause| NotRead::TurnedAway(TurnedAway::Changed(cause)))?;
    let credentials = headers::check(&request.headers, head.target.operation());
    credentials.map_err(NotRead::Malformed)?;
    if connection.client.policy.permits_everything {
        return Ok(Box::new(head.unjudged()));
    }
    let settled = versions::settle(connection, &mut head).await;
    settled.map_err(NotRead::Malformed)?;
    let body = match head.body_kind() {
        BodyKind::Stream => Vec::new(),
        BodyKind::None | BodyKind::Json => read_body(connection, record, request).await?,
    };
    record.traffic.from_client += body.len() as u64;
    if body.len() > LARGE {
        record.held.large = connection.client.lane.turn(body.len()).await;
    }
    // A body may come slowly, and is judged by what is in force once it is there.
    connection.renew().map_err(NotRead::TurnedAway)?;
    let is_judged = head.body_kind() == BodyKind::Json && !body.is_empty();
    let engine_request = match &record.held.large {
        None => head.with_body(&body),
        Some(turn) => turn.aside(|| head.with_body(&body)).await,
    }
    .map_err(NotRead::Malformed)?;
    if is_judged && matches!(engine_request.body, Body::Stream) {
        // The bytes are gone, and nothing may be forwarded in their stead.
        let cause = "the gate has no model of it".to_owned();
        return Err(NotRead::Malformed(Malformed::Body(cause)));
    }
    Ok(Box::new(engine_request))
}

async fn read_body(
    connection: &mut Connection,
    record: &mut ExchangeRecord,
    request: &Request,
) -> Result<Vec<u8>, NotRead> {
    let limits = connection.gate.limits;
    let most = most_judged(connection);
    if request_body::is_over(request.framing, most) {
        return Err(NotRead::Body(ReadFault::TooLarge));
    }
    let allowed = connection.client.allowed.as_ref();
    let held = &mut record.held.body;
    let known = match request.framing {
        Framing::Length(length) => Some(length),
        Framing::Chunked => Some(0),
        Framing::Empty | Framing::UntilEnd => None,
    };
    let mut charged = 0;
    if let (Some(allowed), Some(known)) = (allowed, known) {
        *held = allowed.body(known).map_err(NotRead::Over)?;
        let paid = allowed.size(&mut charged, known);
        paid.map_err(NotRead::Over)?;
    }
    if request.expects_continue() {
        connection.peer.queue(CONTINUE);
        let flushed = connection.peer.flush().await;
        flushed.map_err(|_| NotRead::Body(ReadFault::ClientGone))?;
    }
    let mut over = None;
    let has_room = |bytes: usize| {
        over = allowed.and_then(|allowed| {
            let grown = allowed.grow(held, bytes as u64);
            grown
                .and_then(|()| allowed.size(&mut charged, bytes as u64))
                .err()
        });
        over.is_none()
    };
    let bounds = (most, limits.judged_body_deadline);
    let read =
        request_body::read_bounded(&mut connection.peer, request.framing, bounds, has_room).await;
    read.map_err(|fault| over.map_or(NotRead::Body(fault), NotRead::Over))
}

/// Bytes of the largest body that this client may send: one that is over what all of them may have could never be read.
fn most_judged(connection: &Connection) -> usize {
    let limit = connection.gate.limits.judged_body_bytes;
    let allowed = connection.client.allowed.as_ref();
    let own = allowed.and_then(|allowed| allowed.allowance.judged_bytes);
    let own = own.and_then(|bytes| usize::try_from(bytes).ok());
    own.map_or(limit, |own| own.min(limit))
}

/// Records and answers a request that was not understood, or not even read; what is left of its body is not read.
async fn without_decision(
    connection: &Connection,
    record: &mut ExchangeRecord,
    request: &Request,
    not_read: NotRead,
) -> Judged {
    let limits = connection.gate.limits;
    let (verdict, unread) = match not_read {
        // No request may follow.
        NotRead::TurnedAway(_) => (Verdict::Refuse, Framing::UntilEnd),
        NotRead::Over(_) => (Verdict::Refuse, request.framing),
        NotRead::Malformed(_) | NotRead::Body(_) => (Verdict::Malformed, request.framing),
    };
    let (code, answer, outcome) = match not_read {
        NotRead::TurnedAway(cause) => (cause.code(), OwnAnswer::from(&cause), Outcome::Refused),
        NotRead::Over(over) => (over.code(), OwnAnswer::from(&over), Outcome::Refused),
        NotRead::Malformed(fault) => (fault.code(), OwnAnswer::from(&fault), Outcome::Refused),
        NotRead::Body(ReadFault::Malformed(fault)) => {
            ("malformed-body", OwnAnswer::from(fault), Outcome::Refused)
        }
        NotRead::Body(ReadFault::TooSlow) => {
            let deadline = limits.judged_body_deadline.as_secs();
            let message = format!("the body did not come within {deadline} s");
            (
                "body-too-slow",
                OwnAnswer::new(408, message),
                Outcome::TimedOut,
            )
        }
        NotRead::Body(ReadFault::TooLarge | ReadFault::NoRoom | ReadFault::ClientGone) => {
            let limit = most_judged(connection);
            let message =
                format!("the body is larger than {limit} bytes, which is what the gate reads");
            (
                "body-too-large",
                OwnAnswer::new(413, message),
                Outcome::Refused,
            )
        }
    };
    let reasons = super::record::reason(code, &answer.message);
    let verdicts = Verdicts::unread(verdict, &reasons, answer.status);
    let written = record
        .decided(
            &connection.gate,
            &connection.client,
            Some(request),
            verdicts,
        )
        .await;
    let answer = match written {
        Ok(()) => answer,
        Err(error) => error.into(),
    };
    Judged::Refused {
        answer,
        outcome,
        unread,
    }
}

/// In seconds since 1970; a clock that cannot be read is past every end.
pub(super) fn now() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .ok()
        .and_then(|since| i64::try_from(since.as_secs()).ok())
        .unwrap_or(i64::MAX)
}

fn recorded(reason: &decision::Reason) -> record::Reason<'_> {
    let present = |text: &'_ str| !text.is_empty();
    record::Reason {
        code: reason.code,
        field: Some(&*reason.field).filter(|text| present(text)).map(Text),
        value: Some(&*reason.value).filter(|text| present(text)).map(Text),
        message: Text(&reason.message),
        line: Some(reason.line).filter(|line| *line > 0),
    }
}
