//! Queries are read as the daemon reads them, or refused.

use proptest::prelude::*;

use super::*;

fn query(operation: Operation, text: &str) -> Result<Query, Malformed> {
    Query::parse(operation, text)
}

fn written(operation: Operation, text: &str) -> String {
    let mut target = String::new();
    query(operation, text)
        .unwrap_or_else(|fault| panic!("{text}: {fault}"))
        .write(&mut target);
    target
}

#[test]
fn a_parameter_that_is_dropped_must_be_one_that_can_be_decoded() {
    for query in ["x=%", "x=%zz", "x=1&y=%f", "%=1", "x=%ff"] {
        let read = Query::parse(Operation::ContainerList, query);
        assert!(matches!(read, Err(Malformed::Query(_))), "{query}");
    }
}

#[test]
fn what_the_daemon_does_not_read_is_dropped_and_named() {
    let query = query(
        Operation::ContainerCreate,
        "name=x&Image=y&Image=z&&HostConfig=%7B",
    )
    .unwrap();
    assert_eq!(query.get("name"), Some("x"));
    assert_eq!(query.dropped(), ["Image", "HostConfig"]);
    // The daemon tells capitals from small letters here.
    assert_eq!(written(Operation::ContainerCreate, "Name=x"), "");
}

#[test]
fn a_parameter_that_is_read_stands_once() {
    for text in ["name=a&name=b", "name=a&%6eame=a", "name&name=a"] {
        assert!(query(Operation::ContainerCreate, text).is_err(), "{text}");
    }
    assert_eq!(written(Operation::ImageBuild, "t=a&t=b"), "?t=a&t=b");
}

#[test]
fn a_query_with_two_readings_is_malformed() {
    for text in [
        "name=a;b", "name=%zz", "name=%f", "%ff=a", "name=%ff", "a;b=c",
    ] {
        assert!(query(Operation::ContainerCreate, text).is_err(), "{text}");
    }
    assert_eq!(
        written(Operation::ContainerCreate, "name=a%3Bb"),
        "?name=a%3Bb"
    );
    assert!(Query::verbatim("a b").is_err());
    assert!(Query::verbatim("a=\u{e9}").is_err());
}

#[test]
fn a_switch_is_off_for_the_words_that_the_daemon_knows() {
    for off in [
        "0", "no", "false", "none", "FALSE", "No", "+none+", "%09false",
    ] {
        assert_eq!(
            written(Operation::ContainerList, &format!("all={off}")),
            "?all=0",
            "{off}"
        );
    }
    for on in ["1", "true", "yes", "on", "2", "-1", "off", "f", "disabled"] {
        assert_eq!(
            written(Operation::ContainerList, &format!("all={on}")),
            "?all=1",
            "{on}"
        );
    }
}

#[test]
fn a_number_is_whole() {
    assert_eq!(written(Operation::ContainerList, "limit=-1"), "?limit=-1");
    assert_eq!(written(Operation::ContainerList, "limit="), "?limit=");
    for text in [
        "limit=1.5",
        "limit=1e3",
        "limit=99999999999999999999",
        "limit=0x1",
        "limit=%201",
        "limit=a",
    ] {
        assert!(query(Operation::ContainerList, text).is_err(), "{text}");
    }
}

#[test]
fn filters_have_two_shapes_and_no_key_twice() {
    let filters = |json: &str| {
        let mut text = String::from("filters=");
        percent_encode(json, &mut text);
        query(Operation::ContainerList, &text).is_ok()
    };
    for json in [
        r#"{"label":["a=b","c"]}"#,
        r#"{"label":{"a=b":true}}"#,
        "{}",
        "null",
        "",
    ] {
        assert!(filters(json), "{json}");
    }
    for json in [
        r#"{"label":["a"],"label":[]}"#,
        r#"{"label":{"a":true,"a":false}}"#,
        r#"{"label":["a"],"id":{"b":true}}"#,
        r#"{"label":"a"}"#,
        r#"{"label":[1]}"#,
        r#"{"label":{"a":1}}"#,
        "[]",
        "{",
        "{}{}",
    ] {
        assert!(!filters(json), "{json}");
    }
}

#[test]
fn plus_is_a_space() {
    assert_eq!(
        query(Operation::ContainerCreate, "name=a+b")
            .unwrap()
            .get("name"),
        Some("a b")
    );
    assert_eq!(
        query(Operation::ContainerCreate, "name=a%2Bb")
            .unwrap()
            .get("name"),
        Some("a+b")
    );
    assert_eq!(
        written(Operation::ContainerCreate, "name=a+b"),
        "?name=a%20b"
    );
}

proptest! {
    #[test]
    fn what_is_written_is_read_as_the_same(value in any::<String>(), switch in any::<String>()) {
        let mut text = String::from("name=");
        percent_encode(&value, &mut text);
        let once = written(Operation::ContainerCreate, &text);
        let read = query(Operation::ContainerCreate, once.trim_start_matches('?')).unwrap();
        prop_assert_eq!(read.get("name"), Some(value.as_str()));
        let mut text = String::from("all=");
        percent_encode(&switch, &mut text);
        let once = written(Operation::ContainerList, &text);
        prop_assert_eq!(&written(Operation::ContainerList, once.trim_start_matches('?')), &once);
    }

    #[test]
    fn no_text_is_read_in_a_way_of_its_own(text in any::<String>()) {
        for operation in Operation::all() {
            if let Ok(first) = query(operation, &text) {
                let mut once = String::new();
                first.write(&mut once);
                let second = query(operation, once.trim_start_matches('?')).unwrap();
                let mut twice = String::new();
                second.write(&mut twice);
                prop_assert_eq!(twice, once);
            }
        }
    }
}
