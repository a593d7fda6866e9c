//! The authority: its key, and what it signs.

use aws_lc_rs::rand;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DistinguishedName,
    DnType, IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256,
    RevokedCertParams, SerialNumber,
};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, CertificateRevocationListDer};
use time::{Duration, OffsetDateTime};
use x509_parser::prelude::{CertificateRevocationList, FromDer, X509Certificate};

use crate::command::certs::CertsError;
use crate::command::certs::folder::{self, Folder};
use crate::command::certs::index::{Issued, Line, Revoked};
use crate::command::certs::subject::{Subject, Validity};

/// An authority that can sign: an ECDSA P-256 key and its self-signed certificate.
#[derive(Debug)]
pub(super) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate_pem: String,
    serial: String,
    validity: Validity,
}

impl Authority {
    /// A new one; it signs leaf certificates and revocation lists, and no further authority.
    pub(super) fn generate(
        organization: Option<&str>,
        validity: Validity,
    ) -> Result<Self, CertsError> {
        let key = new_key()?;
        let serial = new_serial()?;
        // Two authorities must not share a name, or the revocation list of one could be taken for the other's.
        let name = format!("dockgate authority {}", random_hexadecimal::<4>()?);
        let mut params = parameters(&name, organization, None, validity, &serial);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let certificate = params
            .self_signed(&key)
            .map_err(|error| unsigned("the authority", &error))?;
        Ok(Self {
            certificate_pem: certificate.pem(),
            issuer: Issuer::new(params, key),
            serial: hexadecimal(&serial),
            validity,
        })
    }

    /// The one in the folder; its certificate and key must belong together.
    pub(super) fn load(folder: &Folder) -> Result<Self, CertsError> {
        let certificate_pem = folder.read(folder::AUTHORITY)?;
        let key = KeyPair::from_pem(&folder.read(folder::AUTHORITY_KEY)?)
            .map_err(|error| unreadable(folder, folder::AUTHORITY_KEY, &error))?;
        let der = CertificateDer::from_pem_slice(certificate_pem.as_bytes())
            .map_err(|error| unreadable(folder, folder::AUTHORITY, &error))?;
        let (_, parsed) = X509Certificate::from_der(&der)
            .map_err(|error| unreadable(folder, folder::AUTHORITY, &error))?;
        if parsed.public_key().raw != rcgen::PublicKeyData::subject_public_key_info(&key) {
            return Err(CertsError(format!(
                "`{}` is not the key of `{}`",
                folder.path(folder::AUTHORITY_KEY).display(),
                folder.path(folder::AUTHORITY).display()
            )));
        }
        let validity = Validity {
            not_before: parsed.validity().not_before.to_datetime(),
            not_after: parsed.validity().not_after.to_datetime(),
        };
        let serial = hexadecimal(&parsed.serial.to_bytes_be());
        let issuer = Issuer::from_ca_cert_der(&der, key)
            .map_err(|error| unreadable(folder, folder::AUTHORITY, &error))?;
        Ok(Self {
            issuer,
            certificate_pem,
            serial,
            validity,
        })
    }

    /// Makes a key and a certificate for it.
    pub(super) fn sign(&self, subject: &Subject, validity: Validity) -> Result<Leaf, CertsError> {
        let key = new_key()?;
        let serial = new_serial()?;
        let mut params = parameters(
            subject.name.as_str(),
            subject.organization.as_deref(),
            subject.organizational_unit.as_deref(),
            validity,
            &serial,
        );
        params.subject_alt_names = subject
            .alternative_names
            .iter()
            .map(|name| name.to_rcgen())
            .collect::<Result<_, _>>()?;
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![subject.kind.purpose()];
        params.use_authority_key_identifier_extension = true;
        let certificate = params
            .signed_by(&key, &self.issuer)
            .map_err(|error| unsigned("the certificate", &error))?;
        Ok(Leaf {
            certificate_pem: certificate.pem(),
            key_pem: key.serialize_pem(),
            serial: hexadecimal(&serial),
        })
    }

    /// A revocation list in PEM form, in force until the authority itself ends.
    ///
    /// The gate refuses lists past their end; this one is renewed by hand, so an earlier end would lock all clients
    /// out one day without making anything safer.
    pub(super) fn revocation_list(
        &self,
        revoked: &[Revoked],
        number: u64,
        now: OffsetDateTime,
    ) -> Result<String, CertsError> {
        let entry = |revoked: &Revoked| {
            let serial = bytes(&revoked.serial)?;
            let time = OffsetDateTime::from_unix_timestamp(revoked.time).ok()?;
            Some(RevokedCertParams {
                serial_number: SerialNumber::from(serial),
                revocation_time: time,
                reason_code: None,
                invalidity_date: None,
            })
        };
        let revoked_certs = revoked
            .iter()
            .map(|revoked| {
                entry(revoked).ok_or_else(|| {
                    CertsError(format!(
                        "the index has an unreadable serial or time: `{}`",
                        revoked.serial
                    ))
                })
            })
            .collect::<Result<_, _>>()?;
        CertificateRevocationListParams {
            this_update: now - Duration::hours(1),
            next_update: self.validity.not_after,
            crl_number: SerialNumber::from(number),
            issuing_distribution_point: None,
            revoked_certs,
            key_identifier_method: KeyIdMethod::Sha256,
        }
        .signed_by(&self.issuer)
        .and_then(|list| list.pem())
        .map_err(|error| unsigned("the revocation list", &error))
    }

