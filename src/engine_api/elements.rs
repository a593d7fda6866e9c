//! Where the elements of a long answer end, found as its bytes come: of an array, or of objects in a row.

mod members;

pub use members::{Members, Part};

/// Takes the bytes of one answer apart; it reads no JSON but finds where each element ends, and each must be parsed.
#[derive(Debug)]
pub struct Elements {
    form: Form,
    state: State,
    most_bytes: usize,
    element: Vec<u8>,
}

/// What the elements stand in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// One array, or `null`, which the daemon writes for an empty one.
    Array,
    /// Objects with white space between them.
    Row,
}

/// Why an answer cannot be taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ElementFault {
    #[error("it is no array")]
    NotAnArray,
    #[error("it is no row of objects")]
    NotARow,
    #[error("it is no object, or one of its keys stands twice")]
    NotAnObject,
    #[error("its elements are not apart from one another")]
    Between,
    #[error("bytes after its end")]
    After,
    #[error("it ends within an element")]
    CutShort,
    #[error("an element is larger than {limit} bytes")]
    TooLarge { limit: usize },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Nothing of the answer has come.
    Before,
    /// After the bracket, where the array may also end, or after a comma, where it may not.
    Expecting {
        may_end: bool,
    },
    /// In an array or object, so deep.
    Nested {
        depth: usize,
        text: Text,
    },
    /// In a text that is an element itself.
    Text(Text),
    /// In a number, `true`, `false` or `null`.
    Plain,
    /// In the `null` that stands for an array.
    NoArray,
    /// After an element of an array.
    After,
    Ended,
}

/// Whether the bytes stand in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Text {
    Outside,
    Inside,
    /// After a backslash.
    Escaped,
}

impl Elements {
    /// Elements of at most `most_bytes` each.
    #[must_use]
    pub fn new(form: Form, most_bytes: usize) -> Self {
        Self {
            form,
            state: State::Before,
            most_bytes,
            element: Vec::new(),
        }
    }

    /// Reads on, up to the end of the next element; gives how many bytes it took, and the element if it is whole.
    ///
    /// # Errors
    /// [`ElementFault`] where the bytes are of another form, or an element is too large.
    pub fn next(&mut self, input: &[u8]) -> Result<(usize, Option<Vec<u8>>), ElementFault> {
        let mut start = 0;
        for (at, byte) in input.iter().enumerate() {
            let was_between = !self.state.is_element();
            let step = self.step(*byte)?;
            if was_between {
                start = at;
            }
            match step {
                // What follows the array may be of something else.
                Step::Goes if *byte == b']' && self.state == State::Ended => {
                    return Ok((at + 1, None));
                }
                Step::Goes => {}
                Step::EndsBefore => {
                    self.take(input.get(start..at).unwrap_or_default())?;
                    return Ok((at, Some(std::mem::take(&mut self.element))));
                }
                Step::EndsWith => {
                    self.take(input.get(start..=at).unwrap_or_default())?;
                    return Ok((at + 1, Some(std::mem::take(&mut self.element))));
                }
            }
        }
        if self.state.is_element() {
            self.take(input.get(start..).unwrap_or_default())?;
        }
        Ok((input.len(), None))
    }

    /// Whether the answer may end here.
    ///
    /// # Errors
    /// [`ElementFault::CutShort`] where it may not.
    pub fn end(&self) -> Result<(), ElementFault> {
        let is_whole = match self.form {
            Form::Array => match self.state {
                State::Ended => true,
                State::NoArray => self.element == b"null",
                State::Before
                | State::Expecting { .. }
                | State::Nested { .. }
                | State::Text(_)
                | State::Plain
                | State::After => false,
            },
            Form::Row => self.state == State::Before,
        };
        is_whole.then_some(()).ok_or(ElementFault::CutShort)
    }

    /// Whether the answer is `null` in place of an array.
    #[must_use]
    pub fn is_null(&self) -> bool {
        self.form == Form::Array && self.element == b"null"
    }

    fn take(&mut self, bytes: &[u8]) -> Result<(), ElementFault> {
        if self.element.len() + bytes.len() > self.most_bytes {
            let limit = self.most_bytes;
            return Err(ElementFault::TooLarge { limit });
        }
        self.element.extend_from_slice(bytes);
        Ok(())
    }

