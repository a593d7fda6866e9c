//! Policies that are made up: some entries of some keys, each of which opens something.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::LazyLock;

use dockgate::decision::{Reason, Refusal};
use dockgate::engine_api::Operation;
use dockgate::policy::{self, Policy};
use proptest::prelude::*;

/// Every key of the language that opens something, with entries; one that stands alone is a switch or a word, and of
/// several words each opens what the one before does.
#[rustfmt::skip]
const KEYS: &[(&str, &str, &[&str])] = &[
    ("container", "privileged", &["true"]),
    ("container", "capabilities", &["'NET_ADMIN'", "'SYS_PTRACE'", "'ALL'"]),
    ("container", "host-paths", &[
        "{ path = '/srv/a' }", "{ path = '/srv/b', access = 'read-write' }", "{ path = '/srv/b/deep', subpaths = true }",
        "{ path = '/srv/sock/s' }", "{ path = '/srv/a', access = 'read-write', set-user-id = true }", "{ path = '/var' }",
        "{ path = '/srv/a', access = 'read-write' }", "{ path = '/srv/b', access = 'read-write', set-user-id = true }"]),
    ("container", "namespaces", &[
        "'host-network'", "'host-pid'", "'host-ipc'", "'host-uts'", "'host-user'", "'host-cgroup'", "'container-network'",
        "'container-pid'", "'container-ipc'"]),
    ("container", "devices", &["'/dev/fuse'", "'/dev/null'"]),
    ("container", "device-requests", &["true"]),
    ("container", "device-cgroup-rules", &["'c 10:229 rwm'"]),
    ("container", "security-options", &["'seccomp=unconfined'", "'apparmor=unconfined'"]),
    ("container", "sysctls", &["'net.*'", "'kernel.shmmax'"]),
    ("container", "ulimits", &["'rtprio'", "'memlock'"]),
    ("container", "runtimes", &["'runsc'"]),
    ("container", "cgroup-parents", &["'jobs.slice'"]),
    ("container", "negative-oom-score", &["true"]),
    ("container", "oom-kill-disable", &["true"]),
    ("container", "annotations", &["'org.acme.*'"]),
    ("container", "log-drivers", &["'syslog'"]),
    ("container", "unmasked-paths", &["true"]),
    ("container", "published", &["'127.0.0.1:8000-8999'", "'*:80'", "'*:*'"]),
    ("container", "images", &["'docker.io/library/*'", "'sha256:*'", "'*'"]),
    ("container", "networks", &["'bridge'", "'own'", "'theirs'", "'*'"]),
    ("container", "volume-drivers", &["'rclone'"]),
    ("container", "links", &["'plain'", "'gone'", "'*'"]),
    ("container", "volumes-from", &["true"]),
    ("network", "icc", &["'never'", "'own'", "'any'"]),
    ("network", "default-bridge", &["'icc-off'", "'any'"]),
    ("network", "drivers", &["'macvlan'", "'*'"]),
    ("network", "parents", &["'eth1'"]),
    ("network", "options", &["'com.docker.network.bridge.name'", "'*'"]),
    ("network", "subnets", &["'10.0.0.0/8'"]),
    ("volume", "drivers", &["'rclone'", "'local'"]),
    ("volume", "types", &["'nfs'"]),
    ("image", "references", &["'docker.io/library/*'", "'r.example/*'", "'*'"]),
    ("image", "import-urls", &["true"]),
    ("build", "remote-contexts", &["true"]),
    ("swarm", "addresses", &["'127.0.0.1:2377'", "'127.0.0.1:4789'", "'*'"]),
    ("swarm", "remotes", &["'manager:2377'"]),
    ("swarm", "tokens", &["true"]),
    ("swarm", "certificate-authority", &["true"]),
    ("swarm", "force-new-cluster", &["true"]),
    ("swarm", "autolock-off", &["true"]),
    ("swarm", "promote", &["true"]),
    ("secret", "drivers", &["'vault'"]),
    ("secret", "templating", &["true"]),
    ("config", "templating", &["true"]),
    ("volume", "cluster", &["true"]),
    ("plugin", "references", &["'r.example/p:*'",
        "'r.example/p@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef'", "'*'"]),
    ("plugin", "privileges", &["'network:host'", "'*'"]),
    ("plugin", "settings", &["'DEBUG=*'", "'*'"]),
    ("plugin", "dangerously-create-unread", &["true"]),
    ("service", "secrets", &["'shop-*'"]),
    ("service", "configs", &["'shop-*'"]),
    ("service", "volumes", &["'shop-*'", "'*'"]),
    ("service", "generic-resources", &["'gpu'"]),
];

