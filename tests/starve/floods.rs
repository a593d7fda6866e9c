//! A flood of one client beside the few requests of another: counted by what is answered first, not by time.

use std::io::{self, BufReader, Write as _};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use socket2::{Domain, Socket, Type};
use tempfile::TempDir;

use crate::reload::Kept;
use crate::support::address::Address;
use crate::support::certificates::Authority;
use crate::support::fake_daemon::{FakeDaemon, answer_empty, plain};
use crate::support::gate::{Gate, Setup};
use crate::support::http::{self, Answer};
use crate::support::wait;

use super::{ADMIN, IMAGES, is_over, is_recorded, list};

/// On one processor, so that whatever holds a worker holds the only one.
fn on_one_processor(setup: Setup) -> Gate {
    setup.start_under("taskset", &["--cpu-list", "0"])
}

/// A create of almost as many bytes as are judged, which is refused for a word at its end.
fn large_body(labels: usize, letters: usize) -> String {
    let labels: Vec<String> = (0..labels)
        .map(|number| format!("\"label-{number}\":\"{}\"", "x".repeat(letters)))
        .collect();
    let labels = labels.join(",");
    format!("{{\"Image\":\"a\",\"Labels\":{{{labels}}},\"HostConfig\":{{\"Privileged\":true}}}}")
}

/// What the other is answered while something of this client's is under way, which a thread of its own waits for.
fn meanwhile(gate: &Gate, begins: &AtomicBool, large: impl FnOnce() + Send) -> usize {
    let mut other = Kept::to(gate.listener(1));
    assert_eq!(other.get(IMAGES), 200);
    let has_ended = AtomicBool::new(false);
    thread::scope(|scope| {
        let flood = scope.spawn(|| {
            large();
            has_ended.store(true, Ordering::SeqCst);
        });
        wait::until("all of it is with the gate", || {
            (begins.load(Ordering::SeqCst) || flood.is_finished()).then_some(())
        });
        let mut answers = 0;
        while !has_ended.load(Ordering::SeqCst) && !flood.is_finished() {
            assert_eq!(other.get(IMAGES), 200);
            answers += 1;
        }
        answers
    })
}

/// More than come between the last bytes of something and its being judged, where one worker does either.
const MANY: usize = 30;

#[test]
fn others_have_their_answers_while_a_large_body_is_judged() {
    let daemon = FakeDaemon::start();
    let setup = Setup::before(&daemon.address());
    let setup = setup.listen("guarded").listen("guarded");
    let gate = on_one_processor(setup.plus("[limits]\njudged-body-bytes = 67108864"));
    let (body, is_sent) = (large_body(60_000, 120), AtomicBool::new(false));
    let answers = meanwhile(&gate, &is_sent, || {
        let mut connection = BufReader::new(gate.listener(0).connect().unwrap());
        let length = body.len();
        let head = format!("{CREATE} HTTP/1.1\r\nHost: d\r\nContent-Length: {length}\r\n\r\n");
        let sent = connection.get_mut().write_all((head + &body).as_bytes());
        sent.unwrap();
        is_sent.store(true, Ordering::SeqCst);
        let answer = http::read_answer(&mut connection, false).unwrap();
        assert_eq!(answer.status, 403, "{}", answer.text());
    });
    assert!(answers > MANY, "{answers}");
}

