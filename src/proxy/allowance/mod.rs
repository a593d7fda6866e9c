//! What each owner takes of the gate: requests in time, exchanges and tunnels and bytes at once, a turn to create.

mod count;
mod quota;
mod rate;
mod turn;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::config::{Allowance, Rate};

use super::large;

pub(super) use count::admit;
pub(super) use rate::Bucket;
pub(super) use turn::until_answered;
use turn::{Turn, Turns};

/// What all owners have taken, for as long as the gate runs.
#[derive(Debug)]
pub struct Allowances {
    owners: Mutex<Owners>,
    begun: Instant,
}

#[derive(Debug)]
struct Owners {
    used: HashMap<Arc<str>, Arc<Used>>,
    /// The number at which the idle ones are let go.
    sweep_at: usize,
}

impl Default for Allowances {
    fn default() -> Self {
        let used = HashMap::new();
        Self {
            owners: Mutex::new(Owners {
                used,
                sweep_at: FEW,
            }),
            begun: Instant::now(),
        }
    }
}

/// What one owner has taken.
#[derive(Debug)]
pub(super) struct Used {
    /// Of the clock by which its bucket fills.
    begun: Instant,
    bucket: Bucket,
    exchanges: AtomicU64,
    tunnels: AtomicU64,
    judged_bytes: AtomicU64,
    turns: Turns,
}

/// What a client may take, and what its owner has taken.
#[derive(Debug, Clone)]
pub(super) struct Allowed {
    pub(super) allowance: Allowance,
    used: Arc<Used>,
    first: First,
}

/// What is known of the first request of a connection before it comes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum First {
    #[default]
    Open,
    /// Its token was taken when the client connected.
    Paid,
    /// There was none then.
    Denied,
}

/// Something that is given back when it is dropped.
#[derive(Debug)]
pub(super) struct Taken {
    used: Arc<Used>,
    what: What,
    count: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    Exchanges,
    Tunnels,
    JudgedBytes,
}

/// What an exchange holds of its owner's allowance.
#[derive(Debug, Default)]
pub(super) struct Held {
    pub(super) exchange: Option<Taken>,
    pub(super) tunnel: Option<Taken>,
    pub(super) body: Option<Taken>,
    /// Where the body is large, until it has been judged and written.
    pub(super) large: Option<large::Turn>,
    /// What is counted may not be made by another meanwhile.
    pub(super) turns: Vec<Turn>,
}

impl Held {
    /// The daemon has the request, and has said what came of it.
    pub(super) fn is_answered(&mut self) {
        self.body = None;
        self.turns.clear();
    }
}

/// A limit of one owner that a request is over.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Over {
    #[error(
        "this client has asked more than {0} times a second, which is its limit; try again in {1} s"
    )]
    Rate(u32, u64),
    #[error("this client has {0} requests under way already, which is its limit")]
    Exchanges(u64),
    #[error("this client has {0} tunnels open already, which is its limit")]
    Tunnels(u64),
    #[error("the bodies that this client sends at once are over {0} bytes, which is its limit")]
    JudgedBytes(u64),
    /// In words, with the count.
    #[error("{0}")]
    Quota(String),
    #[error("what client `{owner}` has cannot be counted: {cause}")]
    Uncounted { owner: String, cause: String },
    #[error("another request of client `{0}` still makes what its quota counts")]
    Busy(String),
}

impl Over {
    /// For records and counters.
    pub(super) fn code(&self) -> &'static str {
        match self {
            Self::Rate(..) => "too-many-requests",
            Self::Exchanges(_) => "too-many-exchanges",
            Self::Tunnels(_) => "too-many-tunnels",
            Self::JudgedBytes(_) => "too-many-judged-bytes",
            Self::Quota(_) => "quota",
            Self::Uncounted { .. } => "quota-unknown",
            Self::Busy(_) => "quota-busy",
        }
    }

    /// In whole seconds, where it is a matter of time.
    pub(super) fn retry_after(&self) -> Option<u64> {
        match self {
            Self::Rate(_, seconds) => Some(*seconds),
            Self::Exchanges(_) | Self::Tunnels(_) | Self::JudgedBytes(_) | Self::Busy(_) => Some(1),
            Self::Quota(_) | Self::Uncounted { .. } => None,
        }
    }
}

impl Allowances {
    /// What the clients of an owner may take, beside what they have taken already.
    pub(super) fn of(&self, owner: &Arc<str>, allowance: Allowance) -> Allowed {
        let mut owners = self.owners.lock().unwrap_or_else(PoisonError::into_inner);
        if !owners.used.contains_key(owner) {
            owners.make_room(nanoseconds(self.begun));
        }
        let used = owners.used.entry(Arc::clone(owner));
        let used = used.or_insert_with(|| Arc::new(Used::since(self.begun)));
        Allowed {
            allowance,
            used: Arc::clone(used),
            first: First::Open,
        }
    }
}

impl Owners {
    /// Lets go of those who have nothing and would get all of it again, and of all who are not connected where there
    /// are too many even so.
    fn make_room(&mut self, now: u64) {
        if self.used.len() < self.sweep_at {
            return;
        }
        let is_held = |used: &Arc<Used>| Arc::strong_count(used) > 1;
        self.used
            .retain(|_, used| is_held(used) || !used.bucket.is_full(now));
        if self.used.len() >= MOST {
            self.used.retain(|_, used| is_held(used));
        }
        self.sweep_at = FEW.max(2 * self.used.len()).min(MOST);
    }
}

