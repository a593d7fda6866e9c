//! What a container mounts: `Binds`, `Mounts` and volume driver options, brought to one form.

use std::ops::Deref;

use super::json::{Json, MemberKey, Value};

/// One mount of a container create body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    pub source: Source,
    pub is_read_only: bool,
    /// Options beyond reading and writing (`z`, `rshared`), and the propagation.
    pub options: Vec<String>,
    pub beneath: Beneath,
}

/// What becomes of the file systems that are mounted beneath the source of a bind.
///
/// moby: daemon/oci_linux.go, `withMounts`: they come along, and `ro` holds for them only from Docker 25 (API 1.44) on,
/// where kernel (5.12) and runtime know how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Beneath {
    /// They come along, and stay writable where the daemon cannot do otherwise.
    #[default]
    ComesAlong,
    /// They are left out (`BindOptions.NonRecursive`, from API 1.40 on).
    LeftOut,
    /// They come along for reading only, or the daemon refuses (`BindOptions.ReadOnlyForceRecursive`, API 1.44).
    ReadOnlyOrNothing,
}

/// Where a mount comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// An absolute path on the host.
    HostPath(String),
    /// A named volume, or an anonymous one where the name is empty; with its driver and driver options if given.
    Volume {
        name: String,
        driver: String,
        options: Vec<(String, String)>,
    },
    Tmpfs,
    Image(String),
    /// What no rule describes, with what was found.
    Unknown(String),
}

impl Source {
    /// The path, where it is one of the host's.
    #[must_use]
    pub fn host_path(&self) -> Option<&str> {
        match self {
            Self::HostPath(path) => Some(path),
            Self::Volume { .. } | Self::Tmpfs | Self::Image(_) | Self::Unknown(_) => None,
        }
    }
}

impl Mount {
    /// Reads an item of `HostConfig.Binds`: `SOURCE:TARGET[:OPTIONS]`, or `TARGET` for an anonymous volume.
    ///
    /// moby: volume/mounts/linux_parser.go, `ParseMountRaw`.
    #[must_use]
    pub fn from_bind(bind: &str) -> Self {
        let parts: Vec<&str> = bind.split(':').collect();
        let (source, options) = match *parts.as_slice() {
            [target] if target.starts_with('/') => ("", ""),
            [source, target] if !source.is_empty() && target.starts_with('/') => (source, ""),
            [source, target, options] if !source.is_empty() && target.starts_with('/') => {
                (source, options)
            }
            _ => return Self::unknown(bind),
        };
        let source = if source.starts_with('/') {
            Source::HostPath(source.to_owned())
        } else if source.is_empty() || is_name(source) {
            Source::Volume {
                name: source.to_owned(),
                driver: String::new(),
                options: Vec::new(),
            }
        } else {
            return Self::unknown(bind);
        };
        let words: Vec<&str> = options.split(',').filter(|word| !word.is_empty()).collect();
        Self {
            source,
            is_read_only: words.contains(&"ro") && !words.contains(&"rw"),
            options: words
                .into_iter()
                .filter(|word| !matches!(*word, "ro" | "rw"))
                .map(str::to_owned)
                .collect(),
            beneath: Beneath::ComesAlong,
        }
    }

    /// Reads an item of `HostConfig.Mounts`.
    ///
    /// moby: volume/mounts/linux_parser.go, `ParseMountSpec`.
    #[must_use]
    pub fn from_mount(mount: &Value) -> Self {
        let source = mount.text("Source");
        let driver = mount
            .get("VolumeOptions")
            .and_then(|options| options.get("DriverConfig"));
        let source = match mount.text("Type") {
            "bind" if source.starts_with('/') => Source::HostPath(source.to_owned()),
            "volume" if source.is_empty() || is_name(source) => Source::Volume {
                name: source.to_owned(),
                driver: driver.map_or("", |driver| driver.text("Name")).to_owned(),
                options: driver
                    .and_then(|driver| driver.get("Options"))
                    .map(text_map)
                    .unwrap_or_default(),
            },
            "tmpfs" if source.is_empty() => Source::Tmpfs,
            "image" => Source::Image(source.to_owned()),
            _ => return Self::unknown(&mount.to_string()),
        };
        let options = mount.get("BindOptions");
        let propagation = options.map_or("", |options| options.text("Propagation"));
        Self {
            source,
            is_read_only: mount.get("ReadOnly") == Some(&Value::Bool(true)),
            options: if propagation.is_empty() {
                Vec::new()
            } else {
                vec![propagation.to_owned()]
            },
            beneath: options.map(Beneath::of).unwrap_or_default(),
        }
    }

    fn unknown(text: &str) -> Self {
        Self {
            source: Source::Unknown(text.to_owned()),
            is_read_only: false,
            options: Vec::new(),
            beneath: Beneath::ComesAlong,
        }
    }
}

