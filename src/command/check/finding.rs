//! What a check finds, and how it is shown: one line each, or one JSON object.

use std::io::{self, Write};

use serde::Serialize;

use crate::policy::{Line, Problems};

/// Everything that was found.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    /// How many refusal cases each policy was held against.
    pub(super) cases: usize,
    pub(super) files: Vec<Checked>,
}

/// What was found in one file.
#[derive(Debug, Serialize)]
pub(super) struct Checked {
    /// As the operator or a configuration names it.
    pub(super) file: String,
    pub(super) kind: Kind,
    pub(super) problems: Vec<Problem>,
    pub(super) findings: Vec<Finding>,
    /// The problems as they are shown to a person.
    #[serde(skip)]
    pub(super) shown: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Kind {
    Policy,
    Configuration,
}

/// Why the gate would not start with this file.
#[derive(Debug, Serialize)]
pub(super) struct Problem {
    code: String,
    /// 0 where the file could not be read.
    line: Line,
    column: usize,
    message: String,
    help: String,
}

/// Something that works, and that an operator should know.
#[derive(Debug, Serialize, PartialEq, Eq)]
pub(super) struct Finding {
    /// 0 where no line says it.
    pub(super) line: Line,
    /// `opens` with the code of a refusal, or the code of a warning.
    pub(super) code: String,
    pub(super) opens: bool,
    pub(super) message: String,
    /// The refusal cases that are permitted, by name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) cases: Vec<String>,
}

impl Finding {
    pub(super) fn warning(line: Line, code: &str, message: impl Into<String>) -> Self {
        Self {
            line,
            code: code.to_owned(),
            opens: false,
            message: message.into(),
            cases: Vec::new(),
        }
    }

    /// Cases that the line lets through which `guarded` refuses for this reason.
    pub(super) fn opening(line: Line, code: &str, cases: Vec<String>) -> Self {
        let first = cases.first().map(String::as_str).unwrap_or_default();
        let message = match cases.len() {
            1 => first.to_owned(),
            count => format!("{first}, and {} more", count - 1),
        };
        Self {
            line,
            code: code.to_owned(),
            opens: true,
            message,
            cases,
        }
    }

    /// A key that opens something which `guarded` does not, and which no case has.
    pub(super) fn narrow_opening(line: Line, key: &str, shown: &str) -> Self {
        Self {
            opens: true,
            ..Self::warning(line, key, format!("{shown}, which no refusal case has"))
        }
    }
}

impl Checked {
    pub(super) fn found(file: &str, kind: Kind, mut findings: Vec<Finding>) -> Self {
        findings.sort_by(|a, b| (a.line, &a.code).cmp(&(b.line, &b.code)));
        Self {
            file: file.to_owned(),
            kind,
            problems: Vec::new(),
            findings,
            shown: String::new(),
        }
    }

    pub(super) fn faulty(file: &str, kind: Kind, problems: &Problems) -> Self {
        let of = |problem: &crate::policy::Problem| Problem {
            code: problem.code.to_owned(),
            line: problem.line,
            column: problem.column,
            message: problem.message.clone(),
            help: problem.help.clone(),
        };
        Self {
            problems: problems.problems.iter().map(of).collect(),
            shown: problems.to_string(),
            ..Self::found(file, kind, Vec::new())
        }
    }

    /// A policy that compiles, and cannot be used as it is.
    pub(super) fn wrong(file: &str, line: Line, cause: &str) -> Self {
        Self {
            shown: format!("{file}:{line}: {cause}"),
            problems: vec![Problem {
                code: "fallback".to_owned(),
                line,
                column: 1,
                message: cause.to_owned(),
                help: String::new(),
            }],
            ..Self::found(file, Kind::Policy, Vec::new())
        }
    }

    pub(super) fn unreadable(file: &str, kind: Kind, error: &io::Error) -> Self {
        let message = format!("cannot read `{file}`: {error}");
        Self {
            shown: message.clone(),
            problems: vec![Problem {
                code: "unreadable".to_owned(),
                line: 0,
                column: 0,
                message,
                help: String::new(),
            }],
            ..Self::found(file, kind, Vec::new())
        }
    }
}

impl Report {
    pub(super) fn has_problems(&self) -> bool {
        self.files.iter().any(|file| !file.problems.is_empty())
    }

    pub(super) fn has_findings(&self) -> bool {
        self.files.iter().any(|file| !file.findings.is_empty())
    }

    /// One object and a line's end.
    pub(super) fn write_json(&self, out: &mut impl Write) -> io::Result<()> {
        serde_json::to_writer(&mut *out, self)?;
        writeln!(out)
    }

    /// One line for each finding, `complaints` for the problems.
    pub(super) fn write(
        &self,
        out: &mut impl Write,
        complaints: &mut impl Write,
    ) -> io::Result<()> {
        for checked in &self.files {
            let file = &checked.file;
            if !checked.problems.is_empty() {
                writeln!(complaints, "{}\n", checked.shown)?;
            } else if checked.findings.is_empty() {
                writeln!(out, "{file}: no findings")?;
            }
            for finding in &checked.findings {
                let opens = if finding.opens { "opens " } else { "" };
                let (code, message) = (&finding.code, &finding.message);
                match finding.line {
                    0 => writeln!(out, "{file}: {opens}{code}: {message}")?,
                    line => writeln!(out, "{file}:{line}: {opens}{code}: {message}")?,
                }
            }
        }
        Ok(())
    }
}
