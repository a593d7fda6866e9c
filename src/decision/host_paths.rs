//! How paths of the host may be mounted, and which never.

use super::opened_path::{Opened, opened, protected};
use super::{Judge, Reason};
use crate::engine_api::ApiVersion;
use crate::engine_api::mount::{Beneath, Mount};

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
    /// The mounts around and beneath it on which the host honours set-user-id programs and device nodes.
    pub set_user_id_on: Vec<String>,
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
            "host-path-set-user-id" => format!(
                "`host-paths = [{{ path = {quoted}, access = \"{access}\", set-user-id = true }}]` in `[container]`"
            ),
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
            let unwritable = opened.unwritable.clone()?;
            if !mount.is_read_only {
                return Some(("host-path-set-user-id", unwritable));
            }
        } else if !mount.is_read_only {
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

/// Whether `path` is `directory` or lies beneath it.
pub(crate) fn lies_in(path: &str, directory: &str) -> bool {
    let directory = directory.trim_end_matches('/');
    path.strip_prefix(directory)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
