//! The key of a JSON object: a field of the model, or whatever it was called by who wrote it.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;

use super::json::{MemberKey, Text, Value};
use super::schema::Field;
use super::verbatim::Verbatim;

/// A key of an object.
#[derive(Debug, Clone)]
pub enum Key {
    /// A field of the schema that the object was held against, under its one name.
    Field(&'static Field),
    /// Data, or a key of an object that was held against no schema.
    Data(Text),
    /// Whole members; the value beside it says nothing.
    Verbatim(Box<Verbatim>),
}

impl Key {
    /// The key as it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Field(field) => field.name,
            Self::Data(key) => key,
            Self::Verbatim(members) => members.as_str(),
        }
    }

    /// The members that it and its value are.
    pub(super) fn apart(self, value: Value) -> Vec<(Self, Value)> {
        match self {
            Self::Field(_) | Self::Data(_) => vec![(self, value)],
            Self::Verbatim(members) => members.into_members(),
        }
    }

    /// Appends a member as JSON, after a comma where it is not the first.
    pub(super) fn write_member(&self, value: &Value, is_first: bool, text: &mut String) {
        match self {
            // INVARIANT: names in the model hold nothing that JSON escapes; a test holds that.
            Self::Field(field) => {
                text.push_str(if is_first { "\"" } else { ",\"" });
                text.push_str(field.name);
                text.push_str("\":");
                value.write(text);
            }
            Self::Data(key) => {
                if !is_first {
                    text.push(',');
                }
                key.write(text);
                text.push(':');
                value.write(text);
            }
            Self::Verbatim(members) => {
                if !is_first {
                    text.push(',');
                }
                text.push_str(members.as_str());
            }
        }
    }
}

impl MemberKey<Text> for Key {
    fn stands_for(&self) -> Option<&[(Self, Value)]> {
        match self {
            Self::Field(_) | Self::Data(_) => None,
            Self::Verbatim(members) => Some(members.members()),
        }
    }

    fn may_stand_for(&self, name: &str) -> bool {
        match self {
            Self::Field(_) | Self::Data(_) => false,
            Self::Verbatim(members) => members.may_have(name),
        }
    }
}

impl Deref for Key {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Key {}

impl PartialEq<str> for Key {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl From<String> for Key {
    fn from(key: String) -> Self {
        Self::Data(key.into())
    }
}

impl From<Cow<'_, str>> for Key {
    fn from(key: Cow<'_, str>) -> Self {
        Self::Data(key.into())
    }
}

impl From<&str> for Key {
    fn from(key: &str) -> Self {
        Self::Data(key.into())
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::super::schema::{Inner, MOST_FIELDS, MOST_PARTS, Shape};
    use super::super::{Operation, body_of};

    fn check(shape: Shape) {
        match shape.inner() {
            Inner::Fields(schema) => {
                let mut names = HashSet::new();
                for field in schema.fields() {
                    let mut written = [Some(field.name), field.spelling].into_iter().flatten();
                    assert!(written.all(|name| names.insert(name)), "{}", field.name);
                }
                let parts = schema.parts;
                assert!(
                    parts.len() <= MOST_PARTS && parts.iter().all(|part| part.len() <= MOST_FIELDS)
                );
                for field in schema.fields() {
                    let is_plain =
                        |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
                    assert!(field.name.bytes().all(is_plain), "{}", field.name);
                    check(field.shape);
                }
            }
            Inner::Items(shape) | Inner::Values(shape) => check(shape),
            Inner::Nothing => {}
        }
    }

    #[test]
    fn names_in_the_model_stand_once_in_each_object_and_hold_nothing_that_json_escapes() {
        let shapes: Vec<_> = Operation::all().filter_map(body_of).collect();
        assert!(shapes.len() > 20);
        shapes.into_iter().for_each(check);
    }
}
