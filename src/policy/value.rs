//! A value of a file: what it is read as, and the problem where it is something else.

use std::ops::{Range, RangeInclusive};

use toml::Spanned;
use toml::de::{DeString, DeValue};

use super::Line;
use super::document::{Document, Table};
use super::problem::Fault;

/// A value, with its own place and that of its key.
#[derive(Debug)]
pub(crate) struct Value<'d> {
    document: &'d Document<'d>,
    key: String,
    key_span: Range<usize>,
    span: Range<usize>,
    value: DeValue<'d>,
}

impl<'d> Value<'d> {
    pub(super) fn new(
        document: &'d Document<'d>,
        key: Spanned<DeString<'d>>,
        value: Spanned<DeValue<'d>>,
    ) -> Self {
        Self {
            document,
            key_span: key.span(),
            key: key.into_inner().into_owned(),
            span: value.span(),
            value: value.into_inner(),
        }
    }

    pub(crate) fn boolean(self) -> Option<bool> {
        if let DeValue::Boolean(value) = &self.value {
            return Some(*value);
        }
        let is_text = matches!(self.value, DeValue::String(_));
        let help = if is_text {
            "write it without quotes"
        } else {
            ""
        };
        self.wrong_type("`true` or `false`", help)
    }

    pub(crate) fn text(self) -> Option<String> {
        match &self.value {
            DeValue::String(text) => Some(text.to_string()),
            DeValue::Array(_) | DeValue::Table(_) => self.wrong_type("a text", ""),
            DeValue::Boolean(_)
            | DeValue::Integer(_)
            | DeValue::Float(_)
            | DeValue::Datetime(_) => self.wrong_type("a text", "write it in quotes"),
        }
    }

    /// A text that stands for something else; what `parse` says against it is a problem at its place.
    pub(crate) fn parsed<T>(self, parse: impl FnOnce(&str) -> Result<T, Fault>) -> Option<T> {
        let (document, span) = (self.document, self.span.clone());
        match parse(&self.text()?) {
            Ok(value) => Some(value),
            Err(fault) => {
                document.report(fault, &span);
                None
            }
        }
    }

    pub(crate) fn number(self, range: RangeInclusive<u64>) -> Option<u64> {
        let DeValue::Integer(integer) = &self.value else {
            return self.wrong_type("a whole number", "");
        };
        let number = u64::from_str_radix(integer.as_str(), integer.radix()).ok();
        let within = number.filter(|number| range.contains(number));
        if within.is_none() {
            let message = format!("`{}` is out of range", self.key);
            let help = format!("from {} to {}", range.start(), range.end());
            self.report(Fault::new("out-of-range", message).help(help));
        }
        within
    }

    /// A number or a text, its digits as they are written: for what may have a fraction or a unit.
    pub(crate) fn written(self, expected: &str) -> Option<String> {
        match &self.value {
            DeValue::String(text) => Some(text.to_string()),
            DeValue::Integer(integer) if integer.radix() == 10 => Some(integer.as_str().to_owned()),
            DeValue::Float(float) => Some(float.as_str().to_owned()),
            DeValue::Integer(_)
            | DeValue::Boolean(_)
            | DeValue::Datetime(_)
            | DeValue::Array(_)
            | DeValue::Table(_) => self.wrong_type(expected, ""),
        }
    }

    /// The items of a list; a value that is no list is a problem.
    pub(crate) fn items(self) -> Vec<Self> {
        let DeValue::Array(items) = self.value else {
            let _: Option<()> = self.wrong_type("a list", "write it as [\"…\", \"…\"]");
            return Vec::new();
        };
        let item = |(index, item): (usize, Spanned<DeValue<'d>>)| Value {
            document: self.document,
            key: format!("{}[{index}]", self.key),
            key_span: self.key_span.clone(),
            span: item.span(),
            value: item.into_inner(),
        };
        items.into_iter().enumerate().map(item).collect()
    }

    /// A list of texts, each of which stands for something else.
    pub(crate) fn list<T>(self, parse: impl Fn(&str) -> Result<T, Fault>) -> Option<Vec<T>> {
        let items = self.items().into_iter();
        Some(items.filter_map(|item| item.parsed(&parse)).collect())
    }

    /// A table, named as messages should say; what `read` does not take from it is a problem.
    pub(crate) fn table<T>(self, name: &str, read: impl FnOnce(&mut Table<'d>) -> T) -> Option<T> {
        let DeValue::Table(entries) = self.value else {
            return self.wrong_type("a table", "write it as { … = … }");
        };
        Some(self.document.table(name, self.span, entries).read(read))
    }

    /// The tables of `[[name]]`.
    pub(crate) fn tables<T>(self, read: impl Fn(&mut Table<'d>) -> T) -> Vec<T> {
        let name = format!("[[{}]]", self.key);
        if !matches!(self.value, DeValue::Array(_)) {
            let help = format!("write `{name}`");
            let _: Option<()> = self.wrong_type("a list of tables", &help);
            return Vec::new();
        }
        let items = self.items().into_iter();
        items.filter_map(|item| item.table(&name, &read)).collect()
    }

    /// The key, as it is written.
    pub(crate) fn key(&self) -> &str {
        &self.key
    }

    /// The line of the key.
    pub(crate) fn line(&self) -> Line {
        self.document.line_of(self.key_span.start)
    }

    /// The line of the value, which in a list of several lines is not that of its key.
    pub(crate) fn own_line(&self) -> Line {
        self.document.line_of(self.span.start)
    }

    /// A problem of the value.
    pub(crate) fn report(&self, fault: Fault) {
        self.document.report(fault, &self.span);
    }

    /// A problem of the key.
    pub(crate) fn report_key(&self, fault: Fault) {
        self.document.report(fault, &self.key_span);
    }

    /// A way to report a problem of this value after it was taken apart.
    pub(crate) fn place(&self) -> Place<'d> {
        Place {
            document: self.document,
            span: self.span.clone(),
        }
    }

    fn wrong_type<T>(&self, expected: &str, help: &str) -> Option<T> {
        let found = match &self.value {
            DeValue::String(_) => "a text",
            DeValue::Integer(_) | DeValue::Float(_) => "a number",
            DeValue::Boolean(_) => "`true` or `false`",
            DeValue::Datetime(_) => "a date",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
        };
        let message = format!("`{}` takes {expected}, and this is {found}", self.key);
        self.report(Fault::new("wrong-type", message).help(help));
        None
    }
}

/// Where a value stands.
#[derive(Debug, Clone)]
pub(crate) struct Place<'d> {
    document: &'d Document<'d>,
    span: Range<usize>,
}

impl Place<'_> {
    pub(crate) fn report(&self, fault: Fault) {
        self.document.report(fault, &self.span);
    }

    pub(crate) fn line(&self) -> Line {
        self.document.line_of(self.span.start)
    }
}
