//! Which `[[client]]` tables of a configuration are for nobody, and whom they make owners.

use crate::config::{ClientRule, Config, Listener, ListenerAddress};
use crate::policy::client::{OwnerTemplate, Way};

use super::finding::Finding;

/// The tables that are for nobody: a pattern fits nothing, no listener has such clients, or an earlier one has them all.
pub(super) fn that_never_match(config: &Config) -> Vec<Finding> {
    let found = config
        .clients
        .iter()
        .enumerate()
        .filter_map(|(index, client)| {
            let cause = if let Some((key, text)) = client.matches.hopeless() {
                format!("no `{key}` can be `{text}`")
            } else if is_without_listener(config, client) {
                "no listener that leaves its clients to these tables has such clients".to_owned()
            } else {
                let mut earlier = config.clients.iter().take(index);
                let wider = earlier.find(|earlier| earlier.matches.covers(&client.matches))?;
                let (wider, line) = (&wider.name, wider.line);
                format!("`{wider}` at line {line} comes first and matches them all")
            };
            let message = format!("`{}` is for nobody: {cause}", client.name);
            Some(Finding::warning(client.line, "never-matches", message))
        });
    found.collect()
}

/// Owners that cannot be named for clients who come some way: those are refused.
pub(super) fn without_owner(config: &Config) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut told = |line, owner: &OwnerTemplate, ways: Vec<Way>| {
        for way in ways {
            if let Some(field) = owner.lacking(way) {
                let who = described(way);
                let message = format!("{who} are refused: `owner` asks for their `{field}`");
                let finding = Finding::warning(line, "no-owner", message);
                if !found.contains(&finding) {
                    found.push(finding);
                }
            }
        }
    };
    for listener in &config.listeners {
        let own = listener
            .owner
            .as_ref()
            .filter(|_| listener.policy.is_some());
        if let Some(owner) = own {
            told(listener.line, owner, listener.ways());
        }
    }
    for client in &config.clients {
        for listener in listeners_of(config, client) {
            let mut ways = listener.ways();
            ways.retain(|way| client.matches.fits(*way));
            if let Some(owner) = client.owner.as_ref().or(listener.owner.as_ref()) {
                told(client.line, owner, ways);
            }
        }
    }
    found
}

/// Templates that a client can fill so that it owns the things of another table's clients.
pub(super) fn with_the_name_of_another(config: &Config) -> Vec<Finding> {
    let mut found = Vec::new();
    for client in &config.clients {
        let template = client.owner.as_ref().filter(|owner| !owner.is_fixed());
        let Some(template) = template else { continue };
        let others = config
            .clients
            .iter()
            .filter(|other| other.name != client.name);
        for other in others {
            let owner = match &other.owner {
                Some(owner) if !owner.is_fixed() => continue,
                Some(owner) => owner.as_str(),
                None => &other.name,
            };
            if template.may_name(owner) {
                let (name, other, line) = (&client.name, &other.name, other.line);
                let message = format!(
                    "one of `{name}` can be named `{owner}`, and so own what `{other}` at line {line} makes; write \
                     something before the field, like \"{name}/{template}\""
                );
                found.push(Finding::warning(client.line, "shared-owner", message));
            }
        }
    }
    found
}

/// The command line may name the listeners where the file does not.
fn is_without_listener(config: &Config, client: &ClientRule) -> bool {
    !config.listeners.is_empty() && listeners_of(config, client).next().is_none()
}

/// The listeners that leave their clients to the tables, and that such clients can come by.
fn listeners_of<'a>(
    config: &'a Config,
    client: &'a ClientRule,
) -> impl Iterator<Item = &'a Listener> {
    let open = config
        .listeners
        .iter()
        .filter(|listener| listener.policy.is_none());
    open.filter(|listener| {
        // The names of inherited sockets are known once they are there.
        let is_named = matches!(listener.address, ListenerAddress::Systemd(None))
            || client.matches.listens(&listener.address.to_string());
        is_named && listener.ways().iter().any(|way| client.matches.fits(*way))
    })
}

fn described(way: Way) -> &'static str {
    match way {
        Way::Unix => "clients of a Unix socket",
        Way::Tls => "clients with a certificate",
        Way::Plain => "clients over TCP without TLS",
        Way::Container => "containers",
    }
}
