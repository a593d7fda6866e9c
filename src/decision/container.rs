//! Limits on what a container may be: switches and lists of the policy's `[container]` table.

use super::{Judge, Reason};
use crate::engine_api::json::Value;
use crate::policy::{Limit, Pattern};

impl Judge<'_> {
    /// A field that a key of the same meaning opens; `code` is the name of the key too.
    pub(super) fn switch(
        &mut self,
        code: &'static str,
        (path, value): (&str, &Value),
        setting: &Limit<bool>,
        message: &str,
    ) {
        if !value.is_zero() && !setting.value {
            let remedy = format!("`{code} = true` in `[container]`");
            let reason = Reason::new(code, path, &Reason::text(value), message);
            self.refuse(reason.opened_by(setting.line, &remedy));
        }
    }

    /// A text that must fit a pattern under `key`.
    pub(super) fn pattern(
        &mut self,
        (code, key): (&'static str, &str),
        (path, value): (&str, &Value),
        setting: &Limit<Vec<Pattern>>,
        message: &str,
    ) {
        let text = value.as_text();
        if !text.is_empty() && !setting.value.iter().any(|pattern| pattern.matches(text)) {
            let remedy = format!("`{key} = [{}]` in `[container]`", Reason::quoted(text));
            self.refuse(Reason::new(code, path, text, message).opened_by(setting.line, &remedy));
        }
    }

    /// A map each of whose keys must fit a pattern under `key`.
    pub(super) fn keys(
        &mut self,
        (code, key): (&'static str, &str),
        (path, map): (&str, &Value),
        setting: &Limit<Vec<Pattern>>,
        message: &str,
    ) {
        for (name, value) in map.members() {
            if !setting.value.iter().any(|pattern| pattern.matches(name)) {
                let remedy = format!("`{key} = [{}]` in `[container]`", Reason::quoted(name));
                let reason = Reason::new(
                    code,
                    &format!("{path}.{name}"),
                    &Reason::text(value),
                    message,
                );
                self.refuse(reason.opened_by(setting.line, &remedy));
            }
        }
    }

    /// `MaskedPaths` and `ReadonlyPaths`: any list, an empty one too, replaces the daemon's own.
    ///
    /// moby: daemon/oci_linux.go, `withMaskedPaths` and `withReadonlyPaths` take what the HostConfig has.
    pub(super) fn masked_paths(&mut self, path: &str, value: &Value) {
        let setting = &self.policy.container.unmasked_paths;
        if !setting.value {
            let message = "it replaces the daemon's list of hidden kernel paths";
            let reason = Reason::new("unmasked-paths", path, &Reason::text(value), message);
            self.refuse(reason.opened_by(setting.line, "`unmasked-paths = true` in `[container]`"));
        }
    }

    /// moby: daemon/health.go, `cmdProbe` takes the first word of a command that is not there, which ended the daemon
    /// before 29.5, and with a restart policy every time it was started again.
    pub(super) fn healthcheck(&mut self, path: &str, value: &Value) {
        let test = value.get("Test").map_or(&[][..], Value::items);
        if let [kind] = test
            && kind.as_text().starts_with("CMD")
        {
            let message = "a check without a command, which ends daemons before 29.5";
            let place = format!("{path}.Test");
            self.refuse(Reason::new("healthcheck", &place, kind.as_text(), message));
        }
    }

    pub(super) fn isolation(&mut self, path: &str, value: &Value) {
        if !matches!(
            value.as_text().to_ascii_lowercase().as_str(),
            "" | "default"
        ) {
            let message = "it is not the default isolation";
            self.refuse(Reason::new("isolation", path, value.as_text(), message));
        }
    }

    pub(super) fn storage_options(&mut self, path: &str, value: &Value) {
        for (key, value) in value.members().filter(|(key, _)| key != "size") {
            let (path, text) = (format!("{path}.{key}"), Reason::text(value));
            self.refuse(Reason::new(
                "storage-option",
                &path,
                &text,
                "it configures the daemon's storage",
            ));
        }
    }

    pub(super) fn device_cgroup_rules(&mut self, path: &str, value: &Value) {
        let setting = &self.policy.container.device_cgroup_rules;
        for rule in value.texts() {
            if !setting.value.iter().any(|permitted| permitted == rule) {
                let remedy = format!(
                    "`device-cgroup-rules = [{}]` in `[container]`",
                    Reason::quoted(rule)
                );
                let reason = Reason::new(
                    "device-cgroup-rule",
                    path,
                    rule,
                    "it opens devices of the host",
                );
                self.refuse(reason.opened_by(setting.line, &remedy));
            }
        }
    }
}
