//! A daemon on a TCP port with mutual TLS is guarded like one on a socket.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use super::reload::Kept;
use super::support::address::Address;
use super::support::certificates::Authority;
use super::support::docker::Docker;
use super::support::gate::{Gate, Setup};
use super::support::process::{self, Ended, checksum, noise};
use super::support::wait::{self, DEADLINE};
use super::support::{engine, http};

const BRIDGE: &str = "dockgate-remote";

fn ip(arguments: &[&str]) -> Ended {
    process::run(Command::new("ip").args(arguments), Vec::new(), DEADLINE)
}

/// A Docker daemon of the test's own on a port, which asks for a certificate of its authority.
struct Remote {
    daemon: Child,
    folder: TempDir,
    authority: Authority,
    port: u16,
}

impl Remote {
    fn start() -> Self {
        let folder = tempfile::Builder::new()
            .prefix("dockgate-remote-")
            .tempdir()
            .unwrap();
        let authority = Authority::new(&folder.path().join("certs"));
        authority.certs(&[
            "server",
            "daemon",
            "--san",
            "IP:127.0.0.1",
            "--san",
            "DNS:localhost",
        ]);
        authority.certs(&["client", "gate"]);
        // Given back at once; nobody else takes it within the moment.
        let port = std::net::TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        // Without one it would remove the bridge of the other daemon here.
        ip(&["link", "add", BRIDGE, "type", "bridge"]).ok("ip link add");
        ip(&["address", "add", "172.31.250.1/24", "dev", BRIDGE]).ok("ip address add");
        let mut command = dockerd(folder.path(), &authority, port);
        let daemon = command.spawn().expect("dockerd is there");
        let remote = Self {
            daemon,
            folder,
            authority,
            port,
        };
        wait::until("the remote daemon answers", || {
            let ping = b"GET /_ping HTTP/1.1\r\nHost: d\r\nConnection: close\r\n\r\n";
            http::send(&remote.direct(), ping)
                .ok()
                .filter(|answer| answer.status == 200)
        });
        remote
    }

    /// Past the gate, with the gate's certificate.
    fn direct(&self) -> Address {
        Address::Tls(
            format!("127.0.0.1:{}", self.port),
            self.authority.client("gate"),
        )
    }

    /// A gate before it, with these files of its own for the daemon.
    fn gate(&self, host: &str, ca: &Path, client: Option<&Path>) -> Gate {
        let client = client.map(|folder| {
            format!(
                ", certificate = {:?}, key = {:?}",
                folder.join("cert.pem"),
                folder.join("key.pem")
            )
        });
        let tls = format!(
            "daemon.tls = {{ ca = {ca:?}{} }}",
            client.unwrap_or_default()
        );
        let address = Address::Tcp(format!("{host}:{}", self.port));
        Setup::before(&address)
            .before_tables(&tls)
            .listen("guarded")
            .start()
    }
}

fn dockerd(folder: &Path, authority: &Authority, port: u16) -> Command {
    let here = |name: &str| folder.join(name);
    let mut command = Command::new("dockerd");
    command.args([
        "--tlsverify",
        "--bridge",
        BRIDGE,
        "--iptables=false",
        "--ip6tables=false",
    ]);
    command.arg("--tlscacert").arg(authority.file("ca.pem"));
    command
        .arg("--tlscert")
        .arg(authority.server("daemon").join("cert.pem"));
    command
        .arg("--tlskey")
        .arg(authority.server("daemon").join("key.pem"));
    command
        .arg("--data-root")
        .arg(here("data"))
        .arg("--exec-root")
        .arg(here("exec"));
    command
        .arg("--pidfile")
        .arg(here("pid"))
        .args(["--shutdown-timeout", "2"]);
    command.args(["--host", &format!("tcp://127.0.0.1:{port}")]);
    let log = fs::File::create(here("log")).unwrap();
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log);
    command
}

impl Drop for Remote {
    fn drop(&mut self) {
        let mut end = Command::new("kill");
        process::run(end.arg(self.daemon.id().to_string()), Vec::new(), DEADLINE);
        let ended = wait::within(DEADLINE, || self.daemon.try_wait().unwrap());
        if ended.is_none() {
            let _ = self.daemon.kill();
        }
        ip(&["link", "delete", BRIDGE]);
        if std::thread::panicking() {
            let log = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
            eprintln!("---- what the remote daemon wrote ----\n{log}");
        }
    }
}

#[test]
fn a_daemon_over_mutual_tls_is_guarded_like_any_other() {
    let remote = Remote::start();
    is_guarded(&remote);
    tells_where_there_is_no_trust(&remote);
    believes_the_authority_of_now(&remote);
    comes_with_the_certificate_of_now(&remote);
}

