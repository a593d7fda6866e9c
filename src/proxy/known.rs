//! What the daemon said that stays true: kept for all connections, so that it is not asked for again.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::engine_api::{DaemonDefaults, ExistingExec};

/// Facts of the daemon that no client can change; names are not among them.
#[derive(Debug, Default)]
pub struct Known {
    defaults: Mutex<Option<(Instant, DaemonDefaults)>>,
    /// Each exec instance: its id is the daemon's own choice, and belongs to one container for good.
    execs: Mutex<HashMap<String, ExistingExec>>,
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

    /// What an exec instance is, by its full id.
    pub(super) fn exec(&self, id: &str) -> Option<ExistingExec> {
        lock(&self.execs).get(id).cloned()
    }

    /// Keeps a bounded number of the latest; `id` is the full one.
    pub(super) fn keep_exec(&self, id: &str, exec: &ExistingExec) {
        let mut execs = lock(&self.execs);
        if execs.len() >= MOST_EXECS {
            execs.clear();
        }
        execs.insert(id.to_owned(), exec.clone());
    }
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How long the daemon's defaults are taken for what they were; they change with its settings.
const DEFAULTS_LAST: Duration = Duration::from_secs(60);
/// Exec instances that are kept.
const MOST_EXECS: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bounded_number_of_exec_instances_is_kept() {
        let known = Known::default();
        let exec = ExistingExec {
            container: "c".to_owned(),
            is_privileged: false,
        };
        for index in 0..=MOST_EXECS {
            known.keep_exec(&index.to_string(), &exec);
        }
        assert_eq!(known.exec(&MOST_EXECS.to_string()), Some(exec));
        assert!(lock(&known.execs).len() <= MOST_EXECS);
        assert_eq!(known.exec("x"), None);
    }
}
