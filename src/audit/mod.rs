//! The audit log: one record for every decision and every end, written before anything is forwarded.
//!
//! Records for a pipe or a terminal, whose reader may be slow, go to a thread of their own. It takes all that wait,
//! writes them with one `write(2)`, and only then tells those who wait for theirs. A regular file is written by whoever
//! has a decision to record, together with the decisions of the same moment and the ends that came before; see `group`.
//!
//! "Written" means handed to the kernel: it outlives a crash of the gate, not one of the machine. A decision is written
//! before anything comes of it. An end is written within milliseconds; those of a gate that is killed may be missing.

mod group;
mod line;
mod object;
pub mod record;
mod sink;
pub mod text;
mod writer;

use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::mpsc::{self, error::TrySendError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::{task, time};

use crate::audit::group::{Group, Then};
use crate::audit::record::Record;
use crate::audit::writer::{Entry, Log};

/// Where audit records go.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Sink {
    /// Appended to; created with mode 0600.
    File(PathBuf),
    Stdout,
}

/// The bounds of an audit log.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct AuditLimits {
    /// Decisions that may wait to be written.
    pub waiting_decisions: usize,
    /// Exchanges that may be open at once, each with a place for its end.
    pub open_exchanges: usize,
    /// How long a decision may wait until it is written, and an exchange until it has a place.
    pub deadline: Duration,
}

impl Default for AuditLimits {
    fn default() -> Self {
        Self {
            waiting_decisions: 1024,
            open_exchanges: 4096,
            deadline: Duration::from_secs(5),
        }
    }
}

/// A running audit log; clones share it.
#[derive(Clone, Debug)]
pub struct Audit(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    // INVARIANT: the queue has room for every decision place, every end place, one flush and one close, so that whoever
    // holds a place never finds it full.
    queue: mpsc::Sender<Entry>,
    decision_places: Arc<Semaphore>,
    end_places: Arc<Semaphore>,
    deadline: Duration,
    is_failing: Arc<AtomicBool>,
    /// Where writing does not wait for a reader: a regular file.
    group: Option<Arc<Group>>,
}

impl Audit {
    /// Opens the sink and starts the thread that owns it.
    pub fn start(sink: &Sink, limits: AuditLimits) -> Result<Self, StartError> {
        Self::open(sink)?.start(limits)
    }

    /// Opens the sink only; the thread begins later, where that thread is not to have more rights than it needs.
    pub fn open(sink: &Sink) -> Result<OpenedSink, StartError> {
        let opened = sink::open(sink).map_err(|error| StartError {
            sink: sink.clone(),
            error,
        })?;
        Ok(OpenedSink {
            sink: sink.clone(),
            opened,
        })
    }

    fn start_on(file: File, ends_inside_a_line: bool, limits: AuditLimits) -> io::Result<Self> {
        let decisions = limits.waiting_decisions.clamp(1, PLACES_LIMIT);
        let ends = limits.open_exchanges.clamp(1, PLACES_LIMIT);
        let (queue, entries) = mpsc::channel(decisions + ends + 2);
        let is_failing = Arc::new(AtomicBool::new(false));
        let is_regular = file.metadata()?.is_file();
        let log = Log::new(file, ends_inside_a_line, Arc::clone(&is_failing));
        let log = Arc::new(Mutex::new(log));
        let group = is_regular.then(|| Arc::new(Group::new(Arc::clone(&log))));
        let written_by_thread = group.clone();
        // The thread ends by itself at `close`, or when the last clone is gone.
        std::thread::Builder::new()
            .name("audit".to_owned())
            .spawn(move || Log::run(&log, written_by_thread.as_deref(), entries))?;
        Ok(Self(Arc::new(Shared {
            queue,
            decision_places: Arc::new(Semaphore::new(decisions)),
            end_places: Arc::new(Semaphore::new(ends)),
            deadline: limits.deadline,
            is_failing,
            group,
        })))
    }

    /// Writes one record; on any error the exchange must be refused.
    ///
    /// It returns once the line has been written. A record that misses the deadline stays queued: it may be written
    /// later, and the record of the exchange's end then says that it was refused.
    pub async fn record(&self, record: &Record<'_>) -> Result<(), AuditError> {
        self.write(line::of(record)?).await
    }

