//! Which clients the gate's TLS listener accepts.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use dockgate::daemon::tls::server_name;
use dockgate::policy::client::Certificate;
use dockgate::proxy::client_identity;
use dockgate::proxy::tls::{ListenerTlsFiles, server_config};
use dockgate::tls_files;
use rustls::client::Resumption;
use rustls::server::ServerSessionMemoryCache;
use rustls::{ClientConfig, ClientConnection, HandshakeKind, ServerConfig, ServerConnection};

use super::Authority;

#[derive(Debug)]
struct Accepted {
    certificate: Certificate,
    kind: HandshakeKind,
}

/// What the server makes of a client that connects, sends a byte and waits for one.
fn connect(server: &Arc<ServerConfig>, client: &Arc<ClientConfig>) -> Result<Accepted, String> {
    let (mut near, mut far) = UnixStream::pair().unwrap();
    for stream in [&near, &far] {
        stream
            .set_read_timeout(Some(Duration::from_secs(10)))
            .unwrap();
    }
    let name = server_name("localhost").unwrap();
    let mut client = ClientConnection::new(Arc::clone(client), name).unwrap();
    let asking = std::thread::spawn(move || {
        let mut stream = rustls::Stream::new(&mut client, &mut far);
        stream.write_all(b"?")?;
        let mut answer = [0];
        stream.read_exact(&mut answer)
    });
    let mut connection = ServerConnection::new(Arc::clone(server)).unwrap();
    let served = serve(&mut connection, &mut near);
    drop(near);
    let answered = asking.join().unwrap();
    assert_eq!(served.is_ok(), answered.is_ok(), "{served:?} {answered:?}");
    served
}

fn serve(connection: &mut ServerConnection, stream: &mut UnixStream) -> Result<Accepted, String> {
    while connection.is_handshaking() {
        connection
            .complete_io(stream)
            .map_err(|error| error.to_string())?;
    }
    let mut stream = rustls::Stream::new(connection, stream);
    let mut question = [0];
    stream
        .read_exact(&mut question)
        .map_err(|error| error.to_string())?;
    stream.write_all(b"!").map_err(|error| error.to_string())?;
    let leaf = &connection.peer_certificates().unwrap()[0];
    Ok(Accepted {
        certificate: client_identity::certificate(leaf).unwrap(),
        kind: connection.handshake_kind().unwrap(),
    })
}

fn refused(server: &Arc<ServerConfig>, client: &Arc<ClientConfig>, cause: &str) {
    let error = connect(server, client).unwrap_err();
    assert!(error.contains(cause), "`{error}` does not say `{cause}`");
}

#[test]
fn the_right_client_is_accepted_under_all_its_names() {
    let authority = Authority::new();
    let client = authority.made_client(
        "ci-7",
        &[
            "--organization",
            "acme",
            "--organizational-unit",
            "build",
            "--san",
            "DNS:runner.example",
            "--san",
            "EMAIL:ci@acme.example",
            "--san",
            "URI:spiffe://acme/ci",
        ],
    );

    let Certificate {
        common_name,
        organizations,
        organizational_units,
        dns,
        emails,
        uris,
        serial,
        ..
    } = connect(&authority.server(), &client).unwrap().certificate;

    assert_eq!(common_name.as_deref(), Some("ci-7"));
    assert_eq!(organizations, ["acme"]);
    assert_eq!(organizational_units, ["build"]);
    assert_eq!(dns, ["runner.example"]);
    assert_eq!(emails, ["ci@acme.example"]);
    assert_eq!(uris, ["spiffe://acme/ci"]);
    let index = fs::read_to_string(authority.path("issued.jsonl")).unwrap();
    assert!(
        index.lines().last().unwrap().contains(&serial),
        "{index} {serial}"
    );
}

#[test]
fn a_client_without_a_certificate_is_refused() {
    let authority = Authority::new();
    refused(
        &authority.server(),
        &authority.client(None),
        "no certificates",
    );
}

