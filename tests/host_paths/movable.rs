//! Parts of a path that containers can write to: one of them could be a link to anywhere by the time the daemon mounts it.

use std::fs;

use serde_json::{Value, json};

use super::{bind, mount};
use crate::support::gate::Setup;
use crate::support::http;
use crate::support::{engine, process};

#[test]
fn a_part_of_what_any_policy_lets_containers_write_to_is_mounted_where_the_policy_says_so_only() {
    let folder = tempfile::Builder::new()
        .prefix("dockgate-paths-")
        .tempdir()
        .unwrap();
    fs::create_dir_all(folder.path().join("wide/inner/deep")).unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let policy = |paths: &str| {
        format!(
            "description = \"a test\"\n[[permit]]\noperations = [\"Container:*\"]\n[container]\nimages = [\"*\"]\n\
             networks = [\"bridge\"]\nhost-paths = [{paths}]\n[network]\ndefault-bridge = \"any\"\n"
        )
    };
    let opened = |name: &str, more: &str| format!("{{ path = \"{}\"{more} }}", path(name));
    let writable = ", access = \"read-write\", set-user-id = true";
    let (whole, reader) = (
        policy(&opened("wide", writable)),
        policy(&opened("wide/inner", "")),
    );
    let parts = policy(&opened("wide", &format!("{writable}, subpaths = true")));
    let setup = Setup::before(&engine::address())
        .file("whole.toml", &whole)
        .file("reader.toml", &reader)
        .file("parts.toml", &parts)
        .listen("whole.toml")
        .listen("reader.toml")
        .listen("parts.toml");
    let gate = setup.start();
    let prefix = process::unique("paths") + "-";
    let create = |listener: usize, host_config: &Value| {
        let body = json!({ "Image": "busybox", "HostConfig": host_config }).to_string();
        let target = format!("/v1.41/containers/create?name={}", process::unique(&prefix));
        http::request(gate.listener(listener), "POST", &target, &body)
    };
    for (listener, name, is_permitted) in [
        (0, "wide", true),
        (0, "wide/inner", false),
        (0, "wide/inner/deep", false),
        // It opens this very path, but a client of the other policy could move it.
        (1, "wide/inner", false),
        (1, "wide/inner/deep", false),
        (2, "wide", true),
        (2, "wide/inner", true),
    ] {
        for host_config in [bind(path(name)), mount(path(name))] {
            let answer = create(listener, &host_config);
            let expected = if is_permitted { 201 } else { 403 };
            assert_eq!(
                answer.status,
                expected,
                "{listener} {name}: {}",
                answer.text()
            );
            let is_told = answer.text().contains("1. host-path-movable: ");
            assert_eq!(is_told, !is_permitted, "{}", answer.text());
        }
    }
    engine::clean(&prefix);
}
