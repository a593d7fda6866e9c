//! Records for a regular file, written together: all decisions of one moment, and the ends that came before them.

use std::mem;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

use tokio::sync::OwnedSemaphorePermit;

use crate::audit::writer::{Log, Written};

/// What is to be written next, and who writes it.
///
/// The first whose decision waits is the leader: it lets whoever runs at the same moment add theirs, and writes them all.
/// A decision is never told of before its write has returned, however many share it.
#[derive(Debug)]
pub(super) struct Group {
    waiting: Mutex<Waiting>,
    log: Arc<Mutex<Log>>,
}

#[derive(Debug, Default)]
struct Waiting {
    pending: Pending,
    has_leader: bool,
    /// Somebody has found the log occupied and relies on whoever has it.
    is_wanted: bool,
    is_flush_due: bool,
}

/// Who must see to it that a group is written; it is, even when its task is ended meanwhile.
#[derive(Debug)]
pub(super) struct Leader<'a>(&'a Group);

impl Drop for Leader<'_> {
    fn drop(&mut self) {
        self.0.write();
    }
}

impl Group {
    pub(super) fn new(log: Arc<Mutex<Log>>) -> Self {
        Self {
            waiting: Mutex::default(),
            log,
        }
    }

    /// Adds a decision; the first one of a group leads it.
    #[must_use]
    pub(super) fn add_decision(&self, line: &[u8], then: Then) -> Option<Leader<'_>> {
        let mut waiting = self.waiting();
        waiting.pending.push(line, then);
        let leads = !mem::replace(&mut waiting.has_leader, true);
        leads.then(|| Leader(self))
    }

    /// Adds an end, to be written with the next decision; gives whether a flush must be asked for, in case there is none.
    #[must_use]
    pub(super) fn add_end(&self, line: &[u8], then: Then) -> bool {
        let mut waiting = self.waiting();
        waiting.pending.push(line, then);
        !mem::replace(&mut waiting.is_flush_due, true)
    }

    /// Writes what waits, unless somebody is writing: then that one will.
    pub(super) fn write(&self) {
        loop {
            self.waiting().is_wanted = true;
            let mut log = match self.log.try_lock() {
                Ok(log) => log,
                // A panic between two writes leaves the log as whole as any other moment.
                Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
                Err(TryLockError::WouldBlock) => return,
            };
            self.write_to(&mut log);
            drop(log);
            if !self.waiting().is_wanted {
                return;
            }
        }
    }

    /// Writes what waits where somebody has found the log occupied; whoever had it calls this after letting it go.
    pub(super) fn write_if_wanted(&self) {
        if self.waiting().is_wanted {
            self.write();
        }
    }

    /// Writes what waits, as the one who has the log.
    pub(super) fn write_to(&self, log: &mut Log) {
        let mut pending = log.spare();
        let mut waiting = self.waiting();
        mem::swap(&mut waiting.pending, &mut pending);
        waiting.has_leader = false;
        waiting.is_wanted = false;
        drop(waiting);
        log.write_group(pending);
    }

    /// Lets the next end ask for a flush anew, and writes what waits.
    pub(super) fn flush(&self) {
        self.waiting().is_flush_due = false;
        self.write();
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Lines to be written with one `write(2)`.
#[derive(Debug, Default)]
pub(super) struct Pending {
    pub(super) bytes: Vec<u8>,
    pub(super) lines: Vec<(Range<usize>, Then)>,
}

impl Pending {
    pub(super) fn push(&mut self, line: &[u8], then: Then) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(line);
        self.lines.push((start..self.bytes.len(), then));
    }

    pub(super) fn append(&mut self, other: Self) {
        for (line, then) in other.lines {
            self.push(other.bytes.get(line).unwrap_or_default(), then);
        }
    }

    /// Ends a line that an earlier write has left open.
    pub(super) fn end_line_before(&mut self) {
        self.bytes.insert(0, b'\n');
        for (line, _) in &mut self.lines {
            *line = line.start + 1..line.end + 1;
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }
}

/// What is to be done about a line once the sink was written to.
#[derive(Debug)]
pub(super) enum Then {
    Tell(Written, OwnedSemaphorePermit),
    KeepIfUnwritten(OwnedSemaphorePermit),
    ForgetMissing(u64),
}
