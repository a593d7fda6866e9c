//! Whose things an operation is about.

use crate::engine_api::{Kind, Operation};

/// What the first name in an operation's path stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Subject {
    Thing(Kind),
    Volume,
    Network,
    /// It belongs to no owner: nodes, plugins, registries.
    Nobodys,
}

pub(super) fn subject(operation: Operation) -> Subject {
    let mut parts = operation.spec().path.split('/').skip(1);
    match parts.next().unwrap_or_default() {
        "containers" => Subject::Thing(Kind::Container),
        "exec" => Subject::Thing(Kind::Exec),
        "images" => Subject::Thing(Kind::Image),
        "services" => Subject::Thing(Kind::Service),
        "tasks" => Subject::Thing(Kind::Task),
        "secrets" => Subject::Thing(Kind::Secret),
        "configs" => Subject::Thing(Kind::Config),
        "volumes" => Subject::Volume,
        "networks" => Subject::Network,
        _ => Subject::Nobodys,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_nodes_plugins_and_registries_belongs_to_nobody() {
        let named = Operation::all().filter(|one| one.spec().path.contains('{'));
        let nobodys = named.filter(|one| subject(*one) == Subject::Nobodys);
        let nobodys: Vec<_> = nobodys.map(|one| one.spec().path).collect();
        let prefixes = ["/plugins/", "/nodes/", "/distribution/", "/debug/"];
        for path in nobodys {
            assert!(
                prefixes.iter().any(|prefix| path.starts_with(prefix)),
                "{path}"
            );
        }
    }
}
