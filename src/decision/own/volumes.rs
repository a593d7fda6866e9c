//! Volumes that are made with a container, each as a mount that can say whose it is.

use std::collections::HashSet;

use super::super::facts::{Facts, Found};
use super::super::rewrite::set_in;
use crate::engine_api::json::Value;
use crate::engine_api::mount::{Mount, Source};
use crate::engine_api::{Body, EngineRequest, Kind, OWNER_LABEL, Operation};

/// Whether every volume that the create would make can be written as one of `Mounts`.
///
/// # Errors
/// The bind that cannot.
pub(super) fn check(request: &EngineRequest, facts: &Facts) -> Result<(), String> {
    let Body::Json(body) = &request.body else {
        return Ok(());
    };
    let binds = body
        .get("HostConfig")
        .and_then(|host_config| host_config.get("Binds"));
    for bind in binds.map_or(&[][..], Value::items) {
        let text = bind.as_text();
        if made_by(text, facts).is_some() && as_mount(text, facts, "").is_none() {
            return Err(text.to_owned());
        }
    }
    Ok(())
}

/// Labels every volume that the create makes.
pub(super) fn stamp(operation: Operation, body: &mut Value, facts: &Facts) {
    if !matches!(
        operation,
        Operation::ContainerCreate | Operation::ServiceCreate | Operation::ServiceUpdate
    ) {
        return;
    }
    if operation != Operation::ContainerCreate {
        let task = body.get_mut("TaskTemplate");
        if let Some(container) = task.and_then(|task| task.get_mut("ContainerSpec")) {
            set_in(container, "Labels", (OWNER_LABEL, &facts.owner));
            label_all(container, facts);
        }
        return;
    }
    if body.get("HostConfig").is_none() {
        body.set("HostConfig", Value::Object(Vec::new()));
    }
    let anonymous = anonymous(body, facts);
    let Some(host_config) = body.get_mut("HostConfig") else {
        return;
    };
    label_all(host_config, facts);
    let mut added = Vec::new();
    let driver = host_config.text("VolumeDriver").to_owned();
    if let Some(Value::List(binds)) = host_config.get_mut("Binds") {
        binds.retain(|bind| {
            let made = made_by(bind.as_text(), facts);
            let mount = made.and_then(|_| as_mount(bind.as_text(), facts, &driver));
            let is_kept = mount.is_none();
            added.extend(mount);
            is_kept
        });
    }
    let anonymous = anonymous.into_iter();
    added.extend(anonymous.map(|target| volume("", &target, &driver, &facts.owner)));
    if let Some(Value::List(mounts)) = host_config.get_mut("Mounts") {
        mounts.append(&mut added);
    } else if !added.is_empty() {
        host_config.set("Mounts", Value::List(added));
    }
}

/// The volumes among `Mounts`; the label of one that is there already counts for nothing.
fn label_all(within: &mut Value, facts: &Facts) {
    let Some(Value::List(mounts)) = within.get_mut("Mounts") else {
        return;
    };
    for mount in mounts.iter_mut() {
        if matches!(Mount::from_mount(mount).source, Source::Volume { .. }) {
            if mount.get("VolumeOptions").is_none() {
                mount.set("VolumeOptions", Value::Object(Vec::new()));
            }
            if let Some(options) = mount.get_mut("VolumeOptions") {
                set_in(options, "Labels", (OWNER_LABEL, &facts.owner));
            }
        }
    }
}

/// The volume that a bind would make.
fn made_by(bind: &str, facts: &Facts) -> Option<String> {
    let Source::Volume { name, .. } = Mount::from_bind(bind).source else {
        return None;
    };
    let is_there = matches!(facts.volumes.get(&name), Some(Found::Is(_)));
    (!is_there).then_some(name)
}

/// A bind of a volume as one of `Mounts`; nothing where it has options that those do not know.
fn as_mount(bind: &str, facts: &Facts, driver: &str) -> Option<Value> {
    let parts: Vec<&str> = bind.split(':').collect();
    let (name, target, options) = match parts.as_slice() {
        [target] => ("", *target, ""),
        [name, target] => (*name, *target, ""),
        [name, target, options] => (*name, *target, *options),
        _ => return None,
    };
    let mut mount = volume(name, target, driver, &facts.owner);
    for option in options.split(',') {
        match option {
            "" | "rw" => {}
            "ro" => mount.set("ReadOnly", Value::Bool(true)),
            "nocopy" => mount
                .get_mut("VolumeOptions")?
                .set("NoCopy", Value::Bool(true)),
            _ => return None,
        }
    }
    Some(mount)
}

