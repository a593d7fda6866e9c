//! Which `match` tables are for no client that another one is not for too.

use std::collections::BTreeSet;

use super::client::Way;
use super::client_match::{CertificateKey, ClientMatch};
use super::pattern::Pattern;
use super::subnet::Subnet;

impl ClientMatch {
    /// Whether every client that `other` is for is one of these too, as far as their patterns show it.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        let has = |(key, pattern): &(CertificateKey, Pattern)| {
            let same = |(other, narrower): &(CertificateKey, Pattern)| {
                // The id of a workload is a URI of its certificate too.
                let is_within = (*key, *other) == (CertificateKey::Uri, CertificateKey::SpiffeId);
                (other == key || is_within) && pattern.covers(narrower)
            };
            other.certificate.iter().any(same)
        };
        let is_labelled = |(key, pattern): &(String, Pattern)| {
            let mut labels = other.container_labels.iter();
            labels.any(|(other, narrower)| other == key && pattern.covers(narrower))
        };
        covers(self.listener.as_ref(), other.listener.as_ref())
            && covers(self.container_name.as_ref(), other.container_name.as_ref())
            && self.covers_sources(other)
            && self.certificate.iter().all(has)
            && self.container_labels.iter().all(is_labelled)
            && (self.uid.is_none() || self.uid == other.uid)
            && (self.gid.is_none() || self.gid == other.gid)
    }

    /// Whether one of these clients can call from one of these ranges; from none of them where there are none.
    #[must_use]
    pub fn calls_from(&self, reach: &[Subnet]) -> bool {
        let mut own = self.sources.iter();
        self.sources.is_empty()
            || own.any(|own| reach.iter().any(|range| own.within(range).is_some()))
    }

    /// These clients apart: those who come by a listener with this address, from each range that it can be reached from.
    #[must_use]
    pub fn apart(&self, listener: Option<&str>, reach: &[Subnet]) -> Vec<Self> {
        let listener = listener.and_then(|address| Pattern::parse(address).ok());
        let listener = listener.or_else(|| self.listener.clone());
        let from = |sources| Self {
            listener: listener.clone(),
            sources,
            ..self.clone()
        };
        if reach.is_empty() {
            return vec![from(Vec::new())];
        }
        let own = self.sources.iter();
        let own = own.flat_map(|own| reach.iter().filter_map(|range| own.within(range)));
        let own: Vec<Subnet> = if self.sources.is_empty() {
            reach.to_vec()
        } else {
            own.collect()
        };
        own.into_iter().map(|range| from(vec![range])).collect()
    }

    /// The tables, by their places, that together are for all these clients, who call from one range at most.
    #[must_use]
    pub fn covered_by(&self, tables: &[&Self]) -> Option<BTreeSet<usize>> {
        let single = tables.iter().position(|table| table.covers(self));
        if let Some(single) = single {
            return Some(BTreeSet::from([single]));
        }
        let [range] = self.sources.as_slice() else {
            return None;
        };
        let mut others = tables.iter().flat_map(|table| &table.sources);
        if !others.any(|other| range.contains(other)) {
            return None;
        }
        let mut all = BTreeSet::new();
        for half in range.halves()? {
            let half = Self {
                sources: vec![half],
                ..self.clone()
            };
            all.extend(half.covered_by(tables)?);
        }
        Some(all)
    }

    fn covers_sources(&self, other: &Self) -> bool {
        let within = |range: &Subnet| self.sources.iter().any(|wider| wider.contains(range));
        if other.sources.is_empty() {
            // Who comes by TCP has some address.
            let all = ["0.0.0.0/0", "::/0"].map(Subnet::of_sources);
            let are_all = all.iter().flatten().all(within);
            return self.sources.is_empty() || (are_all && !other.fits(Way::Unix));
        }
        self.sources.is_empty() || other.sources.iter().all(within)
    }
}

/// Whether what the narrower pattern stands for, the wider does too; no pattern stands for all.
fn covers(wider: Option<&Pattern>, narrower: Option<&Pattern>) -> bool {
    wider.is_none_or(|pattern| narrower.is_some_and(|narrower| pattern.covers(narrower)))
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
            ("uri = 'spiffe://a/*'", "spiffe-id = 'spiffe://a/ci'"),
            ("public-key = '*'", "public-key = 'ab*'"),
            (
                "source = ['10.0.0.0/8']",
                "source = ['10.1.0.0/16', '10.2.0.1']",
            ),
            (
                "source = ['10.0.0.0/8', 'fd00::/8']",
                "uri = 'a'\nsource = ['::ffff:10.0.0.1', 'fd00::1']",
            ),
            ("source = ['0.0.0.0/0', '::/0']", "common-name = 'a'"),
            (
                "container-name = 'ci-*'",
                "container-name = 'ci-7'\nsource = ['::/0']",
            ),
            (
                "container-label = ['role=ci*']",
                "container-label = ['team=a', 'role=ci-7']",
            ),
        ] {
            let (wide, narrow) = (compile(wider), compile(narrower));
            assert!(wide.covers(&narrow), "{wider} {narrower}");
            assert!(!narrow.covers(&wide), "{narrower} {wider}");
            assert!(wide.covers(&wide) && narrow.covers(&narrow));
        }
    }

    #[test]
    fn several_tables_cover_what_none_of_them_does() {
        let tables = [
            "source = ['0.0.0.0/1']",
            "source = ['128.0.0.0/2']",
            "uid = 1",
            "source = ['192.0.0.0/2', '::/0']",
        ];
        let tables = tables.map(compile);
        let tables: Vec<&ClientMatch> = tables.iter().collect();
        let reach = ["0.0.0.0/0", "::/0"].map(|range| Subnet::parse(range).unwrap());
        let all = |text: &str, tables: &[&ClientMatch]| {
            let parts = compile(text).apart(Some("tcp://[::]:1"), &reach);
            let found = parts.iter().map(|part| part.covered_by(tables));
            found.reduce(|one, other| Some(&one? | &other?)).flatten()
        };
        let (name, three) = ("common-name = 'a'", BTreeSet::from([0, 1, 3]));
        assert_eq!(all(name, &tables), Some(three));
        assert_eq!(all(name, &tables[..3]), None);
        let low = "source = ['10.0.0.0/8', '129.0.0.0/8']";
        assert_eq!(all(low, &tables[..3]), Some(BTreeSet::from([0, 1])));
        let single = "source = ['200.0.0.1']";
        assert_eq!(all(single, &tables[..3]), None);
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
            ("spiffe-id = '*'", "uri = 'spiffe://a/ci'"),
            ("public-key = '*'", "fingerprint = '*'"),
            (
                "source = ['10.0.0.0/8']",
                "source = ['10.0.0.1', '11.0.0.1']",
            ),
            ("source = ['0.0.0.0/0', '::/0']", "uid = 1"),
            ("source = ['0.0.0.0/0']", "common-name = 'a'"),
            (
                "container-label = ['role=ci']",
                "container-label = ['team=ci']",
            ),
            ("container-name = 'ci'", "container-label = ['name=ci']"),
        ] {
            let (one, other) = (compile(one), compile(other));
            assert!(
                !one.covers(&other) && !other.covers(&one),
                "{one:?} {other:?}"
            );
        }
    }
}
