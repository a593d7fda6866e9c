//! Clients' own certificates that are about to expire: the operator is told when such a client connects, once a day.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::policy::client::{Certificate, Identity};
use crate::reload;

use super::Client;

/// When each client was warned of last, by the fingerprint of its certificate, in seconds since 1970.
#[derive(Debug, Default)]
pub(super) struct Warned(Mutex<HashMap<String, i64>>);

impl Warned {
    /// Tells of the certificate of a client that has connected, in the log and the counters.
    pub(super) fn look_at(&self, client: &Client, now: i64) {
        let Identity::Certificate(certificate) = &client.identity else {
            return;
        };
        let Some(days) = reload::days_of_notice(certificate.not_after, now) else {
            return;
        };
        if !self.is_due(certificate, now) {
            return;
        }
        client.counters.expires_soon();
        tracing::warn!(
            client = client.name.as_deref(),
            owner = %client.owner,
            common_name = certificate.common_name,
            serial = %certificate.serial,
            listener = %client.listener,
            days,
            "the certificate of a client expires soon"
        );
    }

    /// Whether a day has passed since this one was told of.
    fn is_due(&self, certificate: &Certificate, now: i64) -> bool {
        let mut warned = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_recent = |at: &i64| now - *at < DAY;
        if warned.get(&certificate.fingerprint).is_some_and(is_recent) {
            return false;
        }
        if warned.len() >= MOST {
            warned.retain(|_, at| is_recent(at));
        }
        // So many in a day are not told of one by one.
        if warned.len() >= MOST {
            return false;
        }
        warned.insert(certificate.fingerprint.clone(), now);
        true
    }
}

const DAY: i64 = 24 * 60 * 60;
/// Certificates that are told of in a day.
const MOST: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    fn certificate(fingerprint: &str) -> Certificate {
        Certificate {
            common_name: None,
            organizations: Vec::new(),
            organizational_units: Vec::new(),
            dns: Vec::new(),
            emails: Vec::new(),
            uris: Vec::new(),
            spiffe_id: None,
            serial: String::new(),
            fingerprint: fingerprint.to_owned(),
            public_key: String::new(),
            not_after: 0,
        }
    }

    #[test]
    fn each_is_told_of_once_a_day() {
        let warned = Warned::default();
        let (one, other) = (certificate("1"), certificate("2"));
        assert!(warned.is_due(&one, 1000));
        assert!(!warned.is_due(&one, 1000 + DAY - 1));
        assert!(warned.is_due(&other, 1000));
        assert!(warned.is_due(&one, 1000 + DAY));
        assert!(!warned.is_due(&one, 1001 + DAY));
    }

    #[test]
    fn how_many_are_kept_is_bounded() {
        let warned = Warned::default();
        for number in 0..MOST {
            assert!(warned.is_due(&certificate(&number.to_string()), 0));
        }
        assert!(!warned.is_due(&certificate("one more"), 0));
        assert!(warned.is_due(&certificate("one more"), DAY));
        assert_eq!(warned.0.lock().unwrap().len(), 1);
    }
}
