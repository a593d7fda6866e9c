//! A daemon that gives odd answers and remembers what reached it; what it cannot read, it remembers as such.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use tempfile::TempDir;

use super::address::Address;
use super::wait::DEADLINE;

/// One request as it came.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// What could not be read where a request should have been; empty in a well-formed one.
    pub(crate) unreadable: String,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut found = self
            .headers
            .iter()
            .filter(|(key, _)| key.eq_ignore_ascii_case(name));
        found.next().map(|(_, value)| value.as_str())
    }

    pub(crate) fn line(&self) -> String {
        format!("{} {}{}", self.method, self.target, self.unreadable)
    }
}

type Answer = dyn Fn(&Seen, &mut UnixStream) + Send + Sync;

/// A listening fake; it ends with the test.
#[derive(Debug)]
pub(crate) struct FakeDaemon {
    socket: PathBuf,
    seen: Arc<Mutex<Vec<Seen>>>,
    /// The open connections, by their numbers.
    streams: Arc<Mutex<BTreeMap<usize, UnixStream>>>,
    has_ended: Arc<AtomicBool>,
    _folder: Option<TempDir>,
}

impl FakeDaemon {
    /// Answers as a daemon that has nothing: 200 and an empty list or object.
    pub(crate) fn start() -> Self {
        Self::answering(answer_empty)
    }

    /// Answers each request by the given function; the connection stays open after it.
    pub(crate) fn answering(
        answer: impl Fn(&Seen, &mut UnixStream) + Send + Sync + 'static,
    ) -> Self {
        let folder = tempfile::Builder::new()
            .prefix("dockgate-fake-")
            .tempdir()
            .unwrap();
        let mut daemon = Self::at(&folder.path().join("docker.sock"), answer);
        daemon._folder = Some(folder);
        daemon
    }

    /// Listens at a path of the test's choice.
    pub(crate) fn at(
        socket: &Path,
        answer: impl Fn(&Seen, &mut UnixStream) + Send + Sync + 'static,
    ) -> Self {
        let listener = UnixListener::bind(socket).unwrap();
        let seen = Arc::<Mutex<Vec<Seen>>>::default();
        let answer: Arc<Answer> = Arc::new(answer);
        let daemon = Self {
            socket: socket.to_owned(),
            seen,
            streams: Arc::default(),
            has_ended: Arc::default(),
            _folder: None,
        };
        let (remembers, streams) = (Arc::clone(&daemon.seen), Arc::clone(&daemon.streams));
        let has_ended = Arc::clone(&daemon.has_ended);
        thread::spawn(move || {
            for (number, stream) in listener.incoming().map_while(Result::ok).enumerate() {
                if has_ended.load(Ordering::SeqCst) {
                    break;
                }
                let other = stream.try_clone().unwrap();
                streams.lock().unwrap().insert(number, other);
                let (answer, seen) = (Arc::clone(&answer), Arc::clone(&remembers));
                let streams = Arc::clone(&streams);
                thread::spawn(move || {
                    converse(stream, &*answer, &seen);
                    streams.lock().unwrap().remove(&number);
                });
            }
        });
        daemon
    }

    pub(crate) fn address(&self) -> Address {
        Address::Unix(self.socket.clone())
    }

    /// What has reached it, without what the gate asks for itself (who the daemon is).
    pub(crate) fn seen(&self) -> Vec<Seen> {
        let seen = self.seen.lock().unwrap();
        let own = |request: &&Seen| {
            !matches!(
                request.line().as_str(),
                "GET /version" | "GET /_ping" | "HEAD /_ping"
            )
        };
        seen.iter().filter(own).cloned().collect()
    }

    /// What has reached it since it was last asked so.
    pub(crate) fn take(&self) -> Vec<Seen> {
        let seen = self.seen();
        self.seen.lock().unwrap().clear();
        seen
    }
}

