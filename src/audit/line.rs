//! The JSON of a record, put together without the machinery of a general writer: there are two for every request.

use crate::audit::AuditError;
use crate::audit::object::{Object, json, key, write_limited};
use crate::audit::record::{Client, Decision, End, Reason, Record};
use crate::audit::text::Text;
use crate::policy::client::Identity;

/// A whole line of the log.
///
/// # Errors
/// [`AuditError::NotSerializable`].
pub(super) fn of(record: &Record<'_>) -> Result<Vec<u8>, AuditError> {
    let mut line = Vec::with_capacity(USUAL);
    match record {
        Record::Decision(decision) => write_decision(&mut line, decision)?,
        Record::End(end) => write_end(&mut line, end),
        Record::ConnectionRefused(_) => json(&mut line, record)?,
    }
    line.push(b'\n');
    Ok(line)
}

// Each field is named, so that none can be added to a record and forgotten here; a test compares with serde's own form.

fn write_decision(line: &mut Vec<u8>, decision: &Decision<'_>) -> Result<(), AuditError> {
    let Decision {
        time,
        id,
        client,
        listener,
        operation,
        api_version,
        method,
        target,
        traceparent,
        policy,
        configuration,
        decision: verdict,
        reasons,
        dropped,
        rewritten,
        observed,
        left_out,
        status,
    } = decision;
    let mut object = Object::begin(line);
    object.plain(key!("event"), b"decision");
    object.plain(key!("time"), time.written().as_bytes());
    object.plain(key!("id"), id.written().as_bytes());
    write_client(object.key(key!("client")), client)?;
    object.text(key!("listener"), listener)?;
    object.name(key!("operation"), *operation);
    match api_version {
        Some(version) => object.limited(key!("api_version"), *version)?,
        None => object.word(key!("api_version"), "null"),
    }
    object.limited(key!("method"), *method)?;
    object.limited(key!("target"), *target)?;
    if let Some(trace) = traceparent {
        object.text(key!("traceparent"), trace)?;
    }
    match policy {
        Some(policy) => object.text(key!("policy"), policy)?,
        None => object.word(key!("policy"), "null"),
    }
    object.plain(key!("configuration"), configuration.as_bytes());
    object.plain(key!("decision"), verdict.name().as_bytes());
    object.list(key!("reasons"), reasons, write_reason)?;
    object.list(key!("dropped"), dropped, |line, name| {
        write_limited(line, *name)
    })?;
    if !rewritten.is_empty() {
        object.list(key!("rewritten"), rewritten, |line, what| {
            write_limited(line, *what)
        })?;
    }
    if let Some(observed) = observed {
        object.value(key!("observed"), observed)?;
    }
    if *left_out > 0 {
        object.value(key!("left_out"), left_out)?;
    }
    object.status(*status);
    object.end();
    Ok(())
}

impl Client<'_> {
    /// The client as each of its records has it; `None` where it cannot be put into JSON, which its records will say.
    pub(crate) fn written(&self) -> Option<Box<str>> {
        let mut written = Vec::new();
        write_client(&mut written, self).ok()?;
        String::from_utf8(written).ok().map(String::into_boxed_str)
    }
}

/// In short for those on a Unix socket and for unnamed ones; certificates and containers have much to say.
fn write_client(line: &mut Vec<u8>, client: &Client<'_>) -> Result<(), AuditError> {
    let Client {
        name,
        owner,
        source,
        identity,
        written,
    } = client;
    if let Some(written) = written {
        line.extend_from_slice(written.as_bytes());
        return Ok(());
    }
    let peer = match identity {
        Some(Identity::Peer(peer)) if peer.groups.is_empty() => Some(peer),
        Some(Identity::Listener) | None => None,
        Some(Identity::Peer(_) | Identity::Certificate(_) | Identity::Container(_)) => {
            return json(line, client);
        }
    };
    let mut object = Object::begin(line);
    if let Some(name) = name {
        object.text(key!("name"), name)?;
    }
    if let Some(owner) = owner {
        object.limited(key!("owner"), Text::<256>(owner))?;
    }
    if let Some(source) = source {
        object.value(key!("source"), source)?;
    }
    if let Some(peer) = peer {
        object.number(key!("uid"), u64::from(peer.uid));
        object.number(key!("gid"), u64::from(peer.gid));
        if let Some(pid) = peer.pid {
            object.value(key!("pid"), &pid)?;
        }
    }
    object.end();
    Ok(())
}

fn write_reason(line: &mut Vec<u8>, reason: &Reason<'_>) -> Result<(), AuditError> {
    let Reason {
        code,
        field,
        value,
        message,
        line: policy_line,
    } = reason;
    let mut object = Object::begin(line);
    object.text(key!("code"), code)?;
    if let Some(field) = field {
        object.limited(key!("field"), *field)?;
    }
    if let Some(value) = value {
        object.limited(key!("value"), *value)?;
    }
    object.limited(key!("message"), *message)?;
    if let Some(policy_line) = policy_line {
        object.value(key!("line"), policy_line)?;
    }
    object.end();
    Ok(())
}

fn write_end(line: &mut Vec<u8>, end: &End<'_>) {
    let End {
        time,
        id,
        operation,
        status,
        bytes_from_client,
        bytes_to_client,
        duration,
        outcome,
        tunnel,
    } = end;
    let mut object = Object::begin(line);
    object.plain(key!("event"), b"end");
    object.plain(key!("time"), time.written().as_bytes());
    object.plain(key!("id"), id.written().as_bytes());
    object.name(key!("operation"), *operation);
    object.status(*status);
    object.number(key!("bytes_from_client"), *bytes_from_client);
    object.number(key!("bytes_to_client"), *bytes_to_client);
    let duration = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
    object.number(key!("duration_us"), duration);
    object.plain(key!("outcome"), outcome.name().as_bytes());
    object.word(key!("tunnel"), if *tunnel { "true" } else { "false" });
    object.end();
}

/// What a usual record takes, in bytes.
const USUAL: usize = 896;
