//! Attacks of one owner on another by names, filters and spellings, judged by what the daemon has afterwards.

use super::*;

const LABEL: &str = "dockgate.owner";

fn ids(house: &House, network: &str) -> Vec<String> {
    let list = house.read("/v1.41/networks");
    let list = list.as_array().unwrap().iter();
    let named = list.filter(|one| one["Name"] == network);
    named
        .map(|one| one["Id"].as_str().unwrap().to_owned())
        .collect()
}

/// The daemon would make a second one of the same name, and find neither by it any more.
#[test]
fn no_name_of_a_network_is_taken_twice() {
    let house = House::new("");
    let body = json!({ "Name": "twice" });
    let alices = makes(house.alice(), "/v1.41/networks/create", &body);
    for body in [
        json!({ "Name": "twice" }),
        json!({ "Name": "twice", "CheckDuplicate": false }),
        json!({ "Name": "twice", "CheckDuplicate": false, "Internal": true }),
    ] {
        let answer = past(house.bob(), "POST", "/v1.41/networks/create", &body);
        assert_eq!(answer.status, 409, "{body}: {}", answer.text());
        assert!(!answer.text().contains(&alices), "{}", answer.text());
    }
    assert_eq!(ids(&house, "twice"), [alices]);
    lists_are_held_against_nothing_of_anothers(&house);
    names_are_not_anothers_ids(&house);
}

/// A list that begins or ends with a thing of another would tell that it is there, and when it was made.
fn lists_are_held_against_nothing_of_anothers(house: &House) {
    let own = json!({ "Image": "busybox" });
    let create = |name: &str| format!("/v1.41/containers/create?name={name}");
    let alices = makes(house.alice(), &create("a-one"), &own);
    makes(house.bob(), &create("b-one"), &own);
    let lists = |name: &str| {
        [
            format!("/containers/json?all=1&filters={{\"before\":[\"{name}\"]}}"),
            format!("/containers/json?all=1&filters={{\"since\":{{\"{name}\":true}}}}"),
            format!("/containers/json?all=1&filters={{\"since\":{{\"{name}\":false}}}}"),
            format!("/containers/json?all=1&filters={{\"since\":[\"/{name}\"]}}"),
        ]
    };
    for name in ["a-one", &alices, &alices[..12]] {
        for target in lists(name) {
            let told = past(house.bob(), "GET", &format!("/v1.41{target}"), &Value::Null);
            assert_eq!(told.status, 404, "{target}: {}", told.text());
        }
    }
    for target in lists("b-one") {
        let told = past(house.bob(), "GET", &format!("/v1.41{target}"), &Value::Null);
        assert_eq!(told.status, 200, "{target}: {}", told.text());
    }
    let service = json!({ "Name": "a-service", "Mode": { "Replicated": { "Replicas": 0 } },
        "TaskTemplate": { "ContainerSpec": { "Image": "busybox" } } });
    let service = makes(house.alice(), "/v1.41/services/create", &service);
    for (name, address, status) in [
        ("a-service", house.bob(), 404),
        (&service, house.bob(), 404),
        ("a-service", house.alice(), 200),
    ] {
        let target = format!("/v1.41/tasks?filters={{\"service\":[\"{name}\"]}}");
        let told = past(address, "GET", &target, &Value::Null);
        assert_eq!(told.status, status, "{target}: {}", told.text());
    }
}

