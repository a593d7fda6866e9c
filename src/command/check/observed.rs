//! A policy that observes: what holds in its place.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::config::PolicyReference;
use crate::policy::{self, Observing, Policy};

use super::finding::Finding;
use super::text_of;

/// The name, the policy and the text of what `policy` falls back on; what is wrong with that, for a person.
pub(super) fn fallback(
    reference: &PolicyReference,
    mut policy: Policy,
    parameters: &BTreeMap<String, String>,
) -> Result<(String, Arc<Policy>, String), String> {
    let written = policy.observes.as_ref().map(|one| one.fallback.clone());
    let fallback = reference
        .fallback(&written.unwrap_or_default())
        .map_err(|unknown| unknown.to_string())?;
    let name = fallback.to_string();
    let text = text_of(&fallback).map_err(|error| format!("cannot read `{name}`: {error}"))?;
    let compiled = policy::compile(&name, &text, parameters);
    let compiled = Arc::new(compiled.map_err(|problems| problems.to_string())?);
    policy.fall_back(Arc::clone(&compiled))?;
    Ok((name, compiled, text))
}

/// That nothing in the policy is refused yet.
pub(super) fn finding(observing: &Observing) -> Finding {
    let fallback = &observing.fallback;
    let message = format!(
        "refuses nothing that `{fallback}` permits; what it would have refused is recorded"
    );
    Finding::warning(observing.line, "observes", message)
}
