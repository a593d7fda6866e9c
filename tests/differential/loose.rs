//! JSON that need not be JSON: keys that repeat and fold, escapes anywhere, numbers out of range, bytes that are no text.

use crate::support::random::Random;

/// A value as it will be written; what is `Raw` is written as it stands.
#[derive(Debug, Clone)]
pub(super) enum Loose {
    Raw(Vec<u8>),
    List(Vec<Self>),
    /// Keys without quotes, already escaped.
    Object(Vec<(Vec<u8>, Self)>),
}

impl Loose {
    pub(super) fn raw(text: &str) -> Self {
        Self::Raw(text.as_bytes().to_vec())
    }

    /// A value of a table.
    pub(super) fn read_or_raw(text: &str) -> Self {
        if text.starts_with(['[', '{']) {
            Self::read(text)
        } else {
            Self::raw(text)
        }
    }

    /// The parts of a text that is JSON; what has none stays as it stands.
    pub(super) fn read(text: &str) -> Self {
        match crate::support::json(text) {
            serde_json::Value::Array(items) => Self::List(
                items
                    .iter()
                    .map(|item| Self::read(&item.to_string()))
                    .collect(),
            ),
            serde_json::Value::Object(members) => Self::Object(
                members
                    .iter()
                    .map(|(key, value)| (key.clone().into_bytes(), Self::read(&value.to_string())))
                    .collect(),
            ),
            serde_json::Value::Null
            | serde_json::Value::Bool(_)
            | serde_json::Value::Number(_)
            | serde_json::Value::String(_) => Self::raw(text),
        }
    }

    /// Changes one place anywhere in the value.
    pub(super) fn change(&mut self, random: &mut Random) {
        let has_members = matches!(self, Self::Object(members) if !members.is_empty());
        if has_members && random.one_in(2) {
            return self.change_members(random);
        }
        match self {
            Self::Object(members) if !members.is_empty() => {
                let at = random.below(members.len());
                members[at].1.change(random);
            }
            Self::List(items) if !items.is_empty() && !random.one_in(4) => {
                let at = random.below(items.len());
                items[at].change(random);
            }
            Self::Raw(raw) if raw.len() > 2 && raw[0] == b'"' && random.one_in(2) => {
                escape(raw, random);
            }
            Self::Raw(_) | Self::List(_) | Self::Object(_) => *self = odd_value(random),
        }
    }

    fn change_members(&mut self, random: &mut Random) {
        let Self::Object(members) = self else { return };
        let at = random.below(members.len());
        let (key, value) = members[at].clone();
        match random.below(9) {
            0 => members[at].0 = folded(&key, random),
            1 | 2 => escape(&mut members[at].0, random),
            3 => members.push((key, value)),
            4 => members.push((key, odd_value(random))),
            5 => members.insert(0, (folded(&key, random), odd_value(random))),
            6 => members.push((b"Unheard".to_vec(), odd_value(random))),
            7 => {
                let other = random.below(members.len());
                members.swap(at, other);
            }
            _ => members[at].1 = Self::raw("null"),
        }
    }

    /// The bytes, with white space here and there.
    pub(super) fn write(&self, out: &mut Vec<u8>, random: &mut Random) {
        space(out, random);
        match self {
            Self::Raw(raw) => out.extend_from_slice(raw),
            Self::List(items) => {
                out.push(b'[');
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        out.push(b',');
                    }
                    item.write(out, random);
                }
                out.push(b']');
            }
            Self::Object(members) => {
                out.push(b'{');
                for (index, (key, value)) in members.iter().enumerate() {
                    if index > 0 {
                        out.push(b',');
                    }
                    space(out, random);
                    out.push(b'"');
                    out.extend_from_slice(key);
                    out.push(b'"');
                    space(out, random);
                    out.push(b':');
                    value.write(out, random);
                }
                out.push(b'}');
            }
        }
        space(out, random);
    }
}

/// Changes the text as a whole, now and then.
pub(super) fn around(text: &mut Vec<u8>, random: &mut Random) {
    let before: &[&[u8]] = &[
        b"\xef\xbb\xbf",
        b" \n",
        b"\0",
        b"//\n",
        b"\x0b",
        b"\xc2\xa0",
    ];
    let after: &[&[u8]] = &[
        b" ",
        b"\n\n",
        b"{}",
        b"{\"Labels\":{\"late\":\"x\"}}",
        b"}",
        b"\0",
        b"x",
        b",",
        b"\xff",
    ];
    match random.below(40) {
        0 | 1 => {
            let before = random.pick(before);
            text.splice(0..0, before.iter().copied());
        }
        2 | 3 => text.extend_from_slice(random.pick(after)),
        4 => text.truncate(random.below(text.len())),
        5 => {
            let at = random.below(text.len());
            text[at] ^= 1 << random.below(8);
        }
        6 => {
            let at = random.below(text.len());
            text.remove(at);
        }
        _ => {}
    }
}

