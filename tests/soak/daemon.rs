//! A daemon that has one of everything, echoes, streams, and cuts off where it is asked to.

use std::io::{Read as _, Write as _};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;

use serde_json::json;

use super::OWNER;
use crate::support::fake_daemon::{Seen, answer_empty, plain};

/// What ends a tunnel from the daemon's side.
pub(super) const CUT: u8 = b'!';
pub(super) const DOWNLOAD: usize = 128 * 1024;
const CHUNK: usize = 16 * 1024;
const ID: &str = "0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a";

const CALLER: &str = "0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c";

/// The container that has the address of this machine.
fn caller() -> serde_json::Value {
    json!({ "Id": CALLER, "Name": "/caller",
        "State": { "Running": true, "StartedAt": "2020-01-01T00:00:00Z" },
        "NetworkSettings": { "Networks": { "n": { "IPAddress": "127.0.0.1" } } } })
}

pub(super) fn answer(request: &Seen, stream: &mut UnixStream) {
    let path = request.target.split('?').next().unwrap_or_default();
    let is_asked = |end: &str| path.ends_with(end);
    if request.target == "/containers/json" {
        // The gate asks which container calls.
        let list = json!([caller()]).to_string();
        let _ = stream.write_all(&plain(200, &list));
        return;
    }
    if path.contains(CALLER) {
        let _ = stream.write_all(&plain(200, &caller().to_string()));
        return;
    }
    // A client may be gone before its answer.
    let _ = match request.method.as_str() {
        "POST" if is_asked("/attach") || (path.contains("/exec/") && is_asked("/start")) => {
            echo(stream)
        }
        "POST" if is_asked("/start") => stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n"),
        "POST" if is_asked("/wait") => Ok(()),
        "POST" if is_asked("/containers/create") => {
            let made = json!({ "Id": ID, "Warnings": [] }).to_string();
            stream.write_all(&plain(201, &made))
        }
        "GET" if is_asked("/events") => events(stream, request.target.contains("until")),
        "GET" if is_asked("/archive") => download(stream, request.target.contains("cut")),
        "GET" if is_asked("/networks") => stream.write_all(&plain(200, "[]")),
        "GET" if is_asked("/volumes") => stream.write_all(&plain(200, r#"{"Volumes":[]}"#)),
        "GET" if path.contains("/volumes/") => {
            let volume = json!({ "Name": "bench-data", "Driver": "local", "Options": null,
                "Labels": { "dockgate.owner": OWNER }, "Mountpoint": "/m", "Scope": "local" });
            stream.write_all(&plain(200, &volume.to_string()))
        }
        "GET" if path.contains("/containers/") && !is_asked("/containers/json") => {
            let container = json!({ "Id": ID, "HostConfig": { "NetworkMode": "none" },
                "Config": { "Labels": { "dockgate.owner": OWNER }, "Env": ["A=secret"] }, "Mounts": [] });
            stream.write_all(&plain(200, &container.to_string()))
        }
        "GET" if path.contains("/images/") && !is_asked("/images/json") => {
            let image = json!({ "Id": format!("sha256:{ID}"), "Config": {
                "Labels": { "dockgate.owner": OWNER } } });
            stream.write_all(&plain(200, &image.to_string()))
        }
        _ => {
            answer_empty(request, stream);
            Ok(())
        }
    };
}

/// Echoes until the client ends, or says [`CUT`].
fn echo(stream: &mut UnixStream) -> std::io::Result<()> {
    stream.write_all(b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n")?;
    let mut buffer = [0; 4096];
    loop {
        let length = stream.read(&mut buffer)?;
        if length == 0 || buffer[..length].contains(&CUT) {
            return stream.shutdown(Shutdown::Both);
        }
        stream.write_all(&buffer[..length])?;
    }
}

const CHUNKED: &[u8] =
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";

fn events(stream: &mut UnixStream, has_end: bool) -> std::io::Result<()> {
    stream.write_all(CHUNKED)?;
    let actor = json!({ "ID": ID, "Attributes": { "dockgate.owner": OWNER } });
    let event = json!({ "Type": "container", "Action": "start", "Actor": actor });
    let line = format!("{event}\n");
    let chunk = format!("{:x}\r\n{line}\r\n", line.len());
    for _ in 0..20 {
        stream.write_all(chunk.as_bytes())?;
    }
    if has_end {
        stream.write_all(b"0\r\n\r\n")?;
    }
    Ok(())
}

fn download(stream: &mut UnixStream, is_cut: bool) -> std::io::Result<()> {
    stream.write_all(CHUNKED)?;
    let chunk = [&b"4000\r\n"[..], &[7; CHUNK], b"\r\n"].concat();
    for number in 0..DOWNLOAD / CHUNK {
        if is_cut && number == 3 {
            return stream.shutdown(Shutdown::Both);
        }
        stream.write_all(&chunk)?;
    }
    stream.write_all(b"0\r\n\r\n")
}
