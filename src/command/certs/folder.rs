//! The authority's folder: whole files or none, and private keys that are private from their first byte on.

use std::fs::{self, DirBuilder, File, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::command::certs::CertsError;
use crate::command::certs::authority;

pub(super) const AUTHORITY: &str = "ca.pem";
pub(super) const AUTHORITY_KEY: &str = "ca-key.pem";
pub(super) const REVOCATION_LIST: &str = "crl.pem";
pub(super) const INDEX: &str = "issued.jsonl";

/// An authority's folder, held by this process alone.
#[derive(Debug)]
pub(super) struct Folder {
    root: PathBuf,
    _lock: File,
}

impl Folder {
    /// Opens the folder, and makes it where it is missing.
    pub(super) fn create(root: &Path) -> Result<Self, CertsError> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o755)
            .create(root)
            .map_err(|error| fault("make", root, &error))?;
        Self::locked(root)
    }

    /// Opens the folder of an authority that was made before.
    pub(super) fn open(root: &Path) -> Result<Self, CertsError> {
        if !root.join(AUTHORITY).exists() {
            return Err(CertsError(format!(
                "there is no authority in `{0}`; `dockgate certs init --out {0}` makes one",
                root.display()
            )));
        }
        Self::locked(root)
    }

    fn locked(root: &Path) -> Result<Self, CertsError> {
        let root = root
            .canonicalize()
            .map_err(|error| fault("open", root, &error))?;
        let path = root.join(".lock");
        let lock = File::options()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(|error| fault("open", &path, &error))?;
        for _ in 0..TRIES {
            match lock.try_lock() {
                Ok(()) => return Ok(Self { root, _lock: lock }),
                Err(TryLockError::WouldBlock) => pause(),
                Err(TryLockError::Error(error)) => return Err(fault("lock", &path, &error)),
            }
        }
        Err(CertsError(format!(
            "another `dockgate certs` is at work in `{}`; try again when it has ended",
            root.display()
        )))
    }

    /// The folder's absolute path.
    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    pub(super) fn refuse_existing(&self, name: &str) -> Result<(), CertsError> {
        let path = self.path(name);
        if path.symlink_metadata().is_ok() {
            return Err(CertsError(format!(
                "`{}` exists; `--force` replaces it",
                path.display()
            )));
        }
        Ok(())
    }

    pub(super) fn read(&self, name: &str) -> Result<String, CertsError> {
        let path = self.path(name);
        let mut text = String::new();
        let length = File::open(&path)
            .and_then(|file| file.take(FILE_LIMIT + 1).read_to_string(&mut text))
            .map_err(|error| fault("read", &path, &error))?;
        if length as u64 > FILE_LIMIT {
            return Err(CertsError(format!(
                "`{}` is larger than {FILE_LIMIT} bytes",
                path.display()
            )));
        }
        Ok(text)
    }

    pub(super) fn append(&self, name: &str, line: &str) -> Result<(), CertsError> {
        let path = self.path(name);
        let append = || -> io::Result<()> {
            let mut file = File::options()
                .append(true)
                .create(true)
                .mode(PRIVATE)
                .open(&path)?;
            file.write_all(format!("{line}\n").as_bytes())?;
            file.sync_all()
        };
        append().map_err(|error| fault("write", &path, &error))
    }

    pub(super) fn write_public(&self, name: &str, content: &str) -> Result<(), CertsError> {
        self.write(name, content, PUBLIC)
    }

    pub(super) fn write_private(&self, name: &str, content: &str) -> Result<(), CertsError> {
        self.write(name, content, PRIVATE)
    }

    fn write(&self, name: &str, content: &str, mode: u32) -> Result<(), CertsError> {
        let path = self.path(name);
        let unfinished = self.root.join(unfinished_name(name)?);
        let replace = || -> io::Result<()> {
            write_new(&unfinished, content, mode)?;
            fs::rename(&unfinished, &path)?;
            File::open(&self.root)?.sync_all()
        };
        replace().map_err(|error| {
            let _ = fs::remove_file(&unfinished);
            fault("write", &path, &error)
        })
    }

    /// Puts the folder `group/name`, mode 0700, in its place with all its files at once; gives its path.
    pub(super) fn install(
        &self,
        group: &str,
        name: &str,
        public: &[(&str, &str)],
        private: (&str, &str),
    ) -> Result<PathBuf, CertsError> {
        let parent = self.root.join(group);
        let path = parent.join(name);
        let unfinished = parent.join(unfinished_name(name)?);
        let replaced = parent.join(unfinished_name(name)?);
        let fill = || -> io::Result<()> {
            DirBuilder::new()
                .recursive(true)
                .mode(0o755)
                .create(&parent)?;
            DirBuilder::new().mode(0o700).create(&unfinished)?;
            write_new(&unfinished.join(private.0), private.1, PRIVATE)?;
            for (file, content) in public {
                write_new(&unfinished.join(file), content, PUBLIC)?;
            }
            File::open(&unfinished)?.sync_all()?;
            let is_replacement = path.symlink_metadata().is_ok();
            if is_replacement {
                fs::rename(&path, &replaced)?;
            }
            fs::rename(&unfinished, &path)?;
            if is_replacement {
                fs::remove_dir_all(&replaced)?;
            }
            File::open(&parent)?.sync_all()
        };
        fill().map_err(|error| {
            let _ = fs::remove_dir_all(&unfinished);
            fault("write", &path, &error)
        })?;
        Ok(path)
    }
}

fn write_new(path: &Path, content: &str, mode: u32) -> io::Result<()> {
    let mut file = File::options()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(path)?;
    file.write_all(content.as_bytes())?;
    file.sync_all()
}

fn unfinished_name(name: &str) -> Result<String, CertsError> {
    Ok(format!(".{name}.{}", authority::random_hexadecimal::<8>()?))
}

fn fault(verb: &str, path: &Path, error: &io::Error) -> CertsError {
    CertsError(format!("cannot {verb} `{}`: {error}", path.display()))
}

const PUBLIC: u32 = 0o644;
const PRIVATE: u32 = 0o600;

/// The largest file that is read, in bytes; an index of 400,000 certificates is about as large.
const FILE_LIMIT: u64 = 64 << 20;
/// How often the lock is tried: for three seconds in all.
const TRIES: u32 = 30;

#[expect(
    clippy::disallowed_methods,
    reason = "the command has no runtime whose worker it could block"
)]
fn pause() {
    std::thread::sleep(std::time::Duration::from_millis(100));
}
