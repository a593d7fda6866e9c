//! What is asked, in the bytes that a client sends.

/// The id of every container that the engine has.
pub(crate) const CONTAINER: &str =
    "0a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f9";
/// A block of a bulk body, and how many of them come down: 1 GiB.
pub(crate) const BLOCK: usize = 32 * 1024;
pub(crate) const DOWN_BLOCKS: usize = 32 * 1024;

/// With a named volume, which the gate looks up before it decides.
const CREATE: &str = include_str!("create.json");
const VOLUME: &str = r#"["bench-data:/data"]"#;

/// As many bytes as a request usually has that is refused for its path alone.
const JOIN: &str = r#"{"ListenAddr":"0.0.0.0:2377","AdvertiseAddr":"192.0.2.10:2377","DataPathAddr":"192.0.2.10","RemoteAddrs":["192.0.2.2:2377"],"JoinToken":"SWMTKN-1-bench-00000000000000000000000000000000000"}"#;

/// One request, asked again and again.
#[derive(Clone)]
pub(crate) struct Workload {
    pub(crate) name: &'static str,
    pub(crate) request: Vec<u8>,
    /// What every answer to it says.
    pub(crate) status: u16,
    /// Only the gate can refuse it; the others let it pass.
    pub(crate) only_gate: bool,
}

/// The requests of the table.
pub(crate) fn all() -> Vec<Workload> {
    let alone = CREATE.replace(VOLUME, "null");
    let refused = alone.replace("\"Privileged\": false", "\"Privileged\": true");
    let workload = |name, request, status| Workload {
        name,
        request,
        status,
        only_gate: false,
    };
    vec![
        workload("ping", get("/_ping"), 200),
        workload("list 2 KiB", get("/v1.41/containers/json?all=1"), 200),
        workload(
            "list 200 KiB",
            get("/v1.41/containers/json?all=1&size=1"),
            200,
        ),
        workload(
            "create 3 KiB",
            post("/v1.41/containers/create?name=bench", &alone),
            201,
        ),
        workload(
            "create with a volume",
            post("/v1.41/containers/create?name=bench", CREATE),
            201,
        ),
        workload(
            "start",
            post(&format!("/v1.41/containers/{CONTAINER}/start"), ""),
            204,
        ),
        workload("refusal", post("/v1.41/swarm/leave", ""), 403),
        workload("refusal with body", post("/v1.41/swarm/join", JOIN), 403),
        Workload {
            only_gate: true,
            ..workload(
                "refused create",
                post("/v1.41/containers/create?name=bench", &refused),
                403,
            )
        },
    ]
}

pub(crate) fn down() -> Vec<u8> {
    get("/v1.41/images/alpine/get")
}

/// The head of an upload of so many bytes.
pub(crate) fn up(length: u64) -> Vec<u8> {
    format!(
        "POST /v1.41/images/load?quiet=1 HTTP/1.1\r\nHost: docker\r\nUser-Agent: {AGENT}\r\n\
         Content-Type: application/x-tar\r\nContent-Length: {length}\r\n\r\n"
    )
    .into_bytes()
}

pub(crate) fn attach() -> Vec<u8> {
    format!(
        "POST /v1.41/containers/{CONTAINER}/attach?stream=1&stdin=1&stdout=1 HTTP/1.1\r\nHost: docker\r\n\
         User-Agent: {AGENT}\r\nContent-Length: 0\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n"
    )
    .into_bytes()
}

fn get(target: &str) -> Vec<u8> {
    format!("GET {target} HTTP/1.1\r\nHost: docker\r\nUser-Agent: {AGENT}\r\n\r\n").into_bytes()
}

fn post(target: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "POST {target} HTTP/1.1\r\nHost: docker\r\nUser-Agent: {AGENT}\r\nContent-Type: application/json\r\n\
         Content-Length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

const AGENT: &str = "Docker-Client/20.10.24 (linux)";
