//! Keys that are replaced while deliveries come.

use std::fmt;
use std::sync::Arc;

use super::registry::Registry;
use super::ring::KeyRing;
use crate::error::ConfigError;

/// A handle on keys that can be replaced at run time, without a restart and with deliveries in flight.
///
/// ```
/// use tower_webhook::provider::aella::Aella;
/// use tower_webhook::secret::{Key, KeyRing, KeySwap, Secret};
///
/// # fn main() -> Result<(), tower_webhook::ConfigError> {
/// let old = Key::new("2026", Secret::utf8("ae_sk_live_of_last_year")?);
/// let keys = KeySwap::new(KeyRing::new([old.clone()])?);
/// let aella = Aella::new(keys.ring())?;
///
/// // Both for as long as the sender needs to change over, and then the new one alone.
/// let new = Key::new("2027", Secret::utf8("ae_sk_live_of_this_year")?);
/// keys.replace(KeyRing::new([new.clone(), old])?)?;
/// keys.replace(KeyRing::new([new])?)?;
///
/// // What Aella cannot take replaces nothing.
/// assert!(keys.replace(Secret::utf8("short")?).is_err());
/// # Ok(())
/// # }
/// ```
///
/// Every scheme and provider that was made from one of its rings follows. Clones are handles on the same keys.
#[derive(Clone)]
pub struct KeySwap(Arc<Registry>);

impl KeySwap {
    /// A handle on these keys.
    #[must_use]
    pub fn new(keys: impl Into<KeyRing>) -> Self {
        Self(Arc::new(Registry::new(keys.into().keys())))
    }

    /// A ring of the keys as they are now and will be, for any number of schemes and providers.
    #[must_use]
    pub fn ring(&self) -> KeyRing {
        KeyRing::replaceable(self.0.clone())
    }

    /// Replaces all keys by these. When it returns, every delivery that is yet to be opened is judged by the new ones; one
    /// that is being opened may still be judged by the old. The old are zeroized with the last that holds them.
    ///
    /// # Errors
    ///
    /// That of a scheme which cannot take one of the keys, such as
    /// [`KeyLength`](crate::ConfigErrorKind::KeyLength): then nothing is replaced anywhere.
    pub fn replace(&self, keys: impl Into<KeyRing>) -> Result<(), ConfigError> {
        let keys = keys.into().keys();
        self.0.replace(keys)
    }
}

impl fmt::Debug for KeySwap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("KeySwap").field(&self.0.keys()).finish()
    }
}
