//! Who comes over TLS without a certificate that is good now is not heard; who comes with one is known by it.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use tempfile::TempDir;

use super::support::address::Address;
use super::support::certificates::Authority;
use super::support::docker::Docker;
use super::support::engine;
use super::support::fake_daemon::FakeDaemon;
use super::support::gate::{Gate, Setup};
use super::support::http;

/// A gate with mutual TLS before a fake daemon, and an authority of the test's own.
struct Place {
    folder: TempDir,
    authority: Authority,
    daemon: FakeDaemon,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::new(&folder.path().join("certs"));
        authority.certs(&["server", "gate", "--san", "IP:127.0.0.1"]);
        Self {
            folder,
            authority,
            daemon: FakeDaemon::start(),
        }
    }

    fn gate(&self) -> Gate {
        Setup::before(&self.daemon.address())
            .listen_tls(Some("open"), &self.authority)
            .start()
    }

    fn client(&self, arguments: &[&str]) -> std::path::PathBuf {
        self.authority.certs(&[&["client"], arguments].concat());
        self.authority.client(arguments[0])
    }

    /// Asserts that a client with the folder's certificate is cut off before anything is read from it.
    fn is_not_heard(&self, gate: &Gate, folder: &Path) {
        let address = gate.address().clone().with_client_certificate(folder);
        let request = b"GET /v1.41/images/json HTTP/1.1\r\nHost: d\r\nConnection: close\r\n\r\n";
        let answer = http::send(&address, request);
        assert!(answer.is_err(), "{answer:?}");
        assert_eq!(self.daemon.take().len(), 0);
        assert_eq!(
            gate.audit()
                .iter()
                .filter(|record| record["decision"] == "permit")
                .count(),
            0
        );
        // And no other client is the worse for it.
        let good = self.authority.client("good");
        if !good.exists() {
            self.client(&["good"]);
        }
        self.is_heard(gate, &good);
    }

    fn is_heard(&self, gate: &Gate, folder: &Path) {
        let address = gate.address().clone().with_client_certificate(folder);
        let answer = http::request(&address, "GET", "/v1.41/images/json", "");
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(self.daemon.take().len(), 1);
    }
}

#[test]
fn a_client_without_a_certificate_is_not_heard() {
    let place = Place::new();
    let folder = place.folder.path().join("nobody");
    fs::create_dir(&folder).unwrap();
    fs::copy(place.authority.file("ca.pem"), folder.join("ca.pem")).unwrap();
    place.is_not_heard(&place.gate(), &folder);
}

#[test]
fn a_client_of_another_authority_is_not_heard() {
    let place = Place::new();
    let other = Authority::new(&place.folder.path().join("other"));
    other.certs(&["client", "stranger"]);
    let folder = other.client("stranger");
    // It trusts the gate, so that it is the gate that refuses.
    fs::copy(place.authority.file("ca.pem"), folder.join("ca.pem")).unwrap();
    place.is_not_heard(&place.gate(), &folder);
}

#[test]
fn a_client_with_an_expired_certificate_is_not_heard() {
    let place = Place::new();
    let folder = place.client(&["late", "--days", "0"]);
    place.is_not_heard(&place.gate(), &folder);
}

#[test]
fn a_client_with_a_revoked_certificate_is_not_heard() {
    let place = Place::new();
    let folder = place.client(&["former"]);
    place.is_heard(&place.gate(), &folder);
    place.authority.certs(&["revoke", "former"]);
    place.is_not_heard(&place.gate(), &folder);
}

#[test]
fn a_client_with_a_servers_certificate_is_not_heard() {
    let place = Place::new();
    let folder = place.authority.server("gate");
    place.is_not_heard(&place.gate(), &folder);
}

#[test]
fn a_client_without_tls_is_not_heard() {
    let place = Place::new();
    let gate = place.gate();
    let plain = Address::Tcp(
        gate.address()
            .to_string()
            .trim_start_matches("tcp://")
            .to_owned(),
    );
    let answer = http::send(
        &plain,
        b"GET /v1.41/images/json HTTP/1.1\r\nHost: d\r\n\r\n",
    );
    assert!(answer.is_err(), "{answer:?}");
    assert_eq!(place.daemon.take().len(), 0);
}

