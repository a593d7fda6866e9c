//! The reader of JSON takes what the daemon takes in one way, and refuses the rest.

use proptest::prelude::*;

use super::*;

fn read(text: &str) -> Value {
    parse(text.as_bytes()).unwrap_or_else(|fault| panic!("{text}: {fault}"))
}

fn refuses(bytes: &[u8]) -> bool {
    matches!(parse(bytes), Err(Malformed::Json(_)))
}

#[test]
fn a_repeated_key_is_refused_at_every_depth() {
    for text in [
        r#"{"a":1,"a":1}"#,
        r#"{"a":1,"\u0061":1}"#,
        r#"{"x":{"a":1,"b":2,"a":null}}"#,
        r#"[{"a":{},"a":{}}]"#,
        r#"{"a":1,"b":2,"c":3,"b":4}"#,
        r#"{"":1,"":2}"#,
    ] {
        assert!(refuses(text.as_bytes()), "{text}");
    }
    assert_eq!(read(r#"{"a":1,"A":2}"#).members().count(), 2);
}

#[test]
fn nesting_ends_at_its_limit() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(parse(nested(MAX_DEPTH).as_bytes()).is_ok());
    assert!(refuses(nested(MAX_DEPTH + 1).as_bytes()));
    assert!(refuses(nested(100_000).as_bytes()));
    let objects = |depth: usize| format!("{}1{}", r#"{"a":"#.repeat(depth), "}".repeat(depth));
    assert!(parse(objects(MAX_DEPTH).as_bytes()).is_ok());
    assert!(refuses(objects(MAX_DEPTH + 1).as_bytes()));
}

#[test]
fn what_stands_around_the_value_is_white_space_only() {
    assert_eq!(read(" \t\r\n{} \n"), Value::Object(Vec::new()));
    for bytes in [
        &b"{}{}"[..],
        b"{}]",
        b"{}}",
        b"{},",
        b"{} x",
        b"{}\0",
        b"{}\x0c",
        b"",
        b"  ",
        b"\xef\xbb\xbf{}",
        b"{}\xef\xbb\xbf",
        b"//\n{}",
    ] {
        assert!(refuses(bytes), "{:?}", String::from_utf8_lossy(bytes));
    }
}

#[test]
fn text_is_decoded_once_and_must_be_unicode() {
    assert_eq!(read(r#""\u0041\/\n\t\"\\""#).as_text(), "A/\n\t\"\\");
    assert_eq!(read(r#""\ud83d\ude00""#).as_text(), "\u{1f600}");
    assert_eq!(read(r#""\\u0041""#).as_text(), r"\u0041");
    for bytes in [
        &br#""\ud800""#[..],
        br#""\ude00x""#,
        br#""\ud800\u0041""#,
        b"\"\xff\"",
        b"\"\xc0\xaf\"",
        b"\"\xed\xa0\x80\"",
        b"\"\n\"",
        br#""\x41""#,
        br#""\u00g0""#,
        b"'a'",
    ] {
        assert!(refuses(bytes), "{:?}", String::from_utf8_lossy(bytes));
    }
}

#[test]
fn numbers_survive_or_are_refused() {
    for text in [
        "0",
        "-1",
        "9223372036854775807",
        "-9223372036854775808",
        "18446744073709551615",
        "-0",
        "0.10",
        "1e3",
        "1.50E+07",
        "123456789012345678901234567890.123456789012345678901234567890",
        "1e-400",
    ] {
        assert_eq!(read(text).to_string(), text);
    }
    for text in [
        "01", "+1", "1.", ".5", "1e", "1e999", "-1e999", "NaN", "Infinity", "0x10", "1_000", "--1",
    ] {
        assert!(refuses(text.as_bytes()), "{text}");
    }
    // Beyond 64 bits there is no whole number, so no field that is one takes it.
    let Value::Number(large) = read("18446744073709551616") else {
        panic!("no number")
    };
    assert_eq!(large.as_i64(), None);
}

#[test]
fn the_zero_of_each_type_is_zero() {
    for text in [
        "null", "false", "0", "-0", "0.0", "0e9", r#""""#, "[]", "{}",
    ] {
        assert!(read(text).is_zero(), "{text}");
    }
    for text in ["true", "1", "0.1", r#"" ""#, "[null]", r#"{"a":null}"#] {
        assert!(!read(text).is_zero(), "{text}");
    }
}

#[test]
fn one_string_is_a_list_of_one() {
    assert_eq!(read(r#""a""#).texts().collect::<Vec<_>>(), ["a"]);
    assert_eq!(
        read(r#"["a",null,1]"#).texts().collect::<Vec<_>>(),
        ["a", "", ""]
    );
    assert_eq!(read("null").texts().count(), 0);
}

#[test]
fn a_member_that_is_null_is_absent() {
    let mut object = read(r#"{"a":null,"b":"x"}"#);
    assert_eq!(object.get("a"), None);
    assert_eq!(object.text("b"), "x");
    object.set("a", Value::Bool(true));
    object.set("c", Value::Null);
    assert_eq!(object.to_string(), r#"{"a":true,"b":"x","c":null}"#);
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(|number| Value::Number(number.into())),
        r"-?(0|[1-9][0-9]{0,30})(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,2})?"
            .prop_map(|number| Value::Number(Number::read(&number).unwrap())),
        any::<String>().prop_map(|text| Value::Text(text.into())),
    ];
    leaf.prop_recursive(6, 64, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::List),
            prop::collection::btree_map(any::<String>(), inner, 0..6).prop_map(|members| {
                Value::Object(
                    members
                        .into_iter()
                        .map(|(key, value)| (key.into(), value))
                        .collect(),
                )
            }),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read_as_the_same(value in values()) {
        let text = value.to_string();
        let read = parse(text.as_bytes()).unwrap();
        prop_assert_eq!(read.to_string(), text);
        prop_assert_eq!(read, value);
    }

    #[test]
    fn no_bytes_are_read_in_a_way_of_their_own(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(value) = parse(&bytes) {
            prop_assert_eq!(parse(value.to_string().as_bytes()).unwrap(), value);
        }
    }

    #[test]
    fn nothing_near_json_is_read_in_a_way_of_its_own(text in r#"[\[\]{}",:0-9eE.\-\\untrfalse ]{0,60}"#) {
        if let Ok(value) = parse(text.as_bytes()) {
            prop_assert_eq!(parse(value.to_string().as_bytes()).unwrap(), value);
        }
    }
}
