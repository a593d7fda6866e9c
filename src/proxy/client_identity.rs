//! Who a connection belongs to: the names in its verified certificate, or the process at the other end.

use std::io;
use std::os::fd::AsRawFd as _;

use aws_lc_rs::digest;
use tokio::net::UnixStream;
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};
use x509_parser::x509::{AttributeTypeAndValue, X509Name};

use crate::policy::client::{Certificate, PeerCredentials};
use crate::policy::spiffe;

/// The names in a client's leaf certificate.
///
/// Call it only with a certificate that rustls has verified: nothing is verified here. A certificate that can be read
/// in two ways (two common names, a name with control characters, a name that is no text) has no identity.
pub fn certificate(der: &[u8]) -> Result<Certificate, IdentityError> {
    let (rest, parsed) =
        X509Certificate::from_der(der).map_err(|error| IdentityError::Unreadable {
            cause: error.to_string(),
        })?;
    if !rest.is_empty() {
        return Err(IdentityError::Unreadable {
            cause: "bytes after its end".to_owned(),
        });
    }
    let alternative = alternative_names(&parsed)?;
    Ok(Certificate {
        common_name: common_name(parsed.subject())?,
        organizations: texts(parsed.subject().iter_organization(), "organization")?,
        organizational_units: texts(
            parsed.subject().iter_organizational_unit(),
            "organizational unit",
        )?,
        dns: alternative.dns,
        emails: alternative.emails,
        spiffe_id: spiffe_id(&parsed, &alternative.uris),
        uris: alternative.uris,
        serial: hexadecimal(without_sign_byte(parsed.raw_serial())),
        fingerprint: hexadecimal(digest::digest(&digest::SHA256, der).as_ref()),
        public_key: hexadecimal(digest::digest(&digest::SHA256, parsed.public_key().raw).as_ref()),
        not_after: parsed.validity().not_after.timestamp(),
    })
}

/// What the kernel says about the process that connected to a Unix socket.
///
/// # Errors
/// Those of the socket, and one for a process with more than 4096 groups.
pub fn peer_credentials(stream: &UnixStream) -> io::Result<PeerCredentials> {
    let credentials = stream.peer_cred()?;
    Ok(PeerCredentials {
        uid: credentials.uid(),
        gid: credentials.gid(),
        groups: peer_groups(stream)?,
        pid: credentials.pid(),
    })
}

/// The supplementary groups as they were at the time of connecting.
///
/// `/proc/PID/status` would tell those of whoever has the number now, and nothing across namespaces of processes.
fn peer_groups(stream: &UnixStream) -> io::Result<Vec<u32>> {
    for room in [USUAL_GROUPS, MOST_GROUPS] {
        let mut groups = vec![0_u32; room];
        let (level, option) = (uapi::c::SOL_SOCKET, uapi::c::SO_PEERGROUPS);
        match uapi::getsockopt(stream.as_raw_fd(), level, option, groups.as_mut_slice()) {
            Ok(bytes) => {
                groups.truncate(bytes / size_of::<u32>());
                return Ok(groups);
            }
            Err(error) if error.0 == uapi::c::ERANGE => {}
            Err(error) => return Err(io::Error::from_raw_os_error(error.0)),
        }
    }
    let cause = format!("the client is in more than {MOST_GROUPS} groups");
    Err(io::Error::other(cause))
}

/// Groups that are asked for at first.
const USUAL_GROUPS: usize = 64;
/// Groups of one process that are kept; the kernel allows 65536 (setgroups(2)).
const MOST_GROUPS: usize = 4096;

/// Why a verified certificate gives no identity; its client is refused.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum IdentityError {
    #[error("the client's certificate cannot be read: {cause}")]
    Unreadable { cause: String },
    #[error("the client's certificate has more than one common name")]
    TwoCommonNames,
    #[error("the client's certificate has a {kind} that is no plain text")]
    NotText { kind: &'static str },
}

#[derive(Default)]
struct AlternativeNames {
    dns: Vec<String>,
    emails: Vec<String>,
    uris: Vec<String>,
}

fn common_name(subject: &X509Name<'_>) -> Result<Option<String>, IdentityError> {
    let mut names = texts(subject.iter_common_name(), "common name")?.into_iter();
    match (names.next(), names.next()) {
        (name, None) => Ok(name),
        (_, Some(_)) => Err(IdentityError::TwoCommonNames),
    }
}

