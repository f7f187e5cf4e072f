//! The reader against `serde_json`: what it takes, `serde_json` takes, with equal values; and what has a twin anywhere is
//! refused.

use std::collections::{BTreeMap, HashSet};
use std::fmt;

use proptest::prelude::*;
use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;

use super::seen::{Identified, Piece, Span};
use super::strict::{parse, parse_checked, peek};
use super::{Identity, check, text};

fn read<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, String> {
    parse(text.as_bytes()).map_err(|no| no.detail().to_owned())
}

fn strict(text: &str) -> Result<Value, String> {
    read(text)
}

#[test]
fn a_name_may_stand_once_in_each_object() {
    for text in [
        r#"{"a":1,"b":{"a":2},"c":[{"a":3},{"a":4}],"d":"a"}"#,
        r#"{"a":"b\",\"a\":1"}"#,
        r#"[{"a":1},{"a":1}]"#,
        r#"{"a":"\\","b":1}"#,
        r#"{"":1," ":2}"#,
        "[]",
        "\"a\"",
        r#"{"a":["a","a"],"b":{"c":{},"a":1}}"#,
    ] {
        assert!(strict(text).is_ok(), "{text}: {:?}", strict(text));
    }
    for text in [
        r#"{"a":1,"a":1}"#,
        r#"{"a":1,"\u0061":2}"#,
        r#"{"x":{"y":[{"a":1,"b":2,"a":3}]}}"#,
        r#"{"a":{"b":1},"c":[],"a":2}"#,
        r#"{"":1,"":2}"#,
        "{\"a\" :1 ,\n \"a\" :2}",
        r#"{"\\":1,"\\":2}"#,
        r#"{"\ud800":1,"\uD800":2}"#,
    ] {
        assert!(strict(text).unwrap_err().starts_with("a name stands twice"), "{text}");
        assert!(read::<IgnoredAny>(text).unwrap_err().starts_with("a name stands twice"), "{text}, read by nobody");
        assert!(read::<&RawValue>(text).unwrap_err().starts_with("a name stands twice"), "{text}, in a raw value");
        assert!(read::<u8>(text).unwrap_err().starts_with("a name stands twice"), "{text}, of another type");
        assert!(parse_checked::<IgnoredAny>(text).is_ok(), "{text}: who has been over it does not look again");
    }
}

#[test]
fn many_names_are_checked_too_and_too_many_refused() {
    let object = |count: usize, last: &str| {
        let names: Vec<_> = (0..count).map(|n| format!("\"n{n}\":{n}")).collect();
        format!("{{{},\"{last}\":0}}", names.join(","))
    };
    for count in [1, 15, 16, 17, 31, 32, 33, 34, 100, 4000] {
        assert!(strict(&object(count, "new")).is_ok(), "{count}");
        for twin in [0, count / 2, count - 1] {
            assert!(strict(&object(count, &format!("n{twin}"))).is_err(), "{count} {twin}");
        }
    }
    assert!(strict(&object(4095, "new")).is_ok());
    assert!(strict(&object(4096, "new")).unwrap_err().starts_with("too many names in one object"));
}

