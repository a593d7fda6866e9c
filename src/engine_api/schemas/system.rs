//! The body of `SystemAuth`.

use super::super::schema::{Limit, Schema, Shape};
use super::{harmless, limited};

/// moby: api/types/registry/authconfig.go. All but the address are credentials and are never shown or logged.
pub(super) const AUTH: &Schema = &Schema {
    parts: &[&[
        harmless("username", Shape::Text),
        harmless("password", Shape::Text),
        harmless("auth", Shape::Text),
        harmless("email", Shape::Text),
        limited("serveraddress", Shape::Text, Limit::Registry),
        harmless("identitytoken", Shape::Text),
        harmless("registrytoken", Shape::Text),
    ]],
};
