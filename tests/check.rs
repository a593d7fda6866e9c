//! `dockgate check` says what a policy opens, by which line, and what in it does nothing.

mod keys;
mod undone;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use dockgate::policy::ready;
use serde_json::Value;
use tempfile::TempDir;

use super::support::certificates::DOCKGATE;
use super::support::process::{self, Ended};
use super::support::wait::DEADLINE;

#[test]
fn each_ready_policy_is_without_problems_and_opens_what_the_snapshot_says() {
    let folder = repository("policies");
    let mut files: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let name = entry.unwrap().file_name().into_string().unwrap();
            format!("policies/{name}")
        })
        .collect();
    files.sort();
    assert_eq!(files.len(), ready::ready().len());
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    let ended = check(&files);
    assert_eq!((code(&ended), ended.stderr.as_str()), (0, ""));
    insta::assert_snapshot!("ready", ended.text());
}

#[test]
fn a_ready_policy_has_the_findings_of_its_file() {
    for (name, _) in ready::ready() {
        let file = format!("policies/{name}.toml");
        let of_file = check(&[&file]).text().replace(&file, name);
        assert_eq!(check(&[name]).text(), of_file);
    }
}

#[test]
fn a_wide_policy_is_told_line_by_line() {
    let place = Place::new();
    let ended = check(&[&place.file("wide.toml", WIDE)]);
    assert_eq!((code(&ended), ended.stderr.as_str()), (0, ""));
    insta::assert_snapshot!("wide", place.shown(&ended.text()));
}

#[test]
fn a_narrow_policy_is_told_what_does_nothing() {
    let place = Place::new();
    let ended = check(&[&place.file("narrow.toml", NARROW)]);
    assert_eq!((code(&ended), ended.stderr.as_str()), (0, ""));
    insta::assert_snapshot!("narrow", place.shown(&ended.text()));
}

#[test]
fn closing_what_is_named_leaves_nothing_open() {
    let place = Place::new();
    let opened = |text: &str| {
        let text = check(&[&place.file("edited.toml", text)]).text();
        text.lines()
            .filter_map(|line| Some(line.split_once(':')?.1.split_once(": opens ")?.0.to_owned()))
            .map(|line| line.parse::<usize>().unwrap())
            .collect::<Vec<_>>()
    };
    let lines = opened(WIDE);
    assert!(lines.len() > 15, "{lines:?}");
    let left = WIDE.lines().enumerate();
    let left: Vec<&str> = left
        .filter(|(index, _)| !lines.contains(&(index + 1)))
        .map(|(_, line)| line)
        .collect();
    let mut left = left.join("\n");
    // The rule for all operations is named too, for the reading of secrets.
    assert!(!left.contains("operations = [\"*\"]"));
    left = left.replacen(
        "[[permit]]\n",
        "[[permit]]\noperations = [\"Container:*\", \"Volume:*\"]\n",
        1,
    );
    assert_eq!(opened(&left), Vec::<usize>::new(), "{left}");
}

#[test]
fn findings_fail_where_they_are_told_to() {
    assert_eq!(code(&check(&["open"])), 0);
    assert_eq!(code(&check(&["--strict", "open"])), 1);
    assert_eq!(code(&check(&["--strict", "guarded", "read-only"])), 0);
}

#[test]
fn every_problem_is_shown_as_the_compiler_has_it() {
    let place = Place::new();
    let text = "description = 'x'\n[container]\nprivilegd = true\nimages = ['busybox']\n";
    let file = place.file("bad.toml", text);
    let ended = check(&[&file, "guarded", "--strict"]);
    assert_eq!(code(&ended), 78);
    assert_eq!(ended.text(), "guarded: no findings\n");
    let problems =
        dockgate::policy::compile(&file, text, &std::collections::BTreeMap::new()).unwrap_err();
    assert_eq!(problems.problems.len(), 2);
    assert_eq!(ended.stderr, format!("{problems}\n\n"));

    let ended = check(&["--json", &file]);
    assert_eq!((code(&ended), ended.stderr.as_str()), (78, ""));
    let checked = &json(&ended)["files"][0];
    assert_eq!(checked["problems"][0]["code"], "unknown-key");
    assert_eq!(checked["problems"][0]["line"], 3);
    assert_eq!(checked["problems"][1]["code"], "never-matches");

    let ended = check(&["./not-there.toml"]);
    assert_eq!(code(&ended), 78);
    assert!(ended.stderr.starts_with("cannot read `./not-there.toml`"));
}

