//! What a refusal tells, and how much.

use super::super::reason::MOST_REASONS;
use super::*;

#[test]
fn a_reason_names_no_password_of_a_url() {
    let line = "POST /v1.41/build?remote=https%3A%2F%2Fme%3Asecret%40host%2Fr.git%23a%40b";
    let Decision::Refuse(refusal) = decide(&policy(""), request(line, ""), &Facts::default())
    else {
        panic!("permitted")
    };
    assert_eq!(refusal.reasons[0].value, "https://host/r.git#a@b");
}

#[test]
fn as_many_things_to_refuse_as_a_body_holds_give_a_bounded_refusal() {
    for items in [r#""CapAdd":["A""#, r#""Binds":["/:/a""#] {
        let (_, item) = items.split_once('[').unwrap();
        let body = format!(
            r#"{{"Image":"busybox","HostConfig":{{{items}{}]}}}}"#,
            format!(",{item}").repeat(60_000)
        );
        let policy = policy(&format!("[container]\n{OPEN}"));
        let Decision::Refuse(refusal) = decide(&policy, request(CREATE, &body), &Facts::default())
        else {
            panic!("permitted")
        };
        assert_eq!(refusal.reasons.len(), MOST_REASONS);
        let text = refusal.to_string();
        assert!(text.contains(" for 64 reasons and more:"), "{text}");
        assert!(text.len() < 64 * 1024);
    }
}

#[test]
fn nothing_of_a_secret_is_told() {
    let everything = "[[permit]]\noperations = [\"*\"]";
    for (line, body) in [
        (
            "POST /v1.41/swarm/init",
            r#"{"ListenAddr":"me:hush@x:1","Secret":"hush","Spec":{"Manager":{"a":"hush"},"CAConfig":{
                "SigningCACert":"hush","SigningCAKey":"hush","ExternalCAs":[{"URL":"https://hush@x","CACert":"hush"}]},
                "TaskDefaults":{"LogDriver":{"Options":{"splunk-token":"hush"}}}}}"#,
        ),
        (
            "POST /v1.41/swarm/join",
            r#"{"JoinToken":"hush","RemoteAddrs":["me:hush@x"],"Token":"hush"}"#,
        ),
        (
            "POST /v1.41/swarm/update?version=1&rotateWorkerToken=1&token=hush",
            r#"{"CAConfig":{"SigningCAKey":"hush","Key":["hush"]}}"#,
        ),
        ("POST /v1.41/swarm/unlock", r#"{"Key":"hush"}"#),
        (
            "POST /v1.41/secrets/create",
            r#"{"Data":"hush","Payload":"hush","Driver":{"Name":"x","Options":{"a":"hush"}}}"#,
        ),
        (
            "POST /v1.41/secrets/x/update?version=1",
            r#"{"Data":"hush","Templating":{"Name":"x","Options":{"a":"hush"},"More":"hush"}}"#,
        ),
        (
            "POST /v1.41/configs/create",
            r#"{"Data":"hush","Text":"hush"}"#,
        ),
        (
            "POST /v1.41/configs/x/update?version=1",
            r#"{"Data":"hush","Templating":{"Options":{"a":"hush"}}}"#,
        ),
        ("POST /auth", r#"{"password":"hush","Token":"hush"}"#),
    ] {
        let request = request(line, body);
        assert!(
            request
                .unknown
                .iter()
                .all(|unknown| unknown.value.is_empty()),
            "{line}"
        );
        let policy = policy(everything);
        let Decision::Refuse(refusal) = decide(&policy, request, &Facts::default()) else {
            panic!("{line} {body}")
        };
        assert!(
            !format!("{refusal} {refusal:?}").contains("hush"),
            "{refusal}"
        );
    }
}

#[test]
fn a_field_of_old_is_named_with_what_it_is_and_where_it_belongs() {
    let told = |body: &str| match decide(&policy(""), request(CREATE, body), &Facts::default()) {
        Decision::Permit(_) => panic!("permitted"),
        Decision::Refuse(refusal) => refusal.to_string(),
    };
    for (body, field, why) in [
        (
            r#"{"Binds":["/:/h"]}"#,
            "`Binds`",
            "`HostConfig`, where it belongs",
        ),
        (
            r#"{"Cgroup":"container:x"}"#,
            "`Cgroup`",
            "`HostConfig`, where it belongs",
        ),
        (
            r#"{"Capabilities":["ALL"]}"#,
            "`Capabilities`",
            "`HostConfig`, where it belongs",
        ),
        (
            r#"{"HostConfig":{"Cgroup":"container:x"}}"#,
            "`HostConfig.Cgroup`",
            "older engines",
        ),
        (
            r#"{"HostConfig":{"Capabilities":["ALL"]}}"#,
            "`HostConfig.Capabilities`",
            "older engines",
        ),
    ] {
        let told = told(body);
        let line = told.lines().find(|line| line.contains("legacy-field"));
        let line = line.unwrap_or_else(|| panic!("{told}"));
        assert!(line.contains(field) && line.contains(why), "{line}");
    }
    let head = RequestHead::parse("POST", "/v1.24/containers/x/start").unwrap();
    let fault = head.with_body(br#"{"Binds":["/:/h"],"Privileged":true}"#);
    let told = fault.unwrap_err().to_string();
    assert!(
        told.contains("`Binds`, `Privileged`") && told.contains("HostConfig"),
        "{told}"
    );
}
