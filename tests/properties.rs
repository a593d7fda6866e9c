//! What holds for every policy and every request: to open more never closes anything, and what goes on is of the model.

mod asked;
mod policies;
mod wire;
mod world;

use std::cell::Cell;

use dockgate::decision::{Decision, decide};
use dockgate::engine_api::{Body, EngineRequest, Operation, RequestHead};
use dockgate::policy::Policy;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::fuzz_smoke::properties::forwarded;
use asked::Asked;
use policies::{Entry, Opened};
use world::World;

/// Policies that are made up, each with as many requests.
const CASES: u32 = 500;
/// Requests for each pair of policies.
const REQUESTS: usize = 24;

#[test]
fn to_open_more_never_closes_anything() {
    let (asked, permitted, turned) = (Cell::new(0), Cell::new(0), Cell::new(0));
    let mut runner = TestRunner::new(Config {
        failure_persistence: None,
        ..Config::with_cases(CASES)
    });
    let requests = prop::collection::vec(asked::request(), REQUESTS);
    let made_up = (policies::opened(), policies::entry(), requests);
    let worlds = [World::new(), World::of_owners()];
    let held = runner.run(&made_up, |(opened, added, requests)| {
        let mut more = opened.clone();
        more.add(added.clone());
        let (before, after) = (opened.policy(), more.policy());
        for (index, request) in requests.iter().enumerate() {
            let world = &worlds[index % 2];
            asked.set(asked.get() + 1);
            let Some(read) = request.read() else {
                continue;
            };
            let (narrow, wide) = (world.judged(&before, &read), world.judged(&after, &read));
            if let Decision::Permit(permit) = &narrow {
                permitted.set(permitted.get() + 1);
                prop_assert!(read.unknown.is_empty(), "{request}");
                forwarded::check(permit.request());
            } else if matches!(wide, Decision::Permit(_)) {
                turned.set(turned.get() + 1);
            }
            if let (Decision::Permit(_), Decision::Refuse(refusal)) = (&narrow, &wide)
                && !added.may_close(refusal)
            {
                let (narrow, wide) = (opened.text(), more.text());
                prop_assert!(
                    false,
                    "{request}\npermitted by\n{narrow}\nbut not by\n{wide}\n{refusal}"
                );
            }
        }
        Ok(())
    });
    let (asked, permitted, turned) = (asked.get(), permitted.get(), turned.get());
    eprintln!("{asked} requests, {permitted} permitted, {turned} permitted by the added entry");
    held.unwrap_or_else(|problem| panic!("{problem}"));
    assert!(
        permitted > asked / 20 && turned > 2,
        "{asked} requests, {permitted} permitted, {turned} by the added entry"
    );
}

