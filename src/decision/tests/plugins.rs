//! Plugins: what names one, what it is given, and what is set in it.

use super::*;

const PINNED: &str =
    "r.example/x@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
const NETWORK: &str = r#"[{"Name":"network","Description":"any text","Value":["host"]}]"#;

fn judged(limits: &str, line: &str, body: &str) -> Vec<&'static str> {
    let policy = policy(&format!("[plugin]\n{limits}"));
    codes(&policy, line, body, &Facts::default())
}

fn pull(limits: &str, remote: &str, body: &str) -> Vec<&'static str> {
    let line = format!("POST /v1.41/plugins/pull?remote={remote}");
    judged(limits, &line, body)
}

#[test]
fn a_plugin_without_privileges_needs_its_reference_alone() {
    let limits = "references = [\"r.example/*\"]";
    for body in ["[]", "null", ""] {
        assert!(pull(limits, "r.example/x", body).is_empty(), "{body}");
        assert_eq!(pull("", "r.example/x", body), ["plugin"], "{body}");
    }
    assert_eq!(pull(limits, "x", "[]"), ["plugin"]);
    assert_eq!(pull(limits, "r.example/x&name=x", "[]"), ["plugin"]);
    assert!(pull(limits, "r.example/x&name=", "[]").is_empty());
}

#[test]
fn privileges_take_a_digest_that_the_policy_names_or_all_of_them_open() {
    let pinned =
        |open: &str| format!("references = [\"r.example/*\", \"{PINNED}\"]\nprivileges = [{open}]");
    assert!(pull(&pinned("\"network:host\""), PINNED, NETWORK).is_empty());
    assert!(pull(&pinned("\"network:*\""), PINNED, NETWORK).is_empty());
    assert_eq!(pull(&pinned(""), PINNED, NETWORK), ["plugin-privilege"]);
    let by_tag = pull(&pinned("\"network:host\""), "r.example/x", NETWORK);
    assert_eq!(by_tag, ["plugin-not-pinned"]);
    assert!(pull(&pinned("\"*\""), "r.example/x", NETWORK).is_empty());
    let wildcard = "references = [\"r.example/x@sha256:*\"]\nprivileges = [\"network:host\"]";
    assert_eq!(pull(wildcard, PINNED, NETWORK), ["plugin-not-pinned"]);
    let all = "references = [\"*\"]\nprivileges = [\"*\"]";
    assert_eq!(pull(all, PINNED, NETWORK), ["plugin-not-pinned"]);
    let ask = format!("GET /v1.41/plugins/privileges?remote={PINNED}");
    assert_eq!(judged(all, &ask, ""), ["plugin-not-pinned"]);
    assert!(judged(&pinned(""), &ask, "").is_empty());
}

#[test]
fn an_upgrade_takes_a_digest_even_without_privileges() {
    let limits = format!("references = [\"r.example/*\", \"{PINNED}\"]");
    let line = |remote: &str| format!("POST /v1.41/plugins/r.example/old/upgrade?remote={remote}");
    assert!(judged(&limits, &line(PINNED), "[]").is_empty());
    assert_eq!(
        judged(&limits, &line("r.example/x"), "[]"),
        ["plugin-not-pinned"]
    );
    let only_new = format!("references = [\"{PINNED}\"]");
    assert_eq!(judged(&only_new, &line(PINNED), "[]"), ["plugin"]);
}

