//! Limits on where a container's logs go.

use super::{Judge, Reason};
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
        self.log_driver(path, value, ("Type", "Config"));
    }

    /// A driver and its options, by the names that they have in the object.
    pub(super) fn log_driver(&mut self, path: &str, value: &Value, (of, with): (&str, &str)) {
        let setting = &self.policy.container.log_drivers;
        let driver = value.text(of);
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
                Reason::new("log-driver", &format!("{path}.{of}"), driver, message)
                    .opened_by(setting.line, &remedy),
            );
            return;
        }
        for (key, option) in value.get(with).map(Value::members).unwrap_or_default() {
            if !LOCAL_OPTIONS.contains(&key.as_str()) {
                let message = "no option of the drivers that log locally";
                self.refuse(
                    Reason::new(
                        "log-option",
                        &format!("{path}.{with}.{key}"),
                        &Reason::text(option),
                        message,
                    )
                    .opened_by(setting.line, ""),
                );
            }
        }
    }
}
