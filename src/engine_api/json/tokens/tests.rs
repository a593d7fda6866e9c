//! The reader of JSON is held against `serde_json`: both take the same texts, and find the same in them.

use std::fmt;

use proptest::prelude::*;
use serde::de::{self, DeserializeSeed, MapAccess, SeqAccess, Visitor};

use super::super::{MAX_DEPTH, Value, parse};

/// What `serde_json` makes of a text, with the rules of the gate's own over it.
#[derive(Debug, PartialEq)]
enum Second {
    Null,
    Bool(bool),
    Whole(i64),
    Number(f64),
    Text(String),
    List(Vec<Self>),
    Object(Vec<(String, Self)>),
}

fn second(text: &[u8]) -> Result<Second, serde_json::Error> {
    let mut reader = serde_json::Deserializer::from_slice(text);
    let value = Seed { depth: 0 }.deserialize(&mut reader)?;
    reader.end()?;
    Ok(value)
}

#[derive(Clone, Copy)]
struct Seed {
    depth: usize,
}

impl Seed {
    fn deeper<E: de::Error>(self) -> Result<Self, E> {
        let depth = self.depth + 1;
        (depth <= MAX_DEPTH)
            .then_some(Self { depth })
            .ok_or_else(|| E::custom("nesting"))
    }
}

impl<'de> DeserializeSeed<'de> for Seed {
    type Value = Second;

