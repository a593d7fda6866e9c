//! What the ready policies permit, how problems are shown, and what adding a rule can do.

mod documented;
mod permissions;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use dockgate::engine_api::Operation;
use dockgate::policy::{self, Policy, ready};
use proptest::prelude::*;

use permissions::permissions;

fn parameters() -> BTreeMap<String, String> {
    BTreeMap::from([("project".to_owned(), "/srv/project".to_owned())])
}

fn compile(text: &str) -> Policy {
    match policy::compile("test.toml", text, &parameters()) {
        Ok(policy) => policy,
        Err(problems) => panic!("{problems}"),
    }
}

fn codes(text: &str) -> Vec<&'static str> {
    match policy::compile("test.toml", text, &parameters()) {
        Ok(_) => Vec::new(),
        Err(problems) => problems
            .problems
            .iter()
            .map(|problem| problem.code)
            .collect(),
    }
}

#[test]
fn each_ready_policy_permits_what_its_snapshot_says() {
    for (name, text) in ready::ready() {
        match policy::compile(name, text, &parameters()) {
            Ok(policy) => insta::assert_snapshot!(*name, permissions(&policy)),
            Err(problems) => panic!("{problems}"),
        }
    }
}

#[test]
fn each_ready_policy_says_who_it_is_for() {
    for (name, text) in ready::ready() {
        assert!(text.starts_with("# For "), "{name}");
        assert!(text.contains("\n# Opens: "), "{name}");
        let is_open = *name == "open";
        assert_eq!(text.contains("\n# Leaves closed: "), !is_open, "{name}");
        let description = policy::describe(text).unwrap();
        assert!(description.len() <= 80, "{name}: {description}");
    }
}

#[test]
fn no_ready_policy_but_open_gives_a_way_to_the_host() {
    for (name, text) in ready::ready().iter().filter(|(name, _)| *name != "open") {
        let policy = policy::compile(name, text, &parameters()).unwrap();
        assert!(
            !policy.permits_everything && policy.paths.is_empty(),
            "{name}"
        );
        let container = &policy.container;
        let is_closed = !container.privileged.value
            && container.capabilities.value.is_empty()
            && container.namespaces.value.is_empty()
            && container.devices.value.is_empty()
            && !container.device_requests.value
            && container.device_cgroup_rules.value.is_empty()
            && container.security_options.value.is_empty()
            && container.sysctls.value.is_empty()
            && container.ulimits.value.is_empty()
            && container.runtimes.value.is_empty()
            && container.cgroup_parents.value.is_empty()
            && !container.negative_oom_score.value
            && !container.oom_kill_disable.value
            && container.annotations.value.is_empty()
            && container.log_drivers.value.is_empty()
            && !container.unmasked_paths.value
            && container.volume_drivers.value.is_empty()
            && container.links.value.is_empty()
            && !container.volumes_from.value
            && policy.network.options.value.is_empty()
            && policy.network.parents.value.is_empty()
            && policy.volume.drivers.value.is_empty()
            && policy.volume.types.value.is_empty()
            && !policy.image.import_urls.value
            && !policy.build.remote_contexts.value
            && !policy.volume.cluster.value
            && policy.plugin.references.value.is_empty()
            && policy.plugin.privileges.value.is_empty()
            && policy.plugin.settings.value.is_empty()
            && !policy.plugin.creates_unread.value;
        assert!(is_closed, "{name}");
        // Whoever manages or watches what others made finds their networks as they are.
        let is_manager = matches!(*name, "dashboard" | "portainer" | "watchtower");
        let joins_any = policy.network.icc.value == policy::Icc::Any;
        assert_eq!(joins_any, is_manager, "{name}");
        assert!(
            is_manager || policy.network.drivers.value.is_empty(),
            "{name}"
        );
        let opened: Vec<_> = container
            .host_paths
            .value
            .iter()
            .map(|open| open.path.as_str())
            .collect();
        let expected: &[&str] = if *name == "agent-sandbox" {
            &["/srv/project"]
        } else {
            &[]
        };
        assert_eq!(opened, expected, "{name}");
    }
}

#[test]
fn policies_that_only_look_change_nothing() {
    use dockgate::engine_api::operation::Effect;
    for name in ["read-only", "traefik"] {
        let policy = policy::compile(name, ready::find(name).unwrap(), &parameters()).unwrap();
        for operation in policy.operations.keys() {
            let effect = operation.spec().effect;
            assert!(
                matches!(effect, Effect::Read | Effect::Stream),
                "{name}: {}",
                operation.name()
            );
        }
    }
}

#[test]
fn every_problem_is_shown_at_its_place() {
    let problems = policy::compile("policies/faulty.toml", FAULTY, &BTreeMap::new()).unwrap_err();
    insta::assert_snapshot!("problems", problems.to_string());
}

const FAULTY: &str = r#"descriptoin = "no description"
parameters = ["project", "Data"]

[[permit]]
operations = ["System:reed", "ContainerCraete", "Session", "Exec:*", 7]

[[permit]]
path = "/containers/json"
methods = ["GET", "LIST"]

[container]
privileged = "true"
capabilities = ["CAP_SYS_ADMIN", "NET_BIND_SERVCE"]
host-paths = [
    { path = "srv", access = "read-only" },
    { path = "/srv/../etc", access = "readwrite" },
    { path = "{projekt}/src" },
]
namespaces = ["host"]
published = ["8080", "127.0.0.1:90-80"]
images = ["busybox", "regex:("]
sysctl = ["net.*"]

[network]
icc = "yes"

[volume]
types = ["bind"]

[build]
buildkit = true
"#;

