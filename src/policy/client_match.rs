//! Which clients a `[[client]]` table is for.

use serde::Deserialize;

use crate::policy::client::{Certificate, Identity};
use crate::policy::pattern::Pattern;

/// A compiled `match` table: all keys that it names must hold.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ClientMatch {
    pub(super) certificate: Vec<(CertificateKey, Pattern)>,
    pub(super) uid: Option<u32>,
    pub(super) gid: Option<u32>,
    pub(super) listener: Option<Pattern>,
}

impl ClientMatch {
    /// Whether the client `identity` on the listener of that address is one of those this table is for.
    pub fn matches(&self, identity: &Identity, listener: &str) -> bool {
        // INVARIANT: at least one key is set, `ClientMatchDocument::compile` saw to it; else this would match all.
        self.listener
            .as_ref()
            .is_none_or(|pattern| pattern.matches(listener))
            && self.matches_certificate(identity)
            && self.matches_peer(identity)
    }

    fn matches_certificate(&self, identity: &Identity) -> bool {
        let Identity::Certificate(certificate) = identity else {
            return self.certificate.is_empty();
        };
        self.certificate.iter().all(|(key, pattern)| {
            key.values(certificate)
                .iter()
                .any(|value| pattern.matches(value))
        })
    }

    fn matches_peer(&self, identity: &Identity) -> bool {
        let Identity::Peer(peer) = identity else {
            return self.uid.is_none() && self.gid.is_none();
        };
        self.uid.is_none_or(|uid| uid == peer.uid) && self.gid.is_none_or(|gid| gid == peer.gid)
    }
}

/// A `match` table as written in the configuration; text values are patterns.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ClientMatchDocument {
    pub common_name: Option<String>,
    pub organization: Option<String>,
    pub organizational_unit: Option<String>,
    pub dns: Option<String>,
    pub email: Option<String>,
    pub uri: Option<String>,
    /// Hexadecimal; colons and capitals are read as `openssl x509 -serial` writes them.
    pub serial: Option<String>,
    /// SHA-256 in hexadecimal; colons and capitals are read as `openssl x509 -fingerprint -sha256` writes them.
    pub fingerprint: Option<String>,
    pub uid: Option<u32>,
    pub gid: Option<u32>,
    pub listener: Option<String>,
}

impl ClientMatchDocument {
    /// Compiles the table, or gives every problem in it as (key, message); the key is `match` for the table itself.
    pub fn compile(&self) -> Result<ClientMatch, Vec<(String, String)>> {
        let mut problems = Vec::new();
        let mut certificate = Vec::new();
        for key in CertificateKey::ALL {
            let Some(text) = key.written(self) else {
                continue;
            };
            if let Some(pattern) = compiled(key.name(), &key.canonical(text), &mut problems) {
                certificate.push((key, pattern));
            }
        }
        let listener = self
            .listener
            .as_deref()
            .and_then(|text| compiled("listener", text, &mut problems));
        self.check_as_a_whole(&mut problems);
        if !problems.is_empty() {
            return Err(problems);
        }
        Ok(ClientMatch {
            certificate,
            uid: self.uid,
            gid: self.gid,
            listener,
        })
    }

    fn check_as_a_whole(&self, problems: &mut Vec<(String, String)>) {
        let names_certificate = CertificateKey::ALL
            .iter()
            .any(|key| key.written(self).is_some());
        let names_peer = self.uid.is_some() || self.gid.is_some();
        if !names_certificate && !names_peer && self.listener.is_none() {
            problems.push((
                "match".to_owned(),
                "the table is empty; to match every client of a listener, name the listener"
                    .to_owned(),
            ));
        }
        if names_certificate && names_peer {
            problems.push((
                "match".to_owned(),
                "no client has both a certificate and a uid or gid, so this matches nobody"
                    .to_owned(),
            ));
        }
    }
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum CertificateKey {
    CommonName,
    Organization,
    OrganizationalUnit,
    Dns,
    Email,
    Uri,
    Serial,
    Fingerprint,
}

impl CertificateKey {
    const ALL: [Self; 8] = [
        Self::CommonName,
        Self::Organization,
        Self::OrganizationalUnit,
        Self::Dns,
        Self::Email,
        Self::Uri,
        Self::Serial,
        Self::Fingerprint,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::CommonName => "common-name",
            Self::Organization => "organization",
            Self::OrganizationalUnit => "organizational-unit",
            Self::Dns => "dns",
            Self::Email => "email",
            Self::Uri => "uri",
            Self::Serial => "serial",
            Self::Fingerprint => "fingerprint",
        }
    }

    fn written(self, document: &ClientMatchDocument) -> Option<&str> {
        match self {
            Self::CommonName => document.common_name.as_deref(),
            Self::Organization => document.organization.as_deref(),
            Self::OrganizationalUnit => document.organizational_unit.as_deref(),
            Self::Dns => document.dns.as_deref(),
            Self::Email => document.email.as_deref(),
            Self::Uri => document.uri.as_deref(),
            Self::Serial => document.serial.as_deref(),
            Self::Fingerprint => document.fingerprint.as_deref(),
        }
    }

    fn values(self, certificate: &Certificate) -> &[String] {
        match self {
            Self::CommonName => certificate.common_name.as_slice(),
            Self::Organization => &certificate.organizations,
            Self::OrganizationalUnit => &certificate.organizational_units,
            Self::Dns => &certificate.dns,
            Self::Email => &certificate.emails,
            Self::Uri => &certificate.uris,
            Self::Serial => std::slice::from_ref(&certificate.serial),
            Self::Fingerprint => std::slice::from_ref(&certificate.fingerprint),
        }
    }

