//! A configuration that has changed, put in force while the gate serves, or left alone with the reason in the log.

use std::future::pending;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::Signal;
use tokio::task;
use tokio::time::{self, Instant};

use crate::config::{Config, Listener};
use crate::proxy::Server;
use crate::reload::{Expiry, Sources, Watch};
use crate::systemd;

use super::ServeArguments;
use super::compile::{self, Compiled};
use super::settings::{ServeError, Settings};
use super::start::Lasting;

/// Takes in what changes, for as long as the gate serves.
pub(super) struct Reloader {
    arguments: Arc<ServeArguments>,
    lasting: Lasting,
    server: Arc<Server>,
    /// What is in force was made of these.
    sources: Sources,
    hangup: Signal,
    watch: Option<Watch>,
}

/// Why the files are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cause {
    Signal,
    Change,
}

impl Reloader {
    /// Watches the files that were read from now on.
    pub(super) fn new(
        arguments: &ServeArguments,
        lasting: Lasting,
        server: &Arc<Server>,
        (sources, hangup): (Sources, Signal),
    ) -> Self {
        let watch = lasting.config.reload.watches.then(|| watch(&sources));
        Self {
            arguments: Arc::new(arguments.clone()),
            lasting,
            server: Arc::clone(server),
            sources,
            hangup,
            watch: watch.flatten(),
        }
    }

    /// Never returns.
    pub(super) async fn run(mut self) {
        let mut watch = self.watch.take();
        let mut daily = time::interval_at(Instant::now() + DAY, DAY);
        if watch.is_some() {
            // What changed before the watch began.
            self.take_in(Cause::Change, &mut watch).await;
        }
        loop {
            let cause = tokio::select! {
                _ = self.hangup.recv() => Cause::Signal,
                changed = changed(&mut watch) => {
                    if let Err(error) = changed {
                        tracing::error!(%error, "changes are noticed on SIGHUP only from now on");
                        watch = None;
                    }
                    Cause::Change
                }
                _ = daily.tick() => {
                    self.server.gate().expiries.iter().for_each(Expiry::warn);
                    continue;
                }
            };
            if cause == Cause::Signal {
                systemd::notify_reloading();
            }
            self.take_in(cause, &mut watch).await;
            if cause == Cause::Signal {
                systemd::notify("READY=1");
            }
        }
    }

    async fn take_in(&mut self, mut cause: Cause, watch: &mut Option<Watch>) {
        // What changes between a reading and the watch on what was read is seen by reading once more.
        for _ in 0..MOST_READINGS {
            let files = self.reload(cause).await;
            cause = Cause::Change;
            let is_other = watch.as_mut().is_some_and(|watch| watch.set(files.files()));
            if !is_other {
                return;
            }
        }
    }

    /// Gives the files that matter from now on: also those of a configuration that is not put in force.
    async fn reload(&mut self, cause: Cause) -> Sources {
        let (arguments, lasting) = (Arc::clone(&self.arguments), self.lasting.clone());
        let in_force = (cause == Cause::Change).then(|| self.sources.clone());
        // A file system may be slow, and no worker waits for it.
        let read = task::spawn_blocking(move || {
            if in_force.is_some_and(|sources| sources.are_current()) {
                return None;
            }
            let mut sources = Sources::default();
            let compiled = read(&arguments, &lasting.config, &mut sources);
            Some((compiled, sources))
        });
        let (compiled, sources) = match read.await {
            Ok(Some(read)) => read,
            Ok(None) => {
                tracing::debug!("the files are what is in force");
                return self.sources.clone();
            }
            Err(error) => {
                tracing::error!(%error, "reading the configuration failed");
                return self.sources.clone();
            }
        };
        match compiled {
            Ok((compiled, kept)) => {
                for what in kept {
                    tracing::warn!(
                        "{what} changes with the next start of the gate, not with a reload"
                    );
                }
                self.put_in_force(compiled, sources);
            }
            Err(error) => {
                self.lasting.metrics.reload_failed();
                tracing::error!(
                    configuration = %self.server.gate().digest,
                    "not reloaded, what was in force stays so: {error}"
                );
                self.tell_unreadable(&sources);
                let mut both = self.sources.clone();
                both.add(&sources);
                return both;
            }
        }
        self.sources.clone()
    }

