//! Secrets and key rings: zeroized when dropped, never printed, never compared with `==`.

use std::fmt;
use std::sync::Arc;

use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::encoding;
use crate::error::{ConfigError, ConfigErrorKind};

/// The least bytes of a secret that is not a cipher's key. A shorter one can be guessed.
pub(crate) const MIN_SECRET: usize = 16;

/// Bytes that must not be seen. `Debug` prints no byte of them; there is no `PartialEq`, `Display` or `Serialize`.
#[derive(Clone)]
pub struct Secret(Arc<Zeroizing<Vec<u8>>>);

impl Secret {
    /// The bytes themselves.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::EmptySecret`].
    pub fn bytes(bytes: impl Into<Vec<u8>>) -> Result<Self, ConfigError> {
        let bytes = Zeroizing::new(bytes.into());
        if bytes.is_empty() {
            return Err(ConfigError::new(ConfigErrorKind::EmptySecret));
        }
        Ok(Self(Arc::new(bytes)))
    }

    /// The UTF-8 bytes of a text, as most signing secrets are used.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::EmptySecret`], or [`ConfigErrorKind::SecretEdge`] for a copied line end.
    pub fn utf8(text: impl AsRef<str>) -> Result<Self, ConfigError> {
        let text = text.as_ref();
        if text.trim() != text {
            return Err(ConfigError::new(ConfigErrorKind::SecretEdge));
        }
        Self::bytes(text)
    }

    /// Hexadecimal text, any case.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Encoding`] when it is not hexadecimal, or as [`Secret::utf8`].
    pub fn hex(text: impl AsRef<str>) -> Result<Self, ConfigError> {
        Self::decoded(text.as_ref(), encoding::Encoding::Hex)
    }

    /// Standard Base64 text with padding.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Encoding`] when it is not Base64, or as [`Secret::utf8`].
    pub fn base64(text: impl AsRef<str>) -> Result<Self, ConfigError> {
        Self::decoded(text.as_ref(), encoding::Encoding::Base64)
    }

    fn decoded(text: &str, encoding: encoding::Encoding) -> Result<Self, ConfigError> {
        if text.trim() != text {
            return Err(ConfigError::new(ConfigErrorKind::SecretEdge));
        }
        match encoding.decode(text.as_bytes()) {
            Ok(bytes) => Self::bytes(bytes),
            Err(_) => Err(ConfigError::new(ConfigErrorKind::Encoding(encoding.name()))),
        }
    }

    /// For the cipher or the MAC, and nothing else.
    pub(crate) fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secret").finish_non_exhaustive()
    }
}

/// What tells a key from another without naming it: 3 bytes of a MAC by the key, as card issuers print them.
///
/// # Security
///
/// It says 24 bits about the key: of all guesses at it, one in 17 million fits. A key that nobody could guess before, nobody
/// can guess with it. So a secret under 16 bytes, which scheme and layers take by a `dangerous_` name only, has none.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct KeyCheck([u8; 3]);

impl KeyCheck {
    /// The check value of this key. `None`: it is shorter than 16 bytes.
    #[must_use]
    pub fn of(key: &Secret) -> Option<Self> {
        let key = Some(key.expose()).filter(|key| key.len() >= MIN_SECRET)?;
        let mac = Hmac::<Sha256>::new_from_slice(key).ok()?.chain_update("tower-webhook key check v1").finalize();
        mac.into_bytes().first_chunk().copied().map(Self)
    }

    /// A check value of these bytes, for stores and tests.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 3]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 3] {
        &self.0
    }
}

/// A secret with a name and the time in which it is valid.
#[derive(Clone, Debug)]
pub struct Key {
    id: Arc<str>,
    secret: Secret,
    not_before: Option<Timestamp>,
    not_after: Option<Timestamp>,
}

impl Key {
    /// A key that is always valid. The id is for logs and metrics and is no secret.
    #[must_use]
    pub fn new(id: impl Into<Arc<str>>, secret: Secret) -> Self {
        Self { id: id.into(), secret, not_before: None, not_after: None }
    }

    /// The key is refused before this time. Default: no such time.
    #[must_use]
    pub fn not_before(mut self, time: Timestamp) -> Self {
        self.not_before = Some(time);
        self
    }

    /// The key is refused after this time. Default: no such time.
    #[must_use]
    pub fn not_after(mut self, time: Timestamp) -> Self {
        self.not_after = Some(time);
        self
    }

    /// The key's name.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    fn valid_at(&self, now: Timestamp) -> bool {
        self.not_before.is_none_or(|start| start <= now) && self.not_after.is_none_or(|end| now <= end)
    }
}

/// Several keys at once, for rotation without a gap. The first is the newest: it seals.
#[derive(Clone, Debug)]
pub struct KeyRing(Vec<Key>);

impl KeyRing {
    /// The most keys that one delivery is tried against.
    pub const MAX: usize = 5;

    /// A ring of these keys, newest first.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::NoKeys`], [`ConfigErrorKind::TooManyKeys`] over [`KeyRing::MAX`], [`ConfigErrorKind::KeyIdTwice`],
    /// [`ConfigErrorKind::KeyNeverValid`] for a key whose time ends before it begins.
    pub fn new(keys: impl IntoIterator<Item = Key>) -> Result<Self, ConfigError> {
        let keys: Vec<Key> = keys.into_iter().collect();
        if keys.is_empty() {
            return Err(ConfigError::new(ConfigErrorKind::NoKeys));
        }
        if keys.len() > Self::MAX {
            return Err(ConfigError::new(ConfigErrorKind::TooManyKeys { most: Self::MAX }));
        }
        for (at, key) in keys.iter().enumerate() {
            if key.not_before.zip(key.not_after).is_some_and(|(start, end)| end < start) {
                return Err(ConfigError::new(ConfigErrorKind::KeyNeverValid(key.id.to_string())));
            }
            if keys.iter().skip(at + 1).any(|other| other.id == key.id) {
                return Err(ConfigError::new(ConfigErrorKind::KeyIdTwice(key.id.to_string())));
            }
        }
        Ok(Self(keys))
    }

