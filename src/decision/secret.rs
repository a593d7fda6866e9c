//! Limits on secrets and configs: where their data comes from, and whether it is a template.

use super::{Judge, Reason};
use crate::engine_api::json::Value;
use crate::policy::Limit;

impl Judge<'_> {
    /// No option is shown: a driver may take a password as one.
    pub(super) fn secret_driver(&mut self, path: &str, value: &Value) {
        let setting = &self.policy.secret.drivers;
        let driver = value.text("Name");
        if is_nothing(value) || setting.value.iter().any(|pattern| pattern.matches(driver)) {
            return;
        }
        let remedy = if driver.is_empty() {
            String::new()
        } else {
            format!("`drivers = [{}]` in `[secret]`", Reason::quoted(driver))
        };
        let message = "a plugin would be asked for the secret, and told which service wants it";
        self.refuse(
            Reason::new("secret-driver", &format!("{path}.Name"), driver, message)
                .opened_by(setting.line, &remedy),
        );
    }

    /// swarmkit: template/context.go: the daemon of the node runs the data as a Go template, which can loop.
    pub(super) fn templating(
        &mut self,
        table: &str,
        path: &str,
        value: &Value,
        setting: &Limit<bool>,
    ) {
        if is_nothing(value) || setting.value {
            return;
        }
        let remedy = format!("`templating = true` in `[{table}]`");
        let message = "the daemon would run the data as a template, with the task's other secrets";
        self.refuse(
            Reason::new(
                "templating",
                &format!("{path}.Name"),
                value.text("Name"),
                message,
            )
            .opened_by(setting.line, &remedy),
        );
    }
}

/// Whether neither a driver nor an option is named; an empty driver is none.
fn is_nothing(value: &Value) -> bool {
    value.members().all(|(_, member)| member.is_zero())
}
