//! A client's connection: one request after the other, until either side has had enough.

use std::future::poll_fn;
use std::mem::take;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Buf as _;
use tokio::sync::watch;
use tokio::time::{self, Instant};

use crate::audit::record::{Outcome, Verdict};
use crate::config::Limits;
use crate::daemon::IdleConnection;
use crate::http1::{Framing, HeadFault, HeadSearch, Request};
use crate::peer::Peer;

use super::allowance::{Allowed, PAUSE};
use super::deadline::Deadline;
use super::ending::Ending;
use super::record::{self, ExchangeRecord, Verdicts};
use super::refusal::OwnAnswer;
use super::standing::Standing;
use super::{Client, Gate, Phase, exchange};

/// A client's connection, between or within its exchanges.
#[derive(Debug)]
pub(super) struct Connection {
    /// The configuration that the request under way is judged by.
    pub(super) gate: Arc<Gate>,
    pub(super) standing: Standing,
    pub(super) client: Client,
    pub(super) peer: Peer,
    /// The daemon's connection that the last exchange left; no other client ever uses it.
    pub(super) idle: Option<IdleConnection>,
    has_answered: bool,
    /// Whether the client has waited already for the answer that tells it to.
    has_paused: bool,
    deadline: Deadline,
    ending: Ending,
}

/// What follows an exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum After {
    KeepAlive,
    /// The answer is whole; the connection ends once the client has had time to read it.
    Linger,
    Drop,
}

/// Why there is no next request.
#[derive(Debug)]
enum NoRequest {
    /// The client, or the gate, ends the connection between two requests.
    End,
    Fault(HeadFault),
    TooSlow,
}

impl Connection {
    pub(super) fn new(
        (gate, standing): (Arc<Gate>, Standing),
        client: Client,
        peer: Peer,
        phase: watch::Receiver<Phase>,
    ) -> Self {
        let deadline = Deadline::new(gate.limits.head_deadline);
        Self {
            gate,
            standing,
            client,
            peer,
            idle: None,
            has_answered: false,
            has_paused: false,
            deadline,
            ending: Ending::new(phase),
        }
    }

    /// Answers requests until the connection ends.
    pub(super) async fn run(mut self) {
        self.admit().await;
        loop {
            let after = match self.next_request().await {
                Ok(request) => {
                    let after = exchange(&mut self, request).await;
                    self.has_answered = true;
                    after
                }
                Err(NoRequest::End) => return,
                Err(NoRequest::Fault(fault)) => {
                    let answer = OwnAnswer::from(&fault);
                    Box::pin(self.refuse_head(fault.code(), answer, Outcome::Refused)).await
                }
                Err(NoRequest::TooSlow) => {
                    let answer = OwnAnswer::new(408, "the request's head did not come in time");
                    Box::pin(self.refuse_head("head-too-slow", answer, Outcome::TimedOut)).await
                }
            };
            match after {
                After::KeepAlive => {}
                After::Linger => return Box::pin(self.linger()).await,
                After::Drop => return,
            }
        }
    }

    /// Takes the token of the first request; who has none is not heard for a while, and told so then.
    async fn admit(&mut self) {
        let allowed = self.client.allowed.as_mut();
        if !allowed.is_none_or(Allowed::connect) {
            self.pause().await;
            self.has_paused = true;
        }
    }

    /// The time after which a client that is over a limit is answered. Until then it is not heard, and keeps its place
    /// among the connections: who waits for answers asks no more than once in it, however it connects.
    pub(super) async fn pause(&mut self) {
        if take(&mut self.has_paused) {
            return;
        }
        tokio::select! {
            () = time::sleep(PAUSE) => {}
            () = poll_fn(|cx| self.ending.poll(cx)) => {}
        }
    }

    /// Whether the gate takes no further requests.
    pub(super) fn is_draining(&self) -> bool {
        self.ending.has_begun()
    }

    /// Answers a request without the daemon; `unread` is what is left of its body.
    pub(super) async fn refuse(
        &mut self,
        request: &Request,
        answer: &OwnAnswer,
        unread: Framing,
    ) -> After {
        let closes = unread != Framing::Empty || !request.keeps_alive() || self.is_draining();
        answer.queue(&mut self.peer, request.method == "HEAD", closes);
        self.after_own_answer(closes).await
    }

