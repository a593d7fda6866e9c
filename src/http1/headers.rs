//! The header lines of a message, as they came.

use std::ops::Range;

use memchr::memchr;

use super::HeadFault;

/// Header lines in their order; names keep their case and are found without regard to it.
#[derive(Debug, Clone, Default)]
pub struct Headers {
    text: Vec<u8>,
    lines: Vec<(Range<usize>, Range<usize>)>,
}

impl Headers {
    /// Reads the header lines that begin at `start` in a head, up to its empty line.
    pub(super) fn parse(head: &[u8], start: usize, limit: usize) -> Result<Self, HeadFault> {
        let text = head.get(start..).ok_or(HeadFault::HeaderLine)?;
        let mut lines = Vec::with_capacity(USUAL_LINES);
        let mut at = 0;
        while let Some(rest) = text.get(at..) {
            let length = memchr(b'\r', rest).ok_or(HeadFault::HeaderLine)?;
            // A carriage return anywhere but before a line feed ends the line for some readers.
            if rest.get(length + 1) != Some(&b'\n') {
                return Err(HeadFault::HeaderLine);
            }
            if length == 0 {
                break;
            }
            if lines.len() == limit {
                return Err(HeadFault::TooManyHeaders { limit });
            }
            let line = rest.get(..length).unwrap_or_default();
            let (name, value) = split(line).ok_or(HeadFault::HeaderLine)?;
            lines.push((
                at + name.start..at + name.end,
                at + value.start..at + value.end,
            ));
            at += length + 2;
        }
        Ok(Self {
            text: text.to_vec(),
            lines,
        })
    }

    /// Lets go of all lines but those of these names that are short, where they take room.
    pub(super) fn keep_only(&mut self, names: &[&str]) {
        if self.text.capacity() > LITTLE {
            *self = self.only(names);
        }
    }

    /// The lines of these names, apart from the rest and from those that are long.
    fn only(&self, names: &[&str]) -> Self {
        let mut kept = Self::default();
        let is_kept = |(found, value): &(&[u8], &[u8])| {
            value.len() <= LONGEST_KEPT && names.iter().any(|name| is_called(found, name))
        };
        for (name, value) in self.iter().filter(is_kept) {
            let start = kept.text.len();
            kept.text.extend_from_slice(name);
            let middle = kept.text.len();
            kept.text.extend_from_slice(value);
            kept.lines.push((start..middle, middle..kept.text.len()));
        }
        kept
    }

    /// Puts one line in the place of all lines of this name, or at the end; what does not fit into a line is left out.
    pub fn set(&mut self, name: &str, value: &str) {
        if split(format!("{name}:{value}").as_bytes()).is_none() {
            return;
        }
        let mut append = |part: &str| {
            let start = self.text.len();
            self.text.extend_from_slice(part.as_bytes());
            start..self.text.len()
        };
        let line = (append(name), append(value));
        let is_other = |found: &Range<usize>| {
            let found = self.text.get(found.clone()).unwrap_or_default();
            !found.eq_ignore_ascii_case(name.as_bytes())
        };
        let place = self.lines.iter().position(|(found, _)| !is_other(found));
        self.lines.retain(|(found, _)| is_other(found));
        let place = place.unwrap_or(self.lines.len());
        self.lines.insert(place, line);
    }

    /// Leaves out all lines of this name.
    pub fn remove(&mut self, name: &str) {
        let is_other = |found: &Range<usize>| {
            let found = self.text.get(found.clone()).unwrap_or_default();
            !is_called(found, name)
        };
        self.lines.retain(|(found, _)| is_other(found));
    }

    /// Each line's name and value, without the white space around the value.
    ///
    /// A name is made of token characters, all ASCII.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.lines.iter().map(|(name, value)| {
            let name = self.text.get(name.clone()).unwrap_or_default();
            (name, self.text.get(value.clone()).unwrap_or_default())
        })
    }

    /// The values of all lines of this name.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.iter()
            .filter(move |(found, _)| is_called(found, name))
            .map(|(_, value)| value)
    }

    /// The value of the first line of this name.
    #[must_use]
    pub fn first(&self, name: &str) -> Option<&[u8]> {
        self.iter()
            .find(|(found, _)| is_called(found, name))
            .map(|(_, value)| value)
    }

    /// Whether a line of this name lists `token`, between commas and without regard to case.
    #[must_use]
    pub fn lists(&self, name: &str, token: &str) -> bool {
        self.all(name)
            .flat_map(|value| value.split(|byte| *byte == b','))
            .any(|item| item.trim_ascii().eq_ignore_ascii_case(token.as_bytes()))
    }
}

