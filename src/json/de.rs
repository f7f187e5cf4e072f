//! The reader as serde's deserializer: the same values, hints and limits as `serde_json`'s.

use std::borrow::Cow;

use serde::de::value::{BorrowedStrDeserializer, StrDeserializer};
use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, EnumAccess, Error as _, IntoDeserializer as _, MapAccess, SeqAccess,
    VariantAccess, Visitor,
};

use super::fault::Fault;
use super::key::Key;
use super::open::{Array, Object};
use super::quoted::Quoted;
use super::reader::{Reader, Start};
use super::seen::{IDENTIFIED, PIECE, SCALAR, SPAN, SeenAccess};
use super::tried::{TRIED, TriedAccess};

impl<'de> Reader<'de> {
    fn visit_object<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, Fault> {
        let mut members = Members { object: self.object()?, reader: self };
        let value = visitor.visit_map(&mut members)?;
        let Members { object, reader, .. } = members;
        object.end(reader).map(|()| value)
    }

    fn visit_array<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, Fault> {
        let mut elements = Elements { array: self.array()?, reader: self };
        let value = visitor.visit_seq(&mut elements)?;
        let Elements { array, reader } = elements;
        array.end(reader).map(|()| value)
    }

    /// A text, or the digits of a number as they stand. Of everything else nothing.
    fn visit_scalar<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, Fault> {
        let text = match self.peek()? {
            b'"' => self.string()?.text(),
            b'-' | b'0'..=b'9' => Some(Cow::Borrowed(self.number()?)),
            _ => self.walk().map(|()| None)?,
        };
        match text {
            Some(Cow::Borrowed(text)) => visitor.visit_borrowed_str(text),
            Some(Cow::Owned(text)) => visitor.visit_string(text),
            None => visitor.visit_unit(),
        }
    }

    /// Not what was asked for.
    fn refuse<T>(&mut self) -> Result<T, Fault> {
        self.walk()?;
        Err(Fault::of_type())
    }
}

fn visit_number<'de, V: Visitor<'de>>(text: &str, visitor: V) -> Result<V::Value, Fault> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        if let Ok(number) = text.parse() {
            return visitor.visit_u64(number);
        }
    } else if text != "-0"
        && let Ok(number) = text.parse()
    {
        return visitor.visit_i64(number);
    }
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() => visitor.visit_f64(number),
        _ => Err(Fault::of_type()),
    }
}

/// Hints that take one kind of value: the first bytes of such, and how one is read.
macro_rules! hints {
    ($($first:pat, $reader:ident, $visitor:ident => $read:expr, for $($method:ident($($argument:ty),*))*;)*) => {
        $($(fn $method<V: Visitor<'de>>(self, $(_: $argument,)* $visitor: V) -> Result<V::Value, Fault> {
            let $reader = self;
            match $reader.peek()? {
                $first => $read,
                _ => $reader.refuse(),
            }
        })*)*
    };
}

