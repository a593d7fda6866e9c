//! The bodies of operations on secrets and configs.

use super::super::schema::{Limit, Schema, Shape};
use super::swarm::DRIVER;
use super::{harmless, limited};

#[rustfmt::skip]
/// moby: api/types/swarm/secret.go, `SecretSpec`; the data is text in base64 (`[]byte`).
pub(super) const SECRET: &Schema = &Schema {
    parts: &[&[
        harmless("Name", Shape::Text),
        limited("Labels", Shape::TextMap, Limit::Labels),
        harmless("Data", Shape::Text),
        limited("Driver", Shape::Object(DRIVER), Limit::SecretDriver),
        limited("Templating", Shape::Object(DRIVER), Limit::SecretTemplating),
    ]],
};

#[rustfmt::skip]
/// moby: api/types/swarm/config.go, `ConfigSpec`.
pub(super) const CONFIG: &Schema = &Schema {
    parts: &[&[
        harmless("Name", Shape::Text),
        limited("Labels", Shape::TextMap, Limit::Labels),
        harmless("Data", Shape::Text),
        limited("Templating", Shape::Object(DRIVER), Limit::ConfigTemplating),
    ]],
};
