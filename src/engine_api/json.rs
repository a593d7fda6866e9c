//! JSON as the daemon reads it, or refused: the only reader of bodies in the gate.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt::{self, Write as _};
use std::ops::Deref;

use serde::de::{self, DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde_json::Number;

use super::Malformed;
use super::key::Key;
use crate::decimal::Decimal;

/// Deepest nesting of arrays and objects that is read.
pub const MAX_DEPTH: usize = 64;

/// Room for the members of an object, before it is known how many come.
const USUAL_MEMBERS: usize = 16;

/// A JSON value in the order it was sent, without repeated keys; `K` are its keys, `T` its texts.
#[derive(Debug, Clone, PartialEq)]
pub enum Json<K, T> {
    Null,
    Bool(bool),
    Number(Number),
    Text(T),
    List(Vec<Self>),
    Object(Vec<(K, Self)>),
}

/// A value on its own.
pub type Value = Json<Key, String>;

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
    if bytes.starts_with(b"\xef\xbb\xbf") {
        return Err(Malformed::Json(
            "a byte-order mark before the value".to_owned(),
        ));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        Malformed::Json(format!("invalid UTF-8 after {} bytes", error.valid_up_to()))
    })?;
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let value = Seed { depth: 0 }
        .deserialize(&mut deserializer)
        .map_err(|error| Malformed::Json(error.to_string()))?;
    deserializer
        .end()
        .map_err(|error| Malformed::Json(error.to_string()))?;
    Ok(value)
}

impl From<Raw<'_>> for Value {
    fn from(raw: Raw<'_>) -> Self {
        match raw {
            Raw::Null => Self::Null,
            Raw::Bool(value) => Self::Bool(value),
            Raw::Number(number) => Self::Number(number),
            Raw::Text(text) => Self::Text(text.into_owned()),
            Raw::List(items) => Self::List(items.into_iter().map(Self::from).collect()),
            Raw::Object(members) => {
                let owned = |(key, value): (Cow<'_, str>, Raw<'_>)| {
                    (Key::from(key.into_owned()), Self::from(value))
                };
                Self::Object(members.into_iter().map(owned).collect())
            }
        }
    }
}

impl<K: Deref<Target = str>, T: Deref<Target = str>> Json<K, T> {
    /// The member of an object, `None` where it is absent, `null`, or this is no object.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Self> {
        let Self::Object(members) = self else {
            return None;
        };
        members
            .iter()
            .find(|(name, _)| **name == *key)
            .map(|(_, value)| value)
            .filter(|value| !matches!(value, Self::Null))
    }

    /// The member of an object, to be changed; `None` where it is absent or this is no object.
    #[must_use]
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Self> {
        let Self::Object(members) = self else {
            return None;
        };
        members
            .iter_mut()
            .find(|(name, _)| **name == *key)
            .map(|(_, value)| value)
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
    #[must_use]
    pub fn members(&self) -> &[(K, Self)] {
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
            Self::Number(number) => number.as_f64() == Some(0.0),
            Self::Text(text) => text.is_empty(),
            Self::List(items) => items.is_empty(),
            Self::Object(members) => members.is_empty(),
        }
    }
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
            Self::Number(number) => match number.as_u64() {
                Some(0) => text.push('0'),
                Some(number) => text.push_str(Decimal::of(number).as_str()),
                None => {
                    // INVARIANT: writing to a string does not fail.
                    let _ = write!(text, "{number}");
                }
            },
            Self::Text(value) => write_text(text, value),
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
                    if index > 0 {
                        text.push(',');
                    }
                    match key {
                        // INVARIANT: names in the model hold nothing that JSON escapes; a test holds that.
                        Key::Field(field) => {
                            text.push('"');
                            text.push_str(field.name);
                            text.push_str("\":");
                        }
                        Key::Data(key) => {
                            write_text(text, key);
                            text.push(':');
                        }
                    }
                    value.write(text);
                }
                text.push('}');
            }
        }
    }
}

