//! The house keeps its shape: layers point one way, files stay small, exceptions carry reasons.

use std::fs;
use std::path::{Path, PathBuf};

/// The groups that decide, and what none of them may know.
const PURE: &[&str] = &["engine_api", "policy", "decision"];
const FORBIDDEN_IN_PURE: &[&str] = &[
    "tokio",
    "hyper",
    "rustls",
    "rustix",
    "socket2",
    "tracing",
    "std::fs",
    "std::net::Tcp",
    "std::env",
    "std::time",
    "std::process",
    "std::io",
    "time::",
    "crate::proxy",
    "crate::daemon",
    "crate::audit",
    "crate::command",
    "crate::config",
];

/// The most lines that a file may have, tests in it included.
const MOST_LINES: usize = 420;

#[test]
fn what_decides_knows_no_input_or_output() {
    for file in sources()
        .iter()
        .filter(|file| group(file).is_some_and(|group| PURE.contains(&group.as_str())))
    {
        for line in code_lines(file) {
            for forbidden in FORBIDDEN_IN_PURE {
                let names = line.contains(&format!("use {forbidden}"))
                    || (forbidden.contains("::") && line.contains(forbidden));
                assert!(
                    !names,
                    "{} reaches for `{forbidden}`: {line}",
                    file.display()
                );
            }
        }
    }
}

#[test]
fn layers_point_downwards() {
    let below: &[(&str, &[&str])] = &[
        ("engine_api", &["policy", "decision"]),
        ("policy", &["decision"]),
        (
            "audit",
            &["proxy", "daemon", "command", "config", "metrics", "reload"],
        ),
        (
            "daemon",
            &["proxy", "command", "audit", "metrics", "reload"],
        ),
        (
            "reload",
            &["proxy", "command", "audit", "daemon", "metrics"],
        ),
        ("metrics", &["proxy", "command", "daemon", "admin"]),
        (
            "config",
            &["proxy", "daemon", "command", "audit", "decision"],
        ),
        ("proxy", &["command", "admin"]),
        ("admin", &["command"]),
    ];
    for file in sources() {
        let Some(group) = group(&file) else { continue };
        for (_, above) in below.iter().filter(|(name, _)| *name == group) {
            for line in code_lines(&file) {
                for upper in *above {
                    assert!(
                        !line.contains(&format!("crate::{upper}::")),
                        "{} uses {upper}: {line}",
                        file.display()
                    );
                }
            }
        }
    }
}

#[test]
fn only_the_decision_makes_a_permit() {
    for file in sources() {
        if !file.starts_with("src/decision") {
            let text = fs::read_to_string(&file).unwrap();
            assert!(
                !text.contains("Permit { request"),
                "{} makes a permit",
                file.display()
            );
        }
    }
}

#[test]
fn files_stay_small_and_say_what_they_are_for() {
    for file in sources() {
        let text = fs::read_to_string(&file).unwrap();
        let lines = text.lines().count();
        assert!(lines <= MOST_LINES, "{} has {lines} lines", file.display());
        assert!(
            text.starts_with("//!"),
            "{} does not say what it is for",
            file.display()
        );
        assert!(
            !text.contains("#[allow("),
            "{} allows a lint; expect it with a reason",
            file.display()
        );
    }
}

fn sources() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::from("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                found.push(path);
            }
        }
    }
    assert!(found.len() > 20, "the sources were not found");
    found
}

fn group(file: &Path) -> Option<String> {
    let second = file.components().nth(1)?.as_os_str().to_str()?;
    Some(second.trim_end_matches(".rs").to_owned())
}

/// The lines of a file before its tests, without comments.
fn code_lines(file: &Path) -> Vec<String> {
    let text = fs::read_to_string(file).unwrap();
    text.lines()
        .take_while(|line| !line.contains("#[cfg(test)]"))
        .filter(|line| !line.trim_start().starts_with("//"))
        .map(str::to_owned)
        .collect()
}
