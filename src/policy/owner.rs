//! The name under which a client owns what it makes, as a configuration writes it: a text with fields of the client.

use std::fmt;

use super::client::{Caller, Identity, Way};
use super::client_match::CertificateKey;
use super::pattern::Pattern;
use super::problem::Fault;

/// The longest name of an owner, in bytes.
const OWNER_LIMIT: usize = 256;

/// A text in which `{common-name}` and the like stand for what is known of the client.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct OwnerTemplate {
    text: String,
    parts: Vec<Part>,
}

#[derive(Clone, Debug, Eq, PartialEq)]
enum Part {
    Text(String),
    Field(Field),
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Field {
    Certificate(CertificateKey),
    Uid,
    Gid,
    ContainerName,
}

/// Why a client has no name to own things under; it is refused.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum NoOwner {
    #[error("the client has no `{0}`, which `owner` asks for")]
    Missing(&'static str),
    #[error("the client has more than one `{0}`, so `owner` does not say which")]
    Ambiguous(&'static str),
    #[error(
        "the name of the client's owner is empty, longer than {OWNER_LIMIT} bytes, or no plain text"
    )]
    NotPlain,
}

impl OwnerTemplate {
    /// Reads a template.
    ///
    /// # Errors
    /// A fault for a field that is not known, a brace that belongs to none, and a fixed text that is no name.
    pub(crate) fn parse(text: &str) -> Result<Self, Fault> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let closed = after.split_once('}');
            let (name, after) = closed.ok_or_else(|| fault(text, "a brace is not closed"))?;
            let mut known = Field::all();
            let field = known.find(|field| field.name() == name);
            let field = field.ok_or_else(|| unknown_field(name))?;
            parts.push(Part::Text(before.to_owned()));
            parts.push(Part::Field(field));
            rest = after;
        }
        parts.push(Part::Text(rest.to_owned()));
        parts.retain(|part| !matches!(part, Part::Text(text) if text.is_empty()));
        if fixed(&parts).any(|text| text.contains('}')) {
            return Err(fault(text, "a brace is not opened"));
        }
        if fixed(&parts).any(|text| text.chars().any(char::is_control)) {
            return Err(fault(text, "it has control characters"));
        }
        let template = Self {
            text: text.to_owned(),
            parts,
        };
        if template.is_fixed() && !is_plain(text) || text.len() > OWNER_LIMIT {
            return Err(fault(
                text,
                "it is empty, too long, or has spaces at its ends",
            ));
        }
        Ok(template)
    }

    /// The name of this client's owner.
    ///
    /// # Errors
    /// [`NoOwner`]; such a client must be refused.
    pub fn fill(&self, caller: &Caller<'_>) -> Result<String, NoOwner> {
        let mut owner = String::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => owner.push_str(text),
                Part::Field(field) => owner.push_str(&field.value(caller.identity)?),
            }
        }
        if is_plain(&owner) {
            Ok(owner)
        } else {
            Err(NoOwner::NotPlain)
        }
    }

    /// The first field that who comes that way never has.
    #[must_use]
    pub fn lacking(&self, way: Way) -> Option<&'static str> {
        let mut fields = self.parts.iter().filter_map(|part| match part {
            Part::Field(field) => Some(field),
            Part::Text(_) => None,
        });
        fields
            .find(|field| field.way() != way)
            .map(|field| field.name())
    }

    /// Whether it names one owner for all.
    #[must_use]
    pub fn is_fixed(&self) -> bool {
        !self.parts.iter().any(|part| matches!(part, Part::Field(_)))
    }

    /// Whether some client's fields may make it this name, as far as the fields show it.
    #[must_use]
    pub fn may_name(&self, owner: &str) -> bool {
        let expression = self.parts.iter().map(|part| match part {
            Part::Text(text) => regex::escape(text),
            Part::Field(field) => field.expression().to_owned(),
        });
        let expression: String = expression.collect();
        let pattern = Pattern::parse(&format!("regex:{expression}"));
        // One that is too long to be compiled shows nothing.
        pattern.is_ok_and(|pattern| pattern.matches(owner))
    }

    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for OwnerTemplate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

