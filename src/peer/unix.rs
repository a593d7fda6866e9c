//! A Unix socket that the runtime watches for what comes, and for room only once there was none.

use std::io::{self, IoSlice};
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::path::Path;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use rustix::net::{AddressFamily, SendFlags, Shutdown, SocketAddrUnix, SocketFlags, SocketType};
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::UnixStream;
use tokio::net::unix::pipe;

/// A connection over a Unix socket.
///
/// The kernel tells whoever watches a Unix socket for room each time that the other end reads, whether or not there was
/// room before: that is a wake-up for every message, and nothing comes of it. So this one is written to unasked.
#[derive(Debug)]
pub struct UnixSocket(Watched);

#[derive(Debug)]
enum Watched {
    /// Of what the runtime can watch for input only, a pipe's end is all that it lends a name to; what it does with it, to
    /// wait and to read, is the same for a socket.
    ForInput(pipe::Receiver),
    /// From the first write on that found no room.
    ForBoth(UnixStream),
}

impl UnixSocket {
    /// Takes over a connection; must be called within the runtime.
    ///
    /// # Errors
    /// Those of the runtime, where it cannot watch the socket.
    pub fn new(stream: UnixStream) -> io::Result<Self> {
        Self::watched(stream.into_std()?.into())
    }

    /// Connects; a Unix socket does not keep anybody waiting for that.
    ///
    /// # Errors
    /// Those of the socket, also where the queue of whoever listens is full.
    pub fn connect(path: &Path) -> io::Result<Self> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket =
            rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
        rustix::net::connect(&socket, &SocketAddrUnix::new(path)?)?;
        Self::watched(socket)
    }

    fn watched(socket: OwnedFd) -> io::Result<Self> {
        let watched = pipe::Receiver::from_owned_fd_unchecked(socket)?;
        Ok(Self(Watched::ForInput(watched)))
    }

    pub(super) fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &self.0 {
            Watched::ForInput(socket) => socket.poll_read_ready(cx),
            Watched::ForBoth(socket) => socket.poll_read_ready(cx),
        }
    }

    /// See [`super::Stream::is_gone`].
    pub(super) fn is_gone(&self, cx: &mut Context<'_>) -> bool {
        let ready = match &self.0 {
            // That the other end has closed is told to everybody.
            Watched::ForInput(socket) => pin!(socket.ready(Interest::WRITABLE)).poll(cx),
            Watched::ForBoth(socket) => pin!(socket.ready(Interest::WRITABLE)).poll(cx),
        };
        match ready {
            Poll::Ready(Ok(ready)) => ready.is_write_closed(),
            Poll::Ready(Err(_)) => true,
            Poll::Pending => false,
        }
    }

    /// Writes without waiting; where there is no room, the runtime is to tell of it from now on.
    fn poll_unasked(
        &mut self,
        cx: &mut Context<'_>,
        write: impl Fn(BorrowedFd<'_>) -> rustix::io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        let socket = self.as_fd();
        match rustix::io::retry_on_intr(|| write(socket)) {
            Ok(count) => return Poll::Ready(Ok(count)),
            Err(rustix::io::Errno::AGAIN) => {}
            Err(error) => return Poll::Ready(Err(error.into())),
        }
        let socket = std::os::unix::net::UnixStream::from(socket.try_clone_to_owned()?);
        self.0 = Watched::ForBoth(UnixStream::from_std(socket)?);
        // Who waited for input did so where nobody looks any more; the task comes by and waits anew.
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    fn as_fd(&self) -> BorrowedFd<'_> {
        match &self.0 {
            Watched::ForInput(socket) => socket.as_fd(),
            Watched::ForBoth(socket) => socket.as_fd(),
        }
    }
}

impl AsyncRead for UnixSocket {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match &mut self.get_mut().0 {
            Watched::ForInput(socket) => Pin::new(socket).poll_read(cx, buffer),
            Watched::ForBoth(socket) => Pin::new(socket).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for UnixSocket {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if let Watched::ForBoth(socket) = &mut this.0 {
            return Pin::new(socket).poll_write(cx, bytes);
        }
        this.poll_unasked(cx, |socket| {
            rustix::net::send(socket, bytes, SendFlags::NOSIGNAL)
        })
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if let Watched::ForBoth(socket) = &mut this.0 {
            return Pin::new(socket).poll_write_vectored(cx, slices);
        }
        this.poll_unasked(cx, |socket| rustix::io::writev(socket, slices))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    /// Half-closes: `shutdown(SHUT_WR)`.
    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        let shut = rustix::net::shutdown(self.as_fd(), Shutdown::Write);
        Poll::Ready(shut.map_err(io::Error::from))
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    fn pair() -> (UnixSocket, UnixStream) {
        let (near, far) = UnixStream::pair().unwrap();
        (UnixSocket::new(near).unwrap(), far)
    }

    #[tokio::test]
    async fn input_is_told_of_while_it_waits_for_room() {
        let (mut near, mut far) = pair();
        let many = vec![b'x'; 1 << 20];
        let mut count = 0;
        let mut input = [0; 4];
        far.write_all(b"late").await.unwrap();
        // The other end reads nothing until its own bytes have been read.
        poll_fn(|cx| {
            while let Poll::Ready(written) = Pin::new(&mut near).poll_write(cx, &many) {
                count += written.unwrap();
            }
            let mut buffer = ReadBuf::new(&mut input);
            Pin::new(&mut near).poll_read(cx, &mut buffer)
        })
        .await
        .unwrap();
        assert_eq!(&input, b"late");
        assert!(matches!(near.0, Watched::ForBoth(_)));

        let reader = tokio::spawn(async move {
            let mut read = vec![0; count + many.len()];
            far.read_exact(&mut read).await.unwrap();
        });
        near.write_all(&vec![b'y'; 1 << 20]).await.unwrap();
        reader.await.unwrap();
    }

    /// Waits for input and then for room, as a tunnel does.
    fn input_then_room(socket: &mut UnixSocket, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<()> {
        let readable = socket.poll_readable(cx).map(drop);
        while readable.is_pending() && Pin::new(&mut *socket).poll_write(cx, bytes).is_ready() {}
        readable
    }

    #[tokio::test]
    async fn bytes_that_come_after_room_was_waited_for_are_told_of() {
        let (mut near, mut far) = pair();
        let many = vec![b'x'; 1 << 20];
        let waiting = tokio::spawn(async move {
            poll_fn(|cx| input_then_room(&mut near, cx, &many)).await;
        });
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        assert!(!waiting.is_finished());
        far.write_all(b"now").await.unwrap();
        waiting.await.unwrap();
    }

    #[tokio::test]
    async fn connects_or_says_why_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.sock");
        let error = UnixSocket::connect(&path).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
        let listener = tokio::net::UnixListener::bind(&path).unwrap();
        let mut near = UnixSocket::connect(&path).unwrap();
        let (mut far, _) = listener.accept().await.unwrap();
        near.write_all(b"a").await.unwrap();
        near.shutdown().await.unwrap();
        let mut read = Vec::new();
        far.read_to_end(&mut read).await.unwrap();
        assert_eq!(read, b"a");
        drop(listener);
        let error = UnixSocket::connect(&path).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
    }
}