impl Drop for FakeDaemon {
    fn drop(&mut self) {
        self.has_ended.store(true, Ordering::SeqCst);
        // Wakes the thread that waits for the next client.
        let _ = UnixStream::connect(&self.socket);
        let _ = fs::remove_file(&self.socket);
        for stream in self.streams.lock().unwrap().values() {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

/// The answer of a daemon that has nothing.
pub(crate) fn answer_empty(request: &Seen, stream: &mut UnixStream) {
    let path = request.target.split('?').next().unwrap_or_default();
    let body = match path {
        _ if path.ends_with("/version") => {
            r#"{"Version":"20.10.24","ApiVersion":"1.41","MinAPIVersion":"1.12","Os":"linux"}"#
        }
        _ if path.ends_with("/_ping") => "OK",
        // A directory that every machine has.
        "/info" => r#"{"DockerRootDir":"/usr"}"#,
        _ if path.contains("/exec/") && path.ends_with("/json") => EXEC,
        _ if path.contains("/containers/") && !path.ends_with("/containers/json") => CONTAINER,
        _ if path.ends_with("/json") => "[]",
        _ => "{}",
    };
    let _ = stream.write_all(&plain(200, body));
}

/// A container that has nothing of the host, as the gate asks for it.
const CONTAINER: &str = r#"{"Id":"0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a","HostConfig":{"NetworkMode":"none"}}"#;
const EXEC: &str = r#"{"ID":"a","ContainerID":"0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a"}"#;

/// An answer with a length.
pub(crate) fn plain(status: u16, body: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 {status} Some\r\nApi-Version: 1.41\r\nOstype: linux\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

fn converse(stream: UnixStream, answer: &Answer, seen: &Mutex<Vec<Seen>>) {
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    let mut writer = stream.try_clone().unwrap();
    let mut reader = BufReader::new(stream);
    while let Some(request) = read(&mut reader) {
        seen.lock().unwrap().push(request.clone());
        if !request.unreadable.is_empty() {
            break;
        }
        answer(&request, &mut writer);
    }
}

/// Reads strictly: lines end with CRLF, a header is `Name: value`, a body has one length or is chunked.
fn read(reader: &mut BufReader<UnixStream>) -> Option<Seen> {
    let mut request = Seen::default();
    let mut first = String::new();
    if !matches!(reader.read_line(&mut first), Ok(1..)) {
        return None;
    }
    match first
        .strip_suffix(" HTTP/1.1\r\n")
        .and_then(|line| line.split_once(' '))
    {
        Some((method, target)) => {
            (request.method, request.target) = (method.to_owned(), target.to_owned());
        }
        None => request.unreadable = first,
    }
    while request.unreadable.is_empty() {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        if line == "\r\n" {
            break;
        }
        match line
            .strip_suffix("\r\n")
            .and_then(|line| line.split_once(": "))
        {
            Some((name, value)) => request.headers.push((name.to_owned(), value.to_owned())),
            None => request.unreadable = line,
        }
    }
    read_body(reader, &mut request);
    Some(request)
}

fn read_body(reader: &mut BufReader<UnixStream>, request: &mut Seen) {
    let framing = |name: &str| {
        request
            .headers
            .iter()
            .filter(|(key, _)| key.eq_ignore_ascii_case(name))
            .count()
    };
    match (framing("content-length"), framing("transfer-encoding")) {
        (0, 0) => {}
        (1, 0) => {
            let length: usize = request.header("content-length").unwrap().parse().unwrap();
            request.body = vec![0; length];
            if reader.read_exact(&mut request.body).is_err() {
                request.unreadable = "(the body was cut short)".to_owned();
            }
        }
        (0, 1) => loop {
            let mut size = String::new();
            let _ = reader.read_line(&mut size);
            let Ok(size) = usize::from_str_radix(size.trim_end(), 16) else {
                request.unreadable = format!("(a chunk of size {size})");
                return;
            };
            let mut chunk = vec![0; size + 2];
            if reader.read_exact(&mut chunk).is_err() || !chunk.ends_with(b"\r\n") {
                request.unreadable = "(a chunk was cut short)".to_owned();
                return;
            }
            request.body.extend_from_slice(&chunk[..size]);
            if size == 0 {
                return;
            }
        },
        (lengths, codings) => {
            request.unreadable = format!("({lengths} lengths and {codings} codings)");
        }
    }
}
