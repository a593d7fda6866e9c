//! Bodies and tunnels of many bytes, small messages through a tunnel, and tunnels on which nothing happens.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::exchange::END;
use super::{Exchange, Histogram, Place, Round, on_one_thread};
use crate::contenders::Processor;
use crate::workloads::{self, BLOCK, DOWN_BLOCKS};

/// Which way a body goes.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Direction {
    Down,
    Up,
}

/// What was moved, in what time.
#[derive(Debug)]
pub(crate) struct Moved {
    pub(crate) bytes: u64,
    pub(crate) took: Duration,
    pub(crate) processor: Duration,
}

/// A body of 1 GiB through HTTP.
pub(crate) fn transfer(place: &Place, direction: Direction, processor: &Processor) -> Moved {
    let bytes = (BLOCK * DOWN_BLOCKS) as u64;
    measured(bytes, processor, async {
        let mut exchange = Exchange::open(place).await;
        match direction {
            Direction::Down => {
                exchange.write(&workloads::down()).await;
                exchange.head().await;
                let mut last = exchange.input.to_vec();
                let mut buffer = vec![0; LARGE];
                while !last.ends_with(END) {
                    let count = exchange.stream.read(&mut buffer).await.expect("a body");
                    assert_ne!(count, 0, "the body was cut");
                    last.extend_from_slice(&buffer[count.saturating_sub(END.len())..count]);
                    last.drain(..last.len().saturating_sub(END.len()));
                }
            }
            Direction::Up => {
                exchange.write(&workloads::up(bytes)).await;
                let block = vec![b'x'; LARGE];
                for _ in 0..bytes / LARGE as u64 {
                    exchange.write(&block).await;
                }
                assert_eq!(exchange.head().await.status, 200);
            }
        }
    })
}

/// So many bytes through a tunnel and back, both ways at once.
pub(crate) fn hijack(place: &Place, bytes: u64, processor: &Processor) -> Moved {
    measured(2 * bytes, processor, async {
        let exchange = tunnel(place).await;
        let (mut reader, mut writer) = tokio::io::split(exchange.stream);
        let write = async {
            let block = vec![b'x'; LARGE];
            for _ in 0..bytes / LARGE as u64 {
                writer.write_all(&block).await.expect("a tunnel");
            }
            writer.flush().await.expect("a tunnel");
        };
        let read = async {
            let (mut left, mut buffer) = (bytes, vec![0; LARGE]);
            while left > 0 {
                let count = reader.read(&mut buffer).await.expect("a tunnel");
                assert_ne!(count, 0, "the tunnel was cut");
                left = left.saturating_sub(count as u64);
            }
        };
        tokio::join!(write, read);
    })
}

/// A few bytes there and back, one after the other.
pub(crate) fn hijack_round_trips(place: &Place, lasting: Duration, processor: &Processor) -> Round {
    on_one_thread(async {
        let mut exchange = tunnel(place).await;
        let (begun, before) = (Instant::now(), processor.used());
        let (mut latency, mut echo) = (Histogram::default(), [0; 64]);
        while begun.elapsed() < lasting {
            let began = Instant::now();
            exchange.write(&[b'x'; 64]).await;
            exchange
                .stream
                .read_exact(&mut echo)
                .await
                .expect("an echo");
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

/// Tunnels that are open and silent.
pub(crate) struct Tunnels {
    _runtime: tokio::runtime::Runtime,
    _open: Vec<Exchange>,
}

impl Tunnels {
    pub(crate) fn open(place: &Place, count: usize) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        let open = runtime.block_on(async {
            let mut open = Vec::with_capacity(count);
            for _ in 0..count {
                let mut exchange = tunnel(place).await;
                exchange.write(b"x").await;
                let mut echo = [0];
                exchange
                    .stream
                    .read_exact(&mut echo)
                    .await
                    .expect("an echo");
                open.push(exchange);
            }
            open
        });
        Self {
            _runtime: runtime,
            _open: open,
        }
    }
}

async fn tunnel(place: &Place) -> Exchange {
    let mut exchange = Exchange::open(place).await;
    exchange.write(&workloads::attach()).await;
    assert_eq!(exchange.head().await.status, 101);
    exchange
}

fn measured(bytes: u64, processor: &Processor, moving: impl Future<Output = ()>) -> Moved {
    let (begun, before) = (Instant::now(), processor.used());
    on_one_thread(moving);
    Moved {
        bytes,
        took: begun.elapsed(),
        processor: processor.used().saturating_sub(before),
    }
}

const LARGE: usize = 128 * 1024;
