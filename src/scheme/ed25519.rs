//! Ed25519 over the signed content of a delivery.

use ed25519_dalek::ed25519::signature::{MultipartSigner as _, MultipartVerifier as _};
use ed25519_dalek::{Signature, SigningKey, VerifyingKey};

use super::forward::forward_scheme;
use super::signed::Signed;
use super::signed_scheme::{Algorithm, SignedScheme};
use super::spki::{self, PublicKey};
use super::template::Template;
use crate::encoding::Encoding;
use crate::error::{ConfigError, ConfigErrorKind};
use crate::secret::{KeyRing, Secret};

/// Ed25519 (RFC 8032) over the [signed content](Signed) of a delivery: whoever verifies cannot sign.
///
/// The ring holds the sender's public keys, 32 bytes each or as [`public_key`](super::public_key) reads them; they are no secrets, and ride in it for their ids and
/// validity. To seal, [`Ed25519::signing_key`] is needed too.
#[derive(Clone, Debug)]
pub struct Ed25519(SignedScheme<Eddsa>);

/// The algorithm, with what seals.
#[derive(Clone, Debug)]
struct Eddsa(Option<Signing>);

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
        SignedScheme::new(Eddsa(None), signed, keys).map(Self)
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
        self.0.algorithm = Eddsa(Some(Signing(key)));
        Ok(self)
    }

    /// What is signed, with the URL in its place.
    #[must_use]
    pub fn template(&self) -> &Template {
        self.0.template()
    }
}

forward_scheme!(Ed25519, self => self.0);

impl Algorithm for Eddsa {
    type Key = VerifyingKey;
    type Claimed = [u8; 64];

    fn name(&self) -> &'static str {
        "ed25519"
    }

    fn length(&self) -> Option<usize> {
        Some(64)
    }

    fn decode(&self, encoding: Encoding, text: &[u8]) -> Option<[u8; 64]> {
        encoding.decode_array(text).ok()
    }

    fn fits(&self, key: &VerifyingKey, parts: &[&[u8]], mut claimed: impl Iterator<Item = [u8; 64]>) -> bool {
        claimed.any(|bytes| key.multipart_verify(parts, &Signature::from_bytes(&bytes)).is_ok())
    }

    /// The keys of the ring are public: what signs is beside it.
    fn signer<'k>(&'k self, _: Option<&'k VerifyingKey>) -> Option<impl FnOnce(&[&[u8]]) -> Vec<u8> + use<'k>> {
        let Self(signing) = self;
        signing.as_ref().map(|Signing(key)| |parts: &[&[u8]]| key.multipart_sign(parts).to_bytes().to_vec())
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
