//! The model of the Engine API against Docker's own descriptions: every operation, body field and query parameter.
//!
//! `facts/operations.txt`, `fields.txt` and `parameters.txt` list what the OpenAPI descriptions 1.41, 1.44, 1.51 and
//! 1.56 name, with the versions that name it; `facts/undescribed.txt` lists what only moby's source has, with the file,
//! and what only clients in use send.

mod bodies;
mod parameters;
mod walk;

use std::collections::BTreeSet;

use dockgate::engine_api::operation::BodyKind;
use dockgate::engine_api::schema::Shape;
use dockgate::engine_api::{Operation, body_of, parameters_of};

const OPERATIONS: &str = include_str!("facts/operations.txt");
const FIELDS: &str = include_str!("facts/fields.txt");
const PARAMETERS: &str = include_str!("facts/parameters.txt");
const UNDESCRIBED: &str = include_str!("facts/undescribed.txt");

/// Parameters that a description names and no handler of any daemon since 1.13 reads.
const NEVER_READ: &[(&str, &str)] = &[
    // The CLI keeps the keys to itself; `postContainersStart` reads the two of checkpoints only.
    ("ContainerStart", "detachKeys"),
    // `getImagesJSON` always answers with digests.
    ("ImageList", "digests"),
];

#[test]
fn every_described_operation_is_a_row_with_its_method_path_and_name() {
    let described: BTreeSet<String> = rows(OPERATIONS)
        .map(|row| format!("{} {} {}", row[1], placeless(row[2]), row[3]))
        .collect();
    let model: BTreeSet<String> = Operation::all()
        .map(|operation| {
            let spec = operation.spec();
            format!("{} {} {}", spec.method, placeless(spec.path), spec.name)
        })
        .collect();
    let undescribed: BTreeSet<&str> = undescribed("operation").map(|row| row[1]).collect();
    assert_eq!(
        described.difference(&model).collect::<Vec<_>>(),
        Vec::<&String>::new()
    );
    let extra: BTreeSet<&str> = model
        .difference(&described)
        .map(|row| name_of(row))
        .collect();
    assert_eq!(extra, undescribed);
}

#[test]
fn the_table_is_in_the_order_of_the_enum() {
    for (index, operation) in Operation::all().enumerate() {
        assert_eq!(operation as usize, index, "{operation:?}");
        assert_eq!(operation.spec().operation, operation);
        assert_eq!(operation.name(), format!("{operation:?}"));
    }
}

#[test]
fn every_described_field_of_a_modelled_body_is_known_and_none_is_made_up() {
    for operation in Operation::all() {
        let name = operation.name();
        let described: BTreeSet<&str> = rows(FIELDS)
            .filter(|row| row[1] == name)
            .map(|row| row[2])
            .collect();
        let Some(shape) = body_of(operation) else {
            assert!(
                described.is_empty() || !operation.spec().is_modelled,
                "{name} has a body that is not modelled"
            );
            continue;
        };
        let fields = walk::places(shape);
        let model: BTreeSet<&str> = fields.iter().map(|place| place.name.as_str()).collect();
        let unread = |field: &&&str| {
            fields
                .iter()
                .any(|place| place.is_unread() && field.starts_with(&format!("{}.", place.name)))
        };
        let missing: Vec<&&str> = described
            .difference(&model)
            .filter(|field| !unread(field))
            .collect();
        assert!(missing.is_empty(), "{name} lacks {missing:?}");
        let extra: BTreeSet<&str> = model.difference(&described).copied().collect();
        let written: BTreeSet<&str> = undescribed("field")
            .chain(undescribed("client"))
            .filter(|row| row[1] == name)
            .map(|row| row[2])
            .collect();
        assert_eq!(extra, written, "{name} has fields that nothing describes");
    }
}

#[test]
fn only_what_clients_alone_know_is_dropped_unread() {
    for operation in Operation::all() {
        let fields = body_of(operation).map(walk::places).unwrap_or_default();
        let unread = |place: &&walk::Place| matches!(place.shape, Shape::Unread);
        let model: BTreeSet<&str> = fields
            .iter()
            .filter(unread)
            .map(|place| place.name.as_str())
            .collect();
        let written: BTreeSet<&str> = undescribed("client")
            .filter(|row| row[1] == operation.name())
            .map(|row| row[2])
            .collect();
        assert_eq!(model, written, "{operation:?}");
    }
}

#[test]
fn every_described_parameter_is_known_and_none_is_made_up() {
    for operation in Operation::all() {
        let name = operation.name();
        let described: BTreeSet<&str> = rows(PARAMETERS)
            .filter(|row| row[1] == name && !NEVER_READ.contains(&(row[1], row[2])))
            .map(|row| row[2])
            .collect();
        let model: BTreeSet<&str> = parameters_of(operation)
            .iter()
            .map(|parameter| parameter.name)
            .collect();
        assert_eq!(
            model.len(),
            parameters_of(operation).len(),
            "{name} names a parameter twice"
        );
        let missing: Vec<_> = described.difference(&model).collect();
        assert!(missing.is_empty(), "{name} lacks {missing:?}");
        let extra: BTreeSet<&str> = model.difference(&described).copied().collect();
        let written: BTreeSet<&str> = undescribed("parameter")
            .filter(|row| row[1] == name)
            .map(|row| row[2])
            .collect();
        assert_eq!(
            extra, written,
            "{name} has parameters that only moby's source knows"
        );
    }
}

#[test]
fn a_body_is_judged_where_and_only_where_the_table_says_so() {
    for operation in Operation::all() {
        let spec = operation.spec();
        let is_judged = spec.body == BodyKind::Json && spec.is_modelled;
        assert_eq!(body_of(operation).is_some(), is_judged, "{operation:?}");
    }
}

fn rows(facts: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
    facts.lines().map(|line| line.split(' ').collect())
}

fn undescribed(kind: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
    rows(UNDESCRIBED).filter(move |row| row[0] == kind)
}

/// A path whose names in braces are all the same.
fn placeless(path: &str) -> String {
    let parts: Vec<&str> = path
        .split('/')
        .map(|part| if part.starts_with('{') { "{}" } else { part })
        .collect();
    parts.join("/")
}

fn name_of(row: &str) -> &str {
    row.rsplit(' ').next().unwrap()
}
