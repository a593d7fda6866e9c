//! Limits on the ports of the host that containers publish.

use std::net::IpAddr;

use super::{Judge, Reason};
use crate::engine_api::json::Value;
use crate::policy::Published;

/// The ports that the daemon takes for a binding without a port: Linux' default ephemeral range.
const EPHEMERAL: (u16, u16) = (32768, 60999);

impl Judge<'_> {
    pub(super) fn port_bindings(&mut self, path: &str, value: &Value) {
        for (container_port, bindings) in value.members() {
            // moby: daemon/server/router/container/container_routes.go, `handlePortBindingsBC` publishes a port
            // without bindings on every address.
            if bindings.items().is_empty() {
                self.published(|| format!("{path}.{container_port}"), "", "");
            }
            for (index, binding) in bindings.items().iter().enumerate() {
                let (address, port) = (binding.text("HostIp"), binding.text("HostPort"));
                let place = || format!("{path}.{container_port}[{index}]");
                self.published(place, address, port);
            }
        }
    }

    pub(super) fn publish_all_ports(&mut self, path: &str, value: &Value) {
        if *value == Value::Bool(true) {
            self.published(|| path.to_owned(), "", "");
        }
    }

    /// `path` is asked for only where it is refused.
    pub(super) fn published(&mut self, path: impl Fn() -> String, address: &str, port: &str) {
        let setting = &self.policy.container.published;
        let wanted = (parse_address(address), parse_ports(port));
        let permits = |published: &Published| match wanted {
            (Some(address), Some((first, last))) => {
                let fits = published.address.is_none()
                    || (address.is_some() && address == published.address);
                fits && published.first <= first && last <= published.last
            }
            _ => false,
        };
        if !setting.value.iter().any(permits) {
            let value = format!("{address}:{port}");
            let remedy = format!(
                "`published = [\"{}\"]` in `[container]`",
                entry(address, port)
            );
            self.refuse(
                Reason::new(
                    "published-port",
                    &path(),
                    &value,
                    "no rule opens this port of the host",
                )
                .opened_by(setting.line, &remedy),
            );
        }
    }
}

/// The entry of a policy that opens just this binding.
fn entry(address: &str, port: &str) -> String {
    let port = if matches!(port, "" | "0") { "*" } else { port };
    match parse_address(address) {
        Some(Some(IpAddr::V6(address))) => format!("[{address}]:{port}"),
        Some(Some(IpAddr::V4(address))) => format!("{address}:{port}"),
        Some(None) | None => format!("*:{port}"),
    }
}

/// The address of a binding: `Some(None)` for every address of the host, `None` where it cannot be read.
fn parse_address(text: &str) -> Option<Option<IpAddr>> {
    if text.is_empty() {
        return Some(None);
    }
    let address: IpAddr = text.parse().ok()?;
    Some((!address.is_unspecified()).then_some(address))
}

/// The range of ports that a binding may take; `None` where it cannot be read.
///
/// github.com/docker/go-connections, nat: `ParsePortRange`.
fn parse_ports(text: &str) -> Option<(u16, u16)> {
    if matches!(text, "" | "0") {
        return Some(EPHEMERAL);
    }
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last) = (first.parse().ok()?, last.parse().ok()?);
    (0 < first && first <= last).then_some((first, last))
}
