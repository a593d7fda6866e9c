//! From settings to a gate that serves.

use std::env;
use std::net::IpAddr;
use std::path::{self, Path, PathBuf};
use std::sync::Arc;

use crate::audit::text::ExchangeIds;
use crate::audit::{Audit, AuditLimits, OpenedSink, Sink};
use crate::config::{Address, AuditFile, Config, Listener, ListenerAddress};
use crate::metrics::Metrics;
use crate::proxy::listener::{self, Place};
use crate::proxy::{self, Allowances, DaemonVersions, Gate, Known, Served, Server};
use crate::reload::{Expiry, Sources};
use crate::sandbox::{self, Confinement, Needs, Reach};
use crate::systemd::Inherited;

use super::compile::{self, Compiled};
use super::loops;
use super::same_files;
use super::settings::{ServeError, Settings};

/// A gate that is about to take clients.
pub(super) struct Started {
    pub(super) server: Arc<Server>,
    pub(super) served: Vec<Served>,
    pub(super) admin: Option<listener::Listener>,
    pub(super) lasting: Lasting,
    pub(super) sources: Sources,
}

/// What a reload does not change.
#[derive(Clone)]
pub(super) struct Lasting {
    pub(super) config: Config,
    pub(super) audit: Audit,
    pub(super) metrics: Arc<Metrics>,
    pub(super) confinement: Confinement,
    allowances: Arc<Allowances>,
    ids: Arc<ExchangeIds>,
    /// Read before the gate confines itself.
    nameservers: Vec<IpAddr>,
    places: Vec<ListenerAddress>,
}

/// Compiles the policies, listens, and opens the audit log.
pub(super) fn start(settings: Settings) -> Result<Started, ServeError> {
    let mut sources = Sources::default();
    let compiled = compile::compile(settings, &mut sources)?;
    let served = listeners(&compiled.config)?;
    let admin = admin(&compiled.config)?;
    // Only now is it known where systemd listens.
    let places: Vec<_> = served
        .iter()
        .filter_map(|served| ListenerAddress::parse(&served.listener.docker_host()).ok())
        .collect();
    loops::refuse(&places, &compiled.config.daemon.address)?;
    let ids = ExchangeIds::start().map_err(|error| ServeError::Failed(error.to_string()))?;
    let sink = open_audit(&compiled.config)?;
    if compiled.follows_paths {
        same_files::warn(&compiled.config.daemon.address);
    }
    let nameservers = proxy::nameservers();
    let confinement = confine(&compiled.config, &sources, &places);
    let lasting = Lasting {
        audit: start_audit(sink, &compiled.config)?,
        confinement,
        config: compiled.config.clone(),
        metrics: Arc::default(),
        allowances: Arc::default(),
        ids: Arc::new(ids),
        nameservers,
        places,
    };
    tracing::info!(
        daemon = %compiled.config.daemon.address,
        listeners = served.len(),
        configuration = %compiled.digest,
        "serving"
    );
    let gate = lasting.gate(compiled, &sources);
    Ok(Started {
        server: Server::new(gate),
        served,
        admin,
        lasting,
        sources,
    })
}

impl Lasting {
    /// The gate that a configuration makes, which is about to be put in force.
    pub(super) fn gate(&self, mut compiled: Compiled, sources: &Sources) -> Gate {
        let names = compiled.clients.iter().map(|client| &*client.name);
        self.metrics.keep_clients(names);
        for client in &mut compiled.clients {
            client.counters = self.metrics.client(&client.name);
        }
        compiled.expiries.iter().for_each(Expiry::warn);
        self.metrics.in_force(&compiled.digest, &compiled.expiries);
        Gate {
            protected: self.protected(&compiled.config, sources.files()),
            daemon: compiled.daemon,
            audit: self.audit.clone(),
            ids: Arc::clone(&self.ids),
            limits: compiled.config.limits,
            lowest_version: compiled.config.api.lowest,
            highest_version: compiled.config.api.highest,
            versions: DaemonVersions::default(),
            shared: Arc::new(compiled.config.shared),
            writable: compiled.writable,
            seen: Arc::new(compiled.seen),
            nameservers: match compiled.config.daemon.address {
                Address::Unix(_) => Some(self.nameservers.clone()),
                Address::Tcp { .. } => None,
            },
            known: Known::default(),
            clients: compiled.clients,
            doors: compiled.doors,
            digest: compiled.digest,
            metrics: Arc::clone(&self.metrics),
            allowances: Arc::clone(&self.allowances),
            expiries: compiled.expiries,
            ends_tunnels: compiled.config.reload.ends_tunnels,
        }
    }

