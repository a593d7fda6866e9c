//! What an owner's lists, sums and prunes hold: its own, and what is shared.

use super::*;

const SHARED: &str = "[shared]\nnetworks = ['common*']\nvolumes = ['common*']";

/// Names, or ids, of what a list holds.
fn names(list: &Value, key: &str) -> Vec<String> {
    let mut names: Vec<String> = list
        .as_array()
        .unwrap_or_else(|| panic!("no list: {list}"))
        .iter()
        .map(|one| match &one[key] {
            Value::Array(all) => all[0].as_str().unwrap().trim_start_matches('/').to_owned(),
            Value::Object(spec) => spec["Name"].as_str().unwrap().to_owned(),
            Value::String(name) => name.clone(),
            other @ (Value::Null | Value::Bool(_) | Value::Number(_)) => {
                panic!("{other} is no name")
            }
        })
        .filter(|name| !name.contains("-service."))
        .collect();
    names.sort();
    names
}

impl House {
    fn sees(&self, address: &Address, target: &str) -> Value {
        let answer = past(address, "GET", &format!("/v1.41{target}"), &Value::Null);
        assert_eq!(answer.status, 200, "{target}: {}", answer.text());
        support::json(&answer.body)
    }
}

#[test]
fn lists_hold_what_is_ones_own_or_shared() {
    let house = House::new(SHARED);
    let things = Things::of(&house, house.alice(), "a");
    let own = Things::of(&house, house.bob(), "b");
    for (target, name) in [
        ("networks", "common-network"),
        ("volumes", "common-volume"),
        ("networks", "nobodys"),
    ] {
        let made = house.past(
            "POST",
            &format!("/v1.41/{target}/create"),
            &json!({ "Name": name }),
        );
        assert_eq!(made.status, 201, "{}", made.text());
    }
    house.past(
        "POST",
        "/v1.41/containers/create?name=nobodys",
        &json!({ "Image": "busybox" }),
    );
    let bob = house.bob();
    let filters = "filters={\"status\":[\"running\",\"created\"]}";
    let older = "filters={\"status\":{\"running\":true,\"created\":true}}";
    for query in [
        "all=1",
        filters,
        older,
        "all=1&filters={\"label\":[\"dockgate.owner\"]}",
    ] {
        let list = house.sees(bob, &format!("/containers/json?{query}"));
        assert_eq!(names(&list, "Names"), ["b-container"], "{query}");
    }
    others_are_not_listed(&house, &own.task);
    shared_things(&house);
    // Nothing of the other's name is in any of it, but for images.
    for target in [
        "/containers/json?all=1",
        "/networks",
        "/volumes",
        "/services",
        "/tasks",
        "/secrets",
        "/configs",
    ] {
        let told = house.sees(bob, target).to_string();
        assert!(
            !told.contains("alice") && !told.contains(&things.container),
            "{target}: {told}"
        );
    }
}

fn others_are_not_listed(house: &House, task: &str) {
    let bob = house.bob();
    let networks = names(&house.sees(bob, "/networks"), "Name");
    let predefined = [
        "b-network",
        "bridge",
        "common-network",
        "host",
        "ingress",
        "none",
    ];
    assert_eq!(networks, predefined);
    let volumes = house.sees(bob, "/volumes");
    assert_eq!(
        names(&volumes["Volumes"], "Name"),
        ["b-volume", "common-volume"]
    );
    for (target, key, name) in [
        ("/services", "Spec", "b-service"),
        ("/secrets", "Spec", "b-secret"),
        ("/configs", "Spec", "b-config"),
        ("/tasks", "ID", task),
    ] {
        assert_eq!(names(&house.sees(bob, target), key), [name], "{target}");
    }
    let usage = house.sees(bob, "/system/df");
    assert_eq!(names(&usage["Containers"], "Names"), ["b-container"]);
    assert_eq!(
        names(&usage["Volumes"], "Name"),
        ["b-volume", "common-volume"]
    );
    assert!(usage["BuildCache"].as_array().is_none_or(Vec::is_empty));
    let daemons = house.read("/v1.41/system/df");
    assert_eq!(usage["LayersSize"], daemons["LayersSize"]);
    let users = |usage: &Value| {
        let images = usage["Images"].as_array().unwrap().iter();
        let counts = images.map(|image| image["Containers"].as_i64().unwrap());
        counts.sum::<i64>()
    };
    assert_eq!(
        users(&usage),
        usage["Containers"].as_array().unwrap().len() as i64
    );
    assert!(users(&usage) < users(&daemons), "{usage}");
    let volumes = usage["Volumes"].as_array().unwrap();
    let common = volumes.iter().find(|one| one["Name"] == "common-volume");
    assert_eq!(common.unwrap()["UsageData"]["RefCount"], -1);
}

