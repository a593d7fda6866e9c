//! Who a client is: keys and ids in certificates, groups of processes, sources, and whom each makes an owner.

mod containers;

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::support::address::Address;
use super::support::certificates::Authority;
use super::support::fake_daemon::FakeDaemon;
use super::support::gate::{Gate, Setup};
use super::support::process;
use super::support::wait::DEADLINE;
use super::support::{self, engine, http};

const LIST: &str = "/v1.41/images/json";

fn client(name: &str, matches: &str, more: &str) -> String {
    format!("[[client]]\nname = '{name}'\nmatch = {{ {matches} }}\npolicy = 'read-only'\n{more}\n")
}

/// The status of a list, 0 where the gate ends the connection without an answer.
fn asks(address: &Address) -> u16 {
    let request = format!("GET {LIST} HTTP/1.1\r\nHost: d\r\nConnection: close\r\n\r\n");
    http::send(address, request.as_bytes()).map_or(0, |answer| answer.status)
}

fn openssl(arguments: &[&str], input: Vec<u8>) -> Vec<u8> {
    let ended = process::run(Command::new("openssl").args(arguments), input, DEADLINE);
    ended.ok("openssl");
    ended.stdout
}

#[test]
fn a_certificate_is_known_by_the_hash_of_its_public_key_as_openssl_tells_it() {
    let (daemon, folder) = (FakeDaemon::start(), tempfile::tempdir().unwrap());
    let authority = Authority::new(&folder.path().join("certs"));
    authority.certs(&["server", "gate", "--san", "IP:127.0.0.1"]);
    authority.certs(&["client", "one"]);
    authority.certs(&["client", "two"]);
    let certificate = fs::read(authority.client("one").join("cert.pem")).unwrap();
    let key = openssl(&["x509", "-pubkey", "-noout"], certificate);
    let der = openssl(&["pkey", "-pubin", "-outform", "der"], key);
    let told = openssl(&["dgst", "-sha256", "-c"], der);
    let told = String::from_utf8(told).unwrap();
    let pin = told.trim().rsplit(' ').next().unwrap();
    assert_eq!(pin.len(), 95, "{told}");
    let whole = pin.replace(':', "").to_uppercase();
    for (rule, statuses) in [
        (format!("public-key = '{pin}'"), [200, 403]),
        (format!("public-key = '{whole}'"), [200, 403]),
        (
            format!("public-key = '{pin}', common-name = 'two'"),
            [403, 403],
        ),
        (format!("fingerprint = '{pin}'"), [403, 403]),
    ] {
        let setup = Setup::before(&daemon.address()).listen_tls(None, &authority);
        let gate = setup.plus(&client("pinned", &rule, "")).start();
        let as_client = |name: &str| {
            let address = gate.address().clone();
            asks(&address.with_client_certificate(&authority.client(name)))
        };
        assert_eq!(["one", "two"].map(as_client), statuses, "{rule}");
    }
}

#[test]
fn a_workload_is_known_by_its_only_uri() {
    let (daemon, folder) = (FakeDaemon::start(), tempfile::tempdir().unwrap());
    let authority = Authority::new(&folder.path().join("certs"));
    authority.certs(&["server", "gate", "--san", "IP:127.0.0.1"]);
    for (name, uris) in [
        ("ci", &["URI:spiffe://acme/ci"][..]),
        ("both", &["URI:spiffe://acme/ci", "URI:spiffe://acme/admin"]),
        ("other", &["URI:https://acme/ci"]),
        ("root", &["URI:spiffe://acme"]),
    ] {
        let sans = uris.iter().flat_map(|uri| ["--san", uri]);
        let arguments: Vec<&str> = ["client", name].into_iter().chain(sans).collect();
        authority.certs(&arguments);
    }
    let gate = Setup::before(&daemon.address())
        .listen_tls(None, &authority)
        .plus(&client(
            "workload",
            "spiffe-id = 'spiffe://acme/*'",
            "owner = '{spiffe-id}'",
        ))
        .start();
    let as_client = |name: &str| {
        let address = gate.address().clone();
        asks(&address.with_client_certificate(&authority.client(name)))
    };
    assert_eq!(
        ["ci", "both", "other", "root"].map(as_client),
        [200, 403, 403, 403]
    );
    let record = permitted(&gate);
    assert_eq!(record["client"]["owner"], "spiffe://acme/ci");
    assert_eq!(record["client"]["spiffe_id"], "spiffe://acme/ci");
    assert_eq!(record["client"]["source"], "127.0.0.1");
}

/// The first decision that permits something.
fn permitted(gate: &Gate) -> Value {
    let mut records = gate.audit().into_iter();
    let found = records.find(|record| record["decision"] == "permit");
    found.unwrap_or_else(|| panic!("nothing is permitted: {:?}", gate.audit()))
}

/// A listener on a Unix socket that everybody may reach.
fn socket(folder: &Path) -> String {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).unwrap();
    let path = folder.join("gate.sock");
    format!(
        "[[listener]]\naddress = 'unix://{}'\nmode = '0666'\n",
        path.display()
    )
}

