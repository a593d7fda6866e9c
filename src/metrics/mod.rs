//! What the gate counts: relaxed atomics that tasks add to, read when somebody asks for them.

mod counters;
mod text;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::audit::record::Verdict;
use crate::engine_api::Operation;
use crate::reload::Expiry;

use counters::{Codes, Counter, Histogram};

/// The counters of one gate, for as long as it runs.
#[derive(Debug, Default)]
pub struct Metrics {
    clients: Mutex<BTreeMap<String, Arc<ClientCounters>>>,
    /// Of clients that no `[[client]]` table matched, because their listener has a policy.
    unnamed: Arc<ClientCounters>,
    /// Of those beyond the first [`MOST_CLIENTS`].
    others: Arc<ClientCounters>,
    connections: Counter,
    connections_refused: Codes,
    tunnels: Counter,
    bytes_from_clients: Counter,
    bytes_to_clients: Counter,
    refusals: Histogram,
    answers: Histogram,
    ended_tunnels: Histogram,
    /// By what came of them, then by what was asked for.
    lookups: [Codes; 3],
    defaults_known: Counter,
    defaults_asked: Counter,
    execs_known: Counter,
    execs_asked: Counter,
    reloads: Counter,
    failed_reloads: Counter,
    reloaded_at: Counter,
    /// Changed by reloads and read when asked for, never by a request.
    in_force: Mutex<InForce>,
}

#[derive(Debug, Default)]
struct InForce {
    digest: Arc<str>,
    expiries: Vec<Expiry>,
}

/// The counters of the clients of one `[[client]]` table.
#[derive(Debug)]
pub struct ClientCounters {
    /// By the number of the operation; the last is for requests that name none.
    decisions: Box<[[Counter; 3]]>,
    refusals: Codes,
    observed: Codes,
    /// Warnings of their certificates' ends.
    expiring: Counter,
}

/// What came of a question of the gate's own to the daemon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LookedUp {
    Found,
    /// The daemon says that there is no such thing.
    Absent,
    /// No answer, or one that says nothing.
    Failed,
}

impl Default for ClientCounters {
    fn default() -> Self {
        let rows = Operation::all().count() + 1;
        Self {
            decisions: (0..rows).map(|_| <[Counter; 3]>::default()).collect(),
            refusals: Codes::with(MOST_REASONS),
            observed: Codes::with(MOST_REASONS),
            expiring: Counter::default(),
        }
    }
}

impl ClientCounters {
    /// Counts a decision, with the code of each reason.
    pub fn decided(
        &self,
        operation: Option<Operation>,
        verdict: Verdict,
        codes: impl Iterator<Item = &'static str>,
    ) {
        let row = self.row(operation);
        let counter = self.decisions.get(row).and_then(|row| {
            row.get(match verdict {
                Verdict::Permit => 0,
                Verdict::Refuse => 1,
                Verdict::Malformed => 2,
            })
        });
        if let Some(counter) = counter {
            counter.add(1);
        }
        codes.for_each(|code| self.refusals.add_to(row, code));
    }

    /// Counts what a policy that only observes would have refused.
    pub fn observed(
        &self,
        operation: Option<Operation>,
        codes: impl Iterator<Item = &'static str>,
    ) {
        let row = self.row(operation);
        codes.for_each(|code| self.observed.add_to(row, code));
    }

    /// Counts a warning of a client's certificate that is about to expire.
    pub fn expires_soon(&self) {
        self.expiring.add(1);
    }

    fn row(&self, operation: Option<Operation>) -> usize {
        let last = self.decisions.len().saturating_sub(1);
        operation.map_or(last, |operation| operation as usize)
    }
}

impl Metrics {
    /// The counters of a `[[client]]` table, which outlive a reload.
    #[must_use]
    pub fn client(&self, name: &str) -> Arc<ClientCounters> {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(counters) = clients.get(name) {
            return Arc::clone(counters);
        }
        if clients.len() >= MOST_CLIENTS {
            return Arc::clone(&self.others);
        }
        let counters = Arc::<ClientCounters>::default();
        clients.insert(name.to_owned(), Arc::clone(&counters));
        counters
    }

