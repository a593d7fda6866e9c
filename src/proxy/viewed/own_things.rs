//! Whose the things are that events are about, asked of the daemon while the events come.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time;

use crate::daemon::Question;
use crate::decision::{Found, Reference, View};
use crate::engine_api::{ExistingNetwork, ExistingVolume, Kind, owned_ids, owned_volumes};

use super::super::Gate;
use super::super::lookups::Asker;

type Asked = Pin<Box<dyn Future<Output = bool> + Send>>;

/// What is asked for one stream of events, one thing at a time.
pub(super) struct OwnThings {
    gate: Arc<Gate>,
    owner: Arc<str>,
    asked: Option<Asked>,
}

impl OwnThings {
    /// Takes what there is already for known, so far as the daemon tells it in time; all else is asked about as it comes.
    pub(super) async fn begin(gate: &Arc<Gate>, owner: &str, view: &mut View) -> Self {
        let asker = Asker {
            gate: Arc::clone(gate),
            idle: None,
        };
        let _ = time::timeout(DEADLINE, learn(asker, owner, view)).await;
        Self {
            gate: Arc::clone(gate),
            owner: Arc::from(owner),
            asked: None,
        }
    }

    /// Whether the thing is the owner's; what the daemon does not say is not.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>, thing: &Reference) -> Poll<bool> {
        let asked = self.asked.get_or_insert_with(|| {
            let asker = Asker {
                gate: Arc::clone(&self.gate),
                idle: None,
            };
            Box::pin(is_own(asker, Arc::clone(&self.owner), thing.clone()))
        });
        let is_own = ready!(asked.as_mut().poll(cx));
        self.asked = None;
        Poll::Ready(is_own)
    }
}

impl std::fmt::Debug for OwnThings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OwnThings")
            .field("owner", &self.owner)
            .finish_non_exhaustive()
    }
}

async fn learn(mut asker: Asker, owner: &str, view: &mut View) {
    let volumes = asker.ask(Question::OwnedVolumes(owner), owned_volumes);
    if let Found::Is(names) = volumes.await {
        let volumes = names.into_iter().map(Reference::Volume);
        volumes.for_each(|volume| view.learn(volume, true));
    }
    let networks = asker.ask(Question::OwnedNetworks(owner), owned_ids);
    if let Found::Is(ids) = networks.await {
        let networks = ids.into_iter().map(Reference::Network);
        networks.for_each(|network| view.learn(network, true));
    }
    for (question, kind) in [
        (Question::OwnedServices(owner), Kind::Service),
        (Question::OwnedSecrets(owner), Kind::Secret),
        (Question::OwnedConfigs(owner), Kind::Config),
    ] {
        // A daemon that is no manager of a swarm has none.
        let Found::Is(ids) = asker.ask(question, owned_ids).await else {
            return;
        };
        let things = ids.into_iter().map(|id| Reference::Thing(kind, id));
        things.for_each(|thing| view.learn(thing, true));
    }
}

async fn is_own(mut asker: Asker, owner: Arc<str>, thing: Reference) -> bool {
    let is_owner = |found: Option<String>| found.is_some_and(|found| *found == *owner);
    match &thing {
        Reference::Network(id) => {
            let read = |bytes: &[u8]| ExistingNetwork::read(bytes, id);
            match asker.ask(Question::Network(id), read).await {
                Found::Is(network) => network.id == *id && is_owner(network.owner),
                Found::Answered { .. } | Found::Unknown(_) => false,
            }
        }
        Reference::Volume(name) => {
            let volume = asker.ask(Question::Volume(name), ExistingVolume::read);
            match volume.await {
                Found::Is(volume) => is_owner(volume.owner),
                Found::Answered { .. } | Found::Unknown(_) => false,
            }
        }
        Reference::Thing(kind, id) => match asker.thing(*kind, id).await {
            Found::Is(thing) => thing.id == *id && is_owner(thing.owner),
            Found::Answered { .. } | Found::Unknown(_) => false,
        },
        Reference::Container(_)
        | Reference::Exec(_)
        | Reference::Other(_)
        | Reference::SwarmNetwork(_)
        | Reference::Image(_) => false,
    }
}

/// For the lists together; events wait meanwhile.
const DEADLINE: Duration = Duration::from_secs(30);
