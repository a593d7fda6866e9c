//! The gate as its clients and its daemon see it, and the house that it is built as.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stderr,
    reason = "a test that meets the unexpected has failed"
)]

mod admin;
mod agent;
mod architecture;
mod audit;
mod benign;
mod certs;
mod check;
mod cli;
mod clients_at_once;
mod commands;
mod cost;
mod differential;
mod exchanges;
mod faults;
mod fuzz_smoke;
mod host_paths;
mod identity;
mod images;
mod limits;
mod listeners;
mod malformed;
mod observe;
mod operations;
mod owners;
mod packaging;
mod plugins;
mod policies;
mod properties;
mod quiet;
mod ready;
mod references;
mod refusals;
mod reload;
mod remote;
mod run;
mod sandbox;
mod sdk;
mod second_parser;
mod serve;
mod services;
mod soak;
mod starve;
mod streams;
mod support;
mod swarm;
mod systemd;
mod terminal;
mod tls;
mod versions;
mod wire;
