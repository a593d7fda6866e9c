//! The header lines of a message, as they came.

use memchr::memchr_iter;

use crate::cut::every;

use super::HeadFault;

/// Header lines in their order; names keep their case and are found without regard to it.
#[derive(Debug, Clone, Default)]
pub struct Headers {
    text: Vec<u8>,
    lines: Vec<Line>,
    /// Whether there may be a tab, or a byte beyond ASCII; `false` is certain.
    may_be_odd: bool,
}

/// Where name and value of a line stand in the text.
#[derive(Debug, Clone, Copy)]
struct Line {
    /// See [`mark`].
    mark: u16,
    name: Span,
    value: Span,
}

/// From the first byte to the one after the last; heads are bounded far below what fits.
#[derive(Debug, Clone, Copy)]
struct Span {
    start: u32,
    end: u32,
}

impl Span {
    fn of(start: usize, end: usize) -> Option<Self> {
        Some(Self {
            start: u32::try_from(start).ok()?,
            end: u32::try_from(end).ok()?,
        })
    }

    fn in_text(self, text: &[u8]) -> &[u8] {
        let (start, end) = (self.start as usize, self.end as usize);
        text.get(start..end).unwrap_or_default()
    }
}

impl Headers {
    /// Reads the header lines that begin at `start` in a head, up to its empty line.
    pub(super) fn parse(head: &[u8], start: usize, limit: usize) -> Result<Self, HeadFault> {
        let text = head.get(start..).ok_or(HeadFault::HeaderLine)?;
        if !is_made_of_lines(text) {
            return Err(HeadFault::HeaderLine);
        }
        let mut lines = Vec::with_capacity(USUAL_LINES);
        let mut begin = 0;
        for feed in memchr_iter(b'\n', text) {
            let line = text.get(begin..feed).unwrap_or_default();
            let line = line.strip_suffix(b"\r").ok_or(HeadFault::BareLineFeed)?;
            if line.is_empty() {
                return Ok(Self {
                    text: text.to_vec(),
                    lines,
                    may_be_odd: !every(text, is_ordinary),
                });
            }
            if lines.len() == limit {
                return Err(HeadFault::TooManyHeaders { limit });
            }
            lines.push(split(line, begin).ok_or(HeadFault::HeaderLine)?);
            begin = feed + 1;
        }
        Err(HeadFault::HeaderLine)
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
            let line = kept.append(name, value);
            kept.lines.extend(line);
        }
        kept
    }

    /// Puts a line's text at the end, to be listed among the lines.
    fn append(&mut self, name: &[u8], value: &[u8]) -> Option<Line> {
        let start = self.text.len();
        self.text.extend_from_slice(name);
        let middle = self.text.len();
        self.text.extend_from_slice(value);
        self.may_be_odd |= !every(value, is_ordinary);
        Some(Line {
            mark: mark(name),
            name: Span::of(start, middle)?,
            value: Span::of(middle, self.text.len())?,
        })
    }

    /// Puts one line in the place of all lines of this name, or at the end; what does not fit into a line is left out.
    pub fn set(&mut self, name: &str, value: &str) {
        let fits = !name.is_empty()
            && name.bytes().all(is_token)
            && value.trim_ascii().len() == value.len()
            && every(value.as_bytes(), is_text);
        let Some(line) = fits.then(|| self.append(name.as_bytes(), value.as_bytes())) else {
            return;
        };
        let Self { text, lines, .. } = self;
        let is_other = |found: &Line| !is_called(found.name.in_text(text), name);
        let place = lines.iter().position(|found| !is_other(found));
        lines.retain(is_other);
        let place = place.unwrap_or(lines.len());
        if let Some(line) = line {
            lines.insert(place, line);
        }
    }

    /// Leaves out all lines of this name.
    pub fn remove(&mut self, name: &str) {
        let Self { text, lines, .. } = self;
        lines.retain(|found| !is_called(found.name.in_text(text), name));
    }

    /// Each line's name and value, without the white space around the value.
    ///
    /// A name is made of token characters, all ASCII.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let of = |line: &Line| {
            (
                line.name.in_text(&self.text),
                line.value.in_text(&self.text),
            )
        };
        self.lines.iter().map(of)
    }

    /// Whether this value of one of the lines has only visible characters of ASCII, and spaces.
    #[must_use]
    pub fn is_plain(&self, value: &[u8]) -> bool {
        !self.may_be_odd || every(value, is_ordinary)
    }

    /// The values of all lines of this name.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        let mark = mark(name.as_bytes());
        let alike = self.lines.iter().filter(move |line| line.mark == mark);
        alike
            .filter(move |line| is_called(line.name.in_text(&self.text), name))
            .map(|line| line.value.in_text(&self.text))
    }

    /// The value of the first line of this name.
    #[must_use]
    pub fn first<'a>(&'a self, name: &'a str) -> Option<&'a [u8]> {
        self.all(name).next()
    }

    /// Whether a line of this name lists `token`, between commas and without regard to case.
    #[must_use]
    pub fn lists(&self, name: &str, token: &str) -> bool {
        self.all(name)
            .flat_map(|value| value.split(|byte| *byte == b','))
            .any(|item| item.trim_ascii().eq_ignore_ascii_case(token.as_bytes()))
    }
}

