//! What to serve: the configuration, with the command line over it.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::command::parameter;
use crate::config::{
    Address, AuditFile, Config, Daemon, Listener, ListenerAddress, PolicyReference,
};
use crate::policy::{Problems, ready};

use super::{ServeArguments, loops};

/// The settings of one run.
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) config: Config,
    /// The configuration's file, which no container may reach.
    pub(super) file: Option<PathBuf>,
    /// Its text.
    pub(super) text: String,
}

/// Why the gate does not serve.
#[derive(Debug, thiserror::Error)]
pub(super) enum ServeError {
    #[error("{0}")]
    Problems(Problems),
    #[error("{0}")]
    Configuration(String),
    #[error("{0}")]
    Usage(String),
    #[error("{0}")]
    Failed(String),
}

impl ServeError {
    /// sysexits(3): 78 is a wrong configuration.
    pub(super) fn exit_code(&self) -> u8 {
        match self {
            Self::Problems(_) | Self::Configuration(_) => 78,
            Self::Usage(_) => 2,
            Self::Failed(_) => 1,
        }
    }
}

impl Settings {
    /// Reads the configuration and puts the command line over it.
    pub(super) fn of(arguments: &ServeArguments) -> Result<Self, ServeError> {
        let policy = arguments.policy.as_deref().map(|text| {
            PolicyReference::parse(text, Path::new(""))
                .map_err(|unknown| ServeError::Usage(unknown.to_string()))
        });
        let policy = policy.transpose()?;
        let (mut config, text) = match &arguments.config {
            Some(file) => read(file, policy)?,
            None => {
                let config = Config {
                    policy,
                    ..Config::default()
                };
                (config, String::new())
            }
        };
        if let Some(daemon) = daemon(arguments)? {
            config.daemon.address = daemon;
        }
        for text in &arguments.set {
            let (name, value) = parameter::parse(text).map_err(ServeError::Usage)?;
            config.parameters.insert(name, value);
        }
        match arguments.audit.as_deref() {
            None => {}
            Some(path) if path == Path::new("-") => config.audit = AuditFile::Stdout,
            Some(path) => config.audit = AuditFile::File(path.to_owned()),
        }
        if !arguments.listen.is_empty() {
            config.listeners = arguments
                .listen
                .iter()
                .map(|text| ListenerAddress::parse(text).map(Listener::at))
                .collect::<Result<_, _>>()
                .map_err(|error| ServeError::Usage(error.to_string()))?;
        }
        if arguments.policy.is_some() {
            for listener in &mut config.listeners {
                listener.policy = None;
            }
        }
        if config.listeners.is_empty() {
            config.listeners.push(Listener::at(default_listener()?));
        }
        if config.policy.is_none() && config.clients.is_empty() {
            config.policy =
                ready::find(DEFAULT_POLICY).map(|_| PolicyReference::Ready(DEFAULT_POLICY));
        }
        let listeners = config.listeners.iter().map(|listener| &listener.address);
        loops::refuse(listeners, &config.daemon.address)?;
        refuse_plain_tcp(&config.daemon)?;
        Ok(Self {
            config,
            file: arguments.config.clone(),
            text,
        })
    }
}

fn read(file: &Path, policy: Option<PolicyReference>) -> Result<(Config, String), ServeError> {
    let name = file.display().to_string();
    let text = fs::read_to_string(file)
        .map_err(|error| ServeError::Configuration(format!("cannot read `{name}`: {error}")))?;
    let config = Config::parse(&name, &text, policy).map_err(ServeError::Problems)?;
    Ok((config, text))
}

/// The command line's daemon, else, where no file names one, that of `DOCKER_HOST`.
fn daemon(arguments: &ServeArguments) -> Result<Option<Address>, ServeError> {
    if let Some(text) = &arguments.daemon {
        return Address::parse(text)
            .map(Some)
            .map_err(|error| ServeError::Usage(error.to_string()));
    }
    if arguments.config.is_some() {
        return Ok(None);
    }
    let Some(text) = std::env::var("DOCKER_HOST")
        .ok()
        .filter(|text| !text.is_empty())
    else {
        return Ok(None);
    };
    tracing::info!(address = %text, "the daemon is the one of DOCKER_HOST");
    let address = Address::parse(&text)
        .map_err(|error| ServeError::Configuration(format!("DOCKER_HOST: {error}")))?;
    Ok(Some(address))
}

/// `/run/dockgate/docker.sock` where that can be made, else below `$XDG_RUNTIME_DIR`.
fn default_listener() -> Result<ListenerAddress, ServeError> {
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    // The XDG base directory specification has other paths ignored.
    let runtime = runtime.filter(|path| path.is_absolute());
    let places = [Some(PathBuf::from("/run")), runtime];
    let mut cause = String::new();
    for place in places.into_iter().flatten() {
        let directory = place.join("dockgate");
        match make_directory(&directory) {
            Ok(()) => return Ok(ListenerAddress::Unix(directory.join("docker.sock"))),
            Err(error) => cause.push_str(&format!(": `{}`: {error}", directory.display())),
        }
    }
    Err(ServeError::Configuration(format!(
        "there is no place for the socket{cause}; give one with --listen unix:///PATH"
    )))
}

fn make_directory(directory: &Path) -> io::Result<()> {
    match fs::create_dir(directory) {
        Ok(()) => fs::set_permissions(directory, fs::Permissions::from_mode(0o755)),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            rustix::fs::access(directory, rustix::fs::Access::WRITE_OK).map_err(io::Error::from)
        }
        Err(error) => Err(error),
    }
}

/// A file says it at its place already; this is for the command line and the environment.
fn refuse_plain_tcp(daemon: &Daemon) -> Result<(), ServeError> {
    if daemon.tls.is_some() || daemon.allows_plain_tcp || daemon.address.is_local() {
        return Ok(());
    }
    Err(ServeError::Configuration(format!(
        "the daemon {} is reached over a network without TLS: whoever is on the way is root there; give `tls` in \
         `[daemon]` of a configuration, or set `dangerously-allow-plain-tcp` there",
        daemon.address
    )))
}

const DEFAULT_POLICY: &str = "guarded";
