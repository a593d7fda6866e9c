//! Which configurations are read, and which problems are found in others.

use super::*;

fn parse(text: &str) -> Config {
    match Config::parse("/etc/dockgate/dockgate.toml", text, None) {
        Ok(config) => config,
        Err(problems) => panic!("{problems}"),
    }
}

fn codes(text: &str) -> Vec<(&'static str, usize)> {
    let problems = Config::parse("dockgate.toml", text, None).unwrap_err();
    problems
        .problems
        .iter()
        .map(|problem| (problem.code, problem.line))
        .collect()
}

fn listener(address: &str, more: &str) -> String {
    format!("[[listener]]\naddress = '{address}'\npolicy = 'guarded'\n{more}")
}

const TLS: &str = "tls = { certificate = 'c.pem', key = 'k.pem', client-ca = 'ca.pem' }\n";

#[test]
fn what_the_gate_tells_of_itself_stays_on_the_machine() {
    let codes = |address: &str| {
        let text = format!(
            "[[listener]]\naddress = 'unix:///run/a.sock'\npolicy = 'guarded'\n[admin]\naddress = '{address}'"
        );
        let problems = Config::parse("dockgate.toml", &text, None).err();
        let problems = problems.map_or_else(Vec::new, |found| found.problems);
        problems
            .iter()
            .map(|problem| problem.code)
            .collect::<Vec<_>>()
    };
    for local in [
        "tcp://127.0.0.1:9323",
        "tcp://[::1]:9323",
        "unix:///run/b.sock",
    ] {
        assert!(codes(local).is_empty(), "{local}");
    }
    for elsewhere in [
        "tcp://0.0.0.0:9323",
        "tcp://192.0.2.1:9323",
        "tcp://[::]:1",
        "systemd",
    ] {
        assert_eq!(codes(elsewhere), ["not-local"], "{elsewhere}");
    }
    assert_eq!(codes("unix:///run/a.sock"), ["duplicate"]);
    assert_eq!(codes("unix:///var/run/docker.sock"), ["loop"]);
}

#[test]
fn an_empty_file_has_the_defaults() {
    let config = parse("");
    assert_eq!(config.daemon.address.to_string(), Address::DEFAULT);
    assert_eq!(config.limits, Limits::default());
    assert_eq!(config.audit, AuditFile::Stdout);
    assert_eq!(config.api.lowest, ApiVersion::OLDEST);
    assert_eq!(config.api.highest, ApiVersion::NEWEST);
    assert!(config.listeners.is_empty() && config.clients.is_empty() && config.policy.is_none());
}

#[test]
fn paths_are_joined_to_the_directory_of_the_file() {
    let config = parse(&format!(
        "policy = 'my.toml'\naudit.file = 'a.jsonl'\n[[listener]]\naddress = 'tcp://0.0.0.0:2376'\n{TLS}"
    ));
    let inside = |name: &str| Path::new("/etc/dockgate").join(name);
    assert_eq!(
        config.policy,
        Some(PolicyReference::File(inside("my.toml")))
    );
    assert_eq!(config.audit, AuditFile::File(inside("a.jsonl")));
    let tls = config.listeners[0].tls.clone().unwrap();
    assert_eq!(
        (tls.certificate, tls.key),
        (inside("c.pem"), inside("k.pem"))
    );
    assert_eq!((tls.client_ca, tls.client_crl), (inside("ca.pem"), None));
}

#[test]
fn a_listener_says_how_its_socket_is_made() {
    let config = parse(&listener(
        "unix:///run/a.sock",
        "mode = '0600'\ngroup = 'docker'\n",
    ));
    let listener = &config.listeners[0];
    assert_eq!(
        (listener.mode, listener.group.as_deref()),
        (0o600, Some("docker"))
    );
    assert_eq!(listener.policy, Some(PolicyReference::Ready("guarded")));
    assert_eq!(listener.line, 1);
}

#[test]
fn a_port_that_others_reach_needs_certificates() {
    assert_eq!(
        codes(&listener("tcp://0.0.0.0:2375", "")),
        [("plain-tcp", 2)]
    );
    assert_eq!(codes(&listener("tcp://[::]:2375", "")), [("plain-tcp", 2)]);
    parse(&listener("tcp://127.0.0.1:2375", ""));
    parse(&listener("tcp://0.0.0.0:2376", TLS));
    let plain = "dangerously-allow-plain-tcp = true\n";
    assert!(parse(&listener("tcp://0.0.0.0:2375", plain)).listeners[0].allows_plain_tcp);
    let no_authority = "tls = { certificate = 'c', key = 'k' }\n";
    assert_eq!(
        codes(&listener("tcp://0.0.0.0:2376", no_authority)),
        [("no-client-ca", 4)]
    );
}

