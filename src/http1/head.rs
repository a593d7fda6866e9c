//! Where a head ends, and what can be wrong with one.

use std::sync::LazyLock;

use memchr::{memchr, memmem};

/// Looks for the end of a head in bytes that come bit by bit; each byte is looked at once.
#[derive(Debug, Default)]
pub struct HeadSearch {
    searched: usize,
    /// Where the line begins that is being searched.
    line: usize,
}

impl HeadSearch {
    /// The length of the head with its empty line, once `input` holds it whole.
    ///
    /// # Errors
    /// [`HeadFault::BareLineFeed`] for a line that does not end with CR LF: others than the gate may take it for an end. In
    /// a head that comes whole, [`super::Request::parse`] finds it.
    pub fn end(&mut self, input: &[u8]) -> Result<Option<usize>, HeadFault> {
        // Most heads come whole. What reads one goes by lines, and finds a bare line feed in it too.
        if self.searched == 0
            && let Some(end) = END.find(input)
        {
            return Ok(Some(end + END.needle().len()));
        }
        while let Some(found) = input
            .get(self.searched..)
            .and_then(|rest| memchr(b'\n', rest))
        {
            let feed = self.searched + found;
            let line = input.get(self.line..feed).unwrap_or_default();
            self.searched = feed + 1;
            self.line = feed + 1;
            match line {
                b"\r" => return Ok(Some(feed + 1)),
                [.., b'\r'] => {}
                _ => return Err(HeadFault::BareLineFeed),
            }
        }
        self.searched = input.len();
        Ok(None)
    }
}

/// Of the last line, and an empty one.
static END: LazyLock<memmem::Finder<'static>> = LazyLock::new(|| memmem::Finder::new(b"\r\n\r\n"));

/// Why a head cannot be read, or not in one way only.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HeadFault {
    #[error("a line of the request's head ends without a carriage return")]
    BareLineFeed,
    #[error("the request line is not a method, a target and a version with one space between")]
    RequestLine,
    #[error("the request's target is not a path")]
    Target,
    #[error("the version of HTTP is neither 1.0 nor 1.1")]
    Version,
    #[error("the status line of the answer cannot be read")]
    StatusLine,
    #[error("a header line cannot be read in one way only")]
    HeaderLine,
    #[error("the length of the body can be read in two ways: {0}")]
    Framing(&'static str),
    #[error("more than {limit} header lines")]
    TooManyHeaders { limit: usize },
    #[error("the head is longer than {limit} bytes")]
    TooLarge { limit: usize },
}

impl HeadFault {
    /// The stable code of this fault.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::BareLineFeed => "bare-line-feed",
            Self::RequestLine | Self::StatusLine => "malformed-start-line",
            Self::Target => "malformed-target",
            Self::Version => "http-version",
            Self::HeaderLine => "malformed-header",
            Self::Framing(_) => "two-lengths",
            Self::TooManyHeaders { .. } => "too-many-headers",
            Self::TooLarge { .. } => "head-too-large",
        }
    }

    /// The status to answer it with.
    #[must_use]
    pub fn status(&self) -> u16 {
        match self {
            Self::BareLineFeed
            | Self::RequestLine
            | Self::Target
            | Self::Version
            | Self::StatusLine
            | Self::HeaderLine
            | Self::Framing(_) => 400,
            Self::TooManyHeaders { .. } | Self::TooLarge { .. } => 431,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Request;
    use super::*;

    #[test]
    fn finds_the_end_however_the_bytes_come() {
        let head = b"GET / HTTP/1.1\r\nHost: a\r\n\r\nrest";
        for cut in 0..head.len() {
            let mut search = HeadSearch::default();
            let first = search.end(&head[..cut]).unwrap();
            let end = first.or_else(|| search.end(head).unwrap());
            assert_eq!(end, Some(head.len() - 4), "cut at {cut}");
        }
    }

    #[test]
    fn refuses_a_line_feed_without_carriage_return() {
        for head in [
            "GET / HTTP/1.1\nHost: a\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\nA: b\r\n\r\n",
            "GET / HTTP/1.1\r\n\n\r\n\r\n",
            "GET / HTTP/1.1\r\n\n",
            "\n",
        ] {
            let refused = match HeadSearch::default().end(head.as_bytes()) {
                Ok(end) => Request::parse(&head.as_bytes()[..end.unwrap()], 10).map(drop),
                Err(fault) => Err(fault),
            };
            assert_eq!(refused, Err(HeadFault::BareLineFeed), "{head:?}");
        }
    }
}
