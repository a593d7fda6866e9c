//! `dockgate serve`: the gate itself, from its settings to its end.

mod compile;
mod loops;
mod reload;
mod same_files;
mod settings;
mod start;

use std::io::{self, IsTerminal as _, Write as _};
use std::num::NonZero;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use clap::Args;
use tokio::runtime;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::time;
use tracing_subscriber::EnvFilter;

use crate::admin::Admin;
use crate::proxy::Phase;
use crate::sandbox;
use crate::systemd;

use reload::Reloader;
use settings::{ServeError, Settings};
use start::Started;

/// Guards a daemon; with no argument `unix:///var/run/docker.sock` with the policy `guarded`.
#[derive(Debug, Clone, Args)]
pub struct ServeArguments {
    /// The configuration; what is given here goes over it.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The policy of whoever comes: a ready one by its name, or a file.
    #[arg(long, value_name = "NAME|FILE")]
    policy: Option<String>,
    /// Where clients come, instead of the configured listeners: unix:///PATH, tcp://IP:PORT, systemd or systemd:NAME.
    #[arg(long, value_name = "ADDRESS")]
    listen: Vec<String>,
    /// The daemon to guard: unix:///PATH or tcp://HOST:PORT.
    #[arg(long, value_name = "ADDRESS")]
    daemon: Option<String>,
    /// Where audit records go; `-` is the standard output.
    #[arg(long, value_name = "FILE")]
    audit: Option<PathBuf>,
    /// A value for a parameter of the policy.
    #[arg(long, value_name = "NAME=VALUE")]
    set: Vec<String>,
    /// Log more; `RUST_LOG` says exactly what.
    #[arg(long, short)]
    verbose: bool,
}

/// Serves until a signal ends it.
#[must_use]
pub fn run(arguments: &ServeArguments) -> ExitCode {
    log_to_stderr(arguments.verbose);
    let served = Settings::of(arguments).and_then(|settings| serve(arguments, settings));
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => complain(&error, ExitCode::from(error.exit_code())),
    }
}

/// Says on stderr why nothing more is done.
pub(super) fn complain(error: &dyn std::error::Error, code: ExitCode) -> ExitCode {
    let _ = writeln!(io::stderr(), "dockgate: {error}");
    code
}

fn log_to_stderr(is_verbose: bool) {
    let default = if is_verbose {
        "dockgate=debug,info"
    } else {
        "info"
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(default));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(io::stderr().is_terminal())
        .with_target(false)
        .with_writer(io::stderr)
        .init();
}

fn serve(arguments: &ServeArguments, settings: Settings) -> Result<(), ServeError> {
    raise_file_limit();
    sandbox::guard_new_files();
    let drain = settings.config.limits.drain_deadline;
    // Afterwards, what says how many there may be cannot be read.
    let workers = thread::available_parallelism().map_or(1, NonZero::get);
    let started = start::start(settings)?;
    let runtime = runtime::Builder::new_multi_thread()
        .worker_threads(workers)
        .enable_all()
        .build()
        .map_err(|error| ServeError::Failed(format!("cannot start the runtime: {error}")))?;
    runtime.block_on(guard(arguments, started, drain))
}

/// Each connection takes two descriptors, and the soft limit is often 1024.
fn raise_file_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        tracing::debug!(%error, "the limit of open files stays as it is");
    }
}

async fn guard(
    arguments: &ServeArguments,
    started: Started,
    drain: Duration,
) -> Result<(), ServeError> {
    let failed = |error: io::Error| ServeError::Failed(format!("cannot wait for signals: {error}"));
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    let Started {
        server,
        served,
        admin,
        lasting,
        sources,
    } = started;
    let audit = lasting.audit.clone();
    let hangup = signal(SignalKind::hangup()).map_err(failed)?;
    let reloader = Reloader::new(arguments, lasting, &server, (sources, hangup));
    for listener in &served {
        announce(&listener.listener.docker_host(), listener.listener.is_tls);
    }
    systemd::notify("READY=1");
    let (phase, phases) = watch::channel(Phase::Running);
    let telling =
        admin.map(|admin| tokio::spawn(Admin::new(Arc::clone(&server), phases.clone()).run(admin)));
    let mut serving = tokio::spawn(server.run(served, phases));
    let reloading = tokio::spawn(reloader.run());
    let mut signalled = async || {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    tokio::select! {
        () = signalled() => {}
        _ = &mut serving => {
            return Err(ServeError::Failed("no listener is left".to_owned()));
        }
    }
    tracing::info!(seconds = drain.as_secs(), "ending: what runs may finish");
    reloading.abort();
    systemd::notify("STOPPING=1");
    phase.send_replace(Phase::Draining);
    let has_ended = tokio::select! {
        _ = &mut serving => true,
        () = signalled() => false,
        () = time::sleep(drain) => false,
    };
    if !has_ended {
        phase.send_replace(Phase::Cut);
        let _ = serving.await;
    }
    if let Some(telling) = telling {
        telling.abort();
    }
    audit
        .close()
        .await
        .map_err(|error| ServeError::Failed(error.to_string()))
}

/// On stderr, for the standard output has the audit log.
fn announce(docker_host: &str, is_tls: bool) {
    let tls = if is_tls { " DOCKER_TLS_VERIFY=1" } else { "" };
    let _ = writeln!(io::stderr(), "export DOCKER_HOST={docker_host}{tls}");
}