#[test]
fn others_have_their_answers_while_a_large_answer_is_shown() {
    let is_sent = Arc::new(AtomicBool::new(false));
    let sent = Arc::clone(&is_sent);
    let daemon = FakeDaemon::answering(move |request, stream| {
        if !request.target.ends_with("/a/json") {
            return answer_empty(request, stream);
        }
        let env: Vec<String> = (0..400_000).map(|n| format!("\"A{n}=secret\"")).collect();
        let (id, env) = ("a".repeat(64), env.join(","));
        let body = format!("{{\"Id\":\"{id}\",\"Config\":{{\"Env\":[{env}]}}}}");
        let _ = stream.write_all(&plain(200, &body));
        sent.store(true, Ordering::SeqCst);
    });
    let quiet = "description = 'x'\n[[permit]]\noperations = ['ContainerInspect']\n[quiet]\nenvironment = true\n";
    let setup = Setup::before(&daemon.address()).file("quiet.toml", quiet);
    let gate = on_one_processor(setup.listen("quiet.toml").listen("guarded"));
    let answers = meanwhile(&gate, &is_sent, || {
        let shown = http::request(gate.listener(0), "GET", "/v1.41/containers/a/json", "");
        assert_eq!(shown.status, 200, "{}", shown.text());
        assert!(!shown.text().contains("=secret"));
    });
    assert!(answers > MANY, "{answers}");
}

fn create(address: &Address, body: &str) -> Answer {
    http::request(address, "POST", CREATE.trim_start_matches("POST "), body)
}

const CREATE: &str = "POST /v1.41/containers/create";

#[test]
fn a_large_body_costs_as_many_requests_as_its_size() {
    let daemon = FakeDaemon::start();
    let gate = super::gate(&daemon, "requests-per-second = 1, burst = 60");
    let (greedy, modest) = (gate.listener(0), gate.listener(1));
    let large = large_body(60_000, 32);
    assert_eq!(create(greedy, &large).status, 403);
    // One of 3 MiB cost some fifty.
    is_over(&create(greedy, &large), "more than 1 times a second");
    assert_eq!(list(greedy).status, 200);
    assert_eq!(create(modest, &large).status, 403);
    is_recorded(&gate, "too-many-requests");
    // The same in chunks, of which nothing says how many there will be.
    let mut chunked = greedy.connect().unwrap();
    let head = format!("{CREATE} HTTP/1.1\r\nHost: d\r\nTransfer-Encoding: chunked\r\n\r\n");
    chunked.write_all(head.as_bytes()).unwrap();
    // It may be answered before it has read all.
    let _ = chunked.write_all(format!("{:x}\r\n{large}\r\n0\r\n\r\n", large.len()).as_bytes());
    let answer = http::read_answer(&mut BufReader::new(chunked), false).unwrap();
    is_over(&answer, "more than 1 times a second");
}

#[test]
fn connections_that_ask_for_nothing_cost_as_much_as_requests() {
    let daemon = FakeDaemon::start();
    let gate = super::gate(&daemon, "requests-per-second = 1, burst = 20");
    let mut open = Kept::to(gate.listener(0));
    assert_eq!(open.get(IMAGES), 200);
    for _ in 0..19 {
        drop(gate.listener(0).connect().unwrap());
    }
    wait::until("the connections have cost all tokens", || {
        // What it takes itself comes back each second.
        (open.get(IMAGES) == 429).then_some(())
    });
    assert_eq!(list(gate.listener(1)).status, 200);
    // The token of a connection is that of its first request: it is not paid twice.
    let other = Setup::before(&daemon.address())
        .listen("guarded")
        .plus("limits = { requests-per-second = 1, burst = 6 }")
        .plus(ADMIN)
        .start();
    let begun = std::time::Instant::now();
    let served = (0..6).filter(|_| list(other.address()).status == 200);
    assert!(served.count() >= 6, "in {:?}", begun.elapsed());
}

/// A connection to the gate from that address, on which nothing has been sent.
fn connection(gate: &Gate, source: &str) -> io::Result<TcpStream> {
    let host = gate.address().to_string().replace("tcp://", "");
    let (source, host): (IpAddr, SocketAddr) = (source.parse().unwrap(), host.parse().unwrap());
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.bind(&SocketAddr::new(source, 0).into())?;
    socket.connect(&host.into())?;
    Ok(TcpStream::from(socket))
}

