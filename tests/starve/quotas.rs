//! What an owner may have at a real daemon, by the docker CLI, judged by what is there afterwards.

use std::process::Command;

use crate::support::docker::Docker;
use crate::support::gate::{Gate, Setup};
use crate::support::process::unique;
use crate::support::{engine, http, json, wait};

/// A gate for one owner with a quota, and for another without.
pub(super) struct Site {
    pub(super) owner: String,
    pub(super) gate: Gate,
    pub(super) docker: Docker,
    other: Docker,
    daemon: Docker,
}

impl Site {
    pub(super) fn with(quota: &str) -> Self {
        // Such names need care in a query.
        let owner = format!("{}/ä \"b\\\\c\"&d=e", unique("dockgate-quota"));
        let gate = Setup::before(&engine::address())
            .listen("guarded")
            .plus(&format!("owner = '{owner}'\nquota = {{ {quota} }}"))
            .listen("guarded")
            .plus("owner = 'dockgate-quota-other'")
            .start();
        Self {
            owner,
            docker: Docker::at(gate.listener(0)),
            other: Docker::at(gate.listener(1)),
            daemon: Docker::at(&engine::address()),
            gate,
        }
    }

    /// What the daemon has that carries the owner's label: `ps --all`, `volume ls` or `network ls`.
    pub(super) fn has(&self, list: &str) -> Vec<String> {
        let mut command = self.daemon.command(&format!("{list} --quiet"));
        command.arg("--filter");
        command.arg(format!("label=dockgate.owner={}", self.owner));
        let listed = crate::support::process::run(&mut command, Vec::new(), wait::DEADLINE);
        listed.ok(list).lines().map(str::to_owned).collect()
    }

    /// A detail of `docker info`, past the gate.
    fn daemon_says(&self, detail: &str) -> String {
        self.daemon.ok(format!("info -f '{{{{.{detail}}}}}'"))
    }

    fn refuses(&self, command: &str, parts: &[&str]) {
        let told = self.docker.fails(command);
        for part in parts {
            assert!(told.contains(part), "{command}: `{part}` is not in {told}");
        }
    }

    /// The reason stands in the log.
    fn is_recorded(&self) {
        let audit = self.gate.audit();
        let is_quota = |record: &serde_json::Value| record["reasons"][0]["code"] == "quota";
        let record = audit.iter().find(|record| is_quota(record)).unwrap();
        assert_eq!(record["decision"], "refuse");
        assert_eq!(record["status"], 403);
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        let remove = |kind: &str, names: Vec<String>| {
            for name in names {
                let _ = self.daemon.run(format!("{kind} {name}"));
            }
        };
        remove("rm --force --volumes", self.has("ps --all"));
        remove("volume rm", self.has("volume ls"));
        remove("network rm", self.has("network ls"));
    }
}

#[test]
fn containers_are_counted_however_they_were_left() {
    let site = Site::with("containers = 2");
    site.docker.ok("run --rm busybox true");
    site.docker.ok("create busybox true");
    wait::until("the first is gone", || {
        (site.has("ps --all").len() == 1).then_some(())
    });
    let exited = unique("dockgate-quota");
    site.docker.ok(format!("run --name {exited} busybox true"));
    site.refuses(
        "create busybox true",
        &["has 2 containers of 2 permitted", &site.owner],
    );
    site.refuses("run -d busybox sleep 60", &["2 containers of 2"]);
    assert_eq!(site.has("ps --all").len(), 2);
    site.is_recorded();
    // Others are not bounded by it, and what they have is not counted.
    let other = site.other.ok("create busybox true");
    site.docker.ok(format!("rm {exited}"));
    site.docker.ok("create busybox true");
    site.refuses("create busybox true", &["2 containers of 2"]);
    site.daemon.ok(format!("rm {other}"));
}

#[test]
fn running_containers_are_counted_when_they_start() {
    let site = Site::with("running-containers = 1");
    let names: Vec<String> = (0..3).map(|_| unique("dockgate-quota")).collect();
    for name in &names {
        site.docker
            .ok(format!("create --name {name} busybox sleep 600"));
    }
    site.docker.ok(format!("start {}", names[0]));
    let over = ["has 1 running containers of 1 permitted"];
    site.refuses(&format!("start {}", names[1]), &over);
    site.refuses(&format!("restart -t 0 {}", names[1]), &over);
    site.refuses("run busybox true", &over);
    // What runs already may go on and begin anew.
    site.docker.ok(format!("start {}", names[0]));
    site.docker.ok(format!("restart -t 0 {}", names[0]));
    site.docker.ok(format!("pause {}", names[0]));
    site.refuses(&format!("start {}", names[1]), &over);
    site.docker.ok(format!("unpause {}", names[0]));
    assert_eq!(site.has("ps").len(), 1);
    site.docker.ok(format!("rm -f {}", names[0]));
    site.docker.ok(format!("start {}", names[1]));
    site.refuses(&format!("start {}", names[2]), &over);
    assert_eq!(site.has("ps").len(), 1);
}

