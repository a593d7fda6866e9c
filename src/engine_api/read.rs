//! A JSON body held against its schema: types, spellings, unknown fields.

mod left;
mod place;
mod simple;

use std::borrow::Cow;

use super::Malformed;
use super::json::tokens::Tokens;
use super::json::{self, Raw, Value, reader};
use super::key::Key;
use super::operation::Operation;
use super::schema::{Class, Field, Located, Schema, Search, Seen, Shape};

use left::Left;
use place::{Place, misfit, taken};
use simple::{is_key, list, map, text_or_null, zero};

/// A field that the model does not know and that holds a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownField {
    pub path: String,
    /// Shortened; empty in a body that may carry secrets, for under another name it may be one.
    pub value: String,
}

/// The most dropped and the most unknown fields of one body that are named; one unknown field is enough to refuse.
const MOST_NAMED: usize = 64;

/// Items of lists and members of objects in one body: what it is read into takes many times the room of its bytes.
const MOST_VALUES: usize = 65_536;

/// Room for the fields of a body and of the objects in it, before it is known how many come.
const USUAL_FIELDS: usize = 32;

/// Collects what the reading of one body found.
#[derive(Debug, Default)]
pub(super) struct Reading {
    pub(super) dropped: Vec<String>,
    pub(super) unknown: Vec<UnknownField>,
    hides_values: bool,
    /// Whether members that nothing judges may stay where they stand.
    leaves: bool,
}

impl Reading {
    /// A reading of a body of this operation, which `leaves` where they stand members that nothing judges.
    pub(super) fn of(operation: Option<Operation>, leaves: bool) -> Self {
        Self {
            hides_values: operation.is_some_and(Operation::carries_secrets),
            leaves,
            ..Self::default()
        }
    }

    /// Reads a body, holds it against its shape and yields the canonical one.
    pub(super) fn body(&mut self, bytes: &[u8], shape: Shape) -> Result<Value, Malformed> {
        let mut tokens = Tokens::of(bytes)?.lasting().holding(MOST_VALUES + 1);
        let value = self.shaped(&mut tokens, shape, &Place::Root);
        if tokens.holds_too_many() {
            let cause = format!("it has more than {MOST_VALUES} values, and nothing needs as many");
            return Err(Malformed::Body(cause));
        }
        let read = value.and_then(|value| Ok(tokens.end().map(|()| value)?));
        // A fault of the JSON comes first, wherever it stands.
        read.or_else(|fault| json::read(bytes).and(Err(*fault)))
    }

    /// Reads the value that stands here as that of a field whose place is not named.
    pub(super) fn part(
        &mut self,
        tokens: &mut Tokens<'_>,
        shape: Shape,
    ) -> Result<Value, Malformed> {
        self.shaped(tokens, shape, &Place::Root)
            .map_err(|fault| *fault)
    }

    fn shaped(
        &mut self,
        tokens: &mut Tokens<'_>,
        shape: Shape,
        place: &Place<'_>,
    ) -> Fallible<Value> {
        Ok(match (tokens.peek(), shape) {
            // Go's decoder leaves the zero value where `null` stands, whatever the type.
            (Some(b'n'), _) => tokens.null().map(|()| Value::Null)?,
            (Some(b't' | b'f'), Shape::Bool) => Value::Bool(tokens.bool()?),
            (Some(b'"'), Shape::Text) => Value::Text(tokens.kept_text()?),
            (Some(b'-' | b'0'..=b'9'), Shape::Integer | Shape::Float) => {
                let number = tokens.number()?;
                if matches!(shape, Shape::Integer) && number.as_i64().is_none() {
                    return Err(misfit(shape, place));
                }
                Value::Number(number)
            }
            // The daemon takes one string for a list of one; as a list it is judged like any other.
            (Some(b'"'), Shape::TextOrList) => Value::List(vec![Value::Text(tokens.kept_text()?)]),
            (Some(b'['), Shape::TextList | Shape::TextOrList) => list(tokens, |tokens, _| {
                text_or_null(tokens)?.ok_or_else(|| misfit(shape, place))
            })?,
            (Some(b'['), Shape::List(item)) => list(tokens, |tokens, index| {
                let place = Place::Item(place, index);
                // Go makes a nil pointer of it, which not every daemon expects.
                if tokens.peek() == Some(b'n') && matches!(item, Shape::Object(_)) {
                    return Err(misfit(*item, &place));
                }
                self.shaped(tokens, *item, &place)
            })?,
            (Some(b'{'), Shape::Object(schema)) => self.object(tokens, schema, place)?,
            (Some(b'{'), Shape::Map(item)) => map(tokens, |tokens, key| {
                let value = self.shaped(tokens, *item, &Place::Member(place, key))?;
                // docker-py joins a network so, and where it is a nil pointer the daemon says no more of it.
                Ok(match (value, item) {
                    (Value::Null, Shape::Object(_)) => Value::Object(Vec::new()),
                    (value, _) => value,
                })
            })?,
            (Some(b'{'), Shape::TextMap) => map(tokens, |tokens, _| {
                text_or_null(tokens)?.ok_or_else(|| misfit(shape, place))
            })?,
            (Some(b'{'), Shape::Set) => map(tokens, |tokens, _| {
                let value = Value::from(reader::value(tokens)?);
                let fits = matches!(&value, Value::Null) || value == Value::Object(Vec::new());
                fits.then_some(value).ok_or_else(|| misfit(shape, place))
            })?,
            (_, Shape::Any | Shape::Unread) => Value::from(reader::value(tokens)?),
            // What is no value at all is found once the whole is read again as JSON.
            _ => return Err(misfit(shape, place)),
        })
    }

