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

mod architecture;
mod audit;
mod benign;
mod certs;
mod cli;
mod faults;
mod images;
mod limits;
mod malformed;
mod operations;
mod packaging;
mod policies;
mod references;
mod refusals;
mod sdk;
mod second_parser;
mod streams;
mod support;
mod systemd;
mod terminal;
mod tls;
mod wire;
