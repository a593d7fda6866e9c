//! `[[listener]]`: where clients come, and who may.

use std::path::{Path, PathBuf};

use super::address::{Address, ListenerAddress};
use super::allowance::{self, Allowance};
use super::path;
use super::policy_reference::{self, PolicyReference};
use crate::policy::Line;
use crate::policy::client::{OwnerTemplate, Way};
use crate::policy::document::Table;
use crate::policy::problem::Fault;
use crate::policy::value::{Place, Value};

/// One place where clients come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listener {
    pub address: ListenerAddress,
    /// The permission bits of a Unix socket.
    pub mode: u32,
    /// The group of a Unix socket, by name or number; `None` leaves the process's own.
    pub group: Option<String>,
    /// Holds for whoever comes here; `None` leaves it to the `[[client]]` tables, or to the policy for all.
    pub policy: Option<PolicyReference>,
    pub tls: Option<ListenerTls>,
    /// Who calls is known as the container that has its address, or is refused (`identify-containers`).
    pub identifies_containers: bool,
    /// The name under which clients own what they make, where their `[[client]]` table says none.
    pub owner: Option<OwnerTemplate>,
    /// What each owner may take, where their `[[client]]` table does not say it.
    pub allowance: Option<Allowance>,
    /// Plain TCP may be reached from other machines (`dangerously-allow-plain-tcp`).
    pub allows_plain_tcp: bool,
    /// Where it stands in the file; 0 where it does not.
    pub line: Line,
}

/// The files for TLS with clients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListenerTls {
    pub certificate: PathBuf,
    pub key: PathBuf,
    /// Whose clients may connect.
    pub client_ca: PathBuf,
    /// Which of them may not any more.
    pub client_crl: Option<PathBuf>,
}

impl Listener {
    /// The permission bits of a Unix socket that says nothing of them: its owner and its group.
    pub const MODE: u32 = 0o660;

    /// A listener with nothing but an address, as the command line gives it.
    #[must_use]
    pub fn at(address: ListenerAddress) -> Self {
        Self {
            address,
            mode: Self::MODE,
            group: None,
            policy: None,
            tls: None,
            identifies_containers: false,
            owner: None,
            allowance: None,
            allows_plain_tcp: false,
            line: 0,
        }
    }

    /// The ways in which clients may come here.
    #[must_use]
    pub fn ways(&self) -> Vec<Way> {
        let tcp = match (&self.tls, self.identifies_containers) {
            (Some(_), _) => Way::Tls,
            (None, true) => Way::Container,
            (None, false) => Way::Plain,
        };
        match self.address {
            ListenerAddress::Unix(_) => vec![Way::Unix],
            ListenerAddress::Tcp(_) => vec![tcp],
            ListenerAddress::Systemd(_) => vec![Way::Unix, tcp],
        }
    }
}

/// Reads one `[[listener]]` table; the place is that of its address.
pub(super) fn read<'d>(table: &mut Table<'d>, directory: &Path) -> Option<(Listener, Place<'d>)> {
    let address = table.require(
        "address",
        "write address = \"unix:///run/dockgate/docker.sock\"",
    );
    let place = address.as_ref().map(Value::place);
    let address = address.and_then(|value| value.parsed(listener_address));
    let (mode, group, tls) = (table.take("mode"), table.take("group"), table.take("tls"));
    let plain = table.take("dangerously-allow-plain-tcp");
    let containers = table.take("identify-containers");
    if let Some(address) = &address {
        let of_ports = [&tls, &plain, &containers];
        check_keys(address, [&mode, &group], of_ports);
    }
    if let (Some(containers), Some(_)) = (&containers, &tls) {
        let message = "containers are told apart where no certificate tells who they are";
        let fault = Fault::new("wrong-place", message);
        containers.report_key(fault.help("leave it out, or `tls`"));
    }
    let owner = table.take("owner");
    let allowance = allowance::read(table, owner.is_some());
    let owner = owner.and_then(|value| value.parsed(OwnerTemplate::parse));
    let has_tls = tls.is_some();
    let tls = tls.and_then(|value| value.table("tls", |table| tls_files(table, directory)));
    let mode = mode.and_then(|value| value.parsed(permission_bits));
    let group = group.and_then(|value| value.parsed(group_name));
    let policy = table.take("policy");
    let policy = policy.and_then(|value| policy_reference::read(value, directory));
    let listener = Listener {
        address: address?,
        mode: mode.unwrap_or(Listener::MODE),
        group,
        policy,
        tls: tls.flatten(),
        identifies_containers: containers.and_then(Value::boolean).unwrap_or_default(),
        owner,
        allowance,
        allows_plain_tcp: plain.and_then(Value::boolean).unwrap_or_default(),
        line: table.line(),
    };
    let place = place?;
    if let ListenerAddress::Tcp(address) = &listener.address
        && !(has_tls || address.ip().is_loopback() || listener.allows_plain_tcp)
    {
        let message = "other machines can reach this port, and nothing tells who they are";
        let help = "set tls = { certificate = \"…\", key = \"…\", client-ca = \"…\" }, listen on 127.0.0.1, or set \
                    dangerously-allow-plain-tcp = true";
        place.report(Fault::new("plain-tcp", message).help(help));
    }
    Some((listener, place))
}

