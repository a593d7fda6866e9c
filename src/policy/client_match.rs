//! Which clients a `[[client]]` table is for.

use serde::Deserialize;

use crate::policy::client::{Caller, Certificate, Identity, Way};
use crate::policy::client_reach::Asked;
use crate::policy::pattern::Pattern;
use crate::policy::subnet::Subnet;

/// A compiled `match` table: all keys that it names must hold.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ClientMatch {
    pub(super) certificate: Vec<(CertificateKey, Pattern)>,
    pub(super) uid: Option<u32>,
    /// Any of the groups of the process.
    pub(super) gid: Option<u32>,
    /// The source lies in one of them; none where the table says nothing of it.
    pub(super) sources: Vec<Subnet>,
    pub(super) container_name: Option<Pattern>,
    /// The keys of labels, and what their values are; all must hold.
    pub(super) container_labels: Vec<(String, Pattern)>,
    pub(super) listener: Option<Pattern>,
}

impl ClientMatch {
    /// Whether the client is one of those this table is for.
    pub fn matches(&self, caller: &Caller<'_>) -> bool {
        // INVARIANT: at least one key is set, `ClientMatchDocument::compile` saw to it; else this would match all.
        let identity = caller.identity;
        self.listens(caller.listener)
            && self.matches_source(caller)
            && self.matches_certificate(identity)
            && self.matches_peer(identity)
            && self.matches_container(identity)
    }

    fn matches_source(&self, caller: &Caller<'_>) -> bool {
        let within = |source| self.sources.iter().any(|range| range.contains(&source));
        self.sources.is_empty() || caller.source.map(Subnet::only).is_some_and(within)
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
        self.uid.is_none_or(|uid| uid == peer.uid)
            && self
                .gid
                .is_none_or(|gid| gid == peer.gid || peer.groups.contains(&gid))
    }

    fn matches_container(&self, identity: &Identity) -> bool {
        let Identity::Container(container) = identity else {
            return self.container_name.is_none() && self.container_labels.is_empty();
        };
        let name = self.container_name.as_ref();
        name.is_none_or(|pattern| pattern.matches(&container.name))
            && self.container_labels.iter().all(|(key, pattern)| {
                let value = container.labels.get(key);
                value.is_some_and(|value| pattern.matches(value))
            })
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
    pub spiffe_id: Option<String>,
    /// Hexadecimal; colons and capitals are read as `openssl x509 -serial` writes them.
    pub serial: Option<String>,
    /// SHA-256 in hexadecimal; colons and capitals are read as `openssl x509 -fingerprint -sha256` writes them.
    pub fingerprint: Option<String>,
    /// SHA-256 of the public key, read as the fingerprint.
    pub public_key: Option<String>,
    pub uid: Option<u32>,
    pub gid: Option<u32>,
    /// Ranges of addresses, and single ones.
    pub source: Option<Vec<String>>,
    pub container_name: Option<String>,
    /// Each `KEY=VALUE`; the value is a pattern.
    pub container_label: Option<Vec<String>>,
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
        let mut optional = |key, text: &Option<String>| {
            let text = text.as_deref()?;
            compiled(key, text, &mut problems)
        };
        let container_name = optional("container-name", &self.container_name);
        let listener = optional("listener", &self.listener);
        let matches = ClientMatch {
            certificate,
            uid: self.uid,
            gid: self.gid,
            sources: sources(self.source.as_deref(), &mut problems),
            container_name,
            container_labels: labels(self.container_label.as_deref(), &mut problems),
            listener,
        };
        if *self == Self::default() {
            let message =
                "the table is empty; to match every client of a listener, name the listener";
            problems.push(("match".to_owned(), message.to_owned()));
        }
        let can_come = |way: &Way| self.asked().all(|asked| asked.is_known(*way));
        if !Way::ALL.iter().any(can_come) {
            let message = "no client has all of these, so this matches nobody: a certificate comes by TLS, `uid` and \
                           `gid` by a Unix socket, `source` by TCP, a container by a listener with \
                           `identify-containers`";
            problems.push(("match".to_owned(), message.to_owned()));
        }
        if problems.is_empty() {
            Ok(matches)
        } else {
            Err(problems)
        }
    }
}

