//! What exists at the daemon, held field by field against the canonical body that the gate has judged.

use dockgate::engine_api::{Body, Key, Operation as O, json};
use serde_json::Value;

use super::effect::Effect;
use super::judged::Judged;

/// Where a field stands in the body, and where the daemon shows it.
type Place = (&'static str, &'static str);

/// Fields that the daemon shows as it was sent them, and whose absence it shows as their zero.
#[rustfmt::skip]
const SHOWN: &[(&[O], &[Place])] = &[
    (&[O::ContainerCreate], CONTAINER),
    (&[O::ContainerExec], &[
        ("Tty", "ProcessConfig.tty"), ("Privileged", "ProcessConfig.privileged"), ("User", "ProcessConfig.user"),
        ("AttachStdin", "OpenStdin"), ("AttachStdout", "OpenStdout"), ("AttachStderr", "OpenStderr"),
        ("Cmd.0", "ProcessConfig.entrypoint"), ("Cmd.1", "ProcessConfig.arguments.0"),
    ]),
    (&[O::VolumeCreate], &[("Name", "Name"), ("Labels", "Labels"), ("DriverOpts", "Options")]),
    (&[O::NetworkCreate], &[
        ("Name", "Name"), ("Internal", "Internal"), ("Attachable", "Attachable"), ("Options", "Options"),
        ("EnableIPv6", "EnableIPv6"), ("Ingress", "Ingress"), ("ConfigOnly", "ConfigOnly"),
        ("ConfigFrom.Network", "ConfigFrom.Network"), ("IPAM.Options", "IPAM.Options"),
        ("IPAM.Config.0.Subnet", "IPAM.Config.0.Subnet"), ("IPAM.Config.0.Gateway", "IPAM.Config.0.Gateway"),
        ("IPAM.Config.0.IPRange", "IPAM.Config.0.IPRange"),
    ]),
    (&[O::ServiceCreate, O::ServiceUpdate], SERVICE),
    (&[O::SecretCreate, O::SecretUpdate, O::ConfigCreate, O::ConfigUpdate], &[
        ("Name", "Name"), ("Labels", "Labels"),
    ]),
    (&[O::NodeUpdate], &[
        ("Name", "Name"), ("Labels", "Labels"),
    ]),
    (&[O::SwarmUpdate], &[
        ("Labels", "Labels"), ("EncryptionConfig.AutoLockManagers", "EncryptionConfig.AutoLockManagers"),
    ]),
];

