//! The cases before a real daemon: what it does when asked past the gate, and that nothing comes of it through the gate.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use super::case::{self, Case, Direct, Effect, named};
use crate::support::address::Address;
use crate::support::gate::Gate;
use crate::support::{engine, http, process, wait};

/// A plugin that never runs, with one of everything that can be set.
const PLUGIN: &str = r#"{"description":"{name}","documentation":"","entrypoint":["/x"],
    "interface":{"types":["docker.dummy/1.0"],"socket":"p.sock"},"network":{"type":"null"},
    "linux":{"capabilities":null,"devices":[{"name":"fuse","path":"/dev/fuse","settable":["path"]}]},
    "mounts":[{"name":"data","source":"/srv","destination":"/mnt","type":"bind","options":["rbind"],"settable":["source"]}],
    "env":[{"name":"DEBUG","settable":["value"],"value":"0"}],
    "args":{"name":"args","settable":["value"],"value":[]}}"#;

/// How many cases are sent at a time.
const AT_ONCE: usize = 4;

#[test]
fn each_case_would_take_effect_past_the_gate() {
    let daemon = engine::address();
    let check = |case: &Case| {
        let place = Place::of(case);
        match case.direct {
            Direct::Untried => Ok(()),
            Direct::Works | Direct::Refused | Direct::Ignored => {
                past_the_gate(case, &place, &daemon)
            }
        }
    };
    assert_none(&each(&case::all(), check));
}

#[test]
fn nothing_comes_of_any_case_through_the_gate() {
    let cases = case::all();
    let policies: Vec<&str> = cases.iter().map(policy_of).collect();
    let mut gates = BTreeMap::new();
    for policy in policies {
        gates
            .entry(policy.to_owned())
            .or_insert_with(|| Gate::with_policy(policy));
    }
    let check = |case: &Case| {
        let gate = &gates[policy_of(case)];
        through_the_gate(case, &Place::of(case), gate.address())
    };
    assert_none(&each(&cases, check));
}

fn policy_of(case: &Case) -> &str {
    case.policy.as_deref().unwrap_or("guarded")
}

/// Names at the daemon for one sending of a case; what bears them is removed at the end.
struct Place {
    name: String,
    /// The id of a given exec instance.
    exec: Option<String>,
}

impl Place {
    fn of(case: &Case) -> Self {
        let mut place = Self {
            name: process::unique("rf"),
            exec: None,
        };
        let host_config = case.given_host_config.as_deref().unwrap_or("{}");
        for given in &case.given {
            place.prepare(given, host_config);
        }
        place
    }

