//! What the gate costs beside the daemon itself and beside the proxies that others put before it, in one run.
//!
//! See `README.md` here. Ratios count, not absolutes: contenders take turns in every round, and medians are shown.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::exit,
    clippy::disallowed_methods,
    clippy::string_slice,
    clippy::cast_precision_loss,
    unreachable_pub,
    reason = "a benchmark that meets the unexpected has failed"
)]

mod contenders;
mod engine;
mod flood;
mod load;
mod measure;
mod report;
mod results;
mod workloads;

use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{env, fs, process};

use load::Place;
use measure::Plan;
use results::Results;

fn main() {
    let arguments: Vec<String> = env::args()
        .skip(1)
        .filter(|argument| argument != "--bench")
        .collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    if let ["engine", socket] = *words {
        return engine::run(Path::new(socket));
    }
    if let ["load", socket, workload, connections, seconds] = *words {
        return load_only(socket, workload, connections, seconds);
    }
    if let ["flood", socket, kind, port] = *words {
        return flood::flood(Path::new(socket), kind, port.parse().expect("a port"));
    }
    if let Some(code) = contenders::pinned() {
        process::exit(code);
    }
    if words == ["--flood"] {
        let folder = env::temp_dir().join(format!("dockgate-bench-{}", process::id()));
        fs::create_dir_all(&folder).expect("a temporary folder");
        flood::measure(&folder);
        let _ = fs::remove_dir_all(&folder);
        return;
    }
    let plan = Plan::of(&words).unwrap_or_else(|fault| {
        eprintln!("{fault}\n{}", measure::USAGE);
        process::exit(2);
    });
    let folder = env::temp_dir().join(format!("dockgate-bench-{}", process::id()));
    fs::create_dir_all(&folder).expect("a temporary folder");
    let runs = (1..=plan.runs()).map(|run| {
        let folder = folder.join(run.to_string());
        fs::create_dir_all(&folder).expect("a temporary folder");
        let contenders = contenders::start(&folder);
        measure::all(&plan, &contenders, (&folder, run))
    });
    let results = Results::of_all(runs.collect());
    let _ = fs::remove_dir_all(&folder);
    report::write(&results, &out());
}

/// Requests to a socket that somebody else serves: for profiles.
fn load_only(socket: &str, workload: &str, connections: &str, seconds: &str) {
    let all = workloads::all();
    let workload = all
        .iter()
        .find(|one| one.name == workload)
        .expect("a workload");
    let lasting = Duration::from_secs_f64(seconds.parse().expect("seconds"));
    let connections = connections.parse().expect("a number");
    let round = load::ask(
        &Place::Unix(socket.into()),
        workload,
        (connections, lasting),
        &contenders::Processor::none(),
    );
    println!("{} requests", round.requests);
}

/// Where results are left.
fn out() -> PathBuf {
    let target = env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    Path::new(&target).join("bench")
}