impl ClientMatchDocument {
    /// What is asked for, whether it can be read or not.
    fn asked(&self) -> impl Iterator<Item = Asked> {
        let mut keys = CertificateKey::ALL.iter();
        let names_certificate = keys.any(|key| key.written(self).is_some());
        let names_process = self.uid.is_some() || self.gid.is_some();
        let names_container = self.container_name.is_some() || self.container_label.is_some();
        let asked = [
            names_certificate.then_some(Asked::Certificate),
            names_process.then_some(Asked::Process),
            names_container.then_some(Asked::Container),
            self.source.is_some().then_some(Asked::Source),
        ];
        asked.into_iter().flatten()
    }
}

fn sources(written: Option<&[String]>, problems: &mut Vec<(String, String)>) -> Vec<Subnet> {
    let mut problem = |message| problems.push(("source".to_owned(), message));
    let Some(written) = written else {
        return Vec::new();
    };
    if written.is_empty() {
        problem("an empty list is the source of nobody".to_owned());
    }
    let mut sources = Vec::new();
    for text in written {
        match Subnet::of_sources(text) {
            Some(range) => sources.push(range),
            None => problem(format!(
                "`{text}` is no address and no range like `10.0.0.0/8` or `fd00::/8`"
            )),
        }
    }
    sources
}

fn labels(
    written: Option<&[String]>,
    problems: &mut Vec<(String, String)>,
) -> Vec<(String, Pattern)> {
    let key = "container-label";
    let mut labels = Vec::new();
    for text in written.unwrap_or_default() {
        match text.split_once('=').filter(|(label, _)| !label.is_empty()) {
            Some((label, value)) => {
                let pattern = compiled(key, value, problems);
                labels.extend(pattern.map(|pattern| (label.to_owned(), pattern)));
            }
            None => problems.push((
                key.to_owned(),
                format!("`{text}` is no label; write it like `role=ci-*`"),
            )),
        }
    }
    if written.is_some_and(<[String]>::is_empty) {
        problems.push((key.to_owned(), "an empty list names no label".to_owned()));
    }
    labels
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum CertificateKey {
    CommonName,
    Organization,
    OrganizationalUnit,
    Dns,
    Email,
    Uri,
    SpiffeId,
    Serial,
    Fingerprint,
    PublicKey,
}

impl CertificateKey {
    pub(super) const ALL: [Self; 10] = [
        Self::CommonName,
        Self::Organization,
        Self::OrganizationalUnit,
        Self::Dns,
        Self::Email,
        Self::Uri,
        Self::SpiffeId,
        Self::Serial,
        Self::Fingerprint,
        Self::PublicKey,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::CommonName => "common-name",
            Self::Organization => "organization",
            Self::OrganizationalUnit => "organizational-unit",
            Self::Dns => "dns",
            Self::Email => "email",
            Self::Uri => "uri",
            Self::SpiffeId => "spiffe-id",
            Self::Serial => "serial",
            Self::Fingerprint => "fingerprint",
            Self::PublicKey => "public-key",
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
            Self::SpiffeId => document.spiffe_id.as_deref(),
            Self::Serial => document.serial.as_deref(),
            Self::Fingerprint => document.fingerprint.as_deref(),
            Self::PublicKey => document.public_key.as_deref(),
        }
    }

    pub(super) fn values(self, certificate: &Certificate) -> &[String] {
        match self {
            Self::CommonName => certificate.common_name.as_slice(),
            Self::Organization => &certificate.organizations,
            Self::OrganizationalUnit => &certificate.organizational_units,
            Self::Dns => &certificate.dns,
            Self::Email => &certificate.emails,
            Self::Uri => &certificate.uris,
            Self::SpiffeId => certificate.spiffe_id.as_slice(),
            Self::Serial => std::slice::from_ref(&certificate.serial),
            Self::Fingerprint => std::slice::from_ref(&certificate.fingerprint),
            Self::PublicKey => std::slice::from_ref(&certificate.public_key),
        }
    }

    fn canonical(self, text: &str) -> String {
        match self {
            Self::Serial | Self::Fingerprint | Self::PublicKey if !text.starts_with("regex:") => {
                text.replace(':', "").to_ascii_lowercase()
            }
            Self::CommonName
            | Self::Organization
            | Self::OrganizationalUnit
            | Self::Dns
            | Self::Email
            | Self::Uri
            | Self::SpiffeId
            | Self::Serial
            | Self::Fingerprint
            | Self::PublicKey => text.to_owned(),
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
mod tests;
