//! The owner's label on everything that a request makes, and full ids in the place of what it names.

use super::super::facts::{Facts, Found};
use super::super::references::container_of;
use super::super::rewrite::set_in;
use super::subject::{Subject, subject};
use super::{changes, events, filters, volumes};
use crate::engine_api::json::{self, Value};
use crate::engine_api::{Body, EngineRequest, Kind, OWNER_LABEL, Operation};

/// Makes a request of a client with an owner one that makes, lists and removes only that owner's things.
pub(in crate::decision) fn apply(request: &mut EngineRequest, facts: &Facts) {
    let Some(operation) = request.operation() else {
        return;
    };
    let (owner, query) = (&facts.owner, &mut request.head.query);
    if !events::is_taken_apart(operation, query) {
        filters::stamp(operation, query, owner);
    }
    if operation == Operation::SystemDataUsage && query.get("verbose") == Some("0") {
        // The sums are made anew of what stands beside them.
        query.set("verbose", "1");
    }
    if operation == Operation::ImageBuild {
        let labels = query
            .get("labels")
            .and_then(|text| json::parse(text.as_bytes()).ok());
        let mut labels = labels.filter(|labels| matches!(labels, Value::Object(_)));
        let labels = labels.get_or_insert(Value::Object(Vec::new()));
        labels.set(OWNER_LABEL, Value::Text(owner.as_str().into()));
        query.put(operation, "labels", &labels.to_string());
        // What a build leaves behind has the labels of its Dockerfile so far, and those can be anyone's.
        query.put(operation, "rm", "1");
        query.put(operation, "forcerm", "1");
    }
    let is_import = query.get("fromImage").is_none_or(str::is_empty);
    if operation == Operation::ImageCreate && is_import {
        query.push(operation, "changes", &changes::owner_line(owner));
    }
    // The daemon takes `null` for an object with nothing in it.
    if MADE.contains(&operation) && matches!(request.body, Body::None | Body::Json(Value::Null)) {
        request.body = Body::Json(Value::Object(Vec::new()));
    }
    let Body::Json(body) = &mut request.body else {
        return;
    };
    // The image of a commit has the labels of its container, and over them those of the body: `null` would be one too.
    let has_labels = body.get("Labels").is_some_and(|labels| !labels.is_zero());
    if MADE.contains(&operation) || (operation == Operation::ImageCommit && has_labels) {
        set_in(body, "Labels", (OWNER_LABEL, owner));
    }
    if operation == Operation::NetworkCreate {
        // Up to API 1.43 the daemon makes a second network of the same name, and neither is found by it any more.
        body.set("CheckDuplicate", Value::Bool(true));
    }
    volumes::stamp(operation, body, facts);
}

/// Operations whose body has the labels of what they make, or of what it becomes.
const MADE: &[Operation] = &[
    Operation::ContainerCreate,
    Operation::NetworkCreate,
    Operation::VolumeCreate,
    Operation::ServiceCreate,
    Operation::ServiceUpdate,
    Operation::SecretCreate,
    Operation::SecretUpdate,
    Operation::ConfigCreate,
    Operation::ConfigUpdate,
];

/// What was found to be the client's own is what the daemon takes, whatever has its name by then.
pub(in crate::decision) fn pin(request: &mut EngineRequest, facts: &Facts) {
    let id_of = |kind: Kind, name: &str| match facts.things.get(&(kind, name.to_owned())) {
        Some(Found::Is(thing)) => Some(thing.id.clone()),
        Some(Found::Answered { .. } | Found::Unknown(_)) | None => None,
    };
    let operation = request.operation();
    let name = request.head.target.name().unwrap_or_default();
    if container_of(request).is_none() {
        let id = match operation.map(subject) {
            Some(Subject::Network) => match facts.networks.get(name) {
                Some(Found::Is(network)) => Some(network.id.clone()),
                Some(Found::Answered { .. } | Found::Unknown(_)) | None => None,
            },
            // An image has its own place among what the policy looks up.
            Some(Subject::Thing(kind)) if kind != Kind::Image => id_of(kind, name),
            Some(Subject::Thing(_) | Subject::Volume | Subject::Nobodys) | None => None,
        };
        if let Some(id) = id {
            request.head.target.set_name(&id);
        }
    }
    let Body::Json(body) = &mut request.body else {
        return;
    };
    if operation == Some(Operation::NetworkDisconnect)
        && let Some(id) = id_of(Kind::Container, body.text("Container"))
    {
        body.set("Container", Value::Text(id.into()));
    }
    let task = body.get_mut("TaskTemplate");
    let Some(container) = task.and_then(|task| task.get_mut("ContainerSpec")) else {
        return;
    };
    for (list, key, kind) in [
        ("Secrets", "SecretID", Kind::Secret),
        ("Configs", "ConfigID", Kind::Config),
    ] {
        if let Some(Value::List(list)) = container.get_mut(list) {
            for item in list {
                if let Some(id) = id_of(kind, item.text(key)) {
                    item.set(key, Value::Text(id.into()));
                }
            }
        }
    }
}
