//! A JSON body held against its schema: types, spellings, unknown fields.

use std::borrow::Cow;
use std::fmt;

use super::Malformed;
use super::fields::shortened;
use super::json::{self, Raw, Value};
use super::key::Key;
use super::operation::Operation;
use super::schema::{self, Class, Schema, Shape};

/// A field that the model does not know and that holds a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownField {
    pub path: String,
    /// Shortened; empty in a body that may carry secrets, for under another name it may be one.
    pub value: String,
}

/// The most dropped and the most unknown fields of one body that are named; one unknown field is enough to refuse.
const MOST_NAMED: usize = 64;

/// Collects what the reading of one body found.
#[derive(Debug, Default)]
pub(super) struct Reading {
    pub(super) dropped: Vec<String>,
    pub(super) unknown: Vec<UnknownField>,
    hides_values: bool,
}

impl Reading {
    /// A reading of a body of this operation.
    pub(super) fn of(operation: Option<Operation>) -> Self {
        Self {
            hides_values: operation.is_some_and(Operation::carries_secrets),
            ..Self::default()
        }
    }

    /// Checks a body against its shape and yields the canonical one.
    pub(super) fn body(&mut self, value: Raw<'_>, shape: Shape) -> Result<Value, Malformed> {
        self.shaped(value, shape, &Place::Root)
    }

    fn shaped(
        &mut self,
        value: Raw<'_>,
        shape: Shape,
        place: &Place<'_>,
    ) -> Result<Value, Malformed> {
        // Go's decoder leaves the zero value where `null` stands, whatever the type.
        if matches!(value, Raw::Null) {
            return Ok(Value::Null);
        }
        match (shape, value) {
            (Shape::Object(schema), Raw::Object(members)) => self.object(members, schema, place),
            (Shape::List(item), Raw::List(items)) => {
                let item = |(index, value)| self.shaped(value, *item, &Place::Item(place, index));
                items
                    .into_iter()
                    .enumerate()
                    .map(item)
                    .collect::<Result<_, _>>()
                    .map(Value::List)
            }
            (Shape::Map(item), Raw::Object(members)) => {
                let member = |(key, value): (Cow<'_, str>, Raw<'_>)| {
                    let value = self.shaped(value, *item, &Place::Member(place, &key))?;
                    Ok((Key::from(key.into_owned()), value))
                };
                members
                    .into_iter()
                    .map(member)
                    .collect::<Result<_, _>>()
                    .map(Value::Object)
            }
            // The daemon takes one string for a list of one; as a list it is judged like any other.
            (Shape::TextOrList, value @ Raw::Text(_)) => Ok(Value::List(vec![value.into()])),
            (shape, value) if fits(shape, &value) => Ok(value.into()),
            (shape, _) if matches!(place, Place::Root) => {
                Err(Malformed::Body(format!("it is not {}", describe(shape))))
            }
            (shape, _) => Err(Malformed::Body(format!(
                "`{place}` is not {}",
                describe(shape)
            ))),
        }
    }

    fn object(
        &mut self,
        members: Vec<(Cow<'_, str>, Raw<'_>)>,
        schema: &'static Schema,
        place: &Place<'_>,
    ) -> Result<Value, Malformed> {
        let mut kept = Vec::with_capacity(members.len());
        let mut search = schema.search();
        for (key, value) in members {
            if let Some(field) = search.find(|field| field.is_written(&key)) {
                self.known((&key, value), field, place, &mut kept)?;
                continue;
            }
            let place = Place::Field(place, &key);
            if let Some(field) = schema
                .fields()
                .find(|field| !matches!(field.shape, Shape::Unread) && folds_to(&key, field.name))
            {
                let name = field.name;
                return Err(Malformed::Json(format!(
                    "the key `{place}` is `{name}` to the daemon, written otherwise"
                )));
            } else if value.is_zero() {
                self.drop_field(&place);
            } else {
                self.report(&place, value);
            }
        }
        Ok(Value::Object(kept))
    }
}

impl Reading {
    fn drop_field(&mut self, place: &Place<'_>) {
        if self.dropped.len() < MOST_NAMED {
            self.dropped.push(place.to_string());
        }
    }

    fn report(&mut self, place: &Place<'_>, value: Raw<'_>) {
        if self.unknown.len() < MOST_NAMED {
            let value = if self.hides_values {
                String::new()
            } else {
                shorten(&Value::from(value).to_string())
            };
            let path = place.to_string();
            self.unknown.push(UnknownField { path, value });
        }
    }

