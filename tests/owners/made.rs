//! What a client with an owner makes has the owner's label, whichever way it is made, and no client writes it.

use super::*;

const LABEL: &str = "dockgate.owner";

#[test]
fn everything_that_is_made_has_its_owner() {
    let house = House::new("");
    let (alice, bob) = (house.alice(), house.bob());
    let things = Things::of(&house, bob, "b");
    for (target, labels) in [
        ("/containers/b-container/json", "/Config/Labels"),
        ("/networks/b-network", "/Labels"),
        ("/volumes/b-volume", "/Labels"),
        ("/images/b-image/json", "/Config/Labels"),
        ("/services/b-service", "/Spec/Labels"),
        (
            "/services/b-service",
            "/Spec/TaskTemplate/ContainerSpec/Labels",
        ),
        ("/secrets/b-secret", "/Spec/Labels"),
        ("/configs/b-config", "/Spec/Labels"),
    ] {
        let told = house.read(&format!("/v1.41{target}"));
        let label = told.pointer(labels).map(|labels| &labels[LABEL]);
        assert_eq!(label, Some(&json!(BOB)), "{target} {labels}");
    }
    let told = past(
        bob,
        "GET",
        &format!("/v1.41/tasks/{}", things.task),
        &Value::Null,
    );
    assert_eq!(told.status, 200, "{}", told.text());
    volumes_that_come_with_a_container(&house);
    images(&house);
    updates(&house, &things);
    // A client that writes its own owner, as one that copies a container does, is right.
    let own = json!({ "Image": "busybox", "Labels": { LABEL: "alice" } });
    makes(alice, "/v1.41/containers/create?name=copied", &own);
    for (target, body) in labelled() {
        let refused = past(alice, "POST", target, &body);
        assert_eq!(refused.status, 403, "{target} {body}: {}", refused.text());
        assert!(
            refused.text().contains(LABEL),
            "{target}: {}",
            refused.text()
        );
    }
}

fn volumes_that_come_with_a_container(house: &House) {
    let past = house.past(
        "POST",
        "/v1.41/containers/create?name=with-volume",
        &json!({ "Image": "busybox", "Volumes": { "/of-image": {} } }),
    );
    assert_eq!(past.status, 201, "{}", past.text());
    let committed = house.past(
        "POST",
        "/v1.41/commit?container=with-volume&repo=with-volume",
        &json!({}),
    );
    assert_eq!(committed.status, 201, "{}", committed.text());
    let body = json!({ "Image": "with-volume", "Volumes": { "/anonymous/": {}, "/bound": {} }, "HostConfig": {
        "Binds": ["named-by-bind:/bound:ro,nocopy", "/only-a-target"], "Tmpfs": { "/memory": "" },
        "Mounts": [{ "Type": "volume", "Source": "named-by-mount", "Target": "/mounted" },
                   { "Type": "volume", "Target": "/anonymous-mount" }] } });
    makes(
        house.alice(),
        "/v1.41/containers/create?name=volumes",
        &body,
    );
    let told = house.read("/v1.41/containers/volumes/json");
    let mounts = told["Mounts"].as_array().unwrap();
    let mut targets: Vec<&str> = mounts
        .iter()
        .map(|one| one["Destination"].as_str().unwrap())
        .collect();
    targets.sort_unstable();
    let all = [
        "/anonymous",
        "/anonymous-mount",
        "/bound",
        "/mounted",
        "/of-image",
        "/only-a-target",
    ];
    assert_eq!(targets, all);
    for mount in mounts {
        let volume = house.read(&format!(
            "/v1.41/volumes/{}",
            mount["Name"].as_str().unwrap()
        ));
        assert_eq!(volume["Labels"][LABEL], "alice", "{mount}");
        assert_eq!(mount["RW"], mount["Destination"] != "/bound", "{mount}");
    }
    let odd = json!({ "Image": "busybox", "HostConfig": { "Binds": ["absent:/x:z"] } });
    let refused = past_alice(house, &odd);
    assert!(
        refused.status == 403 && refused.text().contains("make it first"),
        "{}",
        refused.text()
    );
    let there = json!({ "Image": "busybox", "HostConfig": { "Binds": ["named-by-bind:/x:z"] } });
    assert_eq!(past_alice(house, &there).status, 201);
}

fn past_alice(house: &House, body: &Value) -> Answer {
    past(house.alice(), "POST", "/v1.41/containers/create", body)
}

