//! One JSON value out of a text, its keys and texts left where they stand.

use std::borrow::Cow;
use std::ops::Deref;

use super::super::Malformed;
use super::repeated::repeated_key;
use super::tokens::{Token, Tokens};
use super::{Json, Raw};

/// The value that stands here.
pub(in crate::engine_api) fn value<'a>(tokens: &mut Tokens<'a>) -> Result<Raw<'a>, Malformed> {
    let token = tokens.value()?;
    value_of(token, tokens)
}

/// The value that begins with this token.
pub(in crate::engine_api) fn value_of<'a>(
    token: Token<'a>,
    tokens: &mut Tokens<'a>,
) -> Result<Raw<'a>, Malformed> {
    Ok(match token {
        Token::Null => Raw::Null,
        Token::Bool(value) => Raw::Bool(value),
        Token::Number(number) => Raw::Number(number),
        Token::Text(text) => Raw::Text(text),
        Token::List => {
            let mut items = Vec::new();
            while tokens.item()? {
                items.push(value(tokens)?);
            }
            Raw::List(items)
        }
        Token::Object => object(tokens, |_, tokens| value(tokens))?,
    })
}

/// The members of the object that was opened, the value of each as `read` gives it.
pub(in crate::engine_api) fn object<'a, T>(
    tokens: &mut Tokens<'a>,
    mut read: impl FnMut(&Cow<'a, str>, &mut Tokens<'a>) -> Result<Json<Cow<'a, str>, T>, Malformed>,
) -> Result<Json<Cow<'a, str>, T>, Malformed> {
    let mut members = Vec::new();
    // Those further in may be many.
    let usual = if tokens.depth() <= 2 {
        USUAL_MEMBERS
    } else {
        0
    };
    while tokens.member()? {
        let key = tokens.key()?;
        if members.capacity() == 0 {
            members.reserve(usual);
        }
        let value = read(&key, tokens)?;
        members.push((key, value));
    }
    once_each(&members)?;
    Ok(Json::Object(members))
}

/// Passes over the value that stands here, which nobody reads: it is JSON, and keys may stand twice in it.
pub(in crate::engine_api) fn skip(tokens: &mut Tokens<'_>) -> Result<(), Malformed> {
    match tokens.value()? {
        Token::Null | Token::Bool(_) | Token::Number(_) | Token::Text(_) => {}
        Token::List => {
            while tokens.item()? {
                skip(tokens)?;
            }
        }
        Token::Object => {
            while tokens.member()? {
                tokens.key()?;
                skip(tokens)?;
            }
        }
    }
    Ok(())
}

/// Refuses a key that stands twice in one object.
pub(in crate::engine_api) fn once_each<K: Deref<Target = str>, T>(
    members: &[(K, T)],
) -> Result<(), Malformed> {
    match repeated_key(members) {
        None => Ok(()),
        Some(key) => {
            let cause = format!("the key `{key}` stands twice in one object");
            Err(Malformed::Json(cause))
        }
    }
}

/// Room for the members of an object, before it is known how many come.
const USUAL_MEMBERS: usize = 16;
