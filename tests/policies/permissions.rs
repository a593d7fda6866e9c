//! A policy written out, so that a change of what it permits shows as a changed line.

use std::fmt::{Debug, Write as _};

use dockgate::engine_api::Operation;
use dockgate::policy::{self, Limit, Pattern, Policy};

/// All that a policy permits, a line for each.
pub(super) fn permissions(policy: &Policy) -> String {
    let Policy {
        name,
        description,
        permits_everything,
        observes,
        operations,
        paths,
        container,
        network,
        volume,
        image,
        build,
        swarm,
        secret,
        config,
        plugin,
        service,
        quiet,
    } = policy;
    let mut text =
        format!("{name}: {description}\npermits everything: {permits_everything}\n\noperations:\n");
    assert!(
        observes.is_none(),
        "a policy that observes permits what another does"
    );
    permitted(&mut text, operations.keys(), paths);
    text.push_str("\nlimits:\n");
    let mut limits = Limits(&mut text);
    container_limits(&mut limits, container);
    network_limits(&mut limits, network);
    let policy::VolumeLimits {
        drivers,
        types,
        cluster,
    } = volume;
    limits.patterns("volume drivers", drivers);
    limits.line("volume types", types);
    limits.line("volume cluster", cluster);
    let policy::ImageLimits {
        references,
        import_urls,
    } = image;
    limits.patterns("image references", references);
    limits.line("image import-urls", import_urls);
    let policy::BuildLimits { remote_contexts } = build;
    limits.line("build remote-contexts", remote_contexts);
    swarm_limits(&mut limits, swarm);
    let policy::SecretLimits {
        drivers,
        templating,
    } = secret;
    limits.patterns("secret drivers", drivers);
    limits.line("secret templating", templating);
    let policy::ConfigLimits { templating } = config;
    limits.line("config templating", templating);
    plugin_and_service_limits(&mut limits, plugin, service);
    hidden(&mut text, quiet);
    text
}

/// What is hidden, a line for each; it permits nothing.
fn hidden(text: &mut String, quiet: &policy::Quiet) {
    let policy::Quiet {
        environment,
        host_paths,
        labels,
        command_lines,
        secrets,
        host_details,
    } = quiet;
    for (name, setting) in [
        ("environment", environment),
        ("host-paths", host_paths),
        ("command-lines", command_lines),
        ("secrets", secrets),
        ("host-details", host_details),
    ] {
        if setting.value {
            writeln!(text, "  hides {name}").unwrap();
        }
    }
    for pattern in &labels.value {
        writeln!(text, "  hides labels {pattern}").unwrap();
    }
}

fn permitted<'p>(
    text: &mut String,
    operations: impl Iterator<Item = &'p Operation>,
    paths: &[policy::PathRule],
) {
    for operation in operations {
        let spec = operation.spec();
        writeln!(text, "  {:?} {:?} {}", spec.tag, spec.effect, spec.name).unwrap();
    }
    for rule in paths {
        writeln!(text, "  {:?} {}", rule.methods, rule.path).unwrap();
    }
}

fn network_limits(limits: &mut Limits<'_>, network: &policy::NetworkLimits) {
    let policy::NetworkLimits {
        icc,
        drivers,
        options,
        default_bridge,
        parents,
        subnets,
    } = network;
    limits.line("network icc", icc);
    limits.patterns("network drivers", drivers);
    limits.patterns("network options", options);
    limits.line("network default-bridge", default_bridge);
    limits.patterns("network parents", parents);
    limits.line("network subnets", subnets);
}

fn plugin_and_service_limits(
    limits: &mut Limits<'_>,
    plugin: &policy::PluginLimits,
    service: &policy::ServiceLimits,
) {
    let policy::PluginLimits {
        references,
        privileges,
        settings,
        creates_unread,
    } = plugin;
    limits.patterns("plugin references", references);
    limits.patterns("plugin privileges", privileges);
    limits.patterns("plugin settings", settings);
    limits.line("plugin dangerously-create-unread", creates_unread);
    let policy::ServiceLimits {
        secrets,
        configs,
        volumes,
        generic_resources,
    } = service;
    limits.patterns("service secrets", secrets);
    limits.patterns("service configs", configs);
    limits.patterns("service volumes", volumes);
    limits.patterns("service generic-resources", generic_resources);
}

fn swarm_limits(limits: &mut Limits<'_>, swarm: &policy::SwarmLimits) {
    let policy::SwarmLimits {
        addresses,
        remotes,
        tokens,
        certificate_authority,
        force_new_cluster,
        autolock_off,
        promote,
    } = swarm;
    limits.patterns("swarm addresses", addresses);
    limits.patterns("swarm remotes", remotes);
    limits.line("swarm tokens", tokens);
    limits.line("swarm certificate-authority", certificate_authority);
    limits.line("swarm force-new-cluster", force_new_cluster);
    limits.line("swarm autolock-off", autolock_off);
    limits.line("swarm promote", promote);
}

fn container_limits(limits: &mut Limits<'_>, container: &policy::ContainerLimits) {
    let policy::ContainerLimits {
        privileged,
        capabilities,
        host_paths,
        // It opens nothing.
        host_file_system: _,
        namespaces,
        devices,
        device_requests,
        device_cgroup_rules,
        security_options,
        sysctls,
        ulimits,
        runtimes,
        cgroup_parents,
        negative_oom_score,
        oom_kill_disable,
        annotations,
        log_drivers,
        unmasked_paths,
        published,
        images,
        networks,
        volume_drivers,
        links,
        volumes_from,
    } = container;
    limits.line("container privileged", privileged);
    limits.line("container capabilities", capabilities);
    limits.line("container host-paths", host_paths);
    limits.line("container namespaces", namespaces);
    limits.line("container devices", devices);
    limits.line("container device-requests", device_requests);
    limits.line("container device-cgroup-rules", device_cgroup_rules);
    limits.line("container security-options", security_options);
    limits.patterns("container sysctls", sysctls);
    limits.line("container ulimits", ulimits);
    limits.patterns("container runtimes", runtimes);
    limits.patterns("container cgroup-parents", cgroup_parents);
    limits.line("container negative-oom-score", negative_oom_score);
    limits.line("container oom-kill-disable", oom_kill_disable);
    limits.patterns("container annotations", annotations);
    limits.patterns("container log-drivers", log_drivers);
    limits.line("container unmasked-paths", unmasked_paths);
    limits.line("container published", published);
    limits.patterns("container images", images);
    limits.patterns("container networks", networks);
    limits.patterns("container volume-drivers", volume_drivers);
    limits.patterns("container links", links);
    limits.line("container volumes-from", volumes_from);
}

struct Limits<'t>(&'t mut String);

impl Limits<'_> {
    fn line<T: Debug>(&mut self, name: &str, limit: &Limit<T>) {
        writeln!(self.0, "  {name} = {:?}", limit.value).unwrap();
    }

    fn patterns(&mut self, name: &str, limit: &Limit<Vec<Pattern>>) {
        let texts: Vec<_> = limit.value.iter().map(Pattern::as_str).collect();
        writeln!(self.0, "  {name} = {texts:?}").unwrap();
    }
}
