//! What the operator configures: `dockgate.toml`, read with every problem at its place.

mod address;
mod admin;
mod allowance;
mod client;
mod daemon;
mod limits;
mod listener;
mod policy_reference;
mod reload;
mod shared;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::engine_api::ApiVersion;
use crate::policy::document::{self, Table};
use crate::policy::paths;
use crate::policy::problem::Fault;
use crate::policy::value::{Place, Value};
use crate::policy::{Problems, Shared};

pub use address::{Address, AddressError, ListenerAddress};
pub use admin::Admin;
pub use allowance::{Allowance, Quota, Rate};
pub use client::ClientRule;
pub use daemon::{Daemon, DaemonTls};
pub use limits::Limits;
pub use listener::{Listener, ListenerTls};
pub use policy_reference::{PolicyReference, UnknownPolicy};
pub use reload::Reload;

/// A configuration without a problem; its paths are joined to the directory of its file.
#[derive(Debug, Clone, Default)]
pub struct Config {
    pub daemon: Daemon,
    /// None where the file names none.
    pub listeners: Vec<Listener>,
    /// In the order of the file: the first that matches holds.
    pub clients: Vec<ClientRule>,
    /// For listeners without their own; `None` where clients are told apart by `clients`, or nothing is said.
    pub policy: Option<PolicyReference>,
    pub limits: Limits,
    pub audit: AuditFile,
    pub admin: Option<Admin>,
    pub api: Api,
    pub reload: Reload,
    pub shared: Shared,
    /// The process keeps all rights that its user has (`dangerously-unconfined`).
    pub is_unconfined: bool,
    /// Values for the parameters of policies.
    pub parameters: BTreeMap<String, String>,
}

/// Where audit records go.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum AuditFile {
    #[default]
    Stdout,
    File(PathBuf),
}

/// `[api]`: versions of the Engine API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Api {
    /// The oldest that a client may speak.
    pub lowest: ApiVersion,
    /// The newest, which is told to clients and given to requests that name none.
    pub highest: ApiVersion,
}

impl Default for Api {
    fn default() -> Self {
        Self {
            lowest: ApiVersion::OLDEST,
            highest: ApiVersion::NEWEST,
        }
    }
}

impl Config {
    /// Reads a configuration; `policy` is what the command line gives to listeners without their own.
    ///
    /// # Errors
    /// Every problem of the file, among them settings that would open more than they say.
    pub fn parse(
        file: &str,
        text: &str,
        policy: Option<PolicyReference>,
    ) -> Result<Self, Problems> {
        let directory = Path::new(file).parent().unwrap_or(Path::new(""));
        document::read(file, text, |root| read(root, directory, policy))
    }
}

fn read(root: &mut Table<'_>, directory: &Path, given: Option<PolicyReference>) -> Config {
    let daemon = root.take("daemon");
    let listeners = root.take("listener");
    let clients = root.take("client");
    let policy = root.take("policy");
    let first_client = clients.as_ref().map(Value::place);
    let daemon =
        daemon.and_then(|value| value.table("[daemon]", |table| daemon::read(table, directory)));
    let listeners = listeners.map(|value| value.tables(|table| listener::read(table, directory)));
    let clients = clients.map(|value| value.tables(|table| client::read(table, directory)));
    let policy_place = policy.as_ref().map(Value::place);
    let policy = policy.and_then(|value| policy_reference::read(value, directory));
    let listeners: Vec<_> = listeners
        .unwrap_or_default()
        .into_iter()
        .flatten()
        .collect();
    let daemon = daemon.unwrap_or_default();
    listener::check_together(&listeners, &daemon.address);
    let admin = root.take("admin");
    let admin = admin.and_then(|value| value.table("[admin]", admin::read)?);
    if let Some(admin) = &admin {
        admin::check(admin, &listeners, &daemon.address);
    }
    if let Some(clients) = &first_client {
        check_policy_for_all(clients, policy_place.as_ref(), given.as_ref());
    } else if policy.is_none() && given.is_none() {
        listener::check_policies(&listeners);
    }
    let clients = clients.unwrap_or_default();
    client::check_names(&clients);
    Config {
        daemon,
        listeners: listeners
            .into_iter()
            .map(|(listener, _)| listener)
            .collect(),
        clients: clients
            .into_iter()
            .filter_map(|client| client.rule)
            .collect(),
        policy: given.or(policy),
        limits: root.section("limits", limits::read),
        admin: admin.map(|(admin, _)| admin),
        audit: root.section("audit", |table| audit(table, directory)),
        api: root.section("api", api),
        reload: root.section("reload", reload::read),
        shared: root.section("shared", shared::read),
        is_unconfined: root
            .take("dangerously-unconfined")
            .and_then(Value::boolean)
            .unwrap_or_default(),
        parameters: root.section("parameters", parameters),
    }
}

