//! Openings by which a container, a plugin or a node reaches the whole host, or all of its files.

use crate::engine_api::Operation;
use crate::policy::{Namespace, Pattern, Policy};

use super::{Finding, Named, Openings, is_any};

/// The lists that bound what a container has of the host.
const HOST: &[Named] = &[
    ("container", "host-paths"),
    ("container", "capabilities"),
    ("container", "namespaces"),
    ("container", "devices"),
    ("container", "device-cgroup-rules"),
    ("container", "security-options"),
    ("container", "sysctls"),
];

const FILES: &[Named] = &[("container", "host-paths")];

const PLUGIN: &[Named] = &[
    ("plugin", "references"),
    ("plugin", "privileges"),
    ("plugin", "settings"),
];

const PRIVILEGES: &[Named] = &[("plugin", "privileges")];

const SERVICE: &[Named] = &[
    ("service", "secrets"),
    ("service", "configs"),
    ("service", "volumes"),
];

/// What an opening is, where the policy has it.
type Has = fn(&Policy) -> Option<String>;

/// A key, what it opens beyond what it says, and the keys that bound nothing beside that.
type Row = (Named, Has, &'static [&'static [Named]]);

const ROWS: &[Row] = &[
    (("container", "privileged"), privileged, &[HOST]),
    (("container", "capabilities"), capability, &[HOST]),
    (("container", "capabilities"), traces_the_host, &[HOST]),
    (("container", "capabilities"), reads_all_files, &[FILES]),
    (("container", "devices"), disk, &[HOST]),
    (("container", "device-cgroup-rules"), disks, &[HOST]),
    (("container", "unmasked-paths"), unmasked, &[HOST]),
    (("container", "runtimes"), any_runtime, &[HOST]),
    (("container", "volume-drivers"), volume_driver, &[FILES]),
    (("volume", "drivers"), volume_driver, &[FILES]),
    (("container", "host-paths"), system_path, &[HOST]),
    (("container", "host-paths"), subpaths, &[HOST]),
    (("plugin", "privileges"), any_privilege, &[HOST]),
    (("plugin", "settings"), any_setting, &[PRIVILEGES, HOST]),
    (
        ("plugin", "dangerously-create-unread"),
        unread,
        &[PLUGIN, HOST],
    ),
    (("swarm", "tokens"), manager, &[SERVICE, HOST]),
    (
        ("swarm", "certificate-authority"),
        manager,
        &[SERVICE, HOST],
    ),
    (("swarm", "remotes"), any_manager, &[HOST]),
];

pub(super) fn undone(openings: &Openings<'_>) -> Vec<Finding> {
    let rows = ROWS.iter().filter_map(|(key, has, bounds)| {
        let line = openings.opened(*key)?;
        let opening = has(openings.policy)?;
        let others = bounds.concat();
        let others: Vec<Named> = others.into_iter().filter(|other| other != key).collect();
        openings.finding(line, &opening, &others)
    });
    rows.collect()
}

fn privileged(_: &Policy) -> Option<String> {
    Some("a privileged container has the whole host".to_owned())
}

fn has_capability(policy: &Policy, name: &str) -> bool {
    let mut open = policy.container.capabilities.value.iter();
    open.any(|open| open == name || open == "ALL")
}

/// capabilities(7); Docker's seccomp profile lets each of them do what it is for.
fn capability(policy: &Policy) -> Option<String> {
    let names = ["SYS_ADMIN", "SYS_MODULE", "SYS_RAWIO"];
    let name = names
        .into_iter()
        .find(|name| has_capability(policy, name))?;
    Some(format!("`{name}` is a way to the whole host"))
}

fn traces_the_host(policy: &Policy) -> Option<String> {
    let sees = policy
        .container
        .namespaces
        .value
        .contains(&Namespace::HostPid);
    (sees && has_capability(policy, "SYS_PTRACE")).then(|| {
        "a container with `host-pid` and `SYS_PTRACE` can take over processes of the host"
            .to_owned()
    })
}

/// open_by_handle_at(2).
fn reads_all_files(policy: &Policy) -> Option<String> {
    has_capability(policy, "DAC_READ_SEARCH")
        .then(|| "`DAC_READ_SEARCH` can read files of the host by their handles".to_owned())
}

fn disk(policy: &Policy) -> Option<String> {
    let devices = &policy.container.devices.value;
    let device = devices.iter().find(|device| is_disk(device))?;
    Some(format!("`{device}` holds files of the host, or its memory"))
}

