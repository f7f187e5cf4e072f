//! Lenient reading, for members that nobody but us has promised: one that cannot be read as its type is absent.
//!
//! First everything is read as it should be. Only when that fails, a second look goes member by member, and leaves out
//! what cannot be read, unless it is on the list of those that must be.

use std::cell::RefCell;
use std::fmt;

use serde::de::value::StrDeserializer;
use serde::de::{DeserializeSeed, Error as _, IgnoredAny, IntoDeserializer as _, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Error;
use serde_json::value::RawValue;

use super::fault::{describe, malformed};
use super::strict::parse_checked;
use crate::error::Rejection;

/// The names of members that could not be read and are absent, each once. Names of the typed model, and no others: what
/// the model does not know is never read.
#[derive(Clone, Debug, Default)]
pub(crate) struct Absent(Vec<String>);

impl Absent {
    /// More than any model has that could go wrong at once.
    const MAX: usize = 32;

    fn note(&mut self, name: &str) {
        if self.0.len() < Self::MAX && !self.0.iter().any(|known| known == name) {
            self.0.push(name.to_owned());
        }
    }

    pub(crate) fn into_names(self) -> Vec<String> {
        self.0
    }
}

/// Reads a typed value from a piece of text that [`parse`](super::parse) or [`one_meaning`](super::one_meaning) has been over. A
/// member that cannot be read as its type is taken as null, and its name noted, unless its name is one of `strict` or
/// null is no value of its type either.
pub(crate) fn parse_leniently<'a, T: Deserialize<'a>>(
    text: &'a str,
    strict: &[&str],
    absent: &mut Absent,
) -> Result<T, Rejection> {
    match serde_json::from_str(text) {
        Ok(value) => return Ok(value),
        Err(fault) if !fault.is_data() => return Err(malformed(describe(&fault))),
        // The text may end too soon or too late behind what could not be read.
        Err(_) => parse_checked::<IgnoredAny>(text)?,
    };
    let context = Context { strict, absent: RefCell::new(absent), failed: RefCell::default() };
    T::deserialize(Lenient { text, context: &context }).map_err(|fault| match context.failed.take() {
        Some(name) => malformed(format!("the member `{name}` cannot be read")),
        None => malformed(describe(&fault)),
    })
}

struct Context<'c> {
    strict: &'c [&'c str],
    absent: RefCell<&'c mut Absent>,
    /// The member that must be read, and cannot.
    failed: RefCell<Option<String>>,
}

#[derive(Clone, Copy)]
struct Lenient<'de, 'c> {
    text: &'de str,
    context: &'c Context<'c>,
}

impl<'de> Lenient<'de, '_> {
    fn plain(&self) -> serde_json::Deserializer<serde_json::de::StrRead<'de>> {
        serde_json::Deserializer::from_str(self.text)
    }
}

impl<'de> Deserializer<'de> for Lenient<'de, '_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let inside = Inside { visitor, context: self.context };
        match self.text.as_bytes().iter().find(|byte| !byte.is_ascii_whitespace()) {
            Some(b'{') => self.plain().deserialize_map(inside),
            Some(b'[') => self.plain().deserialize_seq(inside),
            _ => self.plain().deserialize_any(inside.visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.text == "null" { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    /// How serde_json hands over raw values.
    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, Error> {
        self.plain().deserialize_newtype_struct(name, visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct enum identifier
    }
}

/// Hands on what stands inside an object or array, each piece to be read leniently.
struct Inside<'c, V> {
    visitor: V,
    context: &'c Context<'c>,
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Inside<'_, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.visitor.expecting(f)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<V::Value, A::Error> {
        self.visitor.visit_map(Members { map, name: String::new(), context: self.context }).map_err(A::Error::custom)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<V::Value, A::Error> {
        self.visitor.visit_seq(Elements { list, context: self.context }).map_err(A::Error::custom)
    }
}

struct Members<'c, A> {
    map: A,
    name: String,
    context: &'c Context<'c>,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Members<'_, A> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        let Some(name) = self.map.next_key::<String>().map_err(Error::custom)? else { return Ok(None) };
        self.name = name;
        let name: StrDeserializer<'_, Error> = self.name.as_str().into_deserializer();
        seed.deserialize(name).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Error> {
        let text = self.map.next_value::<&RawValue>().map_err(Error::custom)?.get();
        seed.deserialize(Lenient { text, context: self.context })
    }

    /// What derived code asks for: a type, so that it can be read twice.
    fn next_value<T: Deserialize<'de>>(&mut self) -> Result<T, Error> {
        let text = self.map.next_value::<&RawValue>().map_err(Error::custom)?.get();
        let context = self.context;
        T::deserialize(Lenient { text, context }).or_else(|fault| {
            if context.failed.borrow().is_some() {
                return Err(fault);
            }
            let must = context.strict.contains(&self.name.as_str());
            let none = if must { Err(fault) } else { T::deserialize(Lenient { text: "null", context }) };
            match &none {
                Ok(_) => context.absent.borrow_mut().note(&self.name),
                Err(_) => *context.failed.borrow_mut() = Some(self.name.clone()),
            }
            none
        })
    }
}

