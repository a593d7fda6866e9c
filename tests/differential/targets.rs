//! Paths and queries of operations whose answer tells what the daemon has understood.

use super::judged::{self, Sent};
use super::{Container, Tally, effect, varied};
use crate::support::http;
use crate::support::random::Random;

/// Paths by which something can be asked; `@` stands for a container that runs.
const PATHS: &[&str] = &[
    "/containers/@/json",
    "/v1.41/containers/@/json",
    "/v1.24/containers/@/json",
    "/containers/json",
    "/_ping",
    "/v1.41/version",
    "/images/busybox:latest/json",
    "/images/docker.io/library/busybox/json",
    "/images/busybox/history",
    "/networks/bridge",
    "/volumes",
    "/containers/@/changes",
    "/images/library/busybox:latest/get/json",
];

/// Parameters with what each may hold.
const PARAMETERS: &[(&str, &[&str])] = &[
    (
        "/containers/json",
        &["all=", "limit=", "size=", "filters=", "before=", "since="],
    ),
    ("/containers/@/json", &["size="]),
    (
        "/containers/@/logs",
        &[
            "stdout=",
            "stderr=",
            "tail=",
            "timestamps=",
            "details=",
            "since=",
            "until=",
            "follow=",
        ],
    ),
    ("/images/json", &["all=", "filters=", "digests="]),
    ("/volumes", &["filters="]),
    ("/networks", &["filters="]),
];

#[test]
fn paths_are_read_as_the_daemon_reads_them() {
    let container = Container::running();
    let (mut random, policies) = (varied::random(11), judged::policies());
    let mut tally = Tally::default();
    while tally.generated < 4000 * varied::times() {
        let path = random.pick(PATHS).replace('@', &container.name);
        let path = changed(path.into_bytes(), &mut random, PATH_PIECES);
        let method = random.pick(&["GET", "GET", "GET", "HEAD"]);
        let sent = Sent::new(method, &String::from_utf8_lossy(&path), b"");
        tally.try_one(&sent, &policies, |sent, _| {
            effect::of_question(sent, &container.name, &container.daemon)
        });
    }
    tally.check("paths", 1000, 500);
}

#[test]
fn queries_are_read_as_the_daemon_reads_them() {
    let container = Container::ended();
    let (mut random, policies) = (varied::random(12), judged::policies());
    let mut tally = Tally::default();
    while tally.generated < 3000 * varied::times() {
        let (path, parameters) = PARAMETERS[random.below(PARAMETERS.len())];
        let query = query(parameters, &container.name, &mut random);
        let target = format!("/v1.41{}?{query}", path.replace('@', &container.name));
        let sent = Sent::new("GET", &target, b"");
        tally.try_one(&sent, &policies, |sent, _| {
            effect::of_question(sent, &container.name, &container.daemon)
        });
    }
    tally.check("queries", 500, 300);
}

#[test]
fn names_in_a_query_are_read_as_the_daemon_reads_them() {
    let container = Container::running();
    let (mut random, policies) = (varied::random(13), judged::policies());
    let answer = http::request(
        &container.daemon,
        "GET",
        &format!("/containers/{}/json", container.name),
        "",
    );
    let inspected = crate::support::json(&answer.body);
    let id = inspected["Id"].as_str().unwrap();
    let mut tally = Tally::default();
    while tally.generated < 2500 * varied::times() && tally.sent < 200 * varied::times() {
        let name = changed(
            format!("{}-new", container.name).into_bytes(),
            &mut random,
            QUERY_PIECES,
        );
        let mut query = format!("name={}", String::from_utf8_lossy(&name));
        if random.one_in(6) {
            query.push_str(random.pick(&[
                "&name=second",
                "&Name=second",
                "&n%61me=second",
                ";name=second",
                "&",
                "&x=y",
            ]));
        }
        let sent = Sent::new(
            "POST",
            &format!("/v1.41/containers/{id}/rename?{query}"),
            b"",
        );
        tally.try_one(&sent, &policies, |sent, _| {
            effect::of_rename(sent, (id, &container.name), &container.daemon)
        });
    }
    let back = format!("/containers/{id}/rename?name={}", container.name);
    let _ = http::request(&container.daemon, "POST", &back, "");
    tally.check("names in queries", 150, 100);
}

pub(super) const PATH_PIECES: &[&str] = &[
    "/", "//", "/./", "/../", "%2F", "%2f", "%2e", "%2E%2E", ".", "..", "%20", "%00", "%25",
    "%252e", "+", "%2B", ";", "%3B", "?", "%3F", "#", "%", "%zz", "%C3%A9", "%ff", "@", ":", "%3A",
    "%40", "v1.41", "/v1.41", "/V1.41", "v01.41", "\\", "%5C", "=", "&", "~", "!", "$", "*", "'",
    "(", ",", "a", "A", "0", "_", "-",
];

pub(super) const QUERY_PIECES: &[&str] = &[
    "+", "%20", "%2B", "%00", "%0a", "%ff", "%C3%A9", "%25", "%", "%zz", "&", ";", "%26", "%3B",
    "=", "%3D", "/", "%2F", "#", "?", ".", "a", "%61", "%4A", "_", "-", "é", "~",
];

