//! Where paths of the host lead, and whether they reach what no container may have; reads files, and may block.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::decision::{HostFile, PROTECTED, lies_in};
use crate::policy::HostPath;

use super::mount_table::{self, MountPoint, Origin};

mod walk;

/// By its path: device and inode of a file.
pub type SeenFiles = BTreeMap<String, (u64, u64)>;

/// What each opened path is by now; one that is not there is left out.
#[must_use]
pub fn seen<'p>(opened: impl Iterator<Item = &'p HostPath>) -> SeenFiles {
    let found = |opened: &HostPath| {
        let found = fs::metadata(&opened.path).ok()?;
        Some((opened.path.clone(), (found.dev(), found.ino())))
    };
    opened.filter_map(found).collect()
}

/// What is to be found out.
#[derive(Debug)]
pub(super) struct Wanted {
    /// As requests name them.
    pub(super) paths: Vec<String>,
    /// By the policy in question.
    pub(super) opened: Vec<HostPath>,
    /// What each of them was when the policies were loaded.
    pub(super) seen: Arc<SeenFiles>,
    /// Opened for writing, by whichever policy.
    pub(super) writable: Vec<String>,
    /// Beside those that are always protected.
    pub(super) protected: Vec<String>,
    pub(super) data_root: String,
}

/// What was found; each as [`crate::decision::Facts`] has it.
#[derive(Debug, Default)]
pub(super) struct HostFiles {
    pub(super) host_paths: BTreeMap<String, Result<HostFile, String>>,
    pub(super) opened: BTreeMap<String, Result<String, String>>,
    pub(super) movable: BTreeMap<String, String>,
    pub(super) protected: Vec<String>,
}

impl HostFiles {
    /// Where nothing can be found out.
    pub(super) fn none(paths: &[String], cause: &str) -> Self {
        let unknown = |path: &String| (path.clone(), Err(cause.to_owned()));
        Self {
            host_paths: paths.iter().map(unknown).collect(),
            ..Self::default()
        }
    }
}

/// Follows every path; where gate and daemon have different files, or the mounts cannot be read, none.
pub(super) fn find(wanted: &Wanted) -> HostFiles {
    if let Err(error) = fs::symlink_metadata(&wanted.data_root)
        && error.kind() == io::ErrorKind::NotFound
    {
        let cause = format!(
            "the daemon keeps its data in `{}`, which is not there for the gate, so the two have different files and the \
             policy must say `host-file-system = \"foreign\"`",
            wanted.data_root
        );
        return HostFiles::none(&wanted.paths, &cause);
    }
    let mounts = match mount_table::read() {
        Ok(mounts) => mounts,
        Err(error) => {
            let cause = format!("the mounts of this host cannot be read: {error}");
            return HostFiles::none(&wanted.paths, &cause);
        }
    };
    let guarded = Guarded::of(wanted, &mounts);
    let writable = wanted.writable.iter();
    let writable: Vec<String> = writable.filter_map(|path| followed(path).ok()).collect();
    let host_paths = wanted.paths.iter().map(|path| {
        let file = followed(path).map(|path| HostFile {
            movable_in: movable_in(&path, &writable),
            ..described(path, &guarded, &mounts)
        });
        (path.clone(), file)
    });
    let opened = wanted.opened.iter().map(|opened| {
        let leads_to = walk::trusted(&opened.path, &writable);
        (opened.path.clone(), leads_to)
    });
    let movable = wanted.opened.iter().filter_map(|opened| {
        let path = &opened.path;
        Some((path.clone(), walk::movable(path, wanted.seen.get(path))?))
    });
    HostFiles {
        host_paths: host_paths.collect(),
        opened: opened.collect(),
        movable: movable.collect(),
        protected: guarded.paths,
    }
}

/// The path with every link followed.
fn followed(path: &str) -> Result<String, String> {
    let real = fs::canonicalize(path).map_err(|error| {
        if error.kind() == io::ErrorKind::NotFound {
            return "it does not exist, and the daemon would make it as root".to_owned();
        }
        error.to_string()
    })?;
    text(real)
}

fn text(path: PathBuf) -> Result<String, String> {
    let text = path.into_os_string().into_string();
    text.map_err(|_| "it leads to a path that is no text".to_owned())
}

