//! Numbers that many tasks add to at once: no lock, no allocation.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// A number that grows, or for gauges one that goes up and down.
#[derive(Debug, Default)]
pub(super) struct Counter(AtomicU64);

impl Counter {
    pub(super) fn add(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    pub(super) fn take(&self, count: u64) {
        self.0.fetch_sub(count, Ordering::Relaxed);
    }

    pub(super) fn set(&self, value: u64) {
        self.0.store(value, Ordering::Relaxed);
    }

    pub(super) fn value(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Counters by codes that the gate's own source spells, each of a row such as an operation; the first that come have one
/// each, the rest share one.
#[derive(Debug)]
pub(super) struct Codes {
    slots: Box<[Slot]>,
    rest: Counter,
}

#[derive(Debug, Default)]
struct Slot {
    code: OnceLock<(usize, &'static str)>,
    count: Counter,
}

impl Default for Codes {
    fn default() -> Self {
        Self::with(SLOTS)
    }
}

impl Codes {
    pub(super) fn with(slots: usize) -> Self {
        Self {
            slots: (0..slots).map(|_| Slot::default()).collect(),
            rest: Counter::default(),
        }
    }

    /// Of no row.
    pub(super) fn add(&self, code: &'static str) {
        self.add_to(0, code);
    }

    pub(super) fn add_to(&self, row: usize, code: &'static str) {
        let slots = self.slots.len();
        let first = place(row, code);
        for step in 0..slots {
            let at = first.wrapping_add(step).checked_rem(slots);
            let Some(slot) = at.and_then(|at| self.slots.get(at)) else {
                break;
            };
            if *slot.code.get_or_init(|| (row, code)) == (row, code) {
                return slot.count.add(1);
            }
        }
        self.rest.add(1);
    }

    /// Every code that has come, in their order; those of no row.
    pub(super) fn counts(&self) -> Vec<(&'static str, u64)> {
        let rows = self.counts_by_row().into_iter();
        rows.map(|(_, code, count)| (code, count)).collect()
    }

    /// Every code that has come with its row, in their order; what has no counter of its own has no row either.
    pub(super) fn counts_by_row(&self) -> Vec<(Option<usize>, &'static str, u64)> {
        let known = self.slots.iter().filter_map(|slot| {
            let (row, code) = *slot.code.get()?;
            Some((Some(row), code, slot.count.value()))
        });
        let mut counts: Vec<_> = known.collect();
        counts.sort_unstable();
        let rest = self.rest.value();
        counts.extend((rest > 0).then_some((None, "other", rest)));
        counts
    }
}

/// FNV-1a.
fn place(row: usize, code: &str) -> usize {
    let begins = 0xcbf2_9ce4_8422_2325_u64 ^ row as u64;
    let hash = code.bytes().fold(begins, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    usize::try_from(hash >> 8).unwrap_or_default()
}

/// More than there are codes.
const SLOTS: usize = 192;

/// How long things took.
#[derive(Debug, Default)]
pub(super) struct Histogram {
    buckets: [Counter; BOUNDS.len()],
    longer: Counter,
    microseconds: Counter,
}

/// Upper bounds of the buckets, in microseconds and as they are written in seconds.
pub(super) const BOUNDS: [(u64, &str); 13] = [
    (250, "0.00025"),
    (500, "0.0005"),
    (1_000, "0.001"),
    (2_500, "0.0025"),
    (5_000, "0.005"),
    (10_000, "0.01"),
    (50_000, "0.05"),
    (250_000, "0.25"),
    (1_000_000, "1.0"),
    (5_000_000, "5.0"),
    (30_000_000, "30.0"),
    (300_000_000, "300.0"),
    (3_600_000_000, "3600.0"),
];

impl Histogram {
    pub(super) fn add(&self, duration: Duration) {
        let microseconds = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        let at = BOUNDS.iter().position(|(most, _)| microseconds <= *most);
        let bucket = at.and_then(|at| self.buckets.get(at));
        bucket.unwrap_or(&self.longer).add(1);
        self.microseconds.add(microseconds);
    }

    /// Each bound with the number of those up to it; then the number of all, and the sum in microseconds.
    pub(super) fn read(&self) -> (Vec<(&'static str, u64)>, u64, u64) {
        let mut all = 0;
        let up_to = self.buckets.iter().zip(BOUNDS).map(|(bucket, (_, bound))| {
            all += bucket.value();
            (bound, all)
        });
        let up_to: Vec<_> = up_to.collect();
        (up_to, all + self.longer.value(), self.microseconds.value())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_counted_apart_and_never_lost() {
        let codes = Codes::default();
        codes.add("privileged");
        codes.add("host-path");
        codes.add("privileged");
        assert_eq!(codes.counts(), [("host-path", 1), ("privileged", 2)]);
        for number in 0..2 * SLOTS {
            codes.add(Box::leak(number.to_string().into_boxed_str()));
        }
        let all: u64 = codes.counts().iter().map(|(_, count)| count).sum();
        assert_eq!(all, 3 + 2 * SLOTS as u64);
        assert_eq!(codes.counts().len(), SLOTS + 1);
    }

    #[test]
    fn a_code_is_counted_for_each_row_apart() {
        let codes = Codes::with(3);
        for (row, code) in [(7, "a"), (2, "b"), (7, "a"), (2, "a"), (9, "a")] {
            codes.add_to(row, code);
        }
        let counts = codes.counts_by_row();
        assert_eq!(
            counts,
            [
                (Some(2), "a", 1),
                (Some(2), "b", 1),
                (Some(7), "a", 2),
                (None, "other", 1)
            ]
        );
    }

    #[test]
    fn a_histogram_counts_up_to_each_bound() {
        let histogram = Histogram::default();
        for milliseconds in [1, 1, 20, 4_000_000] {
            histogram.add(Duration::from_millis(milliseconds));
        }
        let (up_to, all, sum) = histogram.read();
        assert_eq!(up_to[2], ("0.001", 2));
        assert_eq!(up_to[6], ("0.05", 3));
        assert_eq!(up_to[12], ("3600.0", 3));
        assert_eq!((all, sum), (4, 4_000_022_000));
    }
}
