//! An answer that is an object, of which one list is long: its other members whole, and that list element by element.

use super::{ElementFault, Elements, Form, Text};
use crate::engine_api::json;

/// Takes the bytes of one answer apart; it reads no JSON but keys, and each part must be parsed.
#[derive(Debug)]
pub struct Members {
    /// The key of the long list.
    list: &'static str,
    state: State,
    most_bytes: usize,
    /// The member under way, from its key on.
    member: Vec<u8>,
    keys: Vec<String>,
    elements: Elements,
}

/// A part of the object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// `"key":value`.
    Member(Vec<u8>),
    /// The long list begins.
    Begins,
    /// One element of it.
    Element(Vec<u8>),
    /// It ends.
    Ends,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Before,
    /// After the brace, where the object may also end, or after a comma, where it may not.
    Expecting {
        may_end: bool,
    },
    Key(Text),
    AfterKey,
    BeforeValue,
    /// In an array or object, so deep.
    Nested {
        depth: usize,
        text: Text,
    },
    Text(Text),
    /// In a number, `true`, `false` or `null`.
    Plain,
    List,
    After,
    Ended,
}

impl Members {
    /// Members and elements of at most `most_bytes` each.
    #[must_use]
    pub fn new(list: &'static str, most_bytes: usize) -> Self {
        Self {
            list,
            state: State::Before,
            most_bytes,
            member: Vec::new(),
            keys: Vec::new(),
            elements: Elements::new(Form::Array, most_bytes),
        }
    }

    /// Reads on, up to the end of the next part; gives how many bytes it took, and the part if it is whole.
    ///
    /// # Errors
    /// [`ElementFault`] where the bytes are of another form, or a part is too large.
    pub fn next(&mut self, input: &[u8]) -> Result<(usize, Option<Part>), ElementFault> {
        if self.state == State::List {
            return self.of_list(input);
        }
        for (at, byte) in input.iter().enumerate() {
            if let Some(part) = self.step(*byte)? {
                return Ok((at + 1, Some(part)));
            }
        }
        Ok((input.len(), None))
    }

    /// Whether the answer may end here.
    ///
    /// # Errors
    /// [`ElementFault::CutShort`] where it may not.
    pub fn end(&self) -> Result<(), ElementFault> {
        let is_whole = self.state == State::Ended;
        is_whole.then_some(()).ok_or(ElementFault::CutShort)
    }

    fn of_list(&mut self, input: &[u8]) -> Result<(usize, Option<Part>), ElementFault> {
        let (taken, element) = self.elements.next(input)?;
        let part = match element {
            Some(element) => Some(Part::Element(element)),
            None if self.elements.end().is_ok() => {
                self.state = State::After;
                Some(Part::Ends)
            }
            None => None,
        };
        Ok((taken, part))
    }

    fn step(&mut self, byte: u8) -> Result<Option<Part>, ElementFault> {
        let is_space = matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
        let is_between = matches!(
            self.state,
            State::Before
                | State::Expecting { .. }
                | State::AfterKey
                | State::BeforeValue
                | State::After
                | State::Ended
        );
        if is_space && is_between {
            return Ok(None);
        }
        match self.state {
            State::Before if byte == b'{' => self.state = State::Expecting { may_end: true },
            State::Before => return Err(ElementFault::NotAnObject),
            State::Expecting { may_end: true } if byte == b'}' => self.state = State::Ended,
            State::Expecting { .. } if byte == b'"' => self.goes(byte, State::Key(Text::Inside))?,
            State::Key(Text::Inside) if byte == b'"' => self.goes(byte, State::AfterKey)?,
            State::Key(text) => self.goes(byte, State::Key(text.after(byte)))?,
            State::AfterKey if byte == b':' => self.key()?,
            State::BeforeValue => return self.begins(byte),
            State::Nested { depth, text } => return self.nested(byte, depth, text),
            State::Text(Text::Inside) if byte == b'"' => {
                self.goes(byte, State::After)?;
                return Ok(Some(self.whole()));
            }
            State::Text(text) => self.goes(byte, State::Text(text.after(byte)))?,
            State::Plain if is_space || matches!(byte, b',' | b'}') => {
                self.state = after(byte);
                return Ok(Some(self.whole()));
            }
            State::Plain => self.goes(byte, State::Plain)?,
            State::After if matches!(byte, b',' | b'}') => self.state = after(byte),
            State::Expecting { .. } | State::AfterKey | State::After => {
                return Err(ElementFault::Between);
            }
            // The elements are read by themselves.
            State::List | State::Ended => return Err(ElementFault::After),
        }
        Ok(None)
    }

    fn goes(&mut self, byte: u8, state: State) -> Result<(), ElementFault> {
        if self.member.len() >= self.most_bytes {
            let limit = self.most_bytes;
            return Err(ElementFault::TooLarge { limit });
        }
        self.member.push(byte);
        self.state = state;
        Ok(())
    }

    fn key(&mut self) -> Result<(), ElementFault> {
        let key = json::parse(&self.member).map_err(|_| ElementFault::NotAnObject)?;
        let key = key.as_text().to_owned();
        if self.keys.contains(&key) || self.keys.len() >= MOST_MEMBERS {
            return Err(ElementFault::NotAnObject);
        }
        self.keys.push(key);
        self.goes(b':', State::BeforeValue)
    }

    fn begins(&mut self, byte: u8) -> Result<Option<Part>, ElementFault> {
        let is_list = self.keys.last().is_some_and(|key| key == self.list);
        let text = Text::Outside;
        match byte {
            b'[' if is_list => {
                self.member.clear();
                self.elements.next(b"[")?;
                self.state = State::List;
                return Ok(Some(Part::Begins));
            }
            b'{' | b'[' => self.goes(byte, State::Nested { depth: 1, text })?,
            b'"' => self.goes(byte, State::Text(Text::Inside))?,
            b',' | b']' | b'}' | b':' => return Err(ElementFault::Between),
            _ => self.goes(byte, State::Plain)?,
        }
        Ok(None)
    }

    fn nested(&mut self, byte: u8, depth: usize, text: Text) -> Result<Option<Part>, ElementFault> {
        let depth = match (text, byte) {
            (Text::Outside, b'{' | b'[') => depth + 1,
            (Text::Outside, b'}' | b']') => depth.saturating_sub(1),
            (Text::Outside | Text::Inside | Text::Escaped, _) => depth,
        };
        let text = text.after(byte);
        if depth == 0 {
            self.goes(byte, State::After)?;
            return Ok(Some(self.whole()));
        }
        self.goes(byte, State::Nested { depth, text })?;
        Ok(None)
    }

    fn whole(&mut self) -> Part {
        Part::Member(std::mem::take(&mut self.member))
    }
}

/// What follows a member.
fn after(byte: u8) -> State {
    match byte {
        b',' => State::Expecting { may_end: false },
        b'}' => State::Ended,
        _ => State::After,
    }
}

/// Members of one object.
const MOST_MEMBERS: usize = 64;

#[cfg(test)]
mod tests;
