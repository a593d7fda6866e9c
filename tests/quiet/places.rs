//! The places that can be hidden, against Docker's own descriptions of every answer.
//!
//! `facts/answers.txt` lists what the OpenAPI descriptions 1.41, 1.44, 1.51 and 1.56 name in the answers to each
//! operation and what, by its name, could hold an environment, labels, a path, a command line, a secret or a detail of
//! the machine.

use std::collections::BTreeSet;

use dockgate::decision::hidden_places;
use dockgate::engine_api::Operation;

const ANSWERS: &str = include_str!("../facts/answers.txt");

/// What has such a name and tells nothing that is hidden, by the operation (`*` for any) and the place's end.
const HARMLESS: &[(&str, &str)] = &[
    // States, counts, and what says how something goes.
    ("*", "Status"),
    ("NodeList", "Status.Message"),
    ("NodeInspect", "Status.Message"),
    ("TaskList", "Status.Message"),
    ("TaskInspect", "Status.Message"),
    ("*", "UpdateStatus.Message"),
    ("*", "NamedResourceSpec.Value"),
    ("*", "DiscreteResourceSpec.Value"),
    // Names and addresses of containers and in networks of containers, and paths in containers.
    ("*", "Hostname"),
    ("ContainerInspect", "Config.Volumes"),
    ("ImageInspect", "Volumes"),
    ("*", "SecondaryIPAddresses.[].Addr"),
    ("*", "SecondaryIPv6Addresses.[].Addr"),
    ("*", "VirtualIPs.[].Addr"),
    ("*", "IPAM.Config"),
    ("*", "DNSConfig.Options"),
    ("ContainerChanges", "Path"),
    ("*", "PropagatedMount"),
    ("*", "Secrets.[].File"),
    ("*", "Configs.[].File"),
    ("*", "CredentialSpec.Config"),
    // What the client's own request made the daemon say.
    ("ContainerCreate", "Warnings"),
    ("ContainerUpdate", "Warnings"),
    ("ServiceCreate", "Warnings"),
    ("ServiceUpdate", "Warnings"),
    ("VolumeList", "Warnings"),
    // Its head comes at once and its body when the container ends, so it cannot be read whole first.
    ("ContainerWait", "Error"),
    ("ContainerWait", "Error.Message"),
    // Of an image or plugin as it was published, and who has signed it.
    ("*", "Comment"),
    ("*", "Description"),
    ("GetPluginPrivileges", "Value"),
    ("*", "Signature.[].Error"),
    ("*", "Signature.[].Warnings"),
    ("*", "Seccomp.Profile"),
    // The name of a driver.
    ("SystemInfo", "DiscoveredDevices.[].Source"),
];

#[test]
fn every_place_that_could_hold_a_secret_is_hidden_or_known_to_hold_none() {
    let (mut unknown, mut used) = (Vec::new(), BTreeSet::new());
    let mut hidden_ones = 0;
    for (operation, place) in described() {
        let hidden = hidden_places(operation);
        let is_hidden = |hidden: &String| {
            hidden == place
                || place
                    .strip_prefix(hidden.as_str())
                    .is_some_and(|rest| rest.starts_with('.'))
                // What holds a hidden place is none itself.
                || hidden.strip_prefix(place).is_some_and(|rest| rest.starts_with('.'))
                || hidden.is_empty()
        };
        if hidden.iter().any(is_hidden) {
            hidden_ones += 1;
            continue;
        }
        let is_harmless = |(of, end): &&(&str, &str)| {
            (*of == "*" || *of == operation.name())
                && place
                    .strip_suffix(end)
                    .is_some_and(|before| before.is_empty() || before.ends_with('.'))
        };
        match HARMLESS.iter().find(is_harmless) {
            Some(row) => {
                used.insert(row);
            }
            None => unknown.push(format!("{} {place}", operation.name())),
        }
    }
    assert!(unknown.is_empty(), "{}", unknown.join("\n"));
    let idle: Vec<_> = HARMLESS.iter().filter(|row| !used.contains(row)).collect();
    assert!(idle.is_empty(), "{idle:?} is in no answer");
    assert!(hidden_ones > 200, "{hidden_ones} places");
}

/// Operations with what their answers have; the items of a list are shown one by one.
fn described() -> impl Iterator<Item = (Operation, &'static str)> {
    ANSWERS.lines().map(|line| {
        let words: Vec<&str> = line.split(' ').collect();
        let operation = Operation::all().find(|operation| operation.name() == words[1]);
        let place = words[2];
        (
            operation.unwrap(),
            place.strip_prefix("[].").unwrap_or(place),
        )
    })
}
