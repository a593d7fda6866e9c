//! The counters as OpenMetrics text.

use std::fmt::Write as _;
use std::sync::PoisonError;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::engine_api::Operation;

use super::counters::{Codes, Histogram};
use super::{ClientCounters, Metrics};

impl Metrics {
    /// All of them (OpenMetrics 1.0); what has never happened is left out where it has labels.
    #[must_use]
    pub fn text(&self) -> String {
        let mut page = Page::default();
        self.write_clients(&mut page);
        self.write_traffic(&mut page);
        self.write_daemon(&mut page);
        self.write_configuration(&mut page);
        page.0.push_str("# EOF\n");
        page.0
    }

    fn write_clients(&self, page: &mut Page) {
        let named = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        let mut clients: Vec<(&str, &ClientCounters)> = vec![("", &self.unnamed)];
        clients.extend(named.iter().map(|(name, counters)| (&**name, &**counters)));
        clients.push(("(others)", &self.others));
        page.family("dockgate_decisions", "counter", "Requests decided.");
        let names = || Operation::all().map(Operation::name).chain([""]);
        for (client, counters) in &clients {
            for (operation, row) in names().zip(&counters.decisions) {
                for (decision, count) in ["permit", "refuse", "malformed"].iter().zip(row) {
                    let labels = [
                        ("client", *client),
                        ("operation", operation),
                        ("decision", decision),
                    ];
                    page.happened("dockgate_decisions_total", &labels, count.value());
                }
            }
        }
        let help = "Reasons of refused and malformed requests.";
        page.family("dockgate_reasons", "counter", help);
        for (client, counters) in &clients {
            page.reasons("dockgate_reasons_total", client, &counters.refusals);
        }
        let help = "Reasons for which a policy that observes would have refused requests.";
        page.family("dockgate_observed_reasons", "counter", help);
        for (client, counters) in &clients {
            page.reasons(
                "dockgate_observed_reasons_total",
                client,
                &counters.observed,
            );
        }
        let help = "Warnings of clients' certificates that expire soon.";
        page.family("dockgate_expiring_client_certificates", "counter", help);
        for (client, counters) in &clients {
            let (name, labels) = (
                "dockgate_expiring_client_certificates_total",
                [("client", *client)],
            );
            page.happened(name, &labels, counters.expiring.value());
        }
    }

    fn write_traffic(&self, page: &mut Page) {
        page.family(
            "dockgate_connections",
            "gauge",
            "Open connections of clients.",
        );
        page.sample("dockgate_connections", &[], self.connections.value());
        let help = "Connections ended before any request was read.";
        page.family("dockgate_connections_refused", "counter", help);
        for (code, count) in self.connections_refused.counts() {
            let labels = [("reason", code)];
            page.happened("dockgate_connections_refused_total", &labels, count);
        }
        page.family("dockgate_tunnels", "gauge", "Open tunnels.");
        page.sample("dockgate_tunnels", &[], self.tunnels.value());
        let help = "Bytes of bodies and tunnels, counted at the end of each exchange.";
        page.family("dockgate_bytes", "counter", help);
        for (direction, count) in [
            ("from-client", &self.bytes_from_clients),
            ("to-client", &self.bytes_to_clients),
        ] {
            let labels = [("direction", direction)];
            page.sample("dockgate_bytes_total", &labels, count.value());
        }
        let help = "From a request's head to the end of its exchange.";
        page.family("dockgate_exchange_seconds", "histogram", help);
        for (kind, histogram) in [
            ("refused", &self.refusals),
            ("answered", &self.answers),
            ("tunnel", &self.ended_tunnels),
        ] {
            page.histogram("dockgate_exchange_seconds", kind, histogram);
        }
    }

    fn write_daemon(&self, page: &mut Page) {
        let help = "Questions of the gate's own to the daemon.";
        page.family("dockgate_daemon_lookups", "counter", help);
        for (outcome, codes) in ["found", "absent", "failed"].iter().zip(&self.lookups) {
            for (what, count) in codes.counts() {
                let labels = [("lookup", what), ("outcome", outcome)];
                page.happened("dockgate_daemon_lookups_total", &labels, count);
            }
        }
        let help = "Whether the daemon's defaults were known when they were needed.";
        page.family("dockgate_daemon_defaults", "counter", help);
        for (cache, count) in [
            ("hit", &self.defaults_known),
            ("miss", &self.defaults_asked),
        ] {
            let labels = [("cache", cache)];
            page.sample("dockgate_daemon_defaults_total", &labels, count.value());
        }
        let help = "Whether the container of an exec instance was known when it was needed.";
        page.family("dockgate_exec_containers", "counter", help);
        for (cache, count) in [("hit", &self.execs_known), ("miss", &self.execs_asked)] {
            let labels = [("cache", cache)];
            page.sample("dockgate_exec_containers_total", &labels, count.value());
        }
    }

