//! Addresses of a swarm, as its daemon reads them: `HOST:PORT`, by address, by interface or by name.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Every address of the machine, or the one that the daemon finds out by itself.
pub const EVERY_HOST: &str = "0.0.0.0";

/// The port where managers listen unless told otherwise.
pub const MANAGER_PORT: u16 = 2377;

/// The port of the data path unless told otherwise.
///
/// moby: daemon/cluster/listen_addr.go, `getDataPathPort`.
pub const DATA_PATH_PORT: u16 = 4789;

/// A host with a port; the host is an address in its one form, or a name as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SwarmAddress {
    pub host: String,
    pub port: u16,
}

/// `127.0.0.1:2377`, `[::1]:2377`, `eth0:2377`.
impl fmt::Display for SwarmAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// Reads where a swarm listens, or where a manager is: `[tcp://]HOST[:PORT]`; `None` where daemons could read it in
/// several ways, or as another kind of address.
///
/// moby: daemon/cluster/swarm.go, `validateAddr` passes on what is no TCP address, and gRPC has more kinds of targets.
#[must_use]
pub fn listening(text: &str) -> Option<SwarmAddress> {
    let text = text.strip_prefix("tcp://").unwrap_or(text);
    if text.is_empty() {
        return with_port(EVERY_HOST, MANAGER_PORT);
    }
    let (host, port) = split(text)?;
    let host = if host.is_empty() { EVERY_HOST } else { host };
    let port = port.map_or(Some(MANAGER_PORT), number)?;
    with_port(host, port)
}

/// Reads what a node advertises: `HOST[:PORT]`, where an IPv6 address without a port may stand without brackets;
/// nothing is what the daemon finds out by itself, and the port that it listens on.
///
/// moby: daemon/cluster/listen_addr.go, `resolveAdvertiseAddr`.
#[must_use]
pub fn advertised(text: &str, listening_port: u16) -> Option<SwarmAddress> {
    if text.is_empty() {
        return with_port(EVERY_HOST, listening_port);
    }
    if text.parse::<Ipv6Addr>().is_ok() {
        return with_port(text, listening_port);
    }
    match split(text)? {
        (host, Some(port)) if !host.is_empty() => with_port(host, number(port)?),
        // Brackets belong to an address with a port.
        (host, None) if !host.is_empty() && !text.starts_with('[') => {
            with_port(host, listening_port)
        }
        _ => None,
    }
}

/// Reads where a node's data goes: `HOST` without a port; nothing is what the node advertises, and port 0 is 4789.
///
/// moby: daemon/cluster/listen_addr.go, `resolveDataPathAddr` and `getDataPathPort`.
#[must_use]
pub fn data_path(text: &str, port: i64, advertised: &SwarmAddress) -> Option<SwarmAddress> {
    let port = match u16::try_from(port).ok()? {
        0 => DATA_PATH_PORT,
        port => port,
    };
    match text {
        "" => Some(SwarmAddress {
            host: advertised.host.clone(),
            port,
        }),
        bracketed if bracketed.starts_with('[') => None,
        host => with_port(host, port),
    }
}

/// Host and port of `HOST`, `HOST:PORT`, `[ADDRESS]` or `[ADDRESS]:PORT`.
fn split(text: &str) -> Option<(&str, Option<&str>)> {
    if let Some(rest) = text.strip_prefix('[') {
        let (address, rest) = rest.split_once(']')?;
        address.parse::<Ipv6Addr>().ok()?;
        return match rest.strip_prefix(':') {
            Some(port) => Some((address, Some(port))),
            None => rest.is_empty().then_some((address, None)),
        };
    }
    match text.split_once(':') {
        Some((host, port)) => Some((host, Some(port))),
        None => Some((text, None)),
    }
}

