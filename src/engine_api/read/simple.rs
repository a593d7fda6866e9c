//! The parts of a body that are alike in every schema: keys, zeros, texts, lists and maps.

use super::super::json::tokens::Tokens;
use super::super::json::{Text, Value, reader};
use super::super::key::Key;
use super::super::schema::Shape;
use super::Fallible;

/// Whether this begins with the name, the end of its text and the colon, without anything between them.
pub(super) fn is_key(ahead: &[u8], name: &str) -> bool {
    let (length, name) = (name.len(), name.as_bytes());
    ahead.get(length) == Some(&b'"')
        && ahead.get(length + 1) == Some(&b':')
        && ahead.starts_with(name)
}

/// The zero of the shape, which most fields have, where it stands there as most write it.
pub(super) fn zero(tokens: &mut Tokens<'_>, shape: Shape) -> Option<Value> {
    let (length, value) = match (tokens.ahead(), shape) {
        ([b'n', b'u', b'l', b'l', ..], _) => (4, Value::Null),
        ([b'"', b'"', ..], Shape::Text) => (2, Value::Text(Text::default())),
        ([b'f', b'a', b'l', b's', b'e', ..], Shape::Bool) => (5, Value::Bool(false)),
        ([b'0', b',' | b'}', ..], Shape::Integer) => (1, Value::Number(0.into())),
        _ => return None,
    };
    tokens.pass(length);
    Some(value)
}

/// A string or `null`; `None` where another value stands.
pub(super) fn text_or_null(tokens: &mut Tokens<'_>) -> Fallible<Option<Value>> {
    Ok(match tokens.peek() {
        Some(b'"') => Some(Value::Text(tokens.kept_text()?)),
        Some(b'n') => tokens.null().map(|()| Some(Value::Null))?,
        Some(_) | None => None,
    })
}

/// A list, whose items `read` gives by their index.
pub(super) fn list(
    tokens: &mut Tokens<'_>,
    mut read: impl FnMut(&mut Tokens<'_>, usize) -> Fallible<Value>,
) -> Fallible<Value> {
    let mut items = Vec::new();
    tokens.open()?;
    while tokens.item()? {
        items.push(read(tokens, items.len())?);
    }
    Ok(Value::List(items))
}

/// An object whose keys are data.
pub(super) fn map(
    tokens: &mut Tokens<'_>,
    mut read: impl FnMut(&mut Tokens<'_>, &str) -> Fallible<Value>,
) -> Fallible<Value> {
    let mut members = Vec::new();
    tokens.open()?;
    while tokens.member()? {
        let key = tokens.kept_key()?;
        let value = read(tokens, &key)?;
        members.push((Key::Data(key), value));
    }
    reader::once_each(&members)?;
    Ok(Value::Object(members))
}
