//! What is refused, and where.

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;
use serde_json::value::RawValue;

use super::super::strict::parse_checked;
use super::super::{Identity, check};
use super::{read, strict};

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
