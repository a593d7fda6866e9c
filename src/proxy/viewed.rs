//! The daemon's answer as the policy lets the client see it: taken apart within bounds, and put together anew.

mod own_things;
mod shown;
mod whole;

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, BytesMut};

use crate::daemon::Passed;
use crate::decision::{AnswerShape, Permit, View};
use crate::engine_api::{Operation, json};
use crate::http1::{Body, Extras, Framing, Piece, Request, Response, Version};

use super::large::Lane;
use super::relay::{Relay, RelayFault};
use super::{Gate, headers, versions};
use own_things::OwnThings;
use shown::Shown;

/// An answer that is shown element by element while it comes.
#[derive(Debug)]
pub(super) struct Viewing {
    body: Body,
    /// Data of the body at the front of what the daemon has sent.
    found: usize,
    shown: Shown,
    /// For events of one's own.
    own_things: Option<OwnThings>,
    is_done: bool,
}

/// What of the client's head goes on; where the answer is shown in part only, the daemon is asked for the form that it
/// gives to whoever asks for none.
pub(super) fn passed<'a>(request: &'a Request, permit: &Permit, framing: Framing) -> Passed<'a> {
    let mut passed = headers::passed(request, permit.request(), framing);
    if permit.view().is_some_and(View::takes_apart) {
        passed.headers.retain(|(name, _)| *name != "Accept");
    }
    passed
}

/// Waits for the answer; where a view applies, one that comes as a whole is shown already, and any other is to be
/// shown while it comes.
///
/// # Errors
/// [`RelayFault`] where there is none, or it cannot be shown; nothing of it has gone to the client.
pub(super) async fn answer(
    relay: &mut Relay<'_>,
    (operation, gate, is_judged): (Option<Operation>, &Arc<Gate>, bool),
    (view, version, lane): (Option<Box<View>>, Version, &Lane),
) -> Result<(Response, Option<Box<Viewing>>), RelayFault> {
    let judged = is_judged.then_some(&**gate);
    let answer = versions::answer(relay, operation, judged).await?;
    let view = view.filter(|_| answer.framing != Framing::Empty);
    match view.and_then(|view| view.for_status(answer.status)) {
        None => Ok((answer, None)),
        Some(view) => Box::pin(begin(relay, answer, view, (gate, version, lane))).await,
    }
}

/// Shows an answer that comes as a whole, and makes any other ready to be shown.
async fn begin(
    relay: &mut Relay<'_>,
    mut answer: Response,
    mut view: Box<View>,
    (gate, version, lane): (&Arc<Gate>, Version, &Lane),
) -> Result<(Response, Option<Box<Viewing>>), RelayFault> {
    let shape = view.shape();
    check_form(&answer, shape).map_err(|cause| not_shown(&cause))?;
    let framing = answer.framing;
    if !answer.keeps_alive() {
        // The framing will not tell any more that the daemon ends the connection.
        answer.headers.set("Connection", "close");
    }
    // They would be those of what is hidden.
    for name in [
        "ETag",
        "Content-MD5",
        "Digest",
        "Content-Digest",
        "Repr-Digest",
    ] {
        answer.headers.remove(name);
    }
    if shape == AnswerShape::Object {
        let (whole, place) = relay.whole(framing).await?;
        let shown = match lane.turn(whole.len()).await {
            None => show_whole(&mut view, &whole),
            Some(turn) => turn.aside(|| show_whole(&mut view, &whole)).await,
        };
        let shown = shown.map_err(|cause| not_shown(&cause))?;
        drop((whole, place));
        put_back(relay, &mut answer, &shown);
        return Ok((answer, None));
    }
    answer.headers.remove("Content-Length");
    answer.framing = match version {
        Version::Http11 => Framing::Chunked,
        Version::Http10 => Framing::UntilEnd,
    };
    let own_things = match view.owner_of_events().map(str::to_owned) {
        Some(owner) => Some(OwnThings::begin(gate, &owner, &mut view).await),
        None => None,
    };
    let viewing = Box::new(Viewing {
        body: Body::new(framing, Extras::Passed),
        found: 0,
        shown: Shown::new(view, answer.framing),
        own_things,
        is_done: false,
    });
    Ok((answer, Some(viewing)))
}

/// What a client gets to see of an answer's body that comes in these pieces, without a connection: for tests and fuzzing.
///
/// # Errors
/// What of it has gone to the client before it turned out that the rest cannot be shown, and why.
pub fn shown_in_pieces(view: Box<View>, pieces: &[&[u8]]) -> Result<String, (String, String)> {
    if view.shape() == AnswerShape::Object {
        let mut view = view;
        return show_whole(&mut view, &pieces.concat()).map_err(|cause| (String::new(), cause));
    }
    let mut shown = Shown::new(view, Framing::UntilEnd);
    let mut read = || {
        for piece in pieces {
            let mut rest = *piece;
            while !rest.is_empty() {
                let taken = shown.take(rest)?;
                // Nobody is asked whose a thing is.
                shown.told(false);
                rest = rest.get(taken..).unwrap_or_default();
            }
        }
        shown.end()
    };
    let outcome = read();
    let text = shown.batch();
    outcome
        .map(|()| text.clone())
        .map_err(|cause| (text, cause))
}

