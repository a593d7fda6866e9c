//! The image and the compose file do what they say.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::support::address::Address;
use super::support::certificates::Authority;
use super::support::docker::Docker;
use super::support::process::{self, Ended, unique};
use super::support::wait::{self, DEADLINE};
use super::support::{engine, json};

/// The gate's user in the image.
const NOBODY: u32 = 65534;

/// The compose project before the real daemon; it is brought down and its images are removed at the end.
struct Project {
    docker: Docker,
    name: String,
    folder: TempDir,
    authority: Authority,
}

impl Project {
    fn up() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::new(&folder.path().join("certs"));
        authority.certs(&["server", "gate", "--san", "IP:127.0.0.1"]);
        authority.certs(&["client", "someone"]);
        belong_to_the_gate(&folder.path().join("certs"));
        let docker = Docker::at(&engine::address());
        let project = Self {
            docker,
            // The last letter keeps it from beginning another project's name.
            name: unique("t") + "p",
            folder,
            authority,
        };
        project.build_images();
        project.compose("up -d").ok("docker-compose up");
        project
    }

    fn build_images(&self) {
        let context = repository("target/image");
        assert!(
            context.join("dockgate").exists(),
            "no {}; run the tests with `make test`",
            context.display()
        );
        self.docker
            .ok(format!("build -t {}-gate {}", self.name, context.display()));

        let context = self.folder.path().join("ui");
        fs::create_dir(&context).unwrap();
        fs::write(
            context.join("Dockerfile"),
            "FROM busybox\nCOPY root /\nENV PATH=/bin\n",
        )
        .unwrap();
        // The client of this machine, with the libraries that it wants.
        let copy = "mkdir root && cp -L --parents $(command -v docker) $(ldd $(command -v docker) | grep -o '/[^ ]*') \
                    root; mkdir -p root/bin && cp -L $(command -v docker) root/bin/";
        let mut shell = Command::new("sh");
        shell.args(["-c", copy]).current_dir(&context);
        process::run(&mut shell, Vec::new(), DEADLINE);
        assert!(context.join("root/bin/docker").exists());
        self.docker
            .ok(format!("build -t {}-ui {}", self.name, context.display()));
    }

    fn compose(&self, arguments: &str) -> Ended {
        let socket = engine::address().unix_path().to_owned();
        let words = self.docker.command(arguments);
        let mut compose = self.docker.client("docker-compose");
        compose
            .arg("-f")
            .arg(repository("docker-compose.yml"))
            .arg("-p")
            .arg(&self.name)
            .args(words.get_args());
        compose.env(
            "DOCKER_GID",
            fs::metadata(&socket).unwrap().gid().to_string(),
        );
        compose.env("DOCKER_SOCKET", socket);
        compose.env("DOCKGATE_IMAGE", format!("{}-gate", self.name));
        compose.env("DOCKGATE_CERTS", self.folder.path().join("certs"));
        compose.env("DOCKGATE_PUBLISH", "127.0.0.1:0");
        compose.env("UI_IMAGE", format!("{}-ui", self.name));
        process::run(&mut compose, Vec::new(), DEADLINE * 2)
    }

    /// Runs docker in the container that stands for a management UI.
    fn in_ui(&self, command: &str) -> Ended {
        self.compose(&format!("exec -T ui docker {command}"))
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.compose("logs").text());
        }
        self.compose("down -v -t 2");
        engine::clean(&self.name);
    }
}

#[test]
fn the_compose_file_gives_a_management_ui_a_filtered_socket_and_nothing_else() {
    let project = Project::up();
    wait::until("the gate answers the UI", || {
        project.in_ui("ps").status.success().then_some(())
    });
    let listed = project
        .in_ui("ps --format {{.Names}}")
        .ok("docker ps in the UI");
    assert!(
        listed.contains(&format!("{}_gate_1", project.name)),
        "{listed}"
    );

    let name = format!("{}-escape", project.name);
    let told = project
        .in_ui(&format!("run --name {name} -v /:/host busybox true"))
        .failed("docker run in the UI");
    assert!(told.contains("Error response from daemon"), "{told}");
    assert!(
        project
            .docker
            .fails(format!("inspect {name}"))
            .contains("No such object")
    );
    let sockets = project.compose("exec -T ui sh -c 'find / -xdev -type s; ls /var/run'");
    assert_eq!(sockets.ok("find").trim(), "docker.sock");
}