impl<'de> Deserializer<'de> for &mut Reader<'de> {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.peek()? {
            b'"' => self.string()?.visit(visitor),
            b'{' => self.visit_object(visitor),
            b'[' => self.visit_array(visitor),
            b'-' | b'0'..=b'9' => visit_number(self.number()?, visitor),
            _ => match self.word()? {
                "null" => visitor.visit_unit(),
                word => visitor.visit_bool(word == "true"),
            },
        }
    }

    hints! {
        b't' | b'f', reader, visitor => visitor.visit_bool(reader.word()? == "true"), for deserialize_bool();
        b'n', reader, visitor => reader.word().and_then(|_| visitor.visit_unit()),
            for deserialize_unit() deserialize_unit_struct(&'static str);
        b'-' | b'0'..=b'9', reader, visitor => visit_number(reader.number()?, visitor),
            for deserialize_i8() deserialize_i16() deserialize_i32() deserialize_i64() deserialize_u8() deserialize_u16()
                deserialize_u32() deserialize_u64() deserialize_f32() deserialize_f64();
        b'"', reader, visitor => reader.string()?.visit(visitor),
            for deserialize_char() deserialize_str() deserialize_string() deserialize_identifier();
        b'[', reader, visitor => reader.visit_array(visitor), for deserialize_seq() deserialize_tuple(usize);
        b'{', reader, visitor => reader.visit_object(visitor), for deserialize_map();
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match self.peek()? {
            b'{' => self.visit_object(visitor),
            b'[' => self.visit_array(visitor),
            _ => self.refuse(),
        }
    }

    fn deserialize_i128<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.peek()? {
            b'-' | b'0'..=b'9' => visitor.visit_i128(self.number()?.parse().map_err(Fault::custom)?),
            _ => self.refuse(),
        }
    }

    fn deserialize_u128<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.peek()? {
            b'-' | b'0'..=b'9' => visitor.visit_u128(self.number()?.parse().map_err(Fault::custom)?),
            _ => self.refuse(),
        }
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.peek()? {
            b'"' => {
                let quoted = self.string()?;
                match quoted.plain() {
                    Some(plain) => visitor.visit_borrowed_bytes(plain.as_bytes()),
                    None => visitor.visit_bytes(&quoted.said()),
                }
            }
            b'[' => self.visit_array(visitor),
            _ => self.refuse(),
        }
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_bytes(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.peek()? {
            b'n' => self.word().and_then(|_| visitor.visit_none()),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, Fault> {
        match name {
            PIECE => visitor.visit_borrowed_str(self.piece()?),
            SCALAR => self.visit_scalar(visitor),
            // A type of serde_json's own, such as its `RawValue`: it knows how to make one of a piece that is strict JSON.
            _ if name.starts_with('$') => serde_json::Deserializer::from_str(self.piece()?)
                .deserialize_newtype_struct(name, visitor)
                .map_err(Fault::custom),
            _ => visitor.visit_newtype_struct(self),
        }
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match name {
            IDENTIFIED => visitor.visit_seq(SeenAccess::identified(self)?),
            TRIED => visitor.visit_seq(TriedAccess::new(self)?),
            SPAN => visitor.visit_seq(SeenAccess::span(self)?),
            _ => self.deserialize_tuple(length, visitor),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match self.peek()? {
            b'"' => {
                let name = self.string()?;
                match name.plain() {
                    Some(plain) => visitor.visit_enum(BorrowedStrDeserializer::new(plain)),
                    None => name.visit(OwnedVariant(visitor)),
                }
            }
            b'{' => {
                let mut object = self.object()?;
                let Some(name) = object.name(self)? else { return Err(Fault::of_type()) };
                let value = visitor.visit_enum(Variant { name, reader: self })?;
                object.end(self).map(|()| value)
            }
            _ => self.refuse(),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.walk()?;
        visitor.visit_unit()
    }
}

/// The name of a variant that holds nothing, with escapes in it.
struct OwnedVariant<V>(V);

impl<'de, V: Visitor<'de>> Visitor<'de> for OwnedVariant<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.expecting(f)
    }

    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<V::Value, E> {
        let name: StrDeserializer<'_, E> = name.into_deserializer();
        self.0.visit_enum(name)
    }
}

struct Members<'r, 'de> {
    object: Object<'de>,
    reader: &'r mut Reader<'de>,
}

impl<'de> Members<'_, 'de> {
    /// The value, or null in place of one that may be left out. By itself, so that what is read strictly has no room for it.
    #[cold]
    fn value_or_null<T: Deserialize<'de>>(&mut self) -> Result<T, Fault> {
        let start = self.reader.start();
        T::deserialize(&mut *self.reader).or_else(|fault| {
            let name = self.leave_out(start, fault)?;
            let null = T::deserialize(&mut Reader::of_checked("null"));
            if let Some(leniency) = &mut self.reader.leniency {
                leniency.left_out(&name, null.is_ok());
            }
            null
        })
    }

    /// Passes the member that could not be read, and returns its name.
    fn leave_out(&mut self, start: Start<'de>, fault: Fault) -> Result<Cow<'de, str>, Fault> {
        let name = self.object.last_name(self.reader).text().unwrap_or_default();
        self.reader.leave_out(start, &name, fault).map(|()| name)
    }
}

impl<'de> MapAccess<'de> for &mut Members<'_, 'de> {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Fault> {
        match self.object.name(self.reader)? {
            Some(name) => seed.deserialize(Key(name)).map(Some),
            None => Ok(None),
        }
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Fault> {
        seed.deserialize(&mut *self.reader)
    }

    /// What derived code asks for: a type, so that it can be read twice.
    fn next_value<T: Deserialize<'de>>(&mut self) -> Result<T, Fault> {
        if self.reader.leniency.is_some() { self.value_or_null() } else { T::deserialize(&mut *self.reader) }
    }
}

struct Elements<'r, 'de> {
    array: Array,
    reader: &'r mut Reader<'de>,
}

impl<'de> SeqAccess<'de> for &mut Elements<'_, 'de> {
    type Error = Fault;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Fault> {
        if self.array.has_next(self.reader)? { seed.deserialize(&mut *self.reader).map(Some) } else { Ok(None) }
    }
}

/// A variant as an object of one member.
struct Variant<'r, 'de> {
    name: Quoted<'de>,
    reader: &'r mut Reader<'de>,
}

impl<'r, 'de> EnumAccess<'de> for Variant<'r, 'de> {
    type Error = Fault;
    type Variant = &'r mut Reader<'de>;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self::Variant), Fault> {
        seed.deserialize(Key(self.name)).map(|variant| (variant, self.reader))
    }
}

impl<'de> VariantAccess<'de> for &mut Reader<'de> {
    type Error = Fault;

    fn unit_variant(self) -> Result<(), Fault> {
        serde::Deserialize::deserialize(self)
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, Fault> {
        seed.deserialize(self)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_seq(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], visitor: V) -> Result<V::Value, Fault> {
        // As serde_json: a variant with named members may be an array of them.
        self.deserialize_struct("", &[], visitor)
    }
}
