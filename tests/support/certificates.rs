//! Certificates as the operator makes them: by `dockgate certs`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use super::process;
use super::wait::DEADLINE;

/// The program under test.
pub(crate) const DOCKGATE: &str = env!("CARGO_BIN_EXE_dockgate");

/// A certificate authority in a folder, laid out as `dockgate certs` does.
#[derive(Clone, Debug)]
pub(crate) struct Authority {
    folder: PathBuf,
}

impl Authority {
    /// The one that most tests share: a server `gate` for 127.0.0.1 and a client `developer`.
    pub(crate) fn shared() -> &'static Self {
        static SHARED: OnceLock<Authority> = OnceLock::new();
        SHARED.get_or_init(|| {
            let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("certificates");
            // A run before this one may have left its own.
            let _ = fs::remove_dir_all(&folder);
            let authority = Self::new(&folder);
            authority.certs(&[
                "server",
                "gate",
                "--san",
                "IP:127.0.0.1",
                "--san",
                "DNS:localhost",
            ]);
            authority.certs(&["client", "developer"]);
            authority
        })
    }

    pub(crate) fn new(folder: &Path) -> Self {
        let authority = Self {
            folder: folder.to_owned(),
        };
        authority.certs(&["init"]);
        authority
    }

    /// Runs `dockgate certs` in the authority's folder.
    pub(crate) fn certs(&self, arguments: &[&str]) {
        let mut command = Command::new(DOCKGATE);
        command
            .arg("certs")
            .args(arguments)
            .arg("--out")
            .arg(&self.folder);
        process::run(&mut command, Vec::new(), DEADLINE).ok("dockgate certs");
    }

    /// A file of the authority's own, such as `ca.pem` or `crl.pem`.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    pub(crate) fn server(&self, name: &str) -> PathBuf {
        self.folder.join("server").join(name)
    }

    /// A client's folder, ready as `DOCKER_CERT_PATH`.
    pub(crate) fn client(&self, name: &str) -> PathBuf {
        self.folder.join("client").join(name)
    }
}