    fn canonical(self, text: &str) -> String {
        match self {
            Self::Serial | Self::Fingerprint if !text.starts_with("regex:") => {
                text.replace(':', "").to_ascii_lowercase()
            }
            Self::CommonName
            | Self::Organization
            | Self::OrganizationalUnit
            | Self::Dns
            | Self::Email
            | Self::Uri
            | Self::Serial
            | Self::Fingerprint => text.to_owned(),
        }
    }
}

fn compiled(key: &str, text: &str, problems: &mut Vec<(String, String)>) -> Option<Pattern> {
    match Pattern::parse(text) {
        Ok(pattern) => Some(pattern),
        Err(error) => {
            problems.push((key.to_owned(), error.to_string()));
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::client::PeerCredentials;

    const LISTENER: &str = "tcp://0.0.0.0:2376";

    fn certificate() -> Identity {
        Identity::Certificate(Certificate {
            common_name: Some("ci-7".to_owned()),
            organizations: vec!["acme".to_owned(), "acme-build".to_owned()],
            organizational_units: vec![],
            dns: vec!["runner.example".to_owned()],
            emails: vec!["ci@acme.example".to_owned()],
            uris: vec!["spiffe://acme/ci".to_owned()],
            serial: "0a1b".to_owned(),
            fingerprint: "aabbcc".to_owned(),
            not_after: 0,
        })
    }

    fn peer(uid: u32, gid: u32) -> Identity {
        Identity::Peer(PeerCredentials {
            uid,
            gid,
            pid: None,
        })
    }

    fn compile(text: &str) -> ClientMatch {
        let document: ClientMatchDocument = toml::from_str(text).unwrap();
        document.compile().unwrap()
    }

    fn problems(text: &str) -> Vec<String> {
        let document: ClientMatchDocument = toml::from_str(text).unwrap();
        let problems = document.compile().unwrap_err();
        problems.into_iter().map(|(key, _)| key).collect()
    }

    #[test]
    fn each_certificate_key_holds_for_its_own_value_only() {
        for (key, right, wrong) in [
            ("common-name", "ci-*", "acme"),
            ("organization", "acme-build", "ci-7"),
            ("dns", "*.example", "example"),
            ("email", "*@acme.example", "*@acme.exampl"),
            ("uri", "regex:spiffe://acme/(ci|cd)", "regex:acme"),
            ("serial", "0A:1B", "0a"),
            ("fingerprint", "AA:BB:CC", "aabbccdd"),
        ] {
            assert!(
                compile(&format!("{key} = '{right}'")).matches(&certificate(), LISTENER),
                "{key}"
            );
            assert!(
                !compile(&format!("{key} = '{wrong}'")).matches(&certificate(), LISTENER),
                "{key}"
            );
        }
    }

    #[test]
    fn a_key_whose_value_the_certificate_lacks_never_holds() {
        assert!(!compile("organizational-unit = '*'").matches(&certificate(), LISTENER));
    }

    #[test]
    fn all_keys_must_hold() {
        let both = "common-name = 'ci-*'\norganization = 'acme'";
        assert!(compile(both).matches(&certificate(), LISTENER));
        let one = "common-name = 'ci-*'\norganization = 'other'";
        assert!(!compile(one).matches(&certificate(), LISTENER));
        let elsewhere = "common-name = 'ci-*'\nlistener = 'unix://*'";
        assert!(!compile(elsewhere).matches(&certificate(), LISTENER));
    }

    #[test]
    fn a_certificate_rule_matches_no_other_kind_of_client() {
        let rule = compile("common-name = '*'");
        assert!(!rule.matches(&peer(0, 0), LISTENER));
        assert!(!rule.matches(&Identity::Listener, LISTENER));
    }

    #[test]
    fn uid_and_gid_match_unix_peers_only() {
        let rule = compile("uid = 1000\ngid = 100");
        assert!(rule.matches(&peer(1000, 100), "unix:///run/a.sock"));
        assert!(!rule.matches(&peer(1000, 0), "unix:///run/a.sock"));
        assert!(!rule.matches(&peer(0, 100), "unix:///run/a.sock"));
        assert!(!rule.matches(&Identity::Listener, "unix:///run/a.sock"));
        assert!(!compile("uid = 0").matches(&certificate(), LISTENER));
    }

    #[test]
    fn a_listener_matches_whoever_reaches_it() {
        let rule = compile("listener = 'tcp://*:2376'");
        assert!(rule.matches(&Identity::Listener, LISTENER));
        assert!(rule.matches(&certificate(), LISTENER));
        assert!(!rule.matches(&Identity::Listener, "unix:///run/a.sock"));
    }

    #[test]
    fn refuses_a_table_that_is_empty_or_matches_nobody() {
        assert_eq!(problems(""), ["match"]);
        assert_eq!(problems("uid = 0\ncommon-name = 'a'"), ["match"]);
    }

    #[test]
    fn gives_every_problem_at_once() {
        assert_eq!(
            problems("common-name = ''\ndns = 'regex:('\nuid = 1"),
            ["common-name", "dns", "match"]
        );
    }

    #[test]
    fn refuses_unknown_keys_and_wrong_kinds() {
        assert!(toml::from_str::<ClientMatchDocument>("commonname = 'a'").is_err());
        assert!(toml::from_str::<ClientMatchDocument>("uid = '0'").is_err());
        assert!(toml::from_str::<ClientMatchDocument>("uid = -1").is_err());
    }
}
