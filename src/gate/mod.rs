//! The tower shell, written once: a [`HeadGate`] judges a request by its head, a [`BodyGate`] reads the whole body
//! within bounds and judges that. What they check is somebody else's business.
//!
//! A refusal is an answer: the inner service is not called, its error type is not touched, and the [`Rejection`] rides
//! in the response's extensions.

mod body;
mod evidence;

use bytes::Bytes;
use http::request::Parts;

use crate::error::Rejection;

pub use body::Body;
pub use evidence::{Authenticated, Verified};

/// A check that needs the head of a request alone.
pub trait HeadCheck: Send + Sync + 'static {
    /// Looks at the head, and may leave evidence in its extensions.
    ///
    /// # Errors
    ///
    /// The refusal to answer with. The body is not read then.
    fn check(&self, head: &mut Parts) -> Result<(), Rejection>;
}

/// A check that needs the whole body.
pub trait BodyCheck: Send + Sync + 'static {
    /// How much body is read, and for how long.
    fn limits(&self) -> BodyLimits;

    /// Looks at head and body, and hands back the body for the inner service, which may be another.
    ///
    /// # Errors
    ///
    /// The refusal to answer with.
    fn check(&self, head: &mut Parts, body: Bytes) -> Result<Bytes, Rejection>;
}

/// How much body is read, and for how long.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct BodyLimits {
    /// The longest body, in bytes. Default: 1 MiB.
    pub max_bytes: usize,
    /// The time for the whole body, counted from the first moment of waiting. Default: 10 seconds.
    pub deadline: std::time::Duration,
}

impl Default for BodyLimits {
    fn default() -> Self {
        Self { max_bytes: 1024 * 1024, deadline: std::time::Duration::from_secs(10) }
    }
}
