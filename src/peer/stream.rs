//! A connection's bytes: a Unix socket, TCP, or TLS over TCP.

use std::io::{self, IoSlice};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use rustls_pki_types::CertificateDer;
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::TlsStream;

use super::unix::UnixSocket;

/// Either end of a connection, the client's or the daemon's.
#[derive(Debug)]
pub enum Stream {
    Unix(UnixSocket),
    Tcp(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Stream {
    /// Takes over a connection that was accepted on a Unix socket; must be called within the runtime.
    ///
    /// # Errors
    /// Those of the runtime, where it cannot watch the socket.
    pub fn unix(stream: UnixStream) -> io::Result<Self> {
        UnixSocket::new(stream).map(Self::Unix)
    }

    /// Ready once a read may give something; so that nobody who waits holds a buffer.
    ///
    /// # Errors
    /// Those of the runtime; the socket's own come from the read.
    pub fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Unix(stream) => stream.poll_readable(cx),
            Self::Tcp(stream) => stream.poll_read_ready(cx),
            // What TLS has decrypted already, the socket does not show.
            Self::Tls(_) => Poll::Ready(Ok(())),
        }
    }

    /// What the other end gave in the handshake.
    pub(super) fn certificates(&self) -> Option<&[CertificateDer<'static>]> {
        match self {
            Self::Unix(_) | Self::Tcp(_) => None,
            Self::Tls(stream) => stream.get_ref().1.peer_certificates(),
        }
    }

    /// Whether the other end is known to take nothing any more: closed on a Unix socket, reset on TCP.
    ///
    /// A half-closed connection is not gone. On TCP a closed one looks half-closed until something is written.
    pub fn is_gone(&self, cx: &mut Context<'_>) -> bool {
        let ready = match self {
            Self::Unix(stream) => return stream.is_gone(cx),
            Self::Tcp(stream) => pin!(stream.ready(Interest::WRITABLE)).poll(cx),
            Self::Tls(stream) => pin!(stream.get_ref().0.ready(Interest::WRITABLE)).poll(cx),
        };
        match ready {
            Poll::Ready(Ok(ready)) => ready.is_write_closed(),
            Poll::Ready(Err(_)) => true,
            Poll::Pending => false,
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Unix(stream) => Pin::new(stream).poll_read(cx, buffer),
            Self::Tcp(stream) => Pin::new(stream).poll_read(cx, buffer),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Unix(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Tcp(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Unix(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
            Self::Tcp(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
            Self::Tls(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Unix(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tcp(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    /// Half-closes: `shutdown(SHUT_WR)`, under TLS after `close_notify`; reading goes on.
    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Unix(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tcp(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
