//! Landlock: which files can be opened from now on, and which ports connected to.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, LandlockStatus, NetPort,
    RestrictionStatus, Ruleset, RulesetAttr, RulesetCreated, RulesetCreatedAttr, RulesetError,
    RulesetStatus, Scope, path_beneath_rules,
};

use super::{Needs, Reach};

/// Gives where files can still be read; `None` where the kernel restricts nothing.
pub(super) fn restrict(needs: &Needs) -> Option<Vec<PathBuf>> {
    let readable = readable(needs);
    let status = match ruleset(needs, &readable).and_then(RulesetCreated::restrict_self) {
        Ok(status) => status,
        Err(error) => {
            tracing::warn!(%error, "files are not restricted: Landlock failed");
            return None;
        }
    };
    tell(&status);
    match status.ruleset {
        RulesetStatus::FullyEnforced | RulesetStatus::PartiallyEnforced => Some(readable),
        RulesetStatus::NotEnforced => None,
    }
}

fn tell(status: &RestrictionStatus) {
    let kernel = match status.landlock {
        LandlockStatus::Available { effective_abi, .. } => Some(effective_abi),
        LandlockStatus::NotEnabled | LandlockStatus::NotImplemented => None,
    };
    match lacking(&status.ruleset, kernel) {
        Ok(open) => tracing::info!(
            landlock = kernel.map(|abi| abi as i32),
            "confined to the files and ports that are in use; still open: {}",
            open.join(", ")
        ),
        Err(cause) => tracing::warn!("files are not restricted: {cause}"),
    }
}

/// What the confinement leaves open under a kernel with this Landlock, or why there is none.
fn lacking(
    enforced: &RulesetStatus,
    kernel: Option<ABI>,
) -> Result<Vec<&'static str>, &'static str> {
    match (enforced, kernel) {
        (_, None) => Err("this kernel has no Landlock, or it is switched off"),
        (RulesetStatus::NotEnforced, Some(_)) => Err("this kernel's Landlock has refused to"),
        (RulesetStatus::FullyEnforced | RulesetStatus::PartiallyEnforced, Some(kernel)) => {
            // Each came with an interface of Landlock, and that with a kernel.
            let since = [
                (ABI::V3, "cutting files to no length (before Linux 6.2)"),
                (ABI::V4, "TCP to other ports (before Linux 6.7)"),
                (ABI::V5, "commands to devices (before Linux 6.10)"),
                (
                    ABI::V6,
                    "signals to others and abstract sockets (before Linux 6.12)",
                ),
            ];
            let lacking = since.into_iter().filter(|(abi, _)| kernel < *abi);
            // No interface that was tried restricts it.
            let always = ["connecting to any Unix socket that its user may use"];
            Ok(lacking.map(|(_, what)| what).chain(always).collect())
        }
    }
}

fn ruleset(needs: &Needs, readable: &[PathBuf]) -> Result<RulesetCreated, RulesetError> {
    let mut ruleset = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(NEWEST))?
        .handle_access(AccessNet::from_all(NEWEST))?
        .scope(scopes())?
        .create()?
        .add_rules(path_beneath_rules(readable, READ))?
        .add_rules(path_beneath_rules(removable(needs), AccessFs::RemoveFile))?;
    let ports: &[u16] = match needs.daemon {
        Reach::Port(port) => &[port],
        Reach::Name(port) => &[port, DNS],
        Reach::Unix(_) | Reach::Nowhere => &[],
    };
    for port in ports {
        ruleset = ruleset.add_rule(NetPort::new(*port, AccessNet::ConnectTcp))?;
    }
    Ok(ruleset)
}

/// A service manager may listen on an abstract socket, which has no path to permit.
fn scopes() -> BitFlags<Scope> {
    let notify = env::var_os("NOTIFY_SOCKET");
    if notify.is_some_and(|path| path.as_encoded_bytes().starts_with(b"@")) {
        return Scope::Signal.into();
    }
    Scope::from_all(NEWEST)
}

/// The directories of the files in use, because a file that is replaced is another one. Where others have files too,
/// such as in `/etc`, the file alone: its successor cannot be read.
fn readable(needs: &Needs) -> Vec<PathBuf> {
    // Which mounts and sockets there are; of other processes Landlock leaves nothing to be read there.
    let mut places = BTreeSet::from([PathBuf::from("/proc")]);
    for file in &needs.files {
        let real = fs::canonicalize(file).ok();
        let parents = [Some(file.as_path()), real.as_deref()];
        for file in parents.into_iter().flatten() {
            let parent = file.parent().unwrap_or(Path::new(""));
            let parent = if parent.as_os_str().is_empty() {
                Path::new(".")
            } else {
                parent
            };
            match fs::canonicalize(parent) {
                Ok(parent) if is_shared(&parent) => places.extend(fs::canonicalize(file).ok()),
                Ok(parent) => {
                    places.insert(parent);
                }
                Err(_) => {}
            }
        }
    }
    if matches!(needs.daemon, Reach::Name(_)) {
        // Resolvers read several files there, which are replaced as networks come and go.
        places.extend(["/etc", "/run/systemd/resolve"].map(PathBuf::from));
    }
    places.into_iter().collect()
}

/// Where the files of Unix sockets stand, if nothing else does.
fn removable(needs: &Needs) -> Vec<PathBuf> {
    let parents = needs.sockets.iter().filter_map(|socket| {
        let parent = fs::canonicalize(socket.parent()?).ok()?;
        (!is_shared(&parent)).then_some(parent)
    });
    parents.collect()
}

