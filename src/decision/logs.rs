//! Limits on where a container's logs go.

use super::{Judge, Reason, log_options};
use crate::engine_api::Operation;
use crate::engine_api::json::Value;

/// Log drivers that write on the daemon's host only; no name is the daemon's default.
const LOCAL_DRIVERS: &[&str] = &["", "json-file", "local", "none"];

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
        for (key, option) in value.get(options).into_iter().flat_map(Value::members) {
            if let Some(message) = log_options::fault(key, option.as_text()) {
                let carries_secrets = self
                    .request
                    .operation()
                    .is_some_and(Operation::carries_secrets);
                let shown = if carries_secrets {
                    String::new()
                } else {
                    Reason::text(option)
                };
                let place = format!("{path}.{options}.{key}");
                let reason = Reason::new("log-option", &place, &shown, &message);
                self.refuse(reason.opened_by(setting.line, ""));
            }
        }
    }
}
