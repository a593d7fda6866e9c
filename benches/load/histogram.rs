//! How long answers took: counts in steps of one part in thirty-two.

use std::time::Duration;

/// Counts of durations; each is known to about three parts in a hundred.
#[derive(Debug, Clone, Default)]
pub(crate) struct Histogram {
    counts: Vec<u64>,
    count: u64,
}

impl Histogram {
    pub(crate) fn add(&mut self, duration: Duration) {
        let step = step(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX));
        if self.counts.len() <= step {
            self.counts.resize(step + 1, 0);
        }
        self.counts[step] += 1;
        self.count += 1;
    }

    pub(crate) fn join(&mut self, other: &Self) {
        if self.counts.len() < other.counts.len() {
            self.counts.resize(other.counts.len(), 0);
        }
        for (own, others) in self.counts.iter_mut().zip(&other.counts) {
            *own += others;
        }
        self.count += other.count;
    }

    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    /// The time within which so many of a thousand ended, in microseconds.
    pub(crate) fn per_mille(&self, part: u64) -> f64 {
        let wanted = (self.count * part).div_ceil(1000);
        let mut seen = 0;
        for (step, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= wanted {
                return begin(step) as f64 / 1000.0;
            }
        }
        0.0
    }
}

/// 32 steps for each power of two.
fn step(nanoseconds: u64) -> usize {
    let value = nanoseconds.max(STEPS);
    let power = value.ilog2() - STEPS.ilog2();
    let within = (value >> power) - STEPS;
    usize::try_from(u64::from(power) * STEPS + within).expect("a few thousand steps")
}

fn begin(step: usize) -> u64 {
    let step = step as u64;
    (step % STEPS + STEPS) << (step / STEPS)
}

const STEPS: u64 = 32;
