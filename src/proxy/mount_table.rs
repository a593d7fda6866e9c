//! What is mounted where on this host, and which sockets of containerd it has, as the kernel tells.

use std::fs::File;
use std::io::{self, Read as _};

use crate::decision::lies_in;

/// One line of the mount table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct MountPoint {
    pub(super) path: String,
    /// The device, and the path on it, that is mounted there.
    pub(super) origin: Origin,
    /// The type of the file system.
    pub(super) kind: String,
    /// Whether set-user-id programs mean nothing there.
    pub(super) is_nosuid: bool,
    /// Whether device nodes mean nothing there.
    pub(super) is_nodev: bool,
}

/// A file by its place on a device, which stays the same by whichever mount it is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Origin {
    device: String,
    path: String,
}

impl Origin {
    /// Of a path without links, by the mount that it is in: of several at one place, the last is on top.
    pub(super) fn of(path: &str, mounts: &[MountPoint]) -> Option<Self> {
        let around = mounts.iter().filter(|mount| lies_in(path, &mount.path));
        let mount = around.max_by_key(|mount| mount.path.len())?;
        let beneath = path.strip_prefix(mount.path.trim_end_matches('/'))?;
        let root = mount.origin.path.trim_end_matches('/');
        Some(Self {
            device: mount.origin.device.clone(),
            path: format!("{root}{beneath}"),
        })
    }

    /// Whether one of the two holds the other, or they are the same.
    pub(super) fn meets(&self, other: &Self) -> bool {
        self.device == other.device
            && (lies_in(&self.path, &other.path) || lies_in(&other.path, &self.path))
    }
}

impl MountPoint {
    /// Whether its files stand for the kernel's own state.
    pub(super) fn is_of_the_kernel(&self) -> bool {
        KERNEL.contains(&self.kind.as_str())
    }
}

/// The mounts that the gate sees.
///
/// # Errors
/// Where they cannot be read, or are too many.
pub(super) fn read() -> io::Result<Vec<MountPoint>> {
    let table = bounded("/proc/self/mountinfo")?;
    Ok(parsed(&table))
}

/// Those of a table as the kernel writes it.
pub(super) fn parsed(table: &str) -> Vec<MountPoint> {
    table.lines().filter_map(mount_point).collect()
}

/// Where containerd listens in the gate's own network, each with all that lies beside it; none where that is not told.
pub(super) fn containerd_sockets() -> Vec<String> {
    let Ok(table) = bounded("/proc/net/unix") else {
        return Vec::new();
    };
    let mut found: Vec<String> = table.lines().filter_map(containerd_directory).collect();
    found.sort();
    found.dedup();
    found
}

/// proc(5), `/proc/pid/mountinfo`: device, path on it, place and options stand third to sixth, the type after ` - `.
fn mount_point(line: &str) -> Option<MountPoint> {
    let (fields, rest) = line.split_once(" - ")?;
    let mut fields = fields.split(' ').skip(2);
    let device = fields.next()?.to_owned();
    let (root, path) = (unescaped(fields.next()?), unescaped(fields.next()?));
    let options: Vec<&str> = fields.next()?.split(',').collect();
    Some(MountPoint {
        path,
        origin: Origin { device, path: root },
        kind: rest.split(' ').next()?.to_owned(),
        is_nosuid: options.contains(&"nosuid"),
        is_nodev: options.contains(&"nodev"),
    })
}

