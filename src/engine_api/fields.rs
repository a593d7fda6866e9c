//! The fields of a canonical body that are present and judged, with or without where they stand.

use super::json::Value;
use super::schema::{Class, Inner, Limit, Shape};
use itoa::Buffer;

/// A field or parameter that is present, with its place in the request and how it is judged.
#[derive(Debug, Clone, Copy)]
pub struct Field<'a> {
    /// Like `HostConfig.Mounts`, or `?networkmode` for a query parameter.
    pub path: &'a str,
    /// A query parameter's value is a [`Value::Text`].
    pub value: &'a Value,
    pub class: Class,
}

/// Shows every field of a canonical value that is present, objects after what they hold.
///
/// `path` is that of the value; it is longer while what the value holds is looked at.
pub(super) fn each(
    value: &Value,
    shape: Shape,
    path: &mut String,
    show: &mut impl FnMut(&Field<'_>),
) {
    let length = path.len();
    match shape.inner() {
        Inner::Fields(schema) => {
            let mut search = schema.search();
            for (key, value) in value.parts() {
                let Some(field) = search.of(key) else {
                    continue;
                };
                let is_judged = field.class != Class::Harmless;
                if matches!(value, Value::Null) || !(is_judged || holds_fields(field.shape)) {
                    continue;
                }
                push_key(path, key);
                each(value, field.shape, path, show);
                if is_judged {
                    show(&Field {
                        path,
                        value,
                        class: field.class,
                    });
                }
                path.truncate(length);
            }
        }
        Inner::Items(item) => {
            for (index, value) in value.items().iter().enumerate() {
                path.push('[');
                path.push_str(Buffer::new().format(index));
                path.push(']');
                each(value, item, path, show);
                path.truncate(length);
            }
        }
        Inner::Values(item) => {
            for (key, value) in value.members() {
                path.push('.');
                path.push_str(shortened(key));
                each(value, item, path, show);
                path.truncate(length);
            }
        }
        Inner::Nothing => {}
    }
}

/// Shows every value of a canonical body that is held against a limit, wherever it stands.
pub(super) fn limited<'a>(value: &'a Value, shape: Shape, show: &mut impl FnMut(Limit, &'a Value)) {
    match shape.inner() {
        Inner::Fields(schema) => {
            let mut search = schema.search();
            for (key, value) in value.parts() {
                let Some(field) = search.of(key) else {
                    continue;
                };
                if let Class::Limited(limit) = field.class
                    && !matches!(value, Value::Null)
                {
                    show(limit, value);
                }
                if holds_fields(field.shape) {
                    limited(value, field.shape, show);
                }
            }
        }
        Inner::Items(item) => {
            for value in value.items() {
                limited(value, item, show);
            }
        }
        Inner::Values(item) => {
            for (_, value) in value.members() {
                limited(value, item, show);
            }
        }
        Inner::Nothing => {}
    }
}

fn holds_fields(shape: Shape) -> bool {
    matches!(shape, Shape::Object(_) | Shape::List(_) | Shape::Map(_))
}

fn push_key(path: &mut String, key: &str) {
    if !path.is_empty() {
        path.push('.');
    }
    path.push_str(shortened(key));
}

/// A key as paths show it.
pub(super) fn shortened(key: &str) -> &str {
    const LONGEST_KEY: usize = 64;
    if key.len() <= LONGEST_KEY {
        return key;
    }
    let end = key.char_indices().nth(LONGEST_KEY).map(|(end, _)| end);
    end.and_then(|end| key.get(..end)).unwrap_or(key)
}
