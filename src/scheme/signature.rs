//! RSA and ECDSA over the signed content of a delivery.

use ring::signature::{ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256};
use ring::signature::{UnparsedPublicKey, VerificationAlgorithm};

use super::forward::forward_scheme;
use super::signed::Signed;
use super::signed_scheme::{Algorithm, SignedScheme};
use super::spki::{self, PublicKey};
use super::template::Template;
use crate::encoding::Encoding;
use crate::error::{ConfigError, ConfigErrorKind};
use crate::secret::KeyRing;

/// The signatures that are verified. Which of them is fixed by configuration, never by a message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum SignatureAlgorithm {
    /// RSA with SHA-256 and the padding of PKCS#1 1.5 (RFC 8017, section 8.2), keys of 2048 to 8192 bits:
    /// `rsa-pkcs1-sha256`.
    RsaPkcs1Sha256,
    /// ECDSA with SHA-256 over P-256 (FIPS 186-5), written in DER as OpenSSL does: `ecdsa-p256-sha256-der`.
    EcdsaP256Sha256Der,
    /// The same written as two numbers of 32 bytes, as JWS does: `ecdsa-p256-sha256-fixed`.
    EcdsaP256Sha256Fixed,
}

impl SignatureAlgorithm {
    /// Every algorithm.
    pub const ALL: &'static [Self] = &[Self::RsaPkcs1Sha256, Self::EcdsaP256Sha256Der, Self::EcdsaP256Sha256Fixed];

    /// The algorithm of this name.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Algorithm`].
    pub fn from_name(name: &str) -> Result<Self, ConfigError> {
        let known = Self::ALL.iter().find(|algorithm| algorithm.name() == name);
        known.copied().ok_or_else(|| ConfigError::new(ConfigErrorKind::Algorithm(name.to_owned())))
    }

    /// The algorithm's name, such as `rsa-pkcs1-sha256`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::RsaPkcs1Sha256 => "rsa-pkcs1-sha256",
            Self::EcdsaP256Sha256Der => "ecdsa-p256-sha256-der",
            Self::EcdsaP256Sha256Fixed => "ecdsa-p256-sha256-fixed",
        }
    }

    fn key(self, der: &[u8]) -> Result<UnparsedPublicKey<Vec<u8>>, ConfigError> {
        let (algorithm, key): (&'static dyn VerificationAlgorithm, _) = match (self, spki::read(der)) {
            (Self::RsaPkcs1Sha256, Some(PublicKey::Rsa(key))) => (&RSA_PKCS1_2048_8192_SHA256, key),
            (Self::EcdsaP256Sha256Der, Some(PublicKey::P256(point))) => (&ECDSA_P256_SHA256_ASN1, point),
            (Self::EcdsaP256Sha256Fixed, Some(PublicKey::P256(point))) => (&ECDSA_P256_SHA256_FIXED, point),
            (Self::RsaPkcs1Sha256, _) => {
                return Err(ConfigError::new(ConfigErrorKind::Encoding("an RSA public key of 2048 to 8192 bits")));
            }
            _ => return Err(ConfigError::new(ConfigErrorKind::Encoding("a public key of P-256"))),
        };
        Ok(UnparsedPublicKey::new(algorithm, key.to_vec()))
    }
}

/// RSA or ECDSA over the [signed content](Signed) of a delivery, by a private key that the sender alone has. It verifies and
/// never seals.
///
/// The ring holds the sender's public keys, each as `SubjectPublicKeyInfo` in DER; [`public_key`](super::public_key)
/// reads them from PEM and JWK. They are no secrets, and ride in it for their ids and validity. Nothing here fetches a key: one that a
/// delivery names by a URL is a key of whoever sent it.
#[derive(Clone, Debug)]
pub struct Signature(SignedScheme<SignatureAlgorithm>);

impl Signature {
    /// Signatures by these public keys.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Encoding`] for a key that is not of the algorithm; as [`Hmac::new`](super::Hmac::new) for the
    /// rest.
    pub fn new(
        algorithm: SignatureAlgorithm,
        signed: Signed,
        public_keys: impl Into<KeyRing>,
    ) -> Result<Self, ConfigError> {
        let keys = public_keys.into().prepare(move |der| algorithm.key(der))?;
        SignedScheme::new(algorithm, signed, keys).map(Self)
    }

    /// What is signed, with the URL in its place.
    #[must_use]
    pub fn template(&self) -> &Template {
        self.0.template()
    }
}

forward_scheme!(Signature, self => self.0);

impl Algorithm for SignatureAlgorithm {
    type Key = UnparsedPublicKey<Vec<u8>>;
    type Claimed = Vec<u8>;

    fn name(&self) -> &'static str {
        SignatureAlgorithm::name(*self)
    }

    /// DER has no fixed length, and RSA that of the key.
    fn length(&self) -> Option<usize> {
        (*self == Self::EcdsaP256Sha256Fixed).then_some(64)
    }

    fn decode(&self, encoding: Encoding, text: &[u8]) -> Option<Vec<u8>> {
        encoding.decode(text).ok()
    }

    /// The library wants one text, so that this algorithm alone joins the parts.
    fn fits(&self, key: &Self::Key, parts: &[&[u8]], mut claimed: impl Iterator<Item = Vec<u8>>) -> bool {
        let text = parts.concat();
        claimed.any(|signature| key.verify(&text, &signature).is_ok())
    }

    /// None: the private key is the sender's.
    fn signer<'k>(&'k self, _: Option<&'k Self::Key>) -> Option<impl FnOnce(&[&[u8]]) -> Vec<u8> + use<'k>> {
        None::<fn(&[&[u8]]) -> Vec<u8>>
    }
}
