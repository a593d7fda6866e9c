//! The tokens of a JSON text (RFC 8259), one after the other, left where they stand.

mod texts;

use std::borrow::Cow;
use std::sync::Arc;

use super::super::Malformed;
use super::{MAX_DEPTH, Number, Text};

/// A text that is read from its beginning to its end.
#[derive(Debug)]
pub(in crate::engine_api) struct Tokens<'a> {
    text: &'a str,
    at: usize,
    /// Lists and objects that are open.
    depth: usize,
    /// Whether the one that was opened last holds nothing yet.
    is_fresh: bool,
    /// Whether there are control characters, such as ends of lines, before what is white space at the end.
    has_controls: bool,
    /// The text, where what is read is to last.
    lasting: Option<Arc<str>>,
    /// Items and members that may still come.
    left: usize,
}

/// A value, or its beginning.
#[derive(Debug)]
pub(in crate::engine_api) enum Token<'a> {
    Null,
    Bool(bool),
    Number(Number),
    Text(Cow<'a, str>),
    /// Its items follow, see [`Tokens::item`].
    List,
    /// Its members follow, see [`Tokens::key`].
    Object,
}

/// What is wrong, and after how many bytes.
#[derive(Debug)]
pub(in crate::engine_api) struct Fault {
    what: &'static str,
    at: usize,
}

impl From<Fault> for Malformed {
    fn from(fault: Fault) -> Self {
        Self::Json(format!("{} after {} bytes", fault.what, fault.at))
    }
}

impl From<Fault> for Box<Malformed> {
    fn from(fault: Fault) -> Self {
        Self::new(fault.into())
    }
}

impl<'a> Tokens<'a> {
    /// Refuses a byte-order mark and invalid UTF-8.
    pub(in crate::engine_api) fn of(bytes: &'a [u8]) -> Result<Self, Malformed> {
        if bytes.starts_with(b"\xef\xbb\xbf") {
            let cause = "a byte-order mark before the value".to_owned();
            return Err(Malformed::Json(cause));
        }
        let text = std::str::from_utf8(bytes).map_err(|error| {
            Malformed::Json(format!("invalid UTF-8 after {} bytes", error.valid_up_to()))
        })?;
        Ok(Self {
            text,
            at: 0,
            depth: 0,
            is_fresh: false,
            has_controls: texts::has_controls(bytes.trim_ascii_end()),
            lasting: None,
            left: usize::MAX,
        })
    }

    /// Gives texts that are parts of the whole, without a copy of each.
    pub(in crate::engine_api) fn lasting(mut self) -> Self {
        self.lasting = Some(Arc::from(self.text));
        self
    }

    /// Takes no more items of lists and members of objects than this.
    pub(in crate::engine_api) fn holding(mut self, most: usize) -> Self {
        self.left = most;
        self
    }

    /// Whether there were more of them.
    pub(in crate::engine_api) fn holds_too_many(&self) -> bool {
        self.left == 0
    }

    /// Lists and objects that are open.
    pub(in crate::engine_api) fn depth(&self) -> usize {
        self.depth
    }

