//! What the operator changes holds from the next request on, and nobody else is dropped for it.

mod kept;
pub(crate) mod load;
mod tunnels;

use std::fs;
use std::io::{BufReader, Write as _};
use std::os::unix::fs::symlink;

use super::support::address::Connection;
use super::support::certificates::Authority;
use super::support::fake_daemon::FakeDaemon;
use super::support::gate::{Gate, Setup};
use super::support::http;
pub(crate) use load::Kept;

const READS: &str = "description = 'x'\n[[permit]]\noperations = ['System:read', 'Image:read']\n";
const PINGS: &str = "description = 'x'\n[[permit]]\noperations = ['SystemPing']\n";
const IMAGES: &str = "/v1.41/images/json";
const RELOADED: &str = "INFO reloaded";
const KEPT: &str = "not reloaded";

fn gate(daemon: &FakeDaemon) -> Gate {
    Setup::before(&daemon.address())
        .file("policy.toml", READS)
        .listen("policy.toml")
        .start()
}

#[test]
fn a_replaced_policy_holds_from_the_next_request_of_an_open_connection() {
    let daemon = FakeDaemon::start();
    let gate = gate(&daemon);
    let mut open = Kept::to(gate.address());
    assert_eq!(open.get(IMAGES), 200);

    gate.replace("policy.toml", PINGS);
    gate.says(RELOADED, 0);
    assert_eq!(open.get(IMAGES), 403);
    assert_eq!(open.get("/_ping"), 200);

    fs::write(gate.file("policy.toml"), READS).unwrap();
    gate.says(RELOADED, 1);
    assert_eq!(open.get(IMAGES), 200);
    assert_eq!(daemon.take().len(), 2);
}

#[test]
fn a_request_that_is_still_coming_is_judged_by_what_is_in_force_once_it_is_there() {
    let daemon = FakeDaemon::start();
    let creates = READS.replace("'Image:read'", "'VolumeCreate'");
    let gate = Setup::before(&daemon.address())
        .file("policy.toml", &creates)
        .listen("policy.toml")
        .start();
    let begin = || {
        let mut open = gate.address().connect().unwrap();
        let half =
            "POST /v1.41/volumes/create HTTP/1.1\r\nHost: d\r\nContent-Length: 12\r\n\r\n{\"Name\"";
        open.write_all(half.as_bytes()).unwrap();
        open
    };
    let end = |mut open: Connection| {
        open.write_all(b":\"a\"}").unwrap();
        http::read_answer(&mut BufReader::new(open), false)
            .unwrap()
            .status
    };
    assert_eq!(end(begin()), 200);
    let open = begin();
    gate.replace("policy.toml", PINGS);
    gate.says(RELOADED, 0);
    assert_eq!(end(open), 403);
}

#[test]
fn a_signal_reloads_where_nothing_is_watched() {
    let daemon = FakeDaemon::start();
    let gate = Setup::before(&daemon.address())
        .file("policy.toml", READS)
        .listen("policy.toml")
        .plus("[reload]\nwatch = false")
        .start();
    gate.replace("policy.toml", PINGS);
    let mut open = Kept::to(gate.address());
    assert_eq!(open.get(IMAGES), 200);
    gate.signal("HUP");
    gate.says(RELOADED, 0);
    assert_eq!(open.get(IMAGES), 403);
}

#[test]
fn a_mounted_folder_that_is_swapped_by_its_link_is_noticed() {
    let daemon = FakeDaemon::start();
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let lay = |version: &str, text: &str| {
        fs::create_dir(at(version)).unwrap();
        fs::write(at(version).join("policy.toml"), text).unwrap();
        symlink(version, at("..new")).unwrap();
        fs::rename(at("..new"), at("..data")).unwrap();
    };
    lay("..1", READS);
    symlink("..data/policy.toml", at("policy.toml")).unwrap();
    let gate = Setup::before(&daemon.address())
        .listen(at("policy.toml").to_str().unwrap())
        .start();
    assert_eq!(Kept::to(gate.address()).get(IMAGES), 200);
    lay("..2", PINGS);
    gate.says(RELOADED, 0);
    assert_eq!(Kept::to(gate.address()).get(IMAGES), 403);
}

#[test]
fn a_broken_file_changes_nothing_and_is_told_with_its_place() {
    let daemon = FakeDaemon::start();
    let gate = gate(&daemon);
    let mut open = Kept::to(gate.address());
    gate.replace("policy.toml", "description = 'x'\nprivilegd = true\n");
    gate.says(KEPT, 0);
    gate.says("policy.toml:2:1", 0);
    assert_eq!(open.get(IMAGES), 200);

    fs::remove_file(gate.file("policy.toml")).unwrap();
    gate.says(KEPT, 1);
    gate.says("cannot read the policy", 0);
    assert_eq!(open.get(IMAGES), 200);

    // The configuration names a file that is there only later.
    let configuration = fs::read_to_string(gate.file("dockgate.toml")).unwrap();
    let other = configuration.replace("policy.toml", "./later.toml");
    gate.replace("dockgate.toml", &other);
    gate.says(KEPT, 2);
    fs::write(gate.file("later.toml"), PINGS).unwrap();
    gate.says(RELOADED, 0);
    assert_eq!(open.get(IMAGES), 403);
}