#[test]
fn each_value_of_a_privilege_is_judged() {
    let limits = format!(
        "references = [\"{PINNED}\"]\nprivileges = [\"capabilities:CAP_CHOWN\", \"mount:/srv/*\"]"
    );
    for (body, refused) in [
        (r#"[{"Name":"capabilities","Value":["CAP_CHOWN"]}]"#, 0),
        (
            r#"[{"Name":"capabilities","Value":["CAP_CHOWN","CAP_SYS_ADMIN","cap_chown"]}]"#,
            2,
        ),
        (r#"[{"Name":"capabilities","Value":[null]}]"#, 1),
        (r#"[{"Name":"capabilities","Value":[]}]"#, 1),
        (
            r#"[{"Name":"mount","Value":["/srv/a"]},{"Name":"mount","Value":["/srv/../a"]}]"#,
            1,
        ),
        (r#"[{"Name":"mount","Value":["/srv/.."]}]"#, 1),
        (r#"[{"Value":["/srv/a"]},{}]"#, 2),
    ] {
        let found = pull(&limits, PINNED, body);
        assert_eq!(found, vec!["plugin-privilege"; refused], "{body}");
    }
}

#[test]
fn what_is_there_is_judged_by_every_name_it_could_have() {
    let limits = "references = [\"docker.io/library/*\", \"sha256:0*\"]";
    let id = "ab".repeat(32);
    for (name, is_permitted) in [
        ("x", true),
        ("x:1", true),
        ("docker.io/library/x", true),
        ("docker.io/other/x", false),
        // Beginnings of ids.
        ("cafe", false),
        ("0afe", true),
        (id.as_str(), false),
        // A name with a tag.
        ("sha256:1", false),
        ("sha256:0", true),
    ] {
        for (method, part) in [
            ("POST", "/enable?timeout=0"),
            ("POST", "/disable"),
            ("POST", "/push"),
            ("DELETE", ""),
        ] {
            let line = format!("{method} /v1.41/plugins/{name}{part}");
            let found = judged(limits, &line, "");
            assert_eq!(found.is_empty(), is_permitted, "{line}: {found:?}");
        }
    }
}

#[test]
fn a_setting_is_held_as_a_whole_and_its_value_is_not_told() {
    let limits =
        "references = [\"*\"]\nsettings = [\"DEBUG=*\", \"data.source=/srv/*\", \"up=../x\"]";
    let line = "POST /v1.41/plugins/x/set";
    for (body, refused) in [
        (
            r#"["DEBUG=","DEBUG=a=b","data.source=/srv/a","up=../x"]"#,
            0,
        ),
        (r#"["DEBUG"]"#, 1),
        (
            r#"["debug=1","data=/srv/a","data.source=/etc","data.source=/srv/../etc","up=../y"]"#,
            5,
        ),
        (r#"[null,"","=x"]"#, 3),
        ("[]", 0),
    ] {
        let found = judged(limits, line, body);
        assert_eq!(found, vec!["plugin-setting"; refused], "{body}");
    }
    let request = request(line, r#"["PASSWORD=hunter2"]"#);
    let Decision::Refuse(refusal) = decide(&policy(""), request, &Facts::default()) else {
        panic!("permitted")
    };
    let told = refusal.to_string();
    assert!(
        told.contains("PASSWORD") && !told.contains("hunter2"),
        "{told}"
    );
}

#[test]
fn an_archive_takes_the_switch_that_warns_of_it() {
    let line = "POST /v1.41/plugins/create?name=x";
    let names = "references = [\"docker.io/library/*\"]\n";
    assert_eq!(judged(names, line, ""), ["plugin-archive"]);
    let switch = "dangerously-create-unread = true\n";
    assert!(judged(&format!("{names}{switch}"), line, "").is_empty());
    assert_eq!(judged(switch, line, ""), ["plugin"]);
}

#[test]
fn volumes_of_the_swarm_take_a_key_whatever_they_say() {
    let (closed, open) = (
        policy(""),
        policy("[volume]\ncluster = true\ndrivers = [\"csi\"]"),
    );
    let facts = Facts::default();
    let create = "POST /v1.42/volumes/create";
    let update = "PUT /v1.42/volumes/x?version=1";
    for (line, body) in [
        (create, r#"{"Driver":"csi","ClusterVolumeSpec":{}}"#),
        (update, r#"{"Spec":{"Availability":"drain"}}"#),
        (update, r#"{"Spec":{}}"#),
        (update, r#"{"Spec":null}"#),
        (update, "{}"),
        (update, "null"),
        (update, ""),
    ] {
        let found = codes(&closed, line, body, &facts);
        assert!(
            found.contains(&"cluster-volume"),
            "{line} {body}: {found:?}"
        );
        assert!(codes(&open, line, body, &facts).is_empty(), "{line} {body}");
    }
}

#[test]
fn a_checkpoint_has_a_name_that_leads_nowhere() {
    let policy = policy(&format!("[container]\n{OPEN}"));
    let facts = Facts::default();
    for (name, is_permitted) in [
        ("c1", true),
        ("a.b_c-d", true),
        ("", true),
        (".", false),
        ("..", false),
    ] {
        let start = format!("POST /v1.41/containers/x/start?checkpoint={name}");
        let create = "POST /v1.41/containers/x/checkpoints";
        let body = format!(r#"{{"CheckpointID":"{name}","Exit":true}}"#);
        for (line, body) in [(start.as_str(), ""), (create, body.as_str())] {
            let found = codes(&policy, line, body, &facts);
            let expected: &[&str] = if is_permitted { &[] } else { &["checkpoint"] };
            assert_eq!(found, expected, "{line} {body}");
        }
    }
    for line in [
        "GET /v1.41/containers/x/checkpoints?dir=/x",
        "DELETE /v1.41/containers/x/checkpoints/c?dir=/x",
        "POST /v1.41/containers/x/start?checkpoint-dir=/x",
    ] {
        assert_eq!(codes(&policy, line, "", &facts), ["host-field"], "{line}");
    }
}

#[test]
fn what_is_never_modelled_says_why() {
    for (line, word) in [
        ("POST /v1.24/containers/x/copy", "26"),
        ("POST /v1.41/session", "BuildKit"),
        ("POST /v1.41/grpc", "BuildKit"),
        ("GET /debug/vars", "memory"),
    ] {
        let Decision::Refuse(refusal) = decide(&policy(""), request(line, ""), &Facts::default())
        else {
            panic!("permitted")
        };
        assert!(refusal.to_string().contains(word), "{refusal}");
    }
}
