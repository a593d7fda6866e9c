//! Which ways clients come, and which `match` tables are for nobody who can come.

use super::client_match::{CertificateKey, ClientMatch};
use super::expression::lengths;
use super::pattern::Pattern;
use super::spiffe;

/// A way in which clients come, which settles what is known of them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Way {
    /// A Unix socket: the process.
    Unix,
    /// TCP with TLS: the certificate and the source.
    Tls,
    /// TCP without TLS: the source.
    Plain,
    /// TCP without TLS, where containers are told apart: the container and the source.
    Container,
}

impl Way {
    pub const ALL: [Self; 4] = [Self::Unix, Self::Tls, Self::Plain, Self::Container];
}

/// What a `match` table asks for, beside the listener.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Asked {
    Certificate,
    Process,
    Container,
    Source,
}

impl Asked {
    /// Whether it is known of who comes that way.
    pub(super) fn is_known(self, way: Way) -> bool {
        match self {
            Self::Certificate => way == Way::Tls,
            Self::Process => way == Way::Unix,
            Self::Container => way == Way::Container,
            Self::Source => way != Way::Unix,
        }
    }
}

impl ClientMatch {
    /// Whether who comes that way can have all that the table asks for.
    #[must_use]
    pub fn fits(&self, way: Way) -> bool {
        let mut asked = self.asked().into_iter().flatten();
        asked.all(|asked| asked.is_known(way))
    }

    fn asked(&self) -> [Option<Asked>; 4] {
        let names_process = self.uid.is_some() || self.gid.is_some();
        let names_container = self.container_name.is_some() || !self.container_labels.is_empty();
        [
            (!self.certificate.is_empty()).then_some(Asked::Certificate),
            names_process.then_some(Asked::Process),
            names_container.then_some(Asked::Container),
            (!self.sources.is_empty()).then_some(Asked::Source),
        ]
    }

    /// Whether a listener with this address is one that the table is for.
    #[must_use]
    pub fn listens(&self, listener: &str) -> bool {
        let pattern = self.listener.as_ref();
        pattern.is_none_or(|pattern| pattern.matches(listener))
    }

    /// The key whose pattern no value can fit, as far as its text shows it, with that text.
    #[must_use]
    pub fn hopeless(&self) -> Option<(&'static str, &str)> {
        let mut certificate = self.certificate.iter();
        let of_certificate = certificate
            .find(|(key, pattern)| is_hopeless(*key, pattern))
            .map(|(key, pattern)| (key.name(), pattern));
        let of_name = self.container_name.as_ref();
        let of_name = of_name
            .filter(|pattern| !can_name_container(pattern))
            .map(|pattern| ("container-name", pattern));
        let found = of_certificate.or(of_name);
        found.map(|(key, pattern)| (key, pattern.as_str()))
    }
}

/// moby: daemon/names/names.go.
fn can_name_container(pattern: &Pattern) -> bool {
    let is_named =
        |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '.' | '-' | '*');
    match pattern.expression() {
        Some(expression) => lengths(expression, &NAMES).is_some_and(|found| found.may_be_any()),
        None => pattern.as_str().chars().all(is_named),
    }
}

fn is_hopeless_expression(key: CertificateKey, expression: &str) -> bool {
    let letters: &[(char, char)] = match key {
        CertificateKey::Serial | CertificateKey::Fingerprint | CertificateKey::PublicKey => {
            &HEXADECIMAL
        }
        CertificateKey::SpiffeId => &SPIFFE,
        CertificateKey::CommonName
        | CertificateKey::Organization
        | CertificateKey::OrganizationalUnit
        | CertificateKey::Dns
        | CertificateKey::Email
        | CertificateKey::Uri => &PLAIN,
    };
    let Some(found) = lengths(expression, letters) else {
        return true;
    };
    match key {
        CertificateKey::Fingerprint | CertificateKey::PublicKey => !found.may_be(DIGEST_DIGITS),
        CertificateKey::Serial => {
            let is_odd = found.least % 2 == 1 && found.most == Some(found.least);
            is_odd || !found.may_be_any()
        }
        CertificateKey::SpiffeId
        | CertificateKey::CommonName
        | CertificateKey::Organization
        | CertificateKey::OrganizationalUnit
        | CertificateKey::Dns
        | CertificateKey::Email
        | CertificateKey::Uri => !found.may_be_any(),
    }
}

