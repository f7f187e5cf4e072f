//! What a document says, in 16 bytes that do not depend on how it was written.
//!
//! # Definition
//!
//! The identity of a JSON document is the sum modulo 2^128 of one hash for each of its values: scalars, objects and
//! arrays, the outermost included. The hash is XXH3-128 (seed 0, standard secret) over these bytes, one after another:
//!
//! 1. the hash of the object or array around the value, as 16 bytes, little-endian; 16 zero bytes for the outermost value;
//! 2. how the value stands in it: for a member `0x01`, the length of its name as 8 bytes little-endian, and the name; for
//!    an element of an array `0x02` and its index from 0 as 8 bytes little-endian; for the outermost value nothing;
//! 3. what it is: `0x10` object, `0x11` array, `0x12` string, `0x13` number, truth value or null;
//! 4. its text: a string's own text in UTF-8 without escapes, a number's, truth value's or null's JSON text as it stands,
//!    and nothing for objects and arrays, whose members count by themselves.
//!
//! The sum is written as 16 bytes, big-endian. What is no JSON, or not strict JSON, has the hash over 16 zero bytes, `0x14`
//! and all of its bytes.
//!
//! So white space, the order of members and the escapes of strings do not count. Everything else does: `1`, `1.0` and
//! `"1"` are three values, `{}`, `[]`, `null` and an absent member are four, an array keeps its order, and a value that
//! moves to another place is another value, since the hash of its surroundings is part of its own. A sum needs no
//! sorting, so that one pass over the text is enough.
//!
//! This never changes: records of a store outlive versions of this crate, and machines of another kind read them.
//!
//! # Security
//!
//! An identity is no authentication, and its hash has no key. Only a sender that has been proved gets as far as here, and
//! all that it could win with two documents of one identity is that its own second event under its own key is taken for
//! a repeat of the first; it could as well send nothing. A key would have to be the same on all machines for weeks, and
//! would be one more secret to lose. Whoever reads a store can try whether a guess of a whole payload is right, as with any
//! hash without a key.
//!
//! It is no defence against somebody who may write texts inside another's payload, such as a payer: a sum of 128 bits can
//! be made to meet by whoever chooses what is summed, with any hash. So an identity is compared under one key, or stands
//! in a key beside ids that no payer writes, or for an event that brings no id at all, which is none that is published as
//! moving money. A key that is nothing but a digest of a body, which is what
//! `KeyPolicy::OrBodyDigest` makes for Mambu, is a SHA-256.

use std::fmt;

use xxhash_rust::xxh3::Xxh3;

use super::reader::Reader;
use super::sum::Sum;

const BYTES: u8 = 0x14;

/// What must be equal for two deliveries with one key to be the same event: 16 bytes that are the same for JSON that says
/// the same, in whatever order, spacing and escapes.
///
/// ```
/// use tower_webhook::provider::Identity;
///
/// let first = Identity::of_json(br#"{"id":"7","amount":92.00}"#);
/// assert_eq!(first, Identity::of_json(br#"{ "amount": 92.00, "\u0069d": "7" }"#));
/// assert_ne!(first, Identity::of_json(br#"{"id":"7","amount":92.0}"#));
/// assert_eq!(first.to_string(), "1fc59b14927195af4b7a1834fd4e5a3d");
/// ```
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
pub struct Identity([u8; 16]);

impl Identity {
    /// The identity of a document. What is not strict JSON is known by its bytes, as [`Identity::of_bytes`] has it.
    #[must_use]
    pub fn of_json(document: &[u8]) -> Self {
        let strict = std::str::from_utf8(document).ok().and_then(|text| Self::walk(Reader::new(text)));
        strict.unwrap_or_else(|| Self::of_bytes(document))
    }

    /// The identity of bytes that are no JSON: every one of them counts.
    #[must_use]
    pub fn of_bytes(bytes: &[u8]) -> Self {
        let mut state = Xxh3::new();
        state.update(&[0; 16]);
        state.update(&[BYTES]);
        state.update(bytes);
        Self(state.digest128().to_be_bytes())
    }

    /// The identity of a piece of strict JSON.
    pub(crate) fn of_checked(text: &str) -> Self {
        Self::walk(Reader::of_checked(text)).unwrap_or_else(|| Self::of_bytes(text.as_bytes()))
    }

    pub(super) fn of_sum(sum: u128) -> Self {
        Self(sum.to_be_bytes())
    }

    fn walk(mut reader: Reader<'_>) -> Option<Self> {
        reader.sum = Some(Sum::new());
        reader.walk().ok()?;
        reader.text.end().ok()?;
        reader.sum.as_mut().map(|sum| Self::of_sum(sum.total()))
    }

    /// The 16 bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

/// As bytes: [`Identity::of_bytes`].
impl From<&[u8]> for Identity {
    fn from(bytes: &[u8]) -> Self {
        Self::of_bytes(bytes)
    }
}

/// As bytes: [`Identity::of_bytes`].
impl<const N: usize> From<&[u8; N]> for Identity {
    fn from(bytes: &[u8; N]) -> Self {
        Self::of_bytes(bytes)
    }
}

/// 32 hexadecimal digits.
impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identity({self})")
    }
}
