//! The JSON of a record, put together without the machinery of a general writer: there are two for every request.

use serde::Serialize;

use crate::audit::AuditError;
use crate::audit::record::{Decision, End, Record};
use crate::audit::text::{LIST_LIMIT, Text, decimal};

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
    let mut object = Object::begin(line, "decision");
    object.plain("time", time.written().as_str());
    object.plain("id", id.written().as_str());
    object.value("client", client)?;
    object.text("listener", listener)?;
    object.name("operation", *operation);
    object.value("api_version", api_version)?;
    object.limited("method", *method)?;
    object.limited("target", *target)?;
    if let Some(trace) = traceparent {
        object.text("traceparent", trace)?;
    }
    match policy {
        Some(policy) => object.text("policy", policy)?,
        None => object.word("policy", "null"),
    }
    object.plain("configuration", configuration);
    object.value("decision", verdict)?;
    object.list("reasons", reasons)?;
    object.list("dropped", dropped)?;
    if !rewritten.is_empty() {
        object.list("rewritten", rewritten)?;
    }
    if let Some(observed) = observed {
        object.value("observed", observed)?;
    }
    if *left_out > 0 {
        object.value("left_out", left_out)?;
    }
    object.status(*status);
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
    let mut object = Object::begin(line, "end");
    object.plain("time", time.written().as_str());
    object.plain("id", id.written().as_str());
    object.name("operation", *operation);
    object.status(*status);
    object.number("bytes_from_client", *bytes_from_client);
    object.number("bytes_to_client", *bytes_to_client);
    let duration = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
    object.number("duration_us", duration);
    object.plain("outcome", outcome.name());
    object.word("tunnel", if *tunnel { "true" } else { "false" });
    object.end();
}

/// One object under way; `plain` texts, keys and names hold nothing that JSON escapes.
struct Object<'a>(&'a mut Vec<u8>);

impl<'a> Object<'a> {
    fn begin(line: &'a mut Vec<u8>, event: &'static str) -> Self {
        line.extend_from_slice(b"{\"event\":\"");
        line.extend_from_slice(event.as_bytes());
        line.push(b'"');
        Self(line)
    }

    fn end(self) {
        self.0.push(b'}');
    }

    fn key(&mut self, key: &'static str) -> &mut Vec<u8> {
        self.0.extend_from_slice(b",\"");
        self.0.extend_from_slice(key.as_bytes());
        self.0.extend_from_slice(b"\":");
        self.0
    }

    fn plain(&mut self, key: &'static str, text: &str) {
        let line = self.key(key);
        line.push(b'"');
        line.extend_from_slice(text.as_bytes());
        line.push(b'"');
    }

    /// An `operationId`, which is made of letters.
    fn name(&mut self, key: &'static str, name: Option<&str>) {
        match name {
            Some(name) => self.plain(key, name),
            None => self.word(key, "null"),
        }
    }

    fn text(&mut self, key: &'static str, text: &str) -> Result<(), AuditError> {
        let is_plain = |plain: bool, byte: u8| plain & !must_be_escaped(byte);
        if text.bytes().fold(true, is_plain) {
            self.plain(key, text);
            return Ok(());
        }
        self.value(key, text)
    }

    fn limited<const LIMIT: usize>(
        &mut self,
        key: &'static str,
        text: Text<'_, LIMIT>,
    ) -> Result<(), AuditError> {
        if text.0.len() <= LIMIT {
            self.text(key, text.0)
        } else {
            self.value(key, &text)
        }
    }

    fn list(&mut self, key: &'static str, items: &[impl Serialize]) -> Result<(), AuditError> {
        if items.is_empty() {
            self.word(key, "[]");
            return Ok(());
        }
        self.value(key, items.get(..LIST_LIMIT).unwrap_or(items))
    }

    fn number(&mut self, key: &'static str, number: u64) {
        let digits = decimal(number);
        self.key(key).extend_from_slice(digits.as_str().as_bytes());
    }

    fn status(&mut self, status: Option<u16>) {
        match status {
            Some(status) => self.number("status", u64::from(status)),
            None => self.word("status", "null"),
        }
    }

    /// `null`, `true`, `false` or `[]`.
    fn word(&mut self, key: &'static str, word: &'static str) {
        self.key(key).extend_from_slice(word.as_bytes());
    }

    /// Whatever is not worth a form of its own.
    fn value(
        &mut self,
        key: &'static str,
        value: &(impl Serialize + ?Sized),
    ) -> Result<(), AuditError> {
        json(self.key(key), value)
    }
}

/// RFC 8259, section 7.
fn must_be_escaped(byte: u8) -> bool {
    byte < b' ' || matches!(byte, b'"' | b'\\')
}

fn json(line: &mut Vec<u8>, value: &(impl Serialize + ?Sized)) -> Result<(), AuditError> {
    serde_json::to_writer(line, value).map_err(|error| AuditError::NotSerializable {
        cause: error.to_string(),
    })
}

/// What a usual record takes, in bytes.
const USUAL: usize = 896;
