//! Every key of the language, as the documentation has it: what is opened is told with its line, or is documented as
//! harmless.

use std::fs;

use super::{Place, check, code, json, repository};

/// Keys that `check` may be silent about, each with the words of the operator's pages that say why.
const HARMLESS: &[(&str, &str, &str)] = &[
    ("host-file-system", "docs/policy.md", "It opens nothing."),
    ("images", "policies/guarded.toml", "images = [\"*\"]"),
    ("networks", "policies/guarded.toml", "networks = [\"*\"]"),
    (
        "default-bridge",
        "policies/guarded.toml",
        "default-bridge = \"any\"",
    ),
    (
        "references",
        "policies/guarded.toml",
        "references = [\"*\"]",
    ),
];

/// The documented example with every switch on, every word at its widest, and more ports and subnets than `guarded` opens.
fn widest() -> String {
    let text = fs::read_to_string(repository("docs/policy.md")).unwrap();
    let (_, example) = text
        .split_once("## Everything at once\n\n```toml\n")
        .unwrap();
    let (example, _) = example.split_once("```").unwrap();
    let rule = "operations = [\"*:read\", \"*:stream\", \"*:export\", \"Container:*\", \"Exec:*\", \"Image:*\", \"Volume:*\", \"Network:*\"]";
    assert!(example.contains(rule));
    example
        .replace(rule, "operations = [\"*\"]")
        .replace("= false", "= true")
        .replace("\"icc-off\"", "\"any\"")
        .replace("\"*:8080\"", "\"*:22\"")
        .replace("\"172.16.0.0/12\"", "\"10.0.0.0/8\"")
        .replace("\"own\"", "\"any\"")
}

/// The keys of the tables with their lines.
fn keys(text: &str) -> Vec<(String, usize)> {
    let mut table = "";
    let mut keys = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if line.starts_with('[') {
            table = line;
        } else if let Some((key, _)) = line.split_once('=')
            && table.starts_with('[')
            && !table.starts_with("[[")
            // It opens nothing; docs/policy.md says so.
            && table != "[quiet]"
        {
            keys.push((key.trim().to_owned(), index + 1));
        }
    }
    keys
}

/// The lines that `check` says open something.
fn opened(text: &str) -> Vec<usize> {
    let place = Place::new();
    let ended = check(&["--json", &place.file("keys.toml", text)]);
    assert_eq!(code(&ended), 0, "{}", ended.stderr);
    let report = json(&ended);
    let findings = report["files"][0]["findings"].as_array().unwrap();
    let opening = findings.iter().filter(|finding| finding["opens"] == true);
    let line = |finding: &serde_json::Value| finding["line"].as_u64().unwrap();
    opening
        .map(|finding| usize::try_from(line(finding)).unwrap())
        .collect()
}

fn is_harmless(key: &str) -> bool {
    HARMLESS.iter().any(|(harmless, _, _)| *harmless == key)
}

#[test]
fn each_key_that_opens_something_is_told_or_documented_as_harmless() {
    let text = widest();
    let (keys, lines) = (keys(&text), opened(&text));
    assert!(keys.len() > 40, "{} keys", keys.len());
    let silent: Vec<&str> = keys
        .iter()
        .filter(|(key, line)| !lines.contains(line) && !is_harmless(key))
        .map(|(key, _)| key.as_str())
        .collect();
    assert_eq!(silent, Vec::<&str>::new(), "nothing is said of these keys");
    for (key, file, words) in HARMLESS {
        assert!(keys.iter().any(|(known, _)| known == key), "no key `{key}`");
        let text = fs::read_to_string(repository(file)).unwrap();
        // However a policy lines its values up.
        let plain = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(
            plain(&text).contains(&plain(words)),
            "{file} does not say why `{key}` is harmless"
        );
    }
}

/// A key alone is told as well: no other line speaks for it.
#[test]
fn each_key_alone_is_told_with_its_own_line() {
    let text = widest();
    let of_the_tables: Vec<(String, usize)> = keys(&text);
    let mut silent = Vec::new();
    for (key, line) in of_the_tables.iter().filter(|(key, _)| !is_harmless(key)) {
        // A parent lies on an interface by a driver, and a name is needed to get as far.
        let stays = |(other, at): &&(String, usize)| {
            at == line || NEEDED.contains(&(key.as_str(), other.as_str()))
        };
        let kept: Vec<usize> = of_the_tables
            .iter()
            .filter(stays)
            .map(|(_, at)| *at)
            .collect();
        let is_key = |at: usize| of_the_tables.iter().any(|(_, of_key)| *of_key == at);
        let lines = text.lines().enumerate();
        let alone: Vec<&str> = lines
            .map(|(index, line)| {
                if is_key(index + 1) && !kept.contains(&(index + 1)) {
                    ""
                } else {
                    line
                }
            })
            .collect();
        if !opened(&alone.join("\n")).contains(line) {
            silent.push(key.as_str());
        }
    }
    assert_eq!(
        silent,
        Vec::<&str>::new(),
        "nothing is said of these keys alone"
    );
}

/// A key with another without which it opens nothing.
const NEEDED: &[(&str, &str)] = &[("parents", "drivers")];
