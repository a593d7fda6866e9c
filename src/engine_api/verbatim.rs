//! Members of a body that nothing judges: they were checked where they stand, and go on from there as they came.

use std::sync::OnceLock;

use memchr::memmem;

use super::json::{Text, Value};
use super::key::Key;
use super::read;
use super::schema::Schema;

/// Some members of one object, with what stands between them; taken apart only once somebody asks for one by name.
#[derive(Debug, Clone)]
pub struct Verbatim {
    text: Text,
    schema: &'static Schema,
    names: Names,
    members: OnceLock<Vec<(Key, Value)>>,
}

/// Which names may be among some; one that is among them always may.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Names(u64);

impl Names {
    pub(super) fn add(&mut self, name: &str) {
        self.0 |= Self::mark(name);
    }

    fn may_have(self, name: &str) -> bool {
        self.0 & Self::mark(name) != 0
    }

    /// A bit that follows from length and ends of the name, in which names of fields differ.
    fn mark(name: &str) -> u64 {
        let ends = (name.as_bytes().first(), name.as_bytes().last());
        let (Some(first), Some(last)) = ends else {
            return 1;
        };
        let sum = u64::from(*first) * 5 + u64::from(*last) * 3 + name.len() as u64 * 7;
        1 << (sum % 64)
    }
}

impl Verbatim {
    /// Members of an object of this schema that were read and found to fit, their names written as the schema has them.
    pub(super) fn new(text: Text, schema: &'static Schema, names: Names) -> Self {
        Self {
            text,
            schema,
            names,
            members: OnceLock::new(),
        }
    }

    /// The members as they stand, with commas between them.
    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether one of the members may have this name; `false` is certain.
    pub(super) fn may_have(&self, name: &str) -> bool {
        self.names.may_have(name) && memmem::find(self.text.as_bytes(), name.as_bytes()).is_some()
    }

    /// The members one by one.
    pub(super) fn members(&self) -> &[(Key, Value)] {
        self.members
            .get_or_init(|| read::members(&self.text, self.schema))
    }

    pub(super) fn into_members(self) -> Vec<(Key, Value)> {
        let Self {
            text,
            schema,
            members,
            ..
        } = self;
        members
            .into_inner()
            .unwrap_or_else(|| read::members(&text, schema))
    }
}
