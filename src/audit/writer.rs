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
mod tests {
    use std::fs;
    use std::io::Read;
    use std::path::Path;

    use tokio::sync::Semaphore;

    use super::*;

    fn log(file: File) -> Log {
        Log::new(file, false, Arc::new(AtomicBool::new(false)))
    }

    fn place() -> OwnedSemaphorePermit {
        Arc::new(Semaphore::new(1)).try_acquire_owned().unwrap()
    }

    fn end(line: &str) -> Entry {
        Entry::End {
            line: line.into(),
            place: place(),
        }
    }

    type Answer = oneshot::Receiver<Result<(), AuditError>>;

    fn decision(line: impl Into<Vec<u8>>) -> (Entry, Answer) {
        let (written, answer) = oneshot::channel();
        let entry = Entry::Decision {
            line: line.into(),
            written,
            place: place(),
        };
        (entry, answer)
    }

    fn full() -> File {
        File::options().append(true).open("/dev/full").unwrap()
    }

    fn appended(path: &Path) -> File {
        File::options()
            .append(true)
            .create(true)
            .open(path)
            .unwrap()
    }

    #[test]
    fn a_failing_sink_fails_decisions_and_keeps_ends_until_it_recovers() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.jsonl");
        let mut log = log(full());
        let (refused, answer) = decision("decision\n");

        log.write(&mut vec![refused, end("end\n")]);

        assert!(matches!(
            answer.blocking_recv().unwrap(),
            Err(AuditError::NotWritten { .. })
        ));
        assert!(log.is_failing.load(Ordering::Relaxed));

        log.file = appended(&path);
        let (permitted, answer) = decision("next\n");
        log.write(&mut vec![permitted]);

        assert_eq!(answer.blocking_recv().unwrap(), Ok(()));
        assert!(!log.is_failing.load(Ordering::Relaxed));
        let written = fs::read_to_string(&path).unwrap();
        let (gap, rest) = written.split_once('\n').unwrap();
        assert!(
            gap.contains(r#""event":"gap""#) && gap.contains(r#""decisions":1"#),
            "{gap}"
        );
        assert_eq!(rest, "end\nnext\n");

        log.write(&mut vec![end("later\n")]);
        assert!(
            fs::read_to_string(&path)
                .unwrap()
                .ends_with("end\nnext\nlater\n")
        );
    }

    #[test]
    fn a_torn_line_is_ended_before_the_next_one_and_whole_lines_count() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.jsonl");
        let (mut reader, writer) = io::pipe().unwrap();
        let mut log = log(File::from(std::os::fd::OwnedFd::from(writer)));
        let (small, small_answer) = decision("small\n");
        let (large, large_answer) = decision(vec![b'x'; 4 << 20]);
        let gone = thread::spawn(move || {
            let mut taken = [0; 6];
            reader.read_exact(&mut taken).unwrap();
            taken
        });

        log.write(&mut vec![small, large]);

        assert_eq!(&gone.join().unwrap(), b"small\n");
        assert_eq!(small_answer.blocking_recv().unwrap(), Ok(()));
        assert!(large_answer.blocking_recv().unwrap().is_err());
        assert!(log.ends_inside_a_line);

        log.file = appended(&path);
        log.write(&mut vec![end("end\n")]);
        let written = fs::read_to_string(&path).unwrap();
        assert!(
            written.starts_with("\n{") && written.ends_with("}\nend\n"),
            "{written}"
        );
        assert!(!log.ends_inside_a_line);
    }

    #[test]
    fn a_decision_that_found_the_log_occupied_is_not_left_behind() {
        let (mut reader, writer) = io::pipe().unwrap();
        let log = Arc::new(Mutex::new(log(File::from(std::os::fd::OwnedFd::from(
            writer,
        )))));
        let group = Group::new(Arc::clone(&log));
        let (queue, entries) = mpsc::channel(1);
        let (large, _large_answer) = decision(vec![b'x'; 4 << 20]);
        queue.try_send(large).unwrap();
        thread::scope(|scope| {
            scope.spawn(|| Log::run(&log, Some(&group), entries));
            // The pipe takes no more, so the log's own thread has the log.
            reader.read_exact(&mut [0; 1]).unwrap();
            assert!(log.try_lock().is_err());
            let (written, answer) = oneshot::channel();
            drop(group.add_decision(b"small\n", Then::Tell(written, place())));
            scope.spawn(move || reader.read_exact(&mut vec![0; (4 << 20) - 1 + 6]));
            assert_eq!(answer.blocking_recv().unwrap(), Ok(()));
            drop(queue);
        });
    }
}