    /// Lets go of the counters of clients that are in no configuration any more.
    pub fn keep_clients<'a>(&self, names: impl Iterator<Item = &'a str>) {
        let names: BTreeSet<&str> = names.collect();
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        clients.retain(|name, _| names.contains(name.as_str()));
    }

    /// Those of clients that come by a listener with a policy.
    #[must_use]
    pub fn unnamed(&self) -> Arc<ClientCounters> {
        Arc::clone(&self.unnamed)
    }

    /// A connection that is open until this is dropped.
    #[must_use]
    pub fn connected(self: &Arc<Self>) -> Open {
        Open::new(self, |metrics| &metrics.connections)
    }

    /// Likewise a tunnel.
    #[must_use]
    pub fn tunnel(self: &Arc<Self>) -> Open {
        Open::new(self, |metrics| &metrics.tunnels)
    }

    /// A connection that was ended before any request was read.
    pub fn connection_refused(&self, code: &'static str) {
        self.connections_refused.add(code);
    }

    /// The end of an exchange: its bytes each way, and how long it took.
    pub fn ended(&self, kind: Exchange, from_client: u64, to_client: u64, duration: Duration) {
        self.bytes_from_clients.add(from_client);
        self.bytes_to_clients.add(to_client);
        match kind {
            Exchange::Refused => &self.refusals,
            Exchange::Answered => &self.answers,
            Exchange::Tunnel => &self.ended_tunnels,
        }
        .add(duration);
    }

    /// A question of the gate's own to the daemon, by what it asks for.
    pub fn looked_up(&self, what: &'static str, came_of_it: LookedUp) {
        let [found, absent, failed] = &self.lookups;
        match came_of_it {
            LookedUp::Found => found,
            LookedUp::Absent => absent,
            LookedUp::Failed => failed,
        }
        .add(what);
    }

    /// Whether the daemon's defaults were known already when they were needed.
    pub fn defaults_needed(&self, were_known: bool) {
        let counter = if were_known {
            &self.defaults_known
        } else {
            &self.defaults_asked
        };
        counter.add(1);
    }

    /// Whether the container of an exec instance was known already when it was needed.
    pub fn exec_needed(&self, was_known: bool) {
        let counter = if was_known {
            &self.execs_known
        } else {
            &self.execs_asked
        };
        counter.add(1);
    }

    /// A reload that was not put in force.
    pub fn reload_failed(&self) {
        self.failed_reloads.add(1);
    }

    /// A reload that was.
    pub fn reloaded(&self) {
        self.reloads.add(1);
    }

    /// What is in force from now on.
    pub fn in_force(&self, digest: &Arc<str>, expiries: &[Expiry]) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        self.reloaded_at.set(now.unwrap_or_default().as_secs());
        let mut in_force = self.in_force.lock().unwrap_or_else(PoisonError::into_inner);
        in_force.digest = Arc::clone(digest);
        in_force.expiries = expiries.to_vec();
    }
}

/// What an exchange was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exchange {
    Refused,
    Answered,
    Tunnel,
}

/// Something that is open, counted until it is dropped.
#[derive(Debug)]
pub struct Open {
    metrics: Arc<Metrics>,
    counter: fn(&Metrics) -> &Counter,
}

impl Open {
    fn new(metrics: &Arc<Metrics>, counter: fn(&Metrics) -> &Counter) -> Self {
        counter(metrics).add(1);
        Self {
            metrics: Arc::clone(metrics),
            counter,
        }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        (self.counter)(&self.metrics).take(1);
    }
}

/// `[[client]]` tables with counters of their own; each has some hundred series, and never more than 2400.
pub const MOST_CLIENTS: usize = 100;
/// Reasons of one client that are counted apart, each with its operation.
const MOST_REASONS: usize = 1024;
