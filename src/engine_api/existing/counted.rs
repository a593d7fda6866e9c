//! What an owner has at the daemon, so far as it is counted.

use super::super::Malformed;
use super::super::json::{self, Value};

/// A container of an owner's, as a list has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnedContainer {
    /// The full id.
    pub id: String,
    /// Also while it is paused, or about to be restarted.
    pub is_running: bool,
    /// The names of its volumes, anonymous ones too.
    pub volumes: Vec<String>,
}

/// Reads the answer to `ContainerList`.
///
/// # Errors
/// [`Malformed`] where it is none.
pub fn owned_containers(bytes: &[u8]) -> Result<Vec<OwnedContainer>, Malformed> {
    let answer = json::parse(bytes)?;
    let items = list(&answer)?.iter();
    let container = |item: &Value| {
        let mounts = item.get("Mounts").map(Value::items).unwrap_or_default();
        let volumes = mounts.iter().filter(|one| one.text("Type") == "volume");
        OwnedContainer {
            id: item.text("Id").to_owned(),
            is_running: !matches!(item.text("State"), "created" | "exited" | "dead"),
            volumes: volumes.map(|one| one.text("Name").to_owned()).collect(),
        }
    };
    Ok(items.map(container).collect())
}

/// Reads the names in the answer to `VolumeList`.
///
/// # Errors
/// [`Malformed`] where it is none.
pub fn owned_volumes(bytes: &[u8]) -> Result<Vec<String>, Malformed> {
    let answer = json::parse(bytes)?;
    if !matches!(answer, Value::Object(_)) {
        return Err(Malformed::Body("it is no object".to_owned()));
    }
    // What daemons say of no volumes is an empty list, or `null`.
    let Some(volumes) = answer.get("Volumes") else {
        return Ok(Vec::new());
    };
    let names = list(volumes)?.iter().map(|one| one.text("Name").to_owned());
    Ok(names.collect())
}

/// Reads the number of networks in the answer to `NetworkList`.
///
/// # Errors
/// [`Malformed`] where it is none.
pub fn owned_networks(bytes: &[u8]) -> Result<u64, Malformed> {
    Ok(list(&json::parse(bytes)?)?.len() as u64)
}

/// Reads the ids in a list of networks, services, secrets or configs.
///
/// # Errors
/// [`Malformed`] where it is none.
pub fn owned_ids(bytes: &[u8]) -> Result<Vec<String>, Malformed> {
    let answer = json::parse(bytes)?;
    let id = |one: &Value| [one.text("Id"), one.text("ID")].concat();
    Ok(list(&answer)?.iter().map(id).collect())
}

fn list(value: &Value) -> Result<&[Value], Malformed> {
    match value {
        Value::List(items) => Ok(items),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::Object(_) => {
            Err(Malformed::Body("it is no list".to_owned()))
        }
    }
}

/// The memory and processors that a container may take; `None` has no bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resources {
    /// Bytes, without swap.
    pub memory: Option<u64>,
    /// Billionths of a processor.
    pub nano_cpus: Option<u64>,
}

impl Resources {
    /// Those of a `HostConfig`.
    #[must_use]
    pub fn of(host_config: &Value) -> Self {
        Self::updated(host_config, &Value::Null)
    }

    /// Those of a `HostConfig` once the body of a `ContainerUpdate` has changed it: a zero changes nothing, all else
    /// does, also what is negative.
    ///
    /// moby: daemon/container/container_unix.go, `UpdateContainer`.
    #[must_use]
    pub fn updated(host_config: &Value, update: &Value) -> Self {
        let number = |key: &str| {
            let new = update.get(key).filter(|value| !value.is_zero());
            new.or_else(|| host_config.get(key)).map_or(0, integer)
        };
        let positive = |number: i64| u64::try_from(number).ok().filter(|number| *number > 0);
        Self {
            memory: positive(number("Memory")),
            nano_cpus: nano_cpus(number("NanoCpus"), number("CpuQuota"), number("CpuPeriod")),
        }
    }

    /// Whether the body of a `ContainerUpdate` changes any of them.
    #[must_use]
    pub fn are_changed_by(update: &Value) -> bool {
        ["Memory", "NanoCpus", "CpuQuota", "CpuPeriod"]
            .iter()
            .any(|key| update.get(key).is_some_and(|value| !value.is_zero()))
    }
}

/// What the kernel is told: `NanoCpus` as a quota of a tenth of a second, over which quota and period go where they are
/// said.
///
/// moby: daemon/daemon_unix.go, `getCPUResources`.
fn nano_cpus(nano: i64, quota: i64, period: i64) -> Option<u64> {
    let (nano, period) = (i128::from(nano), i128::from(period));
    let quota = match i128::from(quota) {
        0 if nano > 0 => nano * PERIOD / BILLION,
        quota => quota,
    };
    let period = if period == 0 { PERIOD } else { period };
    if quota <= 0 || period <= 0 {
        return None;
    }
    // Rounded up: two thirds of a processor are more than their first nine digits.
    let cpus = (quota * BILLION + period - 1) / period;
    u64::try_from(cpus.max(nano)).ok()
}

