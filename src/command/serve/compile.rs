//! From a configuration to what the gate judges by, whole or not at all; done at start and at each reload.

use std::collections::HashMap;
use std::fmt;
use std::fs;
use std::sync::Arc;

use crate::config::{Address, Config, Listener, PolicyReference};
use crate::daemon::Daemon;
use crate::daemon::tls::{self as daemon_tls, DaemonTlsFiles};
use crate::policy::{self, HostFileSystem, Policy, ready};
use crate::proxy::tls::{self as listener_tls, ListenerTlsFiles};
use crate::proxy::{self, Door, DoorTls, KnownClient, SeenFiles};
use crate::reload::{Expiry, Sources, expiries};

use super::settings::{ServeError, Settings};

/// A configuration with all that it names, read and found good.
pub(super) struct Compiled {
    pub(super) config: Config,
    pub(super) clients: Vec<KnownClient>,
    pub(super) doors: HashMap<Arc<str>, Door>,
    pub(super) daemon: Daemon,
    /// Host paths that some policy opens for writing.
    pub(super) writable: Vec<String>,
    /// What all that policies open is by now.
    pub(super) seen: SeenFiles,
    /// Whether a policy opens host paths on the word that gate and daemon see the same files.
    pub(super) follows_paths: bool,
    pub(super) expiries: Vec<Expiry>,
    pub(super) digest: Arc<str>,
}

/// Reads all that the settings name; `sources` gets what was read, or would have been, also where it fails.
pub(super) fn compile(settings: Settings, sources: &mut Sources) -> Result<Compiled, ServeError> {
    let Settings { config, file, text } = settings;
    if let Some(file) = &file {
        sources.add_path(file);
        sources.add_text(file, &text);
    }
    let certificates = certificates(&config);
    sources.add(&certificates);
    let mut policies = Policies {
        parameters: &config,
        compiled: HashMap::new(),
        sources,
        writable: Vec::new(),
        seen: SeenFiles::new(),
        follows_paths: false,
    };
    let clients = config.clients.iter().map(|rule| {
        Ok(KnownClient {
            name: Arc::from(rule.name.as_str()),
            matches: rule.matches.clone(),
            policy: policies.get(&rule.policy)?,
            owner: rule.owner.clone(),
            allowance: rule.allowance,
            counters: Arc::default(),
        })
    });
    let clients: Vec<KnownClient> = clients.collect::<Result<_, ServeError>>()?;
    let has_owners = config.listeners.iter().any(|one| one.owner.is_some());
    refuse_unjudged(&clients, has_owners)?;
    let daemon = daemon(&config)?;
    let doors = doors(&config, &mut policies)?;
    let (writable, follows_paths) = (policies.writable, policies.follows_paths);
    let seen = policies.seen;
    let expiries = expiries(&config);
    if self::certificates(&config) != certificates {
        let cause = "certificates changed while they were read; they are read again when they rest";
        return Err(ServeError::Configuration(cause.to_owned()));
    }
    Ok(Compiled {
        writable,
        seen,
        follows_paths,
        expiries,
        digest: Arc::from(sources.digest()),
        config,
        clients,
        doors,
        daemon,
    })
}

/// What is forwarded unread is kept apart from nobody.
fn refuse_unjudged(clients: &[KnownClient], has_owners: bool) -> Result<(), ServeError> {
    let mut owners = clients
        .iter()
        .filter(|client| has_owners || client.owner.is_some());
    let unjudged = owners.find(|client| client.policy.permits_everything);
    unjudged.map_or(Ok(()), |client| {
        Err(unjudged_owner(&format!("client `{}`", client.name)))
    })
}

fn unjudged_owner(who: &str) -> ServeError {
    ServeError::Configuration(format!(
        "the {who} has an `owner`, and a policy that forwards everything unread: nothing would keep it to its own"
    ))
}

/// What each listener is for, by its address.
fn doors(
    config: &Config,
    policies: &mut Policies<'_>,
) -> Result<HashMap<Arc<str>, Door>, ServeError> {
    let mut doors = HashMap::new();
    for listener in &config.listeners {
        let policy = listener.policy.as_ref().or(config.policy.as_ref());
        let policy = policy.map(|policy| policies.get(policy)).transpose()?;
        let is_unjudged = policy.as_ref().is_some_and(|it| it.permits_everything);
        if is_unjudged && listener.owner.is_some() {
            return Err(unjudged_owner(&format!("listener `{}`", listener.address)));
        }
        let tls = door_tls(listener)?;
        let address = Arc::from(listener.address.to_string());
        let door = Door {
            policy,
            tls,
            owner: listener.owner.clone(),
            allowance: listener.allowance,
            identifies_containers: listener.identifies_containers,
        };
        doors.insert(address, door);
    }
    Ok(doors)
}

fn door_tls(listener: &Listener) -> Result<Option<DoorTls>, ServeError> {
    let tls = listener.tls.as_ref().map(|files| {
        listener_tls::server_config(ListenerTlsFiles {
            certificate: &files.certificate,
            key: &files.key,
            client_authority: &files.client_ca,
            revocation_lists: files.client_crl.as_slice(),
        })
        .map_err(|error| ServeError::Configuration(error.to_string()))
    });
    tls.transpose()
}

