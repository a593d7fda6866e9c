//! What a request names that belongs to someone, each with what the request does with it.

mod fields;

use super::super::references::{self, Reference, body, container_of, links_open};
use super::listed;
use super::subject::{Subject, subject};
use crate::engine_api::json::{self, Value};
use crate::engine_api::reference::{self, Untagged};
use crate::engine_api::schema::Limit;
use crate::engine_api::{EngineRequest, Kind, Operation};
use crate::policy::Shared;

/// Something that a request names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::decision) struct Named {
    /// Where in the request.
    pub(super) place: String,
    /// As the request has it.
    pub(super) name: String,
    pub(super) reference: Reference,
    pub(super) purpose: Purpose,
}

/// What a request does with what it names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// It is the client's own, or not there.
    Change,
    /// It is the client's own, or shared.
    Use,
    /// A volume that is mounted, and made where it is not there.
    Mount,
    /// The name is free, or stands for the client's own.
    Make,
    /// Likewise, or for what nobody owns.
    Pull,
    /// An image that gets one more name: the client's own, or nobody's.
    Tag,
}

/// All that the request names of what belongs to owners.
pub(in crate::decision) fn named(request: &EngineRequest, shared: &Shared) -> Vec<Named> {
    let mut all = All {
        request,
        shared,
        found: Vec::new(),
    };
    all.path();
    all.query();
    all.body();
    all.found
}

struct All<'r> {
    request: &'r EngineRequest,
    shared: &'r Shared,
    found: Vec<Named>,
}