impl Field {
    fn all() -> impl Iterator<Item = Self> {
        let certificate = CertificateKey::ALL.into_iter().map(Self::Certificate);
        certificate.chain([Self::Uid, Self::Gid, Self::ContainerName])
    }

    fn name(self) -> &'static str {
        match self {
            Self::Certificate(key) => key.name(),
            Self::Uid => "uid",
            Self::Gid => "gid",
            Self::ContainerName => "container-name",
        }
    }

    fn expression(self) -> &'static str {
        match self {
            Self::Certificate(
                CertificateKey::Serial | CertificateKey::Fingerprint | CertificateKey::PublicKey,
            ) => "[0-9a-f]+",
            Self::Certificate(CertificateKey::SpiffeId) => "spiffe://.+",
            Self::Certificate(
                CertificateKey::CommonName
                | CertificateKey::Organization
                | CertificateKey::OrganizationalUnit
                | CertificateKey::Dns
                | CertificateKey::Email
                | CertificateKey::Uri,
            ) => ".+",
            Self::Uid | Self::Gid => "[0-9]+",
            Self::ContainerName => "[a-zA-Z0-9_.-]+",
        }
    }

    fn way(self) -> Way {
        match self {
            Self::Certificate(_) => Way::Tls,
            Self::Uid | Self::Gid => Way::Unix,
            Self::ContainerName => Way::Container,
        }
    }

    fn value(self, identity: &Identity) -> Result<String, NoOwner> {
        match (self, identity) {
            (Self::Certificate(key), Identity::Certificate(certificate)) => {
                match key.values(certificate) {
                    [] => Err(NoOwner::Missing(self.name())),
                    [value] if value.is_empty() => Err(NoOwner::Missing(self.name())),
                    [value] => Ok(value.clone()),
                    [_, _, ..] => Err(NoOwner::Ambiguous(self.name())),
                }
            }
            (Self::Uid, Identity::Peer(peer)) => Ok(peer.uid.to_string()),
            (Self::Gid, Identity::Peer(peer)) => Ok(peer.gid.to_string()),
            (Self::ContainerName, Identity::Container(container)) => Ok(container.name.clone()),
            (Self::Certificate(_) | Self::Uid | Self::Gid | Self::ContainerName, _) => {
                Err(NoOwner::Missing(self.name()))
            }
        }
    }
}

fn fixed(parts: &[Part]) -> impl Iterator<Item = &str> {
    parts.iter().filter_map(|part| match part {
        Part::Text(text) => Some(text.as_str()),
        Part::Field(_) => None,
    })
}

fn is_plain(owner: &str) -> bool {
    matches!(owner.len(), 1..=OWNER_LIMIT)
        && owner.trim() == owner
        && !owner.chars().any(char::is_control)
}

fn fault(text: &str, cause: &str) -> Fault {
    Fault::new("not-an-owner", format!("`{text}` names no owner: {cause}"))
        .help("a text of at most 256 bytes, like \"ci\" or \"team/{common-name}\"")
}