fn texts<'a>(
    attributes: impl Iterator<Item = &'a AttributeTypeAndValue<'a>>,
    kind: &'static str,
) -> Result<Vec<String>, IdentityError> {
    attributes
        .map(|attribute| {
            let text = attribute
                .as_str()
                .map_err(|_| IdentityError::NotText { kind })?;
            plain(text, kind)
        })
        .collect()
}

fn alternative_names(certificate: &X509Certificate<'_>) -> Result<AlternativeNames, IdentityError> {
    let mut names = AlternativeNames::default();
    let extension =
        certificate
            .subject_alternative_name()
            .map_err(|error| IdentityError::Unreadable {
                cause: format!("its alternative names: {error}"),
            })?;
    let Some(extension) = extension else {
        return Ok(names);
    };
    for name in &extension.value.general_names {
        match name {
            GeneralName::DNSName(text) => names.dns.push(plain(text, "DNS name")?),
            GeneralName::RFC822Name(text) => names.emails.push(plain(text, "email address")?),
            GeneralName::URI(text) => names.uris.push(plain(text, "URI")?),
            GeneralName::Invalid(..) => {
                return Err(IdentityError::NotText {
                    kind: "alternative name",
                });
            }
            // No rule can ask for these, so they permit nothing.
            GeneralName::OtherName(..)
            | GeneralName::X400Address(_)
            | GeneralName::DirectoryName(_)
            | GeneralName::EDIPartyName(_)
            | GeneralName::IPAddress(_)
            | GeneralName::RegisteredID(_) => {}
        }
    }
    Ok(names)
}

/// X.509-SVID: exactly one URI (section 2), and no right to sign certificates or revocation lists (section 4.3); that the
/// certificate is no authority, rustls has seen to.
fn spiffe_id(certificate: &X509Certificate<'_>, uris: &[String]) -> Option<String> {
    let [uri] = uris else { return None };
    let usage = certificate.key_usage().ok()?;
    let signs = usage.is_some_and(|usage| usage.value.key_cert_sign() || usage.value.crl_sign());
    (spiffe::is_workload_id(uri) && !signs && !certificate.is_ca()).then(|| uri.clone())
}

fn plain(text: &str, kind: &'static str) -> Result<String, IdentityError> {
    if text.is_empty() || text.chars().any(char::is_control) {
        return Err(IdentityError::NotText { kind });
    }
    Ok(text.to_owned())
}

