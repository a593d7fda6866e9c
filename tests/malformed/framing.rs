//! Bodies whose end can be read in two ways.

use super::Expect::{Forwarded, Refused, Safe};
use super::{HIDDEN, check};

/// A body that is judged.
const BODY: &str = r#"{"Name":"kept"}"#;
const CREATE: &str = "POST /v1.41/volumes/create";

#[test]
fn refuses_lengths_that_have_two_readings() {
    let refused = [
        "Content-Length: 15\r\nContent-Length: 0",
        "Content-Length: 0\r\nContent-Length: 15",
        "Content-Length: 15, 0",
        "Content-Length: +15",
        "Content-Length: -1",
        "Content-Length: 0x0F",
        "Content-Length: 1 5",
        "Content-Length: 15.0",
        "Content-Length: ",
        "Content-Length: 18446744073709551631",
        "Content-Length: 99999999999999999999999999999999",
        "Content-Length : 15",
        "Content-Length\t: 15",
        " Content-Length: 15",
        "Content-Length: 15\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 15",
        "Transfer-Encoding: chunked\r\nContent-Length: 0",
    ];
    let mut cases: Vec<_> = refused
        .iter()
        .map(|lines| (*lines, post(lines, BODY), Refused))
        .collect();
    for lines in [
        "Content-Length: 15\r\nContent-Length: 15",
        "Content-Length: 15, 15",
        "Content-Length: 015",
    ] {
        cases.push((lines, post(lines, BODY), Safe(CREATE, BODY)));
    }
    let right = "content-length:   15\t ";
    cases.push((right, post(right, BODY), Forwarded(CREATE, BODY)));
    // One policy streams the body to the daemon as it comes, the other judges it whole.
    check("open", &cases);
    check("guarded", &cases);
}

#[test]
fn refuses_transfer_codings_that_have_two_readings() {
    let chunks = format!("f\r\n{BODY}\r\n0\r\n\r\n");
    let hiding = format!("0\r\n\r\n{HIDDEN}");
    let refused = [
        "Transfer-Encoding: xchunked",
        "Transfer-Encoding: chunkedx",
        "Transfer-Encoding: chunked, identity",
        "Transfer-Encoding: chunked, gzip",
        "Transfer-Encoding: identity",
        "Transfer-Encoding: gzip",
        "Transfer-Encoding: \"chunked\"",
        "Transfer-Encoding: 'chunked'",
        "Transfer-Encoding: chunked;q=0",
        "Transfer-Encoding: \x0bchunked",
        "Transfer-Encoding: chunked\x0b",
        "Transfer-Encoding: chunked\0",
        "Transfer-Encoding:\r\n chunked",
        "Transfer-Encoding : chunked",
        "Transfer-Encoding\t: chunked",
        "\tTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\rX: y",
        "X: y\rTransfer-Encoding: chunked",
        "X: y\nTransfer-Encoding: chunked",
        "Transfer-Encoding: ",
        "Transfer-Encoding: ,",
    ];
    let mut cases = Vec::new();
    for lines in refused {
        cases.push((lines, post(lines, &chunks), Refused));
        // With a length as well, so that a reader who does not know the coding sees the hidden part as body.
        let both = format!("Content-Length: {}\r\n{lines}", hiding.len());
        cases.push((lines, post(&both, &hiding), Refused));
    }
    for lines in [
        "Transfer-Encoding: chunked, chunked",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: identity, chunked",
        "Transfer-Encoding: gzip, chunked",
        "Transfer-Encoding: ,chunked",
        "Transfer-Encoding: cHuNkEd",
        "Transfer-Encoding:\tchunked",
        "Transfer-Encoding: chunked \t",
    ] {
        cases.push((lines, post(lines, &chunks), Safe(CREATE, BODY)));
    }
    cases.push((
        "chunked",
        post("Transfer-Encoding: chunked", &chunks),
        Forwarded(CREATE, BODY),
    ));
    // One policy streams the body to the daemon as it comes, the other judges it whole.
    check("open", &cases);
    check("guarded", &cases);
}

#[test]
fn refuses_chunks_that_have_two_readings() {
    let refused = [
        "10000000000000000f\r\n",
        "ffffffffffffffff\r\n",
        "-f\r\n",
        "+f\r\n",
        "0xf\r\n",
        "f g\r\n",
        "\r\n",
        ";\r\n",
        "g\r\n",
        "f\0\r\n",
        "f\rX\r\n",
    ];
    let sent = |size: &str| {
        post(
            "Transfer-Encoding: chunked",
            &format!("{size}{BODY}\r\n0\r\n\r\n"),
        )
    };
    let mut cases: Vec<_> = refused
        .iter()
        .map(|size| (*size, sent(size), Refused))
        .collect();
    for size in [
        "f\n",
        "f;a=b\r\n",
        "f;a=\"b\nc\"\r\n",
        "f \r\n",
        "f;\0\r\n",
        "00000000000000000000f\r\n",
        "F\r\n",
    ] {
        cases.push((size, sent(size), Safe(CREATE, BODY)));
    }
    let raw = |body: &str| post("Transfer-Encoding: chunked", body);
    let short = format!("e\r\n{BODY}\r\n0\r\n\r\n");
    cases.push(("data longer than its size", raw(&short), Refused));
    let open = format!("f\r\n{BODY}0\r\n\r\n");
    cases.push(("no line end after the data", raw(&open), Refused));
    let open = format!("f\r\n{BODY}XX0\r\n\r\n");
    cases.push(("another end after the data", raw(&open), Refused));
    let trailer = format!("f\r\n{BODY}\r\n0\r\nContent-Length: 3\r\nX-Registry-Auth: e30=\r\n\r\n");
    cases.push(("trailers", raw(&trailer), Safe(CREATE, BODY)));
    // One policy streams the body to the daemon as it comes, the other judges it whole.
    check("open", &cases);
    check("guarded", &cases);
}

fn post(lines: &str, body: &str) -> Vec<u8> {
    format!("{CREATE} HTTP/1.1\r\nHost: docker\r\n{lines}\r\n\r\n{body}").into_bytes()
}
