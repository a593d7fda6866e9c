//! Limits on namespaces: a container's own, the host's, another container's.

use super::{Judge, Reason};
use crate::policy::Namespace;

/// What one `…Mode` field of a HostConfig may name.
pub(super) struct Modes {
    /// Values beside the empty one that keep the container in its own namespace.
    pub(super) own: &'static [&'static str],
    pub(super) host: Namespace,
    /// `container:…`, where the daemon knows such a value.
    pub(super) container: Option<Namespace>,
}

pub(super) const PID: Modes = Modes {
    own: &[],
    host: Namespace::HostPid,
    container: Some(Namespace::ContainerPid),
};
pub(super) const IPC: Modes = Modes {
    own: &["private", "none", "shareable"],
    host: Namespace::HostIpc,
    container: Some(Namespace::ContainerIpc),
};
pub(super) const UTS: Modes = Modes {
    own: &[],
    host: Namespace::HostUts,
    container: None,
};
pub(super) const USER: Modes = Modes {
    own: &[],
    host: Namespace::HostUser,
    container: None,
};
pub(super) const CGROUP: Modes = Modes {
    own: &["private"],
    host: Namespace::HostCgroup,
    container: None,
};

impl Judge<'_> {
    pub(super) fn namespace(&mut self, path: &str, mode: &str, modes: &Modes) {
        if mode.is_empty() || modes.own.contains(&mode) {
            return;
        }
        let namespace = match mode {
            "host" => Some(modes.host),
            joined if joined.starts_with("container:") => modes.container,
            _ => None,
        };
        self.foreign_namespace(path, mode, namespace);
    }

    pub(super) fn foreign_namespace(
        &mut self,
        path: &str,
        mode: &str,
        namespace: Option<Namespace>,
    ) {
        let setting = &self.policy.container.namespaces;
        let Some(namespace) = namespace else {
            self.refuse(Reason::new(
                "namespace",
                path,
                mode,
                "no namespace that the gate knows",
            ));
            return;
        };
        if !setting.value.contains(&namespace) {
            let remedy = format!("`namespaces = [\"{}\"]` in `[container]`", namespace.name());
            let message = "the container would leave its own namespace";
            let reason = Reason::new(namespace.name(), path, mode, message);
            self.refuse(reason.opened_by(setting.line, &remedy));
        } else if let Some(name) = mode.strip_prefix("container:") {
            self.other_container(path, name);
        }
    }
}