/// A gate with one listener, that the text gives itself.
fn gate(daemon: &Address, text: &str) -> Gate {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("dockgate.toml");
    let audit = folder.path().join("audit.jsonl");
    let ends = format!(
        "daemon.address = '{daemon}'\naudit.file = '{}'\n",
        audit.display()
    );
    fs::write(&file, ends + text).unwrap();
    let mut command = Command::new(support::certificates::DOCKGATE);
    command
        .args(["serve", "--config"])
        .arg(file)
        .env_remove("DOCKER_HOST");
    Gate::start(&mut command, folder, 1)
}

/// The status that a process with these groups gets, `000` for none.
fn asks_in_groups(gate: &Gate, gid: u32, groups: &[u32]) -> String {
    let groups: Vec<String> = groups.iter().map(u32::to_string).collect();
    let mut setpriv = Command::new("setpriv");
    setpriv.args(["--reuid=4242", &format!("--regid={gid}")]);
    if groups.is_empty() {
        setpriv.arg("--clear-groups");
    } else {
        setpriv.arg(format!("--groups={}", groups.join(",")));
    }
    setpriv.args([
        "curl",
        "-s",
        "-o",
        "/dev/null",
        "-w",
        "%{http_code}",
        "--unix-socket",
    ]);
    setpriv
        .arg(gate.address().unix_path())
        .arg(format!("http://d{LIST}"));
    process::run(&mut setpriv, Vec::new(), DEADLINE).text()
}

#[test]
fn a_gid_is_any_group_that_the_process_has_when_it_connects() {
    let (daemon, folder) = (FakeDaemon::start(), tempfile::tempdir().unwrap());
    let text = socket(folder.path()) + &client("group", "gid = 4300", "owner = 'user-{uid}'");
    let gate = gate(&daemon.address(), &text);
    let many = |count: u32, last: u32| {
        let mut groups: Vec<u32> = (10_000..10_000 + count - 1).collect();
        groups.push(last);
        groups
    };
    for (gid, groups, status) in [
        (4300, vec![], "200"),
        (4242, vec![4300], "200"),
        (4242, vec![1, 4300, 5000], "200"),
        (4242, many(200, 99_999), "403"),
        (4242, vec![], "403"),
        (4242, vec![4301, 430], "403"),
    ] {
        assert_eq!(
            asks_in_groups(&gate, gid, &groups),
            status,
            "{gid} {groups:?}"
        );
    }
    // More than fit at first, and the first of them is the one.
    assert_eq!(asks_in_groups(&gate, 4242, &many(200, 4300)), "200");
    let record = permitted(&gate);
    assert_eq!(record["client"]["owner"], "user-4242");
    let too_many = asks_in_groups(&gate, 4242, &many(5000, 4300));
    assert_eq!(too_many, "000");
    let refused = gate.audit().into_iter().rev();
    let mut refused = refused.filter(|record| record["event"] == "connection-refused");
    let reason = refused.next().unwrap()["reason"].clone();
    assert_eq!(reason["code"], "no-identity");
    assert!(
        reason["message"].as_str().unwrap().contains("4096 groups"),
        "{reason}"
    );
}

#[test]
fn a_source_is_known_over_both_families() {
    let daemon = FakeDaemon::start();
    let port = |gate: &Gate| {
        gate.address()
            .to_string()
            .rsplit(':')
            .next()
            .unwrap()
            .to_owned()
    };
    for (listen, call, range, status) in [
        ("127.0.0.1", "127.0.0.1", "127.0.0.0/8", 200),
        ("127.0.0.1", "127.0.0.1", "10.0.0.0/8", 403),
        ("127.0.0.1", "127.0.0.1", "::/0", 403),
        // An IPv4 client of a socket for both is `::ffff:127.0.0.1` there.
        ("[::]", "127.0.0.1", "127.0.0.1", 200),
        ("[::]", "127.0.0.1", "::ffff:127.0.0.0/104", 200),
        ("[::]", "127.0.0.1", "::/0", 403),
        ("[::]", "[::1]", "::1", 200),
        ("[::]", "[::1]", "0.0.0.0/0", 403),
    ] {
        let listener = format!(
            "[[listener]]\naddress = 'tcp://{listen}:0'\ndangerously-allow-plain-tcp = true\n"
        );
        let rule = client("near", &format!("source = ['192.0.2.0/24', '{range}']"), "");
        let gate = gate(&daemon.address(), &(listener + &rule));
        let address = Address::Tcp(format!("{call}:{}", port(&gate)));
        assert_eq!(asks(&address), status, "{listen} {call} {range}");
    }
}

