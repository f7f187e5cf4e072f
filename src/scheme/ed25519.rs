//! Ed25519 over a template of the delivery.

use std::sync::Arc;

use bytes::Bytes;
use ed25519_dalek::ed25519::signature::{MultipartSigner as _, MultipartVerifier as _};
use ed25519_dalek::{Signature, SigningKey, VerifyingKey};
use http::{HeaderMap, HeaderName};
use jiff::Timestamp;
use subtle::Choice;

use super::proof::Proofs;
use super::signed::{Signed, Wire};
use super::spki::{self, PublicKey};
use super::template::Template;
use super::tolerance::Tolerance;
use super::{Opened, Scheme, SealError, Sealing, fitting};
use crate::error::{ConfigError, ConfigErrorKind, Rejection};
use crate::secret::{KeyCheck, KeyRing, PreparedKeys, Secret};

/// Ed25519 (RFC 8032) over what a [`Signed`] says: whoever verifies cannot sign.
///
/// The ring holds the sender's public keys, 32 bytes each or as [`public_key`](super::public_key) reads them; they are no secrets, and ride in it for their ids and
/// validity. To seal, [`Ed25519::signing_key`] is needed too.
#[derive(Clone, Debug)]
pub struct Ed25519 {
    wire: Wire,
    keys: PreparedKeys<VerifyingKey>,
    signing: Option<Signing>,
}

/// Zeroized when dropped, and never printed.
#[derive(Clone)]
struct Signing(SigningKey);

impl std::fmt::Debug for Signing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Signing").finish_non_exhaustive()
    }
}

impl Ed25519 {
    /// Signatures by these public keys.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::KeyLength`] for anything but 32 bytes; [`ConfigErrorKind::Encoding`] when they are no key, or one for
    /// which anybody can sign; as [`Hmac::new`](super::Hmac::new) for the rest.
    pub fn new(signed: Signed, public_keys: impl Into<KeyRing>) -> Result<Self, ConfigError> {
        let keys = public_keys.into().prepare(verifying_key)?;
        Ok(Self { wire: signed.check(Some(64))?, keys, signing: None })
    }

    /// The private key that seals: 32 bytes of seed, or 64 of seed and public key. Default: none, and nothing can be
    /// sealed.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::KeyLength`]; [`ConfigErrorKind::Encoding`] when the two halves are not of one pair.
    pub fn signing_key(mut self, private_key: &Secret) -> Result<Self, ConfigError> {
        let bytes = private_key.expose();
        let key = match (<&[u8; 32]>::try_from(bytes), <&[u8; 64]>::try_from(bytes)) {
            (Ok(seed), _) => SigningKey::from_bytes(seed),
            (_, Ok(pair)) => SigningKey::from_keypair_bytes(pair)
                .map_err(|_| ConfigError::new(ConfigErrorKind::Encoding("an Ed25519 key pair")))?,
            _ => return Err(ConfigError::new(ConfigErrorKind::KeyLength { needed: 32, given: bytes.len() })),
        };
        self.signing = Some(Signing(key));
        Ok(self)
    }

    /// What is signed, with the URL in its place.
    #[must_use]
    pub fn template(&self) -> &Template {
        self.wire.template()
    }

    fn decode(&self, text: &str) -> Option<[u8; 64]> {
        self.wire.encoding().decode_array(text.as_bytes()).ok()
    }

    /// Shape, then signature, then time. At most 16 signatures meet at most 5 keys.
    fn judge(&self, headers: &HeaderMap, body: &[u8], now: Timestamp) -> Result<Arc<str>, Rejection> {
        let claim = self.wire.read(headers, body)?;
        let signatures = claim.decoded(|text| self.decode(text))?;
        let key_id = fitting(&self.keys, now, |key| {
            let fits = |bytes| key.multipart_verify(&claim.parts, &Signature::from_bytes(&bytes)).is_ok();
            Choice::from(u8::from(signatures.clone().any(fits)))
        })?;
        claim.admit(now)?;
        Ok(key_id)
    }
}

/// With a key that is not weak, and since the library takes only canonical scalars, one message has one signature.
fn verifying_key(bytes: &[u8]) -> Result<VerifyingKey, ConfigError> {
    let bytes = match spki::read(bytes) {
        Some(PublicKey::Ed25519(inside)) => inside,
        _ => bytes
            .try_into()
            .map_err(|_| ConfigError::new(ConfigErrorKind::KeyLength { needed: 32, given: bytes.len() }))?,
    };
    let key = VerifyingKey::from_bytes(bytes).ok().filter(|key| !key.is_weak());
    key.ok_or(ConfigError::new(ConfigErrorKind::Encoding("an Ed25519 public key")))
}

impl Scheme for Ed25519 {
    fn name(&self) -> &'static str {
        "ed25519"
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
        let Some(Signing(key)) = &self.signing else { return Err(SealError::NoValidKey) };
        self.wire.seal(headers, &plaintext, with.now, |parts| key.multipart_sign(parts).to_bytes().to_vec())?;
        Ok(plaintext)
    }

    fn key_checks(&self) -> Vec<KeyCheck> {
        self.keys.checks()
    }
}
