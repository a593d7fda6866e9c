//! The other commands, and what the operator's pages say of all of them.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::support::certificates::DOCKGATE;
use super::support::fake_daemon::FakeDaemon;
use super::support::gate::Setup;
use super::support::process::{self, Ended};
use super::support::site::{Site, direct};
use super::support::wait::DEADLINE;

fn run(arguments: &[&str]) -> Ended {
    let mut command = Command::new(DOCKGATE);
    process::run(command.args(arguments), Vec::new(), DEADLINE)
}

fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn page(path: &str) -> String {
    fs::read_to_string(repository(path)).unwrap()
}

#[test]
fn the_exit_code_tells_a_failure_from_a_wrong_command_line() {
    let folder = tempfile::tempdir().unwrap();
    let absent = folder.path().join("absent").display().to_string();
    for (arguments, code) in [
        (&["policies", "gaurded"][..], 1),
        (&["certs", "client", "a", "--out", &absent], 1),
        (&["certs", "nothing"], 2),
        (&["nothing"], 2),
        (&[], 2),
    ] {
        let ended = run(arguments);
        assert_eq!(ended.status.code(), Some(code), "{arguments:?} {ended:?}");
        assert!(!ended.stderr.is_empty());
    }
    let daemon = FakeDaemon::start();
    for signal in ["INT", "TERM"] {
        let mut gate = Setup::before(&daemon.address()).listen("guarded").start();
        gate.signal(signal);
        assert_eq!(gate.ended_within(DEADLINE).unwrap().code(), Some(0));
    }
}

#[test]
fn every_ready_policy_is_listed_and_printed_as_it_is() {
    let listed = run(&["policies"]).ok("dockgate policies");
    let readme = page("README.md");
    let files = fs::read_dir(repository("policies")).unwrap();
    let names: Vec<String> = files
        .map(|file| {
            file.unwrap()
                .path()
                .file_stem()
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    assert_eq!(names.len(), listed.lines().count());
    for name in names {
        assert!(
            listed
                .lines()
                .any(|line| line.starts_with(&format!("{name} "))),
            "{listed}"
        );
        let printed = run(&["policies", &name]).ok("dockgate policies NAME");
        assert_eq!(printed, page(&format!("policies/{name}.toml")));
        assert!(readme.contains(&format!("| `{name}` |")), "{name}");
    }
}

#[test]
fn every_flag_of_every_command_is_described() {
    let commands = page("docs/commands.md");
    let mut count = 0;
    for command in [
        "",
        "serve",
        "policies",
        "certs",
        "certs init",
        "certs server",
        "certs client",
        "certs revoke",
    ] {
        let words: Vec<&str> = command.split_whitespace().chain(["--help"]).collect();
        let help = run(&words).ok("--help");
        let title = format!("## `{}`", format!("dockgate {command}").trim_end());
        // `server` and `client` have the same flags and one section.
        let title = title.replace("certs server", "certs client");
        let section = commands
            .split("\n## ")
            .find(|section| title.contains(section.lines().next().unwrap()));
        let section = section.unwrap_or_else(|| panic!("no section {title}"));
        let flags: BTreeSet<&str> = help
            .split([' ', '\n', ',', '`'])
            .filter(|word| word.starts_with("--") && word.len() > 2)
            .collect();
        for flag in flags.into_iter().filter(|flag| *flag != "--help") {
            assert!(section.contains(&format!("`{flag}")), "{command}: {flag}");
            count += 1;
        }
    }
    assert!(count > 20, "the flags were not found");
}

#[test]
fn every_page_is_among_the_documents_of_the_readme() {
    let readme = page("README.md");
    for file in fs::read_dir(repository("docs")).unwrap() {
        let name = file.unwrap().file_name().into_string().unwrap();
        let is_page = name.ends_with(".md");
        assert!(
            !is_page || readme.contains(&format!("`docs/{name}`")),
            "{name}"
        );
    }
    for (index, _) in readme.match_indices("`docs/") {
        let path = readme[index + 1..].split('`').next().unwrap();
        assert!(repository(path).exists(), "{path}");
    }
}

#[test]
fn the_refusal_in_the_readme_is_what_the_docker_cli_prints() {
    if direct() {
        return;
    }
    let readme = page("README.md");
    let example = readme.split("```console\n$ docker ").nth(1).unwrap();
    let (command, printed) = example
        .split("```")
        .next()
        .unwrap()
        .split_once('\n')
        .unwrap();
    assert_eq!(command, "run --privileged -v /:/h --pid host busybox");
    let told = Site::guarded().docker.fails(command);
    assert_eq!(told.split("\n\n").next().unwrap(), printed.trim_end());
}

#[test]
fn the_configurations_in_the_readme_and_the_examples_are_read() {
    for (file, count) in [("README.md", 2), ("certs-example/README.md", 2)] {
        let text = page(file);
        let examples: Vec<&str> = text
            .split("```toml\n")
            .skip(1)
            .map(|rest| rest.split("```").next().unwrap())
            .collect();
        assert_eq!(examples.len(), count, "{file}");
        for example in examples {
            let read = if example.contains("[[permit]]") {
                dockgate::policy::compile(file, example, &std::collections::BTreeMap::new())
                    .map(drop)
            } else {
                // A part of a configuration: each listener leaves it to the clients, and the clients are elsewhere.
                let clients = "[[client]]\nname = 'x'\nmatch = { uid = 0 }\npolicy = 'guarded'\n";
                let whole = if example.contains("[[client]]") {
                    example.to_owned()
                } else {
                    format!("{example}{clients}")
                };
                dockgate::config::Config::parse(file, &whole, None).map(drop)
            };
            if let Err(problems) = read {
                panic!("{problems}");
            }
        }
    }
}

#[test]
fn the_example_of_certificates_is_made_in_one_go() {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("make.sh");
    fs::copy(repository("certs-example/make.sh"), &script).unwrap();
    let mut make = Command::new("sh");
    make.arg(&script)
        .args(["--san", "IP:127.0.0.1"])
        .env("DOCKGATE", DOCKGATE);
    process::run(&mut make, Vec::new(), DEADLINE).ok("make.sh");
    for made in [
        "ca.pem",
        "crl.pem",
        "server/gate/key.pem",
        "client/alice/key.pem",
        "client/ci-1/cert.pem",
    ] {
        assert!(folder.path().join("certs").join(made).exists(), "{made}");
    }
    let ignored = page("certs-example/.gitignore");
    assert!(
        ignored.contains("certs/") || ignored.contains("*.pem"),
        "{ignored}"
    );
}
