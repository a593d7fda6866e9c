//! A client's connection: one request after the other, until either side has had enough.

use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Buf as _;
use tokio::sync::watch;
use tokio::time::{self, Instant};

use crate::audit::record::{Outcome, Verdict};
use crate::daemon::IdleConnection;
use crate::http1::{Framing, HeadFault, HeadSearch, Request};
use crate::peer::Peer;

use super::deadline::Deadline;
use super::record::{self, ExchangeRecord, Verdicts};
use super::refusal::OwnAnswer;
use super::server::is_over;
use super::{Client, Gate, Phase, exchange};

/// A client's connection, between or within its exchanges.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) gate: Arc<Gate>,
    pub(super) client: Client,
    pub(super) peer: Peer,
    /// The daemon's connection that the last exchange left; no other client ever uses it.
    pub(super) idle: Option<IdleConnection>,
    has_answered: bool,
    deadline: Deadline,
    phase: watch::Receiver<Phase>,
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
        gate: Arc<Gate>,
        client: Client,
        peer: Peer,
        phase: watch::Receiver<Phase>,
    ) -> Self {
        let deadline = Deadline::new(gate.limits.head_deadline);
        Self {
            gate,
            client,
            peer,
            idle: None,
            has_answered: false,
            deadline,
            phase,
        }
    }

    /// Answers requests until the connection ends.
    pub(super) async fn run(mut self) {
        loop {
            let after = match self.next_request().await {
                Ok(request) => {
                    let after = exchange(&mut self, request).await;
                    self.has_answered = true;
                    after
                }
                Err(NoRequest::End) => return,
                Err(NoRequest::Fault(fault)) => {
                    self.refuse_head(fault.code(), OwnAnswer::from(&fault), Outcome::Refused)
                        .await
                }
                Err(NoRequest::TooSlow) => {
                    let answer = OwnAnswer::new(408, "the request's head did not come in time");
                    self.refuse_head("head-too-slow", answer, Outcome::TimedOut)
                        .await
                }
            };
            match after {
                After::KeepAlive => {}
                After::Linger => return self.linger().await,
                After::Drop => return,
            }
        }
    }

    /// Whether the gate takes no further requests.
    pub(super) fn is_draining(&self) -> bool {
        *self.phase.borrow() != Phase::Running
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
        let flushed = time::timeout(self.gate.limits.linger_deadline, self.peer.flush()).await;
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
                let verdicts = Verdicts {
                    verdict: Verdict::Malformed,
                    reasons: &record::reason(code, &answer.message),
                    dropped: &[],
                    status: Some(answer.status),
                };
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
        let mut phase = self.phase.clone();
        let mut head = HeadReading::new(self);
        if !head.has_begun() {
            tokio::select! {
                biased;
                begun = poll_fn(|cx| head.poll_begin(cx)) => begun?,
                () = is_over(&mut phase, Phase::Running) => return Err(NoRequest::End),
            }
        }
        poll_fn(|cx| head.poll(cx)).await
    }

    /// Ends the sending side and drops what still comes, for a bounded time: closing at once would reset the
    /// connection, and a reset takes the answer from a client that has not read it yet.
    async fn linger(mut self) {
        self.idle = None;
        let deadline = self.gate.limits.linger_deadline;
        let peer = &mut self.peer;
        let ended = time::timeout(deadline, async {
            poll_fn(|cx| peer.poll_shutdown(cx)).await?;
            poll_fn(|cx| {
                loop {
                    peer.input.clear();
                    if ready!(peer.poll_fill(cx))? == 0 {
                        return Poll::Ready(io::Result::Ok(()));
                    }
                }
            })
            .await
        });
        // However it ended, the client has had its time.
        let _ = ended.await;
    }
}

/// A head on its way in.
struct HeadReading<'a> {
    connection: &'a mut Connection,
    search: HeadSearch,
    until: Option<Instant>,
}

impl<'a> HeadReading<'a> {
    fn new(connection: &'a mut Connection) -> Self {
        Self {
            connection,
            search: HeadSearch::default(),
            until: None,
        }
    }

    fn has_begun(&self) -> bool {
        !self.connection.peer.input.is_empty()
    }

    /// Ready with the first byte.
    fn poll_begin(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), NoRequest>> {
        match self.connection.peer.poll_fill(cx) {
            Poll::Ready(Ok(0) | Err(_)) => Poll::Ready(Err(NoRequest::End)),
            Poll::Ready(Ok(_)) => {
                self.until = None;
                Poll::Ready(Ok(()))
            }
            Poll::Pending => {
                let connection = &mut *self.connection;
                let limits = &connection.gate.limits;
                // Who connects has something to ask, and keeps a place until it does.
                let deadline = if connection.has_answered {
                    limits.idle_deadline
                } else {
                    limits.head_deadline
                };
                let until = *self.until.get_or_insert_with(|| Instant::now() + deadline);
                ready!(connection.deadline.poll(cx, until));
                Poll::Ready(Err(NoRequest::End))
            }
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Request, NoRequest>> {
        let limits = self.connection.gate.limits;
        let peer = &mut self.connection.peer;
        loop {
            let end = self.search.end(&peer.input).map_err(NoRequest::Fault)?;
            let length = end.unwrap_or(peer.input.len());
            if length > limits.head_bytes {
                let limit = limits.head_bytes;
                return Poll::Ready(Err(NoRequest::Fault(HeadFault::TooLarge { limit })));
            }
            if let Some(end) = end {
                let head = peer.input.get(..end).unwrap_or_default();
                let request = Request::parse(head, limits.header_lines);
                peer.input.advance(end);
                return Poll::Ready(request.map_err(NoRequest::Fault));
            }
            match peer.poll_fill(cx) {
                Poll::Ready(Ok(0) | Err(_)) => return Poll::Ready(Err(NoRequest::End)),
                Poll::Ready(Ok(_)) => {}
                Poll::Pending => {
                    let until = *self
                        .until
                        .get_or_insert_with(|| Instant::now() + limits.head_deadline);
                    ready!(self.connection.deadline.poll(cx, until));
                    return Poll::Ready(Err(NoRequest::TooSlow));
                }
            }
        }
    }
}
