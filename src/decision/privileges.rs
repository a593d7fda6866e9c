//! Limits on a container's rights: capabilities, devices, security profiles, the memory killer.

use super::{Judge, Reason};
use crate::engine_api::json::Value;
use crate::policy::{paths, words};

/// What Docker gives every container.
///
/// moby: daemon/pkg/oci/caps/defaults.go, `DefaultCapabilities`.
#[rustfmt::skip]
const DEFAULT_CAPABILITIES: &[&str] = &[
    "AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE", "NET_RAW",
    "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT",
];

impl Judge<'_> {
    /// moby: daemon/pkg/oci/caps/utils.go, `NormalizeLegacyCapabilities`: case and the prefix `CAP_` do not matter.
    pub(super) fn capabilities(&mut self, path: &str, value: &Value) {
        let setting = &self.policy.container.capabilities;
        let permits = |name: &str| {
            setting
                .value
                .iter()
                .any(|permitted| permitted == "ALL" || permitted == name)
        };
        for text in value.texts() {
            let upper = text.to_uppercase();
            let name = upper.strip_prefix("CAP_").unwrap_or(&upper);
            if !DEFAULT_CAPABILITIES.contains(&name) && !permits(name) {
                if self.has_enough() {
                    // To look for a name that is nearest takes long.
                    self.has_more = true;
                    return;
                }
                // A name that no capability has cannot stand in a policy.
                let remedy = words::capability(text)
                    .map(|name| format!("`capabilities = [\"{name}\"]` in `[container]`"))
                    .unwrap_or_default();
                let message = "a capability beyond Docker's default set";
                self.refuse(
                    Reason::new("capability", path, text, message).opened_by(setting.line, &remedy),
                );
            }
        }
    }

    pub(super) fn devices(&mut self, path: &str, value: &Value) {
        let setting = &self.policy.container.devices;
        for (index, device) in value.items().iter().enumerate() {
            let on_host = device.text("PathOnHost");
            if !setting.value.iter().any(|permitted| permitted == on_host) {
                let remedy = paths::absolute_path(on_host)
                    .map(|device| {
                        format!("`devices = [{}]` in `[container]`", Reason::quoted(&device))
                    })
                    .unwrap_or_default();
                let path = format!("{path}[{index}].PathOnHost");
                self.refuse(
                    Reason::new("device", &path, on_host, "a device of the host")
                        .opened_by(setting.line, &remedy),
                );
            }
        }
    }

    /// moby: daemon/daemon_unix.go, `parseSecurityOpt`: `=` and `:` both part name and value.
    pub(super) fn security_options(&mut self, path: &str, value: &Value) {
        for text in value.texts() {
            self.security_option(path, text);
        }
    }

    pub(super) fn security_option(&mut self, path: &str, text: &str) {
        let setting = &self.policy.container.security_options;
        let split = |text: &str| -> (String, String) {
            let (name, value) = text
                .split_once('=')
                .or_else(|| text.split_once(':'))
                .unwrap_or((text, ""));
            (name.to_owned(), value.to_owned())
        };
        let (name, option) = split(text);
        let is_harmless = match name.as_str() {
            "no-new-privileges" => matches!(
                option.as_str(),
                "" | "1" | "t" | "T" | "true" | "True" | "TRUE"
            ),
            // Any profile by name, the built-in one too, takes the place of the one that the daemon is set to.
            _ => false,
        };
        let permits = |permitted: &String| split(permitted) == split(text);
        if !is_harmless && !setting.value.iter().any(permits) {
            let can_stand = text.len() <= 100 && words::security_option(text).is_ok();
            let remedy = if can_stand {
                let option = Reason::quoted(text);
                format!("`security-options = [{option}]` in `[container]`")
            } else {
                String::new()
            };
            let message = "it weakens or replaces a security profile";
            self.refuse(
                Reason::new("security-option", path, text, message)
                    .opened_by(setting.line, &remedy),
            );
        }
    }

    pub(super) fn oom_score(&mut self, path: &str, value: &Value) {
        let setting = &self.policy.container.negative_oom_score;
        let is_negative =
            matches!(value, Value::Number(number) if number.as_i64().is_none_or(|score| score < 0));
        if is_negative && !setting.value {
            let message = "the host would kill other processes first";
            self.refuse(
                Reason::new("oom-score", path, &Reason::text(value), message)
                    .opened_by(setting.line, "`negative-oom-score = true` in `[container]`"),
            );
        }
    }
}
