//! What a configuration was compiled from, as one digest.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use aws_lc_rs::digest;

use crate::tls_files::FILE_LIMIT;

/// Everything that was read: by its name, the SHA-256 of its content.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sources {
    /// Configuration, policies, certificates, authorities, revocation lists.
    told: BTreeMap<String, Hash>,
    /// Private keys: compared, and in no digest that anybody sees.
    secret: BTreeMap<String, Hash>,
    files: Vec<PathBuf>,
}

type Hash = [u8; 32];

impl Sources {
    /// A text that comes with the gate.
    pub fn add_ready(&mut self, name: &str, text: &str) {
        self.told.insert(name.to_owned(), hash(text.as_bytes()));
    }

    /// A file that is about to be read.
    pub fn add_path(&mut self, path: &Path) {
        self.files.push(path.to_owned());
    }

    /// The text that was read from a file.
    pub fn add_text(&mut self, path: &Path, text: &str) {
        let name = path.display().to_string();
        self.told.insert(name, hash(text.as_bytes()));
    }

    /// All that `other` has.
    pub fn add(&mut self, other: &Self) {
        self.told.extend(other.told.clone());
        self.secret.extend(other.secret.clone());
        self.files.extend_from_slice(&other.files);
    }

    /// A file of certificates, authorities or revocation lists.
    pub fn add_file(&mut self, path: &Path) {
        let name = path.display().to_string();
        self.told.insert(name, hash_of(path));
        self.files.push(path.to_owned());
    }

    /// A file with a private key.
    pub fn add_secret(&mut self, path: &Path) {
        let name = path.display().to_string();
        self.secret.insert(name, hash_of(path));
        self.files.push(path.to_owned());
    }

    /// Whether all files are still as they were read.
    #[must_use]
    pub fn are_current(&self) -> bool {
        self.files.iter().all(|path| {
            let name = path.display().to_string();
            let known = self.told.get(&name).or_else(|| self.secret.get(&name));
            known == Some(&hash_of(path))
        })
    }

    /// The files among them.
    #[must_use]
    pub fn files(&self) -> &[PathBuf] {
        &self.files
    }

    /// SHA-256 over names and contents, without those of private keys, in lower-case hexadecimal.
    #[must_use]
    pub fn digest(&self) -> String {
        let mut whole = digest::Context::new(&digest::SHA256);
        for (name, hash) in &self.told {
            whole.update(&(name.len() as u64).to_be_bytes());
            whole.update(name.as_bytes());
            whole.update(hash);
        }
        let bytes = whole.finish();
        bytes
            .as_ref()
            .iter()
            .fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
    }
}

fn hash(bytes: &[u8]) -> Hash {
    let mut hash = Hash::default();
    hash.copy_from_slice(digest::digest(&digest::SHA256, bytes).as_ref());
    hash
}

/// A file that cannot be read has none; whoever needs what is in it says so.
fn hash_of(path: &Path) -> Hash {
    let read = || -> io::Result<Vec<u8>> {
        let mut content = Vec::new();
        File::open(path)?
            .take(FILE_LIMIT + 1)
            .read_to_end(&mut content)?;
        Ok(content)
    };
    read().map_or(Hash::default(), |content| hash(&content))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_changes_with_every_source_but_a_key() {
        let folder = tempfile::tempdir().unwrap();
        let (list, key) = (folder.path().join("crl.pem"), folder.path().join("key.pem"));
        let sources = |text: &str| {
            let mut sources = Sources::default();
            sources.add_text(Path::new("dockgate.toml"), text);
            sources.add_file(&list);
            sources.add_secret(&key);
            sources
        };
        let first = sources("a");
        assert_eq!(first.digest().len(), 64);
        assert_eq!(first, sources("a"));
        assert_ne!(first.digest(), sources("b").digest());
        std::fs::write(&list, "revoked").unwrap();
        assert_ne!(first.digest(), sources("a").digest());
        let before = sources("a");
        std::fs::write(&key, "key").unwrap();
        assert_ne!(before, sources("a"));
        assert_eq!(before.digest(), sources("a").digest());
    }

    #[test]
    fn two_sources_are_not_one() {
        let of = |names: &[(&str, &str)]| {
            let mut sources = Sources::default();
            for (name, text) in names {
                sources.add_ready(name, text);
            }
            sources.digest()
        };
        assert_ne!(of(&[("a", "x"), ("b", "y")]), of(&[("a", "y"), ("b", "x")]));
        assert_ne!(of(&[("a", "x")]), of(&[]));
    }
}
