//! How a listener speaks TLS, and which clients' certificates it accepts.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::RootCertStore;
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{
    NoServerSessionStorage, ServerConfig, VerifierBuilderError, WebPkiClientVerifier,
};
use rustls::version::{TLS12, TLS13};
use rustls_pki_types::CertificateRevocationListDer;
use x509_parser::prelude::{CertificateRevocationList, FromDer, X509Certificate};

use crate::tls_files::{self, TlsFileError};

use super::standing::DoorTls;

/// The PEM files of a listener's `tls` table.
#[derive(Clone, Copy, Debug)]
pub struct ListenerTlsFiles<'a> {
    /// The gate's own certificate, then any intermediate ones.
    pub certificate: &'a Path,
    pub key: &'a Path,
    /// The authorities whose clients may connect.
    pub client_authority: &'a Path,
    /// Their revocation lists; none means that no certificate can be revoked.
    pub revocation_lists: &'a [PathBuf],
}

/// Reads the files and gives the server's side of TLS 1.2 and 1.3; a verified client certificate is required.
///
/// With revocation lists, every certificate below the authority must be covered by a list of its issuer that has not
/// expired: an uncovered certificate, or a list past its `nextUpdate`, is refused, for it could be a revoked one.
///
/// Sessions are never resumed: rustls takes the client's identity of a resumed session from the first handshake
/// without verifying it again, so a certificate that expired or was revoked meanwhile would go on being accepted.
///
/// A client that offers application protocols must offer `http/1.1`; most offer none.
pub fn server_config(files: ListenerTlsFiles<'_>) -> Result<DoorTls, ListenerTlsError> {
    let verifier = client_verifier(files)?;
    let chain = tls_files::certificates(files.certificate)?;
    let mut config = ServerConfig::builder_with_provider(tls_files::crypto_provider())
        .with_protocol_versions(&[&TLS13, &TLS12])
        .map_err(ListenerTlsError::Cryptography)?
        .with_client_cert_verifier(Arc::clone(&verifier))
        .with_single_cert(chain, tls_files::private_key(files.key)?)
        .map_err(|error| ListenerTlsError::Certificate {
            path: files.certificate.to_owned(),
            error,
        })?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(DoorTls {
        config: Arc::new(config),
        verifier,
    })
}

/// Why a listener cannot speak TLS with these files.
#[derive(Debug, thiserror::Error)]
pub enum ListenerTlsError {
    #[error(transparent)]
    File(#[from] TlsFileError),
    #[error("the certificate in `{path}` and its key cannot be used: {error}")]
    Certificate { path: PathBuf, error: rustls::Error },
    #[error("clients cannot be verified with `{path}`: {error}")]
    Verifier {
        path: PathBuf,
        error: VerifierBuilderError,
    },
    #[error("the TLS library refuses its own settings: {0}")]
    Cryptography(rustls::Error),
}

fn client_verifier(
    files: ListenerTlsFiles<'_>,
) -> Result<Arc<dyn ClientCertVerifier>, ListenerTlsError> {
    let roots = Arc::new(tls_files::authorities(files.client_authority)?);
    let mut lists = Vec::new();
    for path in files.revocation_lists {
        let read = tls_files::revocation_lists(path)?;
        // The lists are tried file by file because the verifier's error does not say which of them is at fault.
        verifier(&roots, read.clone(), path)?;
        lists.extend(read);
    }
    warn_of_uncovered_authorities(files, &lists);
    verifier(&roots, lists, files.client_authority)
}

fn verifier(
    roots: &Arc<RootCertStore>,
    lists: Vec<CertificateRevocationListDer<'static>>,
    path: &Path,
) -> Result<Arc<dyn ClientCertVerifier>, ListenerTlsError> {
    WebPkiClientVerifier::builder_with_provider(Arc::clone(roots), tls_files::crypto_provider())
        .with_crls(lists)
        .enforce_revocation_expiration()
        .build()
        .map_err(|error| ListenerTlsError::Verifier {
            path: path.to_owned(),
            error,
        })
}

fn warn_of_uncovered_authorities(
    files: ListenerTlsFiles<'_>,
    lists: &[CertificateRevocationListDer<'_>],
) {
    if lists.is_empty() {
        return;
    }
    let Ok(authorities) = tls_files::certificates(files.client_authority) else {
        return;
    };
    for authority in &authorities {
        let Ok((_, authority)) = X509Certificate::from_der(authority) else {
            continue;
        };
        let is_covered = lists.iter().any(|list| {
            CertificateRevocationList::from_der(list)
                .is_ok_and(|(_, list)| list.issuer().as_raw() == authority.subject().as_raw())
        });
        if !is_covered {
            tracing::warn!(
                path = %files.client_authority.display(),
                authority = %authority.subject(),
                "no revocation list is from this authority: the clients that it signed are refused"
            );
        }
    }
}
