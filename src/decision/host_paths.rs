//! Which paths of the host may be mounted: those beneath an opened one, after the host has followed them.

use super::{Facts, Judge, Reason};
use crate::engine_api::ApiVersion;
use crate::engine_api::mount::{Beneath, Mount};
use crate::policy::{HostFileSystem, HostPath, Policy};

/// A path of the host, as the gate found it there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HostFile {
    /// Absolute, every link followed.
    pub path: String,
    pub is_socket: bool,
    /// A protected path that it is, lies in, or holds, by whichever name: told by the file itself.
    pub reaches: Option<String>,
    /// Where other file systems are mounted beneath it.
    pub mounts_beneath: Vec<String>,
    /// A path above it that some policy opens for writing, so that a container could put a link in its place.
    pub movable_in: Option<String>,
}

impl HostFile {
    /// A file or directory that has nothing to do with any other.
    #[must_use]
    pub fn ordinary(path: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            ..Self::default()
        }
    }
}

/// Paths that no container may reach, whatever a policy opens.
pub(crate) const PROTECTED: &[&str] = &[
    "/proc",
    "/sys",
    "/dev",
    "/run/docker.sock",
    "/run/docker",
    "/run/containerd",
    "/run/dockgate",
    "/run/systemd",
    "/var/lib/docker",
    "/var/lib/containerd",
];

/// What a policy opens of a path.
#[derive(Debug)]
pub(super) struct Opened<'a> {
    /// The path to mount.
    pub(super) path: String,
    pub(super) is_writable: bool,
    /// Whether what is mounted beneath it must not come along, since the gate cannot see it.
    pub(super) leaves_out_beneath: bool,
    /// Beneath it, and not opened for writing by themselves.
    mounts_beneath: Vec<&'a str>,
}

/// What the policy opens of a source as a request names it; the code and the message of the refusal where it opens none.
pub(super) fn opened<'a>(
    policy: &Policy,
    facts: &'a Facts,
    source: &str,
) -> Result<Opened<'a>, (&'static str, String)> {
    if policy.container.host_paths.value.is_empty() {
        return Err(("host-path", "a path of the host".to_owned()));
    }
    let found = match facts.host_paths.get(source) {
        Some(Ok(file)) => Some(file),
        Some(Err(cause)) => {
            let message = format!("the gate cannot tell where it leads: {cause}");
            return Err(("host-path-unresolved", message));
        }
        None => None,
    };
    match (policy.container.host_file_system.value, found) {
        (HostFileSystem::Foreign, _) => opened_as_written(policy, facts, source),
        (HostFileSystem::Shared, Some(file)) => opened_as_followed(policy, facts, file),
        (HostFileSystem::Shared, None) => {
            Err(("host-path-unresolved", "it was not resolved".to_owned()))
        }
    }
}

fn opened_as_followed<'a>(
    policy: &Policy,
    facts: &'a Facts,
    file: &'a HostFile,
) -> Result<Opened<'a>, (&'static str, String)> {
    let path = &file.path;
    if let Some(protected) = file.reaches.as_deref().or_else(|| protected(facts, path)) {
        return Err(("protected-path", reaches(path, protected)));
    }
    let all: Vec<(&str, &HostPath)> = policy
        .container
        .host_paths
        .value
        .iter()
        .filter_map(|opened| match facts.opened.get(&opened.path) {
            None => Some((opened.path.as_str(), opened)),
            Some(Ok(real)) => Some((real.as_str(), opened)),
            Some(Err(_)) => None,
        })
        .collect();
    let is_writable = |path: &str| {
        all.iter()
            .any(|(real, opened)| opened.is_writable && lies_in(path, real))
    };
    let found: Vec<_> = all.iter().filter(|(real, _)| lies_in(path, real)).collect();
    if found.is_empty() {
        let message = format!("it leads to `{path}`, which lies in no opened path");
        return Err(("host-path", message));
    }
    if let Some(wider) = &file.movable_in
        && !found.iter().any(|(_, opened)| opened.has_subpaths)
    {
        let message = format!(
            "containers can write to `{wider}`, and so put a link to anywhere in the place of what lies there; mount the \
             whole of it"
        );
        return Err(("host-path-movable", message));
    }
    if file.is_socket && found.iter().all(|(real, _)| real != path) {
        let message = format!("it leads to the socket `{path}`, which no opened path names itself");
        return Err(("host-path-socket", message));
    }
    Ok(Opened {
        path: path.clone(),
        is_writable: is_writable(path),
        leaves_out_beneath: false,
        mounts_beneath: file
            .mounts_beneath
            .iter()
            .map(String::as_str)
            .filter(|beneath| !is_writable(beneath))
            .collect(),
    })
}

