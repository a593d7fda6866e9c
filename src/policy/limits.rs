//! The limits of a policy: `[container]`, `[network]`, `[volume]`, `[image]`, `[build]` and `[service]`.

use std::collections::BTreeMap;

use super::document::Table;
use super::problem::Fault;
use super::value::Value;
use super::{
    BuildLimits, ContainerLimits, HostPath, Icc, ImageLimits, Limit, NetworkLimits, Pattern,
    ServiceLimits, VolumeLimits, paths, published, subnet, words,
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
        namespaces: limit(table, "namespaces", |value| value.list(words::namespace)),
        devices: texts(table, "devices", paths::absolute_path),
        device_requests: limit(table, "device-requests", Value::boolean),
        device_cgroup_rules: texts(table, "device-cgroup-rules", words::device_cgroup_rule),
        security_options: texts(table, "security-options", words::security_option),
        sysctls: patterns(table, "sysctls"),
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
    }
}

pub(super) fn network(table: &mut Table<'_>) -> NetworkLimits {
    NetworkLimits {
        icc: limit(table, "icc", |value| {
            value.parsed(|text| words::one_of(text, ICC))
        }),
        drivers: patterns(table, "drivers"),
        options: patterns(table, "options"),
        subnets: limit(table, "subnets", |value| value.list(subnet::subnet)),
    }
}

const ICC: &[(&str, Icc)] = &[("never", Icc::Never), ("own", Icc::Own), ("any", Icc::Any)];

pub(super) fn volume(table: &mut Table<'_>) -> VolumeLimits {
    VolumeLimits {
        drivers: patterns(table, "drivers"),
        types: texts(table, "types", words::volume_type),
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

pub(super) fn service(table: &mut Table<'_>) -> ServiceLimits {
    ServiceLimits {
        secrets: patterns(table, "secrets"),
        configs: patterns(table, "configs"),
        volumes: patterns(table, "volumes"),
        generic_resources: patterns(table, "generic-resources"),
    }
}

fn limit<'d, T: Default>(
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

fn patterns(table: &mut Table<'_>, key: &'static str) -> Limit<Vec<Pattern>> {
    limit(table, key, |value| value.list(words::pattern))
}

fn host_path(value: Value<'_>, parameters: &BTreeMap<String, Option<String>>) -> Option<HostPath> {
    let read = value.table("a host path", |table| {
        let help = "write it like { path = \"/srv/shared\", access = \"read-only\" }";
        let path = table.require("path", help);
        let path = path.and_then(|path| path.parsed(|text| paths::host_path(text, parameters)));
        let access = table.take("access");
        let is_writable = access.and_then(|access| access.parsed(words::access));
        Some(HostPath {
            path: path.flatten()?,
            is_writable: is_writable.unwrap_or_default(),
        })
    });
    read.flatten()
}
