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
    decisions: usize,
    company: Company,
    /// Somebody has found the log occupied and relies on whoever has it.
    is_wanted: bool,
    is_flush_due: bool,
}

/// Who must see to it that a group is written; it is, even when its task is ended meanwhile.
#[derive(Debug)]
pub(super) struct Leader<'a> {
    group: &'a Group,
    /// Whether others are likely to decide at this moment too, so that letting them go first saves writes.
    pub(super) expects_company: bool,
}

impl Drop for Leader<'_> {
    fn drop(&mut self) {
        self.group.write();
    }
}

/// Whether decisions have come together of late: to let others go first costs a look at all sockets, and is worth that only
/// where somebody comes.
#[derive(Debug)]
struct Company {
    credit: u8,
    alone: u8,
}

impl Default for Company {
    fn default() -> Self {
        Self {
            credit: PATIENCE,
            alone: 0,
        }
    }
}

impl Company {
    /// Also true now and then where nobody came, to find out.
    fn is_expected(&mut self) -> bool {
        self.alone = (self.alone + 1) % TRIED_ONCE_IN;
        self.credit > 0 || self.alone == 0
    }

    /// What a group came to.
    fn saw(&mut self, decisions: usize) {
        self.credit = match decisions {
            0 => self.credit,
            1 => self.credit.saturating_sub(1),
            _ => PATIENCE,
        };
    }
}

impl Group {
    pub(super) fn new(log: Arc<Mutex<Log>>) -> Self {
        Self {
            waiting: Mutex::default(),
            log,
        }
    }

    /// Adds a decision; the first one of a group leads it, and one that fills it writes it at once.
    #[must_use]
    pub(super) fn add_decision(&self, line: &[u8], then: Then) -> Option<Leader<'_>> {
        let mut waiting = self.waiting();
        waiting.pending.push(line, then);
        waiting.decisions += 1;
        let is_full = waiting.pending.is_full();
        (waiting.decisions == 1 || is_full).then(|| Leader {
            group: self,
            expects_company: !is_full && waiting.company.is_expected(),
        })
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
        let decisions = mem::take(&mut waiting.decisions);
        waiting.company.saw(decisions);
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

    fn is_full(&self) -> bool {
        self.bytes.len() >= FULL
    }
}

/// What is to be done about a line once the sink was written to.
#[derive(Debug)]
pub(super) enum Then {
    Tell(Written, OwnedSemaphorePermit),
    KeepIfUnwritten(OwnedSemaphorePermit),
    ForgetMissing(u64),
}

/// Bytes of a group that is written at once, however many may follow: more would leave a processor's nearest caches.
const FULL: usize = 16 * 1024;
/// Groups of one decision after which nobody is waited for any more.
const PATIENCE: u8 = 16;
/// One in so many leaders waits all the same.
const TRIED_ONCE_IN: u8 = 16;

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::sync::atomic::AtomicBool;

    use super::*;

    fn group() -> (tempfile::NamedTempFile, Group) {
        let file = tempfile::NamedTempFile::new().unwrap();
        let sink = File::options().append(true).open(file.path()).unwrap();
        let log = Log::new(sink, false, Arc::new(AtomicBool::new(false)));
        (file, Group::new(Arc::new(Mutex::new(log))))
    }

    fn decide(group: &Group, length: usize) -> Option<Leader<'_>> {
        let mut line = vec![b'x'; length];
        line.push(b'\n');
        group.add_decision(&line, Then::ForgetMissing(0))
    }

    #[test]
    fn whoever_fills_a_group_writes_it() {
        let (file, group) = group();
        let length = || fs::read(file.path()).unwrap().len();
        let leader = decide(&group, FULL / 2).unwrap();
        assert!(decide(&group, FULL / 4).is_none());
        assert_eq!(length(), 0);

        let filling = decide(&group, FULL / 2).unwrap();
        assert!(!filling.expects_company);
        drop(filling);
        let written = length();
        assert!(written > FULL);
        drop(leader);
        assert_eq!(length(), written);
    }

    #[test]
    fn company_is_waited_for_while_it_comes_and_looked_for_now_and_then() {
        let (_file, group) = group();
        let alone = || decide(&group, 1).unwrap().expects_company;
        let tried = || (0..4 * TRIED_ONCE_IN).filter(|_| alone()).count();
        assert!((0..PATIENCE).all(|_| alone()));
        assert_eq!(tried(), 4);

        let leader = decide(&group, 1).unwrap();
        assert!(decide(&group, 1).is_none());
        drop(leader);
        assert!((0..PATIENCE).all(|_| alone()));
        assert_eq!(tried(), 4);
    }
}
