//! What a request would add to what its owner has, and whether that is within the quota: arithmetic, without I/O.

use std::collections::BTreeSet;

use crate::config::Quota;
use crate::engine_api::json::Value;
use crate::engine_api::mount::{Mount, Source};
use crate::engine_api::{Body, EngineRequest, OWNER_LABEL, Operation, OwnedContainer, Resources};

use super::turn::Kind;

/// What of a quota a request is held against.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Ask<'a> {
    Container(&'a Value),
    /// The container's name and the change.
    Update(&'a str, &'a Value),
    /// The container's name.
    Start(&'a str),
    Volume(&'a Value),
    Network(&'a Value),
    Service,
    /// What was not read cannot be counted.
    Unread,
}

/// What this request asks for that is bounded; most ask for nothing.
pub(super) fn ask<'a>(quota: &Quota, request: &'a EngineRequest) -> Option<Ask<'a>> {
    let Some(operation) = request.operation() else {
        let is_read = matches!(request.head.method.as_str(), "GET" | "HEAD");
        return (!is_read && !quota.is_empty()).then_some(Ask::Unread);
    };
    let name = request.head.target.name().unwrap_or_default();
    let has_resources = quota.memory.is_some() || quota.nano_cpus.is_some();
    let has_containers = quota.containers.is_some() || has_resources;
    let has_tasks = has_containers || quota.running_containers.is_some();
    let body = match &request.body {
        Body::Json(body) => Some(body),
        // The daemon takes nothing for an empty object, or refuses it.
        Body::None => Some(&Value::Null),
        Body::Stream => None,
    };
    let is_one_of = |operations: &[Operation]| operations.contains(&operation);
    let asked =
        if operation == Operation::ContainerCreate && (has_containers || quota.volumes.is_some()) {
            body.map(Ask::Container)
        } else if operation == Operation::ContainerUpdate && has_resources {
            if body.is_some_and(|body| !Resources::are_changed_by(body)) {
                return None;
            }
            body.map(|body| Ask::Update(name, body))
        } else if is_one_of(&[Operation::ContainerStart, Operation::ContainerRestart])
            && quota.running_containers.is_some()
        {
            Some(Ask::Start(name))
        } else if operation == Operation::VolumeCreate && quota.volumes.is_some() {
            body.map(Ask::Volume)
        } else if operation == Operation::NetworkCreate && quota.networks.is_some() {
            body.map(Ask::Network)
        } else if is_one_of(&[Operation::ServiceCreate, Operation::ServiceUpdate])
            && (has_tasks || quota.volumes.is_some())
        {
            Some(Ask::Service)
        } else {
            return None;
        };
    Some(asked.unwrap_or(Ask::Unread))
}

impl Ask<'_> {
    /// The turns that it takes, in their order.
    pub(super) fn turns(&self, quota: &Quota) -> Vec<Kind> {
        match self {
            Self::Container(_) if quota.volumes.is_some() => vec![Kind::Containers, Kind::Volumes],
            Self::Container(_) | Self::Update(..) => vec![Kind::Containers],
            Self::Start(_) => vec![Kind::Running],
            Self::Volume(_) => vec![Kind::Volumes],
            Self::Network(_) => vec![Kind::Networks],
            Self::Service | Self::Unread => Vec::new(),
        }
    }
}

impl Ask<'_> {
    /// Whether what is made will carry the label that it is counted by.
    pub(super) fn is_labelled(&self, owner: &str) -> bool {
        let labels = match self {
            Self::Container(body) | Self::Volume(body) | Self::Network(body) => body.get("Labels"),
            Self::Update(..) | Self::Start(_) | Self::Service | Self::Unread => return true,
        };
        labels.is_some_and(|labels| labels.text(OWNER_LABEL) == owner)
    }
}

/// One owner's quota, and what it is told.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bound<'a> {
    pub(super) owner: &'a str,
    pub(super) quota: &'a Quota,
}

