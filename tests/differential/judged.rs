//! What the gate makes of a request, without a connection: the canonical one, or nothing.

use std::collections::BTreeMap;

use dockgate::decision::{
    Decision, Facts, Found, HostFile, Reference, decide, host_paths, references, references_of,
};
use dockgate::engine_api::{
    ApiVersion, Body, DaemonDefaults, EngineRequest, ExistingContainer, ExistingImage,
    ExistingNetwork, ExistingVolume, Malformed, RequestHead, existing_exec,
};
use dockgate::http1;
use dockgate::policy::{self, Policy};

use crate::support::address::Address;
use crate::support::{engine, http};

/// A request as a client wrote it, or as the gate writes it anew.
#[derive(Debug, Clone)]
pub(super) struct Sent {
    pub(super) method: String,
    pub(super) target: String,
    pub(super) body: Vec<u8>,
}

impl Sent {
    pub(super) fn new(method: &str, target: &str, body: &[u8]) -> Self {
        Self {
            method: method.to_owned(),
            target: target.to_owned(),
            body: body.to_vec(),
        }
    }

    /// The same with a text of its target in place of another.
    pub(super) fn with(&self, text: &str, other: &str) -> Self {
        Self {
            target: self.target.replace(text, other),
            ..self.clone()
        }
    }

    fn wire(&self) -> Vec<u8> {
        let Self {
            method,
            target,
            body,
        } = self;
        let length = body.len();
        let mut wire = format!(
            "{method} {target} HTTP/1.1\r\nHost: docker\r\nContent-Type: application/json\r\n\
             Content-Length: {length}\r\nConnection: close\r\n\r\n"
        )
        .into_bytes();
        wire.extend_from_slice(body);
        wire
    }

    /// Asks the daemon, past any gate.
    pub(super) fn ask(&self, daemon: &Address) -> http::Answer {
        http::send(daemon, &self.wire())
            .unwrap_or_else(|problem| panic!("{problem}: {}", self.shown()))
    }

    /// What the gate would forward under any of the policies, with the request as it was judged.
    pub(super) fn judged(&self, policies: &[Policy], daemon: Option<&Address>) -> Option<Judged> {
        let daemon = daemon.cloned().unwrap_or_else(engine::address);
        let wire = self.wire();
        let end = http1::HeadSearch::default().end(&wire).ok()??;
        let head = http1::Request::parse(&wire[..end], 64).ok()?;
        let head = RequestHead::parse(&head.method, &head.target).ok()?;
        head.check_version(ApiVersion::OLDEST, ApiVersion::NEWEST)
            .ok()?;
        let read = head.with_body(&self.body).ok()?;
        let permits =
            |policy: &Policy| match decide(policy, read.clone(), &facts(policy, &read, &daemon)) {
                Decision::Permit(permit) => Some(permit.request().clone()),
                Decision::Refuse(_) => None,
            };
        let (by, request) = policies
            .iter()
            .enumerate()
            .find_map(|(by, policy)| Some((by, permits(policy)?)))?;
        Some(Judged { by, request })
    }

    pub(super) fn shown(&self) -> String {
        let Self {
            method,
            target,
            body,
        } = self;
        format!("{method} {target} {}", body.escape_ascii())
    }
}

