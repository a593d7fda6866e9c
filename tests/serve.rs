//! `dockgate serve` starts as its arguments, its file and its environment say, or says why it does not.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use super::support::address::Address;
use super::support::certificates::DOCKGATE;
use super::support::fake_daemon::FakeDaemon;
use super::support::gate::{Gate, Setup};
use super::support::http;
use super::support::process::{self, Ended};
use super::support::wait::{self, DEADLINE};

/// Runs a shell's words in a mount namespace with an own and empty `/run`, `$1` being the program and `$2` the daemon.
fn with_own_run(daemon: &FakeDaemon, words: &str) -> Command {
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-euc"]);
    command.arg(format!(
        "mount -t tmpfs none /run; ln -s \"$2\" /run/docker.sock; {words}"
    ));
    command
        .arg("sh")
        .arg(DOCKGATE)
        .arg(daemon.address().unix_path());
    command
        .env_remove("DOCKER_HOST")
        .env_remove("XDG_RUNTIME_DIR");
    command
}

/// Runs `dockgate serve` where it is not to start, and gives how it ended.
fn serve(arguments: &[&str], change: impl FnOnce(&mut Command)) -> Ended {
    let mut command = Command::new(DOCKGATE);
    command
        .arg("serve")
        .args(arguments)
        .env_remove("DOCKER_HOST");
    change(&mut command);
    process::run(&mut command, Vec::new(), DEADLINE)
}

fn refused(ended: &Ended, code: i32, says: &str) {
    assert_eq!(ended.status.code(), Some(code), "{ended:?}");
    assert!(ended.stderr.contains(says), "{ended:?}");
    assert!(!ended.stderr.contains("export DOCKER_HOST"), "{ended:?}");
}

fn folder() -> TempDir {
    tempfile::Builder::new()
        .prefix("dockgate-test-")
        .tempdir()
        .unwrap()
}

const PRIVILEGED: &str = r#"{"Image":"busybox","HostConfig":{"Privileged":true}}"#;

