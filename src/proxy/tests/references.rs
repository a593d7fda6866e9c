//! What the gate asks the daemon before it decides.

use super::*;

const PRIVILEGED: &str = r#"{"Privileged":true,"NetworkMode":"none"}"#;

/// Answers as it should, with this HostConfig.
fn with(host_config: &str) -> String {
    let id = "0a".repeat(32);
    format!(r#"{{"Id":"{id}","HostConfig":{host_config}}}"#)
}

#[tokio::test]
async fn a_container_is_asked_for_and_the_request_goes_on_under_its_id() {
    let mut stage = Stage::judging();
    stage
        .say("POST /v1.41/containers/a/start HTTP/1.1\r\n\r\n")
        .await;
    let mut daemon = stage.daemon().await;
    tell(&mut daemon, "/containers/a/json", (200, &ordinary())).await;
    let head = up_to(&mut daemon, END).await;
    let id = "0a".repeat(32);
    let expected = format!("POST /v1.41/containers/{id}/start HTTP/1.1\r\n");
    assert!(head.starts_with(&expected), "{head}");
    daemon.write_all(OK).await.unwrap();
    up_to(&mut stage.client, "[]").await;
}

#[tokio::test]
async fn what_has_something_of_the_host_is_refused_and_nothing_else_is_sent() {
    let mut stage = Stage::judging();
    stage.say("POST /containers/a/start HTTP/1.1\r\n\r\n").await;
    let mut daemon = stage.daemon().await;
    tell(&mut daemon, "/containers/a/json", (200, &with(PRIVILEGED))).await;
    let answer = up_to(&mut stage.client, "}\n").await;
    assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
    assert!(
        answer.contains("privileged: `container.HostConfig.Privileged` is `true`"),
        "{answer}"
    );
    // The connection serves what comes next, and nothing came before.
    stage.say("GET /info HTTP/1.1\r\n\r\n").await;
    assert!(
        up_to(&mut daemon, END)
            .await
            .starts_with("GET /v1.41/info ")
    );
}

#[tokio::test]
async fn the_daemons_defaults_are_asked_for_once() {
    let mut stage = Stage::judging();
    let found = with(r#"{"Runtime":"runc","CgroupnsMode":"host","NetworkMode":"none"}"#);
    stage.say("POST /containers/a/start HTTP/1.1\r\n\r\n").await;
    let mut daemon = stage.daemon().await;
    tell(&mut daemon, "/containers/a/json", (200, &found)).await;
    tell(&mut daemon, "/info", (200, r#"{"DefaultRuntime":"runc"}"#)).await;
    for _ in 0..2 {
        let head = up_to(&mut daemon, END).await;
        assert!(head.starts_with("POST /v1.41/containers/0a"), "{head}");
        daemon.write_all(OK).await.unwrap();
        up_to(&mut stage.client, "[]").await;
        stage.say("POST /containers/a/start HTTP/1.1\r\n\r\n").await;
        tell(&mut daemon, "/containers/a/json", (200, &found)).await;
    }
}

#[tokio::test]
async fn the_volumes_of_a_container_and_of_a_create_are_asked_for() {
    let bind = r#"{"Driver":"local","Options":{"type":"none","o":"bind","device":"/"},"Name":"v"}"#;
    let mut stage = Stage::judging();
    stage.say("GET /containers/a/export HTTP/1.1\r\n\r\n").await;
    let mut daemon = stage.daemon().await;
    let id = "0a".repeat(32);
    let found = format!(
        r#"{{"Id":"{id}","HostConfig":{{"NetworkMode":"none"}},"Mounts":[{{"Type":"volume","Name":"v"}}]}}"#
    );
    tell(&mut daemon, "/containers/a/json", (200, &found)).await;
    tell(&mut daemon, "/volumes/v", (200, bind)).await;
    let answer = up_to(&mut stage.client, "}\n").await;
    assert!(
        answer.contains("volume-host-path: `container.Mounts.v` is `/`"),
        "{answer}"
    );
    let body = r#"{"HostConfig":{"NetworkMode":"none","Binds":["v:/v"]}}"#;
    let length = body.len();
    stage
        .say(&format!(
            "POST /containers/create HTTP/1.1\r\nContent-Length: {length}\r\n\r\n{body}"
        ))
        .await;
    tell(&mut daemon, "/volumes/v", (200, bind)).await;
    let answer = up_to(&mut stage.client, "}\n").await;
    assert!(
        answer.contains("volume-host-path: `HostConfig.Binds[0]` is `/`"),
        "{answer}"
    );
}

#[tokio::test]
async fn the_network_of_a_service_is_asked_for_once_and_its_name_is_judged() {
    let mut stage = Stage::judging();
    let body =
        r#"{"TaskTemplate":{"Networks":[{"Target":"yqk1"},{"Target":"z/b"},{"Target":"yqk1"}]}}"#;
    let length = body.len();
    stage
        .say(&format!(
            "POST /services/create HTTP/1.1\r\nContent-Length: {length}\r\n\r\n{body}"
        ))
        .await;
    let mut daemon = stage.daemon().await;
    let host =
        r#"{"Name":"host","Id":"yqk1y5j2abcdefghijklmnopq","Scope":"swarm","Driver":"host"}"#;
    tell(&mut daemon, "/networks/yqk1?scope=swarm", (200, host)).await;
    let answer = up_to(&mut stage.client, "}\n").await;
    for reason in [
        "host-network: `TaskTemplate.Networks[0].Target` is `host`",
        "network-unknown: `TaskTemplate.Networks[1].Target` is `z/b`",
        "host-network: `TaskTemplate.Networks[2].Target` is `host`",
    ] {
        assert!(answer.contains(reason), "{answer}");
    }
}

#[tokio::test]
async fn an_absent_container_gets_the_daemons_words_and_no_request_follows() {
    let mut stage = Stage::judging();
    stage.say("POST /containers/a/start HTTP/1.1\r\n\r\n").await;
    let mut daemon = stage.daemon().await;
    let absent = r#"{"message":"No such container: a"}"#;
    tell(&mut daemon, "/containers/a/json", (404, absent)).await;
    let answer = up_to(&mut stage.client, "}\n").await;
    assert!(answer.starts_with("HTTP/1.1 404 Not Found\r\n"), "{answer}");
    assert!(answer.ends_with(&format!("{absent}\n")), "{answer}");
    let audit = stage.audit().await;
    assert_eq!(rest(&mut daemon).await, "");
    assert!(audit.contains(r#""code":"not-found""#), "{audit}");
}

#[tokio::test]
async fn an_answer_that_says_nothing_refuses() {
    let huge = format!(r#"{{"Id":"{}"}}"#, "0".repeat(2 << 20));
    for (status, body) in [
        (200, "{}"),
        (200, "nothing"),
        (200, huge.as_str()),
        (500, r#"{"message":"broken"}"#),
        (302, ""),
    ] {
        let mut stage = Stage::judging();
        stage.say("POST /containers/a/start HTTP/1.1\r\n\r\n").await;
        let mut daemon = stage.daemon().await;
        up_to(&mut daemon, END).await;
        let length = body.len();
        let answer = format!("HTTP/1.1 {status} Told\r\nContent-Length: {length}\r\n\r\n{body}");
        // The gate may have enough before it has all.
        let _ = daemon.write_all(answer.as_bytes()).await;
        let answer = up_to(&mut stage.client, "}\n").await;
        assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
        assert!(
            answer.contains("container-unknown: `container` is `a`"),
            "{answer}"
        );
    }
}

#[tokio::test]
async fn without_a_daemon_nothing_is_found_out() {
    let mut stage = Stage::judging();
    drop(std::mem::replace(
        &mut stage.daemon,
        UnixListener::bind(stage.folder.path().join("other")).unwrap(),
    ));
    stage.say("POST /containers/a/start HTTP/1.1\r\n\r\n").await;
    let answer = up_to(&mut stage.client, "}\n").await;
    assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    assert!(
        answer.contains("cannot connect to the Docker daemon"),
        "{answer}"
    );
}

#[tokio::test]
async fn a_name_outside_dockers_grammar_is_not_asked_for() {
    let mut stage = Stage::judging();
    stage
        .say("POST /commit?container=a%2F..%2Fb HTTP/1.1\r\n\r\n")
        .await;
    let answer = up_to(&mut stage.client, "}\n").await;
    assert!(
        answer.contains("is no name in Docker's grammar"),
        "{answer}"
    );
}

#[tokio::test]
async fn the_container_of_an_exec_instance_is_asked_for_once() {
    let mut stage = Stage::judging();
    let (exec, id) = ("0e".repeat(32), "0a".repeat(32));
    let of_exec = format!(r#"{{"ID":"{exec}","ContainerID":"{id}"}}"#);
    let resize = format!("POST /v1.41/exec/{exec}/resize?h=1&w=1 HTTP/1.1\r\n\r\n");
    stage.say(&resize).await;
    let mut daemon = stage.daemon().await;
    tell(&mut daemon, &format!("/exec/{exec}/json"), (200, &of_exec)).await;
    for _ in 0..2 {
        tell(
            &mut daemon,
            &format!("/containers/{id}/json"),
            (200, &ordinary()),
        )
        .await;
        let head = up_to(&mut daemon, END).await;
        assert!(head.starts_with("POST /v1.41/exec/"), "{head}");
        daemon.write_all(OK).await.unwrap();
        up_to(&mut stage.client, "[]").await;
        stage.say(&resize).await;
    }
    // What the container had may have changed, and it may be gone.
    let gone = r#"{"message":"gone"}"#;
    tell(&mut daemon, &format!("/containers/{id}/json"), (404, gone)).await;
    tell(&mut daemon, &format!("/exec/{exec}/json"), (404, gone)).await;
    let answer = up_to(&mut stage.client, "}\n").await;
    assert!(answer.starts_with("HTTP/1.1 404 "), "{answer}");
}

#[tokio::test]
async fn several_things_are_asked_for_at_once() {
    let mut stage = Stage::judging();
    let body = r#"{"Image":"a","HostConfig":{"NetworkMode":"none","Binds":["a:/a","b:/b"]}}"#;
    let length = body.len();
    let head =
        format!("POST /v1.41/containers/create HTTP/1.1\r\nContent-Length: {length}\r\n\r\n");
    stage.say(&format!("{head}{body}")).await;
    // Neither is answered before the other is asked for.
    let (mut first, mut second) = (stage.daemon().await, stage.daemon().await);
    let asked = [up_to(&mut first, END).await, up_to(&mut second, END).await];
    for name in ["a", "b"] {
        assert!(
            asked
                .iter()
                .any(|head| head.starts_with(&format!("GET /volumes/{name} "))),
            "{asked:?}"
        );
    }
    let answer = b"HTTP/1.1 404 Told\r\nContent-Length: 2\r\n\r\n{}";
    second.write_all(answer).await.unwrap();
    first.write_all(answer).await.unwrap();
    // It goes over the client's own connection, and the other one is closed.
    let mut create = String::new();
    for daemon in [&mut first, &mut second] {
        while !create.ends_with(END)
            && let Ok(byte) = daemon.read_u8().await
        {
            create.push(char::from(byte));
        }
    }
    assert!(
        create.starts_with("POST /v1.41/containers/create "),
        "{create}"
    );
}
