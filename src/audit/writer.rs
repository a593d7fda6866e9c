//! How queued audit records become whole lines in the sink.

use std::fs::File;
use std::io;
use std::mem;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use serde::Serialize;
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};

use crate::audit::group::{Group, Pending, Then};
use crate::audit::text::Timestamp;
use crate::audit::{AuditError, sink};

/// One thing to do for the thread that owns the sink; a place is given back once its line is written.
#[derive(Debug)]
pub(super) enum Entry {
    Decision {
        line: Vec<u8>,
        written: Written,
        place: OwnedSemaphorePermit,
    },
    End {
        line: Vec<u8>,
        place: OwnedSemaphorePermit,
    },
    /// Ends have been added to the group; they are written soon, if no decision takes them along.
    Flush,
    Close {
        written: Written,
    },
}

pub(super) type Written = oneshot::Sender<Result<(), AuditError>>;

/// The sink, and what could not be written to it so far.
#[derive(Debug)]
pub(super) struct Log {
    file: File,
    /// The last byte in the sink is not the end of a line, so the next line must not be joined to it.
    ends_inside_a_line: bool,
    /// Ends that could not be written yet; each holds its place, which bounds them.
    kept: Vec<(Vec<u8>, OwnedSemaphorePermit)>,
    /// Decisions that could not be written, refused for it, and not told of in the log yet.
    missing: u64,
    is_failing: Arc<AtomicBool>,
    /// The room of a group that has been written, for the next one.
    spare: Pending,
}

impl Log {
    pub(super) fn new(file: File, ends_inside_a_line: bool, is_failing: Arc<AtomicBool>) -> Self {
        Self {
            file,
            ends_inside_a_line,
            kept: Vec::new(),
            missing: 0,
            is_failing,
            spare: Pending::default(),
        }
    }

    /// Writes whatever comes until the log is closed or nobody is left to write to it.
    pub(super) fn run(
        log: &Mutex<Self>,
        group: Option<&Group>,
        mut entries: mpsc::Receiver<Entry>,
    ) {
        // A poisoned lock is that of a panic between two writes, which leaves the log as whole as any other moment.
        let lock = || log.lock().unwrap_or_else(PoisonError::into_inner);
        let mut batch = Vec::with_capacity(BATCH);
        let mut closing = Vec::new();
        while entries.blocking_recv_many(&mut batch, BATCH) > 0 {
            let is_flush = |entry: &Entry| matches!(entry, Entry::Flush);
            if let Some(group) = group.filter(|_| batch.iter().any(is_flush)) {
                thread::park_timeout(FLUSH_AFTER);
                group.flush();
            }
            if let Some(written) = lock().write(&mut batch) {
                closing.push(written);
                entries.close();
            }
            if let Some(group) = group {
                group.write_if_wanted();
            }
        }
        let mut log = lock();
        if let Some(group) = group {
            group.write_to(&mut log);
        }
        let result = log.write_kept();
        drop(log);
        if let Some(group) = group {
            group.write_if_wanted();
        }
        for written in closing {
            let _ = written.send(result.clone());
        }
    }

    /// Writes what has been added to a group, after what could not be written before.
    pub(super) fn write_group(&mut self, group: Pending) {
        let pending = if self.kept.is_empty() && self.missing == 0 {
            if group.is_empty() {
                self.spare = group;
                return;
            }
            group
        } else {
            let mut pending = self.unwritten();
            pending.append(group);
            pending
        };
        // What is wrong has been logged, and each line is settled.
        let _ = self.put(pending);
    }

    /// An empty group, with the room of an earlier one.
    pub(super) fn spare(&mut self) -> Pending {
        mem::take(&mut self.spare)
    }

    /// Writes a batch with one `write(2)` if the sink takes it whole; gives who waits for the log to be closed.
    fn write(&mut self, batch: &mut Vec<Entry>) -> Option<Written> {
        let mut pending = self.unwritten();
        let mut closing = None;
        for entry in batch.drain(..) {
            match entry {
                Entry::Decision {
                    line,
                    written,
                    place,
                } => pending.push(&line, Then::Tell(written, place)),
                Entry::End { line, place } => pending.push(&line, Then::KeepIfUnwritten(place)),
                Entry::Flush => {}
                Entry::Close { written } => closing = Some(written),
            }
        }
        let _ = self.put(pending);
        closing
    }

    fn write_kept(&mut self) -> Result<(), AuditError> {
        let pending = self.unwritten();
        self.put(pending)
    }

    fn unwritten(&mut self) -> Pending {
        let mut pending = Pending::default();
        if self.missing > 0 {
            let gap = Gap {
                event: "gap",
                time: Timestamp::now(),
                decisions: self.missing,
            };
            if let Ok(mut line) = serde_json::to_vec(&gap) {
                line.push(b'\n');
                pending.push(&line, Then::ForgetMissing(self.missing));
            }
        }
        for (line, place) in self.kept.drain(..) {
            pending.push(&line, Then::KeepIfUnwritten(place));
        }
        pending
    }

    fn put(&mut self, mut pending: Pending) -> Result<(), AuditError> {
        if pending.is_empty() {
            return Ok(());
        }
        if self.ends_inside_a_line {
            pending.end_line_before();
        }
        let (length, error) = sink::write(&self.file, &pending.bytes);
        if let Some(last) = length
            .checked_sub(1)
            .and_then(|last| pending.bytes.get(last))
        {
            self.ends_inside_a_line = *last != b'\n';
        }
        let result = self.outcome(error);
        let Pending { bytes, lines } = &mut pending;
        for (line, then) in lines.drain(..) {
            let result = if line.end <= length {
                Ok(())
            } else {
                result.clone()
            };
            self.settle(bytes.get(line).unwrap_or_default(), then, result);
        }
        if bytes.capacity() <= MOST_SPARE {
            bytes.clear();
            self.spare = pending;
        }
        result
    }

    fn settle(&mut self, line: &[u8], then: Then, result: Result<(), AuditError>) {
        match then {
            Then::Tell(written, _place) => {
                self.missing += u64::from(result.is_err());
                // Nobody listens where the deadline has passed or the client has gone; the line counts all the same.
                let _ = written.send(result);
            }
            Then::KeepIfUnwritten(place) => {
                if result.is_err() {
                    self.kept.push((line.to_vec(), place));
                }
            }
            Then::ForgetMissing(count) => {
                if result.is_ok() {
                    self.missing = self.missing.saturating_sub(count);
                }
            }
        }
    }

    fn outcome(&self, error: Option<io::Error>) -> Result<(), AuditError> {
        let was_failing = self.is_failing.swap(error.is_some(), Ordering::Relaxed);
        let Some(error) = error else {
            if was_failing {
                tracing::info!("the audit log is being written again");
            }
            return Ok(());
        };
        if !was_failing {
            tracing::error!(%error, "the audit log cannot be written: requests are refused");
        }
        Err(AuditError::NotWritten {
            cause: error.to_string().into(),
        })
    }
}

/// Tells the reader of the log that decisions (all of them refusals in the end) are missing before this line.
#[derive(Serialize)]
struct Gap {
    event: &'static str,
    time: Timestamp,
    decisions: u64,
}

/// Entries written at once.
const BATCH: usize = 256;
/// How long an end may wait for a decision to be written with.
const FLUSH_AFTER: Duration = Duration::from_millis(5);
/// Bytes of room that are kept for the next group.
const MOST_SPARE: usize = 64 * 1024;

#[cfg(test)]
mod tests;
