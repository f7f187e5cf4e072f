//! A value that is read as what a look ahead tells that it is, and walked through where it is something else after all.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::BorrowedStrDeserializer;
use serde::de::{Deserialize, DeserializeSeed, Deserializer, SeqAccess, Visitor};

use super::fault::Fault;
use super::reader::{Reader, Start};
use super::seen::next;

pub(super) const TRIED: &str = "$tower_webhook::Tried";

/// What can be tried.
pub(crate) trait Try<'de>: Sized {
    /// Looks at the text that begins with the value, and takes the value once, as the only element that there is. There
    /// is none where the value is of another type.
    fn read<A: SeqAccess<'de>>(ahead: &'de str, value: A) -> Result<Option<Self>, A::Error>;
}

/// A value's text, and what it was read as.
#[derive(Debug)]
pub(crate) struct Tried<'de, T> {
    pub(crate) text: &'de str,
    pub(crate) value: Option<T>,
}

impl<'de: 'a, 'a, T: Try<'de>> Deserialize<'de> for Tried<'a, T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_tuple_struct(TRIED, 3, TriedVisitor(PhantomData))
    }
}

struct TriedVisitor<T>(PhantomData<T>);

impl<'de, T: Try<'de>> Visitor<'de> for TriedVisitor<T> {
    type Value = Tried<'de, T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<Self::Value, A::Error> {
        let ahead = next(&mut parts)?;
        let value = T::read(ahead, &mut parts)?;
        Ok(Tried { value, text: next(&mut parts)? })
    }
}

/// The text ahead, the value, and its text, one after another.
pub(super) struct TriedAccess<'r, 'de> {
    reader: &'r mut Reader<'de>,
    start: Start<'de>,
    part: u8,
}

impl<'r, 'de> TriedAccess<'r, 'de> {
    pub(super) fn new(reader: &'r mut Reader<'de>) -> Result<Self, Fault> {
        reader.peek()?;
        Ok(Self { start: reader.start(), reader, part: 0 })
    }

    fn value<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Fault> {
        match seed.deserialize(&mut *self.reader) {
            Ok(value) => Ok(Some(value)),
            Err(fault) if fault.is_data() => self.reader.walk_again(self.start, fault).map(|()| None),
            Err(fault) => Err(fault),
        }
    }
}

impl<'de> SeqAccess<'de> for TriedAccess<'_, 'de> {
    type Error = Fault;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Fault> {
        self.part += 1;
        let text = |text| BorrowedStrDeserializer::<Fault>::new(text);
        match self.part {
            1 => seed.deserialize(text(self.start.ahead())).map(Some),
            2 => self.value(seed),
            _ => seed.deserialize(text(self.reader.since(self.start))).map(Some),
        }
    }
}
