//! One connection of a client: a request written, its answer read to the end.

use bytes::{Buf as _, BytesMut};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::Place;
use super::place::Stream;
use crate::workloads::Workload;

/// A connection that is opened anew where the other side has closed it.
pub(crate) struct Exchange {
    place: Place,
    pub(super) stream: Stream,
    pub(super) input: BytesMut,
}

/// How an answer ends.
pub(super) enum Framing {
    Length(usize),
    Chunked,
}

/// What an answer's head says.
pub(super) struct AnswerHead {
    pub(super) status: u16,
    pub(super) framing: Framing,
    closes: bool,
}

impl Exchange {
    pub(crate) async fn open(place: &Place) -> Self {
        Self {
            place: place.clone(),
            stream: place.connect().await,
            input: BytesMut::with_capacity(READ),
        }
    }

    /// Asks once, and holds the answer against what is expected.
    pub(crate) async fn ask(&mut self, workload: &Workload) {
        self.write(&workload.request).await;
        let head = self.head().await;
        assert_eq!(
            head.status, workload.status,
            "the answer to {}",
            workload.name
        );
        match head.framing {
            Framing::Length(length) => {
                while self.input.len() < length {
                    self.read().await;
                }
                self.input.advance(length);
            }
            Framing::Chunked => {
                // INVARIANT: no answer of the engine holds these bytes but at its end.
                while !self.input.ends_with(END) {
                    self.read().await;
                }
                self.input.clear();
            }
        }
        if head.closes {
            self.stream = self.place.connect().await;
        }
    }

    pub(super) async fn write(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.expect("a request");
        self.stream.flush().await.expect("a request");
    }

    pub(super) async fn head(&mut self) -> AnswerHead {
        loop {
            let end = self.input.windows(4).position(|end| end == b"\r\n\r\n");
            if let Some(end) = end {
                let head = AnswerHead::read(&self.input[..end + 4]);
                self.input.advance(end + 4);
                return head;
            }
            self.read().await;
        }
    }

    pub(super) async fn read(&mut self) {
        self.input.reserve(READ);
        let count = self.stream.read_buf(&mut self.input).await;
        assert_ne!(count.expect("an answer"), 0, "the connection was closed");
    }
}

impl AnswerHead {
    fn read(head: &[u8]) -> Self {
        let head = String::from_utf8_lossy(head).to_ascii_lowercase();
        let status = head.get(9..12).and_then(|status| status.parse().ok());
        let mut framing = Framing::Length(0);
        for line in head.split("\r\n") {
            if let Some(length) = line.strip_prefix("content-length: ") {
                framing = Framing::Length(length.parse().expect("a length"));
            } else if line == "transfer-encoding: chunked" {
                framing = Framing::Chunked;
            }
        }
        Self {
            status: status.expect("a status"),
            framing,
            closes: head.contains("\r\nconnection: close"),
        }
    }
}

/// How a chunked body ends.
pub(super) const END: &[u8] = b"\r\n0\r\n\r\n";
const READ: usize = 64 * 1024;