fn is_guarded(remote: &Remote) {
    let (ca, client) = (
        remote.authority.file("ca.pem"),
        remote.authority.client("gate"),
    );
    for host in ["127.0.0.1", "localhost"] {
        let gate = remote.gate(host, &ca, Some(&client));
        let docker = Docker::at(gate.address());
        let image = Docker::at(&engine::address()).run("save busybox").stdout;
        docker.run_with("load", image).ok("docker load");
        let bytes = noise(20 * 1024 * 1024);
        let sum = checksum(&bytes);
        let run = "run -i --rm --network none busybox";
        // It ends with its input: the half-close goes through both connections.
        let back = docker.run_with(format!("{run} cat"), bytes);
        back.ok("docker run -i");
        assert_eq!(checksum(&back.stdout), sum);
        assert_eq!(
            docker
                .run_with(format!("{run} sh -c 'cat; exit 7'"), b"x".to_vec())
                .status
                .code(),
            Some(7)
        );
        let told = docker.fails("run --rm --network none --privileged busybox true");
        assert!(told.contains("privileged"), "{told}");
    }
}

fn tells_where_there_is_no_trust(remote: &Remote) {
    let folder = tempfile::tempdir().unwrap();
    let other = Authority::new(&folder.path().join("certs"));
    other.certs(&["client", "gate"]);
    let (ca, client) = (
        remote.authority.file("ca.pem"),
        remote.authority.client("gate"),
    );
    // The last two are refused by the daemon, in TLS 1.3 only after the handshake.
    for (ca, client, status) in [
        (other.file("ca.pem"), Some(client), 503),
        (ca.clone(), None, 502),
        (ca, Some(other.client("gate")), 502),
    ] {
        let gate = remote.gate("127.0.0.1", &ca, client.as_deref());
        let answer = http::request(gate.address(), "GET", "/v1.41/images/json", "");
        assert_eq!(answer.status, status, "{}", answer.text());
        let address = format!("tcp://127.0.0.1:{}", remote.port);
        assert!(answer.message().contains(&address), "{}", answer.text());
        let is_told = answer.message().contains("certificate") || status == 502;
        assert!(is_told, "{}", answer.text());
    }
}

/// A connection to the daemon that an earlier authority vouched for is not used again after a reload.
fn believes_the_authority_of_now(remote: &Remote) {
    let folder = tempfile::tempdir().unwrap();
    let other = Authority::new(&folder.path().join("certs"));
    let ca = folder.path().join("ca.pem");
    fs::copy(remote.authority.file("ca.pem"), &ca).unwrap();
    let client = remote.authority.client("gate");
    let gate = remote.gate("localhost", &ca, Some(&client));
    let mut open = Kept::to(gate.address());
    assert_eq!(open.get("/v1.41/images/json"), 200);
    fs::copy(other.file("ca.pem"), &ca).unwrap();
    let reloaded = gate.says("INFO reloaded", 0);
    assert_eq!(open.get("/v1.41/images/json"), 503);
    fs::copy(remote.authority.file("ca.pem"), &ca).unwrap();
    gate.says("INFO reloaded", reloaded);
    assert_eq!(open.get("/v1.41/images/json"), 200);
}

/// The gate's own certificate for the daemon is read anew with a reload.
fn comes_with_the_certificate_of_now(remote: &Remote) {
    let folder = tempfile::tempdir().unwrap();
    let other = Authority::new(&folder.path().join("certs"));
    other.certs(&["client", "gate"]);
    remote.authority.certs(&["client", "renewed"]);
    let used = folder.path().join("used");
    fs::create_dir(&used).unwrap();
    let take = |from: &Path| {
        for name in ["cert.pem", "key.pem"] {
            fs::copy(from.join(name), used.join(name)).unwrap();
        }
    };
    take(&remote.authority.client("gate"));
    let gate = remote.gate("127.0.0.1", &remote.authority.file("ca.pem"), Some(&used));
    let mut open = Kept::to(gate.address());
    assert_eq!(open.get("/v1.41/images/json"), 200);
    take(&other.client("gate"));
    wait::until("the daemon turns the gate away", || {
        let answer = http::request(gate.address(), "GET", "/v1.41/images/json", "");
        (answer.status == 502).then_some(())
    });
    take(&remote.authority.client("renewed"));
    wait::until("the daemon lets the gate in again", || {
        let answer = http::request(gate.address(), "GET", "/v1.41/images/json", "");
        (answer.status == 200).then_some(())
    });
    assert_eq!(open.get("/v1.41/images/json"), 200);
}
