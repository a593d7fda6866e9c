//! Plugins put into a registry by a client of the registry's own.
//!
//! A push by the daemon of these tests can end the daemon (`panic: send on closed channel` in its pusher), so that none
//! is asked for where all tests share one.

use super::GREEDY;
use crate::support::address::Address;
use crate::support::{archive, http, process};

/// Puts [`GREEDY`] there under a name without the registry's address, and gives the digest of its manifest.
pub(super) fn publish(registry: &str, name: &str) -> String {
    let files = [("x".to_owned(), name.to_owned())];
    let layer = archive::of(&files.into());
    let configuration = GREEDY.replace("{name}", name);
    let put = |bytes: &[u8], kind: &str| {
        let digest = blob(registry, name, bytes);
        format!(
            r#"{{"mediaType":"{kind}","size":{},"digest":"{digest}"}}"#,
            bytes.len()
        )
    };
    let layer = put(&layer, "application/vnd.docker.image.rootfs.diff.tar.gzip");
    let configuration = put(
        configuration.as_bytes(),
        "application/vnd.docker.plugin.v1+json",
    );
    let kind = "application/vnd.docker.distribution.manifest.v2+json";
    let manifest = format!(
        r#"{{"schemaVersion":2,"mediaType":"{kind}","config":{configuration},"layers":[{layer}]}}"#
    );
    let target = format!("/v2/{name}/manifests/latest");
    ask(registry, "PUT", &target, kind, manifest.as_bytes());
    format!("sha256:{}", process::checksum(manifest.as_bytes()))
}

fn blob(registry: &str, name: &str, bytes: &[u8]) -> String {
    let kind = "application/octet-stream";
    let target = format!("/v2/{name}/blobs/uploads/");
    let answer = ask(registry, "POST", &target, kind, b"");
    let place = answer.header("location").unwrap();
    let (_, target) = place.split_once(registry).unwrap();
    let digest = format!("sha256:{}", process::checksum(bytes));
    let target = format!("{target}&digest={digest}");
    ask(registry, "PUT", &target, kind, bytes);
    digest
}

fn ask(registry: &str, method: &str, target: &str, kind: &str, body: &[u8]) -> http::Answer {
    let head = format!(
        "{method} {target} HTTP/1.1\r\nHost: {registry}\r\nContent-Type: {kind}\r\nConnection: close\r\n\
         Content-Length: {}\r\n\r\n",
        body.len()
    );
    let registry = Address::parse(&format!("tcp://{registry}"));
    let answer = http::send(&registry, &[head.as_bytes(), body].concat()).unwrap();
    assert!(
        answer.status < 300,
        "{method} {target}: {} {}",
        answer.status,
        answer.text()
    );
    answer
}
