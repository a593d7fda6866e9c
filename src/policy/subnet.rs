//! Ranges of addresses, as policies and requests write them.

use std::fmt;
use std::net::IpAddr;

use super::problem::Fault;

/// `ADDRESS/BITS`: a range of IPv4 or IPv6 addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subnet {
    address: IpAddr,
    bits: u8,
}

impl Subnet {
    /// Reads `172.16.0.0/12` or `fd00::/8`; bits of the address beyond the range do not count. `None` for all else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (address, bits) = text.split_once('/')?;
        let address: IpAddr = address.parse().ok()?;
        let is_number = !bits.is_empty() && bits.bytes().all(|byte| byte.is_ascii_digit());
        let bits = is_number.then(|| bits.parse::<u8>().ok()).flatten()?;
        (bits <= width(address)).then_some(Self { address, bits })
    }

    /// Reads a range, or one address as the range of itself; a range of IPv4 addresses in IPv6 (`::ffff:10.0.0.0/104`) is
    /// the one that it stands for. `None` for all else.
    #[must_use]
    pub fn of_sources(text: &str) -> Option<Self> {
        let read = match text.parse() {
            Ok(address) => Self::only(address),
            Err(_) => Self::parse(text)?,
        };
        let mapped = read.address.to_canonical();
        let bits = read.bits.checked_sub(MAPPED_BITS);
        Some(
            match bits.filter(|_| mapped.is_ipv4() && read.address.is_ipv6()) {
                Some(bits) => Self {
                    address: mapped,
                    bits,
                },
                None => read,
            },
        )
    }

    /// The range of one address.
    #[must_use]
    pub fn only(address: IpAddr) -> Self {
        Self {
            address,
            bits: width(address),
        }
    }

    /// Its two halves; none of a single address.
    #[must_use]
    pub fn halves(&self) -> Option<[Self; 2]> {
        let bits = self.bits + 1;
        let shift = u32::from(width(self.address).checked_sub(bits)?);
        let first = prefix(self.address, self.bits) << 1;
        let half = |number: u128| {
            let number = number.checked_shl(shift).unwrap_or(0);
            let address = match self.address {
                IpAddr::V4(_) => IpAddr::V4(u32::try_from(number).ok()?.into()),
                IpAddr::V6(_) => IpAddr::V6(number.into()),
            };
            Some(Self { address, bits })
        };
        Some([half(first)?, half(first | 1)?])
    }

    /// What lies in both ranges.
    #[must_use]
    pub fn within(&self, other: &Self) -> Option<Self> {
        let one = other.contains(self).then_some(*self);
        one.or_else(|| self.contains(other).then_some(*other))
    }

    /// Whether every address of `other` lies in this range.
    #[must_use]
    pub fn contains(&self, other: &Self) -> bool {
        width(self.address) == width(other.address)
            && self.bits <= other.bits
            && prefix(self.address, self.bits) == prefix(other.address, self.bits)
    }

    /// Whether the two have an address in common.
    #[must_use]
    pub fn meets(&self, other: &Self) -> bool {
        self.contains(other) || other.contains(self)
    }

    /// The range of the first `bits` of an address; `None` where it has not as many.
    #[must_use]
    pub fn of(address: IpAddr, bits: u8) -> Option<Self> {
        (bits <= width(address)).then_some(Self { address, bits })
    }
}

/// As it is written.
impl fmt::Display for Subnet {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.address, self.bits)
    }
}

/// Of `::ffff:0:0/96`, where IPv4 addresses are within IPv6 (RFC 4291, section 2.5.5.2).
const MAPPED_BITS: u8 = 96;

fn width(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

fn prefix(address: IpAddr, bits: u8) -> u128 {
    let number = match address {
        IpAddr::V4(address) => u128::from(u32::from(address)),
        IpAddr::V6(address) => u128::from(address),
    };
    number
        .checked_shr(u32::from(width(address) - bits))
        .unwrap_or(0)
}

pub(super) fn subnet(text: &str) -> Result<Subnet, Fault> {
    Subnet::parse(text).ok_or_else(|| {
        Fault::new("not-a-subnet", format!("`{text}` is no range of addresses"))
            .help("write it like `172.16.0.0/12` or `fd00::/8`")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_an_address_or_a_range_in_any_spelling() {
        let holds = |range: &str, address: &str| {
            let address: IpAddr = address.parse().unwrap();
            let range = Subnet::of_sources(range).unwrap();
            range.contains(&Subnet::only(address.to_canonical()))
        };
        assert!(holds("10.0.0.0/8", "10.1.2.3"));
        assert!(holds("10.0.0.0/8", "::ffff:10.1.2.3"));
        assert!(holds("::ffff:10.0.0.0/104", "10.1.2.3"));
        assert!(holds("10.1.2.3", "10.1.2.3"));
        assert!(holds("::ffff:10.1.2.3", "10.1.2.3"));
        assert!(holds("fd00::1", "fd00::1"));
        assert!(holds("fd00::/8", "fdff::1"));
        assert!(!holds("10.1.2.3", "10.1.2.4"));
        assert!(!holds("::/0", "10.1.2.3"));
        assert!(!holds("0.0.0.0/0", "fd00::1"));
        for text in [
            "",
            "10.0.0",
            "10.0.0.0/33",
            "example",
            "10.0.0.1:80",
            "[::1]",
        ] {
            assert_eq!(Subnet::of_sources(text), None, "{text}");
        }
    }

    #[test]
    fn a_range_has_two_halves() {
        let range = |text| Subnet::parse(text).unwrap();
        for (whole, first, second) in [
            ("0.0.0.0/0", "0.0.0.0/1", "128.0.0.0/1"),
            ("10.9.8.7/8", "10.0.0.0/9", "10.128.0.0/9"),
            ("10.0.0.0/31", "10.0.0.0/32", "10.0.0.1/32"),
            ("::/0", "::/1", "8000::/1"),
            ("fd00::/8", "fd00::/9", "fd80::/9"),
        ] {
            let halves = range(whole).halves();
            assert_eq!(halves, Some([range(first), range(second)]), "{whole}");
        }
        assert_eq!(range("10.0.0.0/32").halves(), None);
        assert_eq!(range("::1/128").halves(), None);
    }

    #[test]
    fn a_range_contains_what_lies_in_it() {
        let contains = |outer, inner| {
            Subnet::parse(outer)
                .unwrap()
                .contains(&Subnet::parse(inner).unwrap())
        };
        assert!(contains("172.16.0.0/12", "172.31.5.0/24"));
        assert!(contains("0.0.0.0/0", "10.0.0.0/8"));
        assert!(contains("fd00::/8", "fd12:3456::/64"));
        assert!(!contains("172.16.0.0/12", "172.32.0.0/24"));
        assert!(!contains("172.16.0.0/12", "172.16.0.0/8"));
        assert!(!contains("0.0.0.0/0", "fd00::/8"));
        for text in [
            "",
            "10.0.0.0",
            "10.0.0.0/33",
            "10.0.0.0/+8",
            "10.0.0/8",
            "::/129",
            "x/8",
        ] {
            assert_eq!(Subnet::parse(text), None, "{text}");
        }
    }
}
