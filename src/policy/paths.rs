//! Paths of the host as policies write them, and the parameters that they begin with.

use std::collections::BTreeMap;

use super::problem::{Fault, nearest};

/// An absolute path that has one spelling only; a slash at the end is left out.
pub(crate) fn absolute_path(text: &str) -> Result<String, Fault> {
    let Some(relative) = text.strip_prefix('/') else {
        let message = format!("`{text}` is not an absolute path");
        return Err(Fault::new("not-a-path", message).help("begin with `/`"));
    };
    let relative = match relative.strip_suffix('/') {
        Some(shorter) if !shorter.is_empty() => shorter,
        Some(_) | None => relative,
    };
    let is_clean = |part: &str| !matches!(part, "" | "." | "..");
    if !(relative.is_empty() || relative.split('/').all(is_clean)) {
        let message = format!("`{text}` has an empty part, `.` or `..`");
        return Err(Fault::new("not-a-path", message).help("write the path that is meant"));
    }
    if text.chars().any(char::is_control) {
        return Err(Fault::new("not-a-path", "the path has a control character"));
    }
    Ok(format!("/{relative}"))
}

/// A path on the host that may begin with a parameter; `None` where the parameter's value is a problem already.
pub(super) fn host_path(
    text: &str,
    parameters: &BTreeMap<String, Option<String>>,
) -> Result<Option<String>, Fault> {
    let parts = text.strip_prefix('{').and_then(|rest| rest.split_once('}'));
    let Some((name, rest)) = parts else {
        if text.contains(['{', '}']) {
            let fault = Fault::new(
                "not-a-path",
                "a parameter is not at the beginning of the path",
            );
            return Err(fault.help("a parameter stands for a whole directory: {name}/below"));
        }
        return absolute_path(text).map(Some);
    };
    let Some(value) = parameters.get(name) else {
        let names: Vec<_> = parameters.keys().map(String::as_str).collect();
        let help = match nearest(name, names) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("name it at the top of the policy: parameters = [\"{name}\"]"),
        };
        let message = format!("the policy has no parameter `{name}`");
        return Err(Fault::new("unknown-parameter", message).help(help));
    };
    match rest {
        "" | "/" => Ok(value.clone()),
        rest => {
            let below = absolute_path(rest)?;
            Ok(value.as_ref().map(|value| format!("{value}{below}")))
        }
    }
}

/// The name of a parameter: small letters, digits and hyphens, a letter first.
pub(crate) fn parameter_name(text: &str) -> Result<String, Fault> {
    let is_name = |letter: char| matches!(letter, 'a'..='z' | '0'..='9' | '-');
    if text.starts_with(|first: char| first.is_ascii_lowercase()) && text.chars().all(is_name) {
        return Ok(text.to_owned());
    }
    let message = format!("`{text}` is not the name of a parameter");
    Err(Fault::new("not-a-name", message).help("small letters, digits and `-`, a letter first"))
}

/// What was given for a parameter: a directory of the host, not the root.
pub(crate) fn parameter_value(name: &str, value: &str) -> Result<String, Fault> {
    let refused = |why: &str| {
        let message = format!("the value of `{name}` is `{value}`, {why}");
        let help = format!("give a directory: --set {name}=/path/of/the/directory");
        Err(Fault::new("not-a-path", message).help(help))
    };
    match absolute_path(value).as_deref() {
        Ok("/") => refused("which is the whole host"),
        Ok(path) if path.contains(['{', '}']) => refused("which has a brace"),
        Ok(path) => Ok(path.to_owned()),
        Err(_) => refused("which is not an absolute path without `.`, `..` and empty parts"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_has_one_spelling() {
        assert_eq!(absolute_path("/").unwrap(), "/");
        assert_eq!(absolute_path("/srv/a/").unwrap(), "/srv/a");
        for text in [
            "", "srv", "//", "/srv//a", "/srv/./a", "/srv/..", "/..", "/srv//", "/a\nb",
        ] {
            assert!(absolute_path(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_parameter_stands_for_a_whole_directory() {
        let parameters = BTreeMap::from([
            ("project".to_owned(), Some("/srv/p".to_owned())),
            ("faulty".to_owned(), None),
        ]);
        let path = |text| host_path(text, &parameters);
        assert_eq!(path("{project}").unwrap().unwrap(), "/srv/p");
        assert_eq!(path("{project}/a/").unwrap().unwrap(), "/srv/p/a");
        assert_eq!(path("{faulty}/a").unwrap(), None);
        assert_eq!(path("{projct}").unwrap_err().code(), "unknown-parameter");
        for text in [
            "{project}-evil",
            "{project}/..",
            "/srv/{project}",
            "{project}{project}",
            "{",
        ] {
            assert_eq!(path(text).unwrap_err().code(), "not-a-path", "{text}");
        }
    }

    #[test]
    fn the_value_of_a_parameter_is_a_directory_of_the_host() {
        assert_eq!(parameter_value("p", "/srv/p/").unwrap(), "/srv/p");
        for value in ["", "p", "./p", "/", "//", "/srv/..", "/srv/{p}"] {
            assert!(parameter_value("p", value).is_err(), "{value}");
        }
    }
}