#[rustfmt::skip]
const CONTAINER: &[Place] = &[
    ("Domainname", "Config.Domainname"), ("User", "Config.User"), ("Tty", "Config.Tty"),
    ("OpenStdin", "Config.OpenStdin"), ("WorkingDir", "Config.WorkingDir"), ("Labels", "Config.Labels"),
    ("HostConfig.Memory", "HostConfig.Memory"), ("HostConfig.Privileged", "HostConfig.Privileged"),
    ("HostConfig.PidMode", "HostConfig.PidMode"), ("HostConfig.UTSMode", "HostConfig.UTSMode"),
    ("HostConfig.UsernsMode", "HostConfig.UsernsMode"),
    ("HostConfig.ReadonlyRootfs", "HostConfig.ReadonlyRootfs"), ("HostConfig.CpuShares", "HostConfig.CpuShares"),
    ("HostConfig.Binds", "HostConfig.Binds"), ("HostConfig.Sysctls", "HostConfig.Sysctls"),
    ("HostConfig.OomScoreAdj", "HostConfig.OomScoreAdj"), ("HostConfig.CgroupParent", "HostConfig.CgroupParent"),
    ("HostConfig.AutoRemove", "HostConfig.AutoRemove"), ("HostConfig.PublishAllPorts", "HostConfig.PublishAllPorts"),
    ("HostConfig.VolumesFrom", "HostConfig.VolumesFrom"), ("HostConfig.VolumeDriver", "HostConfig.VolumeDriver"),
    ("HostConfig.Tmpfs", "HostConfig.Tmpfs"), ("HostConfig.StorageOpt", "HostConfig.StorageOpt"),
    ("HostConfig.GroupAdd", "HostConfig.GroupAdd"), ("HostConfig.Init", "HostConfig.Init"),
    ("HostConfig.DeviceCgroupRules", "HostConfig.DeviceCgroupRules"),
    ("HostConfig.Devices.0.PathOnHost", "HostConfig.Devices.0.PathOnHost"),
    ("HostConfig.Devices.0.PathInContainer", "HostConfig.Devices.0.PathInContainer"),
    ("HostConfig.Devices.0.CgroupPermissions", "HostConfig.Devices.0.CgroupPermissions"),
    ("HostConfig.Devices.1.PathOnHost", "HostConfig.Devices.1.PathOnHost"),
    ("HostConfig.DeviceRequests.0.Driver", "HostConfig.DeviceRequests.0.Driver"),
    ("HostConfig.DeviceRequests.0.Count", "HostConfig.DeviceRequests.0.Count"),
    ("HostConfig.DeviceRequests.0.DeviceIDs", "HostConfig.DeviceRequests.0.DeviceIDs"),
    ("HostConfig.DeviceRequests.0.Capabilities", "HostConfig.DeviceRequests.0.Capabilities"),
    ("HostConfig.Ulimits.0.Name", "HostConfig.Ulimits.0.Name"),
    ("HostConfig.Ulimits.0.Soft", "HostConfig.Ulimits.0.Soft"),
    ("HostConfig.Ulimits.0.Hard", "HostConfig.Ulimits.0.Hard"),
    ("HostConfig.Mounts.0.Type", "HostConfig.Mounts.0.Type"),
    ("HostConfig.Mounts.0.Source", "HostConfig.Mounts.0.Source"),
    ("HostConfig.Mounts.0.Target", "HostConfig.Mounts.0.Target"),
    ("HostConfig.Mounts.0.ReadOnly", "HostConfig.Mounts.0.ReadOnly"),
    ("HostConfig.Mounts.0.BindOptions.Propagation", "HostConfig.Mounts.0.BindOptions.Propagation"),
    ("HostConfig.Mounts.1.Source", "HostConfig.Mounts.1.Source"),
];

/// Fields in whose place the daemon puts a value of its own where the request has none.
#[rustfmt::skip]
const DEFAULTED: &[Place] = &[
    ("HostConfig.IpcMode", "HostConfig.IpcMode"), ("HostConfig.CgroupnsMode", "HostConfig.CgroupnsMode"),
    ("HostConfig.Runtime", "HostConfig.Runtime"), ("HostConfig.ShmSize", "HostConfig.ShmSize"),
    ("HostConfig.NetworkMode", "HostConfig.NetworkMode"),
];

