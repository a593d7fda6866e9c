//! Events: their attributes hold the labels of what they are about, and the name of an action may hold a command line.

use super::HIDDEN;
use super::hide::whole;
use crate::engine_api::json::{Text, Value};
use crate::policy::Quiet;

/// Hides what one event tells of what the policy hides.
pub(super) fn hide(event: &mut Value, quiet: &Quiet) {
    if quiet.command_lines.value {
        // moby: daemon/exec.go, the action is `exec_create: ` or `exec_start: ` and the whole command. `status` is what
        // versions below 1.52 call it.
        for key in ["Action", "status"] {
            if let Some(Value::Text(action)) = event.get_mut(key) {
                without_command(action);
            }
        }
    }
    let kind = event.text("Type").to_owned();
    let Some(actor) = event.get_mut("Actor") else {
        return;
    };
    match actor.get_mut("Attributes") {
        Some(Value::Object(attributes)) => {
            for (key, value) in attributes {
                if is_hidden(&kind, key, quiet) {
                    whole(value);
                }
            }
        }
        Some(other) => whole(other),
        None => {}
    }
}

fn without_command(action: &mut Text) {
    if action.starts_with("exec_")
        && let Some((name, _)) = action.split_once(':')
    {
        *action = format!("{name}: {HIDDEN}").into();
    }
}

/// Labels stand among the attributes, so that only what the daemon always sets over them is known to be none.
///
/// moby: daemon/events.go, `LogContainerEventWithAttributes` sets `name` and `image` after the labels;
/// daemon/daemon_unix.go, `LogDaemonEventWithAttributes` tells the whole configuration on a reload.
fn is_hidden(kind: &str, key: &str, quiet: &Quiet) -> bool {
    let is_of_daemon = match kind {
        "container" => matches!(key, "name" | "image"),
        "service" | "secret" | "config" | "volume" | "network" | "plugin" => key == "name",
        _ => false,
    };
    let is_of_host = match kind {
        "daemon" => true,
        "node" => key == "name",
        _ => false,
    };
    (quiet.host_details.value && is_of_host)
        || ((quiet.host_paths.value || quiet.secrets.value) && kind == "daemon")
        || (!is_of_daemon && quiet.hides_label(key))
        || (kind == "daemon" && key == "labels" && !quiet.labels.value.is_empty())
        || (quiet.command_lines.value && COMMAND_ATTRIBUTES.contains(&key))
}

/// Podman's names for what Docker has in the action.
pub(super) const COMMAND_ATTRIBUTES: &[&str] = &["command", "cmd", "execCommand"];