fn is_called(found: &[u8], name: &str) -> bool {
    found.eq_ignore_ascii_case(name.as_bytes())
}

const USUAL_LINES: usize = 12;
/// Room that may be kept for as long as an answer takes, in bytes.
const LITTLE: usize = 512;
/// In bytes; what lists tokens is far shorter.
const LONGEST_KEPT: usize = 256;

/// Where name and value stand in a line (RFC 9112, section 5); no line is folded and no space stands before the colon.
fn split(line: &[u8]) -> Option<(Range<usize>, Range<usize>)> {
    // A name is short, and the colon is the first byte that is not of it.
    let colon = line.iter().position(|byte| !is_token(*byte))?;
    let value = line.get(colon + 1..)?;
    // All bytes at once, which is faster than to stop at the first that is none.
    let is_value = |are: bool, byte: &u8| are & is_text(*byte);
    if colon == 0 || line.get(colon) != Some(&b':') || !value.iter().fold(true, is_value) {
        return None;
    }
    let is_space = |byte: &u8| matches!(byte, b' ' | b'\t');
    let before = value.iter().take_while(|byte| is_space(byte)).count();
    let kept = value.get(before..)?;
    let after = kept.iter().rev().take_while(|byte| is_space(byte)).count();
    let start = colon + 1 + before;
    Some((0..colon, start..start + kept.len() - after))
}

/// RFC 9110, section 5.6.2.
pub(super) fn is_token(byte: u8) -> bool {
    // INVARIANT: there is an entry for every byte.
    TOKENS.get(usize::from(byte)).is_some_and(|is_one| *is_one)
}

/// Looked up faster than compared with ranges.
static TOKENS: [bool; 256] = tokens();

const fn tokens() -> [bool; 256] {
    let mut tokens = [false; 256];
    let mut rest: &mut [bool] = &mut tokens;
    let mut byte = 0;
    while let Some((first, after)) = rest.split_first_mut() {
        *first = matches!(
            byte,
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'!' | b'#'..=b'\'' | b'*' | b'+' | b'-' | b'.' | b'^'..=b'`' | b'|' | b'~'
        );
        rest = after;
        byte = if byte == u8::MAX { byte } else { byte + 1 };
    }
    tokens
}

/// RFC 9110, section 5.5: visible characters, space, tab, and bytes beyond ASCII.
fn is_text(byte: u8) -> bool {
    byte == b'\t' || (byte >= b' ' && byte != 0x7f)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Headers, HeadFault> {
        Headers::parse(text.as_bytes(), 0, 4)
    }

    #[test]
    fn finds_names_without_regard_to_case_and_trims_values() {
        let headers = parse("Api-Version: \t1.41 \r\nEMPTY:\r\na: 1\r\nA:2, x \r\n\r\n").unwrap();
        assert_eq!(headers.first("api-version"), Some(&b"1.41"[..]));
        assert_eq!(headers.first("empty"), Some(&b""[..]));
        assert_eq!(headers.all("a").collect::<Vec<_>>(), [&b"1"[..], b"2, x"]);
        assert!(headers.lists("a", "X"));
        assert!(!headers.lists("a", "2, x"));
        assert_eq!(headers.iter().next().unwrap().0, b"Api-Version");
    }

    #[test]
    fn refuses_lines_that_are_read_in_two_ways() {
        for line in [
            "name : value",
            " name: value",
            "name",
            ": value",
            "na me: value",
            "name: a\rb: c",
            "name: a\0b",
            "name: a\u{7f}",
            "na\u{e9}me: a",
            "a: b\r\n folded",
        ] {
            assert!(parse(&format!("{line}\r\n\r\n")).is_err(), "{line:?}");
        }
    }

    #[test]
    fn a_name_is_made_of_token_characters() {
        for byte in 0..=u8::MAX {
            let listed = byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
            assert_eq!(is_token(byte), listed, "{byte}");
        }
    }

    #[test]
    fn counts_lines() {
        assert!(parse("a:1\r\nb:2\r\nc:3\r\nd:4\r\n\r\n").is_ok());
        let five = parse("a:1\r\nb:2\r\nc:3\r\nd:4\r\ne:5\r\n\r\n");
        assert_eq!(five.unwrap_err(), HeadFault::TooManyHeaders { limit: 4 });
    }
}
