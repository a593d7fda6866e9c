//! Bodies are held against their schemas: spellings, types, unknown fields.

use super::super::{Body, EngineRequest, RequestHead};
use super::*;

fn read(line: &str, body: &str) -> Result<EngineRequest, Malformed> {
    let (method, target) = line.split_once(' ').unwrap();
    RequestHead::parse(method, target)?.with_body(body.as_bytes())
}

fn create(body: &str) -> Result<EngineRequest, Malformed> {
    read("POST /containers/create", body)
}

fn canonical(body: &str) -> String {
    match create(body)
        .unwrap_or_else(|fault| panic!("{body}: {fault}"))
        .body
    {
        Body::Json(value) => value.to_string(),
        Body::None | Body::Stream => panic!("no body"),
    }
}

#[test]
fn a_key_that_folds_to_a_field_is_malformed() {
    for body in [
        r#"{"hostconfig":{}}"#,
        r#"{"HOSTCONFIG":null}"#,
        "{\"Ho\u{17f}tConfig\":{}}",
        r#"{"HostConfig":{"Bind\u017f":[]}}"#,
        "{\"HostConfig\":{\"Networ\u{212a}Mode\":\"\"}}",
        r#"{"HostConfig":{"Mounts":[{"type":"bind"}]}}"#,
        r#"{"NetworkingConfig":{"EndpointsConfig":{"a":{"networkid":"x"}}}}"#,
        r#"{"privileged":false}"#,
    ] {
        assert!(matches!(create(body), Err(Malformed::Json(_))), "{body}");
    }
    // Names of networks, labels and options are data: they have capitals of their own.
    assert!(create(r#"{"Labels":{"Image":"a","image":"b"}}"#).is_ok());
}

#[test]
fn folding_is_what_gos_decoder_does() {
    for (key, name) in [
        ("PRIVILEGED", "Privileged"),
        ("\u{17f}ysctl\u{17f}", "Sysctls"),
        ("\u{212a}ey", "Key"),
        ("", ""),
    ] {
        assert!(folds_to(key, name), "{key}");
    }
    for (key, name) in [
        ("Privileged ", "Privileged"),
        ("Privilege", "Privileged"),
        ("Pr\u{131}vileged", "Privileged"),
        ("\u{ff30}", "P"),
    ] {
        assert!(!folds_to(key, name), "{key}");
    }
}

#[test]
fn an_unknown_field_is_dropped_where_it_is_zero_and_named_where_it_is_not() {
    let request =
        create(r#"{"Image":"a","New":null,"Newer":[],"HostConfig":{"Newest":{"a":1},"Old":0}}"#)
            .unwrap();
    assert_eq!(request.dropped, ["New", "Newer", "HostConfig.Old"]);
    assert_eq!(
        request.unknown,
        [UnknownField {
            path: "HostConfig.Newest".to_owned(),
            value: r#"{"a":1}"#.to_owned()
        }]
    );
}

#[test]
fn what_is_forwarded_holds_known_fields_only() {
    assert_eq!(
        canonical(r#"{ "Image" : "a", "X":1, "Privileged":false, "Cmd":"sh" }"#),
        r#"{"Image":"a","Cmd":["sh"]}"#
    );
    assert_eq!(
        canonical(r#"{"HostConfig":null}"#),
        r#"{"HostConfig":null}"#
    );
}

#[test]
fn a_value_of_another_type_is_malformed() {
    for body in [
        "[]",
        "1",
        r#""a""#,
        "true",
        r#"{"Image":1}"#,
        r#"{"HostConfig":[]}"#,
        r#"{"HostConfig":{"Privileged":1}}"#,
        r#"{"HostConfig":{"Privileged":"true"}}"#,
        r#"{"HostConfig":{"Binds":"/:/h"}}"#,
        r#"{"HostConfig":{"Binds":[1]}}"#,
        r#"{"HostConfig":{"Memory":1.5}}"#,
        r#"{"HostConfig":{"Memory":9223372036854775808}}"#,
        r#"{"HostConfig":{"Sysctls":{"a":1}}}"#,
        r#"{"HostConfig":{"Mounts":{}}}"#,
        r#"{"HostConfig":{"CapAdd":{}}}"#,
        r#"{"HostConfig":{"CapAdd":[["ALL"]]}}"#,
        r#"{"ExposedPorts":{"80/tcp":{"a":1}}}"#,
        r#"{"Labels":[]}"#,
    ] {
        assert!(matches!(create(body), Err(Malformed::Body(_))), "{body}");
    }
}

#[test]
fn every_field_of_a_body_is_found_with_its_place() {
    let request = create(r#"{"HostConfig":{"CapAdd":"ALL","Mounts":[{"Type":"bind"}]},"NetworkingConfig":{"EndpointsConfig":{"n":{"DriverOpts":{"a":"b"}}}}}"#).unwrap();
    let mut found: Vec<String> = Vec::new();
    request.each_field(|field| found.push(field.path.to_owned()));
    for path in [
        "HostConfig.CapAdd",
        "HostConfig.Mounts",
        "NetworkingConfig.EndpointsConfig",
        "NetworkingConfig.EndpointsConfig.n.DriverOpts",
    ] {
        assert!(
            found.iter().any(|found| found == path),
            "{path} in {found:?}"
        );
    }
}

#[test]
fn a_start_takes_no_host_configuration() {
    for body in ["", " ", "{}", "null"] {
        assert!(read("POST /containers/a/start", body).is_ok(), "{body}");
    }
    for body in [r#"{"Privileged":true}"#, r#"{"x":null}"#, "x", "a=b"] {
        assert!(read("POST /containers/a/start", body).is_err(), "{body}");
    }
    assert_eq!(
        read("POST /containers/a/stop", "anything").unwrap().body,
        Body::None
    );
}

#[test]
fn long_values_are_shortened_for_messages() {
    assert_eq!(shorten(&"\u{e9}".repeat(300)).chars().count(), 201);
    assert_eq!(shorten("short"), "short");
}