impl Beneath {
    fn of(options: &Value) -> Self {
        let is_set = |name: &str| options.get(name) == Some(&Value::Bool(true));
        if is_set("NonRecursive") {
            Self::LeftOut
        } else if is_set("ReadOnlyForceRecursive") {
            Self::ReadOnlyOrNothing
        } else {
            Self::ComesAlong
        }
    }
}

/// The members of an object of strings; `null` is the empty string, as in Go.
#[must_use]
pub fn text_map<K, T>(value: &Json<K, T>) -> Vec<(String, String)>
where
    K: MemberKey<T>,
    T: Deref<Target = str>,
{
    value
        .members()
        .map(|(key, value)| ((**key).to_owned(), value.as_text().to_owned()))
        .collect()
}

/// Whether the daemon takes this for the name of a volume, network or container.
///
/// moby: daemon/names/names.go, `RestrictedNamePattern`; one character is too short for a volume there.
#[must_use]
pub fn is_name(text: &str) -> bool {
    text.bytes()
        .next()
        .is_some_and(|byte| byte.is_ascii_alphanumeric())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
}

/// Which file systems the options of the `local` driver would mount.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LocalVolume {
    /// A directory in the daemon's data root.
    Plain,
    Tmpfs,
    /// A file system of this type, from the device given.
    Other {
        kind: String,
    },
    /// A directory of the host (`o=bind`).
    HostPath(String),
}

/// Reads the driver options of a `local` volume; an option or mount flag outside the known ones is the error.
///
/// moby: volume/local/local_unix.go, `setOpts`, and the flag table of github.com/moby/sys/mount: `bind` in `o` makes
/// the device a host path whatever the type.
pub fn local_volume(options: &[(String, String)]) -> Result<LocalVolume, String> {
    let value = |name: &str| {
        options
            .iter()
            .find(|(key, _)| key == name)
            .map_or("", |(_, value)| value.as_str())
    };
    if let Some((key, _)) = options
        .iter()
        .find(|(key, _)| !matches!(key.as_str(), "type" | "o" | "device" | "size"))
    {
        return Err(format!("the option `{key}`"));
    }
    let (kind, device) = (value("type"), value("device"));
    let words: Vec<&str> = value("o")
        .split(',')
        .map(str::trim)
        .filter(|word| !word.is_empty())
        .collect();
    if kind.is_empty() && device.is_empty() && words.is_empty() {
        return Ok(LocalVolume::Plain);
    }
    if words.iter().any(|word| matches!(*word, "bind" | "rbind")) {
        let is_plain = words
            .iter()
            .all(|word| matches!(*word, "bind" | "rbind" | "ro" | "rw"));
        return if is_plain && device.starts_with('/') {
            Ok(LocalVolume::HostPath(device.to_owned()))
        } else {
            Err(format!("`o={}` with `device={device}`", value("o")))
        };
    }
    match kind {
        "tmpfs" if words.iter().all(|word| is_tmpfs_option(word)) => Ok(LocalVolume::Tmpfs),
        "tmpfs" => Err(format!("`o={}`", value("o"))),
        "nfs" | "nfs4" | "cifs" if words.iter().all(|word| is_data(word)) => {
            Ok(LocalVolume::Other {
                kind: kind.to_owned(),
            })
        }
        _ => Err(format!("`type={kind}` with `device={device}`")),
    }
}

/// Whether an option concerns a new tmpfs alone, and no other mount as `remount`, `bind` or `shared` would.
///
/// github.com/moby/sys/mount, `MergeTmpfsOptions` takes those too.
#[must_use]
pub fn is_tmpfs_option(word: &str) -> bool {
    match word.split_once('=') {
        Some((name, _)) => matches!(
            name,
            "size" | "mode" | "uid" | "gid" | "nr_inodes" | "nr_blocks" | "mpol"
        ),
        None => matches!(
            word,
            "defaults"
                | "ro"
                | "rw"
                | "exec"
                | "noexec"
                | "suid"
                | "nosuid"
                | "dev"
                | "nodev"
                | "sync"
                | "async"
                | "dirsync"
                | "atime"
                | "noatime"
                | "diratime"
                | "nodiratime"
                | "relatime"
                | "norelatime"
                | "strictatime"
                | "nostrictatime"
        ),
    }
}

/// Whether a mount option goes to the file system and does not move, remount or share a mount.
fn is_data(word: &str) -> bool {
    !matches!(
        word,
        "remount"
            | "move"
            | "shared"
            | "rshared"
            | "slave"
            | "rslave"
            | "private"
            | "rprivate"
            | "unbindable"
            | "runbindable"
            | "mand"
            | "suid"
            | "dev"
    )
}

#[cfg(test)]
mod tests;
