//! The head of a request.

use std::borrow::Cow;

use crate::cut::every;

use super::headers::is_token;
use super::{Framing, HeadFault, Headers, Version, first_line, is_chunked, only_length};

/// The head of a request, as it came.
#[derive(Debug, Clone)]
pub struct Request {
    pub method: Cow<'static, str>,
    /// Path and query; visible ASCII, begins with `/`, has no `#`.
    pub target: String,
    pub version: Version,
    pub headers: Headers,
    pub framing: Framing,
}

impl Request {
    /// Reads a whole head, its empty line included, of at most `headers` header lines.
    ///
    /// # Errors
    /// [`HeadFault`] for whatever could be read in two ways, and for targets that are not a path: the daemon's router
    /// knows no other (RFC 9112, section 3.2.1).
    pub fn parse(head: &[u8], headers: usize) -> Result<Self, HeadFault> {
        let (line, rest) = first_line(head)?;
        let mut words = line.split(|byte| *byte == b' ');
        let (Some(method), Some(target), Some(version), None) =
            (words.next(), words.next(), words.next(), words.next())
        else {
            return Err(HeadFault::RequestLine);
        };
        if method.is_empty() || method.len() > 32 || !method.iter().copied().all(is_token) {
            return Err(HeadFault::RequestLine);
        }
        let version = match version {
            b"HTTP/1.1" => Version::Http11,
            b"HTTP/1.0" => Version::Http10,
            other if other.starts_with(b"HTTP/") => return Err(HeadFault::Version),
            _ => return Err(HeadFault::RequestLine),
        };
        let is_visible = |byte: u8| byte.is_ascii_graphic() & (byte != b'#');
        if target.first() != Some(&b'/') || !every(target, is_visible) {
            return Err(HeadFault::Target);
        }
        let headers = Headers::parse(head, rest, headers)?;
        Ok(Self {
            method: match method {
                b"GET" => Cow::Borrowed("GET"),
                b"POST" => Cow::Borrowed("POST"),
                other => Cow::Owned(ascii(other)),
            },
            target: ascii(target),
            version,
            framing: framing(version, &headers)?,
            headers,
        })
    }

    /// Lets go of the target and, where they take room, of all header lines but those of these names.
    pub fn keep_only(&mut self, names: &[&str]) {
        self.target = String::new();
        self.headers.keep_only(names);
    }

    /// Whether the client lets the connection go on after the answer.
    ///
    /// HTTP/1.0 connections end with their answer; nothing that speaks to a daemon keeps them.
    #[must_use]
    pub fn keeps_alive(&self) -> bool {
        self.version == Version::Http11 && !self.headers.lists("connection", "close")
    }

    /// Whether the client waits for `100 Continue` before it sends the body.
    #[must_use]
    pub fn expects_continue(&self) -> bool {
        self.version == Version::Http11
            && self.framing != Framing::Empty
            && self
                .headers
                .first("expect")
                .is_some_and(|value| value.eq_ignore_ascii_case(b"100-continue"))
    }
}

/// INVARIANT: the bytes were found to be ASCII.
fn ascii(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap_or_default()
}

