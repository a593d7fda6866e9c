//! What a request costs, counted and not timed, so that it stays what it is: system calls, instructions, allocations.
//!
//! The gate here is not optimized, so its counts say nothing of the gate that is shipped but that it has not grown worse.
//! They are those of the compiler that this was last changed with; another may move them a little either way.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::support::address::Connection;
use super::support::fake_daemon::FakeDaemon;
use super::support::gate::{Gate, Setup};
use super::support::http;
use super::support::wait::{self, DEADLINE};

/// What a request may cost at most; a change that needs more must say in its subject what for.
struct Bounds {
    name: &'static str,
    request: String,
    status: u16,
    /// On one connection, so with a wait of its own for each answer. Without those by which threads wake each other, and
    /// without writes of the audit log: how many ends a decision takes along depends on time, and there are two at most.
    system_calls: f64,
    instructions: u64,
    allocations: u64,
}

fn list() -> Bounds {
    Bounds {
        name: "list",
        request: "GET /v1.41/images/json?all=1 HTTP/1.1\r\nHost: docker\r\nUser-Agent: a\r\n\r\n"
            .to_owned(),
        status: 200,
        system_calls: 6.0,
        instructions: 256_000,
        allocations: 25,
    }
}

fn refusal() -> Bounds {
    Bounds {
        name: "refusal",
        request: "POST /v1.41/swarm/leave HTTP/1.1\r\nHost: docker\r\nContent-Length: 0\r\n\r\n"
            .to_owned(),
        status: 403,
        system_calls: 3.0,
        instructions: 273_000,
        allocations: 29,
    }
}

/// 3 KiB of `docker create`, without the volume, whose lookup would be a request of its own.
fn create() -> Bounds {
    let body = include_str!("../benches/create.json");
    let body = body.replace("\"Binds\": [\"bench-data:/data\"]", "\"Binds\": null");
    let length = body.len();
    Bounds {
        name: "create",
        request: format!(
            "POST /v1.41/containers/create?name=a HTTP/1.1\r\nHost: docker\r\nContent-Type: application/json\r\n\
             Content-Length: {length}\r\n\r\n{body}"
        ),
        status: 200,
        system_calls: 6.0,
        instructions: 1_250_000,
        allocations: 68,
    }
}

fn ask(reader: &mut BufReader<Connection>, bounds: &Bounds, (times, apart): (usize, Duration)) {
    for _ in 0..times {
        wait::pause(apart);
        let connection = reader.get_mut();
        connection.write_all(bounds.request.as_bytes()).unwrap();
        let answer = http::read_answer(reader, false).unwrap();
        assert_eq!(answer.status, bounds.status, "{}", answer.text());
    }
}

/// Answers with one write, so that the gate never finds half an answer; and late, as a daemon that has something to do,
/// so that whatever wakes the gate meanwhile is seen.
fn daemon(late: Duration) -> FakeDaemon {
    FakeDaemon::answering(move |_, stream| {
        wait::pause(late);
        let answer =
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";
        // The gate may have gone with the end of the test.
        let _ = stream.write_all(answer.as_bytes());
    })
}

fn connect(gate: &Gate) -> BufReader<Connection> {
    BufReader::new(gate.address().connect().unwrap())
}

#[test]
fn a_request_takes_few_system_calls() {
    needs("strace");
    for bounds in [list(), refusal(), create()] {
        // Timers, and memory that is given back.
        let most = bounds.system_calls + 0.4;
        // Other work on the machine holds requests up, and so more timers go off: one count of a few has to be within.
        let mut tries = Vec::new();
        let is_within = (0..4).any(|_| {
            tries.push(system_calls(&bounds));
            tries.last().is_some_and(|each| *each <= most)
        });
        assert!(
            is_within,
            "{}: {tries:?} system calls for a request, at most {most}",
            bounds.name
        );
    }
}