fn write_text(text: &mut String, value: &str) {
    text.push('"');
    if !has_special(value.as_bytes()) {
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

/// RFC 8259, section 7.
fn is_escaped(byte: u8) -> bool {
    byte < b' ' || matches!(byte, b'"' | b'\\')
}

/// Whether any byte must be escaped, eight at a time.
fn has_special(bytes: &[u8]) -> bool {
    let (Some(last), (eights, _)) = (bytes.last_chunk(), bytes.as_chunks()) else {
        return bytes.iter().copied().any(is_escaped);
    };
    // The highest bit of some byte is set where one of the bytes is below the limit (Bit Twiddling Hacks, `hasless`).
    let below = |eight: u64, limit: u64| eight.wrapping_sub(ONES.wrapping_mul(limit)) & !eight;
    let found = |eight: &[u8; 8]| {
        let eight = u64::from_ne_bytes(*eight);
        let quote = eight ^ ONES.wrapping_mul(u64::from(b'"'));
        let backslash = eight ^ ONES.wrapping_mul(u64::from(b'\\'));
        (below(eight, 0x20) | below(quote, 1) | below(backslash, 1)) & HIGHEST
    };
    let all = eights
        .iter()
        .fold(found(last), |all, eight| all | found(eight));
    all != 0
}

const ONES: u64 = u64::from_ne_bytes([1; 8]);
const HIGHEST: u64 = u64::from_ne_bytes([0x80; 8]);

#[derive(Clone, Copy)]
struct Seed {
    depth: usize,
}

impl Seed {
    fn deeper<E: de::Error>(self) -> Result<Self, E> {
        if self.depth >= MAX_DEPTH {
            return Err(E::custom(format_args!("nesting over {MAX_DEPTH}")));
        }
        Ok(Self {
            depth: self.depth + 1,
        })
    }
}

impl<'de> DeserializeSeed<'de> for Seed {
    type Value = Raw<'de>;

    fn deserialize<D: de::Deserializer<'de>>(self, deserializer: D) -> Result<Raw<'de>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed {
    type Value = Raw<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Raw<'de>, E> {
        Ok(Raw::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Raw<'de>, E> {
        Ok(Raw::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Raw<'de>, E> {
        Ok(Raw::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Raw<'de>, E> {
        Ok(Raw::Number(value.into()))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Raw<'de>, E> {
        Number::from_f64(value)
            .map(Raw::Number)
            .ok_or_else(|| E::custom("a number that is not finite"))
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Raw<'de>, E> {
        Ok(Raw::Text(Cow::Borrowed(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Raw<'de>, E> {
        Ok(Raw::Text(Cow::Owned(value.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Raw<'de>, A::Error> {
        let seed = self.deeper()?;
        let mut items = Vec::new();
        while let Some(item) = sequence.next_element_seed(seed)? {
            items.push(item);
        }
        Ok(Raw::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Raw<'de>, A::Error> {
        let seed = self.deeper()?;
        let mut members: Vec<(Cow<'de, str>, Raw<'de>)> = Vec::new();
        while let Some(key) = map.next_key_seed(KeySeed)? {
            if members.capacity() == 0 {
                members.reserve(USUAL_MEMBERS);
            }
            members.push((key, map.next_value_seed(seed)?));
        }
        if let Some(key) = repeated_key(&members) {
            return Err(de::Error::custom(format_args!(
                "the key `{key}` stands twice in one object"
            )));
        }
        Ok(Raw::Object(members))
    }
}

/// Reads a key where it stands.
struct KeySeed;

impl<'de> DeserializeSeed<'de> for KeySeed {
    type Value = Cow<'de, str>;

    fn deserialize<D: de::Deserializer<'de>>(
        self,
        deserializer: D,
    ) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for KeySeed {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(value.to_owned()))
    }
}

fn repeated_key<'m>(members: &'m [(Cow<'_, str>, Raw<'_>)]) -> Option<&'m str> {
    if members.len() > MOST_MARKED {
        let mut seen = HashSet::with_capacity(members.len());
        let mut keys = members.iter().map(|(key, _)| &**key);
        return keys.find(|key| !seen.insert(*key));
    }
    // Keys of unequal marks are unequal; where marks agree, the keys before are looked through, of which there are few.
    let mut seen = [0_u64; 8];
    for (index, (key, _)) in members.iter().enumerate() {
        let mark = mark(key);
        let bit = 1 << (mark & 63);
        let word = seen.get_mut((mark >> 6 & 7) as usize)?;
        if *word & bit != 0 {
            let mut before = members.iter().take(index);
            if before.any(|(other, _)| other == key) {
                return Some(key);
            }
        }
        *word |= bit;
    }
    None
}

/// The most members of an object whose keys are told apart by marks.
const MOST_MARKED: usize = 96;

/// Nine bits that are equal for equal keys, and mostly not for others: of what keys of the Engine API differ in.
fn mark(key: &str) -> u64 {
    let bytes = key.as_bytes();
    let eight = |chunk: &[u8; 8]| u64::from_le_bytes(*chunk);
    let four = |chunk: &[u8; 4]| u64::from(u32::from_le_bytes(*chunk));
    let ends = match (bytes.first_chunk(), bytes.last_chunk()) {
        (Some(first), Some(last)) => eight(first) ^ eight(last).rotate_left(29),
        _ => match (bytes.first_chunk(), bytes.last_chunk()) {
            (Some(first), Some(last)) => four(first) ^ four(last) << 29,
            _ => bytes
                .iter()
                .fold(0, |sum, byte| sum << 8 | u64::from(*byte)),
        },
    };
    (ends ^ bytes.len() as u64).wrapping_mul(SPREAD) >> 55
}

/// 2^64 divided by the golden ratio: the upper bits of a product with it depend on all of the other factor.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

#[cfg(test)]
mod tests;
