//! The request as the daemon gets it: written anew from what was permitted.

use itoa::Buffer;

use crate::decision::Permit;
use crate::engine_api::{Body, Method};
use crate::http1::Framing;
use crate::peer::Peer;

/// What of a client's head goes on to the daemon beside the request itself.
#[derive(Debug)]
pub struct Passed<'a> {
    /// Header lines that this operation reads, checked and bounded.
    pub headers: Vec<(&'static str, &'a [u8])>,
    /// How a streamed body is framed; nothing is read of it where the request was judged with its body.
    pub framing: Framing,
    /// Whether that body is JSON; else it is an archive.
    pub is_json: bool,
    /// What the daemon is asked to turn the connection into.
    pub upgrade: Option<Upgrade>,
}

/// A protocol after HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Upgrade {
    Tcp,
    WebSocket,
    H2c,
}

impl Upgrade {
    /// As the `Upgrade` header names it.
    #[must_use]
    pub fn token(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::WebSocket => "websocket",
            Self::H2c => "h2c",
        }
    }
}

/// Queues the head and, where it was judged, the body.
pub(super) fn queue(daemon: &mut Peer, permit: &Permit, passed: &Passed<'_>) {
    let request = permit.request();
    let method = request.head.method;
    daemon.output.reserve(USUAL_HEAD);
    let output = &mut daemon.output;
    let target = request.target();
    for part in [
        method.as_str(),
        " ",
        &target,
        " HTTP/1.1\r\nHost: docker\r\n",
    ] {
        output.extend_from_slice(part.as_bytes());
    }
    for (name, value) in &passed.headers {
        for part in [name.as_bytes(), b": ", value, b"\r\n"] {
            output.extend_from_slice(part);
        }
    }
    if let Some(upgrade) = passed.upgrade {
        output.extend_from_slice(b"Connection: Upgrade\r\nUpgrade: ");
        output.extend_from_slice(upgrade.token().as_bytes());
        output.extend_from_slice(b"\r\n");
    }
    let takes_body = matches!(method, Method::Post | Method::Put);
    match &request.body {
        Body::Json(value) => {
            let mut body = String::with_capacity(USUAL_BODY);
            value.write(&mut body);
            queue_framing(
                daemon,
                "application/json",
                Framing::Length(body.len() as u64),
            );
            daemon.queue(b"\r\n");
            daemon.queue(body.as_bytes());
        }
        Body::Stream if passed.framing != Framing::Empty => {
            let kind = if passed.is_json {
                "application/json"
            } else {
                "application/x-tar"
            };
            queue_framing(daemon, kind, passed.framing);
            daemon.queue(b"\r\n");
        }
        Body::Stream | Body::None if takes_body => daemon.queue(b"Content-Length: 0\r\n\r\n"),
        Body::Stream | Body::None => daemon.queue(b"\r\n"),
    }
}

/// Of most requests, in bytes.
const USUAL_HEAD: usize = 512;
const USUAL_BODY: usize = 4096;

fn queue_framing(daemon: &mut Peer, kind: &str, framing: Framing) {
    let mut digits = Buffer::new();
    // A request has a length or chunks.
    let (name, value) = match framing {
        Framing::Length(length) => ("Content-Length: ", digits.format(length)),
        Framing::Chunked => ("Transfer-Encoding: chunked", ""),
        Framing::Empty | Framing::UntilEnd => {
            return daemon.queue(b"Content-Length: 0\r\n");
        }
    };
    for part in ["Content-Type: ", kind, "\r\n", name, value, "\r\n"] {
        daemon.queue(part.as_bytes());
    }
}