/// Keys that hold one word, the later the wider.
const WORDS: &[&str] = &["icc", "default-bridge"];

/// What a policy opens, and where its paths lie.
#[derive(Debug, Clone)]
pub(super) struct Opened {
    operations: Vec<String>,
    /// By table and key: which of the entries stand there.
    entries: BTreeMap<(&'static str, &'static str), Vec<usize>>,
    is_foreign: bool,
}

/// One thing more that a policy opens.
#[derive(Debug, Clone)]
pub(super) enum Entry {
    Operations(String),
    Of(usize, usize),
}

impl Entry {
    /// Table and key.
    pub(super) fn key(&self) -> (&'static str, &'static str) {
        match self {
            Self::Operations(_) => ("", "permit"),
            Self::Of(key, _) => (KEYS[*key].0, KEYS[*key].1),
        }
    }

    /// The one thing that closes another: a host path for writing, and so what lies beneath it by itself.
    pub(super) fn may_close(&self, refusal: &Refusal) -> bool {
        let opens_for_writing = match self {
            Self::Operations(_) => false,
            Self::Of(key, entry) => {
                self.key() == ("container", "host-paths")
                    && KEYS[*key].2[*entry].contains("access = 'read-write'")
            }
        };
        let is_of_it = |reason: &Reason| {
            // Where paths are not followed, that is all that can be said.
            matches!(reason.code, "host-path-movable" | "host-path-unresolved")
        };
        opens_for_writing && refusal.reasons.iter().all(is_of_it)
    }
}

/// Every entry, by key.
pub(super) fn entries() -> impl Iterator<Item = Vec<Entry>> {
    let all = KEYS.iter().enumerate();
    all.map(|(key, (_, _, entries))| {
        (0..entries.len())
            .map(|entry| Entry::Of(key, entry))
            .collect()
    })
}

impl Opened {
    /// Everything.
    pub(super) fn all() -> Self {
        let all = KEYS.iter();
        Self {
            operations: vec!["*".to_owned()],
            entries: all
                .map(|(table, key, entries)| ((*table, *key), (0..entries.len()).collect()))
                .collect(),
            is_foreign: false,
        }
    }

    /// Every operation, own networks and any image, but nothing of the entry's key.
    pub(super) fn bare(entry: &Entry) -> Self {
        let mut bare = Self {
            entries: BTreeMap::new(),
            ..Self::all()
        };
        for (table, key, at) in [
            ("container", "images", 2),
            ("container", "networks", 3),
            ("network", "icc", 1),
        ] {
            if (table, key) != entry.key() {
                bare.entries.insert((table, key), vec![at]);
            }
        }
        bare
    }

    pub(super) fn add(&mut self, entry: Entry) {
        match entry {
            Entry::Operations(name) => self.operations.push(name),
            Entry::Of(key, entry) => {
                let (table, key, _) = KEYS[key];
                let of_key = self.entries.entry((table, key)).or_default();
                if !of_key.contains(&entry) {
                    of_key.push(entry);
                }
            }
        }
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        self.entries.keys().copied()
    }

    pub(super) fn without(&self, key: &(&'static str, &'static str)) -> Self {
        let mut less = self.clone();
        less.entries.remove(key);
        less
    }