    pub(super) fn index_line(&self) -> Result<String, CertsError> {
        Line::Authority {
            serial: self.serial.clone(),
            not_after: self.validity.not_after.unix_timestamp(),
        }
        .to_json()
    }

    pub(super) fn certificate_pem(&self) -> &str {
        &self.certificate_pem
    }

    pub(super) fn key_pem(&self) -> String {
        self.issuer.key().serialize_pem()
    }

    pub(super) fn validity(&self) -> Validity {
        self.validity
    }
}

/// A certificate and its key, in PEM form.
pub(super) struct Leaf {
    pub(super) certificate_pem: String,
    pub(super) key_pem: String,
    /// In lower-case hexadecimal, as the audit log writes it.
    pub(super) serial: String,
}

impl Leaf {
    pub(super) fn index_line(
        &self,
        subject: &Subject,
        validity: Validity,
    ) -> Result<String, CertsError> {
        Line::Issued(Issued {
            serial: self.serial.clone(),
            name: subject.name.to_string(),
            kind: subject.kind,
            not_after: validity.not_after.unix_timestamp(),
        })
        .to_json()
    }
}

/// The number after that of the revocation list in the folder (RFC 5280, section 5.2.3: it only ever increases).
pub(super) fn next_list_number(folder: &Folder, now: OffsetDateTime) -> Result<u64, CertsError> {
    if !folder.path(folder::REVOCATION_LIST).exists() {
        // Lists are counted from 1, so no lost one had a number as high as the clock's.
        return Ok(u64::try_from(now.unix_timestamp()).unwrap_or(1));
    }
    let pem = folder.read(folder::REVOCATION_LIST)?;
    let wrong = |error: &dyn std::fmt::Display| unreadable(folder, folder::REVOCATION_LIST, error);
    let der = CertificateRevocationListDer::from_pem_slice(pem.as_bytes())
        .map_err(|error| wrong(&error))?;
    let (_, list) = CertificateRevocationList::from_der(&der).map_err(|error| wrong(&error))?;
    let number = list
        .crl_number()
        .and_then(|number| u64::try_from(number).ok())
        .and_then(|number| number.checked_add(1));
    number.ok_or_else(|| wrong(&"it has no number that can be counted on"))
}

/// `BYTES` random bytes in lower-case hexadecimal.
pub(super) fn random_hexadecimal<const BYTES: usize>() -> Result<String, CertsError> {
    Ok(hexadecimal(&random::<BYTES>()?))
}

fn parameters(
    name: &str,
    organization: Option<&str>,
    organizational_unit: Option<&str>,
    validity: Validity,
    serial: &[u8],
) -> CertificateParams {
    let mut distinguished_name = DistinguishedName::new();
    for (kind, value) in [
        (DnType::OrganizationName, organization),
        (DnType::OrganizationalUnitName, organizational_unit),
        (DnType::CommonName, Some(name)),
    ] {
        if let Some(value) = value {
            distinguished_name.push(kind, value);
        }
    }
    let mut params = CertificateParams::default();
    params.distinguished_name = distinguished_name;
    params.not_before = validity.not_before;
    params.not_after = validity.not_after;
    params.serial_number = Some(SerialNumber::from_slice(serial));
    params
}

fn new_key() -> Result<KeyPair, CertsError> {
    KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)
        .map_err(|error| CertsError(format!("cannot make a key: {error}")))
}

fn new_serial() -> Result<[u8; 16], CertsError> {
    let mut serial = random::<16>()?;
    // Neither a sign byte before it nor a zero byte to leave out: every program then writes the same digits.
    if let Some(first) = serial.first_mut() {
        *first = *first & 0x3f | 0x40;
    }
    Ok(serial)
}

fn random<const BYTES: usize>() -> Result<[u8; BYTES], CertsError> {
    let mut bytes = [0; BYTES];
    rand::fill(&mut bytes)
        .map_err(|_| CertsError("the operating system gives no random bytes".to_owned()))?;
    Ok(bytes)
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bytes(hexadecimal: &str) -> Option<Vec<u8>> {
    hexadecimal
        .as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect()
}

fn unsigned(what: &str, error: &rcgen::Error) -> CertsError {
    CertsError(format!("cannot sign {what}: {error}"))
}

fn unreadable(
    folder: &Folder,
    name: &str,
    error: &(impl std::fmt::Display + ?Sized),
) -> CertsError {
    CertsError(format!(
        "cannot use `{}`: {error}",
        folder.path(name).display()
    ))
}
