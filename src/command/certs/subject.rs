//! Whom a certificate is for, and how long it is valid.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::net::IpAddr;
use std::str::FromStr;

use clap::ValueEnum;
use rcgen::{ExtendedKeyUsagePurpose, SanType};
use rustls_pki_types::DnsName;
use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};

use crate::command::certs::CertsError;

/// What a certificate may be used for.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Kind {
    Server,
    Client,
}

impl Kind {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::Client => "client",
        }
    }

    pub(super) fn purpose(self) -> ExtendedKeyUsagePurpose {
        match self {
            Self::Server => ExtendedKeyUsagePurpose::ServerAuth,
            Self::Client => ExtendedKeyUsagePurpose::ClientAuth,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// A common name that is a safe file name too: `[A-Za-z0-9][A-Za-z0-9._-]*`, at most 64 bytes (RFC 5280, A.1).
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Name(String);

impl Name {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Name {
    type Err = CertsError;

    fn from_str(text: &str) -> Result<Self, CertsError> {
        let starts_well = text.starts_with(|first: char| first.is_ascii_alphanumeric());
        let is_plain =
            |character: char| character.is_ascii_alphanumeric() || "._-".contains(character);
        if starts_well && text.chars().all(is_plain) && text.len() <= NAME_LIMIT {
            return Ok(Self(text.to_owned()));
        }
        Err(CertsError(format!(
            "a name has letters, digits, `.`, `_` and `-`, a letter or digit first, and at most {NAME_LIMIT} of them"
        )))
    }
}

impl fmt::Display for Name {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// One alternative name of a certificate, as `--san` takes it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum AlternativeName {
    Dns(String),
    Ip(IpAddr),
    Email(String),
    Uri(String),
}

impl AlternativeName {
    pub(super) fn to_rcgen(&self) -> Result<SanType, CertsError> {
        let name = match self {
            Self::Dns(name) => name.as_str().try_into().map(SanType::DnsName),
            Self::Email(name) => name.as_str().try_into().map(SanType::Rfc822Name),
            Self::Uri(name) => name.as_str().try_into().map(SanType::URI),
            Self::Ip(address) => Ok(SanType::IpAddress(*address)),
        };
        name.map_err(|error| CertsError(format!("`{self}`: {error}")))
    }
}

impl FromStr for AlternativeName {
    type Err = CertsError;

    fn from_str(text: &str) -> Result<Self, CertsError> {
        let wrong = |wanted: &str| Err(CertsError(format!("`{text}` is no {wanted}")));
        let Some((kind, value)) = text.split_once(':') else {
            return wrong("alternative name: write DNS:…, IP:…, EMAIL:… or URI:…");
        };
        let is_plain =
            !value.is_empty() && value.chars().all(|character| character.is_ascii_graphic());
        match kind.to_ascii_uppercase().as_str() {
            "DNS" if is_dns_name(value.strip_prefix("*.").unwrap_or(value)) => {
                Ok(Self::Dns(value.to_owned()))
            }
            "DNS" => wrong("DNS name"),
            "IP" => value.parse().map(Self::Ip).or_else(|_| wrong("IP address")),
            "EMAIL" => match value.split_once('@') {
                Some((user, host)) if is_plain && !user.is_empty() && is_dns_name(host) => {
                    Ok(Self::Email(value.to_owned()))
                }
                Some(_) | None => wrong("email address"),
            },
            "URI" => match value.split_once(':') {
                Some((scheme, rest)) if is_plain && is_scheme(scheme) && !rest.is_empty() => {
                    Ok(Self::Uri(value.to_owned()))
                }
                Some(_) | None => wrong("URI: it needs a scheme"),
            },
            _ => wrong("alternative name: its kind is DNS, IP, EMAIL or URI"),
        }
    }
}

impl fmt::Display for AlternativeName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dns(name) => write!(formatter, "DNS:{name}"),
            Self::Ip(address) => write!(formatter, "IP:{address}"),
            Self::Email(name) => write!(formatter, "EMAIL:{name}"),
            Self::Uri(name) => write!(formatter, "URI:{name}"),
        }
    }
}

/// Everything about a certificate but its time.
#[derive(Clone, Debug)]
pub(super) struct Subject {
    pub(super) kind: Kind,
    pub(super) name: Name,
    pub(super) organization: Option<String>,
    pub(super) organizational_unit: Option<String>,
    pub(super) alternative_names: Vec<AlternativeName>,
}

/// From when to when a certificate is valid, in whole seconds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Validity {
    pub(super) not_before: OffsetDateTime,
    pub(super) not_after: OffsetDateTime,
}

