//! `limits` and `quota` of a `[[client]]` or `[[listener]]`: what one owner may take of the gate, and have at the daemon.

use std::ops::RangeInclusive;

use crate::policy::document::Table;
use crate::policy::problem::Fault;
use crate::policy::value::Value;

/// What one owner may take; `None` has no bound of its own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Allowance {
    pub rate: Option<Rate>,
    /// Exchanges at once, tunnels too where those have no bound of their own.
    pub exchanges: Option<u64>,
    pub tunnels: Option<u64>,
    /// Bytes of judged bodies at once.
    pub judged_bytes: Option<u64>,
    pub quota: Quota,
}

/// How fast requests may come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// From 1 to a million.
    pub per_second: u32,
    /// How many may come at once after a rest, at least 1.
    pub burst: u32,
}

/// What one owner may have at the daemon; `None` has no bound.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Quota {
    pub containers: Option<u64>,
    pub running_containers: Option<u64>,
    /// Bytes, over all containers.
    pub memory: Option<u64>,
    /// Billionths of a processor, over all containers.
    pub nano_cpus: Option<u64>,
    pub volumes: Option<u64>,
    pub networks: Option<u64>,
}

impl Quota {
    /// Whether nothing is bounded.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Takes both keys of a table; `has_owner` where the same table says whom its clients own things as.
pub(super) fn read(table: &mut Table<'_>, has_owner: bool) -> Option<Allowance> {
    let limits = table.take("limits");
    let quota = table.take("quota");
    let is_there = limits.is_some() || quota.is_some();
    if let Some(quota) = &quota
        && !has_owner
    {
        let message =
            "a quota is counted by owner, and nothing here says whom these clients own things as";
        let help = "write owner = \"team\", or owner = \"user/{common-name}\" for a quota of each";
        quota.report_key(Fault::new("quota-without-owner", message).help(help));
    }
    let limits = limits.and_then(|value| value.table("`limits`", read_limits));
    let quota = quota.and_then(|value| value.table("`quota`", read_quota));
    is_there.then(|| Allowance {
        quota: quota.unwrap_or_default(),
        ..limits.unwrap_or_default()
    })
}

fn read_limits(table: &mut Table<'_>) -> Allowance {
    let per_second = count(table, "requests-per-second", 1..=1_000_000);
    let burst = table.take("burst");
    if let (Some(burst), None) = (&burst, per_second) {
        let message = "`burst` means nothing without `requests-per-second`";
        burst.report_key(Fault::new("wrong-place", message));
    }
    let burst = burst.and_then(|value| value.number(1..=1_000_000));
    let small = |number: u64| u32::try_from(number).ok();
    let rate = per_second.and_then(small).map(|per_second| Rate {
        per_second,
        burst: burst.and_then(small).unwrap_or(per_second),
    });
    Allowance {
        rate,
        exchanges: count(table, "exchanges", 1..=1 << 20),
        tunnels: count(table, "tunnels", 0..=1 << 20),
        judged_bytes: size(table, "judged-bytes", 64 << 10..=1 << 40),
        quota: Quota::default(),
    }
}

fn read_quota(table: &mut Table<'_>) -> Quota {
    Quota {
        containers: count(table, "containers", 0..=MOST_CONTAINERS),
        running_containers: count(table, "running-containers", 0..=MOST_CONTAINERS),
        memory: size(table, "memory", 0..=1 << 50),
        nano_cpus: table.take("cpus").and_then(cpus),
        volumes: count(table, "volumes", 0..=MOST_THINGS),
        networks: count(table, "networks", 0..=MOST_THINGS),
    }
}

fn count(table: &mut Table<'_>, key: &'static str, range: RangeInclusive<u64>) -> Option<u64> {
    table.take(key).and_then(|value| value.number(range))
}

/// Bytes: a whole number, or one with a unit.
fn size(table: &mut Table<'_>, key: &'static str, range: RangeInclusive<u64>) -> Option<u64> {
    let value = table.take(key)?;
    let place = value.place();
    let text = value.written("a size like \"4g\"")?;
    let size = bytes(&text);
    let within = size.filter(|size| range.contains(size));
    if within.is_none() {
        let (message, help) = match size {
            None => (
                format!("`{text}` is not a size"),
                "bytes, or a number with k, m, g or t, like \"512m\"".to_owned(),
            ),
            Some(_) => (
                format!("`{key}` is out of range"),
                format!("from {} to {} bytes", range.start(), range.end()),
            ),
        };
        place.report(Fault::new("out-of-range", message).help(help));
    }
    within
}

/// Units are powers of 1024, as Docker's own command line has them.
fn bytes(text: &str) -> Option<u64> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let shift = match text.get(digits.len()..)?.to_ascii_lowercase().as_str() {
        "" | "b" => 0,
        "k" | "kb" => 10,
        "m" | "mb" => 20,
        "g" | "gb" => 30,
        "t" | "tb" => 40,
        _ => return None,
    };
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let number: u64 = digits.parse().ok().filter(|_| is_number)?;
    number.checked_mul(1 << shift)
}

