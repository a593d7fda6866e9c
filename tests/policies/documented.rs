//! The operator's pages: their examples work, and they name every key.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use dockgate::config::Config;
use dockgate::policy::{self, Problems};

use super::parameters;

#[test]
fn documented_policies_compile() {
    let text = include_str!("../../docs/policy.md");
    let examples: Vec<_> = examples(text).collect();
    assert!(examples.len() >= 3);
    for (line, example) in examples {
        let file = format!("docs/policy.md, the example at line {line}");
        if let Err(problems) = policy::compile(&file, &example, &parameters()) {
            panic!("{problems}");
        }
    }
}

#[test]
fn documented_configurations_are_read() {
    let text = include_str!("../../docs/configuration.md");
    let examples: Vec<_> = examples(text).collect();
    assert!(examples.len() >= 2);
    for (line, example) in examples {
        let file = format!("docs/configuration.md, the example at line {line}");
        if let Err(problems) = Config::parse(&file, &example, None) {
            panic!("{problems}");
        }
    }
}

#[test]
fn every_key_of_the_configuration_is_documented() {
    let text = include_str!("../../docs/configuration.md");
    let unknown = "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz = 1";
    for (before, after) in [
        ("", ""),
        ("[daemon]\n", ""),
        ("daemon.tls = {", "}"),
        ("[[listener]]\n", ""),
        ("[[listener]]\ntls = {", "}"),
        ("[[client]]\n", ""),
        ("[[client]]\nmatch = {", "}"),
        ("[[client]]\nlimits = {", "}"),
        ("[[client]]\nquota = {", "}"),
        ("[limits]\n", ""),
        ("[audit]\n", ""),
        ("[api]\n", ""),
        ("[admin]\n", ""),
        ("[reload]\n", ""),
    ] {
        let problems = Config::parse("x", &format!("{before}{unknown}{after}"), None).unwrap_err();
        all_known_keys_stand_in(text, &problems, before);
    }
}

#[test]
fn every_code_of_a_problem_is_documented() {
    let policies = include_str!("../../docs/policy.md");
    let configuration = include_str!("../../docs/configuration.md");
    let mut count = 0;
    let mut folders = vec![
        std::path::PathBuf::from("src/policy"),
        std::path::PathBuf::from("src/config"),
    ];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = std::fs::read_to_string(path).unwrap();
            let code = text.split("#[cfg(test)]").next().unwrap();
            for call in code.split("Fault::new(").skip(1) {
                let Some(rest) = call.trim_start().strip_prefix('"') else {
                    continue;
                };
                let name = rest.split('"').next().unwrap();
                let row = format!("| `{name}` |");
                let documented = policies.contains(&row) || configuration.contains(&row);
                assert!(documented, "{name}");
                count += 1;
            }
        }
    }
    assert!(count > 40, "the codes were not found");
}

#[test]
fn every_key_is_documented() {
    let text = include_str!("../../docs/policy.md");
    let tables = [
        "",
        "[[permit]]\n",
        "[container]\n",
        "[network]\n",
        "[volume]\n",
        "[image]\n",
        "[build]\n",
        "[swarm]\n",
        "[secret]\n",
        "[config]\n",
        "[plugin]\n",
        "[service]\n",
        "[quiet]\n",
    ];
    for table in tables {
        let faulty = format!("{table}zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz = 1\n");
        let problems = policy::compile("x", &faulty, &BTreeMap::new()).unwrap_err();
        all_known_keys_stand_in(text, &problems, table);
    }
}

/// The help for a key that is near to none lists all that the table has.
fn all_known_keys_stand_in(text: &str, problems: &Problems, table: &str) {
    let mut found = problems.problems.iter();
    let unknown = found.find(|problem| problem.code == "unknown-key").unwrap();
    let keys: Vec<_> = unknown.help.split('`').skip(1).step_by(2).collect();
    assert!(!keys.is_empty(), "{table}");
    for key in keys {
        assert!(text.contains(&format!("`{key}`")), "{table}{key}");
    }
}

/// The text between the fences of each TOML example, with the line of its fence.
fn examples(text: &str) -> impl Iterator<Item = (usize, String)> {
    let mut inside: Option<(usize, String)> = None;
    let mut examples = Vec::new();
    for (number, line) in text.lines().enumerate() {
        match (&mut inside, line) {
            (None, "```toml") => inside = Some((number + 1, String::new())),
            (Some(_), "```") => examples.extend(inside.take()),
            (Some((_, example)), line) => writeln!(example, "{line}").unwrap(),
            (None, _) => {}
        }
    }
    examples.into_iter()
}
