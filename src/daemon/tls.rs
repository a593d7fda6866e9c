//! How the gate speaks TLS to a daemon on `tcp://`.

use std::path::Path;
use std::sync::Arc;

use rustls::ClientConfig;
use rustls::client::Resumption;
use rustls::version::{TLS12, TLS13};
use rustls_pki_types::ServerName;

use crate::tls_files::{self, TlsFileError};

/// The PEM files of `[daemon.tls]`.
#[derive(Clone, Copy, Debug)]
pub struct DaemonTlsFiles<'a> {
    /// The authorities that may have signed the daemon's certificate; the system's own are not trusted.
    pub authority: &'a Path,
    /// The gate's own certificate chain and its key, where the daemon asks for one.
    pub client: Option<(&'a Path, &'a Path)>,
}

/// Reads the files and gives the client's side of TLS 1.2 and 1.3; the daemon's certificate is always verified.
pub fn client_config(files: DaemonTlsFiles<'_>) -> Result<Arc<ClientConfig>, DaemonTlsError> {
    let builder = ClientConfig::builder_with_provider(tls_files::crypto_provider())
        .with_protocol_versions(&[&TLS13, &TLS12])
        .map_err(DaemonTlsError::Cryptography)?
        .with_root_certificates(tls_files::authorities(files.authority)?);
    let mut config = match files.client {
        None => builder.with_no_client_auth(),
        Some((certificate, key)) => builder
            .with_client_auth_cert(
                tls_files::certificates(certificate)?,
                tls_files::private_key(key)?,
            )
            .map_err(|error| DaemonTlsError::Certificate {
                certificate: certificate.display().to_string(),
                error,
            })?,
    };
    // A resumed session does not verify the daemon's certificate again; connections are pooled, so little is lost.
    config.resumption = Resumption::disabled();
    Ok(Arc::new(config))
}

/// The name that the daemon's certificate must carry: a DNS name or an IP address, IPv6 with or without brackets.
pub fn server_name(host: &str) -> Result<ServerName<'static>, DaemonTlsError> {
    let bare = host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(host);
    ServerName::try_from(bare.to_owned()).map_err(|_| DaemonTlsError::Host {
        host: host.to_owned(),
    })
}

/// Why no TLS connection to the daemon can be made with these settings.
#[derive(Debug, thiserror::Error)]
pub enum DaemonTlsError {
    #[error(transparent)]
    File(#[from] TlsFileError),
    #[error("the certificate in `{certificate}` and its key cannot be used: {error}")]
    Certificate {
        certificate: String,
        error: rustls::Error,
    },
    #[error("`{host}` is neither a DNS name nor an IP address")]
    Host { host: String },
    #[error("the TLS library refuses its own settings: {0}")]
    Cryptography(rustls::Error),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_a_dns_name_or_an_ip_address() {
        assert!(matches!(
            server_name("docker.example"),
            Ok(ServerName::DnsName(_))
        ));
        for host in ["127.0.0.1", "::1", "[::1]"] {
            assert!(
                matches!(server_name(host), Ok(ServerName::IpAddress(_))),
                "{host}"
            );
        }
        for host in ["", "a b", "[::1", "docker.example:2376"] {
            assert!(server_name(host).is_err(), "{host}");
        }
    }
}