    /// The value that stands here; what is opened is gone through before the next.
    pub(in crate::engine_api) fn value(&mut self) -> Result<Token<'a>, Fault> {
        Ok(match self.peek() {
            Some(b'"') => Token::Text(self.text()?),
            Some(b'n') => self.null().map(|()| Token::Null)?,
            Some(b't' | b'f') => Token::Bool(self.bool()?),
            Some(b'-' | b'0'..=b'9') => Token::Number(self.number()?),
            Some(b'{') => self.open().map(|()| Token::Object)?,
            Some(b'[') => self.open().map(|()| Token::List)?,
            Some(_) | None => return Err(self.fault("no value")),
        })
    }

    /// Whether another item of the list follows; its end is passed over.
    pub(in crate::engine_api) fn item(&mut self) -> Result<bool, Fault> {
        match self.peek() {
            Some(b']') => return Ok(self.close()),
            Some(_) if self.is_fresh => {}
            Some(b',') => self.at += 1,
            Some(_) | None => return Err(self.fault("neither `,` nor `]`")),
        }
        self.count()?;
        self.is_fresh = false;
        Ok(true)
    }

    /// Whether another member of the object follows, by its key; its end is passed over.
    pub(in crate::engine_api) fn member(&mut self) -> Result<bool, Fault> {
        match self.peek() {
            Some(b'}') => return Ok(self.close()),
            Some(_) if self.is_fresh => {}
            Some(b',') => self.at += 1,
            Some(_) | None => return Err(self.fault("neither `,` nor `}`")),
        }
        self.count()?;
        self.is_fresh = false;
        if self.peek() != Some(b'"') {
            return Err(self.fault("no key"));
        }
        Ok(true)
    }

    /// The key that stands here, whose value follows.
    pub(in crate::engine_api) fn key(&mut self) -> Result<Cow<'a, str>, Fault> {
        let key = self.text()?;
        if self.peek() != Some(b':') {
            return Err(self.fault("no `:`"));
        }
        self.at += 1;
        Ok(key)
    }

    /// What follows the `"` of the key of the object's next member, where that is written as most write it: with a space
    /// before it or none.
    #[inline]
    pub(in crate::engine_api) fn key_ahead(&self) -> Option<&'a [u8]> {
        match (self.rest(), self.is_fresh) {
            ([b',', b' ', b'"', key @ ..], false) | ([b',', b'"', key @ ..], false) => Some(key),
            ([b' ', b'"', key @ ..], true) | ([b'"', key @ ..], true) => Some(key),
            _ => None,
        }
    }

    /// Passes over that key, which begins what is `ahead`, of so many bytes and with its colon; gives where its `"` stands.
    #[inline]
    pub(in crate::engine_api) fn pass_key(&mut self, ahead: &[u8], length: usize) -> usize {
        let start = self.text.len() - ahead.len() - "\"".len();
        self.at = start + length + "\"\":".len();
        self.is_fresh = false;
        start
    }

    /// How many bytes are behind.
    pub(in crate::engine_api) fn position(&self) -> usize {
        self.at
    }

    /// What stands between these bytes, without a copy where texts are to last; the caller has passed over it.
    pub(in crate::engine_api) fn part(&self, from: usize, to: usize) -> Text {
        match &self.lasting {
            Some(of) => Text::part(of, from, to),
            None => self.text.get(from..to).unwrap_or_default().into(),
        }
    }

    /// What follows, after a space that may stand before it.
    pub(in crate::engine_api) fn ahead(&mut self) -> &'a [u8] {
        let rest = self.rest();
        match rest {
            [b' ', after @ ..] => {
                self.at += 1;
                after
            }
            _ => rest,
        }
    }

    /// Passes over a value that has been recognized by its bytes.
    pub(in crate::engine_api) fn pass(&mut self, bytes: usize) {
        self.at += bytes;
    }

    /// The `null` that stands here.
    pub(in crate::engine_api) fn null(&mut self) -> Result<(), Fault> {
        self.word("null")
    }

    /// The `true` or `false` that stands here.
    pub(in crate::engine_api) fn bool(&mut self) -> Result<bool, Fault> {
        if self.rest().starts_with(b"t") {
            self.word("true").map(|()| true)
        } else {
            self.word("false").map(|()| false)
        }
    }

    /// Refuses all but white space after the value.
    pub(in crate::engine_api) fn end(&mut self) -> Result<(), Fault> {
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(self.fault("more than one value")),
        }
    }

    /// The next byte that is no white space, and stays.
    pub(in crate::engine_api) fn peek(&mut self) -> Option<u8> {
        loop {
            match self.text.as_bytes().get(self.at) {
                Some(b' ' | b'\t' | b'\n' | b'\r') => self.at += 1,
                byte => return byte.copied(),
            }
        }
    }

    fn rest(&self) -> &'a [u8] {
        self.text.as_bytes().get(self.at..).unwrap_or_default()
    }

    #[cold]
    fn count(&mut self) -> Result<(), Fault> {
        self.left = self.left.saturating_sub(1);
        if self.left == 0 {
            return Err(self.fault("too many values"));
        }
        Ok(())
    }

    fn fault(&self, what: &'static str) -> Fault {
        Fault { what, at: self.at }
    }

    /// Opens the list or object that stands here.
    pub(in crate::engine_api) fn open(&mut self) -> Result<(), Fault> {
        if self.depth >= MAX_DEPTH {
            return Err(self.fault("nesting over 64"));
        }
        self.at += 1;
        self.depth += 1;
        self.is_fresh = true;
        Ok(())
    }

    /// Nothing follows in it.
    fn close(&mut self) -> bool {
        self.at += 1;
        self.depth = self.depth.saturating_sub(1);
        self.is_fresh = false;
        false
    }

    fn word(&mut self, word: &str) -> Result<(), Fault> {
        if !self.rest().starts_with(word.as_bytes()) {
            return Err(self.fault("no value"));
        }
        self.at += word.len();
        Ok(())
    }

    /// The number that stands here.
    pub(in crate::engine_api) fn number(&mut self) -> Result<Number, Fault> {
        let start = self.at;
        self.at += usize::from(self.rest().starts_with(b"-"));
        let is_zero = self.rest().starts_with(b"0");
        if self.digits()? > 1 && is_zero {
            return Err(self.fault("a number that begins with a zero"));
        }
        if self.rest().starts_with(b".") {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.rest().first(), Some(b'e' | b'E')) {
            self.at += 1;
            self.at += usize::from(matches!(self.rest().first(), Some(b'+' | b'-')));
            self.digits()?;
        }
        let written = self.text.get(start..self.at).unwrap_or_default();
        Number::read(written).ok_or_else(|| self.fault("a number out of range"))
    }

    /// Passes over one digit or more, and counts them.
    fn digits(&mut self) -> Result<usize, Fault> {
        let digits = self.rest().iter();
        let count = digits.take_while(|byte| byte.is_ascii_digit()).count();
        if count == 0 {
            return Err(self.fault("no digit"));
        }
        self.at += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests;
