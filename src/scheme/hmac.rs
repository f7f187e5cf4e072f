//! A MAC over a template of the delivery: mostly the exact body, in one header.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderName};
use jiff::Timestamp;

use super::mac::{KeyedMac, MacAlgorithm, Tag};
use super::proof::Proofs;
use super::signed::{Signed, Wire};
use super::template::Template;
use super::tolerance::Tolerance;
use super::{Opened, Scheme, SealError, Sealing, fitting, long_enough};
use crate::error::{ConfigError, Rejection};
use crate::secret::{KeyCheck, KeyRing, PreparedKeys};

/// HMAC as text in a header that stands once: over the exact body bytes ([`Hmac::new`]), or over whatever a [`Signed`]
/// says ([`Hmac::new`]).
///
/// Over the body it proves sender and body, and no time: a recorded delivery fits for ever, and only its event's
/// idempotency key tells it from a new one. A [`Signed::timestamp`] bounds that.
#[derive(Clone, Debug)]
pub struct Hmac {
    algorithm: MacAlgorithm,
    wire: Wire,
    keys: PreparedKeys<KeyedMac>,
}

impl Hmac {
    /// A MAC over what `signed` says, where it says. Each secret has at least 16 bytes.
    ///
    /// # Errors
    ///
    /// [`ShortSecret`](crate::ConfigErrorKind::ShortSecret); [`Template`](crate::ConfigErrorKind::Template) and [`Scheme`](crate::ConfigErrorKind::Scheme) when the parts of `signed` do
    /// not go together; [`BodyUnsigned`](crate::ConfigErrorKind::BodyUnsigned) when they leave the body out; [`TimestampUnchecked`](crate::ConfigErrorKind::TimestampUnchecked)
    /// when a time is signed and no tolerance set;
    /// [`TimestampUnsigned`](crate::ConfigErrorKind::TimestampUnsigned) for a tolerance of a time that is not signed.
    pub fn new(algorithm: MacAlgorithm, signed: Signed, keys: impl Into<KeyRing>) -> Result<Self, ConfigError> {
        let keys = keys.into().prepare(|secret| {
            long_enough(secret)?;
            KeyedMac::new(algorithm, secret)
        })?;
        Ok(Self { algorithm, wire: signed.check(Some(algorithm.length()))?, keys })
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
        let keys = keys.into().prepare(|secret| KeyedMac::new(algorithm, secret))?;
        Ok(Self { algorithm, wire: signed.check(Some(algorithm.length()))?, keys })
    }

    /// What is signed, with the URL in its place.
    #[must_use]
    pub fn template(&self) -> &Template {
        self.wire.template()
    }

    fn decode(&self, text: &str) -> Option<Tag> {
        Tag::decode(self.algorithm, self.wire.encoding(), text)
    }

    /// Shape, then signature, then time.
    fn judge(&self, headers: &HeaderMap, body: &[u8], now: Timestamp) -> Result<Arc<str>, Rejection> {
        let claim = self.wire.read(headers, body)?;
        let tags = claim.decoded(|text| self.decode(text))?;
        let key_id = fitting(&self.keys, now, |key| key.fits(&claim.parts, tags.clone()))?;
        claim.admit(now)?;
        Ok(key_id)
    }
}

impl Scheme for Hmac {
    fn name(&self) -> &'static str {
        self.algorithm.name()
    }

    fn covers_body(&self) -> bool {
        self.template().covers_body()
    }

    fn covers_header(&self, name: &HeaderName) -> bool {
        self.template().covers_header(name)
    }

    fn proofs(&self) -> &Proofs {
        self.wire.proofs()
    }

    fn tolerance(&self) -> Option<&Tolerance> {
        self.wire.tolerance()
    }

    fn check_head(&self, headers: &HeaderMap, _: Timestamp) -> Result<(), Rejection> {
        self.wire.read(headers, &[])?.check(|text| self.decode(text))
    }

    fn open(&self, headers: &HeaderMap, body: Bytes, now: Timestamp) -> Result<Opened, Rejection> {
        let key_id = self.judge(headers, &body, now)?;
        Ok(Opened::new(body, Some(key_id)))
    }

    fn seal(&self, plaintext: Bytes, headers: &mut HeaderMap, with: &Sealing<'_>) -> Result<Bytes, SealError> {
        let (_, key) = self.keys.valid_at(with.now).next().ok_or(SealError::NoValidKey)?;
        self.wire.seal(headers, &plaintext, with.now, |parts| key.tag(parts).as_bytes().to_vec())?;
        Ok(plaintext)
    }

    fn key_checks(&self) -> Vec<KeyCheck> {
        self.keys.checks()
    }
}
