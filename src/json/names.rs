//! No name twice in one object, at any depth.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use serde::de::Visitor;
use serde::{Deserialize, Deserializer};

use super::fault::malformed;
use crate::error::Rejection;

/// As deep as `serde_json` reads.
const MAX_LEVELS: usize = 127;
/// In one object. They are remembered until it ends, so that this bounds what a peer can make us hold.
const MAX_NAMES: usize = 4096;
/// Up to here a look along the list beats a hash.
const FEW_NAMES: usize = 32;

/// Refuses a name that stands twice in one object. Knows as much of JSON as that takes; the parser refuses the rest.
pub(super) fn check(text: &str) -> Result<(), Rejection> {
    let bytes = text.as_bytes();
    let mut names: Vec<Cow<'_, [u8]>> = Vec::with_capacity(FEW_NAMES);
    let mut open: Vec<Frame<'_>> = Vec::with_capacity(8);
    let mut name_next = false;
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => {
                let (end, is_plain) = string_end(bytes, at);
                if let (true, Some(frame)) = (name_next, open.last_mut()) {
                    frame
                        .add(said(text, at, end, is_plain), &mut names)
                        .map_err(|why| malformed(format!("{why} at byte {at}")))?;
                    name_next = false;
                }
                at = end;
            }
            b'{' | b'[' => {
                if open.len() == MAX_LEVELS {
                    return Err(malformed(format!("nested too deeply at byte {at}")));
                }
                name_next = *byte == b'{';
                open.push(Frame { is_object: name_next, start: names.len(), many: None });
            }
            b'}' | b']' => {
                names.truncate(open.pop().map_or(0, |frame| frame.start));
                name_next = false;
            }
            b',' => name_next = open.last().is_some_and(|frame| frame.is_object),
            _ => {}
        }
        at += 1;
    }
    Ok(())
}

/// The index of the quote that ends the string which begins at `start`, or the length of all; and whether no character
/// in it is escaped.
pub(super) fn string_end(bytes: &[u8], start: usize) -> (usize, bool) {
    let (mut at, mut is_plain) = (start + 1, true);
    loop {
        at += plain_words(bytes.get(at..).unwrap_or_default());
        match bytes.get(at) {
            Some(b'"') => return (at, is_plain),
            Some(b'\\') => (at, is_plain) = (at + 2, false),
            Some(_) => at += 1,
            None => return (bytes.len(), is_plain),
        }
    }
}

/// How many bytes there are before the first quote or backslash, or before the last eight bytes, eight at a time.
fn plain_words(bytes: &[u8]) -> usize {
    let (words, _) = bytes.as_chunks();
    let found = words.iter().map(|word| quotes(u64::from_le_bytes(*word))).enumerate().find(|(_, marks)| *marks != 0);
    match found {
        Some((word, marks)) => word * 8 + marks.trailing_zeros() as usize / 8,
        None => words.len() * 8,
    }
}

/// Marks in each byte that is a quote or a backslash: right up to the first, which is the lowest.
fn quotes(word: u64) -> u64 {
    const ONES: u64 = u64::from_ne_bytes([0x01; 8]);
    let zeros = |word: u64| word.wrapping_sub(ONES) & !word & (ONES << 7);
    zeros(word ^ (ONES * u64::from(b'"'))) | zeros(word ^ (ONES * u64::from(b'\\')))
}

/// What the string between these quotes says. In UTF-8; half a surrogate pair, which serde passes where nothing reads
/// it, is written as WTF-8 has it.
pub(super) fn said(text: &str, start: usize, end: usize, is_plain: bool) -> Cow<'_, [u8]> {
    let plain = Cow::Borrowed(text.get(start + 1..end).unwrap_or_default().as_bytes());
    match text.get(start..=end) {
        Some(quoted) if !is_plain => serde_json::from_str(quoted).map_or(plain, |Said(bytes)| Cow::Owned(bytes)),
        _ => plain,
    }
}

/// The bytes of a string: what serde_json reads so may hold half a surrogate pair.
struct Said(Vec<u8>);

impl<'de> Deserialize<'de> for Said {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_bytes(SaidVisitor)
    }
}

struct SaidVisitor;

impl Visitor<'_> for SaidVisitor {
    type Value = Said;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Said, E> {
        Ok(Said(bytes.to_vec()))
    }
}

struct Frame<'a> {
    is_object: bool,
    /// Where this object's names begin in the common list.
    start: usize,
    many: Option<HashSet<Cow<'a, [u8]>>>,
}

