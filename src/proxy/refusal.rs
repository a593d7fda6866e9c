//! What the gate answers itself, in the daemon's own form of an error.

use crate::audit::AuditError;
use crate::daemon::Unavailable;
use crate::decimal::Decimal;
use crate::decision::Refusal;
use crate::engine_api::Malformed;
use crate::http1::{BodyFault, HeadFault};
use crate::peer::Peer;

use super::limits::NoSeat;
use super::standing::TurnedAway;

/// An answer of the gate: a status and `{"message": "…"}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OwnAnswer {
    pub(super) status: u16,
    pub(super) message: String,
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
        }
    }

    /// The whole answer; `is_head` leaves the body out, `closes` says that no request may follow.
    pub(super) fn queue(&self, client: &mut Peer, is_head: bool, closes: bool) {
        let mut body = Vec::with_capacity(self.message.len() + 64);
        // INVARIANT: a text is always JSON.
        let _ = serde_json::to_writer(
            &mut body,
            &Shown {
                message: &self.message,
            },
        );
        body.push(b'\n');
        let (status, length) = (
            Decimal::of(u64::from(self.status)),
            Decimal::of(body.len() as u64),
        );
        for part in [
            &b"HTTP/1.1 "[..],
            status.as_bytes(),
            b" ",
            reason(self.status).as_bytes(),
            b"\r\nContent-Type: application/json\r\nContent-Length: ",
            length.as_bytes(),
            if closes {
                b"\r\nConnection: close\r\n\r\n"
            } else {
                b"\r\n\r\n"
            },
        ] {
            client.queue(part);
        }
        if !is_head {
            client.queue(&body);
        }
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
            Some((status, message)) => Self::new(*status, message.clone()),
            None => Self::new(403, refusal.to_string()),
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
        400 => "Bad Request",
        403 => "Forbidden",
        404 => "Not Found",
        408 => "Request Timeout",
        413 => "Content Too Large",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        _ => "Error",
    }
}