    fn tell_unreadable(&self, sources: &Sources) {
        let confinement = &self.lasting.confinement;
        let files = sources.files().iter();
        for path in files.filter(|file| confinement.closes(file)) {
            tracing::error!(
                path = %path.display(),
                "the gate has confined itself to the directories that were in use at its start, and this file is not in \
                 one of its own there: it is read with the next start"
            );
        }
    }

    fn put_in_force(&mut self, compiled: Compiled, sources: Sources) {
        let digest = Arc::clone(&compiled.digest);
        self.server.replace(self.lasting.gate(compiled, &sources));
        self.sources = sources;
        self.lasting.metrics.reloaded();
        tracing::info!(configuration = %digest, "reloaded");
    }
}

/// A watch on the files; none where the kernel gives none.
fn watch(sources: &Sources) -> Option<Watch> {
    match Watch::start() {
        Ok(mut watch) => {
            watch.set(sources.files());
            Some(watch)
        }
        Err(error) => {
            tracing::warn!(%error, "changes of files are noticed on SIGHUP only");
            None
        }
    }
}

/// Where nothing is watched, nothing changes.
async fn changed(watch: &mut Option<Watch>) -> io::Result<()> {
    match watch {
        Some(watch) => watch.changed().await,
        None => pending().await,
    }
}

/// Reads everything anew; gives also what of it cannot be changed and stays as it was.
fn read(
    arguments: &ServeArguments,
    at_start: &Config,
    sources: &mut Sources,
) -> Result<(Compiled, Vec<String>), ServeError> {
    if let Some(file) = &arguments.config {
        sources.add_path(file);
    }
    let mut settings = Settings::of(arguments)?;
    let kept = keep(&mut settings.config, at_start)?;
    Ok((compile::compile(settings, sources)?, kept))
}

/// Puts back what a running gate cannot change, and names it.
fn keep(config: &mut Config, at_start: &Config) -> Result<Vec<String>, ServeError> {
    let mut kept = Vec::new();
    if config.daemon.address != at_start.daemon.address {
        kept.push("`[daemon]`".to_owned());
        config.daemon = at_start.daemon.clone();
    }
    if config.limits != at_start.limits {
        kept.push("`[limits]`".to_owned());
        config.limits = at_start.limits;
    }
    if config.admin != at_start.admin {
        kept.push("`[admin]`".to_owned());
        config.admin = at_start.admin.clone();
    }
    if config.audit != at_start.audit {
        kept.push("`[audit]`".to_owned());
        config.audit = at_start.audit.clone();
    }
    if config.is_unconfined != at_start.is_unconfined {
        kept.push("`dangerously-unconfined`".to_owned());
    }
    if config.reload.watches != at_start.reload.watches {
        kept.push("`watch` in `[reload]`".to_owned());
    }
    keep_listeners(config, at_start, &mut kept)?;
    Ok(kept)
}

fn keep_listeners(
    config: &Config,
    at_start: &Config,
    kept: &mut Vec<String>,
) -> Result<(), ServeError> {
    let same = |one: &&Listener, other: &Listener| one.address == other.address;
    for before in &at_start.listeners {
        let Some(now) = config.listeners.iter().find(|now| same(now, before)) else {
            tracing::warn!(listener = %before.address, "a removed listener lets nobody in; it is closed with the next start");
            continue;
        };
        if now.tls.is_some() != before.tls.is_some() {
            return Err(ServeError::Configuration(format!(
                "the listener {} cannot begin or cease to speak TLS while it is open; start the gate anew",
                before.address
            )));
        }
        if (now.mode, &now.group) != (before.mode, &before.group) {
            kept.push(format!(
                "`mode` or `group` of the listener {}",
                before.address
            ));
        }
    }
    let added = config.listeners.iter().filter(|now| {
        let mut before = at_start.listeners.iter();
        !before.any(|before| same(now, before))
    });
    kept.extend(added.map(|now| format!("the new listener {}", now.address)));
    Ok(())
}

/// In a row, while files go on changing; then the watch tells.
const MOST_READINGS: usize = 4;
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
