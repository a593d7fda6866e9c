//! Where ports may be published, as policies write it.

use std::net::IpAddr;

use super::Published;
use super::problem::Fault;

/// `ADDRESS:PORTS`: an address, `[ADDRESS]` or `*`, and a port, `FIRST-LAST` or `*`.
///
/// `*` as a port is 1024 to 65535, one that the daemon picks among them; the privileged ones beneath must be written.
pub(super) fn published(text: &str) -> Result<Published, Fault> {
    let refused = |why: String| {
        let help = "write it like `127.0.0.1:8000-8999`, `[::1]:80`, `*:80` or `*:*`";
        Err(Fault::new("not-an-address", why).help(help))
    };
    let Some((address, ports)) = text.rsplit_once(':') else {
        return refused(format!("`{text}` is not an address with ports"));
    };
    let bracketed = address
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    let address = match (address, bracketed) {
        ("*", _) => None,
        (_, Some(inner)) => inner.parse().ok().map(IpAddr::V6),
        (plain, None) => plain.parse().ok().map(IpAddr::V4),
    };
    let is_every_address = text.starts_with("*:");
    match address {
        None if !is_every_address => return refused(format!("`{text}` has no address")),
        Some(address) if address.is_unspecified() => {
            return refused(format!("`{address}` is every address: write `*`"));
        }
        Some(_) | None => {}
    }
    let number = |text: &str| match text.parse::<u16>() {
        Ok(port) if port > 0 && !text.starts_with('+') => Some(port),
        Ok(_) | Err(_) => None,
    };
    let range = match ports.split_once('-') {
        _ if ports == "*" => Some((FIRST_UNPRIVILEGED, u16::MAX)),
        Some((first, last)) => number(first).zip(number(last)),
        None => number(ports).map(|port| (port, port)),
    };
    match range {
        Some((first, last)) if first <= last => Ok(Published {
            address,
            first,
            last,
        }),
        Some(_) | None => refused(format!("`{ports}` is no port and no range of ports")),
    }
}

/// Linux' `ip_unprivileged_port_start`: beneath it a port was once root's own.
const FIRST_UNPRIVILEGED: u16 = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_ports_are_an_address_and_a_range() {
        let read = |text| {
            published(text)
                .map(|at| (at.address, at.first, at.last))
                .ok()
        };
        let address = |text: &str| Some(text.parse().unwrap());
        assert_eq!(read("*:*"), Some((None, 1024, u16::MAX)));
        assert_eq!(read("*:80"), Some((None, 80, 80)));
        assert_eq!(
            read("127.0.0.1:80-90"),
            Some((address("127.0.0.1"), 80, 90))
        );
        assert_eq!(read("[::1]:*"), Some((address("::1"), 1024, u16::MAX)));
        for text in [
            "",
            "80",
            "*",
            ":80",
            "::1:80",
            "[127.0.0.1]:80",
            "[*]:80",
            "localhost:80",
            "*:0",
            "*:90-80",
            "*:65536",
            "*:+80",
            "*: 80",
            "*:80-",
            "0.0.0.0:80",
            "[::]:80",
            "*:80/tcp",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
