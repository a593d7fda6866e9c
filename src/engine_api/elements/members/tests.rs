//! Objects, taken apart wherever their bytes are cut.

use super::*;

/// The parts, those of each cut in two the same.
fn parts(answer: &str) -> Result<Vec<String>, ElementFault> {
    let of = |pieces: &[&[u8]]| {
        let mut members = Members::new("L", 40);
        let mut found = Vec::new();
        for piece in pieces {
            let mut rest = *piece;
            while !rest.is_empty() {
                let (taken, part) = members.next(rest)?;
                found.extend(part.map(|part| match part {
                    Part::Member(bytes) => String::from_utf8(bytes).unwrap(),
                    Part::Element(bytes) => format!("- {}", String::from_utf8(bytes).unwrap()),
                    Part::Begins => "[".to_owned(),
                    Part::Ends => "]".to_owned(),
                }));
                rest = &rest[taken..];
            }
        }
        members.end().map(|()| found)
    };
    let whole = of(&[answer.as_bytes()]);
    for at in 0..answer.len() {
        let (first, second) = answer.as_bytes().split_at(at);
        assert_eq!(of(&[first, second]), whole, "{answer} at {at}");
    }
    whole
}

#[test]
fn an_object_is_taken_apart_and_its_list_by_elements() {
    for (answer, expected) in [
        ("{}", &[][..]),
        (r#"{"L":[]}"#, &["[", "]"]),
        (r#"{"L":null}"#, &[r#""L":null"#]),
        (r#"{"L" : 5 , "x":"a\"}" }"#, &[r#""L":5"#, r#""x":"a\"}""#]),
        (
            r#"{"a":{"L":[1]},"L":[{"x":"]"},2 ,"t"],"b":[3]}"#,
            &[
                r#""a":{"L":[1]}"#,
                "[",
                r#"- {"x":"]"}"#,
                "- 2",
                r#"- "t""#,
                "]",
                r#""b":[3]"#,
            ],
        ),
        (r#" {"\u004c":[1]} "#, &["[", "- 1", "]"]),
        (r#"{"a":true}"#, &[r#""a":true"#]),
    ] {
        assert_eq!(parts(answer).unwrap(), expected, "{answer}");
    }
}

#[test]
fn what_is_no_object_is_not_read() {
    let long = format!(r#"{{"a":"{}"}}"#, "x".repeat(50));
    for answer in [
        "",
        "[]",
        "null",
        "{",
        r#"{"L""#,
        r#"{"L":["#,
        r#"{"L":[1}"#,
        r#"{"L":[1]"#,
        r#"{"L":[],}"#,
        r#"{"L":[] "a":1}"#,
        r#"{"L":[],"L":[]}"#,
        r#"{"L":1,"\u004c":[1]}"#,
        r#"{"L":[]}x"#,
        r#"{"L":[]}{}"#,
        r#"{"a":}"#,
        r#"{"a" 1}"#,
        r#"{a:1}"#,
        r#"{"a":1,}"#,
        r#"{,}"#,
        r#"{"L":[1,]}"#,
        &long,
    ] {
        assert!(parts(answer).is_err(), "{answer}");
    }
}