    /// Keeps a field under its own name, or drops one that the daemon must not or will not read.
    fn known(
        &mut self,
        (key, value): (&str, Raw<'_>),
        field: &'static schema::Field,
        place: &Place<'_>,
        kept: &mut Vec<(Key, Value)>,
    ) -> Result<(), Malformed> {
        let place = Place::Field(place, key);
        if matches!(field.shape, Shape::Unread) {
            self.drop_field(&place);
            return Ok(());
        }
        let value = self.shaped(value, field.shape, &place)?;
        if matches!(field.class, Class::Refused(_)) && value.is_zero() {
            self.drop_field(&place);
            return Ok(());
        }
        // The same key twice was refused before; only another spelling may still be the same field.
        if field.spelling.is_some() && kept.iter().any(|(name, _)| name == field.name) {
            let name = field.name;
            return Err(Malformed::Json(format!(
                "the key `{place}` is `{name}` to the daemon, which stands there too"
            )));
        }
        kept.push((Key::Field(field), value));
        Ok(())
    }
}

fn fits(shape: Shape, value: &Raw<'_>) -> bool {
    let texts = |items: &[Raw<'_>]| {
        items
            .iter()
            .all(|item| matches!(item, Raw::Text(_) | Raw::Null))
    };
    match (shape, value) {
        (Shape::Any | Shape::Unread, _)
        | (Shape::Bool, Raw::Bool(_))
        | (Shape::Float, Raw::Number(_)) => true,
        (Shape::Text, Raw::Text(_)) => true,
        (Shape::Integer, Raw::Number(number)) => number.is_i64(),
        (Shape::TextList | Shape::TextOrList, Raw::List(items)) => texts(items),
        (Shape::TextMap, Raw::Object(members)) => members
            .iter()
            .all(|(_, value)| matches!(value, Raw::Text(_) | Raw::Null)),
        (Shape::Set, Raw::Object(members)) => members
            .iter()
            .all(|(_, value)| matches!(value, Raw::Null) || *value == Raw::Object(Vec::new())),
        _ => false,
    }
}

fn describe(shape: Shape) -> &'static str {
    match shape {
        Shape::Bool => "true or false",
        Shape::Integer => "a whole number",
        Shape::Float => "a number",
        Shape::Text => "a string",
        Shape::TextList => "a list of strings",
        Shape::TextOrList => "a string or a list of strings",
        Shape::TextMap => "an object of strings",
        Shape::Set => "an object of empty objects",
        Shape::Object(_) | Shape::Map(_) => "an object",
        Shape::List(_) => "a list",
        Shape::Any | Shape::Unread => "a value",
    }
}

/// Refuses a body that an engine of today ignores and an older one obeyed.
///
/// moby: daemon/server/router/container/container_routes.go, postContainersStart took a HostConfig before API 1.24.
pub(super) fn refuse_legacy_body(
    operation: Option<Operation>,
    bytes: &[u8],
) -> Result<(), Malformed> {
    let is_blank = bytes.iter().all(u8::is_ascii_whitespace);
    if operation != Some(Operation::ContainerStart) || is_blank {
        return Ok(());
    }
    let body = json::parse(bytes)?;
    if body.is_zero() {
        return Ok(());
    }
    let named = |(key, _): &(Key, Value)| format!("`{}`", shorten(key));
    let keys: Vec<String> = body.members().iter().take(8).map(named).collect();
    let keys = if keys.is_empty() {
        String::new()
    } else {
        format!(", and this has {}", keys.join(", "))
    };
    Err(Malformed::Body(format!(
        "ContainerStart takes none{keys}; older engines read a HostConfig from it"
    )))
}

/// Whether Go's decoder takes `key` for the field `name`: equal but for case, U+017F for `s`, U+212A for `k`.
///
/// Go: encoding/json/fold.go.
fn folds_to(key: &str, name: &str) -> bool {
    let fold = |c: char| match c {
        '\u{17f}' => 's',
        '\u{212a}' => 'k',
        c => c.to_ascii_lowercase(),
    };
    key.chars().map(fold).eq(name.chars().map(fold))
}

/// Where a value stands in a body; written out only where somebody is to read it.
#[derive(Debug, Clone, Copy)]
enum Place<'a> {
    /// The body itself.
    Root,
    Field(&'a Self, &'a str),
    /// Of a map, whose keys are data.
    Member(&'a Self, &'a str),
    Item(&'a Self, usize),
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => Ok(()),
            Self::Field(Self::Root, key) => f.write_str(shortened(key)),
            Self::Field(parent, key) => write!(f, "{parent}.{}", shortened(key)),
            Self::Member(parent, key) => write!(f, "{parent}.{key}"),
            Self::Item(parent, index) => write!(f, "{parent}[{index}]"),
        }
    }
}

/// The first characters of a value, for messages and records.
pub(crate) fn shorten(text: &str) -> String {
    const MOST: usize = 200;
    if text.chars().count() <= MOST {
        return text.to_owned();
    }
    text.chars().take(MOST).chain(['…']).collect()
}

#[cfg(test)]
mod tests;
