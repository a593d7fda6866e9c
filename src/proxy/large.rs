//! What takes long to judge or to show: one thing at a time for each client, and beside the workers that serve the others.

use std::sync::Arc;

use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::{Mutex, OwnedMutexGuard, Semaphore};
use tokio::task;

/// Where the large bodies of one client wait for each other.
#[derive(Debug, Clone)]
pub(super) struct Lane {
    own: Arc<Mutex<()>>,
    /// Of all clients: what is under way for them takes no more than its share of the processors.
    all: Arc<Semaphore>,
}

/// The turn of one body, until it is dropped.
#[derive(Debug)]
pub(super) struct Turn {
    _own: OwnedMutexGuard<()>,
    all: Arc<Semaphore>,
}

/// The lanes of all clients share it.
#[derive(Debug, Clone)]
pub(super) struct Lanes(Arc<Semaphore>);

impl Default for Lanes {
    /// Half of the processors, so that the other half serves whoever has little to ask.
    fn default() -> Self {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        Self(Arc::new(Semaphore::new(processors.div_ceil(2))))
    }
}

impl Lanes {
    /// That of one client.
    pub(super) fn lane(&self) -> Lane {
        Lane {
            own: Arc::default(),
            all: Arc::clone(&self.0),
        }
    }
}

impl Lane {
    /// Waits until this client has nothing large under way; `None` at once for what is not large.
    pub(super) async fn turn(&self, bytes: usize) -> Option<Turn> {
        if bytes <= LARGE {
            return None;
        }
        Some(Turn {
            _own: Arc::clone(&self.own).lock_owned().await,
            all: Arc::clone(&self.all),
        })
    }
}

impl Turn {
    /// Does what takes long where no worker waits for it.
    pub(super) async fn aside<T>(&self, work: impl FnOnce() -> T) -> T {
        // It is never closed; without a place it would be done all the same.
        let _place = self.all.acquire().await.ok();
        beside_workers(work)
    }
}

/// Lets another thread take over what else the worker has to do; where there is one thread only, nothing is gained.
pub(super) fn beside_workers<T>(work: impl FnOnce() -> T) -> T {
    let flavor = Handle::try_current().map(|runtime| runtime.runtime_flavor());
    if flavor.is_ok_and(|flavor| flavor == RuntimeFlavor::MultiThread) {
        task::block_in_place(work)
    } else {
        work()
    }
}

/// Bytes that are judged in a moment: bodies of usual requests have a few thousand.
pub(super) const LARGE: usize = 64 << 10;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    #[tokio::test]
    async fn a_client_waits_for_itself_and_for_nobody_else() {
        let lanes = Lanes::default();
        let (one, other) = (lanes.lane(), lanes.lane());
        assert!(one.turn(LARGE).await.is_none());
        let first = one.turn(LARGE + 1).await.unwrap();
        assert_eq!(first.aside(|| 7).await, 7);
        let second = one.clone();
        let second = timeout(Duration::from_millis(50), second.turn(LARGE + 1)).await;
        assert!(second.is_err(), "two at once");
        assert!(other.turn(LARGE + 1).await.is_some());
        drop(first);
        assert!(one.turn(LARGE + 1).await.is_some());
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    async fn others_go_on_meanwhile() {
        let lane = Lanes::default().lane();
        let (done, is_done) = std::sync::mpsc::channel();
        let large = tokio::spawn(async move {
            let turn = lane.turn(LARGE + 1).await.unwrap();
            // Only another task ends this one, and the only worker is at it.
            turn.aside(move || is_done.recv_timeout(Duration::from_secs(60)))
                .await
        });
        let small = tokio::spawn(async move { done.send(()) });
        assert!(large.await.unwrap().is_ok(), "nobody else has run");
        small.await.unwrap().unwrap();
    }
}
