//! Where a contender listens, and how a client gets there.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::Resumption;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::TlsConnector;

/// A connection of a client; the runtime watches it for input and for room, as that of most clients does.
pub(crate) type Stream = Box<dyn Connected>;

pub(crate) trait Connected: AsyncRead + AsyncWrite + Unpin {}

impl<T: AsyncRead + AsyncWrite + Unpin> Connected for T {}

/// A listener to connect to.
#[derive(Clone)]
pub(crate) enum Place {
    Unix(PathBuf),
    Tls(u16, Arc<ClientConfig>),
}

impl Place {
    /// Mutual TLS on a port of this machine, with the certificates in `folder`; `resumes` keeps sessions.
    pub(crate) fn tls(port: u16, folder: &Path, resumes: bool) -> Self {
        let mut roots = RootCertStore::empty();
        let authority = CertificateDer::from_pem_file(folder.join("ca.pem"));
        roots.add(authority.expect("an authority")).expect("a root");
        let certificate = CertificateDer::from_pem_file(folder.join("client/bench/cert.pem"));
        let key = PrivateKeyDer::from_pem_file(folder.join("client/bench/key.pem"));
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_root_certificates(roots)
            .with_client_auth_cert(
                vec![certificate.expect("a certificate")],
                key.expect("a key"),
            )
            .expect("a client's certificate");
        if !resumes {
            config.resumption = Resumption::disabled();
        }
        Self::Tls(port, Arc::new(config))
    }

    pub(crate) async fn connect(&self) -> Stream {
        self.try_connect().await.expect("a connection")
    }

    pub(crate) async fn try_connect(&self) -> io::Result<Stream> {
        match self {
            Self::Unix(path) => Ok(Box::new(UnixStream::connect(path).await?)),
            Self::Tls(port, config) => {
                let stream = TcpStream::connect(("127.0.0.1", *port)).await?;
                stream.set_nodelay(true)?;
                let name = ServerName::try_from("localhost").expect("a name");
                let stream = TlsConnector::from(Arc::clone(config)).connect(name, stream);
                Ok(Box::new(stream.await?))
            }
        }
    }
}
