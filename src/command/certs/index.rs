//! What an authority has issued and revoked: JSON lines that are only ever appended to.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::command::certs::CertsError;
use crate::command::certs::folder::{self, Folder};
use crate::command::certs::subject::Kind;

/// One line of the index; times are seconds since 1970 (UTC), serials lower-case hexadecimal.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case", deny_unknown_fields)]
pub(super) enum Line {
    /// Another authority begins; the lines before it are of an earlier one.
    Authority {
        serial: String,
        not_after: i64,
    },
    Issued(Issued),
    Revoked(Revoked),
}

#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct Issued {
    pub(super) serial: String,
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) not_after: i64,
}

#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct Revoked {
    pub(super) serial: String,
    pub(super) name: String,
    pub(super) time: i64,
}

impl Line {
    pub(super) fn to_json(&self) -> Result<String, CertsError> {
        serde_json::to_string(self)
            .map_err(|error| CertsError(format!("cannot write the index: {error}")))
    }
}

/// What the present authority has issued and revoked.
#[derive(Clone, Debug, Default)]
pub(super) struct Index {
    issued: Vec<Issued>,
    revoked: Vec<Revoked>,
}

impl Index {
    pub(super) fn read(folder: &Folder) -> Result<Self, CertsError> {
        let text = folder.read(folder::INDEX)?;
        let mut index = Self::default();
        for (number, line) in (1..).zip(text.lines()) {
            let line = parse(line).map_err(|error| {
                let path = folder.path(folder::INDEX);
                CertsError(format!("`{}`, line {number}: {error}", path.display()))
            })?;
            match line {
                Line::Authority { .. } => index = Self::default(),
                Line::Issued(issued) => index.issued.push(issued),
                Line::Revoked(revoked) => index.revoked.push(revoked),
            }
        }
        Ok(index)
    }

    /// Notes the revocation and gives the line to append.
    pub(super) fn revoke(
        &mut self,
        issued: &Issued,
        now: OffsetDateTime,
    ) -> Result<String, CertsError> {
        let revoked = Revoked {
            serial: issued.serial.clone(),
            name: issued.name.clone(),
            time: now.unix_timestamp(),
        };
        self.revoked.push(revoked.clone());
        Line::Revoked(revoked).to_json()
    }

    pub(super) fn issued(&self) -> &[Issued] {
        &self.issued
    }

    pub(super) fn revoked(&self) -> &[Revoked] {
        &self.revoked
    }

    pub(super) fn is_revoked(&self, serial: &str) -> bool {
        self.revoked.iter().any(|revoked| revoked.serial == serial)
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the operator's own file, which no daemon reads"
)]
fn parse(line: &str) -> Result<Line, serde_json::Error> {
    serde_json::from_str(line)
}
