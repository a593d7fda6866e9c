//! Paths are followed on the real file system, in a folder of the test's own.

use std::os::unix::fs::{PermissionsExt as _, chown, symlink};
use std::os::unix::net::UnixListener;

use tempfile::TempDir;

use super::*;

struct Host {
    folder: TempDir,
    opened: Vec<HostPath>,
    writable: Vec<String>,
    protected: Vec<String>,
}

impl Host {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("data-root")).unwrap();
        Self {
            folder,
            opened: Vec::new(),
            writable: Vec::new(),
            protected: Vec::new(),
        }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    fn directory(&self, name: &str) -> String {
        fs::create_dir_all(self.path(name)).unwrap();
        self.path(name)
    }

    fn open(&mut self, name: &str, is_writable: bool) {
        let path = self.path(name);
        if is_writable {
            self.writable.push(path.clone());
        }
        self.opened.push(HostPath {
            path,
            is_writable,
            has_subpaths: false,
            has_set_user_id: false,
        });
    }

    fn find(&self, paths: &[String]) -> HostFiles {
        find(&Wanted {
            paths: paths.to_vec(),
            opened: self.opened.clone(),
            seen: Arc::new(seen(self.opened.iter())),
            writable: self.writable.clone(),
            protected: self.protected.clone(),
            data_root: self.path("data-root"),
        })
    }

    fn file(&self, path: &str) -> Result<HostFile, String> {
        self.find(&[path.to_owned()])
            .host_paths
            .remove(path)
            .unwrap()
    }
}

#[test]
fn links_dots_and_slashes_are_followed() {
    let host = Host::new();
    let inner = host.directory("a/inner");
    symlink("/", host.path("a/root")).unwrap();
    symlink(&inner, host.path("a/link")).unwrap();
    for (path, expected) in [
        (format!("{inner}/"), inner.clone()),
        (inner.replace("/a/", "//a/./"), inner.clone()),
        (format!("{inner}/../inner"), inner.clone()),
        (host.path("a/link"), inner.clone()),
        (host.path("a/root"), "/".to_owned()),
        (format!("{}/etc", host.path("a/root")), "/etc".to_owned()),
        ("/proc/self/root".to_owned(), "/".to_owned()),
        (format!("/proc/self/root{inner}"), inner.clone()),
    ] {
        assert_eq!(host.file(&path).unwrap().path, expected, "{path}");
    }
    let missing = host.file(&host.path("a/missing")).unwrap_err();
    assert!(missing.starts_with("it does not exist"), "{missing}");
    // Capitals are other letters, unless the file system says otherwise.
    assert!(host.file(&host.path("A/inner")).is_err());
}

#[test]
fn a_socket_is_known_by_every_name() {
    let mut host = Host::new();
    host.directory("run");
    host.directory("share");
    let socket = host.path("run/daemon.sock");
    let _daemon = UnixListener::bind(&socket).unwrap();
    let other = host.path("share/other.sock");
    let _other = UnixListener::bind(&other).unwrap();
    host.protected.push(socket.clone());
    let hard_link = host.path("share/hard");
    fs::hard_link(&socket, &hard_link).unwrap();
    let found = host.file(&hard_link).unwrap();
    assert!(found.is_socket);
    assert_eq!(found.reaches.as_deref(), Some(socket.as_str()));
    let found = host.file(&other).unwrap();
    assert_eq!((found.is_socket, found.reaches), (true, None));
}

#[test]
fn what_is_protected_is_protected_where_it_leads_too() {
    let mut host = Host::new();
    let real = host.directory("elsewhere/gate");
    symlink(host.path("elsewhere"), host.path("link")).unwrap();
    host.protected.push(host.path("link/gate"));
    let protected = host.find(std::slice::from_ref(&real)).protected;
    assert!(protected.contains(&real) && protected.contains(&host.path("link/gate")));
    let reaches = |path: &str| host.file(path).unwrap().reaches.is_some();
    assert!(reaches(&real) && reaches(&host.path("elsewhere")));
    assert!(reaches(&host.directory("elsewhere/gate/below")));
    assert!(reaches(&host.path("data-root")) && reaches(&host.path("")));
    assert!(!reaches(&host.directory("elsewhere/other")));
    assert!(reaches("/dev/shm") && reaches("/sys"));
}

