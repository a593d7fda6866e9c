//! One owner's attempts to reach the things of another by what a request refers to.

use super::*;

/// Target, body, and the status that comes of it.
type Attempt = (&'static str, Value, u16);

#[test]
fn no_reference_leads_to_what_is_anothers() {
    let house = House::new("");
    let things = Things::of(&house, house.alice(), "a");
    Things::of(&house, house.bob(), "b");
    let mut all = containers(&things);
    all.extend(networks(&things));
    all.extend(volumes());
    let overlay = json!({ "Name": "a-overlay", "Driver": "overlay" });
    let overlay = makes(house.alice(), "/v1.41/networks/create", &overlay);
    all.extend(services(&things, &overlay));
    all.extend(images());
    let before = state(&house);
    for (target, body, status) in &all {
        let answer = past(house.bob(), "POST", &format!("/v1.41{target}"), body);
        assert_eq!(answer.status, *status, "{target} {body}: {}", answer.text());
    }
    let query = "/v1.41/containers/json?filters={\"label\":[\"dockgate.owner=alice\"]}";
    assert_eq!(past(house.bob(), "GET", query, &Value::Null).status, 403);
    assert_eq!(state(&house), before);
}

fn containers(things: &Things) -> Vec<Attempt> {
    let mut bodies: Vec<Attempt> = Vec::new();
    let container = things.container.as_str();
    for name in ["a-container", container, &container[..12]] {
        for host_config in [
            json!({ "NetworkMode": format!("container:{name}") }),
            json!({ "PidMode": format!("container:{name}") }),
            json!({ "IpcMode": format!("container:{name}") }),
            json!({ "VolumesFrom": [name] }),
            json!({ "VolumesFrom": [format!("{name}:ro")] }),
            json!({ "Links": [format!("{name}:x")] }),
            json!({ "Links": [format!("/{name}:x")] }),
        ] {
            let body = json!({ "Image": "busybox", "HostConfig": host_config });
            bodies.push(("/containers/create", body, 404));
        }
        bodies.push((
            "/networks/b-network/connect",
            json!({ "Container": name }),
            404,
        ));
        bodies.push((
            "/networks/b-network/disconnect",
            json!({ "Container": name, "Force": true }),
            404,
        ));
    }
    bodies
}

fn networks(things: &Things) -> Vec<Attempt> {
    let mut bodies: Vec<Attempt> = Vec::new();
    let network = things.network.as_str();
    for name in ["a-network", network, &network[..12]] {
        let endpoints = json!({ "EndpointsConfig": { name: {} } });
        let body = json!({ "Image": "busybox", "NetworkingConfig": endpoints });
        bodies.push(("/containers/create", body, 404));
        let body = json!({ "Image": "busybox", "HostConfig": { "NetworkMode": name } });
        bodies.push(("/containers/create", body, 404));
        let body = json!({ "Name": "from", "ConfigFrom": { "Network": name } });
        bodies.push(("/networks/create", body, 404));
    }
    bodies
}

fn volumes() -> Vec<Attempt> {
    let mut bodies: Vec<Attempt> = Vec::new();
    for body in [
        json!({ "Image": "busybox", "HostConfig": { "Binds": ["a-volume:/x"] } }),
        json!({ "Image": "busybox", "HostConfig": { "Binds": ["a-volume:/x:z"] } }),
        json!({ "Image": "busybox", "HostConfig": { "Mounts": [
            { "Type": "volume", "Source": "a-volume", "Target": "/x" }] } }),
    ] {
        bodies.push(("/containers/create", body, 404));
    }
    bodies.push(("/volumes/create", json!({ "Name": "a-volume" }), 409));
    bodies
}

fn services(things: &Things, overlay: &str) -> Vec<Attempt> {
    let mut bodies: Vec<Attempt> = Vec::new();
    let service = |container: Value| {
        let mut container = container;
        container["Image"] = json!("busybox");
        json!({ "Name": "s", "TaskTemplate": { "ContainerSpec": container } })
    };
    let file = json!({ "Name": "x", "UID": "0", "GID": "0", "Mode": 292 });
    for (list, key, name_key, id, name) in [
        (
            "Secrets",
            "SecretID",
            "SecretName",
            &things.secret,
            "a-secret",
        ),
        (
            "Configs",
            "ConfigID",
            "ConfigName",
            &things.config,
            "a-config",
        ),
    ] {
        for reference in [id.as_str(), name] {
            let body = service(json!({ list: [{ key: reference, name_key: name, "File": file }] }));
            bodies.push(("/services/create", body, 404));
        }
    }
    for network in ["a-overlay", overlay, &overlay[..12]] {
        let mut body = service(json!({}));
        body["TaskTemplate"]["Networks"] = json!([{ "Target": network }]);
        bodies.push(("/services/create", body, 404));
    }
    let mount = json!([{ "Type": "volume", "Source": "a-volume", "Target": "/x" }]);
    bodies.push(("/services/create", service(json!({ "Mounts": mount })), 404));
    bodies
}

fn images() -> Vec<Attempt> {
    let committed = [
        "/commit?container=b-container&repo=a-image",
        "/commit?container=b-container&repo=busybox&tag=latest",
    ];
    let mut bodies: Vec<Attempt> = committed.map(|target| (target, json!({}), 403)).into();
    bodies.push(("/commit?container=a-container", json!({}), 404));
    let refused = [
        "/images/b-image/tag?repo=a-image",
        "/images/b-image/tag?repo=docker.io/library/a-image&tag=latest",
        "/build?t=b-image&t=a-image:latest",
        "/images/create?fromSrc=-&repo=a-image",
        "/images/create?fromImage=a-image&tag=latest",
        "/images/create?fromImage=a-image",
        "/images/load",
        "/build/prune",
    ];
    bodies.extend(refused.map(|target| (target, Value::Null, 403)));
    let absent = [
        "/build?networkmode=a-network",
        "/build?networkmode=container:a-container",
    ];
    bodies.extend(absent.map(|target| (target, Value::Null, 404)));
    bodies
}

/// As where the volume came up while the container was made: the name was free, and stands for another's by then.
#[test]
fn a_container_with_a_volume_of_another_does_not_run() {
    let house = House::new("[shared]\nvolumes = ['common']");
    let body = json!({ "Image": "busybox", "Cmd": ["sleep", "600"], "Labels": { "dockgate.owner": BOB },
        "HostConfig": { "Binds": ["a-volume:/x"] } });
    makes(
        house.alice(),
        "/v1.41/volumes/create",
        &json!({ "Name": "a-volume" }),
    );
    for (name, volume, status) in [
        ("another", "a-volume", 403),
        ("nobodys", "nobodys", 403),
        ("shared", "common", 204),
    ] {
        let mut body = body.clone();
        body["HostConfig"]["Binds"][0] = json!(format!("{volume}:/x"));
        let made = house.past(
            "POST",
            &format!("/v1.41/containers/create?name={name}"),
            &body,
        );
        assert_eq!(made.status, 201, "{}", made.text());
        let target = format!("/v1.41/containers/{name}/start");
        let answer = past(house.bob(), "POST", &target, &Value::Null);
        assert_eq!(answer.status, status, "{name}: {}", answer.text());
        let told = house.read(&format!("/v1.41/containers/{name}/json"));
        assert_eq!(told["State"]["Running"], status == 204, "{name}");
        let archive = past(
            house.bob(),
            "GET",
            &format!("/v1.41/containers/{name}/archive?path=/x"),
            &Value::Null,
        );
        assert_eq!(
            archive.status == 403,
            status == 403,
            "{name}: {}",
            archive.text()
        );
        // It can be removed.
        let removed = past(
            house.bob(),
            "DELETE",
            &format!("/v1.41/containers/{name}?force=1"),
            &Value::Null,
        );
        assert_eq!(removed.status, 204, "{name}: {}", removed.text());
    }
}

/// What begins the ids of several things tells nothing of those of others.
#[test]
fn the_beginning_of_several_ids_is_not_there() {
    let house = House::new("");
    let address = &house.alice();
    let make = || {
        let body = json!({ "Image": "busybox", "Cmd": ["true"] });
        makes(address, "/containers/create", &body)
    };
    let (mut seen, mut twice) = (std::collections::BTreeSet::new(), None);
    // Sixteen digits, so that the seventeenth has one of them again.
    while twice.is_none() {
        let digit = make().chars().next().unwrap();
        twice = (!seen.insert(digit)).then_some(digit);
    }
    let digit = twice.unwrap();
    let target = format!("/containers/{digit}/json");
    let told = house.past("GET", &format!("/v1.41{target}"), &Value::Null);
    assert!(matches!(told.status, 400 | 500), "{}", told.text());
    assert!(told.text().contains("provided prefix"), "{}", told.text());
    for target in [target, "/containers/no-such/json".to_owned()] {
        let answer = past(house.bob(), "GET", &format!("/v1.41{target}"), &Value::Null);
        let named = target.split('/').nth(2).unwrap();
        assert_eq!(answer.status, 404, "{}", answer.text());
        assert_eq!(answer.message(), format!("No such container: {named}"));
    }
}
