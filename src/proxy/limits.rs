//! How many connections there may be at once, in all and for one client.

use std::collections::HashMap;
use std::mem::replace;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use crate::config::Limits;
use crate::policy::client::Identity;

use super::arrivals::network;
use super::large::{Lane, Lanes};

/// Counts the connections of each client.
#[derive(Debug, Clone)]
pub(super) struct Seats {
    taken: Arc<Mutex<Taken>>,
    all: usize,
    per_client: usize,
    lanes: Lanes,
}

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    /// Of those, the ones whose client is not known yet.
    unknown: usize,
    /// Of those, the ones from each address that must do something to be known.
    by_source: HashMap<IpAddr, usize>,
    by_client: HashMap<Seated, Together>,
}

/// What the connections of one client have together.
#[derive(Debug)]
struct Together {
    count: usize,
    lane: Lane,
}

/// Whose connections are counted together.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Seated {
    Fingerprint(String),
    Uid(u32),
    Container(String),
    Listener(Arc<str>),
}

/// The place of one connection, given back when it is dropped.
#[derive(Debug)]
pub(super) struct Seat {
    seats: Seats,
    holder: Holder,
}

/// Who a place is counted for.
#[derive(Debug)]
enum Holder {
    Unknown(Option<IpAddr>),
    Known(Seated),
}

/// Why a connection gets no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum NoSeat {
    #[error("the gate has {0} connections already, which is its limit")]
    Gate(usize),
    #[error("the gate waits for {0} clients to say who they are, which is its limit")]
    Unknown(usize),
    #[error(
        "the gate waits for {0} clients of this address to say who they are, which is its limit"
    )]
    UnknownOfSource(usize),
    #[error("this client has {0} connections already, which is its limit")]
    Client(usize),
    #[error("this address has begun {0} TLS handshakes in a second, which is its limit")]
    Source(u32),
}

impl NoSeat {
    /// For records and counters.
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::Gate(_) => "too-many-connections",
            Self::Unknown(_) => "too-many-handshakes",
            Self::UnknownOfSource(_) => "too-many-unfinished-handshakes-of-address",
            Self::Client(_) => "too-many-connections-of-client",
            Self::Source(_) => "too-many-handshakes-of-address",
        }
    }
}

impl Seats {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            taken: Arc::default(),
            all: limits.connections,
            per_client: limits.connections_per_client,
            lanes: Lanes::default(),
        }
    }

    /// A place for a connection whose client is not known yet; `from` an address where it must do something to be known, as
    /// by a handshake, and so may stay unknown for as long as that is given.
    pub(super) fn take(&self, from: Option<IpAddr>) -> Result<Seat, NoSeat> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if taken.all >= self.all {
            return Err(NoSeat::Gate(self.all));
        }
        // Strangers who begin a handshake and never end it leave places for those who are known, and for those of others.
        let most_unknown = self.all.div_ceil(2);
        let from = from.map(network);
        if let Some(from) = from {
            let most = most_unknown.div_ceil(4).max(FEW).min(most_unknown);
            let of_source = taken.by_source.get(&from).copied().unwrap_or_default();
            if taken.unknown >= most_unknown {
                return Err(NoSeat::Unknown(most_unknown));
            }
            if of_source >= most {
                return Err(NoSeat::UnknownOfSource(most));
            }
            taken.by_source.insert(from, of_source + 1);
        }
        taken.all += 1;
        taken.unknown += 1;
        drop(taken);
        Ok(Seat {
            seats: self.clone(),
            holder: Holder::Unknown(from),
        })
    }
}

impl Taken {
    /// One that was not known is, or has gone.
    fn is_settled(&mut self, from: Option<IpAddr>) {
        self.unknown = self.unknown.saturating_sub(1);
        let Some(from) = from else { return };
        if let Some(count) = self.by_source.get_mut(&from) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.by_source.remove(&from);
            }
        }
    }
}

