//! A JSON object put together without the machinery of a general writer.

use itoa::Buffer;
use serde::Serialize;

use crate::audit::AuditError;
use crate::audit::text::{LIST_LIMIT, Text};

/// A key with what stands around it.
macro_rules! key {
    ($name:literal) => {
        concat!(",\"", $name, "\":")
    };
}
pub(super) use key;

/// One object under way; `plain` texts, keys and names hold nothing that JSON escapes.
pub(super) struct Object<'a> {
    line: &'a mut Vec<u8>,
    start: usize,
}

impl<'a> Object<'a> {
    pub(super) fn begin(line: &'a mut Vec<u8>) -> Self {
        let start = line.len();
        Self { line, start }
    }

    pub(super) fn end(self) {
        // The comma before the first key is where the object begins.
        match self.line.get_mut(self.start) {
            Some(comma) => *comma = b'{',
            None => self.line.push(b'{'),
        }
        self.line.push(b'}');
    }

    pub(super) fn key(&mut self, key: &'static str) -> &mut Vec<u8> {
        self.line.extend_from_slice(key.as_bytes());
        self.line
    }

    pub(super) fn plain(&mut self, key: &'static str, text: &[u8]) {
        let line = self.key(key);
        line.push(b'"');
        line.extend_from_slice(text);
        line.push(b'"');
    }

    /// An `operationId`, which is made of letters.
    pub(super) fn name(&mut self, key: &'static str, name: Option<&str>) {
        match name {
            Some(name) => self.plain(key, name.as_bytes()),
            None => self.word(key, "null"),
        }
    }

    pub(super) fn text(&mut self, key: &'static str, text: &str) -> Result<(), AuditError> {
        write_text(self.key(key), text)
    }

    pub(super) fn limited<const LIMIT: usize>(
        &mut self,
        key: &'static str,
        text: Text<'_, LIMIT>,
    ) -> Result<(), AuditError> {
        write_limited(self.key(key), text)
    }

    /// At most so many items as a list of a record has.
    pub(super) fn list<T>(
        &mut self,
        key: &'static str,
        items: &[T],
        write: impl Fn(&mut Vec<u8>, &T) -> Result<(), AuditError>,
    ) -> Result<(), AuditError> {
        let line = self.key(key);
        line.push(b'[');
        for (index, item) in items.iter().take(LIST_LIMIT).enumerate() {
            if index > 0 {
                line.push(b',');
            }
            write(line, item)?;
        }
        line.push(b']');
        Ok(())
    }

    pub(super) fn number(&mut self, key: &'static str, number: u64) {
        self.key(key)
            .extend_from_slice(Buffer::new().format(number).as_bytes());
    }

    pub(super) fn status(&mut self, status: Option<u16>) {
        match status {
            Some(status) => self.number(key!("status"), u64::from(status)),
            None => self.word(key!("status"), "null"),
        }
    }

    /// `null`, `true` or `false`.
    pub(super) fn word(&mut self, key: &'static str, word: &'static str) {
        self.key(key).extend_from_slice(word.as_bytes());
    }

    /// Whatever is not worth a form of its own.
    pub(super) fn value(
        &mut self,
        key: &'static str,
        value: &(impl Serialize + ?Sized),
    ) -> Result<(), AuditError> {
        json(self.key(key), value)
    }
}

fn write_text(line: &mut Vec<u8>, text: &str) -> Result<(), AuditError> {
    let is_plain = |plain: bool, byte: u8| plain & !must_be_escaped(byte);
    if !text.bytes().fold(true, is_plain) {
        return json(line, text);
    }
    line.push(b'"');
    line.extend_from_slice(text.as_bytes());
    line.push(b'"');
    Ok(())
}

pub(super) fn write_limited<const LIMIT: usize>(
    line: &mut Vec<u8>,
    text: Text<'_, LIMIT>,
) -> Result<(), AuditError> {
    if text.0.len() <= LIMIT {
        write_text(line, text.0)
    } else {
        json(line, &text)
    }
}

/// RFC 8259, section 7.
fn must_be_escaped(byte: u8) -> bool {
    byte < b' ' || matches!(byte, b'"' | b'\\')
}

pub(super) fn json(
    line: &mut Vec<u8>,
    value: &(impl Serialize + ?Sized),
) -> Result<(), AuditError> {
    serde_json::to_writer(line, value).map_err(|error| AuditError::NotSerializable {
        cause: error.to_string(),
    })
}