#[rustfmt::skip]
const SERVICE: &[Place] = &[
    ("Labels", "Labels"),
    ("TaskTemplate.ForceUpdate", "TaskTemplate.ForceUpdate"),
    ("TaskTemplate.ContainerSpec.Image", "TaskTemplate.ContainerSpec.Image"),
    ("TaskTemplate.ContainerSpec.Labels", "TaskTemplate.ContainerSpec.Labels"),
    ("TaskTemplate.ContainerSpec.Command", "TaskTemplate.ContainerSpec.Command"),
    ("TaskTemplate.ContainerSpec.Args", "TaskTemplate.ContainerSpec.Args"),
    ("TaskTemplate.ContainerSpec.Hostname", "TaskTemplate.ContainerSpec.Hostname"),
    ("TaskTemplate.ContainerSpec.Env", "TaskTemplate.ContainerSpec.Env"),
    ("TaskTemplate.ContainerSpec.Dir", "TaskTemplate.ContainerSpec.Dir"),
    ("TaskTemplate.ContainerSpec.User", "TaskTemplate.ContainerSpec.User"),
    ("TaskTemplate.ContainerSpec.Groups", "TaskTemplate.ContainerSpec.Groups"),
    ("TaskTemplate.ContainerSpec.Init", "TaskTemplate.ContainerSpec.Init"),
    ("TaskTemplate.ContainerSpec.StopSignal", "TaskTemplate.ContainerSpec.StopSignal"),
    ("TaskTemplate.ContainerSpec.StopGracePeriod", "TaskTemplate.ContainerSpec.StopGracePeriod"),
    ("TaskTemplate.ContainerSpec.TTY", "TaskTemplate.ContainerSpec.TTY"),
    ("TaskTemplate.ContainerSpec.OpenStdin", "TaskTemplate.ContainerSpec.OpenStdin"),
    ("TaskTemplate.ContainerSpec.ReadOnly", "TaskTemplate.ContainerSpec.ReadOnly"),
    ("TaskTemplate.ContainerSpec.Hosts", "TaskTemplate.ContainerSpec.Hosts"),
    ("TaskTemplate.ContainerSpec.Sysctls", "TaskTemplate.ContainerSpec.Sysctls"),
    ("TaskTemplate.ContainerSpec.CapabilityAdd", "TaskTemplate.ContainerSpec.CapabilityAdd"),
    ("TaskTemplate.ContainerSpec.CapabilityDrop", "TaskTemplate.ContainerSpec.CapabilityDrop"),
    ("TaskTemplate.ContainerSpec.DNSConfig.Nameservers", "TaskTemplate.ContainerSpec.DNSConfig.Nameservers"),
    ("TaskTemplate.ContainerSpec.HealthCheck.Test", "TaskTemplate.ContainerSpec.Healthcheck.Test"),
    ("TaskTemplate.ContainerSpec.HealthCheck.Interval", "TaskTemplate.ContainerSpec.Healthcheck.Interval"),
    ("TaskTemplate.ContainerSpec.Privileges.SELinuxContext.Disable", "TaskTemplate.ContainerSpec.Privileges.SELinuxContext.Disable"),
    ("TaskTemplate.ContainerSpec.Privileges.SELinuxContext.Level", "TaskTemplate.ContainerSpec.Privileges.SELinuxContext.Level"),
    ("TaskTemplate.ContainerSpec.Mounts.0.Source", "TaskTemplate.ContainerSpec.Mounts.0.Source"),
    ("TaskTemplate.ContainerSpec.Mounts.0.Target", "TaskTemplate.ContainerSpec.Mounts.0.Target"),
    ("TaskTemplate.ContainerSpec.Mounts.0.ReadOnly", "TaskTemplate.ContainerSpec.Mounts.0.ReadOnly"),
    ("TaskTemplate.ContainerSpec.Mounts.0.VolumeOptions.Labels", "TaskTemplate.ContainerSpec.Mounts.0.VolumeOptions.Labels"),
    ("TaskTemplate.ContainerSpec.Mounts.0.VolumeOptions.DriverConfig.Options", "TaskTemplate.ContainerSpec.Mounts.0.VolumeOptions.DriverConfig.Options"),
    ("TaskTemplate.ContainerSpec.Secrets.0.SecretID", "TaskTemplate.ContainerSpec.Secrets.0.SecretID"),
    ("TaskTemplate.ContainerSpec.Secrets.0.SecretName", "TaskTemplate.ContainerSpec.Secrets.0.SecretName"),
    ("TaskTemplate.ContainerSpec.Configs.0.ConfigID", "TaskTemplate.ContainerSpec.Configs.0.ConfigID"),
    ("TaskTemplate.ContainerSpec.Configs.0.ConfigName", "TaskTemplate.ContainerSpec.Configs.0.ConfigName"),
    ("TaskTemplate.Resources.Limits.MemoryBytes", "TaskTemplate.Resources.Limits.MemoryBytes"),
    ("TaskTemplate.Resources.Limits.NanoCPUs", "TaskTemplate.Resources.Limits.NanoCPUs"),
    ("TaskTemplate.Placement.Constraints", "TaskTemplate.Placement.Constraints"),
    ("TaskTemplate.LogDriver.Name", "TaskTemplate.LogDriver.Name"),
    ("TaskTemplate.LogDriver.Options", "TaskTemplate.LogDriver.Options"),
    ("TaskTemplate.Networks.0.Target", "TaskTemplate.Networks.0.Target"),
    ("TaskTemplate.Networks.0.Aliases", "TaskTemplate.Networks.0.Aliases"),
    ("Networks.0.Target", "Networks.0.Target"),
    ("EndpointSpec.Ports.0.TargetPort", "EndpointSpec.Ports.0.TargetPort"),
    ("EndpointSpec.Ports.0.PublishedPort", "EndpointSpec.Ports.0.PublishedPort"),
    ("UpdateConfig.Parallelism", "UpdateConfig.Parallelism"),
    ("UpdateConfig.Delay", "UpdateConfig.Delay"),
    ("UpdateConfig.MaxFailureRatio", "UpdateConfig.MaxFailureRatio"),
];

