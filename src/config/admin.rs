//! `[admin]`: where the gate tells how it is, to those on this machine.

use super::address::{Address, ListenerAddress};
use super::listener::{self, Listener};
use crate::policy::document::Table;
use crate::policy::problem::Fault;
use crate::policy::value::{Place, Value};

/// The listener of the gate's own; none unless the file has one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admin {
    pub address: ListenerAddress,
    /// The permission bits of a Unix socket.
    pub mode: u32,
    pub group: Option<String>,
}

/// The table as it was read, with the place of its address.
pub(super) type Read<'d> = (Admin, Place<'d>);

pub(super) fn read<'d>(table: &mut Table<'d>) -> Option<Read<'d>> {
    let help = "write address = \"tcp://127.0.0.1:9323\"";
    let address = table.require("address", help);
    let place = address.as_ref().map(Value::place);
    let address = address.and_then(|value| value.parsed(local));
    let (mode, group) = (table.take("mode"), table.take("group"));
    if matches!(address, Some(ListenerAddress::Tcp(_))) {
        for value in [&mode, &group].into_iter().flatten() {
            let message = format!("`{}` means nothing on a TCP port", value.key());
            value.report_key(Fault::new("wrong-place", message).help("leave it out"));
        }
    }
    let admin = Admin {
        address: address?,
        mode: mode
            .and_then(|value| value.parsed(listener::permission_bits))
            .unwrap_or(MODE),
        group: group.and_then(|value| value.parsed(listener::group_name)),
    };
    Some((admin, place?))
}

/// It tells who asks for what, and asks nobody who he is.
fn local(text: &str) -> Result<ListenerAddress, Fault> {
    let address = listener::listener_address(text)?;
    let is_local = match &address {
        ListenerAddress::Unix(_) => true,
        ListenerAddress::Tcp(address) => address.ip().is_loopback(),
        ListenerAddress::Systemd(_) => false,
    };
    if is_local {
        return Ok(address);
    }
    let message = "what the gate tells of itself is for this machine only";
    let help = "write `tcp://127.0.0.1:PORT` or `unix:///PATH`";
    Err(Fault::new("not-local", message).help(help))
}

/// It has an address of its own.
pub(super) fn check(admin: &Read<'_>, listeners: &[(Listener, Place<'_>)], daemon: &Address) {
    let (admin, place) = admin;
    let mut others = listeners.iter();
    if let Some((other, _)) = others.find(|(other, _)| other.address.overlaps(&admin.address)) {
        let line = other.line;
        let message = format!("the listener at line {line} takes this address already");
        place.report(Fault::new("duplicate", message));
    }
    if admin.address.is_where(daemon) {
        place.report(Fault::new("loop", "this is the daemon's address"));
    }
}

/// Its owner's only.
const MODE: u32 = 0o600;
