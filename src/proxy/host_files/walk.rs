//! An opened path, one directory after the other: where it leads, and who could lead it elsewhere.

use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::{identity, lies_in, text};

/// Where an opened path leads, unless by a link that a container could have put there.
pub(super) fn trusted(path: &str, writable: &[String]) -> Result<String, String> {
    walk(path, |directory, next, found| {
        let place = directory.to_string_lossy();
        let is_open = writable.iter().any(|opened| lies_in(&place, opened));
        if found.is_symlink() && is_open {
            return Err(format!("containers may put links at `{}`", next.display()));
        }
        Ok(())
    })
}

/// Why somebody else than root could put another file in the place of an opened one, or that somebody has.
pub(super) fn movable(path: &str, seen: Option<&(u64, u64)>) -> Option<String> {
    let real = match walk(path, |directory, _, found| settled(directory, found)) {
        Ok(real) => real,
        Err(cause) => return Some(cause),
    };
    match (seen, identity(Path::new(&real))) {
        (Some(seen), Some(found)) if *seen == found => None,
        (None, _) => Some(format!(
            "`{path}` was not there when the policies were loaded; load them again"
        )),
        _ => Some(format!(
            "`{path}` is another file than when the policies were loaded; load them again if it should be"
        )),
    }
}

/// Whether nobody but root can move what was found in the directory.
fn settled(directory: &Path, found: &Metadata) -> Result<(), String> {
    let parent = fs::symlink_metadata(directory).map_err(|error| error.to_string())?;
    let (place, mode) = (directory.display(), parent.mode());
    if parent.uid() != 0 {
        return Err(format!("`{place}` belongs to the user {}", parent.uid()));
    }
    let is_kept = mode & STICKY != 0 && found.uid() == 0;
    if mode & OTHERS_WRITE != 0 && !is_kept {
        return Err(format!("others than root can write to `{place}`"));
    }
    Ok(())
}

/// Follows every link; `step` sees each directory with what was found in it, by its path and as it is.
fn walk(
    path: &str,
    step: impl Fn(&Path, &Path, &Metadata) -> Result<(), String>,
) -> Result<String, String> {
    let mut real = PathBuf::from("/");
    let mut rest: Vec<String> = path.rsplit('/').map(str::to_owned).collect();
    let mut links = 0;
    while let Some(part) = rest.pop() {
        match part.as_str() {
            "" | "." => continue,
            ".." => {
                real.pop();
                continue;
            }
            _ => {}
        }
        let next = real.join(&part);
        let found = fs::symlink_metadata(&next).map_err(|error| error.to_string())?;
        step(&real, &next, &found)?;
        if !found.is_symlink() {
            real = next;
            continue;
        }
        links += 1;
        if links > MOST_LINKS {
            return Err(format!("too many links at `{}`", next.display()));
        }
        let target = fs::read_link(&next).map_err(|error| error.to_string())?;
        let target = text(target)?;
        if target.starts_with('/') {
            real = PathBuf::from("/");
        }
        rest.extend(target.rsplit('/').map(str::to_owned));
    }
    text(real)
}

/// As many as the kernel follows.
const MOST_LINKS: usize = 40;
/// inode(7): who may write, beside the owner; and that in this directory each may move only what is one's own.
const OTHERS_WRITE: u32 = 0o022;
const STICKY: u32 = 0o1000;
