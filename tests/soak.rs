//! Long service in a short time: whatever comes and goes, the gate at rest holds what it held before.
//!
//! `DOCKGATE_SOAK_SECONDS` makes it as long as one likes; each test writes its figures as one line.

mod clients;
mod daemon;
mod policies;
mod real;
mod rest;

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use dockgate::policy::ready;

use super::support::address::Address;
use super::support::certificates::Authority;
use super::support::fake_daemon::FakeDaemon;
use super::support::gate::{Gate, Setup};
use super::support::random::Random;
use super::support::{tell, wait};
use clients::Client;
use rest::Rest;

/// How many seconds the soak goes on where its rounds take less.
const SECONDS: &str = "DOCKGATE_SOAK_SECONDS";
/// A third of them is three, so that what is compared is a median.
const ROUNDS: usize = 9;
/// What each client does in a round, while the configuration is reloaded.
const ACTIONS: usize = 50;
const RELOADED: &str = "INFO reloaded";
/// Names the owner of all that the made-up daemon has.
const OWNER: &str = "soak";

/// Whether the soak is to go on after so many rounds.
fn goes_on(rounds: usize, least: usize, since: Instant) -> bool {
    let seconds = seconds().unwrap_or_default();
    rounds < least || since.elapsed() < Duration::from_secs(seconds)
}

/// How long it is asked to go on; nothing in `make test`.
fn seconds() -> Option<u64> {
    std::env::var(SECONDS)
        .ok()
        .map(|text| text.parse().unwrap())
}

/// A socket for whoever comes, certificates with an owner who has limits and a quota, a socket that shows less, one for a
/// client that asks too often, a port that knows containers, and the gate's own metrics.
fn gate(daemon: &Address, authority: &Authority) -> Gate {
    let more = format!(
        "[[client]]\nname = 'caller'\nmatch = {{ container-name = 'caller' }}\npolicy = './policy.toml'\n\
         [[client]]\nname = 'people'\nmatch = {{ common-name = '*' }}\npolicy = './policy.toml'\nowner = '{OWNER}'\n\
         limits = {{ requests-per-second = 100000, exchanges = 400, tunnels = 200, judged-bytes = '64m' }}\n\
         quota = {{ containers = 1000, volumes = 1000 }}\n\
         [admin]\naddress = 'tcp://127.0.0.2:0'\n"
    );
    let guarded = ready::find("guarded").unwrap();
    Setup::before(daemon)
        .file("policy.toml", guarded)
        .file(
            "quiet.toml",
            &format!("{guarded}\n[quiet]\nenvironment = true\nhost-paths = true\n"),
        )
        .listen("policy.toml")
        .listen_tls(None, authority)
        .listen("quiet.toml")
        .listen("policy.toml")
        .plus("limits = { requests-per-second = 1, burst = 20 }")
        .plus("[[listener]]\naddress = 'tcp://127.0.0.3:0'\nidentify-containers = true")
        .plus(&more)
        .listeners(5)
        .start()
}

fn authority(folder: &Path) -> Authority {
    let authority = Authority::new(&folder.join("certs"));
    authority.certs(&["server", "gate", "--san", "IP:127.0.0.1"]);
    authority.certs(&["client", "soaked"]);
    authority
}

/// Those behind which every client is served.
fn doors(gate: &Gate, authority: &Authority) -> [Address; 3] {
    let certified = gate.listener(1).clone();
    [
        gate.listener(0).clone(),
        certified.with_client_certificate(&authority.client("soaked")),
        gate.listener(2).clone(),
    ]
}

