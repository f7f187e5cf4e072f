//! Public keys as JSON Web Keys (RFC 7517, RFC 7518 section 6, RFC 8037): read into `SubjectPublicKeyInfo`, so that all
//! that follows knows one form.

use serde::Deserialize;

use super::der::{BIT_STRING, ED25519, INTEGER, P256, RSA, SEQUENCE};
use crate::encoding::base64url;

/// What is read of a key. A name that stands twice is refused; members that say how a key may be used are not looked at.
#[derive(Deserialize)]
struct Jwk {
    kty: String,
    crv: Option<String>,
    x: Option<String>,
    y: Option<String>,
    n: Option<String>,
    e: Option<String>,
    /// A private key has no business here.
    d: Option<serde::de::IgnoredAny>,
}

/// The DER of the one key in this text.
pub(super) fn to_spki(text: &str) -> Option<Vec<u8>> {
    let key: Jwk = serde_json::from_str(text).ok().filter(|key: &Jwk| key.d.is_none())?;
    let bytes = |member: &Option<String>| base64url(member.as_deref()?);
    match (key.kty.as_str(), key.crv.as_deref()) {
        ("RSA", None) => {
            let numbers = [integer(&bytes(&key.n)?), integer(&bytes(&key.e)?)].concat();
            Some(info(RSA, &tlv(SEQUENCE, &numbers)))
        }
        ("EC", Some("P-256")) => {
            let (x, y) = (coordinate(&bytes(&key.x)?)?, coordinate(&bytes(&key.y)?)?);
            Some(info(P256, &[&[4], &x[..], &y[..]].concat()))
        }
        ("OKP", Some("Ed25519")) => Some(info(ED25519, &coordinate(&bytes(&key.x)?)?)),
        _ => None,
    }
}

fn coordinate(bytes: &[u8]) -> Option<[u8; 32]> {
    bytes.try_into().ok()
}

fn info(algorithm: &[u8], key: &[u8]) -> Vec<u8> {
    let key = tlv(BIT_STRING, &[&[0], key].concat());
    tlv(SEQUENCE, &[tlv(SEQUENCE, algorithm), key].concat())
}

/// A number of RFC 7518, big-endian without leading zeros, with the zero that DER puts before a set first bit.
fn integer(bytes: &[u8]) -> Vec<u8> {
    let sign: &[u8] = if bytes.first().is_some_and(|first| *first >= 0x80) { &[0] } else { &[] };
    tlv(INTEGER, &[sign, bytes].concat())
}

/// Tag, length, content. Whatever is too long for two bytes of length is no key, and comes out as none.
fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let head = match u16::try_from(content.len()).map(u16::to_be_bytes) {
        Ok([0, short @ 0..=0x7f]) => vec![tag, short],
        Ok([0, long]) => vec![tag, 0x81, long],
        Ok([high, low]) => vec![tag, 0x82, high, low],
        Err(_) => return Vec::new(),
    };
    [&head, content].concat()
}
