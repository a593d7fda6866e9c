//! A process under measurement: its processor time and its memory, as the kernel counts them.

use std::fs;
use std::process::{Child, Command};
use std::time::Duration;

/// Ends with its value.
pub(super) struct Process(Child);

/// Where to read the processor time of a process.
#[derive(Debug, Clone)]
pub(crate) struct Processor {
    tasks: String,
}

/// Resident memory, in KiB.
#[derive(Debug, Clone, Copy, serde::Serialize)]
pub(crate) struct Memory {
    pub(crate) resident: u64,
    /// Of that, what is no mapped file.
    pub(crate) own: u64,
}

impl Process {
    pub(super) fn start(command: &mut Command) -> Self {
        Self(
            command
                .spawn()
                .unwrap_or_else(|error| panic!("{command:?}: {error}")),
        )
    }

    pub(super) fn id(&self) -> u32 {
        self.0.id()
    }

    pub(super) fn processor(&self) -> Processor {
        Processor {
            tasks: format!("/proc/{}/task", self.id()),
        }
    }

    pub(super) fn memory(&self) -> Memory {
        let status = fs::read_to_string(format!("/proc/{}/status", self.id()));
        let status = status.expect("its status");
        let of = |name: &str| {
            let line = status.lines().find(|line| line.starts_with(name));
            let number = line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok());
            number.expect("its memory")
        };
        Memory {
            resident: of("VmRSS:"),
            own: of("RssAnon:"),
        }
    }
}

impl Processor {
    /// Of nobody, for a load whose other end is not known here.
    pub(crate) fn none() -> Self {
        Self {
            tasks: "/proc/self/fdinfo".to_owned(),
        }
    }

    /// User and system time of all its threads so far, to the nanosecond.
    pub(crate) fn used(&self) -> Duration {
        let tasks = fs::read_dir(&self.tasks).expect("its threads");
        let nanoseconds = tasks.flatten().filter_map(|task| {
            let times = fs::read_to_string(task.path().join("schedstat")).ok()?;
            times.split_whitespace().next()?.parse::<u64>().ok()
        });
        Duration::from_nanos(nanoseconds.sum())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
