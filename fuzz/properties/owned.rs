//! What a client that keeps to its own is permitted: no more than any other, and all that it makes bears its name.

use std::sync::{Arc, LazyLock};

use dockgate::decision::{
    Decision, Facts, Found, HIDDEN, Reference, ordinary_facts, references_of_owner,
};
use dockgate::engine_api::json::{self, Value};
use dockgate::engine_api::{
    Body, EngineRequest, ExistingContainer, OWNER_LABEL, Operation as O, Owned,
};
use dockgate::policy::{Pattern, Shared};

use super::{asked, decided, forwarded, policies};

/// The owner of all that facts call ordinary.
const OWNER: &str = "client";
/// [`HIDDEN`] where bytes stand.
const HIDDEN_BYTES: &str = "PGhpZGRlbiBieSBkb2NrZ2F0ZT4=";

/// What is shared; a build is permitted only where images are, and more is hidden where they are not.
static SHARED: LazyLock<[Arc<Shared>; 2]> = LazyLock::new(|| {
    let common = Pattern::parse("common").expect("a pattern");
    [false, true].map(|images| {
        Arc::new(Shared {
            networks: vec![common.clone()],
            volumes: vec![common.clone()],
            images,
        })
    })
});

/// A request line, a line feed and a body, decided for an owner.
pub(crate) fn check(input: &[u8]) {
    let Some((line, request)) = asked(input) else {
        return;
    };
    let policy = policies::widest();
    let Decision::Permit(permit) = decided(policy, &request, facts(&request)) else {
        return;
    };
    let of_all = decided(policy, &request, ordinary_facts(policy, &request));
    assert!(
        matches!(of_all, Decision::Permit(_)),
        "permitted to an owner only: {line}"
    );
    let permitted = permit.request();
    forwarded::check(permitted);
    let body = match &permitted.body {
        Body::Json(body) => body,
        Body::None | Body::Stream => &Value::Null,
    };
    stamped(permitted, body);
    only_own(body);
    for (name, value) in parameters(&permitted.target()) {
        assert!(!value.contains(HIDDEN), "?{name} has the placeholder");
        if name == "labels" || name == "filters" {
            let parsed = json::parse(value.as_bytes());
            only_own(&parsed.unwrap_or(Value::Text(value.into())));
        }
    }
}

/// What a thing that the request makes is given bears the owner's name.
fn stamped(request: &EngineRequest, body: &Value) {
    let owner_in = |value: Option<&Value>| {
        let labels = value.and_then(|value| value.get("Labels"));
        let owner = labels.map_or("", |labels| labels.text(OWNER_LABEL));
        assert_eq!(owner, OWNER, "{} {body}", request.target());
    };
    let query = parameters(&request.target());
    let all = |wanted: &'static str| query.iter().filter(move |(name, _)| name == wanted);
    let changes: Vec<&str> = all("changes").map(|(_, value)| value.as_str()).collect();
    let line = format!("LABEL {OWNER_LABEL}=\"{OWNER}\"");
    match request.operation() {
        Some(
            O::NetworkCreate
            | O::VolumeCreate
            | O::SecretCreate
            | O::SecretUpdate
            | O::ConfigCreate
            | O::ConfigUpdate,
        ) => owner_in(Some(body)),
        Some(O::ContainerCreate) => {
            owner_in(Some(body));
            volumes_stamped(body.get("HostConfig"), &owner_in);
        }
        Some(O::ServiceCreate | O::ServiceUpdate) => {
            owner_in(Some(body));
            let task = body.get("TaskTemplate");
            let container = task.and_then(|task| task.get("ContainerSpec"));
            if container.is_some() {
                owner_in(container);
            }
            volumes_stamped(container, &owner_in);
        }
        Some(O::ImageBuild) => {
            let labels: Vec<_> = all("labels").collect();
            let [(_, text)] = labels.as_slice() else {
                panic!("a build with {labels:?}");
            };
            let labels = json::parse(text.as_bytes()).expect("labels are JSON");
            assert_eq!(labels.text(OWNER_LABEL), OWNER, "{labels}");
        }
        Some(O::ImageCommit) => {
            // Without labels of its own it has those of the container, which is the owner's.
            if body.get("Labels").is_some_and(|labels| !labels.is_zero()) {
                owner_in(Some(body));
            }
            changes.iter().for_each(|change| not_the_owners(change));
        }
        Some(O::ImageCreate) if all("fromImage").all(|(_, image)| image.is_empty()) => {
            let (last, before) = changes.split_last().expect("an owner's line");
            assert_eq!(*last, line);
            before.iter().for_each(|change| not_the_owners(change));
        }
        Some(_) | None => {}
    }
}

/// A line of a Dockerfile, of which the daemon makes one instruction.
fn not_the_owners(change: &str) {
    assert!(!change.contains(['\n', '\r']), "{change} is two lines");
    let word = change.split_whitespace().next().unwrap_or_default();
    let is_label = word.eq_ignore_ascii_case("label") || word.is_empty();
    assert!(!is_label || !change.contains(OWNER_LABEL), "{change}");
}