    /// Makes each key ready for its cipher or MAC, once.
    pub(crate) fn prepare<K>(
        &self,
        prepare: impl Fn(&[u8]) -> Result<K, ConfigError>,
    ) -> Result<PreparedKeys<K>, ConfigError> {
        self.0
            .iter()
            .map(|key| prepare(key.secret.expose()).map(|ready| (key.clone(), ready)))
            .collect::<Result<_, _>>()
            .map(PreparedKeys)
    }
}

/// One secret, as a ring with the key id `default`.
impl From<Secret> for KeyRing {
    fn from(secret: Secret) -> Self {
        Self(vec![Key::new("default", secret)])
    }
}

/// Keys ready for use, each with its validity.
#[derive(Clone)]
pub(crate) struct PreparedKeys<K>(Vec<(Key, K)>);

impl<K> PreparedKeys<K> {
    /// The keys that are valid at `now`, newest first.
    pub(crate) fn valid_at(&self, now: Timestamp) -> impl Iterator<Item = (&Arc<str>, &K)> {
        self.0.iter().filter(move |(key, _)| key.valid_at(now)).map(|(key, ready)| (&key.id, ready))
    }

    /// The check values of all keys, whether valid now or not.
    pub(crate) fn checks(&self) -> Vec<KeyCheck> {
        self.0.iter().filter_map(|(key, _)| KeyCheck::of(&key.secret)).collect()
    }
}

impl<K> fmt::Debug for PreparedKeys<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(key, _)| key.id())).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn empty_blank_edged_and_misencoded_secrets_are_refused() {
        assert_eq!(Secret::utf8("").unwrap_err(), ConfigError::new(ConfigErrorKind::EmptySecret));
        assert_eq!(Secret::utf8("secret\n").unwrap_err(), ConfigError::new(ConfigErrorKind::SecretEdge));
        assert_eq!(Secret::utf8("   ").unwrap_err(), ConfigError::new(ConfigErrorKind::SecretEdge));
        assert_eq!(Secret::hex("0g").unwrap_err(), ConfigError::new(ConfigErrorKind::Encoding("hexadecimal")));
        assert_eq!(Secret::hex("").unwrap_err(), ConfigError::new(ConfigErrorKind::EmptySecret));
        assert_eq!(Secret::base64("a").unwrap_err(), ConfigError::new(ConfigErrorKind::Encoding("Base64")));
        assert_eq!(Secret::hex("00fF").unwrap().expose(), [0, 255]);
    }

    #[test]
    fn nothing_prints_a_secret() {
        let ring = KeyRing::from(Secret::utf8("canary-canary-canary").unwrap());
        let prepared = ring.prepare(|bytes| Ok(bytes.to_vec())).unwrap();
        let printed = format!("{ring:?} {prepared:?}");
        assert!(!printed.contains("canary") && !printed.contains("99"), "{printed}");
    }

    #[test]
    fn a_key_check_is_the_documented_mac_and_no_short_secret_has_one() {
        let key = b"0123456789abcdef";
        let of = |bytes: &[u8]| KeyCheck::of(&Secret::bytes(bytes).unwrap());
        // printf 'tower-webhook key check v1' | openssl dgst -sha256 -hmac 0123456789abcdef
        assert_eq!(of(key), Some(KeyCheck::from_bytes([0xF8, 0xE6, 0xDE])));
        assert_ne!(of(b"0123456789abcdeg"), of(key));
        assert_eq!(of(&key[..15]), None);
    }

    #[test]
    fn a_key_is_valid_from_its_start_to_its_end_and_not_a_nanosecond_longer() {
        let key = Key::new("k", Secret::utf8("s").unwrap())
            .not_before(at("2026-01-01T00:00:00Z"))
            .not_after(at("2026-02-01T00:00:00Z"));
        for (time, valid) in [
            ("2025-12-31T23:59:59.999999999Z", false),
            ("2026-01-01T00:00:00Z", true),
            ("2026-02-01T00:00:00Z", true),
            ("2026-02-01T00:00:00.000000001Z", false),
        ] {
            assert_eq!(key.valid_at(at(time)), valid, "{time}");
        }
    }

    #[test]
    fn a_ring_has_one_to_five_keys_of_different_names() {
        let key = |id: &str| Key::new(id, Secret::utf8("s").unwrap());
        assert_eq!(KeyRing::new([]).unwrap_err(), ConfigError::new(ConfigErrorKind::NoKeys));
        assert!(KeyRing::new(["a", "b", "c", "d", "e"].map(key)).is_ok());
        assert_eq!(
            KeyRing::new(["a", "b", "c", "d", "e", "f"].map(key)).unwrap_err(),
            ConfigError::new(ConfigErrorKind::TooManyKeys { most: 5 })
        );
        assert_eq!(
            KeyRing::new(["a", "b", "a"].map(key)).unwrap_err(),
            ConfigError::new(ConfigErrorKind::KeyIdTwice("a".into()))
        );
        let lasts = |to: &str| KeyRing::new([key("a").not_before(at("2026-11-01T00:00:00Z")).not_after(at(to))]);
        assert_eq!(
            lasts("2026-10-31T23:59:59Z").unwrap_err(),
            ConfigError::new(ConfigErrorKind::KeyNeverValid("a".into()))
        );
        assert!(lasts("2026-11-01T00:00:00Z").is_ok());
    }
}