/// A string, quotes and all, of what clients, escapes and Unicode have to offer.
pub(super) fn text(random: &mut Random) -> Loose {
    let mut raw = vec![b'"'];
    for _ in 0..=random.below(3) {
        let pieces: &[&str] = &[
            "a",
            "B7",
            "_x",
            r"\u0041",
            r"\u00e9",
            r"\/",
            r"\n",
            r"\t",
            r"\\",
            r#"\""#,
            "é",
            "\u{1f600}",
            r"\ud83d\ude00",
            r"\uD83D\uDE00",
            "<&>",
            "\u{2028}",
            "\u{7f}",
            "\u{fffd}",
            r"\ufffd",
            r"\u0000",
            " ",
            "\u{feff}",
            "İſK",
            r"\b\f\r",
            "a\u{301}",
            r"\u2028",
        ];
        raw.extend_from_slice(random.pick(pieces).as_bytes());
    }
    raw.push(b'"');
    Loose::Raw(raw)
}

/// Values that Go and others read each in a way of their own, or not at all.
const ODD: &[&str] = &[
    "null",
    "true",
    "false",
    "0",
    "-0",
    "1",
    "0.0",
    "-0.0",
    "1.0",
    "1e3",
    "1E+2",
    "0e9",
    "10000000e-1",
    "1e400",
    "1e-400",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "-9223372036854775809",
    "18446744073709551615",
    "18446744073709551616",
    "9007199254740993",
    "123456789.123456789123456789",
    "01",
    "+1",
    ".5",
    "NaN",
    "\"\"",
    "\"a\"",
    "\"0\"",
    "\"true\"",
    r#""\ud800""#,
    r#""\udc00\ud800""#,
    r#""\ud800\u0041""#,
    r#""\x41""#,
    "'a'",
    "[]",
    "{}",
    "[null]",
    "[\"a\"]",
    "[[]]",
    "[{}]",
    r#"{"a":1}"#,
    r#"{"a":"b"}"#,
    r#"{"a":"b","a":"c"}"#,
    r#"{"a":null}"#,
    r#"{"":""}"#,
    "[1,]",
    "[,1]",
    "{,}",
    "TRUE",
    "nul",
];

/// What stands where something else should.
fn odd_value(random: &mut Random) -> Loose {
    if random.one_in(12) {
        let bytes: &[&[u8]] = &[
            b"\"\xff\"",
            b"\"\xc0\xaf\"",
            b"\"\xed\xa0\x80\"",
            b"\"\n\"",
            b"\"\x01\"",
        ];
        return Loose::Raw(random.pick(bytes).to_vec());
    }
    if random.one_in(30) {
        let depth = 60 + random.below(10);
        return Loose::raw(&format!("{}{}", "[".repeat(depth), "]".repeat(depth)));
    }

    Loose::raw(random.pick(ODD))
}

/// The key as Go's decoder alone takes it for the same.
fn folded(key: &[u8], random: &mut Random) -> Vec<u8> {
    let mut key = String::from_utf8_lossy(key).into_owned();
    match random.below(5) {
        0 => key.make_ascii_lowercase(),
        1 => key.make_ascii_uppercase(),
        2 => key = key.replacen(['s', 'S'], "\u{17f}", 1),
        3 => key = key.replacen(['k', 'K'], r"\u212a", 1),
        _ => {
            let at = random.below(key.len().max(1));
            let swap = |c: char| {
                if c.is_ascii_lowercase() {
                    c.to_ascii_uppercase()
                } else {
                    c.to_ascii_lowercase()
                }
            };
            key = key
                .chars()
                .enumerate()
                .map(|(index, c)| if index == at { swap(c) } else { c })
                .collect();
        }
    }
    key.into_bytes()
}

/// Writes one letter as an escape.
fn escape(text: &mut Vec<u8>, random: &mut Random) {
    let places: Vec<usize> = (0..text.len())
        .filter(|at| text[*at].is_ascii_alphanumeric())
        .collect();
    if places.is_empty() || text.contains(&b'\\') {
        return;
    }
    let at = places[random.below(places.len())];
    let escape = if random.one_in(2) {
        format!("\\u{:04x}", text[at])
    } else {
        format!("\\u{:04X}", text[at])
    };
    text.splice(at..=at, escape.into_bytes());
}

fn space(out: &mut Vec<u8>, random: &mut Random) {
    if random.one_in(8) {
        out.extend_from_slice(random.pick(&[" ", "\n", "\t", "\r\n"]).as_bytes());
    }
}
