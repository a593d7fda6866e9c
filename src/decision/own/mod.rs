//! Each to its own: a client with an owner finds what is its own or shared, and the rest is not there for it.

mod absent;
mod changes;
mod conflict;
mod events;
mod filters;
mod listed;
mod named;
mod owning;
mod stamp;
mod subject;
mod usage;
mod volumes;

use super::facts::{Facts, Found};
use super::references::{Reference, is_image_id};
use super::{Judge, Reason, existing};
use crate::engine_api::{EngineRequest, ExistingContainer, ExistingNetwork, Kind, Operation};
use crate::policy::{Pattern, Shared};

pub(super) use conflict::Conflict;
pub(super) use events::OwnEvents;
use named::{Named, Purpose, named};
pub(super) use owning::Owning;
pub(super) use stamp::{apply as stamp, pin};

/// What must be looked up to know whose it is, before [`super::decide`] can judge a request of a client with an owner.
#[must_use]
pub fn references_of_owner(request: &EngineRequest, shared: &Shared) -> Vec<Reference> {
    let named = named(request, shared);
    named.into_iter().map(|named| named.reference).collect()
}

/// Digits of an id as clients write it.
const SHORT_ID: usize = 12;

/// What a thing is to an owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whose {
    Own,
    /// It may be seen and used, and not changed.
    Shared,
    /// Likewise, and nobody owns it.
    Nobodys,
    /// As if it were not there.
    Hidden,
}

