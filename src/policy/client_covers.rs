//! Which `match` tables are for no client that another one is not for too.

use super::client_match::{CertificateKey, ClientMatch};
use super::pattern::Pattern;

impl ClientMatch {
    /// Whether every client that `other` is for is one of these too, as far as their patterns show it.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        let has = |(key, pattern): &(CertificateKey, Pattern)| {
            let same = |(other, narrower): &(CertificateKey, Pattern)| {
                other == key && pattern.covers(narrower)
            };
            other.certificate.iter().any(same)
        };
        let listens = self.listener.as_ref().is_none_or(|pattern| {
            let narrower = other.listener.as_ref();
            narrower.is_some_and(|narrower| pattern.covers(narrower))
        });
        listens
            && self.certificate.iter().all(has)
            && (self.uid.is_none() || self.uid == other.uid)
            && (self.gid.is_none() || self.gid == other.gid)
    }
}

#[cfg(test)]
mod tests {
    use super::super::client_match::ClientMatchDocument;
    use super::*;

    fn compile(text: &str) -> ClientMatch {
        let document: ClientMatchDocument = toml::from_str(text).unwrap();
        document.compile().unwrap()
    }

    #[test]
    fn a_wider_table_covers_a_narrower_one_and_not_the_other_way() {
        for (wider, narrower) in [
            ("common-name = '*'", "common-name = 'ci-*'"),
            ("common-name = 'ci-*'", "common-name = 'ci-7'\ndns = 'a'"),
            ("uid = 1", "uid = 1\ngid = 2"),
            (
                "listener = 'tcp://*'",
                "uid = 1\nlistener = 'tcp://127.0.0.1:1'",
            ),
            ("listener = '*'", "common-name = 'a'\nlistener = 'tcp://*'"),
        ] {
            let (wide, narrow) = (compile(wider), compile(narrower));
            assert!(wide.covers(&narrow), "{wider} {narrower}");
            assert!(!narrow.covers(&wide), "{narrower} {wider}");
            assert!(wide.covers(&wide) && narrow.covers(&narrow));
        }
    }

    #[test]
    fn tables_for_others_do_not_cover_each_other() {
        for (one, other) in [
            ("common-name = '*'", "dns = '*'"),
            ("common-name = '*'", "uid = 1"),
            ("uid = 1", "uid = 2"),
            ("uid = 1", "gid = 1"),
            ("listener = 'tcp://*'", "listener = 'unix://*'"),
            ("listener = 'tcp://*'", "common-name = '*'"),
        ] {
            let (one, other) = (compile(one), compile(other));
            assert!(
                !one.covers(&other) && !other.covers(&one),
                "{one:?} {other:?}"
            );
        }
    }
}
