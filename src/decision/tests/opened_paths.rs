//! What keeps a path closed that a policy opens: set-user-id programs on the host, and who could put another one there.

use super::host_paths::{READ_ONLY, WRITABLE, forwarded, leads};
use super::*;

#[test]
fn nobody_writes_where_the_host_honours_set_user_id_programs_unless_the_policy_says_so() {
    let honoured = |on: &[&str]| {
        let file = HostFile {
            set_user_id_on: on.iter().map(|on| (*on).to_owned()).collect(),
            mounts_beneath: vec!["/srv/a/disk".to_owned()],
            ..HostFile::ordinary("/srv/a")
        };
        let mut facts = leads(&[]);
        facts.host_paths.insert("/srv/a".to_owned(), Ok(file));
        facts
    };
    let trusted = WRITABLE.replace("\"read-write\"", "\"read-write\", set-user-id = true");
    // To say it of what is open for reading only opens nothing, but what is open for reading stays so.
    let reading = r#"host-paths = [{ path = "/srv", access = "read-write" }, { path = "/srv/a", set-user-id = true }]"#;
    let none: &[&str] = &[];
    for (key, bind, on, expected) in [
        (WRITABLE, "/srv/a:/b", none, None),
        (WRITABLE, "/srv/a:/b", &["/"], Some("host-path-set-user-id")),
        (
            WRITABLE,
            "/srv/a:/b",
            &["/srv/a/disk"],
            Some("host-path-set-user-id"),
        ),
        (reading, "/srv/a:/b", &["/"], None),
        (trusted.as_str(), "/srv/a:/b", &["/", "/srv/a/disk"], None),
        (WRITABLE, "/srv/a:/b:ro", &["/"], None),
        // What is mounted beneath may stay writable.
        (
            WRITABLE,
            "/srv/a:/b:ro",
            &["/srv/a/disk"],
            Some("host-path-submounts"),
        ),
        (trusted.as_str(), "/srv/a:/b:ro", &["/srv/a/disk"], None),
    ] {
        let body = format!(r#"{{"Binds":["{bind}"]}}"#);
        let found = host_config(key, &body, &honoured(on));
        assert_eq!(found, Vec::from_iter(expected), "{key} {bind} {on:?}");
    }
}

#[test]
fn a_path_in_whose_place_others_could_put_another_opens_nothing() {
    let facts = |movable: &[&str]| {
        let why = |path: &&str| ((*path).to_owned(), "`/srv` is not root's".to_owned());
        Facts {
            movable: movable.iter().map(why).collect(),
            ..leads(&[("/srv/a", Ok("/srv/a"))])
        }
    };
    let movable = Some("host-path-movable");
    for (key, found, expected) in [
        (READ_ONLY, vec![], None),
        (READ_ONLY, vec!["/srv"], movable),
        (
            r#"host-paths = [{ path = "/srv", subpaths = true }]"#,
            vec!["/srv"],
            None,
        ),
        (
            r#"host-paths = [{ path = "/srv" }, { path = "/srv/a" }]"#,
            vec!["/srv"],
            None,
        ),
    ] {
        let body = r#"{"Binds":["/srv/a:/b:ro"]}"#;
        let codes = host_config(key, body, &facts(&found));
        assert_eq!(codes, Vec::from_iter(expected), "{key}");
    }
    // Nor does it open for writing what another one opens for reading.
    let both = r#"host-paths = [{ path = "/srv" }, { path = "/me", access = "read-write" }]"#;
    let mut swapped = facts(&["/me"]);
    swapped
        .opened
        .insert("/me".to_owned(), Ok("/srv/a".to_owned()));
    let (sent, _) = forwarded(both, CREATE, r#"{"Binds":["/srv/a:/b"]}"#, &swapped);
    assert_eq!(sent, r#"{"Binds":["/srv/a:/b:ro"]}"#);
}
