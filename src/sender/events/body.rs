//! What all builders are made of: a sample, the places in it, and ids made of a number.

use crate::provider::Message;

use super::json::Json;
use super::written::Written;

/// The body of a message that is being built.
#[derive(Clone, Debug)]
pub(super) struct Body {
    pub(super) json: Json,
    pub(super) key: Option<String>,
    /// The member whose list the whole stands in alone.
    pub(super) listed_in: Option<&'static str>,
    pub(super) written: Written,
}

impl Body {
    pub(super) fn new(json: Json) -> Self {
        Self { json, key: None, listed_in: None, written: Written::default() }
    }

    /// Sets the value wherever one of these places stands, and at the first of them where none does.
    pub(super) fn put(&mut self, places: &[&str], value: Json) {
        let stood = places.iter().filter(|place| self.json.replace(place, value.clone())).count();
        if let (0, Some(first)) = (stood, places.first()) {
            self.json.set(first, value);
        }
    }

    /// Makes these ids of a number, where they stand. No two of one event are the same.
    pub(super) fn number(&mut self, number: u64, ids: &[(&str, Shape)]) {
        for (salt, (place, shape)) in (1..).zip(ids) {
            self.json.replace(place, shape.of(salt, number).into());
        }
    }

    pub(super) fn message(self) -> Message {
        let json = match self.listed_in {
            Some(name) => Json::object([(name, Json::list([self.json]))]),
            None => self.json,
        };
        let message = Message::new(self.written.write(json));
        match self.key {
            Some(key) => message.idempotency_key(key),
            None => message,
        }
    }
}

/// How an id looks. The number stands in it in full, so that no two numbers make one id, and a person can tell them.
#[derive(Clone, Copy, Debug)]
pub(super) enum Shape {
    Uuid,
    /// 32 hexadecimal digits.
    Hex,
    /// At least twelve decimal digits, behind this.
    After(&'static str),
}

impl Shape {
    pub(super) fn of(self, salt: u8, number: u64) -> String {
        match self {
            Self::Uuid => {
                let (high, low) = (number >> 48, number & 0xffff_ffff_ffff);
                format!("{salt:08x}-{high:04x}-4000-8000-{low:012x}")
            }
            Self::Hex => format!("8a8294{salt:02x}{number:024x}"),
            Self::After(prefix) => format!("{prefix}{number:012}"),
        }
    }
}

/// The JSON of this text, read once. A text that is none would be null, which the tests of every builder would see.
macro_rules! sample {
    ($text:expr) => {{
        static SAMPLE: std::sync::LazyLock<$crate::sender::events::Json> =
            std::sync::LazyLock::new(|| $text.parse().unwrap_or_default());
        $crate::sender::events::body::Body::new(SAMPLE.clone())
    }};
}

/// A builder: what every one of them can do.
macro_rules! builder {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug)]
        #[must_use]
        pub struct $name($crate::sender::events::body::Body);

        impl $name {
            /// Sets any member by its JSON pointer, such as `/data/id`. What is missing on the way there is made.
            pub fn set(mut self, pointer: &str, value: impl Into<$crate::sender::events::Json>) -> Self {
                self.0.json.set(pointer, value.into());
                self
            }

            /// Without the member at this JSON pointer.
            pub fn without(mut self, pointer: &str) -> Self {
                self.0.json.remove(pointer);
                self
            }

            /// How the JSON is written. Default: [`Written::Compact`](crate::sender::events::Written::Compact).
            pub fn written(mut self, how: $crate::sender::events::Written) -> Self {
                self.0.written = how;
                self
            }

            /// The message, for [`Provider::seal`](crate::provider::Provider::seal) or
            /// [`Webhook::send`](crate::sender::Webhook::send).
            #[must_use]
            pub fn message(self) -> $crate::provider::Message {
                self.0.message()
            }
        }

        impl From<$name> for $crate::provider::Message {
            fn from(event: $name) -> Self {
                event.message()
            }
        }
    };
}

/// What can be set by name, as `text` or as the digits of a `number`, and at which places.
macro_rules! setters {
    ($name:ident { $($(#[$doc:meta])* $setter:ident: $how:ident at $($place:literal)+,)* }) => {
        impl $name {
            $(
                $(#[$doc])*
                pub fn $setter(mut self, $setter: impl Into<String>) -> Self {
                    self.0.put(&[$($place),+], setters!($how $setter));
                    self
                }
            )*
        }
    };
    (text $value:ident) => { $crate::sender::events::Json::from($value.into()) };
    (number $value:ident) => { $crate::sender::events::Json::number($value) };
}

/// Which ids are made of a number.
macro_rules! numbered {
    ($name:ident $($place:literal $shape:expr,)+) => {
        impl $name {
            /// With ids made of this number, on every machine the same, and of no other number. Ids that are set later stay as
            /// they are set.
            pub fn number(mut self, number: u64) -> Self {
                use $crate::sender::events::body::Shape::*;
                self.0.number(number, &[$(($place, $shape)),+]);
                self
            }
        }
    };
}

pub(super) use {builder, numbered, sample, setters};

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn ids_have_their_shape_and_no_two_numbers_or_places_share_one() {
        assert_eq!(Shape::Uuid.of(1, 17), "00000001-0000-4000-8000-000000000011");
        assert_eq!(Shape::Uuid.of(1, u64::MAX), "00000001-ffff-4000-8000-ffffffffffff");
        assert_eq!(Shape::Hex.of(2, 17), "8a829402000000000000000000000011");
        assert_eq!(Shape::After("order-").of(3, 17), "order-000000000017");
        let numbers = [0, 1, 17, 1 << 47, 1 << 48, (1 << 48) + 1, u64::MAX - 1, u64::MAX];
        for shape in [Shape::Uuid, Shape::Hex] {
            let ids: HashSet<_> = numbers.iter().flat_map(|n| [shape.of(1, *n), shape.of(2, *n)]).collect();
            assert_eq!(ids.len(), 2 * numbers.len());
        }
        let texts: HashSet<_> = numbers.iter().map(|n| Shape::After("").of(1, *n)).collect();
        assert_eq!(texts.len(), numbers.len());
    }
}
