//! What readers are not shown: `[quiet]`.

use super::document::Table;
use super::limits::{limit, patterns};
use super::value::Value;
use super::{Limit, Pattern};

/// `[quiet]`: what a constant stands for in answers; it opens nothing.
#[derive(Debug, Clone, Default)]
pub struct Quiet {
    /// Values of environment variables; the names stay.
    pub environment: Limit<bool>,
    /// Where on the host mounts, volumes and the daemon's own files of a container lie.
    pub host_paths: Limit<bool>,
    /// Keys of labels whose values are hidden.
    pub labels: Limit<Vec<Pattern>>,
    /// Commands with their arguments.
    pub command_lines: Limit<bool>,
    /// Join tokens, the unlock key, data of configs, options of drivers.
    pub secrets: Limit<bool>,
    /// What `info`, `version` and nodes tell of a machine.
    pub host_details: Limit<bool>,
}

impl Quiet {
    /// Whether any key hides anything.
    #[must_use]
    pub fn hides_anything(&self) -> bool {
        !self.labels.value.is_empty()
            || [
                &self.environment,
                &self.host_paths,
                &self.command_lines,
                &self.secrets,
                &self.host_details,
            ]
            .iter()
            .any(|setting| setting.value)
    }

    /// Whether it hides just what another does, wherever that stands in its policy.
    #[must_use]
    pub fn hides_like(&self, other: &Self) -> bool {
        let values = |quiet: &Self| {
            [
                quiet.environment.value,
                quiet.host_paths.value,
                quiet.command_lines.value,
                quiet.secrets.value,
                quiet.host_details.value,
            ]
        };
        values(self) == values(other) && self.labels.value == other.labels.value
    }

    /// Whether the value of a label with this key is hidden.
    #[must_use]
    pub fn hides_label(&self, key: &str) -> bool {
        self.labels.value.iter().any(|pattern| pattern.matches(key))
    }
}

pub(super) fn quiet(table: &mut Table<'_>) -> Quiet {
    Quiet {
        environment: limit(table, "environment", Value::boolean),
        host_paths: limit(table, "host-paths", Value::boolean),
        labels: patterns(table, "labels"),
        command_lines: limit(table, "command-lines", Value::boolean),
        secrets: limit(table, "secrets", Value::boolean),
        host_details: limit(table, "host-details", Value::boolean),
    }
}
