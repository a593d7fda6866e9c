//! Limits on managed plugins: which, what they are given, and what is set in them.

use super::{Judge, Reason};
use crate::engine_api::json::Value;
use crate::engine_api::{Body, EngineRequest, Operation, reference};
use crate::policy::{Limit, Pattern};

impl Judge<'_> {
    /// What a request about plugins says in its path and body, and what it does whatever it says.
    pub(super) fn plugin(&mut self) {
        match self.request.operation() {
            Some(
                Operation::PluginEnable
                | Operation::PluginDisable
                | Operation::PluginDelete
                | Operation::PluginPush,
            ) => self.existing_plugin(),
            Some(Operation::PluginSet) => {
                self.existing_plugin();
                self.plugin_settings();
            }
            Some(Operation::PluginPull) => self.plugin_privileges(false),
            Some(Operation::PluginUpgrade) => {
                self.existing_plugin();
                self.plugin_privileges(true);
            }
            Some(Operation::PluginCreate) => self.plugin_archive(),
            Some(_) | None => {}
        }
    }

    /// `remote`, which is in a registry, and `name`, which a new plugin gets here in its place.
    ///
    /// moby: plugin/fetch_linux.go from 20.10 to 24, `withFetchProgress` ends the daemon where a remote has a digest, so
    /// that a digest passes only where the policy has just the same.
    pub(super) fn plugin_by_name(&mut self, path: &str, text: &str) {
        if path == "?name" && text.is_empty() {
            return;
        }
        self.plugin_reference(path, text, &[reference::forms_of_name(text)]);
        if path == "?remote" && has_digest(text) && !self.is_pinned(text) {
            let form = reference::forms_of_name(text).into_iter().next();
            let form = form.unwrap_or_default();
            let message = "no rule names just this digest; engines from 20.10 to 24 end when they are asked for one";
            self.refuse(
                Reason::new("plugin-not-pinned", path, text, message).opened_by(
                    self.policy.plugin.references.line,
                    &remedy("references", &form, &form),
                ),
            );
        }
    }

    fn existing_plugin(&mut self) {
        if let Some(name) = self.request.head.target.name() {
            let name = name.to_owned();
            self.plugin_reference("{name}", &name, &reference::forms_of_plugin(&name));
        }
    }

    fn plugin_reference(&mut self, path: &str, text: &str, readings: &[Vec<String>]) {
        let setting = &self.policy.plugin.references;
        let fits = |form: &String| setting.value.iter().any(|pattern| pattern.matches(form));
        if readings.iter().all(|forms| forms.iter().any(fits)) {
            return;
        }
        let entries = readings.iter().filter_map(|forms| forms.last());
        let entries: Vec<String> = entries.map(|form| Reason::quoted(form)).collect();
        let remedy = format!("`{}` in `references` in `[plugin]`", entries.join(", "));
        self.refuse(
            Reason::new("plugin", path, text, "no rule opens this plugin")
                .opened_by(setting.line, &remedy),
        );
    }

    /// Each privilege must be opened; and since the daemon cannot be relied on to hold the list against what the plugin
    /// takes, a plugin that gets any must be one that the policy pins, or the policy opens all privileges.
    ///
    /// moby: plugin/manager.go from 17.06 to 29.3.0, `isEqual` never compares the first privilege (CVE-2026-33997), and
    /// `computePrivileges` leaves out type and options of a mount, so that `mount:overlay` can have `lowerdir=/`. An
    /// upgrade keeps the devices of the plugin before it (plugin/v2/plugin_linux.go reads those from the settings).
    fn plugin_privileges(&mut self, is_upgrade: bool) {
        let privileges = items(self.request);
        for (index, privilege) in privileges.iter().enumerate() {
            self.plugin_privilege(&format!("[{index}]"), privilege);
        }
        let setting = &self.policy.plugin.privileges;
        let opens_all = setting.value.iter().any(|open| open.as_str() == "*");
        let takes_some = is_upgrade || !privileges.is_empty();
        let remote = self.request.head.query.get("remote").unwrap_or_default();
        if takes_some && !opens_all && !has_digest(remote) {
            let message = "only what a policy pins is known to take no more than it says: ask for NAME@DIGEST, with \
                           just that in `references`";
            self.refuse(
                Reason::new("plugin-not-pinned", "?remote", remote, message)
                    .opened_by(setting.line, "`privileges = [\"*\"]` in `[plugin]`"),
            );
        }
    }

    /// Whether the policy names this very content without a wildcard.
    fn is_pinned(&self, remote: &str) -> bool {
        let is_whole = |form: &String| {
            let mut patterns = self.policy.plugin.references.value.iter();
            has_digest(form) && patterns.any(|pattern| pattern.as_str() == form)
        };
        reference::forms_of_name(remote).iter().any(is_whole)
    }

    fn plugin_privilege(&mut self, path: &str, privilege: &Value) {
        let name = privilege.text("Name");
        let mut values: Vec<&str> = privilege
            .get("Value")
            .into_iter()
            .flat_map(Value::texts)
            .collect();
        if values.is_empty() {
            values.push("");
        }
        let setting = &self.policy.plugin.privileges;
        for value in values {
            let text = format!("{name}:{value}");
            if !opens(setting, &text) {
                let remedy = remedy("privileges", &text, &text);
                let message = "the plugin would have this of the host";
                self.refuse(
                    Reason::new("plugin-privilege", path, &text, message)
                        .opened_by(setting.line, &remedy),
                );
            }
        }
    }

    /// A setting's value may be a password, so that only its name is told.
    fn plugin_settings(&mut self) {
        let setting = &self.policy.plugin.settings;
        for (index, text) in items(self.request).iter().map(Value::as_text).enumerate() {
            if opens(setting, text) {
                continue;
            }
            let (name, remedy, message) = match text.split_once('=') {
                Some((name, _)) if climbs(text) => {
                    let message = "a path with `..` can lead past what is opened; write it without";
                    (name, String::new(), message)
                }
                Some((name, _)) => {
                    let message = "it changes what the plugin has; where it is a path of the host, open that value alone";
                    (
                        name,
                        remedy("settings", &format!("{name}=*"), text),
                        message,
                    )
                }
                None => {
                    let message = "it empties what the plugin has";
                    (text, remedy("settings", text, text), message)
                }
            };
            self.refuse(
                Reason::new("plugin-setting", &format!("[{index}]"), name, message)
                    .opened_by(setting.line, &remedy),
            );
        }
    }

    fn plugin_archive(&mut self) {
        let setting = &self.policy.plugin.creates_unread;
        if !setting.value {
            let message = "the gate does not read the archive, and the plugin takes of the host what stands there";
            self.refuse(Reason::new("plugin-archive", "", "", message).opened_by(
                setting.line,
                "`dangerously-create-unread = true` in `[plugin]`",
            ));
        }
    }
}