fn with_port(host: &str, port: u16) -> Option<SwarmAddress> {
    let host = match host.parse::<IpAddr>().map(|address| address.to_canonical()) {
        Ok(IpAddr::V4(Ipv4Addr::UNSPECIFIED)) => EVERY_HOST.to_owned(),
        Ok(IpAddr::V6(address)) => format!("[{address}]"),
        Ok(IpAddr::V4(address)) => address.to_string(),
        Err(_) if is_name(host) => host.to_owned(),
        Err(_) => return None,
    };
    Some(SwarmAddress { host, port })
}

/// A port in digits, written in one way; Go also takes names of services (`http`).
fn number(text: &str) -> Option<u16> {
    let port: u16 = text.parse().ok()?;
    (port.to_string() == text).then_some(port)
}

/// The name of a network interface or of a machine; digits and dots alone are an address in a spelling of old.
fn is_name(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    let mut bytes = text.bytes();
    bytes
        .next()
        .is_some_and(|byte| byte.is_ascii_alphanumeric())
        && bytes.all(is_plain)
        && text.len() <= 253
        && text.bytes().any(|byte| byte.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(address: Option<SwarmAddress>) -> String {
        address.map_or_else(|| "-".to_owned(), |address| address.to_string())
    }

    #[test]
    fn what_is_absent_is_what_the_daemon_takes_for_it() {
        for (text, read) in [
            ("", "0.0.0.0:2377"),
            ("tcp://", "0.0.0.0:2377"),
            (":2400", "0.0.0.0:2400"),
            ("0.0.0.0", "0.0.0.0:2377"),
            ("[::ffff:0.0.0.0]", "0.0.0.0:2377"),
            ("[::]:2377", "[::]:2377"),
            ("127.0.0.1", "127.0.0.1:2377"),
            ("tcp://127.0.0.1:2377", "127.0.0.1:2377"),
            ("eth0", "eth0:2377"),
            ("eth0:2400", "eth0:2400"),
            ("[::1]", "[::1]:2377"),
            ("[::ffff:10.0.0.1]:1", "10.0.0.1:1"),
        ] {
            assert_eq!(shown(listening(text)), read, "{text}");
        }
    }

    #[test]
    fn what_has_two_readings_is_none() {
        for text in [
            "::1",
            "fe80::1:2377",
            "127.0.0.1:http",
            "127.0.0.1:",
            "127.0.0.1:+1",
            "127.0.0.1:02377",
            "127.0.0.001",
            "2130706433",
            "127.0.0.1:65536",
            "unix:///run/x.sock",
            "dns:///manager",
            "http://10.0.0.1:2377",
            "tcp://tcp://10.0.0.1",
            "a@b:2377",
            "10.0.0.1:2377/x",
            "fe80::1%eth0",
            "[fe80::1%eth0]:2377",
            " 10.0.0.1",
            "[10.0.0.1]:2377",
            "[::1]x",
            "-x",
            "*",
        ] {
            assert_eq!(listening(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_advertised_has_the_port_that_is_listened_on() {
        for (text, read) in [
            ("", "0.0.0.0:2400"),
            ("10.0.0.1", "10.0.0.1:2400"),
            ("10.0.0.1:5", "10.0.0.1:5"),
            ("fe80::1:2377", "[fe80::1:2377]:2400"),
            ("[::1]:5", "[::1]:5"),
            ("[::1]", "-"),
            (":5", "-"),
            ("10.0.0.1:", "-"),
            ("tcp://10.0.0.1:5", "-"),
        ] {
            assert_eq!(shown(advertised(text, 2400)), read, "{text}");
        }
    }

    #[test]
    fn data_goes_where_the_node_is_unless_told_otherwise() {
        let node = listening("10.0.0.1").unwrap();
        for (text, port, read) in [
            ("", 0, "10.0.0.1:4789"),
            ("", 7777, "10.0.0.1:7777"),
            ("eth1", 0, "eth1:4789"),
            ("::1", 0, "[::1]:4789"),
            ("[::1]", 0, "-"),
            ("10.0.0.2:1", 0, "-"),
            ("", -1, "-"),
            ("", 65536, "-"),
        ] {
            assert_eq!(shown(data_path(text, port, &node)), read, "{text} {port}");
        }
    }
}
