//! What the gate answers itself, in the daemon's own form of an error.

use itoa::Buffer;

use crate::audit::AuditError;
use crate::daemon::Unavailable;
use crate::decision::Refusal;
use crate::engine_api::Malformed;
use crate::http1::{BodyFault, HeadFault};
use crate::peer::Peer;

use super::allowance::Over;
use super::limits::NoSeat;
use super::standing::TurnedAway;

/// An answer of the gate: a status and `{"message": "…"}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OwnAnswer {
    pub(super) status: u16,
    pub(super) message: String,
    /// When to come back, in seconds (RFC 9110, section 10.2.3).
    pub(super) retry_after: Option<u64>,
}

/// An error as the daemon writes it.
#[derive(serde::Serialize)]
struct Shown<'a> {
    message: &'a str,
}

impl OwnAnswer {
    pub(super) fn new(status: u16, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
            retry_after: None,
        }
    }

    /// The whole answer; `is_head` leaves the body out, `closes` says that no request may follow.
    pub(super) fn queue(&self, client: &mut Peer, is_head: bool, closes: bool) {
        let mut digits = Buffer::new();
        for part in [
            b"HTTP/1.1 ",
            digits.format(self.status).as_bytes(),
            b" ",
            reason(self.status).as_bytes(),
        ] {
            client.queue(part);
        }
        if let Some(seconds) = self.retry_after {
            client.queue(b"\r\nRetry-After: ");
            client.queue(digits.format(seconds).as_bytes());
        }
        let body = self.body();
        if let Some(body) = &body {
            client.queue(b"\r\nContent-Type: application/json\r\nContent-Length: ");
            client.queue(digits.format(body.len()).as_bytes());
        }
        client.queue(if closes {
            b"\r\nConnection: close\r\n\r\n"
        } else {
            b"\r\n\r\n"
        });
        if let Some(body) = body.filter(|_| !is_head) {
            client.queue(&body);
        }
    }

    /// An answer without content has neither a body nor a length (RFC 9110, section 15.3.5).
    fn body(&self) -> Option<Vec<u8>> {
        if self.status == 204 {
            return None;
        }
        let message = self.message.as_str();
        let mut body = Vec::with_capacity(message.len() + 64);
        // INVARIANT: a text is always JSON.
        let _ = serde_json::to_writer(&mut body, &Shown { message });
        body.push(b'\n');
        Some(body)
    }
}

impl From<&HeadFault> for OwnAnswer {
    fn from(fault: &HeadFault) -> Self {
        Self::new(fault.status(), fault.to_string())
    }
}

impl From<&Malformed> for OwnAnswer {
    fn from(fault: &Malformed) -> Self {
        Self::new(400, fault.to_string())
    }
}

impl From<&Refusal> for OwnAnswer {
    fn from(refusal: &Refusal) -> Self {
        match &refusal.answered {
            Some((status, message)) => Self {
                retry_after: (*status == 429).then_some(1),
                ..Self::new(*status, message.clone())
            },
            None => Self::new(403, refusal.to_string()),
        }
    }
}

impl From<&Over> for OwnAnswer {
    fn from(limit: &Over) -> Self {
        let retry_after = limit.retry_after();
        let status = if retry_after.is_some() { 429 } else { 403 };
        Self {
            retry_after,
            ..Self::new(status, limit.to_string())
        }
    }
}

impl From<BodyFault> for OwnAnswer {
    fn from(fault: BodyFault) -> Self {
        Self::new(400, fault.to_string())
    }
}

impl From<AuditError> for OwnAnswer {
    fn from(error: AuditError) -> Self {
        tracing::error!(%error, "a request is refused because it cannot be recorded");
        Self::new(
            503,
            "the audit log cannot be written, so the gate forwards nothing",
        )
    }
}

impl From<Unavailable> for OwnAnswer {
    fn from(error: Unavailable) -> Self {
        Self::new(503, error.to_string())
    }
}

impl From<NoSeat> for OwnAnswer {
    fn from(limit: NoSeat) -> Self {
        Self::new(503, limit.to_string())
    }
}

impl From<&TurnedAway> for OwnAnswer {
    fn from(cause: &TurnedAway) -> Self {
        Self::new(403, cause.to_string())
    }
}

fn reason(status: u16) -> &'static str {
    match status {
        204 => "No Content",
        400 => "Bad Request",
        403 => "Forbidden",
        404 => "Not Found",
        408 => "Request Timeout",
        413 => "Content Too Large",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        _ => "Error",
    }
}