    /// The daemon's socket, the gate's own sockets and files: a container that has one of them is the gate's master.
    fn protected(&self, config: &Config, files: &[PathBuf]) -> Vec<String> {
        let mut paths: Vec<&Path> = files.iter().map(PathBuf::as_path).collect();
        if let Address::Unix(path) = &config.daemon.address {
            paths.push(path);
        }
        if let AuditFile::File(path) = &config.audit {
            paths.push(path);
        }
        let admin = config.admin.as_ref().map(|admin| &admin.address);
        for place in self.places.iter().chain(admin) {
            if let ListenerAddress::Unix(path) = place {
                paths.push(path);
            }
        }
        let program = env::current_exe().ok();
        paths.extend(program.as_deref());
        // Where they lead is found out when it matters: links and sockets may be made later.
        let absolute = |path: &Path| {
            let path = path::absolute(path).ok()?;
            path.into_os_string().into_string().ok()
        };
        paths.into_iter().filter_map(absolute).collect()
    }
}

fn listeners(config: &Config) -> Result<Vec<Served>, ServeError> {
    let mut inherited = Inherited::take();
    let mut served = Vec::new();
    for configured in &config.listeners {
        let door: Arc<str> = Arc::from(configured.address.to_string());
        for listener in listen(configured, &mut inherited)? {
            served.push(Served {
                listener,
                door: Arc::clone(&door),
            });
        }
    }
    Ok(served)
}

fn listen(
    listener: &Listener,
    inherited: &mut Inherited,
) -> Result<Vec<listener::Listener>, ServeError> {
    let is_tls = listener.tls.is_some();
    if let ListenerAddress::Systemd(name) = &listener.address {
        return inherited
            .listeners(name.as_deref(), is_tls, listener.allows_plain_tcp)
            .map_err(ServeError::Configuration);
    }
    listener::Listener::bind(&Place {
        address: &listener.address,
        mode: listener.mode,
        group: listener.group.as_deref(),
        is_tls,
        dangerously_allow_plain_tcp: listener.allows_plain_tcp,
    })
    .map(|listener| vec![listener])
    .map_err(|error| ServeError::Configuration(error.to_string()))
}

fn admin(config: &Config) -> Result<Option<listener::Listener>, ServeError> {
    let Some(admin) = &config.admin else {
        return Ok(None);
    };
    let listener = listener::Listener::bind(&Place {
        address: &admin.address,
        mode: admin.mode,
        group: admin.group.as_deref(),
        is_tls: false,
        dangerously_allow_plain_tcp: false,
    })
    .map_err(|error| ServeError::Configuration(error.to_string()))?;
    tracing::info!(address = %listener.docker_host(), "telling of health and metrics");
    Ok(Some(listener))
}

fn open_audit(config: &Config) -> Result<OpenedSink, ServeError> {
    let sink = match &config.audit {
        AuditFile::Stdout => Sink::Stdout,
        AuditFile::File(path) => Sink::File(path.clone()),
    };
    Audit::open(&sink).map_err(|error| ServeError::Configuration(error.to_string()))
}

fn start_audit(sink: OpenedSink, config: &Config) -> Result<Audit, ServeError> {
    let limits = AuditLimits {
        // A connection has one exchange at a time.
        open_exchanges: config.limits.connections,
        deadline: config.limits.audit_deadline,
        ..AuditLimits::default()
    };
    let started = sink.start(limits);
    started.map_err(|error| ServeError::Configuration(error.to_string()))
}

/// Everything is open now, and no other thread runs yet.
fn confine(config: &Config, sources: &Sources, places: &[ListenerAddress]) -> Confinement {
    if config.is_unconfined {
        tracing::warn!("NOT CONFINED: a fault in the gate has every right of its user");
        return Confinement::default();
    }
    let admin = config.admin.as_ref().map(|admin| &admin.address);
    let sockets = places.iter().chain(admin).filter_map(|place| match place {
        ListenerAddress::Unix(path) => Some(path.clone()),
        ListenerAddress::Tcp(_) | ListenerAddress::Systemd(_) => None,
    });
    let daemon = match &config.daemon.address {
        Address::Unix(path) => Reach::Unix(path.clone()),
        Address::Tcp { host, port } if host.parse::<IpAddr>().is_ok() => Reach::Port(*port),
        Address::Tcp { port, .. } => Reach::Name(*port),
    };
    sandbox::confine(&Needs {
        files: sources.files().to_vec(),
        sockets: sockets.collect(),
        daemon,
    })
}