/// Where what exists is not what the gate understood and judged.
pub(super) fn of(effect: &Effect, judged: &Judged) -> Vec<String> {
    let Body::Json(body) = &judged.request.body else {
        return Vec::new();
    };
    let operation = judged.request.operation();
    let is_of = |(of, _): &&(&[O], &'static [Place])| operation.is_some_and(|it| of.contains(&it));
    let places = SHOWN.iter().find(is_of).filter(|_| effect.is_taken());
    let places = places.map_or(&[][..], |(_, places)| places);
    let defaulted = if operation == Some(O::ContainerCreate) && effect.is_taken() {
        DEFAULTED
    } else {
        &[]
    };
    let is_left = |(asked, _): &&Place| match *asked {
        // The daemon leaves the removal to clients as old as that.
        "HostConfig.AutoRemove" => judged.request.target().starts_with("/v1.24/"),
        // Those of the image come beside.
        "Labels" => operation == Some(O::ContainerCreate) && body.text("Image") != "busybox",
        _ => false,
    };
    let places = places.iter().filter(|place| !is_left(place));
    let always = places.filter_map(|place| stray(body, effect, place, false));
    let where_set = defaulted.iter();
    let where_set = where_set.filter_map(|place| stray(body, effect, place, true));
    always.chain(where_set).collect()
}

/// What the gate understood of a field and the daemon did not.
fn stray(
    body: &json::Value,
    effect: &Effect,
    (asked, shown): &Place,
    has_default: bool,
) -> Option<String> {
    let understood = asked.split('.').try_fold(body, member);
    let understood = understood.filter(|it| !has_default || !it.is_zero());
    let found = shown.split('.').try_fold(effect.found(), |value, key| {
        let index: Option<usize> = key.parse().ok();
        index.map_or_else(|| value.get(key), |index| value.get(index))
    });
    let found = found.unwrap_or(&Value::Null);
    let agrees = understood.map_or_else(|| has_default || is_zero(found), |it| mirrors(it, found));
    (!agrees).then(|| format!("{asked} is {understood:?} to the gate and {found} at the daemon"))
}

fn member<'v>(value: &'v json::Value, key: &str) -> Option<&'v json::Value> {
    let index: Option<usize> = key.parse().ok();
    index.map_or_else(|| value.get(key), |index| value.items().get(index))
}

fn is_zero(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(value) => !value,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
    }
}

/// Whether the daemon shows what the gate understood; `null` is the zero of its place.
fn mirrors(gate: &json::Value, daemon: &Value) -> bool {
    match (gate, daemon) {
        (json::Value::Bool(gate), Value::Bool(daemon)) => gate == daemon,
        (json::Value::Number(whole), Value::Number(daemon)) => {
            match (whole.as_i64(), daemon.as_i64()) {
                // A swarm keeps fractions in single precision.
                (None, _) | (_, None) => match (gate.to_string().parse::<f64>(), daemon.as_f64()) {
                    (Ok(gate), Some(daemon)) => (gate - daemon).abs() <= gate.abs() / 1e6,
                    (Ok(_) | Err(_), _) => false,
                },
                (gate, daemon) => gate == daemon,
            }
        }
        (json::Value::Text(gate), Value::String(daemon)) => **gate == **daemon,
        (json::Value::List(gate), Value::Array(daemon)) => {
            gate.len() == daemon.len()
                && gate
                    .iter()
                    .zip(daemon)
                    .all(|(gate, daemon)| mirrors(gate, daemon))
        }
        (json::Value::Object(gate), Value::Object(daemon)) => {
            let shown = |(key, gate): &(Key, json::Value)| {
                daemon
                    .get(key.as_str())
                    .is_some_and(|daemon| mirrors(gate, daemon))
            };
            gate.len() == daemon.len() && gate.iter().all(shown)
        }
        (gate, daemon) => gate.is_zero() && is_zero(daemon),
    }
}