#[test]
fn a_daemon_over_a_network_needs_tls() {
    assert_eq!(
        codes("daemon.address = 'tcp://d.example:2375'"),
        [("plain-tcp", 1)]
    );
    let tls = "[daemon]\naddress = 'tcp://d.example:2376'\ntls = { ca = 'ca', certificate = 'c', key = 'k' }";
    assert!(parse(tls).daemon.tls.unwrap().client.is_some());
    let half = "[daemon]\naddress = 'tcp://d.example:2376'\ntls = { ca = 'ca', key = 'k' }";
    assert_eq!(codes(half), [("missing-key", 3)]);
    parse("daemon.address = 'tcp://localhost:2375'");
}

#[test]
fn every_client_has_a_policy_from_one_place() {
    let bare = "[[listener]]\naddress = 'unix:///run/a.sock'\n";
    let client = "[[client]]\nname = 'root'\nmatch = { uid = 0 }\npolicy = 'guarded'\n";
    assert_eq!(codes(bare), [("no-policy", 2)]);
    assert_eq!(parse(&format!("{bare}{client}")).clients.len(), 1);
    parse(&format!("policy = 'guarded'\n{bare}"));
    assert_eq!(
        codes(&format!("policy = 'guarded'\n{bare}{client}")),
        [("policy-for-all", 1)]
    );
    let given = |text: &str| Config::parse("x", text, Some(PolicyReference::Ready("guarded")));
    assert_eq!(
        given(bare).unwrap().policy,
        Some(PolicyReference::Ready("guarded"))
    );
    let problems = given(&format!("{bare}{client}")).unwrap_err();
    assert_eq!(problems.problems[0].code, "policy-for-all");
    assert_eq!(
        codes("[[client]]\nname = 'a'\nmatch = { uid = 0 }"),
        [("missing-key", 1)]
    );
}

#[test]
fn listeners_are_told_apart() {
    let twice = format!(
        "{}{}",
        listener("unix:///run/a", ""),
        listener("unix:///run/a", "")
    );
    assert_eq!(codes(&twice), [("duplicate", 5)]);
    let inherited = format!("{}{}", listener("systemd:a", ""), listener("systemd", ""));
    assert_eq!(codes(&inherited), [("duplicate", 5)]);
    assert_eq!(
        codes(&listener("unix:///var/run/docker.sock", "")),
        [("loop", 2)]
    );
}

#[test]
fn settings_in_the_wrong_place_are_problems() {
    assert_eq!(codes(&listener("unix:///run/a", TLS)), [("wrong-place", 4)]);
    assert_eq!(
        codes(&listener("tcp://127.0.0.1:1", "mode = '0600'\n")),
        [("wrong-place", 4)]
    );
    assert_eq!(
        codes(&listener("systemd", "group = 'docker'\n")),
        [("wrong-place", 4)]
    );
    assert_eq!(codes("daemon.tls = { ca = 'a' }"), [("wrong-place", 1)]);
}

#[test]
fn values_out_of_bounds_are_problems() {
    assert_eq!(
        codes("[limits]\nhead-bytes = 0\nheaders = -1\nconnections = 1.5"),
        [("out-of-range", 2), ("out-of-range", 3), ("wrong-type", 4),]
    );
    assert_eq!(codes("[api]\nlowest = '1.12'"), [("out-of-range", 2)]);
    assert_eq!(codes("[api]\nhighest = '1.57'"), [("out-of-range", 2)]);
    let crossed = "[api]\nhighest = '1.40'\nlowest = '1.41'";
    assert_eq!(codes(crossed), [("out-of-range", 2)]);
    assert_eq!(
        codes("[parameters]\nproject = 'here'\nBad = '/a'"),
        [("not-a-path", 2), ("not-a-name", 3)]
    );
    for mode in ["660", "0660"] {
        parse(&listener("unix:///run/a", &format!("mode = '{mode}'\n")));
    }
    for mode in ["", "66", "0o660", "1660", "0888", "-660", "rw-rw----"] {
        let text = listener("unix:///run/a", &format!("mode = '{mode}'\n"));
        assert_eq!(codes(&text), [("not-a-mode", 4)], "{mode}");
    }
    assert_eq!(
        parse("[limits]\nhead-seconds = 5")
            .limits
            .head_deadline
            .as_secs(),
        5
    );
}

