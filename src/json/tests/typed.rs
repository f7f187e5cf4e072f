//! Every type that serde knows.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{IgnoredAny, SeqAccess};
use serde_json::Value;
use serde_json::value::RawValue;

use super::super::seen::{Identified, Piece, Span};
use super::super::{Identity, Tried, Try, peek};
use super::read;

#[derive(Debug, Default, Deserialize, PartialEq)]
#[serde(default)]
struct Everything<'a> {
    flag: bool,
    tiny: i8,
    small: u16,
    number: Option<i64>,
    large: u128,
    negative: i128,
    float: f64,
    letter: Option<char>,
    text: String,
    #[serde(borrow)]
    borrowed: Option<Cow<'a, str>>,
    nothing: (),
    pair: Option<(u8, String)>,
    list: Vec<Option<u8>>,
    map: BTreeMap<String, Value>,
    numbered: BTreeMap<u32, bool>,
    by_word: BTreeMap<Word, u8>,
    word: Option<Word>,
    shape: Option<Shape>,
    wrapped: Option<Wrapped>,
    marker: Option<Marker>,
    inner: Option<Box<Everything<'a>>>,
    tagged: Option<Tagged>,
    any: Option<Any>,
}

#[derive(Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd)]
enum Word {
    Yes,
    No,
}

#[derive(Debug, Deserialize, PartialEq)]
enum Shape {
    Point,
    Circle(f64),
    Line(u8, u8),
    Box { width: u8 },
}

#[derive(Debug, Deserialize, PartialEq)]
struct Wrapped(u8);

#[derive(Debug, Deserialize, PartialEq)]
struct Marker;

#[derive(Debug, Deserialize, PartialEq)]
#[serde(tag = "kind")]
enum Tagged {
    A { x: u8 },
    B,
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(untagged)]
enum Any {
    Number(i32),
    Text(String),
    List(Vec<Any>),
}

const NAMES: [&str; 24] = [
    "flag", "tiny", "small", "number", "large", "negative", "float", "letter", "text", "borrowed", "nothing", "pair",
    "list", "map", "numbered", "by_word", "word", "shape", "wrapped", "marker", "inner", "tagged", "any", "unknown",
];

/// Texts of values that fit some of the types above, and of such that fit none.
const VALUES: [&str; 54] = [
    "true",
    "false",
    "null",
    "0",
    "-0",
    "7",
    "-7",
    "255",
    "256",
    "-129",
    "65536",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775809",
    "340282366920938463463374607431768211456",
    "1.5",
    "-2.25e3",
    "1E2",
    "1e999",
    "0.1",
    "123456789.125",
    "\"\"",
    "\"x\"",
    "\"Yes\"",
    "\"N\\u006f\"",
    "\"Point\"",
    "\"\\u00e9\\n\"",
    "\"\u{e9}\u{1f600}\"",
    "\"\\ud83d\\ude00\"",
    "\"\\ud83d\"",
    "\"1\"",
    "[]",
    "[1]",
    "[1,null,3]",
    "[1,\"x\"]",
    "[1,\"x\",2]",
    "[ [ ] , { } ]",
    "{}",
    "{\"1\":true}",
    "{\"x\":true}",
    "{\"01\":true}",
    "{\"-1\":false}",
    "{\"Yes\":1,\"No\":2}",
    "{\"Circle\":1}",
    "{\"Circle\":[1]}",
    "{\"Line\":[1,2]}",
    "{\"Line\":[1,2,3]}",
    "{\"Box\":{\"width\":3}}",
    "{\"Box\":[3]}",
    "{\"Point\":null}",
    "{\"Circle\":1,\"Line\":[1,2]}",
    "{\"kind\":\"A\",\"x\":1}",
    "{\"x\":1,\"kind\":\"A\"}",
    "{\"kind\":\"B\"}",
];

