//! A few named texts out of a JSON object, each of them once.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor};

use crate::error::{Rejection, RejectionKind};

/// The texts under these names, borrowed where they hold no escape. Other members are passed over.
///
/// A name that is missing or stands twice, a value that is no text, or anything behind the object is refused.
pub(super) fn members<'a, const N: usize>(json: &'a [u8], names: [&str; N]) -> Result<[Cow<'a, str>; N], Rejection> {
    // What is passed over is not looked at by the parser, and has to be text all the same.
    let json = std::str::from_utf8(json)
        .map_err(|_| Rejection::new(RejectionKind::BodyMalformed, "not the JSON envelope (not UTF-8)"))?;
    let mut reader = serde_json::Deserializer::from_str(json);
    let read = Members(names).deserialize(&mut reader).and_then(|found| reader.end().map(|()| found));
    // The error's own words may quote the payload; its place does not.
    read.map_err(|error| {
        let detail = format!("not the JSON envelope (line {}, column {})", error.line(), error.column());
        Rejection::new(RejectionKind::BodyMalformed, detail)
    })
}

struct Members<'n, const N: usize>([&'n str; N]);

impl<'de, const N: usize> DeserializeSeed<'de> for Members<'_, N> {
    type Value = [Cow<'de, str>; N];

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de, const N: usize> Visitor<'de> for Members<'_, N> {
    type Value = [Cow<'de, str>; N];

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = [const { None }; N];
        while let Some(Text(name)) = map.next_key()? {
            match self.0.iter().zip(&mut found).find(|(wanted, _)| **wanted == name) {
                Some((_, Some(_))) => return Err(A::Error::custom("a name twice")),
                Some((_, empty)) => *empty = Some(map.next_value::<Text<'de>>()?.0),
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        if found.iter().any(Option::is_none) {
            return Err(A::Error::custom("a name missing"));
        }
        Ok(found.map(Option::unwrap_or_default))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn named_texts_are_read_once_each_and_borrowed() {
        let [a, b] = members(br#" {"b":"2","x":{"a":[1]},"a":"1","y":null} "#, ["a", "b"]).unwrap();
        assert!(matches!((a, b), (Cow::Borrowed("1"), Cow::Borrowed("2"))));
        let [a] = members(br#"{"\u0061":"\u0031"}"#, ["a"]).unwrap();
        assert_eq!(a, "1");
    }

    #[test]
    fn anything_but_one_object_with_each_name_once_is_refused() {
        for json in [
            r#""#,
            r#"{}"#,
            r#"{"A":"1"}"#,
            r#"{"a":"1","a":"1"}"#,
            r#"{"a":"1","\u0061":"2"}"#,
            r#"{"a":1}"#,
            r#"{"a":null}"#,
            r#"{"a":["1"]}"#,
            r#"{"a":"1"}{"#,
            r#"{"a":"1"},"#,
            r#"{"a":"1",}"#,
            r#"{"a":"1""#,
            r#"["1"]"#,
            r#"[["a","1"]]"#,
            r#""a""#,
            r#"{"b":{"a":"1"}}"#,
            "\u{feff}{\"a\":\"1\"}",
        ] {
            let refused = members(json.as_bytes(), ["a"]).unwrap_err();
            assert_eq!(refused.kind(), RejectionKind::BodyMalformed, "{json}");
        }
        for json in [&b"{\"a\":\"\xFF\"}"[..], b"{\"a\":\"1\",\"b\":\"\xFF\"}", b"{\"a\":\"1\",\"\xFF\":0}"] {
            assert!(members(json, ["a"]).is_err(), "{json:?}");
        }
    }

    #[test]
    fn a_refusal_quotes_nothing() {
        let refused = members(br#"{"a":"canary"}"#, ["b"]).unwrap_err();
        assert!(!format!("{refused:?}").contains("canary"), "{refused:?}");
        let refused = members(br#"{"a":"1","b":4242}"#, ["b"]).unwrap_err();
        assert!(!format!("{refused:?}").contains("4242"), "{refused:?}");
    }
}
