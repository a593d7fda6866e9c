//! The daemon's answer as the client gets it.

use crate::daemon::Upgrade;
use crate::http1::{Body, Extras, Framing, Request, Response, Version};
use crate::peer::Peer;

use super::headers::is_of_one_hop;
use super::pump::{Coding, Pump};

/// Queues the head of an ordinary answer and gives the pump for its body.
///
/// The framing is the daemon's, so that an answer that is cut ends cut for the client too.
pub(super) fn queue_head(
    client: &mut Peer,
    request: &Request,
    answer: &Response,
    closes: bool,
) -> Pump {
    let has_body = request.method != "HEAD" && answer.framing != Framing::Empty;
    let is_old = request.version == Version::Http10;
    queue_status_and_headers(client, request.version, answer);
    let may_have_length = !matches!(answer.status, 100..200 | 204);
    if may_have_length && let Some(length) = answer.headers.first("content-length") {
        for part in [b"Content-Length: ", length, b"\r\n"] {
            client.queue(part);
        }
    } else if answer.framing == Framing::Chunked && has_body && !is_old {
        client.queue(b"Transfer-Encoding: chunked\r\n");
    }
    if closes {
        client.queue(b"Connection: close\r\n");
    }
    client.queue(b"\r\n");
    let framing = if has_body {
        answer.framing
    } else {
        Framing::Empty
    };
    let coding = if is_old {
        Coding::Removed
    } else {
        Coding::Kept
    };
    Pump::new(Body::new(framing, Extras::Passed), coding)
}

/// Queues the head after which the connection is a tunnel.
///
/// A client that asked for an upgrade gets the daemon's 101; one that did not gets the older form, a 200 without a
/// length. moby: daemon/server/router/container/container_routes.go, postContainersAttach.
pub(super) fn queue_hijack(
    client: &mut Peer,
    request: &Request,
    answer: &Response,
    upgrade: Option<Upgrade>,
) -> u16 {
    let asked = request.headers.first("upgrade").is_some();
    match upgrade {
        Some(upgrade) if asked && answer.status == 101 => {
            queue_status_and_headers(client, Version::Http11, answer);
            client.queue(b"Connection: Upgrade\r\nUpgrade: ");
            client.queue(upgrade.token().as_bytes());
            client.queue(b"\r\n\r\n");
            101
        }
        Some(_) | None => {
            client.queue(b"HTTP/1.1 200 OK\r\nContent-Type: ");
            let kind = answer.headers.first("content-type");
            client.queue(kind.unwrap_or(RAW_STREAM.as_bytes()));
            client.queue(b"\r\n\r\n");
            200
        }
    }
}

/// Whether an answer that is no 101 hands the connection over all the same, as daemons did before they knew upgrades.
pub(super) fn is_old_hijack(answer: &Response) -> bool {
    let kind = answer.headers.first("content-type").unwrap_or_default();
    answer.status == 200
        && answer.framing == Framing::UntilEnd
        && [RAW_STREAM, MULTIPLEXED_STREAM]
            .iter()
            .any(|stream| kind == stream.as_bytes())
}

fn queue_status_and_headers(client: &mut Peer, version: Version, answer: &Response) {
    let version = match version {
        Version::Http10 => b"HTTP/1.0 ",
        Version::Http11 => b"HTTP/1.1 ",
    };
    // INVARIANT: a status has three digits; `Response::parse` saw to it.
    let status = [100, 10, 1].map(|unit| DIGITS.get(usize::from(answer.status / unit % 10)));
    let status = status.map(|digit| digit.copied().unwrap_or_default());
    client.output.reserve(USUAL_HEAD);
    for part in [
        version,
        &status[..],
        b" ",
        answer.reason.as_bytes(),
        b"\r\n",
    ] {
        client.queue(part);
    }
    for (name, value) in answer.headers.iter() {
        if !is_of_one_hop(name) {
            for part in [name, b": ", value, b"\r\n"] {
                client.queue(part);
            }
        }
    }
}

const DIGITS: &[u8; 10] = b"0123456789";
/// Of most answers, in bytes.
const USUAL_HEAD: usize = 512;
const RAW_STREAM: &str = "application/vnd.docker.raw-stream";
const MULTIPLEXED_STREAM: &str = "application/vnd.docker.multiplexed-stream";
