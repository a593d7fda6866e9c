//! A Docker daemon for one test alone, in a network of its own: for what would change the daemon of all tests.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::address::Address;
use super::process;
use super::wait::DEADLINE;

/// A daemon with the image `busybox` and nothing else; ends with the test.
#[derive(Debug)]
pub(crate) struct SecondDaemon {
    folder: TempDir,
    address: Address,
}

impl SecondDaemon {
    /// # Panics
    /// Where it does not start, with what it wrote.
    pub(crate) fn start() -> Self {
        let folder = tempfile::Builder::new()
            .prefix("dockgate-second-")
            .tempdir()
            .unwrap();
        let ended = process::run(&mut engine("start", folder.path()), Vec::new(), DEADLINE);
        let address = Address::parse(ended.ok("scripts/engine start").trim());
        Self { folder, address }
    }

    pub(crate) fn address(&self) -> &Address {
        &self.address
    }

    /// The path of its Unix socket.
    pub(crate) fn socket(&self) -> &Path {
        self.address.unix_path()
    }
}

impl Drop for SecondDaemon {
    fn drop(&mut self) {
        // Not `process::run`, whose panic would end the whole run where a test is failing already.
        let stopped = engine("stop", self.folder.path()).output();
        match stopped {
            Ok(output) if output.status.success() => {}
            failed => eprintln!("a daemon may be left behind: {failed:?}"),
        }
    }
}

fn engine(verb: &str, folder: &Path) -> Command {
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("scripts/engine");
    let mut command = Command::new(script);
    command.arg(verb).arg(folder);
    command
}