struct Elements<'c, A> {
    list: A,
    context: &'c Context<'c>,
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Elements<'_, A> {
    type Error = Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Error> {
        let next = self.list.next_element::<&RawValue>().map_err(Error::custom)?;
        next.map(|raw| seed.deserialize(Lenient { text: raw.get(), context: self.context })).transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default, Deserialize)]
    #[serde(default)]
    struct Outer<'a> {
        id: Option<u8>,
        note: Option<String>,
        inner: Option<Inner>,
        list: Option<Vec<Inner>>,
        #[serde(borrow)]
        raw: Option<&'a RawValue>,
    }

    #[derive(Debug, Default, Deserialize)]
    #[serde(default)]
    struct Inner {
        id: Option<u8>,
        note: Option<String>,
    }

    #[derive(Debug, Deserialize)]
    struct Must {
        #[serde(rename = "needed")]
        _needed: String,
    }

    fn read(text: &str) -> Result<(Outer<'_>, Vec<String>), String> {
        let mut absent = Absent::default();
        let outer = parse_leniently(text, &["id"], &mut absent).map_err(|no| no.detail().to_owned())?;
        Ok((outer, absent.into_names()))
    }

    #[test]
    fn what_cannot_be_read_is_absent_and_named_once() {
        for (text, id, absent) in [
            (r#"{"id":1,"note":"n"}"#, Some(1), &[][..]),
            (r#"{"note":7,"id":1}"#, Some(1), &["note"]),
            (r#" { "id" : 1 , "note" : { "note" : [ ] } , "new" : 1e999 } "#, Some(1), &["note"]),
            (r#"{"inner":"text","id":1}"#, Some(1), &["inner"]),
            (r#"{"inner":{"note":[]},"note":{},"id":1}"#, Some(1), &["note"]),
            (r#"{"list":[{"note":1},{"note":2},{}],"id":null}"#, None, &["note"]),
            (r#"{"list":[{"id":1},7],"inner":7}"#, None, &["list", "inner"]),
            (r#"{"\u006eote":7,"list":null,"raw":[1.50,{"id":"x"}]}"#, None, &["note"]),
        ] {
            let (outer, names) = read(text).unwrap_or_else(|no| panic!("{text}: {no}"));
            assert_eq!(
                (outer.id, &*names),
                (id, &absent.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()[..])
            );
            if outer.raw.is_some() {
                assert_eq!(outer.raw.map(RawValue::get), Some(r#"[1.50,{"id":"x"}]"#));
            }
        }
    }

    #[test]
    fn what_must_be_read_is_refused_at_any_depth_and_named() {
        for text in [
            r#"{"id":"canary"}"#,
            r#"{"note":7,"id":[]}"#,
            r#"{"inner":{"id":"canary"}}"#,
            r#"{"inner":{"note":7,"id":300}}"#,
            r#"{"list":[{"id":1},{"id":-1}],"note":7}"#,
        ] {
            assert_eq!(read(text).unwrap_err(), "the member `id` cannot be read", "{text}");
        }
        let must =
            |text| parse_leniently::<Must>(text, &[], &mut Absent::default()).map_err(|no| no.detail().to_owned());
        assert!(must(r#"{"needed":"x"}"#).is_ok());
        assert_eq!(must(r#"{"needed":7}"#).unwrap_err(), "the member `needed` cannot be read");
        assert!(must(r#"{"other":7}"#).unwrap_err().starts_with("missing field `needed` at line 1"));
    }

    #[test]
    fn a_second_look_takes_nothing_that_is_no_json() {
        for text in [r#"{"note":7"#, r#"{"note":7} {}"#, r#"{"note":7,}"#, r#"{"note":7,"inner":{]}"#, ""] {
            assert!(read(text).unwrap_err().starts_with("not JSON at line 1"), "{text}");
        }
        for text in ["7", "null", "\"text\""] {
            assert!(read(text).unwrap_err().starts_with("a member of another type than expected"), "{text}");
        }
    }

    #[test]
    fn names_are_few() {
        let mut absent = Absent::default();
        (0..100).for_each(|at| absent.note(&format!("{at}")));
        assert_eq!(absent.into_names().len(), Absent::MAX);
    }
}
