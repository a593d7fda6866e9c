//! What the process gives up once its sockets are open: files, ports and privileges that it does not need to serve.
//!
//! A fault in the gate is then worth the daemon's socket, which is its work, and little more. All this holds for the
//! thread that asks for it and for those that it starts, so it is asked for before there is any other.

mod files;
mod privileges;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

pub use files::is_shared;
pub use privileges::guard_new_files;

/// What a gate goes on needing.
#[derive(Debug, Clone, Default)]
pub struct Needs {
    /// Files that a reload reads.
    pub files: Vec<PathBuf>,
    /// Unix sockets that are removed in the end.
    pub sockets: Vec<PathBuf>,
    pub daemon: Reach,
}

/// How the daemon is reached.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Reach {
    /// Connecting by a path is nothing that Landlock restricts.
    Unix(PathBuf),
    /// By an address, on this port.
    Port(u16),
    /// Likewise, by a name that is looked up each time.
    Name(u16),
    #[default]
    Nowhere,
}

/// What was given up.
#[derive(Debug, Clone, Default)]
pub struct Confinement {
    /// Beneath these, or at these, files can be read; `None` where the kernel restricts nothing.
    readable: Option<Vec<PathBuf>>,
}

impl Confinement {
    /// Whether it is the confinement that keeps a file from being read.
    #[must_use]
    pub fn closes(&self, file: &Path) -> bool {
        let Some(readable) = &self.readable else {
            return false;
        };
        let real = fs::canonicalize(file).unwrap_or_else(|_| file.to_owned());
        // Where only the file itself was opened, its successor is closed.
        let is_within = |place: &PathBuf| real.starts_with(place) && real != *place;
        let is_closed = fs::File::open(file)
            .is_err_and(|error| error.kind() == io::ErrorKind::PermissionDenied);
        is_closed && !readable.iter().any(is_within)
    }
}

/// Confines the calling thread and all that it starts from now on; what the kernel lacks is said in the log.
#[must_use]
pub fn confine(needs: &Needs) -> Confinement {
    privileges::drop_all(needs);
    let readable = files::restrict(needs);
    Confinement { readable }
}