    fn write_configuration(&self, page: &mut Page) {
        page.family(
            "dockgate_reloads",
            "counter",
            "Reloads of the configuration.",
        );
        for (result, count) in [("ok", &self.reloads), ("failed", &self.failed_reloads)] {
            let labels = [("result", result)];
            page.sample("dockgate_reloads_total", &labels, count.value());
        }
        let help = "When what is in force was put in force, in seconds since 1970.";
        page.family("dockgate_configuration_seconds", "gauge", help);
        page.sample(
            "dockgate_configuration_seconds",
            &[],
            self.reloaded_at.value(),
        );
        let in_force = self.in_force.lock().unwrap_or_else(PoisonError::into_inner);
        page.family(
            "dockgate_configuration",
            "info",
            "SHA-256 of what is in force.",
        );
        let labels = [("digest", &*in_force.digest)];
        page.sample("dockgate_configuration_info", &labels, 1);
        page.family("dockgate_build", "info", "The program.");
        let labels = [("version", env!("CARGO_PKG_VERSION"))];
        page.sample("dockgate_build_info", &labels, 1);
        let help = "Days until a certificate or revocation list expires; negative since it has.";
        page.family("dockgate_certificate_expiry_days", "gauge", help);
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = i64::try_from(now.unwrap_or_default().as_secs()).unwrap_or(i64::MAX);
        for expiry in &in_force.expiries {
            let labels = [("what", expiry.what), ("of", &expiry.of)];
            page.sample(
                "dockgate_certificate_expiry_days",
                &labels,
                expiry.days(now),
            );
        }
    }
}

#[derive(Default)]
struct Page(String);

impl Page {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        // INVARIANT: writing into memory does not fail.
        let _ = write!(self.0, "# TYPE {name} {kind}\n# HELP {name} {help}\n");
    }

    fn happened(&mut self, name: &str, labels: &[(&str, &str)], count: u64) {
        if count > 0 {
            self.sample(name, labels, count);
        }
    }

    /// A label without a value is left out.
    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl std::fmt::Display) {
        self.0.push_str(name);
        let mut before = '{';
        for (label, value) in labels.iter().filter(|(_, value)| !value.is_empty()) {
            self.0.push(before);
            let _ = write!(self.0, "{label}=\"{}\"", escaped(value));
            before = ',';
        }
        let end = if before == ',' { "}" } else { "" };
        let _ = writeln!(self.0, "{end} {value}");
    }

    /// Reasons with their operations, by the numbers of those.
    fn reasons(&mut self, name: &str, client: &str, codes: &Codes) {
        let operations: Vec<&str> = Operation::all().map(Operation::name).collect();
        for (row, code, count) in codes.counts_by_row() {
            let operation = row.and_then(|row| operations.get(row)).unwrap_or(&"");
            let labels = [
                ("client", client),
                ("operation", *operation),
                ("reason", code),
            ];
            self.happened(name, &labels, count);
        }
    }

    fn histogram(&mut self, name: &str, kind: &str, histogram: &Histogram) {
        let (up_to, all, sum) = histogram.read();
        let bucket = format!("{name}_bucket");
        for (bound, count) in up_to {
            self.sample(&bucket, &[("kind", kind), ("le", bound)], count);
        }
        self.sample(&bucket, &[("kind", kind), ("le", "+Inf")], all);
        self.sample(&format!("{name}_count"), &[("kind", kind)], all);
        let seconds = format!("{}.{:06}", sum / 1_000_000, sum % 1_000_000);
        self.sample(&format!("{name}_sum"), &[("kind", kind)], seconds);
    }
}

/// OpenMetrics 1.0, `escaped-string`.
fn escaped(value: &str) -> String {
    value
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::audit::record::Verdict;
    use crate::reload::Expiry;

    #[test]
    fn a_page_has_what_happened_and_ends() {
        let metrics = Arc::new(Metrics::default());
        let client = metrics.client("c\"i");
        let reasons = ["privileged", "host-path"];
        let create = Some(Operation::ContainerCreate);
        client.decided(create, Verdict::Refuse, reasons.into_iter());
        client.decided(None, Verdict::Malformed, ["malformed-path"].into_iter());
        let expiry = Expiry {
            what: "certificate",
            of: "tcp://0.0.0.0:2376".to_owned(),
            path: "server.pem".into(),
            end: 0,
        };
        metrics.in_force(&Arc::from("00ff"), &[expiry]);
        let tunnel = metrics.tunnel();
        let text = metrics.text();
        drop(tunnel);
        for line in [
            "dockgate_decisions_total{client=\"c\\\"i\",operation=\"ContainerCreate\",decision=\"refuse\"} 1",
            "dockgate_decisions_total{client=\"c\\\"i\",decision=\"malformed\"} 1",
            "dockgate_reasons_total{client=\"c\\\"i\",operation=\"ContainerCreate\",reason=\"host-path\"} 1",
            "dockgate_reasons_total{client=\"c\\\"i\",reason=\"malformed-path\"} 1",
            "dockgate_tunnels 1",
            "dockgate_configuration_info{digest=\"00ff\"} 1",
            "dockgate_exchange_seconds_bucket{kind=\"tunnel\",le=\"+Inf\"} 0",
        ] {
            assert!(text.lines().any(|one| one == line), "{line}\n{text}");
        }
        assert!(
            text.contains(
                "certificate_expiry_days{what=\"certificate\",of=\"tcp://0.0.0.0:2376\"} -"
            )
        );
        assert!(text.ends_with("# EOF\n"));
        assert!(metrics.text().contains("dockgate_tunnels 0\n"));
    }

    #[test]
    fn clients_beyond_a_number_share_their_counters() {
        let metrics = Metrics::default();
        for number in 0..super::super::MOST_CLIENTS + 2 {
            let client = metrics.client(&number.to_string());
            client.decided(None, Verdict::Permit, std::iter::empty());
        }
        let text = metrics.text();
        assert!(text.contains("{client=\"(others)\",decision=\"permit\"} 2"));
        assert!(!text.contains("{client=\"101\""));
        metrics.keep_clients(["5"].into_iter());
        let text = metrics.text();
        assert!(text.contains("{client=\"5\",") && !text.contains("{client=\"6\","));
    }
}
