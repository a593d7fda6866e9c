//! The path of a request: API version, operation and names, decoded once.

use std::borrow::Cow;
use std::fmt;
use std::sync::LazyLock;

use itoa::Buffer;

use crate::cut::{cut, every, pieces};

use super::operation::{Operation, Spec};
use super::tables::TABLE;
use super::{Malformed, Method};

/// Longest path that is read, in bytes.
const MAX_PATH: usize = 8 * 1024;
/// Version, kind, name and verb.
const USUAL_SEGMENTS: usize = 4;

/// A version of the Engine API, like 1.41.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ApiVersion {
    pub major: u16,
    pub minor: u16,
}

impl ApiVersion {
    /// The newest version whose description the model follows.
    pub const NEWEST: Self = Self {
        major: 1,
        minor: 56,
    };
    /// The oldest version that clients may speak unless the configuration says otherwise.
    pub const OLDEST: Self = Self {
        major: 1,
        minor: 24,
    };

    /// Reads `1.41`; `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (major, minor) = cut(text, b'.')?;
        let number = |digits: &str| {
            let canonical = digits == "0" || !digits.starts_with('0');
            (canonical && digits.bytes().all(|byte| byte.is_ascii_digit()))
                .then(|| digits.parse().ok())
                .flatten()
        };
        Some(Self {
            major: number(major)?,
            minor: number(minor)?,
        })
    }
}

impl ApiVersion {
    fn write(self, text: &mut String) {
        let mut digits = Buffer::new();
        text.push_str(digits.format(self.major));
        text.push('.');
        text.push_str(digits.format(self.minor));
    }

    /// As paths and headers have it, like `1.41`.
    #[must_use]
    pub fn written(self) -> String {
        let mut text = String::with_capacity(8);
        self.write(&mut text);
        text
    }
}

impl fmt::Display for ApiVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written())
    }
}

/// What a path names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// An operation of the model, with the names in its path.
    Operation {
        version: Option<ApiVersion>,
        operation: Operation,
        names: Vec<String>,
    },
    /// A path that no operation has; only a policy's own path rule can permit it.
    Unmodelled { path: String },
}

impl Target {
    pub(super) fn parse(method: Method, path: &str) -> Result<Self, Malformed> {
        let segments = segments(path)?;
        let (version, rest) = match segments.split_first() {
            Some((first, rest)) if is_version(first) => {
                let version = ApiVersion::parse(first.trim_start_matches('v'))
                    .ok_or_else(|| Malformed::Path(format!("`{first}` is no API version")))?;
                (Some(version), rest)
            }
            Some(_) | None => (None, segments.as_slice()),
        };
        // The daemon has HEAD routes for two operations only; elsewhere a HEAD is judged like its GET.
        let found = find(method, rest).or_else(|| {
            (method == Method::Head)
                .then(|| find(Method::Get, rest))
                .flatten()
        });
        match found {
            Some((operation, names)) => {
                check_names(operation, &names)?;
                Ok(Self::Operation {
                    version,
                    operation,
                    names,
                })
            }
            // The daemon's router sees the decoded path, so an encoded slash would part segments for it alone.
            None if segments.iter().any(|segment| segment.contains('/')) => Err(Malformed::Path(
                "an encoded slash in a path that no operation has".to_owned(),
            )),
            None => Ok(Self::Unmodelled {
                path: path.to_owned(),
            }),
        }
    }

    /// The operation, `None` for a path outside the model.
    #[must_use]
    pub fn operation(&self) -> Option<Operation> {
        match self {
            Self::Operation { operation, .. } => Some(*operation),
            Self::Unmodelled { .. } => None,
        }
    }

    /// The version that the client asked for, `None` where it named none.
    #[must_use]
    pub fn version(&self) -> Option<ApiVersion> {
        match self {
            Self::Operation { version, .. } => *version,
            Self::Unmodelled { .. } => None,
        }
    }

    /// Lets an operation be of this version of the API.
    pub(crate) fn set_version(&mut self, new: ApiVersion) {
        if let Self::Operation { version, .. } = self {
            *version = Some(new);
        }
    }

    /// Puts another name in the place of the first; the caller has checked it.
    pub(crate) fn set_name(&mut self, name: &str) {
        if let Self::Operation { names, .. } = self
            && let Some(first) = names.first_mut()
        {
            name.clone_into(first);
        }
    }

    /// The first name in the path: the container, image, volume, network or exec id that the request is about.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Operation { names, .. } => names.first().map(String::as_str),
            Self::Unmodelled { .. } => None,
        }
    }
}

impl Target {
    /// Writes the path anew.
    pub(super) fn write(&self, text: &mut String) {
        match self {
            Self::Unmodelled { path } => text.push_str(path),
            Self::Operation {
                version,
                operation,
                names,
            } => {
                if let Some(version) = version {
                    text.push_str("/v");
                    version.write(text);
                }
                let mut rest = operation.spec().path;
                let mut names = names.iter();
                while let Some((before, (_, after))) = around_name(rest)
                    && let Some(name) = names.next()
                {
                    // INVARIANT: `check_names` left only bytes that stand for themselves in a path.
                    text.push_str(before);
                    text.push_str(name);
                    rest = after;
                }
                text.push_str(rest);
            }
        }
    }
}

