//! Whether a permitted request is within what its owner may have: tunnels by the gate's own count, things by the daemon's.

use std::collections::BTreeSet;
use std::sync::Arc;

use tokio::task::JoinSet;

use crate::daemon::Question;
use crate::decision::Found;
use crate::engine_api::json::{self, Value};
use crate::engine_api::{
    EngineRequest, ExistingVolume, Hijack, Malformed, OwnedContainer, Resources, owned_containers,
    owned_networks, owned_volumes,
};

use super::super::connection::Connection;
use super::super::lookups::{self, Asker};
use super::quota::{self, Ask, Bound, Mounted};
use super::{Held, Over};

/// Takes what a permitted request needs of its owner's allowance.
///
/// # Errors
/// [`Over`]; then nothing may be forwarded.
pub(in crate::proxy) async fn admit(
    connection: &mut Connection,
    held: &mut Held,
    request: &EngineRequest,
) -> Result<(), Over> {
    let Some(allowed) = connection.client.allowed.clone() else {
        return Ok(());
    };
    if request.hijack() != Hijack::No {
        held.tunnel = allowed.tunnel()?;
        if held.tunnel.is_some() {
            held.exchange = None;
        }
    }
    let quota = allowed.allowance.quota;
    let Some(ask) = quota::ask(&quota, request) else {
        return Ok(());
    };
    let owner = Arc::clone(&connection.client.owner);
    for kind in ask.turns(&quota) {
        let turn = allowed.used.turns.take(kind).await;
        held.turns
            .push(turn.ok_or_else(|| Over::Busy(owner.as_ref().to_owned()))?);
    }
    let bound = Bound {
        owner: &owner,
        quota: &quota,
    };
    let counted = Counting { connection, bound }.held(&ask).await;
    counted.map_err(|over| match over {
        NotWithin::Over(message) => Over::Quota(message),
        NotWithin::Unknown(cause) => Over::Uncounted {
            owner: owner.as_ref().to_owned(),
            cause,
        },
    })
}

/// Why a request is not within its quota.
#[derive(Debug)]
enum NotWithin {
    Over(String),
    Unknown(String),
}

struct Counting<'a> {
    connection: &'a mut Connection,
    bound: Bound<'a>,
}