fn is_disk(device: &str) -> bool {
    const BEGINNINGS: &[&str] = &[
        "block/", "dm-", "disk/", "hd", "mapper/", "md", "mmcblk", "nvme", "sd", "vd", "xvd",
    ];
    let Some(name) = device.strip_prefix("/dev/") else {
        return device == "/dev";
    };
    matches!(
        name,
        "mem" | "kmem" | "port" | "root" | "mapper" | "disk" | "block"
    ) || BEGINNINGS.iter().any(|begins| name.starts_with(begins))
}

fn disks(policy: &Policy) -> Option<String> {
    let rules = &policy.container.device_cgroup_rules.value;
    let rule = rules.iter().find(|rule| opens_disks(rule))?;
    Some(format!("`{rule}` opens disks of the host, or its memory"))
}

/// Linux, Documentation/admin-guide/devices.txt; 253 and above are given out as drivers come: device mapper, virtio, NVMe.
fn opens_disks(rule: &str) -> bool {
    let mut words = rule.split(' ');
    let (kind, numbers) = (
        words.next().unwrap_or_default(),
        words.next().unwrap_or_default(),
    );
    let (major, minor) = numbers.split_once(':').unwrap_or_default();
    let of_a_disk = match major.parse::<u32>() {
        Ok(major) => {
            matches!(major, 3 | 8 | 9 | 22 | 65..=71 | 128..=135 | 179 | 202 | 252..=254 | 259)
        }
        Err(_) => major == "*",
    };
    let of_memory = matches!((major, minor), ("1" | "*", "1" | "2" | "4" | "*"));
    match kind {
        "a" => true,
        "b" => of_a_disk,
        "c" => of_memory,
        _ => false,
    }
}

fn unmasked(_: &Policy) -> Option<String> {
    let what =
        "a container without read-only kernel paths can change `/proc/sys`, and by that the host";
    Some(what.to_owned())
}

fn any_runtime(policy: &Policy) -> Option<String> {
    is_any(&policy.container.runtimes)
        .then(|| "a runtime decides what a container gets, and any may be taken".to_owned())
}

fn volume_driver(_: &Policy) -> Option<String> {
    Some("a volume driver mounts what it likes, of the host too".to_owned())
}

/// What root of the host runs or believes.
const SYSTEM: &[&str] = &[
    "/bin",
    "/boot",
    "/etc",
    "/lib",
    "/lib64",
    "/root",
    "/sbin",
    "/usr",
    "/usr/bin",
    "/usr/lib",
    "/usr/sbin",
    "/usr/local/bin",
    "/usr/local/sbin",
    "/var/spool/cron",
    "/etc/cron.d",
    "/etc/systemd/system",
];

fn system_path(policy: &Policy) -> Option<String> {
    let paths = policy.container.host_paths.value.iter();
    let mut writable = paths.filter(|path| path.is_writable);
    let path = writable.find(|path| SYSTEM.contains(&path.path.as_str()))?;
    let path = &path.path;
    Some(format!("whoever writes in `{path}` has the whole host"))
}

/// docs/threat-model.md: a link in the place of a part of the path, between the check and the mount.
fn subpaths(policy: &Policy) -> Option<String> {
    let mut paths = policy.container.host_paths.value.iter();
    let path = paths.find(|path| path.is_writable && path.has_subpaths)?;
    let path = &path.path;
    Some(format!(
        "`subpaths` of the writable `{path}` lets a container reach every file of the host"
    ))
}

fn any_privilege(policy: &Policy) -> Option<String> {
    is_any(&policy.plugin.privileges)
        .then(|| "a plugin with every privilege has the whole host".to_owned())
}

fn any_setting(policy: &Policy) -> Option<String> {
    let is_wide = |pattern: &Pattern| pattern.as_str().starts_with('*');
    let settings = &policy.plugin.settings.value;
    let setting = settings.iter().find(|pattern| is_wide(pattern))?;
    Some(format!(
        "`{setting}` can point a mount or a device of a plugin anywhere on the host"
    ))
}

fn unread(policy: &Policy) -> Option<String> {
    let enables = policy.operations.contains_key(&Operation::PluginEnable);
    enables.then(|| "a plugin that nobody read has the whole host".to_owned())
}

fn manager(_: &Policy) -> Option<String> {
    let what =
        "whoever makes a manager of the swarm runs anything on every node, and reads every secret";
    Some(what.to_owned())
}

fn any_manager(policy: &Policy) -> Option<String> {
    is_any(&policy.swarm.remotes)
        .then(|| "a manager of the client's choice runs what it likes on this host".to_owned())
}
