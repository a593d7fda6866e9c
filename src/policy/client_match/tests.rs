//! Which clients a table is for, key by key.

use super::*;
use crate::engine_api::CallingContainer;
use crate::policy::client::PeerCredentials;

const LISTENER: &str = "tcp://0.0.0.0:2376";

fn certificate() -> Identity {
    Identity::Certificate(Certificate {
        common_name: Some("ci-7".to_owned()),
        organizations: vec!["acme".to_owned(), "acme-build".to_owned()],
        organizational_units: vec!["ops".to_owned(), "build".to_owned()],
        dns: vec!["runner.example".to_owned()],
        emails: vec!["ci@acme.example".to_owned()],
        uris: vec!["spiffe://acme/ci".to_owned()],
        spiffe_id: Some("spiffe://acme/ci".to_owned()),
        serial: "0a1b".to_owned(),
        fingerprint: "aabbcc".to_owned(),
        public_key: "ddeeff".to_owned(),
        not_after: 0,
    })
}

fn peer(uid: u32, gid: u32) -> Identity {
    Identity::Peer(PeerCredentials {
        uid,
        gid,
        groups: vec![7, 8],
        pid: None,
    })
}

fn container() -> Identity {
    Identity::Container(CallingContainer {
        id: "ab".repeat(32),
        name: "ci-7".to_owned(),
        labels: [("role".to_owned(), "ci".to_owned())].into(),
        started: String::new(),
    })
}

/// A table with what it is asked, in few words.
struct Table(ClientMatch);

impl Table {
    fn matches(&self, identity: &Identity, listener: &str) -> bool {
        self.0.matches(&Caller {
            identity,
            source: None,
            listener,
        })
    }

    fn matches_from(&self, source: &str) -> bool {
        self.0.matches(&Caller {
            identity: &certificate(),
            source: source.parse().ok(),
            listener: LISTENER,
        })
    }
}

fn compile(text: &str) -> Table {
    let document: ClientMatchDocument = toml::from_str(text).unwrap();
    Table(document.compile().unwrap())
}

fn problems(text: &str) -> Vec<String> {
    let document: ClientMatchDocument = toml::from_str(text).unwrap();
    let problems = document.compile().unwrap_err();
    problems.into_iter().map(|(key, _)| key).collect()
}

#[test]
fn each_certificate_key_holds_for_its_own_value_only() {
    for (key, right, wrong) in [
        ("common-name", "ci-*", "acme"),
        ("organization", "acme-build", "ci-7"),
        ("organizational-unit", "bu*", "ops build"),
        ("dns", "*.example", "example"),
        ("email", "*@acme.example", "*@acme.exampl"),
        ("uri", "regex:spiffe://acme/(ci|cd)", "regex:acme"),
        ("serial", "0A:1B", "0a"),
        ("fingerprint", "AA:BB:CC", "aabbccdd"),
        ("public-key", "DD:EE:FF", "aabbcc"),
        ("spiffe-id", "spiffe://acme/*", "acme/ci"),
    ] {
        assert!(
            compile(&format!("{key} = '{right}'")).matches(&certificate(), LISTENER),
            "{key}"
        );
        assert!(
            !compile(&format!("{key} = '{wrong}'")).matches(&certificate(), LISTENER),
            "{key}"
        );
    }
}

#[test]
fn a_key_whose_value_the_certificate_lacks_never_holds() {
    let Identity::Certificate(mut certificate) = certificate() else {
        panic!("no certificate")
    };
    certificate.organizational_units = Vec::new();
    let without = Identity::Certificate(certificate);
    assert!(!compile("organizational-unit = '*'").matches(&without, LISTENER));
}

#[test]
fn all_keys_must_hold() {
    let both = "common-name = 'ci-*'\norganization = 'acme'";
    assert!(compile(both).matches(&certificate(), LISTENER));
    let one = "common-name = 'ci-*'\norganization = 'other'";
    assert!(!compile(one).matches(&certificate(), LISTENER));
    let elsewhere = "common-name = 'ci-*'\nlistener = 'unix://*'";
    assert!(!compile(elsewhere).matches(&certificate(), LISTENER));
}

#[test]
fn a_certificate_rule_matches_no_other_kind_of_client() {
    let rule = compile("common-name = '*'");
    assert!(!rule.matches(&peer(0, 0), LISTENER));
    assert!(!rule.matches(&Identity::Listener, LISTENER));
}

