//! Results as a table, as JSON, and as a plot.

mod plot;

use std::fs;
use std::path::Path;

use crate::results::{Line, Results};

/// Says what has been measured.
pub(crate) fn progress(line: &Line) {
    let (what, transport, connections) = line.group();
    println!("  {what}, {transport}, {connections}");
}

/// Shows a line, the first of a group under its heading.
fn show(line: &Line, is_first: bool) {
    if is_first {
        println!(
            "\n{:<28}{:>11}{:>10}{:>9}{:>9}{:>26}{:>8}",
            format!("{}, {}, {}", line.what, line.transport, line.connections),
            "per s",
            "p50 µs",
            "p99",
            "p99.9",
            "CPU (least-most)",
            "calls"
        );
    }
    let or_nothing =
        |value: Option<f64>| value.map_or(String::new(), |value| format!("{value:.0}"));
    let cpu = line.cpu;
    println!(
        "  {:<26}{:>11.0}{:>10}{:>9}{:>9}{:>26}{:>8}",
        line.contender,
        line.rate.median,
        or_nothing(line.p50),
        or_nothing(line.p99),
        or_nothing(line.p999),
        format!("{:.1} ({:.1}-{:.1})", cpu.median, cpu.least, cpu.most),
        line.system_calls
            .map_or(String::new(), |calls| format!("{calls:.1}")),
    );
}

/// Writes the files, and says where the gate stands.
pub(crate) fn write(results: &Results, folder: &Path) {
    let mut group = None;
    for line in &results.lines {
        show(line, group != Some(line.group()));
        group = Some(line.group());
    }
    ratios(results);
    for line in &results.memory {
        let grown = line.with_tunnels.own.saturating_sub(line.at_rest.own) as f64;
        println!(
            "{:<16}{:>7} KiB at rest ({} of its own), {:.1} KiB for each of {} idle tunnels",
            line.contender,
            line.at_rest.resident,
            line.at_rest.own,
            grown / line.tunnels as f64,
            line.tunnels,
        );
    }
    fs::create_dir_all(folder).expect("a folder for the results");
    let json = serde_json::to_string_pretty(results).expect("JSON");
    fs::write(folder.join("results.json"), json).expect("the results");
    fs::write(folder.join("plot.svg"), plot::draw(results)).expect("the plot");
    println!("\nresults.json and plot.svg are in {}", folder.display());
}

/// The gate against each other contender.
fn ratios(results: &Results) {
    println!(
        "\n{:<40}{:<18}{:>8}{:>8}{:>8}{:>8}",
        "the gate against", "", "CPU", "per s", "p50", "p99"
    );
    for gate in results.lines.iter().filter(|line| line.kind == "gate") {
        let same = |line: &&Line| {
            (&line.what, line.transport, line.connections)
                == (&gate.what, gate.transport, gate.connections)
                && !matches!(line.kind, "gate" | "direct")
        };
        let mut name = format!("{}, {}, {}", gate.what, gate.transport, gate.connections);
        for other in results.lines.iter().filter(same) {
            let of = |own: Option<f64>, other: Option<f64>| match (own, other) {
                (Some(own), Some(other)) if other > 0.0 => format!("{:.2}", own / other),
                _ => String::new(),
            };
            println!(
                "{name:<40}{:<18}{:>8}{:>8}{:>8}{:>8}",
                other.contender,
                of(Some(gate.cpu.median), Some(other.cpu.median)),
                of(Some(gate.rate.median), Some(other.rate.median)),
                of(gate.p50, other.p50),
                of(gate.p99, other.p99),
            );
            name.clear();
        }
    }
    println!();
}
