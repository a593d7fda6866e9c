//! What is wrong in a policy or configuration file, and where, shown so that a person can mend it.

use std::fmt;
use std::ops::Range;

/// Every problem of one file, in the order of their places.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems {
    /// The file as the operator named it.
    pub file: String,
    pub problems: Vec<Problem>,
}

/// One problem, with its place in the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Stable, in kebab-case, like `unknown-key`.
    pub code: &'static str,
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
    pub message: String,
    /// What to write instead; empty where there is nothing to say.
    pub help: String,
    /// The line of the text, printable.
    source: String,
    /// How many characters of the line are meant, at least 1.
    width: usize,
}

/// A problem that has no place yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    code: &'static str,
    message: String,
    help: String,
}

impl Fault {
    pub(crate) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            help: String::new(),
        }
    }

    #[must_use]
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = help.into();
        self
    }

    #[cfg(test)]
    pub(crate) fn code(&self) -> &'static str {
        self.code
    }

    /// Gives the fault its place: a range of bytes of `text`.
    pub(crate) fn at(self, text: &str, span: &Range<usize>) -> Problem {
        let before = text.get(..span.start).unwrap_or(text);
        let start_of_line = before.rfind('\n').map_or(0, |at| at + 1);
        let source = text
            .get(start_of_line..)
            .and_then(|rest| rest.lines().next());
        let source: String = source.unwrap_or_default().chars().map(printable).collect();
        let column = before
            .get(start_of_line..)
            .unwrap_or_default()
            .chars()
            .count()
            + 1;
        let rest_of_line = (source.chars().count() + 1).saturating_sub(column);
        let meant = text.get(span.clone()).unwrap_or_default().chars().count();
        Problem {
            code: self.code,
            line: before.matches('\n').count() + 1,
            column,
            message: self.message,
            help: self.help,
            source,
            width: meant.min(rest_of_line).max(1),
        }
    }
}

/// The name among `known` that `written` was most likely meant to be.
pub(crate) fn nearest<'a>(
    written: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    // To measure a text of a client's takes as long as it is; so long a one is near no name.
    const LONGEST: usize = 256;
    let written = Some(written).filter(|written| written.len() <= LONGEST)?;
    let written = written.to_lowercase();
    known
        .into_iter()
        .map(|name| (distance(&written, &name.to_lowercase()), name))
        .filter(|(distance, name)| *distance <= name.chars().count().div_ceil(3))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// A help line for a name that is not among `known`: the nearest one, or all of them.
pub(crate) fn did_you_mean(written: &str, known: &[&str]) -> String {
    nearest(written, known.iter().copied()).map_or_else(
        || format!("one of {}", quoted(known)),
        |name| format!("did you mean `{name}`?"),
    )
}

/// Names in backticks, separated by commas.
pub(crate) fn quoted(names: &[&str]) -> String {
    let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    names.join(", ")
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for problem in &self.problems {
            problem.render(f, &self.file)?;
            writeln!(f)?;
        }
        match self.problems.len() {
            1 => write!(f, "1 problem in {}", self.file),
            count => write!(f, "{count} problems in {}", self.file),
        }
    }
}

impl std::error::Error for Problems {}

impl Problem {
    fn render(&self, f: &mut fmt::Formatter<'_>, file: &str) -> fmt::Result {
        let number = self.line.to_string();
        let margin = " ".repeat(number.len());
        let indent = " ".repeat(self.column - 1);
        let carets = "^".repeat(self.width);
        writeln!(f, "problem[{}]: {}", self.code, self.message)?;
        writeln!(f, "{margin}--> {file}:{}:{}", self.line, self.column)?;
        writeln!(f, "{margin} |")?;
        writeln!(f, "{number} | {}", self.source)?;
        writeln!(f, "{margin} | {indent}{carets}")?;
        if !self.help.is_empty() {
            writeln!(f, "{margin} = help: {}", self.help)?;
        }
        Ok(())
    }
}

/// A file may hold escape sequences for the terminal, and a tab would move the caret.
fn printable(character: char) -> char {
    match character {
        '\t' => ' ',
        character if character.is_control() => char::REPLACEMENT_CHARACTER,
        character => character,
    }
}

/// How many letters must be put in, left out, replaced or swapped with their neighbour.
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=to.len()).collect();
    let mut previous = None;
    for (row, letter) in from.chars().enumerate() {
        let mut current = vec![row + 1];
        for (column, wanted) in to.iter().enumerate() {
            let at =
                |row: &[usize], column: usize| row.get(column).copied().unwrap_or(usize::MAX - 1);
            let replaced = at(&last, column) + usize::from(letter != *wanted);
            let mut best = replaced
                .min(at(&last, column + 1) + 1)
                .min(at(&current, column) + 1);
            let neighbour = column.checked_sub(1).and_then(|column| to.get(column));
            if previous == Some(*wanted) && neighbour == Some(&letter) {
                best = best.min(at(&before_last, column - 1) + 1);
            }
            current.push(best);
        }
        previous = Some(letter);
        before_last = std::mem::replace(&mut last, current);
    }
    last.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_the_letters_that_differ() {
        for (from, to, expected) in [
            ("", "abc", 3),
            ("abc", "", 3),
            ("abc", "abc", 0),
            ("abc", "axc", 1),
            ("abc", "acb", 1),
            ("kitten", "sitting", 3),
        ] {
            assert_eq!(distance(from, to), expected, "{from} {to}");
        }
    }

    #[test]
    fn suggests_what_is_near_and_nothing_else() {
        let known = ["privileged", "capabilities", "icc"];
        assert_eq!(nearest("privilegd", known), Some("privileged"));
        assert_eq!(nearest("Capabilites", known), Some("capabilities"));
        assert_eq!(nearest("idd", known), None);
        assert_eq!(nearest("memory", known), None);
    }

    #[test]
    fn places_a_fault_by_line_and_character() {
        let text = "a = 'é'\nb = 'é' # x\n";
        let start = text.rfind('\'').unwrap();
        let problem = Fault::new("code", "message").at(text, &(start..start + 5));
        assert_eq!((problem.line, problem.column), (2, 7));
        assert_eq!(problem.width, 5);
    }

    #[test]
    fn marks_no_more_than_the_line() {
        let problem = Fault::new("code", "message").at("ab\ncd", &(1..5));
        assert_eq!((problem.line, problem.column, problem.width), (1, 2, 1));
        let at_end = Fault::new("code", "message").at("ab\n", &(3..3));
        assert_eq!((at_end.line, at_end.column, at_end.width), (2, 1, 1));
    }

    #[test]
    fn shows_no_control_character() {
        let problem = Fault::new("code", "message").at("a\t= '\u{1b}[31m'", &(0..1));
        assert_eq!(problem.source, "a = '\u{fffd}[31m'");
    }
}