fn is_hopeless(key: CertificateKey, pattern: &Pattern) -> bool {
    let text = pattern.as_str();
    if let Some(expression) = pattern.expression() {
        return is_hopeless_expression(key, expression);
    }
    let digits = text.chars().filter(|letter| *letter != '*').count();
    let is_whole = !text.contains('*');
    let is_hexadecimal = text
        .chars()
        .all(|letter| matches!(letter, '0'..='9' | 'a'..='f' | '*'));
    match key {
        CertificateKey::Serial => !is_hexadecimal || (is_whole && digits % 2 == 1),
        CertificateKey::Fingerprint | CertificateKey::PublicKey => {
            !is_hexadecimal || digits > DIGEST_DIGITS || (is_whole && digits < DIGEST_DIGITS)
        }
        CertificateKey::SpiffeId => !spiffe::can_stand_for_id(text),
        CertificateKey::CommonName
        | CertificateKey::Organization
        | CertificateKey::OrganizationalUnit
        | CertificateKey::Dns
        | CertificateKey::Email
        | CertificateKey::Uri => text.chars().any(char::is_control),
    }
}

/// Of SHA-256.
const DIGEST_DIGITS: usize = 64;
const HEXADECIMAL: [(char, char); 2] = [('0', '9'), ('a', 'f')];
/// Of names of containers.
const NAMES: [(char, char); 5] = [('0', '9'), ('A', 'Z'), ('a', 'z'), ('-', '.'), ('_', '_')];
/// Of the ids of workloads (SPIFFE-ID, section 2).
const SPIFFE: [(char, char); 4] = [('-', ':'), ('A', 'Z'), ('a', 'z'), ('_', '_')];
/// All but control characters, with which a certificate gives no identity.
const PLAIN: [(char, char); 2] = [(' ', '~'), ('\u{a0}', char::MAX)];

#[cfg(test)]
mod tests {
    use super::super::client::ClientMatchDocument;
    use super::*;

    fn compile(text: &str) -> ClientMatch {
        let document: ClientMatchDocument = toml::from_str(text).unwrap();
        document.compile().unwrap()
    }

    #[test]
    fn a_table_fits_the_ways_that_have_what_it_asks_for() {
        for (text, ways) in [
            ("common-name = 'a'", &[Way::Tls][..]),
            ("spiffe-id = '*'", &[Way::Tls]),
            ("public-key = '*'\nsource = ['10.0.0.0/8']", &[Way::Tls]),
            ("uid = 1", &[Way::Unix]),
            ("gid = 1", &[Way::Unix]),
            ("container-name = 'a'", &[Way::Container]),
            ("container-label = ['a=b']", &[Way::Container]),
            ("source = ['::/0']", &[Way::Tls, Way::Plain, Way::Container]),
            ("listener = '*'", &Way::ALL),
        ] {
            let table = compile(text);
            let fits: Vec<_> = Way::ALL
                .into_iter()
                .filter(|way| table.fits(*way))
                .collect();
            assert_eq!(fits, ways, "{text}");
        }
    }

    #[test]
    fn a_pattern_that_no_value_can_fit_is_found() {
        let whole = "ab".repeat(32);
        for (text, is_found) in [
            (format!("fingerprint = '{whole}'"), false),
            (format!("public-key = '{whole}'"), false),
            ("public-key = 'ab*'".to_owned(), false),
            ("serial = '0A:1B'".to_owned(), false),
            ("fingerprint = 'regex:x'".to_owned(), true),
            ("fingerprint = 'regex:AA:BB:.*'".to_owned(), true),
            ("fingerprint = 'regex:(?i)AABB.*'".to_owned(), false),
            ("public-key = 'regex:[0-9a-f]{63}'".to_owned(), true),
            ("public-key = 'regex:[0-9a-f]{64}'".to_owned(), false),
            ("serial = 'regex:[0-9]{3}'".to_owned(), true),
            ("serial = 'regex:0[0-9]+'".to_owned(), false),
            ("spiffe-id = 'regex:spiffe://a/(b|c)'".to_owned(), false),
            ("spiffe-id = 'regex:spiffe://a b'".to_owned(), true),
            ("container-name = 'regex:/ci-.*'".to_owned(), true),
            ("container-name = 'regex:ci-(a|/b)'".to_owned(), false),
            ("common-name = 'regex:'".to_owned(), true),
            ("common-name = 'regex:ci-\\d+'".to_owned(), false),
            ("organization = 'regex:a\\x07'".to_owned(), true),
            ("spiffe-id = 'spiffe://a/*'".to_owned(), false),
            ("container-name = 'ci-*'".to_owned(), false),
            ("common-name = 'ci 7'".to_owned(), false),
            (format!("fingerprint = '{whole}00'"), true),
            (format!("public-key = 'sha256/{whole}'"), true),
            ("public-key = 'abcd'".to_owned(), true),
            ("public-key = 'x*'".to_owned(), true),
            ("serial = '0x1b'".to_owned(), true),
            ("serial = 'abc'".to_owned(), true),
            ("spiffe-id = 'acme/ci'".to_owned(), true),
            ("container-name = '/ci'".to_owned(), true),
            ("common-name = \"a\\u0007\"".to_owned(), true),
        ] {
            assert_eq!(compile(&text).hopeless().is_some(), is_found, "{text}");
        }
    }
}
