//! What a document says, in 16 bytes: the same for every way to write it, and another for everything else.

use std::collections::HashSet;

use proptest::prelude::*;
use proptest::sample::Index;
use tower_webhook::provider::Identity;

use crate::deliveries::BATCH;
use crate::rewriting::Doc;

fn of(json: &str) -> Identity {
    Identity::of_json(json.as_bytes())
}

/// By another program, after the definition in the docs: stores keep these for weeks, on machines of every kind.
#[test]
fn the_values_are_the_documented_ones() {
    for (json, expected) in [
        ("{}", "1b11910b0be0821dda3cb6d902132496"),
        ("[]", "b93fc34bd0ce6fd5c70955067f376aa2"),
        ("null", "63da7cfc86eab804253843ec09c03f2c"),
        ("\"null\"", "962698f1a5a7d344ec0fcf78e7fbcc5d"),
        (r#"{"type":"PAYMENT"}"#, "86248cbe3a1c84d68968dbbb119ea206"),
        (
            r#"{"a":[1,-0.50e3,true,false,null,"é\n\ud83d\ude00",{},[]],"":{"a/b":""}}"#,
            "bb0218bcbcc9aeba4360b262c4de281a",
        ),
        (BATCH, "a8760d513117e5633d20e9d3a0f12231"),
        ("<paid/>", "89d3ae1d8441126d6a2304f257dbfab1"),
        ("", "7e84dbd58c5da1e76bfb5611628cbd84"),
    ] {
        assert_eq!(of(json).to_string(), expected, "{json}");
    }
    assert_eq!(Identity::of_bytes(b"<paid/>"), of("<paid/>"));
    assert_eq!(of("{}").as_bytes()[..2], [0x1b, 0x11]);
}

#[test]
fn what_says_something_else_is_something_else() {
    let all = [
        "1",
        "1.0",
        "1e0",
        "1E0",
        "-1",
        "\"1\"",
        "true",
        "\"true\"",
        "null",
        "\"null\"",
        "{}",
        "[]",
        "\"\"",
        "\"{}\"",
        "[1]",
        "[1,1]",
        "[[1]]",
        "[1,2]",
        "[2,1]",
        "[[1],2]",
        "[[1,2]]",
        "[[],[]]",
        "[[[]]]",
        "[{}]",
        "[null]",
        r#"{"0":1}"#,
        r#"{"a":1}"#,
        r#"{"a":"1"}"#,
        r#"{"a":null}"#,
        r#"{"a":{}}"#,
        r#"{"a":[]}"#,
        r#"{"a":[1]}"#,
        r#"{"a":1,"b":2}"#,
        r#"{"a":2,"b":1}"#,
        r#"{"a":{"b":1}}"#,
        r#"{"b":{"a":1}}"#,
        r#"{"a":{"a":1}}"#,
        r#"{"ab":1}"#,
        r#"{"a":{"b":1},"c":2}"#,
        r#"{"a":{"b":1,"c":2}}"#,
        r#"{"a":{"c":2},"b":1}"#,
        r#"{"":1}"#,
        r#"{"a":""}"#,
        r#"{"":"a"}"#,
        r#"["a",""]"#,
        r#"["","a"]"#,
        r#"{"a\u0000b":1}"#,
        r#"{"a":"b","c":"d"}"#,
        r#"{"a":"d","c":"b"}"#,
        r#"["\ud800"]"#,
        r#"["\ud801"]"#,
        r#"["\\ud800"]"#,
        // Not JSON, or of two meanings: every byte counts.
        "",
        " ",
        "{",
        "{ ",
        r#"{"a":1,"a":1}"#,
        r#"{"a":1, "a":1}"#,
        "\u{feff}{}",
        "{}{}",
        "NaN",
        "01",
    ];
    let different: HashSet<_> = all.iter().map(|json| of(json)).collect();
    assert_eq!(different.len(), all.len());
}

#[test]
fn how_it_is_written_does_not_count() {
    for (one, other) in [
        (r#"{"a":1,"b":[1,{"c":"x/y"}]}"#, " {\n\"b\" : [ 1 ,{\t\"\\u0063\": \"x\\/\\u0079\"} ] , \"a\":1\r}"),
        ("\"\u{1f600}\"", r#""\ud83D\uDe00""#),
        (r#""\b\f\n\r\t\"\\\/""#, r#""\u0008\u000c\u000A\u000d\u0009\u0022\u005c/""#),
        (r#"["\ud800x"]"#, r#"["\uD800\u0078"]"#),
        ("[ ]", "[]"),
        (" 1.50 ", "1.50"),
    ] {
        assert_eq!(of(one), of(other), "{one} {other}");
    }
}

/// Ways to change what a document says.
#[derive(Clone, Debug)]
enum Change {
    Scalar,
    Move,
    Reorder,
    Remove,
}

/// Changes one of the places where this can be done. Says whether there is one.
fn change(doc: &mut Doc, how: &Change, at: &Index) -> bool {
    let mut spots = 0;
    visit(doc, &mut |here| {
        spots += usize::from(apply(&mut here.clone(), how));
        false
    });
    if spots == 0 {
        return false;
    }
    let mut left = at.index(spots);
    visit(doc, &mut |here| {
        if !apply(&mut here.clone(), how) {
            return false;
        }
        left = left.wrapping_sub(1);
        left == usize::MAX && apply(here, how)
    })
}

/// Visits every value from the outside inwards until one visit says that it was the last.
fn visit(doc: &mut Doc, see: &mut impl FnMut(&mut Doc) -> bool) -> bool {
    see(doc)
        || match doc {
            Doc::List(items) => items.iter_mut().any(|item| visit(item, see)),
            Doc::Object(members) => members.values_mut().any(|value| visit(value, see)),
            Doc::Bare(_) | Doc::Text(_) => false,
        }
}

fn apply(doc: &mut Doc, how: &Change) -> bool {
    let before = doc.clone();
    match (how, &mut *doc) {
        (Change::Scalar, Doc::Text(text)) => text.push('x'),
        (Change::Scalar, Doc::Bare(text)) => *doc = Doc::Text(text.clone()),
        (Change::Move, Doc::Object(members)) => {
            if let Some((name, value)) = members.pop_first() {
                members.insert(format!("{name}/"), value);
            }
        }
        (Change::Reorder, Doc::List(items)) if items.len() > 1 => items.rotate_left(1),
        (Change::Remove, Doc::Object(members)) => _ = members.pop_last(),
        (Change::Remove, Doc::List(items)) => _ = items.pop(),
        _ => {}
    }
    *doc != before
}

proptest! {
    #[test]
    fn a_document_that_is_written_anew_has_the_same_identity(doc in Doc::any(), one: u64, other: u64) {
        let (one, other) = (doc.write(one), doc.write(other));
        prop_assert_eq!(&Doc::read(&one), &doc, "{}", one);
        prop_assert_eq!(of(&one), of(&other), "{} {}", one, other);
    }

    #[test]
    fn a_document_that_says_something_else_has_another(
        doc in Doc::any(),
        how in prop::sample::select(vec![Change::Scalar, Change::Move, Change::Reorder, Change::Remove]),
        at: Index,
        seed: u64,
    ) {
        let mut other = doc.clone();
        prop_assume!(change(&mut other, &how, &at));
        prop_assert_ne!(&other, &doc);
        prop_assert_ne!(of(&doc.write(0)), of(&other.write(seed)), "{:?} {:?}", doc, other);
    }

    #[test]
    fn whatever_the_bytes_there_is_an_identity(bytes in prop::collection::vec(any::<u8>(), 0..60), text in r#"[\[\]{}",:\\u0a1 ]{0,40}"#) {
        let _ = (Identity::of_json(&bytes), of(&text));
    }
}
