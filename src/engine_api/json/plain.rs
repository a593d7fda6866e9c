//! JSON without escapes, fractions and exponents, as most bodies are: read in one go, or left to the general reader.
//!
//! What is read here is what the general reader would make of it, which tests compare. It gives no reasons: whatever it
//! does not take, the general reader takes or refuses.

use std::borrow::Cow;

use memchr::memchr;
use serde_json::Number;

use super::repeated::repeated_key;
use super::{HIGHEST, MAX_DEPTH, ONES, Raw, USUAL_MEMBERS, below};

/// The value that the whole text is; `None` where it must be read by the general reader.
pub(super) fn read(text: &str) -> Option<Raw<'_>> {
    if memchr(b'\\', text.as_bytes()).is_some() {
        return None;
    }
    let mut reader = Reader { text, at: 0 };
    let value = reader.value(0)?;
    reader.space();
    (reader.at == text.len()).then_some(value)
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Passes over the byte where it is the next.
    fn takes(&mut self, byte: u8) -> bool {
        let is_next = self.byte() == Some(byte);
        self.at += usize::from(is_next);
        is_next
    }

    fn space(&mut self) {
        while let Some(b' ' | b'\n' | b'\t' | b'\r') = self.byte() {
            self.at += 1;
        }
    }

    /// A value inside so many others, and the space before it.
    fn value(&mut self, depth: usize) -> Option<Raw<'a>> {
        self.space();
        match self.byte()? {
            b'"' => self.string().map(|text| Raw::Text(Cow::Borrowed(text))),
            b'{' if depth < MAX_DEPTH => self.object(depth + 1),
            b'[' if depth < MAX_DEPTH => self.list(depth + 1),
            b't' => self.word("true", Raw::Bool(true)),
            b'f' => self.word("false", Raw::Bool(false)),
            b'n' => self.word("null", Raw::Null),
            b'-' | b'0'..=b'9' => self.number(),
            _ => None,
        }
    }

    fn word(&mut self, word: &str, value: Raw<'a>) -> Option<Raw<'a>> {
        self.text.get(self.at..)?.strip_prefix(word)?;
        self.at += word.len();
        Some(value)
    }

    /// A whole number of at most 18 digits; 0 below zero is a fraction to the general reader.
    fn number(&mut self) -> Option<Raw<'a>> {
        let is_negative = self.takes(b'-');
        let start = self.at;
        let mut number = 0_i64;
        while let Some(digit @ b'0'..=b'9') = self.byte() {
            if self.at - start == MOST_DIGITS {
                return None;
            }
            number = number * 10 + i64::from(digit - b'0');
            self.at += 1;
        }
        let begins_with_zero = self.text.as_bytes().get(start) == Some(&b'0');
        let is_whole = match self.at - start {
            0 => false,
            1 => !(is_negative && begins_with_zero),
            _ => !begins_with_zero,
        };
        if !is_whole || matches!(self.byte(), Some(b'.' | b'e' | b'E')) {
            return None;
        }
        Some(Raw::Number(if is_negative {
            Number::from(-number)
        } else {
            Number::from(number.unsigned_abs())
        }))
    }

    /// The text between two quotation marks; there is no backslash anywhere.
    fn string(&mut self) -> Option<&'a str> {
        if !self.takes(b'"') {
            return None;
        }
        let start = self.at;
        let rest = self.text.as_bytes().get(start..)?;
        let (eights, _) = rest.as_chunks::<8>();
        for (index, eight) in eights.iter().enumerate() {
            let eight = u64::from_le_bytes(*eight);
            let quote = eight ^ ONES.wrapping_mul(u64::from(b'"'));
            let found = (below(eight, 0x20) | below(quote, 1)) & HIGHEST;
            // The lowest mark is a true one, and its byte the first.
            if found != 0 {
                self.at = start + index * 8 + (found.trailing_zeros() / 8) as usize;
                return self.end_of_string(start);
            }
        }
        self.at = start + eights.len() * 8;
        while !matches!(self.byte()?, b'"' | 0..=0x1f) {
            self.at += 1;
        }
        self.end_of_string(start)
    }

    fn end_of_string(&mut self, start: usize) -> Option<&'a str> {
        let text = self.text.get(start..self.at)?;
        self.takes(b'"').then_some(text)
    }

    fn list(&mut self, depth: usize) -> Option<Raw<'a>> {
        self.at += 1;
        self.space();
        let mut items = Vec::new();
        if self.takes(b']') {
            return Some(Raw::List(items));
        }
        loop {
            items.push(self.value(depth)?);
            self.space();
            if !self.takes(b',') {
                return self.takes(b']').then_some(Raw::List(items));
            }
        }
    }

    fn object(&mut self, depth: usize) -> Option<Raw<'a>> {
        self.at += 1;
        self.space();
        let mut members = Vec::new();
        if self.takes(b'}') {
            return Some(Raw::Object(members));
        }
        members.reserve(USUAL_MEMBERS);
        loop {
            self.space();
            let key = Cow::Borrowed(self.string()?);
            self.space();
            if !self.takes(b':') {
                return None;
            }
            members.push((key, self.value(depth)?));
            self.space();
            if !self.takes(b',') {
                break;
            }
        }
        let is_whole = self.takes(b'}') && repeated_key(&members).is_none();
        is_whole.then_some(Raw::Object(members))
    }
}

