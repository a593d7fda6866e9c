//! What judging costs in process: a path and query, a body, a decision, and all of it with the writing anew.

#![allow(
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    reason = "a benchmark that meets the unexpected has failed"
)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::hint::black_box;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use dockgate::decision::{self, Decision, Facts};
use dockgate::engine_api::{EngineRequest, RequestHead, json};
use dockgate::policy::{self, Policy, ready};

const CREATE: &str = include_str!("create.json");
const TARGET: &str = "/v1.41/containers/create?name=bench";
const LIST: &str = "/v1.41/containers/json?all=1";

fn parse(bencher: &mut Criterion) {
    let read = |method, target: &str, body: &str| {
        let head = RequestHead::parse(method, black_box(target)).expect("a head");
        head.with_body(black_box(body).as_bytes()).expect("a body")
    };
    bencher.bench_function("EngineRequest of a list", |one| {
        one.iter(|| read("GET", LIST, ""));
    });
    bencher.bench_function("EngineRequest of a create of 3 KiB", |one| {
        one.iter(|| read("POST", TARGET, CREATE));
    });
    bencher.bench_function("json::parse, 3 KiB", |one| {
        one.iter(|| json::parse(black_box(CREATE.as_bytes())).expect("JSON"));
    });
    let value = json::parse(CREATE.as_bytes()).expect("JSON");
    bencher.bench_function("json written anew, 3 KiB", |one| {
        one.iter(|| {
            let mut text = String::with_capacity(4096);
            black_box(&value).write(&mut text);
            text
        });
    });
}

fn decide(bencher: &mut Criterion) {
    for (name, text) in [
        (
            "guarded",
            ready::find("guarded").expect("a ready policy").to_owned(),
        ),
        ("200 rules", long_policy()),
    ] {
        let policy = policy::compile(name, &text, &BTreeMap::new()).expect("a policy");
        for (what, request) in [
            ("list", request("GET", LIST, "")),
            ("create", request("POST", TARGET, CREATE)),
        ] {
            let facts = decision::ordinary_facts(&policy, &request);
            is_permitted(&policy, &request, &facts);
            bencher.bench_function(&format!("decide a {what}, {name}"), |one| {
                one.iter_batched(
                    || request.clone(),
                    |request| decision::decide(&policy, request, &facts),
                    BatchSize::SmallInput,
                );
            });
        }
    }
}

fn request(method: &str, target: &str, body: &str) -> EngineRequest {
    let head = RequestHead::parse(method, target).expect("a head");
    head.with_body(body.as_bytes()).expect("a body")
}

fn is_permitted(policy: &Policy, request: &EngineRequest, facts: &Facts) {
    if let Decision::Refuse(refusal) = decision::decide(policy, request.clone(), facts) {
        panic!("{refusal}");
    }
}

/// What a large team may have written: a hundred patterns of images, and a hundred rules of paths besides.
fn long_policy() -> String {
    let mut text = ready::find("guarded").expect("a ready policy").to_owned();
    let images: Vec<_> = (0..100)
        .map(|number| format!("\"registry.example/team-{number}/*\""))
        .chain(["\"*\"".to_owned()])
        .collect();
    text = text.replace(
        "images    = [\"*\"]",
        &format!("images = [{}]", images.join(", ")),
    );
    for number in 0..100 {
        write!(
            text,
            "\n[[permit]]\nmethods = [\"GET\"]\npath = \"/extension-{number}/.*\"\n"
        )
        .expect("text");
    }
    text
}

criterion_group!(benches, parse, decide);
criterion_main!(benches);
