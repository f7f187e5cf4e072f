//! A keyed MAC: made ready once, cloned for each message, fed in parts, compared in constant time.

use ::hmac::digest::{CtOutput, InvalidLength};
use ::hmac::{Hmac, KeyInit, Mac};
use ctutils::{Choice, CtEq as _};
use sha1::Sha1;
use sha2::{Sha256, Sha512};

use crate::encoding::Encoding;
use crate::error::{ConfigError, ConfigErrorKind};

/// The message authentication codes of the wire, at their full length.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum MacAlgorithm {
    /// HMAC with SHA-1 (RFC 2104): 20 bytes, `dangerous-hmac-sha1` by name.
    ///
    /// # Security
    ///
    /// For a sender who has nothing else. No forgery of HMAC-SHA-1 is known, but SHA-1 is broken as a hash and is being
    /// withdrawn everywhere; what is built on it will have to be replaced.
    DangerousHmacSha1,
    /// HMAC with SHA-256 (RFC 2104, RFC 6234): 32 bytes.
    HmacSha256,
    /// HMAC with SHA-512 (RFC 2104, RFC 6234): 64 bytes.
    HmacSha512,
}

impl MacAlgorithm {
    /// Every algorithm.
    pub const ALL: &'static [Self] = &[Self::HmacSha256, Self::HmacSha512, Self::DangerousHmacSha1];

    /// The algorithm of this name: `hmac-sha256`, `hmac-sha512` or `dangerous-hmac-sha1`.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Algorithm`].
    pub fn from_name(name: &str) -> Result<Self, ConfigError> {
        let known = Self::ALL.iter().find(|algorithm| algorithm.name() == name);
        known.copied().ok_or_else(|| ConfigError::new(ConfigErrorKind::Algorithm(name.to_owned())))
    }

    /// The algorithm's name, such as `hmac-sha256`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::DangerousHmacSha1 => "dangerous-hmac-sha1",
            Self::HmacSha256 => "hmac-sha256",
            Self::HmacSha512 => "hmac-sha512",
        }
    }

    /// Of the MAC, in bytes.
    pub(super) fn bytes(self) -> usize {
        match self {
            Self::DangerousHmacSha1 => 20,
            Self::HmacSha256 => 32,
            Self::HmacSha512 => 64,
        }
    }
}

/// The state after the key. It holds what is derived from the key, zeroized when dropped.
#[derive(Clone)]
pub(super) enum KeyedMac {
    Sha1(Hmac<Sha1>),
    Sha256(Hmac<Sha256>),
    Sha512(Hmac<Sha512>),
}

impl KeyedMac {
    pub(super) fn new(algorithm: MacAlgorithm, key: &[u8]) -> Result<Self, ConfigError> {
        let keyed = match algorithm {
            MacAlgorithm::DangerousHmacSha1 => Hmac::new_from_slice(key).map(Self::Sha1),
            MacAlgorithm::HmacSha256 => Hmac::new_from_slice(key).map(Self::Sha256),
            MacAlgorithm::HmacSha512 => Hmac::new_from_slice(key).map(Self::Sha512),
        };
        // HMAC takes a key of any length, so this says nothing that can be seen.
        keyed.map_err(|InvalidLength| ConfigError::new(ConfigErrorKind::OutOfRange("the length of the HMAC key")))
    }

    /// Whether any of `given` is the tag over these parts, one after the other. All of them are looked at.
    pub(super) fn fits(&self, parts: &[&[u8]], given: impl Iterator<Item = Tag>) -> Choice {
        let tag = self.tag(parts);
        given.fold(Choice::FALSE, |fits, given| fits | tag.as_bytes().ct_eq(given.as_bytes()))
    }

    /// The tag over these parts.
    pub(super) fn tag(&self, parts: &[&[u8]]) -> Tag {
        match self {
            Self::Sha1(keyed) => Tag::of(finish(keyed, parts).as_bytes()),
            Self::Sha256(keyed) => Tag::of(finish(keyed, parts).as_bytes()),
            Self::Sha512(keyed) => Tag::of(finish(keyed, parts).as_bytes()),
        }
    }
}

/// A MAC, ours or the peer's claim, without a heap.
#[derive(Clone, Copy)]
pub(super) struct Tag {
    bytes: [u8; 64],
    length: usize,
}

impl Tag {
    /// The text as a tag of exactly the algorithm's length.
    pub(super) fn decode(algorithm: MacAlgorithm, encoding: Encoding, text: &[u8]) -> Option<Self> {
        match algorithm {
            MacAlgorithm::DangerousHmacSha1 => encoding.decode_array::<20>(text).ok().map(|tag| Self::of(&tag)),
            MacAlgorithm::HmacSha256 => encoding.decode_array::<32>(text).ok().map(|tag| Self::of(&tag)),
            MacAlgorithm::HmacSha512 => encoding.decode_array::<64>(text).ok().map(|tag| Self::of(&tag)),
        }
    }

    fn of(tag: &[u8]) -> Self {
        let mut bytes = [0; 64];
        if let Some(room) = bytes.get_mut(..tag.len()) {
            room.copy_from_slice(tag);
        }
        Self { bytes, length: tag.len() }
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
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
        for algorithm in MacAlgorithm::ALL {
            let mac = KeyedMac::new(*algorithm, b"key").unwrap();
            let tag = mac.tag(&[b"abc"]);
            let fits =
                |parts: &[&[u8]], given: &[&[u8]]| bool::from(mac.fits(parts, given.iter().map(|tag| Tag::of(tag))));
            let (good, zeros) = (tag.as_bytes(), [0; 64]);
            assert!(fits(&[b"a", b"", b"bc"], &[good]), "{algorithm:?}");
            assert!(!fits(&[b"a", b"bd"], &[good]), "{algorithm:?}");
            for length in 0..good.len() {
                assert!(!fits(&[b"abc"], &[&good[..length]]), "{algorithm:?} {length}");
            }
            assert!(good.len() == 64 || !fits(&[b"abc"], &[&[good, b"\0"].concat()]), "{algorithm:?}");
            for given in [[&zeros[..], good], [good, &zeros], [good, good]] {
                assert!(fits(&[b"abc"], &given), "{algorithm:?}");
            }
            assert!(!fits(&[b"abc"], &[]), "{algorithm:?}");
        }
    }

    #[test]
    fn a_name_is_its_algorithm_and_no_other() {
        for algorithm in MacAlgorithm::ALL {
            assert_eq!(MacAlgorithm::from_name(algorithm.name()), Ok(*algorithm));
        }
        for name in ["", "hmac-sha1", "sha256", "HMAC-SHA256", "hmac-sha384"] {
            assert_eq!(
                MacAlgorithm::from_name(name),
                Err(ConfigError::new(ConfigErrorKind::Algorithm(name.into()))),
                "{name}"
            );
        }
    }
}
