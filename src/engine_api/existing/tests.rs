//! Descriptions as the daemon gives them, and what is none.

use super::*;

const ID: &str = "0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a";

#[test]
fn what_is_no_description_is_a_fault() {
    for text in [
        String::new(),
        "[]".to_owned(),
        r#"{"Id":"a","HostConfig":{}}"#.to_owned(),
        format!(r#"{{"Id":"{ID}"}}"#),
        format!(r#"{{"Id":"{ID}","HostConfig":{{"Privileged":"true"}}}}"#),
        format!(r#"{{"Id":"{ID}","HostConfig":{{"Binds":"/:/h"}}}}"#),
        format!(r#"{{"Id":"{ID}","HostConfig":{{"privileged":true}}}}"#),
        format!(r#"{{"Id":"{ID}","HostConfig":{{}},"HostConfig":{{}}}}"#),
    ] {
        assert!(ExistingContainer::read(text.as_bytes()).is_err(), "{text}");
    }
    assert!(ExistingVolume::read(b"{}").is_err());
    for text in [
        r#"{"Name":"host","Id":"0123456789abcdefghijklmno","Scope":"local"}"#,
        r#"{"Name":"host","Id":"0123456789abcdefghijklmno"}"#,
        r#"{"Name":"other","Id":"0123456789abcdefghijklmno","Scope":"swarm"}"#,
        r#"{"Name":"host","Scope":"swarm"}"#,
    ] {
        assert!(
            ExistingNetwork::read_of_swarm(text.as_bytes(), "host").is_err(),
            "{text}"
        );
    }
}

#[test]
fn an_exec_instance_is_the_one_that_was_asked_for() {
    let exec = |process: &str| format!(r#"{{"ID":"e","ContainerID":"{ID}"{process}}}"#);
    let plain = exec("");
    assert_eq!(existing_exec(plain.as_bytes(), "e").unwrap().container, ID);
    assert!(existing_exec(plain.as_bytes(), "f").is_err());
    assert!(existing_exec(br#"{"ID":"e","ContainerID":"c"}"#, "e").is_err());
    for (process, is_privileged) in [
        ("", false),
        (r#","ProcessConfig":{"privileged":false}"#, false),
        (r#","ProcessConfig":{"privileged":true}"#, true),
        (r#","ProcessConfig":{"privileged":"odd"}"#, true),
    ] {
        let exec = existing_exec(exec(process).as_bytes(), "e").unwrap();
        assert_eq!(exec.is_privileged, is_privileged, "{process}");
    }
}

#[test]
fn a_container_without_a_network_is_on_none() {
    let text = format!(
        r#"{{"Id":"{ID}","HostConfig":{{"NetworkMode":"default"}},"Config":{{"NetworkDisabled":true}}}}"#
    );
    let container = ExistingContainer::read(text.as_bytes()).unwrap();
    assert_eq!(container.host_config.text("NetworkMode"), "none");
}

#[test]
fn volumes_are_found_by_their_names() {
    let text = format!(
        r#"{{"Id":"{ID}","HostConfig":{{}},"Mounts":[{{"Type":"volume","Name":"b"}},{{"Type":"bind","Source":"/"}},
        {{"Type":"volume","Name":"a"}},{{"Type":"volume","Name":"b"}}]}}"#
    );
    let container = ExistingContainer::read(text.as_bytes()).unwrap();
    assert_eq!(container.volumes, ["a", "b"]);
}
