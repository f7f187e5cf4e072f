//! Keys as the specification writes them: Base64 behind a name.

use crate::error::ConfigError;
use crate::secret::Secret;

/// A shared secret, with or without the `whsec_` in front of its Base64.
///
/// # Errors
///
/// [`Encoding`](crate::ConfigErrorKind::Encoding) when it is not Base64; [`EmptySecret`](crate::ConfigErrorKind::EmptySecret); [`SecretEdge`](crate::ConfigErrorKind::SecretEdge).
pub fn secret(text: impl AsRef<str>) -> Result<Secret, ConfigError> {
    behind("whsec_", text.as_ref())
}

/// A public key, with or without the `whpk_` in front of its Base64.
///
/// # Errors
///
/// As [`secret`].
#[cfg(feature = "asymmetric")]
#[cfg_attr(docsrs, doc(cfg(feature = "asymmetric")))]
pub fn public_key(text: impl AsRef<str>) -> Result<Secret, ConfigError> {
    behind("whpk_", text.as_ref())
}

/// A private key, with or without the `whsk_` in front of its Base64.
///
/// # Errors
///
/// As [`secret`].
#[cfg(feature = "asymmetric")]
#[cfg_attr(docsrs, doc(cfg(feature = "asymmetric")))]
pub fn secret_key(text: impl AsRef<str>) -> Result<Secret, ConfigError> {
    behind("whsk_", text.as_ref())
}

/// Another name holds a `_`, which is not Base64: a key of the wrong kind is refused.
fn behind(name: &str, text: &str) -> Result<Secret, ConfigError> {
    Secret::base64(text.strip_prefix(name).unwrap_or(text))
}
