//! Documents, and what is nearly one.

use std::collections::HashSet;
use std::fmt;

use proptest::prelude::*;
use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;

use super::super::seen::{Identified, Piece};
use super::super::strict::parse_checked;
use super::super::{Identity, check, text};
use super::{read, strict};

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