impl Seat {
    /// Counts the connection for its client, now that it is known; gives what its connections share.
    pub(super) fn identify(
        &mut self,
        identity: &Identity,
        listener: &Arc<str>,
    ) -> Result<Lane, NoSeat> {
        let client = match identity {
            Identity::Certificate(certificate) => {
                Seated::Fingerprint(certificate.fingerprint.clone())
            }
            Identity::Peer(peer) => Seated::Uid(peer.uid),
            Identity::Container(container) => Seated::Container(container.id.clone()),
            Identity::Listener => Seated::Listener(Arc::clone(listener)),
        };
        let mut taken = self
            .seats
            .taken
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let together = taken.by_client.entry(client.clone());
        let together = together.or_insert_with(|| Together {
            count: 0,
            lane: self.seats.lanes.lane(),
        });
        if together.count >= self.seats.per_client {
            return Err(NoSeat::Client(self.seats.per_client));
        }
        together.count += 1;
        let lane = together.lane.clone();
        if let Holder::Unknown(from) = replace(&mut self.holder, Holder::Known(client)) {
            taken.is_settled(from);
        }
        Ok(lane)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self
            .seats
            .taken
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        taken.all = taken.all.saturating_sub(1);
        let client = match &self.holder {
            Holder::Unknown(from) => return taken.is_settled(*from),
            Holder::Known(client) => client,
        };
        if let Some(together) = taken.by_client.get_mut(client) {
            together.count = together.count.saturating_sub(1);
            if together.count == 0 {
                taken.by_client.remove(client);
            }
        }
    }
}

/// Places of one address at least, so that a small gate serves several clients of one.
const FEW: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::client::PeerCredentials;

    fn seats(all: usize, per_client: usize) -> Seats {
        Seats::new(&Limits {
            connections: all,
            connections_per_client: per_client,
            ..Limits::default()
        })
    }

    fn from(last: u8) -> Option<IpAddr> {
        Some([192, 0, 2, last].into())
    }

    fn uid(uid: u32) -> Identity {
        Identity::Peer(PeerCredentials {
            uid,
            ..PeerCredentials::default()
        })
    }

    #[test]
    fn the_gate_has_so_many_places() {
        let seats = seats(1, 1);
        let first = seats.take(None).unwrap();
        assert_eq!(seats.take(None).unwrap_err(), NoSeat::Gate(1));
        drop(first);
        assert!(seats.take(None).is_ok());
    }

    #[test]
    fn strangers_have_half_of_the_places() {
        let (seats, listener) = (seats(4, 4), Arc::from("unix:///a"));
        let strangers = [seats.take(from(1)).unwrap(), seats.take(from(1)).unwrap()];
        assert_eq!(seats.take(from(1)).unwrap_err(), NoSeat::Unknown(2));
        // Who is known at once waits for no stranger.
        assert!(seats.take(None).is_ok());
        let mut known = Vec::new();
        for mut seat in strangers {
            seat.identify(&uid(1), &listener).unwrap();
            known.push(seat);
        }
        let third = seats.take(from(1)).unwrap();
        drop(third);
        assert!(seats.take(from(1)).is_ok());
    }

    #[test]
    fn an_address_has_a_quarter_of_the_places_of_strangers() {
        let (seats, listener) = (seats(200, 200), Arc::from("tcp://192.0.2.9:2376"));
        let taken =
            |last: u8| std::iter::from_fn(|| seats.take(from(last)).ok()).collect::<Vec<_>>();
        let mut first = taken(1);
        assert_eq!(first.len(), 25);
        assert_eq!(
            seats.take(from(1)).unwrap_err(),
            NoSeat::UnknownOfSource(25)
        );
        assert_eq!(taken(2).len(), 25);
        for seat in &mut first {
            seat.identify(&uid(1), &listener).unwrap();
        }
        assert_eq!(taken(1).len(), 25);
        assert!(seats.taken.lock().unwrap().by_source.is_empty());
        let all: Vec<_> = (1..=4).map(taken).collect();
        assert_eq!(all.iter().map(Vec::len).sum::<usize>(), 100);
        assert_eq!(seats.take(from(5)).unwrap_err(), NoSeat::Unknown(100));
    }

    #[test]
    fn a_small_gate_serves_several_clients_of_one_address() {
        let seats = seats(20, 20);
        let taken: Vec<_> = std::iter::from_fn(|| seats.take(from(1)).ok()).collect();
        assert_eq!(taken.len(), 10);
        assert_eq!(seats.take(from(1)).unwrap_err(), NoSeat::Unknown(10));
    }

    #[test]
    fn a_client_over_its_limit_takes_nothing_from_others() {
        let (seats, listener) = (seats(9, 1), Arc::from("unix:///a"));
        let mut first = seats.take(from(1)).unwrap();
        first.identify(&uid(1), &listener).unwrap();
        let mut second = seats.take(from(1)).unwrap();
        let none = second.identify(&uid(1), &listener).map(drop);
        assert_eq!(none, Err(NoSeat::Client(1)));
        second.identify(&uid(2), &listener).unwrap();
        drop(first);
        let mut third = seats.take(from(1)).unwrap();
        third.identify(&uid(1), &listener).unwrap();
    }
}
