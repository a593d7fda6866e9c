//! Bodies that are wrong in one place: the type, the spelling, an unknown name. Every place of every body is tried.

use dockgate::engine_api::schema::{Class, Shape};
use dockgate::engine_api::{Body, EngineRequest, Malformed, Operation, RequestHead, body_of};

use super::walk::{self, Place};

/// The places of what is judged, each with how.
fn judged(request: &EngineRequest) -> Vec<(String, Class)> {
    let mut found = Vec::new();
    request.each_field(|field| found.push((field.path.to_owned(), field.class)));
    found
}

#[test]
fn a_known_field_of_the_right_type_is_read_and_judged_by_its_class() {
    for (operation, place) in every_place() {
        let body = place.body(place.key, right(place.shape));
        let request =
            read(operation, &body).unwrap_or_else(|error| panic!("{operation:?} {body}: {error}"));
        assert!(
            request.unknown.is_empty() && request.dropped.is_empty(),
            "{operation:?} {body}"
        );
        let judged = judged(&request);
        let expected = (place.path.clone(), place.class);
        assert_eq!(
            judged.contains(&expected),
            place.class != Class::Harmless,
            "{operation:?} {body}: {judged:?}"
        );
    }
}

#[test]
fn a_known_field_of_the_wrong_type_is_malformed() {
    for (operation, place) in every_place() {
        for value in wrong(place.shape) {
            let body = place.body(place.key, value);
            assert!(
                matches!(read(operation, &body), Err(Malformed::Body(_))),
                "{operation:?} took {body}"
            );
        }
    }
}

#[test]
fn a_known_field_spelled_as_only_the_daemon_reads_it_is_malformed() {
    for (operation, place) in every_place() {
        for key in respelled(&place) {
            let body = place.body(&key, right(place.shape));
            assert!(
                matches!(read(operation, &body), Err(Malformed::Json(_))),
                "{operation:?} took {body}"
            );
        }
    }
}

#[test]
fn the_one_other_spelling_of_a_client_in_use_is_forwarded_under_the_proper_name() {
    let spelled: Vec<_> = every_place()
        .into_iter()
        .filter_map(|(operation, place)| Some((operation, place.spelling?, place)))
        .collect();
    assert!(spelled.len() >= 4);
    for (operation, spelling, place) in spelled {
        let value = right(place.shape);
        let request = read(operation, &place.body(spelling, value)).unwrap();
        assert_eq!(written(&request), place.body(place.key, value));
        let twice = place.body(place.key, &format!("{value},\"{spelling}\":{value}"));
        assert!(
            matches!(read(operation, &twice), Err(Malformed::Json(_))),
            "{operation:?} took {twice}"
        );
    }
}

#[test]
fn a_field_that_no_daemon_reads_is_dropped_whatever_it_holds() {
    for operation in Operation::all() {
        let places = body_of(operation).map(walk::places).unwrap_or_default();
        for place in places
            .iter()
            .filter(|place| matches!(place.shape, Shape::Unread))
        {
            for value in ["1", "\"x\"", "[{}]", "{\"a\":[1]}", "null"] {
                let request = read(operation, &place.body(place.key, value)).unwrap();
                assert_eq!(request.dropped, [place.path.as_str()], "{operation:?}");
                assert_eq!(written(&request), "{}");
                assert!(request.unknown.is_empty() && judged(&request).is_empty());
            }
        }
    }
}

#[test]
fn an_unknown_field_is_reported_with_a_value_and_dropped_without() {
    for operation in Operation::all() {
        for object in body_of(operation).map(walk::objects).unwrap_or_default() {
            let path = object.member("Unheard");
            for value in ["1", "-1", "0.5", "true", "\"x\"", "[0]", "{\"a\":0}"] {
                let request = read(operation, &object.body("Unheard", value)).unwrap();
                let unknown: Vec<_> = request
                    .unknown
                    .iter()
                    .map(|field| field.path.clone())
                    .collect();
                assert_eq!(unknown, [path.as_str()], "{operation:?} {value}");
                assert!(
                    !written(&request).contains("Unheard"),
                    "{operation:?} forwards {path}"
                );
            }
            for value in ["0", "0.0", "false", "\"\"", "[]", "{}", "null"] {
                let request = read(operation, &object.body("Unheard", value)).unwrap();
                assert!(request.unknown.is_empty(), "{operation:?} {path} {value}");
                assert_eq!(request.dropped, [path.as_str()], "{operation:?} {value}");
                assert!(
                    !written(&request).contains("Unheard"),
                    "{operation:?} forwards {path}"
                );
            }
        }
    }
}