    fn object(
        &mut self,
        tokens: &mut Tokens<'_>,
        schema: &'static Schema,
        place: &Place<'_>,
    ) -> Fallible<Value> {
        let mut kept = Vec::new();
        let mut unknown: Vec<(Cow<'_, str>, ())> = Vec::new();
        let (mut search, mut seen) = (schema.search(), Seen::default());
        let is_outer = tokens.depth() <= 1;
        let mut left = Left::of(schema, self.leaves && is_outer);
        tokens.open()?;
        while let Some(Member { start, key, found }) = member(tokens, &mut search)? {
            let place = Place::Field(place, &key);
            let Some(found) = found else {
                left.put(tokens, &mut kept);
                let value = reader::value(tokens)?;
                self.unknown(value, schema, &place, &key)?;
                unknown.push((key, ()));
                continue;
            };
            if is_outer && kept.capacity() == 0 {
                kept.reserve(USUAL_FIELDS);
            }
            // What stands there twice under one name is found once the whole is read again as JSON.
            if !seen.is_first(&found) {
                let name = found.field.name;
                let cause = "which stands there too";
                return Err(taken(&place, name, cause));
            }
            if let Some(start) = start
                && left.takes(tokens, (found.field, start), &place)?
            {
                continue;
            }
            left.put(tokens, &mut kept);
            let value = match zero(tokens, found.field.shape) {
                Some(zero) => zero,
                None => self.shaped(tokens, found.field.shape, &place)?,
            };
            if is_kept(found.field, &value) {
                kept.push((Key::Field(found.field), value));
            } else {
                self.drop_field(&place);
            }
        }
        left.put(tokens, &mut kept);
        if !unknown.is_empty() {
            reader::once_each(&unknown)?;
        }
        Ok(Value::Object(kept))
    }
}

impl Reading {
    fn drop_field(&mut self, place: &Place<'_>) {
        if self.dropped.len() < MOST_NAMED {
            self.dropped.push(place.written());
        }
    }

    fn report(&mut self, place: &Place<'_>, value: Raw<'_>) {
        if self.unknown.len() < MOST_NAMED {
            let value = if self.hides_values {
                String::new()
            } else {
                shorten(&Value::from(value).to_string())
            };
            let path = place.written();
            self.unknown.push(UnknownField { path, value });
        }
    }

    /// Judges a field that the model does not have.
    fn unknown(
        &mut self,
        value: Raw<'_>,
        schema: &'static Schema,
        place: &Place<'_>,
        key: &str,
    ) -> Fallible<()> {
        let mut fields = schema.fields();
        let is_other_spelling =
            |field: &&Field| !matches!(field.shape, Shape::Unread) && folds_to(key, field.name);
        if let Some(field) = fields.find(is_other_spelling) {
            let name = field.name;
            return Err(taken(place, name, "written otherwise"));
        }
        if value.is_zero() {
            self.drop_field(place);
        } else {
            self.report(place, value);
        }
        Ok(())
    }
}

/// A member of an object, whose value follows.
struct Member<'a> {
    /// Where the `"` of its key stands; `None` where that is to be written anew, for another spelling or an escape.
    start: Option<usize>,
    key: Cow<'a, str>,
    found: Option<Located>,
}

/// The next member; `None` at the object's end.
fn member<'a>(tokens: &mut Tokens<'a>, search: &mut Search) -> Fallible<Option<Member<'a>>> {
    // Most write the fields in the order of the model, and none twice.
    if let Some(ahead) = tokens.key_ahead()
        && let Some(found) = search.next(|field| is_key(ahead, field.name))
    {
        let name = found.field.name;
        return Ok(Some(Member {
            start: Some(tokens.pass_key(ahead, name.len())),
            key: Cow::Borrowed(name),
            found: Some(found),
        }));
    }
    if !tokens.member()? {
        return Ok(None);
    }
    let start = tokens.position();
    let key = tokens.key()?;
    let found = search.find(|field| field.is_written(&key));
    let name = found.as_ref().map(|found| found.field.name);
    let stands = matches!(&key, Cow::Borrowed(key) if Some(*key) == name);
    Ok(Some(Member {
        start: stands.then_some(start),
        key,
        found,
    }))
}

/// Whether the daemon must and will read the field.
fn is_kept(field: &Field, value: &Value) -> bool {
    match field.class {
        Class::Refused(_) => !value.is_zero(),
        Class::Harmless | Class::Limited(_) => !matches!(field.shape, Shape::Unread),
    }
}

/// The members of an object of this schema that were read before and left where they stand.
pub(super) fn members(text: &str, schema: &'static Schema) -> Vec<(Key, Value)> {
    let object = ["{", text, "}"].concat();
    let read = Tokens::of(object.as_bytes()).map(|mut tokens| {
        Reading::default()
            .object(&mut tokens, schema, &Place::Root)
            .ok()
    });
    match read {
        Ok(Some(Value::Object(members))) => members,
        // INVARIANT: it was read before, and found to fit.
        _ => Vec::new(),
    }
}

/// A value, or a fault that takes little room beside it.
type Fallible<T> = Result<T, Box<Malformed>>;

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
    let keys: Vec<String> = body.members().take(8).map(named).collect();
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
