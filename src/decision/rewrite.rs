//! What a permitted request is changed in before it goes on: ids in place of names, host paths resolved, ICC stamped.

use super::opened_path::{self, Opened};
use super::{Facts, own, pin};
use crate::engine_api::json::Value;
use crate::engine_api::mount::{Mount, Source};
use crate::engine_api::{Body, ENABLE_ICC, EngineRequest, OWNER_LABEL, Operation};
use crate::policy::{Icc, Policy};

/// Rewrites the request, and says what of it a client would not expect.
pub(super) fn apply(policy: &Policy, request: &mut EngineRequest, facts: &Facts) -> Vec<String> {
    if facts.shared.is_some() {
        own::stamp(request, facts);
    }
    pin::apply(request, facts);
    if facts.shared.is_some() {
        own::pin(request, facts);
    }
    let operation = request.operation();
    let Body::Json(body) = &mut request.body else {
        return Vec::new();
    };
    if operation == Some(Operation::NetworkCreate) {
        match policy.network.icc.value {
            Icc::Never => set_in(body, "Options", (ENABLE_ICC, "false")),
            Icc::Own => set_in(body, "Labels", (OWNER_LABEL, &facts.owner)),
            Icc::Any => {}
        }
    }
    match body.get_mut("HostConfig") {
        Some(host_config) if !policy.container.host_paths.value.is_empty() => {
            let mut mounts = HostMounts {
                policy,
                facts,
                rewritten: Vec::new(),
            };
            mounts.rewrite(host_config);
            mounts.rewritten
        }
        Some(_) | None => Vec::new(),
    }
}

/// Sets one text in the map `name`, which need not be there.
pub(super) fn set_in(body: &mut Value, name: &str, (key, text): (&str, &str)) {
    if body.get(name).is_none_or(Value::is_zero) {
        body.set(name, Value::Object(Vec::new()));
    }
    if let Some(map) = body.get_mut(name) {
        map.set(key, Value::Text(text.into()));
    }
}

/// The mounts of host paths: each names the path that was judged, and is for reading only where the policy says so.
struct HostMounts<'a> {
    policy: &'a Policy,
    facts: &'a Facts,
    rewritten: Vec<String>,
}

impl HostMounts<'_> {
    fn rewrite(&mut self, host_config: &mut Value) {
        let mut moved = Vec::new();
        if let Some(Value::List(binds)) = host_config.get_mut("Binds") {
            let rewritten = binds.iter().enumerate();
            let rewritten =
                rewritten.filter_map(|(index, bind)| match self.bind(index, bind.as_text()) {
                    Bind::As(bind) => Some(Value::Text(bind.into())),
                    Bind::Kept => Some(bind.clone()),
                    Bind::Moved(mount) => {
                        moved.push(mount);
                        None
                    }
                });
            *binds = rewritten.collect();
        }
        if let Some(Value::List(mounts)) = host_config.get_mut("Mounts") {
            for (index, mount) in mounts.iter_mut().enumerate() {
                self.mount(index, mount);
            }
            mounts.append(&mut moved);
        } else if !moved.is_empty() {
            host_config.set("Mounts", Value::List(moved));
        }
    }

    fn opened(&self, mount: &Mount) -> Option<Opened<'_>> {
        let Source::HostPath(source) = &mount.source else {
            return None;
        };
        opened_path::opened(self.policy, self.facts, source).ok()
    }

    fn bind(&mut self, index: usize, text: &str) -> Bind {
        let mount = Mount::from_bind(text);
        let Some(Opened {
            path,
            is_writable,
            leaves_out_beneath,
            ..
        }) = self.opened(&mount)
        else {
            return Bind::Kept;
        };
        let mut parts = text.split(':').skip(1);
        let (target, options) = (parts.next().unwrap_or_default(), parts.next());
        if is_writable && !leaves_out_beneath {
            let options = options.map(|options| format!(":{options}"));
            return Bind::As(format!("{path}:{target}{}", options.unwrap_or_default()));
        }
        if leaves_out_beneath {
            self.note(format!(
                "HostConfig.Binds[{index}]: a mount for reading only, without what is mounted beneath it"
            ));
            return Bind::Moved(Value::Object(vec![
                ("Type".into(), Value::Text("bind".into())),
                ("Source".into(), Value::Text(path.into())),
                ("Target".into(), Value::Text(target.into())),
                ("ReadOnly".into(), Value::Bool(true)),
                ("BindOptions".into(), left_out_beneath(None)),
            ]));
        }
        if !mount.is_read_only {
            self.note(format!("HostConfig.Binds[{index}]: for reading only"));
        }
        let words = options.unwrap_or_default().split(',');
        let mut words: Vec<&str> = words
            .filter(|word| !matches!(*word, "" | "rw" | "ro"))
            .collect();
        words.push("ro");
        Bind::As(format!("{path}:{target}:{}", words.join(",")))
    }

    fn mount(&mut self, index: usize, value: &mut Value) {
        let mount = Mount::from_mount(value);
        let Some(Opened {
            path,
            is_writable,
            leaves_out_beneath,
            ..
        }) = self.opened(&mount)
        else {
            return;
        };
        value.set("Source", Value::Text(path.into()));
        if is_writable && !leaves_out_beneath {
            return;
        }
        if !mount.is_read_only {
            value.set("ReadOnly", Value::Bool(true));
            self.note(format!("HostConfig.Mounts[{index}]: for reading only"));
        }
        if leaves_out_beneath {
            let options = left_out_beneath(value.get("BindOptions"));
            value.set("BindOptions", options);
        } else if let Some(options) = value.get_mut("BindOptions")
            && options.get("ReadOnlyNonRecursive") == Some(&Value::Bool(true))
        {
            options.set("ReadOnlyNonRecursive", Value::Bool(false));
        }
    }

    fn note(&mut self, what: String) {
        self.rewritten.push(what);
    }
}

/// What becomes of one of `Binds`.
enum Bind {
    Kept,
    As(String),
    /// One of `Mounts` in its place, which can say more.
    Moved(Value),
}

/// The options of a bind, with what is mounted beneath its source left out.
fn left_out_beneath(options: Option<&Value>) -> Value {
    let mut options = options.cloned().unwrap_or(Value::Object(Vec::new()));
    options.set("NonRecursive", Value::Bool(true));
    options
}