#[test]
fn depth_ends_at_127_and_the_stack_never_does() {
    let deep = |levels: usize| format!("{}1{}", "[".repeat(levels), "]".repeat(levels));
    assert!(strict(&deep(126)).is_ok());
    assert!(read::<&RawValue>(&deep(127)).is_ok());
    assert!(read::<IgnoredAny>(&deep(127)).is_ok());
    for levels in [128, 50_000] {
        assert!(read::<IgnoredAny>(&deep(levels)).unwrap_err().starts_with("nested too deeply"), "{levels}");
        assert!(strict(&deep(levels)).unwrap_err().starts_with("nested too deeply"), "{levels}");
    }
    let objects = |levels: usize| format!("{}1{}", r#"{"a":"#.repeat(levels), "}".repeat(levels));
    assert!(read::<IgnoredAny>(&objects(127)).is_ok());
    assert!(read::<IgnoredAny>(&objects(128)).is_err());
    let beside = format!("[{}]", vec![deep(126); 200].join(","));
    assert!(read::<IgnoredAny>(&beside).is_ok(), "levels that are closed do not count");
}

#[test]
fn what_is_no_json_is_refused_where_it_stops_to_be_any() {
    for (text, at) in [
        ("", 1),
        ("nul", 1),
        ("nulL", 1),
        ("01", 2),
        ("-", 2),
        ("1.", 3),
        ("1.e3", 3),
        ("1e", 3),
        ("+1", 1),
        (".5", 1),
        ("NaN", 1),
        ("[1,]", 4),
        ("[,1]", 2),
        ("[1 2]", 4),
        ("[1", 3),
        ("{\"a\"}", 5),
        ("{\"a\":}", 6),
        ("{\"a\":1,}", 8),
        ("{a:1}", 2),
        ("{\"a\":1", 7),
        ("{1:1}", 2),
        ("[}", 2),
        ("{]", 2),
        ("\"a", 3),
        ("\"\\x\"", 2),
        ("\"\\u12g4\"", 2),
        ("\"\t\"", 2),
        ("1 1", 3),
        ("\u{feff}1", 1),
        ("'a'", 1),
        ("// x\n1", 1),
        ("\u{a0}1", 1),
    ] {
        assert_eq!(check(text).unwrap_err().detail(), format!("not JSON at line 1, column {at}"), "{text:?}");
        assert!(serde_json::from_str::<IgnoredAny>(text).is_err(), "{text:?}");
    }
    assert_eq!(check("[1,\n 2,\n 3 4]").unwrap_err().detail(), "not JSON at line 3, column 4");
}

#[test]
fn half_a_surrogate_pair_is_well_formed_and_no_text() {
    let text = r#"{"a":"x\ud83d","b":1}"#;
    assert!(check(text).is_ok() && serde_json::from_str::<IgnoredAny>(text).is_ok());
    #[derive(Debug, Deserialize)]
    struct Typed {
        #[serde(rename = "b")]
        _b: u8,
    }
    assert!(read::<Typed>(text).is_ok(), "where nobody reads it");
    assert!(strict(text).unwrap_err().starts_with("a member of another type than expected"));
    assert_ne!(Identity::of_json(text.as_bytes()), Identity::of_json(text.replace("d83d", "d83e").as_bytes()));
    assert_eq!(strict(r#""\ud83d\ude00""#), Ok(Value::from("\u{1f600}")));
}

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
    borrowed: Option<std::borrow::Cow<'a, str>>,
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

/// Whether a name stands twice, asked of serde, slowly. `None`: it is no JSON.
fn has_twins(text: &str) -> Option<bool> {
    struct Walk;
    impl<'de> Deserialize<'de> for Walk {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            struct Any;
            impl<'de> Visitor<'de> for Any {
                type Value = Walk;
                fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str("JSON")
                }
                fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Walk, A::Error> {
                    let mut seen = HashSet::new();
                    while let Some(name) = map.next_key::<String>()? {
                        map.next_value::<Walk>()?;
                        if !seen.insert(name) {
                            return Err(serde::de::Error::custom("twins"));
                        }
                    }
                    Ok(Walk)
                }
                fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Walk, A::Error> {
                    while seq.next_element::<Walk>()?.is_some() {}
                    Ok(Walk)
                }
                fn visit_str<E>(self, _: &str) -> Result<Walk, E> {
                    Ok(Walk)
                }
                fn visit_u64<E>(self, _: u64) -> Result<Walk, E> {
                    Ok(Walk)
                }
                fn visit_i64<E>(self, _: i64) -> Result<Walk, E> {
                    Ok(Walk)
                }
                fn visit_f64<E>(self, _: f64) -> Result<Walk, E> {
                    Ok(Walk)
                }
                fn visit_bool<E>(self, _: bool) -> Result<Walk, E> {
                    Ok(Walk)
                }
                fn visit_unit<E>(self) -> Result<Walk, E> {
                    Ok(Walk)
                }
            }
            deserializer.deserialize_any(Any)
        }
    }
    match serde_json::from_str::<Walk>(text) {
        Ok(Walk) => Some(false),
        Err(fault) => fault.to_string().starts_with("twins").then_some(true),
    }
}

fn any_json() -> impl Strategy<Value = String> {
    let name =
        prop::sample::select(vec!["a", "b", "\\u0061", "\\\"", "\\\\", "", "{", ",", "\u{e9}", "\\u00e9", "\\/", "/"]);
    let number = "-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,6})?([eE][+-]?[0-9]{1,2})?";
    let leaf = prop_oneof![
        prop::sample::select(vec!["null", "true", "false"]).prop_map(str::to_owned),
        number.prop_map(|number| number),
        name.clone().prop_map(|text| format!("\"{text}\"")),
        "[ -!#-\\[\\]-~\u{a0}-\u{ff}]{0,80}".prop_map(|text| format!("\"{text}\"")),
    ];
    leaf.prop_recursive(4, 32, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(|all| format!("[{}]", all.join(","))),
            prop::collection::vec((name.clone(), inner), 0..5).prop_map(|all| {
                let members: Vec<_> = all.iter().map(|(name, value)| format!("\"{name}\": {value}")).collect();
                format!("{{{}}}", members.join(" , "))
            }),
        ]
    })
}

