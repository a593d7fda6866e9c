//! Managed plugins before a real daemon: what a policy opens is done, and nothing else.

mod published;

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use tempfile::tempdir;

use super::images::Registry;
use super::support::docker::Docker;
use super::support::gate::Gate;
use super::support::{engine, http, json, process};
use published::publish;

/// A plugin that never runs and would be given the host.
const GREEDY: &str = r#"{"description":"{name}","documentation":"","entrypoint":["/x"],
    "interface":{"types":["docker.dummy/1.0"],"socket":"p.sock"},"network":{"type":"null"},
    "linux":{"capabilities":["CAP_SYS_ADMIN"],"devices":null}}"#;

/// One that asks for nothing, with an environment and a mount that can be set.
const SETTABLE: &str = r#"{"description":"{name}","documentation":"","entrypoint":["/x"],
    "interface":{"types":["docker.dummy/1.0"],"socket":"p.sock"},"network":{"type":"null"},
    "linux":{"capabilities":null,"devices":null},"env":[{"name":"DEBUG","settable":["value"],"value":"0"}],
    "mounts":[{"name":"data","source":"/srv","destination":"/mnt","type":"bind","options":["rbind"],"settable":["source"]}]}"#;

/// Plugins of one test; what is left of them is removed at the end.
struct Plugins {
    prefix: String,
}

impl Plugins {
    fn new() -> Self {
        let prefix = process::unique("pl") + "-";
        Self { prefix }
    }

    fn name(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }
}

impl Drop for Plugins {
    fn drop(&mut self) {
        engine::clean(&self.prefix);
    }
}

/// What the daemon itself says of a plugin; `None` where it has none of that name.
fn inspect(name: &str) -> Option<Value> {
    let target = format!("/v1.41/plugins/{name}/json");
    let answer = http::request(&engine::address(), "GET", &target, "");
    (answer.status == 200).then(|| json(&answer.body))
}

fn policy(limits: &str) -> String {
    format!(
        "description = \"plugins\"\n[[permit]]\noperations = [\"Plugin:*\", \"System:read\"]\n{limits}\n"
    )
}

#[test]
fn only_what_a_policy_names_is_set_and_removed() {
    let plugins = Plugins::new();
    let (mine, other) = (plugins.name("mine"), plugins.name("other"));
    for name in [&mine, &other] {
        engine::make_plugin(name, SETTABLE);
    }
    let limits =
        format!("[plugin]\nreferences = [\"docker.io/library/{mine}\"]\nsettings = [\"DEBUG=*\"]");
    let gate = Gate::with_policy(&policy(&limits));
    let docker = Docker::at(gate.address());

    docker.ok(format!("plugin set {mine} DEBUG=1"));
    assert_eq!(inspect(&mine).unwrap()["Settings"]["Env"][0], "DEBUG=1");
    for setting in ["data.source=/etc", "data=/etc", "DEBUG=2 data=/etc"] {
        let told = docker.fails(format!("plugin set {mine} {setting}"));
        assert!(told.contains("plugin-setting"), "{told}");
    }
    let told = docker.fails(format!("plugin set {other} DEBUG=1"));
    assert!(told.contains("1. plugin:"), "{told}");
    let mounts = &inspect(&mine).unwrap()["Settings"]["Mounts"];
    assert_eq!(mounts[0]["Source"], "/srv");
    assert_eq!(inspect(&mine).unwrap()["Settings"]["Env"][0], "DEBUG=1");
    assert_eq!(inspect(&other).unwrap()["Settings"]["Env"][0], "DEBUG=0");

    let id = inspect(&mine).unwrap()["Id"].as_str().unwrap().to_owned();
    for name in [&other, &id, &id[..12]] {
        let told = docker.fails(format!("plugin rm --force {name}"));
        assert!(told.contains("1. plugin:"), "{told}");
    }
    assert!(inspect(&mine).is_some() && inspect(&other).is_some());
    docker.ok(format!("plugin rm {mine}"));
    assert!(inspect(&mine).is_none());
    assert!(!gate.output().contains("/etc"));
}

