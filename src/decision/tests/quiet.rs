//! What `[quiet]` hides of each answer, what it leaves, and what it refuses to be asked.

use super::*;
use crate::decision::{AnswerShape, HIDDEN, hidden_places};
use crate::engine_api::json;

const ALL: &str = "[swarm]\ntokens = true\n[quiet]\nenvironment = true\nhost-paths = true\nlabels = [\"*\"]\n\
                   command-lines = true\nsecrets = true\nhost-details = true\n";

fn view(quiet: &str, line: &str) -> Option<View> {
    let policy = policy(quiet);
    let request = request(line, "");
    let facts = over_ordinary(&policy, &request, &Facts::default());
    match decide(&policy, request, &facts) {
        Decision::Permit(permit) => permit.view().cloned(),
        Decision::Refuse(refusal) => panic!("{line}: {refusal}"),
    }
}

fn shown(quiet: &str, line: &str, answer: &str) -> String {
    let mut value = json::parse(answer.as_bytes()).unwrap();
    if let Some(mut view) = view(&format!("[quiet]\n{quiet}"), line) {
        assert!(view.show(&mut value));
    }
    value.to_string().replace(HIDDEN, "?")
}

const INSPECT: &str = "GET /v1.41/containers/a/json";
const EVENTS: &str = "GET /v1.41/events";
const SERVICE: &str = "GET /v1.41/services/a";

