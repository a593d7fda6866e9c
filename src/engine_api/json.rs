//! JSON as the daemon reads it, or refused: the only reader of bodies in the gate.

mod number;
pub(super) mod reader;
mod repeated;
mod text;
pub(super) mod tokens;

use std::borrow::Cow;
use std::fmt;
use std::mem;
use std::ops::Deref;
use std::slice;

use super::Malformed;
use super::key::Key;
pub use number::Number;
pub use text::Text;
use tokens::{Token, Tokens};

/// Deepest nesting of arrays and objects that is read.
pub const MAX_DEPTH: usize = 64;

/// A JSON value in the order it was sent, without repeated keys; `K` are its keys, `T` its texts.
#[derive(Debug, Clone)]
pub enum Json<K, T> {
    Null,
    Bool(bool),
    Number(Number),
    Text(T),
    List(Vec<Self>),
    Object(Vec<(K, Self)>),
}

/// The key of a member, or what stands for some members that nobody has asked for yet.
pub trait MemberKey<T>: Deref<Target = str> + Sized {
    /// The members that it stands for; `None` where it is a key.
    fn stands_for(&self) -> Option<&[(Self, Json<Self, T>)]> {
        None
    }

    /// Whether a member of this name may be among those; `false` is certain.
    fn may_stand_for(&self, _name: &str) -> bool {
        false
    }
}

impl<T> MemberKey<T> for Cow<'_, str> {}

/// A value on its own.
pub type Value = Json<Key, Text>;

/// A value as it was read, whose keys and texts are still those of the bytes.
pub type Raw<'a> = Json<Cow<'a, str>, Cow<'a, str>>;

/// Reads one JSON value and nothing after it but white space, see [`read`].
pub fn parse(bytes: &[u8]) -> Result<Value, Malformed> {
    read(bytes).map(Value::from)
}

/// Reads one JSON value and nothing after it but white space.
///
/// The daemon's reader (Go's `encoding/json`) lets a repeated key count again and tolerates bytes after the value
/// (moby: daemon/server/httputils/httputils.go, `ReadJSON`), so both are refused, and so are a byte-order mark,
/// invalid UTF-8 and nesting over [`MAX_DEPTH`].
pub fn read(bytes: &[u8]) -> Result<Raw<'_>, Malformed> {
    let mut tokens = Tokens::of(bytes)?;
    let value = reader::value(&mut tokens)?;
    tokens.end()?;
    Ok(value)
}

/// Likewise an object, whose members `member` reads by their keys.
pub(super) fn read_members<'a>(
    bytes: &'a [u8],
    mut member: impl FnMut(&str, &mut Tokens<'a>) -> Result<Raw<'a>, Malformed>,
) -> Result<Raw<'a>, Malformed> {
    let mut tokens = Tokens::of(bytes)?;
    let value = match tokens.value()? {
        Token::Object => reader::object(&mut tokens, |key, tokens| member(key, tokens))?,
        token
        @ (Token::Null | Token::Bool(_) | Token::Number(_) | Token::Text(_) | Token::List) => {
            reader::value_of(token, &mut tokens)?
        }
    };
    tokens.end()?;
    Ok(value)
}

impl From<Raw<'_>> for Value {
    fn from(raw: Raw<'_>) -> Self {
        match raw {
            Raw::Null => Self::Null,
            Raw::Bool(value) => Self::Bool(value),
            Raw::Number(number) => Self::Number(number),
            Raw::Text(text) => Self::Text(text.into()),
            Raw::List(items) => Self::List(items.into_iter().map(Self::from).collect()),
            Raw::Object(members) => {
                let owned =
                    |(key, value): (Cow<'_, str>, Raw<'_>)| (Key::from(key), Self::from(value));
                Self::Object(members.into_iter().map(owned).collect())
            }
        }
    }
}