#[test]
fn without_arguments_it_guards_the_machines_daemon_by_the_default_policy() {
    let daemon = FakeDaemon::start();
    let gate = Gate::start(&mut with_own_run(&daemon, "exec \"$1\" serve"), folder(), 1);
    let socket = Path::new("/run/dockgate/docker.sock");
    assert_eq!(gate.address().unix_path(), socket);
    assert!(
        gate.output()
            .contains("\nexport DOCKER_HOST=unix:///run/dockgate/docker.sock\n")
    );
    let seen_from_here = format!("/proc/{}/root{}", gate.id(), socket.display());
    let address = Address::Unix(seen_from_here.into());
    let create = |body| http::request(&address, "POST", "/v1.41/containers/create", body);
    assert_eq!(create(r#"{"Image":"busybox"}"#).status, 200);
    assert_eq!(daemon.take().len(), 1);
    let refusal = create(PRIVILEGED);
    assert_eq!(refusal.status, 403);
    assert!(
        refusal.message().contains("`guarded`"),
        "{}",
        refusal.text()
    );
    assert_eq!(daemon.take().len(), 0);
    wait::until("the records are on the standard output", || {
        gate.output()
            .contains(r#""decision":"refuse""#)
            .then_some(())
    });
}

#[test]
fn where_run_is_not_writable_it_listens_below_the_users_own_directory() {
    let (daemon, folder) = (FakeDaemon::start(), folder());
    let runtime = folder.path().join("user");
    fs::create_dir(&runtime).unwrap();
    let read_only = "mount -o remount,ro /run; exec \"$1\" serve";
    let mut command = with_own_run(&daemon, read_only);
    command.env("XDG_RUNTIME_DIR", &runtime);
    let gate = Gate::start(&mut command, folder, 1);
    assert_eq!(
        gate.address().unix_path(),
        runtime.join("dockgate/docker.sock")
    );
    let answer = http::request(gate.address(), "GET", "/v1.41/images/json", "");
    assert_eq!(answer.status, 200);

    let nowhere = &mut with_own_run(&daemon, read_only);
    let ended = process::run(nowhere, Vec::new(), DEADLINE);
    refused(&ended, 78, "give one with --listen unix:///PATH");
}

#[test]
fn the_policy_of_the_flag_goes_over_that_of_a_listener() {
    let (daemon, folder) = (FakeDaemon::start(), folder());
    let here = |name: &str| folder.path().join(name).display().to_string();
    let configuration = format!(
        "[daemon]\naddress = '{}'\n[[listener]]\naddress = 'unix://{}'\npolicy = 'open'\n",
        daemon.address(),
        here("gate.sock"),
    );
    fs::write(here("dockgate.toml"), configuration).unwrap();
    let mut command = Command::new(DOCKGATE);
    command.args(["serve", "--config", &here("dockgate.toml")]);
    command.args(["--policy", "guarded"]);
    let gate = Gate::start(&mut command, folder, 1);
    let create = |body| http::request(gate.address(), "POST", "/v1.41/containers/create", body);
    assert_eq!(create(PRIVILEGED).status, 403);
    assert_eq!(daemon.take().len(), 0);
}

#[test]
fn flags_go_over_the_file() {
    let (of_file, of_flag) = (FakeDaemon::start(), FakeDaemon::start());
    let folder = folder();
    let here = |name: &str| folder.path().join(name).display().to_string();
    let configuration = format!(
        "policy = 'open'\n[daemon]\naddress = '{}'\n[[listener]]\naddress = 'unix://{}'\n[audit]\nfile = '{}'\n\
         [parameters]\nproject = '/file'\n",
        of_file.address(),
        here("file.sock"),
        here("file.jsonl"),
    );
    fs::write(here("dockgate.toml"), configuration).unwrap();
    let mut command = Command::new(DOCKGATE);
    command.args(["serve", "--config", &here("dockgate.toml")]);
    command.args(["--policy", "agent-sandbox", "--set"]);
    command.arg(format!("project={}", here("project")));
    command.args(["--daemon", &of_flag.address().to_string()]);
    for name in ["one.sock", "two.sock"] {
        command.args(["--listen", &format!("unix://{}", here(name))]);
    }
    command.args(["--audit", &here("audit.jsonl")]);
    // A daemon in the environment goes over nothing that is written.
    command.env("DOCKER_HOST", of_file.address().to_string());
    fs::create_dir(here("project")).unwrap();
    let (bind, file_socket) = (here("project"), here("file.sock"));
    let gate = Gate::start(&mut command, folder, 2);
    for listener in [0, 1] {
        let create = |body: &str| {
            http::request(
                gate.listener(listener),
                "POST",
                "/v1.41/containers/create",
                body,
            )
            .status
        };
        let bound = format!(r#"{{"Image":"a","HostConfig":{{"Binds":["{bind}:/p:ro"]}}}}"#);
        assert_eq!(create(&bound), 200);
        assert_eq!(create(PRIVILEGED), 403);
    }
    let sent = of_flag.take();
    let creates = sent.iter().filter(|seen| seen.method == "POST");
    assert_eq!(creates.count(), 2);
    assert_eq!(of_file.take().len(), 0);
    assert!(!Path::new(&file_socket).exists());
    assert_eq!(gate.audit()[0]["policy"], "agent-sandbox");
}

#[test]
fn the_daemon_of_the_environment_is_used_and_named() {
    let (daemon, folder) = (FakeDaemon::start(), folder());
    let mut command = Command::new(DOCKGATE);
    let socket = folder.path().join("gate.sock");
    command.args(["serve", "--listen", &format!("unix://{}", socket.display())]);
    command.env("DOCKER_HOST", daemon.address().to_string());
    let gate = Gate::start(&mut command, folder, 1);
    assert!(
        gate.output().contains("DOCKER_HOST address="),
        "{}",
        gate.output()
    );
    let answer = http::request(gate.address(), "GET", "/v1.41/images/json", "");
    assert_eq!((answer.status, daemon.take().len()), (200, 1));
}

#[test]
fn a_daemon_that_is_its_own_listener_is_an_error_however_it_is_spelled() {
    let (daemon, folder) = (FakeDaemon::start(), folder());
    let real = folder.path().join("real");
    fs::create_dir(&real).unwrap();
    symlink(&real, folder.path().join("link")).unwrap();
    symlink("gate.sock", real.join("other.sock")).unwrap();
    let unix = |name: &str| format!("unix://{}/{name}", folder.path().display());
    let gate = unix("real/gate.sock");
    let port = "tcp://127.0.0.1:47311";
    for (listener, daemon) in [
        (gate.as_str(), gate.as_str()),
        (&gate, &unix("link/gate.sock")),
        (&unix("link/gate.sock"), &gate),
        (port, port),
        (port, "tcp://localhost:47311"),
        (port, "tcp://0.0.0.0:47311"),
        (port, "tcp://127.1:47311"),
        ("tcp://[::1]:47311", "tcp://[::1]:47311"),
    ] {
        let by_environment = serve(&["--listen", listener], |command| {
            command.env("DOCKER_HOST", daemon);
        });
        refused(&by_environment, 78, "itself; name the real daemon");
        let by_flag = serve(&["--listen", listener, "--daemon", daemon], |_| {});
        refused(&by_flag, 78, "itself; name the real daemon");
    }
    assert!(!real.join("gate.sock").exists());
    for own in ["/run/dockgate/docker.sock", "/var/run/dockgate/docker.sock"] {
        let mut default = with_own_run(&daemon, "exec \"$1\" serve");
        default.env("DOCKER_HOST", format!("unix://{own}"));
        let ended = process::run(&mut default, Vec::new(), DEADLINE);
        refused(&ended, 78, "itself; name the real daemon");
    }
}

#[test]
fn a_daemon_on_another_machine_is_not_reached_without_tls() {
    let ended = serve(
        &[
            "--listen",
            "tcp://127.0.0.1:0",
            "--daemon",
            "tcp://192.0.2.1:2375",
        ],
        |_| {},
    );
    refused(&ended, 78, "without TLS");
    let ended = serve(&["--listen", "tcp://127.0.0.1:0"], |command| {
        command.env("DOCKER_HOST", "tcp://192.0.2.1:2375");
    });
    refused(&ended, 78, "without TLS");
    let (folder, daemon) = (folder(), "[daemon]\naddress = 'tcp://192.0.2.1:2375'\n");
    let file = folder.path().join("dockgate.toml");
    fs::write(&file, daemon).unwrap();
    refused(
        &serve(&["--config", file.to_str().unwrap()], |_| {}),
        78,
        "[plain-tcp]",
    );
}

#[test]
fn the_policy_that_permits_everything_is_announced_loudly() {
    let daemon = FakeDaemon::start();
    let gate = Setup::before(&daemon.address()).listen("open").start();
    assert!(
        gate.output()
            .contains("WARN THIS POLICY PERMITS EVERYTHING"),
        "{}",
        gate.output()
    );
    let gate = Setup::before(&daemon.address()).listen("guarded").start();
    assert!(!gate.output().contains("WARN"), "{}", gate.output());
}

#[test]
fn the_exit_code_tells_a_wrong_command_line_from_a_wrong_configuration() {
    let folder = folder();
    let here = |name: &str| folder.path().join(name).display().to_string();
    for wrong in [
        &["--no-such-flag"][..],
        &["--policy", "gaurded"],
        &["--listen", "here"],
        &["--daemon", "there"],
        &["--set", "nothing"],
    ] {
        refused(&serve(wrong, |_| {}), 2, "");
    }
    let absent = here("absent.toml");
    refused(&serve(&["--config", &absent], |_| {}), 78, "cannot read");
    refused(
        &serve(&["--policy", &absent], |_| {}),
        78,
        "cannot read the policy",
    );
    refused(
        &serve(&["--policy", "agent-sandbox"], |_| {}),
        78,
        "--set project=DIRECTORY",
    );
    let listener = format!("unix://{}", here("absent/gate.sock"));
    refused(
        &serve(&["--listen", &listener], |_| {}),
        78,
        "cannot listen on",
    );
    let listener = format!("unix://{}", here("gate.sock"));
    let sink = here("absent/audit.jsonl");
    refused(
        &serve(&["--listen", &listener, "--audit", &sink], |_| {}),
        78,
        "audit",
    );
}

#[test]
fn an_owner_beside_a_policy_that_judges_nothing_is_refused() {
    let folder = folder();
    let file = folder.path().join("dockgate.toml");
    let socket = folder.path().join("gate.sock");
    let listener = format!("[[listener]]\naddress = 'unix://{}'\n", socket.display());
    let client = "[[client]]\nname = 'a'\nmatch = { uid = 1 }\npolicy = 'open'\n";
    for text in [
        format!("{listener}{client}owner = 'a'\n"),
        format!("{listener}owner = 'a'\n{client}"),
        format!("{listener}owner = 'a'\npolicy = 'open'\n"),
        format!("policy = 'open'\n{listener}owner = 'a'\n"),
    ] {
        fs::write(&file, &text).unwrap();
        let ended = serve(&["--config", file.to_str().unwrap()], |_| {});
        refused(&ended, 78, "nothing would keep it to its own");
        let mut check = Command::new(DOCKGATE);
        let checked = process::run(check.arg("check").arg(&file), Vec::new(), DEADLINE);
        assert!(
            checked.text().contains("unjudged-owner"),
            "{text}\n{}",
            checked.text()
        );
    }
}

#[test]
fn every_problem_is_shown_at_once_with_its_place_and_a_hint() {
    let folder = folder();
    let file = folder.path().join("policy.toml");
    let faulty = "description = 'x'\n\n[[permit]]\noperations = ['ContainerCraete']\n\n[container]\nprivilegd = true\n";
    fs::write(&file, faulty).unwrap();
    let ended = serve(&["--policy", file.to_str().unwrap()], |_| {});
    for part in [
        "policy.toml:4:15",
        "policy.toml:7:1",
        "     ^",
        "did you mean `ContainerCreate`?",
        "did you mean `privileged`?",
    ] {
        refused(&ended, 78, part);
    }
}
