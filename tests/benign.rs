//! What real clients send is permitted by the policy meant for them, and reaches the daemon as it was meant.

mod headers;
mod target;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use dockgate::decision::{Decision, Facts, HostFile, decide, host_paths};
use dockgate::engine_api::{ApiVersion, Body, EngineRequest, Operation, RequestHead};
use dockgate::policy::{self, Policy, ready};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::support;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    request: Vec<Sent>,
    /// The text of a policy for the requests that name none.
    policy: Option<String>,
}

/// One request as a client sent it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sent {
    /// The client and what it was doing.
    client: String,
    line: String,
    /// Header lines that the daemon must get as the client wrote them.
    #[serde(default)]
    headers: Vec<String>,
    #[serde(default)]
    body: String,
    /// The name of a ready policy, or the text of one, in place of `guarded`; or `services`.
    policy: Option<String>,
}

/// What no client of these sends, being newer than they are or of BuildKit.
const UNSENT: &[Operation] = &[Operation::ImageAttestations, Operation::BuildCancel];

#[test]
fn every_operation_has_a_request_of_some_client() {
    let of_request = |sent: &Sent| {
        let (method, target) = sent.line.split_once(' ')?;
        let head = RequestHead::parse(method, target).ok()?;
        head.unjudged().operation()
    };
    let sent: Vec<Operation> = requests().iter().filter_map(of_request).collect();
    let modelled = Operation::all().filter(|operation| operation.spec().is_modelled);
    let without: Vec<Operation> = modelled.filter(|one| !sent.contains(one)).collect();
    assert_eq!(without, UNSENT);
}

#[test]
fn what_clients_send_is_permitted_and_keeps_its_meaning() {
    let mut wrong = Vec::new();
    let requests = requests();
    assert!(requests.len() >= 850, "{} requests", requests.len());
    for sent in &requests {
        if let Err(what) = check(sent) {
            wrong.push(format!("{}: {}\n    {what}", sent.client, sent.line));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        requests.len(),
        wrong.join("\n")
    );
}

/// How many requests the data has.
pub(crate) fn count() -> usize {
    requests().len()
}

fn requests() -> Vec<Sent> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/benign");
    let files = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "toml"));
    let read = |path: std::path::PathBuf| {
        let text = fs::read_to_string(&path).unwrap();
        let file: File =
            toml::from_str(&text).unwrap_or_else(|problem| panic!("{}: {problem}", path.display()));
        let File { request, policy } = file;
        request.into_iter().map(move |sent| Sent {
            policy: sent.policy.or_else(|| policy.clone()),
            ..sent
        })
    };
    files.flat_map(read).collect()
}

fn check(sent: &Sent) -> Result<(), String> {
    let policy = compiled(sent.policy.as_deref().unwrap_or(ready::DEFAULT));
    let (method, target) = sent.line.split_once(' ').unwrap();
    let head = RequestHead::parse(method, target).map_err(|fault| fault.to_string())?;
    head.check_version(ApiVersion::OLDEST, ApiVersion::NEWEST)
        .map_err(|fault| fault.to_string())?;
    let request = head
        .with_body(sent.body.as_bytes())
        .map_err(|fault| fault.to_string())?;
    // Where the policy opens host paths, the host finds each where it is named.
    let found = host_paths(&policy, &request)
        .into_iter()
        .map(|path| (path.clone(), Ok(HostFile::ordinary(path))));
    let facts = Facts {
        host_paths: found.collect(),
        ..support::existing::facts(&policy, &request)
    };
    let permit = match decide(&policy, request, &facts) {
        Decision::Permit(permit) => permit,
        Decision::Refuse(refusal) => return Err(refusal.to_string()),
    };
    target::same(&sent.line, permit.request())?;
    same_meaning(sent, permit.request())
}

/// No ready policy opens services.
const SERVICES: &str = r#"
description = "Deploys a shop."
[[permit]]
operations = ["Service:*"]
[container]
images = ["docker.io/library/busybox"]
networks = ["shop", "bridge", "st_default"]
published = ["*:8080-8099"]
[service]
secrets = ["shop-*"]
configs = ["shop-*"]
volumes = ["shop-*", "st_*"]
[network]
icc = "any"
drivers = ["overlay"]
"#;

