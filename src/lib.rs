//! dockgate: an authorization gate in front of the Docker Engine API.
//!
//! Three groups, and a module imports only from its own group or one further down:
//! `command`; then `proxy`, `admin`, `daemon`, `http1`, `peer`, `audit`, `metrics`, `config`, `reload`, `sandbox`, which move bytes; then `decision`, `policy` and
//! `engine_api`, which decide and know no I/O, clock, environment or logging.

pub mod command;

pub mod admin;
pub mod audit;
pub mod config;
pub mod daemon;
pub mod http1;
pub mod metrics;
pub mod peer;
pub mod proxy;
pub mod reload;
pub mod sandbox;
pub mod systemd;
pub mod tls_files;

mod cut;
pub mod decision;
pub mod engine_api;
pub mod policy;
