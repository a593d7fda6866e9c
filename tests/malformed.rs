//! What is not one well-formed request never reaches the daemon, and the gate goes on serving.

mod framing;
mod head;
mod target;

use std::io::{BufReader, ErrorKind, Read as _, Write as _};
use std::time::Duration;

use super::support::fake_daemon::{FakeDaemon, Seen, answer_empty};
use super::support::gate::{Gate, Setup};
use super::support::http::{self, Answer};

/// What is to become of the bytes.
enum Expect {
    /// Answered as the client's fault or as another HTTP version, or cut; nothing reaches the daemon.
    Refused,
    /// Refused, or forwarded as just this request line and body.
    Safe(&'static str, &'static str),
    /// Forwarded as just this request line and body.
    Forwarded(&'static str, &'static str),
}

use Expect::{Forwarded, Refused, Safe};

/// A request that is to be served.
const LIST: &str = "GET /v1.41/images/json";
/// A request that must never be seen as one where the policy or the framing forbids it.
const HIDDEN: &str = "DELETE /v1.41/images/smuggled HTTP/1.1\r\nHost: docker\r\n\r\n";

/// Sends each case's bytes on a connection of its own, and after each a good request, which must be served.
fn check(policy: &str, cases: &[(&str, Vec<u8>, Expect)]) {
    let daemon = FakeDaemon::answering(answer_empty);
    let limits = "[limits]\nhead-seconds = 3\nbody-seconds = 3";
    let gate = Setup::before(&daemon.address())
        .listen(policy)
        .plus(limits)
        .start();
    let mut wrong = Vec::new();
    for (name, bytes, expect) in cases {
        let answer = converse(&gate, bytes);
        let seen = daemon.take();
        let judged = answer.as_ref().map_err(|problem| *problem);
        if let Err(problem) = judged.and_then(|answer| judge(answer.as_ref(), &seen, expect)) {
            let lines: Vec<String> = seen.iter().map(Seen::line).collect();
            let status = answer
                .ok()
                .flatten()
                .map(|answer| format!("{} {}", answer.status, answer.text()));
            wrong.push(format!(
                "{name:?}: {problem}; reached the daemon: {lines:?}; answer: {status:?}"
            ));
        }
        let good = http::send(
            gate.address(),
            format!("{LIST} HTTP/1.1\r\nHost: d\r\nConnection: close\r\n\r\n").as_bytes(),
        );
        assert_eq!(
            good.expect("the gate goes on serving").status,
            200,
            "after {name:?}"
        );
        assert_eq!(daemon.take().len(), 1, "after {name:?}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn judge(answer: Option<&Answer>, seen: &[Seen], expect: &Expect) -> Result<(), &'static str> {
    let refused = answer.is_none_or(|answer| matches!(answer.status, 400..500 | 505));
    match (expect, seen) {
        (Refused | Safe(..), []) if refused => Ok(()),
        (Refused | Safe(..), []) => Err("nothing was forwarded, and yet it was not refused"),
        (Refused, _) => Err("it reached the daemon"),
        (Safe(line, body) | Forwarded(line, body), [one])
            if one.line() == *line && one.body == body.as_bytes() =>
        {
            if answer.is_some_and(|answer| answer.status == 200) {
                Ok(())
            } else {
                Err("it was not answered")
            }
        }
        (Safe(..) | Forwarded(..), _) => Err("something else reached the daemon"),
    }
}

/// Sends bytes, reads the first answer, says that no more will come, and waits until the gate has closed.
fn converse(gate: &Gate, bytes: &[u8]) -> Result<Option<Answer>, &'static str> {
    let mut connection = gate.address().connect().unwrap();
    connection.read_deadline(Duration::from_secs(8)).unwrap();
    // The gate may cut the connection before it has read everything.
    let _ = connection.write_all(bytes);
    let mut reader = BufReader::new(connection);
    let answer = match http::read_answer(&mut reader, false) {
        Ok(answer) => Some(answer),
        Err(problem) if problem.kind() == ErrorKind::WouldBlock => {
            return Err("neither answered nor cut");
        }
        Err(_) => None,
    };
    let _ = reader.get_mut().half_close();
    match reader.read_to_end(&mut Vec::new()) {
        Err(problem) if problem.kind() == ErrorKind::WouldBlock => {
            Err("the connection stays open after its end")
        }
        Ok(_) | Err(_) => Ok(answer),
    }
}
