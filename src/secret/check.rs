//! What tells a key from another without naming it.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use super::bytes::Secret;

/// What tells a key from another without naming it: 3 bytes of a MAC by the key, as card issuers print them.
///
/// # Security
///
/// It says 24 bits about the key: of all guesses at it, one in 17 million fits. A key that nobody could guess before, nobody
/// can guess with it. So a secret under 16 bytes, such as a short password, has none.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct KeyCheck([u8; 3]);

impl KeyCheck {
    /// The check value of this key. `None`: it is shorter than 16 bytes.
    #[must_use]
    pub fn of(key: &Secret) -> Option<Self> {
        let key = Some(key.expose()).filter(|key| key.len() >= Secret::MIN)?;
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