fn volume(name: &str, target: &str, driver: &str, owner: &str) -> Value {
    let text = |text: &str| Value::Text(text.into());
    let labels = Value::Object(vec![(OWNER_LABEL.into(), text(owner))]);
    let mut options = vec![("Labels".into(), labels)];
    if !driver.is_empty() {
        let driver = Value::Object(vec![("Name".into(), text(driver))]);
        options.push(("DriverConfig".into(), driver));
    }
    let mut members = vec![
        ("Type".into(), text("volume")),
        ("Target".into(), text(target)),
        ("VolumeOptions".into(), Value::Object(options)),
    ];
    if !name.is_empty() {
        members.push(("Source".into(), text(name)));
    }
    Value::Object(members)
}

/// Where the daemon would make volumes without a name, for the container's `Volumes` and those of its image.
///
/// With `VolumesFrom`, what other containers have comes first, and the gate does not say where that is.
///
/// moby: daemon/create_unix.go, `createContainerOSSpecificSettings`.
fn anonymous(body: &Value, facts: &Facts) -> Vec<String> {
    let host_config = body.get("HostConfig");
    let of_host = |key: &str| host_config.and_then(|host_config| host_config.get(key));
    if of_host("VolumesFrom").is_some_and(|from| !from.is_zero()) {
        return Vec::new();
    }
    let own = body.get("Volumes").into_iter().flat_map(Value::members);
    let mut wanted: Vec<String> = own.map(|(target, _)| clean(target)).collect();
    let image = (Kind::Image, body.text("Image").to_owned());
    if let Some(Found::Is(image)) = facts.things.get(&image) {
        wanted.extend(image.volumes.iter().map(|target| clean(target)));
    }
    let mut covered: HashSet<String> = HashSet::new();
    for bind in of_host("Binds").map_or(&[][..], Value::items) {
        let mut parts = bind.as_text().split(':');
        let first = parts.next().unwrap_or_default();
        covered.insert(clean(parts.next().unwrap_or(first)));
    }
    let mounts = of_host("Mounts").map_or(&[][..], Value::items).iter();
    covered.extend(mounts.map(|mount| clean(mount.text("Target"))));
    let tmpfs = of_host("Tmpfs").into_iter().flat_map(Value::members);
    covered.extend(tmpfs.map(|(target, _)| clean(target)));
    wanted.retain(|target| !covered.contains(target));
    wanted.sort();
    wanted.dedup();
    wanted
}

/// Go's `filepath.Clean`, of a path that begins at the root.
fn clean(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;
    use crate::engine_api::json;

    fn create(of: impl Fn(usize) -> String, count: usize, tmpfs: usize) -> Value {
        let set = |count: usize, value: &str| {
            let members: Vec<String> = (0..count)
                .map(|index| format!("\"{}\":{value}", of(index)))
                .collect();
            members.join(",")
        };
        let (volumes, tmpfs) = (set(count, "{}"), set(tmpfs, "\"\""));
        let body = format!(
            r#"{{"Image":"a","Volumes":{{{volumes}}},"HostConfig":{{"Tmpfs":{{{tmpfs}}}}}}}"#
        );
        json::parse(body.as_bytes()).unwrap()
    }

    #[test]
    fn a_volume_is_made_where_nothing_else_is_mounted() {
        let body = create(|index| format!("/v{index}/"), 4, 2);
        assert_eq!(anonymous(&body, &Facts::default()), ["/v2", "/v3"]);
    }

    #[test]
    fn as_many_as_a_body_holds_cost_no_more_than_their_number() {
        let body = create(|index| format!("/{index:06}"), 150_000, 150_000);
        let begun = Instant::now();
        assert!(anonymous(&body, &Facts::default()).is_empty());
        // Each held against each takes many minutes.
        assert!(
            begun.elapsed() < Duration::from_secs(30),
            "{:?}",
            begun.elapsed()
        );
    }
}