/// What has the beginning of an id for its name comes before what has the id.
fn names_are_not_anothers_ids(house: &House) {
    let told = makes(
        house.alice(),
        "/v1.41/commit?container=a-one&repo=a-image",
        &json!({}),
    );
    let id = told.trim_start_matches("sha256:");
    for short in [&id[..12], &id[..6], &id[..63]] {
        let refused = [
            format!("/images/busybox/tag?repo={short}"),
            format!("/images/busybox/tag?repo=docker.io/library/{short}&tag=latest"),
            format!("/commit?container=b-one&repo={short}"),
            format!("/build?t={short}"),
            format!("/images/create?fromSrc=-&repo={short}"),
            format!("/images/create?fromImage={short}&tag=latest"),
        ];
        for target in refused {
            let body = if target.starts_with("/commit") {
                json!({})
            } else {
                Value::Null
            };
            let answer = past(house.bob(), "POST", &format!("/v1.41{target}"), &body);
            assert_eq!(answer.status, 403, "{target}: {}", answer.text());
        }
        let told = house.read(&format!("/v1.41/images/{short}/json"));
        assert_eq!(told["Id"], format!("sha256:{id}"), "{short}");
    }
    let told = house.read("/v1.41/containers/a-one/json");
    let container = told["Id"].as_str().unwrap();
    let network = ids(house, "twice").remove(0);
    let own = json!({ "Image": "busybox" });
    for length in [5, 12, 63] {
        let short = &container[..length];
        for target in [
            format!("/containers/create?name={short}"),
            format!("/containers/create?name=/{short}"),
            format!("/containers/b-one/rename?name={short}"),
        ] {
            let answer = past(house.bob(), "POST", &format!("/v1.41{target}"), &own);
            assert_eq!(answer.status, 403, "{target}: {}", answer.text());
        }
        let told = house.read(&format!("/v1.41/containers/{short}/json"));
        assert_eq!(told["Id"], container, "{short}");
        let body = json!({ "Name": &network[..length] });
        let answer = past(house.bob(), "POST", "/v1.41/networks/create", &body);
        assert_eq!(answer.status, 403, "{body}: {}", answer.text());
    }
    names_are_not_ids_of_the_swarm(house);
    makes(house.bob(), "/v1.41/containers/create?name=beef", &own);
    // What is called like that, and does not only begin so, is taken as any name is.
    let taken = past(
        house.alice(),
        "POST",
        "/v1.41/containers/create?name=beef",
        &own,
    );
    assert_eq!(taken.status, 409, "{}", taken.text());
    let free = "/v1.41/images/busybox/tag?repo=facade";
    assert_eq!(past(house.bob(), "POST", free, &Value::Null).status, 201);
}

fn names_are_not_ids_of_the_swarm(house: &House) {
    let service = |name: &str| {
        json!({ "Name": name, "Mode": { "Replicated": { "Replicas": 0 } },
            "TaskTemplate": { "ContainerSpec": { "Image": "busybox" } } })
    };
    let data = |name: &str| json!({ "Name": name, "Data": "eA==" });
    for (kind, body) in [
        ("services", &service as &dyn Fn(&str) -> Value),
        ("secrets", &data),
        ("configs", &data),
    ] {
        let target = format!("/v1.41/{kind}/create");
        let id = makes(house.alice(), &target, &body(&format!("swarm-{kind}")));
        for length in [4, 12, 25] {
            let short = &id[..length];
            let answer = past(house.bob(), "POST", &target, &body(short));
            assert_eq!(answer.status, 403, "{target} {short}: {}", answer.text());
            assert!(answer.text().contains("name-taken"), "{}", answer.text());
            let told = house.read(&format!("/v1.41/{kind}/{short}"));
            assert_eq!(told["ID"], id.as_str(), "{short}");
        }
        makes(house.bob(), &target, &body("beef"));
    }
}

/// All tags of a repository are handed out by its bare name.
#[test]
fn no_image_goes_out_with_those_of_its_repository() {
    let house = House::new("[shared]\nimages = false");
    let (alice, bob) = (house.alice(), house.bob());
    for (address, tag) in [(alice, "1"), (bob, "latest")] {
        let target = format!("/v1.41/containers/create?name=of-{tag}");
        makes(
            address,
            &target,
            &json!({ "Image": "busybox", "Cmd": [tag] }),
        );
        let target = format!("/v1.41/commit?container=of-{tag}&repo=team&tag={tag}");
        makes(address, &target, &json!({}));
    }
    let told = house.read("/v1.41/images/team/json");
    let own = told["Id"].as_str().unwrap().to_owned();
    for (method, target, status) in [
        ("GET", "/images/team/get", 403),
        ("GET", "/images/docker.io/library/team/get", 403),
        ("GET", "/images/get?names=team", 403),
        ("GET", "/images/get?names=team:latest&names=team", 403),
        ("GET", "/images/get?names=team:latest&names=team:1", 404),
        ("GET", "/images/get?names=team:latest", 200),
        ("GET", "/images/team:latest/get", 200),
        ("POST", "/build?t=b-built", 403),
        ("POST", "/images/team/push", 403),
        ("POST", "/images/team/push?tag=", 403),
        ("POST", "/images/team/push?tag=1", 404),
        ("POST", "/images/team:latest/push?tag=1", 404),
        ("GET", "/images/json?filters={\"before\":[\"team:1\"]}", 404),
        (
            "GET",
            "/images/json?filters={\"since\":{\"team:1\":false}}",
            404,
        ),
    ] {
        let answer = past(bob, method, &format!("/v1.41{target}"), &Value::Null);
        assert_eq!(answer.status, status, "{method} {target}");
    }
    for id in [own.as_str(), &own[7..], &own[7..19]] {
        let target = format!("/v1.41/images/{id}/get");
        let answer = past(bob, "GET", &target, &Value::Null);
        assert_eq!(answer.status, 200, "{target}: {}", answer.text());
    }
}

