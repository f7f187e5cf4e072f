//! Why a store could not answer.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use crate::error::BoxError;

/// Why a store could not answer: a [kind](Self::kind), by which receivers act, and the [source](StdError::source), which
/// goes to the log.
///
/// Two errors of one kind are equal, whatever caused them. `{}` prints the kind, and `{:#}` the causes too:
///
/// ```
/// use std::io;
///
/// use tower_webhook::idempotency::{StoreError, StoreErrorKind};
///
/// let refused = io::Error::new(io::ErrorKind::ConnectionRefused, "connection refused");
/// let error = StoreError::new(StoreErrorKind::Unavailable).caused_by(refused);
/// assert_eq!(error.to_string(), "the store cannot be reached");
/// assert_eq!(format!("{error:#}"), "the store cannot be reached: connection refused");
/// assert_eq!(error, StoreError::new(StoreErrorKind::Unavailable));
/// assert_ne!(error, StoreError::new(StoreErrorKind::Timeout));
/// ```
#[derive(Clone)]
pub struct StoreError {
    kind: StoreErrorKind,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

impl StoreError {
    /// An error of this kind.
    #[must_use]
    pub const fn new(kind: StoreErrorKind) -> Self {
        Self { kind, source: None }
    }

    /// The same error, with what caused it.
    ///
    /// # Security
    ///
    /// It is logged: its text must hold no secret, such as the password in a URL, and no payload.
    #[must_use]
    pub fn caused_by(self, source: impl Into<BoxError>) -> Self {
        let source: BoxError = source.into();
        Self { source: Some(source.into()), ..self }
    }

    /// What class of error this is.
    #[must_use]
    pub const fn kind(&self) -> StoreErrorKind {
        self.kind
    }
}

impl From<StoreErrorKind> for StoreError {
    fn from(kind: StoreErrorKind) -> Self {
        Self::new(kind)
    }
}

impl PartialEq for StoreError {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind
    }
}

impl Eq for StoreError {}

impl fmt::Debug for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreError").field("kind", &self.kind).field("source", &self.source).finish()
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind.fmt(f)?;
        let mut source = self.source().filter(|_| f.alternate());
        while let Some(error) = source {
            write!(f, ": {error}")?;
            source = error.source();
        }
        Ok(())
    }
}

impl StdError for StoreError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}

/// The classes of a [`StoreError`].
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum StoreErrorKind {
    /// It cannot be reached. A receiver tries again for a moment, then answers 503.
    Unavailable,
    /// It did not answer in time. What was asked may have happened: the same call with the same token decides.
    Timeout,
    /// It has no room, and evicts no live record.
    Full,
    /// It is set up so that it cannot keep its promises.
    Misconfigured(&'static str),
    /// It holds something that it did not write.
    Corrupt,
}

impl fmt::Display for StoreErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unavailable => f.write_str("the store cannot be reached"),
            Self::Timeout => f.write_str("the store did not answer in time"),
            Self::Full => f.write_str("the store is full"),
            Self::Misconfigured(why) => write!(f, "the store is misconfigured: {why}"),
            Self::Corrupt => f.write_str("the store holds a record that it did not write"),
        }
    }
}
