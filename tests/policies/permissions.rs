//! A policy written out, so that a change of what it permits shows as a changed line.

use std::fmt::{Debug, Write as _};

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
    } = policy;
    let mut text =
        format!("{name}: {description}\npermits everything: {permits_everything}\n\noperations:\n");
    assert!(
        observes.is_none(),
        "a policy that observes permits what another does"
    );
    for operation in operations.keys() {
        let spec = operation.spec();
        writeln!(text, "  {:?} {:?} {}", spec.tag, spec.effect, spec.name).unwrap();
    }
    for rule in paths {
        writeln!(text, "  {:?} {}", rule.methods, rule.path).unwrap();
    }
    text.push_str("\nlimits:\n");
    let mut limits = Limits(&mut text);
    container_limits(&mut limits, container);
    let policy::NetworkLimits {
        icc,
        drivers,
        options,
        subnets,
    } = network;
    limits.line("network icc", icc);
    limits.patterns("network drivers", drivers);
    limits.patterns("network options", options);
    limits.line("network subnets", subnets);
    let policy::VolumeLimits { drivers, types } = volume;
    limits.patterns("volume drivers", drivers);
    limits.line("volume types", types);
    let policy::ImageLimits {
        references,
        import_urls,
    } = image;
    limits.patterns("image references", references);
    limits.line("image import-urls", import_urls);
    let policy::BuildLimits { remote_contexts } = build;
    limits.line("build remote-contexts", remote_contexts);
    text
}

fn container_limits(limits: &mut Limits<'_>, container: &policy::ContainerLimits) {
    let policy::ContainerLimits {
        privileged,
        capabilities,
        host_paths,
        namespaces,
        devices,
        device_requests,
        device_cgroup_rules,
        security_options,
        sysctls,
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
