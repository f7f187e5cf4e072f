//! A keyed MAC: made ready once, cloned for each message, fed in parts, compared in constant time.

use ::hmac::digest::{CtOutput, InvalidLength};
use ::hmac::{Hmac, KeyInit, Mac};
use sha2::{Sha256, Sha512};
use subtle::{Choice, ConstantTimeEq};

use crate::error::ConfigError;

/// The message authentication codes of the wire, at their full length.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum MacAlgorithm {
    /// HMAC with SHA-256 (RFC 2104, RFC 6234): 32 bytes.
    HmacSha256,
    /// HMAC with SHA-512 (RFC 2104, RFC 6234): 64 bytes.
    HmacSha512,
}

impl MacAlgorithm {
    /// The algorithm's name, such as `hmac-sha256`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::HmacSha256 => "hmac-sha256",
            Self::HmacSha512 => "hmac-sha512",
        }
    }
}

/// The state after the key. It holds what is derived from the key, zeroized when dropped.
#[derive(Clone)]
pub(super) enum KeyedMac {
    Sha256(Hmac<Sha256>),
    Sha512(Hmac<Sha512>),
}

impl KeyedMac {
    pub(super) fn new(algorithm: MacAlgorithm, key: &[u8]) -> Result<Self, ConfigError> {
        let keyed = match algorithm {
            MacAlgorithm::HmacSha256 => Hmac::new_from_slice(key).map(Self::Sha256),
            MacAlgorithm::HmacSha512 => Hmac::new_from_slice(key).map(Self::Sha512),
        };
        // HMAC takes a key of any length, so this says nothing that can be seen.
        keyed.map_err(|InvalidLength| ConfigError::OutOfRange("the length of the HMAC key"))
    }

    /// Whether `given` is the tag over these parts, one after the other. Another length never is.
    pub(super) fn fits(&self, parts: &[&[u8]], given: &[u8]) -> Choice {
        match self {
            Self::Sha256(keyed) => finish(keyed, parts).as_bytes().as_slice().ct_eq(given),
            Self::Sha512(keyed) => finish(keyed, parts).as_bytes().as_slice().ct_eq(given),
        }
    }

    /// The tag over these parts, for sealing.
    pub(super) fn tag(&self, parts: &[&[u8]]) -> Vec<u8> {
        match self {
            Self::Sha256(keyed) => finish(keyed, parts).as_bytes().to_vec(),
            Self::Sha512(keyed) => finish(keyed, parts).as_bytes().to_vec(),
        }
    }
}

fn finish<M: Mac + Clone>(keyed: &M, parts: &[&[u8]]) -> CtOutput<M> {
    let mut mac = keyed.clone();
    for part in parts {
        mac.update(part);
    }
    mac.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_the_same_as_the_whole_and_another_length_never_fits() {
        for algorithm in [MacAlgorithm::HmacSha256, MacAlgorithm::HmacSha512] {
            let mac = KeyedMac::new(algorithm, b"key").unwrap();
            let tag = mac.tag(&[b"abc"]);
            assert!(bool::from(mac.fits(&[b"a", b"", b"bc"], &tag)), "{algorithm:?}");
            assert!(!bool::from(mac.fits(&[b"a", b"bd"], &tag)), "{algorithm:?}");
            for length in 0..tag.len() {
                assert!(!bool::from(mac.fits(&[b"abc"], &tag[..length])), "{algorithm:?} {length}");
            }
            assert!(!bool::from(mac.fits(&[b"abc"], &[&tag[..], b"\0"].concat())), "{algorithm:?}");
        }
    }
}
