//! Exchanges before the real daemon to their last byte: counted, continued, joined by WebSocket, and as long as allowed.

use std::fs;
use std::io::{BufReader, Read as _, Write as _};
use std::process::Command;

use serde_json::Value;

use super::support::address::{Address, Connection};
use super::support::gate::Gate;
use super::support::process::{self, checksum, noise};
use super::support::site::{Site, at_both_doors};
use super::support::wait::{self, DEADLINE};
use super::support::{http, json};

/// The record of the end of the last exchange of that operation that carried at least so many bytes in all.
fn ended(gate: &Gate, operation: &str, least: u64) -> Value {
    wait::until(&format!("the end of {operation} is recorded"), || {
        gate.audit().into_iter().rev().find(|record| {
            let bytes = |key: &str| record[key].as_u64().unwrap_or_default();
            record["event"] == "end"
                && record["operation"] == operation
                && bytes("bytes_from_client") + bytes("bytes_to_client") >= least
        })
    })
}

#[test]
fn every_byte_each_way_is_counted() {
    let site = Site::guarded();
    let (docker, name) = (&site.docker, site.name("counted"));
    let Some(gate) = &site.gate else { return };
    let bytes = noise(3 * 1024 * 1024 + 7);
    let length = bytes.len() as u64;
    docker
        .run_with("run -i --rm busybox cat", bytes.clone())
        .ok("run");
    let end = ended(gate, "ContainerAttach", length);
    assert_eq!(end["bytes_from_client"], length, "{end}");
    // The output comes in frames, each with a head of eight bytes.
    let heads = end["bytes_to_client"].as_u64().unwrap() - length;
    assert!(heads > 0 && heads.is_multiple_of(8), "{end}");
    assert_eq!(
        (&end["outcome"], &end["status"]),
        (&"complete".into(), &101.into()),
        "{end}"
    );
    assert!(end["duration_us"].as_u64().unwrap() > 0);

    docker.ok(format!("run -d --name {name} busybox sleep 600"));
    let swallows = format!("exec -i {name} sh -c 'cat >/dev/null'");
    docker.run_with(swallows, bytes).ok("exec");
    let end = ended(gate, "ExecStart", length);
    // Before the stream there is the body of the request.
    let body = end["bytes_from_client"].as_u64().unwrap() - length;
    assert!(body < 100, "{end}");

    let archive = docker.run(format!("cp {name}:/bin/busybox -")).stdout;
    let end = ended(gate, "ContainerArchive", archive.len() as u64);
    assert_eq!(end["bytes_to_client"], archive.len(), "{end}");
    assert_eq!(end["bytes_from_client"], 0, "{end}");
    docker
        .run_with(format!("cp - {name}:/tmp"), archive.clone())
        .ok("cp");
    let end = ended(gate, "PutContainerArchive", 1);
    assert_eq!(end["bytes_from_client"], archive.len(), "{end}");
}

#[test]
fn a_client_that_asks_first_uploads_after_the_go_ahead() {
    at_both_doors(|site| {
        let (docker, name) = (&site.docker, site.name("curl"));
        docker.ok(format!("create --name {name} busybox"));
        let folder = tempfile::tempdir().unwrap();
        let archive = folder.path().join("bin.tar");
        docker.ok(format!("cp {name}:/bin {}", folder.path().display()));
        let mut tar = Command::new("tar");
        tar.arg("-cf")
            .arg(&archive)
            .arg("-C")
            .arg(folder.path())
            .arg("bin");
        process::run(&mut tar, Vec::new(), DEADLINE).ok("tar");
        let mut curl = Command::new("curl");
        curl.args([
            "-sSv",
            "--fail",
            "--expect100-timeout",
            "60",
            "-H",
            "Expect: 100-continue",
            "-T",
        ]);
        curl.arg(&archive);
        let target = format!("/v1.41/containers/{name}/archive?path=/tmp");
        if let Address::Tls(host, certificates) = docker.address() {
            curl.arg("--cacert").arg(certificates.join("ca.pem"));
            curl.arg("--cert").arg(certificates.join("cert.pem"));
            curl.arg("--key").arg(certificates.join("key.pem"));
            curl.arg(format!("https://{host}{target}"));
        } else {
            curl.arg("--unix-socket").arg(docker.address().unix_path());
            curl.arg(format!("http://docker{target}"));
        }
        let ended = process::run(&mut curl, Vec::new(), DEADLINE);
        ended.ok("curl");
        assert!(
            ended.stderr.contains("< HTTP/1.1 100 Continue"),
            "{ended:?}"
        );
        let back = folder.path().join("back");
        docker.ok(format!("cp {name}:/tmp/bin/busybox {}", back.display()));
        let sum = |path| checksum(&fs::read(path).unwrap());
        assert_eq!(sum(back), sum(folder.path().join("bin/busybox")));
    });
}

