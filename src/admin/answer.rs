//! What the admin listener answers, and what it does not answer to.

use std::io::Write as _;

use bytes::BufMut as _;

use crate::http1::{Framing, HeadFault, Request};
use crate::peer::Peer;

/// A status and a text; the connection ends with it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: u16,
    kind: &'static str,
    body: String,
}

impl Answer {
    pub(super) fn text(status: u16, body: impl Into<String>) -> Self {
        Self {
            status,
            kind: "text/plain; charset=utf-8",
            body: body.into(),
        }
    }

    pub(super) fn metrics(body: String) -> Self {
        Self {
            status: 200,
            kind: "application/openmetrics-text; version=1.0.0; charset=utf-8",
            body,
        }
    }

    pub(super) fn fault(fault: &HeadFault) -> Self {
        Self::text(fault.status(), format!("{fault}\n"))
    }

    pub(super) fn queue(&self, peer: &mut Peer) {
        let reason = match self.status {
            200 => "OK",
            403 => "Forbidden",
            404 => "Not Found",
            405 => "Method Not Allowed",
            503 => "Service Unavailable",
            _ => "Bad Request",
        };
        // INVARIANT: writing into memory does not fail.
        let _ = write!(
            (&mut peer.output).writer(),
            "HTTP/1.1 {} {reason}\r\nContent-Type: {}\r\nContent-Length: {}\r\nCache-Control: no-store\r\n\
             X-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n{}",
            self.status,
            self.kind,
            self.body.len(),
            self.body
        );
    }
}

/// Why a request gets no answer but this one; no body is ever read.
pub(super) fn refusal(request: &Request) -> Option<Answer> {
    if request.method != "GET" {
        return Some(Answer::text(405, "only GET is answered\n"));
    }
    if request.framing != Framing::Empty {
        return Some(Answer::text(400, "no body is read\n"));
    }
    // A page in a browser on this machine may send requests here, by a name of its own choice.
    if request.headers.first("origin").is_some() || !has_local_host(request) {
        return Some(Answer::text(403, "this is for this machine only\n"));
    }
    None
}

/// Whether `Host` is left out, an address, or this machine's name for itself: no name that somebody's DNS leads here.
fn has_local_host(request: &Request) -> bool {
    let Some(host) = request.headers.first("host") else {
        return true;
    };
    let Ok(host) = std::str::from_utf8(host) else {
        return false;
    };
    let bare = match host.rsplit_once(':') {
        Some((bare, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => bare,
        Some(_) | None => host,
    };
    let bare = bare.trim_start_matches('[').trim_end_matches(']');
    bare.is_empty()
        || bare.eq_ignore_ascii_case("localhost")
        || bare.parse::<std::net::IpAddr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(head: &str) -> Option<u16> {
        let request = Request::parse(format!("{head}\r\n\r\n").as_bytes(), 10).unwrap();
        refusal(&request).map(|answer| answer.status)
    }

    #[test]
    fn only_a_bare_get_from_here_is_answered() {
        for host in ["", "localhost", "127.0.0.1:9323", "[::1]:9323"] {
            assert_eq!(status(&format!("GET / HTTP/1.1\r\nHost: {host}")), None);
        }
        assert_eq!(status("GET /metrics HTTP/1.1"), None);
        assert_eq!(status("HEAD / HTTP/1.1"), Some(405));
        assert_eq!(status("POST / HTTP/1.1\r\nContent-Length: 1"), Some(405));
        assert_eq!(status("GET / HTTP/1.1\r\nContent-Length: 1"), Some(400));
        assert_eq!(status("GET / HTTP/1.1\r\nHost: evil.example"), Some(403));
        assert_eq!(status("GET / HTTP/1.1\r\nOrigin: null"), Some(403));
    }
}