/// Where nothing can be followed: the very path that the policy names, and none that a container could put elsewhere.
fn opened_as_written<'a>(
    policy: &Policy,
    facts: &Facts,
    source: &str,
) -> Result<Opened<'a>, (&'static str, String)> {
    if source.split('/').any(|part| part == "..") {
        let message = "it has `..`, and the gate cannot see where that leads".to_owned();
        return Err(("host-path-unresolved", message));
    }
    let path = without_empty_parts(source);
    if let Some(protected) = protected(facts, &cleaned(&path)) {
        return Err(("protected-path", reaches(&path, protected)));
    }
    let paths = &policy.container.host_paths.value;
    let mut named = paths.iter().filter(|opened| opened.path == path).peekable();
    if named.peek().is_none() {
        let message = "the gate does not see this host, so only the very paths that the policy names can be mounted";
        return Err(("host-path", message.to_owned()));
    }
    let is_beneath =
        |wider: &&HostPath| wider.is_writable && wider.path != path && lies_in(&path, &wider.path);
    if let Some(wider) = paths.iter().find(is_beneath) {
        let message = format!(
            "it lies in `{}`, where a container could put a link in its place, which the gate cannot see",
            wider.path
        );
        return Err(("host-path-unresolved", message));
    }
    let is_writable = named.any(|opened| opened.is_writable);
    Ok(Opened {
        path,
        is_writable,
        leaves_out_beneath: !is_writable,
        mounts_beneath: Vec::new(),
    })
}

fn reaches(path: &str, protected: &str) -> String {
    format!("it leads to `{path}` and so to `{protected}`, which no policy opens")
}

/// The protected path that contains or lies beneath this one.
fn protected<'a>(facts: &'a Facts, path: &str) -> Option<&'a str> {
    let own = facts.protected.iter().map(String::as_str);
    PROTECTED
        .iter()
        .copied()
        .chain(own)
        .find(|protected| lies_in(path, protected) || lies_in(protected, path))
}

impl Judge<'_> {
    /// A host path must lie beneath an opened one after the host has resolved it, and reach nothing protected.
    pub(super) fn host_path(&mut self, path: &str, source: &str, mount: &Mount) {
        let opened = opened(self.policy, self.facts, source);
        let (named, refused) = match opened {
            Ok(opened) => match self.mounted_otherwise(&opened, mount) {
                Some(refused) => (opened.path, refused),
                None => return,
            },
            Err(refused) => match self.facts.host_paths.get(source) {
                Some(Ok(file)) => (file.path.clone(), refused),
                Some(Err(_)) | None => (cleaned(source), refused),
            },
        };
        let (code, message) = refused;
        let setting = &self.policy.container.host_paths;
        let access = if mount.is_read_only {
            "read-only"
        } else {
            "read-write"
        };
        let quoted = Reason::quoted(&named);
        let remedy = match code {
            "host-path" | "host-path-write" | "host-path-socket"
                if protected(self.facts, &named).is_none() =>
            {
                format!(
                    "`host-paths = [{{ path = {quoted}, access = \"{access}\" }}]` in `[container]`"
                )
            }
            "host-path-movable" => format!(
                "`host-paths = [{{ path = {quoted}, access = \"{access}\", subpaths = true }}]` in `[container]`"
            ),
            _ => String::new(),
        };
        let reason = Reason::new(code, path, source, &message);
        self.refuse(reason.opened_by(setting.line, &remedy));
    }

    /// Why a path that is opened may not be mounted in this way; what can be rewritten is none of the reasons.
    fn mounted_otherwise(
        &self,
        opened: &Opened<'_>,
        mount: &Mount,
    ) -> Option<(&'static str, String)> {
        if opened.is_writable {
            return None;
        }
        if !mount.is_read_only {
            let relabels = mount
                .options
                .iter()
                .any(|option| matches!(option.as_str(), "z" | "Z"));
            if self.existing.is_some() {
                let message =
                    "the path is opened for reading only, and the container can write to it";
                return Some(("host-path-write", message.to_owned()));
            }
            if relabels {
                let message = "`z` changes the labels of what is opened for reading only";
                return Some(("mount-relabel", message.to_owned()));
            }
        }
        if self.leaves_beneath_alone(opened, mount) {
            return None;
        }
        let beneath = match opened.mounts_beneath.first() {
            Some(first) => format!("`{first}` is mounted beneath it"),
            None => "the gate cannot see what is mounted beneath it".to_owned(),
        };
        let message = format!(
            "{beneath}, and `ro` may leave that writable; leave it out with `bind-recursive=disabled` in `--mount` (`NonRecursive`, from API 1.40 on)"
        );
        Some(("host-path-submounts", message))
    }

    /// Whether nothing that is mounted beneath a path can be written to once the path is mounted for reading.
    fn leaves_beneath_alone(&self, opened: &Opened<'_>, mount: &Mount) -> bool {
        let speaks = |minor: u16| {
            let version = self.request.head.target.version();
            self.existing.is_some() || version >= Some(ApiVersion { major: 1, minor })
        };
        let is_left_out = match mount.beneath {
            Beneath::LeftOut => speaks(40),
            Beneath::ReadOnlyOrNothing => mount.is_read_only && speaks(44),
            Beneath::ComesAlong => false,
        };
        if opened.leaves_out_beneath {
            return is_left_out || (self.existing.is_none() && speaks(40));
        }
        is_left_out || opened.mounts_beneath.is_empty()
    }
}

/// The path without empty and dot parts, and without the old name of `/run`: what a policy would call it.
pub(crate) fn cleaned(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    if let ["var", "run", ..] = parts.as_slice() {
        parts.remove(0);
    }
    format!("/{}", parts.join("/"))
}

fn without_empty_parts(path: &str) -> String {
    let parts: Vec<&str> = path
        .split('/')
        .filter(|part| !matches!(*part, "" | "."))
        .collect();
    format!("/{}", parts.join("/"))
}

/// Whether `path` is `directory` or lies beneath it.
pub(crate) fn lies_in(path: &str, directory: &str) -> bool {
    let directory = directory.trim_end_matches('/');
    path.strip_prefix(directory)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
