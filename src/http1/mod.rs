//! HTTP/1.1 as the gate reads and frames it: strictly, and without a connection.
//!
//! It is our own, because the gate must see what a general library hides: a request line of a megabyte, a length beside
//! a transfer coding, a bare line feed, the very bytes after a head. What can be read in two ways is refused here, so
//! that nobody behind the gate can read it otherwise.

mod body;
mod head;
mod headers;
mod request;
mod response;

use memchr::memchr;

pub use body::{Body, BodyFault, Extras, Piece};
pub use head::{HeadFault, HeadSearch};
pub use headers::Headers;
pub use request::Request;
pub use response::Response;

/// The versions of HTTP that the gate speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    Http10,
    Http11,
}

/// How the end of a message's body is known (RFC 9112, section 6.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    Empty,
    /// In bytes.
    Length(u64),
    Chunked,
    /// Answers only.
    UntilEnd,
}

/// A head's first line, and where the next begins.
///
/// # Errors
/// [`HeadFault::BareLineFeed`].
fn first_line(head: &[u8]) -> Result<(&[u8], usize), HeadFault> {
    let feed = memchr(b'\n', head).ok_or(HeadFault::BareLineFeed)?;
    let line = head.get(..feed).and_then(|line| line.strip_suffix(b"\r"));
    Ok((line.ok_or(HeadFault::BareLineFeed)?, feed + 1))
}

/// Reads a `Content-Length`: decimal digits and nothing else.
fn content_length(value: &[u8]) -> Option<u64> {
    const MOST_DIGITS: usize = 18;
    let is_number =
        !value.is_empty() && value.len() <= MOST_DIGITS && value.iter().all(u8::is_ascii_digit);
    is_number
        .then(|| std::str::from_utf8(value).ok()?.parse().ok())
        .flatten()
}

/// The one `Content-Length` of a message; a repeated one is a fault even where both agree.
fn only_length(headers: &Headers) -> Result<Option<u64>, HeadFault> {
    let mut lengths = headers.all("content-length");
    let Some(value) = lengths.next() else {
        return Ok(None);
    };
    if lengths.next().is_some() {
        return Err(HeadFault::Framing("`Content-Length` stands twice"));
    }
    content_length(value)
        .map(Some)
        .ok_or(HeadFault::Framing("`Content-Length` is not a number"))
}

/// Whether the message is chunked; any other transfer coding, or a list of them, is a fault.
fn is_chunked(headers: &Headers) -> Result<bool, HeadFault> {
    let mut codings = headers.all("transfer-encoding");
    let Some(value) = codings.next() else {
        return Ok(false);
    };
    if codings.next().is_some() {
        return Err(HeadFault::Framing("`Transfer-Encoding` stands twice"));
    }
    if !value.eq_ignore_ascii_case(b"chunked") {
        return Err(HeadFault::Framing(
            "`Transfer-Encoding` is not exactly `chunked`",
        ));
    }
    Ok(true)
}
