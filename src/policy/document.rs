//! A TOML file as it was written: tables and values with their places, read so that every problem is found.

use std::cell::RefCell;
use std::ops::Range;

use toml::de::DeTable;

use super::Line;
use super::problem::{Fault, Problem, Problems, did_you_mean};
use super::value::Value;

/// Reads a whole file; `read` takes what it knows from the root table, and what it leaves is a problem.
///
/// # Errors
/// Every problem of the file. A file that is not TOML has no other problems yet.
pub(crate) fn read<T>(
    file: &str,
    text: &str,
    read: impl FnOnce(&mut Table<'_>) -> T,
) -> Result<T, Problems> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let document = Document {
        text,
        problems: RefCell::default(),
    };
    let value = document
        .parse()
        .map(|entries| document.root(entries).read(read));
    let mut problems: Vec<_> = document.problems.into_inner();
    problems.sort_by_key(|(at, _)| *at);
    let problems: Vec<_> = problems.into_iter().map(|(_, problem)| problem).collect();
    match value {
        Some(value) if problems.is_empty() => Ok(value),
        Some(_) | None => Err(Problems {
            file: file.to_owned(),
            problems,
        }),
    }
}

/// The text of a file, and the problems found in it so far.
#[derive(Debug)]
pub(super) struct Document<'t> {
    text: &'t str,
    problems: RefCell<Vec<(usize, Problem)>>,
}

impl<'t> Document<'t> {
    fn parse(&self) -> Option<DeTable<'t>> {
        let (root, mut errors) = DeTable::parse_recoverable(self.text);
        if errors.is_empty() {
            return Some(root.into_inner());
        }
        errors.sort_by_key(|error| error.span().map_or(usize::MAX, |span| span.start));
        // One slip makes the parser stumble over much of what follows, so only the first is worth showing; a
        // repeated key does not.
        let rest = errors.split_off(1);
        let repeated = rest.iter().filter(|error| error.message() == REPEATED_KEY);
        for error in errors.iter().chain(repeated) {
            let end = self.text.len();
            let span = error.span().unwrap_or(end..end);
            let fault = match error.message() {
                REPEATED_KEY => Fault::new("syntax", "this key stands here a second time"),
                message => Fault::new("syntax", format!("not TOML: {message}")),
            };
            self.report(fault, &span);
        }
        None
    }

    fn root<'d>(&'d self, entries: DeTable<'d>) -> Table<'d> {
        let mut root = self.table("the file", 0..0, entries);
        root.line = 0;
        root
    }

    /// A table that `read` has not taken anything from yet.
    pub(super) fn table<'d>(
        &'d self,
        name: &str,
        span: Range<usize>,
        entries: DeTable<'d>,
    ) -> Table<'d> {
        let entries = entries.into_iter();
        Table {
            document: self,
            name: name.to_owned(),
            line: self.line_of(span.start),
            span,
            entries: entries
                .map(|(key, value)| Value::new(self, key, value))
                .collect(),
            known: Vec::new(),
        }
    }

    pub(super) fn report(&self, fault: Fault, span: &Range<usize>) {
        let problem = fault.at(self.text, span);
        self.problems.borrow_mut().push((span.start, problem));
    }

    pub(super) fn line_of(&self, offset: usize) -> Line {
        let before = self.text.get(..offset).unwrap_or(self.text);
        before.matches('\n').count() + 1
    }
}

/// A table whose keys are taken one by one.
#[derive(Debug)]
pub(crate) struct Table<'d> {
    document: &'d Document<'d>,
    name: String,
    span: Range<usize>,
    line: Line,
    entries: Vec<Value<'d>>,
    known: Vec<&'static str>,
}

impl<'d> Table<'d> {
    /// Gives the table to `read`; what is left afterwards is a problem.
    pub(super) fn read<T>(mut self, read: impl FnOnce(&mut Self) -> T) -> T {
        let value = read(&mut self);
        for entry in std::mem::take(&mut self.entries) {
            let message = format!("{} has no key `{}`", self.name, entry.key());
            let help = did_you_mean(entry.key(), &self.known);
            entry.report_key(Fault::new("unknown-key", message).help(help));
        }
        value
    }

    /// The value of a key that need not be there.
    pub(crate) fn take(&mut self, key: &'static str) -> Option<Value<'d>> {
        self.known.push(key);
        let at = self.entries.iter().position(|entry| entry.key() == key)?;
        Some(self.entries.swap_remove(at))
    }

    /// The value of a key that must be there; else that is a problem.
    pub(crate) fn require(&mut self, key: &'static str, help: &str) -> Option<Value<'d>> {
        let value = self.take(key);
        if value.is_none() {
            let message = format!("{} has no `{key}`, which it must have", self.name);
            self.report(Fault::new("missing-key", message).help(help));
        }
        value
    }

    /// The table under `key`, or what it is where there is none.
    pub(crate) fn section<T: Default>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&mut Table<'_>) -> T,
    ) -> T {
        let value = self.take(key);
        let table = value.and_then(|value| value.table(&format!("[{key}]"), read));
        table.unwrap_or_default()
    }

    /// All that was not taken yet, whatever the keys.
    pub(crate) fn take_rest(&mut self) -> Vec<Value<'d>> {
        std::mem::take(&mut self.entries)
    }

    /// A problem of the table as a whole.
    pub(crate) fn report(&self, fault: Fault) {
        self.document.report(fault, &self.span);
    }

    /// The line of the table's header, 0 for the whole file.
    pub(crate) fn line(&self) -> Line {
        self.line
    }
}

const REPEATED_KEY: &str = "duplicate key";
