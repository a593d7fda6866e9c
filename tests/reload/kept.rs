//! Whatever of the files in use breaks, what was in force stays so, and the log says which file it was.

use std::fs;

use crate::support::address::Address;
use crate::support::certificates::{Authority, DOCKGATE};
use crate::support::fake_daemon::FakeDaemon;
use crate::support::gate::{Gate, Setup};
use crate::support::http;

use super::{IMAGES, KEPT, Kept, PINGS, READS, RELOADED};

#[test]
fn each_broken_file_is_named_and_changes_nothing() {
    let (daemon, folder) = (FakeDaemon::start(), tempfile::tempdir().unwrap());
    let authority = super::load::authority(folder.path());
    authority.certs(&["client", "one"]);
    let gate = Setup::before(&daemon.address())
        .file("policy.toml", READS)
        .listen_tls(Some("./policy.toml"), &authority)
        .start();
    let one = gate.address().clone();
    let one = one.with_client_certificate(&authority.client("one"));
    let mut open = Kept::to(&one);
    assert_eq!(open.get(IMAGES), 200);
    let server = authority.server("gate");
    let (mut kept, mut reloaded) = (0, 0);
    for (file, place) in [
        (gate.file("dockgate.toml"), "dockgate.toml:1:".to_owned()),
        (gate.file("policy.toml"), "policy.toml:1:".to_owned()),
        (server.join("cert.pem"), path(&server.join("cert.pem"))),
        (server.join("key.pem"), path(&server.join("key.pem"))),
        (authority.file("ca.pem"), path(&authority.file("ca.pem"))),
        (authority.file("crl.pem"), path(&authority.file("crl.pem"))),
    ] {
        let whole = fs::read(&file).unwrap();
        let before = gate.output().len();
        replace(&file, b"!broken!\n");
        gate.says(KEPT, kept);
        let said = gate.output().split_off(before);
        assert!(said.contains(&place), "`{place}` is not in {said}");
        assert_eq!(open.get(IMAGES), 200, "{place}");
        assert_eq!(Kept::to(&one).get(IMAGES), 200, "{place}");
        replace(&file, &whole);
        gate.signal("HUP");
        reloaded = gate.says(RELOADED, reloaded);
        kept = gate.output().matches(KEPT).count();
    }
    gate.replace("policy.toml", PINGS);
    gate.says(RELOADED, reloaded);
    assert_eq!(open.get(IMAGES), 403);
}

fn path(file: &std::path::Path) -> String {
    file.display().to_string()
}

/// As editors do, and with the rights that keys need.
fn replace(file: &std::path::Path, bytes: &[u8]) {
    let new = file.with_extension("new");
    fs::write(&new, bytes).unwrap();
    fs::set_permissions(&new, fs::metadata(file).unwrap().permissions()).unwrap();
    fs::rename(new, file).unwrap();
}

/// A gate whose folder is another one's, mounted in a mount namespace that only it has: what a container sees of
/// `-v FOLDER:/etc/dockgate:ro`.
fn behind_a_mount(daemon: &FakeDaemon, folder: &std::path::Path) -> Gate {
    let seen = tempfile::tempdir().unwrap();
    let text = format!(
        "daemon.address = '{}'\naudit.file = '{}/audit.jsonl'\n[[listener]]\naddress = 'unix://{}/gate.sock'\n\
         policy = './policy.toml'\n",
        daemon.address(),
        seen.path().display(),
        seen.path().display()
    );
    fs::write(folder.join("dockgate.toml"), text).unwrap();
    let mounted = seen.path().join("etc");
    fs::create_dir(&mounted).unwrap();
    let script =
        "mount --bind -o ro \"$1\" \"$2\" && exec \"$3\" serve --config \"$2/dockgate.toml\"";
    let mut command = std::process::Command::new("unshare");
    command.args([
        "--mount",
        "--propagation",
        "private",
        "sh",
        "-c",
        script,
        "sh",
    ]);
    command.arg(folder).arg(&mounted).arg(DOCKGATE);
    command.env_remove("DOCKER_HOST");
    Gate::start(&mut command, seen, 1)
}

#[test]
fn a_change_beneath_a_bind_mount_is_noticed_inside_the_confinement() {
    let (daemon, folder) = (FakeDaemon::start(), tempfile::tempdir().unwrap());
    let policy = folder.path().join("policy.toml");
    fs::write(&policy, READS).unwrap();
    let gate = behind_a_mount(&daemon, folder.path());
    assert!(gate.output().contains("INFO confined"), "{}", gate.output());
    let mut open = Kept::to(gate.address());
    assert_eq!(open.get(IMAGES), 200);
    replace(&policy, PINGS.as_bytes());
    let reloaded = gate.says(RELOADED, 0);
    assert_eq!(open.get(IMAGES), 403);
    replace(&policy, b"!broken!\n");
    gate.says("policy.toml:1:", 0);
    assert_eq!(open.get("/_ping"), 200);
    fs::write(&policy, READS).unwrap();
    gate.says(RELOADED, reloaded);
    assert_eq!(open.get(IMAGES), 200);
}

#[test]
fn a_client_whose_certificate_expires_soon_is_told_of_once_and_counted() {
    let (daemon, folder) = (FakeDaemon::start(), tempfile::tempdir().unwrap());
    let authority = super::load::authority(folder.path());
    authority.certs(&["client", "late", "--days", "5"]);
    authority.certs(&["client", "young", "--days", "90"]);
    let gate = Setup::before(&daemon.address())
        .listen_tls(None, &authority)
        .plus("[[client]]\nname = 'people'\nmatch = { common-name = '*' }\npolicy = 'guarded'")
        .plus("[admin]\naddress = 'tcp://127.0.0.2:0'")
        .start();
    for name in ["young", "late", "late", "young", "late"] {
        assert_eq!(asks(&gate, &authority, name), 200);
    }
    assert_eq!(gate.says("the certificate of a client expires soon", 0), 1);
    let output = gate.output();
    let told = output
        .lines()
        .find(|line| line.contains("of a client"))
        .unwrap();
    for part in ["WARN", "\"people\"", "\"late\""] {
        assert!(told.contains(part), "`{part}` is not in {told}");
    }
    // All five are left within the second in which it was made.
    let is_told = ["days=4", "days=5"].iter().any(|days| told.contains(days));
    assert!(is_told, "{told}");
    let line = "dockgate_expiring_client_certificates_total{client=\"people\"} 1\n";
    let metrics = crate::admin::metrics(&gate);
    assert!(metrics.contains(line), "{metrics}");
}

fn asks(gate: &Gate, authority: &Authority, name: &str) -> u16 {
    let address: Address = gate.address().clone();
    let address = address.with_client_certificate(&authority.client(name));
    http::request(&address, "GET", IMAGES, "").status
}
