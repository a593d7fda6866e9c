//! The real Docker daemon that `make test` has started, and what it says by itself, past any gate.

use serde_json::Value;

use super::address::Address;
use super::{archive, http};

/// The environment variable that names the daemon's address.
const ADDRESS: &str = "DOCKGATE_TEST_ENGINE";

/// The daemon's address.
///
/// # Panics
/// Where there is none: a test that needs a daemon has then failed, it is not passed over.
pub(crate) fn address() -> Address {
    match std::env::var(ADDRESS) {
        Ok(address) => Address::parse(&address),
        Err(_) => {
            panic!("{ADDRESS} names no daemon; run the tests with `make test`, which starts one")
        }
    }
}

/// Removes every container, network, volume, plugin and image whose name, or a label of which, starts with `prefix`.
pub(crate) fn clean(prefix: &str) {
    let is_named = |name: &str| name.trim_start_matches('/').starts_with(prefix);
    for container in list("/containers/json?all=1") {
        let labels = container["Labels"].as_object().into_iter().flatten();
        let labels = labels.filter_map(|(_, value)| value.as_str());
        if texts(&container["Names"]).chain(labels).any(is_named) {
            remove("containers", &container["Id"], "?force=1&v=1");
        }
    }
    for network in list("/networks") {
        if texts(&network["Name"]).any(is_named) {
            remove("networks", &network["Id"], "");
        }
    }
    for volume in list("/volumes") {
        if texts(&volume["Name"]).any(is_named) {
            remove("volumes", &volume["Name"], "?force=1");
        }
    }
    for plugin in list("/plugins") {
        // The name may stand behind a registry's.
        if texts(&plugin["Name"]).any(|name| is_named(name) || name.contains(&format!("/{prefix}")))
        {
            remove("plugins", &plugin["Id"], "?force=1");
        }
    }
    for image in list("/images/json") {
        for tag in image["RepoTags"].as_array().into_iter().flatten() {
            // The name may stand behind a registry's.
            if texts(tag).any(|tag| is_named(tag) || tag.contains(&format!("/{prefix}"))) {
                remove("images", tag, "?force=1");
            }
        }
    }
}

/// Makes a plugin of a `config.json`, with a root file system of one file; `{name}` stands for its name, since the daemon
/// takes no content twice.
pub(crate) fn make_plugin(name: &str, configuration: &str) {
    let configuration = configuration.replace("{name}", name);
    let files = [
        ("config.json", configuration),
        ("rootfs/x", name.to_owned()),
    ];
    let files = files.map(|(path, text)| (path.to_owned(), text));
    let body = archive::of(&files.into());
    let head = format!(
        "POST /v1.41/plugins/create?name={name} HTTP/1.1\r\nHost: docker\r\nContent-Type: application/x-tar\r\n\
         Connection: close\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let answer = http::send(&address(), &[head.into_bytes(), body].concat()).unwrap();
    assert_eq!(answer.status, 204, "{}", answer.text());
}

fn list(target: &str) -> Vec<Value> {
    let answer = http::request(&address(), "GET", target, "");
    let listed = if answer.status == 200 {
        super::json(&answer.body)
    } else {
        Value::Null
    };
    let listed = if listed["Volumes"].is_array() {
        &listed["Volumes"]
    } else {
        &listed
    };
    listed.as_array().cloned().unwrap_or_default()
}

fn remove(kind: &str, name: &Value, query: &str) {
    let name = name.as_str().unwrap();
    http::request(&address(), "DELETE", &format!("/{kind}/{name}{query}"), "");
}

/// The text that a value is, or the texts in it.
fn texts(value: &Value) -> impl Iterator<Item = &str> {
    let list = value
        .as_array()
        .map_or(std::slice::from_ref(value), Vec::as_slice);
    list.iter().filter_map(Value::as_str)
}
