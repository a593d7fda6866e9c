//! The cases as they stand in the data, with the short forms written out.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use dockgate::decision::{Facts, facts_of_container, ordinary_facts};
use dockgate::engine_api::{EngineRequest, Malformed};
use dockgate::policy::Policy;
use serde::Deserialize;

use crate::support::archive;

/// One request that is refused, with what it would do at the daemon.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Case {
    /// Unlike any other's.
    pub(super) name: String,
    /// `METHOD TARGET`; `{name}` stands for a name of this case's own, `{short}` for one of at most 15 letters, `{exec}` for
    /// the id of a given exec instance.
    #[serde(default)]
    pub(super) request: String,
    #[serde(default)]
    pub(super) headers: Vec<String>,
    /// The bytes of the body; `<ff>` stands for a byte.
    #[serde(default)]
    pub(super) body: String,
    /// In place of a request and a body: the `HostConfig` of a `ContainerCreate`.
    host_config: Option<String>,
    /// In place of a body: an archive of these files.
    #[serde(default)]
    tar: BTreeMap<String, String>,
    /// The text of a policy in place of `guarded`.
    pub(super) policy: Option<String>,
    /// The codes of all reasons, in the order of the alphabet.
    #[serde(default)]
    pub(super) refuse: Vec<String>,
    /// The code of the fault, where the request cannot be read.
    pub(super) malformed: Option<String>,
    /// What is there before, made past the gate: `container`, `running`, `paused`, `exec` (in a container that runs),
    /// `image`, `network`, `volume`, `plugin`.
    #[serde(default)]
    pub(super) given: Vec<String>,
    /// The `HostConfig` of the given container, where that is not empty.
    pub(super) given_host_config: Option<String>,
    pub(super) effect: Option<Effect>,
    pub(super) direct: Direct,
    /// Why the daemon does not do it, or is not asked.
    pub(super) why: Option<String>,
    /// Whether a daemon that has a swarm, or could have one, takes it past the gate, so that it shows there.
    #[serde(default)]
    pub(super) in_swarm: bool,
    /// `false` where it takes a header that the model does not see; the gate may then permit what is left.
    #[serde(default = "yes")]
    pub(super) in_memory: bool,
}

/// What shows at the daemon that the request took effect.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Effect {
    /// The path of an object at the daemon, the container `{name}` unless told otherwise.
    #[serde(default = "container")]
    pub(super) at: String,
    /// Where in the object (RFC 6901).
    #[serde(default)]
    pub(super) pointer: String,
    /// What stands there.
    pub(super) is: Option<serde_json::Value>,
    /// That something stands there.
    #[serde(default)]
    pub(super) exists: bool,
    /// That there is no such object any more.
    #[serde(default)]
    pub(super) is_gone: bool,
}

/// What the daemon does when it gets the request past the gate.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Direct {
    /// The effect is there.
    Works,
    /// An answer of 400 and more.
    Refused,
    /// Another answer, and no effect.
    Ignored,
    /// Not sent.
    Untried,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    case: Vec<Case>,
    /// Texts of policies by the names that the cases of this file give them.
    #[serde(default)]
    policies: BTreeMap<String, String>,
}

/// Every case, and the file it stands in.
///
/// # Panics
/// Where a file cannot be read, with the place.
pub(super) fn all() -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/refusals");
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "toml"))
        .collect();
    files.sort();
    let read = |path: &Path| {
        let text = fs::read_to_string(path).unwrap();
        let file: File =
            toml::from_str(&text).unwrap_or_else(|problem| panic!("{}: {problem}", path.display()));
        let File { case, policies } = file;
        case.into_iter().map(move |case| Case {
            policy: case
                .policy
                .map(|name| policies.get(&name).cloned().unwrap_or(name)),
            ..case
        })
    };
    files
        .iter()
        .flat_map(|path| read(path))
        .map(Case::written_out)
        .collect()
}

impl Case {
    fn written_out(mut self) -> Self {
        if let Some(host_config) = self.host_config.take() {
            self.request = "POST /v1.41/containers/create?name={name}".to_owned();
            self.body =
                format!(r#"{{"Image":"busybox","Cmd":["sleep","60"],"HostConfig":{host_config}}}"#);
        }
        self
    }

    /// Method and target with names put in.
    pub(super) fn line(&self, name: &str) -> (String, String) {
        let line = named(&self.request, name);
        let (method, target) = line
            .split_once(' ')
            .unwrap_or_else(|| panic!("{}: no request", self.name));
        (method.to_owned(), target.to_owned())
    }

    /// The bytes of the body with names put in.
    pub(super) fn bytes(&self, name: &str) -> Vec<u8> {
        if !self.tar.is_empty() {
            let named = |(path, text): (&String, &String)| (path.clone(), named(text, name));
            return archive::of(&self.tar.iter().map(named).collect());
        }
        let text = named(&self.body, name);
        let mut bytes = Vec::new();
        let mut rest = text.as_str();
        while let Some((before, after)) = rest.split_once('<') {
            bytes.extend(before.as_bytes());
            match (
                after.get(..2).map(|digits| u8::from_str_radix(digits, 16)),
                after.get(2..3),
            ) {
                (Some(Ok(byte)), Some(">")) => {
                    bytes.push(byte);
                    rest = &after[3..];
                }
                _ => {
                    bytes.push(b'<');
                    rest = after;
                }
            }
        }
        bytes.extend(rest.as_bytes());
        bytes
    }

    /// The request as it goes over the wire.
    pub(super) fn wire(&self, name: &str) -> Vec<u8> {
        let ((method, target), body) = (self.line(name), self.bytes(name));
        let mut head = format!("{method} {target} HTTP/1.1\r\nHost: docker\r\n");
        let has = |header: &str| {
            let name = |line: &String| line.split(':').next().unwrap().eq_ignore_ascii_case(header);
            self.headers.iter().any(name)
        };
        for line in &self.headers {
            head.push_str(line);
            head.push_str("\r\n");
        }
        if !has("content-type") {
            head.push_str("Content-Type: application/json\r\n");
        }
        if !has("connection") {
            head.push_str("Connection: close\r\n");
        }
        head.push_str(&format!("Content-Length: {}\r\n\r\n", body.len()));
        [head.into_bytes(), body].concat()
    }

    /// What the gate would be told of what the request refers to.
    pub(super) fn facts(
        &self,
        policy: &Policy,
        request: &EngineRequest,
    ) -> Result<Facts, Malformed> {
        match &self.given_host_config {
            Some(given) => facts_of_container(policy, request, given),
            None => Ok(ordinary_facts(policy, request)),
        }
    }

    pub(super) fn expected_codes(&self) -> Vec<String> {
        self.malformed
            .clone()
            .map_or_else(|| self.refuse.clone(), |code| vec![code])
    }
}

/// A text with the name of a case put in.
pub(super) fn named(text: &str, name: &str) -> String {
    let short: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    let short = &short[short.len().saturating_sub(12)..];
    text.replace("{name}", name)
        .replace("{short}", &format!("rf{short}"))
        .replace("{exec}", "0e0e0e0e0e0e")
}

fn container() -> String {
    "/containers/{name}/json".to_owned()
}

fn yes() -> bool {
    true
}