fn without_sign_byte(serial: &[u8]) -> &[u8] {
    match serial.split_first() {
        Some((0, rest)) if !rest.is_empty() => rest,
        Some(_) | None => serial,
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use rcgen::{
        CertificateParams, CustomExtension, DistinguishedName, DnType, KeyPair, KeyUsagePurpose,
        SanType, SerialNumber,
    };

    use super::*;

    fn der(params: &CertificateParams) -> Vec<u8> {
        let key = KeyPair::generate().unwrap();
        params.self_signed(&key).unwrap().der().to_vec()
    }

    fn named(common_name: &str) -> CertificateParams {
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params
            .distinguished_name
            .push(DnType::CommonName, common_name);
        params
    }

    #[test]
    fn reads_every_name_of_a_certificate() {
        let mut params = named("ci-7");
        params
            .distinguished_name
            .push(DnType::OrganizationName, "acme");
        params
            .distinguished_name
            .push(DnType::OrganizationalUnitName, "build");
        params.subject_alt_names = vec![
            SanType::DnsName("runner.example".try_into().unwrap()),
            SanType::Rfc822Name("ci@acme.example".try_into().unwrap()),
            SanType::URI("spiffe://acme/ci".try_into().unwrap()),
            SanType::IpAddress([127, 0, 0, 1].into()),
        ];
        params.serial_number = Some(SerialNumber::from_slice(&[0xf0, 0x0a]));
        let der = der(&params);

        let certificate = certificate(&der).unwrap();

        assert_eq!(certificate.common_name.as_deref(), Some("ci-7"));
        assert_eq!(certificate.organizations, ["acme"]);
        assert_eq!(certificate.organizational_units, ["build"]);
        assert_eq!(certificate.dns, ["runner.example"]);
        assert_eq!(certificate.emails, ["ci@acme.example"]);
        assert_eq!(certificate.uris, ["spiffe://acme/ci"]);
        assert_eq!(certificate.serial, "f00a");
        assert_eq!(certificate.spiffe_id.as_deref(), Some("spiffe://acme/ci"));
        assert_eq!(certificate.fingerprint.len(), 64);
        assert_eq!(certificate.public_key.len(), 64);
        assert_ne!(certificate.public_key, certificate.fingerprint);
        assert_eq!(certificate.not_after, params.not_after.unix_timestamp());
    }

    #[test]
    fn the_same_key_has_the_same_hash_in_another_certificate() {
        let key = KeyPair::generate().unwrap();
        let read = |name: &str, key: &KeyPair| {
            let der = named(name).self_signed(key).unwrap().der().to_vec();
            certificate(&der).unwrap()
        };
        let (one, renewed) = (read("a", &key), read("b", &key));
        assert_eq!(one.public_key, renewed.public_key);
        assert_ne!(one.fingerprint, renewed.fingerprint);
        let other = read("a", &KeyPair::generate().unwrap());
        assert_ne!(one.public_key, other.public_key);
    }

    #[test]
    fn a_workload_is_known_by_its_only_uri_in_a_certificate_that_signs_nothing() {
        let uri = |text: &str| SanType::URI(text.try_into().unwrap());
        let id = |names: Vec<SanType>, usages: Vec<KeyUsagePurpose>| {
            let mut params = named("a");
            params.subject_alt_names = names;
            params.key_usages = usages;
            certificate(&der(&params)).unwrap().spiffe_id
        };
        let own = || vec![uri("spiffe://acme/ci")];
        assert_eq!(id(own(), vec![]).as_deref(), Some("spiffe://acme/ci"));
        assert!(id(own(), vec![KeyUsagePurpose::DigitalSignature]).is_some());
        let dns = SanType::DnsName("a.example".try_into().unwrap());
        assert!(id(vec![dns, uri("spiffe://acme/ci")], vec![]).is_some());
        for names in [
            vec![],
            vec![uri("spiffe://acme/ci"), uri("spiffe://acme/admin")],
            vec![uri("spiffe://acme/ci"), uri("https://acme/ci")],
            vec![uri("spiffe://acme")],
            vec![uri("https://acme/ci")],
        ] {
            assert_eq!(id(names, vec![]), None);
        }
        for signing in [KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign] {
            assert_eq!(id(own(), vec![signing]), None);
        }
    }

    #[test]
    fn a_name_with_a_control_character_is_no_identity() {
        let refused = certificate(&der(&named("ci-7\0.evil")));
        assert_eq!(
            refused,
            Err(IdentityError::NotText {
                kind: "common name"
            })
        );
    }

    #[test]
    fn two_common_names_are_no_identity() {
        let mut params = named("ci-7");
        // The same attribute type under the generator's other spelling, so that both are written.
        params
            .distinguished_name
            .push(DnType::CustomDnType(vec![2, 5, 4, 3]), "admin");
        assert_eq!(
            certificate(&der(&params)),
            Err(IdentityError::TwoCommonNames)
        );
    }

    #[test]
    fn unreadable_alternative_names_are_no_identity() {
        let mut params = named("ci-7");
        params.custom_extensions = vec![CustomExtension::from_oid_content(
            &[2, 5, 29, 17],
            vec![0x30, 0x03, 0x82, 0x01, 0xff],
        )];
        assert!(certificate(&der(&params)).is_err());
    }

    #[test]
    fn garbage_and_trailing_bytes_are_no_identity() {
        assert!(certificate(b"hello").is_err());
        let mut long = der(&named("ci-7"));
        long.push(0);
        assert!(certificate(&long).is_err());
    }

    #[tokio::test]
    async fn a_unix_peer_is_its_user_and_process() {
        let (stream, _other) = UnixStream::pair().unwrap();
        let peer = peer_credentials(&stream).unwrap();
        assert_eq!(peer.uid, rustix::process::geteuid().as_raw());
        assert_eq!(peer.gid, rustix::process::getegid().as_raw());
        let own = rustix::process::getgroups().unwrap();
        let own: Vec<u32> = own.into_iter().map(|group| group.as_raw()).collect();
        assert_eq!(peer.groups, own);
        assert_eq!(peer.pid, i32::try_from(std::process::id()).ok());
    }
}
