//! Limits on where a container's logs go.

use super::{Judge, Reason};
use crate::engine_api::Operation;
use crate::engine_api::json::Value;

/// Log drivers that write on the daemon's host only; no name is the daemon's default.
const LOCAL_DRIVERS: &[&str] = &["", "json-file", "local", "none"];

/// The options of those drivers.
#[rustfmt::skip]
const LOCAL_OPTIONS: &[&str] = &[
    "compress", "env", "env-regex", "labels", "labels-regex", "max-buffer-size", "max-file", "max-size", "mode", "tag",
];

impl Judge<'_> {
    pub(super) fn log_config(&mut self, path: &str, value: &Value) {
        self.logs((path, value), ("Type", "Config"));
    }

    /// The driver of the tasks of a swarm.
    pub(super) fn log_driver(&mut self, path: &str, value: &Value) {
        self.logs((path, value), ("Name", "Options"));
    }

    fn logs(&mut self, (path, value): (&str, &Value), (name, options): (&str, &str)) {
        let setting = &self.policy.container.log_drivers;
        let driver = value.text(name);
        if !driver.is_empty() && setting.value.iter().any(|pattern| pattern.matches(driver)) {
            return;
        }
        if !LOCAL_DRIVERS.contains(&driver) {
            let remedy = format!(
                "`log-drivers = [{}]` in `[container]`",
                Reason::quoted(driver)
            );
            let message = "the daemon would send logs elsewhere, or write them where others read";
            self.refuse(
                Reason::new("log-driver", &format!("{path}.{name}"), driver, message)
                    .opened_by(setting.line, &remedy),
            );
            return;
        }
        for (key, option) in value.get(options).map(Value::members).unwrap_or_default() {
            if !LOCAL_OPTIONS.contains(&key.as_str()) {
                let message = "no option of the drivers that log locally";
                let carries_secrets = self
                    .request
                    .operation()
                    .is_some_and(Operation::carries_secrets);
                let shown = if carries_secrets {
                    String::new()
                } else {
                    Reason::text(option)
                };
                self.refuse(
                    Reason::new(
                        "log-option",
                        &format!("{path}.{options}.{key}"),
                        &shown,
                        message,
                    )
                    .opened_by(setting.line, ""),
                );
            }
        }
    }
}
