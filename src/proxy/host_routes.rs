//! What addresses this host has and reaches, as the kernel and the resolver's files tell; reads files, and may block.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::policy::Subnet;

use super::mount_table::bounded;

/// The name servers that the host asks, so far as its files tell.
#[must_use]
pub fn nameservers() -> Vec<IpAddr> {
    // The second is what stands behind a server on the host itself.
    let files = ["/etc/resolv.conf", "/run/systemd/resolve/resolv.conf"];
    let texts = files
        .iter()
        .filter_map(|file| fs::read_to_string(file).ok());
    texts.flat_map(|text| servers_in(&text)).collect()
}

/// Addresses of this host, and routes but those by default and to networks of Docker's.
///
/// # Errors
/// Where they cannot be read.
pub(super) fn find() -> Result<Vec<Subnet>, String> {
    let read = |path: &str| {
        let text = bounded(path);
        text.map_err(|error| format!("`{path}`: {error}"))
    };
    let mut found: Vec<Subnet> = read("/proc/net/route")?.lines().filter_map(route).collect();
    found.extend(addresses(&read("/proc/net/fib_trie")?));
    // Absent where the kernel has no IPv6.
    let table = read("/proc/net/ipv6_route").unwrap_or_default();
    found.extend(table.lines().filter_map(route_v6));
    Ok(found)
}

fn servers_in(text: &str) -> Vec<IpAddr> {
    let lines = text.lines();
    let servers = lines.filter_map(|line| {
        let mut words = line.split_ascii_whitespace();
        let address = words.next().filter(|word| *word == "nameserver");
        let address = address.and_then(|_| words.next())?;
        address.split('%').next()?.parse().ok()
    });
    servers.collect()
}

/// `INTERFACE DESTINATION … MASK …`: numbers in hexadecimal, in the order of this machine's memory.
fn route(line: &str) -> Option<Subnet> {
    let fields: Vec<&str> = line.split_ascii_whitespace().collect();
    let (interface, destination, mask) = (fields.first()?, fields.get(1)?, fields.get(7)?);
    let number = |text: &str| u32::from_str_radix(text, 16).ok().map(u32::to_be);
    let bits = u8::try_from(number(mask)?.count_ones()).ok()?;
    let address = Ipv4Addr::from(number(destination)?);
    let subnet = Subnet::of(IpAddr::V4(address), bits)?;
    (bits > 0 && !is_of_docker(interface)).then_some(subnet)
}

/// `DESTINATION BITS …  INTERFACE`, all in hexadecimal.
fn route_v6(line: &str) -> Option<Subnet> {
    let fields: Vec<&str> = line.split_ascii_whitespace().collect();
    let (destination, bits, interface) = (fields.first()?, fields.get(1)?, fields.last()?);
    let address = Ipv6Addr::from(u128::from_str_radix(destination, 16).ok()?);
    let bits = u8::from_str_radix(bits, 16).ok()?;
    let subnet = Subnet::of(IpAddr::V6(address), bits)?;
    (bits > 0 && !is_of_docker(interface)).then_some(subnet)
}

/// The host's own addresses: each in a line of its own, with what it is in the next.
fn addresses(table: &str) -> Vec<Subnet> {
    let (mut found, mut last) = (Vec::new(), None);
    for line in table.lines() {
        if let Some((_, address)) = line.split_once("|-- ") {
            last = address.trim().parse().ok();
        } else if line.contains("/32 host LOCAL") {
            found.extend(last.map(Subnet::only));
        }
    }
    found
}

/// Docker's names for interfaces, unless a client or operator chose another. Its daemon lets no two networks overlap.
fn is_of_docker(interface: &str) -> bool {
    let is_id = |rest: &str| rest.len() == 12 && rest.bytes().all(|byte| byte.is_ascii_hexdigit());
    interface.starts_with("docker")
        || interface.starts_with("veth")
        || interface.strip_prefix("br-").is_some_and(is_id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(subnets: impl IntoIterator<Item = Subnet>) -> Vec<String> {
        subnets
            .into_iter()
            .map(|subnet| subnet.to_string())
            .collect()
    }

    #[test]
    fn routes_are_read_but_the_default_and_dockers_own() {
        let number = |address: [u8; 4]| format!("{:08X}", u32::from_ne_bytes(address));
        let line = |interface: &str, address: [u8; 4], mask: [u8; 4]| {
            let (address, mask) = (number(address), number(mask));
            format!("{interface}\t{address}\t00000000\t0001\t0\t0\t0\t{mask}\t0\t0\t0")
        };
        let class_b = [255, 255, 0, 0];
        for (line, expected) in [
            (
                line("eth0", [172, 31, 0, 0], [255, 255, 240, 0]),
                Some("172.31.0.0/20"),
            ),
            (line("br0", [172, 20, 0, 0], class_b), Some("172.20.0.0/16")),
            (line("eth0", [0; 4], [0; 4]), None),
            (line("docker0", [172, 17, 0, 0], class_b), None),
            (line("br-0123456789ab", [172, 18, 0, 0], class_b), None),
            ("Iface\tDestination\tGateway".to_owned(), None),
        ] {
            assert_eq!(written(route(&line)), Vec::from_iter(expected), "{line}");
        }
        let v6 = |address: &str, bits: &str, interface: &str| {
            let zeros = "0".repeat(32);
            let line = format!("{address} {bits} {zeros} 00 {zeros} 00000100 1 0 1 {interface}");
            written(route_v6(&line))
        };
        let address = "fd000ec2000000000000000000000253";
        assert_eq!(v6(address, "80", "eth0"), ["fd00:ec2::253/128"]);
        assert_eq!(v6(address, "40", "br-0123456789ab"), Vec::<String>::new());
        assert_eq!(v6(&"0".repeat(32), "00", "eth0"), Vec::<String>::new());
    }

    #[test]
    fn addresses_and_nameservers_are_read() {
        let table = "Local:\n  +-- 0.0.0.0/0 3 0 5\n     |-- 10.8.0.0\n        /24 link UNICAST\n     |-- 10.8.0.1\n        /32 host LOCAL\n     |-- 10.8.0.255\n        /32 link BROADCAST\n";
        assert_eq!(written(addresses(table)), ["10.8.0.1/32"]);
        let text = "# nameserver 9.9.9.9\nnameserver 172.31.0.2\nsearch a\nnameserver fe80::1%eth0\nnameserver x\n";
        let found: Vec<String> = servers_in(text).iter().map(IpAddr::to_string).collect();
        assert_eq!(found, ["172.31.0.2", "fe80::1"]);
    }

    #[test]
    fn this_host_has_an_address() {
        let own = Subnet::only(Ipv4Addr::LOCALHOST.into());
        assert!(find().unwrap().iter().any(|subnet| subnet.meets(&own)));
    }
}
