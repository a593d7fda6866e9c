//! Clients of every kind: busy, slow, and those that hang up wherever one can.

use std::io::{self, BufReader, Read as _, Write as _};

use super::daemon::{CUT, DOWNLOAD};
use crate::support::address::{Address, Connection};
use crate::support::http::{self, Answer};
use crate::support::random::Random;

/// One client, who keeps a connection as long as it lasts.
pub(super) struct Client<'a> {
    address: &'a Address,
    random: Random,
    kept: Option<BufReader<Connection>>,
}

pub(super) const UPGRADE: &str = "Connection: Upgrade\r\nUpgrade: tcp\r\n";
const UPLOAD: usize = 96 * 1024;

pub(super) fn head(line: &str, more: &str) -> String {
    format!("{line} HTTP/1.1\r\nHost: docker\r\n{more}\r\n")
}

pub(super) fn with_body(line: &str, body: &str) -> String {
    let length = format!(
        "Content-Type: application/json\r\nContent-Length: {}\r\n",
        body.len()
    );
    head(line, &length) + body
}

pub(super) fn create(body: &str) -> String {
    with_body("POST /v1.41/containers/create?name=a", body)
}

const CREATE: &str = include_str!("../../benches/create.json");
pub(super) const REFUSED: &str = r#"{"Image":"a","HostConfig":{"Privileged":true}}"#;

impl<'a> Client<'a> {
    pub(super) fn new(address: &'a Address, random: Random) -> Self {
        Self {
            address,
            random,
            kept: None,
        }
    }

    /// Does one thing.
    ///
    /// # Errors
    /// What was otherwise than it is with a gate and a daemon that serve.
    pub(super) fn act(&mut self) -> io::Result<()> {
        let (what, done) = match self.random.below(16) {
            0 | 1 => ("lists", self.lists()),
            2 => ("create", self.asks(&create(CREATE), 201)),
            3 => ("refusal", self.asks(&create(REFUSED), 403)),
            4 => ("malformed", self.malformed()),
            5 => (
                "start",
                self.asks(&with_body("POST /v1.41/containers/a/start", ""), 204),
            ),
            6 => (
                "inspect",
                self.asks(&head("GET /v1.41/containers/a/json", ""), 200),
            ),
            7 | 8 => (
                "attach",
                self.tunnel("POST /v1.41/containers/a/attach?stream=1", ""),
            ),
            9 => (
                "exec",
                self.tunnel("POST /v1.41/exec/a/start", "{\"Tty\":true}"),
            ),
            10 => ("upload", self.upload()),
            11 => ("download", self.download()),
            12 => ("events", self.events()),
            13 => ("slow", self.slow()),
            _ => ("hang-up", self.hangs_up()),
        };
        if self.random.one_in(8) || done.is_err() {
            self.kept = None;
        }
        done.map_err(|problem| io::Error::other(format!("{what} at {}: {problem}", self.address)))
    }

    fn asks(&mut self, request: &str, status: u16) -> io::Result<()> {
        let mut connection = match self.kept.take() {
            Some(connection) => connection,
            None => self.connect()?,
        };
        send(&mut connection, request.as_bytes())?;
        expect(&http::read_answer(&mut connection, false)?, status)?;
        self.kept = Some(connection);
        Ok(())
    }

    fn connect(&self) -> io::Result<BufReader<Connection>> {
        Ok(BufReader::new(self.address.connect()?))
    }

    fn lists(&mut self) -> io::Result<()> {
        for kind in [
            "containers/json?all=1",
            "images/json",
            "networks",
            "volumes",
        ] {
            self.asks(&head(&format!("GET /v1.41/{kind}"), ""), 200)?;
        }
        Ok(())
    }

    fn malformed(&self) -> io::Result<()> {
        let mut connection = self.connect()?;
        send(&mut connection, head("GET //", "").as_bytes())?;
        expect(&http::read_answer(&mut connection, false)?, 400)
    }

