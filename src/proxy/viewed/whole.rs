//! An answer that is shown as a whole: held within bounds of one, and of all that are read at once.

use std::future::poll_fn;

use bytes::Buf as _;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::http1::{Body, Extras, Framing};

use super::super::relay::{Relay, RelayFault};
use super::not_shown;

impl Relay<'_> {
    /// The whole body of an answer; a large one with its place among those that are held at once.
    pub(super) async fn whole(
        &mut self,
        framing: Framing,
    ) -> Result<(Vec<u8>, Option<SemaphorePermit<'static>>), RelayFault> {
        let mut body = Body::new(framing, Extras::Passed);
        let mut bytes = Vec::new();
        let mut place = None;
        loop {
            let next = poll_fn(|cx| {
                self.poll_request(cx)?;
                self.poll_data(cx, &mut body)
            });
            let Some(count) = next.await? else {
                return Ok((bytes, place));
            };
            let length = bytes.len() + count;
            if length > MOST_OF_WHOLE {
                let cause = format!("it is larger than {MOST_OF_WHOLE} bytes");
                return Err(not_shown(&cause));
            }
            if length > LARGE && place.is_none() {
                let taken = PLACES.acquire().await;
                place = Some(taken.map_err(|closed| not_shown(&closed))?);
            }
            let data = self.daemon.input.get(..count).unwrap_or_default();
            bytes.extend_from_slice(data);
            self.daemon.input.advance(count);
        }
    }
}

/// Bytes of an answer that is shown as a whole: that of `SystemDataUsage` has some hundred for each image, container
/// and volume.
const MOST_OF_WHOLE: usize = 32 << 20;
/// Bytes from which on such an answer waits for a place: as it is read it takes several times its size.
const LARGE: usize = 256 << 10;
/// For as many of them at once, of all clients; each is given back before the client reads.
static PLACES: Semaphore = Semaphore::const_new(4);
