//! Text patterns of policies: exact, `*` for any run of characters, or `regex:` anchored at both ends.

/// A compiled pattern.
#[derive(Debug, Clone)]
pub struct Pattern(regex::Regex);

/// Why a pattern cannot be read.
#[derive(Debug, Clone, thiserror::Error)]
pub enum PatternError {
    #[error("an empty pattern matches nothing")]
    Empty,
    #[error("not a regular expression: {0}")]
    Expression(String),
}

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// [`PatternError`] for an empty text or an expression that does not compile.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        if text.is_empty() {
            return Err(PatternError::Empty);
        }
        let expression = match text.strip_prefix("regex:") {
            Some(expression) => format!(r"\A(?:{expression})\z"),
            None => format!(
                r"\A(?s:{})\z",
                text.split('*')
                    .map(regex::escape)
                    .collect::<Vec<_>>()
                    .join(".*")
            ),
        };
        regex::RegexBuilder::new(&expression)
            .size_limit(1 << 20)
            .build()
            .map(Self)
            .map_err(|error| PatternError::Expression(error.to_string()))
    }

    /// Whether the whole of `text` fits.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        self.0.is_match(text)
    }
}
