//! What the gate refuses, by every route and spelling that the daemon understands: judged in memory, sent through the
//! gate, and sent past it to see that it would have done something.

mod case;
mod counts;
mod remedies;
mod sent;
mod swarm;
mod table;

use std::collections::{BTreeMap, BTreeSet};

use dockgate::decision::{Decision, decide};
use dockgate::engine_api::operation::Effect;
use dockgate::engine_api::{ApiVersion, Malformed, Operation, RequestHead};
use dockgate::policy::{self, Policy, ready};

use case::{Case, Direct};

#[test]
fn every_case_has_a_name_of_its_own_and_says_what_is_expected() {
    let cases = case::all();
    let names: BTreeSet<&str> = cases.iter().map(|case| case.name.as_str()).collect();
    assert_eq!(names.len(), cases.len(), "a name stands twice");
    assert!(cases.len() >= 665, "{} cases", cases.len());
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
        assert!(
            case.given_host_config.is_none() || !case.given.is_empty(),
            "{name}: the `HostConfig` of nothing"
        );
        let is_sorted = case.refuse.is_sorted();
        assert!(is_sorted, "{name}: the codes stand out of order");
    }
}

/// An operation that could do harm is refused somewhere in the data, by its own name.
#[test]
fn every_operation_that_changes_something_has_a_case() {
    let of_case = |case: &Case| {
        let (method, target) = case.line("rf-x");
        let head = RequestHead::parse(&method, &target).ok()?;
        head.unjudged().operation()
    };
    let cases = case::all();
    let refused = cases.iter().filter(|case| case.malformed.is_none());
    let refused: Vec<Operation> = refused.filter_map(of_case).collect();
    let changes = |operation: &Operation| match operation.spec().effect {
        Effect::Create | Effect::Change | Effect::Remove => true,
        Effect::Read | Effect::Stream | Effect::Export => false,
    };
    let modelled = Operation::all().filter(|operation| operation.spec().is_modelled);
    let without: Vec<&str> = modelled
        .filter(changes)
        .filter(|operation| !refused.contains(operation))
        .map(Operation::name)
        .collect();
    assert_eq!(without, Vec::<&str>::new(), "no case refuses these");
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
    let facts = case.facts(policy, &request)?;
    Ok(decide(policy, request, &facts))
}

fn compiled(text: Option<&str>) -> Policy {
    let text = text.unwrap_or(ready::DEFAULT);
    let text = ready::find(text).unwrap_or(text);
    let policy = policy::compile(ready::DEFAULT, text, &BTreeMap::new());
    policy.unwrap_or_else(|problems| panic!("{problems:?}\n{text}"))
}
