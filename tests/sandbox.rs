//! What the process still can once it serves: its work, and nothing beside it.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown, symlink};
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use super::support::address::Address;
use super::support::certificates::{Authority, DOCKGATE};
use super::support::fake_daemon::FakeDaemon;
use super::support::gate::{Gate, Setup};
use super::support::http;
use super::support::{process, wait};

const READS: &str = "description = 'x'\n[[permit]]\noperations = ['System:read', 'Image:read']\n";
const PINGS: &str = "description = 'x'\n[[permit]]\noperations = ['SystemPing']\n";
const NOBODY: u32 = 65534;

fn images(gate: &Gate) -> u16 {
    http::request(gate.address(), "GET", "/v1.41/images/json", "").status
}

/// The values of a line of `/proc/PID/status`, for every thread.
fn status(gate: &Gate, key: &str) -> Vec<String> {
    let tasks = fs::read_dir(format!("/proc/{}/task", gate.id())).unwrap();
    let values = tasks.map(|task| {
        let text = fs::read_to_string(task.unwrap().path().join("status")).unwrap();
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix(key)?.strip_prefix(':'));
        line.unwrap().trim().to_owned()
    });
    let values: Vec<_> = values.collect();
    assert!(values.len() > 2, "a thread for the audit log and workers");
    values
}

/// A gate as its configuration says, and a policy in a folder of its own.
fn gate(daemon: &FakeDaemon, folder: &TempDir, more: &str) -> Gate {
    let policy = folder.path().join("policy.toml");
    fs::write(&policy, READS).unwrap();
    Setup::before(&daemon.address())
        .before_tables(more)
        .listen(policy.to_str().unwrap())
        .start()
}

/// Puts a link to `target` where the policy was, and gives what the gate says of it once that fits; a watch may tell of
/// what was there before a second time.
fn swapped(gate: &Gate, folder: &TempDir, target: &Path, fits: fn(&str) -> bool) -> String {
    symlink(target, folder.path().join("new")).unwrap();
    let before = gate.output().matches("not reloaded").count();
    fs::rename(folder.path().join("new"), folder.path().join("policy.toml")).unwrap();
    wait::until("what the gate says of the link", || {
        let output = gate.output();
        let mut said = output.split("not reloaded").skip(before + 1);
        said.find(|said| fits(said)).map(str::to_owned)
    })
}

fn is_denied(said: &str) -> bool {
    said.contains("Permission denied")
}

#[test]
fn root_cannot_open_what_is_not_in_use_and_reloads_go_on() {
    let (daemon, folder) = (FakeDaemon::start(), tempfile::tempdir().unwrap());
    let gate = gate(&daemon, &folder, "");
    assert!(gate.output().contains("INFO confined"), "{}", gate.output());
    for file in ["/etc/shadow", "/proc/1/environ", "/etc/hostname"] {
        swapped(&gate, &folder, Path::new(file), is_denied);
        gate.says("the gate has confined itself", 0);
        assert_eq!(images(&gate), 200);
    }
    // The audit log itself is open already, and no path leads to it any more.
    swapped(&gate, &folder, &gate.audit_file(), |said| !is_denied(said));

    fs::write(folder.path().join("new"), PINGS).unwrap();
    fs::rename(folder.path().join("new"), folder.path().join("policy.toml")).unwrap();
    gate.says("INFO reloaded", 0);
    assert_eq!(images(&gate), 403);
}

#[test]
fn without_the_confinement_root_could() {
    let (daemon, folder) = (FakeDaemon::start(), tempfile::tempdir().unwrap());
    let gate = gate(&daemon, &folder, "dangerously-unconfined = true");
    assert!(gate.output().contains("WARN NOT CONFINED"));
    let elsewhere = tempfile::tempdir().unwrap();
    let secret = elsewhere.path().join("secret");
    fs::write(&secret, "anything").unwrap();
    swapped(&gate, &folder, &secret, |said| said.contains("not TOML"));
}

#[test]
fn root_keeps_what_finds_out_where_paths_lead_and_no_other_capability() {
    let (daemon, folder) = (FakeDaemon::start(), tempfile::tempdir().unwrap());
    let gate = gate(&daemon, &folder, "");
    assert_eq!(images(&gate), 200);
    let all = |key: &str, expected: &str| {
        for value in status(&gate, key) {
            assert_eq!(value, expected, "{key}");
        }
    };
    // CAP_DAC_READ_SEARCH is number 2.
    all("CapEff", "0000000000000004");
    all("CapPrm", "0000000000000004");
    all("CapInh", "0000000000000000");
    all("CapBnd", "0000000000000000");
    all("CapAmb", "0000000000000000");
    all("NoNewPrivs", "1");
    all("Umask", "0077");
}

