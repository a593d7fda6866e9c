//! One end of an exchange, the client or the daemon: its stream, what was read ahead, what is still to be written.

mod stream;
mod unix;

use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};

use bytes::{Buf, BytesMut};
use rustls_pki_types::CertificateDer;
use tokio::io::{AsyncReadExt as _, AsyncWrite as _};

pub use stream::Stream;
pub use unix::UnixSocket;

/// A stream with its two buffers.
#[derive(Debug)]
pub struct Peer {
    stream: Stream,
    /// Read and not yet used; whoever fills it bounds it.
    pub input: BytesMut,
    /// To be written before anything else.
    pub output: BytesMut,
    has_ended: bool,
    read_size: usize,
}

impl Peer {
    /// Takes over a stream of which nothing has been read.
    #[must_use]
    pub fn new(stream: Stream) -> Self {
        Self {
            stream,
            input: BytesMut::new(),
            output: BytesMut::new(),
            has_ended: false,
            read_size: SMALL_READ,
        }
    }

    /// Reads what is there onto the end of `input` and gives its length; 0 is the end, and stays so.
    ///
    /// # Errors
    /// Those of the stream; TLS that ends without `close_notify` is one.
    pub fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        if self.has_ended {
            return Poll::Ready(Ok(0));
        }
        if self.input.is_empty() && self.stream.poll_readable(cx)?.is_pending() {
            // A connection on which nothing happens costs no buffer.
            self.input = BytesMut::new();
            return Poll::Pending;
        }
        if self.input.capacity() - self.input.len() < SMALL_READ / 2 {
            self.input.reserve(self.read_size);
        }
        let room = self.input.capacity() - self.input.len();
        let read = pin!(self.stream.read_buf(&mut self.input)).poll(cx);
        if read.is_pending() && self.input.is_empty() {
            self.input = BytesMut::new();
        }
        let count = ready!(read)?;
        self.has_ended = count == 0;
        if count == room {
            self.read_size = LARGE_READ;
        } else if count < SMALL_READ {
            self.read_size = SMALL_READ;
        }
        Poll::Ready(Ok(count))
    }

    /// Writes all of `output` and then, in the same call where it can, the first `extent` bytes of `more`, which it
    /// removes; gives how many of those were written at this step.
    ///
    /// # Errors
    /// Those of the stream.
    pub fn poll_write_through(
        &mut self,
        cx: &mut Context<'_>,
        more: &mut BytesMut,
        extent: usize,
    ) -> Poll<io::Result<usize>> {
        let more_bytes = more.get(..extent).unwrap_or_default();
        let stream = Pin::new(&mut self.stream);
        let written = if self.output.is_empty() {
            ready!(stream.poll_write(cx, more_bytes))?
        } else if more_bytes.len() <= LITTLE {
            let own = self.output.len();
            // One buffer costs the kernel less than two; what of `more` is not written stays there.
            self.output.extend_from_slice(more_bytes);
            let written = stream.poll_write(cx, &self.output);
            self.output.truncate(own);
            ready!(written)?
        } else {
            let slices = [IoSlice::new(&self.output), IoSlice::new(more_bytes)];
            ready!(stream.poll_write_vectored(cx, &slices))?
        };
        if written == 0 {
            return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
        }
        let own = written.min(self.output.len());
        if own < self.output.len() {
            self.output.advance(own);
        } else if self.output.capacity() <= KEPT {
            self.output.clear();
        } else {
            // A connection that is kept is not to hold the largest request that it ever carried.
            self.output = BytesMut::new();
        }
        more.advance(written - own);
        Poll::Ready(Ok(written - own))
    }

    /// Writes all of `output` and flushes the stream.
    ///
    /// # Errors
    /// Those of the stream.
    pub fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.output.is_empty() {
            ready!(self.poll_write_through(cx, &mut BytesMut::new(), 0))?;
        }
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    /// Writes all of `output` and half-closes; `close_notify` under TLS.
    ///
    /// # Errors
    /// Those of the stream.
    pub fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_flush(cx))?;
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    /// Writes all of `output`.
    ///
    /// # Errors
    /// Those of the stream.
    pub async fn flush(&mut self) -> io::Result<()> {
        poll_fn(|cx| self.poll_flush(cx)).await
    }

    /// Writes all of `output`, half-closes, and drops what comes until the other side ends too.
    ///
    /// # Errors
    /// Those of the stream.
    pub async fn end(&mut self) -> io::Result<()> {
        poll_fn(|cx| self.poll_shutdown(cx)).await?;
        loop {
            self.input.clear();
            if poll_fn(|cx| self.poll_fill(cx)).await? == 0 {
                return Ok(());
            }
        }
    }

    /// Whether a read has met the end: the other side writes no more.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.has_ended
    }

    /// Whether the other side is known to be gone altogether, see [`Stream::is_gone`].
    pub fn is_gone(&self, cx: &mut Context<'_>) -> bool {
        self.stream.is_gone(cx)
    }

    /// The certificates that the other side gave in the handshake, its own first; `None` without TLS.
    #[must_use]
    pub fn certificates(&self) -> Option<&[CertificateDer<'static>]> {
        self.stream.certificates()
    }

    /// Copies bytes in front of nothing: they are written next.
    pub fn queue(&mut self, bytes: &[u8]) {
        self.output.extend_from_slice(bytes);
    }
}