fn images(house: &House) {
    let import = support::archive::of(&[("file".to_owned(), "x".to_owned())].into());
    let head = format!(
        "POST /v1.41/images/create?fromSrc=-&repo=imported&changes=LABEL+a=b HTTP/1.1\r\nHost: d\r\nConnection: close\r\n\
         Content-Length: {}\r\n\r\n",
        import.len()
    );
    let answer = http::send(house.bob(), &[head.as_bytes(), &import].concat()).unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text());
    let told = house.read("/v1.41/images/imported/json");
    assert_eq!(told["Config"]["Labels"], json!({ LABEL: BOB, "a": "b" }));
    let file = "FROM busybox\nLABEL dockgate.owner=alice other=1\nLABEL dockgate.owner alice\n";
    let context = support::archive::of(&[("Dockerfile".to_owned(), file.to_owned())].into());
    let head = format!(
        "POST /v1.41/build?t=built&labels={{\"c\":\"d\"}} HTTP/1.1\r\nHost: d\r\nConnection: close\r\n\
         Content-Length: {}\r\n\r\n",
        context.len()
    );
    let answer = http::send(house.bob(), &[head.as_bytes(), &context].concat()).unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text());
    let told = house.read("/v1.41/images/built/json");
    assert_eq!(
        told["Config"]["Labels"],
        json!({ LABEL: BOB, "c": "d", "other": "1" }),
        "{}",
        answer.text()
    );
}

/// What replaces labels leaves the owner's.
fn updates(house: &House, things: &Things) {
    let bob = house.bob();
    for kind in ["secret", "config"] {
        let told = house.read(&format!("/v1.41/{kind}s/b-{kind}"));
        let version = &told["Version"]["Index"];
        let mut spec = told["Spec"].clone();
        spec["Labels"] = json!({ "more": "1" });
        let target = format!("/v1.41/{kind}s/b-{kind}/update?version={version}");
        let answer = past(bob, "POST", &target, &spec);
        assert_eq!(answer.status, 200, "{}", answer.text());
        let told = house.read(&format!("/v1.41/{kind}s/b-{kind}"));
        assert_eq!(told["Spec"]["Labels"], json!({ LABEL: BOB, "more": "1" }));
    }
    let told = house.read(&format!("/v1.41/services/{}", things.service));
    let target = format!(
        "/v1.41/services/b-service/update?version={}",
        told["Version"]["Index"]
    );
    let spec = json!({ "Name": "b-service", "TaskTemplate": { "ContainerSpec": { "Image": "busybox",
        "Command": ["sleep", "601"] } } });
    let answer = past(bob, "POST", &target, &spec);
    assert_eq!(answer.status, 200, "{}", answer.text());
    let told = house.read(&format!("/v1.41/services/{}", things.service));
    assert_eq!(told["Spec"]["Labels"], json!({ LABEL: BOB }));
    assert_eq!(
        told["Spec"]["TaskTemplate"]["ContainerSpec"]["Labels"],
        json!({ LABEL: BOB })
    );
}

/// Requests that write another owner into the label.
fn labelled() -> Vec<(&'static str, Value)> {
    let labels = json!({ LABEL: "bob" });
    let service = |service: &Value, container: &Value, mounts: &Value| {
        json!({ "Name": "s", "Labels": service, "TaskTemplate": { "ContainerSpec": {
            "Image": "busybox", "Labels": container, "Mounts": mounts } } })
    };
    let mounts = json!([{ "Type": "volume", "Source": "v", "Target": "/v", "VolumeOptions": { "Labels": labels } }]);
    let none = json!({});
    vec![
        (
            "/v1.41/containers/create",
            json!({ "Image": "busybox", "Labels": labels }),
        ),
        (
            "/v1.41/containers/create",
            json!({ "Image": "busybox", "HostConfig": { "Mounts": mounts } }),
        ),
        (
            "/v1.41/networks/create",
            json!({ "Name": "n", "Labels": labels }),
        ),
        (
            "/v1.41/volumes/create",
            json!({ "Name": "v", "Labels": labels }),
        ),
        (
            "/v1.41/secrets/create",
            json!({ "Name": "s", "Data": "YQ==", "Labels": labels }),
        ),
        (
            "/v1.41/configs/create",
            json!({ "Name": "c", "Data": "YQ==", "Labels": labels }),
        ),
        (
            "/v1.41/services/create",
            service(&labels, &none, &json!([])),
        ),
        (
            "/v1.41/services/create",
            service(&none, &labels, &json!([])),
        ),
        ("/v1.41/services/create", service(&none, &none, &mounts)),
        (
            "/v1.41/commit?container=copied&changes=LABEL+dockgate.owner=bob",
            none.clone(),
        ),
        (
            "/v1.41/build?labels={\"dockgate.owner\":\"bob\"}",
            Value::Null,
        ),
    ]
}
