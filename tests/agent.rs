//! A coding agent before the real daemon mounts its project's directory, and nothing that lies elsewhere.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use super::support::docker::Docker;
use super::support::engine;
use super::support::gate::{Gate, Setup};

/// A project of an agent's, with what lies around it.
fn agent() -> (tempfile::TempDir, Docker, Gate) {
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
    let setup = Setup::before(&engine::address()).listen("agent-sandbox");
    let project = format!("[parameters]\nproject = {:?}", here("project"));
    let gate = setup.plus(&project).start();
    let docker = Docker::at(gate.address());
    (folder, docker, gate)
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
    let (folder, docker, _gate) = agent();
    for source in ["project", "project/../project", "project/src/.."] {
        for bind in binds(&folder.path().join(source), "") {
            let told = docker.ok(format!("run --rm {bind} busybox cat /w/src/file"));
            assert_eq!(told, "project/src", "{bind}");
        }
    }
    // A container could put a link in the place of what lies beneath.
    for source in ["project/src", "project/in", "project/src/file"] {
        for bind in binds(&folder.path().join(source), "") {
            let told = docker.fails(format!("run --rm {bind} busybox cat /w"));
            assert!(told.contains("host-path-movable"), "{told}");
        }
    }
    let project = folder.path().join("project");
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
    let (folder, docker, gate) = agent();
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
            for bind in binds(&folder.path().join(source), access) {
                let told = docker.fails(format!("run --rm {bind} busybox true"));
                assert!(
                    told.contains("dockgate refuses ContainerCreate"),
                    "{bind}: {told}"
                );
            }
        }
    }
    let device = folder.path().join("other").display().to_string();
    for volume in [
        format!(
            "--mount type=volume,target=/w,volume-opt=type=none,volume-opt=o=bind,volume-opt=device={device}"
        ),
        "--volumes-from nobody -v /:/w".to_owned(),
    ] {
        let told = docker.fails(format!("run --rm {volume} busybox true"));
        assert!(told.contains("dockgate refuses ContainerCreate"), "{told}");
    }
    assert!(!folder.path().join("project/absent").exists());
    let forwarded = gate.audit()[before..]
        .iter()
        .filter(|record| record["operation"] == "ContainerCreate" && record["decision"] == "permit")
        .count();
    assert_eq!(forwarded, 0);
}