/// Each address once, and none of them the daemon's.
pub(super) fn check_together(listeners: &[(Listener, Place<'_>)], daemon: &Address) {
    for (index, (listener, place)) in listeners.iter().enumerate() {
        if listener.address.is_where(daemon) {
            let message = "this is the daemon's address, so the gate would talk to itself";
            place.report(Fault::new("loop", message));
        }
        let mut before = listeners.iter().take(index);
        let repeated = before.find(|(other, _)| other.address.overlaps(&listener.address));
        if let Some((other, _)) = repeated {
            let message = format!(
                "the listener at line {} takes this address already",
                other.line
            );
            place.report(Fault::new("duplicate", message));
        }
    }
}

/// Where no `[[client]]` table and no policy for all is given, each listener needs its own.
pub(super) fn check_policies(listeners: &[(Listener, Place<'_>)]) {
    for (_, place) in listeners
        .iter()
        .filter(|(listener, _)| listener.policy.is_none())
    {
        let message = "nothing says what clients may do here, so all of them would be refused";
        let help =
            "write policy = \"guarded\" below it, or tell clients apart with [[client]] tables";
        place.report(Fault::new("no-policy", message).help(help));
    }
}

pub(super) fn listener_address(text: &str) -> Result<ListenerAddress, Fault> {
    ListenerAddress::parse(text).map_err(|error| {
        let help = "write `unix:///PATH`, `tcp://IP:PORT`, `systemd` or `systemd:NAME`";
        Fault::new("not-an-address", error.to_string()).help(help)
    })
}

fn check_keys(
    address: &ListenerAddress,
    of_sockets: [&Option<Value<'_>>; 2],
    of_ports: [&Option<Value<'_>>; 3],
) {
    let useless = |value: &Value<'_>, kind: &str| {
        let message = format!("`{}` means nothing on {kind}", value.key());
        value.report_key(Fault::new("wrong-place", message).help("leave it out"));
    };
    let (kind, useless_keys): (_, Vec<_>) = match address {
        ListenerAddress::Unix(_) => ("a Unix socket", of_ports.into_iter().flatten().collect()),
        ListenerAddress::Tcp(_) => ("a TCP port", of_sockets.into_iter().flatten().collect()),
        ListenerAddress::Systemd(_) => (
            "an inherited socket",
            of_sockets.into_iter().flatten().collect(),
        ),
    };
    for value in useless_keys {
        useless(value, kind);
    }
}

pub(super) fn permission_bits(text: &str) -> Result<u32, Fault> {
    let is_octal =
        matches!(text.len(), 3 | 4) && text.bytes().all(|byte| matches!(byte, b'0'..=b'7'));
    let bits = u32::from_str_radix(text, 8)
        .ok()
        .filter(|bits| is_octal && *bits <= 0o777);
    bits.ok_or_else(|| {
        let message = format!("`{text}` is not the mode of a socket");
        Fault::new("not-a-mode", message).help("write it like \"0660\"")
    })
}

pub(super) fn group_name(text: &str) -> Result<String, Fault> {
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-$".contains(&byte);
    if matches!(text.len(), 1..=32) && text.bytes().all(is_name) {
        return Ok(text.to_owned());
    }
    let message = format!("`{text}` is not the name of a group");
    Err(Fault::new("not-a-name", message).help("a name or a number, like \"docker\""))
}

fn tls_files(table: &mut Table<'_>, directory: &Path) -> Option<ListenerTls> {
    let certificate = table.require(
        "certificate",
        "the gate's own: certificate = \"server.pem\"",
    );
    let key = table.require(
        "key",
        "the key of the certificate: key = \"server-key.pem\"",
    );
    let client_ca = table.take("client-ca");
    if client_ca.is_none() {
        let message = "no `client-ca`, so nothing would tell who the clients are";
        let help = "who signs the clients' certificates: client-ca = \"ca.pem\"";
        table.report(Fault::new("no-client-ca", message).help(help));
    }
    let client_crl = table
        .take("client-crl")
        .and_then(|value| path(value, directory));
    let certificate = certificate.and_then(|value| path(value, directory));
    let key = key.and_then(|value| path(value, directory));
    let client_ca = client_ca.and_then(|value| path(value, directory));
    Some(ListenerTls {
        certificate: certificate?,
        key: key?,
        client_ca: client_ca?,
        client_crl,
    })
}
