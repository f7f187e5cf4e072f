//! Keys that are ready for their cipher or MAC.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use jiff::Timestamp;

use super::check::KeyCheck;
use super::key::Key;
use crate::error::ConfigError;

/// Keys of a ring, each made ready once for its cipher or MAC: see [`KeyRing::prepare`](super::KeyRing::prepare).
///
/// Clones share the keys. Those of a [`KeySwap`](super::KeySwap) are replaced in all of them at once.
pub struct PreparedKeys<K>(Source<K>);

enum Source<K> {
    Fixed(Ready<K>),
    Replaceable(Arc<Slot<K>>),
}

/// Newest first.
type Ready<K> = Arc<[(Key, K)]>;

/// Makes a key ready out of its bytes.
pub(super) type Prepare<K> = dyn Fn(&[u8]) -> Result<K, ConfigError> + Send + Sync;

/// Where replaceable keys lie. A delivery holds the lock as long as it takes to clone an `Arc`.
pub(super) struct Slot<K> {
    ready: RwLock<Ready<K>>,
    prepare: Box<Prepare<K>>,
}

impl<K> PreparedKeys<K> {
    pub(super) fn fixed(keys: &[Key], prepare: &Prepare<K>) -> Result<Self, ConfigError> {
        ready(keys, prepare).map(Source::Fixed).map(Self)
    }

    pub(super) fn replaceable(slot: Arc<Slot<K>>) -> Self {
        Self(Source::Replaceable(slot))
    }

    /// The keys that are valid at `now`.
    #[must_use]
    pub fn valid_at(&self, now: Timestamp) -> ValidKeys<'_, K> {
        let keys = match &self.0 {
            Source::Fixed(ready) => Held::Fixed(ready),
            Source::Replaceable(slot) => Held::Replaceable(slot.ready()),
        };
        ValidKeys { keys, now: Some(now) }
    }

    /// All keys, whether valid now or not: for what was sealed while they were, and is kept, and for who has no clock.
    #[must_use]
    pub fn all(&self) -> ValidKeys<'_, K> {
        let keys = match &self.0 {
            Source::Fixed(ready) => Held::Fixed(ready),
            Source::Replaceable(slot) => Held::Replaceable(slot.ready()),
        };
        ValidKeys { keys, now: None }
    }

    /// The check values of all keys, whether valid now or not.
    #[must_use]
    pub fn checks(&self) -> Vec<KeyCheck> {
        self.each(|key| KeyCheck::of(key.secret())).into_iter().flatten().collect()
    }

    fn each<T>(&self, look: impl Fn(&Key) -> T) -> Vec<T> {
        match &self.0 {
            Source::Fixed(ready) => ready.iter().map(|(key, _)| look(key)).collect(),
            Source::Replaceable(slot) => slot.ready().iter().map(|(key, _)| look(key)).collect(),
        }
    }
}

impl<K> Clone for PreparedKeys<K> {
    fn clone(&self) -> Self {
        Self(match &self.0 {
            Source::Fixed(ready) => Source::Fixed(ready.clone()),
            Source::Replaceable(slot) => Source::Replaceable(slot.clone()),
        })
    }
}

/// The ids alone.
impl<K> fmt::Debug for PreparedKeys<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.each(|key| key.id().to_owned())).finish()
    }
}

/// The keys that are valid at one time, newest first. A replacement in between does not touch them.
pub struct ValidKeys<'a, K> {
    keys: Held<'a, K>,
    /// `None`: whenever.
    now: Option<Timestamp>,
}

enum Held<'a, K> {
    Fixed(&'a [(Key, K)]),
    Replaceable(Ready<K>),
}

impl<K> ValidKeys<'_, K> {
    /// Each with its id.
    pub fn iter(&self) -> impl Iterator<Item = (&Arc<str>, &K)> {
        let keys = match &self.keys {
            Held::Fixed(keys) => keys,
            Held::Replaceable(ready) => &**ready,
        };
        keys.iter()
            .filter(|(key, _)| self.now.is_none_or(|now| key.valid_at(now)))
            .map(|(key, ready)| (key.shared_id(), ready))
    }

    /// The newest: it seals.
    #[must_use]
    pub fn newest(&self) -> Option<&K> {
        self.iter().next().map(|(_, key)| key)
    }

    /// The id of the newest key that fits. `None` is one
    /// [`SignatureMismatch`](crate::RejectionKind::SignatureMismatch), whatever the cause.
    ///
    /// # Security
    ///
    /// Every valid key is tried, also after one has fitted, so that the time does not depend on which it was. `fits` compares
    /// by [`ct_eq`](super::ct_eq), or by a library that does the same.
    pub fn fitting(&self, mut fits: impl FnMut(&K) -> bool) -> Option<Arc<str>> {
        let mut fitted = None;
        for (id, key) in self.iter() {
            if fits(key) {
                fitted = fitted.or(Some(id));
            }
        }
        fitted.cloned()
    }
}

/// The ids alone.
impl<K> fmt::Debug for ValidKeys<'_, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter().map(|(id, _)| id)).finish()
    }
}

impl<K> Slot<K> {
    pub(super) fn new(keys: &[Key], prepare: Box<Prepare<K>>) -> Result<Self, ConfigError> {
        Ok(Self { ready: RwLock::new(ready(keys, &*prepare)?), prepare })
    }

    fn ready(&self) -> Ready<K> {
        self.ready.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Makes these keys ready. What comes back puts them in the place of the old ones, and cannot fail.
    pub(super) fn stage(self: Arc<Self>, keys: &[Key]) -> Result<impl FnOnce() + use<K>, ConfigError> {
        let new = ready(keys, &*self.prepare)?;
        Ok(move || *self.ready.write().unwrap_or_else(PoisonError::into_inner) = new)
    }
}

fn ready<K>(keys: &[Key], prepare: &Prepare<K>) -> Result<Ready<K>, ConfigError> {
    keys.iter().map(|key| prepare(key.secret().expose()).map(|ready| (key.clone(), ready))).collect()
}