fn cpus(value: Value<'_>) -> Option<u64> {
    let place = value.place();
    let text = value.written("a number like 2.5")?;
    let cpus = billionths(&text).filter(|cpus| *cpus <= MOST_CPUS * BILLION);
    if cpus.is_none() {
        let message = format!("`{text}` is not a number of processors");
        let help = format!("from 0 to {MOST_CPUS}, like 2.5");
        place.report(Fault::new("out-of-range", message).help(help));
    }
    cpus
}

/// Of a decimal number with up to nine places.
fn billionths(text: &str) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_digits(whole) || !is_digits(fraction) || fraction.len() > 9 {
        return None;
    }
    let fraction: u64 = format!("{fraction:0<9}").parse().ok()?;
    let whole: u64 = whole.parse().ok()?;
    whole.checked_mul(BILLION)?.checked_add(fraction)
}

const BILLION: u64 = 1_000_000_000;
const MOST_CPUS: u64 = 100_000;
/// Each is asked about where memory or processors are counted.
const MOST_CONTAINERS: u64 = 2000;
const MOST_THINGS: u64 = 10_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn client(more: &str) -> Result<Option<Allowance>, Vec<&'static str>> {
        let text =
            format!("[[client]]\nname = 'a'\nmatch = {{ uid = 1 }}\npolicy = 'guarded'\n{more}");
        match Config::parse("dockgate.toml", &text, None) {
            Ok(config) => Ok(config.clients[0].allowance),
            Err(found) => Err(found.problems.iter().map(|problem| problem.code).collect()),
        }
    }

    #[test]
    fn what_is_written_is_what_holds() {
        assert_eq!(client(""), Ok(None));
        let all = client(
            "owner = 'a'\n[client.limits]\nrequests-per-second = 5\nburst = 20\nexchanges = 3\ntunnels = 0\n\
             judged-bytes = '1m'\n[client.quota]\ncontainers = 0\nrunning-containers = 4\nmemory = '4g'\ncpus = 2.5\n\
             volumes = 1\nnetworks = 2",
        );
        let expected = Allowance {
            rate: Some(Rate {
                per_second: 5,
                burst: 20,
            }),
            exchanges: Some(3),
            tunnels: Some(0),
            judged_bytes: Some(1 << 20),
            quota: Quota {
                containers: Some(0),
                running_containers: Some(4),
                memory: Some(4 << 30),
                nano_cpus: Some(2_500_000_000),
                volumes: Some(1),
                networks: Some(2),
            },
        };
        assert_eq!(all, Ok(Some(expected)));
    }

    #[test]
    fn a_burst_is_a_second_of_requests_where_nothing_is_said() {
        let read = client("limits = { requests-per-second = 7 }").unwrap();
        assert_eq!(read.unwrap().rate.unwrap().burst, 7);
    }

    #[test]
    fn every_problem_is_found_at_once() {
        let codes = client(
            "limits = { burst = 3, exchanges = 0, request = 1 }\nquota = { memory = '4x', cpus = -1 }",
        );
        let expected = [
            "wrong-place",
            "out-of-range",
            "unknown-key",
            "quota-without-owner",
            "out-of-range",
            "out-of-range",
        ];
        assert_eq!(codes, Err(expected.to_vec()));
    }

    #[test]
    fn a_listener_has_the_same_two_tables() {
        let listener = "[[listener]]\naddress = 'unix:///run/a.sock'\npolicy = 'guarded'\n";
        let text = format!("{listener}owner = '{{uid}}'\nlimits.tunnels = 2\nquota.networks = 1");
        let config = Config::parse("dockgate.toml", &text, None).unwrap();
        let allowance = config.listeners[0].allowance.unwrap();
        assert_eq!(allowance.tunnels, Some(2));
        assert_eq!(allowance.quota.networks, Some(1));
    }

    #[test]
    fn sizes_and_processors_have_one_reading() {
        for (text, size) in [
            ("0", Some(0)),
            ("10", Some(10)),
            ("3k", Some(3072)),
            ("2MB", Some(2 << 20)),
            ("1t", Some(1 << 40)),
            ("", None),
            ("g", None),
            ("-1", None),
            ("1.5g", None),
            ("99999999999t", None),
        ] {
            assert_eq!(bytes(text), size, "{text}");
        }
        for (text, count) in [
            ("2", Some(2_000_000_000)),
            ("0.5", Some(500_000_000)),
            ("0.000000001", Some(1)),
            ("1e3", None),
            (".5", None),
            ("1.", None),
            ("inf", None),
            ("0.0000000001", None),
        ] {
            assert_eq!(billionths(text), count, "{text}");
        }
    }
}
