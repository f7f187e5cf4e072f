//! A MAC over the exact body, in one header.

use std::borrow::Cow;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use jiff::Timestamp;

use super::mac::{KeyedMac, MacAlgorithm};
use super::{Opened, Scheme, SealError, Sealing, fitting, long_enough, sole};
use crate::encoding::Encoding;
use crate::error::{ConfigError, Rejection, RejectionKind};
use crate::secret::{KeyRing, PreparedKeys};

/// HMAC over the exact body bytes, as text in a header that stands once.
///
/// It proves sender and body. It proves no time: a recorded delivery fits for ever, and only its event's idempotency
/// key tells it from a new one.
#[derive(Clone, Debug)]
pub struct Hmac {
    algorithm: MacAlgorithm,
    header: HeaderName,
    prefix: Cow<'static, str>,
    encoding: Encoding,
    keys: PreparedKeys<KeyedMac>,
}

impl Hmac {
    /// A MAC in this header. Each secret has at least 16 bytes.
    ///
    /// # Errors
    ///
    /// [`ConfigError::ShortSecret`].
    pub fn new(
        algorithm: MacAlgorithm,
        header: HeaderName,
        encoding: Encoding,
        keys: impl Into<KeyRing>,
    ) -> Result<Self, ConfigError> {
        let keys = keys.into().prepare(|secret| {
            long_enough(secret)?;
            KeyedMac::new(algorithm, secret)
        })?;
        Ok(Self::with_keys(algorithm, header, encoding, keys))
    }

    /// The same with secrets of any length but none, for a sender whose users choose short ones.
    ///
    /// # Errors
    ///
    /// None that a [`KeyRing`] does not have already.
    ///
    /// # Security
    ///
    /// Whoever has seen one signed delivery can try secrets offline, millions a second: a short one is found.
    pub fn dangerous_short_keys(
        algorithm: MacAlgorithm,
        header: HeaderName,
        encoding: Encoding,
        keys: impl Into<KeyRing>,
    ) -> Result<Self, ConfigError> {
        let keys = keys.into().prepare(|secret| KeyedMac::new(algorithm, secret))?;
        Ok(Self::with_keys(algorithm, header, encoding, keys))
    }

    fn with_keys(
        algorithm: MacAlgorithm,
        header: HeaderName,
        encoding: Encoding,
        keys: PreparedKeys<KeyedMac>,
    ) -> Self {
        Self { algorithm, header, prefix: Cow::Borrowed(""), encoding, keys }
    }

    /// What stands in front of the encoded MAC, such as `sha256=`, in exactly this case. Default: nothing.
    #[must_use]
    pub fn prefix(mut self, prefix: impl Into<Cow<'static, str>>) -> Self {
        self.prefix = prefix.into();
        self
    }

    fn signature(&self, headers: &HeaderMap) -> Result<Vec<u8>, Rejection> {
        let text = sole(headers, &self.header)?.strip_prefix(self.prefix.as_bytes());
        text.and_then(|text| self.encoding.decode(text).ok()).ok_or_else(|| {
            let (header, prefix, encoding) = (&self.header, &self.prefix, self.encoding.name());
            Rejection::new(RejectionKind::HeaderMalformed, format!("{header} is not {prefix:?} and {encoding}"))
        })
    }
}

impl Scheme for Hmac {
    fn name(&self) -> &'static str {
        self.algorithm.name()
    }

    fn open(&self, headers: &HeaderMap, body: Bytes, now: Timestamp) -> Result<Opened, Rejection> {
        let given = self.signature(headers)?;
        let key_id = fitting(&self.keys, now, |key| key.fits(&[&body], &given))?;
        Ok(Opened::new(body, Some(key_id)))
    }

    fn seal(&self, plaintext: Bytes, headers: &mut HeaderMap, with: &Sealing<'_>) -> Result<Bytes, SealError> {
        let (_, key) = self.keys.valid_at(with.now).next().ok_or(SealError::NoValidKey)?;
        let text = format!("{}{}", self.prefix, self.encoding.encode(&key.tag(&[&plaintext])));
        headers.insert(&self.header, HeaderValue::from_str(&text).map_err(|_| SealError::Header)?);
        Ok(plaintext)
    }
}
