//! Paths are decoded once, and refused where they have two readings.

use proptest::prelude::*;

use super::*;

fn target(path: &str) -> Target {
    Target::parse(Method::Post, path).unwrap_or_else(|fault| panic!("{path}: {fault}"))
}

fn is_malformed(path: &str) -> bool {
    matches!(Target::parse(Method::Post, path), Err(Malformed::Path(_)))
}

#[test]
fn a_path_is_decoded_once_and_written_plainly() {
    for path in [
        "/v1.41/containers/create",
        "/v1.41/%63ontainers/create",
        "/%76%31.41/containers/creat%65",
    ] {
        assert_eq!(
            target(path).operation(),
            Some(Operation::ContainerCreate),
            "{path}"
        );
        assert_eq!(target(path).to_string(), "/v1.41/containers/create");
    }
    assert_eq!(
        target("/containers/create").to_string(),
        "/containers/create"
    );
}

#[test]
fn a_path_with_two_readings_is_malformed() {
    for path in [
        "",
        "x",
        "/",
        "//",
        "/v1.41//containers/create",
        "/v1.41/containers/create/",
        "/./containers/create",
        "/v1.41/../containers/create",
        "/v1.41/%2e%2e/containers/create",
        "/v1.41/containers%2fcreate",
        "/containers/%2563reate",
        "/containers/%zz",
        "/containers/%2",
        "/containers/%ff/start",
        "/containers/a%00/start",
        "/containers/a%0a/start",
        "/containers/a%5cb/start",
        "/containers/a%3fb/start",
        "/containers/a%23/start",
        "/containers/x%2fy/start",
        "/containers/%2fx/start",
        "/containers/a b/start",
        "/containers/-a/start",
        "/containers/.a/start",
        "/libpod%2fcontainers",
        "http://docker/containers/create",
        "*",
    ] {
        assert!(is_malformed(path), "{path}");
    }
    assert!(is_malformed(&format!(
        "/containers/{}/start",
        "a".repeat(600)
    )));
    assert!(is_malformed(&format!("/{}", "a/".repeat(MAX_PATH))));
}

#[test]
fn a_version_is_two_numbers() {
    assert_eq!(
        target("/v1.41/containers/create").version(),
        ApiVersion::parse("1.41")
    );
    assert_eq!(target("/containers/create").version(), None);
    for path in [
        "/v1.41.0/x",
        "/v01.41/x",
        "/v1.041/x",
        "/v1/x",
        "/v./x",
        "/v.../x",
        "/v1./x",
        "/v1.99999/x",
    ] {
        assert!(is_malformed(path), "{path}");
    }
    // No version to the daemon either, so a segment like any other.
    for path in [
        "/V1.41/containers/create",
        "/v1.41a/containers/create",
        "/v/containers/create",
    ] {
        assert_eq!(target(path).operation(), None, "{path}");
    }
    assert!(ApiVersion::parse("1.9") < ApiVersion::parse("1.10"));
}

#[test]
fn a_container_has_no_slash_in_its_name_and_an_image_may() {
    assert_eq!(target("/containers/a/b/start").operation(), None);
    let push = target("/images/r.example:5000/a/b/push");
    assert_eq!(push.operation(), Some(Operation::ImagePush));
    assert_eq!(push.name(), Some("r.example:5000/a/b"));
    assert_eq!(target("/images/a%2fb/push").to_string(), "/images/a/b/push");
    assert!(is_malformed("/images/a%2f%2fb/push"));
    assert!(is_malformed("/images/a%2f..%2fb/push"));
    // The last part is the operation's, whatever stands before it.
    assert_eq!(target("/images/a/tag/push").name(), Some("a/tag"));
}

#[test]
fn a_head_is_judged_like_its_get() {
    let head = |path: &str| Target::parse(Method::Head, path).unwrap().operation();
    assert_eq!(head("/_ping"), Some(Operation::SystemPingHead));
    assert_eq!(
        head("/containers/a/archive"),
        Some(Operation::ContainerArchiveInfo)
    );
    assert_eq!(head("/containers/json"), Some(Operation::ContainerList));
    assert_eq!(head("/containers/create"), None);
}

#[test]
fn the_profiler_is_an_operation_at_any_depth() {
    let debug = Target::parse(Method::Get, "/debug/pprof/cmdline").unwrap();
    assert_eq!(debug.operation(), Some(Operation::Debug));
}

proptest! {
    #[test]
    fn what_is_written_is_read_as_the_same(path in "(/(v1\\.[0-9]{1,2}|containers|images|networks|volumes|exec|[a-z0-9_.:@%-]{1,8})){1,5}") {
        for method in [Method::Get, Method::Post, Method::Delete, Method::Put, Method::Head] {
            if let Ok(target) = Target::parse(method, &path) {
                prop_assert_eq!(Target::parse(method, &target.to_string()).unwrap(), target);
            }
        }
    }

    #[test]
    fn no_text_is_read_in_a_way_of_its_own(path in any::<String>()) {
        if let Ok(target) = Target::parse(Method::Get, &path) {
            prop_assert_eq!(Target::parse(Method::Get, &target.to_string()).unwrap(), target);
        }
    }
}

#[test]
fn no_path_of_the_table_begins_with_a_name() {
    let begins = |spec: &Spec| spec.path.starts_with('/') && !spec.path.starts_with("/{");
    assert!(TABLE.iter().all(begins));
}