/// What is no whole number is beyond every bound.
fn integer(value: &Value) -> i64 {
    match value {
        Value::Number(number) => number.as_i64().unwrap_or(-1),
        Value::Null | Value::Bool(_) | Value::Text(_) | Value::List(_) | Value::Object(_) => -1,
    }
}

const BILLION: i128 = 1_000_000_000;
/// Microseconds, of Linux and of the daemon.
const PERIOD: i128 = 100_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn of(host_config: &str) -> (Option<u64>, Option<u64>) {
        let read = Resources::of(&json::parse(host_config.as_bytes()).unwrap());
        (read.memory, read.nano_cpus)
    }

    #[test]
    fn reads_what_a_container_may_take() {
        for (host_config, expected) in [
            ("{}", (None, None)),
            (r#"{"Memory":0,"NanoCpus":0}"#, (None, None)),
            (r#"{"Memory":-1,"NanoCpus":-1}"#, (None, None)),
            (r#"{"Memory":1.5}"#, (None, None)),
            (r#"{"Memory":10}"#, (Some(10), None)),
            (r#"{"NanoCpus":1500000000}"#, (None, Some(1_500_000_000))),
            (r#"{"CpuQuota":50000}"#, (None, Some(500_000_000))),
            (
                r#"{"CpuQuota":50000,"CpuPeriod":1000}"#,
                (None, Some(50_000_000_000)),
            ),
            (r#"{"CpuQuota":2,"CpuPeriod":3}"#, (None, Some(666_666_667))),
            (r#"{"CpuPeriod":1000}"#, (None, None)),
            (r#"{"CpuQuota":-1,"NanoCpus":5}"#, (None, None)),
            (
                r#"{"CpuPeriod":1000,"NanoCpus":1000000000}"#,
                (None, Some(100_000_000_000)),
            ),
            (r#"{"CpuPeriod":-1,"NanoCpus":1000000000}"#, (None, None)),
        ] {
            assert_eq!(of(host_config), expected, "{host_config}");
        }
    }

    #[test]
    fn an_update_changes_what_is_not_zero() {
        let before = json::parse(br#"{"Memory":10,"NanoCpus":2000000000}"#).unwrap();
        for (update, expected) in [
            ("{}", (Some(10), Some(2_000_000_000))),
            (
                r#"{"Memory":0,"NanoCpus":0}"#,
                (Some(10), Some(2_000_000_000)),
            ),
            (r#"{"Memory":20}"#, (Some(20), Some(2_000_000_000))),
            (r#"{"Memory":-1}"#, (None, Some(2_000_000_000))),
            (r#"{"CpuQuota":-1}"#, (Some(10), None)),
            (
                r#"{"NanoCpus":3000000000}"#,
                (Some(10), Some(3_000_000_000)),
            ),
        ] {
            let update = json::parse(update.as_bytes()).unwrap();
            let read = Resources::updated(&before, &update);
            assert_eq!((read.memory, read.nano_cpus), expected, "{update}");
        }
        let changes =
            |update: &str| Resources::are_changed_by(&json::parse(update.as_bytes()).unwrap());
        assert!(!changes(
            r#"{"RestartPolicy":{"Name":"always"},"Memory":0}"#
        ));
        assert!(changes(r#"{"CpuPeriod":-1}"#));
    }

    #[test]
    fn reads_lists_and_nothing_else() {
        let list = br#"[{"Id":"a","State":"running","Mounts":[{"Type":"volume","Name":"v"},{"Type":"bind"}]},
            {"Id":"b","State":"exited"},{"Id":"c","State":"paused"},{"Id":"d","State":"restarting"},
            {"Id":"e","State":"created"}]"#;
        let found = owned_containers(list).unwrap();
        let running: Vec<_> = found.iter().filter(|one| one.is_running).collect();
        let ids: Vec<_> = running.iter().map(|one| one.id.as_str()).collect();
        assert_eq!(ids, ["a", "c", "d"]);
        assert_eq!(found[0].volumes, ["v"]);
        assert!(owned_containers(b"{}").is_err() && owned_networks(b"{}").is_err());
        assert!(owned_volumes(b"[]").is_err() && owned_volumes(b"null").is_err());
        assert_eq!(owned_volumes(br#"{"Volumes":null}"#).unwrap().len(), 0);
        assert_eq!(
            owned_volumes(br#"{"Volumes":[{"Name":"v"}]}"#).unwrap(),
            ["v"]
        );
        assert_eq!(owned_networks(b"[{},{}]").unwrap(), 2);
        assert_eq!(
            owned_ids(br#"[{"Id":"a"},{"ID":"b"}]"#).unwrap(),
            ["a", "b"]
        );
        assert!(owned_ids(b"{}").is_err());
    }
}