/// The path above this one that containers can write to.
fn movable_in(path: &str, writable: &[String]) -> Option<String> {
    let mut above = writable.iter();
    above
        .find(|above| lies_in(path, above) && *above != path)
        .cloned()
}

/// What no container may reach, by name and by file.
#[derive(Debug, Default)]
struct Guarded {
    /// As they are written and where they lead.
    paths: Vec<String>,
    /// By device and inode.
    files: BTreeMap<(u64, u64), String>,
    /// By their place on a device.
    origins: Vec<(Origin, String)>,
}

impl Guarded {
    fn of(wanted: &Wanted, mounts: &[MountPoint]) -> Self {
        let mut guarded = Self::default();
        let always = PROTECTED.iter().map(|path| (*path).to_owned());
        let own = wanted.protected.iter().cloned();
        let containerd = mount_table::containerd_sockets();
        for path in always
            .chain(own)
            .chain([wanted.data_root.clone()])
            .chain(containerd)
        {
            guarded.add(path, mounts);
        }
        guarded
    }

    fn add(&mut self, path: String, mounts: &[MountPoint]) {
        let real = fs::canonicalize(&path).ok();
        if let Some(real) = real.and_then(|real| text(real).ok()) {
            if let Some(id) = identity(Path::new(&real)) {
                self.files.insert(id, path.clone());
            }
            if let Some(origin) = Origin::of(&real, mounts) {
                self.origins.push((origin, path.clone()));
            }
            self.paths.push(real);
        }
        self.paths.push(path);
    }

    /// What the file at a path is, lies in, or holds, by another name than the path's.
    fn reached_from(&self, path: &str, origin: Option<&Origin>) -> Option<&String> {
        let mut places = Path::new(path).ancestors().filter_map(identity);
        let meets =
            |(guarded, _): &&(Origin, String)| origin.is_some_and(|origin| origin.meets(guarded));
        let by_origin = || self.origins.iter().find(meets).map(|(_, path)| path);
        places.find_map(|id| self.files.get(&id)).or_else(by_origin)
    }
}

fn identity(path: &Path) -> Option<(u64, u64)> {
    let found = fs::symlink_metadata(path).ok()?;
    Some((found.dev(), found.ino()))
}

fn described(path: String, guarded: &Guarded, mounts: &[MountPoint]) -> HostFile {
    let is_socket = fs::symlink_metadata(&path).is_ok_and(|found| found.file_type().is_socket());
    let beneath: Vec<&MountPoint> = mounts
        .iter()
        .filter(|mount| mount.path != path && lies_in(&mount.path, &path))
        .collect();
    let around = mounts.iter().filter(|mount| lies_in(&path, &mount.path));
    // Of several mounts at one place the last is on top.
    let around = around.max_by_key(|mount| mount.path.len());
    let set_user_id_on = if is_socket {
        Vec::new()
    } else {
        set_user_id_on(around, &beneath, mounts)
    };
    let of_the_kernel = around
        .into_iter()
        .chain(beneath.iter().copied())
        .find(|mount| mount.is_of_the_kernel())
        .map(|mount| mount.path.clone());
    let origin = Origin::of(&path, mounts);
    let reaches = guarded.reached_from(&path, origin.as_ref()).or_else(|| {
        let mut beneath = beneath.iter();
        beneath.find_map(|mount| guarded.reached_from(&mount.path, Some(&mount.origin)))
    });
    HostFile {
        is_socket,
        reaches: reaches.cloned().or(of_the_kernel),
        mounts_beneath: beneath.iter().map(|mount| mount.path.clone()).collect(),
        path,
        movable_in: None,
        set_user_id_on,
    }
}

/// The mounts on which the host honours set-user-id programs and device nodes.
///
/// Under systemd with `NoNewPrivileges=` the gate's own mounts are all `nosuid`, its root among them, which no host has,
/// and so say nothing of the host's.
fn set_user_id_on(
    around: Option<&MountPoint>,
    beneath: &[&MountPoint],
    mounts: &[MountPoint],
) -> Vec<String> {
    let root = mounts.iter().rfind(|mount| mount.path == "/");
    let tells = root.is_some_and(|root| !root.is_nosuid);
    let all = around.into_iter().chain(beneath.iter().copied());
    let honours = all.filter(|mount| !(tells && mount.is_nosuid && mount.is_nodev));
    honours.map(|mount| mount.path.clone()).collect()
}

#[cfg(test)]
mod tests;