/// Every filter that a client can write leaves the lists and prunes narrow.
#[test]
fn no_filter_widens_what_is_ones_own() {
    let house = House::new("");
    let create = |name: &str| format!("/v1.41/containers/create?name={name}");
    makes(
        house.alice(),
        &create("a-one"),
        &json!({ "Image": "busybox", "Labels": { "k": "v" } }),
    );
    for (target, body) in [
        ("/volumes/create", json!({ "Name": "a-volume" })),
        ("/networks/create", json!({ "Name": "a-network" })),
        (
            "/secrets/create",
            json!({ "Name": "a-secret", "Data": "eA==" }),
        ),
    ] {
        makes(house.alice(), &format!("/v1.41{target}"), &body);
    }
    settle(&house);
    let before = state(&house);
    for filters in FILTERS {
        for target in [
            "/containers/json?all=1&limit=9",
            "/volumes?x=",
            "/networks?x=",
            "/services?x=",
            "/tasks?x=",
            "/secrets?x=",
            "/configs?x=",
        ] {
            let target = format!("/v1.41{target}&filters={filters}").replace(' ', "%20");
            let told = past(house.bob(), "GET", &target, &Value::Null);
            let names = ["a-one", "a-volume", "a-network", "a-secret"];
            let told = told.text();
            let shown = told.replace("dockgate.owner=alice", "");
            assert!(
                names
                    .iter()
                    .all(|name| !shown.contains(&format!("{name}\""))),
                "{target}: {told}"
            );
        }
        for kind in ["containers", "volumes", "networks", "images"] {
            let target = format!("/v1.41/{kind}/prune?filters={filters}").replace(' ', "%20");
            past(house.bob(), "POST", &target, &Value::Null);
        }
    }
    assert_eq!(state(&house), before);
    assert!(before.to_string().contains(LABEL));
}

const FILTERS: &[&str] = &[
    "{\"label\":{\"dockgate.owner=alice\":false}}",
    "{\"label\":{\"dockgate.owner=alice\":true}}",
    "{\"label\":[\"dockgate.owner\"]}",
    "{\"label\":[\"dockgate.owner=\"]}",
    "{\"label\":[\"dockgate.owner=alice\",\"dockgate.owner=bob%20%5C%22$x%5C%5C%5C%5C\"]}",
    "{\"label\":[\" dockgate.owner=alice\"]}",
    "{\"label\":[\"dockgate.owner =alice\"]}",
    "{\"label\":[]}",
    "{\"label\":{}}",
    "{\"label\":null}",
    "{\"label\":[null]}",
    "{\"label\":\"dockgate.owner=alice\"}",
    "{\"label\":{\"dockgate.owner=alice\":{}}}",
    "{\"label\":[[\"dockgate.owner=alice\"]]}",
    "{\"Label\":[\"dockgate.owner=alice\"]}",
    "{\"label\":[\"k=v\"],\"label\":[\"dockgate.owner=alice\"]}",
    "{\"label!\":[\"dockgate.owner\"]}",
    "{\"label!\":[\"dockgate.owner=nobody\"]}",
    "{\"label!\":{\"dockgate.owner=x\":false}}",
    "{\"name\":{\"a-one\":true},\"label\":{\"k\":false}}",
    "null",
    "[]",
    "{}&filters={}",
    "{}&Filters={\"label\":[\"dockgate.owner=alice\"]}",
    "",
];
