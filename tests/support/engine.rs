//! The real Docker daemon that `make test` has started, and what it says by itself, past any gate.

use serde_json::Value;

use super::address::Address;
use super::http;

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

/// Removes every container, network, volume and image whose name starts with `prefix`.
pub(crate) fn clean(prefix: &str) {
    let list = |target: &str| {
        let answer = http::request(&address(), "GET", target, "");
        if answer.status == 200 {
            super::json(&answer.body)
        } else {
            Value::Null
        }
    };
    let remove = |target: String| http::request(&address(), "DELETE", &target, "");
    let named = |value: &Value, key: &str| {
        value[key]
            .as_str()
            .is_some_and(|name| name.starts_with(prefix))
    };

    for container in list("/containers/json?all=1")
        .as_array()
        .into_iter()
        .flatten()
    {
        let names = container["Names"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str);
        let labels = container["Labels"]
            .as_object()
            .into_iter()
            .flatten()
            .filter_map(|(_, value)| value.as_str());
        if names
            .chain(labels)
            .any(|name| name.trim_start_matches('/').starts_with(prefix))
        {
            remove(format!(
                "/containers/{}?force=1&v=1",
                container["Id"].as_str().unwrap()
            ));
        }
    }
    for network in list("/networks")
        .as_array()
        .into_iter()
        .flatten()
        .filter(|network| named(network, "Name"))
    {
        remove(format!("/networks/{}", network["Id"].as_str().unwrap()));
    }
    for volume in list("/volumes")["Volumes"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|volume| named(volume, "Name"))
    {
        remove(format!(
            "/volumes/{}?force=1",
            volume["Name"].as_str().unwrap()
        ));
    }
    for image in list("/images/json").as_array().into_iter().flatten() {
        for tag in image["RepoTags"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
        {
            // The name may stand behind a registry's.
            if tag.starts_with(prefix) || tag.contains(&format!("/{prefix}")) {
                remove(format!("/images/{tag}?force=1"));
            }
        }
    }
}
