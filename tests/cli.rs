//! The docker CLI's everyday commands work through the gate as they do without it.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::sync::mpsc;
use std::thread;

use tempfile::tempdir;

use super::support::address::Address;
use super::support::docker::Docker;
use super::support::process::{checksum, noise};
use super::support::site::{Site, at_both_doors};
use super::support::wait::{self, DEADLINE};
use super::support::{engine, http};

#[test]
fn answers_what_it_is_asked_about_itself() {
    at_both_doors(|site| {
        let docker = &site.docker;
        assert_eq!(docker.ok("version --format {{.Server.Os}}"), "linux");
        assert_eq!(docker.ok("info --format {{.OSType}}"), "linux");
        assert!(docker.ok("images").contains("busybox"));
        assert!(alone(docker, "system df").contains("Images"));
        assert!(docker.ok("history busybox").contains("Imported"));
        assert!(docker.ok("image inspect busybox").contains("\"Cmd\""));
        let missing = docker.fails(format!("inspect {}", site.name("missing")));
        assert!(missing.contains("No such object"), "{missing}");
        docker.ok("ps");
    });
}

#[test]
fn runs_a_container_and_gives_its_output_and_exit_code() {
    at_both_doors(|site| {
        let (docker, name) = (&site.docker, site.name("run"));
        let script = "'echo out; echo err >&2; exit 7'";
        let ended = docker.run(format!("run --rm --name {name} busybox sh -c {script}"));
        assert_eq!(ended.status.code(), Some(7), "{ended:?}");
        assert_eq!(ended.text(), "out\n");
        assert_eq!(ended.stderr, "err\n");
        assert!(
            docker
                .fails(format!("inspect {name}"))
                .contains("No such object")
        );
    });
}

#[test]
fn follows_the_logs_of_a_container_until_it_is_stopped() {
    at_both_doors(|site| {
        let (docker, name) = (&site.docker, site.name("logs"));
        let script = "'trap \"echo bye; exit 3\" TERM; echo one; sleep 0.3; echo two; \
                      while :; do sleep 0.1; done'";
        docker.ok(format!("run -d --name {name} busybox sh -c {script}"));

        let mut logs = docker.start(format!("logs -f --timestamps {name}"));
        let stdout = BufReader::new(logs.child().stdout.take().unwrap());
        let mut lines = stdout.lines().map(Result::unwrap);
        assert!(lines.next().unwrap().ends_with(" one"));
        assert!(lines.next().unwrap().ends_with(" two"));
        let waits = docker.start(format!("wait {name}"));
        docker.ok(format!("stop {name}"));

        assert!(lines.next().unwrap().ends_with(" bye"));
        assert_eq!(lines.next(), None);
        assert!(logs.finish(DEADLINE).status.success());
        assert_eq!(waits.finish(DEADLINE).ok("docker wait").trim(), "3");
        assert_eq!(docker.ok(format!("logs --tail 1 {name}")), "bye");
        docker.ok(format!("stop {name}"));
    });
}

#[test]
fn enters_a_running_container() {
    at_both_doors(|site| {
        let (docker, name) = (&site.docker, site.name("exec"));
        docker.ok(format!("run -d --name {name} busybox sleep 600"));
        let told = docker.ok(format!(
            "exec -e WHO=me -w /tmp {name} sh -c 'pwd; echo $WHO'"
        ));
        assert_eq!(told, "/tmp\nme");
        let ended = docker.run(format!("exec {name} sh -c 'exit 5'"));
        assert_eq!(ended.status.code(), Some(5));
        let ended = docker.run_with(format!("exec -i {name} tr a-z A-Z"), b"shout".to_vec());
        assert_eq!(ended.ok("docker exec -i"), "SHOUT");
        docker.ok(format!("exec -d {name} touch /tmp/detached"));
        wait::until("the detached exec has run", || {
            let test = docker.run(format!("exec {name} test -e /tmp/detached"));
            test.status.success().then_some(())
        });
    });
}

