//! What can be wrong with an address or a setting.

use std::fmt;

use redis::RedisError;

use super::cause::Cause;

/// Why there is no store. It holds no secret.
#[derive(Debug)]
pub struct SetupError {
    what: &'static str,
    source: Option<Cause>,
}

impl SetupError {
    pub(super) fn new(what: &'static str) -> Self {
        Self { what, source: None }
    }

    pub(super) fn url(error: &RedisError) -> Self {
        Self { what: "the address of the server cannot be used", source: Some(Cause::of(error)) }
    }

    pub(super) fn connection(error: &RedisError) -> Self {
        Self { what: "the server cannot be reached", source: Some(Cause::of(error)) }
    }
}

impl fmt::Display for SetupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.source {
            Some(source) => write!(f, "{}: {source}", self.what),
            None => f.write_str(self.what),
        }
    }
}

impl std::error::Error for SetupError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|source| source as &(dyn std::error::Error + 'static))
    }
}
