//! What is done to containers and networks: names and platforms of a create, connects and disconnects, starts of execs,
//! logins.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::{Value, json};

use super::bodies::written;
use super::effect::{self, Effect};
use super::judged::{self, Judged, Sent};
use super::targets::{QUERY_PIECES, changed, made_up};
use super::{Container, tables, tried};
use crate::support::random::Random;
use crate::support::{engine, http, process};

#[test]
fn containers_are_named_and_placed_as_the_gate_read_it() {
    let (name, daemon) = (process::unique("df"), engine::address());
    let platforms: &[&str] = &[
        "",
        "linux",
        "linux/amd64",
        "linux%2Famd64",
        "LINUX/amd64",
        "amd64",
        "linux/amd64/v1",
        "windows",
        "linux/arm64/v8",
        "a/b/c/d",
        "%00",
        "linux/",
    ];
    let make = |random: &mut Random| {
        let named = changed(format!("name={name}").into_bytes(), random, QUERY_PIECES);
        let mut query = String::from_utf8_lossy(&named).into_owned();
        if random.one_in(3) {
            query = format!("{query}&{}", made_up(&[("platform", platforms)], random));
        }
        let target = format!("/v1.41/containers/create?{query}");
        Sent::new("POST", &target, br#"{"Image":"busybox"}"#)
    };
    let effect = |sent: &Sent, judged: &Judged| {
        let mut effect = effect::of_container(sent, &daemon);
        // A name of the daemon's own making.
        if judged
            .request
            .head
            .query
            .get("name")
            .is_none_or(str::is_empty)
        {
            effect.forget("Name");
        }
        effect
    };
    let tally = tried((21, 2000, 120), &judged::policies(), make, effect);
    tally.check("names and platforms of ContainerCreate", 100, 40);
}

/// A network and a container that is not on it.
struct Apart {
    container: Container,
    network: String,
}

impl Apart {
    fn new(third: u8) -> Self {
        let container = Container::ended();
        let network = format!("{}-net", container.name);
        let body = json!({ "Name": network, "Labels": { "df": container.name }, "IPAM": {
            "Config": [{ "Subnet": format!("10.213.{third}.0/24") }] } });
        let made = http::request(
            &container.daemon,
            "POST",
            "/networks/create",
            &body.to_string(),
        );
        assert_eq!(made.status, 201, "{}", made.text());
        Self { container, network }
    }

    fn ask(&self, verb: &str) {
        let body = json!({ "Container": self.container.name, "Force": true }).to_string();
        let target = format!("/networks/{}/{verb}", self.network);
        let _ = http::request(&self.container.daemon, "POST", &target, &body);
    }

    /// The networks that the container is on, as they were asked for.
    fn joined(&self) -> Value {
        let container = format!("/containers/{}/json", self.container.name);
        let found = effect::inspect(&self.container.daemon, &container);
        let mut networks = found["NetworkSettings"]["Networks"].clone();
        // The gate names the id of the network that the path names.
        if let Some(joined) = networks.get_mut(&self.network) {
            joined["NetworkID"] = Value::Null;
        }
        networks
    }
}

#[test]
fn containers_are_connected_as_the_gate_read_it() {
    let apart = Apart::new(77);
    let target = format!("/v1.41/networks/{}/connect", apart.network);
    let make = |random: &mut Random| {
        let body = tables::connect(random, &apart.container.name);
        Sent::new("POST", &target, &written(body, random))
    };
    let tally = tried((22, 2000, 150), &judged::policies(), make, |sent, _| {
        apart.ask("disconnect");
        let answer = sent.ask(&apart.container.daemon);
        Effect::of(&answer, apart.joined())
    });
    tally.check("bodies of NetworkConnect", 100, 50);
}

#[test]
fn containers_are_disconnected_as_the_gate_read_it() {
    let apart = Apart::new(78);
    let target = format!("/v1.41/networks/{}/disconnect", apart.network);
    let make = |random: &mut Random| {
        let body = tables::disconnect(random, &apart.container.name);
        Sent::new("POST", &target, &written(body, random))
    };
    let tally = tried((23, 2000, 150), &judged::policies(), make, |sent, _| {
        apart.ask("connect");
        let answer = sent.ask(&apart.container.daemon);
        Effect::of(&answer, apart.joined())
    });
    tally.check("bodies of NetworkDisconnect", 100, 50);
}

#[test]
fn execs_are_started_as_the_gate_read_it() {
    let container = Container::running();
    let exec = |tty: bool| {
        let body =
            json!({ "Cmd": ["sh", "-c", "test -t 0; echo $?"], "AttachStdout": true, "Tty": tty });
        let target = format!("/containers/{}/exec", container.name);
        let made = http::request(&container.daemon, "POST", &target, &body.to_string());
        crate::support::json(&made.body)["Id"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let judged_one = exec(false);
    let make = |random: &mut Random| {
        let version = random.pick(&["/v1.41", "/v1.41", "/v1.24", ""]);
        let body = match random.below(6) {
            0 => Vec::new(),
            _ => written(tables::exec_start(random), random),
        };
        Sent::new("POST", &format!("{version}/exec/{judged_one}/start"), &body)
    };
    let tally = tried((24, 1500, 40), &judged::policies(), make, |sent, _| {
        let id = exec(sent.body.len() % 2 == 0 && sent.body.is_empty());
        let answer = sent.with(&judged_one, &id).ask(&container.daemon);
        let mut found = effect::inspect(&container.daemon, &format!("/exec/{id}/json"));
        // What is detached may run still.
        let is_detached = !answer
            .header("content-type")
            .is_some_and(|kind| kind.contains("stream"));
        let gone: &[&str] = if is_detached {
            &["ID", "Pid", "Running", "ExitCode"]
        } else {
            &["ID", "Pid"]
        };
        effect::without(&mut found, gone);
        Effect::of(&answer, json!([found, answer.text().replace(&id, "ID")]))
    });
    tally.check("bodies of ExecStart", 35, 20);
}

/// Something that asks for a name and a password, and tells which it was given.
struct Asking {
    address: String,
    given: Arc<Mutex<Vec<String>>>,
}

impl Asking {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let given = Arc::new(Mutex::new(Vec::new()));
        let told = Arc::clone(&given);
        thread::spawn(move || {
            for connection in listener.incoming().map_while(Result::ok) {
                answer(connection, &told);
            }
        });
        Self { address, given }
    }
}

/// One request on the connection; what is not HTTP has no line that can be read, and the connection ends.
fn answer(mut connection: TcpStream, told: &Mutex<Vec<String>>) {
    let mut lines = BufReader::new(connection.try_clone().unwrap()).lines();
    let head: Vec<String> = lines
        .by_ref()
        .map_while(Result::ok)
        .take_while(|line| !line.is_empty())
        .collect();
    if !head.first().is_some_and(|line| line.ends_with("HTTP/1.1")) {
        return;
    }
    let mut credentials = head
        .iter()
        .filter(|line| line.starts_with("Authorization:"));
    let status = match credentials.next() {
        Some(line) => {
            told.lock().unwrap().push(format!("{} {line}", head[0]));
            "200 OK"
        }
        None => "401 Unauthorized",
    };
    let _ = write!(
        connection,
        "HTTP/1.1 {status}\r\nWWW-Authenticate: Basic realm=\"test\"\r\nDocker-Distribution-Api-Version: registry/2.0\r\n\
         Content-Length: 0\r\nConnection: close\r\n\r\n"
    );
}

#[test]
fn logins_are_sent_as_the_gate_read_them() {
    let (asking, daemon) = (Asking::start(), engine::address());
    let policy = judged::compiled(&format!(
        "description = 'logins'\n[[permit]]\noperations = ['SystemAuth']\n[image]\nreferences = ['{}/*', '127.0.0.1:1/*']\n",
        asking.address
    ));
    let make = |random: &mut Random| {
        let registry = if random.one_in(6) {
            "127.0.0.1:1"
        } else {
            &asking.address
        };
        let body = tables::credentials(random, registry);
        Sent::new("POST", "/v1.41/auth", &written(body, random))
    };
    let tally = tried((25, 2000, 200), &[policy], make, |sent, judged| {
        if names_no_registry(judged) {
            return Effect::nothing();
        }
        asking.given.lock().unwrap().clear();
        let answer = sent.ask(&daemon);
        let given = std::mem::take(&mut *asking.given.lock().unwrap());
        let message = answer.text();
        Effect::of(&answer, json!([given, message]))
    });
    tally.check("bodies of SystemAuth", 150, 30);
}

/// Such a login goes to Docker's own registry, which is not there.
fn names_no_registry(judged: &Judged) -> bool {
    match &judged.request.body {
        dockgate::engine_api::Body::Json(body) => body.text("serveraddress").is_empty(),
        dockgate::engine_api::Body::None | dockgate::engine_api::Body::Stream => true,
    }
}
