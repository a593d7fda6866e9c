//! Limits on networks: which are joined, how they are made, and whether containers on them may talk.

use super::{Judge, Reason};
use crate::engine_api::json::Value;
use crate::engine_api::{Operation, mount};
use crate::policy::{Icc, Namespace};

/// The option of the bridge driver that lets containers on one network talk to each other.
pub(super) const ENABLE_ICC: &str = "com.docker.network.bridge.enable_icc";

/// Options of the bridge driver that stay inside the network that is made.
const HARMLESS_OPTIONS: &[&str] = &[
    "com.docker.network.driver.mtu",
    "com.docker.network.bridge.enable_ip_masquerade",
];

/// Options of an endpoint that stay inside the container.
const HARMLESS_ENDPOINT_OPTIONS: &[&str] = &["com.docker.network.endpoint.ifname"];

impl Judge<'_> {
    /// `HostConfig.NetworkMode`, `networkmode` of a build, and every other name of a network that is joined.
    pub(super) fn network_mode(&mut self, path: &str, mode: &str) {
        match mode {
            "none" => {}
            "host" => self.foreign_namespace(path, mode, Some(Namespace::HostNetwork)),
            "" | "default" => self.network(path, "bridge"),
            joined if joined.starts_with("container:") => {
                self.foreign_namespace(path, mode, Some(Namespace::ContainerNetwork));
            }
            name if mount::is_name(name) => self.network(path, name),
            _ => self.foreign_namespace(path, mode, None),
        }
    }

    /// A container or build without a network mode joins the default bridge.
    pub(super) fn absent_network_mode(&mut self) {
        match (self.request.operation(), self.body()) {
            (Some(Operation::ContainerCreate), body) => {
                let mode = body
                    .and_then(|body| body.get("HostConfig"))
                    .and_then(|host| host.get("NetworkMode"));
                let is_disabled = body
                    .is_some_and(|body| body.get("NetworkDisabled") == Some(&Value::Bool(true)));
                if mode.is_none() && !is_disabled {
                    self.network_mode("HostConfig.NetworkMode", "");
                }
            }
            (Some(Operation::ImageBuild), _) => {
                let mode = self.request.head.query.get("networkmode");
                if mode.is_none_or(str::is_empty) {
                    self.network_mode("?networkmode", "");
                }
            }
            (Some(_) | None, _) => {}
        }
    }

    fn network(&mut self, path: &str, name: &str) {
        let setting = &self.policy.container.networks;
        if !setting.value.iter().any(|pattern| pattern.matches(name)) {
            let remedy = format!("`networks = [{}]` in `[container]`", Reason::quoted(name));
            self.refuse(
                Reason::new("network", path, name, "no rule opens this network")
                    .opened_by(setting.line, &remedy),
            );
        }
    }

    pub(super) fn endpoints(&mut self, path: &str, value: &Value) {
        for (name, _) in value.members() {
            self.network_mode(&format!("{path}.{name}"), name);
        }
    }

    /// Names that stand in the path of a request.
    pub(super) fn names(&mut self) {
        let Some(name) = self.request.head.target.name().map(str::to_owned) else {
            return;
        };
        match self.request.operation() {
            Some(Operation::NetworkConnect) => self.network_mode("{id}", &name),
            Some(Operation::ImagePush | Operation::ImageTag | Operation::ImageDelete) => {
                self.image("{name}", &name);
            }
            Some(_) | None => {}
        }
    }

    pub(super) fn endpoint_options(&mut self, path: &str, value: &Value) {
        self.options("endpoint-option", path, value, HARMLESS_ENDPOINT_OPTIONS);
    }

    pub(super) fn network_driver(&mut self, path: &str, driver: &str) {
        let setting = &self.policy.network.drivers;
        if !matches!(driver, "" | "bridge" | "default")
            && !setting.value.iter().any(|pattern| pattern.matches(driver))
        {
            let remedy = format!("`drivers = [{}]` in `[network]`", Reason::quoted(driver));
            let message = "it may share the host's interfaces or need swarm";
            self.refuse(
                Reason::new("network-driver", path, driver, message)
                    .opened_by(setting.line, &remedy),
            );
        }
    }

    pub(super) fn ipam_driver(&mut self, path: &str, driver: &str) {
        if !matches!(driver, "" | "default") {
            self.refuse(Reason::new(
                "ipam-driver",
                path,
                driver,
                "a plugin decides the addresses",
            ));
        }
    }

    pub(super) fn network_options(&mut self, path: &str, value: &Value) {
        let setting = &self.policy.network.icc;
        let icc = value.get(ENABLE_ICC).map(Value::as_text);
        let switches_on =
            icc.is_some_and(|text| !matches!(text, "0" | "f" | "F" | "false" | "False" | "FALSE"));
        if switches_on && setting.value != Icc::Any {
            let path = format!("{path}.{ENABLE_ICC}");
            let message = "it switches on the traffic between containers";
            self.refuse(
                Reason::new("icc", &path, icc.unwrap_or_default(), message)
                    .opened_by(setting.line, "`icc = \"any\"` in `[network]`"),
            );
        }
        let harmless: Vec<&str> = HARMLESS_OPTIONS
            .iter()
            .copied()
            .chain([ENABLE_ICC])
            .collect();
        self.options("network-option", path, value, &harmless);
    }

    fn options(&mut self, code: &'static str, path: &str, value: &Value, harmless: &[&str]) {
        let setting = &self.policy.network.options;
        for (key, value) in value
            .members()
            .iter()
            .filter(|(key, _)| !harmless.contains(&key.as_str()))
        {
            if !setting.value.iter().any(|pattern| pattern.matches(key)) {
                let remedy = format!("`options = [{}]` in `[network]`", Reason::quoted(key));
                let message = "the network driver may reach the host by it";
                self.refuse(
                    Reason::new(
                        code,
                        &format!("{path}.{key}"),
                        &Reason::text(value),
                        message,
                    )
                    .opened_by(setting.line, &remedy),
                );
            }
        }
    }
}
