//! A second real daemon, for what would change the first one for every test: swarms, plugins.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use super::address::Address;
use super::{http, process};

/// How long a daemon may take to begin or to end on a machine with other work to do.
const PATIENCE: Duration = Duration::from_secs(120);

const LEAVE: &[u8] =
    b"POST /swarm/leave?force=1 HTTP/1.1\r\nHost: docker\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";

/// A daemon with a network of its own, with the image `busybox`; it is ended and all it left is removed with the value.
#[derive(Debug)]
pub(crate) struct SecondDaemon {
    folder: TempDir,
}

impl SecondDaemon {
    /// Starts it and waits until it answers.
    ///
    /// # Panics
    /// Where it does not start, with what it wrote.
    pub(crate) fn start() -> Self {
        let folder = tempfile::Builder::new()
            .prefix("dockgate-second-")
            .tempdir()
            .unwrap();
        let daemon = Self { folder };
        let mut start = daemon.engine("start");
        start.arg("--memory");
        process::run(&mut start, Vec::new(), PATIENCE).ok("a second daemon");
        daemon
    }

    /// Ends it, and starts it anew with what it has; what ran does not run any more.
    ///
    /// # Panics
    /// See [`SecondDaemon::start`].
    pub(crate) fn restart(&self) {
        process::run(&mut self.engine("restart"), Vec::new(), PATIENCE).ok("the daemon anew");
    }

    pub(crate) fn address(&self) -> Address {
        Address::Unix(self.socket())
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.folder.path().join("docker.sock")
    }

    fn engine(&self, verb: &str) -> Command {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/engine");
        let mut command = Command::new(script);
        command.arg(verb).arg(self.folder.path());
        command
    }
}

impl Drop for SecondDaemon {
    fn drop(&mut self) {
        // A manager would start the tasks anew that are removed; a daemon without a swarm only says so.
        let _ = http::send(&self.address(), LEAVE);
        let ended = process::run(&mut self.engine("stop"), Vec::new(), PATIENCE);
        if !ended.status.success() {
            eprintln!("the second daemon was not removed: {}", ended.stderr);
        }
    }
}
