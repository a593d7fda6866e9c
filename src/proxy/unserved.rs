//! Who connects and is not served, and what it hears of that.

use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time;

use crate::peer::{Peer, Stream};
use crate::policy::client::{Caller, NoOwner, OwnerTemplate};

use super::refusal::OwnAnswer;

/// A client of whom it is not known who it is.
#[derive(Debug)]
pub(super) struct Stranger {
    /// For the operator, not for the client.
    pub(super) cause: String,
    /// Where it can be told; there is none after a handshake that failed.
    stream: Option<Box<Stream>>,
}

impl Stranger {
    pub(super) fn over_plain_tcp(cause: String, stream: TcpStream) -> Self {
        Self {
            cause,
            stream: Some(Box::new(Stream::Tcp(stream))),
        }
    }

    /// Says what a stranger may know.
    pub(super) async fn told(self) {
        if let Some(stream) = self.stream {
            let mut peer = Peer::new(*stream);
            let message = "the gate knows no running container by the address of this client";
            OwnAnswer::new(403, message).queue(&mut peer, false, true);
            end(&mut peer).await;
        }
    }
}

impl From<String> for Stranger {
    fn from(cause: String) -> Self {
        Self {
            cause,
            stream: None,
        }
    }
}

impl From<&str> for Stranger {
    fn from(cause: &str) -> Self {
        Self::from(cause.to_owned())
    }
}

/// The name under which a client of this table owns things.
///
/// # Errors
/// [`NoOwner`], which the log tells of too: it is the configuration or the certificate that has to change.
pub(super) fn owner(
    template: &OwnerTemplate,
    caller: &Caller<'_>,
    table: Option<&str>,
) -> Result<String, NoOwner> {
    template.fill(caller).inspect_err(|cause| {
        tracing::warn!(
            listener = caller.listener,
            client = table,
            owner = %template,
            %cause,
            "a client is refused: nothing names the owner of what it makes"
        );
    })
}

/// Writes what is queued and ends the connection, in a bounded time; what it has sent is read, for a reset would take the
/// answer from it.
pub(super) async fn end(peer: &mut Peer) {
    let told = time::timeout(PATIENCE, peer.end());
    // Whether it hears of it is the client's affair.
    let _ = told.await;
}

/// For a client that is turned away.
const PATIENCE: Duration = Duration::from_millis(200);
