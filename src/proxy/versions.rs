//! Versions of the API: clients are told what gate and daemon both speak, and what names none gets the highest of these.

use std::future::poll_fn;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::{Buf as _, BytesMut};
use tokio::time::{self, Duration};

use crate::daemon::Question;
use crate::decision::Found;
use crate::engine_api::{ApiVersion, Malformed, Operation, RequestHead, Spoken, told_within};
use crate::http1::{Body, Extras, Framing, Piece, Response};
use crate::peer::Peer;

use super::connection::Connection;
use super::relay::{Relay, RelayFault};
use super::{Gate, lookups};

/// What the daemon last told of its versions, by any answer.
#[derive(Debug, Default)]
pub struct DaemonVersions(AtomicU64);

impl DaemonVersions {
    /// Those of a daemon that has told them already.
    #[cfg(test)]
    pub(super) fn telling(newest: &str) -> Self {
        let versions = Self::default();
        let newest = ApiVersion::parse(newest).unwrap();
        let oldest = None;
        versions.keep(Spoken { newest, oldest });
        versions
    }

    fn keep(&self, spoken: Spoken) {
        let number =
            |version: ApiVersion| u64::from(version.major) << 16 | u64::from(version.minor);
        let oldest = spoken.oldest.map_or(0, number);
        self.0
            .store(number(spoken.newest) << 32 | oldest, Ordering::Relaxed);
    }

    fn known(&self) -> Option<Spoken> {
        let [a, b, c, d, e, f, g, h] = self.0.load(Ordering::Relaxed).to_be_bytes();
        let version = |major: [u8; 2], minor: [u8; 2]| ApiVersion {
            major: u16::from_be_bytes(major),
            minor: u16::from_be_bytes(minor),
        };
        let is_known = |version: &ApiVersion| version.major > 0;
        let newest = Some(version([a, b], [c, d])).filter(is_known)?;
        let oldest = Some(version([e, f], [g, h])).filter(is_known);
        Some(Spoken { newest, oldest })
    }
}

/// Refuses a version that the gate does not speak; gives one to a request that names none, which the daemon would take
/// for its newest, so that what is judged is what the daemon reads.
///
/// # Errors
/// [`Malformed`] where it is too old, too new, or gate and daemon share none.
pub(super) async fn settle(
    connection: &mut Connection,
    head: &mut RequestHead,
) -> Result<(), Malformed> {
    let (lowest, highest) = bounds(&connection.gate);
    let none_shared = |spoken: Spoken| Malformed::NoneShared(lowest, highest, spoken);
    if head.target.version().is_some() {
        let checked = head.check_version(lowest, highest);
        return checked.map_err(|fault| match connection.gate.versions.known() {
            Some(spoken) if spoken.shared(lowest, highest).is_none() => none_shared(spoken),
            Some(_) | None => fault,
        });
    }
    match head.target.operation() {
        None
        | Some(Operation::SystemPing | Operation::SystemPingHead | Operation::SystemVersion) => {
            return Ok(());
        }
        Some(_) => {}
    }
    let version = match spoken(connection).await {
        Some(spoken) => spoken.shared(lowest, highest).ok_or(none_shared(spoken))?,
        // Whatever the daemon speaks, it reads no other version than the one that is judged.
        None => highest,
    };
    head.target.set_version(version);
    Ok(())
}

fn bounds(gate: &Gate) -> (ApiVersion, ApiVersion) {
    (gate.lowest_version, gate.highest_version)
}

async fn spoken(connection: &mut Connection) -> Option<Spoken> {
    let known = connection.gate.versions.known();
    let highest = connection.gate.highest_version;
    let is_enough = |known: &Spoken| known.oldest.is_some() || known.newest <= highest;
    if known.as_ref().is_some_and(is_enough) {
        return known;
    }
    match Box::pin(lookups::ask(connection, Question::Version, Spoken::read)).await {
        Found::Is(spoken) => {
            connection.gate.versions.keep(spoken);
            Some(spoken)
        }
        Found::Answered { .. } | Found::Unknown(_) => known,
    }
}