impl Used {
    fn since(begun: Instant) -> Self {
        Self {
            begun,
            bucket: Bucket::default(),
            exchanges: AtomicU64::new(0),
            tunnels: AtomicU64::new(0),
            judged_bytes: AtomicU64::new(0),
            turns: Turns::default(),
        }
    }

    fn count(&self, what: What) -> &AtomicU64 {
        match what {
            What::Exchanges => &self.exchanges,
            What::Tunnels => &self.tunnels,
            What::JudgedBytes => &self.judged_bytes,
        }
    }
}

impl Allowed {
    /// A request has come: a token of its rate, and a place among the exchanges.
    ///
    /// # Errors
    /// [`Over`] whichever it is.
    pub(super) fn begin(&mut self) -> Result<Option<Taken>, Over> {
        if let Some(rate) = self.allowance.rate {
            match std::mem::take(&mut self.first) {
                First::Open => self.tokens(rate, 1)?,
                First::Paid => {}
                First::Denied => return Err(Over::Rate(rate.per_second, PAUSE.as_secs())),
            }
        }
        self.take(What::Exchanges, self.allowance.exchanges, 1)
    }

    /// A connection has come: the token of its first request, taken before there is one. Whether it was there.
    pub(super) fn connect(&mut self) -> bool {
        let Some(rate) = self.allowance.rate else {
            return true;
        };
        let is_there = self.tokens(rate, 1).is_ok();
        self.first = if is_there { First::Paid } else { First::Denied };
        is_there
    }

    /// The tokens of a body beside that of its request, one for each [`TOKEN_BYTES`]; `charged` is how many it has cost.
    /// None costs more than there are after a rest.
    ///
    /// # Errors
    /// [`Over::Rate`].
    pub(super) fn size(&self, charged: &mut u32, bytes: u64) -> Result<(), Over> {
        let Some(rate) = self.allowance.rate else {
            return Ok(());
        };
        let cost = u32::try_from(bytes / TOKEN_BYTES).unwrap_or(u32::MAX);
        let more = cost
            .min(rate.burst.saturating_sub(1))
            .saturating_sub(*charged);
        if more > 0 {
            self.tokens(rate, more)?;
            *charged += more;
        }
        Ok(())
    }

    fn tokens(&self, rate: Rate, tokens: u32) -> Result<(), Over> {
        let now = nanoseconds(self.used.begun);
        let taken = self.used.bucket.take_many(now, rate, tokens);
        taken.map_err(|wait| Over::Rate(rate.per_second, seconds_up(wait)))
    }

    /// The place of a tunnel; `None` where tunnels have no bound of their own.
    ///
    /// # Errors
    /// [`Over::Tunnels`].
    pub(super) fn tunnel(&self) -> Result<Option<Taken>, Over> {
        self.take(What::Tunnels, self.allowance.tunnels, 1)
    }

    /// Room for the bytes of a body that are known to come.
    ///
    /// # Errors
    /// [`Over::JudgedBytes`].
    pub(super) fn body(&self, bytes: u64) -> Result<Option<Taken>, Over> {
        self.take(What::JudgedBytes, self.allowance.judged_bytes, bytes)
    }

    fn take(&self, what: What, most: Option<u64>, count: u64) -> Result<Option<Taken>, Over> {
        let Some(most) = most else { return Ok(None) };
        if !raise(self.used.count(what), count, most) {
            return Err(match what {
                What::Exchanges => Over::Exchanges(most),
                What::Tunnels => Over::Tunnels(most),
                What::JudgedBytes => Over::JudgedBytes(most),
            });
        }
        Ok(Some(Taken {
            used: Arc::clone(&self.used),
            what,
            count,
        }))
    }

    /// Room for a body that grows to `bytes`.
    ///
    /// # Errors
    /// [`Over::JudgedBytes`].
    pub(super) fn grow(&self, taken: &mut Option<Taken>, bytes: u64) -> Result<(), Over> {
        let (Some(taken), Some(most)) = (taken, self.allowance.judged_bytes) else {
            return Ok(());
        };
        let more = bytes.saturating_sub(taken.count);
        if more > 0 && !raise(taken.used.count(taken.what), more, most) {
            return Err(Over::JudgedBytes(most));
        }
        taken.count += more;
        Ok(())
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        let counter = self.used.count(self.what);
        counter.fetch_sub(self.count, Ordering::Relaxed);
    }
}

/// Adds where the sum is within `most`; whether it was.
fn raise(counter: &AtomicU64, count: u64, most: u64) -> bool {
    let sum = |now: u64| now.checked_add(count).filter(|sum| *sum <= most);
    counter
        .fetch_update(Ordering::Relaxed, Ordering::Relaxed, sum)
        .is_ok()
}

fn nanoseconds(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_nanos()).unwrap_or(u64::MAX)
}

fn seconds_up(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

/// After which it is told to come back later: the least that `Retry-After` can say.
pub(super) const PAUSE: Duration = Duration::from_secs(1);
/// Bytes of a judged body that cost as much as a request.
const TOKEN_BYTES: u64 = 64 << 10;
/// Owners that are kept without a look at who of them is idle.
const FEW: usize = 256;
/// Owners that are kept, beside those who are connected.
const MOST: usize = 1 << 16;

#[cfg(test)]
mod tests;
