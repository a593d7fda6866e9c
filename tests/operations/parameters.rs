//! Query parameters: each in its type, once, under its exact name; all else is dropped.

use dockgate::engine_api::schema::{Class, Parameter, ParameterKind};
use dockgate::engine_api::{Malformed, Operation, RequestHead, parameters_of};

#[test]
fn a_parameter_is_read_in_its_type_and_judged_by_its_class() {
    for (operation, parameter) in every_parameter() {
        let (value, canonical) = right(parameter);
        let head = read(operation, &format!("{}={value}", parameter.name)).unwrap();
        assert_eq!(
            head.query.get(parameter.name),
            Some(canonical),
            "{operation:?} {}",
            parameter.name
        );
        assert!(head.query.dropped().is_empty());
        let request = head.unjudged();
        let mut judged: Vec<Class> = Vec::new();
        request.each_field(|field| judged.push(field.class));
        assert!(
            judged.iter().all(|class| *class == parameter.class),
            "{operation:?} {}",
            parameter.name
        );
        assert!(
            !judged.is_empty() || parameter.class == Class::Harmless,
            "{operation:?} {}",
            parameter.name
        );
        assert!(request.target().contains(&format!("?{}=", parameter.name)));
    }
}

#[test]
fn a_parameter_in_the_wrong_type_is_malformed() {
    for (operation, parameter) in every_parameter() {
        for value in wrong(parameter) {
            let query = format!("{}={value}", parameter.name);
            assert!(
                matches!(read(operation, &query), Err(Malformed::Query(_))),
                "{operation:?} took {query}"
            );
        }
    }
}

#[test]
fn a_parameter_that_nothing_opens_is_dropped_where_it_says_nothing() {
    for (operation, parameter) in every_parameter() {
        let Class::Refused(_) = parameter.class else {
            continue;
        };
        let zeros: &[&str] = if parameter.kind == ParameterKind::Json {
            &["", "null", "[]", "%20[%20]"]
        } else {
            &[""]
        };
        for zero in zeros {
            let head = read(operation, &format!("{}={zero}", parameter.name)).unwrap();
            assert_eq!(head.query.dropped(), [parameter.name], "{operation:?}");
            assert!(!head.unjudged().target().contains('?'), "{operation:?}");
        }
    }
}

#[test]
fn a_field_of_a_parameter_that_no_daemon_has_is_dropped_without_a_value() {
    let query = r#"ulimits=[{"Name":"core","Most":0}]"#;
    let head = read(Operation::ImageBuild, query).unwrap();
    assert_eq!(head.query.get("ulimits"), Some(r#"[{"Name":"core"}]"#));
    assert_eq!(head.query.dropped(), ["ulimits: [0].Most"]);
}

#[test]
fn a_parameter_stands_once_unless_the_daemon_reads_each() {
    for (operation, parameter) in every_parameter() {
        let (value, _) = right(parameter);
        let query = format!("{0}={value}&{0}={value}", parameter.name);
        let repeats = parameter.kind == ParameterKind::Texts;
        assert_eq!(
            read(operation, &query).is_ok(),
            repeats,
            "{operation:?} {query}"
        );
    }
}

#[test]
fn a_name_that_the_daemon_does_not_read_is_dropped() {
    for operation in Operation::all() {
        let others = parameters_of(operation)
            .iter()
            .map(|parameter| parameter.name.to_uppercase());
        for name in others.chain(["HostConfig".to_owned(), "detachkeys".to_owned()]) {
            let head = read(operation, &format!("{name}=1&{name}=2")).unwrap();
            assert_eq!(head.query.dropped(), [name.as_str()], "{operation:?}");
            assert!(
                !head.unjudged().target().contains('?'),
                "{operation:?} forwards {name}"
            );
        }
    }
}

fn every_parameter() -> Vec<(Operation, &'static Parameter)> {
    let all: Vec<_> = Operation::all()
        .flat_map(|operation| {
            parameters_of(operation)
                .iter()
                .map(move |parameter| (operation, parameter))
        })
        .collect();
    assert!(all.len() > 150, "{} parameters only", all.len());
    all
}

fn read(operation: Operation, query: &str) -> Result<RequestHead, Malformed> {
    let spec = operation.spec();
    let path: Vec<&str> = spec
        .path
        .split('/')
        .map(|part| if part.starts_with('{') { "one" } else { part })
        .collect();
    RequestHead::parse(spec.method, &format!("{}?{query}", path.join("/")))
}

/// A value as a client writes it, and as it is forwarded.
fn right(parameter: &Parameter) -> (&'static str, &'static str) {
    match parameter.kind {
        ParameterKind::Text | ParameterKind::Texts => ("x", "x"),
        ParameterKind::Bool | ParameterKind::StrictBool => ("True", "1"),
        ParameterKind::Integer => ("7", "7"),
        ParameterKind::Filters => ("%7B%22a%22%3A%5B%22b%22%5D%7D", r#"{"a":["b"]}"#),
        ParameterKind::Json => match parameter.name {
            "buildargs" | "labels" => (r#"{"a":%20"b"}"#, r#"{"a":"b"}"#),
            "cachefrom" => (r#"[%20"a"]"#, r#"["a"]"#),
            "outputs" => (
                r#"[{"Attrs":{"dest":"/x"},%20"Type":"local"}]"#,
                r#"[{"Attrs":{"dest":"/x"},"Type":"local"}]"#,
            ),
            "platform" => (r#"{"os":%20"linux"}"#, r#"{"os":"linux"}"#),
            "ulimits" => (
                r#"[{"Name":"nofile","Hard":%202,"Soft":1}]"#,
                r#"[{"Name":"nofile","Hard":2,"Soft":1}]"#,
            ),
            other => panic!("{other} has no shape here"),
        },
    }
}

fn wrong(parameter: &Parameter) -> &'static [&'static str] {
    match parameter.kind {
        ParameterKind::Text | ParameterKind::Texts | ParameterKind::Bool => &["%ff", "%zz", "a;b"],
        ParameterKind::StrictBool => &["yes", "tRUE", "2", "%ff"],
        ParameterKind::Integer => &["x", "1.5", "9223372036854775808"],
        ParameterKind::Filters => &[
            "x",
            "1",
            "%5B%5D",
            "%7B%22a%22%3A1%7D",
            "%7B%22a%22%3A%5B1%5D%7D",
        ],
        ParameterKind::Json => match parameter.name {
            "buildargs" | "labels" => &["x", "{", "[]", "1", r#"{"a":1}"#, r#"{"a":"b","a":"c"}"#],
            "cachefrom" => &["{}", "\"a\"", "[1]", "[[\"a\"]]", "[\"a\"]1"],
            "outputs" => &[
                "{}",
                r#"[{"type":"local"}]"#,
                r#"[{"Type":"local","TYPE":"tar"}]"#,
                r#"[{"Type":"local","Type":"tar"}]"#,
                r#"[{"Attrs":["a"]}]"#,
            ],
            "platform" => &[
                "[]",
                r#"{"OS":"linux"}"#,
                r#"{"os":1}"#,
                r#"{"os":"a","host":"b"}"#,
            ],
            "ulimits" => &[
                "{}",
                r#"[{"name":"nofile"}]"#,
                r#"[{"Name":"nofile","name":"core"}]"#,
                r#"[{"Name":"nofile","Name":"core"}]"#,
                r#"[{"Name":"nofile","Soft":"1"}]"#,
                r#"[{"Name":"nofile","Most":1}]"#,
            ],
            other => panic!("{other} has no shape here"),
        },
    }
}