#[test]
fn the_compose_file_gives_the_gate_no_more_than_it_needs() {
    let project = Project::up();
    let id = project
        .compose("ps -q gate")
        .ok("docker-compose ps")
        .trim()
        .to_owned();
    let gate = &json(project.docker.ok(format!("inspect {id}")))[0];
    let host = &gate["HostConfig"];
    assert_eq!(host["ReadonlyRootfs"], true);
    assert_eq!(host["Privileged"], false);
    assert_eq!(host["CapDrop"], serde_json::json!(["ALL"]));
    assert_eq!(
        host["SecurityOpt"],
        serde_json::json!(["no-new-privileges:true"])
    );
    assert_eq!(gate["Config"]["User"], format!("{NOBODY}:{NOBODY}"));

    let process = gate["State"]["Pid"].as_u64().unwrap();
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = |name: &str| {
        status
            .lines()
            .find(|line| line.starts_with(name))
            .unwrap()
            .to_owned()
    };
    assert!(line("Uid:").ends_with(&format!("\t{NOBODY}")), "{status}");
    assert!(line("CapBnd:").ends_with("\t0000000000000000"), "{status}");
    assert!(line("NoNewPrivs:").ends_with("\t1"), "{status}");

    let files = project.docker.run(format!("export {id}"));
    let mut tar = Command::new("tar");
    let listed = process::run(tar.arg("t"), files.stdout, DEADLINE).ok("tar t");
    let programs: Vec<&str> = listed
        .lines()
        .filter(|name| !name.ends_with('/') && is_of_the_image(name))
        .collect();
    assert_eq!(programs, ["dockgate"], "{listed}");
}

#[test]
fn the_compose_file_lets_people_in_over_mutual_tls() {
    let project = Project::up();
    let id = project
        .compose("ps -q gate")
        .ok("docker-compose ps")
        .trim()
        .to_owned();
    let published = project.docker.ok(format!("port {id} 2376"));
    let address = Address::Tcp(published.lines().next().unwrap().to_owned());
    let client = Docker::at(&address.with_client_certificate(&project.authority.client("someone")));
    wait::until("the gate answers over TLS", || {
        client.run("version").status.success().then_some(())
    });
    assert_eq!(client.ok("run --rm busybox echo from afar"), "from afar");
    let told = client.fails("run --rm --pid host busybox true");
    assert!(told.contains("Error response from daemon"), "{told}");
    let logs = || {
        let logs = project.compose("logs --no-color gate");
        logs.ok("docker-compose logs")
    };
    let told = logs();
    assert!(told.contains("confined to the files"), "{told}");
    // A list that is changed on the host, beneath a bind mount, is read in the container.
    project.authority.certs(&["revoke", "someone"]);
    wait::until("the revoked client is turned away", || {
        (!client.run("version").status.success()).then_some(())
    });
    let logs = logs();
    assert!(logs.contains("INFO reloaded"), "{logs}");
    assert!(
        logs.contains("someone") && logs.contains("ContainerCreate"),
        "{logs}"
    );
}

fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// What Docker lays into every container is not of the image.
fn is_of_the_image(name: &str) -> bool {
    !["etc/", "dev/", "proc/", "sys/", "run/", ".dockerenv"]
        .iter()
        .any(|made| name.starts_with(made))
}

fn belong_to_the_gate(folder: &Path) {
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).unwrap();
    let server = folder.join("server");
    for path in [
        server.clone(),
        server.join("gate"),
        server.join("gate/key.pem"),
    ] {
        std::os::unix::fs::chown(&path, Some(NOBODY), Some(NOBODY)).unwrap();
    }
}
