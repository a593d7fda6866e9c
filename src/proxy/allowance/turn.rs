//! Turns: of two requests that make the same kind of thing for one owner, the second is counted once the first has its
//! answer.

use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::time;

use crate::peer::Peer;

/// The right to make what is counted; held across waiting, which is what it is for.
pub(in crate::proxy) type Turn = OwnedMutexGuard<()>;

/// One owner's, by the kind of thing.
#[derive(Debug, Default)]
pub(super) struct Turns {
    containers: Arc<Mutex<()>>,
    running: Arc<Mutex<()>>,
    volumes: Arc<Mutex<()>>,
    networks: Arc<Mutex<()>>,
}

/// What a turn is for; a request that takes several takes them in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Containers,
    Running,
    Volumes,
    Networks,
}

impl Turns {
    /// Waits for a turn, for a bounded time; each who is before this one has an answer of the daemon's to wait for.
    pub(super) async fn take(&self, kind: Kind) -> Option<Turn> {
        let turn = match kind {
            Kind::Containers => &self.containers,
            Kind::Running => &self.running,
            Kind::Volumes => &self.volumes,
            Kind::Networks => &self.networks,
        };
        let turn = Arc::clone(turn).lock_owned();
        time::timeout(PATIENCE, turn).await.ok()
    }
}

/// Keeps the turns of a request that has lost its client until the daemon has said what came of it, or will not.
///
/// The daemon does not stop what it has begun, and what it has not finished cannot be counted.
pub(in crate::proxy) fn until_answered(mut daemon: Peer, turns: Vec<Turn>) {
    // Half a request is none.
    if turns.is_empty() || !daemon.output.is_empty() {
        return;
    }
    tokio::spawn(async move {
        let answered = async {
            if daemon.flush().await.is_ok() && daemon.input.is_empty() {
                // Its first byte, or its end: either way it is done.
                let _ = poll_fn(|cx| daemon.poll_fill(cx)).await;
            }
        };
        if time::timeout(LONGEST, answered).await.is_err() {
            tracing::warn!("the daemon has not answered a request whose client is gone");
        }
        drop(turns);
    });
}

/// For those before.
const PATIENCE: Duration = Duration::from_secs(30);
/// For a daemon that makes one thing.
const LONGEST: Duration = Duration::from_secs(600);

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt as _;
    use tokio::net::UnixStream;

    use super::*;
    use crate::peer::Stream;

    #[tokio::test(start_paused = true)]
    async fn one_at_a_time_and_kinds_apart() {
        let turns = Turns::default();
        let first = turns.take(Kind::Volumes).await.unwrap();
        assert!(turns.take(Kind::Networks).await.is_some());
        assert!(turns.take(Kind::Volumes).await.is_none());
        drop(first);
        assert!(turns.take(Kind::Volumes).await.is_some());
    }

    #[tokio::test]
    async fn a_turn_outlives_its_client_until_the_daemon_answers() {
        let turns = Turns::default();
        for answers in [true, false] {
            let (near, mut far) = UnixStream::pair().unwrap();
            let turn = turns.take(Kind::Containers).await.unwrap();
            until_answered(Peer::new(Stream::unix(near).unwrap()), vec![turn]);
            let soon = Duration::from_millis(50);
            let next = time::timeout(soon, turns.take(Kind::Containers)).await;
            assert!(next.is_err());
            if answers {
                far.write_all(b"HTTP/1.1 201 Created\r\n").await.unwrap();
            } else {
                drop(far);
            }
            assert!(turns.take(Kind::Containers).await.is_some());
        }
    }

    #[tokio::test]
    async fn half_a_request_keeps_no_turn() {
        let turns = Turns::default();
        let (near, _far) = UnixStream::pair().unwrap();
        let mut daemon = Peer::new(Stream::unix(near).unwrap());
        daemon.queue(b"POST");
        let turn = turns.take(Kind::Containers).await.unwrap();
        until_answered(daemon, vec![turn]);
        assert!(turns.take(Kind::Containers).await.is_some());
    }
}
