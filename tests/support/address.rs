//! Where a daemon or a gate listens, and a connection to it.

use std::fmt;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use super::wait::DEADLINE;

/// Where a daemon or a gate listens; over TLS together with the folder of the client's `ca.pem`, `cert.pem`, `key.pem`.
#[derive(Clone, Debug)]
pub(crate) enum Address {
    Unix(PathBuf),
    Tcp(String),
    Tls(String, PathBuf),
}

/// A connection of either kind; reads give up after [`DEADLINE`].
#[derive(Debug)]
pub(crate) enum Connection {
    Unix(UnixStream),
    Tcp(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

impl Address {
    /// Reads `unix:///…` or `tcp://…`.
    pub(crate) fn parse(text: &str) -> Self {
        match text.split_once("://") {
            Some(("unix", path)) => Self::Unix(path.into()),
            Some(("tcp", host)) => Self::Tcp(host.to_owned()),
            _ => panic!("`{text}` is no address"),
        }
    }

    pub(crate) fn with_client_certificate(self, folder: &Path) -> Self {
        match self {
            Self::Tcp(host) | Self::Tls(host, _) => Self::Tls(host, folder.to_owned()),
            Self::Unix(path) => panic!("no TLS on {}", path.display()),
        }
    }

    pub(crate) fn unix_path(&self) -> &Path {
        match self {
            Self::Unix(path) => path,
            Self::Tcp(_) | Self::Tls(..) => panic!("{self} is no Unix socket"),
        }
    }

    pub(crate) fn connect(&self) -> io::Result<Connection> {
        let connection = match self {
            Self::Unix(path) => Connection::Unix(UnixStream::connect(path)?),
            Self::Tcp(host) => Connection::Tcp(TcpStream::connect(host)?),
            Self::Tls(host, folder) => {
                let name =
                    ServerName::try_from(host.rsplit_once(':').unwrap().0.to_owned()).unwrap();
                let client = ClientConnection::new(Arc::new(tls_client(folder)), name).unwrap();
                let mut stream = StreamOwned::new(client, TcpStream::connect(host)?);
                stream.sock.set_read_timeout(Some(DEADLINE))?;
                // Now, so that a refused certificate shows here. TLS 1.3 tells it only with the first read.
                stream.flush()?;
                Connection::Tls(Box::new(stream))
            }
        };
        connection.read_deadline(DEADLINE)?;
        Ok(connection)
    }
}

/// As `docker` writes it in `DOCKER_HOST`.
impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(formatter, "unix://{}", path.display()),
            Self::Tcp(host) | Self::Tls(host, _) => write!(formatter, "tcp://{host}"),
        }
    }
}

impl Connection {
    pub(crate) fn read_deadline(&self, deadline: Duration) -> io::Result<()> {
        match self {
            Self::Unix(stream) => stream.set_read_timeout(Some(deadline)),
            Self::Tcp(stream) => stream.set_read_timeout(Some(deadline)),
            Self::Tls(stream) => stream.sock.set_read_timeout(Some(deadline)),
        }
    }

    /// Says that nothing more will be sent, and goes on reading.
    pub(crate) fn half_close(&mut self) -> io::Result<()> {
        match self {
            Self::Unix(stream) => stream.shutdown(Shutdown::Write),
            Self::Tcp(stream) => stream.shutdown(Shutdown::Write),
            Self::Tls(stream) => {
                stream.conn.send_close_notify();
                stream.flush()
            }
        }
    }
}

impl Read for Connection {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Unix(stream) => stream.read(buffer),
            Self::Tcp(stream) => stream.read(buffer),
            Self::Tls(stream) => stream.read(buffer),
        }
    }
}

impl Write for Connection {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Unix(stream) => stream.write(bytes),
            Self::Tcp(stream) => stream.write(bytes),
            Self::Tls(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Unix(stream) => stream.flush(),
            Self::Tcp(stream) => stream.flush(),
            Self::Tls(stream) => stream.flush(),
        }
    }
}

/// The folder's certificate is optional: a client may come with none.
fn tls_client(folder: &Path) -> ClientConfig {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut roots = RootCertStore::empty();
    for authority in CertificateDer::pem_file_iter(folder.join("ca.pem")).unwrap() {
        roots.add(authority.unwrap()).unwrap();
    }
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots);
    if !folder.join("cert.pem").exists() {
        return builder.with_no_client_auth();
    }
    let chain = CertificateDer::pem_file_iter(folder.join("cert.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_file(folder.join("key.pem")).unwrap();
    builder
        .with_client_auth_cert(chain.map(Result::unwrap).collect(), key)
        .unwrap()
}