/// What is asked, under which keys; the answer of the daemon, and that of the gate with `?` for what is hidden.
#[rustfmt::skip]
const SHOWN: &[(&str, &str, &str, &str)] = &[
    (INSPECT, "environment = true",
     r#"{"Config":{"Env":["A=b=c","B=","C"],"Cmd":["x"]},"Args":["x"]}"#,
     r#"{"Config":{"Env":["A=?","B=?","C"],"Cmd":["x"]},"Args":["x"]}"#),
    (INSPECT, "command-lines = true",
     r#"{"Path":"sh","Args":["-c","x"],"Config":{"Env":["A=b"],"Cmd":["x","y"],"Entrypoint":null,"Healthcheck":{"Test":["CMD","x"],"Interval":5},"Shell":[]}}"#,
     r#"{"Path":"?","Args":["?"],"Config":{"Env":["A=b"],"Cmd":["?"],"Entrypoint":null,"Healthcheck":{"Test":["?"],"Interval":5},"Shell":[]}}"#),
    (INSPECT, "command-lines = true",
     r#"{"State":{"Error":"exec: \"x\": not found","Health":{"Log":[{"ExitCode":1,"Output":"x"}]}}}"#,
     r#"{"State":{"Error":"?","Health":{"Log":[{"ExitCode":1,"Output":"?"}]}}}"#),
    (INSPECT, "host-paths = true",
     r#"{"LogPath":"/l","HostConfig":{"Binds":["/srv/a:/b:ro","data:/c","./x:/d"],"Devices":[{"PathOnHost":"/dev/x","PathInContainer":"/dev/y"}]}}"#,
     r#"{"LogPath":"?","HostConfig":{"Binds":["?:/b:ro","data:/c","?:/d"],"Devices":[{"PathOnHost":"?","PathInContainer":"/dev/y"}]}}"#),
    (INSPECT, "host-paths = true",
     r#"{"HostConfig":{"Mounts":[{"Type":"bind","Source":"/a","Target":"/t"},{"Type":"volume","Source":"v","Target":"/t","VolumeOptions":{"DriverConfig":{"Options":{"device":"/a","type":"none"}}}},{"Source":"/a"}]}}"#,
     r#"{"HostConfig":{"Mounts":[{"Type":"bind","Source":"?","Target":"/t"},{"Type":"volume","Source":"v","Target":"/t","VolumeOptions":{"DriverConfig":{"Options":{"device":"?","type":"none"}}}},{"Source":"?"}]}}"#),
    (INSPECT, "host-paths = true",
     r#"{"Mounts":[{"Type":"volume","Name":"v","Source":"/var/v","Destination":"/t"}],"GraphDriver":{"Data":{"UpperDir":"/u"},"Name":"overlay2"}}"#,
     r#"{"Mounts":[{"Type":"volume","Name":"v","Source":"?","Destination":"/t"}],"GraphDriver":{"Data":{"UpperDir":"?"},"Name":"overlay2"}}"#),
    (INSPECT, "secrets = true",
     r#"{"HostConfig":{"LogConfig":{"Type":"splunk","Config":{"splunk-token":"x","a":""}}}}"#,
     r#"{"HostConfig":{"LogConfig":{"Type":"splunk","Config":{"splunk-token":"?","a":""}}}}"#),
    (INSPECT, "labels = [\"s.*\", \"t\"]",
     r#"{"Config":{"Labels":{"s.a":"x","u":"x","t":"x"}},"HostConfig":{"Annotations":{"s.a":"x","u":"x"}}}"#,
     r#"{"Config":{"Labels":{"s.a":"?","u":"x","t":"?"}},"HostConfig":{"Annotations":{"s.a":"?","u":"x"}}}"#),
    ("GET /v1.41/containers/json", "command-lines = true\nlabels = [\"s\"]",
     r#"{"Command":"\"sh -c x\"","Labels":{"s":"x"},"Names":["/a"]}"#,
     r#"{"Command":"?","Labels":{"s":"?"},"Names":["/a"]}"#),
    ("GET /v1.41/containers/a/top", "command-lines = true",
     r#"{"Processes":[["root","1","sh -c x"],["root","2","y"],["root"]],"Titles":["UID","PID","CMD"]}"#,
     r#"{"Processes":[["root","1","?"],["root","2","?"],["root"]],"Titles":["UID","PID","CMD"]}"#),
    ("GET /v1.41/exec/a/json", "command-lines = true",
     r#"{"ProcessConfig":{"entrypoint":"sh","arguments":["-c","x"],"tty":false}}"#,
     r#"{"ProcessConfig":{"entrypoint":"?","arguments":["?"],"tty":false}}"#),
    ("GET /v1.41/images/a/history", "environment = true",
     r#"{"CreatedBy":"ENV A=b","Size":1}"#, r#"{"CreatedBy":"?","Size":1}"#),
    ("GET /v1.41/volumes", "host-paths = true",
     r#"{"Volumes":[{"Mountpoint":"/v","Name":"v","Options":{"device":"/d","o":"bind","type":"none"}}],"Warnings":null}"#,
     r#"{"Volumes":[{"Mountpoint":"?","Name":"v","Options":{"device":"?","o":"?","type":"none"}}],"Warnings":null}"#),
    ("GET /v1.41/plugins", "environment = true",
     r#"{"Settings":{"Env":["A=b"]},"Config":{"Env":[{"Name":"A","Value":"b"}]}}"#,
     r#"{"Settings":{"Env":["A=?"]},"Config":{"Env":[{"Name":"A","Value":"?"}]}}"#),
    (SERVICE, "environment = true",
     r#"{"Spec":{"TaskTemplate":{"ContainerSpec":{"Env":["A=b"]}}},"PreviousSpec":{"TaskTemplate":{"ContainerSpec":{"Env":["A=c"]}}}}"#,
     r#"{"Spec":{"TaskTemplate":{"ContainerSpec":{"Env":["A=?"]}}},"PreviousSpec":{"TaskTemplate":{"ContainerSpec":{"Env":["A=?"]}}}}"#),
    (SERVICE, "labels = [\"s\"]",
     r#"{"Spec":{"Labels":{"s":"x"},"TaskTemplate":{"Placement":{"Constraints":["node.labels.s==x","engine.labels.s != x","node.role==worker","node.labels.u==x"]}}}}"#,
     r#"{"Spec":{"Labels":{"s":"?"},"TaskTemplate":{"Placement":{"Constraints":["node.labels.s==?","engine.labels.s !=?","node.role==worker","node.labels.u==x"]}}}}"#),
    ("GET /v1.41/configs/a", "secrets = true", r#"{"Spec":{"Data":"eA==","Name":"c"}}"#,
     r#"{"Spec":{"Data":"PGhpZGRlbiBieSBkb2NrZ2F0ZT4=","Name":"c"}}"#),
    ("GET /v1.41/nodes", "host-details = true",
     r#"{"Description":{"Hostname":"h","Resources":{"NanoCPUs":1}},"Status":{"Addr":"10.0.0.1","State":"ready"},"ManagerStatus":{"Addr":"10.0.0.1:2377"}}"#,
     r#"{"Description":{"Hostname":"?","Resources":{"NanoCPUs":1}},"Status":{"Addr":"?","State":"ready"},"ManagerStatus":{"Addr":"?"}}"#),
    ("GET /v1.41/info", "host-details = true",
     r#"{"Name":"h","NCPU":4,"Labels":["a=b"],"DriverStatus":[["Pool","x"]],"RegistryConfig":{"InsecureRegistryCIDRs":["10.0.0.0/8"],"Mirrors":["https://m/"]},"Swarm":{"NodeAddr":""}}"#,
     r#"{"Name":"?","NCPU":4,"Labels":["?"],"DriverStatus":[["Pool","?"]],"RegistryConfig":{"InsecureRegistryCIDRs":[],"Mirrors":["?"]},"Swarm":{"NodeAddr":""}}"#),
    ("GET /v1.41/info", "labels = [\"s\"]", r#"{"Labels":["s=x","u=x"]}"#, r#"{"Labels":["s=?","u=x"]}"#),
    (EVENTS, "command-lines = true",
     r#"{"status":"exec_create: sh -c x","Action":"exec_create: sh -c x","Type":"container"}"#,
     r#"{"status":"exec_create: ?","Action":"exec_create: ?","Type":"container"}"#),
    (EVENTS, "command-lines = true",
     r#"{"status":"health_status: healthy","Action":"exec_die","Type":"container"}"#,
     r#"{"status":"health_status: healthy","Action":"exec_die","Type":"container"}"#),
    (EVENTS, "labels = [\"*\"]",
     r#"{"Type":"container","Actor":{"ID":"a","Attributes":{"image":"i","name":"n","s":"x"}}}"#,
     r#"{"Type":"container","Actor":{"ID":"a","Attributes":{"image":"i","name":"n","s":"?"}}}"#),
    (EVENTS, "host-details = true",
     r#"{"Type":"daemon","Actor":{"Attributes":{"name":"h","labels":"[\"a=b\"]"}}}"#,
     r#"{"Type":"daemon","Actor":{"Attributes":{"name":"?","labels":"?"}}}"#),
];

#[test]
fn each_key_hides_what_is_its_own_and_nothing_else() {
    for (line, quiet, answer, expected) in SHOWN {
        assert_eq!(shown(quiet, line, answer), *expected, "{line} {quiet}");
        assert_eq!(shown("", line, answer), *answer, "{line}");
    }
}

#[test]
fn numbers_order_and_unknown_fields_survive() {
    let answer = r#"{"z":18446744073709551615,"New":[{"b":1,"a":-9223372036854775808}],"Config":{"Env":["A=b"],"x":null},"a":0.1,"e":1e-7}"#;
    let expected = answer.replace("A=b", "A=?");
    assert_eq!(shown("environment = true", INSPECT, answer), expected);
}

#[test]
fn numbers_that_no_type_of_ours_holds_survive() {
    for number in [
        "18446744073709551616",
        "-9223372036854775809",
        "123456789012345678901234567890",
        "0.1000000000000000055511151231257827",
        "1.50",
        "1E+2",
        "-0",
        "-0.0",
        "1e-400",
        "5e-324",
    ] {
        let answer = format!(r#"{{"Config":{{"Env":["A=b"]}},"New":[{number},{{"a":{number}}}]}}"#);
        let expected = answer.replace("A=b", "A=?");
        assert_eq!(shown("environment = true", INSPECT, &answer), expected);
    }
}

#[test]
fn an_answer_that_nothing_is_hidden_of_is_not_read() {
    for line in [INSPECT, EVENTS, "GET /v1.41/info", "GET /v1.41/networks"] {
        assert!(
            view("[quiet]\nenvironment = false\nlabels = []\n", line).is_none(),
            "{line}"
        );
    }
    for line in [
        "GET /v1.41/info",
        "GET /v1.41/networks",
        "GET /v1.41/containers/json",
    ] {
        assert!(
            view("[quiet]\nenvironment = true\n", line).is_none(),
            "{line}"
        );
    }
    for line in [
        "GET /v1.41/containers/a/logs",
        "GET /v1.41/_ping",
        "GET /v1.41/containers/a/stats",
    ] {
        assert!(view(ALL, line).is_none(), "{line}");
    }
}

#[test]
fn the_shape_follows_the_operation() {
    for (line, shape) in [
        (INSPECT, AnswerShape::Object),
        ("GET /v1.41/volumes", AnswerShape::Within("Volumes")),
        ("GET /v1.41/system/df", AnswerShape::Object),
        ("GET /v1.41/images/json", AnswerShape::List),
        ("GET /v1.41/tasks", AnswerShape::List),
        (EVENTS, AnswerShape::Stream),
    ] {
        assert_eq!(view(ALL, line).unwrap().shape(), shape, "{line}");
    }
}

/// A value at a path, in what leads there.
fn at(path: &str, leaf: Value) -> Value {
    let Some((before, key)) = path
        .rsplit_once('.')
        .or(Some(("", path)))
        .filter(|_| !path.is_empty())
    else {
        return leaf;
    };
    let value = match key {
        "[]" => Value::List(vec![leaf]),
        "*" => Value::Object(vec![("any".into(), leaf)]),
        key => Value::Object(vec![(key.into(), leaf)]),
    };
    at(before, value)
}

#[test]
fn no_form_of_a_value_gets_through_at_any_place() {
    let leaves = [
        r#""k=MARK""#,
        r#""/MARK""#,
        r#"["/k=MARK:/t"]"#,
        r#"{"k":"MARK"}"#,
        r#"{"Source":"/MARK"}"#,
        r#"[{"k":["/MARK",["MARK"]]}]"#,
        r#"[["k",["MARK"]]]"#,
    ];
    let (all, mut places) = (policy(ALL), 0);
    for operation in Operation::all() {
        let (spec, is_special) = (operation.spec(), |path: &String| !path.is_empty());
        for path in hidden_places(operation).into_iter().filter(is_special) {
            places += 1;
            let named = |part| {
                if str::starts_with(part, '{') {
                    "a"
                } else {
                    part
                }
            };
            let target = spec
                .path
                .split('/')
                .map(named)
                .collect::<Vec<_>>()
                .join("/");
            let request = request(&format!("{} /v1.41{target}", spec.method), "");
            let mut view = View::of(&all, &request, &Facts::default()).unwrap();
            for leaf in leaves {
                let value = json::parse(leaf.as_bytes()).unwrap();
                let mut answer = at(&path, value);
                // Only what has the form of a constraint is one, and only the source of a mount is a path.
                let is_other = (path.ends_with("Constraints") && leaf.contains("/k="))
                    || (path.ends_with("Mounts.[]") && !leaf.contains("Source"));
                if is_other {
                    continue;
                }
                assert!(view.show(&mut answer));
                assert!(
                    !answer.to_string().contains("MARK"),
                    "{operation:?} {path} {leaf}: {answer}"
                );
            }
        }
    }
    assert!(places > 150, "{places} places");
}

fn asked(quiet: &str, line: &str, body: &str) -> Vec<&'static str> {
    let all = policy(&format!("[container]\n{OPEN}{BRIDGE}[quiet]\n{quiet}"));
    codes(&all, line, body, &Facts::default())
}

#[test]
fn the_placeholder_is_refused_wherever_it_comes_whatever_the_policy_hides() {
    for quiet in ["", "environment = true\n"] {
        for body in [
            r#"{"Image":"busybox","Env":["A=<hidden by dockgate>"]}"#,
            r#"{"Image":"busybox","Labels":{"a":"\u003chidden by dockgate\u003e"}}"#,
            r#"{"Image":"busybox","Labels":{"<hidden by dockgate>":"a"}}"#,
            r#"{"Image":"busybox","Cmd":["sh","<hidden by dockgate>"]}"#,
        ] {
            assert_eq!(asked(quiet, CREATE, body), ["hidden-value"], "{body}");
        }
        for (line, body) in [
            (
                "POST /v1.41/configs/create",
                r#"{"Name":"c","Data":"PGhpZGRlbiBieSBkb2NrZ2F0ZT4="}"#,
            ),
            (
                "POST /v1.41/networks/create",
                r#"{"Name":"n","Labels":{"a":"<hidden by dockgate>"}}"#,
            ),
            (
                "POST /v1.41/volumes/create",
                r#"{"Name":"v","Labels":{"a":"<hidden by dockgate>"}}"#,
            ),
            (
                "POST /v1.41/build?labels=%7B%22a%22%3A%22%5Cu003chidden%20by%20dockgate%3E%22%7D",
                "",
            ),
            (
                "POST /v1.41/build?buildargs=%7B%22a%22%3A%22%3Chidden%20by%20dockgate%3E%22%7D",
                "",
            ),
        ] {
            assert_eq!(asked(quiet, line, body), ["hidden-value"], "{line} {body}");
        }
        assert!(asked(quiet, CREATE, r#"{"Image":"busybox","Env":["A=<hidden>"]}"#).is_empty());
    }
}

#[test]
fn a_guess_at_a_hidden_value_is_refused() {
    let quiet =
        "labels = [\"s.*\"]\nhost-paths = true\ncommand-lines = true\nhost-details = true\n";
    for (target, filters) in [
        ("containers/json", r#"{"label":["s.a=x"]}"#),
        ("containers/json", r#"{"label":{"s.a=x":true}}"#),
        ("containers/json", r#"{"label":{"s.a=":false}}"#),
        ("containers/json", r#"{"label":["*=x"]}"#),
        ("containers/json", r#"{"volume":["/srv/a"]}"#),
        ("networks", r#"{"label":["s.a=x"]}"#),
        ("nodes", r#"{"node.label":["s.a=x"]}"#),
        ("nodes", r#"{"name":["h"]}"#),
        ("events", r#"{"label":["u","s.a=x"]}"#),
        ("events", r#"{"event":["exec_start: s"]}"#),
        ("events", r#"{"daemon":["h"]}"#),
    ] {
        let line = format!("GET /v1.41/{target}?filters={filters}").replace('"', "%22");
        assert_eq!(asked(quiet, &line, ""), ["hidden-query"], "{line}");
        assert!(asked("", &line, "").is_empty(), "{line}");
    }
    let prune = "POST /v1.41/containers/prune?filters={%22label!%22:[%22s.a=x%22]}";
    assert_eq!(asked(quiet, prune, ""), ["hidden-query"]);
    for (target, filters) in [
        (
            "containers/json",
            r#"{"label":["s.a","u=x"],"volume":["data"],"name":["a"]}"#,
        ),
        (
            "events",
            r#"{"event":["exec_start","health_status: healthy"],"container":["a"]}"#,
        ),
    ] {
        let line = format!("GET /v1.41/{target}?filters={filters}").replace('"', "%22");
        assert!(asked(quiet, &line, "").is_empty(), "{line}");
    }
}

#[test]
fn a_list_of_processes_is_asked_for_in_its_usual_columns() {
    for (arguments, is_usual) in [
        ("", true),
        ("-ef", true),
        ("aux", true),
        ("-o+pid,args", false),
        ("-C+sh", false),
        ("auxe", false),
    ] {
        let line = format!("GET /v1.41/containers/a/top?ps_args={arguments}");
        for quiet in ["command-lines = true", "environment = true"] {
            assert_eq!(asked(quiet, &line, "").is_empty(), is_usual, "{line}");
        }
        assert!(asked("host-paths = true", &line, "").is_empty());
    }
}

#[test]
fn a_policy_that_permits_everything_shows_everything() {
    let text = "description = \"all\"\ndangerously-permit-everything = true\n";
    let policy = policy::compile("test.toml", text, &BTreeMap::new()).unwrap();
    let Decision::Permit(permit) = decide(&policy, request(INSPECT, ""), &Facts::default()) else {
        panic!("refused");
    };
    assert!(permit.view().is_none());
}

#[test]
fn a_refusal_does_not_tell_what_the_answers_hide() {
    let container = r#"{"Id":"0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a","HostConfig":{"NetworkMode":"none","Binds":["/MARK:/m"]},"Config":{"Image":"busybox"},
        "Mounts":[{"Type":"bind","Source":"/MARK","Destination":"/m"}]}"#;
    let container = ExistingContainer::read(container.as_bytes()).unwrap();
    let facts = Facts {
        container: Some(Found::Is(container)),
        ..Facts::default()
    };
    let told = |quiet: &str| {
        let policy = policy(&format!("[container]\n{OPEN}[quiet]\n{quiet}"));
        let request = request("POST /v1.41/containers/0a/start", "");
        let facts = over_ordinary(&policy, &request, &facts);
        match decide(&policy, request, &facts) {
            Decision::Permit(_) => panic!("permitted"),
            Decision::Refuse(refusal) => refusal.to_string(),
        }
    };
    assert!(told("").contains("MARK"), "{}", told(""));
    let quiet = told("host-paths = true");
    assert!(
        quiet.contains("host-path") && !quiet.contains("MARK"),
        "{quiet}"
    );
}
