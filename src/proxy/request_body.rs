//! A body that is judged: read whole, within a limit and a deadline.

use std::future::poll_fn;
use std::task::{Poll, ready};
use std::time::Duration;

use bytes::Buf as _;
use tokio::time;

use crate::http1::{Body, BodyFault, Extras, Framing, Piece};
use crate::peer::Peer;

/// Why a body was not read to its end.
#[derive(Debug)]
pub(super) enum ReadFault {
    TooLarge,
    /// Its owner's bodies have no room for it now.
    NoRoom,
    TooSlow,
    Malformed(BodyFault),
    ClientGone,
}

/// Reads the whole body of a request.
///
/// # Errors
/// [`ReadFault::TooLarge`] over `limit` bytes, of a known length before any is read; [`ReadFault::TooSlow`] after
/// `deadline`; [`ReadFault::NoRoom`] where `has_room` denies the length that it is about to have.
pub(super) async fn read_bounded(
    client: &mut Peer,
    framing: Framing,
    (limit, deadline): (usize, Duration),
    has_room: impl FnMut(usize) -> bool,
) -> Result<Vec<u8>, ReadFault> {
    if is_over(framing, limit) {
        return Err(ReadFault::TooLarge);
    }
    time::timeout(deadline, read(client, framing, limit, has_room))
        .await
        .unwrap_or(Err(ReadFault::TooSlow))
}

/// Whether the head alone says that the body is over the limit.
pub(super) fn is_over(framing: Framing, limit: usize) -> bool {
    matches!(framing, Framing::Length(length) if length > limit as u64)
}

async fn read(
    client: &mut Peer,
    framing: Framing,
    limit: usize,
    mut has_room: impl FnMut(usize) -> bool,
) -> Result<Vec<u8>, ReadFault> {
    let mut body = Body::new(framing, Extras::Refused);
    let mut bytes = Vec::new();
    poll_fn(|cx| {
        loop {
            match body.next(&client.input).map_err(ReadFault::Malformed)? {
                Piece::Done => return Poll::Ready(Ok(())),
                Piece::Framing(count) => client.input.advance(count),
                Piece::Data(count) => {
                    if bytes.len() + count > limit {
                        return Poll::Ready(Err(ReadFault::TooLarge));
                    }
                    if !has_room(bytes.len() + count) {
                        return Poll::Ready(Err(ReadFault::NoRoom));
                    }
                    bytes.extend_from_slice(client.input.get(..count).unwrap_or_default());
                    client.input.advance(count);
                }
                Piece::More => match ready!(client.poll_fill(cx)) {
                    Ok(0) | Err(_) => return Poll::Ready(Err(ReadFault::ClientGone)),
                    Ok(_) => {}
                },
            }
        }
    })
    .await?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt as _;
    use tokio::net::UnixStream;

    use super::*;
    use crate::peer::Stream;

    async fn read_of(sent: &[u8], framing: Framing, limit: usize) -> Result<Vec<u8>, ReadFault> {
        let (near, mut far) = UnixStream::pair().unwrap();
        far.write_all(sent).await.unwrap();
        far.shutdown().await.unwrap();
        let mut client = Peer::new(Stream::unix(near).unwrap());
        read_bounded(
            &mut client,
            framing,
            (limit, Duration::from_secs(5)),
            |_| true,
        )
        .await
    }

    #[tokio::test]
    async fn reads_to_the_end_of_either_framing() {
        let chunks = read_of(b"2\r\n{}\r\n0\r\n\r\nGET", Framing::Chunked, 2).await;
        assert_eq!(chunks.unwrap(), b"{}");
        let length = read_of(b"{}GET", Framing::Length(2), 2).await;
        assert_eq!(length.unwrap(), b"{}");
    }

    #[tokio::test]
    async fn reads_no_more_than_the_limit() {
        let length = read_of(b"{}", Framing::Length(3), 2).await;
        assert!(matches!(length, Err(ReadFault::TooLarge)));
        let chunks = read_of(b"3\r\n{ }\r\n0\r\n\r\n", Framing::Chunked, 2).await;
        assert!(matches!(chunks, Err(ReadFault::TooLarge)));
    }

    #[tokio::test]
    async fn reads_no_more_than_there_is_room_for() {
        let (near, mut far) = UnixStream::pair().unwrap();
        far.write_all(b"2\r\n{ \r\n2\r\n }\r\n0\r\n\r\n")
            .await
            .unwrap();
        let mut client = Peer::new(Stream::unix(near).unwrap());
        let bounds = (10, Duration::from_secs(5));
        let read = read_bounded(&mut client, Framing::Chunked, bounds, |bytes| bytes <= 3).await;
        assert!(matches!(read, Err(ReadFault::NoRoom)));
    }

    #[tokio::test]
    async fn half_a_body_is_none() {
        let half = read_of(b"{", Framing::Length(2), 2).await;
        assert!(matches!(half, Err(ReadFault::ClientGone)));
    }

    #[tokio::test]
    async fn a_slow_body_is_not_waited_for() {
        let (near, _far) = UnixStream::pair().unwrap();
        let mut client = Peer::new(Stream::unix(near).unwrap());
        let slow = read_bounded(
            &mut client,
            Framing::Length(2),
            (2, Duration::from_millis(1)),
            |_| true,
        )
        .await;
        assert!(matches!(slow, Err(ReadFault::TooSlow)));
    }
}
