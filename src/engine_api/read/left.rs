//! Members that nothing judges are checked, and stay where they stand: most of a body is such.

use std::mem::take;

use super::super::json::Value;
use super::super::json::tokens::Tokens;
use super::super::key::Key;
use super::super::schema::{Class, Field, Schema, Shape};
use super::super::verbatim::{Names, Verbatim};
use super::Fallible;
use super::place::{Place, misfit};

/// The members of one object that were left last, one directly after the other.
#[derive(Debug)]
pub(super) struct Left {
    schema: &'static Schema,
    may_leave: bool,
    /// From the first one's key to the end of the last one's value.
    from_to: Option<(usize, usize)>,
    names: Names,
}

impl Left {
    pub(super) fn of(schema: &'static Schema, may_leave: bool) -> Self {
        Self {
            schema,
            may_leave,
            from_to: None,
            names: Names::default(),
        }
    }

    /// Leaves the value that stands here where nothing judges it; `start` is where its key stands.
    ///
    /// # Errors
    /// Those of a value that does not fit.
    pub(super) fn takes(
        &mut self,
        tokens: &mut Tokens<'_>,
        (field, start): (&Field, usize),
        place: &Place<'_>,
    ) -> Fallible<bool> {
        if !self.may_leave || !passes(tokens, field, place)? {
            return Ok(false);
        }
        let (from, _) = self.from_to.unwrap_or((start, start));
        self.from_to = Some((from, tokens.position()));
        self.names.add(field.name);
        Ok(true)
    }

    /// Puts what was left among the members, before one that is not.
    pub(super) fn put(&mut self, tokens: &Tokens<'_>, members: &mut Vec<(Key, Value)>) {
        if let Some((from, to)) = self.from_to.take() {
            let text = tokens.part(from, to);
            let verbatim = Verbatim::new(text, self.schema, take(&mut self.names));
            members.push((Key::Verbatim(Box::new(verbatim)), Value::Null));
        }
    }
}

/// Passes over the value that stands here where nothing judges it and the daemon reads it as it is written.
fn passes(tokens: &mut Tokens<'_>, field: &Field, place: &Place<'_>) -> Fallible<bool> {
    let ahead = tokens.ahead();
    match (ahead, field.class, field.shape) {
        // What is zero and refused goes nowhere, and is named as dropped; so is what no daemon reads.
        (_, Class::Refused(_), _) | (_, _, Shape::Unread) => return Ok(false),
        ([b'n', ..], _, _) => tokens.null()?,
        (_, Class::Limited(_), _) => return Ok(false),
        ([b'"', b'"', ..], _, Shape::Text) => tokens.pass(2),
        ([b'"', ..], _, Shape::Text) => tokens.text().map(drop)?,
        ([b't' | b'f', ..], _, Shape::Bool) => tokens.bool().map(drop)?,
        ([b'0', b',' | b'}', ..], _, Shape::Integer) => tokens.pass(1),
        ([b'-' | b'0'..=b'9', ..], _, Shape::Integer) => {
            let whole = tokens.number()?.as_i64();
            whole.ok_or_else(|| misfit(field.shape, place))?;
        }
        ([b'[', ..], _, Shape::TextList | Shape::TextOrList) => {
            tokens.open()?;
            while tokens.item()? {
                match tokens.peek() {
                    Some(b'"') => tokens.text().map(drop)?,
                    Some(b'n') => tokens.null()?,
                    Some(_) | None => return Err(misfit(field.shape, place)),
                }
            }
        }
        _ => return Ok(false),
    }
    Ok(true)
}
