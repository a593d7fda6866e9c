//! Keys that bound something, each beside an opening that undoes it, and beside a narrower one that does not.

use std::fmt::Write as _;

use super::{Place, check, code, json};

/// Operations, the bounds in a policy with them, an opening that undoes those, and one that looks like it and does not.
const CASES: &[(&str, &str, &str, &str)] = &[
    (
        CONTAINERS,
        PATHS,
        "[container]\nprivileged = true",
        "[container]\nprivileged = false",
    ),
    (
        CONTAINERS,
        PATHS,
        "[container]\ncapabilities = ['SYS_ADMIN']",
        "[container]\ncapabilities = ['NET_ADMIN']",
    ),
    (
        CONTAINERS,
        PATHS,
        "[container]\ncapabilities = ['DAC_READ_SEARCH']",
        "[container]\ncapabilities = ['DAC_OVERRIDE']",
    ),
    (
        CONTAINERS,
        PATHS,
        "[container]\ncapabilities = ['SYS_PTRACE']\nnamespaces = ['host-pid']",
        "[container]\ncapabilities = ['SYS_PTRACE']\nnamespaces = ['container-pid']",
    ),
    (
        CONTAINERS,
        PATHS,
        "[container]\ndevices = ['/dev/sda']",
        "[container]\ndevices = ['/dev/fuse']",
    ),
    (
        CONTAINERS,
        PATHS,
        "[container]\ndevice-cgroup-rules = ['b *:* rwm']",
        "[container]\ndevice-cgroup-rules = ['c 10:229 rwm']",
    ),
    (
        CONTAINERS,
        PATHS,
        "[container]\nunmasked-paths = true",
        "[container]\noom-kill-disable = true",
    ),
    (
        CONTAINERS,
        PATHS,
        "[container]\nruntimes = ['*']",
        "[container]\nruntimes = ['runsc']",
    ),
    (
        CONTAINERS,
        PATHS,
        "[container]\nvolume-drivers = ['rclone']",
        "[container]\nvolume-drivers = []",
    ),
    (
        "'VolumeCreate', 'ContainerCreate'",
        PATHS,
        "[volume]\ndrivers = ['rclone']",
        "[volume]\ntypes = ['nfs']",
    ),
    (
        CONTAINERS,
        "[container]\nsysctls = ['net.*']",
        "[container]\nhost-paths = [{ path = '/etc', access = 'read-write' }]",
        "[container]\nhost-paths = [{ path = '/etc' }]",
    ),
    (
        CONTAINERS,
        "[container]\nsysctls = ['net.*']",
        "[container]\nhost-paths = [{ path = '/srv/a', access = 'read-write', subpaths = true }]",
        "[container]\nhost-paths = [{ path = '/srv/a', access = 'read-write' }]",
    ),
    (
        "'PluginPull', 'ContainerCreate'",
        PATHS,
        "[plugin]\nprivileges = ['*']",
        "[plugin]\nprivileges = ['network:host']",
    ),
    (
        "'PluginSet'",
        "[plugin]\nprivileges = ['network:host']",
        "[plugin]\nsettings = ['*.source=*']",
        "[plugin]\nsettings = ['DEBUG=*']",
    ),
    (
        "'PluginCreate', 'PluginEnable'",
        "[plugin]\nreferences = ['docker.io/acme/x']",
        "[plugin]\ndangerously-create-unread = true",
        "[plugin]\ndangerously-create-unread = false",
    ),
    (
        "'SwarmInspect', 'ServiceCreate'",
        "[service]\nsecrets = ['shop-*']",
        "[swarm]\ntokens = true",
        "[swarm]\ntokens = false",
    ),
    (
        "'SwarmUpdate', 'ServiceCreate'",
        "[service]\nsecrets = ['shop-*']",
        "[swarm]\ncertificate-authority = true",
        "[swarm]\nautolock-off = true",
    ),
    (
        "'SwarmJoin', 'ContainerCreate'",
        PATHS,
        "[swarm]\nremotes = ['*']",
        "[swarm]\nremotes = ['10.0.0.1:2377']",
    ),
    (
        CONTAINERS,
        "[container]\nnetworks = ['bridge']\n[network]\nicc = 'never'",
        "[network]\ndefault-bridge = 'any'",
        "[network]\ndefault-bridge = 'icc-off'",
    ),
    (
        CONTAINERS,
        "[container]\nnetworks = ['web']\npublished = ['*:80']",
        "[container]\nnamespaces = ['host-network']",
        "[container]\nnamespaces = ['host-uts']",
    ),
    (
        CONTAINERS,
        "[container]\nnetworks = ['web']",
        "[container]\nnamespaces = ['container-network']",
        "[container]\nnamespaces = ['container-network']\n[network]\nicc = 'any'",
    ),
    (
        CONTAINERS,
        "[container]\nnetworks = ['web']",
        "[container]\nlinks = ['*']",
        "[container]\nlinks = ['database']",
    ),
    (
        "'ContainerCreate', 'NetworkCreate'",
        "[container]\npublished = ['*:80']\n[network]\ndrivers = ['macvlan']",
        "[network]\nparents = ['eth1']",
        "[network]\nparents = []",
    ),
    (
        "'ContainerCreate', 'ImageLoad'",
        IMAGES,
        "",
        "[container]\nimages = ['*']",
    ),
    (
        "'ContainerCreate', 'ImageCommit', 'ImageCreate', 'ImageTag'",
        IMAGES,
        "[image]\nreferences = ['docker.io/library/*']",
        "[image]\nreferences = ['docker.io/acme/*']",
    ),
    (
        "'ContainerCreate', 'ImageTag'",
        IMAGES,
        "[image]\nreferences = ['docker.io/*']",
        "[image]\nreferences = ['docker.io/library/postgres:16']",
    ),
    (
        "'ContainerCreate', 'ImageBuild'",
        IMAGES,
        "[image]\nreferences = ['docker.io/acme/*']",
        "[container]\nimages = ['*']",
    ),
    (
        "'ContainerInspect', 'ContainerExec', 'ExecStart', 'ContainerLogs', 'ImageInspect', 'ImageGet'",
        "",
        "[quiet]\nenvironment = true\nlabels = ['secret']",
        "[quiet]\nenvironment = false",
    ),
    (
        "'ContainerInspect', 'ContainerExec', 'ContainerArchive'",
        "",
        "[quiet]\nsecrets = true",
        "[quiet]\nenvironment = true\nhost-paths = true\ncommand-lines = true",
    ),
];