#[test]
fn soak() {
    let folder = tempfile::tempdir().unwrap();
    let authority = authority(folder.path());
    let socket = folder.path().join("docker.sock");
    let mut daemon = FakeDaemon::at(&socket, daemon::answer);
    let gate = gate(&daemon.address(), &authority);
    let [one, two, three] = doors(&gate, &authority);
    let doors = [one, two, three, gate.listener(4).clone()];
    let since = Instant::now();
    let mut round = 0;
    let mut serve = |daemon: FakeDaemon| {
        round += 1;
        busy(&gate, &authority, &doors, round);
        let daemon = restart(&doors, daemon, &socket, round);
        rest::records(&gate);
        daemon
    };
    daemon = serve(daemon);
    let warm = Rest::settled(&gate);
    let mut rounds = Vec::new();
    let is_whole = |gate: &Gate| rest::Told::by(gate).reaches(&rest::HALF_HOUR);
    while goes_on(rounds.len(), ROUNDS, since) || (seconds().is_some() && !is_whole(&gate)) {
        daemon = serve(daemon);
        rounds.push(Rest::settled(&gate).resident);
    }
    let last = Rest::back_to(&gate, &warm);
    let told = rest::Told::by(&gate);
    tell(&format!(
        "soak: {told}, {} restarts, {}, {warm} after the first round, {last} after the last, {} s",
        rounds.len() + 1,
        rest::thirds(&rounds),
        since.elapsed().as_secs()
    ));
    // In a minute of `make test` a third of half an hour; all of it where it is asked for.
    assert!(
        told.exchanges > 4800 && told.tunnels > 360 && told.reloads > 50,
        "{told}"
    );
    rest::is_flat(&rounds, &told);
    drop(daemon);
}

/// Eight clients at once, two at each door, while policies and the gate's certificate are replaced, one client asks too
/// often and another is revoked: nothing else fails.
fn busy(gate: &Gate, authority: &Authority, doors: &[Address; 4], round: usize) {
    let guarded = ready::find("guarded").unwrap();
    thread::scope(|scope| {
        let clients: Vec<_> = (0..8)
            .map(|number| {
                let door = &doors[number % 4];
                scope.spawn(move || {
                    let mut client = Client::new(door, Random::new((round * 8 + number) as u64));
                    for _ in 0..ACTIONS {
                        client.act().unwrap_or_else(|what| panic!("{what}"));
                    }
                })
            })
            .collect();
        let mut reloaded = gate.output().matches(RELOADED).count();
        for change in 0..3 {
            gate.replace("policy.toml", &format!("{guarded}\n# {round}.{change}\n"));
            reloaded = gate.says(RELOADED, reloaded);
        }
        authority.certs(&["server", "gate", "--san", "IP:127.0.0.1", "--force"]);
        reloaded = gate.says(RELOADED, reloaded);
        gate.signal("HUP");
        gate.says(RELOADED, reloaded);
        policies::asks_too_often(gate.listener(3));
        policies::is_revoked(gate, authority, round);
        for client in clients {
            client.join().unwrap();
        }
    });
}

/// The daemon goes under everything that is under way, and comes back; then all is as before.
fn restart(doors: &[Address; 4], daemon: FakeDaemon, socket: &Path, round: usize) -> FakeDaemon {
    let (is_over, done, failed) = (
        AtomicBool::new(false),
        AtomicUsize::new(0),
        AtomicUsize::new(0),
    );
    thread::scope(|scope| {
        for (number, door) in doors.iter().enumerate() {
            let (is_over, done, failed) = (&is_over, &done, &failed);
            scope.spawn(move || {
                let mut client = Client::new(door, Random::new((round * 4 + number) as u64));
                while !is_over.load(Ordering::SeqCst) {
                    match client.act() {
                        Ok(()) => done,
                        Err(_) => failed,
                    }
                    .fetch_add(1, Ordering::SeqCst);
                }
            });
        }
        let passes = |count: &AtomicUsize, what: &str| {
            let before = count.load(Ordering::SeqCst);
            wait::until(what, || {
                (count.load(Ordering::SeqCst) > before + 8).then_some(())
            });
        };
        passes(&done, "the clients are at work");
        drop(daemon);
        passes(&failed, "the clients notice that the daemon is gone");
        let daemon = FakeDaemon::at(socket, daemon::answer);
        passes(&done, "the clients go on with the daemon that is back");
        is_over.store(true, Ordering::SeqCst);
        daemon
    })
}