impl Judge<'_> {
    /// Holds what the request names against whose it is; gives the daemon's answer where something is not there for this
    /// client, and then nothing else is said of the request.
    pub(super) fn own_things(&mut self, shared: &Shared) -> Option<(u16, String)> {
        let mut named = named(self.request, shared).into_iter();
        // What the path names comes first, as it does at the daemon.
        let absent = named.find_map(|named| self.own_thing(&named, shared));
        if absent.is_none() {
            self.stampable(shared);
            self.volumes_of_containers(shared);
        }
        absent
    }

    /// A volume can come up as another's between the look at its name and the create of the container that mounts it;
    /// it is seen before anything runs there.
    fn volumes_of_containers(&mut self, shared: &Shared) {
        let facts = self.facts;
        let volumes = facts.containers().flat_map(|container| &container.volumes);
        for name in volumes {
            let Some(Found::Is(volume)) = facts.volumes.get(name) else {
                continue;
            };
            let is_own = volume.owner.as_ref() == Some(&facts.owner);
            // One without a name that came with the container is the container's own.
            let is_anonymous =
                name.len() == 64 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
            let came_along = is_anonymous && volume.owner.is_none();
            if !is_own && !came_along && seen(&shared.volumes, name) == Whose::Hidden {
                let message = "the container has a volume that is not this client's";
                self.refuse(Reason::new("not-own", "container.Mounts", name, message));
            }
        }
    }

    fn own_thing(&mut self, named: &Named, shared: &Shared) -> Option<(u16, String)> {
        let whose = match self.facts.whose(&named.reference, shared) {
            Some(Found::Is(whose)) => whose,
            Some(Found::Answered { status: 404, .. }) if named.may_be_absent(shared) => {
                return None;
            }
            // Not the daemon's message to the gate: what is not there is told as what is another's is.
            Some(Found::Answered { status: 404, .. }) => return Some(named.absent(self.request)),
            Some(Found::Answered { status, message }) => return Some((status, message)),
            // Else the beginnings of what others have would show.
            Some(Found::Unknown(cause))
                if matches!(named.purpose, Purpose::Change | Purpose::Use)
                    && is_ambiguous(&cause) =>
            {
                return Some(named.absent(self.request));
            }
            Some(Found::Unknown(cause)) => return self.not_known(named, &cause),
            None => return self.not_known(named, existing::NOT_LOOKED_UP),
        };
        let fits = match named.purpose {
            Purpose::Change => whose == Whose::Own,
            Purpose::Use | Purpose::Mount => whose != Whose::Hidden,
            Purpose::Make => whose == Whose::Own || (whose == Whose::Shared && named.is_volume()),
            Purpose::Pull | Purpose::Tag => matches!(whose, Whose::Own | Whose::Nobodys),
        };
        if fits {
            return None;
        }
        match (named.purpose, whose) {
            (Purpose::Make, _) if self.is_taken(named) => {}
            (Purpose::Make, _) if named.is_volume() => {
                let message = format!("create {}: volume name must be unique", named.name);
                return Some((409, message));
            }
            (Purpose::Make | Purpose::Pull, _) => {
                let message = "something that is not this client's has this name, or an id that begins with it";
                self.refuse(Reason::new(
                    "name-taken",
                    &named.place,
                    &named.name,
                    message,
                ));
            }
            (_, Whose::Hidden) => {
                return Some(named.absent(self.request));
            }
            (Purpose::Change | Purpose::Use | Purpose::Mount | Purpose::Tag, _) => {
                let message = "it is there for all to use, and not this client's to change";
                self.refuse(Reason::new("not-own", &named.place, &named.name, message));
            }
        }
        None
    }

    /// Whether the daemon itself says that the name is taken: it has one space for names, and what was found does not
    /// only begin with it.
    fn is_taken(&self, named: &Named) -> bool {
        let id = match &named.reference {
            Reference::Thing(Kind::Image, _) => None,
            Reference::Thing(kind, name) => match self.facts.things.get(&(*kind, name.clone())) {
                Some(Found::Is(thing)) => Some(&thing.id),
                Some(Found::Answered { .. } | Found::Unknown(_)) | None => None,
            },
            Reference::Network(name) => match self.facts.networks.get(name) {
                Some(Found::Is(network)) => Some(&network.id),
                Some(Found::Answered { .. } | Found::Unknown(_)) | None => None,
            },
            Reference::Container(_)
            | Reference::Exec(_)
            | Reference::Other(_)
            | Reference::Volume(_)
            | Reference::SwarmNetwork(_)
            | Reference::Image(_) => None,
        };
        id.is_some_and(|id| !id.starts_with(&named.name))
    }

    fn not_known(&mut self, named: &Named, cause: &str) -> Option<(u16, String)> {
        // The daemon's own message may count what others have.
        let cause = cause.split(": ").next().unwrap_or_default();
        let message = format!("the gate cannot tell whose it is: {cause}");
        self.refuse(Reason::new(
            "owner-unknown",
            &named.place,
            &named.name,
            &message,
        ));
        None
    }

    /// What is made can be given its owner.
    fn stampable(&mut self, shared: &Shared) {
        let (operation, query) = (self.request.operation(), &self.request.head.query);
        let message = match operation {
            Some(Operation::ImageLoad) => {
                "the images in the archive would be nobody's, and take names from others"
            }
            Some(Operation::BuildPrune) => "the cache of builds is not kept apart by owners",
            Some(Operation::BuildCancel) => "builds under way are not kept apart by owners",
            Some(Operation::ImageCreate) if self.pulls_all() => {
                "every tag of the repository would be pulled; name one"
            }
            Some(Operation::ImageBuild) if !shared.images => {
                "the gate does not read which images a build begins from, and others' are not shared"
            }
            Some(_) if !shared.images && self.hands_out_all() => {
                "every tag of the repository would be handed out, those of others too; name one"
            }
            Some(_) | None => "",
        };
        if operation.is_none() {
            self.unread_path();
        }
        if !message.is_empty() {
            self.refuse(Reason::new("no-owner-there", "", "", message));
        }
        if matches!(
            operation,
            Some(Operation::ImageCommit | Operation::ImageCreate)
        ) {
            for change in query.all("changes") {
                if let Err(message) = changes::check(change) {
                    self.refuse(Reason::new("owner-label", "?changes", change, message));
                }
            }
        }
        if let Err((name, value)) = filters::check(self.request, &self.facts.owner) {
            let message = "a filter for things of other owners";
            self.refuse(Reason::new("owner-label", name, &value, message));
        }
        if let Err(bind) = volumes::check(self.request, self.facts) {
            let message = "the volume is not there, and would be nobody's; make it first";
            self.refuse(Reason::new(
                "no-owner-there",
                "HostConfig.Binds",
                &bind,
                message,
            ));
        }
    }

    /// A rule by path forwards without a look at whose things it reaches.
    fn unread_path(&mut self) {
        let (method, path) = (
            &self.request.head.method,
            self.request.head.target.to_string(),
        );
        let message =
            "the gate does not read requests by path, so nothing would keep the client to its own";
        let reason = Reason::new(
            "no-owner-there",
            "",
            &format!("{} {path}", method.as_str()),
            message,
        );
        let remedy = "a `[[client]]` or `[[listener]]` without an `owner`";
        self.refuse(reason.opened_by(0, remedy));
    }

    /// moby: image/tarexport/save.go, `parseNames`; distribution/push_v2.go.
    fn hands_out_all(&self) -> bool {
        let (query, name) = (&self.request.head.query, self.request.head.target.name());
        let name = name.unwrap_or_default();
        let is_tagged = |name: &str| {
            let last = name.rsplit('/').next().unwrap_or_default();
            last.is_empty() || last.contains([':', '@'])
        };
        let is_id = |name: &str| name.len() >= SHORT_ID && is_image_id(name);
        match self.request.operation() {
            Some(Operation::ImagePush) => {
                query.get("tag").unwrap_or_default().is_empty() && !is_tagged(name)
            }
            Some(Operation::ImageGet) => !is_tagged(name) && !is_id(name),
            Some(Operation::ImageGetAll) => {
                let mut names = query.all("names");
                names.any(|name| !is_tagged(name) && !is_id(name))
            }
            Some(_) | None => false,
        }
    }

    fn pulls_all(&self) -> bool {
        let query = &self.request.head.query;
        let image = query.get("fromImage").unwrap_or_default();
        let tag = query.get("tag").unwrap_or_default();
        let rest = image.rsplit('/').next().unwrap_or_default();
        !image.is_empty() && tag.is_empty() && !rest.contains([':', '@'])
    }
}

