//! The limits of a policy: `[container]`, `[network]`, `[volume]`, `[image]`, `[build]`, `[plugin]`, `[swarm]`, `[secret]`,
//! `[config]` and `[service]`.

use std::collections::BTreeMap;

use super::document::Table;
use super::problem::Fault;
use super::value::Value;
use super::{
    BuildLimits, ConfigLimits, ContainerLimits, DefaultBridge, HostFileSystem, HostPath, Icc,
    ImageLimits, Limit, NetworkLimits, Pattern, PluginLimits, SecretLimits, ServiceLimits,
    SwarmLimits, VolumeLimits, paths, published, subnet, words,
};

pub(super) fn container(
    table: &mut Table<'_>,
    parameters: &BTreeMap<String, Option<String>>,
) -> ContainerLimits {
    ContainerLimits {
        privileged: limit(table, "privileged", Value::boolean),
        capabilities: texts(table, "capabilities", words::capability),
        host_paths: limit(table, "host-paths", |value| {
            let items = value.items().into_iter();
            Some(
                items
                    .filter_map(|item| host_path(item, parameters))
                    .collect(),
            )
        }),
        host_file_system: limit(table, "host-file-system", |value| {
            value.parsed(|text| words::one_of(text, FILE_SYSTEMS))
        }),
        namespaces: limit(table, "namespaces", |value| value.list(words::namespace)),
        devices: texts(table, "devices", paths::absolute_path),
        device_requests: limit(table, "device-requests", Value::boolean),
        device_cgroup_rules: texts(table, "device-cgroup-rules", words::device_cgroup_rule),
        security_options: texts(table, "security-options", words::security_option),
        sysctls: patterns(table, "sysctls"),
        ulimits: texts(table, "ulimits", words::ulimit),
        runtimes: patterns(table, "runtimes"),
        cgroup_parents: patterns(table, "cgroup-parents"),
        negative_oom_score: limit(table, "negative-oom-score", Value::boolean),
        oom_kill_disable: limit(table, "oom-kill-disable", Value::boolean),
        annotations: patterns(table, "annotations"),
        log_drivers: patterns(table, "log-drivers"),
        unmasked_paths: limit(table, "unmasked-paths", Value::boolean),
        published: limit(table, "published", |value| value.list(published::published)),
        images: limit(table, "images", |value| value.list(words::image)),
        networks: patterns(table, "networks"),
        volume_drivers: patterns(table, "volume-drivers"),
        links: patterns(table, "links"),
        volumes_from: limit(table, "volumes-from", Value::boolean),
    }
}

pub(super) fn network(table: &mut Table<'_>) -> NetworkLimits {
    NetworkLimits {
        icc: limit(table, "icc", |value| {
            value.parsed(|text| words::one_of(text, ICC))
        }),
        drivers: patterns(table, "drivers"),
        options: patterns(table, "options"),
        default_bridge: limit(table, "default-bridge", |value| {
            value.parsed(|text| words::one_of(text, DEFAULT_BRIDGE))
        }),
        parents: patterns(table, "parents"),
        subnets: limit(table, "subnets", |value| value.list(subnet::subnet)),
    }
}

const ICC: &[(&str, Icc)] = &[("never", Icc::Never), ("own", Icc::Own), ("any", Icc::Any)];

const DEFAULT_BRIDGE: &[(&str, DefaultBridge)] = &[
    ("icc-off", DefaultBridge::IccOff),
    ("any", DefaultBridge::Any),
];

const FILE_SYSTEMS: &[(&str, HostFileSystem)] = &[
    ("shared", HostFileSystem::Shared),
    ("foreign", HostFileSystem::Foreign),
];

pub(super) fn volume(table: &mut Table<'_>) -> VolumeLimits {
    VolumeLimits {
        drivers: patterns(table, "drivers"),
        types: texts(table, "types", words::volume_type),
        cluster: limit(table, "cluster", Value::boolean),
    }
}

pub(super) fn image(table: &mut Table<'_>) -> ImageLimits {
    ImageLimits {
        references: limit(table, "references", |value| value.list(words::image)),
        import_urls: limit(table, "import-urls", Value::boolean),
    }
}

pub(super) fn build(table: &mut Table<'_>) -> BuildLimits {
    BuildLimits {
        remote_contexts: limit(table, "remote-contexts", Value::boolean),
    }
}

pub(super) fn swarm(table: &mut Table<'_>) -> SwarmLimits {
    SwarmLimits {
        addresses: limit(table, "addresses", |value| value.list(words::swarm_address)),
        remotes: limit(table, "remotes", |value| value.list(words::swarm_remote)),
        tokens: limit(table, "tokens", Value::boolean),
        certificate_authority: limit(table, "certificate-authority", Value::boolean),
        force_new_cluster: limit(table, "force-new-cluster", Value::boolean),
        autolock_off: limit(table, "autolock-off", Value::boolean),
        promote: limit(table, "promote", Value::boolean),
    }
}

pub(super) fn secret(table: &mut Table<'_>) -> SecretLimits {
    SecretLimits {
        drivers: patterns(table, "drivers"),
        templating: limit(table, "templating", Value::boolean),
    }
}

pub(super) fn config(table: &mut Table<'_>) -> ConfigLimits {
    ConfigLimits {
        templating: limit(table, "templating", Value::boolean),
    }
}

pub(super) fn plugin(table: &mut Table<'_>) -> PluginLimits {
    PluginLimits {
        references: limit(table, "references", |value| value.list(words::image)),
        privileges: patterns(table, "privileges"),
        settings: patterns(table, "settings"),
        creates_unread: limit(table, "dangerously-create-unread", Value::boolean),
    }
}

pub(super) fn service(table: &mut Table<'_>) -> ServiceLimits {
    ServiceLimits {
        secrets: patterns(table, "secrets"),
        configs: patterns(table, "configs"),
        volumes: patterns(table, "volumes"),
        generic_resources: patterns(table, "generic-resources"),
    }
}

pub(super) fn limit<'d, T: Default>(
    table: &mut Table<'d>,
    key: &'static str,
    read: impl FnOnce(Value<'d>) -> Option<T>,
) -> Limit<T> {
    let Some(value) = table.take(key) else {
        return Limit {
            value: T::default(),
            line: table.line(),
        };
    };
    let line = value.line();
    let value = read(value).unwrap_or_default();
    Limit { value, line }
}

fn texts(
    table: &mut Table<'_>,
    key: &'static str,
    parse: impl Fn(&str) -> Result<String, Fault>,
) -> Limit<Vec<String>> {
    limit(table, key, |value| value.list(parse))
}

pub(super) fn patterns(table: &mut Table<'_>, key: &'static str) -> Limit<Vec<Pattern>> {
    limit(table, key, |value| value.list(words::pattern))
}

fn host_path(value: Value<'_>, parameters: &BTreeMap<String, Option<String>>) -> Option<HostPath> {
    let read = value.table("a host path", |table| {
        let help = "write it like { path = \"/srv/shared\", access = \"read-only\" }";
        let path = table.require("path", help);
        let path = path.and_then(|path| path.parsed(|text| paths::host_path(text, parameters)));
        let access = table.take("access");
        let subpaths = table.take("subpaths");
        let set_user_id = table.take("set-user-id");
        let is_writable = access.and_then(|access| access.parsed(words::access));
        Some(HostPath {
            path: path.flatten()?,
            is_writable: is_writable.unwrap_or_default(),
            has_subpaths: subpaths.and_then(Value::boolean).unwrap_or_default(),
            has_set_user_id: set_user_id.and_then(Value::boolean).unwrap_or_default(),
        })
    });
    read.flatten()
}
