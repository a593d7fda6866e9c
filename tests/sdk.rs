//! docker-py, dockerode and docker-compose work through the gate in their ordinary flows.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::tempdir;

use super::support::process::{self, Ended};
use super::support::site::{Site, at_both_doors};
use super::support::wait::DEADLINE;

#[test]
fn docker_py_works() {
    at_both_doors(|site| {
        let mut python = site.docker.client(made("python/bin/python"));
        python.arg(script("docker_py.py")).arg(site.name("x"));
        process::run(&mut python, Vec::new(), DEADLINE * 3).ok("docker_py.py");
    });
}

#[test]
fn dockerode_works() {
    at_both_doors(|site| {
        let mut node = site.docker.client("node");
        node.env("NODE_PATH", made("node/node_modules"));
        node.arg(script("dockerode.js")).arg(site.name("x"));
        process::run(&mut node, Vec::new(), DEADLINE * 3).ok("dockerode.js");
    });
}

#[test]
fn docker_compose_works() {
    at_both_doors(|site| {
        let folder = tempdir().unwrap();
        fs::write(folder.path().join("docker-compose.yml"), PROJECT).unwrap();
        let compose = |arguments: &str| compose(site, folder.path(), arguments);

        compose("up -d").ok("docker-compose up");
        let listed = compose("ps").ok("docker-compose ps");
        assert!(
            listed.contains("_server_1") && listed.contains("_store_1"),
            "{listed}"
        );
        let fetch = "exec -T store sh -c 'sleep 0.5; until wget -q -O- http://server:8080/page; do sleep 0.1; done'";
        assert_eq!(compose(fetch).ok("docker-compose exec"), "hello\n");
        let logs = compose("logs store").ok("docker-compose logs");
        assert!(logs.contains("stored"), "{logs}");
        assert_eq!(
            compose("exec -T store sh -c 'exit 3'").status.code(),
            Some(3)
        );
        // Nothing has changed: what runs is left as it is.
        let again = compose("up -d");
        assert!(again.stderr.contains("up-to-date"), "{again:?}");
        compose("up -d --scale server=2").ok("docker-compose up --scale");
        compose("stop -t 0").ok("docker-compose stop");
        compose("start").ok("docker-compose start");
        compose("down -v -t 0").ok("docker-compose down");
        let project = site.name("project");
        let left = format!("ps -aq --filter label=com.docker.compose.project={project}");
        assert_eq!(site.docker.ok(left), "");
    });
}

#[test]
fn docker_compose_runs_a_command_in_a_service() {
    at_both_doors(|site| {
        let folder = tempdir().unwrap();
        fs::write(folder.path().join("docker-compose.yml"), PROJECT).unwrap();
        let compose = |arguments: &str| compose(site, folder.path(), arguments);
        compose("up -d").ok("docker-compose up");
        let run = compose(
            "run --rm -T store sh -c 'sleep 0.5; until cat /data/file; do sleep 0.1; done'",
        );
        assert_eq!(run.ok("docker-compose run").trim(), "stored");
        compose("down -v -t 0").ok("docker-compose down");
    });
}

fn compose(site: &Site, folder: &Path, arguments: &str) -> Ended {
    let docker = site.docker.command(arguments);
    let mut compose = site.docker.client("docker-compose");
    compose
        .current_dir(folder)
        .arg("-p")
        .arg(site.name("project"))
        .args(docker.get_args());
    process::run(&mut compose, Vec::new(), DEADLINE * 2)
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/clients")
        .join(name)
}

/// A file that `scripts/clients` has made.
fn made(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("target/clients")
        .join(name);
    assert!(
        path.exists(),
        "{} is not there; run the tests with `make test`",
        path.display()
    );
    path
}

const PROJECT: &str = "
version: '3.8'
services:
  server:
    image: busybox
    command: sh -c 'echo hello >/tmp/page; exec httpd -f -p 8080 -h /tmp'
    networks: [inner]
  store:
    image: busybox
    command: sh -c 'echo stored | tee /data/file; sleep 600'
    depends_on: [server]
    environment:
      A: b
    networks: [inner]
    volumes: ['kept:/data']
networks:
  inner: {}
volumes:
  kept: {}
";