#[test]
fn a_client_of_another_authority_is_refused() {
    let (authority, other) = (Authority::new(), Authority::new());
    other.run(&["client", "ci"]).unwrap();
    let client = authority.client(Some(&other.path("client/ci")));
    refused(&authority.server(), &client, "UnknownIssuer");
}

#[test]
fn a_client_whose_certificate_has_expired_is_refused() {
    let authority = Authority::new();
    let client = authority.made_client("old", &["--days", "0"]);
    refused(&authority.server(), &client, "expired");
}

#[test]
fn a_certificate_for_servers_is_refused_as_a_client() {
    let authority = Authority::new();
    let client = authority.client(Some(&authority.path("server/gate")));
    refused(
        &authority.server(),
        &client,
        "does not allow extended key usage",
    );
}

#[test]
fn a_revoked_client_is_refused_and_others_are_not() {
    let authority = Authority::new();
    let (bad, good) = (
        authority.made_client("bad", &[]),
        authority.made_client("good", &[]),
    );
    connect(&authority.server(), &bad).unwrap();

    let report = authority.run(&["revoke", "bad"]).unwrap();

    assert!(report.contains("list number 2, with 1 entry"), "{report}");
    refused(&authority.server(), &bad, "Revoked");
    connect(&authority.server(), &good).unwrap();
    let report = authority.run(&["revoke", "good"]).unwrap();
    assert!(report.contains("list number 3, with 2 entries"), "{report}");
    refused(&authority.server(), &bad, "Revoked");
    refused(&authority.server(), &good, "Revoked");
}

#[test]
fn revoking_a_name_revokes_all_that_was_issued_under_it() {
    let authority = Authority::new();
    let first = authority.made_client("ci", &[]);
    let second = authority.made_client("ci", &["--force"]);
    connect(&authority.server(), &first).unwrap();
    authority.run(&["revoke", "ci"]).unwrap();
    refused(&authority.server(), &first, "Revoked");
    refused(&authority.server(), &second, "Revoked");
}

#[test]
fn a_serial_or_kind_narrows_what_is_revoked() {
    let authority = Authority::new();
    let server = authority.server();
    let first = authority.made_client("gate", &[]);
    let serial = connect(&server, &first).unwrap().certificate.serial;
    let second = authority.made_client("gate", &["--force"]);

    let error = authority.run(&["revoke", "gate"]).unwrap_err();
    assert!(error.contains("--kind"), "{error}");
    authority
        .run(&["revoke", "gate", "--serial", &serial.to_uppercase()])
        .unwrap();

    refused(&authority.server(), &first, "Revoked");
    connect(&authority.server(), &second).unwrap();
    authority
        .verify("server/gate/cert.pem", "sslserver")
        .unwrap();
    authority
        .run(&["revoke", "gate", "--kind", "server"])
        .unwrap();
    authority
        .verify("server/gate/cert.pem", "sslserver")
        .unwrap_err();
}

#[test]
fn clients_that_no_list_covers_are_refused() {
    let (authority, other) = (Authority::new(), Authority::new());
    let client = authority.made_client("ci", &[]);
    let server = authority.server_with_lists(&[other.path("crl.pem")]);
    refused(&server, &client, "UnknownRevocationStatus");
    let server = authority.server_with_lists(&[other.path("crl.pem"), authority.path("crl.pem")]);
    connect(&server, &client).unwrap();
    connect(&authority.server_with_lists(&[]), &client).unwrap();
}

#[test]
fn a_list_past_its_end_refuses_all() {
    let authority = Authority::new();
    let client = authority.made_client("ci", &[]);
    let key = rcgen::KeyPair::from_pem(&fs::read_to_string(authority.path("ca-key.pem")).unwrap());
    let certificate = fs::read_to_string(authority.path("ca.pem")).unwrap();
    let issuer = rcgen::Issuer::from_ca_cert_pem(&certificate, key.unwrap()).unwrap();
    let list = rcgen::CertificateRevocationListParams {
        this_update: rcgen::date_time_ymd(2024, 1, 1),
        next_update: rcgen::date_time_ymd(2024, 1, 2),
        crl_number: 9.into(),
        issuing_distribution_point: None,
        revoked_certs: vec![],
        key_identifier_method: rcgen::KeyIdMethod::Sha256,
    };
    let list = list.signed_by(&issuer).unwrap().pem().unwrap();
    fs::write(authority.path("crl.pem"), list).unwrap();
    refused(&authority.server(), &client, "revocation list expired");
}

