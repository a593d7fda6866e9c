//! What is refused never reaches the daemon, and leaves the connection whole.

use super::*;

#[tokio::test]
async fn what_is_refused_never_reaches_the_daemon_and_what_follows_is_judged() {
    let mut stage = Stage::new(Policy {
        operations: [(Operation::SystemInfo, 1)].into(),
        ..Policy::default()
    });
    stage
        .say("POST /containers/a/kill HTTP/1.1\r\n\r\nGET /info HTTP/1.1\r\n\r\n")
        .await;
    let refusal = up_to(&mut stage.client, "}\n").await;
    assert!(
        refusal.starts_with("HTTP/1.1 403 Forbidden\r\n"),
        "{refusal}"
    );
    let mut daemon = stage.daemon().await;
    assert!(
        up_to(&mut daemon, END)
            .await
            .starts_with("GET /v1.41/info ")
    );
    daemon.write_all(OK).await.unwrap();
    up_to(&mut stage.client, "[]").await;
    let audit = stage.audit().await;
    assert_eq!(
        audit.matches("\"event\":\"decision\"").count(),
        2,
        "{audit}"
    );
    assert_eq!(audit.matches("\"event\":\"end\"").count(), 2, "{audit}");
}

#[tokio::test]
async fn a_refused_upload_is_not_asked_for() {
    let mut stage = Stage::new(Policy::default());
    stage
        .say("POST /images/load HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n")
        .await;
    let answer = rest(&mut stage.client).await;
    assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
    assert!(answer.contains("Connection: close\r\n"), "{answer}");
}
