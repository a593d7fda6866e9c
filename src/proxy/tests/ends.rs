//! Ends that are not the usual ones: of tunnels that one side leaves, of answers, of a certificate.

use crate::engine_api::CallingContainer;
use crate::policy::client::Certificate;

use std::sync::OnceLock;

use super::super::large::Lanes;
use super::*;

/// A client of whom nothing else matters.
pub(super) fn known(source: &str, policy: Policy, identity: Identity) -> Client {
    Client {
        name: None,
        owner: Arc::from("test"),
        keeps_apart: false,
        identity,
        source: source.parse().ok(),
        listener: Arc::from("unix:///test"),
        policy: Arc::new(policy),
        observed: None,
        counters: Arc::default(),
        allowed: None,
        lane: Lanes::default().lane(),
        recorded: OnceLock::new(),
    }
}

const SWITCHED: &[u8] =
    b"HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\n\
    Connection: Upgrade\r\nUpgrade: tcp\r\n\r\n";

/// A tunnel with its first bytes behind it.
async fn tunnel() -> (Stage, UnixStream) {
    let mut stage = Stage::judging();
    stage
        .say("POST /containers/a/attach HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n")
        .await;
    let mut daemon = stage.daemon().await;
    tell(&mut daemon, "/containers/a/json", (200, &ordinary())).await;
    up_to(&mut daemon, END).await;
    daemon.write_all(SWITCHED).await.unwrap();
    up_to(&mut stage.client, END).await;
    (stage, daemon)
}

#[tokio::test]
async fn what_a_daemon_wrote_before_it_left_arrives_though_the_client_still_sends() {
    let (stage, mut daemon) = tunnel().await;
    let (mut read, mut write) = stage.client.into_split();
    let sending =
        tokio::spawn(async move { while write.write_all(&[b'i'; 65536]).await.is_ok() {} });
    // By now the gate waits until it can write to the daemon.
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    let output = vec![b'o'; 100_000];
    daemon.write_all(&output).await.unwrap();
    drop(daemon);
    let mut got = Vec::new();
    read.read_to_end(&mut got).await.unwrap();
    assert_eq!(got.len(), output.len());
    drop(read);
    sending.await.unwrap();
}

#[tokio::test]
async fn a_client_that_is_gone_ends_a_tunnel_whose_daemon_reads_nothing() {
    let (stage, mut daemon) = tunnel().await;
    let (read, mut write) = stage.client.into_split();
    let sending = tokio::spawn(async move {
        let deadline = std::time::Duration::from_millis(200);
        let endless = async { while write.write_all(&[b'i'; 65536]).await.is_ok() {} };
        let _ = tokio::time::timeout(deadline, endless).await;
    });
    sending.await.unwrap();
    drop(read);
    tokio::time::pause();
    let deadline = std::time::Duration::from_secs(120);
    tokio::time::timeout(deadline, stage.serving)
        .await
        .expect("the gate lets go")
        .unwrap();
    let mut left = Vec::new();
    // What had come through is still there to be read, then the end.
    let _ = daemon.read_to_end(&mut left).await;
    assert!(!left.is_empty());
}

#[tokio::test]
async fn a_certificate_that_expires_ends_its_connection_with_the_next_request() {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let now = i64::try_from(now.unwrap().as_secs()).unwrap();
    for (not_after, is_expired) in [(now + 60, false), (now - 1, true)] {
        let identity = Identity::Certificate(Certificate {
            not_after,
            ..Certificate::default()
        });
        for policy in [
            Policy {
                operations: [(Operation::SystemInfo, 1)].into(),
                ..Policy::default()
            },
            Policy {
                permits_everything: true,
                ..Policy::default()
            },
        ] {
            let mut stage = Stage::with(policy, identity.clone());
            stage
                .say("GET /info HTTP/1.1\r\n\r\nGET /info HTTP/1.1\r\n\r\n")
                .await;
            if !is_expired {
                up_to(&mut stage.daemon().await, END).await;
                continue;
            }
            let answer = rest(&mut stage.client).await;
            assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
            assert!(answer.contains("Connection: close\r\n"), "{answer}");
            assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{answer}");
            let audit = stage.audit().await;
            assert!(
                audit.contains("\"code\":\"certificate-expired\""),
                "{audit}"
            );
            assert!(audit.contains("\"decision\":\"refuse\""), "{audit}");
        }
    }
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_not_ended() {
    let mut stage = Stage::judging();
    stage.say("GET /events HTTP/1.1\r\n\r\n").await;
    let mut daemon = stage.daemon().await;
    up_to(&mut daemon, END).await;
    let half = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n";
    daemon.write_all(half).await.unwrap();
    up_to(&mut stage.client, "{}\r\n").await;
    drop(daemon);
    assert_eq!(rest(&mut stage.client).await, "");
    let audit = stage.audit().await;
    assert!(audit.contains("\"outcome\":\"daemon-gone\""), "{audit}");
}

#[tokio::test]
async fn a_container_that_is_not_what_it_was_ends_its_connection_with_the_next_request() {
    const STARTED: &str = "2026-01-02T03:04:05";
    let inspected = |name: &str, started: &str, address: &str, runs: bool| {
        let id = "ab".repeat(32);
        format!(
            r#"{{"Id":"{id}","Name":"/{name}","State":{{"Running":{runs},"StartedAt":"{started}Z"}},
            "NetworkSettings":{{"Networks":{{"n":{{"IPAddress":"{address}"}}}}}}}}"#
        )
    };
    let target = format!("/containers/{}/json", "ab".repeat(32));
    let later = "2026-01-02T03:04:06";
    for (status, answer, is_same) in [
        (200, inspected("ci", STARTED, "10.0.0.2", true), true),
        (200, inspected("other", STARTED, "10.0.0.2", true), false),
        (200, inspected("ci", later, "10.0.0.2", true), false),
        (200, inspected("ci", STARTED, "10.0.0.3", true), false),
        (200, inspected("ci", STARTED, "10.0.0.2", false), false),
        (404, r#"{"message":"No such container"}"#.to_owned(), false),
        (500, r#"{"message":"some fault"}"#.to_owned(), false),
    ] {
        let policy = Policy {
            permits_everything: true,
            ..Policy::default()
        };
        let identity = Identity::Container(CallingContainer {
            id: "ab".repeat(32),
            name: "ci".to_owned(),
            started: STARTED.to_owned(),
            ..CallingContainer::default()
        });
        let mut stage = Stage::at("10.0.0.2", policy, identity);
        stage
            .say("GET /info HTTP/1.1\r\n\r\nGET /info HTTP/1.1\r\n\r\n")
            .await;
        let mut daemon = stage.daemon().await;
        tell(&mut daemon, &target, (status, &answer)).await;
        if is_same {
            tell(&mut daemon, "/info", (200, "{}")).await;
            // Nothing is kept: the second request asks again.
            tell(&mut daemon, &target, (404, "{}")).await;
        }
        let mut told = String::new();
        stage.client.read_to_string(&mut told).await.unwrap();
        let count = |status: &str| told.matches(&format!("HTTP/1.1 {status}")).count();
        let expected = if is_same { (1, 1) } else { (0, 1) };
        assert_eq!((count("200"), count("403")), expected, "{told}");
        assert!(told.contains("not known any more"), "{told}");
    }
}
