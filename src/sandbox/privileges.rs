//! Privileges that are never needed again: capabilities, those of programs with a set-user-id bit, those of a tracer.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;

use rustix::fs::Mode;
use rustix::process::{DumpableBehavior, geteuid, set_dumpable_behavior, umask};
use rustix::thread::{
    CapabilitySet, CapabilitySets, capabilities, clear_ambient_capability_set,
    remove_capability_from_bounding_set, set_capabilities, set_no_new_privs,
};

use super::{Needs, Reach};

/// From now on, what the process creates is its user's only; what should not be says so itself.
pub fn guard_new_files() {
    umask(Mode::from_raw_mode(0o077));
}

pub(super) fn drop_all(needs: &Needs) {
    let failed = |what: &str, error: io::Error| tracing::warn!(%error, "{what}");
    if let Err(error) = set_no_new_privs(true) {
        failed("programs could still gain privileges", error.into());
    }
    // Keys are in this memory; neither another process of the same user nor a core file is to have them.
    if let Err(error) = set_dumpable_behavior(DumpableBehavior::NotDumpable) {
        failed(
            "other processes of this user can read this one's memory",
            error.into(),
        );
    }
    if let Err(error) = drop_capabilities(kept(needs)) {
        failed("capabilities are not dropped", error.into());
    }
}

/// Root goes on finding out where paths of the host lead, and reading the configuration, as its files' owner would.
fn kept(needs: &Needs) -> CapabilitySet {
    if !geteuid().is_root() {
        return CapabilitySet::empty();
    }
    let mut kept = CapabilitySet::DAC_READ_SEARCH;
    if let Reach::Unix(socket) = &needs.daemon
        && !is_writable_by_its_owner(socket)
    {
        tracing::info!("the daemon's socket is another user's, so CAP_DAC_OVERRIDE is kept");
        kept |= CapabilitySet::DAC_OVERRIDE;
    }
    kept
}

/// Whether root needs no capability to connect; a daemon that is not there yet will most likely be root's.
fn is_writable_by_its_owner(socket: &std::path::Path) -> bool {
    fs::metadata(socket).map_or(true, |found| {
        let is_for_all = found.mode() & 0o002 != 0;
        let is_own = found.uid() == geteuid().as_raw() && found.mode() & 0o200 != 0;
        is_for_all || is_own
    })
}

fn drop_capabilities(kept: CapabilitySet) -> rustix::io::Result<()> {
    let now = capabilities(None)?;
    let all = now.effective | now.permitted | now.inheritable;
    if all.is_empty() {
        return Ok(());
    }
    let _ = clear_ambient_capability_set();
    if now.effective.contains(CapabilitySet::SETPCAP) {
        for bit in 0..u64::BITS {
            // The kernel knows fewer than there are bits; and nothing is ever executed that could use one.
            let capability = CapabilitySet::from_bits_retain(1 << bit);
            let _ = remove_capability_from_bounding_set(capability);
        }
    }
    let left = kept & now.permitted;
    set_capabilities(
        None,
        CapabilitySets {
            effective: left,
            permitted: left,
            inheritable: CapabilitySet::empty(),
        },
    )
}
