//! What there is on a host that is made up: containers, volumes, networks, images and paths, of every kind that limits tell
//! apart.

use std::sync::Arc;

use dockgate::decision::{
    self, Decision, Facts, Found, HostFile, Reference, decide, references, references_of,
    references_of_owner,
};
use dockgate::engine_api::{
    EngineRequest, ExistingContainer, ExistingImage, ExistingNetwork, ExistingVolume, OWNER_LABEL,
    Owned,
};
use dockgate::policy::{Pattern, Policy, Shared};
use serde_json::{Value, json};

/// The host, as the daemon describes it.
#[derive(Debug)]
pub(super) struct World {
    /// Where each keeps to its own.
    shared: Option<Arc<Shared>>,
    containers: Vec<(&'static str, ExistingContainer)>,
}

/// Containers by name: `HostConfig`, and further what their networks and mounts are.
fn described() -> [(&'static str, Value, Value); 12] {
    let none = || json!([]);
    [
        ("plain", json!({}), none()),
        ("alone", json!({ "NetworkMode": "none" }), none()),
        ("root", json!({ "Privileged": true }), none()),
        ("bound", json!({ "Binds": ["/srv/a:/h:ro"] }), none()),
        ("writing", json!({ "Binds": ["/srv/b:/h"] }), none()),
        ("joined", json!({ "PidMode": "container:plain" }), none()),
        ("behind", json!({ "NetworkMode": "container:root" }), none()),
        ("linked", json!({ "Links": ["/plain:/linked/p"] }), none()),
        (
            "linked-apart",
            json!({ "NetworkMode": "own", "Links": ["/gone:/linked-apart/g"] }),
            none(),
        ),
        (
            "inheriting",
            json!({ "VolumesFrom": ["bound"] }),
            json!([{ "Type": "bind", "Source": "/srv/a", "RW": false }]),
        ),
        (
            "keeping",
            json!({ "Binds": ["data:/v"] }),
            json!([{ "Type": "volume", "Name": "data" }, { "Type": "volume", "Name": "away" }]),
        ),
        ("apart", json!({ "NetworkMode": "theirs" }), none()),
    ]
}

impl World {
    pub(super) fn new() -> Self {
        let read = |(index, (name, host_config, mounts)): (usize, (&'static str, Value, Value))| {
            let mode = host_config["NetworkMode"].as_str().unwrap_or("bridge");
            let networks = json!({ mode: { "NetworkID": network_id(mode) } });
            let answer = json!({
                "Id": format!("{index:064x}"), "Name": format!("/{name}"), "HostConfig": host_config, "Mounts": mounts,
                "Config": { "Image": "busybox", "Labels": { OWNER_LABEL: owner_of(name) } },
                "NetworkSettings": { "Networks": networks },
            });
            let read = ExistingContainer::read(answer.to_string().as_bytes());
            (name, read.unwrap_or_else(|fault| panic!("{name}: {fault}")))
        };
        let containers = described().into_iter().enumerate().map(read).collect();
        let shared = None;
        Self { shared, containers }
    }

    /// The same, where the client keeps to what is its own or shared.
    pub(super) fn of_owners() -> Self {
        let common = Pattern::parse("quiet").unwrap();
        let shared = Shared {
            networks: vec![common.clone()],
            volumes: vec![common],
            images: false,
        };
        Self {
            shared: Some(Arc::new(shared)),
            ..Self::new()
        }
    }

    pub(super) fn permits(&self, policy: &Policy, request: &EngineRequest) -> bool {
        matches!(self.judged(policy, request), Decision::Permit(_))
    }

    /// What the gate decides, after it has asked for what this policy needs.
    pub(super) fn judged(&self, policy: &Policy, request: &EngineRequest) -> Decision {
        let mut facts = self.none();
        let mut wanted = references(policy, request);
        if let Some(shared) = &self.shared {
            wanted.append(&mut references_of_owner(request, shared));
        }
        while let Some(reference) = wanted.pop() {
            if !facts.has(&reference) {
                self.look_up(policy, reference, &mut facts, &mut wanted);
            }
        }
        let mut paths = decision::host_paths(policy, request);
        for container in facts.containers() {
            paths.append(&mut decision::host_paths_of_container(policy, container));
        }
        for path in paths {
            let file = host_file(policy, &path);
            facts.host_paths.insert(path, file);
        }
        decide(policy, request.clone(), &facts)
    }

    /// Nothing that was looked up.
    pub(super) fn none(&self) -> Facts {
        Facts {
            owner: "me".to_owned(),
            shared: self.shared.clone(),
            ..Facts::default()
        }
    }

    fn look_up(
        &self,
        policy: &Policy,
        reference: Reference,
        facts: &mut Facts,
        wanted: &mut Vec<Reference>,
    ) {
        match reference {
            Reference::Container(name) => {
                let found = self.container(&name);
                if let Found::Is(container) = &found {
                    wanted.append(&mut references_of(policy, container));
                }
                facts.container = Some(found);
            }
            Reference::Exec(_) => facts.container = Some(self.container("plain")),
            Reference::Other(name) => {
                let found = self.container(&name);
                if let Found::Is(container) = &found {
                    wanted.append(&mut references_of(policy, container));
                }
                facts.others.insert(name, found);
            }
            Reference::Volume(name) => {
                let found = volume(&name);
                facts.volumes.insert(name, found);
            }
            Reference::Network(name) => {
                let found = network(&name);
                facts.networks.insert(name, found);
            }
            Reference::SwarmNetwork(name) => {
                let found = swarm_network(&name);
                facts.swarm_networks.insert(name, found);
            }
            Reference::Thing(kind, name) => {
                let owner = owner_of(&name).to_owned();
                let thing = Owned {
                    id: format!("id-{name}"),
                    owner: Some(owner),
                    volumes: vec!["/of-image".to_owned()],
                };
                facts.things.insert((kind, name), Found::Is(thing));
            }
            Reference::Image(name) => {
                let found = image(&name);
                facts.images.insert(name, found);
            }
        }
    }

    fn container(&self, asked: &str) -> Found<ExistingContainer> {
        let mut all = self.containers.iter();
        let fits = |container: &ExistingContainer| container.id == asked;
        match all.find(|(name, container)| *name == asked || fits(container)) {
            Some((_, container)) => Found::Is(container.clone()),
            None if asked == "mute" => Found::Unknown("no answer".to_owned()),
            None => absent(asked),
        }
    }
}

/// Some things are another's.
fn owner_of(name: &str) -> &'static str {
    let is_others = matches!(
        name,
        "joined" | "apart" | "r.example/b:1" | "shop-other" | "away"
    );
    if is_others { "you" } else { "me" }
}

fn absent<T>(name: &str) -> Found<T> {
    Found::Answered {
        status: 404,
        message: format!("no such thing: {name}"),
    }
}

fn network_id(name: &str) -> String {
    let digit = NETWORKS.iter().position(|(known, _, _, _)| *known == name);
    digit.map_or_else(String::new, |digit| format!("{digit:x}").repeat(64))
}

/// By name: driver, owner, and whether its containers may talk.
const NETWORKS: &[(&str, &str, &str, bool)] = &[
    ("bridge", "bridge", "", true),
    ("host", "host", "", false),
    ("none", "null", "", false),
    ("own", "bridge", "me", true),
    ("theirs", "bridge", "you", true),
    ("quiet", "bridge", "you", false),
    ("wide", "macvlan", "me", true),
];

fn network(asked: &str) -> Found<ExistingNetwork> {
    let fits = |name: &str| asked == name || network_id(name).starts_with(asked);
    let mut all = NETWORKS.iter();
    let Some((name, driver, owner, has_icc)) = all.find(|(name, ..)| fits(name)) else {
        return absent(asked);
    };
    let labels = if owner.is_empty() {
        json!({})
    } else {
        json!({ OWNER_LABEL: owner })
    };
    let answer = json!({
        "Id": network_id(name), "Name": name, "Driver": driver, "Scope": "local", "Labels": labels,
        "Options": { "com.docker.network.bridge.enable_icc": has_icc.to_string() },
    });
    match ExistingNetwork::read(answer.to_string().as_bytes(), asked) {
        Ok(network) => Found::Is(network),
        Err(fault) => Found::Unknown(fault.to_string()),
    }
}

/// The one network of the swarm.
fn swarm_network(asked: &str) -> Found<ExistingNetwork> {
    if asked != "own" {
        return absent(asked);
    }
    let answer = json!({ "Id": "tko8cwayzxq3k8f0m9a1b2c3d", "Name": "own", "Driver": "overlay", "Scope": "swarm" });
    let read = ExistingNetwork::read_of_swarm(answer.to_string().as_bytes(), asked);
    Found::Is(read.unwrap_or_else(|fault| panic!("{fault}")))
}

fn volume(name: &str) -> Found<ExistingVolume> {
    let answer = match name {
        "data" => json!({ "Driver": "local", "Labels": { OWNER_LABEL: "me" } }),
        "away" => json!({ "Driver": "rclone", "Labels": { OWNER_LABEL: "you" } }),
        "far" => {
            json!({ "Driver": "local", "Options": { "type": "nfs", "device": ":/x", "o": "addr=10.0.0.1" } })
        }
        "etc" => {
            json!({ "Driver": "local", "Labels": { OWNER_LABEL: "me" },
                "Options": { "type": "none", "device": "/etc", "o": "bind" } })
        }
        "mute" => return Found::Unknown("no answer".to_owned()),
        _ => return absent(name),
    };
    Found::Is(ExistingVolume::read(answer.to_string().as_bytes()).unwrap())
}

fn image(id: &str) -> Found<ExistingImage> {
    if !id.trim_start_matches("sha256:").starts_with("ab") {
        return absent(id);
    }
    let answer = json!({
        "Id": format!("sha256:{}", "ab".repeat(32)), "RepoTags": ["busybox:latest", "r.example/b:1"], "RepoDigests": [],
    });
    match ExistingImage::read(answer.to_string().as_bytes()) {
        Ok(image) => Found::Is(image),
        Err(fault) => Found::Unknown(fault.to_string()),
    }
}

/// Where each path leads: the socket is one, what lies beneath a path that the policy opens for writing is movable, and
/// the host honours set-user-id programs in `/srv/a`.
fn host_file(policy: &Policy, path: &str) -> Result<HostFile, String> {
    let known = [
        "/srv/a",
        "/srv/a/x",
        "/srv/b",
        "/srv/b/deep",
        "/srv/sock/s",
        "/var/lib",
        "/var/lib/docker",
    ];
    if !known.contains(&path) {
        return Err("it is not there".to_owned());
    }
    let lies_in = |wider: &str| {
        path.strip_prefix(wider)
            .is_some_and(|rest| rest.starts_with('/'))
    };
    let opened = policy.container.host_paths.value.iter();
    let mut writable = opened.filter(|opened| opened.is_writable);
    let movable_in = writable.find(|opened| lies_in(&opened.path));
    Ok(HostFile {
        is_socket: path.ends_with("/s"),
        movable_in: movable_in.map(|opened| opened.path.clone()),
        set_user_id_on: if path.starts_with("/srv/a") {
            vec!["/".to_owned()]
        } else {
            Vec::new()
        },
        ..HostFile::ordinary(path)
    })
}
