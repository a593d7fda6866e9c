//! The change that a refusal names is one that permits the request.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use dockgate::decision::{
    Decision, Facts, HostFile, Refusal, decide, host_paths, host_paths_of_container,
};
use dockgate::engine_api::RequestHead;
use dockgate::policy::{self, ready};
use toml::{Table, Value};

use super::case::{self, Case};

#[test]
fn the_changes_that_a_refusal_names_permit_the_request() {
    let (mut wrong, mut tried) = (Vec::new(), 0);
    for case in case::all()
        .iter()
        .filter(|case| case.in_memory && case.malformed.is_none())
    {
        let text = case.policy.as_deref().unwrap_or(ready::DEFAULT);
        let text = ready::find(text).unwrap_or(text);
        let Ok(Decision::Refuse(refusal)) = judged(case, text) else {
            continue;
        };
        if refusal
            .reasons
            .iter()
            .any(|reason| reason.remedy.is_empty() || reason.code == "unknown-operation")
        {
            continue;
        }
        tried += 1;
        let Some(changed) = changed(text, &refusal) else {
            wrong.push(format!(
                "{}: no policy has {:?}",
                case.name, refusal.reasons
            ));
            continue;
        };
        match judged(case, &changed) {
            Ok(Decision::Permit(_)) => {}
            Ok(Decision::Refuse(again)) => wrong.push(format!("{}: {again}", case.name)),
            Err(problem) => wrong.push(format!("{}: {problem}", case.name)),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(tried >= 280, "{tried} refusals name a change");
}

/// Judges a case under a policy's text, on a host where every path leads where it says.
fn judged(case: &Case, text: &str) -> Result<Decision, String> {
    let policy = policy::compile("changed.toml", text, &BTreeMap::new());
    let policy = policy.map_err(|problems| problems.to_string())?;
    let (method, target) = case.line("rf-x");
    let request =
        RequestHead::parse(&method, &target).and_then(|head| head.with_body(&case.bytes("rf-x")));
    let request = request.map_err(|fault| fault.to_string())?;
    let facts = case.facts(&policy, &request);
    let facts = facts.map_err(|fault| fault.to_string())?;
    let mut paths = host_paths(&policy, &request);
    for container in facts.containers() {
        paths.append(&mut host_paths_of_container(&policy, container));
    }
    let found = paths.into_iter();
    let found = found.map(|path| (path.clone(), Ok(HostFile::ordinary(path))));
    let host_paths = found.collect();
    let facts = Facts {
        host_paths,
        ..facts
    };
    Ok(decide(&policy, request, &facts))
}

/// The policy with every change made that the refusal names.
fn changed(text: &str, refusal: &Refusal) -> Option<String> {
    let mut policy: Table = toml::from_str(text).unwrap();
    for reason in &refusal.reasons {
        let quoted: Vec<&str> = reason.remedy.split('`').skip(1).step_by(2).collect();
        match *quoted.as_slice() {
            [change, section] => set(&mut policy, section, change)?,
            [item, key, section] if section.starts_with('[') && key != "operations" => {
                set(&mut policy, section, &format!("{key} = [{item}]"))?;
            }
            [operation, "operations", "[[permit]]"] => {
                let rule: Table = toml::from_str(&format!("operations = [{operation}]")).unwrap();
                policy
                    .get_mut("permit")
                    .unwrap()
                    .as_array_mut()
                    .unwrap()
                    .push(Value::Table(rule));
            }
            _ => panic!("a remedy in another form: {}", reason.remedy),
        }
    }
    Some(written(&policy))
}

fn set(policy: &mut Table, section: &str, change: &str) -> Option<()> {
    let section = section.trim_matches(['[', ']']);
    let change: Table = toml::from_str(change).ok()?;
    let table = policy
        .entry(section)
        .or_insert_with(|| Value::Table(Table::new()));
    let table = table.as_table_mut().unwrap();
    for (key, value) in change {
        match (table.get_mut(&key), value) {
            (Some(Value::Array(old)), Value::Array(new)) => old.extend(new),
            (_, value) => {
                table.insert(key, value);
            }
        }
    }
    Some(())
}

fn written(policy: &Table) -> String {
    let mut text = String::new();
    let (tables, values): (Vec<_>, Vec<_>) = policy
        .iter()
        .partition(|(key, value)| value.is_table() || key.as_str() == "permit");
    for (key, value) in values {
        writeln!(text, "{key} = {}", inline(value)).unwrap();
    }
    for (key, value) in tables {
        if let Some(table) = value.as_table() {
            writeln!(text, "[{key}]\n{}", lines(table)).unwrap();
        }
        for rule in value.as_array().into_iter().flatten() {
            writeln!(text, "[[{key}]]\n{}", lines(rule.as_table().unwrap())).unwrap();
        }
    }
    text
}

fn lines(table: &Table) -> String {
    table
        .iter()
        .map(|(key, value)| format!("{key} = {}\n", inline(value)))
        .collect()
}

fn inline(value: &Value) -> String {
    match value {
        Value::String(text) => format!("{text:?}"),
        Value::Array(items) => format!(
            "[{}]",
            items.iter().map(inline).collect::<Vec<_>>().join(", ")
        ),
        Value::Table(table) => {
            let members = table
                .iter()
                .map(|(key, value)| format!("{key} = {}", inline(value)));
            format!("{{ {} }}", members.collect::<Vec<_>>().join(", "))
        }
        Value::Integer(number) => number.to_string(),
        Value::Boolean(value) => value.to_string(),
        Value::Float(_) | Value::Datetime(_) => panic!("no policy has {value:?}"),
    }
}
