//! Exchanges from both ends: a client's bytes in, a daemon's bytes back.

mod references;
mod refused;

use std::collections::HashMap;
use std::sync::Arc;

use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::audit::text::ExchangeIds;
use crate::audit::{Audit, AuditLimits, Sink};
use crate::config::{Address, Limits};
use crate::daemon::Daemon;
use crate::engine_api::{ApiVersion, Operation};
use crate::peer::{Peer, Stream};
use crate::policy::client::Identity;
use crate::policy::{ContainerLimits, Limit, Pattern, Policy};

use super::connection::Connection;
use super::standing::Standing;
use super::{Client, DaemonVersions, Gate, Known, Phase};

/// A client's connection to a gate before a daemon that the test plays.
struct Stage {
    folder: TempDir,
    client: UnixStream,
    daemon: UnixListener,
    serving: JoinHandle<()>,
    audit: Audit,
    _gates: watch::Sender<Arc<Gate>>,
    _phase: watch::Sender<Phase>,
}

impl Stage {
    fn new(policy: Policy) -> Self {
        Self::with(policy, Identity::Listener)
    }

    fn with(policy: Policy, identity: Identity) -> Self {
        Self::at("127.0.0.1", policy, identity)
    }

    fn at(source: &str, policy: Policy, identity: Identity) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("daemon.sock");
        let daemon = UnixListener::bind(&path).unwrap();
        let sink = Sink::File(folder.path().join("audit"));
        let audit = Audit::start(&sink, AuditLimits::default()).unwrap();
        let limits = Limits::default();
        let gate = Gate {
            daemon: Daemon {
                address: Address::Unix(path),
                tls: None,
                connect_deadline: limits.connect_deadline,
            },
            audit: audit.clone(),
            ids: Arc::new(ExchangeIds::start().unwrap()),
            limits,
            lowest_version: ApiVersion::OLDEST,
            highest_version: ApiVersion::NEWEST,
            versions: DaemonVersions::telling("1.41"),
            shared: Arc::default(),
            protected: Vec::new(),
            writable: Vec::new(),
            seen: Arc::default(),
            nameservers: None,
            known: Known::default(),
            clients: Vec::new(),
            doors: HashMap::new(),
            digest: Arc::from(""),
            metrics: Arc::default(),
            allowances: Arc::default(),
            expiries: Vec::new(),
            ends_tunnels: true,
        };
        let known = ends::known(source, policy, identity);
        let (near, client) = UnixStream::pair().unwrap();
        let (phase, phases) = watch::channel(Phase::Running);
        let peer = Peer::new(Stream::unix(near).unwrap());
        let gate = Arc::new(gate);
        let gates = watch::Sender::new(Arc::clone(&gate));
        let standing = Standing::new(
            gates.subscribe(),
            Arc::from("unix:///test"),
            Arc::default(),
            None,
        );
        let connection = Connection::new((gate, standing), known, peer, phases);
        Self {
            folder,
            client,
            daemon,
            serving: tokio::spawn(connection.run()),
            audit,
            _gates: gates,
            _phase: phase,
        }
    }

    /// All operations permitted by name, so that everything is judged.
    fn judging() -> Self {
        Self::new(Policy {
            operations: Operation::all().map(|operation| (operation, 1)).collect(),
            container: ContainerLimits {
                images: Limit {
                    value: vec![Pattern::parse("*").unwrap()],
                    line: 1,
                },
                ..ContainerLimits::default()
            },
            ..Policy::default()
        })
    }

    async fn say(&mut self, bytes: &str) {
        self.client.write_all(bytes.as_bytes()).await.unwrap();
    }

    async fn daemon(&self) -> UnixStream {
        self.daemon.accept().await.unwrap().0
    }

    /// Ends the client, waits for the gate to let go, and gives the audit log.
    async fn audit(self) -> String {
        drop(self.client);
        self.serving.await.unwrap();
        self.audit.close().await.unwrap();
        std::fs::read_to_string(self.folder.path().join("audit")).unwrap()
    }
}

/// Reads up to `end`, and no further than that.
async fn up_to(stream: &mut UnixStream, end: &str) -> String {
    let mut text = String::new();
    while !text.ends_with(end) {
        let byte = stream.read_u8().await;
        text.push(char::from(
            byte.unwrap_or_else(|error| panic!("{error} after {text:?}")),
        ));
    }
    text
}

async fn rest(stream: &mut UnixStream) -> String {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.unwrap();
    String::from_utf8(bytes).unwrap()
}

