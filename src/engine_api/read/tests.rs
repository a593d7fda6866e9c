//! Bodies are held against their schemas: spellings, types, unknown fields.

use super::super::{Body, EngineRequest, RequestHead};
use proptest::prelude::*;

use super::*;

mod left;

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

proptest! {
    #[test]
    fn texts_are_forwarded_as_they_were_meant(
        texts in prop::collection::vec(r#"[a-z"\\\\\n\r\t\u{0}\u{1f}<é😀 ]{0,40}"#, 0..4),
        spaces in r"[ \n\t]{0,3}",
    ) {
        let written: Vec<String> = texts.iter().map(|text| serde_json::to_string(text).unwrap()).collect();
        let list = written.join(&format!(",{spaces}"));
        let labels: Vec<String> = (written.iter().enumerate())
            .map(|(index, text)| format!("\"{index}\":{spaces}{text}"))
            .collect();
        let body = format!("{{{spaces}\"Env\":{spaces}[{list}],\"Labels\":{{{}}}}}", labels.join(","));
        let forwarded = canonical(&body);
        let expected = format!("{{\"Env\":[{}],\"Labels\":{{{}}}}}", written.join(","), labels.join(","));
        let unescaped = |text: &str| serde_json::Deserializer::from_str(text)
            .into_iter::<serde_json::Value>()
            .collect::<Result<Vec<_>, _>>()
            .unwrap();
        prop_assert_eq!(unescaped(&forwarded), unescaped(&expected));
    }
}

#[test]
fn numbers_are_forwarded_as_they_were_written_and_are_what_the_daemon_reads() {
    let body = r#"{"HostConfig":{"Memory":9223372036854775807,"MemorySwap":-9223372036854775808}}"#;
    assert_eq!(canonical(body), body);
    for number in [
        "-0",
        "1.0",
        "1e3",
        "9223372036854775808",
        "-9223372036854775809",
        "18446744073709551616",
    ] {
        let body = format!(r#"{{"HostConfig":{{"Memory":{number}}}}}"#);
        assert!(matches!(create(&body), Err(Malformed::Body(_))), "{number}");
    }
}

#[test]
fn fields_are_told_apart_in_any_order() {
    for (body, is_read) in [
        (
            r#"{"Tty":true,"Hostname":"a","HostConfig":{"Memory":1,"Binds":null,"CpuShares":2},"User":"b"}"#,
            true,
        ),
        (r#"{"Tty":true,"Hostname":"a","Tty":true}"#, false),
        (r#"{"Tty":null,"Hostname":"a","\u0054ty":true}"#, false),
        (r#"{"Cgroup":"","Hostname":"a","Cgroup":""}"#, false),
        (r#"{"name":"","Hostname":"a","name":"b"}"#, false),
        (r#"{"New":0,"Hostname":"a","New":0}"#, false),
        (
            r#"{"HostConfig":{"NanoCpus":1,"Memory":1,"NanoCPUs":1}}"#,
            false,
        ),
        (
            r#"{"HostConfig":{"NanoCPUs":1,"Memory":1,"NanoCPUs":1}}"#,
            false,
        ),
        (r#"{"HostConfig":{"NanoCPUs":1,"Memory":1}}"#, true),
        (r#"{"Labels":{"a":"1","b":"2","a":"1"}}"#, false),
        (r#"{"Volumes":{"a":{},"b":{},"a":{}}}"#, false),
    ] {
        let read = create(body);
        assert_eq!(read.is_ok(), is_read, "{body}");
        assert!(matches!(read, Ok(_) | Err(Malformed::Json(_))), "{body}");
    }
}

#[test]
fn a_fault_of_the_json_comes_before_one_of_the_body() {
    for end in [
        r#","a":{"b":1,"b":2}}"#,
        ",}",
        "",
        "}{",
        r#","User":"\ud800"}"#,
    ] {
        let body = format!(r#"{{"Image":1{end}"#);
        assert!(matches!(create(&body), Err(Malformed::Json(_))), "{body}");
    }
    assert!(matches!(create(r#"{"Image":1}"#), Err(Malformed::Body(_))));
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
fn tasks_that_are_no_containers_are_objects_or_malformed() {
    let service = |spec: &str| {
        let body = format!(r#"{{"Name":"a","TaskTemplate":{{{spec}}}}}"#);
        read("POST /services/create", &body)
    };
    for field in ["PluginSpec", "NetworkAttachmentSpec"] {
        for odd in ["[]", "0", "false", "\"\"", "[{}]"] {
            let read = service(&format!("\"{field}\":{odd}"));
            assert!(matches!(read, Err(Malformed::Body(_))), "{field} {odd}");
        }
        for zero in ["null", "{}"] {
            let request = service(&format!("\"{field}\":{zero}")).unwrap();
            assert_eq!(request.dropped, [format!("TaskTemplate.{field}")]);
        }
        let request = service(&format!(r#""{field}":{{"Name":null}}"#)).unwrap();
        let (mut places, place) = (Vec::new(), format!("TaskTemplate.{field}"));
        request.each_field(|found| places.push(found.path.to_owned()));
        assert!(places.contains(&place), "{places:?}");
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

/// Else what a long key holds costs its length for each of many fields.
#[test]
fn a_place_is_short_however_long_the_keys_are() {
    let long = "n".repeat(1 << 20);
    let body = format!(
        r#"{{"NetworkingConfig":{{"EndpointsConfig":{{"{long}":{{"DriverOpts":{{"a":"b"}},"x":null,"y":1}}}}}}}}"#
    );
    let request = create(&body).unwrap();
    let mut longest = 0;
    request.each_field(|field| longest = longest.max(field.path.len()));
    assert!((100..300).contains(&longest), "{longest}");
    assert!(request.dropped.iter().all(|place| place.len() < 300));
    assert!(request.unknown.iter().all(|field| field.path.len() < 300));
}

#[test]
fn nothing_stands_where_a_list_has_objects_is_malformed() {
    for body in [
        r#"{"HostConfig":{"Ulimits":[null]}}"#,
        r#"{"HostConfig":{"BlkioDeviceReadBps":[{"Path":"/dev/sda","Rate":1},null]}}"#,
        r#"{"HostConfig":{"Mounts":[null]}}"#,
        r#"{"HostConfig":{"PortBindings":{"80/tcp":[null]}}}"#,
    ] {
        assert!(matches!(create(body), Err(Malformed::Body(_))), "{body}");
    }
    let update = read(
        "POST /v1.55/containers/a/update",
        r#"{"BlkioDeviceReadBps":[null]}"#,
    );
    assert!(matches!(update, Err(Malformed::Body(_))));
    let body = r#"{"TaskTemplate":{"ContainerSpec":{"Ulimits":[null]}}}"#;
    assert!(read("POST /services/create", body).is_err());
    // No lists of objects, and what is no list of them at all.
    for body in [
        r#"{"HostConfig":{"PortBindings":{"80/tcp":null},"Ulimits":null,"DeviceRequests":[{"Capabilities":[null]}]}}"#,
        r#"{"Env":[null],"HostConfig":null}"#,
    ] {
        assert_eq!(canonical(body), body);
    }
    // As docker-py joins a network.
    assert_eq!(
        canonical(r#"{"NetworkingConfig":{"EndpointsConfig":{"n":null}}}"#),
        r#"{"NetworkingConfig":{"EndpointsConfig":{"n":{}}}}"#
    );
}

#[test]
fn a_body_has_a_bounded_number_of_values() {
    let sizes = |count: usize| {
        let zeros = vec!["0"; count].join(",");
        format!(r#"{{"HostConfig":{{"ConsoleSize":[{zeros}]}}}}"#)
    };
    assert!(create(&sizes(MOST_VALUES - 8)).is_ok());
    let fault = create(&sizes(MOST_VALUES + 1)).unwrap_err();
    assert_eq!(
        fault.to_string(),
        "the body: it has more than 65536 values, and nothing needs as many"
    );
    let set = |name: &str| {
        let keys: Vec<String> = (0..=MOST_VALUES)
            .map(|key| format!("\"{key}\":{{}}"))
            .collect();
        format!(r#"{{"{name}":{{{}}}}}"#, keys.join(","))
    };
    for body in [set("Volumes"), set("Unheard")] {
        assert!(matches!(create(&body), Err(Malformed::Body(_))));
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
