//! What the gate refuses, by every route and spelling that the daemon understands: judged in memory, sent through the
//! gate, and sent past it to see that it would have done something.

mod case;
mod remedies;
mod sent;
mod swarm;
mod table;

use std::collections::{BTreeMap, BTreeSet};

use dockgate::decision::{Decision, decide};
use dockgate::engine_api::{ApiVersion, Malformed, RequestHead};
use dockgate::policy::{self, Policy, ready};

use super::support;
use case::{Case, Direct};

#[test]
fn every_case_has_a_name_of_its_own_and_says_what_is_expected() {
    let cases = case::all();
    let names: BTreeSet<&str> = cases.iter().map(|case| case.name.as_str()).collect();
    assert_eq!(names.len(), cases.len(), "a name stands twice");
    assert!(cases.len() >= 200, "{} cases", cases.len());
    for case in &cases {
        let name = &case.name;
        assert!(
            case.malformed.is_none() || case.refuse.is_empty(),
            "{name}: malformed and refused"
        );
        assert!(
            !case.in_memory || !case.expected_codes().is_empty(),
            "{name}: no code"
        );
        assert_eq!(
            case.direct == Direct::Works,
            case.direct == Direct::Works && case.effect.is_some(),
            "{name}"
        );
        assert!(
            case.direct != Direct::Untried || case.why.is_some(),
            "{name}: untried without a reason"
        );
        let is_sorted = case.refuse.is_sorted();
        assert!(is_sorted, "{name}: the codes stand out of order");
    }
}

#[test]
fn every_case_is_refused_for_just_its_reasons() {
    let mut wrong = Vec::new();
    for case in case::all().iter().filter(|case| case.in_memory) {
        let found = codes(case);
        if found != case.expected_codes() {
            wrong.push(format!(
                "{}: {found:?}, not {:?}",
                case.name,
                case.expected_codes()
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The codes of the case's fault or reasons; none where it is permitted.
fn codes(case: &Case) -> Vec<String> {
    let policy = compiled(case.policy.as_deref());
    match judged(case, &policy) {
        Err(fault) => vec![fault.code().to_owned()],
        Ok(Decision::Permit(_)) => Vec::new(),
        Ok(Decision::Refuse(refusal)) => {
            let mut codes: Vec<String> = refusal
                .reasons
                .iter()
                .map(|reason| reason.code.to_owned())
                .collect();
            codes.sort();
            codes
        }
    }
}

fn judged(case: &Case, policy: &Policy) -> Result<Decision, Malformed> {
    let (method, target) = case.line("rf-x");
    let head = RequestHead::parse(&method, &target)?;
    head.check_version(ApiVersion::OLDEST, ApiVersion::NEWEST)?;
    let request = head.with_body(&case.bytes("rf-x"))?;
    let facts = support::existing::facts(policy, &request);
    Ok(decide(policy, request, &facts))
}

fn compiled(text: Option<&str>) -> Policy {
    let text = text.unwrap_or_else(|| ready::find(ready::DEFAULT).unwrap());
    let policy = policy::compile(ready::DEFAULT, text, &BTreeMap::new());
    policy.unwrap_or_else(|problems| panic!("{problems:?}\n{text}"))
}
