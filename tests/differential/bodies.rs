//! Bodies of operations whose effect can be looked at afterwards.

use super::judged::{self, Sent};
use super::loose::{self, Loose};
use super::tables;
use super::{Container, Tally, effect};
use crate::support::random::Random;
use crate::support::{engine, process};

#[test]
fn volumes_are_made_as_the_gate_read_them() {
    let (name, daemon) = (process::unique("df"), engine::address());
    let tally = tried(
        1,
        4000,
        600,
        |random| tables::volume(random, &name),
        "/volumes/create",
        |sent, _| effect::of_volume(sent, &daemon),
    );
    tally.check("bodies of VolumeCreate", 400, 200);
}

#[test]
fn containers_are_made_as_the_gate_read_them() {
    let (name, daemon) = (process::unique("df"), engine::address());
    let target = format!("/containers/create?name={name}");
    let tally = tried(
        2,
        3000,
        200,
        |random| tables::container(random, ""),
        &target,
        |sent, _| effect::of_container(sent, &daemon),
    );
    tally.check("bodies of ContainerCreate", 180, 100);
}

#[test]
fn execs_are_made_as_the_gate_read_them() {
    let container = Container::running();
    let target = format!("/containers/{}/exec", container.name);
    let tally = tried(
        3,
        4000,
        600,
        |random| tables::exec(random, ""),
        &target,
        |sent, _| effect::of_exec(sent, &container.daemon),
    );
    tally.check("bodies of ContainerExec", 400, 200);
}

#[test]
fn containers_are_changed_as_the_gate_read_it() {
    let container = Container::running();
    let target = format!("/containers/{}/update", container.name);
    let tally = tried(
        4,
        1500,
        100,
        |random| tables::update(random, ""),
        &target,
        |sent, _| effect::of_update(sent, &container.name, &container.daemon),
    );
    tally.check("bodies of ContainerUpdate", 80, 50);
}

#[test]
fn networks_are_made_as_the_gate_read_them() {
    let (name, daemon) = (process::unique("df"), engine::address());
    let tally = tried(
        5,
        1000,
        60,
        |random| tables::network(random, &name),
        "/networks/create",
        |sent, _| effect::of_network(sent, &daemon),
    );
    tally.check("bodies of NetworkCreate", 50, 15);
}

/// By which versions of the API a body is sent; the daemon's own newest where none is named.
pub(super) const VERSIONS: &[&str] = &[
    "/v1.41", "/v1.41", "/v1.41", "/v1.40", "/v1.39", "/v1.35", "/v1.30", "/v1.25", "/v1.24", "",
];

/// Generates bodies until so many have been generated, or so many sent.
fn tried(
    seed: u64,
    most_generated: usize,
    most_sent: usize,
    base: impl Fn(&mut Random) -> Loose,
    target: &str,
    effect: impl Fn(&Sent, &judged::Judged) -> effect::Effect,
) -> Tally {
    let make = |random: &mut Random| {
        let target = format!("{}{target}", random.pick(VERSIONS));
        Sent::new("POST", &target, &written(base(random), random))
    };
    let policies = judged::policies();
    super::tried((seed, most_generated, most_sent), &policies, make, effect)
}

/// The body with up to three places changed, as bytes.
pub(super) fn written(mut body: Loose, random: &mut Random) -> Vec<u8> {
    for _ in 0..random.below(4) {
        body.change(random);
    }
    let mut text = Vec::new();
    body.write(&mut text, random);
    loose::around(&mut text, random);
    text
}
