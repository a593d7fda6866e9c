//! Limits on what leads out of the thing that is made: links, subnets, scopes, registries, the host's `ps`.

use super::facts::Found;
use super::references::{first, links_open};
use super::{Judge, Reason};
use crate::engine_api::OWNER_LABEL;
use crate::engine_api::json::{self, Value};

impl Judge<'_> {
    /// A link hands over the other container's environment, and opens the way to it where ICC is off; on a network
    /// that was made by a client it is no more than a name there.
    ///
    /// moby: daemon/daemon_unix.go, `registerLinks`; daemon/container_operations.go.
    pub(super) fn links(&mut self, path: &str, value: &Value) {
        let mode = self
            .host_config()
            .map_or("", |host| host.text("NetworkMode"));
        if !links_open(mode) {
            return;
        }
        let setting = &self.policy.container.links;
        for link in value.texts() {
            let asked = first(link);
            // An id may stand there as well: what counts is the name of the container that it leads to.
            let name = match self.facts.others.get(&asked) {
                Some(Found::Is(container)) => container.name.as_str(),
                Some(Found::Answered { .. }) => asked.as_str(),
                Some(Found::Unknown(_)) | None if setting.value.is_empty() => asked.as_str(),
                // That of a container that exists is written by the daemon.
                None if self.existing.is_some() => asked.as_str(),
                Some(Found::Unknown(_)) | None => {
                    self.other_container(path, &asked);
                    continue;
                }
            };
            if !setting.value.iter().any(|pattern| pattern.matches(name)) {
                let remedy = format!("`links = [{}]` in `[container]`", Reason::quoted(name));
                let message = "a link opens another container";
                self.refuse(
                    Reason::new("link", path, link, message).opened_by(setting.line, &remedy),
                );
            }
        }
    }

    /// The volumes of another container, if that one is permitted itself.
    ///
    /// moby: volume/mounts/volumes_from.go; the mode can take away the right to write, never give it.
    pub(super) fn volumes_from(&mut self, path: &str, value: &Value) {
        let setting = &self.policy.container.volumes_from;
        for (index, from) in value.texts().enumerate() {
            let path = format!("{path}[{index}]");
            let mode = from.split_once(':').map_or("", |(_, mode)| mode);
            if !setting.value {
                let message = "it mounts whatever another container has";
                let reason = Reason::new("volumes-from", &path, from, message);
                let remedy = "`volumes-from = true` in `[container]`";
                self.refuse(reason.opened_by(setting.line, remedy));
            } else if matches!(mode, "" | "ro" | "rw") {
                self.other_container(&path, &first(from));
            } else {
                let message = "the mode is neither `ro` nor `rw`";
                self.refuse(Reason::new("volumes-from", &path, from, message));
            }
        }
    }

    /// The gate's own label says whose a thing is, so it is the gate's to write.
    pub(super) fn labels(&mut self, path: &str, value: &Value) {
        // A parameter has them as text.
        let text = Some(value.as_text()).filter(|text| !text.is_empty());
        let parsed = text.and_then(|text| json::parse(text.as_bytes()).ok());
        if let Some(label) = parsed.as_ref().unwrap_or(value).get(OWNER_LABEL)
            && label.as_text() != self.facts.owner
        {
            let (path, message) = (format!("{path}.{OWNER_LABEL}"), "only the gate writes it");
            self.refuse(Reason::new("owner-label", &path, label.as_text(), message));
        }
    }

    pub(super) fn network_scope(&mut self, path: &str, scope: &str) {
        if !matches!(scope, "" | "local") {
            let message = "the network would reach beyond this host";
            self.refuse(Reason::new("network-scope", path, scope, message));
        }
    }

    /// Docker's own registry is open to every policy that permits the operation; another one where a pattern of the
    /// policy's images begins with its name.
    pub(super) fn registry(&mut self, path: &str, text: &str) {
        let host = if path.starts_with('?') {
            registry_of_term(text)
        } else {
            registry_of_address(text)
        };
        let setting = &self.policy.image.references;
        let beginning = format!("{host}/");
        let permits = setting
            .value
            .iter()
            .chain(&self.policy.container.images.value)
            .any(|pattern| pattern.as_str().starts_with(&beginning) || pattern.matches(&beginning));
        if !matches!(
            host,
            "docker.io" | "index.docker.io" | "registry-1.docker.io"
        ) && !permits
        {
            let remedy = format!("`references = [\"{host}/*\"]` in `[image]`");
            let message = "the daemon would connect to this registry";
            self.refuse(
                Reason::new("registry", path, text, message).opened_by(setting.line, &remedy),
            );
        }
    }

    /// A checkpoint is a directory beneath its container's; a name of another grammar can lead out of there.
    ///
    /// moby: daemon/start.go up to 28 joins what a start names unchecked.
    pub(super) fn checkpoint(&mut self, path: &str, name: &str) {
        let is_plain =
            |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
        let begins = |byte: &u8| byte.is_ascii_alphanumeric();
        let is_name = name.bytes().all(is_plain) && name.as_bytes().first().is_none_or(begins);
        if !is_name {
            let message = "the name of a checkpoint has letters, digits, `_`, `.` and `-` only, and begins with one of the first two";
            self.refuse(Reason::new("checkpoint", path, name, message));
        }
    }

    /// `ps` runs on the host; `=` could rename the column by which the daemon tells the container's processes.
    pub(super) fn ps_arguments(&mut self, path: &str, text: &str) {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, ' ' | ',' | '-' | '_');
        if !text.chars().all(is_plain) {
            let message =
                "`ps` runs on the host and takes letters, digits, spaces, `,`, `-` and `_` only";
            self.refuse(Reason::new("ps-arguments", path, text, message));
        }
    }
}

/// moby: daemon/pkg/registry/search.go, `splitReposSearchTerm`.
fn registry_of_term(term: &str) -> &str {
    match term.split_once('/') {
        Some((host, _)) if host.contains(['.', ':']) || host == "localhost" => host,
        Some(_) | None => "docker.io",
    }
}

/// moby: daemon/pkg/registry/service.go, `Auth` takes the host of a URL, with or without its scheme.
fn registry_of_address(address: &str) -> &str {
    let rest = address
        .strip_prefix("https://")
        .or_else(|| address.strip_prefix("http://"))
        .unwrap_or(address);
    match rest.split(['/', '?', '#']).next() {
        // A user before the host (`docker.io@elsewhere`) leaves the whole for the patterns, which none then fits.
        Some(host) if !host.is_empty() && !host.contains('@') => host,
        _ if address.is_empty() => "docker.io",
        _ => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_registry_is_found_where_the_daemon_finds_it() {
        assert_eq!(registry_of_term("redis"), "docker.io");
        assert_eq!(registry_of_term("grafana/loki"), "docker.io");
        assert_eq!(registry_of_term("r.example:5000/x"), "r.example:5000");
        assert_eq!(registry_of_address(""), "docker.io");
        assert_eq!(
            registry_of_address("https://index.docker.io/v1/"),
            "index.docker.io"
        );
        assert_eq!(registry_of_address("r.example"), "r.example");
        assert_eq!(
            registry_of_address("docker.io@r.example"),
            "docker.io@r.example"
        );
        assert_eq!(registry_of_address("https:///x"), "https:///x");
    }
}