    fn step(&mut self, byte: u8) -> Result<Step, ElementFault> {
        let is_space = matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
        let mut step = Step::Goes;
        self.state = match (self.state, byte) {
            (State::Before | State::Expecting { .. } | State::After | State::Ended, _)
                if is_space =>
            {
                self.state
            }
            (State::Before, _) => self.first(byte)?,
            (State::Expecting { may_end: true }, b']') => State::Ended,
            (State::Expecting { .. }, _) => beginning(byte)?,
            (
                State::Nested {
                    depth: 1,
                    text: Text::Outside,
                },
                b'}' | b']',
            ) => {
                step = Step::EndsWith;
                self.after()
            }
            (State::Nested { depth, text }, _) => {
                let text_after = text.after(byte);
                let depth = match (text, byte) {
                    (Text::Outside, b'{' | b'[') => depth + 1,
                    (Text::Outside, b'}' | b']') => depth.saturating_sub(1),
                    (Text::Outside | Text::Inside | Text::Escaped, _) => depth,
                };
                let text = text_after;
                State::Nested { depth, text }
            }
            (State::Text(Text::Inside), b'"') => {
                step = Step::EndsWith;
                self.after()
            }
            (State::Text(text), _) => State::Text(text.after(byte)),
            (State::Plain, b',' | b']') => {
                step = Step::EndsBefore;
                self.after()
            }
            (State::Plain, _) if is_space => {
                step = Step::EndsBefore;
                self.after()
            }
            (State::Plain, _) => State::Plain,
            (State::NoArray, _) => {
                self.null(byte)?;
                State::NoArray
            }
            (State::After, b',') => State::Expecting { may_end: false },
            (State::After, b']') => State::Ended,
            (State::After, _) => return Err(ElementFault::Between),
            (State::Ended, _) => return Err(ElementFault::After),
        };
        Ok(step)
    }

    fn first(&mut self, byte: u8) -> Result<State, ElementFault> {
        match (self.form, byte) {
            (Form::Array, b'[') => Ok(State::Expecting { may_end: true }),
            (Form::Array, b'n') => {
                self.null(byte)?;
                Ok(State::NoArray)
            }
            (Form::Array, _) => Err(ElementFault::NotAnArray),
            (Form::Row, b'{') => beginning(byte),
            (Form::Row, _) => Err(ElementFault::NotARow),
        }
    }

    /// Collects the word, and white space after it.
    fn null(&mut self, byte: u8) -> Result<(), ElementFault> {
        let is_space = matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
        if is_space && self.element == b"null" {
            return Ok(());
        }
        self.element.push(byte);
        if b"null".starts_with(&self.element) {
            Ok(())
        } else {
            Err(ElementFault::NotAnArray)
        }
    }

    fn after(&self) -> State {
        match self.form {
            Form::Array => State::After,
            Form::Row => State::Before,
        }
    }
}

impl State {
    fn is_element(self) -> bool {
        matches!(self, Self::Nested { .. } | Self::Text(_) | Self::Plain)
    }
}

impl Text {
    fn after(self, byte: u8) -> Self {
        match (self, byte) {
            (Self::Outside, b'"') | (Self::Escaped, _) => Self::Inside,
            (Self::Inside, b'\\') => Self::Escaped,
            (Self::Inside, b'"') => Self::Outside,
            (Self::Outside | Self::Inside, _) => self,
        }
    }
}

/// What a byte does to the element under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Goes,
    /// The byte is its last.
    EndsWith,
    /// The byte is none of it any more, and is read again.
    EndsBefore,
}

fn beginning(byte: u8) -> Result<State, ElementFault> {
    match byte {
        b'{' | b'[' => Ok(State::Nested {
            depth: 1,
            text: Text::Outside,
        }),
        b'"' => Ok(State::Text(Text::Inside)),
        b',' | b']' | b'}' | b':' => Err(ElementFault::Between),
        _ => Ok(State::Plain),
    }
}

#[cfg(test)]
mod tests;
