//! A place for one test: a client at one door of a gate before the real daemon, and names of its own.

use std::thread;

use super::address::Address;
use super::certificates::Authority;
use super::docker::Docker;
use super::gate::{Gate, Setup};
use super::{engine, process};

/// With this in the environment every test talks to the daemon itself: what fails then, fails without a gate.
const DIRECT: &str = "DOCKGATE_TEST_DIRECT";

/// A client at one door of a gate; what it has made is removed at the end.
#[derive(Debug)]
pub(crate) struct Site {
    pub(crate) docker: Docker,
    /// Ends with a dash, so that it begins no other test's names.
    prefix: String,
    /// Last, so that it outlives the clean-up.
    pub(crate) gate: Option<std::sync::Arc<Gate>>,
}

impl Site {
    /// At the Unix socket of a gate with the default policy.
    pub(crate) fn guarded() -> Self {
        if direct() {
            return Self::at(&engine::address(), None);
        }
        let gate = Gate::guarded();
        let address = gate.address().clone();
        Self::at(&address, Some(gate.into()))
    }

    fn at(address: &Address, gate: Option<std::sync::Arc<Gate>>) -> Self {
        Self {
            docker: Docker::at(address),
            prefix: process::unique("t") + "-",
            gate,
        }
    }

    /// A name for a container, a volume, a network or an image that is this test's alone.
    pub(crate) fn name(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// A `key=value` label that marks what this test alone has made.
    pub(crate) fn label(&self) -> String {
        format!("dockgate.test={}", self.prefix)
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        engine::clean(&self.prefix);
    }
}

/// Runs a check at both doors of one gate with the default policy: the Unix socket, and TCP with mutual TLS.
pub(crate) fn at_both_doors(check: impl Fn(&Site) + Sync) {
    if direct() {
        return check(&Site::guarded());
    }
    let authority = Authority::shared();
    let setup = Setup::before(&engine::address())
        .listen("guarded")
        .listen_tls(Some("guarded"), authority);
    let gate = std::sync::Arc::new(setup.start());
    let unix = gate.listener(0).clone();
    let tls = gate
        .listener(1)
        .clone()
        .with_client_certificate(&authority.client("developer"));
    thread::scope(|scope| {
        for address in [unix, tls] {
            let site = Site::at(&address, Some(std::sync::Arc::clone(&gate)));
            let check = &check;
            scope.spawn(move || {
                check(&site);
            });
        }
    });
}

/// Whether the tests are to run without a gate.
pub(crate) fn direct() -> bool {
    std::env::var_os(DIRECT).is_some()
}
