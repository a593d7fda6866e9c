//! `mode = "observe"`: a policy that is tried on live requests, and refuses none of them.

use std::sync::Arc;

use super::document::Table;
use super::problem::Fault;
use super::{Line, Policy, ready};

/// Which policy holds in place of the one that observes.
#[derive(Debug, Clone)]
pub struct Observing {
    /// A ready policy by its name, or a path, which is relative to the file of the policy that observes.
    pub fallback: String,
    pub line: Line,
    /// Set by [`Policy::fall_back`]; until then the policy that observes holds itself.
    policy: Option<Arc<Policy>>,
}

impl Policy {
    /// Lets `fallback` hold in place of a policy that observes.
    ///
    /// # Errors
    /// What is wrong with `fallback`, for a person: it observes itself, or forwards requests unread, so that there
    /// would be nothing to observe.
    pub fn fall_back(&mut self, fallback: Arc<Self>) -> Result<(), String> {
        let Some(observing) = &mut self.observes else {
            return Ok(());
        };
        if fallback.observes.is_some() {
            let message = "the policy that is fallen back on observes itself, so none would hold";
            return Err(message.to_owned());
        }
        if fallback.permits_everything {
            let message = "the policy that is fallen back on forwards requests unread, so there is nothing to observe";
            return Err(message.to_owned());
        }
        observing.policy = Some(fallback);
        Ok(())
    }

    /// The policy that holds, and beside it the one that only observes.
    #[must_use]
    pub fn in_force(policy: &Arc<Self>) -> (Arc<Self>, Option<Arc<Self>>) {
        let fallback = policy.observes.as_ref().and_then(|one| one.policy.as_ref());
        match fallback {
            Some(fallback) => (Arc::clone(fallback), Some(Arc::clone(policy))),
            None => (Arc::clone(policy), None),
        }
    }
}

pub(super) fn read(root: &mut Table<'_>) -> Option<Observing> {
    let mode = root.take("mode");
    let observes = mode
        .and_then(|value| value.parsed(mode_named))
        .unwrap_or_default();
    if !observes {
        if let Some(fallback) = root.take("fallback") {
            let message = "`fallback` means nothing without `mode = \"observe\"`";
            fallback.report_key(Fault::new("wrong-place", message).help("leave it out"));
        }
        return None;
    }
    let help = "which policy holds meanwhile: fallback = \"guarded\"";
    let fallback = root.require("fallback", help)?;
    let line = fallback.line();
    Some(Observing {
        fallback: fallback.parsed(reference)?,
        line,
        policy: None,
    })
}

/// Whether it is the one that observes.
fn mode_named(text: &str) -> Result<bool, Fault> {
    match text {
        "observe" => Ok(true),
        "enforce" => Ok(false),
        _ => {
            let message = format!("`{text}` is not a mode of a policy");
            Err(Fault::new("unknown-value", message)
                .help("`enforce`, which is the default, or `observe`"))
        }
    }
}

fn reference(text: &str) -> Result<String, Fault> {
    let is_path = text.contains('/') || text.ends_with(".toml");
    if is_path || ready::find(text).is_some() {
        return Ok(text.to_owned());
    }
    let message = format!("no ready policy is named `{text}`");
    let help = "`dockgate policies` lists them; a path contains `/` or ends with `.toml`";
    Err(Fault::new("unknown-policy", message).help(help))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::policy::compile;

    fn policy(text: &str) -> Policy {
        compile("x", &format!("description = 'x'\n{text}"), &BTreeMap::new()).unwrap()
    }

    fn codes(text: &str) -> Vec<&'static str> {
        let text = format!("description = 'x'\n{text}");
        let problems = compile("x", &text, &BTreeMap::new()).unwrap_err();
        problems.problems.iter().map(|one| one.code).collect()
    }

    #[test]
    fn the_fallback_holds_once_it_is_there_and_the_policy_itself_until_then() {
        let mut tight = policy("mode = 'observe'\nfallback = 'guarded'");
        let (holds, observes) = Policy::in_force(&Arc::new(tight.clone()));
        assert!(holds.observes.is_some() && observes.is_none());
        tight
            .fall_back(Arc::new(policy("mode = 'enforce'")))
            .unwrap();
        let (holds, observes) = Policy::in_force(&Arc::new(tight));
        assert!(holds.observes.is_none() && observes.is_some());
    }

    #[test]
    fn nothing_that_observes_or_reads_nothing_is_fallen_back_on() {
        let mut tight = policy("mode = 'observe'\nfallback = './a.toml'");
        let other = Arc::new(tight.clone());
        assert!(tight.fall_back(other).is_err());
        let open = Arc::new(policy("dangerously-permit-everything = true"));
        assert!(tight.fall_back(open).is_err());
    }

    #[test]
    fn a_mode_is_known_and_complete() {
        assert_eq!(codes("mode = 'watch'"), ["unknown-value"]);
        assert_eq!(codes("mode = 'observe'"), ["missing-key"]);
        assert_eq!(codes("fallback = 'guarded'"), ["wrong-place"]);
        assert_eq!(
            codes("mode = 'observe'\nfallback = 'gaurded'"),
            ["unknown-policy"]
        );
        let both = "dangerously-permit-everything = true\nmode = 'observe'\nfallback = 'guarded'";
        assert_eq!(codes(both), ["stands-alone", "stands-alone"]);
    }
}
