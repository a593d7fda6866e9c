//! What one client's flood does to another's waiting: alone, beside a flood without limits, and beside one under limits.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::time;

use crate::contenders;
use crate::load::{self, Exchange, Histogram, Place};
use crate::workloads::{self, Workload};

/// What the flood is of.
#[derive(Debug, Clone, Copy)]
enum Kind {
    /// Requests that are refused as fast as they come.
    Refused,
    /// Bodies of megabytes, judged and refused.
    Bodies,
}

const KINDS: [(Kind, &str); 2] = [
    (Kind::Refused, "refused creates"),
    (Kind::Bodies, "bodies of 3 MiB"),
];

/// The listeners: one for the victim, one for a flood without limits, one for a flood under them.
const LISTENERS: [(&str, &str); 3] = [
    ("victim", ""),
    ("free", ""),
    (
        "bounded",
        "owner = \"flood\"\nlimits = { requests-per-second = 50, burst = 50, exchanges = 20, judged-bytes = \"8m\" }\n",
    ),
];

/// Measures all of it and prints a table.
pub(crate) fn measure(folder: &Path) {
    let engine = folder.join("engine.sock");
    let mut command = Command::new(env::current_exe().expect("this program"));
    command.arg("engine").arg(&engine);
    let _engine = contenders::start_at("engine", command, &engine);
    let (configuration, sockets) = configured(folder, &engine);
    let mut command = contenders::alone(env!("CARGO_BIN_EXE_dockgate"));
    command.arg("serve").arg("--config").arg(configuration);
    let gate = contenders::start_at("gate", command, &sockets[2]);
    let all = workloads::all();
    let list = all.iter().find(|one| one.name == "list 2 KiB").expect("it");
    let [victim, free, bounded] = sockets;
    println!("the victim asks 50 times a second on one connection, the flood has {CONNECTIONS}");
    println!(
        "{:<40} {:>9} {:>9} {:>9} {:>7} {:>6}",
        "", "p50 µs", "p99 µs", "most µs", "answers", "cpu"
    );
    let told = |name: &str, flood: Option<(Kind, &Path)>| {
        let mut flood = flood.map(|(kind, socket)| Flood::start(kind, socket));
        // What it did at its beginning is another matter.
        std::thread::sleep(Duration::from_secs(1));
        let (begun, before) = (Instant::now(), gate.processor().used());
        let waited = wait_of(&victim, list);
        let used = gate.processor().used().saturating_sub(before);
        let share = used.as_secs_f64() / begun.elapsed().as_secs_f64() * 100.0;
        if let Some(flood) = &mut flood {
            let ended = flood.0.try_wait().expect("a flood");
            assert!(ended.is_none(), "the flood has ended: {ended:?}");
        }
        drop(flood.take());
        let [p50, p99, most] = [500, 990, 1000].map(|part| waited.per_mille(part));
        println!(
            "{name:<40} {p50:>9.0} {p99:>9.0} {most:>9.0} {:>7} {share:>5.0}%",
            waited.count()
        );
    };
    told("alone", None);
    for (kind, name) in KINDS {
        told(&format!("{name}, no limits"), Some((kind, &free)));
        told(&format!("{name}, under limits"), Some((kind, &bounded)));
    }
    told("alone again", None);
}

fn configured(folder: &Path, engine: &Path) -> (PathBuf, [PathBuf; 3]) {
    let sockets = LISTENERS.map(|(name, _)| folder.join(format!("{name}.sock")));
    let mut text = format!(
        "[daemon]\naddress = \"unix://{}\"\n[audit]\nfile = \"{}/audit.jsonl\"\n",
        engine.display(),
        folder.display()
    );
    for ((_, limits), socket) in LISTENERS.iter().zip(&sockets) {
        let socket = socket.display();
        text += &format!(
            "[[listener]]\naddress = \"unix://{socket}\"\nmode = \"0666\"\npolicy = \"guarded\"\n{limits}"
        );
    }
    let configuration = folder.join("dockgate.toml");
    fs::write(&configuration, text).expect("a configuration");
    (configuration, sockets)
}

/// How long a client waits that asks at a steady pace; one that comes late asks the next at once.
fn wait_of(socket: &Path, workload: &Workload) -> Histogram {
    let place = Place::Unix(socket.to_owned());
    load::on_one_thread(async move {
        let mut exchange = Exchange::open(&place).await;
        let mut pace = time::interval(Duration::from_millis(20));
        let mut latency = Histogram::default();
        let end = Instant::now() + LONGEST;
        for _ in 0..ANSWERS {
            if Instant::now() > end {
                break;
            }
            let due = pace.tick().await.into_std();
            exchange.ask(workload).await;
            latency.add(due.elapsed());
        }
        latency
    })
}

/// A process of its own, so that the victim's clock is not its; and of another user, who is another client to the gate.
struct Flood(Child);

impl Flood {
    fn start(kind: Kind, socket: &Path) -> Self {
        let program = socket.with_file_name("flood");
        fs::copy(env::current_exe().expect("this program"), &program).expect("a copy");
        let mut command = Command::new("nice");
        command.args([
            "setpriv",
            "--reuid=65534",
            "--regid=65534",
            "--clear-groups",
        ]);
        command
            .arg(program)
            .arg("flood")
            .arg(socket)
            .arg(format!("{kind:?}"));
        Self(command.stdin(Stdio::null()).spawn().expect("a flood"))
    }
}

impl Drop for Flood {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Asks on many connections, whatever the answers are, until it is killed.
pub(crate) fn flood(socket: &Path, kind: &str) {
    let all = workloads::all();
    let create = all.iter().find(|one| one.name == "refused create");
    let request = match kind {
        "Bodies" => large_body(),
        _ => create.expect("it").request.clone(),
    };
    load::on_one_thread(async move {
        let ask = |socket: PathBuf, request: Vec<u8>| async move {
            loop {
                // Whoever is turned away comes again.
                let _ = ask_on(&socket, &request).await;
                time::sleep(Duration::from_millis(1)).await;
            }
        };
        for _ in 0..CONNECTIONS {
            tokio::task::spawn_local(ask(socket.to_owned(), request.clone()));
        }
        std::future::pending::<()>().await;
    });
}

async fn ask_on(socket: &Path, request: &[u8]) -> std::io::Result<()> {
    let (mut reader, mut writer) = UnixStream::connect(socket).await?.into_split();
    let mut input = vec![0; 64 * 1024];
    loop {
        // An answer may come before the body has gone.
        let (_, read) = tokio::join!(writer.write_all(request), reader.read(&mut input));
        let answer = String::from_utf8_lossy(&input[..read?]).to_ascii_lowercase();
        if answer.is_empty() || answer.contains("connection: close") {
            return Ok(());
        }
    }
}

/// A create that is refused for a word at its end.
fn large_body() -> Vec<u8> {
    let labels: Vec<String> = (0..60_000)
        .map(|number| format!("\"label-{number}\":\"{}\"", "x".repeat(32)))
        .collect();
    let body = format!(
        "{{\"Image\":\"a\",\"Labels\":{{{}}},\"HostConfig\":{{\"Privileged\":true}}}}",
        labels.join(",")
    );
    let head = format!(
        "POST /v1.41/containers/create HTTP/1.1\r\nHost: d\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    (head + &body).into_bytes()
}

/// Of the flood.
const CONNECTIONS: usize = 200;
/// Of the victim: six seconds.
const ANSWERS: usize = 300;
/// For them, where each is waited for.
const LONGEST: Duration = Duration::from_secs(15);
