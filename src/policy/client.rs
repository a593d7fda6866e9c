//! Who asks.

pub use crate::policy::client_match::{ClientMatch, ClientMatchDocument};

/// What is known of a client before its first request is read.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Identity {
    /// A TLS client whose certificate was verified against the listener's authority.
    Certificate(Certificate),
    /// A process at the other end of a Unix socket.
    Peer(PeerCredentials),
    /// Whoever reaches the listener; nothing else is known.
    Listener,
}

impl Identity {
    /// Whether its certificate is no longer valid at `now`, in seconds since 1970 (RFC 5280, section 4.1.2.5: the end
    /// itself is still valid).
    #[must_use]
    pub fn has_expired(&self, now: i64) -> bool {
        match self {
            Self::Certificate(certificate) => now > certificate.not_after,
            Self::Peer(_) | Self::Listener => false,
        }
    }
}

/// The names in a verified leaf certificate, each as the certificate spells it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Certificate {
    pub common_name: Option<String>,
    pub organizations: Vec<String>,
    pub organizational_units: Vec<String>,
    pub dns: Vec<String>,
    pub emails: Vec<String>,
    pub uris: Vec<String>,
    /// Whole bytes in lower-case hexadecimal, without separators and without the sign byte of DER.
    pub serial: String,
    /// SHA-256 of the DER certificate in lower-case hexadecimal, without separators.
    pub fingerprint: String,
    /// When the certificate expires, in seconds since 1970 (UTC).
    pub not_after: i64,
}

/// What the kernel says about the process at the other end of a Unix socket (unix(7), `SO_PEERCRED`).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct PeerCredentials {
    pub uid: u32,
    /// The primary group only.
    pub gid: u32,
    pub pid: Option<i32>,
}
