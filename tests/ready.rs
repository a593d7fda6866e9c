//! Each ready policy before the real daemon: its client's requests are answered, and the others are not forwarded.

use std::sync::Arc;

use super::support::docker::Docker;
use super::support::gate::{Gate, Setup};
use super::support::process::unique;
use super::support::{engine, http};

/// A gate with one ready policy, and a container that runs, made past it.
struct Place {
    gate: Arc<Gate>,
    name: String,
}

impl Place {
    fn with(policy: &str) -> Self {
        let gate = Setup::before(&engine::address()).listen(policy).start();
        let name = unique("r") + "x";
        let past_the_gate = Docker::at(&engine::address());
        past_the_gate.ok(format!("run -d --name {name} busybox sleep 600"));
        Self {
            gate: Arc::new(gate),
            name,
        }
    }

    /// Asks one thing, `NAME` being the container, and asserts what is answered.
    fn asks(&self, status: u16, line: &str, body: &str) {
        let (method, target) = line.split_once(' ').unwrap();
        let target = target.replace("NAME", &self.name);
        let head = format!(
            "{method} {target} HTTP/1.1\r\nHost: d\r\nConnection: close\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let answer = http::send(self.gate.address(), head.as_bytes()).unwrap();
        assert_eq!(answer.status, status, "{line}: {}", answer.text());
        let is_refused = answer.text().contains("dockgate refuses");
        assert_eq!(is_refused, status == 403, "{line}: {}", answer.text());
    }

    fn all(&self, status: u16, lines: &[&str]) {
        for line in lines {
            let body = if line.starts_with("POST") { "{}" } else { "" };
            self.asks(status, line, body);
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        engine::clean(&self.name);
    }
}

const LOOKS: &[&str] = &[
    "GET /_ping",
    "HEAD /_ping",
    "GET /v1.24/version",
    "GET /info",
    "GET /v1.24/containers/json?limit=0",
    "GET /v1.24/containers/NAME/json",
    "GET /v1.40/networks",
    "GET /v1.40/networks/bridge",
    "GET /events?since=0&until=1&filters=%7B%22type%22%3A%7B%22container%22%3Atrue%7D%7D",
];
const CHANGES: &[&str] = &[
    "POST /containers/NAME/kill",
    "DELETE /containers/NAME?force=1",
    "POST /containers/NAME/exec",
    "POST /containers/create?name=NAME-new",
    "PUT /containers/NAME/archive?path=/",
    "POST /images/create?fromImage=busybox",
    "DELETE /images/busybox",
    "POST /volumes/create",
    "POST /networks/create",
    "POST /containers/prune",
    "POST /build",
];

#[test]
fn traefik_finds_services_and_changes_nothing() {
    let place = Place::with("traefik");
    place.all(200, LOOKS);
    place.all(403, CHANGES);
    place.all(
        403,
        &[
            "GET /containers/NAME/logs?stdout=1",
            "GET /images/json",
            "GET /volumes",
            "GET /containers/NAME/archive?path=/etc",
        ],
    );
}

#[test]
fn dashboards_look_and_one_may_start_and_stop() {
    let more = [
        "GET /containers/NAME/logs?stdout=1",
        "GET /containers/NAME/stats?stream=0",
        "GET /containers/NAME/top",
        "GET /images/json",
        "GET /volumes",
    ];
    for (policy, status) in [("read-only", 403), ("dashboard", 204)] {
        let place = Place::with(policy);
        place.all(200, LOOKS);
        place.all(200, &more);
        place.all(403, CHANGES);
        place.all(
            status,
            &[
                "POST /containers/NAME/restart?t=0",
                "POST /containers/NAME/stop?t=0",
                "POST /containers/NAME/start",
            ],
        );
        place.all(
            403,
            &[
                "GET /containers/NAME/export",
                "GET /containers/NAME/archive?path=/etc",
            ],
        );
    }
}

#[test]
fn portainer_manages_containers_and_not_the_host() {
    let place = Place::with("portainer");
    place.all(200, LOOKS);
    place.all(
        200,
        &[
            "GET /containers/json?all=1",
            "GET /images/json?all=0",
            "GET /volumes?filters=%7B%22dangling%22:%5B%22true%22%5D%7D",
        ],
    );
    let create = "POST /containers/create?name=NAME-web";
    let form = r#"{"Image":"busybox","Env":[],"HostConfig":{"Binds":["NAME-data:/d"],"NetworkMode":"bridge","RestartPolicy":{"Name":"always"}}}"#;
    let form = form.replace("NAME", &place.name);
    place.asks(201, create, &form);
    for field in [
        r#""Privileged":true"#,
        r#""Binds":["/:/h"]"#,
        r#""NetworkMode":"host""#,
        r#""CapAdd":["SYS_ADMIN"]"#,
    ] {
        let body = format!(r#"{{"Image":"busybox","HostConfig":{{{field}}}}}"#);
        place.asks(403, "POST /containers/create?name=NAME-out", &body);
    }
    place.asks(
        201,
        "POST /containers/NAME/exec",
        r#"{"Cmd":["sh"],"Tty":true,"AttachStdin":true,"AttachStdout":true}"#,
    );
    let volume = format!(r#"{{"Name":"{}-data2","Driver":"local"}}"#, place.name);
    place.asks(201, "POST /volumes/create", &volume);
    place.all(403, &["POST /swarm/init", "POST /services/create"]);
    place.asks(403, "POST /plugins/pull?remote=x", "[]");
    place.asks(204, "DELETE /containers/NAME-web?v=1&force=1", "");
}

#[test]
fn watchtower_makes_a_container_anew() {
    let place = Place::with("watchtower");
    place.all(
        200,
        &[
            "GET /_ping",
            "GET /v1.25/containers/json?limit=0",
            "GET /v1.25/containers/NAME/json",
            "GET /v1.25/images/busybox/json",
        ],
    );
    place.all(
        403,
        &[
            "POST /containers/NAME/exec",
            "GET /containers/NAME/archive?path=/etc",
            "POST /volumes/create",
            "POST /build",
        ],
    );
    place.all(204, &["POST /v1.25/containers/NAME/kill?signal=SIGKILL"]);
    place.asks(204, "DELETE /v1.25/containers/NAME?force=1&v=1", "");
    let body = r#"{"Image":"busybox","Cmd":["sleep","600"],"HostConfig":{"NetworkMode":"bridge"},"NetworkingConfig":{"EndpointsConfig":{"bridge":{}}}}"#;
    place.asks(201, "POST /v1.25/containers/create?name=NAME", body);
    place.all(204, &["POST /v1.25/containers/NAME/start"]);
    place.asks(
        403,
        "POST /v1.25/containers/create?name=NAME-out",
        r#"{"Image":"busybox","HostConfig":{"Privileged":true}}"#,
    );
}

#[test]
fn a_ci_runner_builds_and_runs_jobs() {
    let place = Place::with("ci-runner");
    let (docker, name) = (Docker::at(place.gate.address()), &place.name);
    let steps = b"FROM busybox\nRUN echo built >/built\n".to_vec();
    docker
        .run_with(format!("build -t {name}-image -"), steps)
        .ok("docker build");
    docker.ok(format!("volume create {name}-work"));
    let job = format!("run --rm -v {name}-work:/w {name}-image cat /built");
    assert_eq!(docker.ok(job), "built");
    for refused in [
        format!("exec {name} true"),
        "run --rm --privileged busybox true".to_owned(),
        "run --rm -v /:/h busybox true".to_owned(),
        "run --rm -p 8080:80 busybox true".to_owned(),
        format!("rmi {name}-image"),
        "container prune -f".to_owned(),
        format!("cp {name}:/etc /tmp"),
    ] {
        let told = docker.fails(&refused);
        assert!(told.contains("dockgate refuses"), "{refused}: {told}");
    }
}

#[test]
fn open_permits_what_others_refuse() {
    let place = Place::with("open");
    let docker = Docker::at(place.gate.address());
    let told = docker.ok("run --rm --pid host -v /etc:/h:ro busybox ls /h/passwd");
    assert_eq!(told, "/h/passwd");
}
