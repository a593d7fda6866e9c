//! The refusal cases: requests that `guarded` refuses, each a way to the host or past the gate.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::decision::{
    Decision, Facts, HostFile, Reason, cleaned, decide, facts_of_container, host_paths,
    host_paths_of_container, ordinary_facts,
};
use crate::engine_api::{ApiVersion, EngineRequest, Malformed, RequestHead};
use crate::policy::{self, Policy, ready};

const FILES: &[&str] = &[
    include_str!("../../../tests/refusals/privileges.toml"),
    include_str!("../../../tests/refusals/mounts.toml"),
    include_str!("../../../tests/refusals/host.toml"),
    include_str!("../../../tests/refusals/networks.toml"),
    include_str!("../../../tests/refusals/images.toml"),
    include_str!("../../../tests/refusals/services.toml"),
    include_str!("../../../tests/refusals/paths.toml"),
    include_str!("../../../tests/refusals/quiet.toml"),
    include_str!("../../../tests/refusals/plugins.toml"),
    include_str!("../../../tests/refusals/spellings.toml"),
    include_str!("../../../tests/refusals/swarm.toml"),
    include_str!("../../../tests/refusals/entering.toml"),
    include_str!("../../../tests/refusals/looking.toml"),
];

/// One request, and why `guarded` refuses it.
#[derive(Debug)]
pub(super) struct Case {
    pub(super) name: String,
    written: Written,
    /// At least one.
    pub(super) reasons: Vec<Reason>,
}

/// A case as the data has it; what only the tests need is passed over.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Written {
    name: String,
    #[serde(default)]
    request: String,
    #[serde(default)]
    body: String,
    host_config: Option<String>,
    /// The `HostConfig` of the container that is there before.
    given_host_config: Option<String>,
    malformed: Option<String>,
    in_memory: Option<bool>,
}

#[derive(Debug, Deserialize)]
struct File {
    case: Vec<Written>,
}

/// What policies are compared with.
#[derive(Debug)]
pub(super) struct Baseline {
    pub(super) guarded: Policy,
    pub(super) cases: Vec<Case>,
}

/// Every case that some policy could permit: what cannot be read is refused whatever the policy, and what only a header
/// makes dangerous is not judged here.
///
/// # Errors
/// Where the data or `guarded` cannot be read, which the tests rule out.
pub(super) fn baseline() -> Result<Baseline, String> {
    let text = ready::find(ready::DEFAULT).unwrap_or_default();
    let guarded = policy::compile(ready::DEFAULT, text, &BTreeMap::new());
    let guarded = guarded.map_err(|problems| problems.to_string())?;
    let mut cases = Vec::new();
    for file in FILES {
        let file: File = toml::from_str(file).map_err(|problem| problem.to_string())?;
        let judged = |case: &Written| case.malformed.is_none() && case.in_memory != Some(false);
        cases.extend(file.case.into_iter().filter(judged));
    }
    let refused = cases.into_iter().filter_map(|written| {
        let decision = written.judged(&guarded).ok()?;
        let Decision::Refuse(refusal) = decision else {
            return None;
        };
        Some(Case {
            name: written.name.clone(),
            written,
            reasons: refusal.reasons,
        })
    });
    let cases = refused.collect();
    Ok(Baseline { guarded, cases })
}

impl Case {
    /// What a policy says of the case on a host where every path leads where it says.
    pub(super) fn judged(&self, policy: &Policy) -> Result<Decision, Malformed> {
        self.written.judged(policy)
    }

    /// The request that it is.
    pub(super) fn request(&self) -> Result<EngineRequest, Malformed> {
        self.written.request()
    }
}

impl Written {
    fn judged(&self, policy: &Policy) -> Result<Decision, Malformed> {
        let request = self.request()?;
        let facts = match &self.given_host_config {
            Some(given) => facts_of_container(policy, &request, given)?,
            None => ordinary_facts(policy, &request),
        };
        let mut paths = host_paths(policy, &request);
        for container in facts.containers() {
            paths.append(&mut host_paths_of_container(policy, container));
        }
        let found = paths.into_iter().map(|path| {
            let resolved = cleaned(&path);
            (path, Ok(HostFile::ordinary(resolved)))
        });
        let host_paths = found.collect();
        let facts = Facts {
            host_paths,
            ..facts
        };
        Ok(decide(policy, request, &facts))
    }

    fn request(&self) -> Result<EngineRequest, Malformed> {
        let (line, body) = match &self.host_config {
            Some(host) => (
                "POST /v1.41/containers/create?name={name}",
                format!(r#"{{"Image":"busybox","Cmd":["sleep","60"],"HostConfig":{host}}}"#),
            ),
            None => (self.request.as_str(), self.body.clone()),
        };
        let line = named(line);
        let (method, target) = line.split_once(' ').unwrap_or_default();
        let head = RequestHead::parse(method, target)?;
        head.check_version(ApiVersion::OLDEST, ApiVersion::NEWEST)?;
        head.with_body(named(&body).as_bytes())
    }
}

/// A text with a name put in where the data leaves a place for one.
fn named(text: &str) -> String {
    text.replace("{name}", NAME)
        .replace("{short}", NAME)
        .replace("{exec}", EXEC)
}

const NAME: &str = "example";
const EXEC: &str = "0e0e0e0e0e0e";