#[test]
fn an_opened_path_leads_where_its_links_lead_unless_a_container_could_have_put_them_there() {
    let mut host = Host::new();
    host.directory("real/project");
    symlink(host.path("real"), host.path("link")).unwrap();
    symlink("/etc", host.path("real/project/etc")).unwrap();
    symlink(host.path("real/project/etc"), host.path("far")).unwrap();
    for (name, is_writable) in [
        ("link/project", true),
        ("link/project/etc", false),
        ("far", false),
        ("link", false),
        ("missing", false),
    ] {
        host.open(name, is_writable);
    }
    let opened = host.find(&[]).opened;
    let leads = |name: &str| opened[&host.path(name)].clone();
    assert_eq!(leads("link/project"), Ok(host.path("real/project")));
    assert_eq!(leads("link"), Ok(host.path("real")));
    for name in ["link/project/etc", "far", "missing"] {
        assert!(leads(name).is_err(), "{name}");
    }
    // Whose policy lets a container write there is all the same.
    host.writable.push(host.path(""));
    assert!(host.find(&[]).opened[&host.path("link")].is_err());
}

#[test]
fn without_the_daemons_data_nothing_is_followed() {
    let host = Host::new();
    fs::remove_dir(host.path("data-root")).unwrap();
    let cause = host.file(&host.path("")).unwrap_err();
    assert!(cause.contains("host-file-system"), "{cause}");
}

#[test]
fn whoever_could_put_another_file_there_is_named() {
    let host = Host::new();
    let (parent, project) = (host.directory("parent"), host.directory("parent/project"));
    let known = seen_at(&project);
    if fs::metadata(&parent).unwrap().uid() != 0 {
        let told = walk::movable(&project, known.as_ref()).unwrap();
        return assert!(told.contains(" belongs to the user "), "{told}");
    }
    assert_eq!(walk::movable(&project, known.as_ref()), None);
    let told = |path: &str| walk::movable(path, known.as_ref()).unwrap_or_default();
    let mode = |mode: u32| {
        fs::set_permissions(&parent, fs::Permissions::from_mode(mode)).unwrap();
    };
    for others in [0o777, 0o775, 0o757] {
        mode(others);
        let expected = format!("others than root can write to `{parent}`");
        assert_eq!(told(&project), expected);
    }
    // In such a directory nobody moves what is another's.
    mode(0o1777);
    assert_eq!(told(&project), "");
    chown(&project, Some(1000), None).unwrap();
    assert!(told(&project).starts_with("others than root"));
    mode(0o755);
    assert_eq!(told(&project), "");
    chown(&parent, Some(1000), None).unwrap();
    assert_eq!(
        told(&project),
        format!("`{parent}` belongs to the user 1000")
    );
    // A link that leads through it is no better.
    symlink(&project, host.path("link")).unwrap();
    assert!(told(&host.path("link")).contains("belongs to the user 1000"));
    chown(&parent, Some(0), None).unwrap();
    assert_eq!(told(&host.path("link")), "");
}

#[test]
fn what_is_another_file_by_now_is_seen() {
    let host = Host::new();
    let project = host.directory("project");
    host.directory("other");
    let known = seen_at(&project);
    fs::rename(&project, host.path("kept")).unwrap();
    let told = || walk::movable(&project, known.as_ref()).unwrap_or_default();
    assert!(told().contains("No such file"), "{}", told());
    symlink(host.path("other"), &project).unwrap();
    let is_root = fs::metadata(host.path("other")).unwrap().uid() == 0;
    assert!(!is_root || told().contains("is another file"), "{}", told());
    assert!(walk::movable(&project, None).is_some());
}

fn seen_at(path: &str) -> Option<(u64, u64)> {
    let opened = HostPath {
        path: path.to_owned(),
        is_writable: true,
        has_subpaths: false,
        has_set_user_id: false,
    };
    seen(std::iter::once(&opened)).remove(path)
}

#[test]
fn a_mount_honours_set_user_id_programs_unless_both_are_off() {
    let table = "1 0 8:1 / / rw - ext4 a rw\n2 1 8:1 /srv /srv rw,nosuid,nodev - ext4 a rw\n\
        3 2 8:2 / /srv/disk rw,nosuid - ext4 b rw\n4 1 8:1 /p /p rw,nodev,nosuid - ext4 a rw\n\
        5 1 8:3 / /p rw,nodev - ext4 a rw";
    let on = |path: &str, table: &str| {
        let mounts = mount_table::parsed(table);
        described(path.to_owned(), &Guarded::default(), &mounts).set_user_id_on
    };
    for (path, expected) in [
        ("/home", vec!["/"]),
        ("/srv/a", vec![]),
        ("/srv", vec!["/srv/disk"]),
        ("/srv/disk/a", vec!["/srv/disk"]),
        // The last one at a place is on top.
        ("/p/a", vec!["/p"]),
    ] {
        assert_eq!(on(path, table), expected, "{path}");
    }
    // All that the gate sees is so: it is the gate that was confined, and not the host.
    let confined = table.replacen("/ / rw", "/ / ro,nosuid", 1);
    assert_eq!(on("/srv/a", &confined), ["/srv"]);
}
