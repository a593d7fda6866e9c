//! The policies that made-up requests are held against: the ready ones, and a chain in which each opens more.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::LazyLock;

use dockgate::engine_api::Operation;
use dockgate::policy::{self, Policy};

/// The one that opens every key.
pub(crate) fn widest() -> &'static Policy {
    GROWING.last().expect("a step")
}

/// The same, with all hidden from readers that can be.
pub(crate) static QUIET: LazyLock<Policy> = LazyLock::new(|| {
    let text = "description = 'quiet'\n[quiet]\nenvironment = true\nhost-paths = true\nlabels = ['*']\n\
                command-lines = true\nsecrets = true\nhost-details = true\n";
    Policy {
        quiet: compiled("quiet", text).quiet,
        ..widest().clone()
    }
});

/// The ready policies that judge.
pub(crate) static READY: LazyLock<Vec<Policy>> = LazyLock::new(|| {
    let names = [
        "guarded",
        "read-only",
        "traefik",
        "portainer",
        "dashboard",
        "watchtower",
    ];
    let compiled = |name| {
        let text = policy::ready::find(name).expect("a ready policy");
        compiled(name, text)
    };
    let policies: Vec<Policy> = names.into_iter().map(compiled).collect();
    assert!(policies.iter().all(|policy| !policy.permits_everything));
    policies
});

/// Policies each of which permits what those before it do, and more; the last opens every key.
pub(crate) static GROWING: LazyLock<Vec<Policy>> = LazyLock::new(|| {
    let (mut operations, mut tables) = (Vec::new(), BTreeMap::new());
    let all = Operation::all().filter(|operation| operation.spec().is_modelled);
    let mut all = all.map(Operation::name);
    let mut chain = Vec::new();
    for (index, step) in KEYS.iter().enumerate() {
        // The whole of the operations is open before the last keys are.
        let share = Operation::all().count() * 2 / KEYS.len();
        operations.extend(all.by_ref().take(share));
        for (table, key, value) in *step {
            let keys: &mut BTreeMap<_, _> = tables.entry(*table).or_default();
            keys.insert(*key, *value);
        }
        chain.push(compiled(
            &format!("step {index}"),
            &written(&operations, &tables),
        ));
    }
    assert_eq!(all.next(), None);
    chain
});

pub(crate) type Step = &'static [(&'static str, &'static str, &'static str)];

/// What each step opens: a key with its value, which holds the value that the key had before.
#[rustfmt::skip]
pub(crate) const KEYS: &[Step] = &[
    &[],
    &[("container", "images", "['docker.io/library/*']"), ("image", "references", "['docker.io/library/*']")],
    &[("container", "networks", "['bridge', 'own-*']"), ("network", "default-bridge", "'any'")],
    &[("network", "icc", "'own'"), ("container", "links", "['db']"), ("container", "volumes-from", "true")],
    &[("container", "host-paths", "[{ path = '/srv/a' }]"), ("container", "published", "['127.0.0.1:*']")],
    &[("container", "namespaces", "['host-network', 'container-network', 'container-pid', 'container-ipc']"),
      ("container", "capabilities", "['NET_ADMIN']"), ("container", "sysctls", "['net.*']")],
    &[("network", "drivers", "['macvlan']"), ("network", "parents", "['eth1']"), ("network", "subnets", "['10.0.0.0/8']"),
      ("network", "options", "['com.docker.network.bridge.name']")],
    &[("container", "host-paths", "[{ path = '/srv/a' }, { path = '/srv/b', access = 'read-write', subpaths = true, set-user-id = true }]"),
      ("volume", "types", "['nfs']"), ("volume", "drivers", "['rclone']"), ("container", "volume-drivers", "['other']")],
    &[("swarm", "addresses", "['127.0.0.1:*']"), ("swarm", "remotes", "['manager:2377']"), ("swarm", "tokens", "true"),
      ("swarm", "certificate-authority", "true")],
    &[("swarm", "force-new-cluster", "true"), ("swarm", "autolock-off", "true"), ("swarm", "promote", "true"),
      ("secret", "drivers", "['vault']"), ("secret", "templating", "true"), ("config", "templating", "true")],
    &[("container", "devices", "['/dev/fuse']"), ("container", "device-requests", "true"),
      ("container", "device-cgroup-rules", "['c 10:229 rwm']"), ("container", "security-options", "['seccomp=unconfined']"),
      ("container", "ulimits", "['rtprio', 'memlock']"),
      ("container", "runtimes", "['runsc']"), ("container", "cgroup-parents", "['*']"), ("container", "annotations", "['a*']"),
      ("container", "log-drivers", "['syslog']"), ("container", "negative-oom-score", "true")],
    &[("container", "privileged", "true"), ("container", "capabilities", "['ALL']"), ("container", "unmasked-paths", "true"),
      ("container", "oom-kill-disable", "true"), ("container", "images", "['*']"), ("container", "networks", "['*']"),
      ("image", "references", "['*']"), ("image", "import-urls", "true"), ("build", "remote-contexts", "true"),
      ("network", "drivers", "['*']")],
    &[("network", "icc", "'any'"), ("container", "links", "['*']"), ("container", "published", "['*:*', '*:1-1023']"),
      ("container", "namespaces", "['host-network', 'container-network', 'container-pid', 'container-ipc', 'host-pid', \
        'host-ipc', 'host-uts', 'host-user', 'host-cgroup']")],
    &[("volume", "cluster", "true"), ("plugin", "references", "['*']"), ("plugin", "privileges", "['*']"),
      ("plugin", "settings", "['*']"), ("plugin", "dangerously-create-unread", "true"), ("service", "secrets", "['*']"),
      ("service", "configs", "['*']"), ("service", "volumes", "['*']"), ("service", "generic-resources", "['*']"),
      ("network", "options", "['*']"), ("container", "host-paths", "[{ path = '/srv/a' }, { path = '/srv/b', access = \
        'read-write', subpaths = true, set-user-id = true }, { path = '/srv/sock/s' }]"),
      ("container", "volume-drivers", "['*']"),
      ("volume", "drivers", "['*']"), ("swarm", "addresses", "['*']")],
];

fn written(operations: &[&str], tables: &BTreeMap<&str, BTreeMap<&str, &str>>) -> String {
    let mut text = format!("description = 'a step'\n[[permit]]\noperations = {operations:?}\n");
    for (table, keys) in tables {
        let _ = writeln!(text, "[{table}]");
        for (key, value) in keys {
            let _ = writeln!(text, "{key} = {value}");
        }
    }
    text
}

fn compiled(name: &str, text: &str) -> Policy {
    let parameters = BTreeMap::from([("project".to_owned(), "/srv/project".to_owned())]);
    policy::compile(name, text, &parameters).unwrap_or_else(|problems| panic!("{problems}"))
}
