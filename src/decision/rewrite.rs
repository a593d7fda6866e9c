//! What a permitted request is changed in before it goes on: ids in place of names, host paths resolved, ICC stamped.

use super::{Facts, pin};
use crate::engine_api::json::Value;
use crate::engine_api::mount::{Mount, Source};
use crate::engine_api::{Body, ENABLE_ICC, EngineRequest, OWNER_LABEL, Operation};
use crate::policy::{Icc, Policy};

pub(super) fn apply(policy: &Policy, request: &mut EngineRequest, facts: &Facts) {
    pin::apply(request, facts);
    let operation = request.operation();
    let Body::Json(body) = &mut request.body else {
        return;
    };
    if operation == Some(Operation::NetworkCreate) {
        match policy.network.icc.value {
            Icc::Never => set_in(body, "Options", (ENABLE_ICC, "false")),
            Icc::Own => set_in(body, "Labels", (OWNER_LABEL, &facts.owner)),
            Icc::Any => {}
        }
    }
    if !facts.host_paths.is_empty()
        && let Some(host_config) = body.get_mut("HostConfig")
    {
        resolve(host_config, facts);
    }
}

/// Sets one text in the map `name`, which need not be there.
fn set_in(body: &mut Value, name: &str, (key, text): (&str, &str)) {
    if body.get(name).is_none_or(Value::is_zero) {
        body.set(name, Value::Object(Vec::new()));
    }
    if let Some(map) = body.get_mut(name) {
        map.set(key, Value::Text(text.to_owned()));
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