/// What the gate would be told of what a request refers to.
fn facts(policy: &Policy, request: &EngineRequest, daemon: &Address) -> Facts {
    // How a path is written is what is tried here, so each leads where it says.
    let paths = host_paths(policy, request).into_iter();
    let paths = paths.map(|path| (path.clone(), Ok(HostFile::ordinary(path))));
    let mut facts = Facts {
        host_paths: paths.collect(),
        ..Facts::default()
    };
    let mut wanted = references(policy, request);
    while let Some(reference) = wanted.pop() {
        if facts.has(&reference) {
            continue;
        }
        match reference {
            Reference::Container(name) => {
                let found = container(&name, daemon);
                if let Found::Is(container) = &found {
                    wanted.append(&mut references_of(policy, container));
                }
                facts.container = Some(found);
            }
            Reference::Other(name) => {
                let found = container(&name, daemon);
                if let Found::Is(container) = &found {
                    wanted.append(&mut references_of(policy, container));
                }
                facts.others.insert(name, found);
            }
            Reference::Exec(id) => {
                let answer = http::request(daemon, "GET", &format!("/exec/{id}/json"), "");
                if let Ok(exec) = existing_exec(&answer.body, &id) {
                    facts.exec_is_privileged = exec.is_privileged;
                    wanted.push(Reference::Container(exec.container));
                }
            }
            Reference::Volume(name) => {
                let found = told(daemon, &format!("/volumes/{name}"), ExistingVolume::read);
                facts.volumes.insert(name, found);
            }
            Reference::Network(name) => {
                let read = |bytes: &[u8]| ExistingNetwork::read(bytes, &name);
                let found = told(daemon, &format!("/networks/{name}"), read);
                facts.networks.insert(name, found);
            }
            Reference::Thing(..) => panic!("nothing is looked up for its owner here"),
            Reference::SwarmNetwork(name) => {
                let read = |bytes: &[u8]| ExistingNetwork::read_of_swarm(bytes, &name);
                let found = told(daemon, &format!("/networks/{name}?scope=swarm"), read);
                facts.swarm_networks.insert(name, found);
            }
            Reference::Image(id) => {
                let found = told(daemon, &format!("/images/{id}/json"), ExistingImage::read);
                facts.images.insert(id, found);
            }
        }
    }
    facts
}

fn container(name: &str, daemon: &Address) -> Found<ExistingContainer> {
    let found = told(
        daemon,
        &format!("/containers/{name}/json"),
        ExistingContainer::read,
    );
    match (found, told(daemon, "/info", DaemonDefaults::read)) {
        (Found::Is(mut container), Found::Is(defaults)) => {
            container.remove_defaults(&defaults);
            Found::Is(container)
        }
        (found, _) => found,
    }
}

fn told<T>(
    daemon: &Address,
    path: &str,
    read: impl FnOnce(&[u8]) -> Result<T, Malformed>,
) -> Found<T> {
    let answer = http::request(daemon, "GET", path, "");
    match answer.status {
        200 => Found::Is(read(&answer.body).unwrap_or_else(|fault| panic!("{path}: {fault}"))),
        status => Found::Answered {
            status,
            message: answer.message(),
        },
    }
}

/// A permitted request.
#[derive(Debug)]
pub(super) struct Judged {
    /// The first of the policies that permits it.
    pub(super) by: usize,
    pub(super) request: EngineRequest,
}

impl Judged {
    /// What the gate forwards of what came.
    pub(super) fn canonical(&self, sent: &Sent) -> Sent {
        let body = match &self.request.body {
            Body::Json(value) => value.to_string().into_bytes(),
            Body::Stream => sent.body.clone(),
            Body::None => Vec::new(),
        };
        Sent {
            method: self.request.head.method.to_string(),
            target: self.request.target(),
            body,
        }
    }
}

/// `guarded`, and one that opens what a request can be judged for.
pub(super) fn policies() -> [Policy; 2] {
    [
        compiled(policy::ready::find("guarded").unwrap()),
        compiled(WIDE),
    ]
}

pub(super) fn compiled(text: &str) -> Policy {
    policy::compile("policy", text, &BTreeMap::new()).unwrap_or_else(|it| panic!("{it}"))
}

const WIDE: &str = r#"
description = "Nearly everything, judged."
[[permit]]
operations = ["System:read", "Image:*", "Container:*", "Exec:*", "Volume:*", "Network:*"]
[container]
privileged = true
capabilities = ["ALL"]
namespaces = ["host-network", "host-pid", "host-ipc", "host-uts", "host-cgroup"]
security-options = ["seccomp=unconfined", "apparmor=unconfined"]
sysctls = ["*"]
negative-oom-score = true
oom-kill-disable = true
unmasked-paths = true
cgroup-parents = ["*"]
published = ["*:*"]
images = ["*"]
networks = ["*"]
[network]
icc = "any"
subnets = ["10.217.0.0/16", "fd17::/16"]
[volume]
types = ["nfs"]
[image]
references = ["*"]
"#;