#[test]
fn what_a_reload_cannot_change_is_told_and_stays() {
    let daemon = FakeDaemon::start();
    let gate = gate(&daemon);
    let configuration = fs::read_to_string(gate.file("dockgate.toml")).unwrap();
    let socket = gate.file("other.sock");
    let changed = configuration.replace("docker.sock", "nowhere.sock")
        + &format!(
            "[limits]\nconnections = 7\n[[listener]]\naddress = 'unix://{}'\npolicy = 'guarded'\n",
            socket.display()
        );
    gate.replace("dockgate.toml", &changed);
    gate.says(RELOADED, 0);
    for what in ["`[daemon]`", "`[limits]`", "the new listener unix://"] {
        gate.says(what, 0);
    }
    assert!(!socket.exists());
    assert_eq!(Kept::to(gate.address()).get(IMAGES), 200);

    // A listener that is taken out of the file lets nobody in.
    let none = configuration.split("\n[[listener]]").next().unwrap();
    let none =
        format!("{none}\n[[listener]]\naddress = 'unix:///nowhere/x.sock'\npolicy = 'open'\n");
    let mut open = Kept::to(gate.address());
    assert_eq!(open.get(IMAGES), 200);
    gate.replace("dockgate.toml", &none);
    gate.says(RELOADED, 1);
    assert_eq!(open.get(IMAGES), 403);
    let refused = http::send(gate.address(), b"GET /_ping HTTP/1.1\r\nHost: d\r\n\r\n");
    assert!(refused.is_err(), "{refused:?}");
    let mut records = gate.audit().into_iter();
    assert!(records.any(|record| record["reason"]["code"] == "no-listener"));
}

#[test]
fn a_listener_neither_begins_nor_ceases_to_speak_tls() {
    let daemon = FakeDaemon::start();
    let authority = Authority::shared();
    let gate = Setup::before(&daemon.address())
        .listen_tls(Some("guarded"), authority)
        .start();
    let before = gate.file("dockgate.toml");
    let before = fs::read_to_string(before).unwrap();
    let (plain, _) = before.split_once("tls = {").unwrap();
    gate.replace("dockgate.toml", plain);
    gate.says(KEPT, 0);
    gate.says("cannot begin or cease to speak TLS", 0);
    let developer = gate.address().clone();
    let developer = developer.with_client_certificate(&authority.client("developer"));
    assert_eq!(Kept::to(&developer).get(IMAGES), 200);
}

#[test]
fn a_client_is_matched_anew_for_its_next_request() {
    let daemon = FakeDaemon::start();
    let socket = tempfile::tempdir().unwrap();
    let table = |uid: u32, policy: &str| {
        format!("[[client]]\nname = 'c{uid}'\nmatch = {{ uid = {uid} }}\npolicy = '{policy}'\n")
    };
    let listener = format!(
        "[[listener]]\naddress = 'unix://{}/gate.sock'\n",
        socket.path().display()
    );
    let gate = Setup::before(&daemon.address())
        .file("pings.toml", PINGS)
        .plus(&listener)
        .plus(&table(0, "guarded"))
        .listeners(1)
        .start();
    let before = fs::read_to_string(gate.file("dockgate.toml")).unwrap();
    let (head, _) = before.split_once("[[client]]").unwrap();
    let mut open = Kept::to(gate.address());
    assert_eq!(open.get(IMAGES), 200);

    let first = table(0, "./pings.toml").replace("'c0'", "'first'") + &table(0, "guarded");
    gate.replace("dockgate.toml", &format!("{head}{first}"));
    let reloaded = gate.says(RELOADED, 0);
    assert_eq!(open.get(IMAGES), 403);
    assert_eq!(open.get("/_ping"), 200);
    let names = gate.audit();
    let names = names
        .iter()
        .filter_map(|one| one["client"]["name"].as_str());
    assert_eq!(names.collect::<Vec<_>>(), ["c0", "first", "first"]);

    gate.replace(
        "dockgate.toml",
        &format!("{head}{}", table(4_000_000, "guarded")),
    );
    gate.says(RELOADED, reloaded);
    let answer = open.ask("/_ping").unwrap();
    assert_eq!(
        (answer.status, answer.message().as_str()),
        (403, "no policy is for this client")
    );
    assert!(open.ask("/_ping").is_err(), "the connection has ended");
}

#[test]
fn the_digest_of_what_is_in_force_is_in_the_log_and_in_the_records() {
    let daemon = FakeDaemon::start();
    let gate = gate(&daemon);
    let mut open = Kept::to(gate.address());
    let told = |gate: &Gate| {
        let output = gate.output();
        let (_, last) = output.rsplit_once(" configuration=").unwrap();
        last.get(..64).unwrap().to_owned()
    };
    let recorded = |gate: &Gate| {
        gate.audit()
            .iter()
            .rev()
            .find_map(|one| one["configuration"].as_str().map(str::to_owned))
    };
    assert_eq!(open.get(IMAGES), 200);
    let first = told(&gate);
    assert_eq!(recorded(&gate), Some(first.clone()));
    gate.replace("policy.toml", PINGS);
    gate.says(RELOADED, 0);
    assert_eq!(open.get(IMAGES), 403);
    let second = told(&gate);
    assert_ne!(first, second);
    assert_eq!(recorded(&gate), Some(second));
}
