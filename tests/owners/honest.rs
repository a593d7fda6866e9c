//! Honest use of a daemon that is kept apart: the docker CLI, compose, and tools that make a container anew from what it was.

use std::fs;

use tempfile::TempDir;

use super::super::support::docker::Docker;
use super::super::support::process::{self, Ended};
use super::super::support::wait::DEADLINE;
use super::*;

const COMPOSE: &str = r#"
version: "2.4"
services:
  web:
    build: .
    command: sleep 600
    depends_on: [db]
    networks: [front, back]
    volumes: ["data:/data", "/scratch"]
  db:
    image: busybox
    command: sleep 600
    networks: [back]
    volumes: ["db:/db:rw"]
  side:
    image: busybox
    command: sleep 600
    network_mode: "service:db"
    volumes_from: ["db:ro"]
networks: { front: {}, back: { internal: true } }
volumes: { data: {}, db: {} }
"#;

fn compose(docker: &Docker, folder: &TempDir, project: &str, command: &str) -> Ended {
    let mut compose = docker.client("docker-compose");
    compose.current_dir(folder.path());
    compose
        .args(["-p", project])
        .args(command.split_whitespace());
    process::run(&mut compose, Vec::new(), DEADLINE * 3)
}

#[test]
fn two_owners_compose_side_by_side() {
    let house = House::new("");
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("docker-compose.yml"), COMPOSE).unwrap();
    let file = "FROM busybox\nVOLUME /of-image\nRUN echo one\n";
    fs::write(folder.path().join("Dockerfile"), file).unwrap();
    let past_the_gate = house.daemon.address();
    let clients = [
        (house.alice(), "ac", json!("alice")),
        (house.bob(), "bc", json!(BOB)),
        (&past_the_gate, "dc", Value::Null),
    ];
    for (address, project, _) in &clients {
        let docker = Docker::at(address);
        let up = |arguments: &str| {
            compose(&docker, &folder, project, &format!("up -d {arguments}"))
                .ok(&format!("docker-compose up for {project}"));
        };
        up("");
        up("");
        let web = format!("{project}_web_1");
        docker.ok(format!(
            "exec {web} sh -c 'echo kept > /scratch/f; echo kept > /of-image/f'"
        ));
        // Made anew, from the same image and from another, with the volumes that it had.
        up("--force-recreate -t 0");
        fs::write(
            folder.path().join("Dockerfile"),
            format!("{file}RUN echo {project}\n"),
        )
        .unwrap();
        up("--build -t 0");
        let kept = docker.ok(format!("exec {web} cat /scratch/f /of-image/f"));
        assert_eq!(kept, "kept\nkept", "{project}");
        let ps = compose(&docker, &folder, project, "ps").ok("docker-compose ps");
        assert_eq!(ps.matches("Up").count(), 3, "{ps}");
    }
    for (_, project, owner) in &clients {
        let told = house.read(&format!("/v1.41/containers/{project}_web_1/json"));
        assert_eq!(told["Config"]["Labels"]["dockgate.owner"], *owner);
        for mount in told["Mounts"].as_array().unwrap() {
            let name = mount["Name"].as_str().unwrap();
            let volume = house.read(&format!("/v1.41/volumes/{name}"));
            assert_eq!(volume["Labels"]["dockgate.owner"], *owner, "{mount}");
        }
    }
    for (address, project, _) in &clients {
        let docker = Docker::at(address);
        compose(&docker, &folder, project, "down -v -t 0 --rmi local").ok("docker-compose down");
    }
    // Compose itself leaves the anonymous ones that it has mounted anew.
    let left = house.read("/v1.41/volumes");
    let left = left["Volumes"].as_array().unwrap();
    for (_, _, owner) in &clients {
        let own = left
            .iter()
            .filter(|one| one["Labels"]["dockgate.owner"] == *owner);
        assert_eq!(own.count(), 2, "{owner}: {left:?}");
    }
    assert_eq!(house.read("/v1.41/containers/json?all=1"), json!([]));
}

