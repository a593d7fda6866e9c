//! Elements, in pieces of any size.

use proptest::prelude::*;

use super::*;
use crate::engine_api::json;
use crate::engine_api::key::Key;

const LIMIT: usize = 200;

/// The elements of `text`, given in pieces that end at `cuts`.
fn split(form: Form, text: &str, cuts: &[usize]) -> Result<Vec<String>, ElementFault> {
    let mut elements = Elements::new(form, LIMIT);
    let mut found = Vec::new();
    let mut ends: Vec<usize> = cuts.iter().map(|cut| cut % (text.len() + 1)).collect();
    ends.push(text.len());
    ends.sort_unstable();
    let mut start = 0;
    for end in ends {
        let mut piece = &text.as_bytes()[start..end];
        start = end;
        while !piece.is_empty() {
            let (taken, element) = elements.next(piece)?;
            found.extend(element.map(|bytes| String::from_utf8(bytes).unwrap()));
            piece = &piece[taken..];
        }
    }
    elements.end()?;
    Ok(found)
}

fn array(text: &str) -> Result<Vec<String>, ElementFault> {
    split(Form::Array, text, &[])
}

#[test]
fn finds_the_elements_of_an_array() {
    let text = " [ {\"a\":\"]},\\\"\\\\\"} ,[[1],2],\"x]\\\",\", 1e5,true ,null]\n";
    let elements = [
        "{\"a\":\"]},\\\"\\\\\"}",
        "[[1],2]",
        "\"x]\\\",\"",
        "1e5",
        "true",
        "null",
    ];
    assert_eq!(array(text).unwrap(), elements);
    assert_eq!(array("[]"), Ok(Vec::new()));
    assert_eq!(array("null\n"), Ok(Vec::new()));
}

#[test]
fn finds_objects_in_a_row() {
    let text = "{\"a\":{}}\n{}{\"b\":\"}{\"}\n";
    let found = split(Form::Row, text, &[]).unwrap();
    assert_eq!(found, ["{\"a\":{}}", "{}", "{\"b\":\"}{\"}"]);
    assert_eq!(split(Form::Row, "", &[]), Ok(Vec::new()));
}

#[test]
fn an_object_in_a_row_is_whole_with_its_last_byte() {
    let mut row = Elements::new(Form::Row, LIMIT);
    assert_eq!(row.next(b"{\"a\":").unwrap(), (5, None));
    let last = row.next(b"1}").unwrap();
    assert_eq!(last, (2, Some(b"{\"a\":1}".to_vec())));
}

#[test]
fn what_is_no_array_is_a_fault() {
    for (text, fault) in [
        ("{}", ElementFault::NotAnArray),
        ("nul", ElementFault::CutShort),
        ("nullx", ElementFault::NotAnArray),
        ("null null", ElementFault::NotAnArray),
        ("", ElementFault::CutShort),
        ("[", ElementFault::CutShort),
        ("[{}", ElementFault::CutShort),
        ("[{},", ElementFault::CutShort),
        ("[{},]", ElementFault::Between),
        ("[,{}]", ElementFault::Between),
        ("[{}{}]", ElementFault::Between),
        ("[{} 1]", ElementFault::Between),
        ("[{\"a\":\"]", ElementFault::CutShort),
        ("[]{}", ElementFault::After),
        ("[][", ElementFault::After),
    ] {
        assert_eq!(array(text), Err(fault), "{text}");
    }
    for text in ["\u{1e}{}", "[{}]", "1", "{} ,{}"] {
        assert_eq!(
            split(Form::Row, text, &[]),
            Err(ElementFault::NotARow),
            "{text}"
        );
    }
    let cut = split(Form::Row, "{}{", &[]);
    assert_eq!(cut, Err(ElementFault::CutShort));
}

#[test]
fn an_element_is_bounded_and_their_number_is_not() {
    let long = format!("[\"{}\"]", "x".repeat(LIMIT));
    let fault = ElementFault::TooLarge { limit: LIMIT };
    for cuts in [vec![], (0..long.len()).collect()] {
        assert_eq!(split(Form::Array, &long, &cuts), Err(fault));
    }
    let many = format!("[{}1]", "{},".repeat(LIMIT));
    assert_eq!(array(&many).unwrap().len(), LIMIT + 1);
}

fn key(pattern: &'static str) -> impl Strategy<Value = Key> {
    pattern.prop_map(Key::from)
}

fn element() -> impl Strategy<Value = json::Value> {
    let text = "[a\"\\\\\\]\\[{}, :\u{e9}\n]{0,6}".prop_map(|text| json::Value::Text(text.into()));
    let plain = prop_oneof![
        Just(json::Value::Null),
        any::<bool>().prop_map(json::Value::Bool),
        any::<i64>().prop_map(|number| json::Value::Number(number.into())),
        text,
    ];
    plain.prop_recursive(3, 12, 3, |inner| {
        let member = (key("[ab\"\\]}]{0,3}"), inner.clone());
        prop_oneof![
            prop::collection::vec(inner, 0..3).prop_map(json::Value::List),
            prop::collection::vec(member, 0..2).prop_map(json::Value::Object),
        ]
    })
}

proptest! {
    #[test]
    fn any_array_in_any_pieces_gives_its_elements(
        items in prop::collection::vec(element(), 0..6),
        spaces in "[ \n\t]{0,2}",
        cuts in prop::collection::vec(any::<usize>(), 0..12),
    ) {
        let texts: Vec<String> = items.iter().map(ToString::to_string).collect();
        prop_assume!(texts.iter().all(|text| text.len() <= LIMIT));
        let separator = format!("{spaces},{spaces}");
        let text = format!("{spaces}[{spaces}{}{spaces}]{spaces}", texts.join(&separator));
        prop_assert_eq!(split(Form::Array, &text, &cuts), Ok(texts));
    }

    #[test]
    fn any_row_in_any_pieces_gives_its_objects(
        items in prop::collection::vec(prop::collection::vec((key("[ab\"]{0,3}"), element()), 0..2), 0..5),
        cuts in prop::collection::vec(any::<usize>(), 0..12),
    ) {
        let texts: Vec<String> = items.into_iter().map(|members| json::Value::Object(members).to_string()).collect();
        prop_assume!(texts.iter().all(|text| text.len() <= LIMIT));
        prop_assert_eq!(split(Form::Row, &texts.join("\n"), &cuts), Ok(texts));
    }

    #[test]
    fn what_is_read_in_pieces_is_read_alike(text in "[\\[\\]{},\":a1n \\\\]{0,20}", cuts in prop::collection::vec(any::<usize>(), 0..12)) {
        for form in [Form::Array, Form::Row] {
            let whole = split(form, &text, &[]);
            let pieces = split(form, &text, &cuts);
            prop_assert_eq!(whole.is_ok(), pieces.is_ok());
            prop_assert!(whole == pieces || whole.is_err());
        }
    }
}
