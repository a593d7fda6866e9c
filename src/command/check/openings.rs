//! Which refusal cases a policy permits, and the line that opens each.

use std::collections::BTreeMap;

use crate::decision::{Decision, Reason};
use crate::policy::{Line, Policy, Published, Subnet};

use super::cases::{Baseline, Case};
use super::closed::closed;
use super::effect::has_effect;
use super::finding::Finding;
use super::keys::{Key, keys};
use super::warnings::publishes;

/// What the policy permits of what `guarded` refuses, by line and reason.
pub(super) fn openings(policy: &Policy, Baseline { guarded, cases }: &Baseline) -> Vec<Finding> {
    let closed = closed(policy);
    let mut opened: BTreeMap<(Line, &str), Vec<String>> = BTreeMap::new();
    for case in cases {
        if !matches!(case.judged(policy), Ok(Decision::Permit(_))) {
            continue;
        }
        let limiting = match case.judged(&closed) {
            Ok(Decision::Refuse(refusal)) => refusal.reasons,
            Ok(Decision::Permit(_)) | Err(_) => Vec::new(),
        };
        for reason in &case.reasons {
            let line = line(policy, case, reason, &limiting);
            let names = opened.entry((line, reason.code)).or_default();
            if names.last() != Some(&case.name) {
                names.push(case.name.clone());
            }
        }
    }
    let opening = |((line, code), cases)| Finding::opening(line, code, cases);
    let mut found: Vec<Finding> = opened.into_iter().map(opening).collect();
    found.extend(without_case(policy, guarded, &found));
    found
}

/// The keys that open what they do not under `guarded`, and only values that no case has.
fn without_case(policy: &Policy, guarded: &Policy, found: &[Finding]) -> Vec<Finding> {
    let closed: Vec<Key> = keys(guarded)
        .into_iter()
        .filter(|key| !key.is_open)
        .collect();
    let wider = lists_wider_than(guarded, policy);
    let is_closed = |key: &Key| {
        let same = |other: &Key| (other.section, other.name) == (key.section, key.name);
        closed.iter().any(same) || wider.contains(&(key.section, key.name))
    };
    let has_case = |key: &Key| found.iter().any(|finding| finding.line == key.line);
    let opened = keys(policy)
        .into_iter()
        .filter(|key| key.is_open && is_closed(key) && !has_case(key) && has_effect(key, policy));
    opened
        .map(|key| Finding::narrow_opening(key.line, key.name, &key.shown))
        .collect()
}

/// The lists that `guarded` opens in part, and this policy beyond that.
fn lists_wider_than(guarded: &Policy, policy: &Policy) -> Vec<(&'static str, &'static str)> {
    let (ports, subnets) = (
        &guarded.container.published.value,
        &guarded.network.subnets.value,
    );
    let is_port_new = |port: &Published| !ports.iter().any(|wider| publishes(wider, port));
    let is_subnet_new = |subnet: &Subnet| !subnets.iter().any(|wider| wider.contains(subnet));
    let mut wider = Vec::new();
    if policy.container.published.value.iter().any(is_port_new) {
        wider.push(("container", "published"));
    }
    if policy.network.subnets.value.iter().any(is_subnet_new) {
        wider.push(("network", "subnets"));
    }
    wider
}

/// The line of the limit that refuses the same once everything is closed, else that of the rule for the whole request.
fn line(policy: &Policy, case: &Case, reason: &Reason, limiting: &[Reason]) -> Line {
    let of_volumes = &policy.volume.drivers.value;
    if reason.code == "volume-driver" && of_volumes.is_empty() {
        return policy.container.volume_drivers.line;
    }
    let same_field = || limiting.iter().filter(|other| other.field == reason.field);
    let same = same_field().find(|other| other.code == reason.code);
    if let Some(limit) = same.or_else(|| same_field().find(|other| !other.field.is_empty())) {
        return limit.line;
    }
    let Ok(request) = case.request() else {
        return 0;
    };
    match request.operation() {
        Some(operation) => policy.operations.get(&operation).copied().unwrap_or(0),
        None => {
            let path = request.head.target.to_string();
            let mut rules = policy.paths.iter();
            rules
                .find(|rule| rule.path.is_match(&path))
                .map_or(0, |rule| rule.line)
        }
    }
}