#[test]
fn memory_is_summed_and_every_container_needs_a_limit() {
    let site = Site::with("memory = '100m'");
    site.refuses(
        "create busybox true",
        &["needs a limit of its memory (`--memory`)"],
    );
    site.refuses("create --memory 0 busybox true", &["--memory"]);
    site.refuses(
        "create --memory-reservation 20m busybox true",
        &["--memory"],
    );
    site.refuses("create --memory 101m busybox true", &["asks for 101 MiB"]);
    let name = unique("dockgate-quota");
    let created = site
        .docker
        .ok(format!("create --name {name} --memory 60m busybox true"));
    assert!(!created.is_empty());
    let kept = site
        .daemon
        .ok(format!("inspect -f '{{{{.HostConfig.Memory}}}}' {name}"));
    if site.daemon_says("MemoryLimit") == "false" {
        // The daemon drops the limit, and what has none fills the quota; how limits are summed is for `resources`.
        assert_eq!(kept, "0");
        site.refuses(
            "create --memory 10m busybox true",
            &["has 1 containers without a limit of their memory"],
        );
        assert_eq!(site.has("ps --all").len(), 1);
        return;
    }
    assert_eq!(kept, (60 << 20).to_string());
    let over = ["has memory 60 MiB of 100 MiB permitted", "asks for 41 MiB"];
    site.refuses("create --memory 41m busybox true", &over);
    site.docker.ok("create --memory 40m busybox true");
    let grow = |to: &str| format!("update --memory {to} --memory-swap -1 {name}");
    site.refuses(&grow("61m"), &["has memory 40 MiB of 100 MiB"]);
    let body = r#"{"Memory":-1,"MemorySwap":-1}"#;
    let target = format!("/v1.41/containers/{name}/update");
    let answer = http::request(site.docker.address(), "POST", &target, body);
    assert!(answer.status >= 400, "{}", answer.text());
    site.docker.ok(grow("50m"));
    site.docker.ok("create --memory 10m busybox true");
    site.docker.ok(format!("update --restart always {name}"));
    assert_eq!(site.has("ps --all").len(), 3);
}

