//! Which texts a pattern of a policy or configuration stands for.

use std::fmt;
use std::str::FromStr;

use regex::{Regex, RegexBuilder};

/// The longest pattern that is read, in bytes.
pub const PATTERN_LIMIT: usize = 4096;

/// A text as written in a policy: an exact text, a text with `*` wildcards, or `regex:` and an expression.
///
/// `*` stands for any run of characters, none included, whatever the characters are. An expression is anchored at
/// both ends. Letters match in their own case.
#[derive(Clone, Debug)]
pub struct Pattern {
    text: String,
    form: Form,
}

impl Pattern {
    /// Compiles a pattern; an empty or overlong one and an expression that cannot stand alone are errors.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        if text.is_empty() {
            return Err(PatternError::Empty);
        }
        if text.len() > PATTERN_LIMIT {
            return Err(PatternError::TooLong);
        }
        let form = match text.strip_prefix(REGEX_PREFIX) {
            Some(expression) => Form::Expression(anchored(expression)?),
            None => wildcards(text),
        };
        Ok(Self {
            text: text.to_owned(),
            form,
        })
    }

    /// Whether the whole of `text` is what this pattern stands for; linear in the length of `text`.
    pub fn matches(&self, text: &str) -> bool {
        match &self.form {
            Form::Exact => self.text == text,
            Form::Wildcards {
                first,
                middle,
                last,
            } => {
                let Some(mut rest) = text.strip_prefix(first.as_str()) else {
                    return false;
                };
                for part in middle {
                    // The leftmost place leaves the most text for the parts that follow, so no other need be tried.
                    let Some((_, after)) = rest.split_once(part.as_str()) else {
                        return false;
                    };
                    rest = after;
                }
                rest.ends_with(last.as_str())
            }
            Form::Expression(regex) => regex.is_match(text),
        }
    }

    /// Whether whatever `narrower` stands for, this pattern stands for too; `false` where that does not show in their
    /// texts.
    #[must_use]
    pub fn covers(&self, narrower: &Self) -> bool {
        if self.text == narrower.text || self.text == "*" {
            return true;
        }
        match (&self.form, &narrower.form) {
            (_, Form::Exact) => self.matches(&narrower.text),
            (
                Form::Wildcards {
                    first,
                    middle,
                    last,
                },
                Form::Wildcards { first: begins, .. },
            ) => middle.is_empty() && last.is_empty() && begins.starts_with(first.as_str()),
            (Form::Exact | Form::Wildcards { .. } | Form::Expression(_), _) => false,
        }
    }

    /// The expression, where it is one.
    #[must_use]
    pub fn expression(&self) -> Option<&str> {
        self.text.strip_prefix(REGEX_PREFIX)
    }

    /// Whether it is an expression, whose text shows little of what it stands for.
    #[must_use]
    pub fn is_expression(&self) -> bool {
        matches!(self.form, Form::Expression(_))
    }

    /// The pattern as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl FromStr for Pattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        Self::parse(text)
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Pattern {}

/// Why a text is not a pattern.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum PatternError {
    #[error("an empty pattern matches nothing")]
    Empty,
    #[error("the pattern is longer than {PATTERN_LIMIT} bytes")]
    TooLong,
    #[error("not a regular expression: {0}")]
    NotAnExpression(String),
}

#[derive(Clone, Debug)]
enum Form {
    Exact,
    Wildcards {
        first: String,
        middle: Vec<String>,
        last: String,
    },
    Expression(Regex),
}

fn wildcards(text: &str) -> Form {
    let mut parts = text.split('*').map(str::to_owned);
    let first = parts.next().unwrap_or_default();
    let Some(last) = parts.next_back() else {
        return Form::Exact;
    };
    Form::Wildcards {
        first,
        middle: parts.filter(|part| !part.is_empty()).collect(),
        last,
    }
}

fn anchored(expression: &str) -> Result<Regex, PatternError> {
    // `a)|(?:b` is no expression by itself, but would become two half-anchored ones inside the group.
    compile(expression)?;
    compile(&format!("^(?:{expression})$"))
}

fn compile(expression: &str) -> Result<Regex, PatternError> {
    RegexBuilder::new(expression)
        .size_limit(COMPILED_LIMIT)
        .build()
        .map_err(|error| {
            // The error draws the expression over several lines; its last line is the reason.
            let text = error.to_string();
            let reason = text.lines().last().unwrap_or_default();
            PatternError::NotAnExpression(reason.trim_start_matches("error: ").to_owned())
        })
}

