//! What the audit log has of clients none of whose exchanges may fail.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::support::gate::Gate;
use crate::support::{tell, wait};

/// What a client may leave before its end, and does: streams of which it has heard enough, `docker run -d` its wait, docker-py a build
/// once that has failed.
const LEFT: [&str; 7] = [
    "ImageBuild",
    "ContainerWait",
    "SystemEvents",
    "ContainerLogs",
    "ContainerStats",
    "ExecStart",
    "ContainerAttach",
];

/// Waits for the end of every decision, and holds those of all but the revoked client to what is no failure.
pub(super) fn is_of_no_failure(gate: &Gate, reloads: usize) {
    let exchanges = wait::until("every decision has its end", || {
        let mut exchanges = BTreeMap::<String, (Value, Value)>::new();
        for record in gate.audit() {
            let id = record["id"].as_str().unwrap().to_owned();
            match record["event"].as_str() {
                Some("decision") => exchanges.entry(id).or_default().0 = record,
                Some("end") => exchanges.entry(id).or_default().1 = record,
                _ => {}
            }
        }
        let is_whole = |(_, end): &(Value, Value)| !end.is_null();
        exchanges.values().all(is_whole).then_some(exchanges)
    });
    let mut counts = BTreeMap::<String, usize>::new();
    let mut withdrawn = 0;
    for (decision, end) in exchanges.values() {
        if decision["client"]["common_name"] == "former" {
            withdrawn += usize::from(end["outcome"] == "withdrawn");
            continue;
        }
        let owner = decision["client"]["owner"].as_str().unwrap();
        *counts.entry(owner.to_owned()).or_default() += 1;
        assert_eq!(wrong(decision, end), None, "{decision}\n{end}");
    }
    assert!(
        withdrawn > 0,
        "the tunnel of the revoked client has ended with its certificate"
    );
    assert_eq!(counts.len(), 3, "{counts:?}");
    assert!(counts.values().all(|count| *count > 100), "{counts:?}");
    tell(&format!(
        "three owners at once: exchanges {counts:?}, {reloads} reloads, none failed"
    ));
}

fn wrong(decision: &Value, end: &Value) -> Option<&'static str> {
    let operation = decision["operation"].as_str().unwrap_or_default();
    let status = end["status"].as_u64().unwrap_or_default();
    match (decision["decision"].as_str(), end["outcome"].as_str()) {
        (Some("permit"), Some("complete")) if status < 500 => None,
        // The daemon prunes and measures one at a time, and says so; who asked asks again.
        (Some("permit"), Some("complete"))
            if status == 500
                && (operation == "SystemDataUsage" || operation.ends_with("Prune")) =>
        {
            None
        }
        (Some("permit"), Some("client-gone")) if LEFT.contains(&operation) => None,
        (Some("permit"), _) => Some("an exchange failed"),
        // docker-py asks for what it has removed.
        (Some("refuse"), Some("refused")) if status == 404 => None,
        _ => Some("what is permitted was refused"),
    }
}
