//! Host paths are judged by where they lead, and forwarded as they were judged.

use super::*;

fn leads(pairs: &[(&str, Result<&str, &str>)]) -> Facts {
    let owned = |result: &Result<&str, &str>| result.map(str::to_owned).map_err(str::to_owned);
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
        ("/srv/a:/b", Ok("/srv/a"), vec!["host-path-write"]),
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

#[test]
fn the_path_that_was_judged_is_the_one_that_is_forwarded() {
    let key = r#"host-paths = [{ path = "/srv", access = "read-write" }]"#;
    let policy = policy(&format!("[container]\n{OPEN}{key}\n{BRIDGE}"));
    let body = r#"{"Image":"a","HostConfig":{"Binds":["/link:/b:z"],"Mounts":[{"Type":"bind","Source":"/link","Target":"/c"}]}}"#;
    let Decision::Permit(permit) = decide(
        &policy,
        request(CREATE, body),
        &leads(&[("/link", Ok("/srv/a"))]),
    ) else {
        panic!("refused")
    };
    let Body::Json(forwarded) = &permit.request().body else {
        panic!("no body")
    };
    let expected = body
        .replace("\"/link:", "\"/srv/a:")
        .replace("\"/link\"", "\"/srv/a\"");
    assert_eq!(forwarded.to_string(), expected);
}

#[test]
fn a_path_is_looked_up_only_where_the_policy_opens_some() {
    let body = r#"{"Image":"a","HostConfig":{"Binds":["/a:/b","n:/c"],"Mounts":[{"Type":"bind","Source":"/d","Target":"/e"}]}}"#;
    let request = request(CREATE, body);
    assert!(host_paths(&policy("[container]\nimages = [\"*\"]"), &request).is_empty());
    let open = policy("[container]\nhost-paths = [{ path = \"/x\", access = \"read-only\" }]");
    assert_eq!(host_paths(&open, &request), ["/a", "/d"]);
}
