//! The head of the daemon's answer.

use super::{Framing, HeadFault, Headers, Version, first_line, is_chunked, only_length};

/// The head of an answer, as it came.
#[derive(Debug, Clone)]
pub struct Response {
    pub version: Version,
    pub status: u16,
    /// As the daemon words it; may be empty.
    pub reason: String,
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
        let end = first_line(head).ok_or(HeadFault::StatusLine)?;
        let line = head
            .get(..end)
            .and_then(|line| std::str::from_utf8(line).ok())
            .ok_or(HeadFault::StatusLine)?;
        let (version, rest) = if let Some(rest) = line.strip_prefix("HTTP/1.1 ") {
            (Version::Http11, rest)
        } else if let Some(rest) = line.strip_prefix("HTTP/1.0 ") {
            (Version::Http10, rest)
        } else if line.contains(' ') {
            return Err(HeadFault::Version);
        } else {
            return Err(HeadFault::StatusLine);
        };
        let (digits, reason) = match rest.as_bytes() {
            [_, _, _] => (rest, ""),
            [_, _, _, b' ', ..] => rest.split_at(3),
            _ => return Err(HeadFault::StatusLine),
        };
        let reason = reason.strip_prefix(' ').unwrap_or_default();
        let is_status = digits.bytes().all(|byte| byte.is_ascii_digit());
        let status = digits.parse().ok().filter(|_| is_status);
        let status = status.ok_or(HeadFault::StatusLine)?;
        if reason.chars().any(char::is_control) {
            return Err(HeadFault::StatusLine);
        }
        let headers = Headers::parse(head, end + 2, headers)?;
        Ok(Self {
            version,
            status,
            reason: reason.to_owned(),
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
        assert_eq!(
            (response.status, response.reason.as_str()),
            (101, "UPGRADED")
        );
        let bare = parse("HTTP/1.1 200").unwrap();
        assert_eq!((bare.status, bare.reason.as_str()), (200, ""));
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