/// A policy for whoever comes would let in those that match no rule.
fn check_policy_for_all(
    clients: &Place<'_>,
    policy: Option<&Place<'_>>,
    given: Option<&PolicyReference>,
) {
    let help = "give it to the listeners that it is for, or leave out the [[client]] tables";
    if let Some(policy) = policy {
        let message =
            "a policy for whoever comes, beside [[client]] tables that tell clients apart";
        policy.report(Fault::new("policy-for-all", message).help(help));
    }
    if given.is_some() {
        let message = "--policy is for whoever comes, and [[client]] tables tell clients apart";
        clients.report(Fault::new("policy-for-all", message).help(help));
    }
}

/// A path of the configuration, joined to its directory.
fn path(value: Value<'_>, directory: &Path) -> Option<PathBuf> {
    value.parsed(|text| joined(text, directory))
}

fn joined(text: &str, directory: &Path) -> Result<PathBuf, Fault> {
    if text.is_empty() || text.contains('\0') {
        return Err(Fault::new(
            "not-a-path",
            "the path is empty or has a zero byte",
        ));
    }
    Ok(directory.join(text))
}

fn audit(table: &mut Table<'_>, directory: &Path) -> AuditFile {
    let file = table.take("file").and_then(|value| {
        value.parsed(|text| match text {
            "-" => Ok(AuditFile::Stdout),
            text => joined(text, directory).map(AuditFile::File),
        })
    });
    file.unwrap_or_default()
}

fn api(table: &mut Table<'_>) -> Api {
    let lowest = table.take("lowest");
    let highest = table.take("highest");
    let lowest = lowest.and_then(|value| value.parsed(|text| version(text, ApiVersion::OLDEST)));
    let lowest = lowest.unwrap_or(ApiVersion::OLDEST);
    let highest = highest.and_then(|value| value.parsed(|text| version(text, lowest)));
    Api {
        lowest,
        highest: highest.unwrap_or(ApiVersion::NEWEST),
    }
}

fn version(text: &str, lowest: ApiVersion) -> Result<ApiVersion, Fault> {
    let range = lowest..=ApiVersion::NEWEST;
    let version = ApiVersion::parse(text).filter(|version| range.contains(version));
    let message = format!("`{text}` is not a version of the API that the gate knows");
    let help = format!("from {lowest} to {}", ApiVersion::NEWEST);
    version.ok_or_else(|| Fault::new("out-of-range", message).help(help))
}

fn parameters(table: &mut Table<'_>) -> BTreeMap<String, String> {
    let mut parameters = BTreeMap::new();
    for value in table.take_rest() {
        let name = match paths::parameter_name(value.key()) {
            Ok(name) => name,
            Err(fault) => {
                value.report_key(fault);
                continue;
            }
        };
        if let Some(directory) = value.parsed(|text| paths::parameter_value(&name, text)) {
            parameters.insert(name, directory);
        }
    }
    parameters
}

#[cfg(test)]
mod tests;
