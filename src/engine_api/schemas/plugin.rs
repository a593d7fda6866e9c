//! The bodies of `PluginPull`, `PluginUpgrade` and `PluginSet`, which are lists and judged as a whole.

use super::super::schema::{Schema, Shape};
use super::harmless;

/// The privileges that the client says a plugin may have.
pub(super) const PRIVILEGES: Shape = Shape::List(&Shape::Object(PRIVILEGE));

/// `NAME[.FIELD]=VALUE` each (moby: daemon/pkg/plugin/v2/settable.go).
pub(super) const SETTINGS: Shape = Shape::TextList;

/// moby: api/types/plugin/plugin_responses.go.
const PRIVILEGE: &Schema = &Schema {
    parts: &[&[
        harmless("Name", Shape::Text),
        harmless("Description", Shape::Text),
        harmless("Value", Shape::TextList),
    ]],
};