/// What stands before a `{…}` of the table, the name of it, and what follows.
fn around_name(template: &str) -> Option<(&str, (&str, &str))> {
    let (before, rest) = cut(template, b'{')?;
    Some((before, cut(rest, b'}')?))
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut path = String::new();
        self.write(&mut path);
        f.write_str(&path)
    }
}

fn is_version(segment: &str) -> bool {
    // moby: daemon/server/server.go, versionMatcher is `/v{version:[0-9.]+}`.
    segment.strip_prefix('v').is_some_and(|rest| {
        !rest.is_empty()
            && rest
                .bytes()
                .all(|byte| byte.is_ascii_digit() || byte == b'.')
    })
}

fn segments(path: &str) -> Result<Vec<Cow<'_, str>>, Malformed> {
    if path.len() > MAX_PATH {
        return Err(Malformed::Path(format!("longer than {MAX_PATH} bytes")));
    }
    let rest = path
        .strip_prefix('/')
        .ok_or_else(|| Malformed::Path("it does not begin with `/`".to_owned()))?;
    let mut segments = Vec::with_capacity(USUAL_SEGMENTS);
    for raw in pieces(rest, b'/') {
        segments.push(segment(raw)?);
    }
    Ok(segments)
}

fn segment(raw: &str) -> Result<Cow<'_, str>, Malformed> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() | matches!(byte, b'-' | b'_');
    if !raw.is_empty() && every(raw.as_bytes(), is_plain) {
        return Ok(raw.into());
    }
    let decoded = super::query::percent_decode(raw.into()).map_err(Malformed::Path)?;
    if decoded.is_empty() || decoded == "." || decoded == ".." {
        return Err(Malformed::Path(format!("a segment `{decoded}`")));
    }
    // A second decoding anywhere between here and the daemon must find nothing to decode.
    if let Some(odd) = decoded
        .chars()
        .find(|c| c.is_control() || matches!(c, '%' | '\\' | '?' | '#'))
    {
        return Err(Malformed::Path(format!(
            "the character {odd:?} in a segment"
        )));
    }
    Ok(decoded)
}

fn find(method: Method, segments: &[Cow<'_, str>]) -> Option<(Operation, Vec<String>)> {
    let first = segments.first()?;
    let letter = *first.as_bytes().first()?;
    let (_, rows) = BY_LETTER.iter().find(|(begins, _)| *begins == letter)?;
    rows.iter()
        .filter(|spec| spec.has_segments(segments.len()) && begins_with(spec.path, first))
        .filter(|spec| spec.method == method.as_str())
        .find_map(|spec| match_path(spec.path, segments).map(|names| (spec.operation, names)))
}

/// The rows of the table by the letter that their paths begin with: a look at each row would pass over all of the table.
static BY_LETTER: LazyLock<Vec<(u8, Vec<&'static Spec>)>> = LazyLock::new(|| {
    let mut letters: Vec<(u8, Vec<&'static Spec>)> = Vec::new();
    for spec in TABLE {
        match letters
            .iter_mut()
            .find(|(letter, _)| *letter == spec.letter)
        {
            Some((_, rows)) => rows.push(spec),
            None => letters.push((spec.letter, vec![spec])),
        }
    }
    letters
});

/// Whether a path of the table can match at all; a test holds that none begins with a name.
fn begins_with(template: &str, first: &str) -> bool {
    let rest = template.get(1..).and_then(|path| path.strip_prefix(first));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Matches a path of the table; `{name}` (references) takes one segment or more, other names just one.
fn match_path(template: &str, segments: &[Cow<'_, str>]) -> Option<Vec<String>> {
    let mut names = Vec::new();
    let mut rest = segments;
    // By bytes, which is faster than by characters for texts so short.
    let mut parts = template.as_bytes().split(|byte| *byte == b'/').skip(1);
    while let Some(part) = parts.next() {
        let (here, later) = match part {
            b"{name}" | b"{path}" => {
                let after = parts.clone().count();
                rest.split_at_checked(rest.len().checked_sub(after)?)?
            }
            _ => rest.split_at_checked(1)?,
        };
        match here {
            [] => return None,
            [one] if !part.starts_with(b"{") => {
                if one.as_bytes() != part {
                    return None;
                }
            }
            several => names.push(several.join("/")),
        }
        rest = later;
    }
    rest.is_empty().then_some(names)
}

fn check_names(operation: Operation, names: &[String]) -> Result<(), Malformed> {
    if names.is_empty() {
        return Ok(());
    }
    let template = operation.spec().path;
    let is_reference = template.contains("{name}") || template.contains("{path}");
    for name in names {
        let fits = name.len() <= 512
            && name.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
            && name.bytes().all(|byte| {
                byte.is_ascii_alphanumeric() || b"_.-".contains(&byte) || (is_reference && b"/:@+".contains(&byte))
            })
            // An encoded slash may have brought empty or dot segments.
            && !name.split('/').any(|segment| matches!(segment, "" | "." | ".."));
        if !fits {
            return Err(Malformed::Path(format!(
                "`{name}` is not a name in Docker's grammar"
            )));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
