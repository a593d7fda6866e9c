//! An owner's day: what it makes, uses and removes, and what it sees meanwhile.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Lines};
use std::path::Path;
use std::process::ChildStdout;
use std::thread;

use crate::support::docker::Docker;
use crate::support::process;
use crate::support::wait::{self, DEADLINE};
use crate::support::{engine, http, json};

/// Of the docker CLI's work, beside docker-py's.
const TURNS: usize = 3;

/// One client with what it has of its own from beginning to end.
pub(super) struct Owner {
    docker: Docker,
    owner: &'static str,
    /// Begins the names of what this test makes.
    all: String,
    /// Begins the names of what it makes itself; ends with a dash.
    prefix: String,
    /// Since when its events are asked for.
    since: String,
}

impl Owner {
    pub(super) fn new(docker: Docker, owner: &'static str, all: &str) -> Self {
        let name = owner.replace('/', "-");
        let since = docker.ok("info --format {{.SystemTime}}");
        Self {
            docker,
            owner,
            all: all.to_owned(),
            prefix: format!("{all}{name}-"),
            since,
        }
    }

    fn name(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    pub(super) fn settles(&self) {
        let (docker, of) = (&self.docker, &self.prefix);
        docker.ok(format!("volume create {of}kept"));
        docker.ok(format!("network create {of}kept"));
        let run = format!("run -d --name {of}kept --network {of}kept -v {of}kept:/data busybox");
        docker.ok(format!(
            "{run} sh -c 'echo {of} >/data/of; echo {of}; sleep 3600'"
        ));
        docker.ok(format!("tag busybox {of}kept"));
    }

    /// What the docker CLI does all day, and what it sees of others meanwhile, which is nothing.
    fn works(&self) {
        let docker = &self.docker;
        for turn in 0..TURNS {
            let name = self.name(&turn.to_string());
            let said = docker.run_with(
                format!("run -i --rm --name {name} busybox cat"),
                b"through".to_vec(),
            );
            assert_eq!(said.ok("docker run"), "through");
            let kept = self.name("kept");
            assert_eq!(docker.ok(format!("exec {kept} cat /data/of")), self.prefix);
            assert_eq!(docker.ok(format!("logs {kept}")), self.prefix);
            self.copies(&kept);
            let steps = format!("FROM busybox\nLABEL turn={name}\nRUN echo built >/built\n");
            docker
                .run_with(format!("build -q -t {name}-built -"), steps.into_bytes())
                .ok("docker build");
            assert_eq!(
                docker.ok(format!("run --rm {name}-built cat /built")),
                "built"
            );
            docker.ok(format!("rmi {name}-built"));
            docker.ok(format!("volume create {name}-more"));
            docker.ok(format!("network create {name}-more"));
            docker.ok(format!(
                "create --name {name}-more --network {name}-more busybox"
            ));
            let owner = "{{index .Config.Labels \"dockgate.owner\"}}";
            assert_eq!(
                docker.ok(format!(
                    "inspect --type container --format '{owner}' {name}-more"
                )),
                self.owner
            );
            self.sees_its_own();
            docker.ok(format!("rm -f {name}-more"));
            docker.ok(format!("volume rm {name}-more"));
            docker.ok(format!("network rm {name}-more"));
        }
    }

    fn copies(&self, kept: &str) {
        let folder = tempfile::tempdir().unwrap();
        let (up, down) = (folder.path().join("up"), folder.path().join("down"));
        let noise = process::noise(300_000);
        std::fs::write(&up, &noise).unwrap();
        self.docker
            .ok(format!("cp {} {kept}:/tmp/noise", up.display()));
        self.docker
            .ok(format!("cp {kept}:/tmp/noise {}", down.display()));
        assert!(std::fs::read(down).unwrap() == noise);
    }

    fn sees_its_own(&self) {
        for list in [
            "ps -a --format {{.Names}}",
            "volume ls -q",
            "network ls --format {{.Name}}",
        ] {
            let told = self.docker.ok(list);
            let names: BTreeSet<&str> = told.lines().collect();
            assert!(names.contains(&*self.name("kept")), "{list}: {told}");
            // Of docker-py's and of builds some have names that the daemon makes up, but none has another's.
            let is_another =
                |name: &&&str| name.starts_with(&self.all) && !name.starts_with(&self.prefix);
            assert_eq!(names.iter().find(is_another), None, "{list}: {told}");
        }
        let own = self.docker.ok("ps -aq --no-trunc");
        for id in own.lines() {
            let told = http::request(
                &engine::address(),
                "GET",
                &format!("/containers/{id}/json"),
                "",
            );
            // One of docker-py's may be gone by now.
            if told.status == 200 {
                assert_eq!(
                    json(told.body)["Config"]["Labels"]["dockgate.owner"],
                    self.owner
                );
            }
        }
    }

    fn docker_py(&self) {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut python = self
            .docker
            .client(root.join("target/clients/python/bin/python"));
        python.arg(root.join("tests/clients/docker_py.py"));
        python.arg(self.name("py")).arg("owner");
        process::run(&mut python, Vec::new(), DEADLINE * 4).ok("docker_py.py");
    }

    /// Works in both ways at once, and hears of nothing but its own meanwhile.
    pub(super) fn day(&self) {
        let mut events = self.docker.start(format!(
            "events --since {} --format '{{{{json .}}}}'",
            self.since
        ));
        let lines = BufReader::new(events.child().stdout.take().unwrap()).lines();
        let last = self.name("last");
        thread::scope(|scope| {
            let heard = scope.spawn(|| self.hears(lines, &last));
            let busy = [
                scope.spawn(|| self.works()),
                scope.spawn(|| self.docker_py()),
            ];
            let ends = busy.map(thread::ScopedJoinHandle::join);
            let made = self.docker.run(format!("create --name {last} busybox"));
            wait::within(DEADLINE, || heard.is_finished().then_some(()));
            // It has heard its last; where it has not, it ends here.
            drop(events);
            ends.into_iter().for_each(|end| end.unwrap());
            made.ok("docker create");
            let names = heard.join().unwrap();
            for turn in ["0", "1", "2", "last"] {
                assert!(names.contains(&self.name(turn)), "{names:?}");
            }
        });
    }

    /// The names in its events until the last.
    fn hears(&self, lines: Lines<BufReader<ChildStdout>>, last: &str) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        for event in lines.map_while(Result::ok).map(json) {
            let (actor, about) = (&event["Actor"], &event["Actor"]["Attributes"]);
            let name = about["name"].as_str().or(actor["ID"].as_str());
            let name = name.unwrap_or_default().to_owned();
            // The daemon tells labels of these alone.
            if matches!(event["Type"].as_str(), Some("container" | "image")) {
                assert_eq!(about["dockgate.owner"], self.owner, "{event}");
            }
            let is_another = name.starts_with(&self.all) && !name.starts_with(&self.prefix);
            assert!(!is_another, "{event}");
            names.insert(name);
            if names.contains(last) {
                break;
            }
        }
        names
    }

    /// What it has kept is as it was, and is removed.
    pub(super) fn leaves(&self) {
        let (docker, kept) = (&self.docker, self.name("kept"));
        assert_eq!(docker.ok(format!("exec {kept} cat /data/of")), self.prefix);
        docker.ok(format!("rm -f {kept} {}", self.name("last")));
        docker.ok(format!("volume rm {kept}"));
        docker.ok(format!("network rm {kept}"));
    }
}
