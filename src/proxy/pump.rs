//! A body on its way from one peer to the other, framing and all.

use std::io;
use std::task::{Context, Poll};

use bytes::{Buf as _, BytesMut};

use crate::http1::{Body, BodyFault, Piece};
use crate::peer::Peer;

/// Moves one body; what it has found to be of the body goes out of the source's own buffer, uncopied.
#[derive(Debug)]
pub(super) struct Pump {
    body: Body,
    coding: Coding,
    /// Bytes at the front of the source's input that are known to be of this body and not yet written.
    found: usize,
}

/// What is written of a chunked body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coding {
    /// Chunks as they came.
    Kept,
    /// Their data only, for those who do not know chunks.
    Removed,
}

/// What ends a body before its end.
#[derive(Debug)]
pub(super) enum PumpFault {
    Source(io::Error),
    SourceEnded,
    Malformed(BodyFault),
    Sink(io::Error),
}

impl Pump {
    pub(super) fn new(body: Body, coding: Coding) -> Self {
        Self {
            body,
            coding,
            found: 0,
        }
    }

    /// Whether the source has nothing more to give for this body.
    pub(super) fn has_read_all(&self) -> bool {
        self.body.is_done() && self.found == 0
    }

    /// Goes on as far as both peers let it; ready when the whole body is written and flushed, after `to.output`.
    ///
    /// `count` grows by the bytes of the body, without framing.
    pub(super) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        from: &mut Peer,
        to: &mut Peer,
        count: &mut u64,
    ) -> Poll<Result<(), PumpFault>> {
        for _ in 0..TURNS {
            *count += self.find(&mut from.input).map_err(PumpFault::Malformed)?;
            if self.found > 0 || !to.output.is_empty() {
                match to.poll_write_through(cx, &mut from.input, self.found) {
                    Poll::Ready(Ok(written)) => self.found -= written,
                    Poll::Ready(Err(error)) => return Poll::Ready(Err(PumpFault::Sink(error))),
                    Poll::Pending => return Poll::Pending,
                }
                continue;
            }
            let flushed = to.poll_flush(cx).map_err(PumpFault::Sink)?;
            if self.body.is_done() {
                return flushed.map(Ok);
            }
            match from.poll_fill(cx) {
                Poll::Ready(Ok(0)) if self.body.ends_with_connection() => return flushed.map(Ok),
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(PumpFault::SourceEnded)),
                Poll::Ready(Ok(_)) => {}
                Poll::Ready(Err(error)) => return Poll::Ready(Err(PumpFault::Source(error))),
                Poll::Pending => return Poll::Pending,
            }
        }
        // Both sides are fast; the other direction must have its turn too.
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Reads on in the input; gives how many bytes of data it found.
    fn find(&mut self, input: &mut BytesMut) -> Result<u64, BodyFault> {
        let mut data = 0;
        loop {
            match self
                .body
                .next(input.get(self.found..).unwrap_or_default())?
            {
                Piece::Framing(count) if self.coding == Coding::Removed => {
                    // INVARIANT: nothing found stands before it; see the end of the next arm.
                    input.advance(count);
                }
                Piece::Data(count) => {
                    self.found += count;
                    data += count as u64;
                    if self.coding == Coding::Removed {
                        return Ok(data);
                    }
                }
                Piece::Framing(count) => self.found += count,
                Piece::More | Piece::Done => return Ok(data),
            }
        }
    }
}

/// Writes of one direction in a row.
const TURNS: usize = 16;
