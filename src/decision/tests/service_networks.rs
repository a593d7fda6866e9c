//! The networks of services as the swarm knows them, and the ports that are published.

use super::service::{CREATE, OVERLAY, judged, of_service, of_task, opened_by};
use super::*;
use crate::engine_api::ExistingNetwork;

#[test]
fn a_network_of_a_service_is_what_the_swarm_knows_it_as() {
    let every = policy(&format!("[container]\n{OPEN}{OVERLAY}"));
    let own = policy(&format!(
        "[container]\nimages = [\"*\"]\nnetworks = [\"own\"]\n{OVERLAY}"
    ));
    let found = |id: &str, name: &str| {
        Found::Is(ExistingNetwork {
            id: id.to_owned(),
            name: name.to_owned(),
            driver: if name == "mine" { "host" } else { "overlay" }.to_owned(),
            scope: "swarm".to_owned(),
            has_icc: true,
            owner: None,
        })
    };
    let absent = || Found::Answered {
        status: 404,
        message: "network not found".to_owned(),
    };
    for (policy, target, is, expected) in [
        (
            &every,
            "yqk1y5",
            found("yqk1y5j2", "host"),
            vec!["host-network"],
        ),
        (&every, "host", absent(), vec!["host-network"]),
        (&every, "mine", found("a1", "mine"), vec!["host-network"]),
        (&every, "bridge", absent(), vec![]),
        (&every, "c3ff", absent(), vec!["network-unknown"]),
        (
            &every,
            "c3ff",
            Found::Unknown("why".to_owned()),
            vec!["network-unknown"],
        ),
        (&own, "tko8", found("tko8cway", "own"), vec![]),
        (&own, "own", found("tko8cway", "other"), vec!["network"]),
        (&own, "other", found("tko8cway", "own"), vec![]),
    ] {
        for spec in [
            of_task(&format!(r#""Networks":[{{"Target":"{target}"}}]"#)),
            of_service(&format!(r#""Networks":[{{"Target":"{target}"}}]"#)),
        ] {
            let line = "POST /v1.43/services/create";
            let is = is.clone();
            let codes = judged(policy, line, &spec, |facts| {
                facts.swarm_networks.insert(target.to_owned(), is);
            });
            assert_eq!(codes, expected, "{target} {spec}");
        }
    }
    let spec = of_task(r#""Networks":[{"Target":"a"}]"#);
    let codes = judged(&every, CREATE, &spec, |facts| facts.swarm_networks.clear());
    assert_eq!(codes, ["network-unknown"]);
    let nameless = of_task(r#""Networks":[{}]"#);
    assert_eq!(
        judged(&every, CREATE, &nameless, |_| {}),
        ["network-unknown"]
    );
}

#[test]
fn the_network_that_was_judged_is_the_one_that_is_joined() {
    let open = policy(&format!("[container]\n{OPEN}{OVERLAY}"));
    let spec = r#"{"TaskTemplate":{"ContainerSpec":{"Image":"a"},"Networks":[{"Target":"n","Aliases":["w"]}]},"Networks":[{"Target":"n"}]}"#;
    let request = request(CREATE, spec);
    let mut facts = ordinary_facts(&open, &request);
    let network = ExistingNetwork {
        id: "tko8cway".to_owned(),
        name: "n".to_owned(),
        driver: "overlay".to_owned(),
        scope: "swarm".to_owned(),
        has_icc: true,
        owner: None,
    };
    facts
        .swarm_networks
        .insert("n".to_owned(), Found::Is(network));
    let Decision::Permit(permit) = decide(&open, request, &facts) else {
        panic!("refused")
    };
    let Body::Json(body) = &permit.request().body else {
        panic!("no body")
    };
    let expected = spec.replace(r#""Target":"n""#, r#""Target":"tko8cway""#);
    assert_eq!(body.to_string(), expected);
}

#[test]
fn a_service_without_a_network_is_on_the_default_bridge() {
    let own = policy(&format!(
        "[container]\nimages = [\"*\"]\nnetworks = [\"own\"]\n{OVERLAY}"
    ));
    let outer = of_service(r#""Networks":[{"Target":"own"}]"#);
    for (line, spec, expected) in [
        (CREATE, of_service(r#""Name":"a""#), vec!["network"]),
        (CREATE, of_task(r#""Networks":[]"#), vec!["network"]),
        (CREATE, of_task(r#""Networks":[{"Target":"own"}]"#), vec![]),
        // Only old clients mean the networks beside the tasks.
        (CREATE, outer.clone(), vec!["network"]),
        ("POST /services/create", outer.clone(), vec!["network"]),
        ("POST /v1.43/services/create", outer.clone(), vec![]),
        ("POST /v1.43/services/a/update?version=1", outer, vec![]),
    ] {
        assert_eq!(judged(&own, line, &spec, |_| {}), expected, "{line} {spec}");
    }
}

#[test]
fn ports_of_a_service_are_published_on_every_address() {
    let ports = |port: &str| of_service(&format!(r#""EndpointSpec":{{"Ports":[{port}]}}"#));
    for (port, opened, closed) in [
        (
            r#"{"TargetPort":80,"PublishedPort":8080}"#,
            "*:8080",
            "127.0.0.1:8080",
        ),
        (
            r#"{"TargetPort":80,"PublishedPort":8080,"PublishMode":"host"}"#,
            "*:8080",
            "127.0.0.1:8080",
        ),
        (r#"{"TargetPort":80}"#, "*:30000-32767", "*:32768-60999"),
        (
            r#"{"TargetPort":80,"PublishedPort":0,"PublishMode":"ingress"}"#,
            "*:30000-32767",
            "*:30000",
        ),
        (
            r#"{"TargetPort":80,"PublishMode":"HOST"}"#,
            "*:32768-60999",
            "*:30000-32767",
        ),
    ] {
        let spec = ports(port);
        opened_by(
            &spec,
            "published-port",
            &format!("published = [\"{opened}\"]"),
        );
        let other = policy(&format!("[container]\n{OPEN}published = [\"{closed}\"]"));
        assert_eq!(
            judged(&other, CREATE, &spec, |_| {}),
            ["published-port"],
            "{port} by {closed}"
        );
    }
    let open = policy(&format!("[container]\n{OPEN}published = [\"*:*\"]"));
    for port in ["70000", "-1"] {
        let spec = ports(&format!(r#"{{"TargetPort":80,"PublishedPort":{port}}}"#));
        assert_eq!(judged(&open, CREATE, &spec, |_| {}), ["published-port"]);
    }
}

#[test]
fn the_default_bridge_is_not_taken_for_a_network_of_the_swarm_of_that_name() {
    let policy = policy("[container]\nimages = [\"*\"]\nnetworks = [\"*\"]\n");
    // Not among the networks of the tasks, so these are on the default bridge.
    let spec = of_service(r#""Networks":[{"Target":"bridge"}]"#);
    let asked = references(&policy, &request(CREATE, &spec));
    for reference in [
        Reference::Network("bridge".to_owned()),
        Reference::SwarmNetwork("bridge".to_owned()),
    ] {
        assert!(asked.contains(&reference), "{asked:?}");
    }
    let codes = judged(&policy, CREATE, &spec, |facts| {
        let absent = Found::Answered {
            status: 404,
            message: String::new(),
        };
        facts.swarm_networks.insert("bridge".to_owned(), absent);
        let Some(Found::Is(bridge)) = facts.networks.get_mut("bridge") else {
            panic!("the default bridge was not asked for");
        };
        bridge.has_icc = true;
    });
    assert!(codes.contains(&"icc"), "{codes:?}");
}
