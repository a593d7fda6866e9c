//! Host paths are judged by where they lead, and forwarded as they were judged.

use super::*;

pub(super) fn leads(pairs: &[(&str, Result<&str, &str>)]) -> Facts {
    let owned = |result: &Result<&str, &str>| result.map(HostFile::ordinary).map_err(str::to_owned);
    Facts {
        host_paths: pairs
            .iter()
            .map(|(path, leads)| ((*path).to_owned(), owned(leads)))
            .collect(),
        protected: vec!["/srv/gate".to_owned()],
        ..Facts::default()
    }
}

#[test]
fn a_host_path_is_judged_by_where_it_leads() {
    let key = r#"host-paths = [{ path = "/srv", access = "read-only" }, { path = "/srv/rw", access = "read-write" }]"#;
    for (bind, leads_to, expected) in [
        ("/srv/a:/b:ro", Ok("/srv/a"), vec![]),
        ("/srv/rw/a:/b", Ok("/srv/rw/a"), vec![]),
        ("/srv:/b:ro", Ok("/srv"), vec!["protected-path"]),
        ("/srv/a:/b", Ok("/srv/a"), vec![]),
        ("/srv/a:/b:z", Ok("/srv/a"), vec!["mount-relabel"]),
        ("/srv/a:/b", Ok("/srv/a:b"), vec!["host-path-unresolved"]),
        ("/srv/link:/b:ro", Ok("/etc"), vec!["host-path"]),
        (
            "/srv/link:/b:ro",
            Ok("/run/docker.sock"),
            vec!["protected-path"],
        ),
        ("/srv/link:/b:ro", Ok("/"), vec!["protected-path"]),
        (
            "/srv/link:/b:ro",
            Ok("/proc/1/root"),
            vec!["protected-path"],
        ),
        (
            "/srv/gate/key:/b:ro",
            Ok("/srv/gate/key"),
            vec!["protected-path"],
        ),
        ("/srvother:/b:ro", Ok("/srvother"), vec!["host-path"]),
        (
            "/srv/a:/b:ro",
            Err("it is a loop"),
            vec!["host-path-unresolved"],
        ),
        ("/srv/a:/b:ro,z", Ok("/srv/a"), vec!["mount-relabel"]),
        (
            "/srv/a:/b:ro,rshared",
            Ok("/srv/a"),
            vec!["mount-propagation"],
        ),
    ] {
        let source = bind.split(':').next().unwrap();
        let body = format!(r#"{{"Binds":["{bind}"]}}"#);
        assert_eq!(
            host_config(key, &body, &leads(&[(source, leads_to)])),
            expected,
            "{bind} to {leads_to:?}"
        );
    }
    // A path that nobody followed is refused, not taken for what it says.
    let body = r#"{"Binds":["/srv/a:/b:ro"]}"#;
    assert_eq!(
        host_config(key, body, &leads(&[])),
        ["host-path-unresolved"]
    );
}

/// The `HostConfig` that goes on, and the notes on it.
pub(super) fn forwarded(
    more: &str,
    line: &str,
    body: &str,
    facts: &Facts,
) -> (String, Vec<String>) {
    let policy = policy(&format!("[container]\n{OPEN}{more}\n{BRIDGE}"));
    let body = format!(r#"{{"Image":"a","HostConfig":{body}}}"#);
    let permit = match decide(&policy, request(line, &body), facts) {
        Decision::Permit(permit) => permit,
        Decision::Refuse(refusal) => panic!("{body}: {refusal}"),
    };
    let Body::Json(sent) = &permit.request().body else {
        panic!("no body")
    };
    let host_config = sent.get("HostConfig").unwrap().to_string();
    (host_config, permit.rewritten().to_vec())
}

pub(super) const READ_ONLY: &str = r#"host-paths = [{ path = "/srv" }]"#;
pub(super) const WRITABLE: &str = r#"host-paths = [{ path = "/srv", access = "read-write" }]"#;

#[test]
fn the_path_that_was_judged_is_the_one_that_is_forwarded() {
    let body =
        r#"{"Binds":["/link:/b:z"],"Mounts":[{"Type":"bind","Source":"/link","Target":"/c"}]}"#;
    let facts = leads(&[("/link", Ok("/srv/a"))]);
    let (sent, notes) = forwarded(WRITABLE, CREATE, body, &facts);
    let expected = body
        .replace("\"/link:", "\"/srv/a:")
        .replace("\"/link\"", "\"/srv/a\"");
    assert_eq!((sent, notes), (expected, vec![]));
}

#[test]
fn what_is_opened_for_reading_is_mounted_for_reading() {
    let facts = leads(&[("/srv/a", Ok("/srv/a"))]);
    for (bind, expected) in [
        ("/srv/a:/b", "/srv/a:/b:ro"),
        ("/srv/a:/b:rw", "/srv/a:/b:ro"),
        (
            "/srv/a:/b:rw,cached,rprivate",
            "/srv/a:/b:cached,rprivate,ro",
        ),
        ("/srv/a:/b:ro", "/srv/a:/b:ro"),
        ("/srv/a:/b:ro,rw", "/srv/a:/b:ro"),
    ] {
        let body = format!(r#"{{"Binds":["{bind}"]}}"#);
        let (sent, notes) = forwarded(READ_ONLY, CREATE, &body, &facts);
        assert_eq!(sent, format!(r#"{{"Binds":["{expected}"]}}"#));
        let is_forced = bind != "/srv/a:/b:ro";
        assert_eq!(notes.len(), usize::from(is_forced), "{bind}");
    }
    for (more, expected) in [
        ("", r#","ReadOnly":true"#),
        (r#","ReadOnly":false"#, r#","ReadOnly":true"#),
        (
            r#","ReadOnly":true,"BindOptions":{"ReadOnlyNonRecursive":true}"#,
            r#","ReadOnly":true,"BindOptions":{"ReadOnlyNonRecursive":false}"#,
        ),
    ] {
        let body =
            format!(r#"{{"Mounts":[{{"Type":"bind","Source":"/srv/a","Target":"/b"{more}}}]}}"#);
        let (sent, _) = forwarded(READ_ONLY, CREATE, &body, &facts);
        assert_eq!(
            sent,
            body.replace(&format!("\"/b\"{more}"), &format!("\"/b\"{expected}"))
        );
    }
    // Any opened path that holds it and is writable lets it be written to.
    let both = r#"host-paths = [{ path = "/srv", access = "read-write" }, { path = "/srv/a" }]"#;
    let body = r#"{"Binds":["/srv/a:/b"]}"#;
    assert_eq!(forwarded(both, CREATE, body, &facts).0, body);
}

#[test]
fn what_is_mounted_beneath_does_not_come_along_for_writing() {
    let mut facts = leads(&[]);
    let file = HostFile {
        mounts_beneath: vec!["/srv/a/disk".to_owned()],
        ..HostFile::ordinary("/srv/a")
    };
    facts.host_paths.insert("/srv/a".to_owned(), Ok(file));
    let mount = |options: &str| {
        format!(
            r#"{{"Mounts":[{{"Type":"bind","Source":"/srv/a","Target":"/b","ReadOnly":true,"BindOptions":{{{options}}}}}]}}"#
        )
    };
    let create = |version: &str| CREATE.replace("v1.41", version);
    let beneath = vec!["host-path-submounts"];
    for (version, body, expected) in [
        (
            "v1.41",
            r#"{"Binds":["/srv/a:/b:ro"]}"#.to_owned(),
            &beneath,
        ),
        ("v1.41", r#"{"Binds":["/srv/a:/b"]}"#.to_owned(), &beneath),
        ("v1.41", mount(""), &beneath),
        ("v1.44", mount(""), &beneath),
        ("v1.41", mount(r#""NonRecursive":true"#), &vec![]),
        ("v1.40", mount(r#""NonRecursive":true"#), &vec![]),
        // The daemon ignores what the version has not.
        ("v1.39", mount(r#""NonRecursive":true"#), &beneath),
        ("v1.44", mount(r#""ReadOnlyForceRecursive":true"#), &vec![]),
        ("v1.43", mount(r#""ReadOnlyForceRecursive":true"#), &beneath),
    ] {
        let policy = policy(&format!("[container]\n{OPEN}{READ_ONLY}"));
        let text = format!(r#"{{"Image":"a","HostConfig":{body}}}"#);
        let found = codes(&policy, &create(version), &text, &facts);
        assert_eq!(&found, expected, "{version} {body}");
    }
    let bind = r#"{"Binds":["/srv/a:/b"]}"#;
    assert_eq!(host_config(WRITABLE, bind, &facts), Vec::<&str>::new());
    let disk =
        r#"host-paths = [{ path = "/srv" }, { path = "/srv/a/disk", access = "read-write" }]"#;
    assert_eq!(host_config(disk, bind, &facts), Vec::<&str>::new());
}

#[test]
fn an_opened_path_is_compared_by_where_it_leads() {
    let mut facts = leads(&[("/link/a", Ok("/srv/a")), ("/srv/a", Ok("/srv/a"))]);
    let key = r#"host-paths = [{ path = "/link" }]"#;
    let body = |path: &str| format!(r#"{{"Binds":["{path}:/b:ro"]}}"#);
    assert_eq!(host_config(key, &body("/link/a"), &facts), ["host-path"]);
    facts
        .opened
        .insert("/link".to_owned(), Ok("/srv".to_owned()));
    for path in ["/link/a", "/srv/a"] {
        assert_eq!(host_config(key, &body(path), &facts), Vec::<&str>::new());
    }
    facts
        .opened
        .insert("/link".to_owned(), Err("no".to_owned()));
    assert_eq!(host_config(key, &body("/link/a"), &facts), ["host-path"]);
}

#[test]
fn a_file_that_reaches_what_is_protected_is_refused_whatever_its_path() {
    let facts = |file: HostFile| Facts {
        host_paths: std::iter::once(("/srv/a".to_owned(), Ok(file))).collect(),
        ..Facts::default()
    };
    let body = r#"{"Binds":["/srv/a:/b"]}"#;
    let link = HostFile {
        reaches: Some("/run/docker.sock".to_owned()),
        ..HostFile::ordinary("/srv/a")
    };
    assert_eq!(
        host_config(WRITABLE, body, &facts(link)),
        ["protected-path"]
    );
    let socket = || HostFile {
        is_socket: true,
        ..HostFile::ordinary("/srv/a")
    };
    assert_eq!(
        host_config(WRITABLE, body, &facts(socket())),
        ["host-path-socket"]
    );
    let named = r#"host-paths = [{ path = "/srv/a", access = "read-write" }]"#;
    assert_eq!(
        host_config(named, body, &facts(socket())),
        Vec::<&str>::new()
    );
}

const FOREIGN: &str = r#"host-file-system = "foreign"
host-paths = [{ path = "/srv/rw", access = "read-write", set-user-id = true }, { path = "/srv/rw/below" },
    { path = "/srv/ro" }, { path = "/var/run/docker.sock" }, { path = "/data", access = "read-write", set-user-id = true },
    { path = "/unseen", access = "read-write" }]"#;

#[test]
fn of_a_host_that_is_not_seen_only_the_very_paths_are_mounted() {
    let facts = leads(&[]);
    for (source, expected) in [
        ("/srv/rw", vec![]),
        ("//srv/./rw/", vec![]),
        ("/unseen", vec!["host-path-set-user-id"]),
        ("/srv/rw/other", vec!["host-path"]),
        ("/srv/rw/below", vec!["host-path-unresolved"]),
        ("/srv/rw/../rw", vec!["host-path-unresolved"]),
        ("/SRV/rw", vec!["host-path"]),
        ("/srv", vec!["protected-path"]),
        ("/tmp", vec!["host-path"]),
        ("/", vec!["protected-path"]),
        ("/var/run/docker.sock", vec!["protected-path"]),
        ("/srv/gate", vec!["protected-path"]),
    ] {
        let body = format!(r#"{{"Binds":["{source}:/b"]}}"#);
        assert_eq!(host_config(FOREIGN, &body, &facts), expected, "{source}");
    }
    let unknown = leads(&[("/srv/rw", Err("no answer"))]);
    let body = r#"{"Binds":["/srv/rw:/b"]}"#;
    assert_eq!(
        host_config(FOREIGN, body, &unknown),
        ["host-path-unresolved"]
    );
}

#[test]
fn of_a_host_that_is_not_seen_what_is_read_only_comes_without_what_is_mounted_beneath() {
    let facts = leads(&[]);
    let mount = |source: &str, rest: &str| {
        format!(r#"{{"Type":"bind","Source":"{source}","Target":"/b"{rest}}}"#)
    };
    let forced = mount(
        "/srv/ro",
        r#","ReadOnly":true,"BindOptions":{"NonRecursive":true}"#,
    );
    for (body, expected) in [
        (
            r#"{"Binds":["/srv/rw/:/a","//srv/ro:/b"]}"#.to_owned(),
            format!(r#"{{"Binds":["/srv/rw:/a"],"Mounts":[{forced}]}}"#),
        ),
        (
            format!(
                r#"{{"Binds":["/srv/ro:/b:ro"],"Mounts":[{}]}}"#,
                mount("/data", "")
            ),
            format!(
                r#"{{"Binds":[],"Mounts":[{},{forced}]}}"#,
                mount("/data", "")
            ),
        ),
        (
            format!(r#"{{"Mounts":[{}]}}"#, mount("/srv/ro", "")),
            format!(r#"{{"Mounts":[{forced}]}}"#),
        ),
        (
            r#"{"Binds":["/unseen:/b:ro"]}"#.to_owned(),
            format!(
                r#"{{"Binds":[],"Mounts":[{}]}}"#,
                forced.replace("/srv/ro", "/unseen")
            ),
        ),
    ] {
        assert_eq!(forwarded(FOREIGN, CREATE, &body, &facts).0, expected);
        // Older ones do not know how.
        let policy = policy(&format!("[container]\n{OPEN}{FOREIGN}"));
        let text = format!(r#"{{"Image":"a","HostConfig":{body}}}"#);
        let line = CREATE.replace("1.41", "1.39");
        assert_eq!(
            codes(&policy, &line, &text, &facts),
            ["host-path-submounts"]
        );
    }
}

#[test]
fn a_container_that_writes_to_what_is_opened_for_reading_is_not_entered() {
    let of = |host_config: &str| {
        let text = format!(
            r#"{{"Id":"{}","HostConfig":{host_config}}}"#,
            "0a".repeat(32)
        );
        let container = ExistingContainer::read(text.as_bytes()).unwrap();
        Facts {
            container: Some(Found::Is(container)),
            ..leads(&[("/srv/a", Ok("/srv/a"))])
        }
    };
    let policy = policy(&format!("[container]\n{OPEN}{READ_ONLY}"));
    for (host_config, expected) in [
        (
            r#"{"NetworkMode":"none","Binds":["/srv/a:/b"]}"#,
            vec!["host-path-write"],
        ),
        (r#"{"NetworkMode":"none","Binds":["/srv/a:/b:ro"]}"#, vec![]),
    ] {
        let found = codes(
            &policy,
            "POST /v1.41/containers/a/start",
            "",
            &of(host_config),
        );
        assert_eq!(found, expected, "{host_config}");
    }
}

#[test]
fn a_path_is_looked_up_only_where_the_policy_opens_some() {
    let body = r#"{"Image":"a","HostConfig":{"Binds":["/a:/b","n:/c"],"Mounts":[{"Type":"bind","Source":"/d","Target":"/e"}]}}"#;
    let request = request(CREATE, body);
    assert!(host_paths(&policy("[container]\nimages = [\"*\"]"), &request).is_empty());
    let open = policy("[container]\nhost-paths = [{ path = \"/x\", access = \"read-only\" }]");
    assert_eq!(host_paths(&open, &request), ["/a", "/d"]);
}
