//! A coding agent before the real daemon mounts its project's directory, and nothing that lies elsewhere.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::support::docker::Docker;
use super::support::gate::{Gate, Setup};
use super::support::wait::DEADLINE;
use super::support::{engine, process};

/// A project of an agent's, with what lies around it.
struct Agent {
    folder: tempfile::TempDir,
    docker: Docker,
    gate: Gate,
}

impl Agent {
    /// Set up as the policy says, with set-user-id programs and devices off.
    fn new() -> Self {
        Self::with(|project| {
            Self::mount(&["--make-private", "--bind"], project);
            Self::mount(&["-o", "remount,bind,nosuid,nodev"], project);
        })
    }

    fn with(set_up: impl FnOnce(&Path)) -> Self {
        let folder = tempfile::Builder::new()
            .prefix("dockgate-agent-")
            .tempdir()
            .unwrap();
        let here = |name: &str| folder.path().join(name);
        for directory in ["project/src", "other", "project-2"] {
            fs::create_dir_all(here(directory)).unwrap();
            fs::write(here(directory).join("file"), directory).unwrap();
        }
        symlink("../other", here("project/out")).unwrap();
        symlink("src", here("project/in")).unwrap();
        symlink("/", here("project/root")).unwrap();
        symlink(engine::address().unix_path(), here("project/socket")).unwrap();
        set_up(&here("project"));
        let setup = Setup::before(&engine::address()).listen("agent-sandbox");
        let project = format!("[parameters]\nproject = {:?}", here("project"));
        let gate = setup.plus(&project).start();
        let docker = Docker::at(gate.address());
        Self {
            folder,
            docker,
            gate,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn mount(arguments: &[&str], project: &Path) {
        let mut mount = Command::new("mount");
        mount.args(arguments).arg(project);
        if arguments.contains(&"--bind") {
            mount.arg(project);
        }
        process::run(&mut mount, Vec::new(), DEADLINE).ok("mount");
    }

    fn unmount(&self) {
        let _ = Command::new("umount")
            .args(["-q", "-l"])
            .arg(self.path("project"))
            .status();
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        self.unmount();
    }
}

/// The two spellings of a bind.
fn binds(source: &Path, more: &str) -> [String; 2] {
    let source = source.display();
    let (colon, comma) = if more.is_empty() {
        ("", "")
    } else {
        (":", ",")
    };
    [
        format!("-v {source}:/w{colon}{more}"),
        format!(
            "--mount type=bind,source={source},target=/w{comma}{}",
            more.replace("ro", "readonly")
        ),
    ]
}

#[test]
fn an_agent_mounts_what_lies_in_its_project() {
    let agent = Agent::new();
    let docker = &agent.docker;
    for source in ["project", "project/../project", "project/src/.."] {
        for bind in binds(&agent.path(source), "") {
            let told = docker.ok(format!("run --rm {bind} busybox cat /w/src/file"));
            assert_eq!(told, "project/src", "{bind}");
        }
    }
    // A container could put a link in the place of what lies beneath.
    for source in ["project/src", "project/in", "project/src/file"] {
        for bind in binds(&agent.path(source), "") {
            let told = docker.fails(format!("run --rm {bind} busybox cat /w"));
            assert!(told.contains("host-path-movable"), "{told}");
        }
    }
    let project = agent.path("project");
    for (number, bind) in binds(&project, "").iter().enumerate() {
        docker.ok(format!("run --rm {bind} busybox touch /w/made{number}"));
        assert!(project.join(format!("made{number}")).exists());
    }
    for bind in binds(&project, "ro") {
        assert_eq!(
            docker.ok(format!("run --rm {bind} busybox cat /w/src/file")),
            "project/src"
        );
        let told = docker.fails(format!("run --rm {bind} busybox touch /w/read-only"));
        assert!(told.contains("Read-only file system"), "{told}");
    }
    assert!(!project.join("read-only").exists());
}

#[test]
fn an_agent_mounts_nothing_else() {
    let agent = Agent::new();
    let (docker, gate) = (&agent.docker, &agent.gate);
    let before = gate.audit().len();
    for source in [
        "",
        "other",
        "project-2",
        "project/out",
        "project/out/file",
        "project/in/../../other",
        "project/../other",
        "project/root",
        "project/root/etc",
        "project/socket",
        "project/absent",
        "project/absent/../../other",
    ] {
        for access in ["", "ro"] {
            for bind in binds(&agent.path(source), access) {
                let told = docker.fails(format!("run --rm {bind} busybox true"));
                assert!(
                    told.contains("dockgate refuses ContainerCreate"),
                    "{bind}: {told}"
                );
            }
        }
    }
    let device = agent.path("other").display().to_string();
    for volume in [
        format!(
            "--mount type=volume,target=/w,volume-opt=type=none,volume-opt=o=bind,volume-opt=device={device}"
        ),
        "--volumes-from nobody -v /:/w".to_owned(),
    ] {
        let told = docker.fails(format!("run --rm {volume} busybox true"));
        assert!(told.contains("dockgate refuses ContainerCreate"), "{told}");
    }
    assert!(!agent.path("project/absent").exists());
    let forwarded = gate.audit()[before..]
        .iter()
        .filter(|record| record["operation"] == "ContainerCreate" && record["decision"] == "permit")
        .count();
    assert_eq!(forwarded, 0);
}

/// What a container would leave for whoever is a user of the host.
#[test]
fn an_agent_leaves_no_set_user_id_programs_on_the_host() {
    let agent = Agent::with(|_| {});
    let project = agent.path("project");
    let leave = "busybox sh -c 'cp /bin/busybox /w/su && chmod 4755 /w/su'";
    for bind in binds(&project, "") {
        let told = agent.docker.fails(format!("run --rm {bind} {leave}"));
        let expected = format!("mount -o remount,bind,nosuid,nodev {}", project.display());
        assert!(told.contains("host-path-set-user-id"), "{told}");
        assert!(told.contains(&expected), "{told}");
    }
    assert!(!project.join("su").exists());
    for bind in binds(&project, "ro") {
        let told = agent
            .docker
            .ok(format!("run --rm {bind} busybox cat /w/src/file"));
        assert_eq!(told, "project/src");
    }
    let bind = format!("-v {}:/w", project.display());
    Docker::at(&engine::address()).ok(format!("run --rm {bind} {leave}"));
    let left = fs::metadata(project.join("su")).unwrap();
    assert_eq!((left.uid(), left.mode() & 0o7777), (0, 0o4755));
}

#[test]
fn an_agent_that_puts_another_directory_in_the_place_of_its_project_mounts_nothing() {
    let agent = Agent::new();
    let project = agent.path("project");
    let bind = format!("-v {}:/w", project.display());
    let refused = |why: &str| {
        let told = agent
            .docker
            .fails(format!("run --rm {bind} busybox touch /w/reached"));
        assert!(told.contains("host-path-movable: "), "{told}");
        assert!(told.contains(why), "{told}");
        assert!(!agent.path("other/reached").exists());
    };
    chown(agent.folder.path(), Some(65534), None).unwrap();
    refused("others than root can write to");
    chown(agent.folder.path(), Some(0), None).unwrap();
    agent
        .docker
        .ok(format!("run --rm {bind} busybox touch /w/reached"));
    agent.unmount();
    fs::rename(&project, agent.path("kept")).unwrap();
    symlink(agent.path("other"), &project).unwrap();
    refused("another file than when the policies were loaded");
}