#[test]
fn a_file_that_is_not_toml_has_no_other_problems() {
    let broken = format!(
        "{FAULTY}
[image
references = [\"*\"
"
    );
    let problems = policy::compile("policies/faulty.toml", &broken, &BTreeMap::new()).unwrap_err();
    insta::assert_snapshot!("syntax", problems.to_string());
}

#[test]
fn a_repeated_key_is_a_problem_at_its_second_place() {
    let text = "description = 'x'
[container]
images = ['*']
images = []
[container]
";
    let problems = policy::compile("x", text, &BTreeMap::new()).unwrap_err();
    let lines: Vec<_> = problems
        .problems
        .iter()
        .map(|problem| problem.line)
        .collect();
    assert_eq!(lines, [4, 5]);
}

#[test]
fn a_missing_parameter_says_how_to_give_it() {
    let text = ready::find("agent-sandbox").unwrap();
    let problems = policy::compile("agent-sandbox", text, &BTreeMap::new()).unwrap_err();
    let [problem] = problems.problems.as_slice() else {
        panic!("{problems}");
    };
    assert_eq!(problem.code, "missing-parameter");
    assert_eq!(problem.help, "give it with --set project=DIRECTORY");
}

#[test]
fn the_value_of_a_parameter_is_a_problem_where_it_is_no_directory() {
    let text = ready::find("agent-sandbox").unwrap();
    for value in ["project", "./project", "", "/", "/srv/..", "/srv/{project}"] {
        let given = BTreeMap::from([("project".to_owned(), value.to_owned())]);
        let problems = policy::compile("agent-sandbox", text, &given).unwrap_err();
        assert_eq!(problems.problems[0].code, "not-a-path", "{value}");
    }
}

#[test]
fn a_policy_that_permits_everything_says_nothing_else() {
    let everything = "description = 'x'\ndangerously-permit-everything = true\n";
    assert!(compile(everything).permits_everything);
    let more = format!("{everything}[container]\nprivileged = true\n");
    assert_eq!(codes(&more), ["stands-alone"]);
    let nothing = "description = 'x'\ndangerously-permit-everything = false\n[container]\n";
    assert!(!compile(nothing).permits_everything);
}

#[test]
fn a_limit_has_the_line_of_its_key_or_its_table() {
    let policy = compile("description = 'x'\n\n[container]\n\nimages = [\n'*']\n");
    assert_eq!(policy.container.images.line, 5);
    assert_eq!(policy.container.privileged.line, 3);
    assert_eq!(policy.network.icc.line, 0);
    let dotted = compile("description = 'x'\ncontainer.images = ['*']\n");
    assert_eq!(dotted.container.images.line, 2);
}

#[test]
fn an_operation_has_the_line_of_the_rule_that_names_it_first() {
    let policy = compile(
        "description = 'x'\n[[permit]]\noperations = [\n'SystemInfo',\n'System:read']\n[[permit]]\noperations = ['SystemInfo']\n",
    );
    assert_eq!(policy.operations[&Operation::SystemInfo], 4);
    assert_eq!(policy.operations[&Operation::SystemPing], 5);
}

#[test]
fn a_policy_that_says_nothing_permits_nothing() {
    let policy = compile("description = 'x'");
    assert!(policy.operations.is_empty() && policy.paths.is_empty() && !policy.permits_everything);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn adding_a_rule_never_removes_a_permission(
        rules in prop::collection::vec(rule(), 0..6),
        added in rule(),
        at in any::<prop::sample::Index>(),
    ) {
        let before = compile(&document(&rules));
        let mut more = rules.clone();
        more.insert(at.index(rules.len() + 1), added);
        let after = compile(&document(&more));
        for operation in before.operations.keys() {
            prop_assert!(after.operations.contains_key(operation));
        }
        let paths = |policy: &Policy| policy.paths.iter().map(|rule| rule.path.to_string()).collect::<Vec<_>>();
        for path in paths(&before) {
            prop_assert!(paths(&after).contains(&path));
        }
        for operation in after.operations.keys() {
            prop_assert!(operation.spec().is_modelled);
        }
    }

    #[test]
    fn no_text_breaks_the_compiler(text in "[a-z\\[\\]{}='\",.\n0-9 é-]{0,80}") {
        if let Err(problems) = policy::compile("x", &text, &BTreeMap::new()) {
            prop_assert!(!problems.problems.is_empty());
            prop_assert!(problems.to_string().ends_with(" in x"));
        }
    }
}

/// The keys of one `[[permit]]` table.
fn rule() -> impl Strategy<Value = String> {
    let modelled = Operation::all().filter(|operation| operation.spec().is_modelled);
    let mut names: Vec<String> = modelled
        .map(|operation| operation.name().to_owned())
        .collect();
    for group in [
        "*",
        "*:*",
        "*:read",
        "*:remove",
        "Container:*",
        "Image:create",
        "Task:read",
    ] {
        names.push(group.to_owned());
    }
    let operations = prop::collection::vec(prop::sample::select(names), 0..4)
        .prop_map(|names| format!("operations = {names:?}\n"));
    let path = "[a-z]{3,8}"
        .prop_filter("an operation begins so", |name| {
            codes(&document(&[path_rule(name)])).is_empty()
        })
        .prop_map(|name| path_rule(&name));
    prop_oneof![3 => operations, 1 => path]
}

fn path_rule(name: &str) -> String {
    format!("methods = ['GET']\npath = '/{name}/.*'\n")
}

fn document(rules: &[String]) -> String {
    let mut text = "description = 'x'\n".to_owned();
    for rule in rules {
        write!(text, "[[permit]]\n{rule}").unwrap();
    }
    text
}
