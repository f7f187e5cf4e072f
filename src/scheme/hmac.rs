//! HMAC over the signed content of a delivery.

use super::forward::forward_scheme;
use super::mac::{KeyedMac, MacAlgorithm, Tag};
use super::signed::Signed;
use super::signed_scheme::{Algorithm, SignedScheme};
use super::template::Template;
use crate::encoding::Encoding;
use crate::error::ConfigError;
use crate::secret::{KeyRing, long_enough};

/// HMAC (RFC 2104) over the [signed content](Signed) of a delivery: by default the exact bytes of its body, as text in one
/// header.
///
/// Over the body it proves sender and body, and no time: a recorded delivery fits for ever, and only its event's
/// idempotency key tells it from a new one. A [`Signed::timestamp`] bounds that.
#[derive(Clone, Debug)]
pub struct Hmac(SignedScheme<MacAlgorithm>);

impl Hmac {
    /// A MAC over this signed content. Each secret has at least 16 bytes.
    ///
    /// # Errors
    ///
    /// [`ShortSecret`](crate::ConfigErrorKind::ShortSecret); [`Template`](crate::ConfigErrorKind::Template) and [`Scheme`](crate::ConfigErrorKind::Scheme) when the parts of `signed` do
    /// not go together; [`BodyUnsigned`](crate::ConfigErrorKind::BodyUnsigned) when they leave the body out; [`TimestampUnchecked`](crate::ConfigErrorKind::TimestampUnchecked)
    /// when a time is signed and no tolerance set;
    /// [`TimestampUnsigned`](crate::ConfigErrorKind::TimestampUnsigned) for a tolerance of a time that is not signed.
    pub fn new(algorithm: MacAlgorithm, signed: Signed, keys: impl Into<KeyRing>) -> Result<Self, ConfigError> {
        let keys = keys.into().prepare(move |secret| {
            long_enough(secret)?;
            KeyedMac::new(algorithm, secret)
        })?;
        SignedScheme::new(algorithm, signed, keys).map(Self)
    }

    /// [`Hmac::new`] with secrets of any length but none, for a sender whose users choose short ones.
    ///
    /// # Errors
    ///
    /// As [`Hmac::new`], without the first.
    ///
    /// # Security
    ///
    /// Whoever has seen one signed delivery can try secrets offline, millions a second: a short one is found.
    pub fn dangerous_short_keys(
        algorithm: MacAlgorithm,
        signed: Signed,
        keys: impl Into<KeyRing>,
    ) -> Result<Self, ConfigError> {
        let keys = keys.into().prepare(move |secret| KeyedMac::new(algorithm, secret))?;
        SignedScheme::new(algorithm, signed, keys).map(Self)
    }

    /// What is signed, with the URL in its place.
    #[must_use]
    pub fn template(&self) -> &Template {
        self.0.template()
    }
}

forward_scheme!(Hmac, self => self.0);

impl Algorithm for MacAlgorithm {
    type Key = KeyedMac;
    type Claimed = Tag;

    fn name(&self) -> &'static str {
        MacAlgorithm::name(*self)
    }

    fn length(&self) -> Option<usize> {
        Some(self.bytes())
    }

    fn decode(&self, encoding: Encoding, text: &[u8]) -> Option<Tag> {
        Tag::decode(*self, encoding, text)
    }

    fn fits(&self, key: &KeyedMac, parts: &[&[u8]], claimed: impl Iterator<Item = Tag>) -> bool {
        key.fits(parts, claimed).into()
    }

    fn signer<'k>(&'k self, newest: Option<&'k KeyedMac>) -> Option<impl FnOnce(&[&[u8]]) -> Vec<u8> + use<'k>> {
        newest.map(|key| |parts: &[&[u8]]| key.tag(parts).as_bytes().to_vec())
    }
}