const CONTAINERS: &str = "'ContainerCreate'";
const PATHS: &str = "[container]\nhost-paths = [{ path = '/srv/shared' }]";
const IMAGES: &str = "[container]\nimages = ['docker.io/library/postgres*']";

/// A policy of tables that may come in several parts.
fn policy(operations: &str, parts: [&str; 2]) -> String {
    let mut tables: Vec<(&str, Vec<&str>)> = Vec::new();
    for line in parts.iter().flat_map(|part| part.lines()) {
        if line.starts_with('[') {
            if !tables.iter().any(|(table, _)| *table == line) {
                tables.push((line, Vec::new()));
            }
            let at = tables.iter().position(|(table, _)| *table == line);
            // The keys that follow belong to it.
            let table = tables.remove(at.unwrap());
            tables.push(table);
        } else {
            let name = |line: &str| line.split(' ').next().unwrap_or_default().to_owned();
            let (_, keys) = tables.last_mut().unwrap();
            keys.retain(|key| name(key) != name(line));
            keys.push(line);
        }
    }
    let mut text = format!("description = 'x'\n[[permit]]\noperations = [{operations}]\n");
    for (table, keys) in tables {
        writeln!(text, "{table}\n{}", keys.join("\n")).unwrap();
    }
    text
}

/// The findings that openings undo one another, by their lines.
fn undone(text: &str) -> Vec<String> {
    let place = Place::new();
    let ended = check(&["--json", &place.file("undone.toml", text)]);
    assert_eq!(code(&ended), 0, "{}\n{text}", ended.text());
    let report = json(&ended);
    let findings = report["files"][0]["findings"].as_array().unwrap();
    let found = findings
        .iter()
        .filter(|finding| finding["code"] == "undone");
    found
        .map(|finding| {
            format!(
                "{}: {}",
                finding["line"],
                finding["message"].as_str().unwrap()
            )
        })
        .collect()
}

#[test]
fn a_bound_that_an_opening_undoes_is_told_with_both_lines() {
    let mut shown = String::new();
    for (operations, bounds, opening, _) in CASES {
        let text = policy(operations, [bounds, opening]);
        let found = undone(&text);
        assert!(!found.is_empty(), "{text}");
        for (index, line) in text.lines().enumerate().skip(2) {
            writeln!(shown, "{} {line}", index + 1).unwrap();
        }
        writeln!(shown, "=> {}\n", found.join("\n=> ")).unwrap();
    }
    insta::assert_snapshot!("undone", shown);
}

#[test]
fn a_bound_beside_a_narrower_opening_stands() {
    for (operations, bounds, _, narrower) in CASES {
        let text = policy(operations, [bounds, narrower]);
        assert_eq!(undone(&text), Vec::<String>::new(), "{text}");
    }
}
