//! Whether a key stands twice in one object.

use std::collections::HashSet;
use std::ops::Deref;

/// The first key that stands there a second time.
pub(super) fn repeated_key<K: Deref<Target = str>, T>(members: &[(K, T)]) -> Option<&str> {
    if members.len() < 2 {
        return None;
    }
    if members.len() > MOST_MARKED {
        let mut seen = HashSet::with_capacity(members.len());
        let mut keys = members.iter().map(|(key, _)| &**key);
        return keys.find(|key| !seen.insert(*key));
    }
    // Keys of unequal marks are unequal; where marks agree, the keys before are looked through, of which there are few.
    let mut seen = [0_u64; 8];
    for (index, (key, _)) in members.iter().enumerate() {
        let mark = mark(key);
        let bit = 1 << (mark & 63);
        let word = seen.get_mut((mark >> 6 & 7) as usize)?;
        if *word & bit != 0 {
            let mut before = members.iter().take(index);
            if before.any(|(other, _)| **other == **key) {
                return Some(key);
            }
        }
        *word |= bit;
    }
    None
}

/// The most members of an object whose keys are told apart by marks.
const MOST_MARKED: usize = 96;

/// Nine bits that are equal for equal keys, and mostly not for others: of what keys of the Engine API differ in.
fn mark(key: &str) -> u64 {
    let bytes = key.as_bytes();
    let eight = |chunk: &[u8; 8]| u64::from_le_bytes(*chunk);
    let four = |chunk: &[u8; 4]| u64::from(u32::from_le_bytes(*chunk));
    let ends = match (bytes.first_chunk(), bytes.last_chunk()) {
        (Some(first), Some(last)) => eight(first) ^ eight(last).rotate_left(29),
        _ => match (bytes.first_chunk(), bytes.last_chunk()) {
            (Some(first), Some(last)) => four(first) ^ four(last) << 29,
            _ => bytes
                .iter()
                .fold(0, |sum, byte| sum << 8 | u64::from(*byte)),
        },
    };
    (ends ^ bytes.len() as u64).wrapping_mul(SPREAD) >> 55
}

/// 2^64 divided by the golden ratio: the upper bits of a product with it depend on all of the other factor.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

#[cfg(test)]
mod tests {
    use super::*;

    use std::borrow::Cow;

    use super::super::Raw;

    #[test]
    fn finds_the_first_key_that_comes_again_among_few_and_many() {
        for count in [2, 3, 60, MOST_MARKED, MOST_MARKED + 1, 1000] {
            let name = |index: usize| format!("{}-{index}", "key".repeat(index % 4));
            let mut members: Vec<(Cow<'_, str>, Raw<'_>)> = (0..count)
                .map(|index| (name(index).into(), Raw::Null))
                .collect();
            assert_eq!(repeated_key(&members), None, "{count}");
            for (at, again) in [(count - 1, 0), (count / 2, 0), (count - 1, count - 2)] {
                if at != again {
                    members[at].0 = name(again).into();
                    assert_eq!(repeated_key(&members), Some(&*name(again)), "{count}");
                    members[at].0 = name(at).into();
                }
            }
        }
    }
}