#[test]
fn sessions_are_never_resumed() {
    let authority = Authority::new();
    let mut client = (*authority.made_client("ci", &[])).clone();
    client.resumption = Resumption::in_memory_sessions(8);
    let client = Arc::new(client);
    let kinds = |server: &Arc<ServerConfig>| [0, 1].map(|_| connect(server, &client).unwrap().kind);

    assert!(!kinds(&authority.server()).contains(&HandshakeKind::Resumed));

    let mut resuming = (*authority.server()).clone();
    resuming.session_storage = ServerSessionMemoryCache::new(8);
    resuming.send_tls13_tickets = 2;
    assert!(
        kinds(&Arc::new(resuming)).contains(&HandshakeKind::Resumed),
        "this client would resume"
    );
}

#[test]
fn both_versions_of_tls_are_spoken() {
    let authority = Authority::new();
    authority.run(&["client", "ci"]).unwrap();
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let client = client_of_version(&authority, version);
        connect(&authority.server(), &client).unwrap();
    }
}

#[test]
fn a_client_that_offers_protocols_must_offer_http_1_1() {
    let authority = Authority::new();
    let mut client = (*authority.made_client("ci", &[])).clone();
    client.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    connect(&authority.server(), &Arc::new(client.clone())).unwrap();
    client.alpn_protocols = vec![b"h2".to_vec()];
    connect(&authority.server(), &Arc::new(client)).unwrap_err();
}

#[test]
fn a_daemon_of_another_authority_is_refused() {
    let (authority, other) = (Authority::new(), Authority::new());
    other.run(&["client", "ci"]).unwrap();
    let client = other.client(Some(&other.path("client/ci")));
    connect(&authority.server(), &client).unwrap_err();
}

#[test]
fn faults_in_files_are_named() {
    let (authority, other) = (Authority::new(), Authority::new());
    let files = |key: &Path, list: &Path| {
        let certificate = authority.path("server/gate/cert.pem");
        let error = server_config(ListenerTlsFiles {
            certificate: &certificate,
            key,
            client_authority: &authority.path("ca.pem"),
            revocation_lists: &[list.to_owned()],
        })
        .unwrap_err();
        error.to_string()
    };
    let (key, list) = (
        authority.path("server/gate/key.pem"),
        authority.path("crl.pem"),
    );
    let foreign_key = files(&other.path("server/gate/key.pem"), &list);
    assert!(foreign_key.contains("cert.pem"), "{foreign_key}");
    let no_list = files(&key, &authority.path("ca.pem"));
    assert!(
        no_list.contains("ca.pem") && no_list.contains("no revocation list"),
        "{no_list}"
    );
    let torn = "-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n";
    fs::write(authority.path("torn.pem"), torn).unwrap();
    let torn = files(&key, &authority.path("torn.pem"));
    assert!(torn.contains("torn.pem"), "{torn}");
}

fn client_of_version(
    authority: &Authority,
    version: &'static rustls::SupportedProtocolVersion,
) -> Arc<ClientConfig> {
    let folder = authority.path("client/ci");
    let config = ClientConfig::builder_with_provider(tls_files::crypto_provider())
        .with_protocol_versions(&[version])
        .unwrap()
        .with_root_certificates(tls_files::authorities(&authority.path("ca.pem")).unwrap())
        .with_client_auth_cert(
            tls_files::certificates(&folder.join("cert.pem")).unwrap(),
            tls_files::private_key(&folder.join("key.pem")).unwrap(),
        );
    Arc::new(config.unwrap())
}
