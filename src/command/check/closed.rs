//! A policy with every limit closed: what refuses then is what opened before.

use crate::policy::{
    BuildLimits, ConfigLimits, ContainerLimits, ImageLimits, Limit, NetworkLimits, PluginLimits,
    Policy, SecretLimits, ServiceLimits, SwarmLimits, VolumeLimits,
};

/// The policy with the same rules and lines, and every limit closed.
pub(super) fn closed(policy: &Policy) -> Policy {
    Policy {
        name: policy.name.clone(),
        operations: policy.operations.clone(),
        paths: policy.paths.clone(),
        container: closed_container(&policy.container),
        network: NetworkLimits {
            icc: empty(&policy.network.icc),
            drivers: empty(&policy.network.drivers),
            options: empty(&policy.network.options),
            default_bridge: empty(&policy.network.default_bridge),
            parents: empty(&policy.network.parents),
            subnets: empty(&policy.network.subnets),
        },
        volume: VolumeLimits {
            drivers: empty(&policy.volume.drivers),
            types: empty(&policy.volume.types),
            cluster: empty(&policy.volume.cluster),
        },
        image: ImageLimits {
            references: empty(&policy.image.references),
            import_urls: empty(&policy.image.import_urls),
        },
        build: BuildLimits {
            remote_contexts: empty(&policy.build.remote_contexts),
        },
        swarm: closed_swarm(&policy.swarm),
        secret: SecretLimits {
            drivers: empty(&policy.secret.drivers),
            templating: empty(&policy.secret.templating),
        },
        config: ConfigLimits {
            templating: empty(&policy.config.templating),
        },
        plugin: PluginLimits {
            references: empty(&policy.plugin.references),
            privileges: empty(&policy.plugin.privileges),
            settings: empty(&policy.plugin.settings),
            creates_unread: empty(&policy.plugin.creates_unread),
        },
        service: ServiceLimits {
            secrets: empty(&policy.service.secrets),
            configs: empty(&policy.service.configs),
            volumes: empty(&policy.service.volumes),
            generic_resources: empty(&policy.service.generic_resources),
        },
        ..Policy::default()
    }
}

fn closed_container(container: &ContainerLimits) -> ContainerLimits {
    ContainerLimits {
        privileged: empty(&container.privileged),
        capabilities: empty(&container.capabilities),
        host_paths: empty(&container.host_paths),
        host_file_system: container.host_file_system.clone(),
        namespaces: empty(&container.namespaces),
        devices: empty(&container.devices),
        device_requests: empty(&container.device_requests),
        device_cgroup_rules: empty(&container.device_cgroup_rules),
        security_options: empty(&container.security_options),
        sysctls: empty(&container.sysctls),
        ulimits: empty(&container.ulimits),
        runtimes: empty(&container.runtimes),
        cgroup_parents: empty(&container.cgroup_parents),
        negative_oom_score: empty(&container.negative_oom_score),
        oom_kill_disable: empty(&container.oom_kill_disable),
        annotations: empty(&container.annotations),
        log_drivers: empty(&container.log_drivers),
        unmasked_paths: empty(&container.unmasked_paths),
        published: empty(&container.published),
        images: empty(&container.images),
        networks: empty(&container.networks),
        volume_drivers: empty(&container.volume_drivers),
        links: empty(&container.links),
        volumes_from: empty(&container.volumes_from),
    }
}

fn closed_swarm(swarm: &SwarmLimits) -> SwarmLimits {
    SwarmLimits {
        addresses: empty(&swarm.addresses),
        remotes: empty(&swarm.remotes),
        tokens: empty(&swarm.tokens),
        certificate_authority: empty(&swarm.certificate_authority),
        force_new_cluster: empty(&swarm.force_new_cluster),
        autolock_off: empty(&swarm.autolock_off),
        promote: empty(&swarm.promote),
    }
}

fn empty<T: Default>(limit: &Limit<T>) -> Limit<T> {
    Limit {
        value: T::default(),
        line: limit.line,
    }
}
