//! What a permitted request is changed in before it goes on: ids in place of names, host paths resolved, ICC stamped.

use super::Facts;
use super::existing::{self, Found};
use super::network::ENABLE_ICC;
use super::swarm_reference;
use crate::engine_api::json::Value;
use crate::engine_api::mount::{Mount, Source};
use crate::engine_api::{Body, EngineRequest, Operation};
use crate::policy::{Icc, Policy};

pub(super) fn apply(policy: &Policy, request: &mut EngineRequest, facts: &Facts) {
    if let Some(Found::Is(container)) = &facts.container {
        existing::pin(request, container);
    }
    let operation = request.operation();
    let Body::Json(body) = &mut request.body else {
        return;
    };
    if operation == Some(Operation::NetworkCreate) && policy.network.icc.value == Icc::Never {
        stamp_icc(body);
    }
    if !facts.networks.is_empty() {
        swarm_reference::pin(body, facts);
    }
    if !facts.host_paths.is_empty()
        && let Some(host_config) = body.get_mut("HostConfig")
    {
        resolve(host_config, facts);
    }
}

fn stamp_icc(body: &mut Value) {
    if body.get("Options").is_none() {
        body.set("Options", Value::Object(Vec::new()));
    }
    if let Some(options) = body.get_mut("Options") {
        options.set(ENABLE_ICC, Value::Text("false".to_owned()));
    }
}

/// Replaces each host path by the path that was judged.
fn resolve(host_config: &mut Value, facts: &Facts) {
    let judged = |source: &str| {
        facts
            .host_paths
            .get(source)
            .and_then(|resolved| resolved.as_ref().ok())
    };
    if let Some(Value::List(binds)) = host_config.get_mut("Binds") {
        for bind in binds {
            if let Source::HostPath(source) = Mount::from_bind(bind.as_text()).source
                && let Some(resolved) = judged(&source)
                && let Some(rest) = bind.as_text().strip_prefix(source.as_str())
            {
                *bind = Value::Text(format!("{resolved}{rest}"));
            }
        }
    }
    if let Some(Value::List(list)) = host_config.get_mut("Mounts") {
        for mount in list {
            if let Source::HostPath(source) = Mount::from_mount(mount).source
                && let Some(resolved) = judged(&source)
            {
                mount.set("Source", Value::Text(resolved.clone()));
            }
        }
    }
}