/// A port from which one connection goes on to the gate, from that address.
fn relay(gate: &Gate, source: &str) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut far = connection(gate, source).unwrap();
    thread::spawn(move || {
        let (mut near, _) = listener.accept().unwrap();
        let (mut from, mut to) = (near.try_clone().unwrap(), far.try_clone().unwrap());
        thread::spawn(move || io::copy(&mut from, &mut to));
        io::copy(&mut far, &mut near)
    });
    port
}

/// A gate over mutual TLS that has these limits, who knows its clients, and what it needs meanwhile.
fn over_tls(limits: &str) -> (Gate, Authority, (FakeDaemon, TempDir)) {
    let (daemon, folder) = (FakeDaemon::start(), tempfile::tempdir().unwrap());
    let authority = crate::reload::load::authority(folder.path());
    authority.certs(&["client", "one"]);
    let setup = Setup::before(&daemon.address()).listen_tls(Some("guarded"), &authority);
    let limits = format!("[limits]\n{limits}");
    let gate = setup.plus(&limits).plus(ADMIN).start();
    (gate, authority, (daemon, folder))
}

#[test]
fn handshakes_of_one_address_are_bounded_and_those_of_another_go_on() {
    let (gate, authority, _kept) = over_tls("handshakes-per-second = 3");
    let here = gate.address().clone();
    let here = here.with_client_certificate(&authority.client("one"));
    let port = relay(&gate, "127.0.0.9");
    let elsewhere = Address::Tls(format!("127.0.0.1:{port}"), authority.client("one"));
    wait::until("one address begins too many", || {
        let ask = || {
            let here = here.clone();
            thread::spawn(move || http::send(&here, b"GET /_ping HTTP/1.1\r\nHost: d\r\n\r\n"))
        };
        let all: Vec<_> = (0..8).map(|_| ask()).collect();
        let all = all.into_iter().map(|one| one.join().unwrap());
        (all.filter(Result::is_err).count() >= 4).then_some(())
    });
    assert_eq!(list(&elsewhere).status, 200);
    let audit = gate.audit();
    let code = "too-many-handshakes-of-address";
    let refused = audit.iter().find(|one| one["reason"]["code"] == code);
    let refused = refused.unwrap_or_else(|| panic!("no `{code}` in {audit:?}"));
    assert_eq!(refused["client"]["source"], "127.0.0.1");
    let line = format!("dockgate_connections_refused_total{{reason=\"{code}\"}}");
    assert!(crate::admin::metrics(&gate).contains(&line));
    wait::until("it may begin again", || {
        wait::pause(Duration::from_millis(300));
        http::send(&here, b"GET /_ping HTTP/1.1\r\nHost: d\r\n\r\n").ok()
    });
}

#[test]
fn who_begins_handshakes_and_ends_none_leaves_places_for_other_addresses() {
    let (gate, authority, _kept) = over_tls("connections = 200\nhandshake-seconds = 600");
    let unfinished: Vec<_> = (0..110)
        .filter_map(|_| connection(&gate, "127.0.0.9").ok())
        .collect();
    assert_eq!(unfinished.len(), 110);
    let code = "too-many-unfinished-handshakes-of-address";
    let refused = || {
        let audit = gate.audit();
        let refused = audit.iter().filter(|one| one["reason"]["code"] == code);
        refused.count()
    };
    wait::until("one address has its share", || {
        (refused() == 85).then_some(())
    });
    let here = gate.address().clone();
    let here = here.with_client_certificate(&authority.client("one"));
    assert_eq!(list(&here).status, 200);
    let line = format!("dockgate_connections_refused_total{{reason=\"{code}\"}} 85");
    assert!(crate::admin::metrics(&gate).contains(&line));

    drop(unfinished);
    wait::until("who has left takes no place", || {
        connection(&gate, "127.0.0.9").ok().and_then(|mut left| {
            let mut byte = [0];
            left.set_read_timeout(Some(Duration::from_millis(200)))
                .unwrap();
            let read = io::Read::read(&mut left, &mut byte);
            // It is kept waiting for its handshake, and not ended.
            read.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
                .then_some(())
        })
    });
}
