//! Limits on services: what their tasks mount, publish and read on the nodes of a swarm.

use super::{Judge, Reason};
use crate::engine_api::json::Value;
use crate::engine_api::mount::{Mount, Source};
use crate::policy::{Limit, Pattern};

/// The ports that a swarm gives out by itself.
///
/// github.com/moby/swarmkit, manager/allocator/portallocator.go, `dynamicPortStart`.
const INGRESS_PORTS: &str = "30000-32767";

/// The mode without a profile, and the security option of a container that says the same.
pub(super) const NO_SECCOMP: (&str, &str) = ("unconfined", "seccomp=unconfined");
pub(super) const NO_APPARMOR: (&str, &str) = ("disabled", "apparmor=unconfined");

impl Judge<'_> {
    pub(super) fn service_mounts(&mut self, path: &str, value: &Value) {
        for (index, item) in value.items().iter().enumerate() {
            let path = format!("{path}[{index}]");
            let text = item.to_string();
            if has_template(item) {
                let message = "a node fills it in after the gate has judged it";
                self.refuse(Reason::new("mount-template", &path, &text, message));
                continue;
            }
            self.volume_labels(&path, item);
            let mount = Mount::from_mount(item);
            match &mount.source {
                Source::HostPath(source) => {
                    self.mount_options(&path, &text, &mount);
                    let message =
                        "a path of whichever node runs the task, which the gate cannot follow";
                    self.refuse(Reason::new("service-host-path", &path, source, message));
                }
                Source::Volume { name, .. } => {
                    let setting = &self.policy.service.volumes;
                    let message = "a node may have a volume of this name, made by anyone";
                    if !name.is_empty() {
                        let names = ("service-volume", "volumes");
                        self.service_pattern(names, (&path, name), setting, message);
                    }
                    self.mount(&path, &text, &mount);
                }
                Source::Tmpfs | Source::Image(_) | Source::Unknown(_) => {
                    self.mount(&path, &text, &mount);
                }
            }
        }
    }

    /// moby: daemon/cluster/executor/container/container.go, `applyPrivileges`.
    pub(super) fn selinux_context(&mut self, path: &str, context: &Value) {
        if context.get("Disable") == Some(&Value::Bool(true)) {
            self.security_option(&format!("{path}.Disable"), "label=disable");
        }
        for (key, word) in [
            ("User", "user"),
            ("Role", "role"),
            ("Type", "type"),
            ("Level", "level"),
        ] {
            let label = context.text(key);
            if !label.is_empty() {
                let option = format!("label={word}:{label}");
                self.security_option(&format!("{path}.{key}"), &option);
            }
        }
    }

    /// The default, none at all as a container's option says it, or a profile of the client's own.
    pub(super) fn profile(&mut self, path: &str, mode: &str, (none, option): (&str, &str)) {
        match mode {
            "" | "default" => {}
            mode if mode == none => self.security_option(path, option),
            mode => {
                let message = "a profile in place of the daemon's";
                let line = self.policy.container.security_options.line;
                let reason = Reason::new("security-option", path, mode, message);
                self.refuse(reason.opened_by(line, ""));
            }
        }
    }

    /// moby: daemon/cluster/convert/service.go, any mode but `host` publishes on every node.
    pub(super) fn service_ports(&mut self, path: &str, value: &Value) {
        for (index, port) in value.items().iter().enumerate() {
            let is_host = port.text("PublishMode").eq_ignore_ascii_case("host");
            let published = match port.get("PublishedPort") {
                Some(number) if !number.is_zero() => number.to_string(),
                Some(_) | None if is_host => String::new(),
                Some(_) | None => INGRESS_PORTS.to_owned(),
            };
            self.published(|| format!("{path}[{index}]"), "", &published);
        }
    }

    pub(super) fn service_secrets(&mut self, path: &str, value: &Value) {
        let message = "no rule opens this secret to services";
        let setting = &self.policy.service.secrets;
        for (index, secret) in value.items().iter().enumerate() {
            let place = format!("{path}[{index}].SecretName");
            let names = ("service-secret", "secrets");
            self.service_pattern(names, (&place, secret.text("SecretName")), setting, message);
        }
    }

    pub(super) fn service_configs(&mut self, path: &str, value: &Value) {
        let message = "no rule opens this config to services";
        let setting = &self.policy.service.configs;
        for (index, config) in value.items().iter().enumerate() {
            let place = format!("{path}[{index}].ConfigName");
            let names = ("service-config", "configs");
            self.service_pattern(names, (&place, config.text("ConfigName")), setting, message);
        }
    }

    /// The runtime of a node may hand over a device for each.
    pub(super) fn generic_resources(&mut self, path: &str, value: &Value) {
        let message = "it takes what a node keeps apart, such as a device";
        let setting = &self.policy.service.generic_resources;
        for (index, resource) in value.items().iter().enumerate() {
            for key in ["DiscreteResourceSpec", "NamedResourceSpec"] {
                if let Some(spec) = resource.get(key) {
                    let place = format!("{path}[{index}].{key}.Kind");
                    let names = ("generic-resource", "generic-resources");
                    self.service_pattern(names, (&place, spec.text("Kind")), setting, message);
                }
            }
        }
    }

    pub(super) fn task_runtime(&mut self, path: &str, runtime: &str) {
        if !matches!(runtime, "" | "container") {
            let message = "its tasks would be no containers";
            self.refuse(Reason::new("task-runtime", path, runtime, message));
        }
    }

    /// moby: daemon/cluster/services.go, `previous` takes the spec before the present one, and the body for nothing.
    pub(super) fn service_rollback(&mut self, path: &str, rollback: &str) {
        if !matches!(rollback, "" | "none") {
            let message = "the service would become what it was before, which the gate does not see; update it to that";
            self.refuse(Reason::new("service-rollback", path, rollback, message));
        }
    }

    /// A name that must fit a pattern under a key of `[service]`.
    fn service_pattern(
        &mut self,
        (code, key): (&'static str, &str),
        (path, name): (&str, &str),
        setting: &Limit<Vec<Pattern>>,
        message: &str,
    ) {
        if !setting.value.iter().any(|pattern| pattern.matches(name)) {
            // A pattern is never empty, and the daemon takes no empty name.
            let name_or_any = if name.is_empty() { "*" } else { name };
            let remedy = format!("`{key} = [{}]` in `[service]`", Reason::quoted(name_or_any));
            self.refuse(Reason::new(code, path, name, message).opened_by(setting.line, &remedy));
        }
    }
}

/// Whether a node would fill in where the mount comes from or what its volume is.
///
/// github.com/moby/swarmkit, template/expand.go, `expandMounts`: source, target, labels and driver options.
fn has_template(mount: &Value) -> bool {
    let driver = mount
        .get("VolumeOptions")
        .and_then(|options| options.get("DriverConfig"));
    let options = driver.and_then(|driver| driver.get("Options"));
    let mut options = options.into_iter().flat_map(Value::members);
    let is_template = |text: &str| text.contains("{{");
    is_template(mount.text("Source")) || options.any(|(_, value)| is_template(value.as_text()))
}
