//! Which policy is meant: one that comes with the gate, or a file.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::policy::problem::Fault;
use crate::policy::ready;
use crate::policy::value::Value;

/// A policy by its ready name, or by its file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PolicyReference {
    /// A name that [`ready::find`] knows.
    Ready(&'static str),
    File(PathBuf),
}

/// A name that is neither a ready policy nor a path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no ready policy is named `{name}`{}", did_you_mean(.nearest))]
pub struct UnknownPolicy {
    pub name: String,
    /// The ready policy that was most likely meant.
    pub nearest: Option<&'static str>,
}

impl PolicyReference {
    /// The policy that this one names as its fallback; a path is relative to this one's file.
    ///
    /// # Errors
    /// [`UnknownPolicy`], see [`Self::parse`].
    pub fn fallback(&self, text: &str) -> Result<Self, UnknownPolicy> {
        let directory = match self {
            Self::Ready(_) => None,
            Self::File(path) => path.parent(),
        };
        Self::parse(text, directory.unwrap_or(Path::new("")))
    }

    /// Reads a ready name, or a path, which contains `/` or ends with `.toml`; a relative one is joined to `directory`.
    ///
    /// # Errors
    /// [`UnknownPolicy`] for a text that is neither.
    pub fn parse(text: &str, directory: &Path) -> Result<Self, UnknownPolicy> {
        if text.contains('/') || text.ends_with(".toml") {
            return Ok(Self::File(directory.join(text)));
        }
        let mut names = ready::ready().iter().map(|(name, _)| *name);
        match names.find(|name| *name == text) {
            Some(name) => Ok(Self::Ready(name)),
            None => Err(UnknownPolicy {
                name: text.to_owned(),
                nearest: ready::nearest(text),
            }),
        }
    }
}

/// The policy that a key names.
pub(super) fn read(value: Value<'_>, directory: &Path) -> Option<PolicyReference> {
    value.parsed(|text| {
        PolicyReference::parse(text, directory).map_err(|unknown| {
            let message = format!("no ready policy is named `{}`", unknown.name);
            let help = match unknown.nearest {
                Some(name) => {
                    format!("did you mean `{name}`? a file is written with its path: \"./{text}\"")
                }
                None => "`dockgate policies` lists them; a path contains `/` or ends with `.toml`"
                    .to_owned(),
            };
            Fault::new("unknown-policy", message).help(help)
        })
    })
}

impl fmt::Display for PolicyReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ready(name) => f.write_str(name),
            Self::File(path) => write!(f, "{}", path.display()),
        }
    }
}

fn did_you_mean(nearest: &Option<&'static str>) -> String {
    nearest.map_or_else(String::new, |name| format!("; did you mean `{name}`?"))
}
