//! Which rule judges which field: one line for each limit.

use super::{Judge, namespaces, service};
use crate::engine_api::Field;
use crate::engine_api::schema::Limit;

impl Judge<'_> {
    #[expect(clippy::too_many_lines, reason = "a table: one line for each limit")]
    pub(super) fn limited_field(&mut self, field: &Field<'_>, limit: Limit) {
        let (path, value) = (field.path, field.value);
        let (at, text, container) = ((path, value), value.as_text(), &self.policy.container);
        match limit {
            Limit::Privileged => {
                let message = "a privileged container has every right of root on the host";
                self.switch("privileged", at, &container.privileged, message);
            }
            Limit::OomKillDisable => {
                let message = "the host's memory killer would have to spare it";
                self.switch("oom-kill-disable", at, &container.oom_kill_disable, message);
            }
            Limit::DeviceRequests => {
                let message = "it hands over devices of the host";
                self.switch("device-requests", at, &container.device_requests, message);
            }
            Limit::Sysctls => {
                let message = "it sets a kernel parameter";
                self.keys(("sysctl", "sysctls"), at, &container.sysctls, message);
            }
            Limit::Annotations => {
                let message = "the runtime and its hooks read annotations";
                self.keys(
                    ("annotation", "annotations"),
                    at,
                    &container.annotations,
                    message,
                );
            }
            Limit::Runtime => {
                let message = "another runtime may isolate otherwise";
                self.pattern(("runtime", "runtimes"), at, &container.runtimes, message);
            }
            Limit::CgroupParent => {
                let (names, message) = (
                    ("cgroup-parent", "cgroup-parents"),
                    "it leaves the daemon's control group",
                );
                self.pattern(names, at, &container.cgroup_parents, message);
            }
            Limit::MaskedPaths => self.masked_paths(path, value),
            Limit::OomScore => self.oom_score(path, value),
            Limit::Capabilities => self.capabilities(path, value),
            Limit::Devices => self.devices(path, value),
            Limit::DeviceCgroupRules => self.device_cgroup_rules(path, value),
            Limit::SecurityOptions => self.security_options(path, value),
            Limit::Healthcheck => self.healthcheck(path, value),
            Limit::Ulimits => self.ulimits(path, value),
            Limit::BuildUlimits => self.build_ulimits(path, text),
            Limit::CpuRealtime => self.cpu_realtime(path, value),
            Limit::LogConfig => self.log_config(path, value),
            Limit::Isolation => self.isolation(path, value),
            Limit::StorageOptions => self.storage_options(path, value),
            Limit::PidMode => self.namespace(path, text, &namespaces::PID),
            Limit::IpcMode => self.namespace(path, text, &namespaces::IPC),
            Limit::UtsMode => self.namespace(path, text, &namespaces::UTS),
            Limit::UsernsMode => self.namespace(path, text, &namespaces::USER),
            Limit::CgroupnsMode => self.namespace(path, text, &namespaces::CGROUP),
            Limit::Binds => self.binds(path, value),
            Limit::Mounts => self.mounts(path, value),
            Limit::VolumeDriver => self.volume_driver(path, text),
            Limit::VolumeOptions => self.volume_options(path, value),
            Limit::PortBindings => self.port_bindings(path, value),
            Limit::PublishAllPorts => self.publish_all_ports(path, value),
            Limit::NetworkMode | Limit::Network | Limit::BuildNetworkMode => {
                self.network_mode(path, text);
            }
            Limit::EndpointsConfig => self.endpoints(path, value),
            Limit::EndpointOptions => self.endpoint_options(path, value),
            Limit::NetworkDriver => self.network_driver(path, text),
            Limit::NetworkOptions => self.network_options(path, value),
            Limit::IpamDriver => self.ipam_driver(path, text),
            Limit::Image => self.image(path, text),
            Limit::ImportSource => self.import_source(path, text),
            Limit::Links => self.links(path, value),
            Limit::VolumesFrom => self.volumes_from(path, value),
            Limit::Labels => self.labels(path, value),
            Limit::Subnet => self.subnet(path, text),
            Limit::NetworkScope => self.network_scope(path, text),
            Limit::Registry => self.registry(path, text),
            Limit::PsArguments => self.ps_arguments(path, text),
            Limit::BuildRemote => self.build_remote(path, text),
            Limit::Plugin => self.plugin_by_name(path, text),
            Limit::Checkpoint => self.checkpoint(path, text),
            Limit::ClusterVolume => self.cluster_volume(path),
            Limit::CacheSources => self.cache_sources(path, text),
            Limit::BuildVersion => self.build_version(path, text),
            Limit::Tmpfs => self.tmpfs(path, value),
            // Judged whole, with what is absent: `swarm_addresses`, `absent_auto_lock`.
            Limit::SwarmAddress | Limit::AutoLock => {}
            Limit::SwarmRemotes => self.swarm_remotes(path, value),
            Limit::AddressPool => self.address_pool(path, value),
            Limit::ForceNewCluster => self.force_new_cluster(path, value),
            Limit::CertificateAuthority => self.certificate_authority(path, value),
            Limit::SwarmTokens => self.swarm_tokens_changed(path, text),
            Limit::NodeRole => self.node_role(path, text),
            Limit::LogDriver => self.log_driver(path, value),
            Limit::SecretDriver => self.secret_driver(path, value),
            Limit::SecretTemplating => {
                self.templating("secret", path, value, &self.policy.secret.templating);
            }
            Limit::ConfigTemplating => {
                self.templating("config", path, value, &self.policy.config.templating);
            }
            Limit::ServiceNetworks => self.service_networks(path, value),
            Limit::ServicePorts => self.service_ports(path, value),
            Limit::ServiceMounts => self.service_mounts(path, value),
            Limit::SelinuxContext => self.selinux_context(path, value),
            Limit::SeccompMode => self.profile(path, text, service::NO_SECCOMP),
            Limit::AppArmorMode => self.profile(path, text, service::NO_APPARMOR),
            Limit::ServiceSecrets => self.service_secrets(path, value),
            Limit::ServiceConfigs => self.service_configs(path, value),
            Limit::GenericResources => self.generic_resources(path, value),
            Limit::TaskRuntime => self.task_runtime(path, text),
            Limit::ServiceRollback => self.service_rollback(path, text),
        }
    }
}
