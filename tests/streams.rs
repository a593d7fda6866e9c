//! Streams flow through the gate both ways, whole and in any number, and end when either side ends.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::thread;
use std::time::Duration;

use super::support::docker::{Docker, Running};
use super::support::process::{checksum, noise};
use super::support::site::{Site, at_both_doors};
use super::support::wait::{self, DEADLINE};
use super::support::{connections, engine, http};

#[test]
fn carries_50_mebibytes_through_a_container_and_back() {
    at_both_doors(|site| {
        let bytes = noise(50 * 1024 * 1024);
        let sum = checksum(&bytes);
        let ended = site.docker.run_with("run -i --rm busybox cat", bytes);
        ended.ok("docker run -i");
        assert_eq!(checksum(&ended.stdout), sum);
    });
}

#[test]
fn carries_50_mebibytes_into_an_exec_and_back() {
    at_both_doors(|site| {
        let (docker, name) = (&site.docker, site.name("exec"));
        docker.ok(format!("run -d --name {name} busybox sleep 600"));
        let bytes = noise(50 * 1024 * 1024);
        let sum = checksum(&bytes);
        let ended = docker.run_with(format!("exec -i {name} cat"), bytes);
        ended.ok("docker exec -i");
        assert_eq!(checksum(&ended.stdout), sum);
    });
}

#[test]
fn ends_a_container_that_reads_to_the_end_of_its_input() {
    at_both_doors(|site| {
        for _ in 0..5 {
            let ended = site
                .docker
                .run_with("run -i --rm busybox cat", b"x\n".to_vec());
            assert_eq!(ended.ok("docker run -i"), "x\n");
        }
        let ended = site.docker.run_with(
            "run -i --rm busybox sh -c 'cat >/dev/null; sleep 1; echo late'",
            b"x".to_vec(),
        );
        assert_eq!(ended.ok("docker run -i"), "late\n");
    });
}

#[test]
fn ends_when_a_container_stops_reading_an_endless_input() {
    at_both_doors(|site| {
        let mut running = site.docker.start("run -i --rm busybox head -n 3");
        let mut stdin = running.child().stdin.take().unwrap();
        let writer = thread::spawn(move || while stdin.write_all(b"line\n").is_ok() {});
        assert_eq!(
            running.finish(DEADLINE).ok("docker run -i"),
            "line\nline\nline\n"
        );
        writer.join().unwrap();
    });
}

#[test]
fn runs_20_containers_at_once() {
    at_both_doors(|site| {
        thread::scope(|scope| {
            for number in 0..20 {
                scope.spawn(move || {
                    let told = site.docker.ok(format!(
                        "run --rm busybox sh -c 'echo {number}; echo {number}'"
                    ));
                    assert_eq!(told, format!("{number}\n{number}"));
                });
            }
        });
    });
}

#[test]
fn a_silent_stream_is_not_cut() {
    at_both_doors(|site| {
        let (docker, name) = (&site.docker, site.name("silent"));
        docker.ok(format!(
            "run -d --name {name} busybox sh -c 'echo first; sleep 15; echo last'"
        ));
        let logs = docker.start(format!("logs -f {name}"));
        let attach = docker.start(format!("attach --no-stdin {name}"));
        assert_eq!(logs.finish(DEADLINE).ok("docker logs -f"), "first\nlast\n");
        assert_eq!(attach.finish(DEADLINE).ok("docker attach"), "last\n");
    });
}

#[test]
fn the_daemons_side_of_a_followed_log_ends_with_its_client() {
    at_both_doors(|site| {
        let name = site.name("killed-logs");
        site.docker.ok(format!(
            "run -d --name {name} busybox sh -c 'echo up; sleep 600'"
        ));
        ends_with_its_client(site, site.docker.start(format!("logs -f {name}")));
    });
}

#[test]
fn the_daemons_side_of_events_ends_with_its_client() {
    at_both_doors(|site| {
        let label = site.label();
        let since = site
            .docker
            .start(format!("events --since 10m --filter label={label}"));
        site.docker.ok(format!("create --label {label} busybox"));
        ends_with_its_client(site, since);
    });
}

#[test]
fn the_daemons_side_of_an_attached_container_ends_with_its_client() {
    at_both_doors(|site| {
        let name = site.name("killed-attach");
        // It writes all the time: a hijacked stream's end shows as a failed write to the client.
        let chatter = "sh -c 'while :; do echo up; sleep 0.05; done'";
        site.docker
            .ok(format!("run -d --name {name} busybox {chatter}"));
        ends_with_its_client(site, site.docker.start(format!("attach --no-stdin {name}")));
    });
}

#[test]
fn the_daemons_side_of_an_exec_ends_with_its_client() {
    at_both_doors(|site| {
        let name = site.name("killed-exec");
        site.docker
            .ok(format!("run -d --name {name} busybox sleep 600"));
        let chatter = "sh -c 'while :; do echo up; sleep 0.05; done'";
        ends_with_its_client(site, site.docker.start(format!("exec {name} {chatter}")));
    });
}

#[test]
fn the_clients_side_ends_with_the_container() {
    at_both_doors(|site| {
        let (docker, name) = (&site.docker, site.name("removed"));
        let mut attached = docker.start(format!(
            "run -i --name {name} busybox sh -c 'echo up; sleep 600'"
        ));
        first_line(&mut attached);
        let mut logs = docker.start(format!("logs -f {name}"));
        first_line(&mut logs);
        Docker::at(&engine::address()).ok(format!("rm -f {name}"));
        assert_eq!(attached.finish(DEADLINE).status.code(), Some(137));
        logs.finish(DEADLINE);
    });
}

#[test]
fn a_wait_is_answered_before_the_container_ends() {
    let site = Site::guarded();
    let name = site.name("wait");
    site.docker
        .ok(format!("run -d --name {name} busybox sleep 600"));
    let mut connection = site.docker.address().connect().unwrap();
    let wait = format!(
        "POST /v1.41/containers/{name}/wait HTTP/1.1\r\nHost: docker\r\nContent-Length: 0\r\n\r\n"
    );
    connection.write_all(wait.as_bytes()).unwrap();
    connection.read_deadline(Duration::from_secs(10)).unwrap();
    let mut reader = BufReader::new(connection);
    assert_eq!(
        http::read_head(&mut reader)
            .expect("the head comes at once")
            .0,
        200
    );
    site.docker.ok(format!("kill {name}"));
    let mut body = String::new();
    reader.read_line(&mut body).unwrap();
    reader.read_line(&mut body).unwrap();
    assert!(body.contains("\"StatusCode\":137"), "{body}");
}

/// Kills a client in the midst of a stream and waits until the gate holds no connection to the daemon for it.
fn ends_with_its_client(site: &Site, mut client: Running) {
    first_line(&mut client);
    let Some(gate) = &site.gate else { return };
    let daemon = engine::address();
    let streams = || connections::to_daemon(daemon.unix_path(), gate.id());
    assert!(streams() > 0, "the stream that is to end is not seen");
    drop(client);
    wait::until("the gate closes the daemon's side", || {
        (streams() == 0).then_some(())
    });
}

fn first_line(client: &mut Running) {
    let mut byte = [0];
    let stdout = client.child().stdout.as_mut().unwrap();
    stdout.read_exact(&mut byte).expect("the stream has begun");
}
