//! What was measured, and what several runs of it come to.

use serde::Serialize;

use crate::contenders::Memory;

/// One line of the results.
#[derive(Debug, Serialize)]
pub(crate) struct Line {
    /// What is done, over what, on how many connections.
    pub(crate) what: String,
    pub(crate) transport: &'static str,
    pub(crate) connections: usize,
    pub(crate) contender: String,
    pub(crate) kind: &'static str,
    /// Requests, round trips or connections per second; MiB per second of bulk.
    pub(crate) rate: Spread,
    /// Of the contender alone, in microseconds per request, of bulk in milliseconds per GiB.
    pub(crate) cpu: Spread,
    /// In microseconds; not for bulk.
    pub(crate) p50: Option<f64>,
    pub(crate) p99: Option<f64>,
    pub(crate) p999: Option<f64>,
    pub(crate) system_calls: Option<f64>,
}

/// The median of all rounds, and the least and the most.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) least: f64,
    pub(crate) most: f64,
}

/// All that was measured.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Results {
    pub(crate) is_pinned: bool,
    pub(crate) runs: usize,
    pub(crate) rounds: usize,
    #[serde(skip)]
    pub(crate) counts_calls: bool,
    pub(crate) lines: Vec<Line>,
    pub(crate) memory: Vec<MemoryLine>,
}

#[derive(Debug, Serialize)]
pub(crate) struct MemoryLine {
    pub(crate) contender: String,
    pub(crate) at_rest: Memory,
    pub(crate) tunnels: usize,
    pub(crate) with_tunnels: Memory,
}

impl Results {
    pub(crate) fn add(&mut self, line: Line) {
        if self.lines.last().map(Line::group) != Some(line.group()) {
            crate::report::progress(&line);
        }
        self.lines.push(line);
    }

    /// What several runs came to together.
    pub(crate) fn of_all(runs: Vec<Self>) -> Self {
        let mut runs = runs.into_iter();
        let mut all = runs.next().unwrap_or_default();
        let others: Vec<Self> = runs.collect();
        for line in &mut all.lines {
            let is_same =
                |one: &&Line| one.group() == line.group() && one.contender == line.contender;
            let same: Vec<&Line> = others
                .iter()
                .filter_map(|run| run.lines.iter().find(is_same))
                .collect();
            let spread = |of: fn(&Line) -> Spread| {
                let others = same.iter().map(|line| of(line));
                Spread::over(&others.chain([of(line)]).collect::<Vec<_>>())
            };
            let median = |of: fn(&Line) -> Option<f64>| {
                let own = of(line)?;
                let others = same.iter().filter_map(|line| of(line));
                Some(Spread::of(others.chain([own])).median)
            };
            let (rate, cpu) = (spread(|line| line.rate), spread(|line| line.cpu));
            let waits = [
                median(|line| line.p50),
                median(|line| line.p99),
                median(|line| line.p999),
            ];
            (line.rate, line.cpu) = (rate, cpu);
            [line.p50, line.p99, line.p999] = waits;
        }
        all
    }
}

impl Line {
    /// What is compared with each other.
    pub(crate) fn group(&self) -> (&str, &'static str, usize) {
        (&self.what, self.transport, self.connections)
    }
}

impl Spread {
    /// The median of the medians, and the least and the most of all.
    fn over(all: &[Self]) -> Self {
        Self {
            median: Self::of(all.iter().map(|one| one.median)).median,
            least: Self::of(all.iter().map(|one| one.least)).least,
            most: Self::of(all.iter().map(|one| one.most)).most,
        }
    }

    pub(crate) fn of(values: impl Iterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = values.collect();
        values.sort_by(f64::total_cmp);
        let at = |index: usize| values.get(index).copied().unwrap_or_default();
        Self {
            median: at(values.len() / 2),
            least: at(0),
            most: at(values.len().saturating_sub(1)),
        }
    }
}