#[test]
fn a_body_with_a_secret_in_it_shows_no_value() {
    let holds_one = |operation| {
        let places = body_of(operation).map(walk::places).unwrap_or_default();
        places.iter().any(|place| {
            let key = place.key.to_lowercase();
            matches!(key.as_str(), "data" | "password" | "signingcakey")
                || key.ends_with("token")
                || key == "unlockkey"
        })
    };
    let holding: Vec<Operation> = Operation::all()
        .filter(|operation| holds_one(*operation))
        .collect();
    assert!(holding.len() >= 9, "{holding:?}");
    for operation in holding {
        assert!(operation.carries_secrets(), "{operation:?}");
        let request = read(operation, r#"{"Unheard":"x"}"#).unwrap();
        assert_eq!(request.unknown[0].value, "", "{operation:?}");
    }
}

#[test]
fn a_body_of_unknown_fields_is_named_in_part() {
    for (value, unknown, dropped) in [("1", 64, 0), ("0", 0, 64)] {
        let members: Vec<String> = (0..1000).map(|n| format!("\"x{n}\":{value}")).collect();
        let body = format!("{{{}}}", members.join(","));
        let request = read(Operation::ContainerCreate, &body).unwrap();
        assert_eq!(
            (request.unknown.len(), request.dropped.len()),
            (unknown, dropped)
        );
    }
}

#[test]
fn a_refused_field_passes_with_its_zero_value_only_and_is_not_forwarded() {
    for (operation, place) in every_place()
        .into_iter()
        .filter(|(_, place)| matches!(place.class, Class::Refused(_)))
    {
        let body = place.body(place.key, zero(place.shape));
        let request = read(operation, &body).unwrap();
        assert_eq!(
            request.dropped,
            [place.path.as_str()],
            "{operation:?} {body}"
        );
        assert!(
            !written(&request).contains(&format!("\"{}\"", place.key)),
            "{operation:?} forwards {body}"
        );
        assert!(judged(&request).is_empty());
    }
}

#[test]
fn an_emptied_list_of_masked_paths_is_still_judged() {
    for key in ["MaskedPaths", "ReadonlyPaths"] {
        let request = read(
            Operation::ContainerCreate,
            &format!("{{\"HostConfig\":{{\"{key}\":[]}}}}"),
        )
        .unwrap();
        assert_eq!(judged(&request).len(), 1, "{key}");
    }
}

#[test]
fn one_string_for_a_list_is_judged_and_forwarded_as_a_list() {
    let request = read(
        Operation::ContainerCreate,
        r#"{"HostConfig":{"CapAdd":"SYS_ADMIN"}}"#,
    )
    .unwrap();
    assert_eq!(
        written(&request),
        r#"{"HostConfig":{"CapAdd":["SYS_ADMIN"]}}"#
    );
    request.each_field(|field| assert_eq!(field.value.items().len(), 1));
}

#[test]
fn every_field_of_a_host_config_is_refused_at_the_top_level_of_a_create() {
    let places = walk::places(body_of(Operation::ContainerCreate).unwrap());
    let inner = places
        .iter()
        .filter_map(|place| place.name.strip_prefix("HostConfig."));
    for name in inner.filter(|name| !name.contains(['.', '['])) {
        let outer = places.iter().find(|place| place.name == name);
        assert!(
            outer.is_some_and(|place| matches!(place.class, Class::Refused(_))),
            "{name}"
        );
    }
}

#[test]
fn no_object_names_a_field_twice() {
    for operation in Operation::all() {
        let places = body_of(operation).map(walk::places).unwrap_or_default();
        let mut names: Vec<String> = places
            .iter()
            .map(|place| place.name.to_lowercase())
            .collect();
        names.sort();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count, "{operation:?}");
    }
}

