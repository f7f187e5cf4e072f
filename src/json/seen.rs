//! What a value leaves behind when it is read: its text and its identity.
//!
//! Only the readers of this module hand these out; other deserializers refuse them.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::value::BorrowedStrDeserializer;
use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, IntoDeserializer as _, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::fault::Fault;
use super::identity::Identity;
use super::reader::Reader;
use super::sum::Sum;

pub(super) const PIECE: &str = "$tower_webhook::Piece";
pub(super) const SCALAR: &str = "$tower_webhook::Scalar";
pub(super) const SPAN: &str = "$tower_webhook::Span";
pub(super) const IDENTIFIED: &str = "$tower_webhook::Identified";

/// The text of a value, as it was written. Of `serde_json`'s deserializer too, which takes longer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Piece<'de>(pub(crate) &'de str);

impl<'de: 'a, 'a> Deserialize<'de> for Piece<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(PIECE, PieceVisitor)
    }
}

struct PieceVisitor;

impl<'de> Visitor<'de> for PieceVisitor {
    type Value = Piece<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Piece(text))
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        <&RawValue>::deserialize(deserializer).map(|raw| Piece(raw.get()))
    }
}

/// What a value says where it is a string, its digits where it is a number, and nothing otherwise. Of `serde_json`'s
/// deserializer too, which takes longer.
#[derive(Clone, Debug)]
pub(crate) struct Scalar<'de>(pub(crate) Option<Cow<'de, str>>);

impl<'de: 'a, 'a> Deserialize<'de> for Scalar<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(SCALAR, ScalarVisitor)
    }
}

struct ScalarVisitor;

impl<'de> Visitor<'de> for ScalarVisitor {
    type Value = Scalar<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Scalar(Some(Cow::Borrowed(text))))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Scalar(Some(Cow::Owned(text.to_owned()))))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Scalar(None))
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        let Piece(text) = PieceVisitor.visit_newtype_struct(deserializer)?;
        Reader::of_checked(text).deserialize_newtype_struct(SCALAR, self).map_err(D::Error::custom)
    }
}

/// A value, and its text.
#[derive(Debug)]
pub(crate) struct Span<'de, T> {
    pub(crate) value: T,
    pub(crate) text: &'de str,
}

/// A value, its text, and the identity of what it says.
#[derive(Debug)]
pub(crate) struct Identified<'de, T> {
    pub(crate) value: T,
    pub(crate) text: &'de str,
    pub(crate) identity: Identity,
}

impl<'de: 'a, 'a, T: Deserialize<'de>> Deserialize<'de> for Span<'a, T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_tuple_struct(SPAN, 2, Parts(PhantomData::<Self>))
    }
}

impl<'de: 'a, 'a, T: Deserialize<'de>> Deserialize<'de> for Identified<'a, T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_tuple_struct(IDENTIFIED, 3, Parts(PhantomData::<Self>))
    }
}

/// Puts together what comes in parts.
struct Parts<T>(PhantomData<T>);

impl<'de: 'a, 'a, T: Deserialize<'de>> Visitor<'de> for Parts<Span<'a, T>> {
    type Value = Span<'a, T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<Self::Value, A::Error> {
        Ok(Span { value: next(&mut parts)?, text: next(&mut parts)? })
    }
}

impl<'de: 'a, 'a, T: Deserialize<'de>> Visitor<'de> for Parts<Identified<'a, T>> {
    type Value = Identified<'a, T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<Self::Value, A::Error> {
        let (value, text) = (next(&mut parts)?, next(&mut parts)?);
        Ok(Identified { value, text, identity: Identity::of_sum(next(&mut parts)?) })
    }
}

pub(super) fn next<'de, T: Deserialize<'de>, A: SeqAccess<'de>>(parts: &mut A) -> Result<T, A::Error> {
    parts.next_element()?.ok_or_else(|| A::Error::custom("a part is missing"))
}

/// A value and what it leaves behind, one after another.
pub(super) struct SeenAccess<'r, 'de> {
    reader: &'r mut Reader<'de>,
    start: usize,
    is_identified: bool,
    part: u8,
    total: u128,
}

impl<'r, 'de> SeenAccess<'r, 'de> {
    pub(super) fn span(reader: &'r mut Reader<'de>) -> Result<Self, Fault> {
        reader.peek()?;
        Ok(Self { start: reader.text.at(), reader, is_identified: false, part: 0, total: 0 })
    }

    pub(super) fn identified(reader: &'r mut Reader<'de>) -> Result<Self, Fault> {
        Ok(Self { is_identified: true, ..Self::span(reader)? })
    }

    fn value<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Fault> {
        if !self.is_identified {
            return seed.deserialize(&mut *self.reader);
        }
        // A sum is large: where there is none around, none is moved.
        let around = if self.reader.sum.is_some() { self.reader.sum.take() } else { None };
        self.reader.sum = Some(Sum::new());
        let value = seed.deserialize(&mut *self.reader)?;
        self.total = self.reader.sum.as_mut().map_or(0, Sum::total);
        self.reader.sum = None;
        if around.is_some() {
            self.reader.sum = around;
        }
        Ok(value)
    }
}

impl<'de> SeqAccess<'de> for SeenAccess<'_, 'de> {
    type Error = Fault;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Fault> {
        self.part += 1;
        match self.part {
            1 => self.value(seed).map(Some),
            2 => seed.deserialize(BorrowedStrDeserializer::new(self.reader.text.since(self.start))).map(Some),
            _ => seed.deserialize(self.total.into_deserializer()).map(Some),
        }
    }
}
