//! The value of a parameter, in the type that the daemon reads.

use super::super::Malformed;
use super::super::json::{self, Value};
use super::super::read::Reading;
use super::super::schema::{Parameter, ParameterKind};

/// The value as the gate writes it; names of fields in it that no daemon reads are added to `dropped`.
pub(super) fn canonical(
    parameter: &Parameter,
    value: String,
    dropped: &mut Vec<String>,
) -> Result<String, Malformed> {
    let wrong =
        |what: &str| Malformed::Query(format!("the parameter `{}` is not {what}", parameter.name));
    match parameter.kind {
        ParameterKind::Text | ParameterKind::Texts => Ok(value),
        // Present and empty is the default for some (moby: build_routes.go, `rm`) and false for others.
        ParameterKind::Bool if value.is_empty() => Ok(value),
        ParameterKind::Bool => {
            let is_false = matches!(
                value.trim().to_ascii_lowercase().as_str(),
                "" | "no" | "0" | "false" | "none"
            );
            Ok(if is_false { "0" } else { "1" }.to_owned())
        }
        ParameterKind::StrictBool => match value.as_str() {
            "" => Ok(value),
            "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok("1".to_owned()),
            "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok("0".to_owned()),
            _ => Err(wrong("`true` or `false`")),
        },
        ParameterKind::Integer if value.is_empty() => Ok(value),
        ParameterKind::Integer => value
            .parse::<i64>()
            .map(|n| n.to_string())
            .map_err(|_| wrong("a whole number")),
        ParameterKind::Filters | ParameterKind::Json if value.is_empty() => Ok(value),
        ParameterKind::Filters => {
            let value = json::parse(value.as_bytes())
                .map_err(|error| wrong(&format!("a set of filters: {error}")))?;
            if is_filters(&value) {
                Ok(value.to_string())
            } else {
                Err(wrong("a set of filters"))
            }
        }
        ParameterKind::Json => {
            let mut reading = Reading::default();
            let value = reading
                .body(value.as_bytes(), parameter.shape)
                .map_err(|fault| wrong(&format!("a JSON value of its kind: {}", cause(fault))))?;
            if let Some(unknown) = reading.unknown.first() {
                let what = format!("known with a field `{}`", unknown.path);
                return Err(wrong(&what));
            }
            let fields = reading.dropped.iter();
            dropped.extend(fields.map(|field| [parameter.name, ": ", field].concat()));
            Ok(value.to_string())
        }
    }
}

/// What is wrong with a value, without the words that it stands in a body.
fn cause(fault: Malformed) -> String {
    match fault {
        Malformed::Json(cause) | Malformed::Body(cause) => cause,
        other @ (Malformed::Method(_)
        | Malformed::Path(_)
        | Malformed::Query(_)
        | Malformed::Header(_)
        | Malformed::TooOld(..)
        | Malformed::TooNew(..)
        | Malformed::NoneShared(..)) => other.to_string(),
    }
}

/// Whether every member is `{"value": bool}` or every member is `["value"]`.
fn is_filters(value: &Value) -> bool {
    let Value::Object(members) = value else {
        return matches!(value, Value::Null);
    };
    let sets = |value: &Value| {
        value
            .members()
            .all(|(_, set)| matches!(set, Value::Bool(_)))
    };
    let texts = |value: &Value| {
        value
            .items()
            .iter()
            .all(|item| matches!(item, Value::Text(_)))
    };
    members
        .iter()
        .all(|(_, value)| matches!(value, Value::Object(_)) && sets(value))
        || members
            .iter()
            .all(|(_, value)| matches!(value, Value::List(_)) && texts(value))
}
