//! A token bucket: how fast requests may come, without a timer and without a lock.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::config::Rate;

/// The tokens of one owner, held as the moment at which all of them are back.
///
/// The generic cell rate algorithm (ITU-T I.371, annex A) in its virtual scheduling form.
#[derive(Debug, Default)]
pub(in crate::proxy) struct Bucket {
    /// Nanoseconds on the clock of whoever asks.
    full_at: AtomicU64,
}

impl Bucket {
    /// Takes a token at `now`, in nanoseconds of a clock that never goes back.
    ///
    /// # Errors
    /// How long it takes until there is one; none is taken then.
    pub(in crate::proxy) fn take(&self, now: u64, rate: Rate) -> Result<(), Duration> {
        self.take_many(now, rate, 1)
    }

    /// Likewise so many at once, or none.
    ///
    /// # Errors
    /// How long it takes until there are as many, which is for ever for more than the burst.
    pub(super) fn take_many(&self, now: u64, rate: Rate, tokens: u32) -> Result<(), Duration> {
        let most = interval(rate).saturating_mul(u64::from(rate.burst.max(1)));
        let interval = interval(rate).saturating_mul(u64::from(tokens));
        let mut full_at = self.full_at.load(Ordering::Relaxed);
        loop {
            // Under a rate that a reload has made higher, a debt would not have grown so far.
            let begins = full_at.clamp(now, now.saturating_add(most));
            let ahead = begins.saturating_add(interval) - now;
            let next = if ahead > most {
                begins
            } else {
                begins + interval
            };
            let (ordering, bucket) = (Ordering::Relaxed, &self.full_at);
            match bucket.compare_exchange_weak(full_at, next, ordering, ordering) {
                Ok(_) if ahead > most => return Err(Duration::from_nanos(ahead - most)),
                Ok(_) => return Ok(()),
                Err(other) => full_at = other,
            }
        }
    }

    /// Whether it would make no difference to begin anew.
    pub(in crate::proxy) fn is_full(&self, now: u64) -> bool {
        self.full_at.load(Ordering::Relaxed) <= now
    }
}

/// Nanoseconds in which one token comes back, rounded up.
fn interval(rate: Rate) -> u64 {
    1_000_000_000_u64.div_ceil(u64::from(rate.per_second.max(1)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: u64 = 1_000_000_000;

    fn rate(per_second: u32, burst: u32) -> Rate {
        Rate { per_second, burst }
    }

    #[test]
    fn a_burst_goes_through_and_then_one_for_each_interval() {
        let (bucket, rate) = (Bucket::default(), rate(10, 3));
        for _ in 0..3 {
            bucket.take(SECOND, rate).unwrap();
        }
        assert_eq!(bucket.take(SECOND, rate), Err(Duration::from_millis(100)));
        assert!(bucket.take(SECOND + SECOND / 10, rate).is_ok());
        assert!(bucket.take(SECOND + SECOND / 10, rate).is_err());
        assert!(!bucket.is_full(SECOND) && bucket.is_full(2 * SECOND));
    }

    #[test]
    fn a_reload_holds_from_the_next_request_on() {
        let bucket = Bucket::default();
        for _ in 0..100 {
            bucket.take(0, rate(1, 100)).unwrap();
        }
        let wait = bucket.take(0, rate(10, 2)).unwrap_err();
        assert_eq!(wait, Duration::from_millis(100));
        assert!(bucket.take(SECOND / 10 - 1, rate(10, 2)).is_err());
        assert!(bucket.take(SECOND / 10, rate(10, 2)).is_ok());
    }

    #[test]
    fn many_tokens_are_taken_at_once_or_not_at_all() {
        let (bucket, rate) = (Bucket::default(), rate(10, 5));
        bucket.take_many(SECOND, rate, 3).unwrap();
        let wait = bucket.take_many(SECOND, rate, 4).unwrap_err();
        assert_eq!(wait, Duration::from_millis(200));
        bucket.take_many(SECOND, rate, 2).unwrap();
        assert!(bucket.take(SECOND, rate).is_err());
    }

    proptest! {
        #[test]
        fn never_more_than_the_burst_and_what_came_back(
            per_second in 1_u32..2000,
            burst in 1_u32..50,
            pauses in prop::collection::vec(0_u64..20_000_000, 1..300),
        ) {
            let (bucket, rate) = (Bucket::default(), rate(per_second, burst));
            let mut now = 5 * SECOND;
            let mut taken: Vec<u64> = Vec::new();
            for pause in pauses {
                now += pause;
                match bucket.take(now, rate) {
                    Ok(()) => taken.push(now),
                    Err(wait) => {
                        let wait = u64::try_from(wait.as_nanos()).unwrap();
                        prop_assert!(wait > 0 && wait <= interval(rate));
                        // Who waits as long as it is told to is let in then, and not a nanosecond before.
                        prop_assert!(bucket.take(now + wait - 1, rate).is_err());
                    }
                }
            }
            for (first, from) in taken.iter().enumerate() {
                for (last, to) in taken.iter().enumerate().skip(first) {
                    let came_back = (to - from) / interval(rate);
                    prop_assert!((last - first) as u64 <= u64::from(burst) + came_back);
                }
            }
        }

        #[test]
        fn who_waits_as_told_is_let_in(per_second in 1_u32..2000, burst in 1_u32..50) {
            let (bucket, rate) = (Bucket::default(), rate(per_second, burst));
            for _ in 0..burst {
                prop_assert!(bucket.take(SECOND, rate).is_ok());
            }
            let wait = bucket.take(SECOND, rate).unwrap_err();
            prop_assert!(bucket.take(SECOND + u64::try_from(wait.as_nanos()).unwrap(), rate).is_ok());
        }
    }
}