const REGEX_PREFIX: &str = "regex:";

/// Memory that one compiled expression may take, in bytes.
const COMPILED_LIMIT: usize = 1 << 20;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn matches(pattern: &str, text: &str) -> bool {
        Pattern::parse(pattern).unwrap().matches(text)
    }

    #[test]
    fn an_exact_pattern_matches_itself_only() {
        assert!(matches("ci-1", "ci-1"));
        assert!(!matches("ci-1", "ci-12"));
        assert!(!matches("ci-1", "CI-1"));
        assert!(!matches("a.c", "abc"));
    }

    #[test]
    fn a_star_matches_any_run_and_the_ends_are_held() {
        assert!(matches("ci-*", "ci-"));
        assert!(matches("ci-*", "ci-a/b\n"));
        assert!(!matches("ci-*", "xci-1"));
        assert!(matches("*.example", "a.b.example"));
        assert!(!matches("*.example", "a.example.org"));
        assert!(matches("a*b*c", "a-b-b-c"));
        assert!(!matches("a*b*c", "a-c-b"));
        assert!(matches("**", ""));
    }

    #[test]
    fn wildcard_parts_never_share_characters() {
        assert!(!matches("ab*ba", "aba"));
        assert!(!matches("a*a*a", "aa"));
        assert!(matches("a*a*a", "aaa"));
    }

    #[test]
    fn an_expression_is_anchored_at_both_ends() {
        assert!(matches("regex:a|b", "a"));
        assert!(!matches("regex:a|b", "xb"));
        assert!(!matches("regex:a|b", "ax"));
        assert!(!matches("regex:a", "a\n"));
        assert!(!matches("regex:(?m)a", "b\na\nb"));
    }

    #[test]
    fn an_expression_cannot_leave_its_anchors() {
        for pattern in ["regex:a)|(?:b", "regex:(?x)a # )$", "regex:(", "regex:\\"] {
            assert!(Pattern::parse(pattern).is_err(), "{pattern}");
        }
    }

    #[test]
    fn refuses_empty_overlong_and_oversized_patterns() {
        assert_eq!(Pattern::parse(""), Err(PatternError::Empty));
        assert_eq!(
            Pattern::parse(&"a".repeat(PATTERN_LIMIT + 1)),
            Err(PatternError::TooLong)
        );
        assert!(Pattern::parse("regex:((a{1000}){1000}){1000}").is_err());
    }

    fn slow(pattern: &[char], text: &[char]) -> bool {
        match (pattern.split_first(), text.split_first()) {
            (None, None) => true,
            (None, Some(_)) => false,
            (Some(('*', rest)), _) => {
                slow(rest, text) || text.split_first().is_some_and(|(_, t)| slow(pattern, t))
            }
            (Some((wanted, rest)), Some((given, t))) => wanted == given && slow(rest, t),
            (Some(_), None) => false,
        }
    }

    proptest! {
        #[test]
        fn wildcards_agree_with_the_plain_definition(pattern in "[ab*]{1,8}", text in "[ab]{0,10}") {
            let by_definition = slow(
                &pattern.chars().collect::<Vec<_>>(),
                &text.chars().collect::<Vec<_>>(),
            );
            prop_assert_eq!(matches(&pattern, &text), by_definition);
        }

        #[test]
        fn a_covering_pattern_matches_whatever_the_narrower_does(
            wider in "[ab*]{1,4}",
            narrower in "[ab*]{1,5}",
            filling in "[ab]{0,3}",
        ) {
            let text = narrower.replace('*', &filling);
            let parse = |text| Pattern::parse(text).unwrap();
            prop_assert!(matches(&narrower, &text));
            let covers = parse(&wider).covers(&parse(&narrower));
            prop_assert!(!covers || matches(&wider, &text), "{wider} {narrower} {text}");
        }
    }

    #[test]
    fn covers_what_shows_in_the_texts() {
        let covers = |wider, narrower| {
            Pattern::parse(wider)
                .unwrap()
                .covers(&Pattern::parse(narrower).unwrap())
        };
        for (wider, narrower) in [
            ("*", "regex:a"),
            ("a*", "ab*"),
            ("*b", "ab"),
            ("regex:a+", "aa"),
        ] {
            assert!(covers(wider, narrower), "{wider} {narrower}");
        }
        for (wider, narrower) in [
            ("ab*", "a*"),
            ("a*", "regex:ab"),
            ("a", "a*"),
            ("a*b", "a*"),
        ] {
            assert!(!covers(wider, narrower), "{wider} {narrower}");
        }
    }
}