/// The text with up to two places changed: a byte encoded, something put in, something gone.
pub(super) fn changed(mut text: Vec<u8>, random: &mut Random, pieces: &[&str]) -> Vec<u8> {
    for _ in 0..random.below(3) {
        let at = random.below(text.len());
        match random.below(6) {
            0..=2 => {
                let encoded = if random.one_in(2) {
                    format!("%{:02x}", text[at])
                } else {
                    format!("%{:02X}", text[at])
                };
                text.splice(at..=at, encoded.into_bytes());
            }
            3 | 4 => {
                let piece = random.pick(pieces);
                text.splice(at..at, piece.bytes());
            }
            _ if text.len() > 1 => drop(text.remove(at)),
            _ => {}
        }
    }
    text
}

/// Parameters with one of the values that each may hold, and now and then something else.
pub(super) fn made_up(parameters: &[(&str, &[&str])], random: &mut Random) -> String {
    let mut pairs = Vec::new();
    for (name, values) in parameters {
        if !random.one_in(3) {
            let pair = format!("{name}={}", random.pick(values)).into_bytes();
            let pair = if random.one_in(3) {
                changed(pair, random, QUERY_PIECES)
            } else {
                pair
            };
            pairs.push(String::from_utf8_lossy(&pair).into_owned());
        }
    }
    if random.one_in(8) {
        pairs.push(
            random
                .pick(&["", "x=y", "NAME=x", "%", "force", "=", "V=1"])
                .to_owned(),
        );
    }
    pairs.join("&")
}

fn query(parameters: &[&str], name: &str, random: &mut Random) -> String {
    let mut query = String::new();
    for _ in 0..=random.below(3) {
        if !query.is_empty() {
            query.push_str(random.pick(&["&", "&", "&", "&", "&&", ";"]));
        }
        let parameter = random.pick(parameters);
        let mut pair = parameter.to_owned();
        pair.push_str(&value(parameter, name, random));
        let pair = if random.one_in(3) {
            changed(pair.into_bytes(), random, QUERY_PIECES)
        } else {
            pair.into_bytes()
        };
        query.push_str(&String::from_utf8_lossy(&pair));
    }
    query
}

/// What Go's readers of booleans take for true, for false, or for nothing.
pub(super) const BOOLEANS: &[&str] = &[
    "1",
    "0",
    "true",
    "false",
    "True",
    "FALSE",
    "no",
    "No",
    "none",
    "NONE",
    "yes",
    "",
    "+0+",
    "%200",
    "0%09",
    "%00",
    "00",
    "0.0",
    "-0",
    "f",
    "off",
    "%EF%BC%90",
    "%C2%A00",
    "%E2%80%830",
    "fal%C5%BFe",
    "%E2%80%8B0",
    "n%6f",
    "%85",
];

fn value(parameter: &str, name: &str, random: &mut Random) -> String {
    const NUMBERS: &[&str] = &[
        "1",
        "0",
        "-1",
        "+1",
        "%2B1",
        "01",
        "1_0",
        "0x1",
        "1e1",
        "1.0",
        "",
        "9223372036854775807",
        "9223372036854775808",
        "-9223372036854775809",
        "+",
        "%D9%A1",
        "2147483648",
        "all",
        "2",
    ];
    match parameter {
        "filters=" => filters(name, random),
        "limit=" | "tail=" | "since=" | "until=" => random.pick(NUMBERS).to_owned(),
        "before=" => name.to_owned(),
        _ => random.pick(BOOLEANS).to_owned(),
    }
}

/// Filters by a label, in both their shapes and in neither.
pub(super) fn filters(name: &str, random: &mut Random) -> String {
    let label = format!("df={name}");
    let text = match random.below(18) {
        0 => format!(r#"{{"label":["{label}"]}}"#),
        1 => format!(r#"{{"label":{{"{label}":true}}}}"#),
        2 => format!(r#"{{"label":{{"{label}":false}}}}"#),
        3 => format!(r#"{{"label":{{"{label}":true}},"name":["x"]}}"#),
        4 => format!(r#"{{"label":["x"],"label":["{label}"]}}"#),
        5 => format!(r#"{{"Label":["{label}"]}}"#),
        6 => format!(r#"{{"label":["{label}"],"status":["running","exited"]}}"#),
        7 => format!(r#"{{"l\u0061bel":["{label}"]}}"#),
        8 => format!(r#"{{"label":["{label}","x"]}}"#),
        9 => format!(r#"{{"label":["{label}"]}}x"#),
        10 => format!(r#"{{"name":["{name}"]}}"#),
        11 => r#"{"label":null}"#.to_owned(),
        12 => "null".to_owned(),
        13 => "{}".to_owned(),
        14 => r#"{"name":[]}"#.to_owned(),
        15 => r#"{"name":{}}"#.to_owned(),
        16 => format!(r#"{{"label":[null,"{label}"]}}"#),
        _ => format!(r#"{{"label":{{"{label}":null}}}}"#),
    };
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || random.one_in(4) && !b"\\&+%;# \"".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}
