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

use std::borrow::Cow;
use std::fmt;

use xxhash_rust::xxh3::{Xxh3, xxh3_128};

use super::names::{said, string_end};
use super::strict::strict;

const MEMBER: u8 = 0x01;
const ELEMENT: u8 = 0x02;
const OBJECT: u8 = 0x10;
const ARRAY: u8 = 0x11;
const STRING: u8 = 0x12;
const BARE: u8 = 0x13;
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
        strict(document).map_or_else(|_| Self::of_bytes(document), Self::of_checked)
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

    /// The identity of a piece of strict JSON: of more than that, it is not looked at.
    pub(crate) fn of_checked(text: &str) -> Self {
        Self(Walk::new(text).run().to_be_bytes())
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

/// One pass over a document.
struct Walk<'a> {
    text: &'a str,
    /// What is open around here.
    around: Vec<Around>,
    /// The name of the member whose value comes next.
    name: Option<Cow<'a, [u8]>>,
    /// What is hashed next; kept for its room.
    input: Vec<u8>,
    sum: u128,
}

struct Around {
    is_object: bool,
    hash: u128,
    /// The index of the next element.
    next: u64,
}

impl<'a> Walk<'a> {
    fn new(text: &'a str) -> Self {
        Self { text, around: Vec::with_capacity(8), name: None, input: Vec::with_capacity(128), sum: 0 }
    }

    fn run(mut self) -> u128 {
        let bytes = self.text.as_bytes();
        let mut at = 0;
        while let Some(byte) = bytes.get(at) {
            at = match byte {
                b'"' => self.string(at),
                b'{' | b'[' => self.open(*byte == b'{', at),
                b'}' | b']' => {
                    self.around.pop();
                    at + 1
                }
                b',' | b':' | b' ' | b'\n' | b'\r' | b'\t' => at + 1,
                _ => self.bare(at),
            };
        }
        self.sum
    }

    /// A name or a string. Says where it ends.
    fn string(&mut self, start: usize) -> usize {
        let (end, is_plain) = string_end(self.text.as_bytes(), start);
        let said = said(self.text, start, end, is_plain);
        match self.around.last() {
            Some(Around { is_object: true, .. }) if self.name.is_none() => self.name = Some(said),
            _ => _ = self.value(STRING, &said),
        }
        end + 1
    }

    fn open(&mut self, is_object: bool, start: usize) -> usize {
        let hash = self.value(if is_object { OBJECT } else { ARRAY }, &[]);
        self.around.push(Around { is_object, hash, next: 0 });
        start + 1
    }

    /// A number, a truth value or null. Says where it ends.
    fn bare(&mut self, start: usize) -> usize {
        let rest = self.text.as_bytes().get(start..).unwrap_or_default();
        let is_border = |byte: &u8| matches!(byte, b',' | b'}' | b']' | b' ' | b'\n' | b'\r' | b'\t');
        let length = rest.iter().position(is_border).unwrap_or(rest.len()).max(1);
        self.value(BARE, rest.get(..length).unwrap_or_default());
        start + length
    }

    /// Adds the hash of a value in its place.
    fn value(&mut self, kind: u8, text: &[u8]) -> u128 {
        self.input.clear();
        let name = self.name.take();
        let around = self.around.last_mut();
        self.input.extend_from_slice(&around.as_ref().map_or(0, |around| around.hash).to_le_bytes());
        match (around, name) {
            (Some(_), Some(name)) => {
                self.input.push(MEMBER);
                self.input.extend_from_slice(&(name.len() as u64).to_le_bytes());
                self.input.extend_from_slice(&name);
            }
            (Some(around), None) => {
                self.input.push(ELEMENT);
                self.input.extend_from_slice(&around.next.to_le_bytes());
                around.next = around.next.saturating_add(1);
            }
            (None, _) => {}
        }
        self.input.push(kind);
        self.input.extend_from_slice(text);
        let hash = xxh3_128(&self.input);
        self.sum = self.sum.wrapping_add(hash);
        hash
    }
}
