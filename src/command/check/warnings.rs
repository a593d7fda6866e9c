//! What works in a policy otherwise than it looks: rules that add nothing, paths that stay closed, and what is dangerous
//! by its name.

use std::collections::BTreeSet;

use crate::decision::{PROTECTED, lies_in};
use crate::policy::document;
use crate::policy::permit;
use crate::policy::value::Value;
use crate::policy::{HostPath, Limit, Line, Pattern, Policy, Published};

use super::effect;
use super::finding::Finding;
use super::keys::Entry;
use super::{quiet, undone};

/// Every warning of a policy that compiles.
pub(super) fn warnings(policy: &Policy, text: &str) -> Vec<Finding> {
    let mut found = effect::without_effect(policy);
    found.extend(quiet::without_effect(policy));
    found.extend(rules_that_add_nothing(text));
    found.extend(path_rules(policy));
    found.extend(undone::undone(policy));
    found.extend(entries(policy));
    found.extend(host_paths(&policy.container.host_paths));
    found.extend(unused_parameters(text));
    found.extend(unread_plugins(&policy.plugin.creates_unread));
    found
}

/// The line of `dangerously-permit-everything`.
pub(super) fn line_of_everything(text: &str) -> Line {
    let read = document::read("", text, |root| {
        let key = root.take("dangerously-permit-everything");
        root.take_rest();
        key.map_or(0, |key| key.line())
    });
    read.unwrap_or_default()
}

fn rules_that_add_nothing(text: &str) -> Vec<Finding> {
    let (mut named, mut found) = (BTreeSet::new(), Vec::new());
    for (line, operations) in permit::rules(text) {
        let adds = operations
            .iter()
            .any(|operation| !named.contains(operation));
        named.extend(operations);
        if !adds {
            let message = "every operation of this [[permit]] stands in an earlier one";
            found.push(Finding::warning(line, "adds-nothing", message));
        }
    }
    found
}

fn path_rules(policy: &Policy) -> impl Iterator<Item = Finding> + '_ {
    policy.paths.iter().map(|rule| {
        let methods = rule.methods.join(", ");
        let message = format!("{methods} by path: query and body of such a request go on unread");
        Finding::warning(rule.line, "path-rule", message)
    })
}

fn unread_plugins(creates: &Limit<bool>) -> Option<Finding> {
    creates.value.then(|| {
        let message =
            "`dangerously-create-unread`: whoever may create and enable a plugin is root on the host";
        Finding::warning(creates.line, "dangerous", message)
    })
}

/// Entries of a list that another one holds already.
fn entries(policy: &Policy) -> Vec<Finding> {
    let (container, network) = (&policy.container, &policy.network);
    let lists: [&Limit<Vec<Pattern>>; 19] = [
        &container.images,
        &container.networks,
        &container.sysctls,
        &container.runtimes,
        &container.cgroup_parents,
        &container.log_drivers,
        &container.annotations,
        &container.volume_drivers,
        &container.links,
        &network.drivers,
        &network.options,
        &policy.volume.drivers,
        &policy.image.references,
        &policy.swarm.addresses,
        &policy.swarm.remotes,
        &policy.secret.drivers,
        &policy.plugin.references,
        &policy.plugin.privileges,
        &policy.plugin.settings,
    ];
    let published = &container.published;
    let mut found: Vec<Finding> = lists
        .into_iter()
        .flat_map(|list| held(list, Pattern::covers))
        .collect();
    found.extend(held(published, publishes));
    found
}

fn held<T: Entry>(list: &Limit<Vec<T>>, covers: impl Fn(&T, &T) -> bool) -> Vec<Finding> {
    let items = &list.value;
    let mut found = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let holds = |(other, wider): &(usize, &T)| {
            // Of two that hold each other, the first stays.
            *other != index && covers(wider, item) && (*other < index || !covers(item, wider))
        };
        if let Some((_, wider)) = items.iter().enumerate().find(holds) {
            let message = format!(
                "`{}` opens nothing beside `{}`",
                item.written(),
                wider.written()
            );
            found.push(Finding::warning(list.line, "adds-nothing", message));
        }
    }
    found
}

pub(super) fn publishes(wider: &Published, narrower: &Published) -> bool {
    (wider.address.is_none() || wider.address == narrower.address)
        && wider.first <= narrower.first
        && narrower.last <= wider.last
}

fn host_paths(setting: &Limit<Vec<HostPath>>) -> Vec<Finding> {
    let beneath = |wider: &HostPath, narrower: &HostPath| {
        let is_protected = PROTECTED
            .iter()
            .any(|protected| lies_in(&narrower.path, protected));
        !is_protected
            && lies_in(&narrower.path, &wider.path)
            && (wider.is_writable || !narrower.is_writable)
            && (wider.has_subpaths || !narrower.has_subpaths)
            && (wider.has_set_user_id || !narrower.has_set_user_id)
    };
    let mut found = held(setting, beneath);
    for HostPath {
        path,
        is_writable,
        has_set_user_id,
        ..
    } in &setting.value
    {
        if *has_set_user_id && *is_writable {
            let message = format!(
                "whoever can run programs from `{path}` on the host is trusted like root there (`set-user-id`)"
            );
            found.push(Finding::warning(setting.line, "dangerous", message));
        } else if *has_set_user_id {
            let message =
                format!("`set-user-id` says nothing of `{path}`, which is not opened for writing");
            found.push(Finding::warning(setting.line, "no-effect", message));
        }
        let within = PROTECTED.iter().find(|protected| lies_in(path, protected));
        let around = PROTECTED.iter().find(|protected| lies_in(protected, path));
        if let Some(protected) = within {
            let message =
                format!("no policy opens `{protected}`, so `{path}` can never be mounted");
            found.push(Finding::warning(setting.line, "never-used", message));
        } else if let Some(protected) = around {
            let message = format!(
                "`{path}` holds `{protected}`, which no policy opens, so only what lies beside that can be mounted"
            );
            found.push(Finding::warning(setting.line, "partly-used", message));
        }
    }
    found
}

fn unused_parameters(text: &str) -> Vec<Finding> {
    let unused = |(name, line): (String, Line)| {
        let message = format!("no path names the parameter `{name}`");
        let is_used =
            text.contains(&format!("\"{{{name}}}")) || text.contains(&format!("'{{{name}}}"));
        (!is_used).then(|| Finding::warning(line, "no-effect", message))
    };
    parameters(text).into_iter().filter_map(unused).collect()
}

/// The parameters that a policy declares, with their lines.
pub(super) fn parameters(text: &str) -> Vec<(String, Line)> {
    let read = document::read("", text, |root| {
        let items = root.take("parameters").map(Value::items);
        root.take_rest();
        let named = |item: Value<'_>| {
            let line = item.own_line();
            item.text().map(|name| (name, line))
        };
        items.into_iter().flatten().filter_map(named).collect()
    });
    read.unwrap_or_default()
}
