//! `dockgate check`: what policies and configurations open, and what in them is wrong or has no effect.

mod cases;
mod clients;
mod closed;
mod configuration;
mod effect;
mod finding;
mod keys;
mod observed;
mod openings;
mod quiet;
mod undone;
mod warnings;

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;

use clap::Args;

use crate::config::{Config, PolicyReference};
use crate::policy::document;
use crate::policy::{self, Policy, ready};

use super::parameter;
use cases::Baseline;
use finding::{Checked, Finding, Kind, Report};

/// Says for each policy which requests it permits that `guarded` refuses, and by which line.
#[derive(Debug, Args)]
pub struct CheckArguments {
    /// Ready policies by name, and files of policies and configurations.
    #[arg(required = true, value_name = "POLICY|CONFIG")]
    files: Vec<String>,
    /// End with 1 where anything is found.
    #[arg(long)]
    strict: bool,
    /// Write one JSON object instead of lines.
    #[arg(long)]
    json: bool,
    /// A value for a parameter of the policies; without one, a directory of its name stands in.
    #[arg(long, value_name = "NAME=VALUE")]
    set: Vec<String>,
}

/// Checks every file and says what was found: 0, 1 where that is something and `--strict` is given, 2 for a wrong
/// command line, 78 where a file has a problem.
#[must_use]
pub fn run(arguments: &CheckArguments) -> ExitCode {
    let report = match report(arguments) {
        Ok(report) => report,
        Err(usage) => {
            let _ = writeln!(io::stderr(), "dockgate: {usage}");
            return ExitCode::from(2);
        }
    };
    let written = if arguments.json {
        report.write_json(&mut io::stdout().lock())
    } else {
        report.write(&mut io::stdout().lock(), &mut io::stderr().lock())
    };
    if written.is_err() {
        return ExitCode::FAILURE;
    }
    if report.has_problems() {
        return ExitCode::from(78);
    }
    ExitCode::from(u8::from(arguments.strict && report.has_findings()))
}

fn report(arguments: &CheckArguments) -> Result<Report, String> {
    let given = arguments.set.iter().map(|text| parameter::parse(text));
    let given: BTreeMap<_, _> = given.collect::<Result<_, _>>()?;
    let references = arguments.files.iter().map(|text| {
        PolicyReference::parse(text, Path::new("")).map_err(|unknown| unknown.to_string())
    });
    let references: Vec<_> = references.collect::<Result<_, _>>()?;
    let baseline = cases::baseline()?;
    let check = Check { baseline, given };
    let files = references.iter().flat_map(|file| check.file(file));
    Ok(Report {
        files: files.collect(),
        cases: check.baseline.cases.len(),
    })
}

/// What every file is checked with.
struct Check {
    baseline: Baseline,
    given: BTreeMap<String, String>,
}

impl Check {
    /// A file, and the policies that it names where it is a configuration.
    fn file(&self, reference: &PolicyReference) -> Vec<Checked> {
        let name = reference.to_string();
        let text = match text_of(reference) {
            Ok(text) => text,
            Err(error) => return vec![Checked::unreadable(&name, Kind::Policy, &error)],
        };
        if is_configuration(&text) {
            return self.configuration(&name, &text);
        }
        // Which directory it will be is no matter of the policy's.
        let stand_ins = warnings::parameters(&text).into_iter();
        let mut parameters: BTreeMap<String, String> = stand_ins
            .map(|(name, _)| (name.clone(), format!("/srv/{name}")))
            .collect();
        parameters.extend(self.given.clone());
        self.policy(reference, &text, (&parameters, None))
    }

    fn configuration(&self, name: &str, text: &str) -> Vec<Checked> {
        let config = match Config::parse(name, text, None) {
            Ok(config) => config,
            Err(problems) => return vec![Checked::faulty(name, Kind::Configuration, &problems)],
        };
        let findings = configuration::warnings(&config);
        let mut checked = vec![Checked::found(name, Kind::Configuration, findings)];
        let mut parameters = config.parameters.clone();
        parameters.extend(self.given.clone());
        for reference in configuration::policies(&config) {
            match text_of(&reference) {
                Ok(text) => {
                    let found = self.policy(&reference, &text, (&parameters, Some(&config)));
                    checked.extend(found);
                }
                Err(error) => {
                    let name = reference.to_string();
                    checked.push(Checked::unreadable(&name, Kind::Policy, &error));
                }
            }
        }
        checked
    }

    /// A policy, and before it the one that holds in its place where it only observes.
    fn policy(
        &self,
        reference: &PolicyReference,
        text: &str,
        (parameters, config): (&BTreeMap<String, String>, Option<&Config>),
    ) -> Vec<Checked> {
        let name = reference.to_string();
        let policy = match policy::compile(&name, text, parameters) {
            Err(problems) => return vec![Checked::faulty(&name, Kind::Policy, &problems)],
            Ok(policy) => policy,
        };
        let mut findings = self.findings(&policy, text);
        findings.extend(config.and_then(|config| configuration::unseen_paths(config, &policy)));
        let unjudged = config.filter(|_| policy.permits_everything);
        findings.extend(unjudged.and_then(|config| configuration::unjudged(config, reference)));
        let Some(observing) = policy.observes.clone() else {
            return vec![Checked::found(&name, Kind::Policy, findings)];
        };
        match observed::fallback(reference, policy, parameters) {
            Err(cause) => vec![Checked::wrong(&name, observing.line, &cause)],
            Ok((fallback, holds, text)) => {
                findings.push(observed::finding(&observing));
                let mut holding = self.findings(&holds, &text);
                holding
                    .extend(config.and_then(|config| configuration::unseen_paths(config, &holds)));
                vec![
                    Checked::found(&fallback, Kind::Policy, holding),
                    Checked::found(&name, Kind::Policy, findings),
                ]
            }
        }
    }

    fn findings(&self, policy: &Policy, text: &str) -> Vec<Finding> {
        if policy.permits_everything {
            let line = warnings::line_of_everything(text);
            let message = "permits every request unread, and so every refusal case";
            let mut everything = Finding::warning(line, "dangerous", message);
            let cases = self.baseline.cases.iter();
            everything.cases = cases.map(|case| case.name.clone()).collect();
            return vec![everything];
        }
        let mut findings = openings::openings(policy, &self.baseline);
        findings.extend(warnings::warnings(policy, text));
        findings
    }
}

fn text_of(reference: &PolicyReference) -> io::Result<String> {
    match reference {
        PolicyReference::Ready(name) => Ok(ready::find(name).unwrap_or_default().to_owned()),
        PolicyReference::File(path) => fs::read_to_string(path),
    }
}

/// Whether the keys are those of a configuration; a text that is not TOML is taken for a policy, as either reader says
/// the same of it.
fn is_configuration(text: &str) -> bool {
    let keys = document::read("", text, |root| {
        let rest = root.take_rest();
        let keys: Vec<String> = rest.iter().map(|value| value.key().to_owned()).collect();
        keys
    });
    let keys = keys.unwrap_or_default();
    let has = |names: &[&str]| keys.iter().any(|key| names.contains(&key.as_str()));
    let is_policy = has(&["description", "permit", "container", "network", "image"]);
    !is_policy
        && has(&[
            "daemon", "listener", "client", "policy", "limits", "audit", "api", "admin", "reload",
        ])
}
