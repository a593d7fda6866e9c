//! Where clients come: sockets with their mode from the first moment, ports, inherited sockets, and who gets which policy.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use tempfile::TempDir;

use super::support::address::Address;
use super::support::certificates::{Authority, DOCKGATE};
use super::support::fake_daemon::FakeDaemon;
use super::support::gate::{Gate, Setup};
use super::support::http;
use super::support::process::{self, Ended};
use super::support::wait::{self, DEADLINE};

/// A folder that any user may enter.
fn open_folder() -> TempDir {
    let folder = tempfile::Builder::new()
        .prefix("dockgate-test-")
        .tempdir()
        .unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

fn unix_listener(path: &Path, more: &str) -> String {
    format!(
        "[[listener]]\naddress = 'unix://{}'\n{more}\n",
        path.display()
    )
}

/// A gate whose listeners the configuration names itself.
fn gate(daemon: &FakeDaemon, configuration: &str, listeners: usize) -> Gate {
    serve(daemon, configuration, |command, folder| {
        Gate::start(command, folder, listeners)
    })
}

/// A gate that is not to start, and how it ended.
fn refused(daemon: &FakeDaemon, configuration: &str) -> Ended {
    let ended = serve(daemon, configuration, |command, _folder| {
        process::run(command, Vec::new(), DEADLINE)
    });
    assert_eq!(ended.status.code(), Some(78), "{ended:?}");
    ended
}

fn serve<T>(daemon: &FakeDaemon, text: &str, run: impl FnOnce(&mut Command, TempDir) -> T) -> T {
    let folder = open_folder();
    let file = folder.path().join("dockgate.toml");
    let own = format!(
        "daemon.address = '{}'\naudit.file = '{}'\n",
        daemon.address(),
        folder.path().join("audit.jsonl").display()
    );
    fs::write(&file, own + text).unwrap();
    let mut command = Command::new(DOCKGATE);
    command
        .args(["serve", "--config"])
        .arg(file)
        .env_remove("DOCKER_HOST");
    run(&mut command, folder)
}

fn asks(address: &Address, method: &str, target: &str) -> u16 {
    let body = if method == "POST" { "{}" } else { "" };
    http::request(address, method, target, body).status
}

const LIST: &str = "/v1.41/images/json";
const CREATE_VOLUME: &str = "/v1.41/volumes/create";

#[test]
fn a_socket_has_its_mode_and_group_whenever_it_is_there() {
    let (daemon, folder) = (FakeDaemon::start(), open_folder());
    let path = folder.path().join("gate.sock");
    let mut stale = None;
    for (more, mode, group) in [
        (
            "policy = 'guarded'\nmode = '0606'\ngroup = '54321'",
            0o606,
            54321,
        ),
        (
            "policy = 'guarded'\nmode = '0600'\ngroup = 'nogroup'",
            0o600,
            65534,
        ),
        ("policy = 'guarded'", 0o660, 0),
    ] {
        let has_ended = AtomicBool::new(false);
        thread::scope(|scope| {
            let watcher = scope.spawn(|| modes_and_groups(&path, &has_ended));
            let gate = gate(&daemon, &unix_listener(&path, more), 1);
            assert_eq!(asks(gate.address(), "GET", LIST), 200);
            has_ended.store(true, Ordering::SeqCst);
            let mut seen = watcher.join().unwrap();
            // Before this one is made, there is the stale one.
            if stale.is_some() && seen.first() == stale.as_ref() {
                seen.remove(0);
            }
            assert_eq!(seen, [(mode, group)]);
            stale = Some((mode, group));
        });
        // Killed, so the next finds a stale socket.
        assert!(path.exists());
    }
    let unknown = unix_listener(&path, "policy = 'guarded'\ngroup = 'no-such-group'");
    assert!(
        refused(&daemon, &unknown)
            .stderr
            .contains("no group `no-such-group`")
    );
}

/// The modes and groups that a file has until told to end, one after the other.
fn modes_and_groups(path: &Path, has_ended: &AtomicBool) -> Vec<(u32, u32)> {
    let mut seen = Vec::new();
    while !has_ended.load(Ordering::SeqCst) {
        let found = fs::metadata(path).ok();
        seen.extend(found.map(|found| (found.mode() & 0o7777, found.gid())));
        seen.dedup();
    }
    seen
}

#[test]
fn a_live_socket_is_not_taken_and_no_other_file_is_removed() {
    let (daemon, folder) = (FakeDaemon::start(), open_folder());
    let path = folder.path().join("gate.sock");
    let other = UnixListener::bind(&path).unwrap();
    let configuration = unix_listener(&path, "policy = 'guarded'");
    let told = refused(&daemon, &configuration).stderr;
    assert!(told.contains("another process answers there"), "{told}");
    assert!(UnixStream::connect(&path).is_ok());
    drop(other);
    // A process that another test starts may hold it for a moment more.
    wait::until("nobody answers there", || {
        UnixStream::connect(&path).is_err().then_some(())
    });
    drop(gate(&daemon, &configuration, 1));

    let file = folder.path().join("precious");
    fs::write(&file, "kept").unwrap();
    let told = refused(&daemon, &unix_listener(&file, "policy = 'guarded'")).stderr;
    assert!(told.contains("no socket"), "{told}");
    assert_eq!(fs::read_to_string(&file).unwrap(), "kept");
}

#[test]
fn plain_tcp_is_for_loopback_unless_it_is_dangerously_allowed() {
    let daemon = FakeDaemon::start();
    let listener = |address: &str, more: &str| {
        format!("[[listener]]\naddress = '{address}'\npolicy = 'guarded'\n{more}\n")
    };
    for address in ["tcp://0.0.0.0:0", "tcp://[::]:0", "tcp://192.0.2.1:0"] {
        let told = refused(&daemon, &listener(address, "")).stderr;
        assert!(told.contains("dangerously-allow-plain-tcp"), "{told}");
        let mut flag = Command::new(DOCKGATE);
        flag.args(["serve", "--listen", address])
            .env_remove("DOCKER_HOST");
        let ended = process::run(&mut flag, Vec::new(), DEADLINE);
        assert_eq!(ended.status.code(), Some(78), "{ended:?}");
        assert!(ended.stderr.contains("only loopback"), "{ended:?}");
    }
    for (address, more) in [
        ("tcp://127.0.0.1:0", ""),
        ("tcp://0.0.0.0:0", "dangerously-allow-plain-tcp = true"),
    ] {
        let gate = gate(&daemon, &listener(address, more), 1);
        assert_eq!(asks(gate.address(), "GET", LIST), 200);
    }
}

/// The program as systemd starts it for the first client of a socket.
fn activated(listen: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new("systemd-socket-activate");
    command
        .arg(format!("--listen={listen}"))
        .arg("--fdname=door");
    command
        .args(["--setenv=DOCKER_HOST"])
        .arg(DOCKGATE)
        .arg("serve")
        .args(arguments);
    command
}

#[test]
fn an_inherited_port_is_held_to_the_same_and_an_inherited_socket_is_no_daemon() {
    let (daemon, folder) = (FakeDaemon::start(), open_folder());
    let socket = folder.path().join("door.sock").display().to_string();
    let (of_fake, of_door) = (daemon.address().to_string(), format!("unix://{socket}"));
    for (listen, arguments, says) in [
        (
            "0.0.0.0:47312",
            ["--listen", "systemd", "--daemon", &of_fake],
            "only loopback",
        ),
        (
            "127.0.0.1:47313",
            ["--listen", "systemd:window", "--daemon", &of_fake],
            "named `window`",
        ),
        (
            &socket,
            ["--listen", "systemd:door", "--daemon", &of_door],
            "itself; name the real daemon",
        ),
    ] {
        let client = thread::spawn({
            let port = listen.replace("0.0.0.0", "127.0.0.1");
            let address = if port.starts_with('/') {
                Address::Unix(port.into())
            } else {
                Address::Tcp(port)
            };
            move || wait::until("the first client is there", || address.connect().ok())
        });
        let ended = process::run(&mut activated(listen, &arguments), Vec::new(), DEADLINE);
        drop(client.join().unwrap());
        assert_eq!(ended.status.code(), Some(78), "{ended:?}");
        assert!(ended.stderr.contains(says), "{ended:?}");
    }
}

#[test]
fn each_listener_has_its_own_policy_for_whoever_comes() {
    let daemon = FakeDaemon::start();
    let setup = Setup::before(&daemon.address())
        .listen("read-only")
        .listen("guarded");
    // A listener's own policy goes before any table of clients.
    let gate = setup
        .plus("[[client]]\nname = 'root'\nmatch = { uid = 0 }\npolicy = 'open'")
        .start();
    assert_eq!(asks(gate.listener(0), "GET", LIST), 200);
    assert_eq!(asks(gate.listener(0), "POST", CREATE_VOLUME), 403);
    assert_eq!(asks(gate.listener(1), "POST", CREATE_VOLUME), 200);
}

#[test]
fn a_client_of_a_socket_gets_the_policy_of_its_user() {
    let (daemon, folder) = (FakeDaemon::start(), open_folder());
    let path = folder.path().join("gate.sock");
    let rules = "[[client]]\nname = 'root'\nmatch = { uid = 0 }\npolicy = 'guarded'\n\
                 [[client]]\nname = 'group'\nmatch = { gid = 4242, uid = 4242 }\npolicy = 'read-only'\n";
    let gate = gate(&daemon, &(unix_listener(&path, "mode = '0666'") + rules), 1);
    let asks_as = |user: u32, group: u32, arguments: &[&str]| {
        let mut curl = Command::new("curl");
        curl.args(["-s", "-o", "/dev/null", "-w", "%{http_code}"])
            .args(arguments);
        curl.arg("--unix-socket").arg(&path).uid(user).gid(group);
        process::run(&mut curl, Vec::new(), DEADLINE).text()
    };
    let list = ["http://d/v1.41/images/json"];
    let create = ["http://d/v1.41/volumes/create", "-d", "{}"];
    assert_eq!(asks_as(0, 0, &create), "200");
    assert_eq!(asks_as(4242, 4242, &list), "200");
    assert_eq!(asks_as(4242, 4242, &create), "403");
    daemon.take();
    for (user, group) in [(4242, 4243), (4243, 4242)] {
        let status = asks_as(user, group, &list);
        assert!(status == "403" || status == "000", "{status}");
    }
    assert_eq!(daemon.take().len(), 0);
    let named = gate
        .audit()
        .into_iter()
        .find(|record| record["client"]["uid"] == 4242)
        .unwrap();
    assert_eq!(named["client"]["name"], "group");
    assert_eq!(named["client"]["gid"], 4242);
    let stranger = gate
        .audit()
        .into_iter()
        .find(|record| record["client"]["uid"] == 4243);
    assert!(
        stranger.is_some_and(|record| record["decision"] != "permit"),
        "{:?}",
        gate.audit()
    );
}

#[test]
fn a_certificate_is_known_by_its_fingerprint_and_serial() {
    let (daemon, authority) = (FakeDaemon::start(), Authority::shared());
    let certificate = authority.client("developer").join("cert.pem");
    let told = |of: &str| {
        let mut openssl = Command::new("openssl");
        openssl
            .args(["x509", "-noout", "-sha256", of, "-in"])
            .arg(&certificate);
        let told = process::run(&mut openssl, Vec::new(), DEADLINE).ok("openssl");
        told.trim().split_once('=').unwrap().1.to_owned()
    };
    let (fingerprint, serial) = (told("-fingerprint"), told("-serial"));
    for (rule, status) in [
        (format!("fingerprint = '{fingerprint}'"), 200),
        (format!("serial = '{serial}', common-name = 'dev*'"), 200),
        (format!("serial = '{serial}', common-name = 'other'"), 403),
        (
            format!(
                "fingerprint = '{}'",
                fingerprint.replace(&fingerprint[..2], "00")
            ),
            403,
        ),
    ] {
        let setup = Setup::before(&daemon.address()).listen_tls(None, authority);
        let rule = format!("[[client]]\nname = 'one'\nmatch = {{ {rule} }}\npolicy = 'read-only'");
        let gate = setup.plus(&rule).start();
        let client = gate
            .address()
            .clone()
            .with_client_certificate(&authority.client("developer"));
        assert_eq!(asks(&client, "GET", LIST), status, "{rule}");
    }
}
