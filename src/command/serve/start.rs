//! From settings to a gate that serves.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use crate::audit::text::ExchangeIds;
use crate::audit::{Audit, AuditLimits, Sink};
use crate::config::{Address, AuditFile, Config, Listener, ListenerAddress, PolicyReference};
use crate::daemon::Daemon;
use crate::daemon::tls::{self as daemon_tls, DaemonTlsFiles};
use crate::policy::{self, HostFileSystem, Policy, ready};
use crate::proxy::listener::{self, Place};
use crate::proxy::tls::{self as listener_tls, ListenerTlsFiles};
use crate::proxy::{DaemonVersions, Gate, Known, KnownClient, Served, Server};
use crate::systemd::Inherited;

use super::loops;
use super::settings::{ServeError, Settings};

/// A gate that is about to take clients.
pub(super) struct Started {
    pub(super) server: Arc<Server>,
    pub(super) served: Vec<Served>,
    pub(super) audit: Audit,
    /// Whether a policy opens host paths on the word that gate and daemon see the same files.
    pub(super) follows_paths: bool,
}

/// Compiles the policies, opens the audit log, and listens.
pub(super) fn start(settings: Settings) -> Result<Started, ServeError> {
    let Settings { config, file } = settings;
    let mut policies = Policies {
        parameters: &config,
        compiled: HashMap::new(),
    };
    let clients = config.clients.iter().map(|rule| {
        Ok(KnownClient {
            name: Arc::from(rule.name.as_str()),
            matches: rule.matches.clone(),
            policy: policies.get(&rule.policy)?,
            owner: rule.owner.clone(),
        })
    });
    let clients: Vec<_> = clients.collect::<Result<_, ServeError>>()?;
    let daemon = daemon(&config)?;
    let mut inherited = Inherited::take();
    let mut served = Vec::new();
    for listener in &config.listeners {
        let policy = listener.policy.as_ref().or(config.policy.as_ref());
        let policy = policy.map(|policy| policies.get(policy)).transpose()?;
        let (owner, identifies_containers) = (&listener.owner, listener.identifies_containers);
        let owner = owner.clone().map(Arc::new);
        for listener in listen(listener, &mut inherited)? {
            served.push(Served {
                listener,
                policy: policy.clone(),
                owner: owner.clone(),
                identifies_containers,
            });
        }
    }
    // Only now is it known where systemd listens.
    let places: Vec<_> = served
        .iter()
        .filter_map(|served| ListenerAddress::parse(&served.listener.docker_host()).ok())
        .collect();
    loops::refuse(&places, &config.daemon.address)?;
    let audit = audit(&config)?;
    let ids = ExchangeIds::start().map_err(|error| ServeError::Failed(error.to_string()))?;
    tracing::info!(daemon = %config.daemon.address, listeners = served.len(), "serving");
    let gate = Gate {
        daemon,
        audit: audit.clone(),
        ids,
        limits: config.limits,
        lowest_version: config.api.lowest,
        highest_version: config.api.highest,
        versions: DaemonVersions::default(),
        protected: protected(&config, file.as_deref(), &places),
        writable: policies.writable(),
        known: Known::default(),
    };
    let mut compiled = policies.compiled.values();
    let follows_paths = compiled.any(|policy| policy.container.opens_paths_unseen());
    Ok(Started {
        follows_paths,
        server: Server::new(gate, clients),
        served,
        audit,
    })
}

/// Policies by their reference, each compiled once.
struct Policies<'a> {
    parameters: &'a Config,
    compiled: HashMap<String, Arc<Policy>>,
}

impl Policies<'_> {
    fn get(&mut self, reference: &PolicyReference) -> Result<Arc<Policy>, ServeError> {
        let name = reference.to_string();
        if let Some(policy) = self.compiled.get(&name) {
            return Ok(Arc::clone(policy));
        }
        let text = match reference {
            PolicyReference::Ready(name) => ready::find(name).unwrap_or_default().to_owned(),
            PolicyReference::File(path) => fs::read_to_string(path).map_err(|error| {
                let path = path.display();
                ServeError::Configuration(format!("cannot read the policy `{path}`: {error}"))
            })?,
        };
        let policy = policy::compile(&name, &text, &self.parameters.parameters)
            .map_err(ServeError::Problems)?;
        refuse_remote_paths(&policy, &self.parameters.daemon.address)?;
        warn_of_missing(&policy);
        if policy.permits_everything {
            tracing::warn!(
                policy = %policy.name,
                "THIS POLICY PERMITS EVERYTHING, UNREAD: whoever has it is root on the host"
            );
        }
        let policy = Arc::new(policy);
        self.compiled.insert(name, Arc::clone(&policy));
        Ok(policy)
    }
}

