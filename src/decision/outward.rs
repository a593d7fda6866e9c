//! Limits on what leads out of the thing that is made: links, subnets, scopes, registries, the host's `ps`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::{Judge, Reason};
use crate::engine_api::json::Value;
use crate::policy::Icc;

impl Judge<'_> {
    /// moby: daemon/container_operations_unix.go, `addLegacyLinks` opens the way to the other container on a network
    /// where containers may not talk; up to 28 `setupLinkedContainers` hands its environment over.
    pub(super) fn links(&mut self, path: &str, value: &Value) {
        let setting = &self.policy.network.icc;
        if setting.value != Icc::Never {
            return;
        }
        for link in value.items().iter().map(Value::as_text) {
            let message = "a link opens the way to another container";
            self.refuse(
                Reason::new("link", path, link, message)
                    .opened_by(setting.line, "`icc = \"own\"` in `[network]`"),
            );
        }
    }

    /// The host routes the subnet to the new network, so one of the internet's would be taken from the host itself.
    pub(super) fn subnet(&mut self, path: &str, subnet: &str) {
        if !subnet.is_empty() && !is_private(subnet) {
            let message = "the host would send its own traffic for these addresses to the network";
            self.refuse(Reason::new("subnet", path, subnet, message));
        }
    }

    pub(super) fn network_scope(&mut self, path: &str, scope: &str) {
        if !matches!(scope, "" | "local") {
            let message = "a network beyond this host needs swarm or a plugin";
            self.refuse(Reason::new("network-scope", path, scope, message));
        }
    }

    /// Docker's own registry is open to every policy that permits the operation; another one where a pattern of the
    /// policy's images begins with its name.
    pub(super) fn registry(&mut self, path: &str, text: &str) {
        let host = if path.starts_with('?') {
            registry_of_term(text)
        } else {
            registry_of_address(text)
        };
        let setting = &self.policy.image.references;
        let beginning = format!("{host}/");
        let permits = setting
            .value
            .iter()
            .chain(&self.policy.container.images.value)
            .any(|pattern| pattern.as_str().starts_with(&beginning) || pattern.matches(&beginning));
        if !matches!(
            host,
            "docker.io" | "index.docker.io" | "registry-1.docker.io"
        ) && !permits
        {
            let remedy = format!("`references = [\"{host}/*\"]` in `[image]`");
            let message = "the daemon would connect to this registry";
            self.refuse(
                Reason::new("registry", path, text, message).opened_by(setting.line, &remedy),
            );
        }
    }

    pub(super) fn ps_arguments(&mut self, path: &str, arguments: &str) {
        if arguments.contains('=') {
            let message = "a column under another's name would show processes of the host";
            self.refuse(Reason::new("ps-arguments", path, arguments, message));
        }
    }
}

/// Whether every address of the subnet is private use or documentation (RFC 1918, 4193, 5737, 3849).
fn is_private(subnet: &str) -> bool {
    #[rustfmt::skip]
    const PRIVATE: &[(IpAddr, u8)] = &[
        (IpAddr::V4(Ipv4Addr::new(10, 0, 0, 0)), 8),
        (IpAddr::V4(Ipv4Addr::new(172, 16, 0, 0)), 12),
        (IpAddr::V4(Ipv4Addr::new(192, 168, 0, 0)), 16),
        (IpAddr::V4(Ipv4Addr::new(192, 0, 2, 0)), 24),
        (IpAddr::V4(Ipv4Addr::new(198, 51, 100, 0)), 24),
        (IpAddr::V4(Ipv4Addr::new(203, 0, 113, 0)), 24),
        (IpAddr::V6(Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0)), 7),
        (IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0)), 32),
    ];
    let Some((address, length)) = subnet.split_once('/') else {
        return false;
    };
    let (Ok(address), Ok(length)) = (address.parse::<IpAddr>(), length.parse::<u8>()) else {
        return false;
    };
    PRIVATE.iter().any(|(network, shortest)| {
        address.is_ipv4() == network.is_ipv4()
            && *shortest <= length
            && high_bits(address, *shortest) == high_bits(*network, *shortest)
    })
}

/// The first bits of an address; all of it where `count` is more than it has.
fn high_bits(address: IpAddr, count: u8) -> u128 {
    let (bits, size) = match address {
        IpAddr::V4(address) => (u128::from(address.to_bits()), 32_u8),
        IpAddr::V6(address) => (address.to_bits(), 128),
    };
    bits.checked_shr(u32::from(size.saturating_sub(count)))
        .unwrap_or(0)
}

/// moby: daemon/pkg/registry/search.go, `splitReposSearchTerm`.
fn registry_of_term(term: &str) -> &str {
    match term.split_once('/') {
        Some((host, _)) if host.contains(['.', ':']) || host == "localhost" => host,
        Some(_) | None => "docker.io",
    }
}

/// moby: daemon/pkg/registry/service.go, `Auth` takes the host of a URL, with or without its scheme.
fn registry_of_address(address: &str) -> &str {
    let rest = address
        .strip_prefix("https://")
        .or_else(|| address.strip_prefix("http://"))
        .unwrap_or(address);
    match rest.split(['/', '?', '#']).next() {
        // A user before the host (`docker.io@elsewhere`) leaves the whole for the patterns, which none then fits.
        Some(host) if !host.is_empty() && !host.contains('@') => host,
        _ if address.is_empty() => "docker.io",
        _ => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_private_subnets_are_private() {
        for subnet in [
            "10.1.0.0/16",
            "172.28.0.0/16",
            "192.168.7.0/24",
            "fd00:1::/64",
            "2001:db8::/32",
        ] {
            assert!(is_private(subnet), "{subnet}");
        }
        for subnet in [
            "8.8.8.0/24",
            "10.0.0.0/7",
            "172.0.0.0/8",
            "0.0.0.0/0",
            "::/0",
            "2600::/64",
            "x",
            "10.0.0.0",
            "::ffff:10.0.0.0/120",
        ] {
            assert!(!is_private(subnet), "{subnet}");
        }
    }

    #[test]
    fn a_registry_is_found_where_the_daemon_finds_it() {
        assert_eq!(registry_of_term("redis"), "docker.io");
        assert_eq!(registry_of_term("grafana/loki"), "docker.io");
        assert_eq!(registry_of_term("r.example:5000/x"), "r.example:5000");
        assert_eq!(registry_of_address(""), "docker.io");
        assert_eq!(
            registry_of_address("https://index.docker.io/v1/"),
            "index.docker.io"
        );
        assert_eq!(registry_of_address("r.example"), "r.example");
        assert_eq!(
            registry_of_address("docker.io@r.example"),
            "docker.io@r.example"
        );
        assert_eq!(registry_of_address("https:///x"), "https:///x");
    }
}
