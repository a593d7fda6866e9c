//! `make run` starts the gate before the machine's daemon and says how to reach it, on a socket and over mutual TLS.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use super::support::address::Address;
use super::support::certificates::DOCKGATE;
use super::support::docker::Docker;
use super::support::engine;
use super::support::gate::Gate;
use super::support::wait::{self, DEADLINE};

/// A tree of the test's own, so that the script writes into no other run's place, and has nothing to build.
fn own_tree(folder: &Path) {
    let tree = Path::new(env!("CARGO_MANIFEST_DIR"));
    fs::create_dir_all(folder.join("target/release")).unwrap();
    symlink(DOCKGATE, folder.join("target/release/dockgate")).unwrap();
    symlink("/bin/true", folder.join("cargo")).unwrap();
    symlink(tree.join("scripts"), folder.join("scripts")).unwrap();
}

/// `scripts/run` of that tree, where the machine's daemon is the tests' own.
fn script(folder: &Path, port: u16) -> Command {
    let here = |name: &str| folder.join(name);
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-euc"]);
    command.arg("mount -t tmpfs none /run; ln -s \"$1\" /run/docker.sock; exec \"$2\"");
    command
        .arg("sh")
        .arg(engine::address().unix_path())
        .arg(here("scripts/run"));
    command
        .env("PATH", path)
        .env("CARGO_TARGET_DIR", here("target"));
    command
        .env("DOCKGATE_PORT", port.to_string())
        .env_remove("DOCKER_HOST");
    command
}

#[test]
fn the_script_serves_at_both_doors_and_ends_with_what_it_started() {
    let folder = tempfile::Builder::new()
        .prefix("dockgate-run-")
        .tempdir()
        .unwrap();
    own_tree(folder.path());
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let mut command = script(folder.path(), port);
    // The script says both addresses, and the gate says them again.
    let mut gate = Gate::start(&mut command, folder, 4);
    let told = gate.output();
    assert!(
        told.contains("The daemon is unix:///var/run/docker.sock"),
        "{told}"
    );
    assert_eq!(gate.listener(0).to_string(), gate.listener(2).to_string());
    let certificates = told
        .split("DOCKER_CERT_PATH=")
        .nth(1)
        .unwrap()
        .lines()
        .next()
        .unwrap();
    let unix = gate.listener(0).clone();
    guards(&unix);
    guards(&Address::Tls(
        format!("127.0.0.1:{port}"),
        certificates.into(),
    ));
    let audit = unix.unix_path().with_file_name("audit.jsonl");
    assert!(
        fs::read_to_string(audit)
            .unwrap()
            .contains("ContainerCreate")
    );
    gate.signal("TERM");
    assert!(gate.ended_within(DEADLINE).is_some());
    wait::until("the gate has ended too", || {
        unix.connect().is_err().then_some(())
    });
}

fn guards(address: &Address) {
    let docker = Docker::at(address);
    assert!(docker.ok("images").contains("busybox"));
    let told = docker.fails("run --rm --privileged busybox true");
    assert!(told.contains("dockgate refuses"), "{told}");
}