#[test]
fn a_path_that_is_opened_is_followed_where_only_its_owner_may_look() {
    let (daemon, folder) = (FakeDaemon::start(), tempfile::tempdir().unwrap());
    let project = folder.path().join("home/project");
    fs::create_dir_all(&project).unwrap();
    symlink(&project, folder.path().join("link")).unwrap();
    fs::set_permissions(
        folder.path().join("home"),
        fs::Permissions::from_mode(0o700),
    )
    .unwrap();
    chown(folder.path().join("home"), Some(NOBODY), None).unwrap();
    let policy = format!(
        "description = 'x'\n[[permit]]\noperations = ['ContainerCreate']\n[container]\nimages = ['*']\n\
         host-paths = [{{ path = {project:?}, access = 'read-write', subpaths = true, set-user-id = true }}]\n"
    );
    let gate = Setup::before(&daemon.address())
        .file("policy.toml", &policy)
        .listen("./policy.toml")
        .start();
    let link = folder.path().join("link");
    let body = format!(
        r#"{{"Image":"a","HostConfig":{{"NetworkMode":"none","Binds":["{}:/p"]}}}}"#,
        link.display()
    );
    let created = http::request(gate.address(), "POST", "/v1.41/containers/create", &body);
    assert_eq!(created.status, 200, "{}", created.text());
    let sent = String::from_utf8(daemon.take().pop().unwrap().body).unwrap();
    assert!(
        sent.contains(&format!("{}:/p", project.display())),
        "{sent}"
    );
}

/// Copies the program, whose own folder may be closed to another user.
///
/// Another process writes it: a child that another test is starting may hold open what this one writes, and a file that is
/// open for writing is not run.
fn copy_program(to: &Path) {
    let mut copy = Command::new("cp");
    copy.arg(DOCKGATE).arg(to);
    process::run(&mut copy, Vec::new(), wait::DEADLINE).ok("cp");
}

#[test]
fn a_user_without_rights_is_confined_too_and_reloads() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let daemon = FakeDaemon::at(
        &at("docker.sock"),
        super::support::fake_daemon::answer_empty,
    );
    let authority = Authority::new(&at("certs"));
    authority.certs(&["server", "gate", "--san", "IP:127.0.0.1"]);
    authority.certs(&["client", "someone"]);
    fs::write(at("policy.toml"), READS).unwrap();
    let configuration = format!(
        "daemon.address = 'unix://{0}/docker.sock'\naudit.file = 'audit.jsonl'\n[[listener]]\naddress = 'unix://{0}/gate.sock'\n\
         policy = './policy.toml'\n[[listener]]\naddress = 'tcp://127.0.0.1:0'\npolicy = './policy.toml'\n\
         tls = {{ certificate = 'certs/server/gate/cert.pem', key = 'certs/server/gate/key.pem', client-ca = 'certs/ca.pem', \
         client-crl = 'certs/crl.pem' }}\n",
        folder.path().display()
    );
    fs::write(at("dockgate.toml"), configuration).unwrap();
    let mut own = Command::new("chown");
    own.args(["-R", "65534:65534"]).arg(folder.path());
    process::run(&mut own, Vec::new(), wait::DEADLINE).ok("chown");
    let program = at("dockgate");
    copy_program(&program);
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]);
    command
        .arg(&program)
        .args(["serve", "--config"])
        .arg(at("dockgate.toml"));
    command.env_remove("DOCKER_HOST");
    let policy = at("policy.toml");
    let (new, certs) = (at("new"), at("certs"));
    let gate = Gate::start(&mut command, folder, 2);
    let uid = status(&gate, "Uid");
    assert!(
        uid.iter().all(|uid| uid.starts_with("65534\t65534")),
        "{uid:?}"
    );
    for capabilities in status(&gate, "CapPrm") {
        assert_eq!(capabilities, "0000000000000000");
    }
    assert!(gate.output().contains("INFO confined"), "{}", gate.output());
    assert_eq!(images(&gate), 200);
    let someone = gate
        .listener(1)
        .clone()
        .with_client_certificate(&certs.join("client/someone"));
    let listed = |address: &Address| http::request(address, "GET", "/v1.41/images/json", "").status;
    assert_eq!(listed(&someone), 200);

    // A file that anybody may read, and that is not in use.
    symlink("/etc/hostname", &new).unwrap();
    fs::rename(&new, &policy).unwrap();
    gate.says("Permission denied", 0);
    fs::write(&new, PINGS).unwrap();
    fs::set_permissions(&new, fs::Permissions::from_mode(0o644)).unwrap();
    fs::rename(&new, &policy).unwrap();
    gate.says("INFO reloaded", 0);
    assert_eq!(images(&gate), 403);
    assert_eq!(listed(&someone), 403);
    drop(daemon);
}

#[test]
fn the_socket_of_a_gate_that_ends_is_removed() {
    let (daemon, folder) = (FakeDaemon::start(), tempfile::tempdir().unwrap());
    let mut gate = gate(&daemon, &folder, "");
    let socket = gate.address().unix_path().to_owned();
    assert!(socket.exists());
    gate.signal("TERM");
    let ended = gate.ended_within(wait::DEADLINE).unwrap();
    assert!(ended.success());
    assert!(!socket.exists());
}

#[test]
fn a_daemon_on_a_port_is_reached() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let answering = std::thread::spawn(move || {
        use std::io::{Read as _, Write as _};
        let (mut stream, _) = listener.accept().unwrap();
        let mut head = [0; 4096];
        let count = stream.read(&mut head).unwrap();
        assert!(head[..count].starts_with(b"GET /v1.41/images/json"));
        stream
            .write_all(&super::support::fake_daemon::plain(200, "[]"))
            .unwrap();
    });
    let gate = Setup::before(&Address::Tcp(address.to_string()))
        .listen("guarded")
        .start();
    assert_eq!(images(&gate), 200);
    answering.join().unwrap();
}
