//! What is written is what serde would write, within its bounds.

use std::time::UNIX_EPOCH;

use super::*;
use crate::audit::line;
use crate::audit::text::ExchangeIds;
use crate::policy::client::{Certificate, PeerCredentials};

fn decision<'a>(identity: &'a Identity, reasons: &'a [Reason<'a>]) -> Decision<'a> {
    Decision {
        time: UNIX_EPOCH.into(),
        id: ExchangeIds::start().unwrap().next(),
        client: Client {
            name: Some("ci"),
            owner: Some("team/ci"),
            source: Some(std::net::Ipv4Addr::LOCALHOST.into()),
            identity: Some(identity),
            written: None,
        },
        listener: "tcp://0.0.0.0:2376",
        operation: Some("ContainerCreate"),
        api_version: Some(Text("1.51")),
        method: Text("POST"),
        target: Text("/v1.51/containers/create?name=\r\n"),
        traceparent: None,
        policy: Some("guarded"),
        configuration: "00ff",
        decision: Verdict::Refuse,
        reasons,
        dropped: &[],
        observed: None,
        rewritten: &[],
        left_out: 0,
        status: Some(403),
    }
}

fn reason(value: &str) -> Reason<'_> {
    Reason {
        code: "privileged",
        field: Some(Text("HostConfig.Privileged")),
        value: Some(Text(value)),
        message: Text("`Privileged` is not permitted"),
        line: Some(4),
    }
}

/// The line that is written, which is what serde makes of the record.
fn json(record: &Record<'_>) -> serde_json::Value {
    let line = String::from_utf8(line::of(record).unwrap()).unwrap();
    assert_eq!(line, serde_json::to_string(record).unwrap() + "\n");
    serde_json::to_value(record).unwrap()
}

#[test]
fn a_decision_says_who_asked_for_what_and_why_it_was_refused() {
    let identity = Identity::Certificate(Certificate {
        common_name: Some("ci-7".to_owned()),
        organizations: vec!["acme".to_owned()],
        organizational_units: vec![],
        dns: vec![],
        emails: vec![],
        uris: vec!["spiffe://acme/ci".to_owned()],
        spiffe_id: Some("spiffe://acme/ci".to_owned()),
        serial: "0a".to_owned(),
        fingerprint: "ff".to_owned(),
        public_key: "ee".to_owned(),
        not_after: 0,
    });
    let reasons = [reason("true")];
    let record = json(&Record::Decision(decision(&identity, &reasons)));

    assert_eq!(record["event"], "decision");
    assert_eq!(record["time"], "1970-01-01T00:00:00.000000Z");
    assert_eq!(record["client"]["name"], "ci");
    assert_eq!(record["client"]["common_name"], "ci-7");
    assert_eq!(record["client"]["uris"][0], "spiffe://acme/ci");
    assert_eq!(record["client"]["serial"], "0a");
    assert_eq!(record["client"]["spiffe_id"], "spiffe://acme/ci");
    assert_eq!(record["client"]["public_key"], "ee");
    assert_eq!(record["client"]["owner"], "team/ci");
    assert_eq!(record["client"]["source"], "127.0.0.1");
    assert!(record["client"].get("dns").is_none());
    assert_eq!(record["decision"], "refuse");
    assert_eq!(record["reasons"][0]["code"], "privileged");
    assert_eq!(record["reasons"][0]["line"], 4);
    assert_eq!(record["target"], "/v1.51/containers/create?name=\r\n");
    assert_eq!(record["status"], 403);
}

#[test]
fn every_client_is_written_as_serde_would() {
    let peer = |groups: Vec<u32>, pid| {
        Identity::Peer(PeerCredentials {
            uid: 0,
            gid: u32::MAX,
            groups,
            pid,
        })
    };
    let identities = [
        Identity::Listener,
        peer(vec![], None),
        peer(vec![], Some(-7)),
        peer(vec![0, 27], Some(7)),
    ];
    for identity in identities.iter().map(Some).chain([None]) {
        for (name, source) in [
            (None, None),
            (Some("a\"b"), Some(std::net::Ipv6Addr::LOCALHOST.into())),
        ] {
            let client = Client {
                name,
                owner: name,
                source,
                identity,
                written: None,
            };
            let before = client.written();
            for written in [None, before.as_deref()] {
                json(&Record::Decision(Decision {
                    client: Client { written, ..client },
                    operation: None,
                    api_version: None,
                    policy: None,
                    dropped: &[Text("a"), Text("b\n")],
                    rewritten: &[Text("c")],
                    ..decision(&Identity::Listener, &[])
                }));
            }
        }
    }
}

#[test]
fn a_record_is_one_line_whatever_the_client_sent() {
    let identity = Identity::Listener;
    let reasons = [reason("a\nb\u{2028}\0")];
    let line = serde_json::to_string(&Record::Decision(decision(&identity, &reasons)));
    assert!(!line.unwrap().contains('\n'));
}

#[test]
fn a_permit_says_what_an_observing_policy_would_have_refused_and_which_trace_it_is_of() {
    let identity = Identity::Listener;
    let reasons = [reason("true")];
    let record = json(&Record::Decision(Decision {
        reasons: &[],
        traceparent: Some("00-4b-0f-01"),
        observed: Some(Observed {
            policy: "tight",
            reasons: &reasons,
        }),
        ..decision(&identity, &[])
    }));
    assert_eq!(record["traceparent"], "00-4b-0f-01");
    assert_eq!(record["configuration"], "00ff");
    assert_eq!(record["observed"]["policy"], "tight");
    assert_eq!(record["observed"]["reasons"][0]["code"], "privileged");
}

#[test]
fn a_record_is_bounded_whatever_the_client_sent() {
    let identity = Identity::Peer(PeerCredentials {
        uid: 1,
        gid: 2,
        groups: (0..200).collect(),
        pid: Some(3),
    });
    let long = "x".repeat(1 << 20);
    let reasons = [reason(&long); 200];
    let dropped = [Text(long.as_str()); 100];
    let mut decision = decision(&identity, &reasons);
    decision.target = Text(&long);
    decision.dropped = &dropped;
    let record = Record::Decision(decision.counted());

    assert!(serde_json::to_string(&record).unwrap().len() < 128 * 1024);
    let record = json(&record);
    assert_eq!(record["left_out"], 136 + 36);
    assert_eq!(record["client"]["uid"], 1);
    assert_eq!(record["client"]["pid"], 3);
    assert_eq!(record["client"]["groups"].as_array().unwrap().len(), 64);
}

#[test]
fn an_end_says_how_it_ended() {
    let record = json(&Record::End(End {
        time: UNIX_EPOCH.into(),
        id: ExchangeIds::start().unwrap().next(),
        operation: Some("ContainerAttach"),
        status: Some(101),
        bytes_from_client: 5,
        bytes_to_client: 7,
        duration: Duration::from_millis(2),
        outcome: Outcome::ClientGone,
        tunnel: true,
    }));
    assert_eq!(record["event"], "end");
    assert_eq!(record["duration_us"], 2000);
    assert_eq!(record["outcome"], "client-gone");
    assert_eq!(record["tunnel"], true);
}

#[test]
fn outcomes_are_named_as_serde_names_them() {
    for outcome in [
        Outcome::Complete,
        Outcome::Refused,
        Outcome::ClientGone,
        Outcome::DaemonGone,
        Outcome::DaemonUnavailable,
        Outcome::TimedOut,
        Outcome::Cut,
        Outcome::Withdrawn,
        Outcome::Failed,
    ] {
        assert_eq!(serde_json::to_value(outcome).unwrap(), outcome.name());
    }
}