/// Policies by their reference, each compiled once.
struct Policies<'a> {
    parameters: &'a Config,
    compiled: HashMap<String, Arc<Policy>>,
    sources: &'a mut Sources,
    /// Every path that is opened for writing.
    writable: Vec<String>,
    seen: SeenFiles,
    follows_paths: bool,
}

impl Policies<'_> {
    fn get(&mut self, reference: &PolicyReference) -> Result<Arc<Policy>, ServeError> {
        let name = reference.to_string();
        if let Some(policy) = self.compiled.get(&name) {
            return Ok(Arc::clone(policy));
        }
        let mut policy = self.read(reference)?;
        if let Some(observing) = policy.observes.clone() {
            let fault = |cause: &dyn fmt::Display| {
                let line = observing.line;
                ServeError::Configuration(format!("{name}:{line}: {cause}"))
            };
            let fallback = reference.fallback(&observing.fallback);
            // Not by `get`: it must not observe, and so cannot lead back here.
            let fallback = self.read(&fallback.map_err(|unknown| fault(&unknown))?)?;
            policy
                .fall_back(Arc::new(fallback))
                .map_err(|cause| fault(&cause))?;
            tracing::warn!(
                policy = %policy.name,
                fallback = observing.fallback,
                "this policy observes: it refuses nothing that its fallback permits"
            );
        }
        let policy = Arc::new(policy);
        self.compiled.insert(name, Arc::clone(&policy));
        Ok(policy)
    }

    fn read(&mut self, reference: &PolicyReference) -> Result<Policy, ServeError> {
        let name = reference.to_string();
        let text = match reference {
            PolicyReference::Ready(name) => {
                let text = ready::find(name).unwrap_or_default();
                self.sources.add_ready(name, text);
                text.to_owned()
            }
            PolicyReference::File(path) => {
                self.sources.add_path(path);
                let text = fs::read_to_string(path).map_err(|error| {
                    let path = path.display();
                    ServeError::Configuration(format!("cannot read the policy `{path}`: {error}"))
                })?;
                self.sources.add_text(path, &text);
                text
            }
        };
        let policy = policy::compile(&name, &text, &self.parameters.parameters)
            .map_err(ServeError::Problems)?;
        refuse_remote_paths(&policy, &self.parameters.daemon.address)?;
        warn_of_missing(&policy);
        self.follows_paths |= policy.container.opens_paths_unseen();
        let opened = policy.container.host_paths.value.iter();
        self.seen.extend(proxy::seen(opened.clone()));
        let writable = opened.filter(|opened| opened.is_writable);
        self.writable
            .extend(writable.map(|opened| opened.path.clone()));
        if policy.permits_everything {
            tracing::warn!(
                policy = %policy.name,
                "THIS POLICY PERMITS EVERYTHING, UNREAD: whoever has it is root on the host"
            );
        }
        Ok(policy)
    }
}

/// The files of a daemon behind a network are not the gate's.
fn refuse_remote_paths(policy: &Policy, daemon: &Address) -> Result<(), ServeError> {
    if !policy.container.opens_paths_unseen() || matches!(daemon, Address::Unix(_)) {
        return Ok(());
    }
    Err(ServeError::Configuration(format!(
        "the policy `{}` opens `host-paths`, and the gate does not see the files of the daemon {daemon}: say \
         `host-file-system = \"foreign\"` in its `[container]`, and read in docs/policy.md what that means",
        policy.name
    )))
}

/// Such a path opens nothing until it is there.
fn warn_of_missing(policy: &Policy) {
    if policy.container.host_file_system.value == HostFileSystem::Shared {
        for opened in &policy.container.host_paths.value {
            if let Err(error) = fs::metadata(&opened.path) {
                tracing::warn!(%error, path = opened.path, "an opened path is not there");
            }
        }
    }
}

/// What TLS is compiled from. It is read once more by whoever parses it, so it is compared before and after.
fn certificates(config: &Config) -> Sources {
    let mut sources = Sources::default();
    for tls in config.listeners.iter().filter_map(|one| one.tls.as_ref()) {
        sources.add_file(&tls.certificate);
        sources.add_file(&tls.client_ca);
        if let Some(list) = &tls.client_crl {
            sources.add_file(list);
        }
        sources.add_secret(&tls.key);
    }
    if let Some(tls) = &config.daemon.tls {
        sources.add_file(&tls.ca);
        if let Some((certificate, key)) = &tls.client {
            sources.add_file(certificate);
            sources.add_secret(key);
        }
    }
    sources
}

fn daemon(config: &Config) -> Result<Daemon, ServeError> {
    let address = config.daemon.address.clone();
    let fault = |error: daemon_tls::DaemonTlsError| ServeError::Configuration(error.to_string());
    let tls = match (&address, &config.daemon.tls) {
        (Address::Tcp { host, .. }, Some(files)) => {
            let client = files.client.as_ref();
            let config = daemon_tls::client_config(DaemonTlsFiles {
                authority: &files.ca,
                client: client.map(|(certificate, key)| (certificate.as_path(), key.as_path())),
            });
            let name = daemon_tls::server_name(host).map_err(fault)?;
            Some((config.map_err(fault)?, name))
        }
        (Address::Tcp { .. } | Address::Unix(_), _) => None,
    };
    Ok(Daemon {
        address,
        tls,
        connect_deadline: config.limits.connect_deadline,
    })
}