/// What is not JSON, or is packed, could hold anything.
fn check_form(answer: &Response, shape: AnswerShape) -> Result<(), String> {
    let kind = answer.headers.first("content-type").unwrap_or_default();
    let kind = String::from_utf8_lossy(kind);
    let kind = kind.split(';').next().unwrap_or_default().trim();
    let is_json = kind.eq_ignore_ascii_case("application/json");
    let is_row = ["application/jsonl", "application/x-ndjson"]
        .iter()
        .any(|row| kind.eq_ignore_ascii_case(row));
    let is_read = match shape {
        AnswerShape::Object | AnswerShape::List | AnswerShape::Within(_) => is_json,
        AnswerShape::Stream => is_json || is_row,
    };
    if !is_read {
        return Err(format!("it is `{kind}`"));
    }
    match answer.headers.first("content-encoding") {
        Some(coding) if !coding.eq_ignore_ascii_case(b"identity") => Err("it is packed".to_owned()),
        Some(_) | None => Ok(()),
    }
}

/// An answer without a word stays one.
fn show_whole(view: &mut View, bytes: &[u8]) -> Result<String, String> {
    if bytes.trim_ascii().is_empty() {
        return Ok(String::new());
    }
    let mut value = json::parse(bytes).map_err(|fault| fault.to_string())?;
    if !view.show(&mut value) {
        return Err("nothing of it may be shown".to_owned());
    }
    let mut text = String::with_capacity(bytes.len());
    value.write(&mut text);
    text.push('\n');
    Ok(text)
}

/// Puts the answer before what else the daemon has sent, as if it had come like that.
fn put_back(relay: &mut Relay<'_>, answer: &mut Response, text: &str) {
    let length = text.len();
    answer.headers.set("Content-Length", &length.to_string());
    answer.framing = match length as u64 {
        0 => Framing::Empty,
        length => Framing::Length(length),
    };
    let after = std::mem::replace(&mut relay.daemon.input, BytesMut::from(text));
    relay.daemon.input.unsplit(after);
}

fn not_shown(cause: &dyn std::fmt::Display) -> RelayFault {
    // The cause may name what is hidden, so the client is not told.
    tracing::warn!(%cause, "an answer of the daemon cannot be shown in part");
    let told = "parts of it are hidden from this client, and it has not the form of an answer of which parts can be hidden";
    RelayFault::DaemonMalformed(told.to_owned())
}

impl Relay<'_> {
    /// Shows the answer as it comes; the rest of the request goes on beside it.
    pub(super) async fn viewed(&mut self, mut viewing: Box<Viewing>) -> Result<(), RelayFault> {
        poll_fn(|cx| {
            self.poll_request(cx)?;
            self.poll_viewed(cx, &mut viewing)
        })
        .await
    }

    /// How many bytes at the front of the daemon's input are of the body, `None` at its end.
    fn poll_data(
        &mut self,
        cx: &mut Context<'_>,
        body: &mut Body,
    ) -> Poll<Result<Option<usize>, RelayFault>> {
        loop {
            let piece = body.next(&self.daemon.input);
            match piece.map_err(|fault| RelayFault::DaemonMalformed(fault.to_string()))? {
                Piece::Framing(count) => self.daemon.input.advance(count),
                Piece::Data(count) => return Poll::Ready(Ok(Some(count))),
                Piece::Done => return Poll::Ready(Ok(None)),
                Piece::More => match ready!(self.daemon.poll_fill(cx)) {
                    Ok(0) if body.ends_with_connection() => return Poll::Ready(Ok(None)),
                    Ok(0) => return Poll::Ready(Err(RelayFault::DaemonGone(None))),
                    Ok(_) => {}
                    Err(error) => return Poll::Ready(Err(RelayFault::lost(&error))),
                },
            }
        }
    }

    fn poll_viewed(
        &mut self,
        cx: &mut Context<'_>,
        viewing: &mut Viewing,
    ) -> Poll<Result<(), RelayFault>> {
        for _ in 0..TURNS {
            // No more is read before the client has what was: that is what bounds the memory.
            ready!(self.client.poll_flush(cx)).map_err(|_| RelayFault::ClientGone)?;
            if viewing.is_done {
                return Poll::Ready(Ok(()));
            }
            let data = self.poll_batch(cx, viewing);
            viewing
                .shown
                .queue(self.client, &mut self.traffic.to_client);
            match data {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(fault)) => return Poll::Ready(Err(fault)),
                Poll::Pending => {
                    // What is whole goes out at once: the next event may be long in coming.
                    ready!(self.client.poll_flush(cx)).map_err(|_| RelayFault::ClientGone)?;
                    return Poll::Pending;
                }
            }
        }
        // Both sides are fast; the other direction must have its turn too.
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Takes elements until there are enough for one write; pending where the daemon has no more for now.
    fn poll_batch(
        &mut self,
        cx: &mut Context<'_>,
        viewing: &mut Viewing,
    ) -> Poll<Result<(), RelayFault>> {
        let mut read = 0;
        while !viewing.shown.is_enough() && read < MOST_IN_A_ROW {
            if let Some(thing) = viewing.shown.unknown() {
                let is_own = match &mut viewing.own_things {
                    Some(own) => ready!(own.poll(cx, thing)),
                    None => false,
                };
                viewing.shown.told(is_own);
            }
            if viewing.found == 0 {
                match ready!(self.poll_data(cx, &mut viewing.body))? {
                    Some(count) => viewing.found = count,
                    None => {
                        viewing.shown.end().map_err(|cause| not_shown(&cause))?;
                        viewing.is_done = true;
                        return Poll::Ready(Ok(()));
                    }
                }
            }
            let data = self.daemon.input.get(..viewing.found).unwrap_or_default();
            let taken = viewing.shown.take(data);
            let taken = taken.map_err(|cause| not_shown(&cause))?;
            self.daemon.input.advance(taken);
            viewing.found -= taken;
            read += taken;
        }
        Poll::Ready(Ok(()))
    }
}

/// Writes in a row; each is of elements that were read, judged and written anew, so others wait long enough.
const TURNS: usize = 2;
/// Bytes that are read in a row, where next to nothing of them is shown.
const MOST_IN_A_ROW: usize = 64 * 1024;