/// RFC 9112, section 6.3, but for what it lets a server repair: that is refused.
fn framing(version: Version, headers: &Headers) -> Result<Framing, HeadFault> {
    let length = only_length(headers)?;
    if !is_chunked(headers)? {
        return Ok(match length {
            None | Some(0) => Framing::Empty,
            Some(length) => Framing::Length(length),
        });
    }
    if length.is_some() {
        return Err(HeadFault::Framing(
            "`Content-Length` beside `Transfer-Encoding`",
        ));
    }
    if version == Version::Http10 {
        return Err(HeadFault::Framing("`Transfer-Encoding` in HTTP/1.0"));
    }
    Ok(Framing::Chunked)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Request, HeadFault> {
        Request::parse(text.as_bytes(), 100)
    }

    fn with(headers: &str) -> Result<Request, HeadFault> {
        parse(&format!("POST /build HTTP/1.1\r\n{headers}\r\n\r\n"))
    }

    #[test]
    fn reads_a_request() {
        let request = parse("GET /v1.41/info?a=b HTTP/1.1\r\nHost:\r\n\r\n").unwrap();
        assert_eq!(request.method, "GET");
        assert_eq!(request.target, "/v1.41/info?a=b");
        assert_eq!(request.framing, Framing::Empty);
        assert!(request.keeps_alive());
    }

    #[test]
    fn reads_a_request_line_of_half_a_megabyte() {
        let target = format!("/containers/create?Env={}", "x".repeat(500_000));
        let request = parse(&format!("POST {target} HTTP/1.1\r\n\r\n")).unwrap();
        assert_eq!(request.target, target);
    }

    #[test]
    fn keeps_what_is_asked_for_only() {
        let long = "y".repeat(1000);
        let head = format!("Upgrade: tcp\r\nX: {long}\r\nconnection: close");
        let mut request = with(&head).unwrap();
        request.keep_only(&["connection", "upgrade"]);
        assert!(!request.keeps_alive());
        assert_eq!(request.headers.first("upgrade"), Some(&b"tcp"[..]));
        assert_eq!(request.headers.iter().count(), 2);
    }

    #[test]
    fn refuses_request_lines_that_are_read_in_two_ways() {
        for line in [
            "GET  / HTTP/1.1",
            "GET / HTTP/1.1 ",
            " GET / HTTP/1.1",
            "GET\t/\tHTTP/1.1",
            "GET /",
            "G\u{e9}T / HTTP/1.1",
            "GET / a HTTP/1.1",
            "GET / http/1.1",
            "GET * HTTP/1.1",
            "GET http://docker/info HTTP/1.1",
            "CONNECT docker:80 HTTP/1.1",
            "GET /info#a HTTP/1.1",
            "GET /\u{e9} HTTP/1.1",
            "GET /\r/ HTTP/1.1",
            "GET / HTTP/1.10",
            "GET / HTTP/2.0",
            "PRI * HTTP/2.0",
        ] {
            assert!(parse(&format!("{line}\r\n\r\n")).is_err(), "{line}");
        }
    }

    #[test]
    fn knows_the_length_of_a_body() {
        let framing = |headers| with(headers).unwrap().framing;
        assert_eq!(framing("Content-Length: 5"), Framing::Length(5));
        assert_eq!(framing("content-length: 0"), Framing::Empty);
        assert_eq!(framing("TRANSFER-ENCODING: Chunked"), Framing::Chunked);
    }

    #[test]
    fn refuses_bodies_of_two_lengths() {
        for headers in [
            "Content-Length: 5\r\nContent-Length: 6",
            "Content-Length: 5\r\nContent-Length: 5",
            "Content-Length: 5, 5",
            "Content-Length: +5",
            "Content-Length: -1",
            "Content-Length: 0x5",
            "Content-Length: 5 5",
            "Content-Length:",
            "Content-Length: 99999999999999999999",
            "Content-Length: 5\r\nTransfer-Encoding: chunked",
            "Transfer-Encoding: chunked\r\nContent-Length: 5",
            "Transfer-Encoding: chunked\r\nContent-Length: 0",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
            "Transfer-Encoding: gzip, chunked",
            "Transfer-Encoding: chunked, identity",
            "Transfer-Encoding: chunked;a=b",
            "Transfer-Encoding: \"chunked\"",
            "Transfer-Encoding: xchunked",
            "Transfer-Encoding: identity",
            "Transfer-Encoding:",
            "Transfer-Encoding : chunked",
            "Transfer-Encoding: chunked\u{b}",
        ] {
            assert!(with(headers).is_err(), "{headers:?}");
        }
        let old = parse("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n");
        assert!(matches!(old, Err(HeadFault::Framing(_))));
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_break_it(text in "\\PC{0,80}", line in "[ -~]{0,60}") {
            let _ = parse(&text);
            let _ = parse(&format!("GET /{text} HTTP/1.1\r\n{line}\r\n\r\n"));
        }
    }
}
