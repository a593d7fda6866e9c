//! Request lines and paths that can be read in two ways.

use super::Expect::{Refused, Safe};
use super::{LIST, check};

#[test]
fn refuses_request_lines_that_have_two_readings() {
    let line = |line: &str| format!("{line}\r\nHost: docker\r\n\r\n").into_bytes();
    let mut cases = Vec::new();
    for refused in [
        "GET /v1.41/images/json",
        "GET /v1.41/images/json HTTP/0.9",
        "GET /v1.41/images/json HTTP/2.0",
        "GET /v1.41/images/json HTTP/1.1 HTTP/1.1",
        "GET /v1.41/images/json http/1.1",
        "GET  /v1.41/images/json HTTP/1.1 x",
        "GET /v1.41/images/j son HTTP/1.1",
        "GET /v1.41/images/json\0 HTTP/1.1",
        "GET\0 /v1.41/images/json HTTP/1.1",
        "G@T /v1.41/images/json HTTP/1.1",
        "get /v1.41/images/json HTTP/1.1",
        "FETCH /v1.41/images/json HTTP/1.1",
        "CONNECT /v1.41/images/json HTTP/1.1",
        "CONNECT 127.0.0.1:22 HTTP/1.1",
        "TRACE /v1.41/images/json HTTP/1.1",
        "OPTIONS * HTTP/1.1",
        "GET * HTTP/1.1",
        "GET v1.41/images/json HTTP/1.1",
        " GET /v1.41/images/json HTTP/1.1",
        "PRI * HTTP/2.0",
    ] {
        cases.push((refused, line(refused), Refused));
    }
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0".to_vec();
    cases.push(("an HTTP/2 preface", preface, Refused));
    for (safe, seen) in [
        ("GET  /v1.41/images/json HTTP/1.1", LIST),
        ("GET http://docker/v1.41/images/json HTTP/1.1", LIST),
        (
            "GET http://other@docker:80/v1.41/images/json HTTP/1.1",
            LIST,
        ),
        ("GET /v1.41/images/json HTTP/1.0", LIST),
        ("GET /v1.41/images/json#part HTTP/1.1", LIST),
    ] {
        cases.push((safe, line(safe), Safe(seen, "")));
    }
    check("open", &cases);
}

#[test]
fn refuses_paths_that_have_two_readings() {
    let mut cases = Vec::new();
    let get = |target: &str| format!("GET {target} HTTP/1.1\r\nHost: docker\r\n\r\n").into_bytes();
    for refused in [
        "//v1.41/images/json",
        "/v1.41//images/json",
        "/v1.41/./images/json",
        "/v1.41/containers/../images/json",
        "/v1.41/images/json/..",
        "/v1.41/%2e/images/json",
        "/v1.41/containers/%2e%2e/images/json",
        "/v1.41/containers/%2E./images/json",
        "/v1.41/%252e%252e/images/json",
        "/v1.41/images%2fjson",
        "/v1.41%2fimages/json",
        "/v1.41/containers/a%2f..%2fb/json",
        "/v1.41/containers/a%2fb/json",
        "/v1.41/containers/a%00/json",
        "/v1.41/containers/a%0d%0aX:%20y/json",
        "/v1.41/containers/a%0ab/json",
        "/v1.41/containers/a%2500/json",
        "/v1.41/containers/a%/json",
        "/v1.41/containers/a%4/json",
        "/v1.41/containers/a%zz/json",
        "/v1.41/containers/a\\b/json",
        "/v1.41/containers/a%5cb/json",
        "/v1.41/containers/%ff/json",
        "/v1.41/containers/a;b/json",
        "/v1.41/containers/\u{e9}/json",
        "/v1.041/images/json",
        "/v1.41.0/images/json",
        "/v01.41/images/json",
        "/v1./images/json",
        "/v1.99999999/images/json",
        "/containers/json?all=1&all=0",
        "/containers/json?all=%zz",
        "/containers/json?all=1;limit=1",
    ] {
        cases.push((refused, get(refused), Refused));
    }
    for (safe, seen) in [
        ("/v1.41/%69mages/json", LIST),
        ("/v1.41/images/json?", LIST),
        ("/v1.41/images/json?=", LIST),
        ("/v1.41/images/json?unknown=x&unknown=y", LIST),
        ("/v1.41/images/json?%61ll=1", "GET /v1.41/images/json?all=1"),
    ] {
        cases.push((safe, get(safe), Safe(seen, "")));
    }
    check("open", &cases);
}