#[test]
fn the_cli_works_as_it_does_alone() {
    let house = House::new("");
    let [alice, bob] = [house.alice(), house.bob()].map(Docker::at);
    for (docker, name) in [(&alice, "a"), (&bob, "b")] {
        let volume = docker.ok("volume create");
        docker.ok(format!("run --rm -v {volume}:/v busybox touch /v/f"));
        docker.ok(format!("run --rm -v {volume}:/v:ro busybox ls /v/f"));
        // Anonymous volumes go with the container, named ones stay.
        docker.ok(format!(
            "run --rm -v /x -v {name}-named:/y busybox touch /y/f"
        ));
        docker.ok(format!(
            "run --name {name}-v -v /x -v {name}-named:/y busybox cat /y/f"
        ));
        docker.ok(format!("rm -v {name}-v"));
        let mut volumes = vec![volume, format!("{name}-named")];
        volumes.sort();
        let mut listed: Vec<_> = docker
            .ok("volume ls -q")
            .lines()
            .map(str::to_owned)
            .collect();
        listed.sort();
        assert_eq!(listed, volumes);
        docker.ok(format!("volume create {name}-named"));
        docker.ok(format!("network create {name}-net"));
        let again = docker.fails(format!("network create {name}-net"));
        assert!(again.contains("already exists"), "{again}");
        docker.ok(format!(
            "run -d --name {name}-c --network {name}-net -v {name}-named:/y busybox sleep 600"
        ));
        docker.ok(format!("restart -t 0 {name}-c"));
        docker.ok(format!("exec {name}-c cat /y/f"));
        docker.ok(format!("cp {name}-c:/etc/hostname -"));
        docker.ok(format!("rename {name}-c {name}-d"));
        let since = docker.ok(format!("ps -aq --filter since={name}-d"));
        assert_eq!(since, "");
        docker.ok(format!("commit {name}-d {name}-committed"));
        docker.ok(format!("history {name}-committed"));
        docker.ok(format!("rm -f {name}-d"));
    }
    // From the same Dockerfile, each has an image of its own, and the steps are made once.
    for (docker, name) in [(&alice, "a"), (&bob, "b")] {
        let file = b"FROM busybox\nRUN echo one > /one\nRUN cat /one\n".to_vec();
        let told = docker.run_with(format!("build -t {name}-built -"), file);
        told.ok("docker build");
        docker.ok(format!("run --rm {name}-built cat /one"));
        docker.ok(format!("rmi {name}-built"));
    }
    copied(&house);
}

/// As tools do that follow an image: the container is made anew from all that the daemon tells of it.
fn copied(house: &House) {
    let docker = Docker::at(house.bob());
    docker.ok("network create b-two");
    docker.ok("run -d --name b-old --network b-two -v b-data:/data -v /anonymous -l k=v busybox sleep 600");
    let bob = house.bob();
    let told = past(bob, "GET", "/v1.41/containers/b-old/json", &Value::Null);
    let told = support::json(&told.body);
    assert_eq!(told["Config"]["Labels"]["dockgate.owner"], BOB);
    let mut body = told["Config"].clone();
    body["HostConfig"] = told["HostConfig"].clone();
    // What the daemon has filled in, which is the policy's matter.
    for key in ["CgroupnsMode", "MaskedPaths", "ReadonlyPaths", "Runtime"] {
        body["HostConfig"].as_object_mut().unwrap().remove(key);
    }
    body["NetworkingConfig"] = json!({ "EndpointsConfig": told["NetworkSettings"]["Networks"] });
    docker.ok("rename b-old b-gone");
    docker.ok("stop -t 0 b-gone");
    makes(bob, "/v1.41/containers/create?name=b-old", &body);
    docker.ok("rm b-gone");
    docker.ok("start b-old");
    let anew = house.read("/v1.41/containers/b-old/json");
    assert_eq!(anew["Config"]["Labels"], told["Config"]["Labels"]);
    assert_eq!(anew["State"]["Running"], true);
    assert_eq!(
        anew["NetworkSettings"]["Networks"]["b-two"]["NetworkID"],
        told["NetworkSettings"]["Networks"]["b-two"]["NetworkID"]
    );
}