/// Length and first letter of a name, in which most names differ; equal for those that are equal but for case.
#[inline]
fn mark(name: &[u8]) -> u16 {
    let first = name.first().copied().unwrap_or_default() | 0x20;
    let [length, ..] = name.len().to_le_bytes();
    u16::from_le_bytes([length, first])
}

fn is_called(found: &[u8], name: &str) -> bool {
    found.eq_ignore_ascii_case(name.as_bytes())
}

const USUAL_LINES: usize = 12;
/// Room that may be kept for as long as an answer takes, in bytes.
const LITTLE: usize = 512;
/// In bytes; what lists tokens is far shorter.
const LONGEST_KEPT: usize = 256;

/// Whether there is no byte that no header line has, and no carriage return without its line feed, which ends a line for
/// some readers (RFC 9112, section 2.2). All bytes at once, which is faster than to stop at the first that is none.
fn is_made_of_lines(text: &[u8]) -> bool {
    let next = text.iter().skip(1);
    let is_fit = |are: bool, (byte, next): (&u8, &u8)| {
        are & (is_text(*byte) | (*byte == b'\n') | ((*byte == b'\r') & (*next == b'\n')))
    };
    text.last() == Some(&b'\n') && text.iter().zip(next).fold(true, is_fit)
}

/// Where name and value stand in a line that begins at `begin` (RFC 9112, section 5); no line is folded and no space stands
/// before the colon. What bytes a value has was looked at before.
fn split(line: &[u8], begin: usize) -> Option<Line> {
    // A name is short, and the colon is the first byte that is not of it.
    let colon = line.iter().position(|byte| !is_token(*byte))?;
    let value = line.get(colon + 1..)?;
    if colon == 0 || line.get(colon) != Some(&b':') {
        return None;
    }
    let is_space = |byte: &u8| matches!(byte, b' ' | b'\t');
    let before = value.iter().take_while(|byte| is_space(byte)).count();
    let kept = value.get(before..)?;
    let after = kept.iter().rev().take_while(|byte| is_space(byte)).count();
    let start = begin + colon + 1 + before;
    Some(Line {
        mark: mark(line.get(..colon)?),
        name: Span::of(begin, begin + colon)?,
        value: Span::of(start, start + kept.len() - after)?,
    })
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

/// Of what a head may have, nothing but visible characters of ASCII, spaces and ends of lines.
fn is_ordinary(byte: u8) -> bool {
    byte.is_ascii() & (byte != b'\t')
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