#[test]
fn every_type_is_read_as_serde_json_reads_it() {
    let mut taken = 0;
    for name in NAMES {
        for value in VALUES {
            let text = format!("{{ \"{name}\" : {value} }}");
            let (ours, theirs) = (read::<Everything<'_>>(&text), serde_json::from_str::<Everything<'_>>(&text));
            assert_eq!(ours.as_ref().ok(), theirs.as_ref().ok(), "{text}: {ours:?}, {theirs:?}");
            taken += usize::from(ours.is_ok());
        }
    }
    assert!(taken > 150, "{taken}");
    for text in ["[]", "[true]", "7", "null"] {
        let (ours, theirs) = (read::<Everything<'_>>(text), serde_json::from_str::<Everything<'_>>(text));
        assert_eq!(ours.ok(), theirs.ok(), "{text}");
    }
}

#[test]
fn keys_are_read_as_serde_json_reads_them() {
    fn same<T: for<'a> Deserialize<'a> + PartialEq + fmt::Debug + Ord>() {
        for key in
            ["0", "-1", "1", "255", "256", "300", "true", "x", "", "01", "+1", " 1", "\\u0031", "Yes", "-0", "1.5"]
        {
            let text = format!("{{\"{key}\":0}}");
            let ours = read::<BTreeMap<T, u8>>(&text).ok();
            let theirs = serde_json::from_str::<BTreeMap<T, u8>>(&text).ok();
            assert!(ours.is_none() || ours == theirs, "{text}: {ours:?}, {theirs:?}");
            assert!(theirs.is_none() || ours == theirs || key.contains('\\'), "{text}: {ours:?}, {theirs:?}");
        }
    }
    same::<String>();
    same::<u8>();
    same::<i64>();
    same::<u128>();
    same::<bool>();
    same::<char>();
    same::<Word>();
    same::<Option<String>>();
}

