//! `[reload]`: when the files are read anew, and what that does to what is under way.

use crate::policy::document::Table;
use crate::policy::value::Value;

/// How the gate takes in changes while it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reload {
    /// Files in use are read anew when they change; else on SIGHUP only.
    pub watches: bool,
    /// Tunnels and streams of clients that are no longer permitted them end at once; else when their own end comes.
    pub ends_tunnels: bool,
}

impl Default for Reload {
    fn default() -> Self {
        Self {
            watches: true,
            ends_tunnels: true,
        }
    }
}

pub(super) fn read(table: &mut Table<'_>) -> Reload {
    let default = Reload::default();
    let mut boolean = |key| table.take(key).and_then(Value::boolean);
    Reload {
        watches: boolean("watch").unwrap_or(default.watches),
        ends_tunnels: boolean("end-tunnels").unwrap_or(default.ends_tunnels),
    }
}