#[test]
fn a_right_certificate_is_heard_over_both_versions_of_tls() {
    let place = Place::new();
    let folder = place.client(&["right", "--days", "1"]);
    let gate = place.gate();
    place.is_heard(&gate, &folder);
    for version in ["--tls-max 1.2", "--tlsv1.3"] {
        let mut curl = std::process::Command::new("curl");
        curl.args(["-sS", "--fail", "--cacert"])
            .arg(folder.join("ca.pem"))
            .args(version.split(' '));
        curl.arg("--cert")
            .arg(folder.join("cert.pem"))
            .arg("--key")
            .arg(folder.join("key.pem"));
        curl.arg(gate.address().to_string().replace("tcp://", "https://") + "/_ping");
        let ended =
            super::support::process::run(&mut curl, Vec::new(), super::support::wait::DEADLINE);
        assert_eq!(ended.ok("curl"), "OK");
    }
    let mut curl = std::process::Command::new("curl");
    curl.args(["-sS", "--tls-max", "1.1", "--insecure"]);
    curl.arg(gate.address().to_string().replace("tcp://", "https://") + "/_ping");
    let ended = super::support::process::run(&mut curl, Vec::new(), super::support::wait::DEADLINE);
    ended.failed("curl with TLS 1.1");
}

#[test]
fn a_client_gets_the_policy_of_its_certificate() {
    let place = Place::new();
    place
        .authority
        .certs(&["client", "ci-7", "--organization", "acme"]);
    place.authority.certs(&[
        "client",
        "reader",
        "--organization",
        "acme",
        "--san",
        "URI:spiffe://acme/reader",
    ]);
    place.authority.certs(&["client", "stranger"]);
    let gate = Setup::before(&place.daemon.address())
        .listen_tls(None, &place.authority)
        .plus("[[client]]\nname = \"ci\"\nmatch = { common-name = \"ci-*\" }\npolicy = \"open\"")
        .plus("[[client]]\nname = \"readers\"\nmatch = { uri = \"spiffe://acme/*\" }\npolicy = \"read-only\"")
        .start();
    let asks = |client: &str, method: &str, target: &str| {
        let address = gate
            .address()
            .clone()
            .with_client_certificate(&place.authority.client(client));
        http::request(
            &address,
            method,
            target,
            if method == "POST" { "{}" } else { "" },
        )
        .status
    };
    assert_eq!(asks("ci-7", "POST", "/v1.41/volumes/create"), 200);
    assert_eq!(asks("reader", "GET", "/v1.41/images/json"), 200);
    assert_eq!(asks("reader", "POST", "/v1.41/volumes/create"), 403);
    place.daemon.take();
    let stranger = gate
        .address()
        .clone()
        .with_client_certificate(&place.authority.client("stranger"));
    let mut connection = stranger.connect().unwrap();
    let _ = connection
        .write_all(b"GET /v1.41/images/json HTTP/1.1\r\nHost: d\r\nConnection: close\r\n\r\n");
    let answer = http::read_answer(&mut std::io::BufReader::new(connection), false);
    assert!(
        answer.as_ref().is_ok_and(|answer| answer.status == 403) || answer.is_err(),
        "{answer:?}"
    );
    assert_eq!(place.daemon.take().len(), 0);

    let record = gate
        .audit()
        .into_iter()
        .find(|record| record.to_string().contains("ci-7"));
    assert!(
        record.is_some_and(|record| record["decision"] == "permit"),
        "{:?}",
        gate.audit()
    );
}

#[test]
fn the_docker_cli_says_why_it_is_not_let_in() {
    let place = Place::new();
    let other = Authority::new(&place.folder.path().join("other"));
    other.certs(&["client", "stranger"]);
    fs::copy(
        place.authority.file("ca.pem"),
        other.client("stranger").join("ca.pem"),
    )
    .unwrap();
    let gate = Setup::before(&engine::address())
        .listen_tls(Some("guarded"), &place.authority)
        .start();
    let stranger = gate
        .address()
        .clone()
        .with_client_certificate(&other.client("stranger"));
    let told = Docker::at(&stranger).fails("ps");
    assert!(
        told.contains("tls") || told.contains("certificate"),
        "{told}"
    );
    place.authority.certs(&["client", "friend"]);
    let friend = gate
        .address()
        .clone()
        .with_client_certificate(&place.authority.client("friend"));
    Docker::at(&friend).ok("ps");
}
