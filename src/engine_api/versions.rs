//! Which versions of the API a daemon speaks, and what of them its clients are told.

use std::fmt;

use super::json::{self, Value};
use super::{ApiVersion, Malformed};

/// The versions that a daemon speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spoken {
    /// Also that of a request which names none.
    pub newest: ApiVersion,
    /// `None` where the daemon has not said.
    pub oldest: Option<ApiVersion>,
}

impl Spoken {
    /// Reads the answer to `SystemVersion`.
    ///
    /// # Errors
    /// [`Malformed`] where it is none.
    pub fn read(bytes: &[u8]) -> Result<Self, Malformed> {
        let answer = json::read(bytes)?;
        let newest = ApiVersion::parse(answer.text(NEWEST))
            .ok_or_else(|| Malformed::Body(format!("it has no `{NEWEST}`")))?;
        Ok(Self {
            newest,
            oldest: ApiVersion::parse(answer.text(OLDEST)),
        })
    }

    /// The highest version that is also one of `lowest ..= highest`.
    #[must_use]
    pub fn shared(&self, lowest: ApiVersion, highest: ApiVersion) -> Option<ApiVersion> {
        let shared = self.newest.min(highest);
        let is_shared = shared >= lowest && self.oldest.is_none_or(|oldest| shared >= oldest);
        is_shared.then_some(shared)
    }
}

impl fmt::Display for Spoken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.oldest {
            Some(oldest) => write!(f, "{oldest} to {}", self.newest),
            None => write!(f, "up to {}", self.newest),
        }
    }
}

/// The answer to `SystemVersion` with versions that lie in `lowest ..= highest` too; `None` where they do already, or
/// it cannot be read.
///
/// moby: daemon/info.go, `SystemVersion` tells them twice; `SystemInfo` tells none.
#[must_use]
pub fn told_within(bytes: &[u8], lowest: ApiVersion, highest: ApiVersion) -> Option<Vec<u8>> {
    let mut answer = json::parse(bytes).ok()?;
    let mut has_changed = narrow(&mut answer, lowest, highest);
    if let Some(Value::List(components)) = answer.get_mut("Components") {
        let engines = components
            .iter_mut()
            .filter(|component| component.text("Name") == "Engine");
        for engine in engines {
            if let Some(details) = engine.get_mut("Details") {
                has_changed |= narrow(details, lowest, highest);
            }
        }
    }
    let end = if bytes.ends_with(b"\n") { "\n" } else { "" };
    has_changed.then(|| format!("{answer}{end}").into_bytes())
}

fn narrow(told: &mut Value, lowest: ApiVersion, highest: ApiVersion) -> bool {
    let mut has_changed = false;
    for (key, bound, is_over) in [
        (NEWEST, highest, ApiVersion::gt as fn(&_, &_) -> bool),
        (OLDEST, lowest, ApiVersion::lt),
    ] {
        let version = ApiVersion::parse(told.text(key));
        if version.is_some_and(|version| is_over(&version, &bound)) {
            told.set(key, Value::Text(bound.to_string().into()));
            has_changed = true;
        }
    }
    has_changed
}

const NEWEST: &str = "ApiVersion";
const OLDEST: &str = "MinAPIVersion";

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> ApiVersion {
        ApiVersion::parse(text).unwrap()
    }

    fn told(text: &str, lowest: &str, highest: &str) -> Option<String> {
        let told = told_within(text.as_bytes(), version(lowest), version(highest));
        told.map(|bytes| String::from_utf8(bytes).unwrap())
    }

    const ANSWER: &str = r#"{"Platform":{"Name":""},"Components":[{"Name":"Engine","Details":{"ApiVersion":"1.41","Arch":"amd64","MinAPIVersion":"1.12"}},{"Name":"other","Details":{"ApiVersion":"1.41"}}],"New":[18446744073709551615,-1.5,null],"ApiVersion":"1.41","MinAPIVersion":"1.12","Last":"<&>"}"#;

    #[test]
    fn both_places_are_narrowed_and_nothing_else() {
        assert_eq!(told(ANSWER, "1.12", "1.41"), None);
        let expected = ANSWER.replace("\"MinAPIVersion\":\"1.12\"", "\"MinAPIVersion\":\"1.24\"");
        assert_eq!(told(ANSWER, "1.24", "1.56").unwrap(), expected);
        let expected = ANSWER.replace("\"1.41\"", "\"1.38\"");
        let expected = expected.replace(
            "\"other\",\"Details\":{\"ApiVersion\":\"1.38\"",
            "\"other\",\"Details\":{\"ApiVersion\":\"1.41\"",
        );
        assert_eq!(
            told(&format!("{ANSWER}\n"), "1.12", "1.38").unwrap(),
            format!("{expected}\n")
        );
        assert_eq!(told("no answer", "1.12", "1.38"), None);
        assert_eq!(told(r#"{"ApiVersion":"new"}"#, "1.12", "1.38"), None);
    }

    #[test]
    fn the_highest_version_that_both_speak_is_shared() {
        let spoken = |newest: &str, oldest: &str| Spoken {
            newest: version(newest),
            oldest: ApiVersion::parse(oldest),
        };
        for (newest, oldest, expected) in [
            ("1.41", "1.12", Some("1.41")),
            ("1.99", "1.44", Some("1.56")),
            ("1.99", "1.56", Some("1.56")),
            ("1.99", "1.57", None),
            ("1.24", "1.12", Some("1.24")),
            ("1.23", "1.12", None),
            ("1.99", "", Some("1.56")),
        ] {
            let shared = spoken(newest, oldest).shared(version("1.24"), version("1.56"));
            assert_eq!(shared, expected.map(version), "{newest} {oldest}");
        }
        assert_eq!(
            Spoken::read(ANSWER.as_bytes()).unwrap(),
            spoken("1.41", "1.12")
        );
        assert!(Spoken::read(b"{}").is_err());
    }
}