impl Bound<'_> {
    /// One more container, beside those there are.
    pub(super) fn one_more_container(&self, count: usize) -> Result<(), String> {
        self.within("containers", count as u64, 1, self.quota.containers)
    }

    /// This container running, beside those that do; `id` is empty where it may be any.
    pub(super) fn running(&self, containers: &[OwnedContainer], id: &str) -> Result<(), String> {
        let others = containers
            .iter()
            .filter(|one| one.is_running && one.id != id);
        let count = others.count() as u64;
        self.within(
            "running containers",
            count,
            1,
            self.quota.running_containers,
        )
    }

    /// Volumes that come into being, beside those there are.
    pub(super) fn volumes(&self, there: &BTreeSet<String>, more: u64) -> Result<(), String> {
        self.within("volumes", there.len() as u64, more, self.quota.volumes)
    }

    pub(super) fn one_more_network(&self, count: u64) -> Result<(), String> {
        self.within("networks", count, 1, self.quota.networks)
    }

    fn within(&self, what: &str, count: u64, more: u64, most: Option<u64>) -> Result<(), String> {
        let Some(most) = most else { return Ok(()) };
        if more == 0 || count.saturating_add(more) <= most {
            return Ok(());
        }
        let asks = if more == 1 {
            String::new()
        } else {
            format!(" and asks for {more} more")
        };
        Err(format!(
            "client `{}` has {count} {what} of {most} permitted{asks}",
            self.owner
        ))
    }

    /// A container with these resources, beside others.
    pub(super) fn resources(&self, others: &[Resources], asked: Resources) -> Result<(), String> {
        let memory = others.iter().map(|one| one.memory);
        let unit = Unit {
            what: "memory",
            option: "--memory",
            shown: bytes,
        };
        self.sum(&unit, self.quota.memory, memory, asked.memory)?;
        let cpus = others.iter().map(|one| one.nano_cpus);
        let unit = Unit {
            what: "processors",
            option: "--cpus",
            shown: decimal,
        };
        self.sum(&unit, self.quota.nano_cpus, cpus, asked.nano_cpus)
    }

    fn sum(
        &self,
        unit: &Unit,
        most: Option<u64>,
        others: impl Iterator<Item = Option<u64>> + Clone,
        asked: Option<u64>,
    ) -> Result<(), String> {
        let (Some(most), owner, what) = (most, self.owner, unit.what) else {
            return Ok(());
        };
        let permitted = (unit.shown)(most);
        let Some(asked) = asked else {
            let option = unit.option;
            return Err(format!(
                "a container of client `{owner}` needs a limit of its {what} (`{option}`), since all of them together \
                 may have {permitted}"
            ));
        };
        let unbounded = others.clone().filter(Option::is_none).count();
        if unbounded > 0 {
            return Err(format!(
                "client `{owner}` has {unbounded} containers without a limit of their {what}, and all of them together \
                 may have {permitted}"
            ));
        }
        let there = others.flatten().fold(0, u64::saturating_add);
        if there.saturating_add(asked) <= most {
            return Ok(());
        }
        Err(format!(
            "client `{owner}` has {what} {} of {permitted} permitted and asks for {}",
            (unit.shown)(there),
            (unit.shown)(asked)
        ))
    }
}

/// How a sum is spoken of.
struct Unit {
    what: &'static str,
    option: &'static str,
    shown: fn(u64) -> String,
}

fn bytes(count: u64) -> String {
    if count.is_multiple_of(1 << 20) {
        format!("{} MiB", count >> 20)
    } else {
        format!("{count} bytes")
    }
}

fn decimal(billionths: u64) -> String {
    let (whole, fraction) = (billionths / BILLION, billionths % BILLION);
    let text = format!("{whole}.{fraction:09}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

const BILLION: u64 = 1_000_000_000;

/// The volumes that a create mounts.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Mounted {
    /// By their names, with whether the owner's label is written on one that is made.
    pub(super) named: Vec<(String, bool)>,
    pub(super) anonymous: u64,
}

/// Reads them of the body of a `ContainerCreate`, where those of the image stand among the others by now.
pub(super) fn mounted(body: &Value, owner: &str) -> Mounted {
    let mut found = Mounted::default();
    let mut targets = BTreeSet::new();
    let host_config = body.get("HostConfig").unwrap_or(&Value::Null);
    for bind in host_config.get("Binds").into_iter().flat_map(Value::items) {
        let bind = bind.as_text();
        let mut parts = bind.split(':');
        let first = parts.next().unwrap_or_default();
        targets.insert(target(parts.next().unwrap_or(first)));
        found.add(Mount::from_bind(bind), false);
    }
    for mount in host_config.get("Mounts").into_iter().flat_map(Value::items) {
        targets.insert(target(mount.text("Target")));
        let labels = mount
            .get("VolumeOptions")
            .and_then(|options| options.get("Labels"));
        let is_labelled = labels.is_some_and(|labels| labels.text(OWNER_LABEL) == owner);
        found.add(Mount::from_mount(mount), is_labelled);
    }
    let tmpfs = host_config
        .get("Tmpfs")
        .into_iter()
        .flat_map(Value::members);
    targets.extend(tmpfs.map(|(path, _)| target(path)));
    let volumes = body.get("Volumes").into_iter().flat_map(Value::members);
    let bare = volumes.filter(|(path, _)| !targets.contains(target(path)));
    found.anonymous += bare.count() as u64;
    found
}

impl Mounted {
    fn add(&mut self, mount: Mount, is_labelled: bool) {
        match mount.source {
            Source::Volume { name, .. } if name.is_empty() => self.anonymous += 1,
            Source::Volume { name, .. } => self.named.push((name, is_labelled)),
            Source::HostPath(_) | Source::Tmpfs | Source::Image(_) | Source::Unknown(_) => {}
        }
    }
}

fn target(path: &str) -> &str {
    path.trim_end_matches('/')
}

#[cfg(test)]
mod tests;
