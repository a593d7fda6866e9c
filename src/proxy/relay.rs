//! A permitted request on its way to the daemon and the answer on its way back, both at once.

use std::future::poll_fn;
use std::io;
use std::task::{Context, Poll, ready};

use bytes::Buf as _;
use tokio::time::Interval;

use crate::audit::record::Outcome;
use crate::http1::{BodyFault, Framing, HeadFault, HeadSearch, Response};
use crate::peer::Peer;

use super::pump::{Pump, PumpFault};
use super::record::Traffic;
use super::tunnel::wake_now_and_then;

/// Both ends of one exchange while the daemon works on it.
#[derive(Debug)]
pub(super) struct Relay<'a> {
    pub(super) client: &'a mut Peer,
    pub(super) daemon: &'a mut Peer,
    /// Head and body towards the daemon.
    pub(super) request: Pump,
    pub(super) sending: Sending,
    /// Whether the daemon is told that the client writes no more, because the answer ends with it.
    pub(super) passes_end: bool,
    pub(super) end: ClientEnd,
    /// The answer has no body whatever its head says.
    pub(super) is_head: bool,
    pub(super) traffic: &'a mut Traffic,
}

/// How far the request has gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sending {
    UnderWay,
    Done,
    /// The daemon takes no more of it, which is no fault yet: its answer may be on the way.
    Broken,
    /// The client ended before its body did; the daemon is told so, and may answer.
    CutShort,
}

/// What is known of a client that writes no more.
#[derive(Debug, Default)]
pub(super) struct ClientEnd {
    /// Whether the daemon knows too.
    pub(super) is_passed: bool,
    check: Option<Interval>,
}

/// Why an exchange with the daemon came to nothing.
#[derive(Debug)]
pub(super) enum RelayFault {
    ClientGone,
    /// The body's framing is broken.
    ClientMalformed(BodyFault),
    /// With the cause, where a read failed.
    DaemonGone(Option<String>),
    /// What the daemon answers is no HTTP.
    DaemonMalformed(String),
}

impl RelayFault {
    /// Such as an alert, by which TLS 1.3 refuses a client's certificate only after the handshake.
    pub(super) fn lost(error: &io::Error) -> Self {
        tracing::debug!(%error, "reading the daemon's answer failed");
        Self::DaemonGone(Some(error.to_string()))
    }

    /// How an exchange that it ends is recorded.
    pub(super) fn outcome(&self) -> Outcome {
        match self {
            Self::ClientGone => Outcome::ClientGone,
            Self::ClientMalformed(_) => Outcome::Refused,
            Self::DaemonGone(_) | Self::DaemonMalformed(_) => Outcome::DaemonGone,
        }
    }
}

