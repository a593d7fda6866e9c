//! A request's target as the audit log shows it: without what may be a secret.

use std::borrow::Cow;

use crate::engine_api::{Operation, parameters_of};

/// The target with the values of those parameters only that the operation reads and that hold no secrets.
///
/// Clients repeat whole bodies as a query, environment and passwords with it.
pub(super) fn target(operation: Option<Operation>, target: &str) -> Cow<'_, str> {
    let Some((path, query)) = target.split_once('?') else {
        return Cow::Borrowed(target);
    };
    let read = operation.map(parameters_of).unwrap_or_default();
    let mut shown = String::with_capacity(target.len());
    shown.push_str(path);
    shown.push('?');
    for (index, pair) in query.split('&').enumerate() {
        if index > 0 {
            shown.push('&');
        }
        // A name in another spelling may be any name, and its value any secret.
        let is_plain = |name: &str| {
            read.iter().any(|parameter| parameter.name == name) && !SECRETS.contains(&name)
        };
        match pair.split_once('=') {
            Some((name, value)) if !value.is_empty() && (!is_plain(name) || has_user(value)) => {
                shown.push_str(name);
                shown.push('=');
                shown.push_str(HIDDEN);
            }
            Some(_) | None => shown.push_str(pair),
        }
    }
    Cow::Owned(shown)
}

/// Whether the value may be a URL with a user in it, as `remote` and `fromSrc` take them.
fn has_user(value: &str) -> bool {
    if !value.contains([':', '%']) {
        return false;
    }
    let lower = value.to_ascii_lowercase();
    let is_url = ["://", "%3a", "%2f%2f"]
        .iter()
        .any(|part| lower.contains(part));
    is_url && (lower.contains('@') || lower.contains("%40"))
}

/// Build arguments, and instructions such as `ENV`.
const SECRETS: [&str; 2] = ["buildargs", "changes"];
const HIDDEN: &str = "(hidden)";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_what_is_read_and_no_secret() {
        for (operation, given, seen) in [
            (
                Operation::ContainerCreate,
                "/containers/create?name=a&Env=PW%3Dhunter2&Tty=",
                "/containers/create?name=a&Env=(hidden)&Tty=",
            ),
            (
                Operation::SystemAuth,
                "/auth?password=hunter2&%70assword=hunter2",
                "/auth?password=(hidden)&%70assword=(hidden)",
            ),
            (
                Operation::ImageBuild,
                "/build?t=a/b:c&buildargs=%7B%22T%22%3A%22hunter2%22%7D&remote=https%3A%2F%2Fu%3Ahunter2%40h%2Fr.git",
                "/build?t=a/b:c&buildargs=(hidden)&remote=(hidden)",
            ),
            (
                Operation::ImageCreate,
                "/images/create?fromImage=a%2Fb&tag=1",
                "/images/create?fromImage=a%2Fb&tag=1",
            ),
            (Operation::SystemInfo, "/info", "/info"),
        ] {
            assert_eq!(target(Some(operation), given), seen);
        }
        assert_eq!(target(None, "/x?a=b&c"), "/x?a=(hidden)&c");
    }
}
