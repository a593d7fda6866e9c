//! Limits on resource limits: those that put a container before the host's own processes, or reach the kernel's memory.

use super::{Judge, Reason};
use crate::engine_api::Key;
use crate::engine_api::json::{self, Value};

/// Limits of files, memory and processes that hold inside the container.
const HARMLESS: &[&str] = &[
    "core", "cpu", "data", "fsize", "locks", "nofile", "nproc", "rss", "stack",
];

/// What lets a process ask for a realtime policy.
const REALTIME: &str = "rtprio";

impl Judge<'_> {
    /// moby: daemon/oci_linux.go, `withRlimits` makes `RLIMIT_` and capitals of any name.
    pub(super) fn ulimits(&mut self, path: &str, value: &Value) {
        for (index, item) in value.items().iter().enumerate() {
            let name = item.text("Name");
            if !self.opens_ulimit(name) {
                self.refuse_ulimit(&format!("{path}[{index}].Name"), name, name);
            }
        }
    }

    /// Read as strictly as a body: the daemon takes any spelling of the keys.
    pub(super) fn build_ulimits(&mut self, path: &str, text: &str) {
        if text.is_empty() {
            return;
        }
        let items = match json::parse(text.as_bytes()) {
            Ok(Value::List(items)) => items,
            Ok(Value::Null) => return,
            Ok(_) | Err(_) => return self.unread_ulimits(path, text),
        };
        let is_plain = |item: &Value| {
            let is_known = |(key, value): &(Key, Value)| match key.as_str() {
                "Name" => matches!(value, Value::Text(_)),
                "Hard" | "Soft" => matches!(value, Value::Number(_)),
                _ => false,
            };
            let is_object = matches!(item, Value::Object(_)) && !item.is_zero();
            is_object && item.members().all(is_known)
        };
        if !items.iter().all(is_plain) {
            return self.unread_ulimits(path, text);
        }
        self.ulimits(path, &Value::List(items));
    }

    /// Time of the processors that is given to realtime tasks.
    pub(super) fn cpu_realtime(&mut self, path: &str, value: &Value) {
        if !value.is_zero() && !self.opens_ulimit(REALTIME) {
            self.refuse_ulimit(path, &Reason::text(value), REALTIME);
        }
    }

    fn opens_ulimit(&self, name: &str) -> bool {
        let name = name.to_ascii_lowercase();
        let named = &self.policy.container.ulimits.value;
        HARMLESS.contains(&name.as_str()) || named.contains(&name)
    }

    fn refuse_ulimit(&mut self, path: &str, shown: &str, name: &str) {
        let message = "it may put the container before the host's own processes, or take memory that the host cannot take back";
        let quoted = Reason::quoted(&name.to_ascii_lowercase());
        let remedy = format!("`ulimits = [{quoted}]` in `[container]`");
        let line = self.policy.container.ulimits.line;
        self.refuse(Reason::new("ulimit", path, shown, message).opened_by(line, &remedy));
    }

    fn unread_ulimits(&mut self, path: &str, text: &str) {
        let message = "it is no list of objects with `Name`, `Hard` and `Soft`";
        self.refuse(Reason::new("ulimit", path, text, message));
    }
}
