//! Whether the gate can do its work now: the daemon answers, and the audit log is written.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;
use tokio::time;

use crate::daemon::Question;
use crate::metrics::LookedUp;
use crate::proxy::Gate;

/// What was found out last; for a moment it is told again, so that who asks here cannot make the gate ask the daemon.
#[derive(Debug)]
pub(super) struct Readiness {
    last: Mutex<Option<(Instant, Result<(), String>)>>,
    asking: Semaphore,
}

impl Default for Readiness {
    fn default() -> Self {
        Self {
            last: Mutex::default(),
            asking: Semaphore::new(1),
        }
    }
}

impl Readiness {
    pub(super) async fn check(&self, gate: &Gate) -> Result<(), String> {
        if gate.audit.is_failing() {
            return Err("the audit log cannot be written".to_owned());
        }
        // INVARIANT: the semaphore is never closed.
        let _asking = self.asking.acquire().await;
        if let Some(known) = self.fresh() {
            return known;
        }
        let found = match time::timeout(DEADLINE, ask(gate)).await {
            Ok(found) => found,
            Err(_) => Err(format!(
                "no answer of the daemon within {} s",
                DEADLINE.as_secs()
            )),
        };
        let came_of_it = match found {
            Ok(()) => LookedUp::Found,
            Err(_) => LookedUp::Failed,
        };
        gate.metrics.looked_up(Question::Ping.name(), came_of_it);
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        *last = Some((Instant::now(), found.clone()));
        found
    }

    fn fresh(&self) -> Option<Result<(), String>> {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let (asked, found) = last.as_ref()?;
        (asked.elapsed() < LASTS).then(|| found.clone())
    }
}

/// A whole round trip: a daemon that hangs takes connections all the same.
async fn ask(gate: &Gate) -> Result<(), String> {
    let connection = gate.daemon.connect().await;
    let connection = connection.map_err(|error| error.to_string())?;
    let asked = connection.ask(Question::Ping).await;
    match asked.map_err(|error| error.to_string())? {
        (reply, _) if reply.status == 200 => Ok(()),
        (reply, _) => Err(format!("the daemon answers {}", reply.status)),
    }
}

const DEADLINE: Duration = Duration::from_secs(3);
const LASTS: Duration = Duration::from_secs(1);