/// Spaces and the like stand there as `\040`.
fn unescaped(text: &str) -> String {
    let mut parts = text.split('\\');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let octal = part
            .get(..3)
            .and_then(|octal| u8::from_str_radix(octal, 8).ok());
        match (octal, part.get(3..)) {
            (Some(byte), Some(rest)) => {
                bytes.push(byte);
                bytes.extend_from_slice(rest.as_bytes());
            }
            (Some(_) | None, _) => {
                bytes.push(b'\\');
                bytes.extend_from_slice(part.as_bytes());
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The directory of a socket that is containerd's by its name: the last word of a line, where it is a path.
fn containerd_directory(line: &str) -> Option<String> {
    let path = line.get(line.find(" /")? + 1..)?;
    let (directory, name) = path.rsplit_once('/')?;
    let is_containerd = name.starts_with("containerd") && name.contains(".sock");
    (is_containerd && !directory.is_empty()).then(|| directory.to_owned())
}

pub(super) fn bounded(path: &str) -> io::Result<String> {
    let mut text = Vec::new();
    File::open(path)?
        .take(MOST_BYTES + 1)
        .read_to_end(&mut text)?;
    if text.len() as u64 > MOST_BYTES {
        return Err(io::Error::other(format!(
            "`{path}` is larger than {MOST_BYTES} bytes"
        )));
    }
    Ok(String::from_utf8_lossy(&text).into_owned())
}

const MOST_BYTES: u64 = 16 << 20;

/// File systems of the kernel's own.
const KERNEL: &[&str] = &[
    "binfmt_misc",
    "bpf",
    "cgroup",
    "cgroup2",
    "configfs",
    "debugfs",
    "devpts",
    "devtmpfs",
    "efivarfs",
    "mqueue",
    "nsfs",
    "proc",
    "pstore",
    "securityfs",
    "selinuxfs",
    "sysfs",
    "tracefs",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(device: &str, path: &str) -> Origin {
        let (device, path) = (device.to_owned(), path.to_owned());
        Origin { device, path }
    }

    #[test]
    fn a_file_is_the_same_by_every_mount() {
        let table = "1 0 8:1 / / rw - ext4 a rw\n2 1 0:9 / /run rw - tmpfs b rw\n3 1 8:1 /var /srv/v rw - ext4 a rw";
        let mounts = parsed(table);
        let of = |path| Origin::of(path, &mounts).unwrap();
        assert_eq!(of("/srv/v/lib/docker"), origin("8:1", "/var/lib/docker"));
        assert_eq!(of("/run/a"), origin("0:9", "/a"));
        let data = of("/var/lib/docker");
        for (path, meets) in [
            ("/srv/v", true),
            ("/srv/v/lib/docker/volumes", true),
            ("/", true),
            ("/srv/v/lib/dockerother", false),
            ("/srv", false),
            ("/run", false),
        ] {
            assert_eq!(of(path).meets(&data), meets, "{path}");
        }
    }

    #[test]
    fn a_line_gives_origin_place_and_type() {
        let line = "36 35 98:0 /a /mnt/with\\040space rw,noatime master:1 - ext3 /dev/root rw";
        let expected = MountPoint {
            path: "/mnt/with space".to_owned(),
            origin: origin("98:0", "/a"),
            kind: "ext3".to_owned(),
            is_nosuid: false,
            is_nodev: false,
        };
        assert_eq!(mount_point(line), Some(expected));
        let line = "25 30 0:23 / /proc rw shared:12 shared:13 - proc proc rw";
        assert!(mount_point(line).unwrap().is_of_the_kernel());
        assert_eq!(mount_point("nonsense"), None);
    }

    #[test]
    fn the_options_of_a_mount_are_its_own() {
        for (options, is_nosuid, is_nodev) in [
            ("rw", false, false),
            ("rw,nosuid", true, false),
            ("rw,nodev,relatime", false, true),
            ("nodev,rw,nosuid,noexec", true, true),
            ("rw,xnosuid,nodevs", false, false),
        ] {
            // What stands after the type is the file system's.
            let line = format!("1 0 8:1 / /srv {options} shared:1 - ext4 /dev/a rw,nosuid,nodev");
            let mount = mount_point(&line).unwrap();
            let found = (mount.is_nosuid, mount.is_nodev);
            assert_eq!(found, (is_nosuid, is_nodev), "{options}");
        }
    }

    #[test]
    fn the_root_is_mounted() {
        assert!(read().unwrap().iter().any(|mount| mount.path == "/"));
    }

    #[test]
    fn containerd_is_known_by_its_socket() {
        let line =
            "ffff: 00000002 00000000 00010000 0001 01 23 /srv/exec/containerd/containerd.sock";
        let expected = "/srv/exec/containerd".to_owned();
        assert_eq!(containerd_directory(line), Some(expected));
        for other in [
            "ffff: 2 0 1 1 01 23 /run/app.sock",
            "ffff: 2 0 1 1 01 23 @/containerd.sock",
            "Num",
        ] {
            assert_eq!(containerd_directory(other), None, "{other}");
        }
    }
}
