//! What the daemon has made of a request, as it says itself, without what differs from one making to the next.

use dockgate::engine_api::OWNER_LABEL;
use serde_json::Value;

use super::judged::Sent;
use crate::support::address::Address;
use crate::support::{http, json as read};

/// The daemon's answer and what exists after it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Effect {
    status: u16,
    /// `null` where the daemon refused.
    found: Value,
}

impl Effect {
    pub(super) fn of(answer: &http::Answer, found: Value) -> Self {
        let status = answer.status;
        Self { status, found }
    }

    /// That of a request which is not sent.
    pub(super) fn nothing() -> Self {
        Self {
            status: 999,
            found: Value::Null,
        }
    }

    /// Leaves out what differs from one making to the next.
    pub(super) fn forget(&mut self, key: &str) {
        if let Some(members) = self.found.as_object_mut() {
            members.remove(key);
        }
    }

    /// Whether the daemon did what it was asked.
    pub(super) fn is_taken(&self) -> bool {
        self.status < 300
    }

    /// Whether the daemon may have found several things by what it was told, which it answers so.
    pub(super) fn is_ambiguous(&self) -> bool {
        self.status == 500
    }

    /// Whether the daemon refused the other as well, and the same exists after both.
    pub(super) fn is_as_little_as(&self, other: &Self) -> bool {
        (400..600).contains(&other.status) && self.found == other.found
    }

    /// What exists after it.
    pub(super) fn found(&self) -> &Value {
        &self.found
    }
}

/// Makes a volume, looks at it and removes it.
pub(super) fn of_volume(sent: &Sent, daemon: &Address) -> Effect {
    let answer = sent.ask(daemon);
    if answer.status != 201 {
        return Effect::of(&answer, Value::Null);
    }
    let made = read(&answer.body);
    let name = made["Name"].as_str().unwrap();
    let mut found = inspect(daemon, &format!("/volumes/{name}"));
    remove(daemon, &format!("/volumes/{name}"));
    without(&mut found, &["CreatedAt", "Mountpoint"]);
    // A name of the daemon's own making.
    if name.len() == 64 {
        without(&mut found, &["Name"]);
    }
    Effect::of(&answer, found)
}

/// Makes a container, looks at it and removes it.
pub(super) fn of_container(sent: &Sent, daemon: &Address) -> Effect {
    let answer = sent.ask(daemon);
    if answer.status != 201 {
        return Effect::of(&answer, Value::Null);
    }
    let made = read(&answer.body);
    let id = made["Id"].as_str().unwrap();
    let found = inspect(daemon, &format!("/containers/{id}/json"));
    remove(daemon, &format!("/containers/{id}?force=1&v=1"));
    let kept = serde_json::json!({
        "Name": found["Name"], "Config": found["Config"], "HostConfig": found["HostConfig"], "Image": found["Image"],
    });
    Effect::of(&answer, read(kept.to_string().replace(&id[..12], "OWN-ID")))
}

/// Makes an exec in a container that runs and looks at it.
pub(super) fn of_exec(sent: &Sent, daemon: &Address) -> Effect {
    let answer = sent.ask(daemon);
    if answer.status != 201 {
        return Effect::of(&answer, Value::Null);
    }
    let made = read(&answer.body);
    let mut found = inspect(
        daemon,
        &format!("/exec/{}/json", made["Id"].as_str().unwrap()),
    );
    without(&mut found, &["ID"]);
    Effect::of(&answer, found)
}

/// Changes a container and looks at it; before that it is set to what it was at first.
pub(super) fn of_update(sent: &Sent, name: &str, daemon: &Address) -> Effect {
    let first = br#"{"Memory":67108864,"MemorySwap":134217728,"CpuShares":512,"RestartPolicy":{"Name":"no"}}"#;
    let reset = Sent::new("POST", &format!("/containers/{name}/update"), first).ask(daemon);
    assert_eq!(reset.status, 200, "{}", reset.text());
    let answer = sent.ask(daemon);
    let found = inspect(daemon, &format!("/containers/{name}/json"));
    Effect::of(&answer, found["HostConfig"].clone())
}

/// Makes a network, looks at it and removes it.
pub(super) fn of_network(sent: &Sent, daemon: &Address) -> Effect {
    let answer = sent.ask(daemon);
    if answer.status != 201 {
        return Effect::of(&answer, Value::Null);
    }
    let made = read(&answer.body);
    let id = made["Id"].as_str().unwrap();
    let mut found = inspect(daemon, &format!("/networks/{id}"));
    remove(daemon, &format!("/networks/{id}"));
    without(&mut found, &["Id", "Created"]);
    // Where none is named the daemon takes the next free subnet, which none of these tests' is. The gate adds its own label.
    if let Some(ranges) = found["IPAM"]["Config"].as_array_mut() {
        ranges.retain(|range| range.to_string().contains("\"10.217."));
    }
    if let Some(labels) = found["Labels"].as_object_mut() {
        labels.remove(OWNER_LABEL);
    }
    Effect::of(&answer, found)
}

/// Only asks; the answer is the effect. Of a list it is what is named so, since others come and go.
pub(super) fn of_question(sent: &Sent, named: &str, daemon: &Address) -> Effect {
    let answer = sent.ask(daemon);
    let is_json = answer
        .header("content-type")
        .is_some_and(|kind| kind.starts_with("application/json"));
    let found = match answer.status {
        200..300 if is_json && !answer.body.is_empty() => read(&answer.body),
        200..300 => Value::String(answer.text()),
        _ => Value::Null,
    };
    let list = if found["Volumes"].is_array() {
        &found["Volumes"]
    } else {
        &found
    };
    let Some(items) = list.as_array() else {
        return Effect::of(&answer, found);
    };
    let is_ours = |item: &&Value| {
        [named, "busybox:latest", "\"Name\":\"none\""]
            .iter()
            .any(|it| item.to_string().contains(it))
    };
    let mut ours: Vec<Value> = items.iter().filter(is_ours).cloned().collect();
    for item in ours.iter_mut().filter(|item| item.is_object()) {
        without(item, &["Status"]);
    }
    Effect::of(&answer, Value::Array(ours))
}

/// Names a container anew and looks at it under its id.
pub(super) fn of_rename(sent: &Sent, (id, name): (&str, &str), daemon: &Address) -> Effect {
    let answer = sent.ask(daemon);
    let found = inspect(daemon, &format!("/containers/{id}/json"));
    if found["Name"] != format!("/{name}") {
        let back =
            Sent::new("POST", &format!("/containers/{id}/rename?name={name}"), b"").ask(daemon);
        assert_eq!(back.status, 204, "{}", back.text());
    }
    Effect::of(&answer, found["Name"].clone())
}

pub(super) fn inspect(daemon: &Address, target: &str) -> Value {
    let answer = http::request(daemon, "GET", target, "");
    assert_eq!(answer.status, 200, "{target}: {}", answer.text());
    read(&answer.body)
}

fn remove(daemon: &Address, target: &str) {
    let answer = http::request(daemon, "DELETE", target, "");
    assert_eq!(answer.status, 204, "{target}: {}", answer.text());
}

pub(super) fn without(found: &mut Value, keys: &[&str]) {
    let members = found.as_object_mut().unwrap();
    members.retain(|key, _| !keys.contains(&key.as_str()));
}
