//! What the gate asks the daemon for itself before it decides: reads of fixed shapes, of bounded size, in bounded time.

use std::future::poll_fn;
use std::time::Duration;

use bytes::Buf as _;
use tokio::time;

use crate::engine_api::OWNER_LABEL;
use crate::engine_api::json::Value;
use crate::http1::{Body, Extras, HeadSearch, Piece, Response};
use crate::peer::Peer;

use super::connection::IdleConnection;

/// One thing that is asked; the names are of Docker's grammar or nothing is sent.
#[derive(Debug, Clone, Copy)]
pub enum Question<'a> {
    /// A container by its name, or its id or the beginning of that.
    Container(&'a str),
    /// The containers that run.
    Containers,
    Exec(&'a str),
    Volume(&'a str),
    /// A network by its name, or its id or the beginning of that.
    Network(&'a str),
    /// An image by its id or the beginning of that.
    Image(&'a str),
    /// A network of the swarm by its name, or its id or the beginning of that.
    SwarmNetwork(&'a str),
    /// The containers that carry an owner's label, also those that do not run.
    OwnedContainers(&'a str),
    OwnedVolumes(&'a str),
    OwnedNetworks(&'a str),
    OwnedServices(&'a str),
    OwnedSecrets(&'a str),
    OwnedConfigs(&'a str),
    /// An image by any reference.
    ImageByName(&'a str),
    /// A service, task, secret or config by its id, its name, or the beginning of its id.
    Service(&'a str),
    Task(&'a str),
    Secret(&'a str),
    Config(&'a str),
    /// The daemon's own settings.
    Info,
    /// Whether it answers.
    Ping,
    /// Which versions of the API it speaks.
    Version,
}

/// The daemon's answer.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub body: Vec<u8>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum LookupFault {
    #[error("`{0}` is no name in Docker's grammar")]
    Name(String),
    #[error("the daemon gave no answer within {} s", DEADLINE.as_secs())]
    TooSlow,
    #[error("the daemon's answer is larger than {0} bytes")]
    TooLarge(usize),
    #[error("the daemon closed the connection without an answer")]
    Gone,
    #[error("the daemon gave an answer that cannot be read: {0}")]
    Malformed(String),
}

impl IdleConnection {
    /// Asks, and gives the answer with the connection where it can be used again.
    ///
    /// # Errors
    /// [`LookupFault`]; the connection is closed then.
    pub async fn ask(self, question: Question<'_>) -> Result<(Reply, Option<Self>), LookupFault> {
        let target = question.target()?;
        let mut peer = self.into_peer();
        let most = question.most_bytes();
        let asked = time::timeout(DEADLINE, exchange(&mut peer, &target, most)).await;
        let (reply, keeps_alive) = asked.unwrap_or(Err(LookupFault::TooSlow))?;
        let idle = if keeps_alive { Self::after(peer) } else { None };
        Ok((reply, idle))
    }
}

impl Question<'_> {
    /// Whether it can be asked at all, before a connection is made for it.
    ///
    /// # Errors
    /// [`LookupFault::Name`].
    pub fn check(self) -> Result<(), LookupFault> {
        self.target().map(drop)
    }

    fn target(self) -> Result<String, LookupFault> {
        Ok(match self {
            Self::Container(name) => ["/containers/", checked(name)?, "/json"].concat(),
            Self::Containers => "/containers/json".to_owned(),
            Self::Exec(id) => ["/exec/", checked(id)?, "/json"].concat(),
            Self::Volume(name) => ["/volumes/", checked(name)?].concat(),
            Self::Network(name) => ["/networks/", checked(name)?].concat(),
            Self::Image(id) => {
                let (prefix, digits) = match id.strip_prefix("sha256:") {
                    Some(digits) => ("sha256:", digits),
                    None => ("", id),
                };
                ["/images/", prefix, checked(digits)?, "/json"].concat()
            }
            // moby: daemon/server/router/network/network_routes.go, `getNetwork` finds it as a service would.
            Self::SwarmNetwork(name) => ["/networks/", checked(name)?, "?scope=swarm"].concat(),
            Self::OwnedContainers(owner) => {
                format!("/containers/json?all=1&filters={}", label_filter(owner))
            }
            Self::OwnedVolumes(owner) => format!("/volumes?filters={}", label_filter(owner)),
            Self::OwnedNetworks(owner) => format!("/networks?filters={}", label_filter(owner)),
            Self::OwnedServices(owner) => format!("/services?filters={}", label_filter(owner)),
            Self::OwnedSecrets(owner) => format!("/secrets?filters={}", label_filter(owner)),
            Self::OwnedConfigs(owner) => format!("/configs?filters={}", label_filter(owner)),
            Self::ImageByName(reference) => {
                ["/images/", checked_image(reference)?, "/json"].concat()
            }
            Self::Service(name) => ["/services/", checked(name)?].concat(),
            Self::Task(name) => ["/tasks/", checked(name)?].concat(),
            Self::Secret(name) => ["/secrets/", checked(name)?].concat(),
            Self::Config(name) => ["/configs/", checked(name)?].concat(),
            Self::Info => "/info".to_owned(),
            Self::Ping => "/_ping".to_owned(),
            Self::Version => "/version".to_owned(),
        })
    }

    /// What it asks for, for counters.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Container(_) => "container",
            Self::Containers => "containers",
            Self::Exec(_) => "exec",
            Self::Volume(_) => "volume",
            Self::Network(_) | Self::SwarmNetwork(_) => "network",
            Self::OwnedContainers(_) => "owned-containers",
            Self::OwnedVolumes(_) => "owned-volumes",
            Self::OwnedNetworks(_) => "owned-networks",
            Self::OwnedServices(_) => "owned-services",
            Self::OwnedSecrets(_) => "owned-secrets",
            Self::OwnedConfigs(_) => "owned-configs",
            Self::Image(_) | Self::ImageByName(_) => "image",
            Self::Service(_) => "service",
            Self::Task(_) => "task",
            Self::Secret(_) => "secret",
            Self::Config(_) => "config",
            Self::Info => "info",
            Self::Version => "version",
            Self::Ping => "ping",
        }
    }
}

impl Question<'_> {
    fn most_bytes(self) -> usize {
        match self {
            Self::Containers
            | Self::OwnedContainers(_)
            | Self::OwnedVolumes(_)
            | Self::OwnedNetworks(_)
            | Self::OwnedServices(_)
            | Self::OwnedSecrets(_)
            | Self::OwnedConfigs(_) => MOST_LIST_BYTES,
            Self::Container(_)
            | Self::Exec(_)
            | Self::Volume(_)
            | Self::Network(_)
            | Self::SwarmNetwork(_)
            | Self::Image(_)
            | Self::ImageByName(_)
            | Self::Service(_)
            | Self::Task(_)
            | Self::Secret(_)
            | Self::Config(_)
            | Self::Info
            | Self::Version
            | Self::Ping => MOST_BYTES,
        }
    }
}

/// The filter for what carries an owner's label, as a value of a query: any text can be an owner's name.
fn label_filter(owner: &str) -> String {
    let label = Value::Text(format!("{OWNER_LABEL}={owner}").into());
    let filter = Value::Object(vec![("label".into(), Value::List(vec![label]))]);
    let mut encoded = String::new();
    for byte in filter.to_string().bytes() {
        if byte.is_ascii_alphanumeric() {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

/// A name that stands for itself in a path, and for one segment of it.
fn checked(name: &str) -> Result<&str, LookupFault> {
    let is_inner = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    let begins = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let fits =
        name.len() <= 512 && name.bytes().next().is_some_and(begins) && name.bytes().all(is_inner);
    if fits {
        Ok(name)
    } else {
        Err(LookupFault::Name(name.chars().take(64).collect()))
    }
}

/// A reference to an image, of segments that each stand for themselves in a path.
fn checked_image(reference: &str) -> Result<&str, LookupFault> {
    let fits = |segment: &str| {
        let begins = segment
            .bytes()
            .next()
            .is_some_and(|byte| byte.is_ascii_alphanumeric());
        let is_inner = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-:@".contains(&byte);
        begins && segment.bytes().all(is_inner)
    };
    if reference.len() <= 512 && reference.split('/').all(fits) {
        Ok(reference)
    } else {
        Err(LookupFault::Name(reference.chars().take(64).collect()))
    }
}

async fn exchange(
    peer: &mut Peer,
    target: &str,
    most: usize,
) -> Result<(Reply, bool), LookupFault> {
    for part in ["GET ", target, " HTTP/1.1\r\nHost: docker\r\n\r\n"] {
        peer.queue(part.as_bytes());
    }
    peer.flush().await.map_err(|_| LookupFault::Gone)?;
    let head = head(peer).await?;
    let mut body = Body::new(head.framing, Extras::Passed);
    let mut bytes = Vec::new();
    loop {
        let malformed = |fault: crate::http1::BodyFault| LookupFault::Malformed(fault.to_string());
        match body.next(&peer.input).map_err(malformed)? {
            Piece::Done => break,
            Piece::Framing(count) => peer.input.advance(count),
            Piece::Data(count) => {
                if bytes.len() + count > most {
                    return Err(LookupFault::TooLarge(most));
                }
                bytes.extend_from_slice(peer.input.get(..count).unwrap_or_default());
                peer.input.advance(count);
            }
            Piece::More => {
                if fill(peer).await? == 0 {
                    if body.ends_with_connection() {
                        break;
                    }
                    return Err(LookupFault::Gone);
                }
            }
        }
    }
    let reply = Reply {
        status: head.status,
        body: bytes,
    };
    Ok((reply, head.keeps_alive()))
}

/// The head of the final answer; a few informational ones are passed over.
async fn head(peer: &mut Peer) -> Result<Response, LookupFault> {
    let malformed = |fault: crate::http1::HeadFault| LookupFault::Malformed(fault.to_string());
    for _ in 0..MOST_INFORMATIONAL {
        let mut search = HeadSearch::default();
        let end = loop {
            if let Some(end) = search.end(&peer.input).map_err(malformed)? {
                break end;
            }
            if peer.input.len() > MOST_BYTES {
                return Err(LookupFault::TooLarge(MOST_BYTES));
            }
            if fill(peer).await? == 0 {
                return Err(LookupFault::Gone);
            }
        };
        let head = peer.input.get(..end).unwrap_or_default();
        let answer = Response::parse(head, HEADERS).map_err(malformed)?;
        peer.input.advance(end);
        match answer.status {
            101 => break,
            100..200 => {}
            _ => return Ok(answer),
        }
    }
    let cause = "it switches protocols, or goes on without end";
    Err(LookupFault::Malformed(cause.to_owned()))
}

async fn fill(peer: &mut Peer) -> Result<usize, LookupFault> {
    let filled = poll_fn(|cx| peer.poll_fill(cx)).await;
    filled.map_err(|_| LookupFault::Gone)
}

/// For one question; the daemon may first finish what it does with the container.
const DEADLINE: Duration = Duration::from_secs(30);
const MOST_BYTES: usize = 1 << 20;
/// A list has one or two thousand bytes for each container.
const MOST_LIST_BYTES: usize = 8 << 20;
const MOST_INFORMATIONAL: usize = 16;
const HEADERS: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_an_owner_is_called_is_one_value_of_a_query() {
        let target = |owner: &str| Question::OwnedVolumes(owner).target().unwrap();
        assert_eq!(
            target("a"),
            "/volumes?filters=%7B%22label%22%3A%5B%22dockgate%2Eowner%3Da%22%5D%7D"
        );
        for owner in [
            "a&b=c#d",
            "\"],\"x\":[\"",
            "a\\",
            "ä b",
            "a%41+",
            "x=y\r\nGET /",
        ] {
            let target = target(owner);
            let (_, value) = target.split_once('=').unwrap();
            let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'%';
            assert!(value.bytes().all(is_plain), "{target}");
            let mut bytes = Vec::new();
            let mut rest = value;
            while let Some(byte) = rest.bytes().next() {
                let length = if byte == b'%' { 3 } else { 1 };
                let (one, after) = rest.split_at(length);
                let decoded = one.strip_prefix('%').map(|hex| u8::from_str_radix(hex, 16));
                bytes.push(decoded.map_or(byte, Result::unwrap));
                rest = after;
            }
            let filter = crate::engine_api::json::parse(&bytes).unwrap();
            let label = filter
                .get("label")
                .unwrap()
                .texts()
                .next()
                .unwrap()
                .to_owned();
            assert_eq!(label, format!("dockgate.owner={owner}"));
        }
    }
}