/// Waits for the head of the answer; where the gate judges, what it tells of versions is what the gate speaks too.
///
/// # Errors
/// [`RelayFault`] where there is none, or the daemon's versions cannot be read.
pub(super) async fn answer(
    relay: &mut Relay<'_>,
    operation: Option<Operation>,
    judged: Option<&Gate>,
) -> Result<Response, RelayFault> {
    let mut answer = relay.answer().await?;
    let Some(gate) = judged else {
        return Ok(answer);
    };
    tell_in_head(gate, &mut answer);
    if operation == Some(Operation::SystemVersion) && answer.status == 200 && !relay.is_head {
        let told = time::timeout(DEADLINE, tell_in_body(gate, relay.daemon, &mut answer));
        let too_slow = |_| RelayFault::DaemonGone(Some("it is too slow".to_owned()));
        Box::pin(told).await.map_err(too_slow)??;
    }
    Ok(answer)
}

/// Notes which version the daemon tells in every answer, and tells the client no higher one than the gate's.
fn tell_in_head(gate: &Gate, answer: &mut Response) {
    let Some(value) = answer.headers.first(HEADER) else {
        return;
    };
    let told = std::str::from_utf8(value).ok().and_then(ApiVersion::parse);
    if let Some(newest) = told {
        if gate
            .versions
            .known()
            .is_none_or(|known| known.newest != newest)
        {
            let oldest = None;
            gate.versions.keep(Spoken { newest, oldest });
        }
        if newest <= gate.highest_version {
            return;
        }
    }
    answer
        .headers
        .set(HEADER, &gate.highest_version.to_string());
}

/// Reads the answer to `SystemVersion`, and puts back in its place one that tells only what the gate speaks too.
async fn tell_in_body(
    gate: &Gate,
    daemon: &mut Peer,
    answer: &mut Response,
) -> Result<(), RelayFault> {
    let mut bytes = whole_body(daemon, answer.framing).await?;
    let (lowest, highest) = bounds(gate);
    if let Some(narrowed) = told_within(&bytes, lowest, highest) {
        bytes = narrowed;
    }
    answer
        .headers
        .set("Content-Length", &bytes.len().to_string());
    answer.framing = match bytes.len() as u64 {
        0 => Framing::Empty,
        length => Framing::Length(length),
    };
    let after = std::mem::replace(&mut daemon.input, BytesMut::from(bytes.as_slice()));
    daemon.input.unsplit(after);
    Ok(())
}

async fn whole_body(daemon: &mut Peer, framing: Framing) -> Result<Vec<u8>, RelayFault> {
    let mut body = Body::new(framing, Extras::Passed);
    let mut bytes = Vec::new();
    loop {
        let malformed =
            |fault: crate::http1::BodyFault| RelayFault::DaemonMalformed(fault.to_string());
        match body.next(&daemon.input).map_err(malformed)? {
            Piece::Done => return Ok(bytes),
            Piece::Framing(count) => daemon.input.advance(count),
            Piece::Data(count) => {
                if bytes.len() + count > MOST_BYTES {
                    let cause = format!("its versions take more than {MOST_BYTES} bytes");
                    return Err(RelayFault::DaemonMalformed(cause));
                }
                bytes.extend_from_slice(daemon.input.get(..count).unwrap_or_default());
                daemon.input.advance(count);
            }
            Piece::More => match poll_fn(|cx| daemon.poll_fill(cx)).await {
                Ok(0) if body.ends_with_connection() => return Ok(bytes),
                Ok(0) => return Err(RelayFault::DaemonGone(None)),
                Ok(_) => {}
                Err(error) => return Err(RelayFault::DaemonGone(Some(error.to_string()))),
            },
        }
    }
}

const HEADER: &str = "Api-Version";
/// Of the answer to `SystemVersion`; a daemon's has about a thousand.
const MOST_BYTES: usize = 1 << 20;
/// From the head of that answer to its end.
const DEADLINE: Duration = Duration::from_secs(30);
