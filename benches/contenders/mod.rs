//! What is measured side by side: the engine itself, the gate, and proxies that others put in its place.

mod haproxy;
mod process;
mod syscalls;

use std::env;
use std::fs::{self, File};
use std::net::TcpListener;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::load::Place;
use process::Process;
pub(crate) use process::{Memory, Processor};
pub(crate) use syscalls::{is_there as can_count_calls, per_request};

/// One way to the engine.
pub(crate) struct Contender {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    /// Its Unix socket.
    pub(crate) place: Place,
    /// Its port with mutual TLS, where it has one.
    pub(crate) port: Option<u16>,
    process: Process,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Direct,
    Gate,
    /// Filters by paths.
    Proxy,
    /// Copies bytes and knows no requests.
    Floor,
    /// The engine in the gate's place: what reading a request and answering it takes at least, for what is refused.
    Answerer,
    /// Given by the operator of the benchmark.
    Other,
}

impl Contender {
    pub(crate) fn processor(&self) -> Processor {
        self.process.processor()
    }

    pub(crate) fn memory(&self) -> Memory {
        self.process.memory()
    }

    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }
}

/// All that can be started on this machine; they end when they are dropped.
pub(crate) fn start(folder: &Path) -> Vec<Contender> {
    certificates(folder);
    let engine = folder.join("engine.sock");
    let mut command = Command::new(env::current_exe().expect("this program"));
    command.arg("engine").arg(&engine);
    let mut contenders = vec![contender("direct", Kind::Direct, command, (&engine, None))];
    contenders.push(gate(folder, &engine));
    contenders.push(answerer(folder));
    if haproxy::is_there() {
        contenders.extend(haproxy::all(folder, &engine));
    } else {
        println!("haproxy is not installed: nothing to compare with");
    }
    contenders.extend(others(folder, &engine));
    contenders
}

fn answerer(folder: &Path) -> Contender {
    let socket = folder.join("answerer.sock");
    let program = env::current_exe().expect("this program");
    let mut command = alone(program.to_str().expect("a path"));
    command.arg("engine").arg(&socket);
    contender("answers only", Kind::Answerer, command, (&socket, None))
}

fn gate(folder: &Path, engine: &Path) -> Contender {
    let (socket, port) = (folder.join("gate.sock"), free_port());
    let configuration = folder.join("dockgate.toml");
    let text = format!(
        "policy = \"guarded\"\n[daemon]\naddress = \"unix://{}\"\n[[listener]]\naddress = \"unix://{}\"\n\
         [[listener]]\naddress = \"tcp://127.0.0.1:{port}\"\n\
         tls = {{ certificate = \"certs/server/gate/cert.pem\", key = \"certs/server/gate/key.pem\", client-ca = \"certs/ca.pem\" }}\n\
         [audit]\nfile = \"audit.jsonl\"\n[limits]\nconnections = 4096\nconnections-per-client = 4096\nhandshakes-per-second = 1000000\n",
        engine.display(),
        socket.display()
    );
    fs::write(&configuration, text).expect("a configuration");
    let mut command = alone(env!("CARGO_BIN_EXE_dockgate"));
    command.arg("serve").arg("--config").arg(configuration);
    contender("dockgate", Kind::Gate, command, (&socket, Some(port)))
}

/// `DOCKGATE_BENCH_OTHERS`: a line `NAME=COMMAND` for each, in which `{listen}` and `{daemon}` stand for the two sockets.
fn others(folder: &Path, engine: &Path) -> Vec<Contender> {
    let lines = env::var("DOCKGATE_BENCH_OTHERS").unwrap_or_default();
    let other = |line: &str| {
        let (name, template) = line.split_once('=')?;
        let socket = folder.join(format!("{name}.sock"));
        let text = template
            .replace("{listen}", &socket.display().to_string())
            .replace("{daemon}", &engine.display().to_string());
        let mut words = text.split_whitespace();
        let mut command = alone(words.next()?);
        command.args(words);
        Some(contender(name, Kind::Other, command, (&socket, None)))
    };
    lines.lines().filter_map(other).collect()
}

/// A process that is no contender, once it takes connections.
pub(crate) fn start_at(name: &str, command: Command, socket: &Path) -> Contender {
    contender(name, Kind::Other, command, (socket, None))
}

/// Starts a process and waits until it takes connections.
fn contender(
    name: &str,
    kind: Kind,
    mut command: Command,
    (socket, port): (&Path, Option<u16>),
) -> Contender {
    let folder = socket.parent().expect("a folder");
    let log = File::create(folder.join(format!("{name}.log"))).expect("a log");
    let said = File::create(folder.join(format!("{name}.err"))).expect("a log");
    command.stdin(Stdio::null()).stdout(log).stderr(said);
    let process = Process::start(&mut command);
    let give_up_at = Instant::now() + Duration::from_secs(10);
    while UnixStream::connect(socket).is_err() {
        assert!(
            Instant::now() < give_up_at,
            "{name} does not listen; see {}",
            folder.display()
        );
        std::thread::yield_now();
    }
    Contender {
        name: name.to_owned(),
        kind,
        place: Place::Unix(socket.to_owned()),
        port,
        process,
    }
}

/// A program on a processor of its own, where there are two; engine and clients have the other.
pub(crate) fn alone(program: &str) -> Command {
    if !is_pinned() {
        return Command::new(program);
    }
    let mut command = Command::new("taskset");
    command.args(["--cpu-list", "0", program]);
    command
}

/// Whether this process was given the second processor.
pub(crate) fn is_pinned() -> bool {
    env::var_os(PINNED).is_some()
}

/// Begins this program anew on the second processor; gives its exit code, or nothing where there is only one.
pub(crate) fn pinned() -> Option<i32> {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    if is_pinned() || processors < 2 {
        return None;
    }
    let mut command = Command::new("taskset");
    command
        .args(["--cpu-list", "1"])
        .arg(env::current_exe().ok()?);
    let status = command
        .args(env::args_os().skip(1))
        .env(PINNED, "1")
        .status();
    status.ok().map(|status| status.code().unwrap_or(1))
}

const PINNED: &str = "DOCKGATE_BENCH_PINNED";

/// An authority with a server and a client, made by the gate's own `certs`.
pub(crate) fn certificates(folder: &Path) {
    let out: PathBuf = folder.join("certs");
    for arguments in [&["init"][..], &["server", "gate"], &["client", "bench"]] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dockgate"));
        command.arg("certs").args(arguments).arg("--out").arg(&out);
        let made = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
        assert!(
            made.expect("dockgate certs").success(),
            "dockgate certs {arguments:?}"
        );
    }
}

pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}
