//! When certificates and revocation lists end, and the warnings before that.

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use x509_parser::prelude::{CertificateRevocationList, FromDer as _, X509Certificate};

use crate::config::Config;
use crate::tls_files;

/// Something in use that ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expiry {
    /// `certificate`, `client authority`, `revocation list`, `daemon authority` or `client certificate`.
    pub what: &'static str,
    /// The listener, or `daemon`.
    pub of: String,
    pub path: PathBuf,
    /// In seconds since 1970; of several in one file the earliest.
    pub end: i64,
}

impl Expiry {
    /// Whole days that are left at `now`, in seconds since 1970; negative once it has expired.
    #[must_use]
    pub fn days(&self, now: i64) -> i64 {
        (self.end - now).div_euclid(DAY)
    }

    /// Warns of it where it has expired or is about to.
    pub fn warn(&self) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = i64::try_from(now.unwrap_or_default().as_secs()).unwrap_or(i64::MAX);
        let (what, of, path) = (self.what, &self.of, self.path.display());
        match days_of_notice(self.end, now) {
            Some(days) if days < 0 => tracing::warn!(%of, %path, "the {what} has expired"),
            Some(days) => tracing::warn!(%of, %path, days, "the {what} expires soon"),
            None => {}
        }
    }
}

/// Whole days from `now` to `end`, both in seconds since 1970, where they are so few that it is told; negative afterwards.
#[must_use]
pub fn days_of_notice(end: i64, now: i64) -> Option<i64> {
    let days = (end - now).div_euclid(DAY);
    (days < NOTICE_DAYS).then_some(days)
}

/// All that ends of what a configuration names; what cannot be read has no end here.
#[must_use]
pub fn expiries(config: &Config) -> Vec<Expiry> {
    let mut found = Vec::new();
    for listener in &config.listeners {
        let Some(tls) = &listener.tls else { continue };
        let of = listener.address.to_string();
        found.extend(expiry(
            "certificate",
            &of,
            &tls.certificate,
            certificate_end,
        ));
        found.extend(expiry(
            "client authority",
            &of,
            &tls.client_ca,
            certificate_end,
        ));
        if let Some(list) = &tls.client_crl {
            found.extend(expiry("revocation list", &of, list, list_end));
        }
    }
    if let Some(tls) = &config.daemon.tls {
        found.extend(expiry(
            "daemon authority",
            "daemon",
            &tls.ca,
            certificate_end,
        ));
        if let Some((certificate, _)) = &tls.client {
            found.extend(expiry(
                "client certificate",
                "daemon",
                certificate,
                certificate_end,
            ));
        }
    }
    found
}

fn expiry(
    what: &'static str,
    of: &str,
    path: &Path,
    end: fn(&Path) -> Option<i64>,
) -> Option<Expiry> {
    Some(Expiry {
        what,
        of: of.to_owned(),
        path: path.to_owned(),
        end: end(path)?,
    })
}

fn certificate_end(path: &Path) -> Option<i64> {
    let certificates = tls_files::certificates(path).ok()?;
    let ends = certificates.iter().filter_map(|der| {
        let (_, certificate) = X509Certificate::from_der(der).ok()?;
        Some(certificate.validity().not_after.timestamp())
    });
    ends.min()
}

fn list_end(path: &Path) -> Option<i64> {
    let lists = tls_files::revocation_lists(path).ok()?;
    let ends = lists.iter().filter_map(|der| {
        let (_, list) = CertificateRevocationList::from_der(der).ok()?;
        Some(list.next_update()?.timestamp())
    });
    ends.min()
}

const DAY: i64 = 24 * 60 * 60;
/// From when on it is warned of.
const NOTICE_DAYS: i64 = 14;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_whole_and_negative_after_the_end() {
        let expiry = Expiry {
            what: "certificate",
            of: String::new(),
            path: PathBuf::new(),
            end: 10 * DAY,
        };
        assert_eq!(expiry.days(0), 10);
        assert_eq!(expiry.days(1), 9);
        assert_eq!(expiry.days(10 * DAY + 1), -1);
        assert_eq!(days_of_notice(14 * DAY, 0), None);
        assert_eq!(days_of_notice(14 * DAY, 1), Some(13));
        assert_eq!(days_of_notice(0, 1), Some(-1));
    }
}