fn has_digest(remote: &str) -> bool {
    remote.contains('@')
}

/// The items of the body, none where there is no body.
fn items(request: &EngineRequest) -> &[Value] {
    match &request.body {
        Body::Json(value) => value.items(),
        Body::None | Body::Stream => &[],
    }
}

/// The change that opens the text by an entry, where a policy can say it.
fn remedy(key: &str, entry: &str, text: &str) -> String {
    let opens_it = |pattern: Pattern| opens_by(&pattern, text);
    let can_stand = entry.len() <= LONGEST_ENTRY && Pattern::parse(entry).is_ok_and(opens_it);
    if can_stand {
        format!("`{key} = [{}]` in `[plugin]`", Reason::quoted(entry))
    } else {
        String::new()
    }
}

/// In bytes; a remedy is for reading.
const LONGEST_ENTRY: usize = 200;

/// Whether a pattern fits; a text whose path leads upwards fits only where the policy has the same.
fn opens(setting: &Limit<Vec<Pattern>>, text: &str) -> bool {
    setting.value.iter().any(|open| opens_by(open, text))
}

fn opens_by(open: &Pattern, text: &str) -> bool {
    open.as_str() == text || (!climbs(text) && open.matches(text))
}

fn climbs(text: &str) -> bool {
    text.split(['/', '=', ':']).any(|part| part == "..")
}