    async fn after_own_answer(&mut self, closes: bool) -> After {
        // Most answers are written at once, and need no timer.
        let flushed = match poll_fn(|cx| Poll::Ready(self.peer.poll_flush(cx))).await {
            Poll::Ready(flushed) => Ok(flushed),
            Poll::Pending => {
                let deadline = self.gate.limits.linger_deadline;
                Box::pin(time::timeout(deadline, self.peer.flush())).await
            }
        };
        match flushed {
            Ok(Ok(())) if closes => After::Linger,
            Ok(Ok(())) => After::KeepAlive,
            Ok(Err(_)) | Err(_) => After::Drop,
        }
    }

    /// Answers and records what is no request.
    async fn refuse_head(
        &mut self,
        code: &'static str,
        mut answer: OwnAnswer,
        outcome: Outcome,
    ) -> After {
        let written = match ExchangeRecord::open(&self.gate).await {
            Ok(mut record) => {
                record.status = Some(answer.status);
                record.outcome = outcome;
                let reasons = record::reason(code, &answer.message);
                let verdicts = Verdicts::unread(Verdict::Malformed, &reasons, answer.status);
                record
                    .decided(&self.gate, &self.client, None, verdicts)
                    .await
            }
            Err(error) => Err(error),
        };
        if let Err(error) = written {
            answer = error.into();
        }
        answer.queue(&mut self.peer, false, true);
        self.after_own_answer(true).await
    }

    /// The next request's head; the gate's own end is waited for only while nothing of it has come.
    async fn next_request(&mut self) -> Result<Request, NoRequest> {
        let limits = &self.gate.limits;
        let mut head = HeadReading {
            peer: &mut self.peer,
            deadline: &mut self.deadline,
            limits,
            // Who connects has something to ask, and keeps a place until it does.
            begins_within: if self.has_answered {
                limits.idle_deadline
            } else {
                limits.head_deadline
            },
            search: HeadSearch::default(),
            until: None,
        };
        if head.peer.input.is_empty() {
            tokio::select! {
                biased;
                begun = poll_fn(|cx| head.poll_begin(cx)) => begun?,
                () = poll_fn(|cx| self.ending.poll(cx)) => return Err(NoRequest::End),
            }
        }
        poll_fn(|cx| head.poll(cx)).await
    }

    /// Ends the sending side and drops what still comes, for a bounded time: closing at once would reset the
    /// connection, and a reset takes the answer from a client that has not read it yet.
    async fn linger(mut self) {
        self.idle = None;
        let deadline = self.gate.limits.linger_deadline;
        let ended = time::timeout(deadline, self.peer.end());
        // However it ended, the client has had its time.
        let _ = ended.await;
    }
}

/// A head on its way in.
struct HeadReading<'a> {
    peer: &'a mut Peer,
    deadline: &'a mut Deadline,
    limits: &'a Limits,
    begins_within: Duration,
    search: HeadSearch,
    until: Option<Instant>,
}

impl HeadReading<'_> {
    /// Ready with the first byte.
    fn poll_begin(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), NoRequest>> {
        match self.peer.poll_fill(cx) {
            Poll::Ready(Ok(0) | Err(_)) => Poll::Ready(Err(NoRequest::End)),
            Poll::Ready(Ok(_)) => {
                self.until = None;
                Poll::Ready(Ok(()))
            }
            Poll::Pending => {
                ready!(self.poll_deadline(cx, self.begins_within));
                Poll::Ready(Err(NoRequest::End))
            }
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Request, NoRequest>> {
        let limit = self.limits.head_bytes;
        loop {
            let input = &self.peer.input;
            let end = self.search.end(input).map_err(NoRequest::Fault)?;
            if end.unwrap_or(input.len()) > limit {
                return Poll::Ready(Err(NoRequest::Fault(HeadFault::TooLarge { limit })));
            }
            if let Some(end) = end {
                let head = input.get(..end).unwrap_or_default();
                let request = Request::parse(head, self.limits.header_lines);
                self.peer.input.advance(end);
                return Poll::Ready(request.map_err(NoRequest::Fault));
            }
            match self.peer.poll_fill(cx) {
                Poll::Ready(Ok(0) | Err(_)) => return Poll::Ready(Err(NoRequest::End)),
                Poll::Ready(Ok(_)) => {}
                Poll::Pending => {
                    ready!(self.poll_deadline(cx, self.limits.head_deadline));
                    return Poll::Ready(Err(NoRequest::TooSlow));
                }
            }
        }
    }

    /// Counts from the first call since the last thing that was waited for.
    fn poll_deadline(&mut self, cx: &mut Context<'_>, within: Duration) -> Poll<()> {
        let until = *self.until.get_or_insert_with(|| Instant::now() + within);
        self.deadline.poll(cx, until)
    }
}
