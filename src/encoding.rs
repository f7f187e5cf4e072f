//! Text encodings of the wire: hexadecimal and Base64, strict, and UTF-16LE.
//!
//! Strict means: no white space, no `0x`, no URL-safe alphabet, no missing or extra padding, no stray bits at the end.
//! A value has one spelling (up to the case of hexadecimal), so that nobody can send one delivery in two.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// How bytes are written as text.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Encoding {
    /// Hexadecimal; read in any case, written in lower case.
    Hex,
    /// Base64 of RFC 4648 section 4: standard alphabet, padded, canonical.
    Base64,
}

impl Encoding {
    /// Bytes from text.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] when the text is not strictly in this encoding.
    pub fn decode(self, text: &[u8]) -> Result<Vec<u8>, DecodeError> {
        match self {
            // const-hex takes a leading "0x"; nobody sends one, so it is not ours to take.
            Self::Hex if text.get(1).is_some_and(|byte| matches!(byte, b'x' | b'X')) => Err(DecodeError(self)),
            Self::Hex => const_hex::decode(text).map_err(|_| DecodeError(self)),
            Self::Base64 => STANDARD.decode(text).map_err(|_| DecodeError(self)),
        }
    }

    /// Exactly `N` bytes from text.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] when the text is not in this encoding or has another length.
    pub fn decode_array<const N: usize>(self, text: &[u8]) -> Result<[u8; N], DecodeError> {
        // Longer than any spelling of N bytes: refused before anything is allocated for it.
        if text.len() > N.saturating_mul(2) + 4 {
            return Err(DecodeError(self));
        }
        self.decode(text)?.try_into().map_err(|_| DecodeError(self))
    }

    /// Text from bytes.
    #[must_use]
    pub fn encode(self, bytes: &[u8]) -> String {
        match self {
            Self::Hex => const_hex::encode(bytes),
            Self::Base64 => STANDARD.encode(bytes),
        }
    }

    /// The encoding's name in a sentence.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Hex => "hexadecimal",
            Self::Base64 => "Base64",
        }
    }
}

/// Text that is not in its encoding.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct DecodeError(Encoding);

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not {}, or of the wrong length", self.0.name())
    }
}

impl std::error::Error for DecodeError {}
