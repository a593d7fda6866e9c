//! Keys of `[quiet]` that hide nothing, since no permitted operation's answer has it.

use crate::decision::hiding_keys;
use crate::engine_api::Operation;
use crate::policy::{Line, Policy};

use super::finding::Finding;

/// The keys that are on for nothing.
pub(super) fn without_effect(policy: &Policy) -> Vec<Finding> {
    let on = keys(policy)
        .into_iter()
        .filter(|(_, _, is_on)| *is_on)
        .filter(|(name, ..)| {
            let hides = |operation: &Operation| hiding_keys(*operation).contains(name);
            !policy.operations.keys().any(hides)
        });
    on.map(|(name, line, _)| {
        let message = format!(
            "`{name}` of `[quiet]` does nothing: no rule permits an operation whose answer has what it hides"
        );
        Finding::warning(line, "no-effect", message)
    })
    .collect()
}

/// Every key, its line, and whether it is on.
pub(super) fn keys(policy: &Policy) -> [(&'static str, Line, bool); 6] {
    let quiet = &policy.quiet;
    let labels = &quiet.labels;
    let switches = [
        ("environment", &quiet.environment),
        ("host-paths", &quiet.host_paths),
        ("command-lines", &quiet.command_lines),
        ("secrets", &quiet.secrets),
        ("host-details", &quiet.host_details),
    ];
    let [a, b, c, d, e] = switches.map(|(name, setting)| (name, setting.line, setting.value));
    [
        a,
        b,
        c,
        d,
        e,
        ("labels", labels.line, !labels.value.is_empty()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy;

    fn idle(operations: &str, quiet: &str) -> Vec<usize> {
        let text = format!(
            "description = \"a test\"\n[[permit]]\noperations = [{operations}]\n[quiet]\n{quiet}\n"
        );
        let policy = policy::compile("test.toml", &text, &std::collections::BTreeMap::new());
        let found = without_effect(&policy.unwrap());
        found.iter().map(|finding| finding.line).collect()
    }

    #[test]
    fn a_key_that_hides_nothing_of_any_answer_is_told() {
        let keys = "environment = true\nlabels = [\"a\"]\nhost-details = false";
        assert_eq!(idle("\"SystemPing\"", keys), [5, 6]);
        assert_eq!(idle("\"NetworkList\"", keys), [5]);
        assert_eq!(idle("\"ContainerInspect\"", keys), [0; 0]);
    }
}
