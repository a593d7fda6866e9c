//! Where in a body something is wrong, and the words for it.

use std::fmt;

use itoa::Buffer;

use super::super::Malformed;
use super::super::fields::shortened;
use super::super::schema::Shape;

/// Where a value stands in a body; written out only where somebody is to read it.
#[derive(Debug, Clone, Copy)]
pub(super) enum Place<'a> {
    /// The body itself.
    Root,
    Field(&'a Self, &'a str),
    /// Of a map, whose keys are data.
    Member(&'a Self, &'a str),
    Item(&'a Self, usize),
}

impl Place<'_> {
    /// As messages and records have it.
    pub(super) fn written(&self) -> String {
        let mut path = String::new();
        self.write(&mut path);
        path
    }

    fn write(&self, path: &mut String) {
        match self {
            Self::Root => {}
            Self::Field(Self::Root, key) => path.push_str(shortened(key)),
            Self::Field(parent, key) | Self::Member(parent, key) => {
                parent.write(path);
                path.push('.');
                path.push_str(shortened(key));
            }
            Self::Item(parent, index) => {
                parent.write(path);
                path.push('[');
                path.push_str(Buffer::new().format(*index));
                path.push(']');
            }
        }
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written())
    }
}

#[cold]
pub(super) fn taken(place: &Place<'_>, name: &str, why: &str) -> Box<Malformed> {
    let cause = format!("the key `{place}` is `{name}` to the daemon, {why}");
    Box::new(Malformed::Json(cause))
}

#[cold]
pub(super) fn misfit(shape: Shape, place: &Place<'_>) -> Box<Malformed> {
    let what = describe(shape);
    Box::new(Malformed::Body(match place {
        Place::Root => format!("it is not {what}"),
        Place::Field(..) | Place::Member(..) | Place::Item(..) => {
            format!("`{place}` is not {what}")
        }
    }))
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