#[test]
fn a_plugin_is_made_of_an_archive_only_where_the_policy_says_so_by_its_name() {
    let plugins = Plugins::new();
    let name = plugins.name("made");
    let folder = tempdir().unwrap();
    fs::create_dir(folder.path().join("rootfs")).unwrap();
    fs::write(folder.path().join("rootfs/x"), &name).unwrap();
    let configuration = GREEDY.replace("{name}", &name);
    fs::write(folder.path().join("config.json"), configuration).unwrap();
    let create = format!("plugin create {name} {}", folder.path().display());
    let names = "[plugin]\nreferences = [\"docker.io/library/pl-*\"]\n";

    let gate = Gate::with_policy(&policy(names));
    let told = Docker::at(gate.address()).fails(&create);
    assert!(told.contains("plugin-archive"), "{told}");
    assert!(inspect(&name).is_none());

    let gate = Gate::with_policy(&policy(&format!("{names}dangerously-create-unread = true")));
    Docker::at(gate.address()).ok(&create);
    let made = inspect(&name).unwrap();
    assert_eq!(made["Config"]["Linux"]["Capabilities"][0], "CAP_SYS_ADMIN");
}

#[test]
fn a_plugin_is_switched_on_and_off_by_who_may() {
    let plugins = Plugins::new();
    let name = plugins.name("runs");
    let folder = tempdir().unwrap();
    write_registry_plugin(folder.path());
    let here = folder.path().display();
    Docker::at(&engine::address()).ok(format!("plugin create {name} {here}"));
    let is_enabled = || inspect(&name).unwrap()["Enabled"] == true;
    let limits = format!("[plugin]\nreferences = [\"docker.io/library/{name}\"]");
    let gate = Gate::with_policy(&policy(&limits));
    let (docker, guarded) = (Docker::at(gate.address()), Gate::guarded());
    let stranger = Docker::at(guarded.address());

    let told = stranger.fails(format!("plugin enable {name}"));
    assert!(told.contains("1. operation"), "{told}");
    assert!(!is_enabled());
    docker.ok(format!("plugin enable {name}"));
    assert!(is_enabled());
    stranger.fails(format!("plugin disable --force {name}"));
    stranger.fails(format!("plugin rm --force {name}"));
    assert!(is_enabled());
    docker.ok(format!("plugin disable {name}"));
    assert!(!is_enabled());
    docker.ok(format!("plugin rm {name}"));
    assert!(inspect(&name).is_none());
}

#[test]
fn a_plugin_is_pushed_where_the_policy_says() {
    let plugins = Plugins::new();
    // Nobody listens there.
    let [open, closed] =
        ["127.0.0.1:1", "127.0.0.1:2"].map(|to| format!("{to}/{}", plugins.name("pushed")));
    for name in [&open, &closed] {
        engine::make_plugin(name, GREEDY);
    }
    let gate = Gate::with_policy(&policy("[plugin]\nreferences = [\"127.0.0.1:1/*\"]"));
    let docker = Docker::at(gate.address());
    let told = docker.fails(format!("plugin push {closed}"));
    assert!(told.contains("1. plugin:"), "{told}");
    let told = docker.fails(format!("plugin push {open}"));
    assert!(told.contains("connection refused"), "{told}");
}

