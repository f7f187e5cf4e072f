//! Why a receiver does not listen.

use std::error::Error;
use std::fmt;

/// Why a receiver does not listen.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NotUp(String);

impl NotUp {
    pub(super) fn new(why: impl Into<String>) -> Self {
        Self(why.into())
    }

    pub(super) fn because(error: &std::io::Error) -> Self {
        Self(format!("it cannot be started: {error}"))
    }
}

impl fmt::Display for NotUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for NotUp {}
