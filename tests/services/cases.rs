//! The refusal cases of services, sent to a daemon in a swarm past the gate and through it.

use serde::Deserialize;

use super::super::support::{json, wait};
use super::{Swarm, WIDE};

#[derive(Deserialize)]
struct File {
    case: Vec<Case>,
}

/// What is needed of a case here.
#[derive(Deserialize)]
struct Case {
    name: String,
    request: String,
    #[serde(default)]
    body: String,
    policy: Option<String>,
}

#[test]
fn the_cases_take_effect_past_the_gate_and_not_through_it() {
    let file: File = toml::from_str(include_str!("../refusals/services.toml")).unwrap();
    let swarm = Swarm::behind(WIDE);
    let creates = |case: &&Case| case.request.ends_with("/services/create");
    // Those with a policy of their own are dangerous under that alone.
    let cases = file
        .case
        .iter()
        .filter(creates)
        .filter(|case| case.policy.is_none());
    let mut took_effect = Vec::new();
    for case in cases {
        let (method, target) = case.request.split_once(' ').unwrap();
        let body = case.body.replace("{name}", "case");
        let answer = swarm.ask_through(method, target, &body);
        assert!(
            matches!(answer.status, 400 | 403),
            "{}: {}",
            case.name,
            answer.text()
        );
        assert!(swarm.service("case").is_null(), "{}", case.name);

        let answer = swarm.ask_past(method, target, &body);
        if answer.status == 201 {
            took_effect.push(case.name.as_str());
            assert_eq!(
                swarm.ask_past("DELETE", "/v1.41/services/case", "").status,
                200
            );
        }
    }
    assert!(
        took_effect.len() >= 25,
        "{} took effect: {took_effect:#?}",
        took_effect.len()
    );
}

#[test]
fn a_node_makes_a_bind_of_a_template() {
    let file: File = toml::from_str(include_str!("../refusals/services.toml")).unwrap();
    let name = "a service with a volume that a template makes a bind";
    let case = file.case.iter().find(|case| case.name == name).unwrap();
    let swarm = Swarm::behind(WIDE);
    let body = case.body.replace("{name}", "case");
    let target = "/v1.41/services/create";
    let answer = swarm.ask_through("POST", target, &body);
    assert!(
        answer.message().contains("mount-template"),
        "{}",
        answer.text()
    );
    assert_eq!(swarm.ask_past("POST", target, &body).status, 201);
    let options = wait::until("the volume is made", || {
        let volumes = json(&swarm.ask_past("GET", "/v1.41/volumes", "").body);
        let option = volumes.pointer("/Volumes/0/Options/o")?.as_str()?;
        Some(option.to_owned())
    });
    assert_eq!(options, "size=1m,bind");
}
