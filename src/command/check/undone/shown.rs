//! Keys of `[quiet]` beside operations that show by another way what they hide.

use crate::engine_api::Operation;
use crate::policy::Policy;

use super::super::quiet;
use super::{Finding, permitted};

/// The operations that show what each key hides: from inside a container, or as files and lines that no answer is.
const SHOWING: &[(&str, &[Operation])] = &[
    (
        "environment",
        &[
            Operation::ContainerExec,
            Operation::ContainerAttach,
            Operation::ContainerAttachWebsocket,
            // With `details`.
            Operation::ContainerLogs,
            Operation::ServiceLogs,
            Operation::TaskLogs,
            Operation::ImageBuild,
            Operation::ImageGet,
            Operation::ImageGetAll,
            Operation::ImagePush,
        ],
    ),
    (
        "host-paths",
        &[
            Operation::ContainerExec,
            Operation::ContainerAttach,
            Operation::ContainerAttachWebsocket,
        ],
    ),
    (
        "labels",
        &[
            // With `details`.
            Operation::ContainerLogs,
            Operation::ServiceLogs,
            Operation::TaskLogs,
            Operation::ImageGet,
            Operation::ImageGetAll,
            Operation::ImagePush,
        ],
    ),
    (
        "command-lines",
        &[
            Operation::ContainerExec,
            Operation::ContainerAttach,
            Operation::ContainerAttachWebsocket,
            Operation::ImageGet,
            Operation::ImageGetAll,
            Operation::ImagePush,
        ],
    ),
    (
        "secrets",
        &[
            Operation::ContainerExec,
            Operation::ContainerAttach,
            Operation::ContainerAttachWebsocket,
            Operation::ContainerArchive,
        ],
    ),
    (
        "host-details",
        &[
            Operation::ContainerExec,
            Operation::ContainerAttach,
            Operation::ContainerAttachWebsocket,
            Operation::ImageBuild,
        ],
    ),
];

pub(super) fn undone(policy: &Policy) -> Vec<Finding> {
    let on = quiet::keys(policy).into_iter().filter(|(.., is_on)| *is_on);
    let found = on.filter_map(|(name, line, _)| {
        let (_, operations) = SHOWING.iter().find(|(key, _)| *key == name)?;
        let starts = policy.operations.contains_key(&Operation::ExecStart);
        let shows = |operation: &&Operation| starts || **operation != Operation::ContainerExec;
        let operations: Vec<Operation> = operations.iter().filter(shows).copied().collect();
        let shown = permitted(policy, &operations)?;
        let message =
            format!("what `{name}` of `[quiet]` hides can be seen by {shown} all the same");
        Some(Finding::warning(line, "undone", message))
    });
    found.collect()
}
