//! The query of a request: the parameters that the daemon reads, once each, in the type it reads.

mod value;

use std::borrow::Cow;
use std::fmt::Write as _;

use crate::cut::{cut, pieces};

use super::fields::Field;
use super::json::Value;
use super::operation::Operation;
use super::schema::{Class, Parameter, ParameterKind};
use super::{Malformed, schemas};
use value::canonical;

/// The parameters of a request in the order they came.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Query {
    known: Vec<Known>,
    dropped: Vec<String>,
    verbatim: Option<String>,
}

#[derive(Debug, Clone)]
struct Known {
    parameter: &'static Parameter,
    value: String,
}

impl PartialEq for Known {
    fn eq(&self, other: &Self) -> bool {
        self.parameter.name == other.parameter.name && self.value == other.value
    }
}

impl Query {
    pub(super) fn parse(operation: Operation, text: &str) -> Result<Self, Malformed> {
        let parameters = schemas::parameters_of(operation);
        let mut query = Self::default();
        // Go's url.ParseQuery fails on a semicolon; proxies before it have read it as a separator.
        if text.as_bytes().contains(&b';') {
            return Err(Malformed::Query("a `;` that is not encoded".to_owned()));
        }
        for pair in pieces(text, b'&').filter(|pair| !pair.is_empty()) {
            let (name, value) = cut(pair, b'=').unwrap_or((pair, ""));
            let name = form_decode(name)?;
            // The daemon refuses what cannot be decoded, whatever the parameter.
            let value = form_decode(value)?.into_owned();
            let Some(parameter) = parameters.iter().find(|parameter| parameter.name == name) else {
                if !query.dropped.iter().any(|dropped| *dropped == name) && query.dropped.len() < 64
                {
                    query.dropped.push(name.chars().take(64).collect());
                }
                continue;
            };
            let repeats = query.known.iter().any(|known| known.parameter.name == name);
            if repeats && parameter.kind != ParameterKind::Texts {
                return Err(Malformed::Query(format!(
                    "the parameter `{name}` stands twice"
                )));
            }
            let value = canonical(parameter, value, &mut query.dropped)?;
            query.known.push(Known { parameter, value });
        }
        query.drop_zeros();
        Ok(query)
    }

    /// Leaves out what no policy permits and says nothing.
    fn drop_zeros(&mut self) {
        let Self { known, dropped, .. } = self;
        known.retain(|known| {
            let is_zero = matches!(known.parameter.class, Class::Refused(_))
                && matches!(known.value.as_str(), "" | "null" | "[]" | "{}");
            if is_zero {
                dropped.push(known.parameter.name.to_owned());
            }
            !is_zero
        });
    }

    /// The query of a path outside the model, forwarded as it is.
    pub(super) fn verbatim(text: &str) -> Result<Self, Malformed> {
        if text.bytes().any(|byte| !byte.is_ascii_graphic()) {
            return Err(Malformed::Query("a byte that must be encoded".to_owned()));
        }
        Ok(Self {
            verbatim: Some(text.to_owned()),
            ..Self::default()
        })
    }

    /// The first value of a parameter that the daemon reads.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.known
            .iter()
            .find(|known| known.parameter.name == name)
            .map(|known| known.value.as_str())
    }

    /// The parameters that the daemon reads, each with its value.
    pub(crate) fn known(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.known
            .iter()
            .map(|known| (known.parameter.name, known.value.as_str()))
    }

    /// Puts another value in the place of a parameter's first; does nothing where it is absent.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        let mut known = self.known.iter_mut();
        if let Some(known) = known.find(|known| known.parameter.name == name) {
            value.clone_into(&mut known.value);
        }
    }

    /// Puts a value in the place of a parameter's first, or adds it where the daemon reads it for this operation.
    pub(crate) fn put(&mut self, operation: Operation, name: &str, value: &str) {
        if self.get(name).is_some() {
            self.set(name, value);
        } else {
            self.push(operation, name, value);
        }
    }

    /// Adds a value after all others, where the daemon reads the parameter for this operation.
    pub(crate) fn push(&mut self, operation: Operation, name: &str, value: &str) {
        let mut parameters = schemas::parameters_of(operation).iter();
        if let Some(parameter) = parameters.find(|parameter| parameter.name == name) {
            let value = value.to_owned();
            self.known.push(Known { parameter, value });
        }
    }

    /// The values of a parameter that may stand more than once.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let known = self.known.iter();
        known
            .filter(move |known| known.parameter.name == name)
            .map(|known| known.value.as_str())
    }

    /// The names of parameters that the daemon does not read for this operation.
    #[must_use]
    pub fn dropped(&self) -> &[String] {
        &self.dropped
    }

    /// Shows the parameters that are present and judged.
    pub(super) fn each_field(&self, show: &mut impl FnMut(&Field<'_>)) {
        for known in &self.known {
            let class = known.parameter.class;
            if !known.value.is_empty() && class != Class::Harmless {
                show(&Field {
                    path: &["?", known.parameter.name].concat(),
                    value: &Value::Text(known.value.as_str().into()),
                    class,
                });
            }
        }
    }

    pub(super) fn write(&self, target: &mut String) {
        if let Some(verbatim) = self.verbatim.as_deref().filter(|text| !text.is_empty()) {
            target.push('?');
            target.push_str(verbatim);
        }
        for (index, known) in self.known.iter().enumerate() {
            target.push(if index == 0 { '?' } else { '&' });
            target.push_str(known.parameter.name);
            target.push('=');
            percent_encode(&known.value, target);
        }
    }
}

fn form_decode(raw: &str) -> Result<Cow<'_, str>, Malformed> {
    let spaced = if raw.as_bytes().contains(&b'+') {
        Cow::Owned(raw.replace('+', " "))
    } else {
        Cow::Borrowed(raw)
    };
    percent_decode(spaced).map_err(Malformed::Query)
}

/// Decodes `%XX` once; refuses what is no UTF-8 and a `%` that begins no two hex digits.
pub(super) fn percent_decode(raw: Cow<'_, str>) -> Result<Cow<'_, str>, String> {
    if !raw.as_bytes().contains(&b'%') {
        return Ok(raw);
    }
    let mut bytes = Vec::with_capacity(raw.len());
    let mut rest = raw.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || rest.next().and_then(|byte| char::from(byte).to_digit(16));
        let (Some(high), Some(low)) = (digit(), digit()) else {
            return Err("a `%` that begins no two hex digits".to_owned());
        };
        bytes.push(u8::try_from(high * 16 + low).map_err(|error| error.to_string())?);
    }
    String::from_utf8(bytes)
        .map(Cow::Owned)
        .map_err(|_| "an encoded byte that is no UTF-8".to_owned())
}

fn percent_encode(text: &str, target: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/:,@".contains(&byte) {
            target.push(char::from(byte));
        } else {
            // Writing to a string does not fail.
            let _ = write!(target, "%{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests;
