//! `docs/refusals.md` says how much is classed and how much is tried.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use dockgate::engine_api::schema::{Inner, Schema, Shape};
use dockgate::engine_api::{Operation, body_of, parameters_of};

use super::case;

#[test]
fn the_page_has_the_counts_of_the_model_and_of_the_data() {
    let page = text("docs/refusals.md");
    let modelled = Operation::all().filter(|operation| operation.spec().is_modelled);
    let parameters = Operation::all().map(|operation| parameters_of(operation).len());
    let counts = [
        ("operations of the Engine API", Operation::all().count()),
        ("of these judged, the others refused", modelled.count()),
        ("fields of their bodies", fields()),
        ("parameters of their queries", parameters.sum()),
        ("refusal cases", case::all().len()),
        ("benign requests of real clients", crate::benign::count()),
        (
            "generated requests that are sent to a daemon twice, at least",
            sent(),
        ),
    ];
    for (what, count) in counts {
        let row = format!("| {what} | {count} |");
        assert!(page.contains(&row), "docs/refusals.md lacks\n{row}");
    }
}

/// The fields of every object that some body may hold, each object once.
fn fields() -> usize {
    let (mut seen, mut count) = (BTreeSet::new(), 0);
    let bodies = Operation::all().filter_map(body_of);
    bodies.for_each(|shape| count += fields_in(shape, &mut seen));
    count
}

fn fields_in(shape: Shape, seen: &mut BTreeSet<*const Schema>) -> usize {
    match shape.inner() {
        Inner::Fields(schema) if seen.insert(std::ptr::from_ref(schema)) => {
            let of_field = |count, field: &dockgate::engine_api::schema::Field| {
                count + 1 + fields_in(field.shape, seen)
            };
            schema.fields().fold(0, of_field)
        }
        Inner::Items(item) | Inner::Values(item) => fields_in(item, seen),
        Inner::Fields(_) | Inner::Nothing => 0,
    }
}

/// What the differential tests fail without.
fn sent() -> usize {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/differential");
    let files = fs::read_dir(folder).unwrap();
    let of_file = |entry: fs::DirEntry| {
        let text = fs::read_to_string(entry.path()).unwrap();
        let checks = text.split("tally.check(").skip(1);
        checks.map(least).sum::<usize>()
    };
    files.map(|entry| of_file(entry.unwrap())).sum()
}

/// The first number of a check's arguments.
fn least(arguments: &str) -> usize {
    let (arguments, _) = arguments.split_once(");").unwrap();
    let mut numbers = arguments
        .split(',')
        .filter_map(|part| part.trim().parse().ok());
    numbers
        .next()
        .unwrap_or_else(|| panic!("no number in {arguments}"))
}

fn text(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}
