//! The buffer that the connections of one thread take in turns to read into: one that waits has none.

use std::cell::Cell;

use bytes::BytesMut;

use super::SMALL_READ;

thread_local! {
    static SPARE: Cell<Option<BytesMut>> = const { Cell::new(None) };
}

/// An empty buffer, with room where an earlier one has been kept.
pub(super) fn take() -> BytesMut {
    SPARE.take().unwrap_or_default()
}

/// Keeps a buffer of ordinary size for the next that reads, without what it held.
pub(super) fn keep(mut buffer: BytesMut) {
    buffer.clear();
    // What was read from its front is room again.
    buffer.reserve(SMALL_READ);
    if buffer.capacity() <= 2 * SMALL_READ {
        SPARE.set(Some(buffer));
    }
}

#[cfg(test)]
mod tests {
    use bytes::Buf as _;

    use super::*;

    #[test]
    fn a_buffer_of_ordinary_size_comes_back_empty() {
        let mut buffer = BytesMut::with_capacity(SMALL_READ);
        buffer.extend_from_slice(b"of another connection");
        buffer.advance(3);
        keep(buffer);
        let taken = take();
        assert!(taken.is_empty());
        assert_eq!(taken.capacity(), SMALL_READ);
        assert_eq!(take().capacity(), 0);

        keep(BytesMut::with_capacity(8 * SMALL_READ));
        assert_eq!(take().capacity(), 0);
    }
}
