//! The head of the daemon's answer.

use std::borrow::Cow;

use super::{Framing, HeadFault, Headers, Version, first_line, is_chunked, only_length};

/// The head of an answer, as it came.
#[derive(Debug, Clone)]
pub struct Response {
    pub version: Version,
    pub status: u16,
    /// As the daemon words it; may be empty.
    pub reason: Cow<'static, str>,
    pub headers: Headers,
    /// How the body ends; the answer to a HEAD has none, which only the request tells.
    pub framing: Framing,
}

impl Response {
    /// Reads a whole head, its empty line included, of at most `headers` header lines.
    ///
    /// # Errors
    /// [`HeadFault`] where it is no answer in HTTP/1.0 or 1.1.
    pub fn parse(head: &[u8], headers: usize) -> Result<Self, HeadFault> {
        let (line, after) = first_line(head).map_err(|_| HeadFault::StatusLine)?;
        let (version, rest) = if let Some(rest) = line.strip_prefix(b"HTTP/1.1 ") {
            (Version::Http11, rest)
        } else if let Some(rest) = line.strip_prefix(b"HTTP/1.0 ") {
            (Version::Http10, rest)
        } else if line.contains(&b' ') {
            return Err(HeadFault::Version);
        } else {
            return Err(HeadFault::StatusLine);
        };
        let (digits, reason) = match rest {
            [a, b, c] => ([a, b, c], &[][..]),
            [a, b, c, b' ', reason @ ..] => ([a, b, c], reason),
            _ => return Err(HeadFault::StatusLine),
        };
        if !digits.iter().all(|byte| byte.is_ascii_digit()) {
            return Err(HeadFault::StatusLine);
        }
        let status = digits
            .iter()
            .fold(0, |number, digit| number * 10 + u16::from(**digit - b'0'));
        let headers = Headers::parse(head, after, headers)?;
        Ok(Self {
            version,
            status,
            reason: worded(reason).ok_or(HeadFault::StatusLine)?,
            framing: framing(status, &headers)?,
            headers,
        })
    }

    /// Whether another request may follow on the daemon's connection.
    #[must_use]
    pub fn keeps_alive(&self) -> bool {
        self.version == Version::Http11
            && self.framing != Framing::UntilEnd
            && !self.headers.lists("connection", "close")
    }
}

/// What a daemon says to a status; `None` for what is no text in one line.
fn worded(reason: &[u8]) -> Option<Cow<'static, str>> {
    Some(match reason {
        b"OK" => Cow::Borrowed("OK"),
        b"Created" => Cow::Borrowed("Created"),
        b"No Content" => Cow::Borrowed("No Content"),
        other => {
            let other = std::str::from_utf8(other).ok()?;
            (!other.chars().any(char::is_control)).then(|| Cow::Owned(other.to_owned()))?
        }
    })
}

/// RFC 9112, section 6.3.
fn framing(status: u16, headers: &Headers) -> Result<Framing, HeadFault> {
    if matches!(status, 100..200 | 204 | 304) {
        return Ok(Framing::Empty);
    }
    let length = only_length(headers)?;
    if is_chunked(headers)? {
        return match length {
            None => Ok(Framing::Chunked),
            Some(_) => Err(HeadFault::Framing(
                "`Content-Length` beside `Transfer-Encoding`",
            )),
        };
    }
    Ok(match length {
        None => Framing::UntilEnd,
        Some(0) => Framing::Empty,
        Some(length) => Framing::Length(length),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Response, HeadFault> {
        Response::parse(format!("{text}\r\n\r\n").as_bytes(), 10)
    }

    #[test]
    fn keeps_status_and_reason() {
        let response = parse("HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade").unwrap();
        assert_eq!((response.status, &*response.reason), (101, "UPGRADED"));
        let bare = parse("HTTP/1.1 200").unwrap();
        assert_eq!((bare.status, &*bare.reason), (200, ""));
    }

    #[test]
    fn knows_how_the_body_ends() {
        let framing = |text| parse(text).unwrap().framing;
        assert_eq!(framing("HTTP/1.1 204 No Content"), Framing::Empty);
        assert_eq!(framing("HTTP/1.1 304 Not Modified"), Framing::Empty);
        assert_eq!(
            framing("HTTP/1.1 200 OK\r\nContent-Length: 7"),
            Framing::Length(7)
        );
        assert_eq!(
            framing("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked"),
            Framing::Chunked
        );
        assert_eq!(framing("HTTP/1.1 200 OK"), Framing::UntilEnd);
    }

    #[test]
    fn a_connection_is_used_again_only_where_its_end_is_known() {
        assert!(
            parse("HTTP/1.1 200 OK\r\nContent-Length: 0")
                .unwrap()
                .keeps_alive()
        );
        for text in [
            "HTTP/1.1 200 OK",
            "HTTP/1.0 200 OK\r\nContent-Length: 0",
            "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close",
        ] {
            assert!(!parse(text).unwrap().keeps_alive(), "{text}");
        }
    }

    #[test]
    fn refuses_what_is_no_answer() {
        for text in [
            "HTTP/2 200 OK",
            "HTTP/1.1 20 OK",
            "HTTP/1.1  200 OK",
            "200 OK",
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked",
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3",
            "",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
