//! The gate's own end, as one connection hears of it.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::sync::watch;

use super::server::{Phase, is_over};

/// Waits for the gate to take no further requests, through all requests of a connection: who waits has a place in a list
/// that all connections share, and to take and leave it for each request touches its neighbours'.
pub(super) struct Ending {
    phase: watch::Receiver<Phase>,
    begins: Pin<Box<dyn Future<Output = ()> + Send + Sync>>,
    has_come: bool,
}

impl Ending {
    pub(super) fn new(phase: watch::Receiver<Phase>) -> Self {
        let mut watched = phase.clone();
        Self {
            phase,
            begins: Box::pin(async move { is_over(&mut watched, Phase::Running).await }),
            has_come: false,
        }
    }

    /// Whether the gate takes no further requests.
    pub(super) fn has_begun(&self) -> bool {
        *self.phase.borrow() != Phase::Running
    }

    /// Ready once it takes none, and from then on.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.has_come = self.has_come || self.begins.as_mut().poll(cx).is_ready();
        if self.has_come {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }
}

impl fmt::Debug for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Ending").field(&self.has_begun()).finish()
    }
}
