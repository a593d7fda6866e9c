//! Whether gate and daemon have the same files, and what the gate does where they do not.

use std::io::Write as _;
use std::os::unix::net::UnixStream;

use crate::support::certificates::DOCKGATE;
use crate::support::fake_daemon::{FakeDaemon, Seen, plain};

use super::*;

fn policy(more: &str) -> String {
    format!(
        "description = \"a test\"\n[[permit]]\noperations = [\"ContainerCreate\"]\n\
         [container]\nimages = [\"*\"]\nhost-paths = [{{ path = \"/srv\", access = \"read-write\" }}]\n{more}\n"
    )
}

const FOREIGN: &str = "host-file-system = \"foreign\"";

#[test]
fn paths_of_a_daemon_behind_a_network_are_opened_only_as_foreign() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let dockgate = |verb: &str, arguments: &[&str]| {
        let mut command = Command::new(DOCKGATE);
        command.current_dir(folder.path()).arg(verb).args(arguments);
        process::run(&mut command, Vec::new(), DEADLINE)
    };
    let socket = folder.path().join("gate.sock");
    let configuration = format!(
        "policy = \"./paths.toml\"\n[daemon]\naddress = \"tcp://127.0.0.1:1\"\n[[listener]]\naddress = \"unix://{}\"\n",
        socket.display()
    );
    let configuration = file("dockgate.toml", &configuration);
    file("paths.toml", &policy(""));
    let ended = dockgate("serve", &["--config", &configuration]);
    assert_eq!(ended.status.code(), Some(78), "{}", ended.stderr);
    for part in ["the policy `paths`", FOREIGN, "tcp://127.0.0.1:1"] {
        assert!(ended.stderr.contains(part), "{}", ended.stderr);
    }
    let found = |ended: &process::Ended| ended.text().contains("foreign-host: ");
    assert!(found(&dockgate("check", &[&configuration])));
    file("paths.toml", &policy(FOREIGN));
    assert!(!found(&dockgate("check", &[&configuration])));
    let mut command = Command::new(DOCKGATE);
    command.args(["serve", "--config", &configuration]);
    Gate::start(&mut command, folder, 1);
}

#[test]
fn a_gate_that_does_not_see_the_daemons_data_mounts_nothing() {
    for (info, expected) in [
        (r#"{"DockerRootDir":"/nowhere/docker"}"#, FOREIGN),
        ("{}", "does not say where it keeps its data"),
        ("[]", "does not say where it keeps its data"),
    ] {
        let daemon = FakeDaemon::answering(move |request: &Seen, stream: &mut UnixStream| {
            let body = if request.target == "/info" {
                info
            } else {
                "{}"
            };
            let _ = stream.write_all(&plain(200, body));
        });
        let setup = Setup::before(&daemon.address()).file("paths.toml", &policy(""));
        let gate = setup.listen("paths.toml").start();
        let body = r#"{"Image":"a","HostConfig":{"Binds":["/srv:/m"]}}"#;
        let answer = http::request(gate.address(), "POST", "/v1.41/containers/create", body);
        let message = answer.message();
        assert!(
            answer.status == 403 && message.contains(expected),
            "{message}"
        );
        assert!(daemon.take().iter().all(|seen| seen.line() == "GET /info"));
    }
}

#[test]
fn a_gate_with_other_mounts_than_the_daemon_says_so() {
    for (own_mounts, more, expected) in
        [(true, "", true), (false, "", false), (true, FOREIGN, false)]
    {
        let setup = Setup::before(&engine::address()).file("paths.toml", &policy(more));
        let gate = setup.listen("paths.toml").start_with(|command| {
            if own_mounts {
                let mut apart = Command::new("unshare");
                apart.arg("--mount").arg(DOCKGATE).args(command.get_args());
                *command = apart;
            }
        });
        let warns = gate
            .output()
            .contains("gate and daemon have different mounts");
        assert_eq!(warns, expected, "{}", gate.output());
    }
}

#[test]
fn a_request_names_a_bounded_number_of_paths() {
    let place = Place::new();
    let binds = |count: usize| {
        let source = place.path("rw");
        let binds = (0..count).map(|index| format!("{source}{}:/m{index}", "/.".repeat(index)));
        json!({ "Binds": binds.collect::<Vec<_>>() })
    };
    let answer = place.create(&binds(257));
    place.refused(&answer, "host-path-unresolved");
    assert!(
        answer.message().contains("more than 256"),
        "{}",
        answer.message()
    );
    assert_eq!(
        place.made(&place.create(&binds(20)))["Mounts"]
            .as_array()
            .unwrap()
            .len(),
        20
    );
}