impl Policies<'_> {
    /// Every path that is opened for writing.
    fn writable(&self) -> Vec<String> {
        let paths = self.compiled.values();
        let paths = paths.flat_map(|policy| &policy.container.host_paths.value);
        let writable = paths.filter(|opened| opened.is_writable);
        writable.map(|opened| opened.path.clone()).collect()
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

fn listen(
    listener: &Listener,
    inherited: &mut Inherited,
) -> Result<Vec<listener::Listener>, ServeError> {
    let tls = listener.tls.as_ref().map(|files| {
        listener_tls::server_config(ListenerTlsFiles {
            certificate: &files.certificate,
            key: &files.key,
            client_authority: &files.client_ca,
            revocation_lists: files.client_crl.as_slice(),
        })
        .map_err(|error| ServeError::Configuration(error.to_string()))
    });
    let tls = tls.transpose()?;
    if let ListenerAddress::Systemd(name) = &listener.address {
        return inherited
            .listeners(name.as_deref(), tls.as_ref(), listener.allows_plain_tcp)
            .map_err(ServeError::Configuration);
    }
    listener::Listener::bind(Place {
        address: &listener.address,
        mode: listener.mode,
        group: listener.group.as_deref(),
        tls,
        dangerously_allow_plain_tcp: listener.allows_plain_tcp,
    })
    .map(|listener| vec![listener])
    .map_err(|error| ServeError::Configuration(error.to_string()))
}

fn audit(config: &Config) -> Result<Audit, ServeError> {
    let sink = match &config.audit {
        AuditFile::Stdout => Sink::Stdout,
        AuditFile::File(path) => Sink::File(path.clone()),
    };
    let limits = AuditLimits {
        // A connection has one exchange at a time.
        open_exchanges: config.limits.connections,
        deadline: config.limits.audit_deadline,
        ..AuditLimits::default()
    };
    Audit::start(&sink, limits).map_err(|error| ServeError::Configuration(error.to_string()))
}

/// The daemon's socket, the gate's own sockets and files: a container that has one of them is the gate's master.
fn protected(config: &Config, file: Option<&Path>, places: &[ListenerAddress]) -> Vec<String> {
    let mut paths: Vec<&Path> = file.into_iter().collect();
    if let Address::Unix(path) = &config.daemon.address {
        paths.push(path);
    }
    if let AuditFile::File(path) = &config.audit {
        paths.push(path);
    }
    for place in places {
        if let ListenerAddress::Unix(path) = place {
            paths.push(path);
        }
    }
    for listener in &config.listeners {
        if let Some(tls) = &listener.tls {
            paths.extend([tls.certificate.as_path(), &tls.key, &tls.client_ca]);
            paths.extend(tls.client_crl.as_deref());
        }
    }
    if let Some(tls) = &config.daemon.tls {
        paths.push(&tls.ca);
        paths.extend(
            tls.client
                .iter()
                .flat_map(|(certificate, key)| [certificate.as_path(), key]),
        );
    }
    let policies = config.clients.iter().map(|client| &client.policy);
    let fixed = config
        .listeners
        .iter()
        .filter_map(|listener| listener.policy.as_ref());
    for policy in policies.chain(fixed).chain(&config.policy) {
        if let PolicyReference::File(path) = policy {
            paths.push(path);
        }
    }
    let program = std::env::current_exe().ok();
    paths.extend(program.as_deref());
    // Where they lead is found out when it matters: links and sockets may be made later.
    let absolute = |path: &Path| {
        let path = std::path::absolute(path).ok()?;
        path.into_os_string().into_string().ok()
    };
    paths.into_iter().filter_map(absolute).collect()
}