    fn prepare(&mut self, given: &str, host_config: &str) {
        let name = self.name.clone();
        let of_container = |what: &str| format!("/v1.41/containers/{name}/{what}");
        let make = || {
            let body =
                format!(r#"{{"Image":"busybox","Cmd":["sleep","60"],"HostConfig":{host_config}}}"#);
            ask(
                "POST",
                &format!("/v1.41/containers/create?name={name}"),
                &body,
            );
        };
        match given {
            "container" => make(),
            "running" | "paused" | "exec" => {
                make();
                ask("POST", &of_container("start"), "");
                if given == "paused" {
                    ask("POST", &of_container("pause"), "");
                }
                if given == "exec" {
                    let made = ask("POST", &of_container("exec"), r#"{"Cmd":["sleep","60"]}"#);
                    let made = crate::support::json(&made.body);
                    self.exec = Some(made["Id"].as_str().unwrap().to_owned());
                }
            }
            "image" => {
                let target = format!("/v1.41/images/busybox/tag?repo={name}");
                ask("POST", &target, "");
            }
            "volume" => {
                let body = format!(r#"{{"Name":"{name}"}}"#);
                ask("POST", "/v1.41/volumes/create", &body);
            }
            "network" => {
                ask(
                    "POST",
                    "/v1.41/networks/create",
                    &format!(r#"{{"Name":"{name}"}}"#),
                );
            }
            "plugin" => engine::make_plugin(&name, PLUGIN),
            other => panic!("`{other}` is nothing that can be given"),
        }
    }

    /// A text with the names of this place put in.
    fn named(&self, text: &str) -> String {
        let exec = self.exec.as_deref().unwrap_or("{exec}");
        named(&text.replace("{exec}", exec), &self.name)
    }

    /// The case as it goes over the wire.
    fn wire(&self, case: &Case) -> Vec<u8> {
        let mut case = case.clone();
        if let Some(exec) = &self.exec {
            case.request = case.request.replace("{exec}", exec);
        }
        case.wire(&self.name)
    }

    fn has(&self, effect: &Effect) -> bool {
        let at = self.named(&effect.at);
        let answer = http::request(&engine::address(), "GET", &at, "");
        if answer.status == 404 && effect.is_gone {
            return true;
        }
        if answer.status != 200 {
            return false;
        }
        let object = crate::support::json(&answer.body);
        let pointer = self.named(&effect.pointer);
        let found = object.pointer(&pointer).filter(|found| !found.is_null());
        let wanted = effect.is.as_ref().map(|wanted| {
            let text = self.named(&wanted.to_string());
            crate::support::json(text)
        });
        match wanted {
            Some(wanted) => found == Some(&wanted),
            None => effect.exists && found.is_some(),
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        engine::clean(&self.name);
    }
}

fn past_the_gate(case: &Case, place: &Place, daemon: &Address) -> Result<(), String> {
    let answer = http::send(daemon, &place.wire(case)).map_err(|problem| problem.to_string())?;
    let has_effect = case.effect.as_ref().is_some_and(|effect| {
        // What works is not always there with the answer.
        let time = match case.direct {
            Direct::Works => SOON,
            Direct::Refused | Direct::Ignored | Direct::Untried => Duration::ZERO,
        };
        wait::within(time, || place.has(effect).then_some(())).is_some()
    });
    let is_as_said = match case.direct {
        Direct::Works => has_effect,
        Direct::Refused => answer.status >= 400 && !has_effect || says_error(&answer),
        Direct::Ignored => answer.status < 400 && !has_effect,
        Direct::Untried => true,
    };
    if is_as_said {
        return Ok(());
    }
    Err(format!(
        "not {:?}: {} {}, effect {has_effect}",
        case.direct,
        answer.status,
        answer.text()
    ))
}

/// Whether the answer is a stream that ends in an error, as pulls and builds have.
fn says_error(answer: &http::Answer) -> bool {
    answer.status == 200 && answer.text().contains("\"errorDetail\"")
}

fn through_the_gate(case: &Case, place: &Place, gate: &Address) -> Result<(), String> {
    let answer = http::send(gate, &place.wire(case)).map_err(|problem| problem.to_string())?;
    let codes = case.expected_codes();
    let is_head = case.request.starts_with("HEAD ");
    let message = if is_head || answer.status < 400 {
        String::new()
    } else {
        answer.message()
    };
    let expected = if case.malformed.is_some() { 400 } else { 403 };
    if !codes.is_empty() && answer.status != expected {
        return Err(format!("{}, not {expected}: {message}", answer.status));
    }
    if case.malformed.is_none()
        && !is_head
        && let Some(code) = codes.iter().find(|code| !message.contains(code.as_str()))
    {
        return Err(format!("`{code}` is not named in: {message}"));
    }
    match &case.effect {
        Some(effect) if place.has(effect) => Err("it has taken effect".to_owned()),
        Some(_) | None => Ok(()),
    }
}

/// Checks every case, several at a time, and gives what was wrong with each.
fn each(cases: &[Case], check: impl Fn(&Case) -> Result<(), String> + Sync) -> Vec<String> {
    let (next, check) = (AtomicUsize::new(0), &check);
    let work = || {
        let mut wrong = Vec::new();
        while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
            wrong.extend(
                check(case)
                    .err()
                    .map(|what| format!("{}: {what}", case.name)),
            );
        }
        wrong
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(work)).collect();
        workers
            .into_iter()
            .flat_map(|worker| worker.join().unwrap())
            .collect()
    })
}

fn assert_none(wrong: &[String]) {
    assert!(
        wrong.is_empty(),
        "{} cases:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

/// Prepares something at the daemon.
fn ask(method: &str, target: &str, body: &str) -> http::Answer {
    let answer = http::request(&engine::address(), method, target, body);
    assert!(answer.status < 400, "{method} {target}: {}", answer.text());
    answer
}

/// Far longer than a daemon takes.
const SOON: Duration = Duration::from_secs(3);
