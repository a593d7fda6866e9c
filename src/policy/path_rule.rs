//! Rules for paths that no operation has: `[[permit]] methods = […]` and `path = "…"`.

use regex::Regex;

use super::PathRule;
use super::problem::{Fault, quoted};
use super::value::Value;
use crate::engine_api::Operation;

pub(super) fn path_rule(methods: Option<Value<'_>>, path: Option<Value<'_>>) -> Option<PathRule> {
    let methods = methods.and_then(|value| value.list(method));
    let path = path.and_then(|value| {
        let line = value.line();
        Some((value.parsed(path_expression)?, line))
    });
    let (methods, (path, line)) = methods.zip(path)?;
    Some(PathRule {
        methods,
        path,
        line,
    })
}

fn method(text: &str) -> Result<String, Fault> {
    if METHODS.contains(&text) {
        return Ok(text.to_owned());
    }
    let message = format!("no method is named `{text}`");
    let help = format!("one of {}", quoted(METHODS));
    Err(Fault::new("unknown-method", message).help(help))
}

const METHODS: &[&str] = &["GET", "HEAD", "POST", "PUT", "DELETE"];

/// Compiles an expression for paths, which must begin with a name that no operation begins with.
///
/// What follows the name is compiled by itself and then as a group, so that no alternative in it stands for a path
/// that begins otherwise.
fn path_expression(text: &str) -> Result<Regex, Fault> {
    let not_one = |error: &regex::Error| {
        let text = error.to_string();
        let reason = text.lines().last().unwrap_or_default().trim();
        Fault::new("not-an-expression", reason.trim_start_matches("error: "))
    };
    let beginning = Regex::new(BEGINNING).map_err(|error| not_one(&error))?;
    let Some(parts) = beginning.captures(text) else {
        let help = "begin with one name, written out, as in `/v[0-9.]+/libpod/info`";
        return Err(
            Fault::new("path-beginning", "the expression may begin with any name").help(help),
        );
    };
    let part = |name| parts.name(name).map_or("", |part| part.as_str());
    let (name, rest) = (part("name"), part("rest"));
    if begins_an_operation(name) {
        let message = format!("paths under `/{name}` are operations of the Engine API");
        return Err(Fault::new("engine-path", message).help("permit those with `operations`"));
    }
    Regex::new(rest).map_err(|error| not_one(&error))?;
    let whole = format!(r"\A{}/{}(?:{rest})\z", part("version"), regex::escape(name));
    let compiled = regex::RegexBuilder::new(&whole)
        .size_limit(COMPILED_LIMIT)
        .build();
    compiled.map_err(|error| not_one(&error))
}

/// A version, which may be missing, and a name without anything that has a meaning in an expression.
///
/// A name like `v1` is none, since the daemon reads it as a version.
const BEGINNING: &str = r"(?x) \A
    (?<version>
        /v (?: (?: \[0-9 (?: \\?\. )? \] | \\d | \\\. | [0-9] ) [+*]? )+ |
        \( (?: \?: )? /v (?: (?: \[0-9 (?: \\?\. )? \] | \\d | \\\. | [0-9] ) [+*]? )+ \)\?
    )?
    / (?<name> [A-Za-uw-z0-9_~-][A-Za-z0-9_~-]* | v (?: [A-Za-z_~-][A-Za-z0-9_~-]* )? )
    (?<rest> (?: /.* )? ) \z";

/// Memory that one compiled expression may take, in bytes.
const COMPILED_LIMIT: usize = 1 << 20;

fn begins_an_operation(name: &str) -> bool {
    Operation::all().any(|operation| {
        let mut segments = operation.spec().path.split('/');
        segments.nth(1) == Some(name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> &'static str {
        path_expression(text).map_or_else(|fault| fault.code(), |_| "")
    }

    #[test]
    fn a_path_is_anchored_and_begins_with_its_name() {
        let path = path_expression("/v[0-9.]+/libpod/(info|version)").unwrap();
        assert!(path.is_match("/v4.0.0/libpod/info"));
        assert!(!path.is_match("/v4.0.0/libpod/infos"));
        assert!(!path.is_match("/x/v4.0.0/libpod/info"));
        let path = path_expression(r"(?:/v\d+\.\d+)?/libpod/.*").unwrap();
        assert!(path.is_match("/libpod/info") && path.is_match("/v4.0/libpod/info"));
    }

    #[test]
    fn refuses_paths_of_operations_by_every_spelling() {
        for text in [
            "/containers/json",
            "/v[0-9.]+/containers/.*",
            "/v1/containers/json",
            "(/v[0-9.]+)?/images/json",
            "/_ping",
            "/build",
        ] {
            assert_eq!(code(text), "engine-path", "{text}");
        }
    }

    #[test]
    fn refuses_a_beginning_that_could_stand_for_any_name() {
        for text in [
            "",
            ".*",
            "/.*",
            "libpod/info",
            "/(libpod|containers)/json",
            "/contain(ers)/json",
            "/containers?/json",
            "/v.*/libpod",
            "/v1.41/(containers)/json",
            "/v1/(containers)/json",
            "/v1",
            "(?x)/libpod",
            "/[c]ontainers/json",
            "//containers/json",
            "/libpod|/containers/json",
            "/libpod/\n",
        ] {
            assert_eq!(code(text), "path-beginning", "{text}");
        }
    }

    #[test]
    fn an_alternative_stays_below_the_name() {
        let path = path_expression("/libpod/info|/containers/json").unwrap();
        assert!(!path.is_match("/containers/json"));
        assert!(path.is_match("/libpod/containers/json"));
        assert_eq!(code("/libpod/a)|(?:/containers/json"), "not-an-expression");
        assert_eq!(code("/libpod/(?x)a # )"), "not-an-expression");
    }
}
