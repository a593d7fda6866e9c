//! The properties that the fuzz targets assert, over their seeds and mutations of them, the same ones every time.

#[path = "../fuzz/properties/mod.rs"]
pub(crate) mod properties;

use std::collections::BTreeMap;
use std::fs;
use std::panic;
use std::time::{Duration, Instant};

use dockgate::policy;

use crate::support::random::Random;

/// How long one property is tried at most, on a machine that is slow or busy.
const MOST: Duration = Duration::from_secs(2);
/// Mutations of its seeds that each property is tried with, where the time allows.
const MUTATIONS: usize = 10_000;
/// Mutations that each is tried with however long that takes.
const LEAST: usize = 500;
/// What stands in a mutation where it did not before: bytes and words that mean something to some reader.
const PIECES: &[&str] = &[
    "\r\n",
    "\n",
    "\r\n\r\n",
    "\0",
    "\u{feff}",
    "\"",
    "\\",
    "\\u0000",
    "\\ud800",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "null",
    "true",
    "1e9",
    "-0",
    "9223372036854775808",
    "%",
    "%2f",
    "%00",
    "/",
    "//",
    "..",
    "?",
    "&",
    "&&",
    "=",
    ";",
    "+",
    "#",
    " ",
    "\t",
    "Transfer-Encoding: chunked\r\n",
    "Content-Length: 3\r\n",
    "HTTP/1.0",
    "\"Privileged\":true,",
    "\"privileged\":true,",
    "\"Binds\":[\"/:/h\"],",
    "\"Unheard\":1,",
    "*",
    "'",
    "\"\"\"",
    "[[permit]]",
    "operations = [\"*:*\"]",
    "dockgate.owner",
    "\"labels\":{\"dockgate.owner\":\"you\"},",
    "\"Labels\":null,",
    "dockgate.owner=you",
    "<hidden by dockgate>",
    "{\"a\":[\"b\"]}",
    "é",
    "\u{212a}",
    "\u{17f}",
];

#[test]
fn heads() {
    tried("head");
}

#[test]
fn targets() {
    tried("target");
}

#[test]
fn json() {
    tried("json");
}

#[test]
fn bodies() {
    tried("body");
}

#[test]
fn policies() {
    tried("policy");
}

#[test]
fn decisions() {
    tried("decide");
}

#[test]
fn decisions_for_an_owner() {
    tried("owned");
}

#[test]
fn answers() {
    tried("shown");
}

/// A new key is not forgotten in the chain of policies, or what it opens is never tried there.
#[test]
fn the_chain_opens_every_key() {
    let steps = properties::policies::KEYS.iter().copied().flatten();
    let keys: Vec<(&str, &str)> = steps.map(|(table, key, _)| (*table, *key)).collect();
    for table in TABLES {
        let text = format!("[{table}]\n{} = 1\n", "z".repeat(36));
        let problems = policy::compile("x", &text, &BTreeMap::new()).unwrap_err();
        let mut found = problems.problems.iter();
        let unknown = found.find(|problem| problem.code == "unknown-key").unwrap();
        let mut known = unknown.help.split('`').skip(1).step_by(2).peekable();
        assert!(known.peek().is_some(), "[{table}] has no key");
        for key in known.filter(|key| *key != "host-file-system") {
            assert!(keys.contains(&(table, key)), "[{table}] {key}");
        }
    }
}

/// Those whose keys open something.
const TABLES: [&str; 10] = [
    "container",
    "network",
    "volume",
    "image",
    "build",
    "swarm",
    "secret",
    "config",
    "plugin",
    "service",
];

#[test]
fn every_property_has_a_target_and_seeds() {
    let manifest = fs::read_to_string("fuzz/Cargo.toml").unwrap();
    for (name, _) in properties::ALL {
        assert!(
            manifest.contains(&format!("name = \"{name}\"")),
            "fuzz/Cargo.toml lacks {name}"
        );
        let target = fs::read_to_string(format!("fuzz/fuzz_targets/{name}.rs")).unwrap();
        assert!(
            target.contains(&format!("properties::check(\"{name}\"")),
            "the target {name} runs something else"
        );
        assert!(seeds(name).len() >= 3, "too few seeds for {name}");
    }
    assert_eq!(manifest.matches("[[bin]]").count(), properties::ALL.len());
}

fn tried(name: &str) {
    let (seeds, mut random, end) = (seeds(name), Random::new(7), Instant::now() + MOST);
    for seed in &seeds {
        check(name, seed);
    }
    let mut tried = 0;
    while tried < LEAST || (tried < MUTATIONS && Instant::now() < end) {
        tried += 1;
        let mut input = seeds[random.below(seeds.len())].clone();
        for _ in 0..=random.below(3) {
            mutate(&mut input, &seeds, &mut random);
        }
        check(name, &input);
    }
}

fn check(name: &str, input: &[u8]) {
    let held = panic::catch_unwind(|| properties::check(name, input));
    assert!(
        held.is_ok(),
        "`{name}` does not hold for {}",
        input.escape_ascii()
    );
}

fn mutate(input: &mut Vec<u8>, seeds: &[Vec<u8>], random: &mut Random) {
    let at = random.below(input.len() + 1);
    let to = input.len().min(at + random.below(12));
    match random.below(7) {
        0 if at < input.len() => input[at] ^= 1 << random.below(8),
        1 => drop(input.drain(at..to)),
        2 => {
            let again = input[at..to].to_vec();
            input.splice(at..at, again);
        }
        3 => input.truncate(at),
        4 => {
            let other = &seeds[random.below(seeds.len())];
            let from = random.below(other.len() + 1);
            input.splice(
                at..to,
                other[from..other.len().min(from + 40)].iter().copied(),
            );
        }
        _ => {
            let piece = random.pick(PIECES);
            input.splice(at..at, piece.bytes());
        }
    }
}

/// The seeds of a property, in the order of their names.
fn seeds(name: &str) -> Vec<Vec<u8>> {
    let folder = fs::read_dir(format!("fuzz/seeds/{name}")).unwrap();
    let mut files: Vec<_> = folder.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.iter().map(|file| fs::read(file).unwrap()).collect()
}
