//! Why a request is refused: every reason with its place, its policy line and its remedy.

use std::fmt;

use itoa::Buffer;

use crate::engine_api::json::Value;
use crate::engine_api::shorten;
use crate::policy::Line;

/// Why a request is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The operation's name, or method and path where there is none.
    pub subject: String,
    /// The name of the policy that decided.
    pub policy: String,
    /// At least one, at most 64.
    pub reasons: Vec<Reason>,
    /// Whether there are more reasons than those.
    pub has_more: bool,
    /// Where nothing of the request is refused but what it refers to is not there: the daemon's own status and message.
    pub answered: Option<(u16, String)>,
    /// Whether the client is not told what containers and volumes have that are there already.
    pub hides_existing: bool,
}

/// The reasons that are looked for: a body can give a million, and each is longer than what it is about.
pub(super) const MOST_REASONS: usize = 64;

/// Codes of reasons that tell what a volume is; it may be one that the request only names.
const TELL_OF_VOLUMES: &[&str] = &[
    "volume-driver",
    "volume-host-path",
    "volume-options",
    "volume-type",
];

/// One reason of a refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// Stable, in kebab-case, like `privileged`.
    pub code: &'static str,
    /// Where in the request, like `HostConfig.Privileged`; empty for the request as a whole.
    pub field: String,
    /// What stands there, shortened to 200 characters.
    pub value: String,
    /// Why that is refused.
    pub message: String,
    /// The line of the policy that limits it, 0 where it says nothing.
    pub line: usize,
    /// The smallest change that would permit it; empty where no key does.
    pub remedy: String,
    /// Whether it tells of what is there already, and not of what the client sent.
    pub is_of_existing: bool,
}

impl Reason {
    pub(super) fn new(code: &'static str, field: &str, value: &str, message: &str) -> Self {
        Self {
            code,
            field: field.to_owned(),
            value: shorten(value),
            message: message.to_owned(),
            line: 0,
            remedy: String::new(),
            is_of_existing: TELL_OF_VOLUMES.contains(&code),
        }
    }

    /// Names the line of the policy that limits it and the key that would permit it.
    pub(super) fn opened_by(self, line: Line, remedy: &str) -> Self {
        Self {
            line,
            remedy: remedy.to_owned(),
            ..self
        }
    }

    /// A client's text as a policy would write it, so that a remedy says nothing but that.
    pub(super) fn quoted(text: &str) -> String {
        let mut quoted = String::from("\"");
        for c in text.chars() {
            match c {
                '"' | '\\' => quoted.extend(['\\', c]),
                c if c.is_control() => quoted.push_str(&format!("\\u{:04X}", u32::from(c))),
                c => quoted.push(c),
            }
        }
        quoted.push('"');
        quoted
    }

    /// A value as a reason shows it: text without quotes, all else as JSON.
    pub(super) fn text(value: &Value) -> String {
        if let Value::Text(text) = value {
            text.to_string()
        } else {
            value.to_string()
        }
    }
}

/// The text that a client sees: one line for each reason.
impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text())
    }
}

impl Refusal {
    fn text(&self) -> String {
        let Self {
            subject,
            policy,
            reasons,
            has_more,
            answered: _,
            hides_existing,
        } = self;
        let (mut count, mut number) = (Buffer::new(), Buffer::new());
        let mut text = String::with_capacity(USUAL_TEXT);
        let mut add = |parts: &[&str]| parts.iter().for_each(|part| text.push_str(part));
        add(&["dockgate refuses ", subject, " under the policy `", policy]);
        add(&["` for ", count.format(reasons.len())]);
        add(&[match reasons.len() {
            1 => " reason:",
            _ if *has_more => " reasons and more:",
            _ => " reasons:",
        }]);
        for (index, reason) in reasons.iter().enumerate() {
            add(&["\n  ", number.format(index + 1), ". ", reason.code]);
            if !reason.field.is_empty() {
                add(&[": `", &reason.field, "`"]);
            }
            if *hides_existing && reason.is_of_existing {
                add(&["; the policy hides what is there"]);
                continue;
            }
            if !reason.value.is_empty() {
                add(&[" is `", &reason.value, "`"]);
            }
            add(&["; ", &reason.message]);
            match (reason.remedy.as_str(), reason.line) {
                ("", _) => add(&[" (no key of a policy permits it)"]),
                (remedy, 0) => add(&[" (to permit it: ", remedy, ")"]),
                (remedy, line) => {
                    add(&[
                        " (line ",
                        number.format(line),
                        "; to permit it: ",
                        remedy,
                        ")",
                    ]);
                }
            }
        }
        text
    }
}

/// Of a refusal for one reason, in bytes.
const USUAL_TEXT: usize = 512;
