//! An owner that changes while the gate runs: the next request is the new owner's, and what runs on was the old one's.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};

use super::*;

const RELOADED: &str = "INFO reloaded";

#[test]
fn a_new_owner_sees_nothing_of_the_old_ones() {
    let house = House::new("");
    makes(
        house.alice(),
        "/v1.41/containers/create?name=a-container",
        &json!({ "Image": "busybox" }),
    );
    let mut events = house.alice().connect().unwrap();
    events
        .write_all(b"GET /v1.41/events HTTP/1.1\r\nHost: d\r\n\r\n")
        .unwrap();
    let mut events = BufReader::new(events);
    http::read_head(&mut events).unwrap();
    let list = "/v1.41/containers/json?all=1";
    let inspect = "/v1.41/containers/a-container/json";
    assert_eq!(
        past(house.alice(), "GET", inspect, &Value::Null).status,
        200
    );

    let file = house.gate.file("dockgate.toml");
    let text = fs::read_to_string(&file).unwrap();
    let changed = text.replace("owner = 'alice'", "owner = 'carol'");
    assert_ne!(text, changed);
    house.gate.replace("dockgate.toml", &changed);
    house.gate.says(RELOADED, 0);
    let answer = past(house.alice(), "GET", list, &Value::Null);
    assert_eq!(support::json(&answer.body), json!([]));
    assert_eq!(
        past(house.alice(), "GET", inspect, &Value::Null).status,
        404
    );
    // The stream of the old owner's events ends, and is not ended properly.
    let mut rest = String::new();
    while events.read_line(&mut rest).is_ok_and(|count| count > 0) {}
    assert!(!rest.ends_with("0\r\n\r\n"), "{rest}");
}