/// Whether a directory is one in which every program has files, or a user's home; one that was mounted for the gate is not.
#[must_use]
pub fn is_shared(directory: &Path) -> bool {
    let is_home = directory.parent() == Some(Path::new("/home"));
    is_home
        || directory == Path::new("/")
        || SHARED.iter().any(|shared| directory == Path::new(shared))
}

/// Of the Filesystem Hierarchy Standard, and what else is usual.
const SHARED: [&str; 24] = [
    "/bin",
    "/boot",
    "/dev",
    "/etc",
    "/home",
    "/lib",
    "/lib64",
    "/media",
    "/mnt",
    "/opt",
    "/proc",
    "/root",
    "/run",
    "/sbin",
    "/srv",
    "/sys",
    "/tmp",
    "/usr",
    "/usr/local",
    "/usr/local/etc",
    "/var",
    "/var/lib",
    "/var/log",
    "/var/run",
];

const READ: BitFlags<AccessFs> = landlock::make_bitflags!(AccessFs::{ReadFile | ReadDir});
/// The newest that was tried. Later ones restrict connecting to sockets by their paths.
const NEWEST: ABI = ABI::V7;
const DNS: u16 = 53;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_directory_of_others_is_opened() {
        for (path, expected) in [
            ("/", true),
            ("/etc", true),
            ("/root", true),
            ("/etc/dockgate", false),
            ("/certs", false),
            ("/home/alice", true),
            ("/home/alice/gate", false),
        ] {
            assert_eq!(is_shared(Path::new(path)), expected, "{path}");
        }
    }

    #[test]
    fn what_a_kernel_lacks_is_told() {
        let (full, part) = (
            RulesetStatus::FullyEnforced,
            RulesetStatus::PartiallyEnforced,
        );
        let told = |kernel| lacking(&part, Some(kernel)).unwrap().join(", ");
        for (kernel, ports, signals) in [
            (ABI::V1, true, true),
            (ABI::V3, true, true),
            (ABI::V4, false, true),
            (ABI::V5, false, true),
            (ABI::V6, false, false),
        ] {
            let told = told(kernel);
            assert_eq!(told.contains("TCP to other ports"), ports, "{told}");
            assert_eq!(told.contains("signals"), signals, "{told}");
            assert!(told.contains("Unix socket"), "{told}");
        }
        let open = ["connecting to any Unix socket that its user may use"];
        assert_eq!(lacking(&full, Some(NEWEST)).unwrap(), open);
        assert!(lacking(&full, None).unwrap_err().contains("no Landlock"));
        assert!(lacking(&RulesetStatus::NotEnforced, Some(NEWEST)).is_err());
    }

    #[test]
    fn a_file_opens_its_directory_and_that_of_what_it_leads_to() {
        let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let real = other.path().join("policy.toml");
        fs::write(&real, "").unwrap();
        let link = folder.path().join("policy.toml");
        std::os::unix::fs::symlink(&real, &link).unwrap();
        let needs = Needs {
            files: vec![
                link,
                PathBuf::from("/etc/passwd"),
                PathBuf::from("/etc/absent"),
            ],
            ..Needs::default()
        };
        let mut expected = vec![
            PathBuf::from("/etc/passwd"),
            PathBuf::from("/proc"),
            fs::canonicalize(folder.path()).unwrap(),
            fs::canonicalize(other.path()).unwrap(),
        ];
        expected.sort();
        assert_eq!(readable(&needs), expected);
    }

    /// Landlock holds for a thread and what it starts, so each test has one of its own.
    fn confined<T: Send + 'static>(needs: Needs, then: impl FnOnce() -> T + Send + 'static) -> T {
        let thread = std::thread::spawn(move || {
            assert!(restrict(&needs).is_some(), "this kernel has no Landlock");
            then()
        });
        thread.join().unwrap()
    }

    #[test]
    fn only_what_is_needed_can_be_opened_and_paths_are_followed_all_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let (policy, socket, other) = (at("policy.toml"), at("daemon.sock"), at("other"));
        fs::write(&policy, "x").unwrap();
        let _daemon = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        let needs = Needs {
            files: vec![policy.clone()],
            daemon: Reach::Unix(socket.clone()),
            ..Needs::default()
        };
        confined(needs, move || {
            assert_eq!(fs::read_to_string(&policy).unwrap(), "x");
            assert!(std::os::unix::net::UnixStream::connect(&socket).is_ok());
            for path in ["/etc/shadow", "/etc/passwd", "/proc/1/environ"] {
                let error = fs::File::open(path).unwrap_err();
                assert_eq!(error.kind(), std::io::ErrorKind::PermissionDenied, "{path}");
                assert!(fs::canonicalize(path).is_ok(), "{path}");
            }
            assert!(fs::write(&policy, "y").is_err());
            assert!(fs::write(&other, "y").is_err());
            assert!(fs::remove_file(&policy).is_err());
            assert!(std::process::Command::new("/bin/true").status().is_err());
        });
    }

    #[test]
    fn only_the_port_of_the_daemon_is_connected_to() {
        let listeners = [(); 2].map(|()| std::net::TcpListener::bind("127.0.0.1:0").unwrap());
        let ports = listeners.each_ref().map(|one| one.local_addr().unwrap());
        let needs = Needs {
            daemon: Reach::Port(ports[0].port()),
            ..Needs::default()
        };
        confined(needs, move || {
            assert!(std::net::TcpStream::connect(ports[0]).is_ok());
            assert!(std::net::TcpStream::connect(ports[1]).is_err());
            assert!(std::net::TcpListener::bind("127.0.0.1:0").is_err());
        });
    }
}
