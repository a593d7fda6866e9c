//! The ids of workloads in X.509-SVIDs, as the SPIFFE standards write them.

/// The longest id, in bytes (SPIFFE-ID, section 2.3).
pub const ID_LIMIT: usize = 2048;

/// Whether a text is the id of a workload: `spiffe://`, a trust domain, and a path with at least one segment.
///
/// SPIFFE-ID, sections 2.1 to 2.3; X.509-SVID, section 2, has the id of a leaf certificate carry a path. Nothing is
/// normalized: what is spelled otherwise is no id.
#[must_use]
pub fn is_workload_id(text: &str) -> bool {
    let rest = text.strip_prefix(SCHEME);
    let parts = rest.and_then(|rest| rest.split_once('/'));
    text.len() <= ID_LIMIT
        && parts.is_some_and(|(domain, path)| is_trust_domain(domain) && is_path(path))
}

/// Whether a pattern without `regex:` can stand for the id of a workload, as far as its text shows it.
pub(super) fn can_stand_for_id(pattern: &str) -> bool {
    match pattern.split_once('*') {
        None => is_workload_id(pattern),
        Some((before, _)) => before.starts_with(SCHEME) || SCHEME.starts_with(before),
    }
}

fn is_trust_domain(text: &str) -> bool {
    let fits =
        |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9') || matches!(byte, b'.' | b'-' | b'_');
    matches!(text.len(), 1..=255) && text.bytes().all(fits)
}

fn is_path(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    text.split('/')
        .all(|segment| !matches!(segment, "" | "." | "..") && segment.bytes().all(fits))
}

const SCHEME: &str = "spiffe://";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_a_trust_domain_and_a_path() {
        let longest_domain = format!("spiffe://{}/a", "d".repeat(255));
        for id in [
            "spiffe://acme/ci",
            "spiffe://acme.example/ns/prod/sa/Web_1.-",
            "spiffe://1_2-3.a/...",
            &longest_domain,
        ] {
            assert!(is_workload_id(id), "{id}");
        }
        let long_domain = format!("spiffe://{}/a", "d".repeat(256));
        let long_path = format!("spiffe://a/{}", "p".repeat(ID_LIMIT));
        for no_id in [
            "",
            "spiffe://acme",
            "spiffe://acme/",
            "spiffe:///ci",
            "spiffe:/acme/ci",
            "SPIFFE://acme/ci",
            "https://acme/ci",
            "spiffe://Acme/ci",
            "spiffe://acme:8443/ci",
            "spiffe://user@acme/ci",
            "spiffe://acme//ci",
            "spiffe://acme/ci/",
            "spiffe://acme/./ci",
            "spiffe://acme/../ci",
            "spiffe://acme/c%69",
            "spiffe://acme/ci?a",
            "spiffe://acme/ci#a",
            "spiffe://acme/ci a",
            "spiffe://acmé/ci",
            &long_domain,
            &long_path,
        ] {
            assert!(!is_workload_id(no_id), "{no_id}");
        }
    }

    #[test]
    fn a_pattern_shows_whether_it_can_stand_for_an_id() {
        for pattern in ["*", "spiffe*", "spiffe://acme/*", "spiffe://acme/ci"] {
            assert!(can_stand_for_id(pattern), "{pattern}");
        }
        for pattern in ["acme/*", "spiffe://acme", "https://*", "Spiffe*"] {
            assert!(!can_stand_for_id(pattern), "{pattern}");
        }
    }
}
