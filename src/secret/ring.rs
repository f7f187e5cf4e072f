//! Several keys at once.

use std::fmt;
use std::sync::Arc;

use super::bytes::Secret;
use super::key::Key;
use super::prepared::PreparedKeys;
use super::registry::Registry;
use crate::error::{ConfigError, ConfigErrorKind};

/// Several keys at once, for rotation without a gap. The first is the newest: it seals.
///
/// A ring is fixed, unless it comes from a [`KeySwap`](super::KeySwap).
#[derive(Clone)]
pub struct KeyRing(Source);

#[derive(Clone)]
enum Source {
    Fixed(Arc<[Key]>),
    Replaceable(Arc<Registry>),
}

impl KeyRing {
    /// The most keys that one delivery is tried against: a forged one costs as many MACs over its body, and as many checks by a
    /// public key for each of the up to 16 signatures that it brings.
    pub const MAX: usize = 5;

    /// A ring of these keys, newest first.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::NoKeys`], [`ConfigErrorKind::TooManyKeys`] over [`KeyRing::MAX`], [`ConfigErrorKind::KeyIdTwice`],
    /// [`ConfigErrorKind::KeyNeverValid`] for a key whose time ends before it begins.
    pub fn new(keys: impl IntoIterator<Item = Key>) -> Result<Self, ConfigError> {
        let keys: Arc<[Key]> = keys.into_iter().collect();
        if keys.is_empty() {
            return Err(ConfigError::new(ConfigErrorKind::NoKeys));
        }
        if keys.len() > Self::MAX {
            return Err(ConfigError::new(ConfigErrorKind::TooManyKeys { most: Self::MAX }));
        }
        for (at, key) in keys.iter().enumerate() {
            if key.is_never_valid() {
                return Err(ConfigError::new(ConfigErrorKind::KeyNeverValid(key.id().to_owned())));
            }
            if keys.iter().skip(at + 1).any(|other| other.id() == key.id()) {
                return Err(ConfigError::new(ConfigErrorKind::KeyIdTwice(key.id().to_owned())));
            }
        }
        Ok(Self(Source::Fixed(keys)))
    }

    pub(super) fn replaceable(registry: Arc<Registry>) -> Self {
        Self(Source::Replaceable(registry))
    }

    /// The keys as they are now.
    pub(super) fn keys(&self) -> Arc<[Key]> {
        match &self.0 {
            Source::Fixed(keys) => keys.clone(),
            Source::Replaceable(registry) => registry.keys(),
        }
    }

    /// Makes each key ready for its cipher or MAC, once; and again for each replacement by a
    /// [`KeySwap`](super::KeySwap), which fails as a whole where `prepare` does.
    ///
    /// ```
    /// use tower_webhook::clock::Timestamp;
    /// use tower_webhook::secret::{KeyRing, Secret, ct_eq, long_enough};
    ///
    /// let ring = KeyRing::from(Secret::utf8("correct horse battery staple")?);
    /// let keys = ring.prepare(|secret| {
    ///     long_enough(secret)?;
    ///     Ok(secret.to_vec()) // a scheme keeps the state of its MAC here, not the secret
    /// })?;
    ///
    /// let valid = keys.valid_at(Timestamp::UNIX_EPOCH);
    /// let fitting = |given: &[u8]| valid.fitting(|key| ct_eq(key, given));
    /// assert_eq!(fitting(b"correct horse battery staple").as_deref(), Some("default"));
    /// assert_eq!(fitting(b"correct horse battery stable"), None);
    /// # Ok::<(), tower_webhook::ConfigError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// That of `prepare`, for the first key that it cannot make ready.
    ///
    /// # Security
    ///
    /// `prepare` sees the bytes of each secret: it hands them to the cipher or MAC and to nothing else.
    pub fn prepare<K: Send + Sync + 'static>(
        &self,
        prepare: impl Fn(&[u8]) -> Result<K, ConfigError> + Send + Sync + 'static,
    ) -> Result<PreparedKeys<K>, ConfigError> {
        match &self.0 {
            Source::Fixed(keys) => PreparedKeys::fixed(keys, &prepare),
            Source::Replaceable(registry) => registry.prepare(Box::new(prepare)),
        }
    }
}

/// One secret, as a ring with the key id `default`.
impl From<Secret> for KeyRing {
    fn from(secret: Secret) -> Self {
        Self(Source::Fixed([Key::new("default", secret)].into()))
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("KeyRing").field(&self.keys()).finish()
    }
}