#[test]
fn uid_and_gid_match_unix_peers_only() {
    let rule = compile("uid = 1000\ngid = 100");
    assert!(rule.matches(&peer(1000, 100), "unix:///run/a.sock"));
    assert!(!rule.matches(&peer(1000, 0), "unix:///run/a.sock"));
    assert!(!rule.matches(&peer(0, 100), "unix:///run/a.sock"));
    assert!(!rule.matches(&Identity::Listener, "unix:///run/a.sock"));
    assert!(!compile("uid = 0").matches(&certificate(), LISTENER));
}

#[test]
fn a_gid_is_any_group_of_the_process() {
    for (gid, is_one) in [(1, true), (7, true), (8, true), (9, false), (0, false)] {
        let rule = compile(&format!("gid = {gid}"));
        assert_eq!(
            rule.matches(&peer(0, 1), "unix:///run/a.sock"),
            is_one,
            "{gid}"
        );
    }
    assert!(!compile("uid = 1\ngid = 7").matches(&peer(0, 1), "unix:///run/a.sock"));
}

#[test]
fn a_source_is_known_in_any_of_its_ranges_and_only_on_tcp() {
    let rule = compile("source = ['10.0.0.0/8', 'fd00::/8', '192.0.2.1']");
    for (source, is_within) in [
        ("10.1.2.3", true),
        ("fd12::1", true),
        ("192.0.2.1", true),
        ("192.0.2.2", false),
        ("fe80::1", false),
        ("none", false),
    ] {
        assert_eq!(rule.matches_from(source), is_within, "{source}");
    }
    assert!(!rule.matches(&peer(0, 0), "unix:///run/a.sock"));
}

#[test]
fn a_container_is_known_by_its_name_and_labels() {
    for (text, is_it) in [
        ("container-name = 'ci-*'", true),
        ("container-label = ['role=ci']", true),
        (
            "container-name = 'regex:ci-[0-9]'\ncontainer-label = ['role=*']",
            true,
        ),
        ("container-name = 'c'", false),
        ("container-label = ['role=c']", false),
        ("container-label = ['role=ci', 'team=*']", false),
        ("container-label = ['Role=ci']", false),
        ("common-name = 'ci-7'", false),
        ("uid = 0", false),
    ] {
        let rule = compile(text);
        assert_eq!(rule.matches(&container(), LISTENER), is_it, "{text}");
        assert!(!rule.matches(&Identity::Listener, LISTENER), "{text}");
    }
    assert!(!compile("container-name = '*'").matches(&certificate(), LISTENER));
    assert!(!compile("container-label = ['role=*']").matches(&peer(0, 0), "unix:///a"));
}

#[test]
fn a_listener_matches_whoever_reaches_it() {
    let rule = compile("listener = 'tcp://*:2376'");
    assert!(rule.matches(&Identity::Listener, LISTENER));
    assert!(rule.matches(&certificate(), LISTENER));
    assert!(!rule.matches(&Identity::Listener, "unix:///run/a.sock"));
}

#[test]
fn refuses_a_table_that_is_empty_or_matches_nobody() {
    assert_eq!(problems(""), ["match"]);
    for nobody in [
        "uid = 0\ncommon-name = 'a'",
        "gid = 0\nsource = ['::/0']",
        "uid = 0\ncontainer-name = 'a'",
        "spiffe-id = '*'\ncontainer-label = ['a=b']",
    ] {
        assert_eq!(problems(nobody), ["match"], "{nobody}");
    }
    assert_eq!(problems("source = []"), ["source"]);
    assert_eq!(problems("source = ['10.0.0.0/8', 'x', '']"), ["source"; 2]);
    assert_eq!(problems("container-label = []"), ["container-label"]);
    assert_eq!(
        problems("container-label = ['role', '=ci', 'role=', 'role=regex:(']"),
        ["container-label"; 4]
    );
}

#[test]
fn gives_every_problem_at_once() {
    assert_eq!(
        problems("common-name = ''\ndns = 'regex:('\nuid = 1"),
        ["common-name", "dns", "match"]
    );
}

#[test]
fn refuses_unknown_keys_and_wrong_kinds() {
    assert!(toml::from_str::<ClientMatchDocument>("commonname = 'a'").is_err());
    assert!(toml::from_str::<ClientMatchDocument>("uid = '0'").is_err());
    assert!(toml::from_str::<ClientMatchDocument>("uid = -1").is_err());
}
