//! Texts and keys: what stands for itself is left where it stands, and escapes are decoded once.

use std::borrow::Cow;

use memchr::memchr2;

use super::super::Text;
use super::{Fault, Tokens};

impl<'a> Tokens<'a> {
    /// The text that stands here, behind its `"`.
    pub(in crate::engine_api) fn text(&mut self) -> Result<Cow<'a, str>, Fault> {
        self.at += 1;
        let plain = self.plain();
        if self.rest().first() != Some(&b'"') {
            return self.escaped(plain.to_owned()).map(Cow::Owned);
        }
        self.at += 1;
        Ok(Cow::Borrowed(plain))
    }

    /// The text that stands here, behind its `"`, to be kept.
    pub(in crate::engine_api) fn kept_text(&mut self) -> Result<Text, Fault> {
        let start = self.at + 1;
        let text = self.text()?;
        Ok(self.kept(text, start))
    }

    /// The key that stands here, to be kept.
    pub(in crate::engine_api) fn kept_key(&mut self) -> Result<Text, Fault> {
        let start = self.at + 1;
        let key = self.key()?;
        Ok(self.kept(key, start))
    }

    fn kept(&self, text: Cow<'a, str>, start: usize) -> Text {
        match (text, &self.lasting) {
            (Cow::Borrowed(text), Some(of)) if !text.is_empty() => {
                Text::part(of, start, start + text.len())
            }
            (text, _) => text.into(),
        }
    }

    /// What follows of the text up to its end, or to a byte that does not stand for itself in it.
    #[inline]
    fn plain(&mut self) -> &'a str {
        let (start, rest) = (self.at, self.rest());
        let mut length = memchr2(b'"', b'\\', rest).unwrap_or(rest.len());
        let before = rest.get(..length).unwrap_or_default();
        if self.has_controls && has_controls(before) {
            let mut before = before.iter();
            length = before.position(|byte| *byte < b' ').unwrap_or(length);
        }
        self.at += length;
        // INVARIANT: both ends stand before an ASCII character, or at an end of the whole.
        self.text.get(start..self.at).unwrap_or_default()
    }

    /// The text whose beginning is `text` and in which an escape follows.
    #[cold]
    fn escaped(&mut self, mut text: String) -> Result<String, Fault> {
        loop {
            match self.rest() {
                [b'"', ..] => {
                    self.at += 1;
                    return Ok(text);
                }
                [b'\\', b'u', ..] => {
                    self.at += 2;
                    text.push(self.code_point()?);
                }
                [b'\\', escape, ..] => {
                    let escape = unescaped(*escape);
                    text.push(escape.ok_or_else(|| self.fault("an unknown escape"))?);
                    self.at += 2;
                }
                [] | [b'\\'] => return Err(self.fault("a text without an end")),
                [_, ..] => return Err(self.fault("a control character")),
            }
            text.push_str(self.plain());
        }
    }

    /// What four hexadecimal digits stand for, and four more where those are half a character.
    fn code_point(&mut self) -> Result<char, Fault> {
        let first = self.unit()?;
        let second = if (0xd800..0xdc00).contains(&first) && self.rest().starts_with(b"\\u") {
            self.at += 2;
            Some(self.unit()?)
        } else {
            None
        };
        let mut characters = char::decode_utf16([first].into_iter().chain(second));
        match (characters.next(), characters.next()) {
            (Some(Ok(character)), None) => Ok(character),
            _ => Err(self.fault("half a character")),
        }
    }

    fn unit(&mut self) -> Result<u16, Fault> {
        let digits = self.rest().first_chunk::<4>();
        let unit = digits.and_then(|digits| {
            let digit = |unit: u16, byte: &u8| {
                let digit = char::from(*byte).to_digit(16)?;
                Some(unit << 4 | u16::try_from(digit).ok()?)
            };
            digits.iter().try_fold(0, digit)
        });
        let unit = unit.ok_or_else(|| self.fault("no four hexadecimal digits"))?;
        self.at += 4;
        Ok(unit)
    }
}

/// To look for the least of all bytes is faster than to look for the first of these.
pub(super) fn has_controls(bytes: &[u8]) -> bool {
    bytes
        .iter()
        .copied()
        .min()
        .is_some_and(|least| least < b' ')
}

fn unescaped(escape: u8) -> Option<char> {
    Some(match escape {
        b'"' => '"',
        b'\\' => '\\',
        b'/' => '/',
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        _ => return None,
    })
}
