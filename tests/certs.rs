//! The certificates that `dockgate certs` makes: what openssl thinks of them, and what the gate's listener does.

mod handshakes;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use clap::Parser;
use dockgate::command::certs::{self, CertsArguments};
use dockgate::daemon::tls::{DaemonTlsFiles, client_config};
use dockgate::proxy::tls::{ListenerTlsFiles, server_config};
use rustls::{ClientConfig, ServerConfig};
use tempfile::TempDir;

#[derive(Parser)]
struct CommandLine {
    #[command(flatten)]
    certs: CertsArguments,
}

struct Authority {
    folder: TempDir,
}

impl Authority {
    fn new() -> Self {
        let authority = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        authority.run(&["init"]).unwrap();
        authority.run(&["server", "gate"]).unwrap();
        authority
    }

    fn run(&self, arguments: &[&str]) -> Result<String, String> {
        let root = self.folder.path().to_str().unwrap();
        let mut words = vec!["certs"];
        words.extend(arguments);
        words.extend(["--out", root]);
        let line = CommandLine::try_parse_from(words).map_err(|error| error.to_string())?;
        certs::report(&line.certs).map_err(|error| error.to_string())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn mode(&self, name: &str) -> u32 {
        fs::metadata(self.path(name)).unwrap().permissions().mode() & 0o7777
    }

    fn server(&self) -> Arc<ServerConfig> {
        self.server_with_lists(&[self.path("crl.pem")])
    }

    fn server_with_lists(&self, revocation_lists: &[PathBuf]) -> Arc<ServerConfig> {
        server_config(ListenerTlsFiles {
            certificate: &self.path("server/gate/cert.pem"),
            key: &self.path("server/gate/key.pem"),
            client_authority: &self.path("ca.pem"),
            revocation_lists,
        })
        .unwrap()
        .config
    }

    /// A client that trusts this authority and shows the certificate in `folder`.
    fn client(&self, folder: Option<&Path>) -> Arc<ClientConfig> {
        let files = folder.map(|folder| (folder.join("cert.pem"), folder.join("key.pem")));
        client_config(DaemonTlsFiles {
            authority: &self.path("ca.pem"),
            client: files
                .as_ref()
                .map(|(certificate, key)| (certificate.as_path(), key.as_path())),
        })
        .unwrap()
    }

    fn made_client(&self, name: &str, more: &[&str]) -> Arc<ClientConfig> {
        let mut arguments = vec!["client", name];
        arguments.extend(more);
        self.run(&arguments).unwrap();
        self.client(Some(&self.path(&format!("client/{name}"))))
    }

    fn verify(&self, certificate: &str, purpose: &str) -> Result<(), String> {
        let output = Command::new("openssl")
            .args(["verify", "-crl_check", "-x509_strict", "-purpose", purpose])
            .arg("-CAfile")
            .arg(self.path("ca.pem"))
            .arg("-CRLfile")
            .arg(self.path("crl.pem"))
            .arg(self.path(certificate))
            .output()
            .unwrap();
        if output.status.success() {
            return Ok(());
        }
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

#[test]
fn openssl_accepts_what_was_made_for_its_purpose_only() {
    let authority = Authority::new();
    authority.run(&["client", "ci"]).unwrap();

    authority
        .verify("server/gate/cert.pem", "sslserver")
        .unwrap();
    authority.verify("client/ci/cert.pem", "sslclient").unwrap();
    authority
        .verify("client/ci/cert.pem", "sslserver")
        .unwrap_err();
    authority
        .verify("server/gate/cert.pem", "sslclient")
        .unwrap_err();
}

#[test]
fn openssl_refuses_what_was_revoked_or_has_expired() {
    let authority = Authority::new();
    authority.run(&["client", "ci"]).unwrap();
    authority.run(&["client", "old", "--days", "0"]).unwrap();

    let expired = authority
        .verify("client/old/cert.pem", "sslclient")
        .unwrap_err();
    assert!(expired.contains("expired"), "{expired}");

    authority.run(&["revoke", "ci"]).unwrap();
    let revoked = authority
        .verify("client/ci/cert.pem", "sslclient")
        .unwrap_err();
    assert!(revoked.contains("revoked"), "{revoked}");
}

#[test]
fn private_keys_are_private_and_folders_of_clients_too() {
    let authority = Authority::new();
    authority.run(&["client", "ci"]).unwrap();
    for (name, mode) in [
        ("ca-key.pem", 0o600),
        ("issued.jsonl", 0o600),
        ("server/gate", 0o700),
        ("server/gate/key.pem", 0o600),
        ("client/ci", 0o700),
        ("client/ci/key.pem", 0o600),
    ] {
        assert_eq!(authority.mode(name), mode, "{name}");
    }
    let mut names: Vec<String> = fs::read_dir(authority.path("client/ci"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["ca.pem", "cert.pem", "key.pem"]);
}

#[test]
fn replaces_nothing_unless_forced() {
    let authority = Authority::new();
    authority.run(&["client", "ci"]).unwrap();
    let before = fs::read(authority.path("client/ci/cert.pem")).unwrap();
    let certificate = fs::read(authority.path("ca.pem")).unwrap();

    for arguments in [&["init"][..], &["client", "ci"]] {
        let error = authority.run(arguments).unwrap_err();
        assert!(error.contains("--force"), "{error}");
    }
    assert_eq!(
        fs::read(authority.path("client/ci/cert.pem")).unwrap(),
        before
    );

    authority.run(&["client", "ci", "--force"]).unwrap();
    assert_ne!(
        fs::read(authority.path("client/ci/cert.pem")).unwrap(),
        before
    );
    assert_eq!(fs::read_dir(authority.path("client")).unwrap().count(), 1);

    authority.run(&["init", "--force"]).unwrap();
    assert_ne!(fs::read(authority.path("ca.pem")).unwrap(), certificate);
    let orphan = authority.run(&["revoke", "ci"]).unwrap_err();
    assert!(
        orphan.contains("has issued no such certificate"),
        "{orphan}"
    );
}

#[test]
fn says_what_comes_next_and_what_is_wrong() {
    let authority = Authority::new();
    let made = authority.run(&["client", "ci"]).unwrap();
    for line in [
        "export DOCKER_HOST=tcp://localhost:2376",
        "export DOCKER_TLS_VERIFY=1",
        "export DOCKER_CERT_PATH=",
    ] {
        assert!(made.contains(line), "{made}");
    }
    for (arguments, cause) in [
        (&["client", "../ci"][..], "a name has letters"),
        (&["client", "b", "--san", "ci"], "write DNS:"),
        (&["client", "b", "--days", "-1"], "unexpected argument"),
        (&["revoke", "nobody"], "no such certificate: `nobody`"),
    ] {
        let error = authority.run(arguments).unwrap_err();
        assert!(error.contains(cause), "{error}");
    }
    let elsewhere = Authority {
        folder: tempfile::tempdir().unwrap(),
    };
    let error = elsewhere.run(&["client", "ci"]).unwrap_err();
    assert!(error.contains("dockgate certs init"), "{error}");
}

#[test]
fn a_key_of_another_authority_is_not_used() {
    let (authority, other) = (Authority::new(), Authority::new());
    fs::copy(other.path("ca-key.pem"), authority.path("ca-key.pem")).unwrap();
    let error = authority.run(&["client", "ci"]).unwrap_err();
    assert!(error.contains("is not the key of"), "{error}");
}