#[test]
fn the_object_has_every_case_by_its_name() {
    let ended = check(&["--json", "open", "portainer"]);
    assert_eq!(code(&ended), 0);
    let report = json(&ended);
    let all = report["cases"].as_u64().unwrap();
    assert!(all >= 510, "{all} cases");
    let open = &report["files"][0]["findings"][0];
    assert_eq!(open["code"], "dangerous");
    assert_eq!(open["line"], 7);
    assert_eq!(open["cases"].as_array().unwrap().len() as u64, all);
    let secrets = &report["files"][1]["findings"][0];
    assert_eq!(
        (&secrets["code"], &secrets["opens"]),
        (&Value::from("operation"), &Value::from(true))
    );
    assert_eq!(secrets["cases"], serde_json::json!(["the secrets read"]));
}

/// What the cases are compiled in from is what the refusal tests read.
#[test]
fn no_file_of_cases_is_left_out() {
    let source = fs::read_to_string(repository("src/command/check/cases.rs")).unwrap();
    let mut files = 0;
    for entry in fs::read_dir(repository("tests/refusals")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if name.ends_with(".toml") {
            assert!(source.contains(&format!("refusals/{name}\"")), "{name}");
            files += 1;
        }
    }
    assert!(files > 0);
}

#[test]
fn a_configuration_is_checked_with_the_policies_that_it_names() {
    let place = Place::new();
    place.file(
        "wide.toml",
        "description = 'x'\n[[permit]]\noperations = ['ContainerCreate']\n\
        [container]\nimages = ['*']\nnetworks = ['*']\nprivileged = true\n",
    );
    let ended = check(&[&place.file("gate.toml", CONFIGURATION)]);
    assert_eq!((code(&ended), ended.stderr.as_str()), (0, ""));
    insta::assert_snapshot!("configuration", place.shown(&ended.text()));

    let faulty = place.file(
        "faulty.toml",
        "[[listener]]\naddress = 'tcp://0.0.0.0:2376'\n",
    );
    let ended = check(&[&faulty]);
    assert_eq!(code(&ended), 78);
    assert!(
        ended.stderr.contains("problem[plain-tcp]"),
        "{}",
        ended.stderr
    );
}

#[test]
fn parameters_are_taken_and_stood_in_for() {
    let opened = "opens host-paths: `/srv/project read-write`";
    assert!(check(&["agent-sandbox"]).text().contains(opened));
    let ended = check(&["agent-sandbox", "--set", "project=/proc/self"]);
    assert!(
        ended.text().contains("never-used: no policy opens `/proc`"),
        "{}",
        ended.text()
    );
    for wrong in ["project", "project=here", "Project=/srv"] {
        assert_eq!(
            code(&check(&["agent-sandbox", "--set", wrong])),
            2,
            "{wrong}"
        );
    }
    let place = Place::new();
    let text = "[[listener]]\naddress = 'unix:///run/a.sock'\npolicy = 'agent-sandbox'\n";
    let file = place.file("gate.toml", text);
    let ended = check(&[&file]);
    assert_eq!(code(&ended), 78);
    assert!(
        ended.stderr.contains("missing-parameter"),
        "{}",
        ended.stderr
    );
    assert_eq!(code(&check(&[&file, "--set", "project=/srv/a"])), 0);
}

#[test]
fn a_wrong_command_line_is_told() {
    assert_eq!(code(&check(&[])), 2);
    let ended = check(&["trafik"]);
    assert_eq!(code(&ended), 2);
    assert!(ended.stderr.contains("did you mean `traefik`?"));
}

const WIDE: &str = include_str!("check/wide.toml");
const NARROW: &str = include_str!("check/narrow.toml");
const CONFIGURATION: &str = include_str!("check/configuration.toml");

/// A folder for the files of one test.
struct Place {
    folder: TempDir,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { folder }
    }

    fn file(&self, name: &str, text: &str) -> String {
        let path = self.folder.path().join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// The text without the name of the folder.
    fn shown(&self, text: &str) -> String {
        text.replace(self.folder.path().to_str().unwrap(), "FOLDER")
    }
}

fn check(arguments: &[&str]) -> Ended {
    let mut command = Command::new(DOCKGATE);
    command
        .current_dir(repository(""))
        .arg("check")
        .args(arguments);
    process::run(&mut command, Vec::new(), DEADLINE)
}

fn code(ended: &Ended) -> i32 {
    ended.status.code().unwrap()
}

fn json(ended: &Ended) -> Value {
    super::support::json(ended.text())
}

fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}
