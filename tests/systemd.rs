//! The systemd units are sound, and the gate keeps what systemd agrees with it: sockets, readiness, the end.

use std::fs;
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use super::support::address::Address;
use super::support::certificates::DOCKGATE;
use super::support::fake_daemon::FakeDaemon;
use super::support::gate::{Gate, Setup};
use super::support::http;
use super::support::process;
use super::support::wait::{self, DEADLINE};

#[test]
fn the_systemd_units_are_sound() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["dockgate.service", "dockgate.socket"] {
        let unit = fs::read_to_string(repository("packaging").join(name)).unwrap();
        // The program is not installed on this machine, and Docker has no unit in the folder that is looked at.
        let unit = unit.replace("/usr/bin/dockgate", DOCKGATE);
        fs::write(folder.path().join(name), unit).unwrap();
    }
    let analyze = |arguments: &[&str], name: &str| {
        let mut analyze = Command::new("systemd-analyze");
        analyze
            .args(arguments)
            .arg(folder.path().join(name))
            .env("LC_ALL", "C");
        process::run(&mut analyze, Vec::new(), DEADLINE)
    };
    for name in ["dockgate.service", "dockgate.socket"] {
        let ended = analyze(&["verify", "--man=no"], name);
        ended.ok("systemd-analyze verify");
        let about_ours: Vec<&str> = ended
            .stderr
            .lines()
            .filter(|line| line.contains("dockgate"))
            .collect();
        assert!(about_ours.is_empty(), "{about_ours:?}");
    }
    // In tenths: 1.5 of 10, where 10 is a service without any sandbox.
    let ended = analyze(
        &["security", "--offline=yes", "--threshold=15", "--no-pager"],
        "dockgate.service",
    );
    ended.ok("systemd-analyze security");
}

#[test]
fn the_packaged_configuration_serves_the_sockets_that_systemd_hands_over() {
    let daemon = FakeDaemon::start();
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("activated.sock");
    let configuration = fs::read_to_string(repository("packaging/dockgate.toml")).unwrap();
    let own = |path: &Path| path.to_str().unwrap().to_owned();
    let configuration = configuration
        .replace("/var/run/docker.sock", &own(daemon.address().unix_path()))
        .replace(
            "/var/log/dockgate/audit.jsonl",
            &own(&folder.path().join("audit.jsonl")),
        );
    fs::write(folder.path().join("dockgate.toml"), configuration).unwrap();

    let address = Address::Unix(socket.clone());
    // The first client starts the gate.
    let first = thread::spawn(move || {
        wait::until("the first client is served", || {
            http::send(
                &address,
                b"GET /_ping HTTP/1.1\r\nHost: d\r\nConnection: close\r\n\r\n",
            )
            .ok()
        })
    });
    let mut activate = Command::new("systemd-socket-activate");
    activate
        .arg(format!("--listen={}", socket.display()))
        .arg("--fdname=dockgate.socket");
    activate
        .arg(DOCKGATE)
        .arg("serve")
        .arg("--config")
        .arg(folder.path().join("dockgate.toml"));
    let gate = Gate::start(&mut activate, folder, 1);
    assert!(gate.output().contains("INFO confined"), "{}", gate.output());
    assert_eq!(first.join().unwrap().status, 200);
    let answer = http::request(&Address::Unix(socket), "GET", "/v1.41/images/json", "");
    assert_eq!(answer.status, 200);
    let list = gate
        .audit()
        .into_iter()
        .find(|record| record["operation"] == "ImageList");
    assert_eq!(list.unwrap()["policy"], "guarded");
}

#[test]
fn a_socket_of_systemd_where_the_daemon_should_be_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("docker.sock");
    let mut activate = Command::new("systemd-socket-activate");
    activate
        .arg(format!("--listen={}", socket.display()))
        .args([DOCKGATE, "serve", "--listen", "systemd", "--daemon"])
        .arg(format!("unix://{}", socket.display()))
        .arg("--audit")
        .arg(folder.path().join("audit.jsonl"));
    thread::spawn(move || {
        wait::until("systemd listens", || UnixStream::connect(&socket).ok());
    });
    let ended = process::run(&mut activate, Vec::new(), DEADLINE);
    assert_eq!(ended.status.code(), Some(78), "{}", ended.stderr);
    assert!(ended.stderr.contains("is the listener"), "{}", ended.stderr);
}

#[test]
fn the_gate_tells_when_it_is_ready_and_when_it_ends() {
    let daemon = FakeDaemon::start();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notify.sock");
    let manager = UnixDatagram::bind(&path).unwrap();
    manager.set_read_timeout(Some(DEADLINE)).unwrap();
    let hears = || {
        let mut buffer = [0; 256];
        let length = manager.recv(&mut buffer).unwrap();
        String::from_utf8_lossy(&buffer[..length]).into_owned()
    };
    let mut gate = Setup::before(&daemon.address())
        .listen("guarded")
        .start_with(|command| {
            command.env("NOTIFY_SOCKET", &path);
        });
    assert_eq!(hears(), "READY=1");
    gate.signal("TERM");
    assert_eq!(hears(), "STOPPING=1");
    assert!(
        gate.ended_within(DEADLINE)
            .is_some_and(|status| status.success())
    );
}

fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}
