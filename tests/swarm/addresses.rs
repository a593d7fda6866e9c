//! The addresses of a swarm: the gate reads them as the daemon does.

use std::collections::BTreeSet;
use std::fs;
use std::net::{IpAddr, Ipv6Addr};
use std::os::unix::net::UnixStream;

use dockgate::engine_api::swarm_address;

use super::json;
use crate::support::address::Address;
use crate::support::http;
use crate::support::second_daemon::SecondDaemon;

#[test]
fn what_a_swarm_is_told_to_take_is_read_as_the_daemon_reads_it() {
    let second = SecondDaemon::start();
    let daemon = second.address();
    let mut listened = 0;
    for (listen, advertise) in [
        ("127.0.0.1:2377", "127.0.0.1"),
        ("127.0.0.1", "127.0.0.1:2401"),
        ("tcp://127.0.0.1:2402", "lo"),
        ("0.0.0.0", "127.0.0.1"),
        (":2403", "lo:2404"),
        ("[::]:2405", "127.0.0.1"),
        ("[::1]:2406", "::1"),
        ("[::ffff:127.0.0.1]:2407", "[::1]:5"),
        ("docker0:2408", ""),
        ("", "127.0.0.1"),
        ("127.0.0.1:http", "127.0.0.1"),
        ("::1", "127.0.0.1"),
        ("fe80::1:2377", "127.0.0.1"),
        ("unix:///run/swarm.sock", "127.0.0.1"),
        ("127.0.0.1:2409", "tcp://127.0.0.1:1"),
        ("127.0.0.1:2410", "[::1]"),
    ] {
        let before = sockets(&daemon);
        let body = serde_json::json!({ "ListenAddr": listen, "AdvertiseAddr": advertise });
        let answer = http::request(&daemon, "POST", "/swarm/init", &body.to_string());
        if answer.status != 200 {
            continue;
        }
        // What the gate does not read is refused; the daemon takes `http` for a port.
        if let Some((wanted, advertised)) = reading(listen, advertise) {
            listened += 1;
            let new: BTreeSet<String> = sockets(&daemon).difference(&before).cloned().collect();
            let at = wanted.replace("docker0", "172.17.0.1");
            // A socket for every address is one for IPv6.
            let ways = [at.clone(), at.replace("0.0.0.0", "[::]")];
            let is_there = ways.iter().any(|at| new.contains(at));
            assert!(is_there, "{listen}: {wanted}, {new:?}");
            let node = &json(&daemon, "/nodes")[0];
            let told = node["ManagerStatus"]["Addr"].as_str().unwrap();
            let found_out = |wanted: &String| !wanted.starts_with("0.0.0.0");
            if let Some(wanted) = advertised.filter(found_out) {
                let wanted = wanted.replace("lo:", "127.0.0.1:");
                assert_eq!(wanted, told, "{listen} {advertise}");
            }
        }
        http::request(&daemon, "POST", "/swarm/leave?force=1", "");
    }
    assert!(listened >= 8, "{listened} swarms");
}

/// How the gate reads two addresses.
fn reading(listen: &str, advertise: &str) -> Option<(String, Option<String>)> {
    let listening = swarm_address::listening(listen)?;
    let advertised = swarm_address::advertised(advertise, listening.port);
    Some((listening.to_string(), advertised.map(|at| at.to_string())))
}

/// Where programs listen in the daemon's network: `ADDRESS:PORT`.
fn sockets(daemon: &Address) -> BTreeSet<String> {
    let stream = UnixStream::connect(daemon.unix_path()).unwrap();
    let process = rustix::net::sockopt::socket_peercred(&stream).unwrap().pid;
    let process = process.as_raw_nonzero();
    let mut found = BTreeSet::new();
    for table in ["tcp", "tcp6"] {
        let text = fs::read_to_string(format!("/proc/{process}/net/{table}")).unwrap();
        for row in text.lines().skip(1) {
            let columns: Vec<&str> = row.split_whitespace().collect();
            if columns[3] == LISTENING {
                found.insert(socket(columns[1]));
            }
        }
    }
    found
}

/// proc_net_tcp(5): the state of a socket that listens.
const LISTENING: &str = "0A";

/// `0100007F:0949` as it is written.
fn socket(text: &str) -> String {
    let (address, port) = text.split_once(':').unwrap();
    let port = u16::from_str_radix(port, 16).unwrap();
    let words: Vec<u32> = (0..address.len())
        .step_by(8)
        .map(|at| {
            u32::from_str_radix(&address[at..at + 8], 16)
                .unwrap()
                .swap_bytes()
        })
        .collect();
    match *words.as_slice() {
        [word] => format!("{}:{port}", IpAddr::V4(word.into())),
        [a, b, c, d] => {
            let bits = [a, b, c, d]
                .iter()
                .fold(0, |bits: u128, word| (bits << 32) | u128::from(*word));
            match Ipv6Addr::from(bits).to_canonical() {
                IpAddr::V6(address) => format!("[{address}]:{port}"),
                IpAddr::V4(address) => format!("{address}:{port}"),
            }
        }
        _ => panic!("{text}"),
    }
}