impl All<'_> {
    fn add(&mut self, place: &str, name: &str, purpose: Purpose, reference: Reference) {
        self.found.push(Named {
            place: place.to_owned(),
            name: name.to_owned(),
            reference,
            purpose,
        });
    }

    fn thing(&mut self, place: &str, name: &str, kind: Kind) {
        let reference = Reference::Thing(kind, name.to_owned());
        self.add(place, name, Purpose::Change, reference);
    }

    fn path(&mut self) {
        if let Some(entered) = container_of(self.request) {
            let (Reference::Container(name) | Reference::Exec(name)) = entered.clone() else {
                return;
            };
            return self.add("container", &name, Purpose::Change, entered);
        }
        let Some((operation, name)) = self
            .request
            .operation()
            .zip(self.request.head.target.name())
        else {
            return;
        };
        let text = name.to_owned();
        match subject(operation) {
            Subject::Thing(Kind::Image) if operation == Operation::ImageDelete => {
                self.thing("image", name, Kind::Image);
            }
            Subject::Thing(Kind::Image) if operation == Operation::ImageTag => {
                let reference = Reference::Thing(Kind::Image, text);
                self.add("image", name, Purpose::Tag, reference);
            }
            Subject::Thing(Kind::Image) if operation == Operation::ImagePush => {
                let tag = self.request.head.query.get("tag").unwrap_or_default();
                let forms = reference::forms_with_tag(name, tag, Untagged::Latest);
                let longest = forms.first().and_then(|forms| forms.first());
                let name = longest
                    .filter(|_| !tag.is_empty())
                    .map_or(name, String::as_str);
                self.read_image("image", name);
            }
            Subject::Thing(Kind::Image) => self.read_image("image", name),
            Subject::Thing(kind) => self.thing("name", name, kind),
            Subject::Volume => {
                let is_read = operation == Operation::VolumeInspect;
                let purpose = if is_read {
                    Purpose::Use
                } else {
                    Purpose::Change
                };
                self.add("volume", name, purpose, Reference::Volume(text));
            }
            Subject::Network => {
                let is_removed = operation == Operation::NetworkDelete;
                let purpose = if is_removed {
                    Purpose::Change
                } else {
                    Purpose::Use
                };
                self.add("network", name, purpose, Reference::Network(text));
            }
            Subject::Nobodys => {}
        }
    }

    /// Who reads an image needs a permission only where images are not shared.
    fn read_image(&mut self, place: &str, name: &str) {
        if !self.shared.images && !name.is_empty() {
            let reference = Reference::Thing(Kind::Image, name.to_owned());
            self.add(place, name, Purpose::Use, reference);
        }
    }

    fn filters(&mut self) {
        for (kind, name) in listed::held_against(self.request) {
            if kind == Kind::Image {
                self.read_image("?filters", &name);
            } else {
                self.thing("?filters", &name, kind);
            }
        }
    }

    fn query(&mut self) {
        self.filters();
        let query = &self.request.head.query;
        let of = |name: &str| query.get(name).unwrap_or_default();
        match self.request.operation() {
            Some(Operation::ImageBuild) => {
                self.network("?networkmode", of("networkmode"));
                let cache = json::parse(of("cachefrom").as_bytes()).unwrap_or(Value::Null);
                cache
                    .texts()
                    .for_each(|name| self.read_image("?cachefrom", name));
                for tag in query.all("t").filter(|tag| !tag.is_empty()) {
                    let forms = reference::forms_with_tag(tag, "", Untagged::Latest);
                    self.image_name("?t", &forms, Purpose::Make);
                }
            }
            Some(Operation::ImageTag | Operation::ImageCommit) => self.repository(Purpose::Make),
            Some(Operation::ContainerCreate | Operation::ContainerRename) => {
                let name = of("name").trim_start_matches('/');
                if references::may_be_short_id(name) {
                    let reference = Reference::Thing(Kind::Container, name.to_owned());
                    self.add("?name", name, Purpose::Make, reference);
                }
            }
            Some(Operation::ImageCreate) if of("fromImage").is_empty() => {
                self.repository(Purpose::Make);
            }
            Some(Operation::ImageCreate) => {
                let (image, tag) = (of("fromImage"), of("tag"));
                let forms = reference::forms_with_tag(image, tag, Untagged::All);
                self.image_name("?fromImage", &forms, Purpose::Pull);
            }
            Some(Operation::ImageGetAll) => {
                for name in query.all("names") {
                    self.read_image("?names", name);
                }
            }
            Some(_) | None => {}
        }
    }

    fn repository(&mut self, purpose: Purpose) {
        let query = &self.request.head.query;
        let (repository, tag) = (query.get("repo"), query.get("tag"));
        if let Some(repository) = repository.filter(|text| !text.is_empty()) {
            let tag = tag.unwrap_or_default();
            let forms = reference::forms_with_tag(repository, tag, Untagged::Latest);
            self.image_name("?repo", &forms, purpose);
        }
    }

    /// The longest form of a name, which is never an id; one by its digest stands for nothing else.
    fn image_name(&mut self, place: &str, forms: &[Vec<String>], purpose: Purpose) {
        let longest = forms.first().and_then(|forms| forms.first());
        let Some(name) = longest.filter(|name| !name.contains('@')) else {
            return;
        };
        let reference = Reference::Thing(Kind::Image, name.clone());
        self.add(place, name, purpose, reference);
        if let Some(id) = references::image_id_like(name) {
            let reference = Reference::Thing(Kind::Image, id.to_owned());
            self.add(place, id, purpose, reference);
        }
    }

    fn body(&mut self) {
        let operation = self.request.operation();
        let Some(body) = body(self.request) else {
            return;
        };
        if let Some(container) = references::connected(self.request) {
            let reference = Reference::Other(container.to_owned());
            self.add("Container", container, Purpose::Change, reference);
        }
        if operation == Some(Operation::NetworkDisconnect) {
            self.thing("Container", body.text("Container"), Kind::Container);
        }
        if operation == Some(Operation::NetworkCreate) {
            let from = body
                .get("ConfigFrom")
                .map_or("", |from| from.text("Network"));
            self.network("ConfigFrom.Network", from);
            let name = body.text("Name");
            if references::may_be_short_id(name) {
                let reference = Reference::Network(name.to_owned());
                self.add("Name", name, Purpose::Make, reference);
            }
        }
        if operation == Some(Operation::VolumeCreate) && !body.text("Name").is_empty() {
            let name = body.text("Name");
            let reference = Reference::Volume(name.to_owned());
            self.add("Name", name, Purpose::Make, reference);
        }
        self.swarm_name(operation, body);
        let secrets = body.get("ClusterVolumeSpec").or(body.get("Spec"));
        let of_mode = secrets.and_then(|spec| spec.get("AccessMode"));
        for spec in secrets.into_iter().chain(of_mode) {
            for secret in spec.get("Secrets").map_or(&[][..], Value::items) {
                self.thing("Secrets", secret.text("Secret"), Kind::Secret);
            }
        }
        let host_config = body.get("HostConfig");
        let mode = host_config.map_or("", |host_config| host_config.text("NetworkMode"));
        self.request.limited_values(|limit, value| {
            if limit != Limit::Links || links_open(mode) {
                self.of_limit(limit, value);
            }
        });
    }

    /// Ids of the swarm have digits and small letters, as most names do.
    fn swarm_name(&mut self, operation: Option<Operation>, body: &Value) {
        let kind = match operation {
            Some(Operation::ServiceCreate) => Kind::Service,
            Some(Operation::SecretCreate) => Kind::Secret,
            Some(Operation::ConfigCreate) => Kind::Config,
            Some(_) | None => return,
        };
        let name = body.text("Name");
        if references::may_be_short_swarm_id(name) {
            let reference = Reference::Thing(kind, name.to_owned());
            self.add("Name", name, Purpose::Make, reference);
        }
    }
}
