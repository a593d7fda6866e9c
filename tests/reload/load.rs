//! Reloads while many clients are busy.

use std::fs;
use std::io::{BufReader, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use crate::support::address::{Address, Connection};
use crate::support::certificates::Authority;
use crate::support::fake_daemon::FakeDaemon;
use crate::support::gate::{Gate, Setup};
use crate::support::http;
use crate::support::wait;

use super::{IMAGES, KEPT, READS, RELOADED};

/// A connection over which one request follows the other.
pub(crate) struct Kept(BufReader<Connection>);

impl Kept {
    pub(crate) fn to(address: &Address) -> Self {
        Self(BufReader::new(address.connect().unwrap()))
    }

    pub(crate) fn get(&mut self, target: &str) -> u16 {
        self.ask(target).unwrap().status
    }

    pub(crate) fn ask(&mut self, target: &str) -> std::io::Result<http::Answer> {
        let connection = self.0.get_mut();
        write!(connection, "GET {target} HTTP/1.1\r\nHost: d\r\n\r\n")?;
        connection.flush()?;
        http::read_answer(&mut self.0, false)
    }
}

/// Clients that ask all the time, some on one connection, some on a new one each time.
struct Load {
    is_over: Arc<AtomicBool>,
    exchanges: Arc<AtomicUsize>,
    clients: Vec<thread::JoinHandle<()>>,
}

impl Load {
    fn on(addresses: &[Address]) -> Self {
        let (is_over, exchanges) = (Arc::<AtomicBool>::default(), Arc::<AtomicUsize>::default());
        let client = |address: &Address, is_kept: bool| {
            let (is_over, exchanges) = (Arc::clone(&is_over), Arc::clone(&exchanges));
            let address = address.clone();
            thread::spawn(move || ask_until(&is_over, &exchanges, (&address, is_kept)))
        };
        let both = |address| [client(address, true), client(address, false)];
        let clients = addresses.iter().flat_map(both).collect();
        Self {
            is_over,
            exchanges,
            clients,
        }
    }

    /// Lets them ask for a while longer.
    fn goes_on(&self) {
        let before = self.exchanges.load(Ordering::SeqCst);
        wait::until("the clients go on", || {
            (self.exchanges.load(Ordering::SeqCst) > before + 50).then_some(())
        });
    }

    /// # Panics
    /// Where any exchange has failed.
    fn end(self) -> usize {
        self.is_over.store(true, Ordering::SeqCst);
        for client in self.clients {
            client.join().unwrap();
        }
        self.exchanges.load(Ordering::SeqCst)
    }
}

fn ask_until(is_over: &AtomicBool, exchanges: &AtomicUsize, (address, is_kept): (&Address, bool)) {
    let mut kept = Kept::to(address);
    while !is_over.load(Ordering::SeqCst) {
        if !is_kept {
            kept = Kept::to(address);
        }
        assert_eq!(kept.get(IMAGES), 200);
        exchanges.fetch_add(1, Ordering::SeqCst);
    }
}

fn busy(authority: &Authority, daemon: &FakeDaemon) -> (Gate, Vec<Address>) {
    let gate = Setup::before(&daemon.address())
        .file("policy.toml", READS)
        .listen("policy.toml")
        .listen_tls(None, authority)
        .plus("[[client]]\nname = 'ci'\nmatch = { common-name = 'ci-*' }\npolicy = 'policy.toml'")
        .start();
    let tls = gate.listener(1).clone();
    let mut addresses = vec![gate.address().clone()];
    for name in ["ci-1", "ci-2"] {
        authority.certs(&["client", name]);
        addresses.push(tls.clone().with_client_certificate(&authority.client(name)));
    }
    (gate, addresses)
}

pub(crate) fn authority(folder: &std::path::Path) -> Authority {
    let authority = Authority::new(&folder.join("certs"));
    authority.certs(&["server", "gate", "--san", "IP:127.0.0.1"]);
    authority
}

#[test]
fn no_exchange_fails_while_policies_change_and_break_and_change() {
    let folder = tempfile::tempdir().unwrap();
    let (authority, daemon) = (authority(folder.path()), FakeDaemon::start());
    let (gate, addresses) = busy(&authority, &daemon);
    let load = Load::on(&addresses);
    let (mut reloaded, mut kept) = (0, 0);
    for round in 0..5 {
        gate.replace("policy.toml", &format!("{READS}# {round}\n"));
        reloaded = gate.says(RELOADED, reloaded);
        load.goes_on();
        gate.replace("policy.toml", "broken");
        kept = gate.says(KEPT, kept);
        load.goes_on();
        gate.replace("policy.toml", &format!("{READS}# mended {round}\n"));
        gate.signal("HUP");
        reloaded = gate.says(RELOADED, reloaded);
        load.goes_on();
    }
    assert!(load.end() >= 750);
}

#[test]
fn a_hundred_reloads_leave_no_descriptor_behind() {
    let folder = tempfile::tempdir().unwrap();
    let (authority, daemon) = (authority(folder.path()), FakeDaemon::start());
    let (gate, addresses) = busy(&authority, &daemon);
    let mut open: Vec<_> = addresses.iter().map(Kept::to).collect();
    let descriptors = || {
        fs::read_dir(format!("/proc/{}/fd", gate.id()))
            .unwrap()
            .count()
    };
    let mut ask = || {
        open.iter_mut()
            .for_each(|one| assert_eq!(one.get(IMAGES), 200));
    };
    ask();
    let (before, mut reloaded) = (descriptors(), 0);
    for _ in 0..100 {
        gate.signal("HUP");
        reloaded = gate.says(RELOADED, reloaded);
        ask();
    }
    assert_eq!(descriptors(), before);
}

#[test]
fn a_revoked_client_is_out_with_its_next_request_and_nobody_else_is() {
    let folder = tempfile::tempdir().unwrap();
    let (authority, daemon) = (authority(folder.path()), FakeDaemon::start());
    let (gate, addresses) = busy(&authority, &daemon);
    authority.certs(&["client", "ci-former"]);
    let former = gate
        .listener(1)
        .clone()
        .with_client_certificate(&authority.client("ci-former"));
    let load = Load::on(&addresses);
    let mut open = Kept::to(&former);
    assert_eq!(open.get(IMAGES), 200);

    authority.certs(&["revoke", "ci-former"]);
    gate.says(RELOADED, 0);
    let answer = open.ask(IMAGES).unwrap();
    assert_eq!(answer.status, 403);
    assert!(answer.message().contains("not accepted any more"));
    assert!(open.ask(IMAGES).is_err(), "the connection has ended");
    let again = http::send(&former, b"GET /_ping HTTP/1.1\r\nHost: d\r\n\r\n");
    assert!(again.is_err(), "{again:?}");
    load.goes_on();
    load.end();
    let records = gate.audit();
    let refused = records.iter().find(|one| one["decision"] == "refuse");
    let refused = refused.unwrap();
    assert_eq!(refused["reasons"][0]["code"], "certificate-refused");
    assert_eq!(refused["client"]["common_name"], "ci-former");
}

#[test]
fn what_expires_soon_is_warned_of_at_start_and_with_each_reload() {
    let folder = tempfile::tempdir().unwrap();
    let (authority, daemon) = (authority(folder.path()), FakeDaemon::start());
    let renew = |days: &str| {
        let name = ["server", "gate", "--san", "IP:127.0.0.1", "--force"];
        authority.certs(&[&name[..], &["--days", days]].concat());
    };
    renew("5");
    let (gate, _) = busy(&authority, &daemon);
    assert_eq!(gate.says("the certificate expires soon", 0), 1);
    renew("90");
    let reloaded = gate.says(RELOADED, 0);
    assert_eq!(gate.says("the certificate expires soon", 0), 1);
    renew("0");
    gate.says(RELOADED, reloaded);
    gate.says("the certificate has expired", 0);
}

#[test]
fn a_new_server_certificate_and_authority_hold_for_the_next_connection() {
    let folder = tempfile::tempdir().unwrap();
    let (authority, daemon) = (authority(folder.path()), FakeDaemon::start());
    let (gate, addresses) = busy(&authority, &daemon);
    let load = Load::on(&addresses);
    let mut reloaded = 0;
    for _ in 0..3 {
        // Key and certificate are two files: between them they do not fit, and what was in force goes on.
        authority.certs(&["server", "gate", "--san", "IP:127.0.0.1", "--force"]);
        reloaded = gate.says(RELOADED, reloaded);
        load.goes_on();
    }
    load.end();

    let other = Authority::new(&folder.path().join("other"));
    other.certs(&["client", "ci-1"]);
    let mut open = Kept::to(&addresses[1]);
    assert_eq!(open.get(IMAGES), 200);
    for name in ["ca.pem", "crl.pem"] {
        fs::copy(other.file(name), authority.file(name)).unwrap();
    }
    gate.says(RELOADED, reloaded);
    assert_eq!(open.get(IMAGES), 403);
}
