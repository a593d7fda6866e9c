//! `[limits]`: what one client, and all together, may take of the gate.

use std::ops::RangeInclusive;
use std::time::Duration;

use crate::policy::document::Table;

/// The bounds of every read, wait and count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a request's head; the daemon takes a megabyte too.
    pub head_bytes: usize,
    /// Header lines of a request.
    pub header_lines: usize,
    /// Bytes of a body that is judged, or read and dropped.
    pub judged_body_bytes: usize,
    /// From a head's first byte to its last.
    pub head_deadline: Duration,
    /// From the head of a request to the last byte of a judged body.
    pub judged_body_deadline: Duration,
    /// For a TLS handshake.
    pub handshake_deadline: Duration,
    /// TLS handshakes that one address may begin in a second, and at once after a rest.
    pub handshakes_per_second: u32,
    /// Between two requests of one connection, and before the first.
    pub idle_deadline: Duration,
    /// Until the daemon takes a connection.
    pub connect_deadline: Duration,
    /// How long, after an answer that the client does not wait for, the rest of its body is read and dropped.
    pub linger_deadline: Duration,
    /// Connections at once.
    pub connections: usize,
    /// Connections at once of one client.
    pub connections_per_client: usize,
    /// How long running exchanges may go on once the gate is told to end.
    pub drain_deadline: Duration,
    /// How long a decision may wait until it is recorded.
    pub audit_deadline: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            head_bytes: 1 << 20,
            header_lines: 256,
            judged_body_bytes: 4 << 20,
            head_deadline: Duration::from_secs(30),
            judged_body_deadline: Duration::from_secs(60),
            handshake_deadline: Duration::from_secs(10),
            handshakes_per_second: 200,
            idle_deadline: Duration::from_secs(15 * 60),
            connect_deadline: Duration::from_secs(10),
            linger_deadline: Duration::from_secs(5),
            connections: 1024,
            connections_per_client: 256,
            drain_deadline: Duration::from_secs(30),
            audit_deadline: Duration::from_secs(5),
        }
    }
}

pub(super) fn read(table: &mut Table<'_>) -> Limits {
    let mut limits = Limits::default();
    let mut keys = Keys(table);
    keys.count("head-bytes", 8 << 10..=16 << 20, &mut limits.head_bytes);
    keys.count("headers", 32..=4096, &mut limits.header_lines);
    keys.count(
        "judged-body-bytes",
        64 << 10..=64 << 20,
        &mut limits.judged_body_bytes,
    );
    keys.seconds("head-seconds", 1..=600, &mut limits.head_deadline);
    keys.seconds("body-seconds", 1..=3600, &mut limits.judged_body_deadline);
    keys.seconds("handshake-seconds", 1..=600, &mut limits.handshake_deadline);
    keys.count(
        "handshakes-per-second",
        1..=1_000_000,
        &mut limits.handshakes_per_second,
    );
    keys.seconds("idle-seconds", 1..=86400, &mut limits.idle_deadline);
    keys.seconds("connect-seconds", 1..=600, &mut limits.connect_deadline);
    keys.seconds("linger-seconds", 1..=600, &mut limits.linger_deadline);
    keys.count("connections", 1..=1 << 20, &mut limits.connections);
    keys.count(
        "connections-per-client",
        1..=1 << 20,
        &mut limits.connections_per_client,
    );
    keys.seconds("drain-seconds", 0..=3600, &mut limits.drain_deadline);
    keys.seconds("audit-wait-seconds", 1..=600, &mut limits.audit_deadline);
    limits
}

struct Keys<'t, 'd>(&'t mut Table<'d>);

impl Keys<'_, '_> {
    fn count<T: TryFrom<u64>>(
        &mut self,
        key: &'static str,
        range: RangeInclusive<u64>,
        limit: &mut T,
    ) {
        let number = self.0.take(key).and_then(|value| value.number(range));
        if let Some(number) = number.and_then(|number| T::try_from(number).ok()) {
            *limit = number;
        }
    }

    fn seconds(&mut self, key: &'static str, range: RangeInclusive<u64>, limit: &mut Duration) {
        let number = self.0.take(key).and_then(|value| value.number(range));
        if let Some(number) = number {
            *limit = Duration::from_secs(number);
        }
    }
}
