//! Where the subnets of new networks may lie, and what of the host's own they may not take.

use super::*;

/// A subnet that a client names, the key, what the host reaches, and the code that refuses it.
#[test]
fn a_subnet_takes_the_place_of_nothing_that_the_host_uses() {
    let routed = |ranges: &[&str]| Facts {
        routed: ranges
            .iter()
            .filter_map(|range| policy::Subnet::parse(range))
            .collect(),
        ..Facts::default()
    };
    let wide = r#"subnets = ["172.16.0.0/12", "fd00::/8", "169.254.0.0/15"]"#;
    let named = r#"subnets = ["fd00:ec2::/120", "169.254.169.254/32"]"#;
    for (key, subnet, host, expected) in [
        (wide, "172.28.0.0/16", &[][..], None),
        (wide, "10.0.0.0/24", &[], Some("subnet")),
        (wide, "fd00:ec2::/120", &[], Some("subnet")),
        (wide, "fd00::/16", &[], Some("subnet")),
        (wide, "fd01::/16", &[], None),
        (wide, "169.254.169.254/32", &[], Some("subnet")),
        (named, "fd00:ec2::/120", &[], None),
        (named, "fd00:ec2::1/120", &[], None),
        (named, "fd00:ec2::/121", &[], Some("subnet")),
        (named, "169.254.169.254/32", &[], None),
        (
            wide,
            "172.31.0.0/30",
            &["172.31.0.0/20"],
            Some("subnet-routed"),
        ),
        (
            wide,
            "172.31.0.0/16",
            &["172.31.0.2/32"],
            Some("subnet-routed"),
        ),
        (
            wide,
            "172.28.0.0/16",
            &["172.31.0.0/20", "10.0.0.0/8"],
            None,
        ),
    ] {
        let policy = policy(&format!("[network]\n{key}"));
        let body = format!(r#"{{"Name":"n","IPAM":{{"Config":[{{"Subnet":"{subnet}"}}]}}}}"#);
        let found = codes(&policy, "POST /networks/create", &body, &routed(host));
        assert_eq!(found, Vec::from_iter(expected), "{key} {subnet} {host:?}");
        let body = format!(r#"{{"ListenAddr":"127.0.0.1:1","DefaultAddrPool":["{subnet}"]}}"#);
        let found = codes(&policy, "POST /swarm/init", &body, &routed(host));
        let of_pool = |code: &&&str| code.starts_with("subnet");
        assert_eq!(found.iter().find(of_pool).copied(), expected, "{subnet}");
    }
    let unread = Facts {
        routes_unread: Some("no answer".to_owned()),
        ..Facts::default()
    };
    let policy = policy(&format!("[network]\n{wide}"));
    let body = r#"{"Name":"n","IPAM":{"Config":[{"Subnet":"172.28.0.0/16"}]}}"#;
    let found = codes(&policy, "POST /networks/create", body, &unread);
    assert_eq!(found, ["subnet-routed"]);
    let request = request("POST /networks/create", body);
    assert!(names_subnets(&request));
}

#[test]
fn the_routes_of_the_host_are_read_only_for_subnets_that_are_named() {
    for (line, body) in [
        (
            "POST /networks/create",
            r#"{"Name":"n","IPAM":{"Config":[]}}"#,
        ),
        (
            "POST /networks/create",
            r#"{"Name":"n","IPAM":{"Config":[{"Subnet":""}]}}"#,
        ),
        ("POST /swarm/init", r#"{"ListenAddr":"127.0.0.1:1"}"#),
        (CREATE, r#"{"Image":"a"}"#),
    ] {
        assert!(!names_subnets(&request(line, body)), "{line} {body}");
    }
}