impl Relay<'_> {
    /// Waits for the head of the answer, however long that takes; informational ones are dropped.
    pub(super) async fn answer(&mut self) -> Result<Response, RelayFault> {
        let mut search = HeadSearch::default();
        let mut informational = 0;
        poll_fn(|cx| {
            loop {
                let answer =
                    ready!(self.poll_beside(cx, |relay, cx| relay.poll_answer(cx, &mut search)))?;
                let is_final = answer.status == 101 || answer.status >= 200;
                informational += 1;
                if is_final {
                    return Poll::Ready(Ok(answer));
                }
                if informational > MOST_INFORMATIONAL {
                    let cause = "it answers without end that it goes on";
                    return Poll::Ready(Err(RelayFault::DaemonMalformed(cause.to_owned())));
                }
            }
        })
        .await
    }

    /// Moves the body of the answer; the rest of the request goes on beside it.
    pub(super) async fn body(&mut self, mut answer: Pump) -> Result<(), RelayFault> {
        poll_fn(|cx| {
            self.poll_beside(cx, |relay, cx| {
                let count = &mut relay.traffic.to_client;
                let moved = answer.poll(cx, relay.daemon, relay.client, count);
                moved.map_err(|fault| match fault {
                    PumpFault::Sink(_) => RelayFault::ClientGone,
                    PumpFault::Source(error) => RelayFault::lost(&error),
                    PumpFault::SourceEnded => RelayFault::DaemonGone(None),
                    PumpFault::Malformed(fault) => RelayFault::DaemonMalformed(fault.to_string()),
                })
            })
        })
        .await
    }

    /// Goes on with the answer, and with the request beside it. Where that is sent, and only the client is watched for its
    /// end, the answer comes first: most are there at once, and then nobody need watch.
    fn poll_beside<T>(
        &mut self,
        cx: &mut Context<'_>,
        mut poll_answer: impl FnMut(&mut Self, &mut Context<'_>) -> Poll<Result<T, RelayFault>>,
    ) -> Poll<Result<T, RelayFault>> {
        let is_sent = self.sending == Sending::Done;
        if !is_sent {
            self.poll_request(cx)?;
        }
        let answered = poll_answer(self, cx);
        if is_sent && answered.is_pending() {
            self.poll_request(cx)?;
        }
        answered
    }

    /// Sends what is left of the request; what comes after it stays in the client's input.
    pub(super) async fn rest_of_request(&mut self) -> Result<(), RelayFault> {
        poll_fn(|cx| {
            self.poll_request(cx)?;
            match self.sending {
                Sending::UnderWay => Poll::Pending,
                Sending::Done => Poll::Ready(Ok(())),
                Sending::Broken => Poll::Ready(Err(RelayFault::DaemonGone(None))),
                Sending::CutShort => Poll::Ready(Err(RelayFault::ClientGone)),
            }
        })
        .await
    }

    /// Sends on what is there of the request, and sees whether the client has gone.
    pub(super) fn poll_request(&mut self, cx: &mut Context<'_>) -> Result<(), RelayFault> {
        if self.sending == Sending::UnderWay {
            let count = &mut self.traffic.from_client;
            match self.request.poll(cx, self.client, self.daemon, count) {
                Poll::Pending => {}
                Poll::Ready(Ok(())) => self.sending = Sending::Done,
                Poll::Ready(Err(PumpFault::Sink(error))) => {
                    tracing::debug!(%error, "the daemon takes no more of the request");
                    self.sending = Sending::Broken;
                }
                Poll::Ready(Err(PumpFault::SourceEnded)) => self.sending = Sending::CutShort,
                Poll::Ready(Err(PumpFault::Source(_))) => return Err(RelayFault::ClientGone),
                Poll::Ready(Err(PumpFault::Malformed(fault))) => {
                    return Err(RelayFault::ClientMalformed(fault));
                }
            }
        }
        if self.request.has_read_all() || self.sending == Sending::CutShort {
            self.watch_client(cx)?;
        }
        Ok(())
    }

    /// Reads ahead, so that the end of the client's side is seen while the daemon works.
    fn watch_client(&mut self, cx: &mut Context<'_>) -> Result<(), RelayFault> {
        while self.client.input.len() < READ_AHEAD && !self.client.has_ended() {
            match self.client.poll_fill(cx) {
                Poll::Ready(Ok(_)) => {}
                Poll::Ready(Err(_)) => return Err(RelayFault::ClientGone),
                Poll::Pending => return Ok(()),
            }
        }
        if !self.client.has_ended() {
            return Ok(());
        }
        if self.client.is_gone(cx) {
            return Err(RelayFault::ClientGone);
        }
        let is_told = match self.sending {
            Sending::UnderWay | Sending::Broken => false,
            Sending::Done => self.passes_end,
            Sending::CutShort => true,
        };
        if is_told && !self.end.is_passed {
            // Where the daemon has closed, it needs no telling.
            self.end.is_passed = self.daemon.poll_shutdown(cx).is_ready();
        }
        wake_now_and_then(&mut self.end.check, cx);
        Ok(())
    }

    fn poll_answer(
        &mut self,
        cx: &mut Context<'_>,
        search: &mut HeadSearch,
    ) -> Poll<Result<Response, RelayFault>> {
        let malformed = |fault: HeadFault| RelayFault::DaemonMalformed(fault.to_string());
        loop {
            if let Some(end) = search.end(&self.daemon.input).map_err(malformed)? {
                let head = self.daemon.input.get(..end).unwrap_or_default();
                let mut answer = Response::parse(head, ANSWER_HEADERS).map_err(malformed)?;
                if self.is_head {
                    answer.framing = Framing::Empty;
                }
                self.daemon.input.advance(end);
                *search = HeadSearch::default();
                return Poll::Ready(Ok(answer));
            }
            if self.daemon.input.len() > ANSWER_HEAD {
                let fault = HeadFault::TooLarge { limit: ANSWER_HEAD };
                return Poll::Ready(Err(malformed(fault)));
            }
            match ready!(self.daemon.poll_fill(cx)) {
                Ok(0) => return Poll::Ready(Err(RelayFault::DaemonGone(None))),
                Ok(_) => {}
                Err(error) => return Poll::Ready(Err(RelayFault::lost(&error))),
            }
        }
    }
}

/// Bytes that are read of a client before its turn.
const READ_AHEAD: usize = 64 * 1024;
const MOST_INFORMATIONAL: usize = 16;
/// Bytes and lines of the head of an answer.
const ANSWER_HEAD: usize = 256 * 1024;
const ANSWER_HEADERS: usize = 256;
