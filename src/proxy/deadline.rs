//! One timer for all the deadlines of a connection.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{self, Instant, Sleep};

/// A timer that is set anew only where the deadline is earlier than what it is set to, or where it has gone off.
///
/// A connection that answers request after request hardly ever touches it.
#[derive(Debug)]
pub(super) struct Deadline {
    sleep: Pin<Box<Sleep>>,
    set_to: Instant,
}

impl Deadline {
    pub(super) fn new(first: Duration) -> Self {
        let set_to = Instant::now() + first;
        Self {
            sleep: Box::pin(time::sleep_until(set_to)),
            set_to,
        }
    }

    /// Ready once `until` has passed.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>, until: Instant) -> Poll<()> {
        if until < self.set_to {
            self.set(until);
        }
        while self.sleep.as_mut().poll(cx).is_ready() {
            if Instant::now() >= until {
                return Poll::Ready(());
            }
            self.set(until);
        }
        Poll::Pending
    }

    fn set(&mut self, until: Instant) {
        self.sleep.as_mut().reset(until);
        self.set_to = until;
    }
}