/// Whether the daemon has several things that a name could be the beginning of.
///
/// moby: pkg/truncindex/truncindex.go; daemon/network.go, `FindNetwork`; daemon/cluster/helpers.go.
fn is_ambiguous(cause: &str) -> bool {
    cause.contains("IDs found with provided prefix") || cause.contains(" is ambiguous (")
}

impl Facts {
    /// What a thing that was looked up is to this client.
    fn whose(&self, reference: &Reference, shared: &Shared) -> Option<Found<Whose>> {
        let owned = |owner: &Option<String>, otherwise: Whose| {
            let is_own = owner.as_ref().is_some_and(|owner| *owner == self.owner);
            if is_own { Whose::Own } else { otherwise }
        };
        let container = |found: &Found<ExistingContainer>| {
            found.map(|container| owned(&container.owner, Whose::Hidden))
        };
        let network = |found: &Found<ExistingNetwork>| {
            found.map(|network| {
                let otherwise = seen_network(shared, &network.name, network.owner.is_none());
                owned(&network.owner, otherwise)
            })
        };
        match reference {
            Reference::Container(_) | Reference::Exec(_) => self.container.as_ref().map(container),
            Reference::Other(name) => self.others.get(name).map(container),
            Reference::Volume(name) => self
                .volumes
                .get(name)
                .map(|found| found.map(|volume| owned(&volume.owner, seen(&shared.volumes, name)))),
            Reference::Network(name) => self.networks.get(name).map(network),
            Reference::SwarmNetwork(name) => self.swarm_networks.get(name).map(network),
            Reference::Image(_) => None,
            Reference::Thing(kind, name) => {
                let found = self.things.get(&(*kind, name.clone()))?;
                Some(found.map(|thing| {
                    let otherwise = match (kind, &thing.owner) {
                        (Kind::Image, None) => Whose::Nobodys,
                        (Kind::Image, Some(_)) if shared.images => Whose::Shared,
                        _ => Whose::Hidden,
                    };
                    owned(&thing.owner, otherwise)
                }))
            }
        }
    }
}

/// What is not the client's own.
fn seen(shared: &[Pattern], name: &str) -> Whose {
    if shared.iter().any(|pattern| pattern.matches(name)) {
        Whose::Shared
    } else {
        Whose::Hidden
    }
}

fn seen_network(shared: &Shared, name: &str, is_nobodys: bool) -> Whose {
    // Every daemon has these.
    let is_predefined = is_nobodys && matches!(name, "bridge" | "host" | "none" | "ingress");
    if is_predefined {
        Whose::Shared
    } else {
        seen(&shared.networks, name)
    }
}
