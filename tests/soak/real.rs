//! The same before the real daemon, which is ended and started under what is under way.

use std::io::{self, BufReader, Read as _};
use std::thread;
use std::time::Instant;

use dockgate::policy::ready;

use super::clients::{REFUSED, UPGRADE, begins, create, expect, head, send, with_body};
use super::rest::{self, Rest, Told};
use super::{RELOADED, authority, doors, gate, goes_on};
use crate::support::address::{Address, Connection};
use crate::support::archive;
use crate::support::gate::Gate;
use crate::support::http;
use crate::support::process::noise;
use crate::support::second_daemon::SecondDaemon;
use crate::support::{json, tell, wait};

/// So many, and one before them, each with a restart of the daemon.
const ROUNDS: usize = 3;
const CAT: &str = r#"{"Cmd":["cat"],"AttachStdin":true,"AttachStdout":true}"#;
const SLEEPS: &str = r#"{"Image":"busybox","Cmd":["sleep","600"],"StopTimeout":1}"#;

#[test]
fn soak_before_the_real_daemon() {
    let folder = tempfile::tempdir().unwrap();
    let authority = authority(folder.path());
    let daemon = SecondDaemon::start();
    let gate = gate(&daemon.address(), &authority);
    let doors = doors(&gate, &authority);
    let since = Instant::now();
    let mut round = 0;
    let mut serve = || {
        round += 1;
        busy(&gate, &doors, round);
        restart(&daemon, &doors, round);
        rest::records(&gate);
        Rest::settled(&gate)
    };
    let warm = serve();
    let mut rounds = Vec::new();
    while goes_on(rounds.len(), ROUNDS, since) {
        rounds.push(serve().resident);
    }
    let last = Rest::back_to(&gate, &warm);
    let told = Told::by(&gate);
    tell(&format!(
        "soak before the real daemon: {told}, {} restarts, {}, {warm} after the first round, {last} after the last, {} s",
        rounds.len() + 1,
        rest::thirds(&rounds),
        since.elapsed().as_secs()
    ));
    assert!(
        told.exchanges > 1000 && told.tunnels > 100 && told.reloads > 7,
        "{told}"
    );
    rest::is_flat(&rounds, &told);
}

/// Two clients at each door, while policies are replaced: nothing fails.
fn busy(gate: &Gate, doors: &[Address; 3], round: usize) {
    let guarded = ready::find("guarded").unwrap();
    thread::scope(|scope| {
        let clients: Vec<_> = (0..6)
            .map(|number| {
                let name = format!("soak-{round}-{number}");
                scope.spawn(move || {
                    works(&doors[number % 3], &name)
                        .unwrap_or_else(|what| panic!("{name}: {what}"));
                })
            })
            .collect();
        let mut reloaded = gate.output().matches(RELOADED).count();
        for change in 0..2 {
            gate.replace("policy.toml", &format!("{guarded}\n# {round}.{change}\n"));
            reloaded = gate.says(RELOADED, reloaded);
        }
        for client in clients {
            client.join().unwrap();
        }
    });
}

fn ask(door: &Address, request: &[u8], status: u16) -> io::Result<http::Answer> {
    let mut connection = BufReader::new(door.connect()?);
    send(&mut connection, request)?;
    let answer = http::read_answer(&mut connection, false)?;
    expect(&answer, status).map(|()| answer)
}

fn makes(door: &Address, line: &str, body: &str) -> io::Result<String> {
    let made = ask(door, with_body(line, body).as_bytes(), 201)?;
    Ok(json(made.body)["Id"].as_str().unwrap().to_owned())
}