#[test]
fn leads_a_container_through_its_life() {
    at_both_doors(|site| {
        let (docker, name, renamed) = (&site.docker, site.name("life"), site.name("renamed"));
        let inspect = |what: &str, name: &str| docker.ok(format!("inspect --format {what} {name}"));
        docker.ok(format!("create --name {name} busybox sleep 600"));
        assert_eq!(inspect("{{.State.Status}}", &name), "created");
        docker.ok(format!("start {name}"));
        docker.ok(format!("pause {name}"));
        assert_eq!(inspect("{{.State.Status}}", &name), "paused");
        docker.ok(format!("unpause {name}"));
        docker.ok(format!("rename {name} {renamed}"));
        docker.ok(format!("update --memory 64m --memory-swap 64m {renamed}"));
        assert_eq!(inspect("{{.HostConfig.Memory}}", &renamed), "67108864");
        assert!(docker.ok(format!("top {renamed}")).contains("sleep 600"));
        assert!(
            docker
                .ok(format!("stats --no-stream {renamed}"))
                .contains(&renamed)
        );
        docker.ok(format!("restart -t 0 {renamed}"));
        docker.ok(format!("kill {renamed}"));
        wait::until("the container is dead", || {
            (inspect("{{.State.Status}}", &renamed) == "exited").then_some(())
        });
        assert_eq!(
            docker.ok(format!("ps -aq --filter name={renamed}")).len(),
            12
        );
        docker.ok(format!("rm -v {renamed}"));
        assert!(
            docker
                .fails(format!("start {renamed}"))
                .contains("No such container")
        );
    });
}

#[test]
fn copies_files_into_a_container_and_out_of_it() {
    at_both_doors(|site| {
        let (docker, name, folder) = (&site.docker, site.name("cp"), tempdir().unwrap());
        let here = folder.path().display();
        let bytes = noise(5 * 1024 * 1024 + 1);
        fs::create_dir_all(folder.path().join("in/deep")).unwrap();
        fs::write(folder.path().join("in/deep/noise"), &bytes).unwrap();
        docker.ok(format!("run -d --name {name} busybox sleep 600"));

        docker.ok(format!("cp {here}/in {name}:/tmp"));
        let inside = docker.ok(format!("exec {name} sha256sum /tmp/in/deep/noise"));
        assert!(inside.starts_with(&checksum(&bytes)), "{inside}");

        docker.ok(format!("cp {name}:/tmp/in/deep {here}/out"));
        let back = fs::read(folder.path().join("out/noise")).unwrap();
        assert_eq!(checksum(&back), checksum(&bytes));
        let streamed = docker.run(format!("cp {name}:/tmp/in/deep/noise -"));
        streamed.ok("docker cp to a pipe");
        assert!(streamed.stdout.len() > bytes.len());
        assert!(
            docker
                .ok(format!("diff {name}"))
                .contains("A /tmp/in/deep/noise")
        );
        assert!(
            docker
                .fails(format!("cp {name}:/nowhere -"))
                .contains("Could not find")
        );
    });
}

#[test]
fn tells_events_as_they_happen_and_from_the_past() {
    at_both_doors(|site| {
        let (docker, label) = (&site.docker, site.label());
        let filter = format!("--filter label={label}");
        let mut events = docker.start(format!("events {filter} --format {{{{.Action}}}}"));
        let stdout = BufReader::new(events.child().stdout.take().unwrap());
        let (sees, seen) = mpsc::channel();
        let reader = thread::spawn(move || {
            for action in stdout.lines().map_while(Result::ok) {
                sees.send(action).unwrap();
            }
        });
        // The stream may not stand yet when the first container comes; it does when one is seen.
        wait::until("an event is seen", || {
            docker.ok(format!("create --label {label} busybox"));
            seen.try_recv().ok()
        });
        docker.ok(format!("run --rm --label {label} busybox true"));
        let mut actions = Vec::new();
        wait::until("the container's end is seen", || {
            actions.extend(seen.try_iter());
            actions.contains(&"destroy".to_owned()).then_some(())
        });
        for action in ["start", "attach", "die"] {
            assert!(
                actions.contains(&action.to_owned()),
                "no {action} in {actions:?}"
            );
        }
        drop(events);
        reader.join().unwrap();

        // The daemon remembers only the last few hundred events, and other tests make many.
        wait::until("the past is told", || {
            docker.ok(format!("run --rm --label {label} busybox true"));
            let past = docker.ok(format!(
                "events --since 10m --until 0s {filter} --filter event=die"
            ));
            assert!(!past.contains("destroy"), "{past}");
            past.contains(" die ").then_some(())
        });
    });
}

