//! Secrets, by value or by reference, and what uses them: keys and credentials. None is ever printed.

use std::fmt;
use std::io;
use std::path::PathBuf;

use zeroize::Zeroizing;

use crate::clock::Timestamp;

/// The text of a secret. `Debug` prints nothing of it.
#[derive(Clone)]
pub struct SecretText(Zeroizing<String>);

impl SecretText {
    /// A secret as it is written.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The secret itself.
    ///
    /// # Security
    ///
    /// Whoever prints this has shown it to everybody.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretText(..)")
    }
}

/// Where a secret comes from.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum SecretSource {
    /// From the configuration itself: `value`.
    Value(SecretText),
    /// From a variable of the environment: `env`.
    Env(String),
    /// From a file, without a byte order mark in front and the line end behind it: `file`.
    File(PathBuf),
}

impl SecretSource {
    /// This secret.
    #[must_use]
    pub fn value(text: impl Into<String>) -> Self {
        Self::Value(SecretText::new(text))
    }

    /// Looks the secret up.
    ///
    /// # Errors
    ///
    /// [`SecretError`] when there is no such variable, or the file cannot be read.
    pub fn text(&self) -> Result<SecretText, SecretError> {
        match self {
            Self::Value(text) => Ok(text.clone()),
            Self::Env(name) => match std::env::var(name) {
                Ok(text) => Ok(SecretText::new(text)),
                Err(_) => Err(SecretError::NotSet(name.clone())),
            },
            Self::File(path) => match std::fs::read_to_string(path).map(Zeroizing::new) {
                Ok(text) => Ok(SecretText::new(alone(&text))),
                Err(error) => Err(SecretError::Unreadable(path.clone(), error)),
            },
        }
    }

    /// The key in a configuration that names this kind of source.
    pub(in crate::config) fn key(&self) -> &'static str {
        match self {
            Self::Value(_) => "value",
            Self::Env(_) => "env",
            Self::File(_) => "file",
        }
    }
}

/// What editors put around the text of a file is none of it.
fn alone(text: &str) -> &str {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    text.strip_suffix('\n').map_or(text, |line| line.strip_suffix('\r').unwrap_or(line))
}

/// Why a secret could not be looked up.
#[derive(Debug)]
#[non_exhaustive]
pub enum SecretError {
    /// There is no variable of this name, or it is not Unicode.
    NotSet(String),
    /// The file cannot be read.
    Unreadable(PathBuf, io::Error),
}

impl fmt::Display for SecretError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotSet(name) => write!(f, "{name} is not set"),
            Self::Unreadable(path, error) => write!(f, "{} cannot be read: {error}", path.display()),
        }
    }
}

impl std::error::Error for SecretError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::NotSet(_) => None,
            Self::Unreadable(_, error) => Some(error),
        }
    }
}

/// How the text of a key becomes bytes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum KeyEncoding {
    /// The text itself: `utf8`.
    Utf8,
    /// Hexadecimal: `hex`.
    Hex,
    /// Base64 of the standard alphabet, padded: `base64`.
    Base64,
    /// A public key in PEM or JWK: `pem` or `jwk`.
    Public,
}

/// One of an endpoint's keys.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct KeySpec {
    /// What the key is called in logs and lines.
    pub id: String,
    /// Where its text comes from.
    pub secret: SecretSource,
    /// How the text becomes bytes. Default: as the provider writes its keys.
    pub encoding: Option<KeyEncoding>,
    /// What is taken off the front of the text, if it stands there. Default: the provider's own, such as `whsec_`.
    pub strip: Option<String>,
    /// When the key begins to count.
    pub not_before: Option<Timestamp>,
    /// When the key ceases to count.
    pub not_after: Option<Timestamp>,
    /// Takes the key though it is shorter than 16 bytes. Only `custom` senders may have such keys.
    pub dangerous_short: bool,
}

impl KeySpec {
    /// A key that counts at any time, written as its provider writes keys.
    #[must_use]
    pub fn new(id: impl Into<String>, secret: SecretSource) -> Self {
        Self {
            id: id.into(),
            secret,
            encoding: None,
            strip: None,
            not_before: None,
            not_after: None,
            dangerous_short: false,
        }
    }
}

/// A user name and its password.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CredentialsSpec {
    /// The user name.
    pub username: String,
    /// Where the password comes from.
    pub password: SecretSource,
}

impl CredentialsSpec {
    /// These credentials.
    #[must_use]
    pub fn new(username: impl Into<String>, password: SecretSource) -> Self {
        Self { username: username.into(), password }
    }
}