    fn deserialize<D: de::Deserializer<'de>>(self, reader: D) -> Result<Second, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed {
    type Value = Second;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Second, E> {
        Ok(Second::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Second, E> {
        Ok(Second::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Second, E> {
        Ok(Second::Whole(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Second, E> {
        Ok(i64::try_from(value).map_or(Second::Number(value as f64), Second::Whole))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Second, E> {
        Ok(Second::Number(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Second, E> {
        Ok(Second::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Second, A::Error> {
        let seed = self.deeper()?;
        let mut items = Vec::new();
        while let Some(item) = sequence.next_element_seed(seed)? {
            items.push(item);
        }
        Ok(Second::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Second, A::Error> {
        let seed = self.deeper()?;
        let mut members: Vec<(String, Second)> = Vec::new();
        while let Some(key) = map.next_key::<String>()? {
            let value = map.next_value_seed(seed)?;
            if members.iter().any(|(other, _)| *other == key) {
                return Err(de::Error::custom("a key stands twice"));
            }
            members.push((key, value));
        }
        Ok(Second::Object(members))
    }
}

fn agree(value: &Value, second: &Second) -> bool {
    match (value, second) {
        (Value::Null, Second::Null) => true,
        (Value::Bool(one), Second::Bool(other)) => one == other,
        (Value::Number(one), Second::Whole(other)) => one.as_i64() == Some(*other),
        (Value::Number(one), Second::Number(other)) => {
            let read: f64 = value.to_string().parse().unwrap();
            // The second reader does not round as exactly.
            let is_near = (read - other).abs() <= other.abs() * 1e-14 || read.abs() < 1e-300;
            one.as_i64().is_none() && is_near
        }
        (Value::Text(one), Second::Text(other)) => **one == **other,
        (Value::List(one), Second::List(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| agree(one, other))
        }
        (Value::Object(one), Second::Object(other)) => {
            let mut both = one.iter().zip(other);
            one.len() == other.len()
                && both.all(|((key, one), (name, other))| **key == **name && agree(one, other))
        }
        _ => false,
    }
}

fn check(text: &[u8]) {
    let (one, other) = (parse(text), second(text));
    let shown = String::from_utf8_lossy(text);
    match (one, other) {
        (Ok(one), Ok(other)) => assert!(agree(&one, &other), "{shown}: {one} and {other:?}"),
        (Err(_), Err(_)) => {}
        (one, other) => panic!("{shown}: {one:?} and {other:?}"),
    }
}

#[rustfmt::skip]
const TEXTS: &[&str] = &[
    r#"{"a":[1,-1,0,-0,1.5,1e3,1E+3,1e-3,-1.25e2],"b":{"c":null,"d":true,"e":false}}"#,
    r#""\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00\u0000""#,
    r#"{"a":1,"\u0061":1}"#,
    "[\"a\",\"abcdefg\",\"abcdefgh\",\"abcdefghi\",\"abcdefg\u{e9}\",\"\u{1f600}abcde\"]",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "-9223372036854775809",
    "18446744073709551616",
    "1.7976931348623157e308",
    "1.8e308",
    "1e400",
    "-1e400",
    "0e400",
    "1e-400",
    "0.1e",
    "1.e1",
    "[1,]",
    "[,1]",
    "[1 2]",
    "[",
    "[1",
    "{",
    "{\"a\"",
    "{\"a\":",
    "{\"a\":1",
    "{\"a\":1,}",
    "{,}",
    "{1:1}",
    "{\"a\" 1}",
    "{\"a\":1 \"b\":2}",
    "nul",
    "nulll",
    "truefalse",
    "\"",
    "\"\\",
    "\"\\u",
    "\"\\u12",
    "\"\\u123\"",
    "\"\\u+123\"",
    "\"\\ud83d\"",
    "\"\\ud83d\\n\"",
    "\"\\ud83dx\"",
    "\"\\ude00\\ud83d\"",
    "\"\\ud83d\\ud83d\\ude00\"",
    "\"\u{7f}\"",
    "\"1234567\u{1f}\"",
    "\"\u{1f}\"",
    "1\u{b}",
    "\u{a0}1",
    "1\u{feff}",
    "- 1",
    "-",
    "-a",
    "-01",
    "1-",
    "1+1",
];

#[test]
fn both_read_the_same() {
    for text in TEXTS {
        check(text.as_bytes());
        for end in 0..text.len() {
            check(&text.as_bytes()[..end]);
        }
        check(format!(" [{text}\n,\t{text}\r] ").as_bytes());
    }
    let long = "[".to_owned() + &"1".repeat(400) + "]";
    check(long.as_bytes());
    for depth in [MAX_DEPTH, MAX_DEPTH + 1, 127, 128, 129] {
        check(("[".repeat(depth) + &"]".repeat(depth)).as_bytes());
    }
}

#[test]
fn every_byte_in_every_place_of_a_word_is_read_as_by_the_second() {
    for byte in 0..=u8::MAX {
        for before in 0..20 {
            let mut text = vec![b'a'; before + 24];
            (text[0], text[before + 1], text[before + 23]) = (b'"', byte, b'"');
            check(&text);
            text.truncate(before + 2);
            check(&text);
            text.push(b'"');
            check(&text);
        }
        for text in [
            b"[1,2]".as_slice(),
            b"{\"a\":1}",
            b"-1.5e3",
            b"null",
            b"\"\\u00e9\"",
        ] {
            for at in 0..=text.len() {
                let (before, after) = text.split_at(at);
                check(&[before, &[byte], after].concat());
                check(&[before, &[byte], after.get(1..).unwrap_or_default()].concat());
            }
        }
    }
}

fn json() -> impl Strategy<Value = String> {
    let number = r"-?(0|[1-9][0-9]{0,20})(\.[0-9]{1,5})?([eE][+-]?[0-9]{1,3})?";
    let text = r#""([a-z<é😀 ]|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4}){0,20}""#;
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        number,
        text
    ];
    leaf.prop_recursive(5, 40, 5, move |inner| {
        let space = "[ \n\t\r]{0,2}";
        let member = (space, text, space, inner.clone());
        prop_oneof![
            (prop::collection::vec(inner, 0..5), space).prop_map(|(items, space)| format!(
                "[{space}{}]",
                items.join(&format!(",{space}"))
            )),
            prop::collection::vec(member, 0..5).prop_map(|members| {
                let members: Vec<_> = members
                    .into_iter()
                    .map(|(one, key, other, value)| {
                        format!("{one}{key}{other}:{one}{value}{other}")
                    })
                    .collect();
                format!("{{{}}}", members.join(","))
            }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn both_read_json_the_same(text in json()) {
        check(text.as_bytes());
    }

    #[test]
    fn both_read_what_is_nearly_json_the_same(
        text in json(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..3_u8), 1..4),
    ) {
        let mut text = text.into_bytes();
        for (place, byte, how) in changes {
            let odd = br#"{}[]",:\-+.eE01 nu"#;
            let byte = if byte < 200 { odd[usize::from(byte) % odd.len()] } else { byte };
            let at = place.index(text.len() + 1);
            match how {
                0 => text.insert(at, byte),
                1 if at < text.len() => text[at] = byte,
                _ if at < text.len() => drop(text.remove(at)),
                _ => {}
            }
        }
        check(&text);
    }

    #[test]
    fn both_read_few_kinds_of_bytes_the_same(text in r#"[\[\]{}",:0-9eE.\-\\untrfalse ]{0,40}"#) {
        check(text.as_bytes());
    }
}