/// How many a request takes, but for those that are not counted.
fn system_calls(bounds: &Bounds) -> f64 {
    let daemon = daemon(LATE);
    // Two would take turns in waiting, more or less often.
    let one_worker = |command: &mut Command| {
        command.env("TOKIO_WORKER_THREADS", "1");
    };
    let setup = Setup::before(&daemon.address()).listen("guarded");
    let gate = setup.start_with(one_worker);
    let mut reader = connect(&gate);
    ask(&mut reader, bounds, (10, LATE));
    let mut strace = Command::new("strace")
        .args(["-f", "-c", "-p", &gate.id().to_string()])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(strace.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("attached") {
        line.clear();
        assert_ne!(
            said.read_line(&mut line).unwrap(),
            0,
            "strace attaches to no process here"
        );
    }
    ask(&mut reader, bounds, (REQUESTS, LATE));
    let mut interrupt = Command::new("kill");
    interrupt.arg("-INT").arg(strace.id().to_string());
    assert!(interrupt.status().unwrap().success());
    let lines = said.lines().map_while(Result::ok);
    let calls: u64 = lines.filter_map(|line| counted(&line)).sum();
    strace.wait().unwrap();
    calls as f64 / REQUESTS as f64
}

/// The calls in a line of strace's table, but for those that are not counted.
fn counted(line: &str) -> Option<u64> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let is_row = words.first()?.parse::<f64>().is_ok();
    let is_left_out = ["futex", "write", "total", "restart_syscall"].contains(words.last()?);
    (is_row && !is_left_out).then(|| words.get(3)?.parse().ok())?
}

#[test]
fn a_list_takes_few_instructions_and_allocations() {
    stays_within(&list());
}

#[test]
fn a_refusal_takes_few_instructions_and_allocations() {
    stays_within(&refusal());
}

#[test]
fn a_create_takes_few_instructions_and_allocations() {
    stays_within(&create());
}

/// One at a time: each has a processor at work for as long as it lasts.
static TURN: Mutex<()> = Mutex::new(());

fn stays_within(bounds: &Bounds) {
    needs("valgrind");
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let daemon = daemon(Duration::ZERO);
    let folder = tempfile::tempdir().unwrap();
    let counts = folder.path().join("counts");
    let (out, only) = (
        format!("--callgrind-out-file={}", counts.display()),
        "--toggle-collect=dockgate::proxy::connection::Connection::run::{{closure}}",
    );
    let setup = Setup::before(&daemon.address()).listen("guarded");
    let mut gate = setup.start_under("valgrind", &["--tool=callgrind", &out, only]);
    let mut reader = connect(&gate);
    ask(&mut reader, bounds, (REQUESTS, Duration::ZERO));
    drop(reader);
    gate.signal("TERM");
    wait::within(DEADLINE, || gate.ended_within(DEADLINE)).expect("the gate ends");
    let (instructions, allocations) = read(&counts);
    let each = |count: u64| count / REQUESTS as u64;
    let (instructions, allocations) = (each(instructions), each(allocations));
    assert!(
        instructions <= bounds.instructions && allocations <= bounds.allocations,
        "{}: {instructions} instructions (at most {}) and {allocations} allocations (at most {}) for a request",
        bounds.name,
        bounds.instructions,
        bounds.allocations
    );
    assert!(
        instructions > bounds.instructions / 2,
        "{}: {instructions} instructions; the bound is loose",
        bounds.name
    );
}

/// Instructions in all, and calls of the allocator, in callgrind's format: a function is named once and has a number then.
fn read(counts: &Path) -> (u64, u64) {
    let text = fs::read_to_string(counts).unwrap();
    let summary = text.lines().find_map(|line| line.strip_prefix("summary: "));
    let number_of = |name: &str| {
        let (number, _) = text
            .lines()
            .find_map(|line| line.split_once("fn=(")?.1.split_once(name))?;
        number.split(')').next()
    };
    let mut allocations = 0;
    for name in ["__rust_alloc", "__rust_realloc"] {
        let number = number_of(&format!(") __rustc::{name}"));
        // Where nothing grows, the second is never called.
        assert!(number.is_some() || name != "__rust_alloc", "no allocation");
        let Some(number) = number else { continue };
        let called = format!("cfn=({number})");
        let mut lines = text.lines().peekable();
        while let Some(line) = lines.next() {
            if line.starts_with(&called) {
                let calls = lines.peek().and_then(|line| line.strip_prefix("calls="));
                allocations += calls
                    .and_then(|calls| calls.split(' ').next()?.parse::<u64>().ok())
                    .unwrap();
            }
        }
    }
    (summary.unwrap().trim().parse().unwrap(), allocations)
}

fn needs(program: &str) {
    let found = Command::new(program)
        .arg("--version")
        .stdout(Stdio::null())
        .status();
    assert!(
        found.is_ok_and(|status| status.success()),
        "{program} is needed to count: apt-get install {program}"
    );
}

const REQUESTS: usize = 200;
/// Far longer than the gate takes to go to sleep, even under `strace`.
const LATE: Duration = Duration::from_millis(3);
