//! Openings by which an image comes that the keys for images do not name: under an allowed name, or under none.

use crate::engine_api::Operation;
use crate::policy::{Limit, Pattern, Policy};

use super::{Finding, Openings, at, is_any};

const IMAGES: (&str, &str) = ("container", "images");
const REFERENCES: (&str, &str) = ("image", "references");

pub(super) fn undone(openings: &Openings<'_>) -> Vec<Finding> {
    let found = [images(openings), references(openings)];
    found.into_iter().flatten().collect()
}

/// What containers are made from, where a client can give an allowed name to something else.
fn images(openings: &Openings<'_>) -> Option<Finding> {
    let Openings { policy, .. } = openings;
    let line = openings.opened(IMAGES)?;
    if is_any(&policy.container.images) {
        return None;
    }
    let load = openings.permitted(&[Operation::ImageLoad]);
    let load = load.map(|load| format!("{load} brings images under any name"));
    let named = openings.permitted(&writers(policy)).map(|writers| {
        let references = at("references", policy.image.references.line);
        format!(
            "{writers} can give one of its names to another image, as {references} opens that too"
        )
    });
    let build = openings.permitted(&[Operation::ImageBuild]);
    let build = build.map(|build| format!("{build} runs any image that a Dockerfile begins with"));
    let ways: Vec<String> = [load, named, build].into_iter().flatten().collect();
    let message = format!("`images` bounds nothing: {}", ways.join("; "));
    (!ways.is_empty()).then(|| Finding::warning(line, "undone", message))
}

/// The operations that can write a name which containers may be made from, with content of the client's choice.
fn writers(policy: &Policy) -> Vec<Operation> {
    let (images, references) = (&policy.container.images, &policy.image.references);
    let meet = |name: &Pattern| images.value.iter().any(|image| meets(image, name));
    if !references.value.iter().any(meet) {
        return Vec::new();
    }
    let mut writers = vec![
        Operation::ImageBuild,
        Operation::ImageCommit,
        // By an import, whose name stands in `repo`.
        Operation::ImageCreate,
    ];
    // A tag gives a name to what has one of `references` already.
    let is_image = |name: &Pattern| images.value.iter().any(|image| image.covers(name));
    if !references.value.iter().all(is_image) {
        writers.push(Operation::ImageTag);
    }
    writers
}

fn references(openings: &Openings<'_>) -> Option<Finding> {
    let references: &Limit<_> = &openings.policy.image.references;
    let line = openings.opened(REFERENCES)?;
    let build = openings.permitted(&[Operation::ImageBuild])?;
    let message = format!(
        "`references` bounds no pull: {build} pulls any image that a Dockerfile begins with"
    );
    (!is_any(references)).then(|| Finding::warning(line, "undone", message))
}

/// Whether some reference fits both patterns, with or without its tag; so for expressions, which do not show it.
fn meets(one: &Pattern, other: &Pattern) -> bool {
    if one.is_expression() || other.is_expression() {
        return true;
    }
    let (one, other) = (one.as_str(), other.as_str());
    let (path, of_other) = (without_tag(one), without_tag(other));
    let is_any_tag = path == one || of_other == other;
    let overlap = |one: &str, other: &str| overlap(one.as_bytes(), other.as_bytes());
    overlap(one, other) || (is_any_tag && overlap(path, of_other))
}

fn without_tag(pattern: &str) -> &str {
    let rest = pattern.split('@').next().unwrap_or_default();
    match rest.rsplit_once(':') {
        Some((path, tag)) if !tag.contains('/') => path,
        Some(_) | None => rest,
    }
}

/// Whether some text fits both, `*` in each standing for any characters.
fn overlap(one: &[u8], other: &[u8]) -> bool {
    // For what is left of `one`, whether it overlaps with the last bytes of `other`, by their number.
    let blank = other.iter().rev().scan(true, |is_blank, byte| {
        *is_blank &= *byte == b'*';
        Some(*is_blank)
    });
    let mut row: Vec<bool> = std::iter::once(true).chain(blank).collect();
    for a in one.iter().rev() {
        let mut last = *a == b'*' && row.first() == Some(&true);
        let mut next = vec![last];
        let without_a = row.iter().skip(1);
        for ((b, without_both), without_a) in other.iter().rev().zip(&row).zip(without_a) {
            last = if *a == b'*' || *b == b'*' {
                *without_a || last
            } else {
                a == b && *without_both
            };
            next.push(last);
        }
        row = next;
    }
    row.last() == Some(&true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_meet_where_a_reference_fits_both() {
        let meet = |one: &str, other: &str| {
            let parse = |text| Pattern::parse(text).unwrap();
            let meet = meets(&parse(one), &parse(other));
            assert_eq!(meets(&parse(other), &parse(one)), meet, "{one} {other}");
            meet
        };
        for (one, other) in [
            ("*", "a.example/b"),
            ("a.example/*", "*/b"),
            ("a.example/b*", "a.example/*b"),
            ("a.example/b", "a.example/b"),
            ("a.example/b", "a.example/b:16*"),
            ("*/b", "a.example/b:16"),
            ("a*c*e", "*d*"),
            ("regex:a", "b"),
        ] {
            assert!(meet(one, other), "{one} {other}");
        }
        for (one, other) in [
            ("a.example/*", "b.example/*"),
            ("a.example/b", "a.example/c"),
            ("a.example/b:1", "a.example/b:2"),
            ("*/b", "*/c"),
            ("a*b", "a*c"),
        ] {
            assert!(!meet(one, other), "{one} {other}");
        }
    }
}