/// An owner's requests are those of any client, fewer of them, and what goes on bears its name.
#[test]
fn to_keep_apart_opens_nothing() {
    let (of_all, of_owners) = (World::new(), World::of_owners());
    let (policy, mut permitted, mut kept) = (policies::widest(), 0, 0);
    for asked in asked::each() {
        let Some(request) = asked.read() else {
            continue;
        };
        let is_permitted = of_all.permits(&policy, &request);
        kept += usize::from(is_permitted);
        let Decision::Permit(permit) = of_owners.judged(&policy, &request) else {
            continue;
        };
        permitted += 1;
        assert!(is_permitted, "{asked}");
        forwarded::check(permit.request());
        let makes = [
            Operation::ContainerCreate,
            Operation::NetworkCreate,
            Operation::VolumeCreate,
            Operation::ServiceCreate,
            Operation::SecretCreate,
            Operation::ConfigCreate,
        ];
        if permit
            .request()
            .operation()
            .is_some_and(|one| makes.contains(&one))
        {
            let Body::Json(body) = &permit.request().body else {
                panic!("{asked} makes something without a body");
            };
            let body = body.to_string();
            assert!(body.contains(r#""dockgate.owner":"me""#), "{asked}: {body}");
        }
    }
    assert!(permitted > 60 && permitted < kept, "{permitted} of {kept}");
}

/// Each key alone makes the difference for some request, so that the property above has something to lose.
#[test]
fn each_key_opens_some_request_of_the_property() {
    let (world, all) = (World::new(), Opened::all());
    let requests: Vec<EngineRequest> = asked::each().filter_map(|asked| asked.read()).collect();
    let idle: Vec<String> = all
        .keys()
        .filter(|key| {
            // What opens the same is left out first.
            let all = match *key {
                ("container", "volume-drivers") => all.without(&("volume", "drivers")),
                ("network", "default-bridge") => all.without(&("network", "icc")),
                _ => all.clone(),
            };
            let (whole, less) = (all.policy(), all.without(key).policy());
            let makes_the_difference = |request: &EngineRequest| {
                world.permits(&whole, request) && !world.permits(&less, request)
            };
            !requests.iter().any(makes_the_difference)
        })
        .map(|(table, key)| format!("{table}.{key}"))
        .collect();
    assert_eq!(idle, Vec::<String>::new(), "no request needs these keys");
}

/// Every entry, added to all else and to next to nothing, and to the entries of its key that stand before it: none closes
/// anything but a host path for writing, which closes what lies beneath it.
#[test]
fn no_single_entry_but_a_host_path_for_writing_closes_anything() {
    let (world, all) = (World::new(), Opened::all());
    let requests: Vec<(Asked, EngineRequest)> = asked::each()
        .filter_map(|asked| Some((asked.clone(), asked.read()?)))
        .collect();
    let (mut compared, mut closed) = (0, Vec::new());
    for of_key in policies::entries() {
        for before in [all.without(&of_key[0].key()), Opened::bare(&of_key[0])] {
            // One entry after the other, so that each is also added to those before it.
            let grown = of_key.iter().scan(before, |before, entry| {
                let narrow = before.clone();
                before.add(entry.clone());
                Some((narrow, entry, before.clone()))
            });
            for (narrow, added, wide) in grown {
                let (permitted, mut gone) = closed_by(added, &world, &requests, (&narrow, &wide));
                compared += permitted;
                closed.append(&mut gone);
            }
        }
    }
    eprintln!("{compared} permitted requests, {} closed", closed.len());
    assert!(compared > 20_000, "{compared} permitted requests");
    let beneath = |target: &String| target.contains("/srv/a/x") || target.contains("/srv/b/deep");
    assert!(
        !closed.is_empty() && closed.iter().all(beneath),
        "{closed:?}"
    );
}

/// How many requests the narrow policy permits, and those that the wide one does not, which only the exception may close.
fn closed_by(
    added: &Entry,
    world: &World,
    requests: &[(Asked, EngineRequest)],
    (narrow, wide): (&Opened, &Opened),
) -> (usize, Vec<String>) {
    let (before, after) = (narrow.policy(), wide.policy());
    let (mut permitted, mut closed) = (0, Vec::new());
    for (asked, request) in requests.iter().filter(|(_, it)| world.permits(&before, it)) {
        permitted += 1;
        let Decision::Refuse(refusal) = world.judged(&after, request) else {
            continue;
        };
        if added.may_close(&refusal) {
            closed.push(asked.body.clone());
        } else {
            let (narrow, wide) = (narrow.text(), wide.text());
            panic!("{asked}\npermitted by\n{narrow}\nbut not by\n{wide}\n{refusal}");
        }
    }
    (permitted, closed)
}

#[test]
fn an_empty_policy_refuses_what_any_other_permits() {
    let world = World::new();
    let whole = Opened::all().policy();
    let mut permitted = 0;
    for asked in asked::each() {
        let Some(request) = asked.read() else {
            continue;
        };
        permitted += usize::from(world.permits(&whole, &request));
        assert!(!world.permits(&Policy::default(), &request), "{asked}");
        // Limits alone, whatever they open, permit no operation.
        let mut limits = whole.clone();
        limits.operations.clear();
        assert!(!world.permits(&limits, &request), "{asked}");
    }
    assert!(permitted > 60, "{permitted} permitted by the widest");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2000) })]

    /// Bytes of any kind are read and judged to an end, by every operation that takes a body.
    #[test]
    fn any_bytes_are_refused_or_understood(
        index in any::<prop::sample::Index>(),
        query in "[a-zA-Z=&%+;/0-9\u{e9}]{0,30}",
        body in prop::collection::vec(any::<u8>(), 0..80),
    ) {
        let all: Vec<Operation> = Operation::all().collect();
        let spec = index.get(&all).spec();
        let path = asked::path_of(spec.path, "x");
        let Ok(head) = RequestHead::parse(spec.method, &format!("{path}?{query}")) else { return Ok(()) };
        let Ok(request) = head.with_body(&body) else { return Ok(()) };
        let world = World::new();
        if let Decision::Permit(permit) = world.judged(&policies::widest(), &request) {
            forwarded::check(permit.request());
        }
        let is_refused = matches!(decide(&Policy::default(), request, &world.none()), Decision::Refuse(_));
        prop_assert!(is_refused);
    }

    /// So are requests that were whole once, with bytes gone, put in, or a text of theirs emptied.
    #[test]
    fn broken_requests_are_refused_or_understood(
        asked in asked::request(),
        breaks in prop::collection::vec((0..4_usize, any::<prop::sample::Index>(), any::<prop::sample::Index>()), 1..4),
    ) {
        let (mut target, mut body) = (asked.target.clone().into_bytes(), asked.body.clone().into_bytes());
        for (kind, at, which) in breaks {
            let text = if body.is_empty() || which.index(8) == 0 { &mut target } else { &mut body };
            asked::broken(text, kind, at.index(text.len().max(1)), which);
        }
        let target = String::from_utf8_lossy(&target);
        let Ok(head) = RequestHead::parse(&asked.method, &target) else { return Ok(()) };
        let Ok(request) = head.with_body(&body) else { return Ok(()) };
        let world = World::new();
        for policy in [policies::widest(), Policy::default()] {
            match world.judged(&policy, &request) {
                Decision::Permit(permit) => {
                    prop_assert!(!policy.operations.is_empty());
                    forwarded::check(permit.request());
                }
                Decision::Refuse(refusal) => prop_assert!(!refusal.to_string().is_empty()),
            }
        }
    }
}

impl Asked {
    fn read(&self) -> Option<EngineRequest> {
        let head = RequestHead::parse(&self.method, &self.target).ok()?;
        head.with_body(self.body.as_bytes()).ok()
    }
}