#[test]
fn keeps_data_in_named_volumes() {
    at_both_doors(|site| {
        let (docker, name, label) = (&site.docker, site.name("volume"), site.label());
        assert_eq!(
            docker.ok(format!("volume create --label {label} {name}")),
            name
        );
        docker.ok(format!(
            "run --rm -v {name}:/data busybox sh -c 'echo kept >/data/file'"
        ));
        let mount = format!("--mount type=volume,source={name},target=/data,readonly");
        assert_eq!(
            docker.ok(format!("run --rm {mount} busybox cat /data/file")),
            "kept"
        );
        assert_eq!(
            docker.ok(format!("volume ls -q --filter name={name}")),
            name
        );
        assert_eq!(
            docker.ok(format!("volume inspect --format {{{{.Driver}}}} {name}")),
            "local"
        );
        let anonymous = "-v /data --tmpfs /scratch:size=1m";
        assert_eq!(
            docker.ok(format!("run --rm {anonymous} busybox ls /data /scratch")),
            "/data:\n\n/scratch:"
        );
        docker.ok(format!("volume rm {name}"));
        assert!(alone(docker, &format!("volume prune -f --filter label={label}")).contains("0B"));
    });
}

#[test]
fn joins_containers_by_networks() {
    at_both_doors(|site| {
        let (docker, network, server) = (&site.docker, site.name("network"), site.name("server"));
        docker.ok(format!("network create --label {} {network}", site.label()));
        let serve = "sh -c 'echo hello >/tmp/page; exec httpd -f -p 8080 -h /tmp'";
        docker.ok(format!(
            "run -d --name {server} --network {network} busybox {serve}"
        ));
        let fetch =
            format!("run --rm --network {network} busybox wget -q -O- http://{server}:8080/page");
        wait::until("the other container answers", || {
            (docker.run(&fetch).text() == "hello\n").then_some(())
        });

        docker.ok(format!("network disconnect {network} {server}"));
        let networks = "'{{range $name, $_ := .NetworkSettings.Networks}}{{$name}} {{end}}'";
        let networks = || docker.ok(format!("inspect --format {networks} {server}"));
        assert!(!networks().contains(&network));
        docker.ok(format!("network connect --alias again {network} {server}"));
        assert!(networks().contains(&network));
        assert!(
            docker
                .ok(format!("network inspect {network}"))
                .contains(&server)
        );
        assert!(docker.ok("network ls").contains(&network));
        docker.ok(format!("rm -f {server}"));
        docker.ok(format!("network rm {network}"));
    });
}

#[test]
fn publishes_a_port() {
    at_both_doors(|site| {
        let (docker, name) = (&site.docker, site.name("port"));
        let serve = "sh -c 'echo hello >/tmp/page; exec httpd -f -p 80 -h /tmp'";
        docker.ok(format!(
            "run -d --name {name} -p 127.0.0.1::80 busybox {serve}"
        ));
        let page = Address::Tcp(docker.ok(format!("port {name} 80")));
        wait::until("the published port answers", || {
            let answer = http::send(&page, b"GET /page HTTP/1.0\r\n\r\n").ok()?;
            (answer.text() == "hello\n").then_some(())
        });
    });
}

#[test]
fn clears_away_what_is_not_used() {
    at_both_doors(|site| {
        let (docker, label) = (&site.docker, site.label());
        let (container, network) = (site.name("gone"), site.name("gone-network"));
        docker.ok(format!(
            "run --name {container} --label {label} busybox true"
        ));
        docker.ok(format!("network create --label {label} {network}"));
        for kind in ["container", "network", "image", "system"] {
            alone(docker, &format!("{kind} prune -f --filter label={label}"));
        }
        assert!(
            docker
                .fails(format!("inspect {container}"))
                .contains("No such object")
        );
        assert!(
            docker
                .fails(format!("network inspect {network}"))
                .contains("not found")
        );
    });
}

#[test]
fn a_site_leaves_nothing_behind() {
    let site = Site::guarded();
    let name = site.name("left");
    site.docker.ok(format!("create --name {name} busybox"));
    drop(site);
    let target = format!("/containers/{name}/json");
    let answer = http::request(&engine::address(), "GET", &target, "");
    assert_eq!(answer.status, 404);
}

/// The daemon prunes and measures one at a time, and other tests ask for it too.
fn alone(docker: &Docker, command: &str) -> String {
    wait::until("no other such operation is running", || {
        let ended = docker.run(command);
        let is_busy = ended.stderr.contains("operation is already running");
        (!is_busy).then(|| ended.ok(command))
    })
}
