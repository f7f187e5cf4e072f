//! A shared secret in a header, as it is.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::proof::{ProofHeader, ProofRole, Proofs};
use super::{Opened, Scheme, SealError, Sealing, mismatch, sole};
use crate::error::{ConfigError, ConfigErrorKind, Rejection};
use crate::secret::{KeyCheck, KeyRing, PreparedKeys, ValidKeys, ct_eq, long_enough};

/// A shared secret as the value of a header. The body passes untouched.
///
/// # Security
///
/// It proves that the peer knows the secret, and nothing about the body: every middle box that sees one delivery can
/// write others. Take it only where the sender signs nothing, and only over TLS.
#[derive(Clone, Debug)]
pub struct StaticToken {
    header: HeaderName,
    proofs: Proofs,
    keys: PreparedKeys<Token>,
}

/// The digest is compared, so that all secrets are equally long and no time tells how long.
#[derive(Clone)]
struct Token {
    secret: Zeroizing<Vec<u8>>,
    digest: [u8; 32],
}

impl StaticToken {
    /// A secret in this header. Each has at least 16 bytes, all of which a header can carry.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::ShortSecret`]; [`ConfigErrorKind::Encoding`] for a secret that is no header value;
    /// [`ConfigErrorKind::SecretEdge`] for white space at its ends, which HTTP drops.
    pub fn new(header: HeaderName, keys: impl Into<KeyRing>) -> Result<Self, ConfigError> {
        let keys = keys.into().prepare(|secret| {
            long_enough(secret)?;
            Token::new(secret)
        })?;
        Ok(Self::over(header, keys))
    }

    /// The same with secrets of any length but none, for a sender whose users choose short ones.
    ///
    /// # Errors
    ///
    /// As [`StaticToken::new`], without the first.
    ///
    /// # Security
    ///
    /// A short secret can be found by trying, since nothing here counts the tries.
    pub fn dangerous_short_keys(header: HeaderName, keys: impl Into<KeyRing>) -> Result<Self, ConfigError> {
        let keys = keys.into().prepare(Token::new)?;
        Ok(Self::over(header, keys))
    }

    fn over(header: HeaderName, keys: PreparedKeys<Token>) -> Self {
        let proofs = Proofs::new([ProofHeader::new(header.clone(), ProofRole::Token)]);
        Self { header, proofs, keys }
    }

    fn judge(&self, headers: &HeaderMap, keys: &ValidKeys<'_, Token>) -> Result<Arc<str>, Rejection> {
        let given: [u8; 32] = Sha256::digest(sole(headers, &self.header)?).into();
        keys.fitting(|token| ct_eq(&token.digest, &given)).ok_or_else(mismatch)
    }
}

impl Token {
    fn new(secret: &[u8]) -> Result<Self, ConfigError> {
        if secret.trim_ascii() != secret {
            return Err(ConfigError::new(ConfigErrorKind::SecretEdge));
        }
        HeaderValue::from_bytes(secret).map_err(|_| ConfigError::new(ConfigErrorKind::Encoding("a header value")))?;
        Ok(Self { secret: Zeroizing::new(secret.to_vec()), digest: Sha256::digest(secret).into() })
    }
}

impl Scheme for StaticToken {
    fn name(&self) -> &'static str {
        "static-token"
    }

    fn proofs(&self) -> &Proofs {
        &self.proofs
    }

    /// The whole of the proof, but whether the key is valid now.
    fn check_head(&self, headers: &HeaderMap) -> Result<(), Rejection> {
        self.judge(headers, &self.keys.all()).map(drop)
    }

    fn open(&self, headers: &HeaderMap, body: Bytes, now: Timestamp) -> Result<Opened, Rejection> {
        let key_id = self.judge(headers, &self.keys.valid_at(now))?;
        Ok(Opened::new(body, Some(key_id)))
    }

    fn seal(&self, plaintext: Bytes, headers: &mut HeaderMap, with: &Sealing<'_>) -> Result<Bytes, SealError> {
        let keys = self.keys.valid_at(with.now);
        let token = keys.newest().ok_or(SealError::NoValidKey)?;
        let mut value = HeaderValue::from_bytes(&token.secret).map_err(|_| SealError::Header)?;
        value.set_sensitive(true);
        headers.insert(&self.header, value);
        Ok(plaintext)
    }

    fn key_checks(&self) -> Vec<KeyCheck> {
        self.keys.checks()
    }
}