fn unknown_field(name: &str) -> Fault {
    let known: Vec<_> = Field::all()
        .map(|field| format!("`{{{}}}`", field.name()))
        .collect();
    Fault::new(
        "not-an-owner",
        format!("`{{{name}}}` is nothing that is known of a client"),
    )
    .help(known.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine_api::CallingContainer;
    use crate::policy::client::{Certificate, PeerCredentials};

    fn fill(template: &str, identity: &Identity) -> Result<String, NoOwner> {
        let template = OwnerTemplate::parse(template).unwrap();
        template.fill(&Caller {
            identity,
            source: None,
            listener: "tcp://a",
        })
    }

    fn certificate() -> Certificate {
        Certificate {
            common_name: Some("alice".to_owned()),
            organizations: vec!["acme".to_owned(), "other".to_owned()],
            spiffe_id: Some("spiffe://acme/ci".to_owned()),
            ..Certificate::default()
        }
    }

    #[test]
    fn fields_stand_for_what_is_known_of_the_client() {
        let of_certificate = Identity::Certificate(certificate());
        let peer = Identity::Peer(PeerCredentials {
            uid: 1000,
            gid: 100,
            ..PeerCredentials::default()
        });
        let container = Identity::Container(CallingContainer {
            name: "web".to_owned(),
            ..CallingContainer::default()
        });
        for (template, identity, owner) in [
            ("{common-name}", &of_certificate, "alice"),
            ("team/{common-name}!", &of_certificate, "team/alice!"),
            ("{common-name}{common-name}", &of_certificate, "alicealice"),
            ("{spiffe-id}", &of_certificate, "spiffe://acme/ci"),
            ("{uid}:{gid}", &peer, "1000:100"),
            ("{container-name}", &container, "web"),
            ("ci", &Identity::Listener, "ci"),
        ] {
            assert_eq!(fill(template, identity).as_deref(), Ok(owner), "{template}");
        }
    }

    #[test]
    fn what_is_not_known_names_no_owner() {
        let of_certificate = Identity::Certificate(certificate());
        let missing = |field| Err(NoOwner::Missing(field));
        assert_eq!(fill("{uid}", &of_certificate), missing("uid"));
        assert_eq!(fill("x{dns}", &of_certificate), missing("dns"));
        assert_eq!(
            fill("{common-name}", &Identity::Listener),
            missing("common-name")
        );
        assert_eq!(fill("{serial}", &of_certificate), missing("serial"));
        let ambiguous = Err(NoOwner::Ambiguous("organization"));
        assert_eq!(fill("{organization}", &of_certificate), ambiguous);
        for name in [" ", " alice", "a\nb", &"x".repeat(OWNER_LIMIT + 1)] {
            let identity = Identity::Certificate(Certificate {
                common_name: Some(name.to_owned()),
                ..Certificate::default()
            });
            assert_eq!(
                fill("{common-name}", &identity),
                Err(NoOwner::NotPlain),
                "{name}"
            );
        }
    }

    #[test]
    fn a_template_with_a_fault_is_not_read() {
        let long = "x".repeat(OWNER_LIMIT + 1);
        for text in [
            "", " ", "a ", "{", "}", "a}b", "{uid", "{name}", "{}", "{ uid}", "{{uid}}", "a\nb",
            &long,
        ] {
            let fault = OwnerTemplate::parse(text).unwrap_err();
            assert_eq!(fault.code(), "not-an-owner", "{text}");
        }
    }

    #[test]
    fn a_template_shows_for_whom_it_cannot_be_filled() {
        let lacking = |text, way| OwnerTemplate::parse(text).unwrap().lacking(way);
        assert_eq!(lacking("ci", Way::Plain), None);
        assert_eq!(lacking("{common-name}", Way::Tls), None);
        assert_eq!(lacking("{uid}-{gid}", Way::Unix), None);
        assert_eq!(lacking("{uid}", Way::Tls), Some("uid"));
        assert_eq!(
            lacking("{container-name}", Way::Plain),
            Some("container-name")
        );
        assert_eq!(lacking("{dns}{uid}", Way::Unix), Some("dns"));
    }

    #[test]
    fn a_template_shows_which_names_it_may_come_to() {
        let may_name = |text, owner| OwnerTemplate::parse(text).unwrap().may_name(owner);
        assert!(may_name("{common-name}", "ci"));
        assert!(may_name("team/{common-name}", "team/ci"));
        assert!(may_name("{uid}", "1000"));
        assert!(!may_name("team/{common-name}", "ci"));
        assert!(!may_name("{uid}", "ci"));
        assert!(!may_name("{spiffe-id}", "ci"));
        assert!(!may_name("a.{uid}", "ab1"));
    }
}
