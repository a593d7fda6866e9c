//! `--set NAME=VALUE`: a value for a parameter of a policy.

use crate::policy::paths;

/// Name and value; else what is wrong with them.
pub(super) fn parse(text: &str) -> Result<(String, String), String> {
    let usage = || format!("`{text}` is not NAME=VALUE");
    let (name, value) = text.split_once('=').ok_or_else(usage)?;
    let name = paths::parameter_name(name).map_err(|_| usage())?;
    let fault = |_| format!("`{value}` is not an absolute path, which `{name}` takes");
    let value = paths::parameter_value(&name, value).map_err(fault)?;
    Ok((name, value))
}
