//! A daemon that fails or answers oddly, a gate that is told to end, and an audit log that is full.

use std::io::{BufRead as _, BufReader, Write as _};
use std::sync::{Mutex, mpsc};
use std::time::Duration;

use super::support::address::Address;
use super::support::fake_daemon::{FakeDaemon, Seen, answer_empty, plain};
use super::support::gate::Setup;
use super::support::http;
use super::support::wait::{self, DEADLINE, within};

fn before(daemon: &FakeDaemon) -> Setup {
    Setup::before(&daemon.address()).listen("open")
}

/// A daemon that answers just these bytes where the target contains `odd`, and closes then.
fn answering_oddly(bytes: &'static [u8]) -> FakeDaemon {
    FakeDaemon::answering(move |request: &Seen, stream| {
        if request.target.contains("odd") {
            stream.write_all(bytes).unwrap();
            stream.shutdown(std::net::Shutdown::Both).unwrap();
        } else {
            answer_empty(request, stream);
        }
    })
}

#[test]
fn an_exchange_that_runs_is_finished_after_a_sigterm() {
    let (begins, begun) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    let (begins, released) = (Mutex::new(begins), Mutex::new(released));
    let daemon = FakeDaemon::answering(move |request: &Seen, stream| {
        if request.target.contains("slow") {
            begins.lock().unwrap().send(()).unwrap();
            released.lock().unwrap().recv_timeout(DEADLINE).unwrap();
            stream
                .write_all(&plain(200, r#"{"Id":"finished"}"#))
                .unwrap();
        } else {
            answer_empty(request, stream);
        }
    });
    let mut gate = before(&daemon).plus("[limits]\ndrain-seconds = 30").start();
    let address = gate.address().clone();
    let running =
        std::thread::spawn(move || http::request(&address, "GET", "/v1.41/images/slow/json", ""));
    begun
        .recv_timeout(DEADLINE)
        .expect("the exchange has begun");
    gate.signal("TERM");
    wait::until("new connections are refused", || {
        gate.address().connect().is_err().then_some(())
    });
    assert!(
        gate.ended_within(Duration::from_millis(300)).is_none(),
        "it did not wait for the exchange that runs"
    );
    release.send(()).unwrap();
    assert_eq!(running.join().unwrap().text(), r#"{"Id":"finished"}"#);
    let status = gate
        .ended_within(DEADLINE)
        .expect("it ends when nothing runs any more");
    assert!(status.success(), "{status}");
}

#[test]
fn an_exchange_that_does_not_end_is_cut_after_the_drain_time() {
    let daemon = FakeDaemon::answering(|_: &Seen, stream| {
        let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nevent\r\n";
        stream.write_all(head.as_bytes()).unwrap();
    });
    let mut gate = before(&daemon).plus("[limits]\ndrain-seconds = 1").start();
    let mut events = gate.address().connect().unwrap();
    events
        .write_all(b"GET /v1.41/events HTTP/1.1\r\nHost: d\r\n\r\n")
        .unwrap();
    let mut events = BufReader::new(events);
    assert_eq!(http::read_head(&mut events).unwrap().0, 200);
    let mut chunk = String::new();
    events.read_line(&mut chunk).unwrap();
    events.read_line(&mut chunk).unwrap();
    assert_eq!(chunk, "5\r\nevent\r\n");
    gate.signal("TERM");
    assert!(
        gate.ended_within(Duration::from_secs(20)).is_some(),
        "the gate does not end"
    );
    let socket = gate.address().unix_path();
    assert!(!socket.exists(), "the socket is left behind");
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let daemon = FakeDaemon::answering(|_: &Seen, _| {});
    let mut gate = before(&daemon)
        .plus("[limits]\ndrain-seconds = 600")
        .start();
    let mut waits = gate.address().connect().unwrap();
    waits
        .write_all(b"GET /v1.41/info HTTP/1.1\r\nHost: d\r\n\r\n")
        .unwrap();
    wait::until("it is forwarded", || {
        (!daemon.seen().is_empty()).then_some(())
    });
    gate.signal("TERM");
    assert!(gate.ended_within(Duration::from_millis(300)).is_none());
    gate.signal("TERM");
    assert!(
        gate.ended_within(DEADLINE)
            .is_some_and(|status| status.success())
    );
}

#[test]
fn a_daemon_that_is_down_is_told_and_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("docker.sock");
    let gate = Setup::before(&Address::Unix(socket.clone()))
        .listen("guarded")
        .start();
    let is_down = || {
        let answer = http::request(gate.address(), "GET", "/v1.41/containers/json", "");
        assert_eq!(answer.status, 503, "{}", answer.text());
        assert!(
            answer.message().contains(&*socket.to_string_lossy()),
            "{}",
            answer.text()
        );
        // And why: there is no socket.
        assert!(
            answer.message().contains("No such file"),
            "{}",
            answer.text()
        );
    };
    is_down();
    for _ in 0..2 {
        let daemon = FakeDaemon::at(&socket, answer_empty);
        let up = within(DEADLINE, || {
            let answer = http::request(gate.address(), "GET", "/v1.41/containers/json", "");
            (answer.status == 200).then_some(())
        });
        assert!(
            up.is_some(),
            "the gate does not find the daemon that is back"
        );
        drop(daemon);
        is_down();
    }
}

#[test]
fn nothing_is_forwarded_that_cannot_be_recorded() {
    let daemon = FakeDaemon::start();
    let gate = before(&daemon).audit_to("/dev/full").start();
    for _ in 0..3 {
        let answer = http::request(gate.address(), "GET", "/v1.41/images/json", "");
        assert!(answer.status >= 500, "{} {}", answer.status, answer.text());
        assert!(answer.message().contains("audit log"), "{}", answer.text());
    }
    assert_eq!(daemon.take().len(), 0);
}

#[test]
fn an_answer_that_cannot_be_read_is_told() {
    let odd: [&'static [u8]; 7] = [
        b"",
        b"\r\n\r\n",
        b"nothing that is HTTP\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n[]",
        b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n[]",
        b"HTTP/1.1 9999 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-",
    ];
    for bytes in odd {
        let daemon = answering_oddly(bytes);
        let gate = before(&daemon).start();
        let answer = http::request(gate.address(), "GET", "/v1.41/images/odd/json", "");
        let shown = String::from_utf8_lossy(bytes);
        assert!(
            matches!(answer.status, 502 | 503),
            "{shown:?}: {} {}",
            answer.status,
            answer.text()
        );
        assert!(!answer.message().is_empty());
        let answer = http::request(gate.address(), "GET", "/v1.41/images/json", "");
        assert_eq!(answer.status, 200, "after {shown:?}: {}", answer.text());
    }
}

#[test]
fn an_answer_that_breaks_off_is_not_made_whole() {
    let odd: [&'static [u8]; 2] = [
        b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nhalf",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
    ];
    for bytes in odd {
        let daemon = answering_oddly(bytes);
        let gate = before(&daemon).start();
        let request =
            b"GET /v1.41/images/odd/json HTTP/1.1\r\nHost: d\r\nConnection: close\r\n\r\n";
        let answer = http::send(gate.address(), request);
        assert!(answer.is_err(), "the client takes it for whole: {answer:?}");
    }
}

#[test]
fn an_answer_without_a_length_ends_with_its_connection() {
    let daemon =
        answering_oddly(b"HTTP/1.1 200 OK\r\nContent-Type: application/x-tar\r\n\r\nall of it");
    let gate = before(&daemon).start();
    let answer = http::request(gate.address(), "GET", "/v1.41/images/odd/get", "");
    assert_eq!((answer.status, answer.text().as_str()), (200, "all of it"));
}

#[test]
fn a_change_is_not_sent_twice() {
    let daemon = FakeDaemon::answering(|request: &Seen, stream| {
        if request.method == "POST" {
            stream.shutdown(std::net::Shutdown::Both).unwrap();
        } else {
            answer_empty(request, stream);
        }
    });
    let gate = before(&daemon).start();
    // So that there is a connection that might be taken again.
    assert_eq!(
        http::request(gate.address(), "GET", "/v1.41/images/json", "").status,
        200
    );
    let answer = http::request(
        gate.address(),
        "POST",
        "/v1.41/volumes/create",
        r#"{"Name":"once"}"#,
    );
    assert!(
        matches!(answer.status, 502 | 503),
        "{} {}",
        answer.status,
        answer.text()
    );
    assert_eq!(
        daemon
            .seen()
            .iter()
            .filter(|request| request.method == "POST")
            .count(),
        1
    );
}

#[test]
fn a_connection_that_the_daemon_has_closed_is_not_taken_again() {
    let daemon = FakeDaemon::answering(|request: &Seen, stream| {
        answer_empty(request, stream);
        stream.shutdown(std::net::Shutdown::Both).unwrap();
    });
    let gate = before(&daemon).start();
    for _ in 0..20 {
        let answer = http::request(gate.address(), "POST", "/v1.41/volumes/create", "{}");
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
}

#[test]
fn a_tunnel_is_opened_only_where_the_operation_has_one() {
    let daemon = FakeDaemon::answering(|request: &Seen, stream| {
        if request.target.contains("odd") {
            let head = "HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n";
            stream.write_all(head.as_bytes()).unwrap();
        } else {
            answer_empty(request, stream);
        }
    });
    let gate = before(&daemon).start();
    let mut connection = gate.address().connect().unwrap();
    let upgrade = "Connection: Upgrade\r\nUpgrade: tcp\r\n";
    let request = format!("GET /v1.41/images/odd/json HTTP/1.1\r\nHost: d\r\n{upgrade}\r\n");
    let hidden = "DELETE /v1.41/images/hidden HTTP/1.1\r\nHost: d\r\n\r\n";
    connection
        .write_all(format!("{request}{hidden}").as_bytes())
        .unwrap();
    let answer = http::read_answer(&mut BufReader::new(connection), false).unwrap();
    assert!(matches!(answer.status, 502 | 503), "{answer:?}");
    let seen = daemon.seen();
    // Where the second request was read at all, it was judged and written anew.
    assert!(
        seen.iter().all(|request| request.unreadable.is_empty()),
        "{seen:?}"
    );
    assert_eq!(seen[0].header("upgrade"), None);
}
