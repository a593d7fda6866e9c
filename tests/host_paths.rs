//! Opened host paths before the real daemon: what is mounted is what the policy opens, judged by what a container can do.

mod hosts;
mod movable;
mod routes;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::support::docker::Docker;
use super::support::gate::{Gate, Setup};
use super::support::http::{self, Answer};
use super::support::wait::DEADLINE;
use super::support::{engine, json, process};

/// A folder with a directory opened for reading (`ro`), one for writing (`rw`) and a closed one, and a gate.
struct Place {
    folder: TempDir,
    /// Where the gate tells of its health.
    admin: TempDir,
    gate: Gate,
    prefix: String,
    mounted: Vec<PathBuf>,
}

impl Place {
    fn new() -> Self {
        Self::with("")
    }

    /// With more keys in `[container]`, and more paths opened.
    fn with(more: &str) -> Self {
        let folder = tempfile::Builder::new()
            .prefix("dockgate-paths-")
            .tempdir()
            .unwrap();
        for name in ["ro/inner", "rw/inner", "closed"] {
            fs::create_dir_all(folder.path().join(name)).unwrap();
            fs::write(folder.path().join(name).join("file"), name).unwrap();
        }
        let path = |name: &str| folder.path().join(name).display().to_string();
        let more = more.replace("FOLDER", &path(""));
        let (paths, keys) = more.split_once('\n').unwrap_or((&more, ""));
        let policy = format!(
            "description = \"a test\"\n[[permit]]\noperations = [\"*:read\", \"*:stream\", \"Container:*\"]\n\
             [container]\nimages = [\"*\"]\nnetworks = [\"bridge\"]\nhost-paths = [{{ path = \"{}\" }}, \
             {{ path = \"{}\", access = \"read-write\", subpaths = true, set-user-id = true }}, {paths}]\n{keys}\n\
             [network]\ndefault-bridge = \"any\"\n",
            path("ro"),
            path("rw"),
        );
        let admin = tempfile::tempdir().unwrap();
        let socket = admin.path().join("admin.sock");
        let setup = Setup::before(&engine::address())
            .file("policy.toml", &policy)
            .plus(&format!("[admin]\naddress = 'unix://{}'", socket.display()));
        Self {
            folder,
            admin,
            gate: setup.listen("policy.toml").start(),
            prefix: process::unique("paths") + "-",
            mounted: Vec::new(),
        }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    fn create(&self, host_config: &Value) -> Answer {
        self.create_by("v1.41", host_config)
    }

    fn create_by(&self, version: &str, host_config: &Value) -> Answer {
        let body = json!({ "Image": "busybox", "Cmd": ["true"], "HostConfig": host_config });
        let name = process::unique(&self.prefix);
        let target = format!("/{version}/containers/create?name={name}");
        http::request(self.gate.address(), "POST", &target, &body.to_string())
    }

    /// What the daemon has of the container that this answer made.
    fn made(&self, answer: &Answer) -> Value {
        assert_eq!(answer.status, 201, "{}", answer.text());
        let id = json(&answer.body)["Id"].as_str().unwrap().to_owned();
        let target = format!("/v1.41/containers/{id}/json");
        json(http::request(&engine::address(), "GET", &target, "").body)
    }

    fn refused(&self, answer: &Answer, code: &str) {
        assert_eq!(answer.status, 403, "{}", answer.text());
        let message = answer.message();
        assert!(
            message.contains(&format!(" {code}: `")),
            "{code}: {message}"
        );
    }

    /// Runs a shell in a container through the gate; gives whether it ended well.
    fn shell(&self, mounts: &str, script: &str) -> (bool, String) {
        let docker = Docker::at(self.gate.address());
        let name = process::unique(&self.prefix);
        let ended = docker.run(format!(
            "run --rm --name {name} {mounts} busybox sh -c '{script}'"
        ));
        (
            ended.status.success(),
            format!("{}{}", ended.text(), ended.stderr),
        )
    }

    /// Mounts on the host, until the end of the test; privately, or the end of a mount of the daemon's data would take what
    /// the daemon has just mounted beneath for a container of another test.
    fn mount(&mut self, arguments: &[&str], at: &str) {
        let at = self.folder.path().join(at);
        let mut mount = Command::new("mount");
        let mount = mount.arg("--make-rprivate").args(arguments).arg(&at);
        process::run(mount, Vec::new(), DEADLINE).ok("mount");
        self.mounted.push(at);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        engine::clean(&self.prefix);
        for mounted in self.mounted.iter().rev() {
            let _ = Command::new("umount").arg("-l").arg(mounted).status();
        }
    }
}

fn bind(source: impl AsRef<Path>) -> Value {
    json!({ "Binds": [format!("{}:/m", source.as_ref().display())] })
}

fn mount(source: impl AsRef<Path>) -> Value {
    json!({ "Mounts": [{ "Type": "bind", "Source": source.as_ref(), "Target": "/m" }] })
}

#[test]
fn what_is_opened_for_reading_cannot_be_written_from_inside() {
    let place = Place::new();
    let source = place.path("ro/inner");
    for (mounts, write) in [
        (format!("-v {source}:/m"), "touch /m/new"),
        (format!("-v {source}:/m:rw"), "touch /m/new"),
        (
            format!("-v {}:/m:rw", place.path("ro")),
            "touch /m/inner/new",
        ),
        (
            format!("--mount type=bind,source={source},target=/m"),
            "rm /m/file",
        ),
        (
            format!("--mount type=bind,source={source},target=/m,bind-propagation=private"),
            "chmod 0 /m/file",
        ),
        (format!("-v {source}/file:/m/file"), "truncate -s 0 /m/file"),
    ] {
        let (worked, said) = place.shell(&mounts, &format!("! {write}"));
        let is_read_only = said.contains("Read-only file system");
        assert!(worked && is_read_only, "{mounts}: {said}");
    }
    assert_eq!(fs::read_dir(&source).unwrap().count(), 1);
    assert_eq!(fs::read(place.path("ro/inner/file")).unwrap(), b"ro/inner");
    let (worked, said) = place.shell(&format!("-v {}:/m", place.path("rw")), "touch /m/new");
    assert!(worked, "{said}");
    assert!(Path::new(&place.path("rw/new")).exists());
    let noted = |record: &Value| record["rewritten"][0] == "HostConfig.Binds[0]: for reading only";
    assert!(place.gate.audit().iter().any(noted));
}

#[test]
fn an_existing_container_that_writes_there_is_not_started() {
    let place = Place::new();
    for host_config in [bind(place.path("ro")), mount(place.path("ro"))] {
        let body = json!({ "Image": "busybox", "HostConfig": host_config }).to_string();
        let name = process::unique(&place.prefix);
        let target = format!("/v1.41/containers/create?name={name}");
        let made = http::request(&engine::address(), "POST", &target, &body);
        assert_eq!(made.status, 201, "{}", made.text());
        let start = format!("/v1.41/containers/{name}/start");
        place.refused(
            &http::request(place.gate.address(), "POST", &start, ""),
            "host-path-write",
        );
    }
}

#[test]
fn what_is_mounted_beneath_is_not_written_either() {
    let mut place = Place::new();
    fs::create_dir(place.path("ro/disk")).unwrap();
    place.mount(&["-t", "tmpfs", "tmpfs"], "ro/disk");
    let source = place.path("ro");
    let past = Docker::at(&engine::address());
    // What the rule is for: this daemon leaves it writable.
    let name = process::unique(&place.prefix);
    past.ok(format!(
        "run --rm --name {name} -v {source}:/m:ro busybox touch /m/disk/new"
    ));
    assert!(Path::new(&place.path("ro/disk/new")).exists());
    for read_only in ["", ":ro"] {
        let (worked, said) = place.shell(&format!("-v {source}:/m{read_only}"), "true");
        assert!(!worked && said.contains("host-path-submounts"), "{said}");
    }
    let left_out = format!("--mount type=bind,source={source},target=/m,bind-recursive=disabled");
    let (worked, said) = place.shell(&left_out, "ls /m/disk && ! touch /m/disk/again");
    assert!(worked && !said.contains("new"), "{said}");
    // An older version has no such option, and the daemon would ignore it.
    let mut host_config = mount(&source);
    host_config["Mounts"][0]["BindOptions"] = json!({ "NonRecursive": true });
    place.refused(
        &place.create_by("v1.39", &host_config),
        "host-path-submounts",
    );
}

#[test]
fn no_mount_passes_between_host_and_container() {
    let place = Place::new();
    for propagation in ["shared", "rshared", "slave", "rslave"] {
        let source = place.path("rw");
        let with = json!({ "Binds": [format!("{source}:/m:{propagation}")] });
        place.refused(&place.create(&with), "mount-propagation");
        let mut with = mount(&source);
        with["Mounts"][0]["BindOptions"] = json!({ "Propagation": propagation });
        place.refused(&place.create(&with), "mount-propagation");
    }
    for propagation in ["private", "rprivate"] {
        let made =
            place.create(&json!({ "Binds": [format!("{}:/m:{propagation}", place.path("rw"))] }));
        assert_eq!(place.made(&made)["Mounts"][0]["Propagation"], propagation);
    }
}

#[test]
fn a_path_that_is_not_there_is_not_made() {
    let place = Place::new();
    for name in ["rw/new", "ro/new/deeper", "closed/new"] {
        let answer = place.create(&bind(place.path(name)));
        place.refused(&answer, "host-path-unresolved");
        assert!(
            answer.message().contains("does not exist"),
            "{}",
            answer.message()
        );
        assert!(!Path::new(&place.path(name)).exists());
    }
}

#[test]
fn of_a_foreign_host_the_very_path_is_mounted_and_nothing_else() {
    let place = Place::with("\nhost-file-system = \"foreign\"");
    let made = place.made(&place.create(&bind(place.path("rw"))));
    assert_eq!(
        made["HostConfig"]["Binds"][0],
        format!("{}:/m", place.path("rw"))
    );
    for source in [place.path("ro"), format!("/{}//", place.path("ro"))] {
        let made = place.made(&place.create(&bind(&source)));
        let mounted = &made["HostConfig"]["Mounts"][0];
        assert_eq!(made["HostConfig"]["Binds"], json!([]));
        assert_eq!(mounted["Source"], place.path("ro"));
        assert_eq!(
            (
                &mounted["ReadOnly"],
                &mounted["BindOptions"]["NonRecursive"]
            ),
            (&json!(true), &json!(true))
        );
    }
    let (worked, said) = place.shell(
        &format!("-v {}:/m", place.path("ro")),
        "ls /m/inner/file && ! touch /m/new",
    );
    assert!(worked, "{said}");
    for name in ["rw/inner", "ro/inner", "closed"] {
        place.refused(&place.create(&bind(place.path(name))), "host-path");
    }
    let dots = format!("{}/../rw", place.path("rw"));
    place.refused(&place.create(&bind(dots)), "host-path-unresolved");
}