/// A document, and one with a change somewhere that mostly makes it none.
fn some_text() -> impl Strategy<Value = String> {
    let change =
        (any::<prop::sample::Index>(), prop::sample::select("\"\\{}[],:.-+eE01 \tn\u{1}u".chars().collect::<Vec<_>>()));
    (any_json(), change, any::<bool>()).prop_map(|(text, (at, letter), is_put_in)| {
        let mut letters: Vec<_> = text.chars().collect();
        let at = at.index(letters.len().max(1));
        match is_put_in {
            true => letters.insert(at.min(letters.len()), letter),
            false => _ = letters.get_mut(at).map(|old| *old = letter),
        }
        letters.into_iter().collect()
    })
}

/// Equal, but that `serde_json` may miss the last bit of a number with a fraction.
fn same(ours: &Value, theirs: &Value) -> bool {
    match (ours, theirs) {
        (Value::Number(ours), Value::Number(theirs)) if ours.is_f64() && theirs.is_f64() => {
            let (ours, theirs) = (ours.as_f64().unwrap_or(1.0), theirs.as_f64().unwrap_or(2.0));
            (ours - theirs).abs() <= ours.abs() * 4.0 * f64::EPSILON
        }
        (Value::Array(ours), Value::Array(theirs)) => {
            ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(ours, theirs)| same(ours, theirs))
        }
        (Value::Object(ours), Value::Object(theirs)) => {
            ours.len() == theirs.len()
                && ours.iter().all(|(name, ours)| theirs.get(name).is_some_and(|theirs| same(ours, theirs)))
        }
        _ => ours == theirs,
    }
}

fn agree(text: &str) -> Result<(), TestCaseError> {
    let twins = has_twins(text);
    match (strict(text), serde_json::from_str::<Value>(text)) {
        (Ok(ours), Ok(theirs)) => {
            prop_assert!(same(&ours, &theirs), "{}: {} {}", text, ours, theirs);
            prop_assert_eq!(twins, Some(false), "{}", text);
        }
        (Ok(_), Err(fault)) => prop_assert!(false, "{}: {}", text, fault),
        (Err(no), Ok(_)) => prop_assert_eq!(twins, Some(true), "{}: {}", text, no),
        (Err(_), Err(_)) => {}
    }
    let theirs = serde_json::from_str::<IgnoredAny>(text).is_ok();
    prop_assert_eq!(parse_checked::<IgnoredAny>(text).is_ok(), theirs, "{}, read by nobody", text);
    if twins.is_some() {
        prop_assert_eq!(check(text).is_ok(), twins == Some(false), "{}", text);
    }
    Ok(())
}

proptest! {
    #[test]
    fn documents_are_read_as_serde_json_reads_them_but_for_twins(text in any_json()) {
        agree(&text)?;
    }

    #[test]
    fn and_so_is_what_is_nearly_a_document(text in some_text()) {
        agree(&text)?;
    }

    #[test]
    fn and_anything(text in r#"[\[\]{}",:\\a1 .eEu-]{0,40}"#) {
        agree(&text)?;
    }

    #[test]
    fn the_identity_is_the_same_whoever_reads(text in any_json()) {
        prop_assume!(has_twins(&text) == Some(false));
        let identity = Identity::of_json(text.as_bytes());
        prop_assert_eq!(read::<Identified<'_, Value>>(&text).map(|read| read.identity), Ok(identity));
        prop_assert_eq!(read::<Identified<'_, IgnoredAny>>(&text).map(|read| read.identity), Ok(identity));
        prop_assert_eq!(read::<Identified<'_, Piece<'_>>>(&text).map(|read| read.identity), Ok(identity));
        prop_assert_eq!(read::<Identified<'_, &RawValue>>(&text).map(|read| read.identity), Ok(identity));
        prop_assert_eq!(Identity::of_checked(&text), identity);
    }

    #[test]
    fn bytes_are_text_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
        prop_assert_eq!(text(&bytes).is_ok(), std::str::from_utf8(&bytes).is_ok());
    }
}
