//! Limits on what a container mounts: host paths by every route, volumes, images.

use super::{Judge, Reason};
use crate::engine_api::Field;
use crate::engine_api::json::Value;
use crate::engine_api::mount::{
    LocalVolume, Mount, Source, is_tmpfs_option, local_volume, text_map,
};
use crate::engine_api::schema::{Class, Limit};

impl Judge<'_> {
    pub(super) fn binds(&mut self, path: &str, value: &Value) {
        for (index, bind) in value.items().iter().enumerate() {
            let (path, text) = (format!("{path}[{index}]"), bind.as_text());
            let mount = Mount::from_bind(text);
            self.mount(&path, text, &mount);
            if let Source::HostPath(source) = &mount.source
                && let Some(Ok(file)) = self.facts.host_paths.get(source)
                && file.path.contains(':')
            {
                let message = "it leads to a path with a colon, which only `--mount` can name";
                self.refuse(Reason::new("host-path-unresolved", &path, source, message));
            }
        }
    }

    pub(super) fn mounts(&mut self, path: &str, value: &Value) {
        for (index, mount) in value.items().iter().enumerate() {
            self.volume_labels(&format!("{path}[{index}]"), mount);
            self.mount(
                &format!("{path}[{index}]"),
                &mount.to_string(),
                &Mount::from_mount(mount),
            );
        }
    }

    /// The labels that a mount gives to a volume which it makes.
    pub(super) fn volume_labels(&mut self, path: &str, mount: &Value) {
        let options = mount.get("VolumeOptions");
        if let Some(labels) = options.and_then(|options| options.get("Labels"))
            && self.existing.is_none()
        {
            self.labels(&format!("{path}.VolumeOptions.Labels"), labels);
        }
    }

    pub(super) fn mount(&mut self, path: &str, text: &str, mount: &Mount) {
        self.mount_options(path, text, mount);
        match &mount.source {
            Source::HostPath(source) => self.host_path(path, source, mount),
            Source::Volume {
                name,
                driver,
                options,
            } => {
                self.volume_driver(path, driver);
                self.driver_options(path, driver, options);
                // Those of a container are judged as its mounts, anonymous ones among them.
                if !name.is_empty() && self.existing.is_none() {
                    self.named_volume(path, name);
                }
            }
            Source::Tmpfs => {}
            Source::Image(reference) => self.image(path, reference),
            Source::Unknown(text) => self.refuse(Reason::new(
                "mount",
                path,
                text,
                "no mount that the gate can read",
            )),
        }
    }

    pub(super) fn mount_options(&mut self, path: &str, text: &str, mount: &Mount) {
        let harmless = [
            "z",
            "Z",
            "nocopy",
            "cached",
            "delegated",
            "consistent",
            "default",
            "private",
            "rprivate",
        ];
        for option in mount
            .options
            .iter()
            .filter(|option| !harmless.contains(&option.as_str()))
        {
            let message = format!("`{option}` lets mounts pass between host and container");
            self.refuse(Reason::new("mount-propagation", path, text, &message));
        }
        let relabels = mount
            .options
            .iter()
            .any(|option| matches!(option.as_str(), "z" | "Z"));
        if relabels && mount.is_read_only && matches!(mount.source, Source::HostPath(_)) {
            self.refuse(Reason::new(
                "mount-relabel",
                path,
                text,
                "`z` changes the labels of what is to be read only",
            ));
        }
    }

    /// `HostConfig.Tmpfs`: the options of each must be the file system's own, since a mount flag could open one of the
    /// container's read-only mounts for writing (`remount` at `/sys/.`).
    pub(super) fn tmpfs(&mut self, path: &str, value: &Value) {
        for (target, options) in value.members() {
            for word in options.as_text().split(',') {
                if !word.is_empty() && !is_tmpfs_option(word) {
                    let path = format!("{path}.{target}");
                    let message =
                        format!("`{word}` is no option of a tmpfs but changes other mounts");
                    self.refuse(Reason::new(
                        "tmpfs-option",
                        &path,
                        options.as_text(),
                        &message,
                    ));
                }
            }
        }
    }

    /// The options of a volume that is made, by itself or inside a container's mounts.
    pub(super) fn driver_options(
        &mut self,
        path: &str,
        driver: &str,
        options: &[(String, String)],
    ) {
        let is_foreign = self
            .policy
            .volume
            .drivers
            .value
            .iter()
            .any(|pattern| pattern.matches(driver));
        if options.is_empty() || (is_foreign && !matches!(driver, "" | "local")) {
            return;
        }
        let setting = &self.policy.volume.types;
        let text = options
            .iter()
            .map(|(key, value)| format!("{key}={value}"))
            .collect::<Vec<_>>()
            .join(" ");
        match local_volume(options) {
            Ok(LocalVolume::Plain | LocalVolume::Tmpfs) => {}
            Ok(LocalVolume::HostPath(device)) => self.volume_host_path(path, &device),
            Ok(LocalVolume::Other { kind }) if setting.value.contains(&kind) => {}
            Ok(LocalVolume::Other { kind }) => {
                let remedy = format!("`types = [{}]` in `[volume]`", Reason::quoted(&kind));
                self.refuse(
                    Reason::new("volume-type", path, &text, "the daemon would mount it")
                        .opened_by(setting.line, &remedy),
                );
            }
            Err(what) => {
                let message = format!("{what} can reach the host");
                self.refuse(
                    Reason::new("volume-options", path, &text, &message)
                        .opened_by(setting.line, ""),
                );
            }
        }
    }

    /// A volume that is a host path outlives the request, so its path could be swapped for another after the check.
    fn volume_host_path(&mut self, path: &str, device: &str) {
        let line = self.policy.container.host_paths.line;
        let message = "a volume that stands for a path of the host";
        self.refuse(Reason::new("volume-host-path", path, device, message).opened_by(line, ""));
    }
}

/// The host paths among the mounts of one field.
pub(super) fn host_paths_of(field: &Field<'_>) -> Vec<String> {
    let mounts: Vec<Mount> = match field.class {
        Class::Limited(Limit::Binds) => field
            .value
            .items()
            .iter()
            .map(|bind| Mount::from_bind(bind.as_text()))
            .collect(),
        Class::Limited(Limit::Mounts) => {
            field.value.items().iter().map(Mount::from_mount).collect()
        }
        Class::Harmless | Class::Limited(_) | Class::Refused(_) => Vec::new(),
    };
    let path = |mount: Mount| match mount.source {
        Source::HostPath(path) => Some(path),
        Source::Volume { .. } | Source::Tmpfs | Source::Image(_) | Source::Unknown(_) => None,
    };
    mounts.into_iter().filter_map(path).collect()
}

impl Judge<'_> {
    pub(super) fn volume_options(&mut self, path: &str, options: &Value) {
        let driver = self
            .body()
            .map_or("", |body| body.text("Driver"))
            .to_owned();
        self.driver_options(path, &driver, &text_map(options));
    }
}
