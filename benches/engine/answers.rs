//! What the engine answers, in the form that dockerd gives it.

use serde_json::json;

use crate::workloads::{BLOCK, CONTAINER, DOWN_BLOCKS};

/// All answers, written once.
pub(super) struct Answers {
    ping: Vec<u8>,
    small_list: Vec<u8>,
    large_list: Vec<u8>,
    created: Vec<u8>,
    done: Vec<u8>,
    container: Vec<u8>,
    volume: Vec<u8>,
    network: Vec<u8>,
    image: Vec<u8>,
    exec: Vec<u8>,
    info: Vec<u8>,
    loaded: Vec<u8>,
    down_head: Vec<u8>,
    down_block: Vec<u8>,
    upgraded: Vec<u8>,
    refused: Vec<u8>,
    unknown: Vec<u8>,
}

/// How one request is answered.
pub(super) enum Answer<'a> {
    Whole(&'a [u8]),
    /// A chunked body of one block again and again.
    Repeated {
        head: &'a [u8],
        block: &'a [u8],
        times: usize,
    },
    /// Hands the connection over.
    Echo(&'a [u8]),
}

impl Answers {
    pub(super) fn prepared() -> Self {
        Self {
            ping: answer("200 OK", "text/plain; charset=utf-8", b"OK"),
            small_list: chunked(&list(2 << 10)),
            large_list: chunked(&list(200 << 10)),
            created: json_of("201 Created", &json!({ "Id": CONTAINER, "Warnings": [] })),
            done: format!("HTTP/1.1 204 No Content\r\n{COMMON}\r\n").into_bytes(),
            container: answer("200 OK", "application/json", &container()),
            volume: json_of(
                "200 OK",
                &json!({ "Name": "data", "Driver": "local", "Options": null, "Scope": "local" }),
            ),
            network: json_of(
                "200 OK",
                &json!({ "Name": "backend", "Id": "1f".repeat(32), "Driver": "bridge", "Scope": "local",
                    "Options": {}, "Labels": {}, "Containers": {} }),
            ),
            image: json_of(
                "200 OK",
                &json!({ "Id": format!("sha256:{}", "2e".repeat(32)), "Config": {}, "RepoTags": [] }),
            ),
            exec: json_of(
                "200 OK",
                &json!({ "ID": "3d".repeat(32), "ContainerID": CONTAINER, "Running": true }),
            ),
            info: json_of(
                "200 OK",
                &json!({ "DefaultRuntime": "runc", "LoggingDriver": "json-file", "CgroupVersion": "2",
                    "SecurityOptions": ["name=seccomp,profile=default", "name=cgroupns"] }),
            ),
            loaded: json_of("200 OK", &json!({ "stream": "loaded" })),
            down_head: format!(
                "HTTP/1.1 200 OK\r\n{COMMON}Content-Type: application/x-tar\r\nTransfer-Encoding: chunked\r\n\r\n"
            )
            .into_bytes(),
            down_block: chunk(&[b'x'; BLOCK]),
            upgraded: b"HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\n\
                Connection: Upgrade\r\nUpgrade: tcp\r\n\r\n"
                .to_vec(),
            refused: json_of(
                "403 Forbidden",
                &json!({ "message": "no rule permits this operation" }),
            ),
            unknown: json_of("404 Not Found", &json!({ "message": "page not found" })),
        }
    }

    /// The answer to the request with this head.
    pub(super) fn to(&self, head: &[u8]) -> Answer<'_> {
        let mut words = head.splitn(3, |byte| *byte == b' ');
        let (method, target) = (
            words.next().unwrap_or_default(),
            words.next().unwrap_or_default(),
        );
        let path = target
            .split(|byte| *byte == b'?')
            .next()
            .unwrap_or_default();
        let path = without_version(path);
        let is_get = method == b"GET";
        Answer::Whole(match path {
            b"/_ping" => &self.ping,
            b"/containers/json" if target.ends_with(b"size=1") => &self.large_list,
            b"/containers/json" => &self.small_list,
            b"/containers/create" => &self.created,
            b"/info" => &self.info,
            b"/images/load" => &self.loaded,
            _ if is_get && path.ends_with(b"/get") => {
                return Answer::Repeated {
                    head: &self.down_head,
                    block: &self.down_block,
                    times: DOWN_BLOCKS,
                };
            }
            _ if path.starts_with(b"/swarm/") => &self.refused,
            _ if path.ends_with(b"/attach") => return Answer::Echo(&self.upgraded),
            _ if path.ends_with(b"/start") => &self.done,
            _ if is_get && path.starts_with(b"/containers/") => &self.container,
            _ if is_get && path.starts_with(b"/volumes/") => &self.volume,
            _ if is_get && path.starts_with(b"/networks/") => &self.network,
            _ if is_get && path.starts_with(b"/images/") => &self.image,
            _ if is_get && path.starts_with(b"/exec/") => &self.exec,
            _ => &self.unknown,
        })
    }
}

fn without_version(path: &[u8]) -> &[u8] {
    let versioned = path.strip_prefix(b"/v1.");
    let rest =
        versioned.and_then(|rest| Some(&rest[rest.iter().position(|byte| *byte == b'/')?..]));
    rest.unwrap_or(path)
}

/// What a daemon says in every head.
const COMMON: &str = "Api-Version: 1.41\r\nDocker-Experimental: false\r\nOstype: linux\r\n\
    Server: Docker/20.10.24 (linux)\r\nDate: Mon, 01 Jan 2024 00:00:00 GMT\r\n";

fn answer(status: &str, kind: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let mut answer = format!(
        "HTTP/1.1 {status}\r\n{COMMON}Content-Type: {kind}\r\nContent-Length: {length}\r\n\r\n"
    )
    .into_bytes();
    answer.extend_from_slice(body);
    answer
}

fn json_of(status: &str, body: &serde_json::Value) -> Vec<u8> {
    answer(status, "application/json", body.to_string().as_bytes())
}

/// As Go frames what it has not counted: one chunk.
fn chunked(body: &[u8]) -> Vec<u8> {
    let mut answer = format!(
        "HTTP/1.1 200 OK\r\n{COMMON}Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    .into_bytes();
    answer.extend_from_slice(&chunk(body));
    answer.extend_from_slice(b"0\r\n\r\n");
    answer
}

fn chunk(data: &[u8]) -> Vec<u8> {
    let mut chunk = format!("{:x}\r\n", data.len()).into_bytes();
    chunk.extend_from_slice(data);
    chunk.extend_from_slice(b"\r\n");
    chunk
}

/// A list of containers of about so many bytes.
fn list(length: usize) -> Vec<u8> {
    let item = json!({ "Id": CONTAINER, "Names": ["/web"], "Image": "alpine", "ImageID": "sha256:2e",
        "Command": "sleep 1000", "Created": 1_700_000_000, "Ports": [], "Labels": {}, "State": "running",
        "Status": "Up 3 hours", "HostConfig": { "NetworkMode": "default" }, "Mounts": [] })
    .to_string();
    let mut list = b"[".to_vec();
    while list.len() + item.len() < length {
        if list.len() > 1 {
            list.push(b',');
        }
        list.extend_from_slice(item.as_bytes());
    }
    list.resize(length - 2, b' ');
    list.extend_from_slice(b"]\n");
    list
}

/// As dockerd describes an ordinary container.
fn container() -> Vec<u8> {
    include_str!("container.json")
        .replace("CONTAINER", CONTAINER)
        .into_bytes()
}
