//! Requests that can be read in more than one way, before the gate's reader and the real daemon's: whatever the gate
//! permits, the daemon has understood as the gate wrote it anew.
//!
//! The inputs are generated from seeds, thousands for each reader. A request that the gate refuses claims nothing. One
//! that it permits is sent to the daemon twice, as it came and as the gate writes it, what the first made is removed
//! before the second, and what the daemon says it made or found must be the same.

mod bodies;
mod builds;
mod doings;
mod effect;
mod host;
mod host_tables;
mod images;
mod imports;
mod judged;
mod loose;
mod plugins;
mod queries;
mod removals;
mod second;
mod strays;
mod swarm;
mod swarm_tables;
mod tables;
mod targets;
mod varied;

use dockgate::policy::Policy;

use crate::support::address::Address;
use crate::support::random::Random;
use crate::support::{engine, http, process};

use effect::Effect;
use judged::{Judged, Sent};

/// What came of one kind of generated request.
#[derive(Debug, Default)]
struct Tally {
    /// The daemon that is asked what a request refers to, where it is not the one of all tests.
    daemon: Option<Address>,
    generated: usize,
    sent: usize,
    /// Of those sent: how many the daemon took.
    taken: usize,
    wrong: Vec<String>,
}

impl Tally {
    /// Judges the request and, where it is permitted, has the daemon do it twice.
    fn try_one(
        &mut self,
        sent: &Sent,
        policies: &[Policy],
        effect: impl Fn(&Sent, &Judged) -> Effect,
    ) {
        self.generated += 1;
        let Some(judged) = sent.judged(policies, self.daemon.as_ref()) else {
            return;
        };
        self.sent += 1;
        let canonical = judged.canonical(sent);
        // What other tests do at the same daemon shows in lists; a real disagreement stays.
        let mut tries = (0..8).map(|_| (effect(sent, &judged), effect(&canonical, &judged)));
        // What the gate found to be one thing may be the beginning of two ids by now; nothing comes of either then.
        let agrees = |(original, written): &(Effect, Effect)| {
            original == written || (original.is_ambiguous() && original.is_as_little_as(written))
        };
        let mut seen = None;
        let found = tries.find(|pair| {
            seen = Some(pair.clone());
            agrees(pair)
        });
        match found.or(seen) {
            Some(pair) if agrees(&pair) => {
                self.taken += usize::from(pair.0.is_taken());
                let policy = judged.by;
                let strays = strays::of(&pair.1, &judged).into_iter();
                self.wrong.extend(
                    strays.map(|stray| format!("{}\n  policy {policy}: {stray}", sent.shown())),
                );
            }
            Some((original, written)) => self.wrong.push(format!(
                "as it came: {}\n  {original:?}\nas written: {}\n  {written:?}",
                sent.shown(),
                canonical.shown()
            )),
            None => {}
        }
    }

    /// Fails where anything was wrong, or where too little was tried to mean anything.
    fn check(&self, what: &str, least_sent: usize, least_taken: usize) {
        let Self {
            daemon: _,
            generated,
            sent,
            taken,
            wrong,
        } = self;
        eprintln!(
            "{what}: {generated} generated, {sent} permitted and sent, {taken} taken by the daemon"
        );
        assert!(
            wrong.is_empty(),
            "{} disagreements over {what}:\n{}",
            wrong.len(),
            wrong.join("\n\n")
        );
        assert!(
            *sent >= least_sent && *taken >= least_taken,
            "{what}: {sent} sent, {taken} taken"
        );
    }
}

/// Generates requests until so many have been generated, or so many sent.
fn tried(
    bounds: (u64, usize, usize),
    policies: &[Policy],
    make: impl Fn(&mut Random) -> Sent,
    effect: impl Fn(&Sent, &Judged) -> Effect,
) -> Tally {
    tried_at(None, bounds, policies, make, effect)
}

/// Likewise at another daemon.
fn tried_at(
    daemon: Option<&Address>,
    (seed, most_generated, most_sent): (u64, usize, usize),
    policies: &[Policy],
    make: impl Fn(&mut Random) -> Sent,
    effect: impl Fn(&Sent, &Judged) -> Effect,
) -> Tally {
    let daemon = daemon.cloned();
    let mut tally = Tally {
        daemon,
        ..Tally::default()
    };
    let (mut random, times) = (varied::random(seed), varied::times());
    while tally.generated < most_generated * times && tally.sent < most_sent * times {
        tally.try_one(&make(&mut random), policies, &effect);
    }
    tally
}

/// A container of one's own, with something in its logs; removed at the end.
struct Container {
    name: String,
    daemon: Address,
}

impl Container {
    fn running() -> Self {
        Self::saying("exec sleep 600")
    }

    /// One whose logs end, also for who follows them.
    fn ended() -> Self {
        let container = Self::saying("exit 0");
        let name = &container.name;
        let waited = http::request(
            &container.daemon,
            "POST",
            &format!("/containers/{name}/wait"),
            "",
        );
        assert_eq!(waited.status, 200, "{}", waited.text());
        container
    }

    fn saying(last: &str) -> Self {
        let (name, daemon) = (process::unique("df"), engine::address());
        let words = format!("for i in 1 2 3; do echo out $i; echo err $i >&2; done; {last}");
        let body = format!(
            r#"{{"Image":"busybox","Cmd":["sh","-c","{words}"],"Labels":{{"df":"{name}"}},"HostConfig":{{"Binds":["{name}:/v"]}}}}"#
        );
        let target = format!("/containers/create?name={name}");
        let created = http::request(&daemon, "POST", &target, &body);
        assert_eq!(created.status, 201, "{}", created.text());
        let started = http::request(&daemon, "POST", &format!("/containers/{name}/start"), "");
        assert_eq!(started.status, 204, "{}", started.text());
        Self { name, daemon }
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        engine::clean(&self.name);
    }
}