    pub(super) fn text(&self) -> String {
        let mut text = "description = 'made up'\n".to_owned();
        for operations in &self.operations {
            write!(text, "[[permit]]\noperations = ['{operations}']\n").unwrap();
        }
        let mut tables: BTreeMap<&str, String> = BTreeMap::new();
        for ((table, key), chosen) in &self.entries {
            let (_, _, entries) = KEYS
                .iter()
                .find(|(of, name, _)| of == table && name == key)
                .unwrap();
            let mut chosen: Vec<&str> = chosen.iter().map(|at| entries[*at]).collect();
            let value = if WORDS.contains(key) {
                chosen.sort_by_key(|word| entries.iter().position(|it| it == word));
                chosen.last().copied().unwrap_or(entries[0]).to_owned()
            } else if *entries == ["true"] {
                (!chosen.is_empty()).to_string()
            } else {
                format!("[{}]", chosen.join(", "))
            };
            let table = tables.entry(table).or_default();
            writeln!(table, "{key} = {value}").unwrap();
        }
        if self.is_foreign {
            let container = tables.entry("container").or_default();
            container.push_str("host-file-system = 'foreign'\n");
        }
        for (table, keys) in tables {
            write!(text, "[{table}]\n{keys}").unwrap();
        }
        text
    }

    pub(super) fn policy(&self) -> Policy {
        let text = self.text();
        policy::compile("made up", &text, &BTreeMap::new())
            .unwrap_or_else(|problems| panic!("{problems}"))
    }
}

/// The policy that opens everything, compiled once.
pub(super) fn widest() -> Policy {
    static WIDEST: LazyLock<Policy> = LazyLock::new(|| Opened::all().policy());
    WIDEST.clone()
}

/// One more entry or operation.
pub(super) fn entry() -> impl Strategy<Value = Entry> {
    let all = Operation::all().filter(|operation| operation.spec().is_modelled);
    let mut names: Vec<String> = all.map(|operation| operation.name().to_owned()).collect();
    names.extend(["*", "*:create", "Container:*"].map(str::to_owned));
    let of_key = (0..KEYS.len()).prop_flat_map(|key| {
        let entries = KEYS[key].2.len();
        (0..entries).prop_map(move |entry| Entry::Of(key, entry))
    });
    prop_oneof![6 => of_key, 1 => prop::sample::select(names).prop_map(Entry::Operations)]
}

/// Most operations, and some entries of some keys.
pub(super) fn opened() -> impl Strategy<Value = Opened> {
    let entries = prop::collection::vec(entry(), 0..60);
    (entries, any::<bool>(), prop::bool::weighted(0.2)).prop_map(
        |(entries, is_wide, is_foreign)| {
            let mut opened = Opened {
                operations: vec![if is_wide { "*" } else { "*:create" }.to_owned()],
                entries: BTreeMap::new(),
                is_foreign,
            };
            // Without an image and a network hardly any request would get further.
            for key in ["images", "networks"] {
                let at = KEYS.iter().position(|(_, name, _)| *name == key).unwrap();
                opened.add(Entry::Of(
                    at,
                    if is_wide { KEYS[at].2.len() - 1 } else { 0 },
                ));
            }
            entries.into_iter().for_each(|entry| opened.add(entry));
            opened
        },
    )
}

/// A new key is not forgotten here.
#[test]
fn every_key_has_entries() {
    for table in [
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
    ] {
        let text = format!("[{table}]\nzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz = 1\n");
        let problems = policy::compile("x", &text, &BTreeMap::new()).unwrap_err();
        let mut found = problems.problems.iter();
        let unknown = found.find(|problem| problem.code == "unknown-key").unwrap();
        for key in unknown.help.split('`').skip(1).step_by(2) {
            let is_here = KEYS
                .iter()
                .any(|(of, name, _)| (*of, *name) == (table, key));
            assert!(is_here || key == "host-file-system", "[{table}] {key}");
        }
    }
}
