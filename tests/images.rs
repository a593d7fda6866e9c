//! Images are built, saved, loaded, pushed and pulled through the gate.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use tempfile::{TempDir, tempdir};

use super::support::process::{checksum, noise};
use super::support::site::at_both_doors;

#[test]
fn takes_images_out_and_brings_them_back() {
    at_both_doors(|site| {
        let (docker, name, folder) = (&site.docker, site.name("image"), tempdir().unwrap());
        let here = folder.path().display();
        let id = |name: &str| docker.ok(format!("image inspect --format {{{{.Id}}}} {name}"));
        docker.ok(format!(
            "run --name {name} busybox sh -c 'echo changed >/changed'"
        ));
        docker.ok(format!(
            "commit --change 'ENV MADE=here' --message 'a change' {name} {name}"
        ));
        docker.ok(format!("tag {name} {name}:other"));
        let committed = id(&name);
        assert_eq!(id(&format!("{name}:other")), committed);

        docker.ok(format!("save -o {here}/saved.tar {name}"));
        docker.ok(format!("rmi {name} {name}:other"));
        assert!(
            docker
                .ok(format!("load -i {here}/saved.tar"))
                .contains(&name)
        );
        assert_eq!(id(&name), committed);
        let told = docker.ok(format!("run --rm {name} sh -c 'cat /changed; echo $MADE'"));
        assert_eq!(told, "changed\nhere");

        docker.ok(format!("export -o {here}/exported.tar {name}"));
        let exported = fs::read(folder.path().join("exported.tar")).unwrap();
        let import = format!("import --change 'ENV PATH=/bin' - {name}:imported");
        docker.run_with(import, exported).ok("docker import");
        let told = docker.ok(format!("run --rm {name}:imported cat /changed"));
        assert_eq!(told, "changed");
        // The daemon answers while the client still sends; its answer has to come through.
        let garbage = docker.run_with("load", noise(3 * 1024 * 1024));
        let told = garbage.failed("docker load of garbage");
        assert!(told.contains("Error processing tar file"), "{told}");
    });
}

#[test]
fn builds_from_a_context_of_50_mebibytes() {
    at_both_doors(|site| {
        let (docker, name, folder) = (&site.docker, site.name("built"), tempdir().unwrap());
        let bytes = noise(50 * 1024 * 1024);
        fs::write(folder.path().join("noise"), &bytes).unwrap();
        let steps =
            "FROM busybox\nARG WHO\nENV WHO=$WHO\nCOPY noise /noise\nRUN sha256sum /noise >/sum\n";
        fs::write(folder.path().join("Dockerfile"), steps).unwrap();
        let here = folder.path().display();
        let built = docker.ok(format!(
            "build --build-arg WHO=me --label {} -t {name} {here}",
            site.label()
        ));
        assert!(
            built.contains(&format!("Successfully tagged {name}:latest")),
            "{built}"
        );
        let told = docker.ok(format!("run --rm {name} sh -c 'cat /sum; echo $WHO'"));
        assert!(
            told.starts_with(&checksum(&bytes)) && told.ends_with("me"),
            "{told}"
        );
    });
}

#[test]
fn tells_why_a_build_has_failed() {
    at_both_doors(|site| {
        let (docker, name) = (&site.docker, site.name("unbuilt"));
        let steps = b"FROM busybox\nRUN echo before; exit 9\n".to_vec();
        let ended = docker.run_with(format!("build --force-rm -t {name} -"), steps);
        assert!(ended.text().contains("before"), "{ended:?}");
        let told = ended.failed("docker build");
        assert!(told.contains("returned a non-zero code: 9"), "{told}");
        let folder = tempdir().unwrap();
        let told = docker.fails(format!("build {}", folder.path().display()));
        assert!(told.contains("Dockerfile"), "{told}");
    });
}

#[test]
fn pushes_to_a_registry_and_pulls_from_it() {
    at_both_doors(|site| {
        let (docker, registry) = (&site.docker, Registry::start());
        let image = format!("{}/{}", registry.address, site.name("pushed"));
        docker.ok(format!("tag busybox {image}"));
        let told = docker.fails(format!("push {image}"));
        assert!(told.contains("no basic auth credentials"), "{told}");

        let told = docker.fails(format!("login -u someone -p wrong {}", registry.address));
        assert!(told.contains("401 Unauthorized"), "{told}");
        docker.ok(format!("login -u someone -p secret {}", registry.address));
        assert!(
            docker
                .ok(format!("push {image}"))
                .contains("digest: sha256:")
        );
        docker.ok(format!("rmi {image}"));
        let told = docker.ok(format!("pull {image}"));
        assert!(told.contains("Downloaded newer image"), "{told}");
        assert_eq!(docker.ok(format!("run --rm {image} echo pulled")), "pulled");
        let told = docker.fails(format!("pull {image}:missing"));
        assert!(
            told.contains("manifest unknown") || told.contains("not found"),
            "{told}"
        );
        if let Some(gate) = &site.gate {
            let audit = fs::read_to_string(gate.audit_file()).unwrap();
            assert!(!audit.contains("secret") && !gate.output().contains("secret"));
        }
    });
}

/// Debian's registry on a loopback port, with one user or none.
pub(crate) struct Registry {
    child: Child,
    pub(crate) address: String,
    _folder: TempDir,
}

impl Registry {
    fn start() -> Self {
        let folder = tempdir().unwrap();
        // bcrypt of `secret`.
        let users = "someone:$2b$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a\n";
        fs::write(folder.path().join("users"), users).unwrap();
        let path = folder.path().display();
        let auth = format!("auth: {{htpasswd: {{realm: test, path: {path}/users}}}}\n");
        Self::serve(folder, &auth)
    }

    /// One that asks for no password.
    pub(crate) fn start_open() -> Self {
        Self::serve(tempdir().unwrap(), "")
    }

    fn serve(folder: TempDir, auth: &str) -> Self {
        let configuration = configuration(folder.path(), auth);
        fs::write(folder.path().join("registry.yml"), configuration).unwrap();
        let mut command = Command::new("docker-registry");
        command.arg("serve").arg(folder.path().join("registry.yml"));
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("docker-registry runs");
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut lines = lines.map_while(Result::ok);
        let address = lines.find_map(|line| {
            let (_, rest) = line.split_once("listening on ")?;
            Some(rest.split(['"', ',']).next()?.to_owned())
        });
        // A full pipe would stop it.
        std::thread::spawn(move || lines.for_each(drop));
        Self {
            child,
            address: address.expect("the registry says where it listens"),
            _folder: folder,
        }
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn configuration(folder: &Path, auth: &str) -> String {
    let folder = folder.display();
    format!(
        "version: 0.1\nlog: {{level: info}}\nstorage: {{filesystem: {{rootdirectory: {folder}/data}}}}\n\
         http: {{addr: '127.0.0.1:0'}}\n{auth}"
    )
}
