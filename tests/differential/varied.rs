//! Other requests than those of every run, and more of them, where an operator asks for it by the environment.

use std::env;

use crate::support::random::Random;

/// A number that makes every generator begin elsewhere; 0 where nothing is said.
const SEED: &str = "DOCKGATE_TEST_SEED";
/// How many times as many requests are generated and sent; 1 where nothing is said.
const TIMES: &str = "DOCKGATE_TEST_TIMES";

/// The generator of one kind of request.
pub(super) fn random(seed: u64) -> Random {
    let other = number(SEED).unwrap_or(0);
    Random::new(seed.wrapping_add(other.wrapping_mul(1_000_003)))
}

pub(super) fn times() -> usize {
    usize::try_from(number(TIMES).unwrap_or(1).max(1)).unwrap()
}

fn number(name: &str) -> Option<u64> {
    let text = env::var(name).ok()?;
    let number = text.parse();
    Some(number.unwrap_or_else(|_| panic!("{name} is `{text}`, which is no number")))
}
