//! A quota holds when many ask at once, and when those who ask do not wait for the answer.

use std::io::{BufReader, Write as _};
use std::net::Shutdown;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier, Mutex};
use std::thread;
use std::time::Duration;

use crate::support::address::{Address, Connection};
use crate::support::fake_daemon::{FakeDaemon, Seen, answer_empty, plain};
use crate::support::gate::Setup;
use crate::support::http;
use crate::support::process::unique;
use crate::support::wait::{self, pause};

use super::quotas::Site;

/// Sends one request from each of many clients at once; every second hangs up without an answer.
fn all_at_once(
    address: &Address,
    count: usize,
    request: impl Fn(usize) -> (String, String),
) -> Vec<u16> {
    let barrier = Arc::new(Barrier::new(count));
    let clients: Vec<_> = (0..count)
        .map(|index| {
            let (barrier, address) = (Arc::clone(&barrier), address.clone());
            let (target, body) = request(index);
            thread::spawn(move || {
                let mut connection = address.connect().unwrap();
                let text = format!(
                    "POST {target} HTTP/1.1\r\nHost: d\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
                    body.len()
                );
                barrier.wait();
                connection.write_all(text.as_bytes()).unwrap();
                if index % 2 == 1 {
                    // Some before it is judged, some while the daemon makes it.
                    pause(Duration::from_millis(7 * u64::try_from(index).unwrap()));
                    return 0;
                }
                http::read_answer(&mut BufReader::new(connection), false).unwrap().status
            })
        })
        .collect();
    clients.into_iter().map(|one| one.join().unwrap()).collect()
}

/// Waits until the number is what it stays.
fn settled(site: &Site, list: &str) -> usize {
    let mut last = usize::MAX;
    wait::until("the daemon is done", || {
        pause(Duration::from_millis(500));
        let before = std::mem::replace(&mut last, site.has(list).len());
        (before == last).then_some(last)
    })
}

const CREATE: &str = "/v1.41/containers/create";

#[test]
fn many_creates_at_once_make_as_many_containers_as_are_permitted() {
    let site = Site::with("containers = 5");
    for round in 0..3 {
        let body = r#"{"Image":"busybox","Cmd":["true"]}"#.to_owned();
        let answers = all_at_once(site.docker.address(), 24, |_| {
            (CREATE.to_owned(), body.clone())
        });
        let made = answers.iter().filter(|status| **status == 201).count();
        let refused = answers.iter().filter(|status| **status == 403).count();
        assert_eq!(made + refused, 12, "{answers:?}");
        let there = settled(&site, "ps --all");
        assert_eq!(there, 5, "round {round}: {answers:?}");
        let all = site.has("ps --all");
        site.docker.ok(format!("rm {}", all.join(" ")));
    }
}

#[test]
fn many_starts_at_once_run_as_many_containers_as_are_permitted() {
    let site = Site::with("running-containers = 2");
    let ids: Vec<String> = (0..8)
        .map(|_| site.docker.ok("create busybox sleep 600"))
        .collect();
    all_at_once(site.docker.address(), ids.len(), |index| {
        let verb = if index % 3 == 0 {
            "restart?t=0"
        } else {
            "start"
        };
        (
            format!("/v1.41/containers/{}/{verb}", ids[index]),
            String::new(),
        )
    });
    assert_eq!(settled(&site, "ps"), 2);
}

#[test]
fn many_volumes_and_networks_at_once_are_as_many_as_are_permitted() {
    let site = Site::with("volumes = 3, networks = 2");
    let name = unique("dockgate-quota");
    all_at_once(site.docker.address(), 16, |index| {
        let body = format!("{{\"Name\":\"{name}-{index}\"}}");
        ("/v1.41/volumes/create".to_owned(), body)
    });
    all_at_once(site.docker.address(), 10, |index| {
        let body = format!("{{\"Name\":\"{name}-{index}\"}}");
        ("/v1.41/networks/create".to_owned(), body)
    });
    assert_eq!(settled(&site, "volume ls"), 3);
    assert_eq!(settled(&site, "network ls"), 2);
}

/// A daemon that makes its first volume when it is told to.
struct Slow {
    daemon: FakeDaemon,
    begun: Arc<Barrier>,
    goes_on: Arc<Barrier>,
    made: Arc<Mutex<usize>>,
}

impl Slow {
    fn start() -> Self {
        let (begun, goes_on) = (Arc::new(Barrier::new(2)), Arc::new(Barrier::new(2)));
        let (begins, waits) = (Arc::clone(&begun), Arc::clone(&goes_on));
        let made = Arc::<Mutex<usize>>::default();
        let counts = Arc::clone(&made);
        let has_begun = AtomicBool::new(false);
        let daemon = FakeDaemon::answering(move |request: &Seen, stream| {
            let (status, body) = if request.target.ends_with("/volumes/create") {
                if !has_begun.swap(true, Ordering::SeqCst) {
                    begins.wait();
                    waits.wait();
                }
                *counts.lock().unwrap() += 1;
                (201, r#"{"Name":"a"}"#.to_owned())
            } else if request.target.starts_with("/volumes?") {
                let there = 0..*counts.lock().unwrap();
                let names: Vec<String> = there
                    .map(|one| format!("{{\"Name\":\"v{one}\"}}"))
                    .collect();
                (200, format!("{{\"Volumes\":[{}]}}", names.join(",")))
            } else if request.target.starts_with("/volumes/") {
                (404, r#"{"message":"no such volume"}"#.to_owned())
            } else {
                return answer_empty(request, stream);
            };
            // Who asked may be gone.
            let _ = stream.write_all(&plain(status, &body));
        });
        Self {
            daemon,
            begun,
            goes_on,
            made,
        }
    }
}

#[test]
fn a_create_that_is_still_under_way_for_nobody_is_waited_for() {
    let slow = Slow::start();
    let gate = Setup::before(&slow.daemon.address())
        .listen("guarded")
        .plus("owner = 'a'\nquota.volumes = 1")
        .start();
    let body = "{\"Name\":\"x\"}";
    let text = format!(
        "POST /v1.41/volumes/create HTTP/1.1\r\nHost: d\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut first = gate.address().connect().unwrap();
    first.write_all(text.as_bytes()).unwrap();
    slow.begun.wait();
    if let Connection::Unix(stream) = &first {
        stream.shutdown(Shutdown::Both).unwrap();
    }
    drop(first);
    let address = gate.address().clone();
    let second = thread::spawn(move || {
        http::request(
            &address,
            "POST",
            "/v1.41/volumes/create",
            "{\"Name\":\"y\"}",
        )
    });
    wait::until("the gate knows that the first is gone", || {
        let mut ends = gate.audit().into_iter();
        ends.any(|record| record["outcome"] == "client-gone")
            .then_some(())
    });
    pause(Duration::from_millis(300));
    assert!(
        !second.is_finished(),
        "the second was counted while the first was made"
    );
    slow.goes_on.wait();
    let answer = second.join().unwrap();
    assert_eq!(answer.status, 403, "{}", answer.text());
    assert_eq!(*slow.made.lock().unwrap(), 1);
}