/// Volumes among the mounts are made with the container, where they are not there.
fn volumes_stamped(within: Option<&Value>, owner_in: &impl Fn(Option<&Value>)) {
    let mounts = within.and_then(|within| within.get("Mounts"));
    for mount in mounts.map_or(&[][..], Value::items) {
        if mount.text("Type").eq_ignore_ascii_case("volume") {
            owner_in(mount.get("VolumeOptions"));
        }
    }
    // What a bind would make by its name alone bears no label; only paths of the host are left, and what is there already.
    let binds = within.and_then(|within| within.get("Binds"));
    for bind in binds.map_or(&[][..], Value::items) {
        let source = bind.as_text().split(':').next().unwrap_or_default();
        assert!(source.starts_with('/'), "{bind} would make a volume");
    }
}

/// No label names another owner, and nothing a hidden value, in keys and texts.
fn only_own(value: &Value) {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
        Value::Text(text) => not_hidden(text),
        Value::List(items) => items.iter().for_each(only_own),
        Value::Object(members) => {
            for (key, member) in members {
                not_hidden(key);
                if key.eq_ignore_ascii_case("labels") {
                    let owner = member.members().find(|(name, _)| **name == *OWNER_LABEL);
                    let is_own = owner.is_none_or(|(_, owner)| owner.as_text() == OWNER);
                    assert!(is_own, "{member}");
                }
                if key.starts_with("label") {
                    let keys = member.members().map(|(text, _)| &**text);
                    let foreign = member.texts().chain(keys).find(|text| {
                        text.split_once('=')
                            .is_some_and(|(name, owner)| name == OWNER_LABEL && owner != OWNER)
                    });
                    assert_eq!(foreign, None, "{value}");
                }
                only_own(member);
            }
        }
    }
}

fn not_hidden(text: &str) {
    assert!(
        !text.contains(HIDDEN) && text != HIDDEN_BYTES,
        "{text} stands for what is hidden"
    );
}

/// What is ordinary is the owner's, except for what has `theirs` in its name.
fn facts(request: &EngineRequest) -> Facts {
    let policy = policies::widest();
    let mut facts = ordinary_facts(policy, request);
    let shared = &SHARED[usize::from(request.operation() == Some(O::ImageBuild))];
    facts.shared = Some(Arc::clone(shared));
    for reference in references_of_owner(request, shared) {
        if facts.has(&reference) {
            continue;
        }
        match reference {
            Reference::Container(_) | Reference::Exec(_) => {
                facts.container = Some(Found::Is(container("ordinary")));
            }
            Reference::Other(name) => {
                let found = Found::Is(container(&name));
                facts.others.insert(name, found);
            }
            Reference::Volume(name) => {
                facts.volumes.insert(name, absent());
            }
            Reference::Image(name) => {
                facts.images.insert(name, absent());
            }
            Reference::Network(name) => {
                facts.networks.insert(name, absent());
            }
            Reference::SwarmNetwork(name) => {
                facts.swarm_networks.insert(name, absent());
            }
            Reference::Thing(kind, name) => {
                let thing = Owned {
                    id: name.clone(),
                    owner: owner_of(&name),
                    volumes: vec!["/of-image".to_owned()],
                };
                facts.things.insert((kind, name), Found::Is(thing));
            }
        }
    }
    if let Some(Found::Is(container)) = &mut facts.container {
        container.owner = Some(OWNER.to_owned());
    }
    for (name, found) in &mut facts.others {
        if let Found::Is(container) = found {
            container.owner = owner_of(name);
        }
    }
    for (name, found) in &mut facts.networks {
        if let Found::Is(network) = found {
            network.owner = owner_of(name);
        }
    }
    facts
}

fn owner_of(name: &str) -> Option<String> {
    let owner = if name.contains("theirs") {
        "you"
    } else {
        OWNER
    };
    Some(owner.to_owned())
}

fn container(name: &str) -> ExistingContainer {
    let answer = format!(
        r#"{{"Id":"{}","Name":"/{}","HostConfig":{{"NetworkMode":"default"}},"Config":{{"Image":"busybox"}}}}"#,
        "0a".repeat(32),
        name.escape_default()
    );
    ExistingContainer::read(answer.as_bytes()).unwrap_or_else(|_| container("ordinary"))
}

fn absent<T>() -> Found<T> {
    Found::Answered {
        status: 404,
        message: "no such thing".to_owned(),
    }
}

/// Names and values of a query, decoded.
fn parameters(target: &str) -> Vec<(String, String)> {
    let query = target.split_once('?').map_or("", |(_, query)| query);
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (plain(name), plain(value))
        })
        .collect()
}

fn plain(text: &str) -> String {
    let (mut bytes, mut rest) = (Vec::new(), text.as_bytes());
    while let Some((first, after)) = rest.split_first() {
        let digits = after.get(..2).filter(|_| *first == b'%');
        let digits = digits.and_then(|digits| std::str::from_utf8(digits).ok());
        let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(byte.unwrap_or(if *first == b'+' { b' ' } else { *first }));
        rest = if byte.is_some() { &after[2..] } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
