//! Bytes that must not be seen.

use std::fmt;
use std::sync::Arc;

use ctutils::CtEq as _;
use zeroize::Zeroizing;

use crate::encoding;
use crate::error::{ConfigError, ConfigErrorKind};

/// Bytes that must not be seen. `Debug` prints no byte of them; there is no `PartialEq`, `Display` or `Serialize`.
#[derive(Clone)]
pub struct Secret(Arc<Zeroizing<Vec<u8>>>);

impl Secret {
    /// The least bytes of a secret that is not a cipher's key: 128 bits, when they are random. A shorter one can be guessed
    /// offline by whoever has seen one signed delivery.
    pub const MIN: usize = 16;

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

    /// The bytes, for a cipher, a MAC or a comparison by [`ct_eq`].
    ///
    /// # Security
    ///
    /// What is copied out of here is not zeroized, and prints itself: keep it no longer than the cipher needs it, in no
    /// type with a derived `Debug`, and compare it by [`ct_eq`] alone.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secret").finish_non_exhaustive()
    }
}

/// Compares two byte strings in a time that does not depend on where they differ. It does depend on their lengths.
#[must_use]
pub fn ct_eq(left: &[u8], right: &[u8]) -> bool {
    left.ct_eq(right).into()
}

/// Whether a secret has [`Secret::MIN`] bytes, for a scheme that prepares keys of any length.
///
/// # Errors
///
/// [`ConfigErrorKind::ShortSecret`].
pub fn long_enough(secret: &[u8]) -> Result<(), ConfigError> {
    if secret.len() < Secret::MIN {
        return Err(ConfigError::new(ConfigErrorKind::ShortSecret { least: Secret::MIN, given: secret.len() }));
    }
    Ok(())
}

#[cfg(test)]
impl Secret {
    /// Whether anybody still holds these bytes. Whoever lets go last zeroizes them.
    pub(super) fn watch(&self) -> std::sync::Weak<Zeroizing<Vec<u8>>> {
        Arc::downgrade(&self.0)
    }
}
