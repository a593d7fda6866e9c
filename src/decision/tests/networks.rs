//! Networks that are joined are judged by what they are, at the create, at the start, and when a container is connected.

use super::*;
use crate::engine_api::{Endpoint, ExistingNetwork};

const NETWORK: &str = "0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c";

fn network(name: &str, driver: &str, has_icc: bool, owner: Option<&str>) -> ExistingNetwork {
    ExistingNetwork {
        id: NETWORK.to_owned(),
        name: name.to_owned(),
        driver: driver.to_owned(),
        scope: "local".to_owned(),
        has_icc,
        owner: owner.map(str::to_owned),
    }
}

fn knows(asked: &str, found: ExistingNetwork) -> Facts {
    let networks = [(asked.to_owned(), Found::Is(found))];
    Facts {
        networks: networks.into(),
        ..Facts::default()
    }
}

/// Every way to join the network that `n` stands for.
fn joins() -> Vec<(&'static str, &'static str)> {
    vec![
        (CREATE, r#"{"Image":"a","HostConfig":{"NetworkMode":"n"}}"#),
        (
            CREATE,
            r#"{"Image":"a","HostConfig":{"NetworkMode":"none"},"NetworkingConfig":{"EndpointsConfig":{"n":{}}}}"#,
        ),
        (
            CREATE,
            r#"{"Image":"a","HostConfig":{"NetworkMode":"none"},"NetworkingConfig":{"EndpointsConfig":{"none":{"NetworkID":"n"}}}}"#,
        ),
        ("POST /networks/n/connect", r#"{"Container":"a"}"#),
        ("POST /build?networkmode=n", ""),
    ]
}

fn limited(networks: &str, more: &str) -> Policy {
    policy(&format!(
        "[container]\nimages = [\"*\"]\nnetworks = [{networks}]\n[network]\n{more}"
    ))
}

type Row = (
    &'static str,
    &'static str,
    ExistingNetwork,
    Option<&'static str>,
);

/// What `networks` and `[network]` say, the network that is joined, and the code that refuses it.
#[rustfmt::skip]
fn rows() -> Vec<Row> {
    let own = Some("client");
    vec![
        ("\"n\", \"bridge\"", "icc = \"own\"\ndefault-bridge = \"any\"", network("n", "bridge", true, own), None),
        ("\"*\"", "icc = \"own\"", network("n", "bridge", true, Some("other")), Some("icc")),
        ("\"*\"", "icc = \"own\"", network("n", "bridge", true, None), Some("icc")),
        ("\"*\"", "icc = \"own\"", network("n", "bridge", false, None), None),
        ("\"*\"", "icc = \"never\"", network("n", "bridge", true, own), Some("icc")),
        ("\"*\"", "icc = \"never\"", network("n", "bridge", false, None), None),
        ("\"*\"", "icc = \"any\"", network("n", "bridge", true, None), None),
        ("\"*\"", "icc = \"any\"", network("n", "macvlan", true, None), Some("network-driver")),
        ("\"*\"", "icc = \"any\"\ndrivers = [\"macvlan\"]", network("n", "macvlan", true, None), None),
        ("\"n\", \"bridge\"", "icc = \"any\"", network("other", "bridge", true, None), Some("network")),
        ("\"*\"", "icc = \"any\"", network("host", "host", true, None), Some("host-network")),
    ]
}

#[test]
fn a_joined_network_is_held_against_name_driver_and_icc() {
    for (networks, more, found, expected) in rows() {
        let policy = limited(networks, more);
        for (line, body) in joins() {
            let refused = codes(&policy, line, body, &knows("n", found.clone()));
            let expected: Vec<&str> = expected.into_iter().collect();
            assert_eq!(refused, expected, "{line} {body}: {more} {found:?}");
        }
    }
}

#[test]
fn a_network_that_cannot_be_told_is_not_joined() {
    let policy = limited("\"*\"", "icc = \"own\"");
    for (line, body) in joins() {
        for found in [
            Found::Unknown("why".to_owned()),
            Found::Answered {
                status: 503,
                message: String::new(),
            },
        ] {
            let mut facts = over_ordinary(&policy, &request(line, body), &Facts::default());
            facts.networks = [("n".to_owned(), found)].into();
            let refused = codes(&policy, line, body, &facts);
            assert_eq!(refused, ["network-unknown"], "{line} {body}");
        }
        let mut facts = over_ordinary(&policy, &request(line, body), &Facts::default());
        facts.networks.clear();
        let Decision::Refuse(refusal) = decide(&policy, request(line, body), &facts) else {
            panic!("{line} {body} without facts");
        };
        assert_eq!(refusal.reasons[0].code, "network-unknown", "{line} {body}");
    }
}

#[test]
fn the_default_bridge_is_closed_open_or_open_without_icc() {
    let bridge = |has_icc| knows("bridge", network("bridge", "bridge", has_icc, None));
    for (networks, more, has_icc, expected) in [
        ("", "", false, Some("network")),
        ("\"bridge\"", "", true, Some("icc")),
        ("\"bridge\"", "", false, None),
        ("\"bridge\"", "icc = \"own\"", true, Some("icc")),
        ("\"bridge\"", "default-bridge = \"any\"", true, None),
        ("\"bridge\"", "icc = \"any\"", true, None),
    ] {
        let policy = limited(networks, more);
        let expected: Vec<&str> = expected.into_iter().collect();
        for (line, body) in [
            (CREATE, r#"{"Image":"a"}"#),
            (CREATE, r#"{"Image":"a","HostConfig":{"NetworkMode":""}}"#),
            (
                CREATE,
                r#"{"Image":"a","HostConfig":{"NetworkMode":"default"}}"#,
            ),
            (
                CREATE,
                r#"{"Image":"a","HostConfig":{"NetworkMode":"bridge"}}"#,
            ),
            ("POST /build", ""),
            ("POST /build?networkmode=default", ""),
        ] {
            let refused = codes(&policy, line, body, &bridge(has_icc));
            assert_eq!(refused, expected, "{line} {body}: {more}");
        }
    }
}

#[test]
fn the_networks_that_a_container_is_on_are_judged() {
    let policy = limited(
        "\"mine\", \"bridge\"",
        "icc = \"own\"\ndefault-bridge = \"any\"",
    );
    let endpoint = |name: &str, id: &str| Endpoint {
        name: name.to_owned(),
        id: id.to_owned(),
    };
    let facts = |mode: &str, endpoints: Vec<Endpoint>, found: ExistingNetwork| {
        let line = "POST /containers/a/start";
        let mut facts = over_ordinary(&policy, &request(line, ""), &Facts::default());
        let mut container = facts.containers().next().unwrap().clone();
        container
            .host_config
            .set("NetworkMode", Value::Text(mode.into()));
        container.networks = endpoints;
        facts.container = Some(Found::Is(container));
        for asked in ["mine", NETWORK] {
            facts
                .networks
                .insert(asked.to_owned(), Found::Is(found.clone()));
        }
        codes(&policy, line, "", &facts)
    };
    let own = network("mine", "bridge", true, Some("client"));
    let theirs = network("theirs", "bridge", false, None);
    let loud = network("mine", "bridge", true, None);
    assert_eq!(
        facts("mine", vec![endpoint("mine", NETWORK)], own.clone()),
        Vec::<&str>::new()
    );
    // The daemon joins the id, whatever the name that stands beside it.
    assert_eq!(
        facts("mine", vec![endpoint("mine", NETWORK)], theirs.clone()),
        ["network"]
    );
    assert_eq!(
        facts("mine", vec![endpoint("mine", "")], loud.clone()),
        ["icc"]
    );
    assert_eq!(
        facts(
            "default",
            vec![endpoint("bridge", "0d"), endpoint("mine", NETWORK)],
            theirs
        ),
        ["network"]
    );
    assert_eq!(facts("mine", vec![], loud), ["icc"]);
    assert_eq!(
        facts("host", vec![endpoint("host", "0d")], own),
        ["host-network"]
    );
}

#[test]
fn a_network_goes_on_under_the_id_that_was_judged() {
    let policy = limited("\"*\"", "icc = \"own\"");
    let forwarded = |line: &str, body: &str, asked: &str| {
        let facts = knows(asked, network("n", "bridge", true, Some("client")));
        let facts = over_ordinary(&policy, &request(line, body), &facts);
        let Decision::Permit(permit) = decide(&policy, request(line, body), &facts) else {
            panic!("{line} {body}");
        };
        let Body::Json(body) = &permit.request().body else {
            return permit.request().target();
        };
        format!("{} {body}", permit.request().target())
    };
    let endpoints = |name: &str| {
        format!(
            r#""NetworkingConfig":{{"EndpointsConfig":{{"{name}":{{"NetworkID":"{NETWORK}"}}}}}}"#
        )
    };
    let create = |mode: &str, rest: &str| {
        format!(r#"{{"Image":"a","HostConfig":{{"NetworkMode":"{mode}"}}{rest}}}"#)
    };
    for (sent, asked, expected) in [
        (
            create("n", ""),
            "n",
            create("n", &format!(",{}", endpoints("n"))),
        ),
        (
            create("0c0c", ""),
            "0c0c",
            create(NETWORK, &format!(",{}", endpoints("n"))),
        ),
        (
            create("n", r#","NetworkingConfig":{"EndpointsConfig":{"n":null}}"#),
            "n",
            create("n", &format!(",{}", endpoints("n"))),
        ),
    ] {
        let expected = format!("/v1.41/containers/create {expected}");
        assert_eq!(forwarded(CREATE, &sent, asked), expected, "{sent}");
    }
    let connected = forwarded("POST /networks/n/connect", r#"{"Container":"a"}"#, "n");
    let id = "0a".repeat(32);
    assert_eq!(
        connected,
        format!(
            r#"/networks/{NETWORK}/connect {{"Container":"{id}","EndpointConfig":{{"NetworkID":"{NETWORK}"}}}}"#
        )
    );
    let built = forwarded("POST /build?networkmode=n", "", "n");
    assert_eq!(built, format!("/build?networkmode={NETWORK}"));
}

#[test]
fn what_a_client_makes_bears_its_name_and_no_other() {
    let create = |more: &str, body: &str| {
        let line = "POST /networks/create";
        let policy = policy(more);
        let facts = over_ordinary(&policy, &request(line, body), &Facts::default());
        match decide(&policy, request(line, body), &facts) {
            Decision::Permit(permit) => match &permit.request().body {
                Body::Json(body) => body.to_string(),
                Body::None | Body::Stream => panic!("no body"),
            },
            Decision::Refuse(refusal) => refusal.reasons[0].code.to_owned(),
        }
    };
    let own = "[network]\nicc = \"own\"";
    let stamped = r#"{"Name":"n","Labels":{"dockgate.owner":"client"}}"#;
    assert_eq!(create(own, r#"{"Name":"n"}"#), stamped);
    assert_eq!(create(own, r#"{"Name":"n","Labels":null}"#), stamped);
    for more in [own, "[network]\nicc = \"any\"", ""] {
        let forged = r#"{"Name":"n","Labels":{"dockgate.owner":"other"}}"#;
        assert_eq!(create(more, forged), "owner-label", "{more}");
    }
}

/// Nobody owns a node or the swarm, but who reads the label there must not read what a client wrote.
#[test]
fn no_client_writes_the_label_of_owners_on_a_node_or_the_swarm() {
    for (line, operation, body) in [
        ("POST /nodes/x/update?version=1", "NodeUpdate", "{LABELS}"),
        (
            "POST /swarm/update?version=1",
            "SwarmUpdate",
            "{LABELS,\"EncryptionConfig\":{\"AutoLockManagers\":true}}",
        ),
        (
            "POST /swarm/init",
            "SwarmInit",
            "{\"ListenAddr\":\"127.0.0.1:2377\",\"AdvertiseAddr\":\"127.0.0.1\",\"AutoLockManagers\":true,\"Spec\":{LABELS}}",
        ),
    ] {
        let text = format!(
            "description = 'x'\n[[permit]]\noperations = ['{operation}']\n[swarm]\naddresses = ['*']\n"
        );
        let policy = policy::compile("x", &text, &BTreeMap::new()).unwrap();
        let decided = |owner: &str| {
            let labels = format!("\"Labels\":{{\"dockgate.owner\":\"{owner}\"}}");
            let request = request(line, &body.replace("LABELS", &labels));
            let facts = over_ordinary(&policy, &request, &Facts::default());
            match decide(&policy, request, &facts) {
                Decision::Permit(_) => String::new(),
                Decision::Refuse(refusal) => refusal.reasons[0].code.to_owned(),
            }
        };
        assert_eq!(decided("client"), "", "{line}");
        assert_eq!(decided("other"), "owner-label", "{line}");
    }
}

#[test]
fn an_interface_of_the_host_is_opened_by_its_name() {
    let line = "POST /networks/create";
    let body = r#"{"Name":"n","Driver":"macvlan","Options":{"parent":"eth0"}}"#;
    for (more, expected) in [
        ("drivers = [\"macvlan\"]", vec!["network-parent"]),
        (
            "drivers = [\"macvlan\"]\noptions = [\"*\"]",
            vec!["network-parent"],
        ),
        (
            "drivers = [\"macvlan\"]\nparents = [\"eth1\"]",
            vec!["network-parent"],
        ),
        ("drivers = [\"macvlan\"]\nparents = [\"eth0\"]", vec![]),
    ] {
        let policy = policy(&format!("[network]\n{more}"));
        assert_eq!(
            codes(&policy, line, body, &Facts::default()),
            expected,
            "{more}"
        );
    }
}

#[test]
fn a_network_that_is_not_there_is_not_joined_before_it_can_be_judged() {
    let policy = limited("\"*\"", "icc = \"own\"\ndefault-bridge = \"any\"");
    let message = "network n not found".to_owned();
    let absent = Found::Answered {
        status: 404,
        message: message.clone(),
    };
    for (line, body) in joins() {
        let mut facts = over_ordinary(&policy, &request(line, body), &Facts::default());
        facts.networks.insert("n".to_owned(), absent.clone());
        let Decision::Refuse(refusal) = decide(&policy, request(line, body), &facts) else {
            panic!("{line} {body}");
        };
        if line.contains("/connect") {
            assert_eq!(refusal.answered, Some((404, message.clone())));
        } else {
            assert_eq!(refusal.reasons[0].code, "network-unknown", "{line} {body}");
        }
    }
    // An id that is gone does not come back, and the daemon says so.
    let body = format!(r#"{{"Image":"a","HostConfig":{{"NetworkMode":"{NETWORK}"}}}}"#);
    let mut facts = over_ordinary(&policy, &request(CREATE, &body), &Facts::default());
    facts.networks.insert(NETWORK.to_owned(), absent);
    let decision = decide(&policy, request(CREATE, &body), &facts);
    assert!(matches!(decision, Decision::Permit(_)));
}
