//! What one client's flood does to another's waiting: alone, beside a flood without limits, and beside one under limits.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
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
    /// Requests that are permitted.
    Lists,
    /// Answers of which parts are hidden.
    LargeAnswers,
    /// Tunnels that echo all the time.
    Tunnels,
    /// Connections that ask for nothing.
    Connections,
    /// TLS handshakes, of a client with a certificate.
    Handshakes,
}

const KINDS: [(Kind, &str); 7] = [
    (Kind::Refused, "refused creates"),
    (Kind::Bodies, "bodies of 3 MiB"),
    (Kind::Lists, "lists of 2 KiB"),
    (Kind::LargeAnswers, "lists of 200 KiB, partly hidden"),
    (Kind::Tunnels, "tunnels that echo"),
    (Kind::Connections, "connections"),
    (Kind::Handshakes, "TLS handshakes"),
];

/// What the flood's listeners say of it, and what the gate says of all.
const LIMITS: [(&str, &str, &str); 2] = [
    ("no limits", "", "handshakes-per-second = 1000000"),
    (
        "under limits",
        "owner = \"flood\"\nlimits = { requests-per-second = 50, burst = 50, exchanges = 20, tunnels = 20, judged-bytes = \"8m\" }\n",
        "handshakes-per-second = 50",
    ),
];

/// Measures all of it and prints a table.
pub(crate) fn measure(folder: &Path) {
    contenders::certificates(folder);
    let engine = folder.join("engine.sock");
    let mut command = Command::new(env::current_exe().expect("this program"));
    command.arg("engine").arg(&engine);
    let _engine = contenders::start_at("engine", command, &engine);
    let all = workloads::all();
    let list = all.iter().find(|one| one.name == "list 2 KiB").expect("it");
    println!("the victim asks 50 times a second on one connection, the flood has {CONNECTIONS}");
    println!(
        "{:<48} {:>9} {:>9} {:>9} {:>7} {:>6}",
        "", "p50 µs", "p99 µs", "most µs", "answers", "cpu"
    );
    for (limits, of_flood, of_all) in LIMITS {
        let place = folder.join(limits.replace(' ', "-"));
        fs::create_dir_all(&place).expect("a folder");
        let (configuration, port) = configured(&place, &engine, (of_flood, of_all));
        let mut command = contenders::alone(env!("CARGO_BIN_EXE_dockgate"));
        command.arg("serve").arg("--config").arg(configuration);
        let [victim, socket] = SOCKETS.map(|name| place.join(name));
        let gate = contenders::start_at("gate", command, &socket);
        let told = |name: &str, kind: Option<Kind>| {
            let mut flood = kind.map(|kind| Flood::start(kind, &socket, port));
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
                "{name:<48} {p50:>9.0} {p99:>9.0} {most:>9.0} {:>7} {share:>5.0}%",
                waited.count()
            );
        };
        told(&format!("alone, {limits}"), None);
        for (kind, name) in KINDS {
            told(&format!("{name}, {limits}"), Some(kind));
        }
        told(&format!("alone again, {limits}"), None);
    }
}

/// The victim's, and the flood's.
const SOCKETS: [&str; 2] = ["victim.sock", "flood.sock"];

fn configured(folder: &Path, engine: &Path, (of_flood, of_all): (&str, &str)) -> (PathBuf, u16) {
    let port = contenders::free_port();
    let hides =
        include_str!("../policies/guarded.toml").to_owned() + "\n[quiet]\nenvironment = true\n";
    fs::write(folder.join("flood.toml"), hides).expect("a policy");
    let [victim, flood] = SOCKETS.map(|name| folder.join(name).display().to_string());
    let certs = folder.with_file_name("certs").display().to_string();
    let text = format!(
        "[daemon]\naddress = \"unix://{}\"\n[audit]\nfile = \"audit.jsonl\"\n[limits]\n{of_all}\n\
         [[listener]]\naddress = \"unix://{victim}\"\nmode = \"0666\"\npolicy = \"guarded\"\n\
         [[listener]]\naddress = \"unix://{flood}\"\nmode = \"0666\"\npolicy = \"./flood.toml\"\n{of_flood}\
         [[listener]]\naddress = \"tcp://127.0.0.1:{port}\"\npolicy = \"./flood.toml\"\n{of_flood}\
         tls = {{ certificate = \"{certs}/server/gate/cert.pem\", key = \"{certs}/server/gate/key.pem\", client-ca = \"{certs}/ca.pem\" }}\n",
        engine.display()
    );
    let configuration = folder.join("dockgate.toml");
    fs::write(&configuration, text).expect("a configuration");
    (configuration, port)
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
    fn start(kind: Kind, socket: &Path, port: u16) -> Self {
        let program = socket.with_file_name("flood");
        fs::copy(env::current_exe().expect("this program"), &program).expect("a copy");
        let mut command = Command::new("nice");
        if !matches!(kind, Kind::Handshakes) {
            command.args([
                "setpriv",
                "--reuid=65534",
                "--regid=65534",
                "--clear-groups",
            ]);
        }
        command
            .arg(program)
            .arg("flood")
            .arg(socket)
            .arg(format!("{kind:?}"))
            .arg(port.to_string());
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
pub(crate) fn flood(socket: &Path, kind: &str, port: u16) {
    let all = workloads::all();
    let named = |name: &str| {
        all.iter()
            .find(|one| one.name == name)
            .expect("it")
            .request
            .clone()
    };
    let request = match kind {
        "Bodies" => large_body(),
        "Lists" => named("list 2 KiB"),
        "LargeAnswers" => named("list 200 KiB"),
        "Tunnels" => workloads::attach(),
        "Connections" | "Handshakes" => Vec::new(),
        _ => named("refused create"),
    };
    let folder = socket.ancestors().nth(2).expect("a folder").join("certs");
    let place = match kind {
        "Handshakes" => Place::tls(port, &folder, false),
        _ => Place::Unix(socket.to_owned()),
    };
    load::on_one_thread(async move {
        let ask = |place: Place, request: Vec<u8>| async move {
            loop {
                // Whoever is turned away comes again.
                let _ = ask_on(&place, &request).await;
                time::sleep(Duration::from_millis(1)).await;
            }
        };
        for _ in 0..CONNECTIONS {
            tokio::task::spawn_local(ask(place.clone(), request.clone()));
        }
        std::future::pending::<()>().await;
    });
}

async fn ask_on(place: &Place, request: &[u8]) -> std::io::Result<()> {
    let stream = place.try_connect().await?;
    if request.is_empty() {
        return Ok(());
    }
    let (mut reader, mut writer) = tokio::io::split(stream);
    let mut input = vec![0; 64 * 1024];
    let mut next = request;
    loop {
        // An answer may come before the body has gone.
        let (_, read) = tokio::join!(writer.write_all(next), reader.read(&mut input));
        let answer = &input[..read?];
        let head = String::from_utf8_lossy(&answer[..answer.len().min(512)]).to_ascii_lowercase();
        if head.is_empty() || head.contains("connection: close") {
            return Ok(());
        }
        if head.contains("upgrade: tcp") {
            next = &[b'x'; 4096];
        }
        // The rest of a long answer is read before the next one is asked for.
        while let Ok(more) = time::timeout(Duration::from_millis(1), reader.read(&mut input)).await
        {
            if more? == 0 {
                return Ok(());
            }
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