    /// Ended by half-close, by the client's going, or by the daemon's.
    fn tunnel(&mut self, line: &str, body: &str) -> io::Result<()> {
        let length = format!(
            "{UPGRADE}Content-Type: application/json\r\nContent-Length: {}\r\n",
            body.len()
        );
        let mut connection = self.connect()?;
        send(&mut connection, (head(line, &length) + body).as_bytes())?;
        let (status, _) = http::read_head(&mut connection)?;
        if status != 101 {
            return Err(io::Error::other(format!("no tunnel but {status}")));
        }
        for _ in 0..self.random.below(5) {
            let (sent, mut back) = ([b'x'; 700], [0; 700]);
            send(&mut connection, &sent)?;
            connection.read_exact(&mut back)?;
        }
        match self.random.below(3) {
            0 => connection.get_mut().half_close()?,
            1 => send(&mut connection, &[CUT])?,
            _ => return Ok(()),
        }
        match connection.read(&mut [0])? {
            0 => Ok(()),
            _ => Err(io::Error::other("more than was sent")),
        }
    }

    fn upload(&mut self) -> io::Result<()> {
        let length = format!("Content-Length: {UPLOAD}\r\n");
        let line = head("PUT /v1.41/containers/a/archive?path=/tmp", &length);
        let mut connection = self.connect()?;
        send(&mut connection, line.as_bytes())?;
        if self.random.one_in(3) {
            return send(&mut connection, &[0; UPLOAD / 2]);
        }
        send(&mut connection, &[0; UPLOAD])?;
        expect(&http::read_answer(&mut connection, false)?, 200)
    }

    fn download(&mut self) -> io::Result<()> {
        let way = self.random.below(3);
        let path = if way == 0 { "cut" } else { "whole" };
        let line = format!("GET /v1.41/containers/a/archive?path=/{path}");
        let mut connection = self.connect()?;
        send(&mut connection, head(&line, "").as_bytes())?;
        if way == 1 {
            return begins(&mut connection, 20_000);
        }
        match http::read_answer(&mut connection, false) {
            Ok(answer) if way == 2 && answer.body.len() == DOWNLOAD => expect(&answer, 200),
            Err(_) if way == 0 => Ok(()),
            other => Err(io::Error::other(format!(
                "{path}: {:?}",
                other.map(|one| one.status)
            ))),
        }
    }

    fn events(&mut self) -> io::Result<()> {
        let has_end = self.random.one_in(2);
        let line = if has_end {
            "GET /v1.41/events?until=1"
        } else {
            "GET /v1.41/events"
        };
        let mut connection = self.connect()?;
        send(&mut connection, head(line, "").as_bytes())?;
        if has_end {
            return expect(&http::read_answer(&mut connection, false)?, 200);
        }
        begins(&mut connection, 60)
    }

    /// Head and body in small pieces.
    fn slow(&mut self) -> io::Result<()> {
        let mut connection = self.connect()?;
        for piece in create(REFUSED).as_bytes().chunks(9) {
            send(&mut connection, piece)?;
            std::thread::yield_now();
        }
        expect(&http::read_answer(&mut connection, false)?, 403)
    }

    fn hangs_up(&mut self) -> io::Result<()> {
        if self.random.one_in(4) {
            return self.hangs_up_early();
        }
        let whole = create(CREATE);
        let waits = with_body("POST /v1.41/containers/a/wait", "");
        let until = match self.random.below(4) {
            0 => &whole[..40],
            1 => &whole[..whole.len() / 2],
            2 => &whole,
            // The daemon does not answer that.
            _ => &waits,
        };
        send(&mut self.connect()?, until.as_bytes())
    }

    /// Before there is a request, and over TLS before there is a client.
    fn hangs_up_early(&mut self) -> io::Result<()> {
        let plain = match self.address {
            Address::Tls(host, _) => Address::Tcp(host.clone()),
            Address::Unix(_) | Address::Tcp(_) => self.address.clone(),
        };
        let mut connection = plain.connect()?;
        if self.random.one_in(2) {
            // The first bytes of a TLS handshake, or of a method.
            connection.write_all(b"\x16\x03\x01")?;
        }
        Ok(())
    }
}

pub(super) fn send(connection: &mut BufReader<Connection>, bytes: &[u8]) -> io::Result<()> {
    connection.get_mut().write_all(bytes)?;
    connection.get_mut().flush()
}

/// Reads the head of an answer and so much of its body.
pub(super) fn begins(connection: &mut BufReader<Connection>, length: usize) -> io::Result<()> {
    match http::read_head(connection)? {
        (200, _) => connection.read_exact(&mut vec![0; length]),
        (status, _) => Err(io::Error::other(format!("{status} and not 200"))),
    }
}

pub(super) fn expect(answer: &Answer, status: u16) -> io::Result<()> {
    if answer.status == status {
        return Ok(());
    }
    let told = format!("{} and not {status}: {}", answer.status, answer.text());
    Err(io::Error::other(told))
}