fn works(door: &Address, name: &str) -> io::Result<()> {
    let id = makes(
        door,
        &format!("POST /v1.41/containers/create?name={name}"),
        SLEEPS,
    )?;
    let on = |method: &str, what: &str| format!("{method} /v1.41/containers/{id}{what}");
    ask(door, with_body(&on("POST", "/start"), "").as_bytes(), 204)?;
    for turn in 0..20 {
        ask(
            door,
            head("GET /v1.41/containers/json?all=1", "").as_bytes(),
            200,
        )?;
        ask(door, head("GET /v1.41/networks", "").as_bytes(), 200)?;
        ask(door, head(&on("GET", "/json"), "").as_bytes(), 200)?;
        ask(door, create(REFUSED).as_bytes(), 403)?;
        if turn % 2 == 0 {
            let mut tunnel = exec(door, &id)?;
            match turn % 3 {
                0 => tunnel.get_mut().half_close()?,
                // The other end of `cat` is gone; it stays until the daemon ends.
                1 => continue,
                _ => send(&mut tunnel, &noise(64 * 1024))?,
            }
            if turn % 3 == 0 {
                assert_eq!(tunnel.read_to_end(&mut Vec::new())?, 0);
            }
        }
    }
    copies(
        door,
        &on("PUT", "/archive?path=/tmp"),
        &on("GET", "/archive?path=/tmp/file"),
    )?;
    for end in ["&until=1", "&since=1&until=2", ""] {
        let mut events = BufReader::new(door.connect()?);
        send(
            &mut events,
            head(&format!("GET /v1.41/events?filters={{}}{end}"), "").as_bytes(),
        )?;
        let (status, _) = http::read_head(&mut events)?;
        assert_eq!(status, 200);
    }
    ask(door, head(&on("DELETE", "?force=1"), "").as_bytes(), 204).map(drop)
}

/// An exec of `cat` that has echoed.
fn exec(door: &Address, id: &str) -> io::Result<BufReader<Connection>> {
    let exec = makes(door, &format!("POST /v1.41/containers/{id}/exec"), CAT)?;
    let mut tunnel = BufReader::new(door.connect()?);
    let more = format!("{UPGRADE}Content-Type: application/json\r\nContent-Length: 2\r\n");
    let line = head(&format!("POST /v1.41/exec/{exec}/start"), &more);
    send(&mut tunnel, (line + "{}").as_bytes())?;
    let (status, _) = http::read_head(&mut tunnel)?;
    assert_eq!(status, 101);
    send(&mut tunnel, b"hello")?;
    // One frame: its kind, three zero bytes, its length, and what was written.
    let mut frame = [0; 13];
    tunnel.read_exact(&mut frame)?;
    assert_eq!(&frame, b"\x01\0\0\0\0\0\0\x05hello");
    Ok(tunnel)
}

/// A megabyte up and down, and down in part.
fn copies(door: &Address, up: &str, down: &str) -> io::Result<()> {
    let content = "x".repeat(1 << 20);
    let files = [("file".to_owned(), content)];
    let body = archive::of(&files.into());
    let line = head(up, &format!("Content-Length: {}\r\n", body.len()));
    ask(door, &[line.as_bytes(), &body].concat(), 200)?;
    let back = ask(door, head(down, "").as_bytes(), 200)?;
    assert!(back.body.len() > 1 << 20);
    let mut part = BufReader::new(door.connect()?);
    send(&mut part, head(down, "").as_bytes())?;
    begins(&mut part, 50_000)
}

/// The daemon ends under open tunnels and streams, which end with it, and all goes on once it is back.
fn restart(daemon: &SecondDaemon, doors: &[Address; 3], round: usize) {
    let open: Vec<_> = doors
        .iter()
        .enumerate()
        .map(|(number, door)| {
            let target = format!("POST /v1.41/containers/create?name=kept-{round}-{number}");
            let id = makes(door, &target, SLEEPS).unwrap();
            let on = |method: &str, what: &str| format!("{method} /v1.41/containers/{id}{what}");
            let start = with_body(&on("POST", "/start"), "");
            ask(door, start.as_bytes(), 204).unwrap();
            let tunnel = exec(door, &id).unwrap();
            let streams = [
                head("GET /v1.41/events", ""),
                head(
                    &on("POST", "/wait"),
                    "Connection: close\r\nContent-Length: 0\r\n",
                ),
            ];
            let streams = streams.map(|request| {
                let mut connection = BufReader::new(door.connect().unwrap());
                send(&mut connection, request.as_bytes()).unwrap();
                assert_eq!(http::read_head(&mut connection).unwrap().0, 200);
                connection
            });
            let delete = head(&on("DELETE", "?force=1"), "");
            (tunnel, streams, [start, delete])
        })
        .collect();
    daemon.restart();
    for (door, (mut tunnel, streams, requests)) in doors.iter().zip(open) {
        // Ended in order or broken off: the daemon says which; only that they end is ours.
        let _ = tunnel.read_to_end(&mut Vec::new());
        for mut stream in streams {
            let _ = stream.read_to_end(&mut Vec::new());
        }
        wait::until("the daemon serves again", || {
            ask(door, head("GET /v1.41/info", "").as_bytes(), 200).ok()
        });
        for request in requests {
            ask(door, request.as_bytes(), 204).unwrap();
        }
    }
}
