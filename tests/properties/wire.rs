//! The whole request on the wire: what the gate has written, sent to a gate once more, comes out byte for byte the same.

use super::asked::{self, Asked};
use crate::support::fake_daemon::{FakeDaemon, Seen};
use crate::support::gate::Setup;
use crate::support::http;

/// One that opens what needs no look-up, since the fake daemon has nothing to find.
const POLICY: &str = "description = 'no look-ups'\n[[permit]]\noperations = ['*']\n[container]\nimages = ['*']\nnetworks = ['*']\n\
    capabilities = ['ALL']\nprivileged = true\nsysctls = ['*']\npublished = ['*:*', '*:1-1023']\nlog-drivers = ['*']\n\
    [network]\nicc = 'any'\ndrivers = ['*']\noptions = ['*']\n[image]\nreferences = ['*']\nimport-urls = true\n\
    [swarm]\naddresses = ['*']\nremotes = ['*']\ntokens = true\nautolock-off = true\npromote = true\n\
    [secret]\ntemplating = true\n[config]\ntemplating = true\n";

/// As a client would send it; `Expect` and the like are left to the tests of the wire.
fn bytes(method: &str, target: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!(
        "{method} {target} HTTP/1.1\r\nHost: docker\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\
         Connection: close\r\n\r\n"
    );
    [head.as_bytes(), body].concat()
}

fn is_same(one: &Seen, other: &Seen) -> bool {
    let all = |seen: &Seen| {
        (
            seen.method.clone(),
            seen.target.clone(),
            seen.headers.clone(),
            seen.body.clone(),
        )
    };
    all(one) == all(other)
}

#[test]
fn what_was_written_is_read_and_written_the_same() {
    let daemon = FakeDaemon::start();
    let setup = Setup::before(&daemon.address()).file("policy.toml", POLICY);
    let gate = setup.listen("policy.toml").start();
    let through = |method: &str, target: &str, body: &[u8]| {
        daemon.take();
        let answer = http::send(gate.address(), &bytes(method, target, body)).unwrap();
        // Look-ups come before it.
        (answer.status != 403)
            .then(|| daemon.take().pop())
            .flatten()
    };
    // Those that join or follow a stream end with neither side's wish.
    let lasts = |asked: &Asked| {
        [
            "attach", "/events", "/logs", "/stats", "/wait", "/exec/", "/session", "/grpc",
        ]
        .iter()
        .any(|part| asked.target.contains(part))
    };
    let (mut forwarded, mut bodies) = (0, 0);
    for asked in asked::each().filter(|asked| !lasts(asked)) {
        let Some(written) = through(&asked.method, &asked.target, asked.body.as_bytes()) else {
            continue;
        };
        assert_eq!(written.unreadable, "", "{asked}");
        let again = through(&written.method, &written.target, &written.body);
        let again =
            again.unwrap_or_else(|| panic!("{asked}: refused as it was written: {written:?}"));
        assert!(is_same(&again, &written), "{asked}\n{written:?}\n{again:?}");
        forwarded += 1;
        bodies += usize::from(!written.body.is_empty());
    }
    eprintln!("{forwarded} forwarded twice, {bodies} of them with a body");
    assert!(
        forwarded > 200 && bodies > 60,
        "{forwarded} forwarded, {bodies} with a body"
    );
}