#[test]
fn processors_are_summed_by_every_spelling() {
    let site = Site::with("cpus = 1.5");
    let create = |limit: &str| {
        let body = format!(r#"{{"Image":"busybox","HostConfig":{{{limit}}}}}"#);
        http::request(
            site.docker.address(),
            "POST",
            "/v1.41/containers/create",
            &body,
        )
    };
    for lacking in [
        "",
        r#""NanoCpus":0"#,
        r#""CpuPeriod":100000"#,
        r#""CpuShares":2"#,
        r#""CpuQuota":-1"#,
    ] {
        let answer = create(lacking);
        assert_eq!(answer.status, 403, "{lacking}: {}", answer.text());
        assert!(answer.message().contains("--cpus"), "{}", answer.text());
    }
    for over in [
        r#""NanoCpus":1600000000"#,
        r#""CpuQuota":160000"#,
        r#""CpuQuota":16000,"CpuPeriod":10000"#,
    ] {
        let answer = create(over);
        assert_eq!(answer.status, 403, "{over}: {}", answer.text());
        assert!(
            answer.message().contains("asks for 1.6"),
            "{}",
            answer.text()
        );
    }
    assert!(site.has("ps --all").is_empty());
    let within = create(r#""CpuQuota":50000"#);
    if site.daemon_says("CPUCfsQuota") == "true" {
        assert_eq!(within.status, 201, "{}", within.text());
        site.refuses(
            "create --cpus 1.01 busybox true",
            &["has processors 0.5 of 1.5"],
        );
        site.docker.ok("create --cpus 1 busybox true");
        assert_eq!(site.has("ps --all").len(), 2);
    } else {
        // The daemon itself refuses every such container, or drops the limit; `resources` has the sums.
        let there = site.has("ps --all").len();
        assert_eq!(
            there,
            usize::from(within.status == 201),
            "{}",
            within.text()
        );
    }
}

#[test]
fn volumes_are_counted_made_by_themselves_or_with_a_container() {
    let site = Site::with("volumes = 2");
    let (first, second) = (unique("dockgate-quota"), unique("dockgate-quota"));
    site.docker.ok(format!("volume create {first}"));
    site.docker.ok(format!(
        "create -v /anonymous -v {first}:/named busybox true"
    ));
    let over = ["has 2 volumes of 2 permitted"];
    site.refuses(&format!("volume create {second}"), &over);
    site.refuses("create -v /anonymous busybox true", &over);
    site.refuses("create --mount type=volume,target=/a busybox true", &over);
    // One that is there is no other.
    site.docker.ok(format!("volume create {first}"));
    site.docker
        .ok(format!("create -v {first}:/named busybox true"));
    site.refuses(&format!("create -v {second}:/named busybox true"), &over);
    let mount = format!("create --mount type=volume,source={second},target=/a busybox true");
    site.refuses(&mount, &over);
    assert!(!site.daemon.ok("volume ls --quiet").contains(&second));
    site.docker
        .ok(format!("rm --volumes {}", site.has("ps --all").join(" ")));
    site.docker
        .ok(format!("create -v {second}:/named busybox true"));
    site.refuses("create -v /anonymous busybox true", &over);
    assert_eq!(site.has("volume ls").len(), 2);
    site.is_recorded();
}

#[test]
fn networks_are_counted() {
    let site = Site::with("networks = 1");
    let name = unique("dockgate-quota");
    site.docker.ok(format!("network create {name}"));
    site.refuses(
        "network create dockgate-quota-more",
        &["has 1 networks of 1 permitted"],
    );
    assert_eq!(site.has("network ls").len(), 1);
    site.docker.ok(format!("network rm {name}"));
    site.docker.ok(format!("network create {name}"));
    assert_eq!(site.has("network ls").len(), 1);
}

#[test]
fn what_a_client_says_of_its_owner_is_not_what_is_counted() {
    let site = Site::with("containers = 1, networks = 1, volumes = 1");
    site.docker.ok("create busybox true");
    for (target, body) in [
        ("containers/create", r#""Image":"busybox""#),
        ("volumes/create", r#""Name":"dockgate-quota-forged""#),
        ("networks/create", r#""Name":"dockgate-quota-forged""#),
    ] {
        let body = format!(r#"{{{body},"Labels":{{"dockgate.owner":"somebody"}}}}"#);
        let target = format!("/v1.41/{target}");
        let answer = http::request(site.docker.address(), "POST", &target, &body);
        assert_eq!(answer.status, 403, "{target} {}", answer.text());
    }
    assert!(
        !site
            .daemon
            .ok("network ls")
            .contains("dockgate-quota-forged")
    );
    assert_eq!(site.has("ps --all").len(), 1);
}

#[test]
fn a_quota_of_nothing_permits_nothing_and_says_so() {
    let site = Site::with("containers = 0, volumes = 0, networks = 0");
    site.refuses("create busybox true", &["has 0 containers of 0 permitted"]);
    site.refuses("volume create", &["has 0 volumes of 0 permitted"]);
    site.refuses(
        "network create dockgate-quota-none",
        &["has 0 networks of 0 permitted"],
    );
    // The rest of the policy is as it was.
    site.docker.ok("ps");
    site.docker.ok("images");
}

#[test]
fn a_reload_changes_a_quota() {
    let site = Site::with("containers = 1");
    site.docker.ok("create busybox true");
    site.refuses("create busybox true", &["1 containers of 1"]);
    let text = std::fs::read_to_string(site.gate.file("dockgate.toml")).unwrap();
    site.gate.replace(
        "dockgate.toml",
        &text.replace("containers = 1", "containers = 2"),
    );
    site.gate.says("INFO reloaded", 0);
    site.docker.ok("create busybox true");
    site.refuses("create busybox true", &["2 containers of 2"]);
}

#[test]
fn a_quota_beside_a_policy_that_reads_nothing_does_not_start() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("gate.sock");
    let policy = folder.path().join("all.toml");
    std::fs::write(
        &policy,
        "description = 'x'\ndangerously-permit-everything = true\n",
    )
    .unwrap();
    let text = format!(
        "[[listener]]\naddress = 'unix://{}'\npolicy = '{}'\nowner = 'a'\nquota.containers = 1\n",
        socket.display(),
        policy.display()
    );
    let file = folder.path().join("dockgate.toml");
    std::fs::write(&file, text).unwrap();
    let mut command = Command::new(crate::support::certificates::DOCKGATE);
    command.arg("serve").arg("--config").arg(&file);
    let ended = crate::support::process::run(&mut command, Vec::new(), wait::DEADLINE);
    let told = ended.failed("serve");
    assert!(told.contains("nothing would keep it to its own"), "{told}");
}

#[test]
fn an_observing_policy_does_not_lift_a_quota() {
    let owner = unique("dockgate-quota");
    let gate = Setup::before(&engine::address())
        .file(
            "tried.toml",
            "description = 'x'\nmode = 'observe'\nfallback = 'guarded'\n",
        )
        .listen("tried.toml")
        .plus(&format!("owner = '{owner}'\nquota.networks = 0"))
        .start();
    let body = r#"{"Name":"dockgate-quota-observed"}"#;
    let answer = http::request(gate.address(), "POST", "/v1.41/networks/create", body);
    assert_eq!(answer.status, 403, "{}", answer.text());
    assert_eq!(
        json(&answer.body)["message"],
        format!("client `{owner}` has 0 networks of 0 permitted")
    );
}
