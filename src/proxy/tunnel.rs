//! A hijacked connection: bytes both ways, each half-close passed on, until both directions have ended.

use std::future::poll_fn;
use std::io;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::{self, Instant, Interval, MissedTickBehavior};

use crate::audit::record::Outcome;
use crate::peer::Peer;

use super::record::Traffic;

/// Joins client and daemon; what either has sent already, before or with its head, goes first.
///
/// A quiet tunnel lasts for ever. An end that one side sends is passed on at once and leaves the other direction open;
/// a side that is gone altogether ends the tunnel.
pub(super) async fn join(client: &mut Peer, daemon: &mut Peer, traffic: &mut Traffic) -> Outcome {
    let mut up = Direction::default();
    let mut down = Direction::default();
    let mut check = None;
    poll_fn(|cx| {
        match up.poll(cx, client, daemon, &mut traffic.from_client) {
            Poll::Ready(Err(Fault::Sink(error))) => {
                // A daemon that takes no more may have written before it closed, and that is still to be read.
                tracing::debug!(%error, "the daemon takes no more of a tunnel");
                up.has_ended = true;
            }
            Poll::Ready(Err(fault)) => {
                return Poll::Ready(fault.outcome(Outcome::ClientGone, Outcome::DaemonGone));
            }
            Poll::Ready(Ok(())) | Poll::Pending => {}
        }
        if let Poll::Ready(Err(fault)) = down.poll(cx, daemon, client, &mut traffic.to_client) {
            return Poll::Ready(fault.outcome(Outcome::DaemonGone, Outcome::ClientGone));
        }
        if up.has_ended && down.has_ended {
            return Poll::Ready(Outcome::Complete);
        }
        if up.has_ended && client.is_gone(cx) {
            return Poll::Ready(Outcome::ClientGone);
        }
        // Nothing is read of the client meanwhile, not even its end; but what it has sent has its time to be taken.
        if up
            .blocked_since
            .is_some_and(|since| since.elapsed() > BLOCKED)
            && client.is_gone(cx)
        {
            return Poll::Ready(Outcome::ClientGone);
        }
        if down.has_ended && daemon.is_gone(cx) {
            return Poll::Ready(Outcome::Complete);
        }
        if up.has_ended || down.has_ended || up.blocked_since.is_some() {
            wake_now_and_then(&mut check, cx);
        }
        Poll::Pending
    })
    .await
}

/// One direction of a tunnel.
#[derive(Debug, Default)]
struct Direction {
    has_ended: bool,
    /// Since when its sink takes nothing.
    blocked_since: Option<Instant>,
}

/// Which side of a direction failed.
#[derive(Debug)]
enum Fault {
    Source(io::Error),
    Sink(io::Error),
}

impl Fault {
    fn outcome(&self, source: Outcome, sink: Outcome) -> Outcome {
        let (side, error, outcome) = match self {
            Self::Source(error) => ("source", error, source),
            Self::Sink(error) => ("sink", error, sink),
        };
        tracing::debug!(%error, side, "a tunnel ended");
        outcome
    }
}

impl Direction {
    fn poll(
        &mut self,
        cx: &mut Context<'_>,
        from: &mut Peer,
        to: &mut Peer,
        count: &mut u64,
    ) -> Poll<Result<(), Fault>> {
        if self.has_ended {
            return Poll::Ready(Ok(()));
        }
        for _ in 0..TURNS {
            let extent = from.input.len();
            if extent > 0 || !to.output.is_empty() {
                let written = to.poll_write_through(cx, &mut from.input, extent);
                self.blocked_since = match written {
                    Poll::Pending => self.blocked_since.or_else(|| Some(Instant::now())),
                    Poll::Ready(_) => None,
                };
                *count += ready!(written).map_err(Fault::Sink)? as u64;
                continue;
            }
            let flushed = to.poll_flush(cx).map_err(Fault::Sink)?;
            if from.has_ended() {
                ready!(flushed);
                // A peer that has closed already cannot be told, and need not be.
                let _ = ready!(to.poll_shutdown(cx));
                self.has_ended = true;
                return Poll::Ready(Ok(()));
            }
            ready!(from.poll_fill(cx)).map_err(Fault::Source)?;
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

/// Wakes the task once a second: nothing else does when a peer that has half-closed goes altogether.
pub(super) fn wake_now_and_then(check: &mut Option<Interval>, cx: &mut Context<'_>) {
    let interval = check.get_or_insert_with(|| {
        let mut interval = time::interval(CHECK);
        interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
        interval
    });
    while interval.poll_tick(cx).is_ready() {}
}

/// Writes of one direction in a row.
const TURNS: usize = 16;
const CHECK: Duration = Duration::from_secs(1);
/// How long a daemon that takes nothing may hold the last bytes of a client that is gone.
const BLOCKED: Duration = Duration::from_secs(30);
