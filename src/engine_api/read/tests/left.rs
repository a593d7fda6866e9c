//! Members that nothing judges go on as they came, and are there for whoever asks for them.

use super::*;

#[test]
fn what_nothing_judges_goes_on_as_it_came() {
    let body = concat!(
        r#"{ "Hostname": "h","Tty" :false, "Env": ["A=b", null],"Image":"a","WorkingDir": "", "Cmd":["sh"] , "#,
        r#""HostConfig":{"Memory": 5,"CpuShares":0,"Privileged":false,"Dns":[ "10.0.0.1" ],"Init":true}}"#
    );
    let written = concat!(
        r#"{"Hostname": "h","Tty" :false, "Env": ["A=b", null],"Image":"a","WorkingDir": "", "Cmd":["sh"],"#,
        r#""HostConfig":{"Memory": 5,"CpuShares":0,"Privileged":false,"Dns":[ "10.0.0.1" ],"Init":true}}"#
    );
    assert_eq!(canonical(body), written);
}

#[test]
fn what_goes_on_as_it_came_is_found_by_name_and_replaced() {
    let body = r#"{"Hostname":"h","Image":"a","Tty":true,"HostConfig":{"Memory":5,"CpuShares":0,"PidsLimit":7}}"#;
    let Body::Json(mut value) = create(body).unwrap().body else {
        panic!("no body")
    };
    assert_eq!(value.text("Hostname"), "h");
    assert_eq!(value.get("Tty"), Some(&Value::Bool(true)));
    assert_eq!(value.get("Domainname"), None);
    let names = value.members().map(|(name, _)| name.to_string());
    assert_eq!(
        names.collect::<Vec<_>>(),
        ["Hostname", "Image", "Tty", "HostConfig"]
    );
    let host_config = value.get_mut("HostConfig").unwrap();
    host_config.set("CpuShares", Value::Number(9.into()));
    host_config.set("NanoCpus", Value::Number(1.into()));
    let written = r#"{"Hostname":"h","Image":"a","Tty":true,"HostConfig":{"Memory":5,"CpuShares":9,"PidsLimit":7,"NanoCpus":1}}"#;
    assert_eq!(value.to_string(), written);
    assert_eq!(create(written).unwrap().body, Body::Json(value));
}

#[test]
fn what_goes_on_as_it_came_is_read_as_strictly_as_the_rest() {
    for body in [
        r#"{"Tty":false,"Tty":true}"#,
        r#"{"Hostname":"a","Image":"b","Hostname":"c"}"#,
        r#"{"Env":["a",1]}"#,
        r#"{"Env":["a",]}"#,
        r#"{"Env":["a"}"#,
        r#"{"Tty":truE}"#,
        r#"{"Hostname":"a\x"}"#,
        "{\"Hostname\":\"a\nb\"}",
        r#"{"HostConfig":{"Memory":1.5}}"#,
        r#"{"HostConfig":{"Memory":01}}"#,
        r#"{"HostConfig":{"Memory":1e3}}"#,
        r#"{"HostConfig":{"Memory":9223372036854775808}}"#,
        r#"{"hostname":"a"}"#,
        r#"{"Hostname":"a" "Tty":false}"#,
        r#"{"Hostname":"a",}"#,
    ] {
        assert!(create(body).is_err(), "{body}");
    }
    // Another spelling and an escape are written anew.
    assert_eq!(
        canonical(r#"{"Host\u006eame":"\u0061","Tty":true}"#),
        r#"{"Hostname":"a","Tty":true}"#
    );
}