#[test]
fn a_rule_that_matches_nobody_or_everybody_is_a_problem() {
    let rule =
        |matches| format!("[[client]]\nname = 'a'\npolicy = 'guarded'\nmatch = {{ {matches} }}\n");
    assert_eq!(codes(&rule("")), [("not-a-match", 4)]);
    assert_eq!(codes(&rule("uid = 0, dns = 'a'")), [("not-a-match", 4)]);
    assert_eq!(codes(&rule("dns = 'regex:('")), [("not-a-match", 4)]);
    assert_eq!(
        codes(&rule("commonname = 'a'")),
        [("not-a-match", 4), ("unknown-key", 4)]
    );
    assert_eq!(
        codes(&format!("{}{}", rule("uid = 0"), rule("uid = 1"))),
        [("duplicate", 6)]
    );
}

#[test]
fn a_table_has_every_key_of_an_identity() {
    let config = parse(
        "[[client]]\nname = 'a'\npolicy = 'guarded'\nowner = 'team/{spiffe-id}'\n\
         match = { spiffe-id = 'spiffe://a/*', public-key = '*', source = ['10.0.0.0/8'] }\n",
    );
    assert_eq!(
        config.clients[0].owner.as_ref().unwrap().as_str(),
        "team/{spiffe-id}"
    );
    let client = |more: &str| format!("[[client]]\nname = 'a'\npolicy = 'guarded'\n{more}\n");
    for (more, code) in [
        ("match = { source = '10.0.0.0/8' }", "wrong-type"),
        ("match = { source = [1] }", "wrong-type"),
        ("match = { source = ['10.0.0.0/33'] }", "not-a-match"),
        ("match = { container-label = ['a'] }", "not-a-match"),
        ("match = { uid = 1, container-name = 'a' }", "not-a-match"),
        ("match = { uid = 1 }\nowner = ''", "not-an-owner"),
        ("match = { uid = 1 }\nowner = '{user}'", "not-an-owner"),
        ("match = { uid = 1 }\nowner = 1", "wrong-type"),
    ] {
        let found = codes(&client(more));
        assert!(
            found.iter().any(|(found, _)| *found == code),
            "{more} {found:?}"
        );
    }
}

#[test]
fn containers_are_told_apart_on_ports_without_tls() {
    let containers = "identify-containers = true\n";
    let plain = "dangerously-allow-plain-tcp = true\n";
    let config = parse(&listener(
        "tcp://0.0.0.0:1",
        &format!("{containers}{plain}owner = 'a'\n"),
    ));
    assert!(config.listeners[0].identifies_containers);
    assert_eq!(config.listeners[0].owner.as_ref().unwrap().as_str(), "a");
    // It lets nobody in that the port would not let in without it.
    assert_eq!(
        codes(&listener("tcp://0.0.0.0:1", containers)),
        [("plain-tcp", 2)]
    );
    let with_tls = format!("{TLS}{containers}");
    assert_eq!(
        codes(&listener("tcp://0.0.0.0:1", &with_tls)),
        [("wrong-place", 5)]
    );
    assert_eq!(
        codes(&listener("unix:///run/a", containers)),
        [("wrong-place", 4)]
    );
}

#[test]
fn a_policy_is_a_ready_name_or_a_path() {
    let reference = |text| PolicyReference::parse(text, Path::new("/etc"));
    assert_eq!(reference("guarded"), Ok(PolicyReference::Ready("guarded")));
    assert_eq!(
        reference("./guarded"),
        Ok(PolicyReference::File("/etc/./guarded".into()))
    );
    assert_eq!(
        reference("a.toml"),
        Ok(PolicyReference::File("/etc/a.toml".into()))
    );
    let unknown = reference("gaurded").unwrap_err();
    assert_eq!(
        unknown.to_string(),
        "no ready policy is named `gaurded`; did you mean `guarded`?"
    );
    assert_eq!(codes("policy = 'gaurded'"), [("unknown-policy", 1)]);
}
