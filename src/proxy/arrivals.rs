//! How fast TLS handshakes may be begun from one address: who begins them is not known before they are done.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use crate::config::Rate;

use super::allowance::Bucket;
use super::limits::NoSeat;

/// What each address has begun.
#[derive(Debug)]
pub(super) struct Arrivals {
    per_second: u32,
    since: Instant,
    buckets: Mutex<HashMap<IpAddr, Bucket>>,
}

impl Arrivals {
    pub(super) fn new(per_second: u32) -> Self {
        Self {
            per_second,
            since: Instant::now(),
            buckets: Mutex::default(),
        }
    }

    /// Another handshake of this address.
    ///
    /// # Errors
    /// [`NoSeat::Source`].
    pub(super) fn begin(&self, source: IpAddr) -> Result<(), NoSeat> {
        let now = u64::try_from(self.since.elapsed().as_nanos()).unwrap_or(u64::MAX);
        let rate = Rate {
            per_second: self.per_second,
            burst: self.per_second,
        };
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let mut source = network(source);
        if buckets.len() >= MOST && !buckets.contains_key(&source) {
            buckets.retain(|_, bucket| !bucket.is_full(now));
            if buckets.len() >= MOST {
                // So many at once are not many clients; those beyond share one.
                source = IpAddr::V6(Ipv6Addr::UNSPECIFIED);
            }
        }
        let taken = buckets.entry(source).or_default().take(now, rate);
        taken.map_err(|_| NoSeat::Source(self.per_second))
    }
}

/// Who has one address of a network of IPv6 has all of its 64 bits.
pub(super) fn network(source: IpAddr) -> IpAddr {
    match source {
        IpAddr::V4(_) => source,
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    }
}

/// Addresses that are told apart.
const MOST: usize = 1 << 14;

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn each_address_has_its_own_and_a_network_of_ipv6_is_one() {
        let arrivals = Arrivals::new(2);
        for (one, same, other) in [
            ("192.0.2.1", "192.0.2.1", "192.0.2.2"),
            ("2001:db8::1", "2001:db8::ffff:2", "2001:db8:0:1::1"),
        ] {
            arrivals.begin(at(one)).unwrap();
            arrivals.begin(at(same)).unwrap();
            assert_eq!(arrivals.begin(at(one)), Err(NoSeat::Source(2)));
            arrivals.begin(at(other)).unwrap();
        }
    }

    #[test]
    fn addresses_without_number_are_bounded_too() {
        let arrivals = Arrivals::new(1);
        let many = u32::try_from(MOST).unwrap() + 3;
        let begun = (0..many).filter(|number| {
            let source = IpAddr::V4(std::net::Ipv4Addr::from(*number));
            arrivals.begin(source).is_ok()
        });
        let begun = begun.count();
        assert!(begun < MOST + 3, "{begun}");
        assert!(arrivals.buckets.lock().unwrap().len() <= MOST + 1);
    }
}
