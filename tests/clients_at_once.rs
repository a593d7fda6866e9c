//! Three owners at once before the real daemon, by docker CLI and docker-py, while everything is reloaded under them.

mod owner;
mod record;

use std::io::{Read as _, Write as _};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use dockgate::policy::ready;

use super::reload::Kept;
use super::reload::load::authority;
use super::support::certificates::Authority;
use super::support::docker::{Docker, Running};
use super::support::engine;
use super::support::gate::{Gate, Setup};
use super::support::process::unique;
use super::support::wait::DEADLINE;
use owner::Owner;

const RELOADED: &str = "INFO reloaded";
const IMAGES: &str = "/v1.41/images/json";

fn gate(authority: &Authority, folder: &Path) -> Gate {
    let more = format!(
        "[[listener]]\naddress = 'unix://{}/gate.sock'\n\
         [[client]]\nname = 'people'\nmatch = {{ common-name = '*' }}\npolicy = './policy.toml'\nowner = 'team/{{common-name}}'\n\
         [[client]]\nname = 'local'\nmatch = {{ uid = 0 }}\npolicy = './policy.toml'\nowner = 'uid/{{uid}}'",
        folder.display()
    );
    Setup::before(&engine::address())
        .file("policy.toml", ready::find("guarded").unwrap())
        .listen_tls(None, authority)
        .plus(&more)
        .listeners(2)
        .start()
}

#[test]
fn three_owners_work_at_once_through_reloads_and_a_revoked_fourth_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let authority = authority(folder.path());
    let gate = gate(&authority, folder.path());
    let certified = |name: &str| {
        authority.certs(&["client", name]);
        gate.listener(0)
            .clone()
            .with_client_certificate(&authority.client(name))
    };
    let made = Made(unique("t") + "-");
    let prefix = &made.0;
    let owners = [
        Owner::new(Docker::at(&certified("alice")), "team/alice", prefix),
        Owner::new(Docker::at(&certified("bob")), "team/bob", prefix),
        Owner::new(Docker::at(gate.listener(1)), "uid/0", prefix),
    ];
    let former = Docker::at(&certified("former"));
    let all = |work: fn(&Owner)| {
        thread::scope(|scope| {
            owners.iter().for_each(|owner| {
                scope.spawn(move || work(owner));
            });
        });
    };
    // Made past the gate, so nobody's: none sees it, and every prune leaves it.
    let past = Docker::at(&engine::address());
    past.ok(format!("create --name {prefix}nobodys busybox"));
    past.ok(format!("volume create {prefix}nobodys"));
    all(Owner::settles);
    let mut open = Kept::to(former.address());
    assert_eq!(open.get(IMAGES), 200);
    let attached = attached(&former, &format!("{prefix}former"));
    let is_over = AtomicBool::new(false);
    let reloads = thread::scope(|scope| {
        let reloads = scope.spawn(|| reloads(&gate, &authority, &mut open, &is_over));
        let busy: Vec<_> = owners
            .iter()
            .map(|owner| scope.spawn(|| owner.day()))
            .collect();
        let ends: Vec<_> = busy
            .into_iter()
            .map(thread::ScopedJoinHandle::join)
            .collect();
        is_over.store(true, Ordering::SeqCst);
        for end in ends {
            end.unwrap();
        }
        reloads.join().unwrap()
    });
    assert!(reloads > 10, "{reloads} reloads");
    // Its tunnel has ended with its certificate, and nobody lets it in.
    drop(attached.finish(DEADLINE));
    former.fails("ps");
    all(Owner::leaves);
    record::is_of_no_failure(&gate, reloads);
    for list in ["ps -a --format {{.Names}}", "volume ls -q"] {
        let left = past.ok(format!("{list} --filter name={prefix}"));
        assert_eq!(left, format!("{prefix}nobodys"), "{list}");
    }
    let networks = past.ok(format!("network ls -q --filter name={prefix}"));
    assert_eq!(networks, "");
}

/// What all of them make, by the beginning of its names; removed at the end.
struct Made(String);

impl Drop for Made {
    fn drop(&mut self) {
        engine::clean(&self.0);
    }
}

/// A tunnel that has echoed.
fn attached(docker: &Docker, name: &str) -> Running {
    let mut attached = docker.start(format!("run -i --rm --name {name} busybox cat"));
    let mut echo = [0; 6];
    let child = attached.child();
    child.stdin.as_mut().unwrap().write_all(b"hello\n").unwrap();
    child
        .stdout
        .as_mut()
        .unwrap()
        .read_exact(&mut echo)
        .unwrap();
    attached
}

/// Policies, the gate's certificate and the revocation list are replaced, over and over; gives how often they were.
fn reloads(gate: &Gate, authority: &Authority, former: &mut Kept, is_over: &AtomicBool) -> usize {
    let guarded = ready::find("guarded").unwrap();
    let mut count = 0;
    while !is_over.load(Ordering::SeqCst) || count < 12 {
        let before = gate.output().matches(RELOADED).count();
        match count % 4 {
            0 | 1 => gate.replace("policy.toml", &format!("{guarded}\n# {count}\n")),
            2 => authority.certs(&["server", "gate", "--san", "IP:127.0.0.1", "--force"]),
            _ => {
                let name = if count == 3 {
                    "former".to_owned()
                } else {
                    format!("former{count}")
                };
                if count > 3 {
                    authority.certs(&["client", &name]);
                }
                authority.certs(&["revoke", &name]);
            }
        }
        gate.says(RELOADED, before);
        if count == 3 {
            assert_eq!(former.get(IMAGES), 403);
            assert!(former.ask(IMAGES).is_err(), "the connection has ended");
        }
        count += 1;
    }
    count
}
