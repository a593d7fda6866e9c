//! `docs/refusals.md` lists every case and every code, and nothing else.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use dockgate::policy::Namespace;

use super::case::{self, Case, Direct};

#[test]
fn the_page_has_a_line_for_each_case_as_the_data_has_it() {
    let page = read("docs/refusals.md");
    let (_, cases) = page.split_once("## Cases").unwrap();
    let listed: Vec<&str> = rows(cases).collect();
    let expected: Vec<String> = case::all().iter().map(line).collect();
    for line in &expected {
        assert!(
            listed.contains(&line.as_str()),
            "docs/refusals.md lacks\n{line}"
        );
    }
    for line in &listed {
        assert!(
            expected.iter().any(|expected| expected == line),
            "no case says\n{line}"
        );
    }
    assert_eq!(listed.len(), expected.len(), "a line stands twice");
}

#[test]
fn the_page_has_a_row_for_each_code() {
    let page = read("docs/refusals.md");
    let (codes, _) = page.split_once("## Cases").unwrap();
    let documented: BTreeSet<&str> = rows(codes)
        .filter_map(|row| {
            row.strip_prefix("| `")?
                .split_once('`')
                .map(|(code, _)| code)
        })
        .collect();
    let sources = [
        sources("src/decision"),
        sources("src/decision/own"),
        sources("src/decision/quiet"),
        read("src/engine_api/mod.rs"),
        read("src/policy/mod.rs"),
        read("src/proxy/allowance/mod.rs"),
    ]
    .concat();
    for code in &documented {
        assert!(
            sources.contains(&format!("\"{code}\"")),
            "no source has the code `{code}`"
        );
    }
    let mut used: BTreeSet<String> = case::all().iter().flat_map(Case::expected_codes).collect();
    used.extend(
        Namespace::ALL
            .iter()
            .map(|namespace| namespace.name().to_owned()),
    );
    // Where the code stands first in the making of a reason.
    let compact: String = sources.chars().filter(|c| !c.is_whitespace()).collect();
    for (at, opening) in compact.match_indices("Reason::new(\"") {
        let (code, _) = compact[at + opening.len()..].split_once('"').unwrap();
        used.insert(code.to_owned());
    }
    let (_, limits) = compact.split_once("pub(super)fncode(&self)").unwrap();
    let (limits, _) = limits.split_once("}}").unwrap();
    let codes = limits.split("=>\"").skip(1);
    used.extend(codes.map(|rest| rest.split_once('"').unwrap().0.to_owned()));
    assert!(used.contains("too-many-requests"));
    for code in &used {
        assert!(
            documented.contains(code.as_str()),
            "docs/refusals.md has no row for `{code}`"
        );
    }
}

fn line(case: &Case) -> String {
    let codes: BTreeSet<String> = case.expected_codes().into_iter().collect();
    let codes: Vec<String> = codes.iter().map(|code| format!("`{code}`")).collect();
    let codes = if codes.is_empty() {
        "-".to_owned()
    } else {
        codes.join(", ")
    };
    let past = match case.direct {
        Direct::Works => "takes effect",
        Direct::Refused => "the daemon refuses it too",
        Direct::Ignored => "without effect",
        Direct::Untried => "not sent",
    };
    let why = case
        .why
        .as_ref()
        .map(|why| format!(": {why}"))
        .unwrap_or_default();
    format!("| {} | {codes} | {past}{why} |", case.name)
}

/// The rows of the tables, without their heads.
fn rows(text: &str) -> impl Iterator<Item = &str> {
    let is_row = |line: &&str| {
        line.starts_with("| ") && !line.starts_with("| code |") && !line.starts_with("| case |")
    };
    text.lines().filter(is_row)
}

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

fn sources(folder: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let files = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    files
        .filter(|path| path.is_file())
        .map(|path| fs::read_to_string(path).unwrap())
        .collect()
}