/// Answers what the gate asks for itself: a question, and the answer's status and body.
async fn tell(daemon: &mut UnixStream, question: &str, (status, body): (u16, &str)) {
    let head = up_to(daemon, END).await;
    assert_eq!(
        head,
        format!("GET {question} HTTP/1.1\r\nHost: docker\r\n\r\n")
    );
    let length = body.len();
    let answer = format!("HTTP/1.1 {status} Told\r\nContent-Length: {length}\r\n\r\n{body}");
    daemon.write_all(answer.as_bytes()).await.unwrap();
}

/// A container that has nothing of the host.
fn ordinary() -> String {
    let id = "0a".repeat(32);
    format!(r#"{{"Id":"{id}","HostConfig":{{"NetworkMode":"none"}}}}"#)
}

const OK: &[u8] = b"HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nContent-Length: 2\r\n\r\n[]";
const END: &str = "\r\n\r\n";

mod ends;

#[tokio::test]
async fn a_client_has_one_connection_to_the_daemon_for_all_its_requests() {
    let mut stage = Stage::judging();
    stage
        .say("GET /info?x=y HTTP/1.1\r\nHost: a\r\nCookie: b\r\n\r\n")
        .await;
    let mut daemon = stage.daemon().await;
    for _ in 0..2 {
        let head = up_to(&mut daemon, END).await;
        assert_eq!(head, "GET /v1.41/info HTTP/1.1\r\nHost: docker\r\n\r\n");
        daemon.write_all(OK).await.unwrap();
        let answer = up_to(&mut stage.client, "[]").await;
        assert_eq!(
            answer.as_bytes(),
            b"HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nContent-Length: 2\r\n\r\n[]"
        );
        stage.say("GET /info HTTP/1.1\r\n\r\n").await;
    }
    up_to(&mut daemon, END).await;
    daemon.write_all(OK).await.unwrap();
    up_to(&mut stage.client, "[]").await;
    let audit = stage.audit().await;
    assert_eq!(audit.matches("\"decision\":\"permit\"").count(), 3);
    assert_eq!(audit.matches("\"outcome\":\"complete\"").count(), 3);
}

#[tokio::test]
async fn a_connection_that_the_daemon_has_closed_is_replaced() {
    let mut stage = Stage::judging();
    for _ in 0..2 {
        stage.say("GET /info HTTP/1.1\r\n\r\n").await;
        let mut daemon = stage.daemon().await;
        up_to(&mut daemon, END).await;
        daemon.write_all(OK).await.unwrap();
        up_to(&mut stage.client, "[]").await;
    }
}

#[tokio::test]
async fn the_end_of_a_client_reaches_the_daemon_where_the_answer_ends_with_it() {
    let mut stage = Stage::judging();
    stage.say("GET /events HTTP/1.1\r\n\r\n").await;
    let mut daemon = stage.daemon().await;
    up_to(&mut daemon, END).await;
    stage.client.shutdown().await.unwrap();
    assert_eq!(rest(&mut daemon).await, "");
    daemon.write_all(OK).await.unwrap();
    assert!(rest(&mut stage.client).await.ends_with("[]"));
}

#[tokio::test]
async fn a_half_closed_client_is_answered_what_does_not_end_with_it() {
    let mut stage = Stage::judging();
    stage.say("GET /info HTTP/1.1\r\n\r\n").await;
    stage.client.shutdown().await.unwrap();
    let mut daemon = stage.daemon().await;
    up_to(&mut daemon, END).await;
    // An end would come before what is written now is answered.
    let mut byte = [0];
    assert!(daemon.try_read(&mut byte).is_err());
    daemon.write_all(OK).await.unwrap();
    assert!(rest(&mut stage.client).await.ends_with("[]"));
}

#[tokio::test]
async fn a_client_that_is_gone_ends_whatever_the_daemon_does_for_it() {
    let mut stage = Stage::judging();
    stage.say("POST /containers/a/stop HTTP/1.1\r\n\r\n").await;
    let mut daemon = stage.daemon().await;
    up_to(&mut daemon, END).await;
    let audit = stage.audit().await;
    assert_eq!(rest(&mut daemon).await, "");
    assert!(audit.contains("\"outcome\":\"client-gone\""), "{audit}");
}

#[tokio::test]
async fn the_daemons_answer_comes_through_while_the_client_still_sends() {
    let mut stage = Stage::judging();
    stage
        .say("POST /images/load HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n")
        .await;
    let mut daemon = stage.daemon().await;
    up_to(&mut daemon, END).await;
    let answer = b"HTTP/1.1 500 Oops\r\nConnection: close\r\nContent-Length: 3\r\n\r\nno\n";
    daemon.write_all(answer).await.unwrap();
    drop(daemon);
    let (mut read, mut write) = stage.client.into_split();
    let sending = tokio::spawn(async move {
        let chunk = [b"10000\r\n", &[b'x'; 0x10000][..], b"\r\n"].concat();
        for _ in 0..32 {
            write.write_all(&chunk).await.unwrap();
        }
    });
    let mut got = String::new();
    read.read_to_string(&mut got).await.unwrap();
    assert!(got.starts_with("HTTP/1.1 500 Oops\r\n"), "{got}");
    assert!(got.ends_with("Connection: close\r\n\r\nno\n"), "{got}");
    // What it still sent did not fail, so nothing could destroy the answer.
    sending.await.unwrap();
}

#[tokio::test]
async fn a_tunnel_has_what_came_early_and_half_closes_each_way() {
    for (upgrade, first_line) in [
        (
            "Connection: Upgrade\r\nUpgrade: tcp\r\n",
            "HTTP/1.1 101 UPGRADED\r\n",
        ),
        ("", "HTTP/1.1 200 OK\r\n"),
    ] {
        let mut stage = Stage::judging();
        stage
            .say(&format!(
                "POST /containers/a/attach?stdin=1&stream=1 HTTP/1.1\r\n{upgrade}\r\nearly"
            ))
            .await;
        let mut daemon = stage.daemon().await;
        tell(&mut daemon, "/containers/a/json", (200, &ordinary())).await;
        let head = up_to(&mut daemon, END).await;
        assert!(
            head.contains("Connection: Upgrade\r\nUpgrade: tcp\r\n"),
            "{head}"
        );
        stage.client.shutdown().await.unwrap();
        let answer =
            b"HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\n\
            Connection: Upgrade\r\nUpgrade: tcp\r\n\r\nalso early";
        daemon.write_all(answer).await.unwrap();
        assert_eq!(rest(&mut daemon).await, "early");
        daemon.write_all(b", and late").await.unwrap();
        daemon.shutdown().await.unwrap();
        let got = rest(&mut stage.client).await;
        assert!(got.starts_with(first_line), "{got}");
        assert!(
            got.contains("Content-Type: application/vnd.docker.raw-stream\r\n"),
            "{got}"
        );
        assert!(got.ends_with("\r\n\r\nalso early, and late"), "{got}");
        let audit = stage.audit().await;
        assert!(
            audit.contains("\"bytes_from_client\":5,\"bytes_to_client\":20"),
            "{audit}"
        );
        assert!(audit.contains("\"tunnel\":true"), "{audit}");
    }
}

#[tokio::test]
async fn a_hijack_that_fails_is_an_ordinary_answer() {
    let mut stage = Stage::judging();
    stage
        .say("POST /exec/a/start HTTP/1.1\r\nUpgrade: tcp\r\nContent-Length: 2\r\n\r\n{}")
        .await;
    let mut daemon = stage.daemon().await;
    let id = "0a".repeat(32);
    let exec = format!(r#"{{"ID":"a","ContainerID":"{id}"}}"#);
    tell(&mut daemon, "/exec/a/json", (200, &exec)).await;
    tell(
        &mut daemon,
        &format!("/containers/{id}/json"),
        (200, &ordinary()),
    )
    .await;
    up_to(&mut daemon, "{}").await;
    let answer = b"HTTP/1.1 409 Conflict\r\nContent-Length: 3\r\n\r\nno\n";
    daemon.write_all(answer).await.unwrap();
    up_to(&mut stage.client, "no\n").await;
    stage.say("GET /info HTTP/1.1\r\n\r\n").await;
    up_to(&mut daemon, END).await;
    daemon.write_all(OK).await.unwrap();
    up_to(&mut stage.client, "[]").await;
}

#[tokio::test]
async fn an_upgrade_that_nobody_asked_for_is_not_passed_on() {
    let mut stage = Stage::judging();
    stage
        .say("GET /info HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n")
        .await;
    let mut daemon = stage.daemon().await;
    let head = up_to(&mut daemon, END).await;
    assert!(!head.contains("Upgrade"), "{head}");
    daemon
        .write_all(b"HTTP/1.1 101 UPGRADED\r\n\r\nsecret")
        .await
        .unwrap();
    let answer = rest(&mut stage.client).await;
    assert!(answer.starts_with("HTTP/1.1 502 "), "{answer}");
    assert!(!answer.contains("secret"));
    assert_eq!(rest(&mut daemon).await, "");
}
