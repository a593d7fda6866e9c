//! From the text of a policy to what a decision reads.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::document::{self, Table};
use super::problem::{Fault, Problems};
use super::value::Value;
use super::{Policy, limits, observe, paths, permit, quiet};

/// Compiles a policy; `name` is its file, or its name where it is a ready one, and `parameters` are what the operator
/// gave for the names in braces.
///
/// # Errors
/// Every problem of the text, each with its place.
pub fn compile(
    name: &str,
    text: &str,
    parameters: &BTreeMap<String, String>,
) -> Result<Policy, Problems> {
    document::read(name, text, |root| {
        let mut policy = Policy {
            name: stem(name).to_owned(),
            ..Policy::default()
        };
        policy.description = description(root);
        if let Some(permits) = root.take(PERMITS_EVERYTHING) {
            policy.permits_everything = permits.boolean().unwrap_or_default();
        }
        if policy.permits_everything {
            refuse_rest(root);
        } else {
            fill(&mut policy, root, parameters);
        }
        policy
    })
}

/// What a policy says of itself; `None` where the text is no policy.
#[must_use]
pub fn describe(text: &str) -> Option<String> {
    let described = document::read("", text, |root| {
        let text = root.take(DESCRIPTION).and_then(Value::text);
        root.take_rest();
        text
    });
    described.ok().flatten()
}

const DESCRIPTION: &str = "description";
const PERMITS_EVERYTHING: &str = "dangerously-permit-everything";

fn description(root: &mut Table<'_>) -> String {
    let help = "say in one line who the policy is for: description = \"…\"";
    let described = root.require(DESCRIPTION, help);
    let checked = described.and_then(|value| {
        value.parsed(|text| match text.trim() {
            "" => Err(Fault::new("empty", "the description is empty").help(help)),
            trimmed => Ok(trimmed.to_owned()),
        })
    });
    checked.unwrap_or_default()
}

fn refuse_rest(root: &mut Table<'_>) {
    for value in root.take_rest() {
        let message = format!(
            "`{}` means nothing beside `{PERMITS_EVERYTHING}`",
            value.key()
        );
        let help = "leave out one of the two; only `description` may stand beside it";
        value.report_key(Fault::new("stands-alone", message).help(help));
    }
}

fn fill(policy: &mut Policy, root: &mut Table<'_>, given: &BTreeMap<String, String>) {
    policy.observes = observe::read(root);
    let parameters = root.take("parameters");
    let parameters = parameters.map_or_else(BTreeMap::new, |names| declared(names, given));
    if let Some(rules) = root.take("permit") {
        for rule in rules.tables(permit::rule) {
            rule.add_to(policy);
        }
    }
    let container = root.section("container", |table| limits::container(table, &parameters));
    policy.container = container;
    policy.network = root.section("network", limits::network);
    policy.volume = root.section("volume", limits::volume);
    policy.image = root.section("image", limits::image);
    policy.build = root.section("build", limits::build);
    policy.swarm = root.section("swarm", limits::swarm);
    policy.secret = root.section("secret", limits::secret);
    policy.config = root.section("config", limits::config);
    policy.plugin = root.section("plugin", limits::plugin);
    policy.service = root.section("service", limits::service);
    policy.quiet = Arc::new(root.section("quiet", quiet::quiet));
}

/// The parameters that the policy names, with what was given for each; `None` stands for a value that is a problem
/// already.
fn declared(
    names: Value<'_>,
    given: &BTreeMap<String, String>,
) -> BTreeMap<String, Option<String>> {
    let mut declared = BTreeMap::new();
    for name in names.items() {
        let place = name.place();
        let Some(name) = name.parsed(paths::parameter_name) else {
            continue;
        };
        let value = match given.get(&name) {
            Some(value) => paths::parameter_value(&name, value),
            None => Err(Fault::new(
                "missing-parameter",
                format!("no value is given for `{name}`"),
            )
            .help(format!("give it with --set {name}=DIRECTORY"))),
        };
        let value = value.map_err(|fault| place.report(fault)).ok();
        declared.insert(name, value);
    }
    declared
}

fn stem(name: &str) -> &str {
    let file = name.rsplit('/').next().unwrap_or(name);
    file.strip_suffix(".toml").unwrap_or(file)
}