/// The first read of a connection, in bytes, and each after one of less; a whole head fits mostly.
const SMALL_READ: usize = 8 * 1024;
/// Reads of a connection that has filled its buffer, in bytes: more than a Unix socket holds by default.
const LARGE_READ: usize = 256 * 1024;
/// What is copied behind what is to be written before it, in bytes.
const LITTLE: usize = 4 * 1024;
/// Room that a connection keeps for what it writes, in bytes.
const KEPT: usize = 2 * 1024;

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt as _;
    use tokio::net::UnixStream;

    use super::*;

    #[tokio::test]
    async fn a_half_closed_peer_has_ended_and_is_not_gone() {
        let (near, mut far) = UnixStream::pair().unwrap();
        let mut peer = Peer::new(Stream::unix(near).unwrap());
        far.write_all(b"bytes").await.unwrap();
        far.shutdown().await.unwrap();

        assert_eq!(poll_fn(|cx| peer.poll_fill(cx)).await.unwrap(), 5);
        assert_eq!(poll_fn(|cx| peer.poll_fill(cx)).await.unwrap(), 0);
        assert!(peer.has_ended());
        assert!(!poll_fn(|cx| Poll::Ready(peer.is_gone(cx))).await);

        drop(far);
        // The runtime learns of it with its next look at the socket.
        while !poll_fn(|cx| Poll::Ready(peer.is_gone(cx))).await {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn holds_no_room_for_what_it_has_written() {
        let (near, mut far) = UnixStream::pair().unwrap();
        let mut peer = Peer::new(Stream::unix(near).unwrap());
        peer.queue(&[b'x'; 1 << 20]);
        let mut read = vec![0; 1 << 20];
        let (flushed, read) = tokio::join!(peer.flush(), far.read_exact(&mut read));
        flushed.unwrap();
        read.unwrap();
        assert_eq!(peer.output.capacity(), 0);
    }

    #[tokio::test]
    async fn writes_its_own_output_first() {
        let (near, mut far) = UnixStream::pair().unwrap();
        let mut peer = Peer::new(Stream::unix(near).unwrap());
        peer.queue(b"head ");
        let mut more = BytesMut::from(&b"body rest"[..]);
        let count = poll_fn(|cx| peer.poll_write_through(cx, &mut more, 4)).await;
        assert_eq!(count.unwrap(), 4);
        assert_eq!(&more[..], b" rest");
        let mut read = [0; 9];
        far.read_exact(&mut read).await.unwrap();
        assert_eq!(&read, b"head body");
    }

    #[tokio::test]
    async fn what_finds_no_room_stays_where_it_is() {
        let (near, mut far) = UnixStream::pair().unwrap();
        let mut peer = Peer::new(Stream::unix(near).unwrap());
        let mut more = BytesMut::from(&[b'm'; 3 * LITTLE / 4][..]);
        let mut written = 0;
        let step = |peer: &mut Peer, more: &mut BytesMut, cx: &mut Context<'_>| {
            peer.output = BytesMut::from(&b"head "[..]);
            let extent = more.len();
            peer.poll_write_through(cx, more, extent)
        };
        let filled = poll_fn(|cx| {
            while let Poll::Ready(count) = step(&mut peer, &mut more, cx) {
                written += count.unwrap() + 5 - peer.output.len();
                more.resize(3 * LITTLE / 4, b'm');
            }
            Poll::Ready((peer.output.clone(), more.len()))
        });
        assert_eq!(
            filled.await,
            (BytesMut::from(&b"head "[..]), 3 * LITTLE / 4)
        );

        let mut read = vec![0; written];
        far.read_exact(&mut read).await.unwrap();
        let extent = more.len();
        let count = poll_fn(|cx| peer.poll_write_through(cx, &mut more, extent)).await;
        assert_eq!((count.unwrap(), more.len()), (extent, 0));
        let mut last = vec![0; 5 + extent];
        far.read_exact(&mut last).await.unwrap();
        assert!(last.starts_with(b"head mm") && last.ends_with(b"mm"));
    }
}