/// A frame from a client (RFC 6455, section 5.2), of text, under a mask of zeros.
fn masked(text: &str) -> Vec<u8> {
    let length = u8::try_from(text.len()).unwrap();
    assert!(length < 126);
    [&[0x81, 0x80 | length, 0, 0, 0, 0], text.as_bytes()].concat()
}

/// The payload of the next frame from a server.
fn payload(reader: &mut BufReader<Connection>) -> Vec<u8> {
    let mut head = [0; 2];
    reader.read_exact(&mut head).unwrap();
    assert!(head[1] < 126, "more than was written: {head:?}");
    let mut bytes = vec![0; head[1].into()];
    reader.read_exact(&mut bytes).unwrap();
    bytes
}

#[test]
fn a_websocket_carries_both_ways_and_early_frames() {
    at_both_doors(|site| {
        let name = site.name("websocket");
        let docker = &site.docker;
        let answers = "sh -c 'while read word; do echo got-$word; done'";
        docker.ok(format!("run -d -i --name {name} busybox {answers}"));
        let connection = docker.address().connect().unwrap();
        let mut reader = BufReader::new(connection);
        let head = format!(
            "GET /v1.41/containers/{name}/attach/ws?stream=1&stdin=1&stdout=1 HTTP/1.1\r\nHost: d\r\n\
             Origin: http://d\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        reader
            .get_mut()
            .write_all(&[head.as_bytes(), &masked("early\n")].concat())
            .unwrap();
        assert_eq!(http::read_head(&mut reader).unwrap().0, 101);
        let mut got = Vec::new();
        while got != b"got-early\n" {
            got.extend(payload(&mut reader));
        }
        reader.get_mut().write_all(&masked("late\n")).unwrap();
        while got != b"got-early\ngot-late\n" {
            got.extend(payload(&mut reader));
        }
        docker.ok(format!("rm -f {name}"));
        let mut rest = Vec::new();
        let _ = reader.read_to_end(&mut rest);
    });
}

#[test]
fn a_request_line_of_half_a_megabyte_reaches_the_daemon() {
    at_both_doors(|site| {
        let name = site.name("doubled");
        let long = "x".repeat(500 * 1024);
        let body = format!(r#"{{"Image":"busybox","Env":["LONG={long}"],"name":"{name}"}}"#);
        // Such a client writes every field of its body as a parameter too.
        let target =
            format!("/containers/create?Image=busybox&Env=%5B%22LONG%3D{long}%22%5D&name={name}");
        let answer = http::request(site.docker.address(), "POST", &target, &body);
        assert_eq!(answer.status, 201, "{}", answer.text());
        let inspected = site.docker.ok(format!("inspect {name}"));
        let environment = json(inspected)[0]["Config"]["Env"][0]
            .as_str()
            .unwrap()
            .len();
        assert_eq!(environment, long.len() + 5);
    });
}

#[test]
fn a_head_of_a_mebibyte_is_read_and_a_longer_one_refused() {
    let site = Site::guarded();
    if site.gate.is_none() {
        return;
    }
    let ping = |length: usize| {
        let (start, end) = (
            "GET /_ping?x=",
            " HTTP/1.1\r\nHost: d\r\nConnection: close\r\n\r\n",
        );
        let filler = "x".repeat(length - start.len() - end.len());
        http::send(
            site.docker.address(),
            format!("{start}{filler}{end}").as_bytes(),
        )
        .unwrap()
    };
    assert_eq!(ping(1 << 20).status, 200);
    let refusal = ping((1 << 20) + 1);
    assert_eq!(refusal.status, 431);
    assert!(refusal.message().contains("1048576"), "{}", refusal.text());
}