    async fn write(&self, line: Vec<u8>) -> Result<(), AuditError> {
        let shared = &*self.0;
        let (place, left) = place(&shared.decision_places, shared.deadline).await?;
        let (written, mut answer) = oneshot::channel();
        match &shared.group {
            Some(_) if shared.queue.is_closed() => return Err(AuditError::Stopped),
            Some(group) => {
                let leader = group.add_decision(&line, Then::Tell(written, place));
                if leader.as_ref().is_some_and(|leader| leader.expects_company) {
                    // Whoever is ready to run by now decides before this task goes on.
                    task::yield_now().await;
                }
                drop(leader);
            }
            None => self.send(Entry::Decision {
                line,
                written,
                place,
            })?,
        }
        // Whoever leads has written by now, and needs no timer.
        if let Ok(result) = answer.try_recv() {
            return result;
        }
        match time::timeout(left, answer).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err(AuditError::Stopped),
            Err(_) => Err(AuditError::TooSlow),
        }
    }

    /// Keeps a place for the record of an exchange's end, so that recording it needs no waiting and cannot fail.
    pub async fn reserve(&self) -> Result<EndPlace, AuditError> {
        let shared = &*self.0;
        if shared.end_places.available_permits() == 0
            && let Some(group) = &shared.group
        {
            group.write();
        }
        let (place, _) = place(&shared.end_places, shared.deadline).await?;
        Ok(EndPlace {
            place,
            audit: self.clone(),
        })
    }

    /// Writes all that is queued and ends the log; what is recorded later is lost, so close it after all exchanges.
    pub async fn close(self) -> Result<(), AuditError> {
        let (written, answer) = oneshot::channel();
        self.send(Entry::Close { written })?;
        match time::timeout(self.0.deadline, answer).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err(AuditError::Stopped),
            Err(_) => Err(AuditError::TooSlow),
        }
    }

    /// Whether the last attempt to write failed.
    pub fn is_failing(&self) -> bool {
        self.0.is_failing.load(Ordering::Relaxed)
    }

    fn send(&self, entry: Entry) -> Result<(), AuditError> {
        self.0.queue.try_send(entry).map_err(|error| match error {
            TrySendError::Full(_) => AuditError::QueueFull,
            TrySendError::Closed(_) => AuditError::Stopped,
        })
    }
}

/// A sink that nothing has been written to yet.
#[derive(Debug)]
pub struct OpenedSink {
    sink: Sink,
    opened: sink::Opened,
}

impl OpenedSink {
    /// Starts the thread that owns it.
    pub fn start(self, limits: AuditLimits) -> Result<Audit, StartError> {
        let Self { sink, opened } = self;
        Audit::start_on(opened.file, opened.ends_inside_a_line, limits)
            .map_err(|error| StartError { sink, error })
    }
}

/// A place in the queue for the record of one exchange's end.
#[derive(Debug)]
pub struct EndPlace {
    audit: Audit,
    place: OwnedSemaphorePermit,
}

impl EndPlace {
    /// Queues the record of the end; while the sink fails it is kept, with its place, and tried again.
    pub fn record(self, record: &Record<'_>) {
        if let Err(error) = line::of(record).and_then(|line| self.write(line)) {
            tracing::error!(%error, "the end of an exchange is missing from the audit log");
        }
    }

    fn write(self, line: Vec<u8>) -> Result<(), AuditError> {
        let Self { audit, place } = self;
        match &audit.0.group {
            Some(group) => {
                let must_flush = group.add_end(&line, Then::KeepIfUnwritten(place));
                // Where the log has been closed, nobody is left to flush it.
                if must_flush && audit.send(Entry::Flush).is_err() {
                    group.flush();
                }
                Ok(())
            }
            None => audit.send(Entry::End { line, place }),
        }
    }
}

/// Why the audit log cannot start.
#[derive(Debug, thiserror::Error)]
#[error("cannot write the audit log to {}: {error}", .sink.name())]
pub struct StartError {
    sink: Sink,
    error: io::Error,
}

/// Why a record is not known to be written.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum AuditError {
    #[error("the audit log has no free place")]
    QueueFull,
    #[error("the audit record was not written in time")]
    TooSlow,
    #[error("the audit log cannot be written: {cause}")]
    NotWritten { cause: Arc<str> },
    #[error("the audit log has ended")]
    Stopped,
    #[error("the audit record cannot be put into JSON: {cause}")]
    NotSerializable { cause: String },
}

/// A place, and how much of the deadline is left; the clock is looked at only where there is none free.
async fn place(
    places: &Arc<Semaphore>,
    deadline: Duration,
) -> Result<(OwnedSemaphorePermit, Duration), AuditError> {
    if let Ok(place) = Arc::clone(places).try_acquire_owned() {
        return Ok((place, deadline));
    }
    let begun = time::Instant::now();
    match time::timeout(deadline, Arc::clone(places).acquire_owned()).await {
        Ok(Ok(place)) => Ok((place, deadline.saturating_sub(begun.elapsed()))),
        Ok(Err(_)) => Err(AuditError::Stopped),
        Err(_) => Err(AuditError::QueueFull),
    }
}

/// More places than any machine has connections for; tokio's semaphores panic far above it.
const PLACES_LIMIT: usize = 1 << 20;

#[cfg(test)]
mod tests;