#[test]
fn a_borrowed_text_is_a_slice_and_a_raw_value_is_what_was_written() {
    let text = r#"{"a":"plain","b":{ "c": [1.50, "\u0061"] },"d":1.50}"#;
    #[derive(Deserialize)]
    struct Raw<'a> {
        a: &'a str,
        #[serde(borrow)]
        b: &'a RawValue,
        d: Box<RawValue>,
    }
    let raw: Raw<'_> = read(text).unwrap();
    assert_eq!((raw.a.as_ptr(), raw.b.get().as_ptr()), (text[6..].as_ptr(), text[17..].as_ptr()));
    assert_eq!((raw.b.get(), raw.d.get()), (r#"{ "c": [1.50, "\u0061"] }"#, "1.50"));
    assert!(read::<Raw<'_>>(&text.replace("plain", "pl\\u0061in")).is_err(), "nothing to borrow");
}

#[test]
fn a_value_leaves_its_text_and_its_identity_behind() {
    #[derive(Deserialize)]
    struct Outer<'a> {
        #[serde(borrow)]
        span: Span<'a, Vec<u8>>,
        #[serde(borrow)]
        whole: Option<Identified<'a, BTreeMap<String, Value>>>,
        #[serde(borrow)]
        piece: Identified<'a, Piece<'a>>,
        none: Option<Identified<'a, Value>>,
    }
    let text = r#"{"before":[1],"span": [1, 2] ,"whole": {"x" : {"y":[null,1.50]}}, "piece":  "\u0061","none":null}"#;
    let outer: Outer<'_> = read(text).unwrap();
    assert_eq!((outer.span.value, outer.span.text), (vec![1, 2], "[1, 2]"));
    let whole = outer.whole.unwrap();
    assert_eq!(whole.text, r#"{"x" : {"y":[null,1.50]}}"#);
    assert_eq!(whole.identity, Identity::of_json(br#"{"x":{"y":[null,1.50]}}"#));
    assert_eq!((outer.piece.value.0, outer.piece.text), (r#""\u0061""#, r#""\u0061""#));
    assert_eq!(outer.piece.identity, Identity::of_json(br#""a""#));
    assert!(outer.none.is_none());
    assert_eq!(serde_json::from_str::<Piece<'_>>(" [1, 2] ").unwrap().0, "[1, 2]");
    assert!(serde_json::from_str::<Span<'_, Value>>("[1,2]").is_err(), "of another reader there is none");
}

#[test]
fn a_look_ahead_ends_where_members_have_members() {
    for (text, found) in [
        (r#" { "n" : 1.5 , "event" : "a" , "data" : {} }"#, Some("a")),
        (r#"{"event":"\u0061"}"#, Some("a")),
        (r#"{"event":1}"#, None),
        (r#"{"event":{}}"#, None),
        (r#"{"data":{"event":"b"},"event":"a"}"#, None),
        (r#"{"list":[],"event":"a"}"#, None),
        (r#"{"events":"a"}"#, None),
        (r#"{"event":"\ud800"}"#, None),
        ("[]", None),
        ("\"event\"", None),
        (r#"{"event":"#, None),
        ("", None),
    ] {
        assert_eq!(peek(text, "event").as_deref(), found, "{text}");
    }
}

#[derive(Debug, PartialEq)]
enum Either {
    Number(u8),
    Texts(BTreeMap<String, String>),
}

impl<'de> Try<'de> for Either {
    fn read<A: SeqAccess<'de>>(ahead: &'de str, mut value: A) -> Result<Option<Self>, A::Error> {
        match ahead.as_bytes().first() {
            Some(b'0'..=b'9') => Ok(value.next_element()?.map(Self::Number)),
            Some(b'{') => Ok(value.next_element()?.map(Self::Texts)),
            _ => value.next_element::<IgnoredAny>().map(|_| None),
        }
    }
}

fn tried(text: &str) -> Result<Vec<(Option<Either>, &str)>, String> {
    let tried: Vec<Tried<'_, Either>> = read(text)?;
    Ok(tried.into_iter().map(|tried| (tried.value, tried.text)).collect())
}

#[test]
fn a_value_is_tried_as_what_it_looks_like_and_may_be_something_else() {
    let texts = |name: &str| Some(Either::Texts([(name.to_owned(), "t".to_owned())].into()));
    let text = r#"[ 7 , 700,{"a":"t"} ,{"a":"t","b":{"a":[1]},"c":7},{"b" :"t"}, "x",-1,{"a":{"a":7}}]"#;
    let expected = vec![
        (Some(Either::Number(7)), "7"),
        (None, "700"),
        (texts("a"), r#"{"a":"t"}"#),
        (None, r#"{"a":"t","b":{"a":[1]},"c":7}"#),
        (texts("b"), r#"{"b" :"t"}"#),
        (None, "\"x\""),
        (None, "-1"),
        (None, r#"{"a":{"a":7}}"#),
    ];
    assert_eq!(tried(text).unwrap(), expected);
    assert!(serde_json::from_str::<Tried<'_, Either>>("7").is_err(), "of another reader there is none");
}

#[test]
fn what_is_tried_in_vain_is_strict_all_the_same() {
    for (text, told) in [
        (r#"[{"a":"t","a":"t"}]"#, "a name stands twice at byte 10"),
        (r#"[{"a":7,"a":"t"}]"#, "a name stands twice at byte 8"),
        (r#"[{"a":7,"b":{"c":1,"\u0063":2}}]"#, "a name stands twice at byte 19"),
        (r#"[{"a":7,"b":]}]"#, "not JSON at line 1, column 13"),
        (r#"[700x]"#, "not JSON at line 1, column 5"),
        (r#"[{"a":7}"#, "not JSON at line 1, column 9"),
        ("[ ", "not JSON at line 1, column 3"),
    ] {
        assert_eq!(tried(text).unwrap_err(), told, "{text}");
    }
    let deep = |levels: usize| format!(r#"[{{"a":{}{}}}]"#, "[".repeat(levels), "]".repeat(levels));
    assert_eq!(tried(&deep(125)).unwrap().len(), 1);
    assert!(tried(&deep(126)).unwrap_err().starts_with("nested too deeply"));
}

#[test]
fn the_names_round_what_is_tried_in_vain_stay_known() {
    #[derive(Debug, Deserialize)]
    struct Outer<'a> {
        #[serde(borrow)]
        list: Vec<Tried<'a, Either>>,
    }
    let outer: Outer<'_> = read(r#"{"a":1,"list":[{"x":"t","a":7}],"x":2}"#).unwrap();
    assert!(outer.list.iter().all(|tried| tried.value.is_none()));
    let twice = read::<Outer<'_>>(r#"{"a":1,"list":[{"x":"t","a":7}],"a":2}"#).unwrap_err();
    assert_eq!(twice, "a name stands twice at byte 32");
}