/// Of a number that fits into 64 bits whatever its digits are.
const MOST_DIGITS: usize = 18;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::general;
    use super::*;

    /// Whatever is taken here is what the general reader makes of it; gives whether it was taken.
    fn agrees(text: &str) -> bool {
        let Some(value) = read(text) else {
            return false;
        };
        assert_eq!(general::read(text).as_ref(), Ok(&value), "{text}");
        true
    }

    #[test]
    fn takes_what_clients_send() {
        let create = include_str!("../../../benches/create.json");
        assert!(agrees(create));
        for text in [
            "null",
            " [ ] ",
            "{}",
            "\t{ \"a\" : [1 , -2,0] }\r\n",
            "[true,false,null]",
            "\"\u{e9}\u{7f}12345678\"",
            "999999999999999999",
            "-999999999999999999",
        ] {
            assert!(agrees(text), "{text}");
        }
    }

    #[test]
    fn leaves_what_is_none_or_not_plain() {
        for text in [
            "",
            " ",
            "nul",
            "nulll",
            "true false",
            "01",
            "-0",
            "-",
            "1.0",
            "1e3",
            "1E3",
            "+1",
            ".5",
            "0x1",
            "1000000000000000000",
            "\"a",
            "a\"",
            "\"\\u0041\"",
            "\"a\nb\"",
            "\"1234567\u{1f}\"",
            "[1,]",
            "[,1]",
            "[1 2]",
            "[1",
            "]",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1,}",
            "{,}",
            "{a:1}",
            "{\"a\":1 \"b\":2}",
            "{\"a\":1",
            "{\"a\":1,\"a\":2}",
            "{1:2}",
            "[1]]",
            "'a'",
            "\u{feff}1",
            "\u{a0}1",
            "1\u{b}",
        ] {
            assert!(!agrees(text), "{text}");
        }
        let nested = |depth| "[".repeat(depth) + &"]".repeat(depth);
        assert!(agrees(&nested(MAX_DEPTH)));
        assert!(!agrees(&nested(MAX_DEPTH + 1)));
    }

    proptest! {
        #[test]
        fn a_text_of_the_letters_of_json_means_the_same(text in "[\\[\\]{},:\"a0129\\-. \\n\u{e9}tru]{0,24}") {
            agrees(&text);
        }

        #[test]
        fn a_body_with_a_byte_in_another_place_means_the_same(at in 0_usize..3400, byte in 0_u8..0x7f, removed in 0_usize..3) {
            let mut text = include_str!("../../../benches/create.json").to_owned();
            let at = at.min(text.len() - removed);
            text.replace_range(at..at + removed, &char::from(byte).to_string());
            agrees(&text);
        }
    }
}
