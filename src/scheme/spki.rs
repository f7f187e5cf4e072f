//! Public keys as certificates and tools write them: `SubjectPublicKeyInfo` (RFC 5280, section 4.1) in DER or PEM.

use super::der::{BIT_STRING, ED25519, INTEGER, P256, RSA, SEQUENCE};
use crate::encoding::Encoding;
use crate::error::{ConfigError, ConfigErrorKind};
use crate::secret::Secret;

/// The key inside, as the verifier takes it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum PublicKey<'a> {
    /// `RSAPublicKey` (RFC 8017, appendix A.1.1), with a modulus of 2048 to 8192 bits.
    Rsa(&'a [u8]),
    /// An uncompressed point of P-256.
    P256(&'a [u8]),
    /// The 32 bytes of RFC 8032.
    Ed25519(&'a [u8; 32]),
}

/// The key in these bytes and nothing behind it. `None` for anything else, a key of another kind or size too.
pub(super) fn read(der: &[u8]) -> Option<PublicKey<'_>> {
    let info = whole(SEQUENCE, der)?;
    let (algorithm, rest) = element(SEQUENCE, info)?;
    // The first byte counts unused bits: there are none.
    let key = whole(BIT_STRING, rest)?.strip_prefix(&[0])?;
    match algorithm {
        RSA if (256..=1024).contains(&modulus_length(key)?) => Some(PublicKey::Rsa(key)),
        ED25519 => key.try_into().ok().map(PublicKey::Ed25519),
        P256 if key.len() == 65 && key.first() == Some(&4) => Some(PublicKey::P256(key)),
        _ => None,
    }
}

/// In bytes. One whose first bit is not set is shorter than it looks.
fn modulus_length(key: &[u8]) -> Option<usize> {
    let (modulus, rest) = element(INTEGER, whole(SEQUENCE, key)?)?;
    whole(INTEGER, rest)?;
    let modulus = modulus.strip_prefix(&[0])?;
    modulus.first().filter(|byte| **byte >= 0x80).map(|_| modulus.len())
}

fn whole(tag: u8, der: &[u8]) -> Option<&[u8]> {
    element(tag, der).and_then(|(content, rest)| rest.is_empty().then_some(content))
}

/// The content of the element that begins here, and what stands behind it.
fn element(tag: u8, der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (head, rest) = der.strip_prefix(&[tag])?.split_first()?;
    let (length, rest) = match head {
        0x81 => rest.split_first().map(|(length, rest)| (usize::from(*length), rest))?,
        0x82 => rest.split_first_chunk().map(|(length, rest)| (usize::from(u16::from_be_bytes(*length)), rest))?,
        short => (usize::from(*short), rest),
    };
    let shortest = match head {
        0x81 => length >= 0x80,
        0x82 => length >= 0x100,
        short => *short < 0x80,
    };
    if shortest { rest.split_at_checked(length) } else { None }
}

/// A public key out of its text: PEM (`-----BEGIN PUBLIC KEY-----`) or a JSON Web Key, of RSA, P-256 or Ed25519.
///
/// # Errors
///
/// [`ConfigErrorKind::Encoding`].
pub fn public_key(text: &str) -> Result<Secret, ConfigError> {
    let der = if text.trim_start().starts_with('{') { super::jwk::to_spki(text) } else { from_pem(text) };
    let der = der.filter(|der| read(der).is_some());
    der.ok_or(ConfigError::new(ConfigErrorKind::Encoding("a public key in PEM or JWK"))).and_then(Secret::bytes)
}

fn from_pem(pem: &str) -> Option<Vec<u8>> {
    let body = pem.trim().strip_prefix("-----BEGIN PUBLIC KEY-----")?.strip_suffix("-----END PUBLIC KEY-----")?;
    let base64: String = body.split_ascii_whitespace().collect();
    Encoding::Base64.decode(base64.as_bytes()).ok()
}