impl Counting<'_> {
    async fn held(&mut self, ask: &Ask<'_>) -> Result<(), NotWithin> {
        if !ask.is_labelled(self.bound.owner) {
            let cause = "the request does not carry the label that it would be counted by";
            return Err(NotWithin::Unknown(cause.to_owned()));
        }
        match ask {
            Ask::Container(body) => self.container(body).await,
            Ask::Update(name, update) => self.update(name, update).await,
            Ask::Start(name) => self.start(name).await,
            Ask::Volume(body) => self.volume(body.text("Name")).await,
            Ask::Network(_) => {
                let question = Question::OwnedNetworks(self.bound.owner);
                let count = self.ask(question, owned_networks).await?;
                self.bound.one_more_network(count).map_err(NotWithin::Over)
            }
            Ask::Service => Err(NotWithin::Over(format!(
                "client `{}` has a quota, which the tasks of a service would escape",
                self.bound.owner
            ))),
            Ask::Unread => Err(NotWithin::Unknown(
                "the gate has not read the request".to_owned(),
            )),
        }
    }

    async fn container(&mut self, body: &Value) -> Result<(), NotWithin> {
        let containers = self.containers().await?;
        let bound = self.bound;
        let one_more = bound.one_more_container(containers.len());
        one_more.map_err(NotWithin::Over)?;
        if bound.quota.volumes.is_some() {
            self.mounts(body, &containers).await?;
        }
        if self.counts_resources() {
            let none = Value::Null;
            let asked = Resources::of(body.get("HostConfig").unwrap_or(&none));
            let others = self.resources(containers, "").await?;
            let within = bound.resources(&others, asked);
            within.map_err(NotWithin::Over)?;
        }
        Ok(())
    }

    async fn update(&mut self, name: &str, update: &Value) -> Result<(), NotWithin> {
        let question = Question::Container(name);
        let (id, host_config) = self.ask(question, container).await?;
        // Under a name, it could be another container by the time that the daemon looks.
        let itself = if id == name { id.as_str() } else { "" };
        let containers = self.containers().await?;
        let others = self.resources(containers, itself).await?;
        let asked = Resources::updated(&host_config, update);
        let within = self.bound.resources(&others, asked);
        within.map_err(NotWithin::Over)
    }

    async fn start(&mut self, name: &str) -> Result<(), NotWithin> {
        let containers = self.containers().await?;
        let within = self.bound.running(&containers, name);
        within.map_err(NotWithin::Over)
    }

    async fn volume(&mut self, name: &str) -> Result<(), NotWithin> {
        let containers = self.containers().await?;
        let there = self.volumes(&containers).await?;
        let more = u64::from(name.is_empty() || !there.contains(name));
        let within = self.bound.volumes(&there, more);
        within.map_err(NotWithin::Over)
    }

    /// Those that do not exist are made with the container.
    async fn mounts(
        &mut self,
        body: &Value,
        containers: &[OwnedContainer],
    ) -> Result<(), NotWithin> {
        let owner = self.bound.owner;
        let Mounted { named, anonymous } = quota::mounted(body, owner);
        let mut made = BTreeSet::new();
        let there = self.volumes(containers).await?;
        for (name, is_labelled) in named {
            if there.contains(&name) || !self.is_absent(&name).await? {
                continue;
            }
            if !is_labelled {
                return Err(NotWithin::Over(format!(
                    "the volume `{name}` does not exist, and made with a container it would not be counted for client \
                     `{owner}`: make it first, with `docker volume create`"
                )));
            }
            made.insert(name);
        }
        let more = anonymous.saturating_add(made.len() as u64);
        let within = self.bound.volumes(&there, more);
        within.map_err(NotWithin::Over)
    }

    async fn is_absent(&mut self, volume: &str) -> Result<bool, NotWithin> {
        let question = Question::Volume(volume);
        match lookups::ask(self.connection, question, ExistingVolume::read).await {
            Found::Is(_) => Ok(false),
            Found::Answered { status: 404, .. } => Ok(true),
            Found::Answered { message, .. } | Found::Unknown(message) => {
                Err(NotWithin::Unknown(message))
            }
        }
    }

    fn counts_resources(&self) -> bool {
        let quota = self.bound.quota;
        quota.memory.is_some() || quota.nano_cpus.is_some()
    }

    async fn containers(&mut self) -> Result<Vec<OwnedContainer>, NotWithin> {
        let question = Question::OwnedContainers(self.bound.owner);
        self.ask(question, owned_containers).await
    }

    /// Those with the owner's label, and those of its containers, which need not have it.
    async fn volumes(
        &mut self,
        containers: &[OwnedContainer],
    ) -> Result<BTreeSet<String>, NotWithin> {
        let question = Question::OwnedVolumes(self.bound.owner);
        let mut there: BTreeSet<String> = self
            .ask(question, owned_volumes)
            .await?
            .into_iter()
            .collect();
        let mounted = containers.iter().flat_map(|one| &one.volumes);
        there.extend(mounted.cloned());
        Ok(there)
    }

    /// A list does not say what a container may take, so each is asked about, but for one.
    async fn resources(
        &mut self,
        containers: Vec<OwnedContainer>,
        without: &str,
    ) -> Result<Vec<Resources>, NotWithin> {
        let mut ids: Vec<String> = containers.into_iter().map(|one| one.id).collect();
        ids.retain(|id| id != without);
        if ids.len() > MOST_CONTAINERS {
            let message = format!("there are more than {MOST_CONTAINERS} containers");
            return Err(NotWithin::Unknown(message));
        }
        let share = ids.len().div_ceil(MOST_AT_ONCE).max(1);
        let mut parts = JoinSet::new();
        for part in ids.chunks(share) {
            let asker = Asker {
                gate: Arc::clone(&self.connection.gate),
                idle: None,
            };
            parts.spawn(resources_of(asker, part.to_vec()));
        }
        let mut found = Vec::new();
        while let Some(part) = parts.join_next().await {
            let failed = |error: tokio::task::JoinError| error.to_string();
            let part = part.map_err(failed).and_then(|part| part);
            found.extend(part.map_err(NotWithin::Unknown)?);
        }
        Ok(found)
    }

    async fn ask<T>(
        &mut self,
        question: Question<'_>,
        read: impl FnOnce(&[u8]) -> Result<T, Malformed>,
    ) -> Result<T, NotWithin> {
        match lookups::ask(self.connection, question, read).await {
            Found::Is(found) => Ok(found),
            Found::Answered { message, .. } | Found::Unknown(message) => {
                Err(NotWithin::Unknown(message))
            }
        }
    }
}

async fn resources_of(mut asker: Asker, ids: Vec<String>) -> Result<Vec<Resources>, String> {
    let mut found = Vec::with_capacity(ids.len());
    for id in ids {
        match asker.ask(Question::Container(&id), container).await {
            Found::Is((_, host_config)) => found.push(Resources::of(&host_config)),
            // Removed since it was listed.
            Found::Answered { status: 404, .. } => {}
            Found::Answered { message, .. } | Found::Unknown(message) => return Err(message),
        }
    }
    Ok(found)
}

/// The full id and the `HostConfig` in the answer to `ContainerInspect`.
fn container(bytes: &[u8]) -> Result<(String, Value), Malformed> {
    let answer = json::parse(bytes)?;
    let id = answer.text("Id").to_owned();
    match answer.get("HostConfig") {
        Some(host_config) if !id.is_empty() => Ok((id, host_config.clone())),
        Some(_) | None => Err(Malformed::Body("it is no container".to_owned())),
    }
}

/// Connections over which one owner's containers are asked about.
const MOST_AT_ONCE: usize = 8;
/// Containers of one owner that are asked about.
const MOST_CONTAINERS: usize = 2000;
