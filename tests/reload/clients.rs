//! Real clients before the real daemon, three at once, while everything is reloaded under them.

use std::io::{Read as _, Write as _};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use dockgate::policy::ready;

use crate::support::certificates::Authority;
use crate::support::docker::Docker;
use crate::support::engine;
use crate::support::gate::{Gate, Setup};
use crate::support::process::{self, unique};
use crate::support::wait::{self, DEADLINE};

use super::RELOADED;

#[test]
fn three_clients_go_on_through_reloads_and_a_revoked_fourth_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let authority = super::load::authority(folder.path());
    let guarded = ready::find("guarded").unwrap();
    let gate = gate(&authority, folder.path());
    let certified = |name: &str| {
        authority.certs(&["client", name]);
        let address = gate.listener(0).clone();
        Docker::at(&address.with_client_certificate(&authority.client(name)))
    };
    let (one, other, former) = (certified("one"), certified("other"), certified("former"));
    let local = Docker::at(gate.listener(1));
    let prefix = unique("t") + "-";

    let mut attached = former.start(format!("run -i --rm --name {prefix}former busybox cat"));
    let mut echo = [0; 6];
    let child = attached.child();
    child.stdin.as_mut().unwrap().write_all(b"hello\n").unwrap();
    child
        .stdout
        .as_mut()
        .unwrap()
        .read_exact(&mut echo)
        .unwrap();
    let rounds = AtomicUsize::new(0);
    thread::scope(|scope| {
        let busy = [
            scope.spawn(|| docker_py(&one, &prefix)),
            scope.spawn(|| runs(&other, &format!("{prefix}other"))),
            scope.spawn(|| runs(&local, &format!("{prefix}local"))),
        ];
        let mut reloaded = 0;
        while rounds.load(Ordering::SeqCst) < 6 || !busy.iter().all(|client| client.is_finished()) {
            let round = rounds.fetch_add(1, Ordering::SeqCst);
            gate.replace("policy.toml", &format!("{guarded}\n# {round}\n"));
            reloaded = gate.says(RELOADED, reloaded);
            if round == 2 {
                authority.certs(&["revoke", "former"]);
                reloaded = gate.says(RELOADED, reloaded);
            }
            wait::pause(Duration::from_millis(100));
        }
        for client in busy {
            client.join().unwrap();
        }
    });
    assert!(rounds.load(Ordering::SeqCst) > 5);
    let ended = attached.finish(DEADLINE);
    assert!(
        !ended.status.success() || ended.text().is_empty(),
        "{ended:?}"
    );
    former.fails("ps");
    engine::clean(&prefix);
}

/// People by their certificates, and whoever is root on this machine.
fn gate(authority: &Authority, folder: &Path) -> Gate {
    let clients = format!(
        "[[listener]]\naddress = 'unix://{}/gate.sock'\n\
         [[client]]\nname = 'people'\nmatch = {{ common-name = '*' }}\npolicy = './policy.toml'\n\
         [[client]]\nname = 'local'\nmatch = {{ uid = 0 }}\npolicy = './policy.toml'",
        folder.display()
    );
    Setup::before(&engine::address())
        .file("policy.toml", ready::find("guarded").unwrap())
        .listen_tls(None, authority)
        .plus(&clients)
        .listeners(2)
        .start()
}

fn runs(docker: &Docker, name: &str) {
    for round in 0..5 {
        let said = docker.run_with(
            format!("run -i --rm --name {name}{round} busybox sh -c 'sleep 0.5; cat'"),
            b"through".to_vec(),
        );
        assert_eq!(said.ok("docker run"), "through");
        docker.ok("ps");
    }
}

fn docker_py(docker: &Docker, prefix: &str) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut python = docker.client(root.join("target/clients/python/bin/python"));
    python.arg(root.join("tests/clients/docker_py.py"));
    python.arg(format!("{prefix}py"));
    process::run(&mut python, Vec::new(), DEADLINE * 3).ok("docker_py.py");
}
