//! Which operations read which key of a policy, and so which keys have no effect.

use crate::decision::enters_container;
use crate::engine_api::schema::{Class, Inner, Limit, Shape};
use crate::engine_api::{Operation, body_of, parameters_of};
use crate::policy::Policy;

use super::finding::Finding;
use super::keys::{Key, keys};

impl Key {
    /// Whether a request of the operation can be held against the key.
    fn is_for(&self, operation: Operation) -> bool {
        self.operations.contains(&operation)
            || limits_of(operation)
                .iter()
                .any(|limit| self.limits.contains(limit))
    }
}

/// Whether a rule permits an operation that reads the key.
pub(super) fn has_effect(key: &Key, policy: &Policy) -> bool {
    policy
        .operations
        .keys()
        .any(|operation| key.is_for(*operation))
}

/// The keys that open something for operations which no rule permits.
pub(super) fn without_effect(policy: &Policy) -> Vec<Finding> {
    let idle = |key: &Key| key.is_open && !has_effect(key, policy);
    let keys = keys(policy).into_iter().filter(idle);
    keys.map(|key| {
        let Key { section, name, .. } = key;
        let readers: Vec<String> = Operation::all()
            .filter(|operation| operation.spec().is_modelled && key.is_for(*operation))
            .map(|operation| format!("`{}`", operation.name()))
            .collect();
        let readers = readers.join(", ");
        let message = format!("`{name}` of `[{section}]` does nothing: no rule permits {readers}");
        Finding::warning(key.line, "no-effect", message)
    })
    .collect()
}

/// Every limit that a request of the operation is held against.
fn limits_of(operation: Operation) -> Vec<Limit> {
    let mut limits = Vec::new();
    for parameter in parameters_of(operation) {
        limits.extend(limit(parameter.class));
    }
    if let Some(body) = body_of(operation) {
        of_shape(body, &mut limits);
    }
    if enters_container(operation)
        && let Some(create) = body_of(Operation::ContainerCreate)
    {
        of_shape(create, &mut limits);
    }
    limits
}

fn of_shape(shape: Shape, limits: &mut Vec<Limit>) {
    match shape.inner() {
        Inner::Fields(schema) => {
            for field in schema.fields() {
                limits.extend(limit(field.class));
                of_shape(field.shape, limits);
            }
        }
        Inner::Items(shape) | Inner::Values(shape) => of_shape(shape, limits),
        Inner::Nothing => {}
    }
}

fn limit(class: Class) -> Option<Limit> {
    match class {
        Class::Limited(limit) => Some(limit),
        Class::Harmless | Class::Refused(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_that_names_an_image_reads_a_key_for_images() {
        let all = keys(&Policy::default());
        let [images, references] =
            ["images", "references"].map(|name| all.iter().find(|key| key.name == name).unwrap());
        for operation in Operation::all() {
            let names_one = limits_of(operation).contains(&Limit::Image);
            let is_read = images.is_for(operation) || references.is_for(operation);
            assert!(!names_one || is_read, "{}", operation.name());
        }
    }

    #[test]
    fn every_key_is_for_an_operation_that_can_be_permitted() {
        for key in keys(&Policy::default()) {
            let mut modelled = Operation::all().filter(|operation| operation.spec().is_modelled);
            assert!(
                modelled.any(|operation| key.is_for(operation)),
                "{}",
                key.name
            );
        }
    }
}