fn compiled(name: &str) -> Policy {
    let text = match name {
        "services" => SERVICES,
        name => ready::find(name).unwrap_or(name),
    };
    let parameters = BTreeMap::from([("project".to_owned(), "/srv/agent/project".to_owned())]);
    policy::compile(name, text, &parameters).unwrap_or_else(|problems| panic!("{problems:?}"))
}

/// Whether what goes to the daemon says what the client said, but for what the audit record names as dropped.
fn same_meaning(sent: &Sent, request: &EngineRequest) -> Result<(), String> {
    let Body::Json(body) = &request.body else {
        return Ok(());
    };
    let (mut before, mut after) = (support::json(&sent.body), support::json(body.to_string()));
    without_what_the_gate_adds(&mut before, &mut after);
    // The names of dropped parameters come first; dockerode sends a body's fields as parameters too.
    for path in &request.dropped[request.head.query.dropped().len()..] {
        remove(&mut before, path);
    }
    normalize(&mut before);
    normalize(&mut after);
    if before == after {
        return Ok(());
    }
    Err(format!("sent {before}\n    goes {after}"))
}

/// The label of the owner, and the ids of what names stand for.
fn without_what_the_gate_adds(before: &mut Value, after: &mut Value) {
    let (container, network) = ("0a".repeat(32), Value::from("0b".repeat(32)));
    // Some clients write that they have no id.
    let is_added = |id: Option<&Value>| id.is_some_and(|id| *id == network || *id == "");
    if after["Container"] == container.as_str() {
        before["Container"] = Value::from(container);
    }
    for value in [before, after] {
        if let Some(labels) = value.get_mut("Labels").and_then(Value::as_object_mut) {
            labels.remove("dockgate.owner");
        }
        let endpoints = value.pointer_mut("/NetworkingConfig/EndpointsConfig");
        if let Some(endpoints) = endpoints.and_then(Value::as_object_mut) {
            for endpoint in endpoints.values_mut().filter_map(Value::as_object_mut) {
                if is_added(endpoint.get("NetworkID")) {
                    endpoint.remove("NetworkID");
                }
            }
            endpoints.retain(|_, endpoint| !is_empty(endpoint));
        }
        let endpoint = value
            .get_mut("EndpointConfig")
            .and_then(Value::as_object_mut);
        if let Some(endpoint) = endpoint
            && is_added(endpoint.get("NetworkID"))
        {
            endpoint.remove("NetworkID");
        }
        for key in ["Labels", "NetworkingConfig", "EndpointConfig"] {
            let inner = value.get_mut(key).and_then(Value::as_object_mut);
            if let Some(inner) = inner {
                inner.retain(|key, inner| key != "EndpointsConfig" || !is_empty(inner));
            }
            if value.get(key).is_some_and(is_empty) {
                remove(value, key);
            }
        }
    }
}

fn is_empty(value: &Value) -> bool {
    value.is_null() || value.as_object().is_some_and(Map::is_empty)
}

fn remove(value: &mut Value, path: &str) {
    let Some(object) = value.as_object_mut() else {
        return;
    };
    match path.split_once('.') {
        None => {
            object.remove(path);
        }
        Some((first, rest)) => {
            if let Some(inner) = object.get_mut(first) {
                remove(inner, rest);
            }
        }
    }
}

/// Brings the two spellings of one meaning to one: the case of known keys, and one string for a list of one.
fn normalize(value: &mut Value) {
    if let Value::Object(object) = value {
        let old = std::mem::replace(object, Map::new());
        for (key, mut inner) in old {
            let is_list = matches!(
                key.as_str(),
                "Cmd" | "Entrypoint" | "CapAdd" | "CapDrop" | "Shell"
            );
            if is_list && inner.is_string() {
                inner = Value::Array(vec![inner]);
            }
            normalize(&mut inner);
            let key = match key.as_str() {
                "detachKeys" => "DetachKeys".to_owned(),
                "Healthcheck" => "HealthCheck".to_owned(),
                "replicated" => "Replicated".to_owned(),
                "global" => "Global".to_owned(),
                _ => key,
            };
            object.insert(key, inner);
        }
    }
    if let Value::Array(items) = value {
        items.iter_mut().for_each(normalize);
    }
}
