//! A container that calls the gate, as the daemon describes it.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::super::Malformed;
use super::super::json::{self, Raw};
use super::is_full_id;

/// A running container, known by its address, with what an operator can tell it by.
///
/// Two that are equal are the same life of the same container: a restart has another `started`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CallingContainer {
    /// The full id.
    pub id: String,
    /// Without the slash.
    pub name: String,
    pub labels: BTreeMap<String, String>,
    /// When its process began, in UTC as RFC 3339 without the `Z`, so that texts are in the order of their times.
    pub started: String,
}

impl CallingContainer {
    /// Reads the answer to `ContainerInspect` for a container that runs and has this address.
    ///
    /// # Errors
    /// [`Malformed`] where it is none, does not run, or does not have the address.
    pub fn read(bytes: &[u8], id: &str, address: IpAddr) -> Result<Self, Malformed> {
        let answer = json::read(bytes)?;
        let fault = |cause: &str| Malformed::Body(cause.to_owned());
        if answer.text("Id") != id || !is_full_id(id) {
            return Err(fault("it describes another container"));
        }
        let state = answer.get("State");
        let runs = state.is_some_and(|state| state.get("Running") == Some(&Raw::Bool(true)));
        if !runs {
            return Err(fault("the container does not run"));
        }
        if !has_address(&answer, address) {
            return Err(fault("the container does not have this address any more"));
        }
        let started = state.map(|state| state.text("StartedAt"));
        let started = started.and_then(|started| started.strip_suffix('Z'));
        let labels = answer.get("Config").and_then(|config| config.get("Labels"));
        let labels: BTreeMap<_, _> = labels
            .into_iter()
            .flat_map(Raw::members)
            .map(|(key, value)| (key.as_ref().to_owned(), value.as_text().to_owned()))
            .collect();
        let bytes = labels.iter().map(|(key, value)| key.len() + value.len());
        if bytes.sum::<usize>() > MOST_LABEL_BYTES {
            return Err(fault(
                "the container has more bytes of labels than the gate keeps",
            ));
        }
        Ok(Self {
            id: id.to_owned(),
            name: answer.text("Name").trim_start_matches('/').to_owned(),
            labels,
            started: started
                .ok_or_else(|| fault("it does not say since when it runs"))?
                .to_owned(),
        })
    }
}

/// Reads the answer to `ContainerList`: the full ids of the running containers that have this address on a network.
///
/// # Errors
/// [`Malformed`] where it is none.
pub fn containers_at(bytes: &[u8], address: IpAddr) -> Result<Vec<String>, Malformed> {
    let answer = json::read(bytes)?;
    let Raw::List(containers) = &answer else {
        return Err(Malformed::Body("it is no list".to_owned()));
    };
    let found = containers
        .iter()
        .filter(|container| has_address(container, address));
    let ids = found.map(|container| container.text("Id").to_owned());
    Ok(ids.collect())
}

fn has_address(container: &Raw<'_>, address: IpAddr) -> bool {
    let settings = container.get("NetworkSettings");
    let networks = settings.and_then(|settings| settings.get("Networks"));
    let mut networks = networks.into_iter().flat_map(Raw::members);
    networks.any(|(_, network)| {
        ["IPAddress", "GlobalIPv6Address"].iter().any(|key| {
            let written: Option<IpAddr> = network.text(key).parse().ok();
            written.is_some_and(|written| written.to_canonical() == address.to_canonical())
        })
    })
}

/// Of one container that is connected.
const MOST_LABEL_BYTES: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    const ADDRESS: &str = "172.18.0.2";

    fn inspected(changes: &[(&str, &str)]) -> String {
        let id = "ab".repeat(32);
        let mut text = format!(
            r#"{{"Id":"{id}","Name":"/ci-7","State":{{"Running":true,"StartedAt":"2026-01-02T03:04:05.6Z"}},
            "Config":{{"Labels":{{"role":"ci"}}}},
            "NetworkSettings":{{"Networks":{{"own":{{"IPAddress":"172.18.0.2","GlobalIPv6Address":"fd00::2"}}}}}}}}"#
        );
        for (old, new) in changes {
            assert!(text.contains(old));
            text = text.replace(old, new);
        }
        text
    }

    fn read(text: &str, address: &str) -> Result<CallingContainer, Malformed> {
        CallingContainer::read(text.as_bytes(), &"ab".repeat(32), address.parse().unwrap())
    }

    #[test]
    fn a_running_container_is_known_at_its_addresses() {
        for address in [ADDRESS, "fd00::2", "::ffff:172.18.0.2"] {
            let container = read(&inspected(&[]), address).unwrap();
            assert_eq!(container.name, "ci-7");
            assert_eq!(container.labels["role"], "ci");
            assert_eq!(container.started, "2026-01-02T03:04:05.6");
        }
        assert!(read(&inspected(&[]), "172.18.0.3").is_err());
        for change in [
            ("true", "false"),
            (r#""Running":true,"#, ""),
            ("abab", "abac"),
            (r#""172.18.0.2""#, r#""""#),
            ("5.6Z", "5.6+01:00"),
            (r#""ci""#, &format!("\"{}\"", "x".repeat(MOST_LABEL_BYTES))),
        ] {
            assert!(
                read(&inspected(&[change]), ADDRESS).is_err(),
                "{}",
                change.0
            );
        }
    }

    #[test]
    fn a_list_tells_who_has_an_address() {
        let one = inspected(&[]);
        let other = inspected(&[("ab", "cd"), ("172.18.0.2", "172.18.0.3"), ("fd00::2", "")]);
        let host = inspected(&[("ab", "ef"), ("172.18.0.2", ""), ("fd00::2", "")]);
        let ids = |list: &[&String], address: &str| {
            let list: Vec<_> = list.iter().map(|text| text.as_str()).collect();
            let text = format!("[{}]", list.join(","));
            containers_at(text.as_bytes(), address.parse().unwrap()).unwrap()
        };
        assert_eq!(ids(&[&one, &other, &host], ADDRESS), ["ab".repeat(32)]);
        assert_eq!(ids(&[&one, &other, &one], ADDRESS).len(), 2);
        assert_eq!(ids(&[&one, &other], "172.18.0.4").len(), 0);
        assert_eq!(ids(&[&host], "::").len(), 0);
        assert!(containers_at(b"{}", ADDRESS.parse().unwrap()).is_err());
    }
}
