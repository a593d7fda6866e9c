//! What the audit log shows of a request's head: its target without what may be a secret, and its trace.

use std::borrow::Cow;

use crate::cut::{cut, pieces};
use crate::engine_api::{Operation, parameters_of};
use crate::http1::Headers;

/// The target with the values of those parameters only that the operation reads and that hold no secrets.
///
/// Clients repeat whole bodies as a query, environment and passwords with it.
pub(super) fn target(operation: Option<Operation>, target: &str) -> Cow<'_, str> {
    let Some((path, query)) = cut(target, b'?') else {
        return Cow::Borrowed(target);
    };
    let read = operation.map(parameters_of).unwrap_or_default();
    // A name in another spelling may be any name, and its value any secret.
    let is_plain = |name: &str| {
        read.iter().any(|parameter| parameter.name == name) && !SECRETS.contains(&name)
    };
    let hidden = |pair| {
        let (name, value) = cut(pair, b'=')?;
        let is_hidden = !value.is_empty() && (!is_plain(name) || has_user(value));
        is_hidden.then_some(name)
    };
    if pieces(query, b'&').all(|pair| hidden(pair).is_none()) {
        return Cow::Borrowed(target);
    }
    let mut shown = String::with_capacity(target.len());
    shown.push_str(path);
    let mut before = '?';
    for pair in pieces(query, b'&') {
        shown.push(before);
        before = '&';
        match hidden(pair) {
            Some(name) => {
                for part in [name, "=", HIDDEN] {
                    shown.push_str(part);
                }
            }
            None => shown.push_str(pair),
        }
    }
    Cow::Owned(shown)
}

/// Whether the value may be a URL with a user in it, as `remote` and `fromSrc` take them.
fn has_user(value: &str) -> bool {
    if !value.bytes().any(|byte| matches!(byte, b':' | b'%')) {
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

/// The trace that a request belongs to, where its one `Traceparent` is of the known form (W3C Trace Context, section
/// 3.2).
pub(super) fn trace(headers: &Headers) -> Option<&str> {
    let mut found = headers.all("traceparent");
    let value = std::str::from_utf8(found.next()?).ok()?;
    let mut parts = value.split('-');
    let (version, trace, parent, flags) =
        (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let is_hex = |text: &str, length: usize| {
        let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        text.len() == length && text.bytes().all(is_digit)
    };
    let is_named = |text: &str| text.bytes().any(|byte| byte != b'0');
    let is_known = version == "00"
        && is_hex(trace, 32)
        && is_named(trace)
        && is_hex(parent, 16)
        && is_named(parent)
        && is_hex(flags, 2);
    (is_known && parts.next().is_none() && found.next().is_none()).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http1::Request;

    #[test]
    fn a_trace_is_of_the_known_form_or_none() {
        let good = format!("00-{}-{}-01", "4b".repeat(16), "0f".repeat(8));
        let of = |lines: &str| {
            let head = format!("GET / HTTP/1.1\r\n{lines}\r\n\r\n");
            let request = Request::parse(head.as_bytes(), 10).unwrap();
            trace(&request.headers).map(str::to_owned)
        };
        assert_eq!(of(&format!("traceparent: {good}")), Some(good.clone()));
        for bad in [
            good.replace('f', "F"),
            good.replace("4b", "00"),
            good.replace("0f", "00"),
            good.replacen("00", "ff", 1),
            format!("{good}-x"),
            "00-1-2-3".to_owned(),
            "\u{e9}".to_owned(),
        ] {
            assert_eq!(of(&format!("Traceparent: {bad}")), None, "{bad}");
        }
        assert_eq!(
            of(&format!("Traceparent: {good}\r\nTraceparent: {good}")),
            None
        );
        assert_eq!(of("Host: d"), None);
    }

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
