//! One scheme over the signed content of a delivery, whatever the algorithm: shape, then signature, then time.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderName};
use jiff::Timestamp;

use super::proof::Proofs;
use super::signed::{Signed, Wire};
use super::template::Template;
use super::tolerance::Tolerance;
use super::{Opened, Scheme, SealError, Sealing, mismatch};
use crate::encoding::Encoding;
use crate::error::{ConfigError, Rejection};
use crate::secret::{KeyCheck, PreparedKeys};

/// What tells one algorithm from another.
pub(super) trait Algorithm: Clone + fmt::Debug + Send + Sync + 'static {
    /// A key that is ready.
    type Key: Send + Sync + 'static;
    /// A signature of the peer's, decoded and not believed.
    type Claimed: Clone;

    fn name(&self) -> &'static str;

    /// Of a signature, in bytes, where all are equally long.
    fn length(&self) -> Option<usize>;

    /// The text of a signature. `None`: it is none of this algorithm, and fits nothing.
    fn decode(&self, encoding: Encoding, text: &[u8]) -> Option<Self::Claimed>;

    /// Whether one of the claimed signatures is by this key, over these parts one after the other.
    fn fits(&self, key: &Self::Key, parts: &[&[u8]], claimed: impl Iterator<Item = Self::Claimed>) -> bool;

    /// What signs, given the newest valid key of the ring. `None`: there is nothing to sign with.
    fn signer<'k>(&'k self, newest: Option<&'k Self::Key>) -> Option<impl FnOnce(&[&[u8]]) -> Vec<u8> + use<'k, Self>>;
}

#[derive(Clone)]
pub(super) struct SignedScheme<A: Algorithm> {
    pub(super) algorithm: A,
    wire: Wire,
    keys: PreparedKeys<A::Key>,
}

impl<A: Algorithm> SignedScheme<A> {
    pub(super) fn new(algorithm: A, signed: Signed, keys: PreparedKeys<A::Key>) -> Result<Self, ConfigError> {
        let wire = signed.check(algorithm.length())?;
        Ok(Self { algorithm, wire, keys })
    }

    pub(super) fn template(&self) -> &Template {
        self.wire.template()
    }

    fn decode(&self, text: &[u8]) -> Option<A::Claimed> {
        self.algorithm.decode(self.wire.encoding(), text)
    }

    /// At most 16 signatures meet at most 5 keys.
    fn judge(&self, headers: &HeaderMap, body: &[u8], now: Timestamp) -> Result<Arc<str>, Rejection> {
        let claim = self.wire.read(headers, body)?;
        let claimed = claim.decoded(|text| self.decode(text))?;
        let key_id = self.keys.valid_at(now).fitting(|key| self.algorithm.fits(key, &claim.parts, claimed.clone()));
        let key_id = key_id.ok_or_else(mismatch)?;
        claim.admit(now)?;
        Ok(key_id)
    }
}

impl<A: Algorithm> fmt::Debug for SignedScheme<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { algorithm, wire, keys } = self;
        f.debug_struct("SignedScheme").field("algorithm", algorithm).field("wire", wire).field("keys", keys).finish()
    }
}

impl<A: Algorithm> Scheme for SignedScheme<A> {
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

    fn check_head(&self, headers: &HeaderMap) -> Result<(), Rejection> {
        self.wire.read(headers, &[])?.check(|text| self.decode(text))
    }

    fn open(&self, headers: &HeaderMap, body: Bytes, now: Timestamp) -> Result<Opened, Rejection> {
        let key_id = self.judge(headers, &body, now)?;
        Ok(Opened::new(body, Some(key_id)))
    }

    fn seal(&self, plaintext: Bytes, headers: &mut HeaderMap, with: &Sealing<'_>) -> Result<Bytes, SealError> {
        let keys = self.keys.valid_at(with.now);
        let sign = self.algorithm.signer(keys.newest()).ok_or(SealError::NoValidKey)?;
        self.wire.seal(headers, &plaintext, with.now, sign)?;
        Ok(plaintext)
    }

    fn key_checks(&self) -> Vec<KeyCheck> {
        self.keys.checks()
    }
}
