//! What the gate costs: requests per second and its processor time, beside the daemon reached directly, in one run.
//!
//! `make bench` runs it before a daemon of its own. Ratios count, not absolutes: rounds alternate between the gate and
//! the daemon, and the median of the rounds is shown.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a benchmark that meets the unexpected has failed"
)]

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

const ROUNDS: usize = 5;
const CREATE: &str = include_str!("create.json");

fn main() {
    let daemon = env::var("DOCKGATE_TEST_ENGINE")
        .unwrap_or_else(|_| "unix:///var/run/docker.sock".to_owned());
    let daemon = PathBuf::from(daemon.trim_start_matches("unix://"));
    let folder = env::temp_dir().join(format!("dockgate-bench-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a temporary folder");
    let mut gate = Gate::start(&folder, &daemon);
    println!("gate at rest: {} KiB resident", gate.resident_kib());
    idle(&mut gate);
    println!(
        "{:<28}{:>6}{:>12}{:>12}{:>8}{:>16}",
        "request", "conns", "direct/s", "gate/s", "ratio", "gate CPU µs/req"
    );
    for (name, request, count) in workloads() {
        for connections in [1, 10] {
            compare(&mut gate, &daemon, name, &request, count, connections);
        }
    }
    gate.stop();
    let _ = fs::remove_dir_all(&folder);
}

/// Name, request, and how many of them are sent in a round.
fn workloads() -> Vec<(&'static str, Vec<u8>, usize)> {
    let get = |path: &str| format!("GET {path} HTTP/1.1\r\nHost: docker\r\n\r\n").into_bytes();
    let refused = CREATE.replace("\"Privileged\": false", "\"Privileged\": true");
    vec![
        ("/_ping", get("/_ping"), 20_000),
        (
            "containers/json",
            get("/v1.41/containers/json?all=1"),
            5_000,
        ),
        // An image that does not exist: judged, rewritten and forwarded in full, and answered without making anything.
        (
            "create, 3 KiB",
            post("/v1.41/containers/create?name=bench", CREATE),
            5_000,
        ),
        (
            "create, refused",
            post("/v1.41/containers/create?name=bench", &refused),
            10_000,
        ),
    ]
}

fn post(path: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("POST {path} HTTP/1.1\r\nHost: docker\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}")
        .into_bytes()
}

fn compare(
    gate: &mut Gate,
    daemon: &Path,
    name: &str,
    request: &[u8],
    count: usize,
    connections: usize,
) {
    let (mut direct, mut through, mut cpu) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        direct.push(rate(daemon, request, count, connections));
        let before = gate.cpu();
        through.push(rate(&gate.socket, request, count, connections));
        cpu.push((gate.cpu() - before).as_secs_f64() * 1e6 / count as f64);
    }
    let (direct, through, cpu) = (median(direct), median(through), median(cpu));
    println!(
        "{name:<28}{connections:>6}{direct:>12.0}{through:>12.0}{:>8.2}{cpu:>16.1}",
        through / direct
    );
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Requests per second over `connections` keep-alive connections.
fn rate(socket: &Path, request: &[u8], count: usize, connections: usize) -> f64 {
    let start = Instant::now();
    thread::scope(|scope| {
        for _ in 0..connections {
            scope.spawn(|| {
                let mut stream = BufReader::new(UnixStream::connect(socket).expect("a connection"));
                for _ in 0..count / connections {
                    stream.get_mut().write_all(request).expect("a request");
                    answer(&mut stream);
                }
            });
        }
    });
    count as f64 / start.elapsed().as_secs_f64()
}

/// Reads one answer whole.
fn answer(stream: &mut BufReader<UnixStream>) {
    let (mut length, mut is_chunked, mut line) = (0, false, String::new());
    loop {
        line.clear();
        stream.read_line(&mut line).expect("a head");
        let lower = line.to_ascii_lowercase();
        if let Some(value) = lower.strip_prefix("content-length:") {
            length = value.trim().parse().expect("a length");
        }
        is_chunked |= lower.starts_with("transfer-encoding:");
        if line == "\r\n" {
            break;
        }
        assert!(!line.is_empty(), "the connection was closed");
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).expect("a body");
    while is_chunked {
        line.clear();
        stream.read_line(&mut line).expect("a chunk");
        let size = usize::from_str_radix(line.trim(), 16).expect("a size");
        let mut chunk = vec![0; size + 2];
        stream.read_exact(&mut chunk).expect("a chunk");
        is_chunked = size > 0;
    }
}

/// Memory with 200 connections that have asked once and stay.
fn idle(gate: &mut Gate) {
    let connections: Vec<_> = (0..200)
        .map(|_| {
            let mut stream =
                BufReader::new(UnixStream::connect(&gate.socket).expect("a connection"));
            stream
                .get_mut()
                .write_all(b"GET /_ping HTTP/1.1\r\nHost: docker\r\n\r\n")
                .expect("a request");
            answer(&mut stream);
            stream
        })
        .collect();
    println!(
        "gate with {} idle connections: {} KiB resident",
        connections.len(),
        gate.resident_kib()
    );
}

struct Gate {
    process: Child,
    socket: PathBuf,
}

impl Gate {
    fn start(folder: &Path, daemon: &Path) -> Self {
        let socket = folder.join("gate.sock");
        let process = Command::new(env!("CARGO_BIN_EXE_dockgate"))
            .arg("serve")
            .args(["--daemon", &format!("unix://{}", daemon.display())])
            .args(["--listen", &format!("unix://{}", socket.display())])
            .args(["--audit", &folder.join("audit.jsonl").display().to_string()])
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the gate");
        while UnixStream::connect(&socket).is_err() {
            thread::yield_now();
        }
        Self { process, socket }
    }

    /// User and system time so far.
    fn cpu(&mut self) -> Duration {
        let stat =
            fs::read_to_string(format!("/proc/{}/stat", self.process.id())).expect("its times");
        let fields: Vec<&str> = stat
            .rsplit(')')
            .next()
            .expect("fields")
            .split_whitespace()
            .collect();
        let ticks: u64 =
            fields[11].parse::<u64>().expect("ticks") + fields[12].parse::<u64>().expect("ticks");
        Duration::from_millis(ticks * 10)
    }

    fn resident_kib(&mut self) -> u64 {
        let status =
            fs::read_to_string(format!("/proc/{}/status", self.process.id())).expect("its status");
        let line = status
            .lines()
            .find(|line| line.starts_with("VmRSS:"))
            .expect("its memory");
        line.split_whitespace()
            .nth(1)
            .expect("a number")
            .parse()
            .expect("a number")
    }

    fn stop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
