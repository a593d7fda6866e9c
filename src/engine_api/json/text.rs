//! A text of a value on its own: a part of the body that it was read from, or one that was put there.

use std::borrow::Cow;
use std::fmt::{self, Write as _};
use std::ops::Deref;
use std::sync::Arc;

/// A text, cheap to take from a body.
#[derive(Clone)]
pub struct Text(Form);

#[derive(Clone)]
enum Form {
    /// What stands in this JSON between these bytes, where all of it stands for itself.
    Part {
        of: Arc<str>,
        start: u32,
        end: u32,
    },
    Own(Box<str>),
}

impl Text {
    /// What stands between these bytes of a JSON text, and holds nothing that is escaped or must be.
    pub(super) fn part(of: &Arc<str>, start: usize, end: usize) -> Self {
        match (u32::try_from(start), u32::try_from(end)) {
            (Ok(start), Ok(end)) => Self(Form::Part {
                of: Arc::clone(of),
                start,
                end,
            }),
            _ => Self::from(of.get(start..end).unwrap_or_default()),
        }
    }

    /// Appends it as JSON.
    pub(in crate::engine_api) fn write(&self, text: &mut String) {
        match &self.0 {
            Form::Part { .. } => {
                text.push('"');
                text.push_str(self);
                text.push('"');
            }
            Form::Own(own) if own.is_empty() => text.push_str("\"\""),
            Form::Own(own) => write_text(text, own),
        }
    }

    /// The text itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match &self.0 {
            // INVARIANT: the part lies in it.
            Form::Part { of, start, end } => {
                of.get(*start as usize..*end as usize).unwrap_or_default()
            }
            Form::Own(text) => text,
        }
    }
}

impl Default for Text {
    fn default() -> Self {
        Self(Form::Own(Box::default()))
    }
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Text {}

impl PartialEq<str> for Text {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self(Form::Own(text.into()))
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self(Form::Own(text.into()))
    }
}

impl From<Cow<'_, str>> for Text {
    fn from(text: Cow<'_, str>) -> Self {
        Self(Form::Own(text.into()))
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self)
    }
}

fn write_text(text: &mut String, value: &str) {
    text.push('"');
    if !holds_escaped(value.as_bytes()) {
        text.push_str(value);
        text.push('"');
        return;
    }
    let mut rest = value;
    while let Some(at) = rest.bytes().position(is_escaped) {
        let (plain, special) = rest.split_at(at);
        text.push_str(plain);
        let mut characters = special.chars();
        match characters.next() {
            Some(c @ ('"' | '\\')) => text.extend(['\\', c]),
            Some(c) => {
                // INVARIANT: writing to a string does not fail.
                let _ = write!(text, "\\u{:04x}", u32::from(c));
            }
            None => {}
        }
        rest = characters.as_str();
    }
    text.push_str(rest);
    text.push('"');
}

/// Whether any byte must be escaped; to look at all, a word at a time, is faster than to look for the first.
fn holds_escaped(bytes: &[u8]) -> bool {
    let Some(last) = bytes.last_chunk() else {
        return bytes.iter().copied().any(is_escaped);
    };
    let words = bytes.as_chunks().0.iter().chain([last]);
    let mark = |marks: u64, word: &[u8; 8]| marks | escaped(u64::from_le_bytes(*word));
    words.fold(0, mark) != 0
}

/// Not zero where a byte of the word must be escaped.
fn escaped(word: u64) -> u64 {
    let is_zero = |word: u64| word.wrapping_sub(ONES) & !word;
    let is_control = word.wrapping_sub(ONES * 0x20) & !word;
    (is_zero(word ^ (ONES * 0x22)) | is_zero(word ^ (ONES * 0x5c)) | is_control) & (ONES * 0x80)
}

/// One in each byte.
const ONES: u64 = 0x0101_0101_0101_0101;

/// RFC 8259, section 7.
fn is_escaped(byte: u8) -> bool {
    byte < b' ' || matches!(byte, b'"' | b'\\')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_must_be_escaped_is_seen_in_every_place() {
        for byte in 0..=0x7f_u8 {
            for length in 1..40 {
                for at in 0..length {
                    let mut text = vec![b'a'; length];
                    text[at] = byte;
                    let is_seen = holds_escaped(&text);
                    assert_eq!(is_seen, is_escaped(byte), "{byte} at {at} of {length}");
                }
            }
        }
        let beyond = "\u{80}\u{7ff}\u{ffff}\u{10ffff}\u{a2}\u{dc}";
        assert!(!holds_escaped(beyond.as_bytes()));
    }

    #[test]
    fn a_part_is_the_text_that_it_holds() {
        let whole: Arc<str> = "[\"a\u{e9}b\",\"c\"]".into();
        let part = Text::part(&whole, 2, 6);
        assert_eq!(part, Text::from("a\u{e9}b"));
        assert_eq!(part, *"a\u{e9}b");
        for text in [part, Text::from("a\u{e9}b")] {
            let mut written = String::new();
            text.write(&mut written);
            assert_eq!(written, "\"a\u{e9}b\"");
        }
    }
}
