//! Lenient reading, for members that nobody but us has promised: one that cannot be read as its type is absent.
//!
//! First everything is read as it should be. Only when that fails, a second look goes member by member, and leaves out
//! what cannot be read, unless it is on the list of those that must be.

use std::cell::RefCell;

use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::fault::{Fault, malformed};
use super::key::Key;
use super::reader::{Array, Object, Reader};
use super::strict::{parse_checked, read_checked};
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

/// Reads a typed value from a piece of text that a strict reader has been over. A member that cannot be read as its type is
/// taken as null, and its name noted, unless its name is one of `strict` or null is no value of its type either.
pub(crate) fn parse_leniently<'a, T: Deserialize<'a>>(
    text: &'a str,
    strict: &[&str],
    absent: &mut Absent,
) -> Result<T, Rejection> {
    match read_checked(text) {
        Ok(value) => Ok(value),
        Err(fault) if fault.is_data() => second_look(text, strict, absent),
        Err(fault) => Err(fault.rejection(text)),
    }
}

/// The same for what has been read in vain.
pub(crate) fn second_look<'a, T: Deserialize<'a>>(
    text: &'a str,
    strict: &[&str],
    absent: &mut Absent,
) -> Result<T, Rejection> {
    // The text may end too soon or too late behind what could not be read.
    parse_checked::<IgnoredAny>(text)?;
    let context = Context { strict, absent: RefCell::new(absent), failed: RefCell::default() };
    T::deserialize(Lenient { text, context: &context }).map_err(|fault| match context.failed.take() {
        Some(name) => malformed(format!("the member `{name}` cannot be read")),
        None => fault.rejection(text),
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

impl<'de> Deserializer<'de> for Lenient<'de, '_> {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        let mut reader = Reader::of_checked(self.text);
        let value = match reader.peek()? {
            b'{' => self.visit_object(&mut reader, visitor),
            b'[' => self.visit_array(&mut reader, visitor),
            _ => reader.deserialize_any(visitor),
        };
        value.map_err(|fault| fault.or_at(reader.text.at()))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        if self.text == "null" { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, Fault> {
        match name.starts_with('$') {
            true => Reader::of_checked(self.text).deserialize_newtype_struct(name, visitor),
            false => visitor.visit_newtype_struct(self),
        }
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match name.starts_with('$') {
            true => Reader::of_checked(self.text).deserialize_tuple_struct(name, length, visitor),
            false => self.deserialize_any(visitor),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_unit()
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        map struct enum identifier
    }
}

impl<'de> Lenient<'de, '_> {
    fn visit_object<V: Visitor<'de>>(self, reader: &mut Reader<'de>, visitor: V) -> Result<V::Value, Fault> {
        let mut members = Members { object: reader.object()?, reader, name: String::new(), context: self.context };
        let value = visitor.visit_map(&mut members)?;
        let Members { object, reader, .. } = members;
        object.end(reader).map(|()| value)
    }

    fn visit_array<V: Visitor<'de>>(self, reader: &mut Reader<'de>, visitor: V) -> Result<V::Value, Fault> {
        let mut elements = Elements { array: reader.array()?, reader, context: self.context };
        let value = visitor.visit_seq(&mut elements)?;
        let Elements { array, reader, .. } = elements;
        array.end(reader).map(|()| value)
    }
}

/// The members of an object, each a piece to be read leniently.
struct Members<'r, 'de, 'c> {
    object: Object<'de>,
    reader: &'r mut Reader<'de>,
    name: String,
    context: &'c Context<'c>,
}

impl<'de> MapAccess<'de> for &mut Members<'_, 'de, '_> {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Fault> {
        let Some(name) = self.object.name(self.reader)? else { return Ok(None) };
        self.name = name.text().unwrap_or_default().into_owned();
        seed.deserialize(Key(name)).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Fault> {
        seed.deserialize(Lenient { text: self.reader.piece()?, context: self.context })
    }

    /// What derived code asks for: a type, so that it can be read twice.
    fn next_value<T: Deserialize<'de>>(&mut self) -> Result<T, Fault> {
        let (text, context) = (self.reader.piece()?, self.context);
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

/// The elements of an array, each a piece to be read leniently.
struct Elements<'r, 'de, 'c> {
    array: Array,
    reader: &'r mut Reader<'de>,
    context: &'c Context<'c>,
}

impl<'de> SeqAccess<'de> for &mut Elements<'_, 'de, '_> {
    type Error = Fault;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Fault> {
        if !self.array.has_next(self.reader)? {
            return Ok(None);
        }
        seed.deserialize(Lenient { text: self.reader.piece()?, context: self.context }).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::value::RawValue;

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
