//! Which `[[client]]` tables of a configuration are for nobody, and whom they make owners.

use std::net::IpAddr;

use crate::config::{ClientRule, Config, Listener, ListenerAddress};
use crate::policy::Subnet;
use crate::policy::client::{ClientMatch, OwnerTemplate, Way};

use super::finding::Finding;

/// The tables that are for nobody: a pattern fits nothing, no listener has such clients, or earlier ones have them all.
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
                let earlier = config.clients.get(..index).unwrap_or_default();
                taken_before(config, client, earlier)?
            };
            let message = format!("`{}` is for nobody: {cause}", client.name);
            Some(Finding::warning(client.line, "never-matches", message))
        });
    found.collect()
}

/// Which earlier tables match all that this one is for, in words.
fn taken_before(config: &Config, client: &ClientRule, earlier: &[ClientRule]) -> Option<String> {
    let tables: Vec<&ClientMatch> = earlier.iter().map(|earlier| &earlier.matches).collect();
    let mut wider = earlier.iter();
    if let Some(wider) = wider.find(|earlier| earlier.matches.covers(&client.matches)) {
        let (wider, line) = (&wider.name, wider.line);
        return Some(format!(
            "`{wider}` at line {line} comes first and matches them all"
        ));
    }
    let parts = listeners_of(config, client).flat_map(|listener| {
        let address = listener.address.to_string();
        // The names of inherited sockets are known once they are there.
        let is_named = !matches!(listener.address, ListenerAddress::Systemd(None));
        let address = is_named.then_some(address.as_str());
        client.matches.apart(address, &reach(listener))
    });
    let parts: Vec<ClientMatch> = parts.collect();
    let mut all = parts.iter().map(|part| part.covered_by(&tables));
    let first = all.next()?;
    let all = all.fold(first, |one, other| Some(&one? | &other?))?;
    let names = all.into_iter().filter_map(|place| earlier.get(place));
    let names = names.map(|table| format!("`{}` at line {}", table.name, table.line));
    let names: Vec<String> = names.collect();
    Some(format!(
        "{} come first and match them all together",
        names.join(" and ")
    ))
}

/// Where clients of a listener can call from: nowhere on a Unix socket.
fn reach(listener: &Listener) -> Vec<Subnet> {
    let ranges: &[&str] = match &listener.address {
        ListenerAddress::Unix(_) => &[],
        ListenerAddress::Systemd(_) => &["0.0.0.0/0", "::/0"],
        ListenerAddress::Tcp(address) => match address.ip().to_canonical() {
            IpAddr::V4(ip) if ip.is_loopback() => &["127.0.0.0/8"],
            IpAddr::V4(_) => &["0.0.0.0/0"],
            IpAddr::V6(ip) if ip.is_loopback() => &["::1/128"],
            // Such a socket takes IPv4 too.
            IpAddr::V6(ip) if ip.is_unspecified() => &["0.0.0.0/0", "::/0"],
            IpAddr::V6(_) => &["::/0"],
        },
    };
    let ranges = ranges.iter().filter_map(|range| Subnet::parse(range));
    ranges.collect()
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
    let found = config.clients.iter().filter_map(|client| {
        let template = client.owner.as_ref().filter(|owner| !owner.is_fixed())?;
        let others = config.clients.iter().filter(|other| {
            let owner = fixed_owner(other);
            other.name != client.name && owner.is_some_and(|owner| template.may_name(owner))
        });
        let others: Vec<&ClientRule> = others.collect();
        let other = others.first()?;
        let more = match others.len() {
            1 => String::new(),
            count => format!(" (and {} more)", count - 1),
        };
        let (name, owner) = (&client.name, fixed_owner(other)?);
        let message = format!(
            "a client of `{name}` can be the owner `{owner}`, and so own what `{}` at line {}{more} makes; write \
             something before the field, like \"{name}/{template}\"",
            other.name, other.line
        );
        Some(Finding::warning(client.line, "shared-owner", message))
    });
    found.collect()
}

/// The one owner of all clients of a table, where the table says it.
fn fixed_owner(client: &ClientRule) -> Option<&str> {
    match &client.owner {
        None => Some(&client.name),
        Some(owner) => owner.is_fixed().then(|| owner.as_str()),
    }
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
        is_named
            && listener.ways().iter().any(|way| client.matches.fits(*way))
            && client.matches.calls_from(&reach(listener))
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
