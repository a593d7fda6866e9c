//! Clients that ask one thing again and again, and how long they wait.

mod bulk;
mod exchange;
mod histogram;
mod place;

use std::future::Future;
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::sync::Barrier;
use tokio::task::LocalSet;

use crate::contenders::Processor;
use crate::workloads::Workload;

pub(crate) use bulk::{Direction, Moved, Tunnels, hijack, hijack_round_trips, transfer};
pub(crate) use exchange::Exchange;
pub(crate) use histogram::Histogram;
pub(crate) use place::Place;

/// What a round of requests came to.
#[derive(Debug)]
pub(crate) struct Round {
    pub(crate) requests: u64,
    pub(crate) took: Duration,
    /// Of the gate alone.
    pub(crate) processor: Duration,
    pub(crate) latency: Histogram,
}

/// Asks over so many connections, each of which waits for its answer, for so long.
pub(crate) fn ask(
    place: &Place,
    workload: &Workload,
    (connections, lasting): (usize, Duration),
    processor: &Processor,
) -> Round {
    let ready = Rc::new(Barrier::new(connections + 1));
    on_one_thread(async move {
        let mut asking = Vec::with_capacity(connections);
        for _ in 0..connections {
            let (place, workload, ready) = (place.clone(), workload.clone(), Rc::clone(&ready));
            asking.push(tokio::task::spawn_local(async move {
                let mut exchange = Exchange::open(&place).await;
                exchange.ask(&workload).await;
                ready.wait().await;
                let (until, mut latency) = (Instant::now() + lasting, Histogram::default());
                let mut begun = Instant::now();
                while begun < until {
                    exchange.ask(&workload).await;
                    let ended = Instant::now();
                    latency.add(ended - begun);
                    begun = ended;
                }
                (latency, exchange)
            }));
        }
        ready.wait().await;
        let (begun, before) = (Instant::now(), processor.used());
        let mut latency = Histogram::default();
        // What closing them costs is no part of a request.
        let mut open = Vec::with_capacity(connections);
        for one in asking {
            let (of_one, exchange) = one.await.expect("a client");
            latency.join(&of_one);
            open.push(exchange);
        }
        Round {
            requests: latency.count(),
            took: begun.elapsed(),
            processor: processor.used().saturating_sub(before),
            latency,
        }
    })
}

/// Connects, asks once and closes, one after the other, for so long.
pub(crate) fn connect(
    place: &Place,
    workload: &Workload,
    lasting: Duration,
    processor: &Processor,
) -> Round {
    on_one_thread(async move {
        let (begun, before) = (Instant::now(), processor.used());
        let mut latency = Histogram::default();
        while begun.elapsed() < lasting {
            let began = Instant::now();
            Exchange::open(place).await.ask(workload).await;
            latency.add(began.elapsed());
        }
        Round {
            requests: latency.count(),
            took: begun.elapsed(),
            processor: processor.used().saturating_sub(before),
            latency,
        }
    })
}

/// Runs clients where they cost the least.
pub(crate) fn on_one_thread<T>(clients: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    LocalSet::new().block_on(&runtime, clients)
}
