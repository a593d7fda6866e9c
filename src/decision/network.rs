//! Limits on networks: which are joined, how they are made, and whether containers on them may talk.

use super::existing::NOT_LOOKED_UP;
use super::facts::Found;
use super::references::{joins_by_default, needs_default_bridge, needs_network};
use super::{Judge, Reason};
use crate::engine_api::json::Value;
use crate::engine_api::{ENABLE_ICC, Endpoint, ExistingNetwork, Operation, is_false, mount};
use crate::policy::{Icc, Namespace, Pattern};

/// Options of the bridge driver that stay inside the network that is made.
const HARMLESS_OPTIONS: &[&str] = &[
    "com.docker.network.driver.mtu",
    "com.docker.network.bridge.enable_ip_masquerade",
];

/// The option of the `macvlan` and `ipvlan` drivers that names an interface of the host.
const PARENT: &str = "parent";

/// Options of an endpoint that stay inside the container.
const HARMLESS_ENDPOINT_OPTIONS: &[&str] = &["com.docker.network.endpoint.ifname"];

impl Judge<'_> {
    /// `HostConfig.NetworkMode`, `networkmode` of a build, and every other name of a network that is joined.
    pub(super) fn network_mode(&mut self, path: &str, mode: &str) {
        match mode {
            "none" => {}
            "host" => self.foreign_namespace(path, mode, Some(Namespace::HostNetwork)),
            "" | "default" | "bridge" => self.default_bridge(path),
            joined if joined.starts_with("container:") => {
                self.foreign_namespace(path, mode, Some(Namespace::ContainerNetwork));
            }
            name if mount::is_name(name) => self.named_network(path, name),
            _ => self.foreign_namespace(path, mode, None),
        }
    }

    /// A network that a container is on.
    pub(super) fn endpoint(&mut self, path: &str, endpoint: &Endpoint) {
        match endpoint.name.as_str() {
            predefined @ ("bridge" | "host" | "none") => self.network_mode(path, predefined),
            _ => self.network_mode(path, endpoint.reference()),
        }
    }

    /// A container or build without a network mode joins the default bridge.
    pub(super) fn absent_network_mode(&mut self) {
        if let Some(path) = joins_by_default(self.request) {
            self.network_mode(path, "");
        }
    }

    fn default_bridge(&mut self, path: &str) {
        self.opened_network(path, "bridge");
        if !needs_default_bridge(self.policy) {
            return;
        }
        match self.facts.networks.get("bridge") {
            Some(Found::Is(network)) if network.has_icc => {
                let remedy = "`default-bridge = \"any\"` in `[network]`";
                let message = "containers on the default bridge may talk to each other";
                self.icc(path, "bridge", message, remedy);
            }
            // A daemon without that bridge has nothing to join.
            Some(Found::Is(_) | Found::Answered { status: 404, .. }) => {}
            found => self.unknown_network(path, "bridge", found),
        }
    }

    /// A network that exists is what its maker made it.
    fn named_network(&mut self, path: &str, asked: &str) {
        match self.facts.networks.get(asked) {
            Some(Found::Is(network)) => self.known_network(path, network),
            Some(Found::Answered { status: 404, .. }) => self.absent_network(path, asked),
            found @ Some(_) => self.unknown_network(path, asked, found),
            None => {
                self.opened_network(path, asked);
                // Nothing is looked up for what is refused whatever it is.
                if self.is_permitted() && needs_network(self.policy, asked) {
                    self.unknown_network(path, asked, None);
                }
            }
        }
    }

    /// A network that is not there could come up as anyone's until it is joined; one that is named by its id cannot.
    fn absent_network(&mut self, path: &str, asked: &str) {
        self.opened_network(path, asked);
        let is_id = asked.len() == 64 && asked.bytes().all(|byte| byte.is_ascii_hexdigit());
        // The client gets the daemon's own answer to that.
        let is_answered =
            self.existing.is_none() && self.request.operation() == Some(Operation::NetworkConnect);
        if !is_id && !is_answered {
            let message = "there is no such network; make it first";
            self.refuse(Reason::new("network-unknown", path, asked, message));
        }
    }

    /// A network that was looked up, whatever it was asked for by.
    pub(super) fn known_network(&mut self, path: &str, network: &ExistingNetwork) {
        let name = network.name.as_str();
        if name == "host" || network.driver == "host" {
            return self.foreign_namespace(path, name, Some(Namespace::HostNetwork));
        }
        if name != "none" {
            self.opened_network(path, name);
            self.network_driver(path, &network.driver);
            self.icc_of_network(path, network);
        }
    }

    fn icc_of_network(&mut self, path: &str, network: &ExistingNetwork) {
        let owner = network.owner.as_deref();
        let is_own = owner.is_some_and(|owner| owner == self.facts.owner);
        let is_permitted = match self.policy.network.icc.value {
            Icc::Any => true,
            Icc::Own => is_own || !network.has_icc,
            Icc::Never => !network.has_icc,
        };
        if !is_permitted {
            let message = if self.policy.network.icc.value == Icc::Own {
                "containers on it may talk to each other, and this client did not make it"
            } else {
                "containers on it may talk to each other"
            };
            self.icc(
                path,
                &network.name,
                message,
                "`icc = \"any\"` in `[network]`",
            );
        }
    }

    fn icc(&mut self, path: &str, name: &str, message: &str, remedy: &str) {
        let line = self.policy.network.icc.line;
        self.refuse(Reason::new("icc", path, name, message).opened_by(line, remedy));
    }

    pub(super) fn unknown_network(
        &mut self,
        path: &str,
        name: &str,
        found: Option<&Found<ExistingNetwork>>,
    ) {
        let cause = match found {
            Some(Found::Answered { message, .. } | Found::Unknown(message)) => message,
            Some(Found::Is(_)) | None => NOT_LOOKED_UP,
        };
        let message = format!("the gate cannot tell what this network is: {cause}");
        self.refuse(Reason::new("network-unknown", path, name, &message));
    }

    pub(super) fn opened_network(&mut self, path: &str, name: &str) {
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
            // To ask for what a registry has, the daemon connects to it.
            Some(
                Operation::ImagePush
                | Operation::ImageTag
                | Operation::ImageDelete
                | Operation::DistributionInspect,
            ) => self.image("{name}", &name),
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
        let switches_on = icc.is_some_and(|text| !is_false(text));
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
            .chain([ENABLE_ICC, PARENT])
            .collect();
        self.options("network-option", path, value, &harmless);
        self.parent_interface(path, value.text(PARENT));
    }

    /// moby: libnetwork/drivers/macvlan and ipvlan; without a parent the driver makes an interface of its own.
    fn parent_interface(&mut self, path: &str, parent: &str) {
        let setting = &self.policy.network.parents;
        let fits = |pattern: &Pattern| pattern.matches(parent);
        if !parent.is_empty() && !setting.value.iter().any(fits) {
            let path = format!("{path}.{PARENT}");
            let remedy = format!("`parents = [{}]` in `[network]`", Reason::quoted(parent));
            let message = "the network would lie on this interface of the host";
            self.refuse(
                Reason::new("network-parent", &path, parent, message)
                    .opened_by(setting.line, &remedy),
            );
        }
    }

    fn options(&mut self, code: &'static str, path: &str, value: &Value, harmless: &[&str]) {
        let setting = &self.policy.network.options;
        for (key, value) in value
            .members()
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