/// Every field of every body but those that no daemon reads.
fn every_place() -> Vec<(Operation, Place)> {
    let places = |operation| {
        let places = body_of(operation).map(walk::places).unwrap_or_default();
        let read = |place: &Place| !matches!(place.shape, Shape::Unread);
        places
            .into_iter()
            .filter(read)
            .map(move |place| (operation, place))
    };
    let all: Vec<_> = Operation::all().flat_map(places).collect();
    assert!(all.len() > 300, "the walk found {} places only", all.len());
    all
}

fn read(operation: Operation, body: &str) -> Result<EngineRequest, Malformed> {
    let spec = operation.spec();
    let path: Vec<&str> = spec
        .path
        .split('/')
        .map(|part| if part.starts_with('{') { "one" } else { part })
        .collect();
    RequestHead::parse(spec.method, &path.join("/"))?.with_body(body.as_bytes())
}

fn written(request: &EngineRequest) -> String {
    match &request.body {
        Body::Json(value) => value.to_string(),
        Body::None | Body::Stream => panic!("no body was read"),
    }
}

/// A value of the right type that is not its zero value.
fn right(shape: Shape) -> &'static str {
    match shape {
        Shape::Bool => "true",
        Shape::Integer => "7",
        Shape::Float => "0.5",
        Shape::Text => "\"x\"",
        Shape::TextList | Shape::TextOrList => "[\"x\"]",
        Shape::TextMap => r#"{"a":"x"}"#,
        Shape::Set => r#"{"a":{}}"#,
        Shape::Object(_) => "{}",
        Shape::List(Shape::Object(_)) => "[{}]",
        Shape::List(_) => "[null]",
        Shape::Map(Shape::Object(_)) => r#"{"a":{}}"#,
        Shape::Map(_) => r#"{"a":null}"#,
        Shape::Any | Shape::Unread => "[1]",
    }
}

fn zero(shape: Shape) -> &'static str {
    match shape {
        Shape::Bool => "false",
        Shape::Integer | Shape::Float => "0",
        Shape::Text => "\"\"",
        Shape::TextList | Shape::TextOrList | Shape::List(_) => "[]",
        Shape::TextMap | Shape::Set | Shape::Object(_) | Shape::Map(_) => "{}",
        Shape::Any | Shape::Unread => "null",
    }
}

fn wrong(shape: Shape) -> &'static [&'static str] {
    match shape {
        Shape::Bool => &["1", "\"true\"", "[]", "{}"],
        Shape::Integer => &[
            "1.5",
            "1e3",
            "\"1\"",
            "true",
            "[]",
            "{}",
            "9223372036854775808",
        ],
        Shape::Float => &["\"1\"", "true", "[]", "{}"],
        Shape::Text => &["1", "true", "[\"x\"]", "{}"],
        Shape::TextList => &["\"x\"", "1", "[1]", "[[]]", "{}"],
        Shape::TextOrList => &["1", "true", "[1]", "[[\"x\"]]", "{}"],
        Shape::TextMap => &["\"x\"", "[]", r#"{"a":1}"#, r#"{"a":{}}"#],
        Shape::Set => &["\"x\"", "[]", r#"{"a":1}"#, r#"{"a":{"b":1}}"#],
        Shape::Object(_) => &["\"x\"", "1", "true", "[]"],
        Shape::List(_) => &["\"x\"", "1", "{}"],
        Shape::Map(_) => &["\"x\"", "1", "[]"],
        Shape::Any | Shape::Unread => &[],
    }
}

/// Other spellings that Go's decoder takes for the same key: another case, the long s, the Kelvin sign, an escape of
/// one of these.
fn respelled(place: &Place) -> Vec<String> {
    let (key, rest) = (place.key, place.key.get(1..).unwrap());
    let swapped = |c: char| {
        if c.is_lowercase() {
            c.to_ascii_uppercase()
        } else {
            c.to_ascii_lowercase()
        }
    };
    let first = swapped(key.chars().next().unwrap());
    let mut keys = vec![
        key.chars().map(swapped).collect(),
        key.replacen(['s', 'S'], "\u{17f}", 1),
        key.replacen(['k', 'K'], "\u{212a}", 1),
        key.replacen(['s', 'S'], "\\u017f", 1),
    ];
    if place.spelling != Some(&format!("{first}{rest}")) {
        keys.push(format!("\\u{:04x}{rest}", first as u32));
    }
    keys.retain(|other| other != key);
    keys
}
