//! Heads of requests read by the gate and by a second parser: what the gate takes, the other reads in the same way.

use dockgate::http1::{HeadSearch, Request};
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn what_the_gate_takes_another_parser_reads_alike(head in head()) {
        let Ok(Some(end)) = HeadSearch::default().end(&head) else { return Ok(()) };
        let Ok(request) = Request::parse(&head[..end], 64) else { return Ok(()) };

        let mut headers = [httparse::EMPTY_HEADER; 64];
        let mut other = httparse::Request::new(&mut headers);
        let read = other.parse(&head);

        prop_assert_eq!(read, Ok(httparse::Status::Complete(end)), "{}", shown(&head));
        prop_assert_eq!(other.method, Some(&*request.method));
        prop_assert_eq!(other.path, Some(request.target.as_str()));
        let lines: Vec<_> = request.headers.iter().collect();
        let others: Vec<_> = other.headers.iter().map(|line| (line.name.as_bytes(), line.value)).collect();
        prop_assert_eq!(lines, others, "{}", shown(&head));
    }
}

#[test]
fn ordinary_heads_are_taken() {
    let head = b"POST /v1.41/containers/create?name=a HTTP/1.1\r\nHost: docker\r\nContent-Length: 2\r\n\r\n";
    assert_eq!(HeadSearch::default().end(head), Ok(Some(head.len())));
    assert!(Request::parse(head, 64).is_ok());
}

/// A head that is right but for a few bytes.
fn head() -> impl Strategy<Value = Vec<u8>> {
    let line = prop_oneof![
        Just("Host: docker"),
        Just("Content-Length: 5"),
        Just("Transfer-Encoding: chunked"),
        Just("Connection: Upgrade"),
        Just("Empty:"),
        Just("A: b, c ; d=\"e\""),
        Just(" folded"),
    ];
    let start = prop_oneof![
        Just("GET /_ping HTTP/1.1"),
        Just("POST /build?t=a%20b HTTP/1.0"),
        Just("DELETE /containers/a?v=1 HTTP/1.1"),
    ];
    let odd = prop::sample::select(b"\r\n\t\0 :;,%\x0b\x0c\x7f\x80aZ/#?".to_vec());
    let change = (any::<prop::sample::Index>(), odd, 0..3_u8);
    (
        start,
        prop::collection::vec(line, 0..5),
        prop::collection::vec(change, 0..3),
    )
        .prop_map(|(start, lines, changes)| {
            let mut head = format!("{start}\r\n").into_bytes();
            for line in lines {
                head.extend_from_slice(format!("{line}\r\n").as_bytes());
            }
            head.extend_from_slice(b"\r\n");
            for (place, byte, how) in changes {
                let at = place.index(head.len());
                match how {
                    0 => head[at] = byte,
                    1 => head.insert(at, byte),
                    _ => drop(head.remove(at)),
                }
            }
            head
        })
}

fn shown(head: &[u8]) -> String {
    head.escape_ascii().to_string()
}
