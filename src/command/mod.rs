//! The operator's verbs, one file each.

pub mod certs;
pub mod check;
mod parameter;
pub mod policies;
pub mod serve;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// An authorization gate in front of the Docker Engine API.
#[derive(Debug, Parser)]
#[command(name = "dockgate", version, about, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Guard a daemon: take clients, and forward what their policy permits.
    Serve(serve::ServeArguments),
    /// List the ready policies, or print one.
    Policies { name: Option<String> },
    /// Tell what policies and configurations open, and what in them is wrong or has no effect.
    Check(check::CheckArguments),
    /// Make an authority, certificates for servers and clients, and revoke them.
    Certs(certs::CertsArguments),
}

/// Does what the command line says and gives the exit code: 0 done, 1 failed or found, 2 a wrong command line, 78 a wrong
/// configuration.
#[must_use]
pub fn run() -> ExitCode {
    match Arguments::parse().verb {
        Verb::Serve(arguments) => serve::run(&arguments),
        Verb::Policies { name } => policies::run(name.as_deref()).unwrap_or(ExitCode::FAILURE),
        Verb::Check(arguments) => check::run(&arguments),
        Verb::Certs(arguments) => match certs::run(&arguments) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => serve::complain(&error, ExitCode::FAILURE),
        },
    }
}
