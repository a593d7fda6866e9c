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
fn a_million_things_to_refuse_give_a_bounded_refusal() {
    for items in [r#""CapAdd":["A""#, r#""Binds":["/:/a""#] {
        let (_, item) = items.split_once('[').unwrap();
        let body = format!(
            r#"{{"Image":"busybox","HostConfig":{{{items}{}]}}}}"#,
            format!(",{item}").repeat(100_000)
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
