//! Certificates, private keys and revocation lists, read from PEM files.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::RootCertStore;
use rustls::crypto::CryptoProvider;
use rustls_pki_types::pem::{self, PemObject};
use rustls_pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer};

/// The largest PEM file that is read, in bytes; a revocation list of 100,000 entries is about half of it.
pub const FILE_LIMIT: u64 = 8 << 20;

/// The cryptography of every TLS connection of the gate; the process-wide default of rustls is never used.
pub fn crypto_provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

/// The certificates in a file, in its order; at least one.
pub fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsFileError> {
    sections(path, "certificate")
}

/// The certificates in a file, as the authorities to trust; nothing else is trusted.
pub fn authorities(path: &Path) -> Result<RootCertStore, TlsFileError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(path)? {
        roots
            .add(certificate)
            .map_err(|error| TlsFileError::NotAnAuthority {
                path: path.to_owned(),
                error,
            })?;
    }
    Ok(roots)
}

/// The revocation lists in a file; at least one.
pub fn revocation_lists(
    path: &Path,
) -> Result<Vec<CertificateRevocationListDer<'static>>, TlsFileError> {
    sections(path, "revocation list")
}

/// The first private key in a file; a file that everybody on the machine may read is warned of.
pub fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsFileError> {
    let (content, mode) = read_bounded(path)?;
    if mode & 0o007 != 0 {
        tracing::warn!(
            path = %path.display(),
            mode = %format_args!("{:04o}", mode & 0o7777),
            "a private key is readable by every user of this machine; `chmod o= FILE` closes it"
        );
    }
    PrivateKeyDer::from_pem_slice(&content).map_err(|error| pem_error(path, "private key", error))
}

/// Why a file does not give what it was named for.
#[derive(Debug, thiserror::Error)]
pub enum TlsFileError {
    #[error("cannot read `{path}`: {error}")]
    Unreadable { path: PathBuf, error: io::Error },
    #[error("`{path}` is larger than {FILE_LIMIT} bytes")]
    TooLarge { path: PathBuf },
    #[error("`{path}` holds no {wanted} in PEM form")]
    Missing { path: PathBuf, wanted: &'static str },
    #[error("`{path}` is no PEM file of a {wanted}: {error}")]
    NotPem {
        path: PathBuf,
        wanted: &'static str,
        error: pem::Error,
    },
    #[error("`{path}` holds a certificate that cannot be an authority: {error}")]
    NotAnAuthority { path: PathBuf, error: rustls::Error },
}

fn sections<T: PemObject>(path: &Path, wanted: &'static str) -> Result<Vec<T>, TlsFileError> {
    let (content, _) = read_bounded(path)?;
    let found = T::pem_slice_iter(&content)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| pem_error(path, wanted, error))?;
    if found.is_empty() {
        return Err(TlsFileError::Missing {
            path: path.to_owned(),
            wanted,
        });
    }
    Ok(found)
}

fn pem_error(path: &Path, wanted: &'static str, error: pem::Error) -> TlsFileError {
    let path = path.to_owned();
    if matches!(error, pem::Error::NoItemsFound) {
        return TlsFileError::Missing { path, wanted };
    }
    TlsFileError::NotPem {
        path,
        wanted,
        error,
    }
}

fn read_bounded(path: &Path) -> Result<(Vec<u8>, u32), TlsFileError> {
    let unreadable = |error| TlsFileError::Unreadable {
        path: path.to_owned(),
        error,
    };
    let file = File::open(path).map_err(unreadable)?;
    let mode = file.metadata().map_err(unreadable)?.permissions().mode();
    let mut content = Vec::new();
    let length = file
        .take(FILE_LIMIT + 1)
        .read_to_end(&mut content)
        .map_err(unreadable)?;
    if length as u64 > FILE_LIMIT {
        return Err(TlsFileError::TooLarge {
            path: path.to_owned(),
        });
    }
    Ok((content, mode))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_name_the_file_and_what_was_wanted() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ca.pem");
        let missing = certificates(&path).unwrap_err().to_string();
        assert!(
            missing.contains("ca.pem") && missing.contains("cannot read"),
            "{missing}"
        );

        std::fs::write(&path, "hello").unwrap();
        let empty = certificates(&path).unwrap_err().to_string();
        assert!(
            empty.contains("ca.pem") && empty.contains("no certificate"),
            "{empty}"
        );
        let no_key = private_key(&path).unwrap_err().to_string();
        assert!(no_key.contains("no private key"), "{no_key}");

        std::fs::write(
            &path,
            "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n",
        )
        .unwrap();
        assert!(matches!(
            certificates(&path),
            Err(TlsFileError::NotPem { .. })
        ));

        let garbage = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        std::fs::write(&path, garbage).unwrap();
        assert!(matches!(
            authorities(&path),
            Err(TlsFileError::NotAnAuthority { .. })
        ));
    }

    #[test]
    fn refuses_a_file_beyond_the_limit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("crl.pem");
        File::create(&path)
            .unwrap()
            .set_len(FILE_LIMIT + 1)
            .unwrap();
        assert!(matches!(
            revocation_lists(&path),
            Err(TlsFileError::TooLarge { .. })
        ));
    }
}