#[test]
fn a_plugin_with_privileges_is_installed_where_all_of_them_are_opened() {
    let (plugins, registry) = (Plugins::new(), Registry::start_open());
    let name = format!("{}/{}", registry.address, plugins.name("asks"));
    let digest = publish(&registry.address, &plugins.name("asks"));
    let limits = |privileges: &str| {
        let address = &registry.address;
        policy(&format!(
            "[plugin]\nreferences = [\"{address}/*\"]\nprivileges = [{privileges}]"
        ))
    };
    let install = "plugin install --disable --grant-all-permissions";
    // By a digest this daemon would end, so that what a pinned one does is left to daemons since 25.
    for (privileges, remote, code) in [
        ("", name.clone(), "plugin-privilege"),
        (
            "\"capabilities:CAP_CHOWN\"",
            name.clone(),
            "plugin-privilege",
        ),
        ("\"capabilities:*\"", name.clone(), "plugin-not-pinned"),
        ("\"*\"", format!("{name}@{digest}"), "plugin-not-pinned"),
    ] {
        let gate = Gate::with_policy(&limits(privileges));
        let told = Docker::at(gate.address()).fails(format!("{install} {remote}"));
        assert!(told.contains(code), "{told}");
        assert!(inspect(&name).is_none());
    }
    let gate = Gate::with_policy(&limits("\"*\""));
    Docker::at(gate.address()).ok(format!("{install} {name}"));
    let installed = inspect(&name).unwrap();
    assert_eq!(
        installed["Config"]["Linux"]["Capabilities"][0],
        "CAP_SYS_ADMIN"
    );
}

#[test]
fn a_privilege_that_the_daemon_does_not_compare_is_not_had_through_the_gate() {
    let (plugins, registry) = (Plugins::new(), Registry::start_open());
    let name = format!("{}/{}", registry.address, plugins.name("greedy"));
    publish(&registry.address, &plugins.name("greedy"));

    // It takes a capability, and the client says that it takes the network.
    let pull = format!("/v1.41/plugins/pull?remote={name}");
    let said = r#"[{"Name":"network","Description":"","Value":["host"]}]"#;
    let limits = format!(
        "[plugin]\nreferences = [\"{}/*\"]\nprivileges = [\"network:host\"]",
        registry.address
    );
    let gate = Gate::with_policy(&policy(&limits));
    let answer = http::request(gate.address(), "POST", &pull, said);
    assert_eq!(answer.status, 403, "{}", answer.text());
    assert!(answer.message().contains("plugin-not-pinned"));
    assert!(inspect(&name).is_none());

    let direct = http::request(&engine::address(), "POST", &pull, said);
    let installed = inspect(&name).unwrap_or_else(|| panic!("{}", direct.text()));
    assert_eq!(
        installed["Config"]["Linux"]["Capabilities"][0],
        "CAP_SYS_ADMIN"
    );
    let target = format!("/v1.41/plugins/{name}");
    http::request(&engine::address(), "DELETE", &target, "");

    // Who says nothing is held to it by the daemon.
    let answer = http::request(gate.address(), "POST", &pull, "[]");
    assert!(
        answer.text().contains("incorrect privileges"),
        "{}",
        answer.text()
    );
    assert!(inspect(&name).is_none());
}

/// A plugin that listens where the daemon looks: Debian's registry with the libraries that it takes.
fn write_registry_plugin(folder: &Path) {
    let program = "/usr/bin/docker-registry";
    let linked = Command::new("ldd").arg(program).output().unwrap();
    let linked = String::from_utf8(linked.stdout).unwrap();
    let libraries = linked
        .split_whitespace()
        .filter(|word| word.starts_with('/'));
    for file in libraries.chain([program]) {
        let to = folder.join("rootfs").join(file.trim_start_matches('/'));
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(file, to).unwrap();
    }
    let settings = "version: 0.1\nlog: {level: info}\nstorage: {inmemory: {}}\n\
                    http: {net: unix, addr: '/run/docker/plugins/p.sock'}\n";
    fs::write(folder.join("rootfs/registry.yml"), settings).unwrap();
    let configuration = r#"{"description":"a registry","documentation":"",
        "entrypoint":["/usr/bin/docker-registry","serve","/registry.yml"],
        "interface":{"types":["docker.dummy/1.0"],"socket":"p.sock"},
        "network":{"type":"null"},"linux":{"capabilities":null,"devices":null}}"#;
    fs::write(folder.join("config.json"), configuration).unwrap();
}
