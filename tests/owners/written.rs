//! Attempts to write another owner into the label: after each, all that the daemon has more of is the client's own.

use std::collections::BTreeMap;

use super::super::support::archive;
use super::*;

const LABEL: &str = "dockgate.owner";

/// Everything that has labels, by its id.
fn labelled(house: &House) -> BTreeMap<String, Value> {
    let mut all = BTreeMap::new();
    for (target, list, id) in [
        ("/containers/json?all=1", "", "Id"),
        ("/networks", "", "Id"),
        ("/volumes", "/Volumes", "Name"),
        ("/images/json", "", "Id"),
    ] {
        let told = house.read(&format!("/v1.41{target}"));
        let list = told.pointer(list).unwrap().as_array().unwrap().clone();
        let of = |one: &Value| (one[id].as_str().unwrap().to_owned(), one.clone());
        all.extend(list.iter().map(of));
    }
    all
}

fn sent(address: &Address, target: &str, body: &[u8], kind: &str) -> Answer {
    let head = format!(
        "POST {target} HTTP/1.1\r\nHost: d\r\nConnection: close\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    http::send(address, &[head.as_bytes(), body].concat()).unwrap()
}

#[test]
fn whatever_is_written_all_that_comes_of_it_is_ones_own() {
    let house = House::new("");
    let own = json!({ "Image": "busybox" });
    makes(house.bob(), "/v1.41/containers/create?name=own", &own);
    settle(&house);
    let mut made = 0;
    let mut there = labelled(&house);
    let mut all_own = |what: &str| {
        for (id, one) in labelled(&house) {
            if there.insert(id, one.clone()).is_none() {
                assert_eq!(one["Labels"][LABEL], BOB, "{what} made {one}");
                made += 1;
            }
        }
    };
    for (target, body) in bodies() {
        for version in ["/v1.41", "/v1.24", ""] {
            let target = format!("{version}{target}");
            sent(house.bob(), &target, body.as_bytes(), "application/json");
            all_own(&format!("{target} {body}"));
        }
    }
    for changes in CHANGES {
        let tar = archive::of(&[("file".to_owned(), (*changes).to_owned())].into());
        let import = format!("/v1.41/images/create?fromSrc=-&{changes}");
        sent(house.bob(), &import, &tar, "application/x-tar");
        all_own(&import);
        let commit = format!("/v1.41/commit?container=own&{changes}");
        sent(house.bob(), &commit, b"{}", "application/json");
        all_own(&commit);
    }
    assert!(made > 40, "{made}");
}

fn bodies() -> Vec<(&'static str, String)> {
    let mut bodies = Vec::new();
    let labels = [
        r#""Labels":{"dockgate.owner":"alice"}"#,
        r#""labels":{"dockgate.owner":"alice"}"#,
        r#""LABELS":{"dockgate.owner":"alice"}"#,
        r#""Label\u0073":{"dockgate.owner":"alice"}"#,
        "\"Label\u{17f}\":{\"dockgate.owner\":\"alice\"}",
        r#""Labels":{"dockgate.\u006fwner":"alice"}"#,
        r#""Labels":{"dockgate.owner":"alice"},"Labels":{}"#,
        r#""Labels":{},"labels":{"dockgate.owner":"alice"}"#,
        r#""Labels":{"a":"b"},"Labels":{"dockgate.owner":"alice"}"#,
        r#""Labels":{"dockgate.owner":"alice","dockgate.owner":"x"}"#,
        r#""Labels":{"dockgate.owner":null}"#,
        r#""Labels":{"dockgate.owner":""}"#,
        r#""Labels":{"Dockgate.Owner":"alice"," dockgate.owner":"alice"}"#,
        r#""Labels":["dockgate.owner=alice"]"#,
        r#""Labels":null"#,
        r#""Labels":{}"#,
    ];
    for labels in labels {
        for (target, first) in [
            ("/containers/create", r#""Image":"busybox","#),
            ("/volumes/create", ""),
            ("/commit?container=own", ""),
        ] {
            bodies.push((target, format!("{{{first}{labels}}}")));
        }
        let mount = format!(
            r#"{{"Image":"busybox","HostConfig":{{"Mounts":[{{"Type":"volume","Target":"/v","VolumeOptions":{{{labels}}}}}]}}}}"#
        );
        bodies.push(("/containers/create", mount));
        bodies.push((
            "/commit?container=own",
            format!(r#"{{"config":{{{labels}}}}}"#),
        ));
    }
    for network in ["", r#","Labels":null"#, r#","labels":{"a":"b"}"#] {
        let name = format!(r#"{{"Name":"n{}"{network}}}"#, network.len());
        bodies.push(("/networks/create", name));
    }
    for body in ["", "null", "{}", "[]", "{}{\"Labels\":{}}"] {
        bodies.push(("/volumes/create", body.to_owned()));
        bodies.push(("/commit?container=own", body.to_owned()));
    }
    bodies
}

const CHANGES: &[&str] = &[
    "",
    "changes=",
    "changes=LABEL%20dockgate.owner=alice",
    "changes=label%20dockgate.owner%20alice",
    "changes=LABEL%09dockgate.owner=alice",
    "changes=LABEL%20%22dockgate.owner%22=alice",
    "changes=LABEL%20dockgate%5C.owner=alice",
    "changes=ENV%20A=dockgate&changes=LABEL%20$A.owner=alice",
    "changes=LABEL%20a=b%5C&changes=%20dockgate.owner=alice",
    "changes=ENV%20a=b%20%5C",
    "changes=CMD%20true%20%5C%20%20",
    "changes=%23%20escape=%60&changes=ENV%20a=b%60",
    "changes=%23escape=%60%0AENV%20a=b",
    "changes=%23%20syntax=x",
    "changes=ENV%20a=b%0ALABEL%20dockgate.owner=alice",
    "changes=ENV%20a=b%0D%0ALABEL%20dockgate.owner=alice",
    "changes=ENV%20a=b%E2%80%A8LABEL%20dockgate.owner=alice",
    "changes=%EF%BB%BFLABEL%20dockgate.owner=alice",
    "changes=LABEL%C2%A0dockgate.owner=alice",
    "changes=LABEL%20dockgate.owner%C2%A0=alice",
    "changes=ONBUILD%20LABEL%20dockgate.owner=alice",
    "changes=ONBUILD%20RUN%20%3C%3CX",
    "changes=CMD%20%5B%22LABEL%22%5D",
    "Changes=LABEL%20dockgate.owner=alice",
];

/// A Dockerfile can write what it likes on its way; what is left of the build is the client's.
#[test]
fn nothing_is_left_of_a_build_but_ones_own() {
    let house = House::new("");
    let base = "FROM busybox\nONBUILD LABEL dockgate.owner=alice\n";
    assert_eq!(built(&house, "t=base", base).status, 200);
    let mut good = 0;
    for (query, file) in FILES {
        let answer = built(&house, query, file);
        good += u32::from(answer.text().contains("Successfully tagged"));
    }
    assert!(good > 8, "{good}");
    let containers = house.read("/v1.41/containers/json?all=1");
    assert_eq!(containers, json!([]));
    let images = house.read("/v1.41/images/json?filters={\"dangling\":[\"false\"]}");
    let images = images.as_array().unwrap().iter();
    let tagged = images.filter(|one| one["RepoTags"][0] != "busybox:latest");
    let tagged: Vec<_> = tagged.collect();
    assert_eq!(tagged.len(), good as usize + 1);
    for image in tagged {
        assert_eq!(image["Labels"][LABEL], BOB, "{image}");
    }
}

fn built(house: &House, query: &str, file: &str) -> Answer {
    let context = archive::of(&[("Dockerfile".to_owned(), file.to_owned())].into());
    let target = format!("/v1.41/build?{query}");
    sent(house.bob(), &target, &context, "application/x-tar")
}

const FILES: &[(&str, &str)] = &[
    (
        "t=one",
        "FROM busybox\nLABEL dockgate.owner=alice\nRUN true\n",
    ),
    (
        "t=two&rm=0&forcerm=0",
        "FROM busybox\nLABEL dockgate.owner=alice\nRUN true\n RUN echo two\n",
    ),
    (
        "t=three&forcerm=0",
        "FROM busybox\nLABEL dockgate.owner=alice\nRUN false\n",
    ),
    ("t=four&rm=0", "FROM busybox\nRUN false\n"),
    (
        "t=five&target=last",
        "FROM busybox AS first\nLABEL dockgate.owner=alice\nFROM first AS last\nRUN echo five\nFROM busybox\n",
    ),
    ("t=six", "FROM base\nRUN echo six\n"),
    (
        "t=seven",
        "# escape=`\nFROM busybox\nLABEL dockgate.owner=alice `\n",
    ),
    (
        "t=eight",
        "FROM busybox\nARG X=dockgate\nLABEL $X.owner=alice \\\n",
    ),
    (
        "t=nine&labels={}",
        "FROM scratch\nLABEL dockgate.owner=alice\n",
    ),
    (
        "t=ten&labels=null",
        "FROM scratch\nENV A=b\nLABEL dockgate.owner alice\n",
    ),
    (
        "t=eleven&labels={%22z%22:%22z%22,%22dockgate.owner%22:%22bob%20%5C%22$x%5C%5C%22}",
        "FROM scratch\nENV A=c\n",
    ),
    (
        "t=twelve&labels={%22a%22:%22%24X%22}&buildargs={%22X%22:%22dockgate%22}",
        "FROM busybox\nARG X\nLABEL $X.owner=alice\n",
    ),
    (
        "labels={%22dockgate.owner%22:%22alice%22}",
        "FROM busybox\n",
    ),
    (
        "labels={}&labels={%22dockgate.owner%22:%22alice%22}",
        "FROM busybox\n",
    ),
];
