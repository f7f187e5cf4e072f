//! The shapes of JSON members that more than one provider needs: objects that are objects, and text that may be a number.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::event::Text;
use crate::json::Scalar;

/// A value that stands in the JSON as an object.
///
/// A derived struct would take an array too, and read its elements as members by their place.
#[derive(Debug, Default)]
pub(crate) struct Object<T>(pub(crate) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor(PhantomData))
    }
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = Object<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(Object)
    }
}

/// For a member that is an object, null or missing.
pub(crate) fn object<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::<Object<T>>::deserialize(deserializer).map(|object| object.map(|Object(inner)| inner))
}

/// For a member that is a list of objects, null or missing.
pub(crate) fn objects<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    let list = Option::<Vec<Object<T>>>::deserialize(deserializer)?.unwrap_or_default();
    Ok(list.into_iter().map(|Object(inner)| inner).collect())
}

/// For a member that some write as text and some as a number: the text, or the digits as they stand.
pub(crate) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Text>, D::Error> {
    match Option::<Scalar<'_>>::deserialize(deserializer)? {
        Some(Scalar(Some(text))) => Ok(Some(text.into())),
        Some(Scalar(None)) => Err(D::Error::custom("neither text nor number")),
        None => Ok(None),
    }
}

/// For a member of no known type: its text where it is text or a number, and nothing otherwise.
pub(crate) fn text_if_any<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Text>, D::Error> {
    Ok(Option::<Scalar<'_>>::deserialize(deserializer)?.and_then(|Scalar(text)| text.map(Text::from)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default, Deserialize, PartialEq)]
    #[serde(default)]
    struct Outer<'a> {
        #[serde(deserialize_with = "object")]
        inner: Option<Inner>,
        #[serde(borrow)]
        raw: Option<&'a str>,
    }

    #[derive(Debug, Default, Deserialize, PartialEq)]
    #[serde(default)]
    struct Inner {
        #[serde(deserialize_with = "text")]
        text: Option<Text>,
        #[serde(deserialize_with = "text_if_any")]
        any: Option<Text>,
    }

    fn read(json: &str) -> Option<Outer<'_>> {
        serde_json::from_str::<Object<Outer<'_>>>(json).ok().map(|object| object.0)
    }

    #[test]
    fn an_object_is_an_object_or_nothing_and_never_an_array() {
        assert_eq!(read(r#"{"raw":"r"}"#), Some(Outer { inner: None, raw: Some("r") }));
        assert_eq!(read(r#"{"inner":null}"#), Some(Outer::default()));
        assert_eq!(read(r#"{"inner":{}}"#), Some(Outer { inner: Some(Inner::default()), raw: None }));
        for json in [r#"[null,"r"]"#, r#"{"inner":["1","2"]}"#, r#"{"inner":[]}"#, r#"{"inner":""}"#, "null", "1"] {
            assert_eq!(read(json), None, "{json}");
        }
    }

    #[test]
    fn text_may_be_a_number_and_keeps_its_digits() {
        for (json, text) in [
            ("\"0\\u0031\"", "01"),
            ("\"01\"", "01"),
            ("\"\"", ""),
            ("\"\\\"\"", "\""),
            ("1.50", "1.50"),
            ("-0", "-0"),
            ("1e3", "1e3"),
        ] {
            let outer = format!(r#"{{"inner":{{"text":{json},"any":{json}}}}}"#);
            let inner = read(&outer).and_then(|outer| outer.inner).unwrap();
            assert_eq!((inner.text.as_deref(), inner.any.as_deref()), (Some(text), Some(text)), "{json}");
        }
        for json in ["true", "[]", "{}", "\"\\ud800\""] {
            assert_eq!(read(&format!(r#"{{"inner":{{"text":{json}}}}}"#)), None, "{json}");
            let outer = format!(r#"{{"inner":{{"any":{json}}}}}"#);
            assert_eq!(read(&outer).unwrap().inner, Some(Inner::default()), "{json}");
        }
    }
}