impl Validity {
    /// From a little before now, for clocks that are behind; 0 days end a minute ago.
    pub(super) fn starting(now: OffsetDateTime, days: u32) -> Self {
        let now = now.replace_nanosecond(0).unwrap_or(now);
        let length = if days == 0 {
            Duration::minutes(-1)
        } else {
            Duration::days(i64::from(days))
        };
        Self {
            not_before: now - CLOCK_SKEW,
            not_after: now + length,
        }
    }

    /// No longer than the authority itself, for nothing below it is valid without it.
    pub(super) fn within(self, authority: Self) -> Result<Self, CertsError> {
        let cut = Self {
            not_before: self.not_before,
            not_after: self.not_after.min(authority.not_after),
        };
        if cut.not_after <= cut.not_before {
            return Err(CertsError("the authority has expired".to_owned()));
        }
        Ok(cut)
    }
}

/// The names that a server on this machine is usually reached by.
pub(super) fn server_names(name: &Name) -> Vec<AlternativeName> {
    let mut names = vec![
        AlternativeName::Dns("localhost".to_owned()),
        AlternativeName::Ip(IpAddr::from([127, 0, 0, 1])),
        AlternativeName::Ip(IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1])),
    ];
    for host in [host_name(), Some(name.as_str().to_owned())]
        .into_iter()
        .flatten()
    {
        let name = AlternativeName::Dns(host.clone());
        if is_dns_name(&host) && !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// An organization or unit, as X.520 bounds it.
pub(super) fn text(text: &str) -> Result<String, CertsError> {
    let length = text.chars().count();
    if length == 0 || length > NAME_LIMIT || text.chars().any(char::is_control) {
        return Err(CertsError(format!(
            "it has 1 to {NAME_LIMIT} characters, none of them a control character"
        )));
    }
    Ok(text.to_owned())
}

fn host_name() -> Option<String> {
    let mut name = String::new();
    let file = File::open("/proc/sys/kernel/hostname").ok()?;
    file.take(256).read_to_string(&mut name).ok()?;
    Some(name.trim().to_owned())
}

fn is_dns_name(name: &str) -> bool {
    DnsName::try_from(name).is_ok()
}

fn is_scheme(scheme: &str) -> bool {
    // RFC 3986, section 3.1.
    scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme
            .chars()
            .all(|character| character.is_ascii_alphanumeric() || "+-.".contains(character))
}

const NAME_LIMIT: usize = 64;

const CLOCK_SKEW: Duration = Duration::hours(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_safe_file_name() {
        for name in ["ci", "ci-7", "a.b_c-D", "0", &"a".repeat(64)] {
            assert!(name.parse::<Name>().is_ok(), "{name}");
        }
        for name in [
            "",
            ".",
            "..",
            "-a",
            ".a",
            "a/b",
            "a b",
            "a\0",
            "ä",
            &"a".repeat(65),
        ] {
            assert!(name.parse::<Name>().is_err(), "{name:?}");
        }
    }

    #[test]
    fn reads_each_kind_of_alternative_name() {
        for text in [
            "DNS:a.example",
            "DNS:*.example",
            "IP:10.0.0.1",
            "IP:::1",
            "EMAIL:a@b.example",
            "URI:spiffe://acme/ci",
        ] {
            assert_eq!(text.parse::<AlternativeName>().unwrap().to_string(), text);
        }
        assert!("dns:a.example".parse::<AlternativeName>().is_ok());
        for text in [
            "",
            "a.example",
            "DNS:",
            "DNS:a b",
            "DNS:*.*.a",
            "IP:a",
            "EMAIL:a",
            "EMAIL:@b",
            "EMAIL:a@b@c",
            "URI:acme",
            "URI:a:b c",
            "URI:a:\u{e9}",
            "RID:1.2",
        ] {
            assert!(text.parse::<AlternativeName>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn zero_days_have_passed_already() {
        let now = OffsetDateTime::now_utc();
        let validity = Validity::starting(now, 0);
        assert!(validity.not_before < validity.not_after && validity.not_after < now);
    }

    #[test]
    fn no_certificate_outlives_its_authority() {
        let now = OffsetDateTime::now_utc();
        let authority = Validity::starting(now, 10);
        let leaf = Validity::starting(now, 365).within(authority).unwrap();
        assert_eq!(leaf.not_after, authority.not_after);

        let expired = Validity::starting(now - Duration::days(20), 10);
        assert!(Validity::starting(now, 365).within(expired).is_err());
    }
}
