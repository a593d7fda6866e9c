//! Who asks.

use std::net::IpAddr;

use crate::engine_api::CallingContainer;
pub use crate::policy::client_match::{ClientMatch, ClientMatchDocument};
pub use crate::policy::client_reach::Way;
pub use crate::policy::owner::{NoOwner, OwnerTemplate};

/// What is known of a client before its first request is read.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Identity {
    /// A TLS client whose certificate was verified against the listener's authority.
    Certificate(Certificate),
    /// A process at the other end of a Unix socket.
    Peer(PeerCredentials),
    /// A container, known by the address that it called from and by nothing else.
    Container(CallingContainer),
    /// Whoever reaches the listener; nothing else is known.
    Listener,
}

impl Identity {
    /// Whether its certificate is no longer valid at `now`, in seconds since 1970 (RFC 5280, section 4.1.2.5: the end
    /// itself is still valid); the clock is looked at only for a certificate.
    #[must_use]
    pub fn has_expired(&self, now: impl FnOnce() -> i64) -> bool {
        match self {
            Self::Certificate(certificate) => now() > certificate.not_after,
            Self::Peer(_) | Self::Container(_) | Self::Listener => false,
        }
    }
}

/// A client as `match` tables and owners' templates see it.
#[derive(Clone, Copy, Debug)]
pub struct Caller<'a> {
    pub identity: &'a Identity,
    /// Where it called from, on TCP; an IPv4 address as itself, however the socket spells it.
    pub source: Option<IpAddr>,
    /// The address of its listener, as configured.
    pub listener: &'a str,
}

/// The names in a verified leaf certificate, each as the certificate spells it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Certificate {
    pub common_name: Option<String>,
    pub organizations: Vec<String>,
    pub organizational_units: Vec<String>,
    pub dns: Vec<String>,
    pub emails: Vec<String>,
    pub uris: Vec<String>,
    /// Its only URI, where that is the id of a workload and the certificate may carry one (X.509-SVID, sections 2 and 4).
    pub spiffe_id: Option<String>,
    /// Whole bytes in lower-case hexadecimal, without separators and without the sign byte of DER.
    pub serial: String,
    /// SHA-256 of the DER certificate in lower-case hexadecimal, without separators.
    pub fingerprint: String,
    /// SHA-256 of its public key (`SubjectPublicKeyInfo`), written as the fingerprint.
    pub public_key: String,
    /// When the certificate expires, in seconds since 1970 (UTC).
    pub not_after: i64,
}

/// What the kernel says about the process at the other end of a Unix socket, as it was when it connected (unix(7),
/// `SO_PEERCRED`, `SO_PEERGROUPS`).
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct PeerCredentials {
    pub uid: u32,
    /// The primary group.
    pub gid: u32,
    /// The other groups.
    pub groups: Vec<u32>,
    pub pid: Option<i32>,
}
