//! What the daemon said that stays true: kept for all connections, so that it is not asked for again.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::engine_api::DaemonDefaults;

/// Facts of the daemon that no client can change; names are not among them.
#[derive(Debug, Default)]
pub struct Known {
    defaults: Mutex<Option<(Instant, DaemonDefaults)>>,
    /// The container of each exec instance: its id is the daemon's own choice, and belongs to one container for good.
    execs: Mutex<HashMap<String, String>>,
}

impl Known {
    /// The daemon's defaults, where they are fresh.
    pub(super) fn defaults(&self) -> Option<DaemonDefaults> {
        let kept = lock(&self.defaults);
        let (asked, defaults) = kept.as_ref()?;
        (asked.elapsed() < DEFAULTS_LAST).then(|| defaults.clone())
    }

    pub(super) fn keep_defaults(&self, defaults: &DaemonDefaults) {
        *lock(&self.defaults) = Some((Instant::now(), defaults.clone()));
    }

    /// The full id of the container that an exec instance belongs to.
    pub(super) fn container_of(&self, exec: &str) -> Option<String> {
        lock(&self.execs).get(exec).cloned()
    }

    /// Keeps a bounded number of the latest; `exec` is the full id.
    pub(super) fn keep_exec(&self, exec: &str, container: &str) {
        let mut execs = lock(&self.execs);
        if execs.len() >= MOST_EXECS {
            execs.clear();
        }
        execs.insert(exec.to_owned(), container.to_owned());
    }
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How long the daemon's defaults are taken for what they were; they change with its settings.
const DEFAULTS_LAST: Duration = Duration::from_secs(60);
/// Exec instances whose container is kept.
const MOST_EXECS: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bounded_number_of_exec_instances_is_kept() {
        let known = Known::default();
        for index in 0..=MOST_EXECS {
            known.keep_exec(&index.to_string(), "c");
        }
        assert_eq!(
            known.container_of(&MOST_EXECS.to_string()).as_deref(),
            Some("c")
        );
        assert!(lock(&known.execs).len() <= MOST_EXECS);
        assert_eq!(known.container_of("x"), None);
    }
}