/// They are there for all to see and use, and not to change.
fn shared_things(house: &House) {
    let (alice, bob) = (house.alice(), house.bob());
    let body = json!({ "Image": "busybox", "Cmd": ["sleep", "600"], "HostConfig": {
        "NetworkMode": "common-network", "Binds": ["common-volume:/common"] } });
    for (address, name) in [(alice, "a-common"), (bob, "b-common")] {
        let id = makes(
            address,
            &format!("/v1.41/containers/create?name={name}"),
            &body,
        );
        let started = past(
            address,
            "POST",
            &format!("/v1.41/containers/{id}/start"),
            &Value::Null,
        );
        assert_eq!(started.status, 204, "{}", started.text());
    }
    let told = house.sees(bob, "/networks/common-network");
    assert_eq!(told["Containers"], json!({}), "{told}");
    assert_eq!(house.sees(bob, "/networks/bridge")["Containers"], json!({}));
    assert!(
        house.sees(bob, "/networks/b-network")["Containers"]
            .to_string()
            .contains("b-container")
    );
    assert_eq!(
        house.sees(bob, "/volumes/common-volume")["Name"],
        "common-volume"
    );
    for target in [
        "/networks/common-network",
        "/volumes/common-volume",
        "/volumes/common-volume?force=1",
    ] {
        let refused = past(bob, "DELETE", &format!("/v1.41{target}"), &Value::Null);
        assert_eq!(refused.status, 403, "{target}: {}", refused.text());
    }
    let join = json!({ "Container": "b-container" });
    for verb in ["connect", "disconnect"] {
        let target = format!("/v1.41/networks/common-network/{verb}");
        let done = past(bob, "POST", &target, &join);
        assert_eq!(done.status, 200, "{verb}: {}", done.text());
    }
}

#[test]
fn prunes_take_only_ones_own() {
    let house = House::new("");
    for (address, name) in [(house.alice(), "a"), (house.bob(), "b")] {
        let body = json!({ "Image": "busybox", "Labels": { "k": "v" } });
        makes(
            address,
            &format!("/v1.41/containers/create?name={name}-container"),
            &body,
        );
        makes(
            address,
            &format!("/v1.41/commit?container={name}-container"),
            &json!({ "Cmd": [name] }),
        );
        makes(
            address,
            "/v1.41/networks/create",
            &json!({ "Name": format!("{name}-network") }),
        );
        makes(
            address,
            "/v1.41/volumes/create",
            &json!({ "Name": format!("{name}-volume") }),
        );
    }
    for (target, filters) in [
        ("containers", ""),
        ("networks", "?filters={\"label!\":[\"k\"]}"),
        ("volumes", "?filters={}"),
        ("images", "?filters={\"dangling\":{\"true\":true}}"),
    ] {
        let pruned = past(
            house.bob(),
            "POST",
            &format!("/v1.41/{target}/prune{filters}"),
            &Value::Null,
        );
        assert_eq!(pruned.status, 200, "{}", pruned.text());
    }
    assert_eq!(
        names(&house.read("/v1.41/containers/json?all=1"), "Names"),
        ["a-container"]
    );
    assert_eq!(
        names(&house.read("/v1.41/volumes")["Volumes"], "Name"),
        ["a-volume"]
    );
    let networks = names(&house.read("/v1.41/networks"), "Name");
    assert!(
        networks.contains(&"a-network".to_owned()) && !networks.contains(&"b-network".to_owned())
    );
    let images = house.read("/v1.41/images/json?all=1").to_string();
    assert!(
        images.contains("\"alice\"") && !images.contains("bob"),
        "{images}"
    );
}

#[test]
fn images_of_others_are_not_there_where_they_are_not_shared() {
    let house = House::new("[shared]\nimages = false");
    let (alice, bob) = (house.alice(), house.bob());
    makes(
        alice,
        "/v1.41/containers/create?name=one",
        &json!({ "Image": "busybox" }),
    );
    makes(
        alice,
        "/v1.41/commit?container=one&repo=a-image",
        &json!({}),
    );
    let told = house.sees(alice, "/images/a-image/json");
    let id = told["Id"].as_str().unwrap().to_owned();
    for name in ["a-image", "a-image:latest", &id, &id[7..19]] {
        for (method, target) in [
            ("GET", format!("/images/{name}/json")),
            ("GET", format!("/images/{name}/history")),
            ("GET", format!("/images/{name}/get")),
            ("GET", format!("/images/get?names={name}")),
            ("POST", format!("/images/{name}/push")),
            ("POST", format!("/images/{name}/tag?repo=b-image")),
            ("DELETE", format!("/images/{name}")),
        ] {
            let answer = past(bob, method, &format!("/v1.41{target}"), &Value::Null);
            assert_eq!(answer.status, 404, "{method} {target}: {}", answer.text());
        }
        let create = json!({ "Image": name });
        let answer = past(bob, "POST", "/v1.41/containers/create", &create);
        assert_eq!(answer.status, 404, "{name}: {}", answer.text());
        let service =
            json!({ "Name": "s", "TaskTemplate": { "ContainerSpec": { "Image": name } } });
        let answer = past(bob, "POST", "/v1.41/services/create", &service);
        assert_eq!(answer.status, 404, "{name}: {}", answer.text());
    }
    let tags = |address: &Address| names(&house.sees(address, "/images/json"), "RepoTags");
    assert_eq!(tags(alice), ["a-image:latest", "busybox:latest"]);
    assert_eq!(tags(bob), ["busybox:latest"]);
    let usage = house.sees(bob, "/system/df");
    assert_eq!(names(&usage["Images"], "RepoTags"), ["busybox:latest"]);
}
