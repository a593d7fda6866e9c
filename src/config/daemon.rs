//! `[daemon]`: the real Engine, and the certificates for it.

use std::path::{Path, PathBuf};

use super::address::Address;
use super::path;
use crate::policy::document::Table;
use crate::policy::problem::Fault;
use crate::policy::value::Value;

/// Where the daemon is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Daemon {
    pub address: Address,
    pub tls: Option<DaemonTls>,
    /// It may be reached over a network without TLS (`dangerously-allow-plain-tcp`).
    pub allows_plain_tcp: bool,
}

/// The files for TLS with the daemon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DaemonTls {
    /// Who may have signed the daemon's certificate.
    pub ca: PathBuf,
    /// The gate's own certificate chain and its key.
    pub client: Option<(PathBuf, PathBuf)>,
}

pub(super) fn read(table: &mut Table<'_>, directory: &Path) -> Daemon {
    let address = table.take("address");
    let place = address.as_ref().map(Value::place);
    let address = address.and_then(|value| {
        value.parsed(|text| {
            Address::parse(text).map_err(|error| {
                let help = "write `unix:///var/run/docker.sock` or `tcp://HOST:2376`";
                Fault::new("not-an-address", error.to_string()).help(help)
            })
        })
    });
    let address = address.unwrap_or_default();
    let tls = table.take("tls");
    if let (Some(tls), Address::Unix(_)) = (&tls, &address) {
        let message = "`tls` means nothing on a Unix socket";
        tls.report_key(Fault::new("wrong-place", message).help("leave it out"));
    }
    let allows_plain_tcp = table.take("dangerously-allow-plain-tcp");
    let allows_plain_tcp = allows_plain_tcp
        .and_then(Value::boolean)
        .unwrap_or_default();
    if let (Some(place), None, false, false) = (&place, &tls, address.is_local(), allows_plain_tcp)
    {
        let message =
            "the daemon is reached over a network without TLS: whoever is on the way is root there";
        let help = "set tls = { ca = \"…\", certificate = \"…\", key = \"…\" }, or dangerously-allow-plain-tcp = true";
        place.report(Fault::new("plain-tcp", message).help(help));
    }
    let files = tls.and_then(|value| value.table("tls", |table| tls_files(table, directory)));
    Daemon {
        address,
        tls: files.flatten(),
        allows_plain_tcp,
    }
}

fn tls_files(table: &mut Table<'_>, directory: &Path) -> Option<DaemonTls> {
    let ca = table.require("ca", "who signed the daemon's certificate: ca = \"ca.pem\"");
    let (certificate, key) = (table.take("certificate"), table.take("key"));
    if let (Some(alone), None) | (None, Some(alone)) = (&certificate, &key) {
        let message = "`certificate` and `key` belong together, and one is missing";
        alone.report_key(Fault::new("missing-key", message));
    }
    let ca = ca.and_then(|value| path(value, directory));
    let certificate = certificate.and_then(|value| path(value, directory));
    let key = key.and_then(|value| path(value, directory));
    Some(DaemonTls {
        ca: ca?,
        client: certificate.zip(key),
    })
}
