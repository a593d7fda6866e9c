//! Which schema and parameters each operation has.

use super::operation::Operation;
use super::schema::{Class, Field, Limit, Parameter, ParameterKind, Schema, Shape};

pub(super) fn body_of(operation: Operation) -> Option<&'static Schema> {
    match operation {
        Operation::ContainerCreate => Some(&EMPTY),
        _ => None,
    }
}

pub(super) fn parameters_of(_operation: Operation) -> &'static [Parameter] {
    &[]
}

static EMPTY: Schema = Schema { fields: &[] };
