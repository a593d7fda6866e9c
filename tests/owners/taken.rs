//! Names that another has: they are taken, and it is not said whose they are.

use super::*;
use dockgate::decision::HIDDEN;

#[test]
fn a_name_is_taken_and_it_is_not_said_whose() {
    let house = House::new("");
    let alices = Things::of(&house, house.alice(), "a");
    let bobs = Things::of(&house, house.bob(), "b");
    let image = json!({ "Image": "busybox" });
    let data = |name: &str| json!({ "Name": name, "Data": "c2VjcmV0" });
    let service =
        json!({ "Name": "a-service", "TaskTemplate": { "ContainerSpec": { "Image": "busybox" } } });
    let network = json!({ "Name": "a-network", "CheckDuplicate": true });
    let before = state(&house);
    for (target, body) in [
        ("/containers/create?name=a-container", &image),
        (
            "/containers/b-container/rename?name=a-container",
            &Value::Null,
        ),
        ("/networks/create", &network),
        ("/services/create", &service),
        ("/secrets/create", &data("a-secret")),
        ("/configs/create", &data("a-config")),
    ] {
        let target = format!("/v1.41{target}");
        let told = past(house.bob(), "POST", &target, body);
        let daemons = house.past("POST", &target, body);
        assert_eq!(
            (told.status, daemons.status),
            (409, 409),
            "{target}: {}",
            told.text()
        );
        let words = daemons.message().replace(&alices.container, HIDDEN);
        assert_eq!(told.message(), words, "{target}");
        let anyones = past(house.anyone(), "POST", &target, body);
        assert_eq!(anyones.text(), daemons.text(), "{target}");
        for tells in [
            "alice",
            &alices.container[..12],
            &alices.service,
            &alices.secret,
        ] {
            assert!(!told.text().contains(tells), "{target}: {}", told.text());
        }
    }
    in_the_gates_words(&house, &bobs.container);
    assert_eq!(state(&house), before);
}

fn in_the_gates_words(house: &House, container: &str) {
    let image = json!({ "Image": "busybox" });
    // The daemon would hand the volume out.
    let volume = past(
        house.bob(),
        "POST",
        "/v1.41/volumes/create",
        &json!({ "Name": "a-volume" }),
    );
    assert_eq!(volume.status, 409, "{}", volume.text());
    assert_eq!(
        volume.message(),
        "create a-volume: volume name must be unique"
    );
    // What is one's own is taken in the same words.
    let own = past(
        house.bob(),
        "POST",
        "/v1.41/containers/create?name=b-container",
        &image,
    );
    assert!(
        own.text().contains(HIDDEN) && !own.text().contains(container),
        "{}",
        own.text()
    );
}

#[test]
fn who_uses_what_one_removes_is_not_said() {
    let house = House::new("[shared]\nvolumes = ['common']\nnetworks = ['common']");
    let (alice, bob) = (house.alice(), house.bob());
    makes(
        bob,
        "/v1.41/containers/create?name=one",
        &json!({ "Image": "busybox" }),
    );
    makes(bob, "/v1.41/commit?container=one&repo=b-image", &json!({}));
    makes(bob, "/v1.41/volumes/create", &json!({ "Name": "common" }));
    makes(bob, "/v1.41/networks/create", &json!({ "Name": "common" }));
    let body = json!({ "Image": "b-image", "Cmd": ["sleep", "600"],
        "HostConfig": { "Binds": ["common:/common"], "NetworkMode": "common" } });
    let alices = makes(alice, "/v1.41/containers/create?name=theirs", &body);
    let target = format!("/v1.41/containers/{alices}/start");
    assert_eq!(past(alice, "POST", &target, &Value::Null).status, 204);
    for target in ["/images/b-image", "/volumes/common", "/networks/common"] {
        let target = format!("/v1.41{target}");
        let told = past(bob, "DELETE", &target, &Value::Null);
        let daemons = house.past("DELETE", &target, &Value::Null);
        assert_eq!(told.status, daemons.status, "{target}: {}", told.text());
        assert!(
            matches!(told.status, 403 | 409),
            "{target}: {}",
            told.text()
        );
        let (text, words) = (told.text(), daemons.text());
        assert!(
            !text.contains(&alices[..12]) && !text.contains("theirs"),
            "{text}"
        );
        let shown = words
            .replace(&alices, HIDDEN)
            .replace(&alices[..12], HIDDEN);
        assert_eq!(text.trim(), shown.trim(), "{target}");
    }
    let anyones = past(
        house.anyone(),
        "DELETE",
        "/v1.41/images/b-image",
        &Value::Null,
    );
    assert!(anyones.text().contains(&alices[..12]), "{}", anyones.text());
}