#[test]
fn who_has_no_name_for_an_owner_is_refused_when_it_connects() {
    let (daemon, folder) = (FakeDaemon::start(), tempfile::tempdir().unwrap());
    let authority = Authority::new(&folder.path().join("certs"));
    authority.certs(&["server", "gate", "--san", "IP:127.0.0.1"]);
    let long = "x".repeat(64);
    authority.certs(&["client", "plain"]);
    authority.certs(&["client", "named", "--san", "DNS:named.example"]);
    authority.certs(&[
        "client",
        "twice",
        "--san",
        "DNS:a.example",
        "--san",
        "DNS:b.example",
    ]);
    authority.certs(&["client", &long, "--san", "DNS:c.example"]);
    let template = format!("{}{{dns}}", "y".repeat(244));
    for (owner, statuses) in [
        ("team/{dns}", [403, 200, 403, 200]),
        // With `named.example` it is a byte too long, with `c.example` it is not.
        (template.as_str(), [403, 403, 403, 200]),
        ("{uid}", [403, 403, 403, 403]),
    ] {
        let gate = Setup::before(&daemon.address())
            .listen_tls(None, &authority)
            .plus(&client(
                "some",
                "common-name = '*'",
                &format!("owner = '{owner}'"),
            ))
            .start();
        let as_client = |name: &str| {
            let address = gate.address().clone();
            asks(&address.with_client_certificate(&authority.client(name)))
        };
        let clients = ["plain", "named", "twice", &long];
        assert_eq!(clients.map(as_client), statuses, "{owner}");
        let audit = gate.audit();
        let refused = audit
            .iter()
            .filter(|record| record["reason"]["code"] == "no-owner");
        let count = statuses.iter().filter(|status| **status == 403).count();
        assert_eq!(refused.count(), count, "{audit:?}");
        let told = "nothing names the owner of what it makes";
        support::wait::until("a line in the log", || {
            gate.output().contains(told).then_some(())
        });
        let owners = audit
            .iter()
            .filter_map(|record| record["client"]["owner"].as_str());
        assert!(owners.clone().all(|owner| owner.len() > 5), "{audit:?}");
    }
}

#[test]
fn a_client_is_known_by_its_unit_its_email_and_its_listener() {
    let (daemon, folder) = (FakeDaemon::start(), tempfile::tempdir().unwrap());
    let authority = Authority::new(&folder.path().join("certs"));
    authority.certs(&["server", "gate", "--san", "IP:127.0.0.1"]);
    authority.certs(&["client", "unit", "--organizational-unit", "build"]);
    authority.certs(&["client", "mail", "--san", "email:ann@acme.example"]);
    authority.certs(&["client", "plain"]);
    let gate = Setup::before(&daemon.address())
        .listen_tls(None, &authority)
        .plus(&client("of-build", "organizational-unit = 'build'", ""))
        .plus(&client("of-acme", "email = '*@acme.example'", ""))
        .plus(&client("by-port", "listener = 'tcp://127.0.0.1:*'", ""))
        .start();
    for name in ["unit", "mail", "plain"] {
        let address = gate.address().clone();
        assert_eq!(
            asks(&address.with_client_certificate(&authority.client(name))),
            200
        );
    }
    let audit = gate.audit();
    let permitted = audit.iter().filter(|record| record["decision"] == "permit");
    let names: Vec<_> = permitted
        .map(|record| record["client"]["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["of-build", "of-acme", "by-port"]);
    let unix = tempfile::tempdir().unwrap();
    let two = socket(unix.path()) + &socket(unix.path()).replace("gate.sock", "second.sock");
    let setup = Setup::before(&daemon.address()).plus(&two);
    let gate = setup
        .plus(&client("second", "listener = '*/second.sock'", ""))
        .listeners(2)
        .start();
    assert_eq!([0, 1].map(|at| asks(gate.listener(at))), [403, 200]);
}

#[test]
fn what_a_client_makes_has_the_owner_of_its_table_or_listener() {
    if support::site::direct() {
        return;
    }
    let prefix = process::unique("owner");
    let folder = tempfile::tempdir().unwrap();
    let text = socket(folder.path());
    let ours = "owner = 'here/{uid}'\n";
    let table = "[[client]]\nname = 'root'\nmatch = { uid = 0 }\npolicy = 'guarded'\n";
    for (index, (text, owner)) in [
        (
            format!("{text}{ours}{table}owner = 'user-{{uid}}'\n"),
            "user-0",
        ),
        (format!("{text}{ours}{table}"), "here/0"),
        (format!("{text}{ours}policy = 'guarded'\n"), "here/0"),
        (format!("{text}{table}"), "root"),
        (format!("{text}policy = 'guarded'\n"), "guarded"),
    ]
    .into_iter()
    .enumerate()
    {
        let gate = gate(&engine::address(), &text);
        let name = format!("{prefix}-{index}");
        let body = format!(r#"{{"Name":"{name}"}}"#);
        let made = http::request(gate.address(), "POST", "/v1.41/networks/create", &body);
        assert_eq!(made.status, 201, "{}", made.text());
        let network = http::request(&engine::address(), "GET", &format!("/networks/{name}"), "");
        let network = support::json(&network.body);
        assert_eq!(network["Labels"]["dockgate.owner"], owner, "{text}");
        assert_eq!(permitted(&gate)["client"]["owner"], owner);
        engine::clean(&name);
    }
}

/// What a connection gives until its end.
fn rest(mut connection: impl std::io::Read) -> String {
    let mut text = String::new();
    let _ = connection.by_ref().read_to_string(&mut text);
    text
}