impl<K: MemberKey<T>, T: Deref<Target = str>> Json<K, T> {
    /// The member of an object, `None` where it is absent, `null`, or this is no object.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Self> {
        let Self::Object(members) = self else {
            return None;
        };
        let is_it = |(name, _): &&(K, Self)| **name == *key;
        let within = || {
            let may = |(name, _): &&(K, Self)| name.may_stand_for(key);
            let mut parts = members.iter().filter(may);
            parts.find_map(|(name, _)| name.stands_for()?.iter().find(is_it))
        };
        let found = members.iter().find(is_it).or_else(within);
        found
            .map(|(_, value)| value)
            .filter(|value| !matches!(value, Self::Null))
    }

    /// The text of this value, empty where it is no string.
    #[must_use]
    pub fn as_text(&self) -> &str {
        if let Self::Text(text) = self {
            text
        } else {
            ""
        }
    }

    /// The text member of an object, empty where it is absent.
    #[must_use]
    pub fn text(&self, key: &str) -> &str {
        self.get(key).map_or("", Self::as_text)
    }

    /// The items of a list, none where this is no list.
    #[must_use]
    pub fn items(&self) -> &[Self] {
        if let Self::List(items) = self {
            items
        } else {
            &[]
        }
    }

    /// The strings of a list, or this string alone (`strslice.StrSlice`); other items are empty strings.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        let single = matches!(self, Self::Text(_)).then(|| self.as_text());
        single
            .into_iter()
            .chain(self.items().iter().map(Self::as_text))
    }

    /// The members of an object, none where this is no object.
    pub fn members(&self) -> impl Iterator<Item = &(K, Self)> {
        self.parts().iter().flat_map(apart)
    }

    /// The members of an object, with those together that nobody has asked for yet.
    #[must_use]
    pub(super) fn parts(&self) -> &[(K, Self)] {
        if let Self::Object(members) = self {
            members
        } else {
            &[]
        }
    }

    /// Whether this is the zero value of its type in Go: `null`, `false`, `0`, `""`, `[]` or `{}`.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        match self {
            Self::Null => true,
            Self::Bool(value) => !value,
            Self::Number(number) => number.is_zero(),
            Self::Text(text) => text.is_empty(),
            Self::List(items) => items.is_empty(),
            Self::Object(members) => members.is_empty(),
        }
    }
}

/// Whether they are read as the same, whatever of them nobody has asked for yet.
impl<K: MemberKey<T> + PartialEq, T: Deref<Target = str> + PartialEq> PartialEq for Json<K, T> {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Bool(one), Self::Bool(other)) => one == other,
            (Self::Number(one), Self::Number(other)) => one == other,
            (Self::Text(one), Self::Text(other)) => one == other,
            (Self::List(one), Self::List(other)) => one == other,
            (Self::Object(_), Self::Object(_)) => self.members().eq(other.members()),
            _ => false,
        }
    }
}

fn apart<K: MemberKey<T>, T>(part: &(K, Json<K, T>)) -> &[(K, Json<K, T>)] {
    part.0.stands_for().unwrap_or_else(|| slice::from_ref(part))
}

/// The value as compact JSON, the form that is sent to the daemon.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        self.write(&mut text);
        f.write_str(&text)
    }
}

impl Value {
    /// The member of an object, to be changed; `None` where it is absent or this is no object.
    #[must_use]
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Self> {
        let Self::Object(members) = self else {
            return None;
        };
        if members.iter().any(|(name, _)| name.may_stand_for(key)) {
            let parts = mem::take(members).into_iter();
            *members = parts.flat_map(|(name, value)| name.apart(value)).collect();
        }
        members
            .iter_mut()
            .find(|(name, _)| **name == *key)
            .map(|(_, value)| value)
    }

    /// Sets the member of an object, replacing what stands there; does nothing to what is no object.
    pub fn set(&mut self, key: &str, value: Self) {
        if let Some(place) = self.get_mut(key) {
            *place = value;
        } else if let Self::Object(members) = self {
            members.push((Key::from(key), value));
        }
    }

    /// Appends it as compact JSON.
    pub fn write(&self, text: &mut String) {
        match self {
            Self::Null => text.push_str("null"),
            Self::Bool(true) => text.push_str("true"),
            Self::Bool(false) => text.push_str("false"),
            Self::Number(number) => number.write(text),
            Self::Text(value) => value.write(text),
            Self::List(items) => {
                text.push('[');
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        text.push(',');
                    }
                    item.write(text);
                }
                text.push(']');
            }
            Self::Object(members) => {
                text.push('{');
                for (index, (key, value)) in members.iter().enumerate() {
                    key.write_member(value, index == 0, text);
                }
                text.push('}');
            }
        }
    }
}

#[cfg(test)]
mod tests;
