//! An image that exists already, as the daemon describes it.

use super::super::Malformed;
use super::super::json::{self, Raw};
use super::is_full_id;

/// What an image is called.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExistingImage {
    /// `sha256:` and 64 hexadecimal digits: what it names never changes.
    pub id: String,
    /// Its references with tag (`busybox:latest`).
    pub tags: Vec<String>,
    /// Its references with digest (`busybox@sha256:…`).
    pub digests: Vec<String>,
}

impl ExistingImage {
    /// Reads the answer to `ImageInspect`.
    ///
    /// # Errors
    /// [`Malformed`] where it is none.
    pub fn read(bytes: &[u8]) -> Result<Self, Malformed> {
        let answer = json::read(bytes)?;
        let id = answer.text("Id");
        if !id.strip_prefix("sha256:").is_some_and(is_full_id) {
            return Err(Malformed::Body("`Id` is no full id".to_owned()));
        }
        let texts = |key: &str| {
            let list = answer.get(key).into_iter().flat_map(Raw::texts);
            // What an image that lost its name is shown with.
            list.filter(|name| !name.contains("<none>"))
                .map(str::to_owned)
                .collect()
        };
        Ok(Self {
            id: id.to_owned(),
            tags: texts("RepoTags"),
            digests: texts("RepoDigests"),
        })
    }
}