impl<'a> Frame<'a> {
    fn add(&mut self, name: Cow<'a, [u8]>, names: &mut Vec<Cow<'a, [u8]>>) -> Result<(), &'static str> {
        const TWICE: &str = "a name stands twice";
        if let Some(many) = &mut self.many {
            if many.len() == MAX_NAMES {
                return Err("too many names in one object");
            }
            return if many.insert(name) { Ok(()) } else { Err(TWICE) };
        }
        let mine = names.get(self.start..).unwrap_or_default();
        if mine.contains(&name) {
            return Err(TWICE);
        }
        if mine.len() < FEW_NAMES {
            names.push(name);
        } else {
            self.many = Some(names.drain(self.start..).chain([name]).collect());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;
    use serde_json::value::RawValue;

    use super::*;

    fn strict(text: &str) -> Result<Value, String> {
        parse(text)
    }

    /// As who reads does it: names first.
    fn parse<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, String> {
        check(text).map_err(|no| no.detail().to_owned())?;
        serde_json::from_str(text).map_err(|fault| fault.to_string())
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
        ] {
            assert!(strict(text).unwrap_err().starts_with("a name stands twice"), "{text}");
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
        assert!(parse::<&RawValue>(&deep(127)).is_ok());
        assert!(parse::<&RawValue>(&deep(128)).is_err());
        assert!(parse::<&RawValue>(&"[".repeat(50_000)).is_err());
    }

    #[test]
    fn a_string_ends_at_its_quote_wherever_in_a_word_it_stands() {
        for length in 0..40 {
            for (case, inside) in [("plain", "x"), ("high", "\u{e9}"), ("quote", "\\\""), ("backslash", "\\\\")] {
                for at in 0..length {
                    let text = format!("\"{}{inside}{}\",\"\\", "y".repeat(at), "z".repeat(length - at));
                    let expected = (1 + length + inside.len(), !inside.starts_with('\\'));
                    assert_eq!(string_end(text.as_bytes(), 0), expected, "{case} at {at} of {length}");
                    let open = text.get(..expected.0).unwrap().as_bytes();
                    assert_eq!(string_end(open, 0), (open.len(), expected.1), "{case} at {at} of {length}, no end");
                }
            }
        }
    }

    #[test]
    fn marks_are_right_up_to_the_first_for_every_byte() {
        for byte in 0..=u8::MAX {
            for at in 0..8 {
                let mut word = [b'x'; 8];
                word[at] = byte;
                let first = (quotes(u64::from_le_bytes(word)).trailing_zeros() / 8) as usize;
                assert_eq!(first, if matches!(byte, b'"' | b'\\') { at } else { 8 }, "{byte} at {at}");
            }
        }
    }

    /// The same question asked of serde, slowly.
    fn has_twins(text: &str) -> Option<bool> {
        struct Walk;
        impl<'de> Deserialize<'de> for Walk {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Any;
                impl<'de> serde::de::Visitor<'de> for Any {
                    type Value = Walk;
                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str("JSON")
                    }
                    fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Walk, A::Error> {
                        let mut seen = HashSet::new();
                        while let Some(name) = map.next_key::<String>()? {
                            map.next_value::<Walk>()?;
                            if !seen.insert(name) {
                                return Err(serde::de::Error::custom("twins"));
                            }
                        }
                        Ok(Walk)
                    }
                    fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut seq: A) -> Result<Walk, A::Error> {
                        while seq.next_element::<Walk>()?.is_some() {}
                        Ok(Walk)
                    }
                    fn visit_str<E>(self, _: &str) -> Result<Walk, E> {
                        Ok(Walk)
                    }
                    fn visit_u64<E>(self, _: u64) -> Result<Walk, E> {
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
        let name = prop::sample::select(vec!["a", "b", "\\u0061", "\\\"", "\\\\", "", "{", ","]);
        let leaf = prop_oneof![
            Just("1".to_owned()),
            Just("null".to_owned()),
            name.clone().prop_map(|text| format!("\"{text}\""))
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

    proptest! {
        #[test]
        fn the_scan_agrees_with_a_parser_on_every_document(text in any_json()) {
            prop_assert_eq!(Some(check(&text).is_err()), has_twins(&text), "{}", text);
        }

        #[test]
        fn the_scan_survives_what_is_not_json(text in r#"[\[\]{}",:\\a1 ]{0,40}"#) {
            let _ = check(&text);
        }
    }
}
